"""Stations and cars of every service, ready to talk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hilbench_emulators.ccs import Evcc, Fixed, Limits, OnBoard, Quirks, Secc, Service, Station, Vehicle, services
from hilbench_emulators.ccs import events as ev
from hilbench_emulators.ccs.pair import Pair, Tamper, untouched
from hilbench_emulators.ccs.services import Protocol
from hilbench_emulators.dc.cars import Discharge, load_car

CAR = replace(load_car("ioniq-5"), discharge=Discharge(100.0, 500.0, 0.1))
LIMITS = Limits(200.0, 100_000.0, low_a=-50.0, low_w=-20_000.0)
AC_LIMITS = Limits(32.0, 22_080.0, low_a=-16.0, low_w=-11_040.0)


@dataclass(frozen=True)
class Way:
    """A protocol with a service of it, and what its loop's request and limit are called."""

    protocol: Protocol
    service: Service

    @property
    def ac(self) -> bool:
        """Whether it is AC."""
        return self.service.power == "ac"

    @property
    def loop(self) -> str:
        """The message of its loop, without Req and Res."""
        if self.protocol.generation == "iso20":
            return f"{self.service.power.upper()}_ChargeLoop"
        return "ChargingStatus" if self.ac else "CurrentDemand"

    @property
    def mode(self) -> str:
        """The element of a -20 response of the loop that has the limits."""
        service = self.service
        control = "Dynamic" if service.dynamic else "Scheduled"
        return f"{'BPT_' if service.giving else ''}{control}_{service.power.upper()}_CLResControlMode"

    def limit(self, body: dict[str, Any]) -> float:
        """The limit in a response of the loop: current [A], or power [W] for AC of -20."""
        names = {"CurrentDemand": "EVSEMaximumCurrentLimit", "ChargingStatus": "EVSEMaxCurrent"}
        value = body[names[self.loop]] if self.loop in names else body[self.mode][self._field]
        exponent = value["Multiplier"] if "Multiplier" in value else value["Exponent"]
        return float(value["Value"] * 10.0**exponent)

    @property
    def _field(self) -> str:
        return "EVSETargetActivePower" if self.ac else "EVSEMaximumChargeCurrent"

    def limit_of(self, amps: float) -> float:
        """What :meth:`limit` is for a limit of so many amperes."""
        return amps * 690.0 if self.loop == "AC_ChargeLoop" else amps

    def __str__(self) -> str:
        mode = f"{' giving' * self.service.giving}{' dynamic' * self.service.dynamic}"
        return f"{self.protocol.generation} {self.service.power}{mode}"


DIN, ISO2_DC, ISO2_AC = Way(services.DIN, Service()), Way(services.ISO2, Service()), Way(services.ISO2, Service("ac"))
FOUR = [(giving, dynamic) for giving in (False, True) for dynamic in (False, True)]
DC20 = [Way(services.ISO20_DC, Service("dc", *kind)) for kind in FOUR]
AC20 = [Way(services.ISO20_AC, Service("ac", *kind)) for kind in FOUR]
WAYS = [DIN, ISO2_DC, ISO2_AC, *DC20, *AC20]


def vehicle(way: Way, quirks: Quirks | None = None, **other: Any) -> Vehicle:
    """A car that wants one way of charging and nothing else."""
    return Vehicle(
        other.pop("car", CAR),
        protocols=(way.protocol,),
        service=way.service,
        on_board=OnBoard(giving_a=16.0),
        quirks=quirks or Quirks(),
        **other,
    )


def secc(way: Way, limits: Limits | None = None, remembered: bytes = b"", **station: Any) -> Secc:
    """A station that offers it."""
    limits = limits or (AC_LIMITS if way.ac else LIMITS)
    station = {"services": (way.service,), **station}
    return Secc(Station(**station), Fixed(limits), remembered)


def pair(way: Way, quirks: Quirks | None = None, tamper: Tamper = untouched, **station: Any) -> Pair:
    """Both, connected."""
    return Pair(secc(way, **station), Evcc(vehicle(way, quirks)), tamper=tamper)


def charging(way: Way, seconds: float = 5.0, quirks: Quirks | None = None, **station: Any) -> Pair:
    """Both, having been in their loop for a while."""
    both = pair(way, quirks, **station)
    both.run(until=lambda: bool(both.bodies(f"{way.loop}Res")))
    both.run(both.now_s + seconds)
    assert both.secc.closed is None, both.secc.closed
    assert both.evcc.closed is None, both.evcc.closed
    return both


def sends(both: Pair, of_car: bool) -> list[tuple[float, ev.Send]]:
    """Time and message of everything that one side has sent."""
    return [(t, out) for t, side, out in both.said if side == of_car and isinstance(out, ev.Send)]
