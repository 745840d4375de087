"""Killing the controller in the middle of a procedure: kill -9, and a start a few seconds later.

What the procedure asks of a controller cannot be asked of a dead one; what is judged is whether a breaker may open.
"""

from __future__ import annotations

import asyncio

from hilbench import clock
from hilbench.bench import Bench
from hilbench.errors import DeviceError
from hilbench.measuring import Measure
from hilbench.procedures import Procedure

DOWN_S = 5.0
"""So long the controller is gone: what a supervisor takes to start it again."""
NEEDS = frozenset({"controller.kill", "controller.restart"})
OWN = frozenset({"controller.kill", "controller.restart", "controller.suspend"})
"""A procedure that needs one of these does such things itself, and is left alone."""
JUDGED = ("breaker_fraction", "peak_ratio")


async def run_and_kill(bench: Bench, procedure: Procedure, measure: Measure, kill_t: float) -> Measure:
    """Run ``procedure``, kill the controller at ``kill_t`` (bench time), and judge nothing but what may open a breaker.

    Raises ``DeviceError`` when the procedure was over before.
    """
    begun = bench.mark("stimulus.kill-midway", "controller", at_t=kill_t)
    killer = asyncio.create_task(_kill(bench, kill_t), name="kill midway")
    try:
        await procedure.run(bench, measure)
        await bench.run_for(60.0)
    finally:
        killer.cancel()
        await asyncio.wait([killer])
    if not bench.record.events_of("heal.controller"):
        raise DeviceError(f"procedure {procedure.id} was over before the controller was to be killed")
    safe = Measure(bench, procedure.id)
    for metric in JUDGED:
        safe(metric, since=begun, note="controller killed in the middle")
    return safe


async def _kill(bench: Bench, kill_t: float) -> None:
    await clock.sleep_until(kill_t)
    await bench.faults.kill_controller()
    await asyncio.sleep(DOWN_S)
    await bench.faults.restart_controller()
