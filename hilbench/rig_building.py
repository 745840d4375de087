"""``[building]`` and ``[[base_load]]``: what the site draws without stations, at the service and at its feeders."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hilbench.rig_values import InputFile, TimeZone
from hilbench.site import Model, Name, Number


class BuildingEntry(Model):
    """``[building]``: the load that the site has without stations, from a ``csv`` or a ``model``.

    It sits at the service; what a feeder has is in ``[[base_load]]``, and not in here.

    ``peak_kw`` (all lines together, split by ``shares``) or ``peak_a`` (per line) scales a model, ``fluctuation`` is
    its noise as a share of the peak. ``column``, ``unit``, ``stamp`` and ``timezone`` (default: the site's) say how
    to read a CSV; ``file_day`` is the day of the file to play. ``power_factor`` turns power into current.
    """

    csv: InputFile | None = None
    column: str | None = None
    unit: Literal["kW", "W", "A"] | None = None
    stamp: Literal["start", "end", "instant"] | None = None
    timezone: TimeZone | None = None
    file_day: Annotated[date, Field(strict=True)] | None = None
    model: Literal["office", "retail", "workplace", "home", "constant"] | None = None
    peak_kw: Annotated[Number, Field(gt=0, le=100_000)] | None = None
    peak_a: Annotated[Number, Field(gt=0, le=10_000)] | None = None
    fluctuation: Annotated[Number, Field(ge=0, le=1)] | None = None
    shares: dict[Annotated[str, Field(pattern="^L[123]$")], Annotated[Number, Field(ge=0, le=1)]] | None = None
    power_factor: Annotated[Number, Field(gt=0, le=1)] = 0.95

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.csv is None) == (self.model is None):
            raise ValueError("has no single source; give either csv or model")
        if self.model is not None and (self.peak_kw is None) == (self.peak_a is None):
            raise ValueError("a model needs one peak; give either peak_kw (all lines) or peak_a (per line)")
        if self.csv is not None and (self.peak_kw, self.peak_a, self.fluctuation) != (None, None, None):
            raise ValueError("a CSV is played as it is; remove peak_kw, peak_a and fluctuation")
        if self.model is not None and (self.column, self.unit, self.stamp, self.file_day) != (None, None, None, None):
            raise ValueError("column, unit, stamp and file_day say how to read a CSV; remove them beside a model")
        return self


class BaseLoadEntry(BuildingEntry):
    """``[[base_load]]``: what the feeder ``node`` draws beside its stations, with the keys of ``[building]``.

    The feeder's ``worst_base_a`` says how much that is at most: where no meter of the feeder tells the controller what
    it is, so much is kept free.
    """

    node: Name
