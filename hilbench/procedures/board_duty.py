"""12.1 Duty by command: the pilot of an EVSE board at every current that it can offer."""

from __future__ import annotations

import asyncio

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.measuring.pilots import Look
from hilbench.nature import probed_boards
from hilbench.procedures import Procedure

CURRENTS_A = (6, 7, 8, 10, 13, 16, 20, 24, 32, 40, 48, 51, 52, 53, 60, 63, 70, 80)
"""What the field offers, and both ends of the gap between 51 and 52.5 A that no duty cycle can express."""
SETTLE_S = 1.0


async def run(bench: Bench, measure: Measure) -> None:
    """Each board is told one current after the other, up to what it can, with a car in state C where one is plugged."""
    for name in probed_boards(bench.rig):
        looks = await _commanded(bench, name)
        for metric in ("pilot_duty_error", "pilot_frequency_error", "pilot_level_error"):
            measure(metric, looks=looks, note=name)


async def _commanded(bench: Bench, name: str) -> list[Look]:
    board, ev = bench.pilots.evses[name], bench.pilots.ev_at(name)
    await board.enable()
    if ev is not None:
        await ev.set_state("C")
    most_a = await board.most_a()
    looks = []
    for amps in CURRENTS_A:
        if amps <= most_a:
            await board.set_current(amps)
            await asyncio.sleep(SETTLE_S)
            looks.append(Look(name, float(amps), await bench.pilots.probes[name].look()))
    if ev is not None:
        await ev.set_state("A")
    return looks


PROCEDURE = Procedure(
    id="12.1",
    key="duty-by-command",
    title="duty by command",
    purpose="An EVSE board offers what it is told, from 6 A to the most that it can.",
    run=run,
    needs=frozenset({"pilot.ev"}),
)
