"""A scenario on the bench: each act at its time, whatever the others do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from hilbench import clock
from hilbench.bench import Bench
from hilbench.searching.scenario import Act, Scenario


def _car(bench: Bench, act: Act) -> Awaitable[object]:
    return bench.plug_in(act.subject, **act.facts)


def _cut(bench: Bench, act: Act) -> object:
    return bench.faults.cut_link(act.subject, act.facts["how"])


def _meter(bench: Bench, act: Act) -> object:
    more = {key: value for key, value in act.facts.items() if key != "how"}
    return bench.faults.meter(act.facts["how"], **more)


def _controller(bench: Bench, act: Act) -> Awaitable[object]:
    faults = bench.faults
    ways = {
        "suspend": faults.suspend_controller,
        "resume": faults.resume_controller,
        "kill": faults.kill_controller,
        "restart": faults.restart_controller,
    }
    return ways[act.facts["how"]]()


ACTS: dict[str, Callable[[Bench, Act], Any]] = {
    "plug": _car,
    "unplug": lambda bench, act: bench.unplug(act.subject),
    "link-cut": _cut,
    "link-restored": lambda bench, act: bench.faults.restore_link(act.subject),
    "link-latency": lambda bench, act: bench.faults.link_latency(act.subject, act.facts["seconds"]),
    "link-latency-ends": lambda bench, act: bench.faults.link_latency(act.subject, 0.0),
    "power-cycle": lambda bench, act: bench.faults.power_cycle(act.subject, **act.facts),
    "meter": _meter,
    "meter-healed": lambda bench, _act: bench.faults.heal_meter(),
    "controller": _controller,
    "controller-back": _controller,
    "step": lambda bench, act: bench.base_load.step(**act.facts),
    "ramp": lambda bench, act: bench.base_load.ramp(**act.facts),
    "sine": lambda bench, act: bench.base_load.sine(**act.facts),
    "inrush": lambda bench, act: bench.base_load.inrush(**act.facts),
}
"""What each kind of act does; what it returns is awaited where it can be."""


async def play(bench: Bench, scenario: Scenario) -> float:
    """Play ``scenario`` on the running ``bench`` from now on; returns the bench time at which it began.

    Raises what an act raises: none of them may fail on an emulated site.
    """
    start = clock.time()
    background: list[asyncio.Task[object]] = []
    for act in scenario.acts:
        await clock.sleep_until(start + act.t)
        done = ACTS[act.kind](bench, act)
        if act.kind == "power-cycle":  # lasts until the supply is back
            background.append(asyncio.create_task(done, name=f"{act.kind} {act.subject}"))
        elif asyncio.iscoroutine(done):
            await done
    await asyncio.gather(*background)
    await bench.run_until(start + scenario.duration_s)
    return start
