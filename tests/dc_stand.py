"""A DC outlet with a car in virtual time, for tests: what is allowed at which time, and everything that came of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from hilbench import clock
from hilbench.ccs import v2gtp
from hilbench.chademo import Frame
from hilbench.chademo.frames import decode
from hilbench.signals import Record, dc_current, dc_offered, dc_requested
from hilbench.site import Branch
from hilbench_emulators.ccs import events as ev
from hilbench_emulators.ccs.wire import unpack
from hilbench_emulators.dc.cars import Car, Discharge, Port, load_car
from hilbench_emulators.dc.outlet_law import Policy
from hilbench_emulators.dc.power_module import Bank, load_module
from hilbench_emulators.dc_outlet import DcSettings, OneOutlet
from hilbench_emulators.dc_outlet.outlet import DcOutlet
from hilbench_emulators.dc_outlet.settings import CcsProtocol
from hilbench_emulators.dc_outlet.wire_log import WireLog
from tests.fake_plant import FakePlant

ROLE = "dc"
WAITS = replace(load_car("id-3-58"), below_minimum="waits", gives_up_s=math.inf)
"""A CCS car that keeps its session where it is offered nothing."""
CARS: dict[Port, Car] = {"ccs": WAITS, "chademo": load_car("leaf-40")}
GIVES = replace(load_car("ioniq-5"), discharge=Discharge(100.0, 500.0, 0.1))
"""A CCS car that gives power back; the figures are chosen."""
BRANCH = Branch(role=ROLE, branch_a=160, max_a=125, connection="L1-L2-L3", kind="dc")


class Allow(NamedTuple):
    """What the station says at a time [s]; see ``DcOutlet.allow``."""

    t: float
    current_a: float = 100.0
    order_a: float | None = None
    able: bool = True


class Said(NamedTuple):
    """A message of CCS at its time."""

    t: float
    name: str
    body: dict[str, Any]


@dataclass
class Plant(FakePlant):
    """Remembers what the outlet draws [A per line]."""

    drawn: list[float] = field(default_factory=list)

    def drive(self, role: str, current_a: float, power_factor: float, over_s: float) -> None:  # noqa: ARG002 - of the protocol
        """See :class:`DcPort`."""
        self.drawn.append(current_a)


class Heard(WireLog):
    """What went over the wire, in memory."""

    def __init__(self, protocol: CcsProtocol) -> None:
        super().__init__(None, ROLE)
        self._protocol = protocol
        self.messages: list[Said] = []
        self.frames: list[tuple[float, Frame]] = []
        self._handshake = 2

    @property
    def writes(self) -> bool:
        """There is somewhere to write."""
        return True

    def frame(self, t: float, can_id: int, data: bytes) -> None:
        """Of CHAdeMO."""
        self.frames.append((t, decode(can_id, data)))

    def message(self, t: float, of_car: bool, data: bytes) -> None:  # noqa: ARG002 - as the one that it replaces
        """Of CCS."""
        found = unpack(v2gtp.unpack(data), None if self._handshake else self._protocol)
        self._handshake -= self._handshake > 0
        assert isinstance(found, ev.Received)
        self.messages.append(Said(t, found.name, found.body))


@dataclass
class Stand:
    """What became of it; times [s] since the car was plugged in, currents [A] at the outlet."""

    outlet: DcOutlet
    record: Record
    plant: Plant
    log: Heard
    reasons: list[str] = field(default_factory=list)

    def current_a(self, t: float) -> float:
        """What flows into the car."""
        return self.record.signal(dc_current(ROLE), "A", "linear").value_at(t)

    def most_a(self) -> float:
        """The most that ever flowed."""
        return float(max(self.record.signal(dc_current(ROLE), "A", "linear").rows()[1]))

    def least_a(self) -> float:
        """The least, negative where the car gave."""
        return float(min(self.record.signal(dc_current(ROLE), "A", "linear").rows()[1]))

    def requested_a(self, t: float) -> float:
        """What the car asks for."""
        return self.record.signal(dc_requested(ROLE), "A").value_at(t)

    def offered_a(self, t: float) -> float:
        """What the station offers."""
        return self.record.signal(dc_offered(ROLE), "A").value_at(t)

    def ends(self) -> list[float]:
        """When sessions ended."""
        return [event.t for event in self.record.events_of("dc.end")]

    def sessions(self) -> int:
        """How many began."""
        return len(list(self.record.events_of("dc.begin")))

    def bodies(self, name: str) -> list[dict[str, Any]]:
        """All messages of a name."""
        return [said.body for said in self.log.messages if said.name == name]

    def frames(self, kind: type[Any]) -> list[tuple[float, Any]]:
        """CHAdeMO's frames of a kind with their times."""
        return [(t, frame) for t, frame in self.log.frames if isinstance(frame, kind)]

    def first_t(self, kind: type[Frame], holds: Callable[[Any], bool]) -> float:
        """When a frame was the first for which something holds."""
        return next(t for t, frame in self.frames(kind) if holds(frame))


def play(
    *quirks: str,
    seconds: float = 60.0,
    allows: tuple[Allow, ...] = (),
    connector: Port = "ccs",
    protocol: CcsProtocol = "iso2",
    car: Car | None = None,
    policy: Policy | None = None,
    soc: float = 0.3,
) -> Stand:
    """A car is plugged in at 0 s, and 100 A per line are allowed until something else is.

    Two modules of 30 kW stand behind the outlet, which takes power back where car and protocol can.
    """
    supplied = OneOutlet(Bank(load_module("generic-30"), 2))
    settings = DcSettings(supplied, connector, protocol, policy=policy or Policy(), prepare_s=0.0, quirks=quirks)

    async def main() -> Stand:
        record, plant, reasons = Record(), Plant(), list[str]()
        outlet = DcOutlet(BRANCH, plant, settings, record, lambda: None, reasons.append, two_way=True)
        stand = Stand(outlet, record, plant, Heard(protocol), reasons)
        outlet._log = stand.log
        outlet.power_up()
        outlet.plug_in(car or CARS[connector], None, soc)
        for allow in (Allow(0.0), *allows):
            await clock.sleep_until(allow.t)
            outlet.allow(allow.current_a, allow.order_a, allow.able)
        await clock.sleep_until(seconds)
        outlet.power_down()
        return stand

    return clock.run(main())
