"""What a station sees on the pilot of its outlet, and does about it: faults of the car's circuit, sleeping cars.

The rules and times are those of ``pilot.evse_watch``; this only looks at the wire. Pure; time is an argument.
"""

from __future__ import annotations

import math

from hilbench_emulators.pilot import PilotWire
from hilbench_emulators.pilot.circuit import Load
from hilbench_emulators.pilot.events import Timers
from hilbench_emulators.pilot.evse_watch import EvseTiming, FaultWatch, Step, WakeUp
from hilbench_emulators.pilot.sequences import seen

PILOT_FAULT = "CX014"
"""A pilot fault among the minimum required error codes of ChargeX (EVerest ``MREC14PilotFault``, read-code)."""


class PilotGuard:
    """``load`` is what it has seen last; ``holds`` is what it keeps on the pilot, None while the offer counts."""

    def __init__(self, timing: EvseTiming, wire: PilotWire) -> None:
        self._timing, self._wire = timing, wire
        self.reset()

    def reset(self) -> None:
        """As after a loss of supply."""
        self.load: Load = "A"
        self.holds: Step | None = None
        self._timers = Timers()
        self._faults = FaultWatch(self._timing, self._timers, self._fail)
        self._wake_up = WakeUp(self._timing.wake_up, self._timers, self._pulse)

    @property
    def fault(self) -> str | None:
        """What is wrong with the car's circuit: "diode", "short", "ventilation" or nothing."""
        return self._faults.name

    @property
    def due(self) -> float:
        """When to advance though nothing has happened [s]."""
        return self._timers.due

    @property
    def may_close(self) -> bool:
        """Nothing on the wire speaks against a closed contactor."""
        return self.fault is None and not self._faults.doubtful and self.load in ("B", "C", "D")

    def advance(self, t: float) -> None:
        """Do what is due until ``t``."""
        self._timers.run(t)

    def look(self, t: float, *, offers: bool) -> None:
        """See what is on the wire at ``t``; ``offers``: the station would send PWM."""
        if self.holds in ("F", "open"):  # the car cannot be seen then
            return
        found = seen(self._wire.at(t))
        self.load = found.load
        self._faults.see(t, found)
        if found.load in ("C", "D"):
            self._wake_up.awake()
        if self.holds is None and not offers:
            self._wake_up.again()
        elif self.holds is None:
            self._wake_up.look(t, asleep=found.load == "B" and self.fault is None)

    def forget(self) -> None:
        """The plug is out, and with it what was wrong with the car."""
        self.reset()

    def _fail(self, t: float, _name: str) -> None:
        self._timers.keep()
        self.holds = "F"
        self._timers.set("recover", t + self._timing.fault_s, self._recover)

    def _recover(self, t: float) -> None:
        self.holds = None
        if self._timing.retry_s < math.inf:
            self._timers.set("retry", t + self._timing.retry_s, self._retry)

    def _retry(self, t: float) -> None:
        if not self._faults.retry():
            self._recover(t)

    def _pulse(self, _t: float, step: Step) -> None:
        self.holds = None if step == "PWM" else step
