"""Is the meter to be believed? Stale, frozen, not a number, or contradicting what the stations report."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from hilbench.controller.settings import ControllerSettings

LEAST_VOLTAGE_V = 50.0
"""Below this there is no supply that charging stations could run on: the value is not real."""
SURELY_DRAWN_A = 3.0
EXPORT_W = -100.0


@dataclass(frozen=True)
class MeterSample:
    """One reading: current [A], voltage [V] and power [W] per line, and all registers as they came, to see them stand.

    ``t`` is when it was read; ``number`` grows with every answer, so that none is acted on twice.
    """

    t: float
    number: int
    currents: dict[str, float]
    voltages: dict[str, float]
    powers: dict[str, float]
    raw: tuple[int, ...] = field(default=(), repr=False)


class MeterWatch:
    """Trust in the meter over time; ``reason`` says in words why it is not trusted (empty: it is)."""

    def __init__(self, settings: ControllerSettings) -> None:
        self._settings = settings
        self._good_t = -math.inf
        self._bad_t = -math.inf
        self._raw: tuple[int, ...] = ()
        self._changed_t = -math.inf
        self._implausible_since = math.inf
        self.reason = "no value yet"

    def see(self, sample: MeterSample, drawn: dict[str, float]) -> bool:
        """Judge a sample; ``drawn`` is what the stations surely draw per line [A]. True when it can be used."""
        if sample.raw != self._raw or not sample.raw:
            self._raw, self._changed_t = sample.raw, sample.t
        doubt, proven = self._fault(sample, drawn)
        if doubt:
            self.reason = doubt
            self._bad_t = sample.t if proven else self._bad_t
            return False
        self._good_t = sample.t
        return True

    def _fault(self, sample: MeterSample, drawn: dict[str, float]) -> tuple[str, bool]:
        """What is wrong with a sample (empty: nothing), and whether that is proven or may be a single bad answer."""
        values = [*sample.currents.values(), *sample.voltages.values(), *sample.powers.values()]
        if not all(map(math.isfinite, values)):
            return "not a number", False
        if min(sample.voltages.values(), default=0.0) < LEAST_VOLTAGE_V:
            return "no voltage", False
        if sample.t - self._changed_t >= self._settings.frozen_s:
            return "frozen", True
        return self._contradiction(sample, drawn)

    def _contradiction(self, sample: MeterSample, drawn: dict[str, float]) -> tuple[str, bool]:
        """A meter that shows less than the stations draw, or export that nobody makes; proven after half of stale_s."""
        said = ""
        for line, amps in drawn.items():
            surely = amps - max(SURELY_DRAWN_A, 0.15 * amps)
            if surely > 0 and abs(sample.currents.get(line, 0.0)) < surely:
                said = f"shows less than the stations draw on {line}"
            elif surely > 0 and sample.powers.get(line, 0.0) < EXPORT_W and not self._settings.exports:
                said = f"shows export on {line}"
        self._implausible_since = min(self._implausible_since, sample.t) if said else math.inf
        return said, sample.t - self._implausible_since >= self._settings.stale_s / 2.0

    def trusted(self, t: float) -> bool:
        """True when a good value is fresh and the meter has been good for the recovery time."""
        if t - self._good_t >= self._settings.stale_s:
            self._bad_t = t
            self.reason = self.reason or "stale"
        if t - self._bad_t < self._settings.recover_s:
            return False
        self.reason = ""
        return True
