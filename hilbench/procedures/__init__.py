"""The acceptance catalogue: one module per step, each written once and run by the CLI and by pytest alike.

A procedure plugs cars in, disturbs the site through the bench, waits, and measures. It knows metrics by name and no
limits: those come from the rig's requirement profiles. Ids follow the groups of the acceptance catalogue (1 service,
2 budget, 3 protocol, 4 fallback, 5 metering, 6 rules of the site, 7 injection, 9 signals of the grid and tariffs, 11
cars that discharge, 12 the pilot wire, 13 DC charging).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from hilbench.errors import DeviceError, InputError

if TYPE_CHECKING:
    from hilbench.bench import Bench
    from hilbench.measuring import Measure

MODULES = (
    "nameplates",
    "rated_margins",
    "fallback_sum",
    "base_load_step_up",
    "base_load_step_down",
    "feeder_load_step",
    "ramp_and_inrush",
    "plug_in_burst",
    "minimum_current",
    "steady_state",
    "fairness",
    "full_car",
    "station_ignores_limit",
    "amperes_per_line",
    "pilot_duty",
    "pilot_rate",
    "unbalance",
    "random_day",
    "controller_stops",
    "station_link_cut",
    "meter_loss",
    "meter_frozen",
    "controller_restart",
    "station_power_cycle",
    "clock_jump",
    "ct_polarity",
    "ct_exchanged",
    "grid_limit",
    "grid_events",
    "vtn_loss",
    "export_cap",
    "coordinated_day",
    "v2g_day",
    "board_duty",
    "board_states",
    "board_faults",
    "station_faults",
    "wake_up",
    "board_wake_up",
    "ev_reaction",
    "car_pauses",
    "dc_limit_step",
    "dc_small_limit",
    "dc_zero_limit",
    "dc_ramp_up",
    "dc_cabinet",
    "dc_set_point",
    "dc_no_leave",
    "dc_silence",
    "dc_recorded",
)


@dataclass(frozen=True)
class Procedure:
    """One step of the catalogue.

    ``needs`` names what the rig must offer beyond stations and a site meter (``controller.suspend``,
    ``controller.kill``, ``controller.measures``, ``link``, ``meter.fault``, ``station.fault``, ``grid.vtn``), and what
    the site must be like (see ``Bench.capabilities``); ``base`` is the building during it: a quiet constant load or the
    rig's own; ``short`` procedures end within minutes of bench time and also make sense in real time.
    """

    id: str
    key: str
    title: str
    purpose: str
    run: Callable[[Bench, Measure], Awaitable[None]]
    needs: frozenset[str] = frozenset()
    base: Literal["quiet", "building"] = "quiet"
    short: bool = True


def catalogue() -> tuple[Procedure, ...]:
    """All procedures in the order in which a run takes them."""
    return tuple(import_module(f"hilbench.procedures.{name}").PROCEDURE for name in MODULES)


def select(names: Iterable[str]) -> tuple[Procedure, ...]:
    """The procedures with these ids or keys (or lists of them with commas), in catalogue order; all when empty.

    Raises ``InputError`` for one that does not exist, with those that do.
    """
    known = catalogue()
    wanted = [name.strip() for words in names for name in words.split(",") if name.strip()]
    unknown = [name for name in wanted if not any(name in (p.id, p.key) for p in known)]
    if unknown:
        listing = ", ".join(f"{p.id} ({p.key})" for p in known)
        raise InputError("--only", f"no procedure {', '.join(unknown)}; there are {listing}")
    return tuple(p for p in known if not wanted or p.id in wanted or p.key in wanted)


def charging_roles(bench: Bench) -> list[str]:
    """Stations whose car charges now, in rig order; only those of the tightest feeder where any does there.

    Raises ``DeviceError`` when there is none to take a step with.
    """
    found, tightest = bench.charging_roles(), bench.site.tightest()
    if not found:
        raise DeviceError("no car charges although cars are plugged in and there is room for them: look at the offers")
    return [role for role in found if role in tightest] or found
