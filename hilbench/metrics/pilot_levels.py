"""The two resting levels of a pilot record, and what the converter's steps leave unsure about them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hilbench.metrics.pilot_codes import resolved
from hilbench.metrics.pilot_edges import Edges, Level, plateaus, plateaus_short_s
from hilbench.waveform import Waveform

FINEST_SHARE = 1e-5
"""Steps finer than this share of the range are not those of a converter (16 bits have 1.5e-5)."""
_LOOK, _WORST_TAU_S, _COUNTED = 4096, 5.5e-6, 16384


@dataclass(frozen=True)
class Levels:
    """High and low level, and by how much the means of single plateaus differ from them at most [V]."""

    high: Level
    low: Level
    unsteady_v: float

    @property
    def apart(self) -> bool:
        """True when both levels were seen, half a volt apart or more."""
        return self.high.volts - self.low.volts >= 0.5

    @property
    def noise_v(self) -> float:
        """Standard deviation of a sample around its level."""
        weights = self.high.samples + self.low.samples
        squares = self.high.noise_v**2 * self.high.samples + self.low.noise_v**2 * self.low.samples
        return math.sqrt(squares / weights) if weights else 0.0


def step_v(record: Waveform) -> float:
    """One step of the converter: as the record says, else the smallest distance between its values (0: none seen)."""
    if record.lsb > 0.0:
        return record.lsb
    ordered = np.sort(record.values[:_LOOK])
    gaps = ordered[1:] - ordered[:-1]
    real = gaps[gaps > FINEST_SHARE * max(float(ordered[-1] - ordered[0]), 1e-12)]
    return float(real.min()) if len(real) else 0.0


def unresolved_v(lsb_v: float, noise_v: float) -> float:
    """Standard uncertainty that no averaging takes away: the converter's steps, as far as noise does not dither them.

    Noise of half a step leaves 1 %: the mean error of a quantiser falls with exp(-2 pi^2 sigma^2 / lsb^2) (standard
    theory of dither, recalled).
    """
    if lsb_v <= 0.0:
        return 0.0
    dither = max(noise_v**2 - lsb_v**2 / 12.0, 0.0) / lsb_v**2
    return lsb_v / math.sqrt(12.0) * math.exp(-2.0 * math.pi**2 * dither)


def levels(record: Waveform, edges: Edges, skip_s: float, lead_s: float) -> Levels:
    """Levels from all samples of the plateaus, ``skip_s`` after each crossing and up to ``lead_s`` before the next."""
    begin, end, high = plateaus(edges, len(record.values), skip_s / record.dt_s + 1.0)
    first = np.ceil(begin).astype(np.intp)
    lead = np.minimum(lead_s / record.dt_s, 0.3 * (end - begin))
    last = np.clip(np.floor(end - lead).astype(np.intp) + 1, first, np.maximum(first, len(record.values)))
    offset, lsb_v = edges.level_v, step_v(record)
    sums = _sums(record.values, first, last, offset, 1)
    squares = _sums(record.values, first, last, offset, 2)
    count = (last - first).astype(np.float64)
    top, bottom = (
        resolved(_level(sums[one], squares[one], count[one], offset), _taken(record, first[one], last[one]), lsb_v)
        for one in (high, ~high)
    )
    enough = count >= max(np.median(count) / 4.0, 1.0)
    with np.errstate(invalid="ignore"):
        apart = np.abs(sums / count + offset - np.where(high, top.volts, bottom.volts))[enough]
    return Levels(top, bottom, float(np.nanmax(apart, initial=0.0)))


def _taken(record: Waveform, first: NDArray[np.intp], last: NDArray[np.intp]) -> NDArray[np.floating]:
    """Samples of the plateaus, of very many a part."""
    turns = np.zeros(len(record.values) + 1, dtype=np.int8)
    turns[first] += 1
    turns[last] -= 1
    inside = np.flatnonzero(np.cumsum(turns[:-1], dtype=np.int8))
    return record.values[inside[:: max(len(inside) // _COUNTED, 1)]]


def widened(resting: Levels, edges: Edges, dt_s: float, skip_s: float) -> Levels:
    """Levels with the uncertainty of plateaus shorter than what would have been skipped of them.

    What they may lack is that of the worst legal cable (time constant 5.5 us).
    """
    swing_v = resting.high.volts - resting.low.volts
    found = []
    for level, short_s in zip((resting.low, resting.high), plateaus_short_s(edges, dt_s), strict=True):
        waited_s = 0.6 * short_s
        lacking_v = swing_v * math.exp(-waited_s / _WORST_TAU_S) / 2.0 if waited_s < skip_s else 0.0
        found.append(replace(level, model_u_v=lacking_v))
    return replace(resting, low=found[0], high=found[1])


def _sums(
    values: NDArray[np.floating], first: NDArray[np.intp], last: NDArray[np.intp], offset: float, power: int
) -> NDArray[np.float64]:
    centred = values.astype(np.float64) - offset
    running = np.concatenate(([0.0], np.cumsum(centred if power == 1 else centred**2)))
    return np.asarray(running[last] - running[first])


def _level(sums: NDArray[np.float64], squares: NDArray[np.float64], count: NDArray[np.float64], offset: float) -> Level:
    """All plateaus of one side together; the spread is that within them, or over them if each has one sample."""
    total = float(count.sum())
    if total < 1.0:
        return Level(math.nan, 0.0, 0)
    full = count > 1.0
    if full.any():
        within = float(np.sum(squares[full] - sums[full] ** 2 / count[full]))
        freedom = float(np.sum(count[full] - 1.0))
    else:
        within, freedom = float(squares.sum() - sums.sum() ** 2 / total), max(total - 1.0, 1.0)
    return Level(offset + float(sums.sum()) / total, math.sqrt(max(within / freedom, 0.0)), int(total))
