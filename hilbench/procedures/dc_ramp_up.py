"""13.4 The budget falls while a DC car is on its way up."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.errors import DeviceError
from hilbench.measuring import Measure
from hilbench.nature import dc_roles
from hilbench.procedures import Procedure
from hilbench.procedures.dc_cars import BEGUN_S, SOC, output_a


async def run(bench: Bench, measure: Measure) -> None:
    """Cars everywhere but at one DC station; one comes there, and with its first amperes the building draws more."""
    for role in dc_roles(bench.rig):
        others = [one for one in bench.stations if one != role]
        await bench.plug_in(others, soc=SOC)
        await bench.settled()
        await bench.plug_in(role, soc=SOC)
        for _second in range(round(BEGUN_S)):
            await bench.run_for(1.0)
            if output_a(bench, role) > 5.0:
                break
        else:
            raise DeviceError(f"station {role}: its car did not begin to charge within {BEGUN_S:g} s")
        step = bench.base_load.step(bench.step_a)
        await bench.run_for(60.0)
        measure("time_above_budget", since=step, note=role)
        measure("time_above_rating", since=step, note=role)
        measure("dc_sessions_lost", since=step, roles=[role])
        bench.base_load.clear()
        await bench.unplug()
        await bench.run_for(30.0)


PROCEDURE = Procedure(
    id="13.4",
    key="dc-ramp-up",
    title="falling budget beside a ramp",
    purpose="A DC car that ramps up while the budget falls is turned back in time, and its session lives.",
    run=run,
    needs=frozenset({"dc", "controller.measures"}),
)
