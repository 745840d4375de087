"""The car's side of the pilot: when it asks for power, how much, and when it is done. Pure; time is an argument.

States are those of SAE J1772 and IEC 61851-1: B connected, C ready (S2 closed). ``offer`` and ``expire`` take what
happens, and answer with :class:`Move` commands for the plant, which owns the currents.
"""

from __future__ import annotations

from dataclasses import dataclass

from hilbench_emulators.pilot import PROFILES, current_of_duty
from hilbench_emulators.vehicles import Response, Vehicle


@dataclass(frozen=True)
class Move:
    """At time ``t``: go to ``state`` (None: stay), and ramp to ``target_a`` per phase (None: leave the current)."""

    t: float
    state: str | None = None
    target_a: float | None = None


class OnboardCharger:
    """One plugged-in car.

    ``remaining_wh`` is owned by the plant, which integrates the current; the charger only knows ``full``.
    """

    def __init__(self, vehicle: Vehicle, phases: int, max_a: float) -> None:
        self.vehicle = vehicle
        self.response: Response = vehicle.response(phases)
        self.phases = min(self.response.phases, phases)
        self.max_a = max_a
        self.rules = PROFILES[vehicle.duty_rules]
        self.state = "B"
        self.offered_a = 0.0
        self.energised = False
        self.full = False
        self.paused = False
        self.stuck_a: float | None = None
        self.ordered_a: float | None = None

    def unmanaged_a(self) -> float:
        """Current [A per phase] that it would draw if the station offered all it has."""
        return 0.0 if self.full else self.response.drawn_a(self.max_a)

    @property
    def can_discharge(self) -> bool:
        """It can give power back."""
        return self.vehicle.discharge is not None

    def offer(self, t: float, duty_pct: float | None) -> list[Move]:
        """A new duty cycle (None: no PWM) stands on the pilot."""
        self.offered_a = 0.0 if duty_pct is None else current_of_duty(duty_pct, self.rules)
        return [] if self.ordered_a is not None else self._by_pilot(t)

    def order(self, t: float, current_a: float | None) -> list[Move]:
        """The station orders a current [A per phase] over the car's link, negative to discharge.

        None: the pilot counts again.
        """
        self.ordered_a = current_a
        if current_a is None:
            return self._by_pilot(t)
        if self.state == "C":
            return [Move(t + self.vehicle.dead_time_s, None, self.target_a())] if self.energised else []
        return [Move(t + self.vehicle.start_delay_s, "C")] if self.wants_power() else []

    def pause(self, t: float, paused: bool) -> list[Move]:
        """Want no energy for now, and go to state B once nothing is drawn; or want it again."""
        self.paused = paused
        if not paused:
            return self._by_pilot(t) if self.ordered_a is None else self.order(t, self.ordered_a)
        if self.state == "C" and not self.energised:
            return [Move(t, "B")]
        return [Move(t, None, self.target_a())]

    def _by_pilot(self, t: float) -> list[Move]:
        reaction = t + self.vehicle.dead_time_s
        if self.state == "C":
            if self.offered_a < 6.0 and self.stuck_a is None:
                return [Move(reaction, None, 0.0)]
            return [Move(reaction, None, self.target_a())] if self.energised else []
        if self.wants_power():
            return [Move(t + self.vehicle.start_delay_s, "C")]
        return []

    def energise(self, t: float, closed: bool) -> list[Move]:
        """The station's contactor closed or opened."""
        self.energised = closed
        if not closed:
            return [Move(t, "B", 0.0)] if self.state == "C" and self.full else [Move(t, None, 0.0)]
        return [Move(t + self.vehicle.dead_time_s, None, self.target_a())] if self.state == "C" else []

    def target_a(self) -> float:
        """Current [A per phase] that it heads for now."""
        if self.stuck_a is not None:
            return self.stuck_a
        if self.paused:
            return 0.0
        if self.ordered_a is not None:
            return self._ordered_target_a(self.ordered_a) if self.energised else 0.0
        if self.full or not self.energised or self.offered_a < 6.0:
            return 0.0
        return self.response.drawn_a(min(self.offered_a, self.max_a))

    def _ordered_target_a(self, ordered_a: float) -> float:
        """What of an order it can follow; below its least current it draws nothing."""
        discharge = self.vehicle.discharge
        if ordered_a < 0.0:
            return 0.0 if discharge is None else -min(-ordered_a, discharge.max_a, self.max_a)
        if self.full or ordered_a < self.vehicle.start_min_a:
            return 0.0
        return self.response.drawn_a(min(ordered_a, self.max_a))

    def power_factor(self, current_a: float) -> float:
        """Power factor at a current [A per phase]; what a car gives is in phase (policy-default)."""
        return 1.0 if current_a < 0.0 else self.response.power_factor(current_a)

    @property
    def withdrawn(self) -> bool:
        """It pauses, or nothing is offered or ordered: it goes back to state B once it draws nothing."""
        return self.paused or (self.ordered_a is None and self.offered_a < 6.0)

    def wants_power(self) -> bool:
        """True when it would go to state C at the present offer or order."""
        if self.paused:
            return False
        if self.ordered_a is not None:
            least = self.vehicle.start_min_a
            return (self.ordered_a >= least and not self.full) or (self.ordered_a < 0.0 and self.can_discharge)
        return not self.full and self.offered_a >= self.vehicle.start_min_a
