"""A new session between a DC station and the car that is plugged in there."""

from __future__ import annotations

from hilbench.errors import InputError, Problem
from hilbench_emulators.ccs import Service, Station, Vehicle, services
from hilbench_emulators.dc.cars import Car
from hilbench_emulators.dc.outlet_law import Limit
from hilbench_emulators.dc.power_module import Bank
from hilbench_emulators.dc_outlet.ccs_head import CcsHead
from hilbench_emulators.dc_outlet.chademo_head import ChademoHead, charger_model
from hilbench_emulators.dc_outlet.head import Head
from hilbench_emulators.dc_outlet.pack import CarPack, car_model
from hilbench_emulators.dc_outlet.quirks import Parts, parts
from hilbench_emulators.dc_outlet.settings import DcSettings

_PROTOCOLS = {"din": services.DIN, "iso2": services.ISO2, "iso20": services.ISO20_DC}


def begin(
    settings: DcSettings, car: Car, soc: float, target_soc: float, bank: Bank, limit: Limit, two_way: bool
) -> Head:
    """The session, at its start; raises ``InputError`` for a car that does not fit the connector."""
    if car.port != settings.connector:
        what = f"{car.name} has a {car.port} inlet, the station a {settings.connector} connector"
        raise InputError("vehicle", Problem("", what, f"choose a car with {settings.connector}"))
    made = parts(car, settings.quirks)
    if settings.connector == "chademo":
        return _chademo(settings, made, soc, target_soc, bank, limit, two_way)
    giving = two_way and car.discharge is not None and settings.protocol == "iso20"
    service = Service("dc", giving=giving, dynamic=settings.control == "dynamic" and settings.protocol == "iso20")
    protocols = (_PROTOCOLS[settings.protocol],)
    vehicle = Vehicle(made.car, soc, protocols=protocols, service=service, target_soc=target_soc, quirks=made.ccs)
    return CcsHead(vehicle, Station(protocols, (service,)), bank, limit, settings.policy)


def _chademo(
    settings: DcSettings, made: Parts, soc: float, target_soc: float, bank: Bank, limit: Limit, two_way: bool
) -> Head:
    car = made.car
    pack = CarPack(car, soc, target_soc)
    gives = two_way and car.discharge is not None
    discharge_a = car.discharge.max_a if gives and car.discharge is not None else 0.0
    charger = made.charger_model(charger_model(bank, gives=gives, discharge_a=discharge_a))
    return ChademoHead(pack, made.car_model(car_model(car, pack, gives=gives)), charger, bank, limit, settings.policy)
