"""Settings of coordinated charging and V2G; every default says why it is what it is."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hilbench.site import Integer, Model, Number, RelativePath

Hours = Annotated[Number, Field(gt=0, le=168)]


class PlanSettings(Model):
    """``[controller.plan]``: what is planned with. All figures are policy-default."""

    tariff: RelativePath | None = None
    """URDB JSON file of prices; none: energy costs the same at any time, and only limits and departures count."""
    price_signal: bool = False
    """PRICE and GHG events of OpenADR count: a price that is known replaces that of the tariff."""
    ghg_weight: Annotated[Number, Field(ge=0)] = 0.0
    """What a kg of CO2 costs a plan, in the currency of the prices."""
    every_s: Annotated[Number, Field(ge=10, le=3600)] = 300.0
    """A plan is made so often, and when a car comes, goes or says what it needs."""
    step_min: Literal[5, 10, 15, 30, 60] = 15
    """Length of a step: that of the demand window of most tariffs."""
    horizon_h: Hours = 24.0
    ready_s: Annotated[Number, Field(ge=0, le=7200)] = 900.0
    """Cars are planned to be ready so long before they leave."""
    derate: Annotated[Number, Field(gt=0, le=1)] = 0.88
    """Cars draw up to 15 % less than they are offered (measured on real cars): a plan counts on so much of it."""
    probe_s: Annotated[Number, Field(ge=0, le=3600)] = 90.0
    """A car that has not told its power is offered all that it may have for so long, to see what it takes."""
    forecast: Literal["persistence", "seasonal-naive", "learned"] = "learned"
    assume_energy_kwh: Annotated[Number, Field(ge=0, le=1000)] = 0.0
    """What a car that says nothing is taken to need; 0: it is not planned, and charges at once."""
    assume_stay_h: Hours = 8.0
    """And for how long it is taken to stay."""
    reserve_soc: Annotated[Number, Field(ge=0, le=1)] = 0.3
    """Nobody is discharged below this state of charge (V2G)."""
    wear_cost: Annotated[Number, Field(ge=0)] = 0.05
    """What a discharged kWh costs its battery, in the currency of the tariff."""
    solver_s: Annotated[Number, Field(gt=0, le=60)] = 2.0
    """After so long the heuristic takes over."""
    most_cars: Annotated[Integer, Field(ge=1)] = 500
    """Above so many the heuristic plans at once: a program of that size is late anyway."""


__all__ = ["PlanSettings"]
