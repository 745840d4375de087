"""A resting level behind a converter whose steps are as coarse as the noise: what the counts of its codes tell.

Few codes say little of where between two steps the level lies, and the spread of the codes says little of the noise: a
level at the border of two codes toggles with any noise. So both are weighed over a grid of all that they may be.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hilbench.metrics.pilot_edges import Level

Floats = NDArray[np.float64]
COARSE = 0.7
"""Noise of more steps than that dithers them: the mean of a quantiser is then off by less than 1e-4 of a step (its mean
error falls with exp(-2 pi^2 sigma^2), standard theory of dither, recalled)."""
_PLACES, _NOISES, _ZOOMS, _LIKELY = 41, 21, 4, 12.0
_erf = np.vectorize(math.erf, otypes=[np.float64])


def resolved(level: Level, samples: NDArray[np.floating], lsb_v: float) -> Level:
    """The level with place, noise and uncertainty as the codes of its ``samples`` tell; itself where noise dithers."""
    if lsb_v <= 0.0 or not len(samples) or level.noise_v > COARSE * lsb_v:
        return level
    base_v = float(np.median(samples))
    codes, counts = np.unique(np.rint((samples - base_v) / lsb_v), return_counts=True)
    place, noise = np.linspace(-0.75, 0.75, _PLACES), np.geomspace(0.02, 2.0 * COARSE, _NOISES)
    for _ in range(_ZOOMS):
        weight = _weights(codes, counts, place, noise)
        place, noise = _zoomed(place, weight.sum(axis=1)), _zoomed(noise, weight.sum(axis=0))
    weight = _weights(codes, counts, place, noise)
    over_place, over_noise = weight.sum(axis=1), weight.sum(axis=0)
    mean = float(over_place @ place)
    spread = math.sqrt(max(float(over_place @ (place - mean) ** 2), 0.0))
    return replace(
        level, volts=base_v + lsb_v * mean, noise_v=lsb_v * float(over_noise @ noise), steps_u_v=lsb_v * spread
    )


def _weights(codes: Floats, counts: NDArray[np.intp], place: Floats, noise: Floats) -> Floats:
    """Probability of each place (rows) and noise (columns), in steps, with nothing known before."""
    ends = (codes[:, None] + np.array([-0.5, 0.5]))[:, :, None, None]
    below = _erf((ends - place[:, None]) / (math.sqrt(2.0) * noise))
    log = np.tensordot(counts.astype(np.float64), np.log(np.maximum(below[:, 1] - below[:, 0], 1e-300)), axes=1)
    weight = np.exp(log - log.max()) * np.gradient(np.log(noise)) * np.gradient(place)[:, None]
    return np.asarray(weight / weight.sum())


def _zoomed(grid: Floats, weight: Floats) -> Floats:
    """As many points over the part of a grid that counts."""
    counts = np.flatnonzero(weight > weight.max() * math.exp(-_LIKELY))
    low, high = max(int(counts[0]) - 1, 0), min(int(counts[-1]) + 1, len(grid) - 1)
    return np.linspace(grid[low], grid[high], len(grid))
