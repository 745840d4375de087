"""What a measured pilot keeps and misses: frequency, levels, and duty against the current that was commanded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from hilbench.metrics.pilot import Pilot, Reading, offer
from hilbench.metrics.pilot_table import (
    LOW_LEVEL,
    STATE_WINDOWS,
    Limit,
    Limits,
    duty_table,
    frequency_limit,
)


@dataclass(frozen=True)
class Check:
    """A reading beside its limit. ``note`` says what was corrected or must be known."""

    reading: Reading
    limit: Limit
    note: str = ""

    @property
    def kept(self) -> bool | None:
        """True when the limit is kept by U, False when it is missed by more than U, None between or without value.

        A value of ``inf`` is something that never happened.
        """
        value, guard = self.reading.value, self.reading.uncertainty
        if value == math.inf:
            return self.limit.high == math.inf
        if not (math.isfinite(value) and math.isfinite(guard)):
            return None
        if value - guard > self.limit.high or value + guard < self.limit.low:
            return False
        return True if self.limit.low <= value - guard and value + guard <= self.limit.high else None


def checks(pilot: Pilot, limits: Limits, limit_a: float | None = None, windows: str = "corners") -> tuple[Check, ...]:
    """All checks that the record allows; ``limit_a`` [A] is what the station was told to offer.

    Of ``limits`` those of ``pilot_frequency_error`` and ``pilot_duty_error`` count, where there are such. The duty is
    judged at the source: what the capacitance moved is taken away with its uncertainty, and the note says by how much.
    Raises ``InputError`` for a current that no duty cycle can mean.
    """
    return tuple(_all(pilot, limits, limit_a, windows))


def _all(pilot: Pilot, limits: Limits, limit_a: float | None, windows: str) -> Iterator[Check]:
    yield Check(pilot.high_v, STATE_WINDOWS[windows][pilot.state[0]], "the nearest state's window")
    if not pilot.pwm:
        return
    if "pilot_frequency_error" in limits:
        yield Check(pilot.frequency_hz, frequency_limit(limits["pilot_frequency_error"]))
    note = (
        "" if LOW_LEVEL[windows].holds(pilot.low_v.value) else "a missing diode or a weak negative rail looks like this"
    )
    yield Check(pilot.low_v, LOW_LEVEL[windows], note)
    if limit_a is not None and "pilot_duty_error" in limits:
        yield from _duty(pilot, limits["pilot_duty_error"], limit_a)


def _duty(pilot: Pilot, error: Limit, limit_a: float) -> Iterator[Check]:
    table = duty_table(pilot.table)
    wanted = table.duty_pct(limit_a)
    if math.isnan(wanted):
        none = Limit("duty for no charging", 0.0, 8.0, "%", table.source, table.confidence)
        yield Check(pilot.source_duty_pct, none, f"{limit_a:g} A cannot be offered: there must be no offer")
        return
    points = error.high
    duty = Limit(f"duty for {limit_a:g} A", wanted - points, wanted + points, "%", error.source, error.confidence)
    at = f"{pilot.duty_pct.value:.3f} % at {pilot.threshold_v:.2f} V"
    moved = f"{at}, to which the capacitance adds {pilot.rc_duty_pct:+.3f}"
    yield Check(pilot.source_duty_pct, duty, moved)
    reach = max(table.current_a(min(wanted + points, 97.0)) - limit_a, 0.0)
    most = Limit("current that a car may draw", 0.0, limit_a + reach, "A", error.source, error.confidence)
    yield Check(offer(pilot.source_duty_pct, table), most, "" if pilot.steady else "the record is not steady")
