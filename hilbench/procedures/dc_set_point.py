"""13.6 A car at a DC station is told to give."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.nature import two_way_roles
from hilbench.procedures import Procedure
from hilbench.procedures.dc_cars import charges, plugged
from hilbench.rig_lint_v2g import given_a
from hilbench.verdict import Verdict

SHARE = 0.6
"""Of what the car can give."""
TURNS_S = 10.0
"""Leave for a car that its controller had asked to give to take again (policy-default)."""


async def run(bench: Bench, measure: Measure) -> None:
    """Each DC station whose car may discharge may take a lot, goes to a set point below zero for a minute, and back.

    A car that gives where it is to take is a finding, and no set point is tried with it.
    """
    roles = [role for role in two_way_roles(bench.rig) if bench.site.branch(role).kind == "dc"]
    for role in await plugged(bench, roles):
        await bench.align()
        if await _takes(bench, measure, role):
            charges(bench, role)
            await _give(bench, measure, role)
        bench.faults.heal_station(role)
        await bench.run_for(60.0)


async def _takes(bench: Bench, measure: Measure, role: str) -> bool:
    """With all that the budget lets a station have, and no order to give, power flows into its car or not at all."""
    allowed = bench.faults.deafen(role, min(bench.site.branch(role).max_a, bench.room_a))
    await bench.run_for(TURNS_S + 20.0)
    return measure("dc_wrong_way_w", since=allowed.t + TURNS_S, roles=[role]).verdict is not Verdict.FAIL


async def _give(bench: Bench, measure: Measure, role: str) -> None:
    branch = bench.site.branch(role)
    wanted_a = SHARE * given_a(bench.rig.station(role))
    given_w = wanted_a * bench.site.voltage_v(branch) * len(branch.lines)
    ordered = bench.faults.deafen(role, -wanted_a)
    await bench.run_for(60.0)
    measure("dc_give_time", since=ordered, roles=[role], given_w=given_w)
    measure("dc_give_excess", since=ordered, roles=[role], given_w=given_w)
    measure("dc_sessions_lost", since=ordered, roles=[role])


PROCEDURE = Procedure(
    id="13.6",
    key="dc-set-point",
    title="set point below zero",
    purpose="A car that is told to give does so, in the right direction and no more, within the time of an inverter.",
    run=run,
    needs=frozenset({"dc.v2g", "controller.gives", "station.fault"}),
)
