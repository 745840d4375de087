"""``[meter.NAME]``: the meters of a rig."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from hilbench.meter_maps import DEFAULT_MAP, maps_by_model
from hilbench.modbus_address import ModbusAddress, modbus_address
from hilbench.rig_values import Address, DataName
from hilbench.site import Integer, Model, Name, Number


def _meter_address(value: str) -> str:
    modbus_address(value)
    return value


MeterAddress = Annotated[str, AfterValidator(_meter_address)]


class MeterEntry(Model):
    """``[meter.NAME]``: the meter of one node of the site, and the chain from current to register.

    Times in seconds: ``interval_s`` between samples (0.1 to 15), ``latency_s`` from sample to register,
    ``averaging_s`` the window over which a sample is averaged (0: none). ``noise_a`` is the standard deviation [A] of
    a sample, ``resolution_a`` the step of the register [A]. ``class`` is the accuracy class of IEC 61869-2.

    ``map`` says which registers it has: the name of a shipped map, the path of a TOML file, or ``sunspec``. Its
    ``address`` is ``tcp://HOST:PORT``, ``rtu+tcp://HOST:PORT`` (RTU frames, as of a serial device server) or a serial
    line, ``serial:///dev/ttyUSB0?baudrate=9600&parity=N``; an emulated meter makes a serial line at that path.

    ``emulated:ocpp`` is a site meter that ``station`` reports to the controller as its main meter, every ``interval_s``
    (MeterValues of connector or EVSE 0, location Inlet); it has no map, address or unit.
    """

    device: str = "emulated:ct"
    station: Name | None = None
    map: DataName = DEFAULT_MAP
    node: Name = "service"
    address: MeterAddress = "tcp://127.0.0.1:5020"
    unit: Annotated[Integer, Field(ge=1, le=247)] = 1
    accuracy_class: Annotated[Literal["ideal", "0.5", "0.5S", "1", "3", "5"], Field(alias="class")] = "1"
    rated_a: Annotated[Number, Field(gt=0, le=10_000)] | None = None
    interval_s: Annotated[Number, Field(ge=0.1, le=15)] = 1.0
    latency_s: Annotated[Number, Field(ge=0, le=60)] = 0.0
    averaging_s: Annotated[Number, Field(ge=0, le=60)] = 0.0
    noise_a: Annotated[Number, Field(ge=0, le=100)] = 0.0
    resolution_a: Annotated[Number, Field(ge=0, le=10)] = 0.0

    @model_validator(mode="before")
    @classmethod
    def _map_of_model(cls, data: Any) -> Any:
        """A real device says its model, which has a map."""
        if isinstance(data, dict) and "map" not in data and isinstance(data.get("device"), str):
            name = maps_by_model().get(data["device"].removeprefix("modbus:"))
            return {**data, "map": name} if name else data
        return data

    @property
    def whereabouts(self) -> str:
        """Where it is read, and by which map if it is not the usual one, in a few words."""
        if self.station is not None:
            return f"reported by station {self.station}"
        return f"at {self.address}" + (f", map {self.map}" if self.map != DEFAULT_MAP else "")

    @property
    def is_real(self) -> bool:
        """A device of its own, or an emulated one on a serial line of this machine: both live in real time."""
        return not self.device.startswith("emulated:") or self.modbus.kind == "serial"

    @property
    def modbus(self) -> ModbusAddress:
        """Where it answers, and in which frames."""
        return modbus_address(self.address)

    @property
    def endpoint(self) -> Address:
        """Host and port, or a serial line and 0."""
        return self.modbus.place
