"""``hilbench controller``: the reference controller as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Coroutine
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from hilbench import clock
from hilbench.cli.log_json import log_to
from hilbench.reference import POLICIES, reference_controller
from hilbench.rig import load_rig


@click.command()
@click.argument("rig")
@click.option("--time", "mode", default="real", show_default=True, metavar="real|xK", help="Clock to run on.")
@click.option(
    "--clock", "shared", hidden=True, metavar="UTC/UTC", help="Bench's UTC when the machine's was the second."
)
@click.option("--defect", help="Run with one deliberate mistake (see hilbench selftest --list).")
@click.option("--policy", type=click.Choice(POLICIES), help="Instead of the rig's own policy.")
@click.option("--log-json", type=click.Path(path_type=Path), metavar="FILE", help="Append its log as JSON lines.")
def controller(
    rig: str, mode: str, shared: str | None, defect: str | None, policy: str | None, log_json: Path | None
) -> None:
    """Run the reference load-management controller for RIG until it is stopped.

    It listens where the rig's stations dial (controller.ocpp), polls the rig's meter (meter.service.address), and
    prints a line for what it notices. On a rig with an external controller it takes that one's place.

    It asks a VTN of OpenADR 3 ([controller.openadr]) or, with the extra openadr2, of OpenADR 2.0b
    ([controller.openadr2], real time only) for limits of what the site takes.

    \b
    hilbench controller external          and in another terminal: hilbench run external
    hilbench why A                        says why station A has its limit (needs status_port in [controller])
    """
    loaded = load_rig(rig).with_inputs(defect=defect, policy=policy)
    if clock.parse_mode(mode) == float("inf"):
        raise click.UsageError("a process of its own has no virtual clock: use --time real or --time xK")
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    if log_json is not None:
        log_to(log_json)
    for noisy in ("websockets", "ocpp", "pymodbus"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    runtime = reference_controller(loaded)
    with asyncio.Runner(loop_factory=lambda: _loop(mode, shared)) as runner:
        runner.run(_until_stopped(runtime.run()))


def _loop(mode: str, shared: str | None) -> clock.Loop:
    """A loop whose UTC is that of a bench on this machine with the same ``mode``, where ``shared`` tells of one.

    Both sample on grids of UTC: on a clock of its own the controller would read the meter at another phase.
    """
    loop = clock.new_loop(mode)
    if shared is not None:
        bench_then, machine_then = map(datetime.fromisoformat, shared.split("/"))
        loop.epoch = bench_then + (loop.epoch - machine_then) * loop.factor
    return loop


async def _until_stopped(main: Coroutine[Any, Any, None]) -> None:
    """Run ``main`` until SIGTERM, SIGHUP or Ctrl-C."""
    task = asyncio.create_task(main)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
