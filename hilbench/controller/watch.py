"""Is the meter to be believed? Stale, frozen, no number, out of range, or against what stations or other meters say."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from hilbench.controller.settings import ControllerSettings

LEAST_VOLTAGE_V = 50.0
"""Below this there is no supply that charging stations could run on: the value is not real."""
MOST_VOLTAGE_V = 1_000.0
"""Above this, to neutral, it is no low-voltage supply (IEC 60038 ends there; recalled)."""
MOST_CURRENT = 10.0
"""Times the service's rating: no more than a short circuit, which its breaker ends within a cycle (policy)."""
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
    """Trust in the meter of a node that is rated ``rating_a``; ``reason`` says why it has none (empty: it has)."""

    def __init__(self, settings: ControllerSettings, rating_a: float = math.inf) -> None:
        self._settings, self._most_a = settings, MOST_CURRENT * rating_a
        self._good_t = -math.inf
        self._bad_t = -math.inf
        self._raw: tuple[int, ...] = ()
        self._changed_t = -math.inf
        self._implausible_since = math.inf
        self.reason = "no value yet"

    def see(self, sample: MeterSample, drawn: dict[str, float], parts: dict[str, float] | None = None) -> bool:
        """Judge a sample; ``drawn`` is what the stations surely draw per line [A]. True when it can be used.

        ``parts`` is the most that any meter below this one shows per line [A].
        """
        if sample.raw != self._raw or not sample.raw:
            self._raw, self._changed_t = sample.raw, sample.t
        doubt, proven = self._fault(sample, drawn, parts or {})
        if doubt:
            self.reason = doubt
            self._bad_t = sample.t if proven else self._bad_t
            return False
        if math.isfinite(self._bad_t) and sample.t - self._good_t >= self._settings.stale_s:
            self._bad_t = sample.t  # it has been back from now on
        self._good_t = sample.t
        return True

    def _fault(self, sample: MeterSample, drawn: dict[str, float], parts: dict[str, float]) -> tuple[str, bool]:
        """What is wrong with a sample (empty: nothing), and whether that is proven or may be a single bad answer."""
        values = [*sample.currents.values(), *sample.voltages.values(), *sample.powers.values()]
        if not all(map(math.isfinite, values)):
            return "not a number", False
        if beyond := self._out_of_range(sample):
            return beyond, False
        if min(sample.voltages.values(), default=0.0) < LEAST_VOLTAGE_V:
            return "no voltage", False
        if sample.t - self._changed_t >= self._settings.frozen_s:
            return "frozen", True
        return self._contradiction(sample, drawn, parts)

    def _out_of_range(self, sample: MeterSample) -> str:
        """A value that the site cannot have, in words."""
        for line, amps in sample.currents.items():
            if abs(amps) > self._most_a:
                return f"out of range: {amps:.0f} A on {line}"
        for line, volts in sample.voltages.items():
            if not -LEAST_VOLTAGE_V < volts <= MOST_VOLTAGE_V:
                return f"out of range: {volts:.0f} V on {line}"
        return ""

    def _contradiction(self, sample: MeterSample, drawn: dict[str, float], parts: dict[str, float]) -> tuple[str, bool]:
        """A meter that shows less than the stations draw or than a part of the site, or export that nobody makes.

        Proven after half of stale_s. Where the site generates, less than the stations draw is no contradiction; where
        only cars do, it is one still: what they give is in ``drawn``.
        """
        said = ""
        for line, amps in drawn.items():
            surely = _surely(amps)
            if surely <= 0 or self._settings.allow_export:
                continue
            if _shown(sample, line) < surely:
                said = f"shows less than the stations draw on {line}{_swapped(sample, drawn, line)}"
            elif sample.powers.get(line, 0.0) < EXPORT_W:
                said = f"shows export on {line}"
        if not said and not self._settings.exports:
            said = _below_a_part(sample, parts)
        self._implausible_since = min(self._implausible_since, sample.t) if said else math.inf
        return said, sample.t - self._implausible_since >= self._settings.stale_s / 2.0

    @property
    def answered(self) -> bool:
        """The meter has given some value, good or bad."""
        return math.isfinite(self._changed_t)

    def trusted(self, t: float) -> bool:
        """True when a good value is fresh and the meter has been good for the recovery time."""
        if t - self._good_t >= self._settings.stale_s:
            self._bad_t = t
            self.reason = self.reason or "stale"
        if t - self._bad_t < self._settings.recover_s:
            return False
        self.reason = ""
        return True


def _surely(amps: float) -> float:
    """The least that a current is, of which another instrument says ``amps``, possibly a moment ago."""
    return amps - max(SURELY_DRAWN_A, 0.15 * amps)


def _shown(sample: MeterSample, line: str) -> float:
    return abs(sample.currents.get(line, 0.0))


def _swapped(sample: MeterSample, drawn: dict[str, float], line: str) -> str:
    """Which other line's current would fit here, and this one's there: a hint for whoever looks at the CTs."""
    for other, amps in drawn.items():
        if other != line and _shown(sample, other) >= _surely(drawn[line]) and _shown(sample, line) >= _surely(amps):
            return f", as if the CTs of {line} and {other} were exchanged"
    return ""


def _below_a_part(sample: MeterSample, parts: dict[str, float]) -> str:
    """On which line the whole is less than a part of it, in words."""
    lines = (line for line, amps in parts.items() if _shown(sample, line) < _surely(amps))
    return next((f"shows less than a feeder on {line}" for line in lines), "")
