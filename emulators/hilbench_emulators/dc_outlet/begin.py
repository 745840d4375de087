"""A new session between a DC station and the car that is plugged in there."""

from __future__ import annotations

import math

from hilbench import clock
from hilbench.errors import InputError, Problem
from hilbench_emulators.ccs import Service, Station, Vehicle, services
from hilbench_emulators.ccs.pair import OnBytes
from hilbench_emulators.chademo import Car as ChademoCar
from hilbench_emulators.chademo import Charger
from hilbench_emulators.chademo.models import CAR_ZE0, CHARGER_ZE0
from hilbench_emulators.dc.cars import Car
from hilbench_emulators.dc.outlet_law import Limit
from hilbench_emulators.dc.power_module import Bank
from hilbench_emulators.dc_outlet.ccs_head import CcsHead
from hilbench_emulators.dc_outlet.chademo_head import ChademoHead, charger_model
from hilbench_emulators.dc_outlet.chademo_wire import BusWire, OnFrame, PureWire
from hilbench_emulators.dc_outlet.head import Head
from hilbench_emulators.dc_outlet.pack import CarPack, car_model
from hilbench_emulators.dc_outlet.quirks import Parts, parts
from hilbench_emulators.dc_outlet.settings import DcSettings
from hilbench_emulators.dc_outlet.wire_log import WireLog

RECORDED = {"ze0-v2x": (CAR_ZE0, CHARGER_ZE0)}
"""Charger and car of recorded sessions (rand12345/chademo-rs CanLogs; measured)."""
_PROTOCOLS = {"din": services.DIN, "iso2": services.ISO2, "iso20": services.ISO20_DC}


def begin(
    settings: DcSettings, car: Car, soc: float, target_soc: float, bank: Bank, limit: Limit, two_way: bool, log: WireLog
) -> Head:
    """The session, at its start; raises ``InputError`` for a car that does not fit the connector."""
    if car.port != settings.connector:
        what = f"{car.name} has a {car.port} inlet, the station a {settings.connector} connector"
        raise InputError("vehicle", Problem("", what, f"choose a car with {settings.connector}"))
    made = parts(car, settings.quirks)
    if settings.connector == "chademo":
        return _chademo(settings, made, soc, target_soc, bank, limit, two_way, log)
    giving = two_way and car.discharge is not None and settings.protocol == "iso20"
    service = Service("dc", giving=giving, dynamic=settings.control == "dynamic" and settings.protocol == "iso20")
    protocols = (_PROTOCOLS[settings.protocol],)
    vehicle = Vehicle(made.car, soc, protocols=protocols, service=service, target_soc=target_soc, quirks=made.ccs)
    station = Station(protocols, (service,), quirks=made.secc)
    return CcsHead(vehicle, station, bank, limit, settings.policy, _messages(log))


def _chademo(
    settings: DcSettings,
    made: Parts,
    soc: float,
    target_soc: float,
    bank: Bank,
    limit: Limit,
    two_way: bool,
    log: WireLog,
) -> Head:
    car = made.car
    pack = CarPack(car, soc, target_soc)
    gives = two_way and car.discharge is not None
    discharge_a = car.discharge.max_a if gives and car.discharge is not None else 0.0
    models = car_model(car, pack, gives=gives), charger_model(bank, gives=gives, discharge_a=discharge_a)
    most_a = math.inf  # of a bank its modules say how much; they may be lent to another outlet
    if settings.recorded:
        models = RECORDED[settings.recorded]
        most_a = float(models[1].max_current_a)
    sides = ChademoCar(made.car_model(models[0]), pack), Charger(made.charger_model(models[1]))
    frames = _frames(log)
    wire = PureWire(*sides, frames) if settings.can is None else BusWire(*sides, settings.can, frames)
    return ChademoHead(pack, wire, bank, limit, settings.policy, most_a)


def _messages(log: WireLog) -> OnBytes:
    begun = clock.time()
    return lambda t_s, of_car, data: log.message(begun + t_s, of_car, data)


def _frames(log: WireLog) -> OnFrame | None:
    begun = clock.time()
    return (lambda t_s, can_id, data: log.frame(begun + t_s, can_id, data)) if log.writes else None
