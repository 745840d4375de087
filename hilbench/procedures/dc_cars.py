"""What the procedures of DC stations share: cars that charge there, and what the rig says of its stations."""

from __future__ import annotations

from collections.abc import Iterable

from hilbench.bench import Bench
from hilbench.errors import DeviceError
from hilbench.measuring import Measure
from hilbench.nature import dc_roles
from hilbench.signals import dc_current

SOC = 0.3
"""State of charge with which cars come: their curves are still flat there (shipped cars, from open-ev-data)."""
BEGUN_S = 90.0
"""A session needs 10 to 20 s until power flows (public logs; secondary)."""


async def charging(bench: Bench, roles: Iterable[str] | None = None) -> dict[str, float]:
    """Plug cars in at DC stations (default all) and let everything settle: the line current [A] of each.

    Raises ``DeviceError`` when one of them does not charge.
    """
    return {role: charges(bench, role) for role in await plugged(bench, roles)}


async def plugged(bench: Bench, roles: Iterable[str] | None = None) -> list[str]:
    """Plug cars in at DC stations (default all) and let everything settle, whatever they do: their roles."""
    wanted = dc_roles(bench.rig) if roles is None else list(roles)
    await bench.plug_in(wanted, soc=SOC)
    await bench.run_for(BEGUN_S)
    await bench.settled()
    return wanted


def charges(bench: Bench, role: str) -> float:
    """The line current [A] of a station now; raises ``DeviceError`` when its car does not charge."""
    amps = _drawn_a(bench, role)
    if amps < bench.site.branch(role).minimum_a:
        raise DeviceError(f"station {role}: its car draws {amps:.1f} A: nothing to take a step with")
    return amps


def _drawn_a(bench: Bench, role: str) -> float:
    """What a station takes from the grid [A per line]; 0 for one that feeds it."""
    reading = bench.plant.station_reading(role)
    return max(reading.currents.values()) if reading.power_w > 0.0 else 0.0


def output_a(bench: Bench, role: str) -> float:
    """What flows at the outlet now [A]."""
    return bench.record.signals[dc_current(role)].last() or 0.0


async def small_limit(bench: Bench, measure: Measure, limit_of: dict[str, float]) -> None:
    """Each DC station in turn goes to a limit for a minute and back: what it draws, whether the session outlives it."""
    for role in await charging(bench):
        await bench.align()
        dc, before_a, limit_a = bench.rig.station(role).dc, output_a(bench, role), limit_of[role]
        ends = 1.0 if dc is not None and dc.below == "end" else 0.0
        hold_a = bench.site.branch(role).minimum_a if dc is not None and dc.below == "hold" else 0.0
        lowered = bench.faults.deafen(role, limit_a)
        await bench.run_for(60.0)
        measure("dc_excess_a", since=lowered.t + 10.0, roles=[role], limit_a=limit_a, hold_a=hold_a)
        healed = bench.faults.heal_station(role)
        await bench.run_for(90.0)
        measure("dc_sessions_lost", since=lowered, roles=[role], ends=ends)
        measure("dc_resume_time", since=healed, roles=[role], before_a={role: before_a}, ends=ends)
