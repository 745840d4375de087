"""12.2 States: how fast an EVSE board closes and opens its contactor, as the car asks or when it must."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine, Iterator
from typing import Any, NamedTuple

from hilbench import clock
from hilbench.bench import Bench
from hilbench.drivers.ev_simulator import EvSimulatorDriver
from hilbench.drivers.openevse import OpenEvseDriver
from hilbench.measuring import Measure
from hilbench.nature import probed_boards
from hilbench.procedures import Procedure

PATIENCE_S = 15.0
POLL_S = 0.01
REST_S = 8.0
"""Between two attempts, so that none is taken for the answer to the other."""
TOGGLES = 3


async def run(bench: Bench, measure: Measure) -> None:
    """The EV simulator goes to C and back to B three times, then stays in C while the PWM ends."""
    for name, board, ev in with_ev(bench):
        watch = Watch(board)
        await ready(board, ev)
        for _toggle in range(TOGGLES):
            watch.judge(measure, "contactor_close_time", await watch.until(True, ev.set_state("C")), name)
            await asyncio.sleep(REST_S)
            watch.judge(measure, "contactor_open_time", await watch.until(False, ev.set_state("B")), name)
            await asyncio.sleep(REST_S)
        await ev.set_state("C")
        await asyncio.sleep(REST_S)
        forced = await watch.until(False, board.sleep())
        watch.judge(measure, "contactor_forced_time", forced, f"{name}, car stays in C")
        await finished(board, ev)


def with_ev(bench: Bench) -> Iterator[tuple[str, OpenEvseDriver, EvSimulatorDriver]]:
    """Boards with a probe that have an EV simulator plugged in: name, board, simulator."""
    for name in probed_boards(bench.rig):
        ev = bench.pilots.ev_at(name)
        if ev is not None:
            yield name, bench.pilots.evses[name], ev


async def ready(board: OpenEvseDriver, ev: EvSimulatorDriver) -> None:
    """A car without faults in state B at a board that is awake."""
    await board.enable()
    await ev.set_diode(True)
    await ev.set_state("B")
    await asyncio.sleep(REST_S)


async def finished(board: OpenEvseDriver, ev: EvSimulatorDriver) -> None:
    """The car is gone; the board waits for the next one."""
    await ev.set_state("A")
    await ev.set_diode(True)
    await asyncio.sleep(REST_S)
    await board.enable()


class Took(NamedTuple):
    """Seconds from an act to what it brought about, what they are uncertain by, and bench time of the act [s]."""

    seconds: float
    uncertainty_s: float
    begun_s: float


class Watch:
    """Watches what ``board`` says of its contactor."""

    def __init__(self, board: OpenEvseDriver) -> None:
        self._board = board

    async def until(self, closed: bool, act: Coroutine[Any, Any, object]) -> Took:
        """Do ``act``, and look until the contactor is ``closed`` or open; infinity where it never is.

        It moved between the last look that saw it as it was and the first that did not.
        """
        doing = asyncio.ensure_future(act)
        begun = last = clock.time()
        took = Took(math.inf, 0.0, begun)
        while (now := clock.time()) < begun + PATIENCE_S and math.isinf(took.seconds):
            if (await self._board.status()).relay_closed == closed:
                seen = clock.time()
                took = Took((last + seen) / 2.0 - begun, (seen - last) / 2.0, begun)
            last = now
            await asyncio.sleep(POLL_S)
        await doing
        return took

    def judge(self, measure: Measure, metric: str, took: Took, note: str) -> None:
        """Measure ``metric`` by what was watched."""
        measure(metric, since=took.begun_s, value=took.seconds, uncertainty=took.uncertainty_s, note=note)


PROCEDURE = Procedure(
    id="12.2",
    key="board-states",
    title="contactor and pilot states",
    purpose="An EVSE board closes its contactor when the car asks, and opens it when the car has enough or ignores it.",
    run=run,
    needs=frozenset({"pilot.ev"}),
)
