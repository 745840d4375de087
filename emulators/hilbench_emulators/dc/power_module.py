"""Power modules of a DC charger: what they take from the grid for what they give, and the reverse. Pure.

A module's AC power is ``DC + loss(|DC|)`` with a loss that is straight between the points of its file, so each limit
on the grid side has one DC power that just keeps it. Powers are positive towards the car. Modules of one outlet share
its power equally.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from hilbench.site import Number
from hilbench_emulators.dc.cars import NotNegative, Positive
from hilbench_emulators.dc.piecewise import Piecewise
from hilbench_emulators.dc.sourced import Source, Sourced, read_sourced
from hilbench_emulators.shipped import shipped

_FOLDER = Path(__file__).parent / "module_data"
Share = Annotated[Number, Field(gt=0, le=1)]


class ModuleFile(Sourced):
    """A module in a file: its DC side's envelope, its AC side, and ``load``: [share of rated power, efficiency, power
    factor], the last at rated power. ``standby_w`` and ``standby_va`` are what it takes while it gives nothing.
    """

    rated_w: Positive
    max_a: Positive
    min_v: NotNegative
    max_v: Positive
    phases: Literal[1, 3]
    phase_v: Positive
    standby_w: Positive
    standby_va: Positive
    load: Annotated[tuple[tuple[Share, Share, Share], ...], Field(min_length=1)]
    up_a_per_s: Positive
    down_a_per_s: Positive
    bidirectional: bool = False

    @model_validator(mode="after")
    def _can_be(self) -> ModuleFile:
        if any(b[0] <= a[0] for a, b in pairwise(self.load)) or self.load[-1][0] != 1.0:
            raise ValueError("the shares of load must rise and end at 1.0")
        if self.min_v >= self.max_v:
            raise ValueError("min_v must be below max_v")
        if self.standby_va < self.standby_w:
            raise ValueError("standby_va must not be below standby_w")
        curves = _grid_w(self), _grid_va(self)
        if any(b <= a for curve in curves for a, b in pairwise(curve.y)):
            raise ValueError("more DC power must take more from the grid; correct load or standby")
        return self


def _grid_w(file: ModuleFile) -> Piecewise:
    """AC power [W] against DC power [W], to minus the rated power where it can give back."""
    losses = [(0.0, file.standby_w)]
    losses += [(share * file.rated_w, share * file.rated_w * (1.0 / eta - 1.0)) for share, eta, _pf in file.load]
    taking = [(dc, dc + loss) for dc, loss in losses]
    giving = [(-dc, loss - dc) for dc, loss in losses[:0:-1]] if file.bidirectional else []
    return Piecewise(giving + taking)


def _grid_va(file: ModuleFile) -> Piecewise:
    """Apparent power [VA] against DC power [W] towards the car."""
    ac = _grid_w(file)
    powers = [(share * file.rated_w, pf) for share, _eta, pf in file.load]
    return Piecewise([(0.0, file.standby_va)] + [(dc, ac.at(dc) / pf) for dc, pf in powers])


@dataclass(frozen=True, slots=True)
class Module:
    """A power module; ``ac_w`` [W] is a function of its DC power [W], ``ac_va`` [VA] of its DC power towards the car.

    ``sources`` says of each key of its file how sure the figure is, and where it is from.
    """

    name: str
    title: str
    rated_w: float
    max_a: float
    min_v: float
    max_v: float
    phases: int
    phase_volts: float
    ac_w: Piecewise
    ac_va: Piecewise
    up_a_per_s: float
    down_a_per_s: float
    bidirectional: bool
    sources: Mapping[str, Source] = field(hash=False)


def module_of(file: ModuleFile) -> Module:
    """The module that a file describes."""
    return Module(
        name=file.name,
        title=file.title,
        rated_w=file.rated_w,
        max_a=file.max_a,
        min_v=file.min_v,
        max_v=file.max_v,
        phases=file.phases,
        phase_volts=file.phases * file.phase_v,
        ac_w=_grid_w(file),
        ac_va=_grid_va(file),
        up_a_per_s=file.up_a_per_s,
        down_a_per_s=file.down_a_per_s,
        bidirectional=file.bidirectional,
        sources=file.source,
    )


def module_names() -> list[str]:
    """Names of the shipped modules."""
    return shipped(_FOLDER)


@lru_cache(maxsize=64)
def load_module(name_or_path: str) -> Module:
    """A shipped module by name, or one from a TOML file; raises ``InputError`` with every wrong key."""
    return module_of(read_sourced(ModuleFile, _FOLDER, name_or_path, "power module"))


@dataclass(frozen=True, slots=True)
class Bank:
    """``count`` modules behind one outlet."""

    module: Module
    count: int

    @property
    def rated_w(self) -> float:
        """The most DC power [W]."""
        return self.count * self.module.rated_w

    def ac_w(self, dc_w: float) -> float:
        """AC power [W] at a DC power [W]; beyond the rated power the loss stays in proportion."""
        return self._grid(self.module.ac_w, dc_w)

    def ac_a(self, dc_w: float) -> float:
        """AC current [A] in each phase at a DC power [W]; giving, with the power factor of taking as much."""
        amps = self._grid(self.module.ac_va, abs(dc_w)) / self.module.phase_volts
        return amps if dc_w >= 0.0 or self.count == 0 else amps * abs(self.ac_w(dc_w)) / self.ac_w(-dc_w)

    def _grid(self, curve: Piecewise, dc_w: float) -> float:
        if self.count == 0:
            return 0.0
        each = dc_w / self.count
        inside = min(max(each, curve.x[0]), curve.x[-1])
        return self.count * curve.at(inside) * (each / inside if inside != 0.0 else 1.0)

    def dc_w(self, ac_w: float) -> float:
        """The most DC power [W] whose AC power keeps ``ac_w`` [W]; 0 when not even standby does. Never optimistic."""
        return self._most(self.module.ac_w, self.ac_w, ac_w, 1.0)

    def dc_w_for_current(self, ac_a: float) -> float:
        """The most DC power [W] that keeps ``ac_a`` [A] in each phase; 0 when not even standby does."""
        return self._most(self.module.ac_va, self.ac_a, ac_a, self.module.phase_volts)

    def _most(self, curve: Piecewise, taken: Callable[[float], float], limit: float, per_unit: float) -> float:
        if self.count == 0 or not limit > taken(0.0):
            return 0.0
        dc_w, step = self.count * curve.inverse(limit * per_unit / self.count), math.ulp(self.rated_w)
        while dc_w > 0.0 and taken(dc_w) > limit:  # rounding may have gone a hair beyond
            dc_w, step = max(dc_w - step, 0.0), 2.0 * step
        return dc_w

    def giving_dc_w(self, ac_w: float) -> float:
        """The DC power [W, 0 or below] at which it feeds ``ac_w`` [W, below 0] into the grid, never more than that."""
        if self.count == 0 or not self.module.bidirectional or not ac_w < 0.0:
            return 0.0
        dc_w, step = min(self.count * self.module.ac_w.inverse(ac_w / self.count), 0.0), math.ulp(self.rated_w)
        while dc_w < 0.0 and self.ac_w(dc_w) < ac_w:
            dc_w, step = min(dc_w + step, 0.0), 2.0 * step
        return dc_w

    def most_a(self, voltage_v: float, dc_w: float = math.inf) -> float:
        """The most current [A] at an outlet voltage with at most ``dc_w`` [W]; 0 outside the range of voltages."""
        if not self.module.min_v <= voltage_v <= self.module.max_v or voltage_v <= 0.0:
            return 0.0
        return min(self.count * self.module.max_a, min(self.rated_w, max(dc_w, 0.0)) / voltage_v)
