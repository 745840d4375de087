"""Mistakes in what a controller takes for its limits, and in whom it gives current. One place each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hilbench.controller.allocate import Array, Index
from hilbench.controller.core import Core
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.watch import MeterSample
from hilbench.site import Site


class UsesRating(Core):
    """Takes the rating of the breaker for the budget."""

    def __init__(self, site: Site, settings: ControllerSettings, t: float) -> None:
        rated = site.model_copy(update={"budget_a": site.service.rating_a})
        rated.__dict__.pop("nodes", None)  # they were worked out with the budget
        super().__init__(rated, settings, t)


class IgnoresLastLine(Core):
    """Looks at all lines but the last."""

    def _estimate(self, sample: MeterSample) -> None:
        *_lines, last = sample.currents
        super()._estimate(replace(sample, currents={**sample.currents, last: 0.0}))


class GivesAllToOne(Core):
    """Gives the first car all that it can take before the next one gets anything."""

    def allotted(self, room: Array, caps: Array, order: Sequence[int]) -> Array:
        """One after the other."""
        amps = np.zeros(len(caps))
        for column in order[:1]:
            amps[column] = min(float(caps[column]), float(np.min(room)))
        return amps


class NeverResumes(Core):
    """Leaves a car that it has paused where it is."""

    def _resumed(self, columns: Index, t: float) -> Array:
        return np.where(self._column("begun")[columns] != 0.0, 0.0, super()._resumed(columns, t))


class EndsSessions(Core):
    """Pauses a DC session as it would a car with a pilot, without a second look."""

    def _spared(self, targets: dict[str, float], t: float) -> dict[str, float]:
        return targets


class NeverLiftsLimits(Core):
    """Keeps the lowest limit of the grid for ever."""

    _lowest_kw = math.inf

    def limit_import(self, limit_kw: float | None) -> None:
        """Only lower ones count."""
        self._lowest_kw = min(self._lowest_kw, math.inf if limit_kw is None else limit_kw)
        super().limit_import(self._lowest_kw if math.isfinite(self._lowest_kw) else None)


class HalvesLimits(Core):
    """Takes a limit of the grid for one of each line."""

    def limit_import(self, limit_kw: float | None) -> None:
        """As many times as there are lines."""
        super().limit_import(None if limit_kw is None else limit_kw * len(self.site.lines))


class Hunts(Core):
    """Gives and takes a third, every 20 s."""

    def _targets(self, t: float) -> dict[str, float]:
        share = 0.66 if int(t // 20.0) % 2 else 1.0
        return {role: max(amps * share, min(amps, 6.0)) for role, amps in super()._targets(t).items()}
