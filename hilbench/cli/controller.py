"""``hilbench controller``: the reference controller as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Coroutine
from typing import Any

import click

from hilbench import clock
from hilbench.reference import reference_controller
from hilbench.rig import load_rig


@click.command()
@click.argument("rig")
@click.option("--time", "mode", default="real", show_default=True, metavar="real|xK", help="Clock to run on.")
@click.option("--defect", help="Run with one deliberate mistake (see hilbench selftest --list).")
def controller(rig: str, mode: str, defect: str | None) -> None:
    """Run the reference load-management controller for RIG until it is stopped.

    It listens where the rig's stations dial (controller.ocpp), polls the rig's meter (meter.service.address), and
    prints a line for what it notices. On a rig with an external controller it takes that one's place.

    \b
    hilbench controller external          and in another terminal: hilbench run external
    """
    loaded = load_rig(rig).with_inputs(defect=defect)
    if clock.parse_mode(mode) == float("inf"):
        raise click.UsageError("a process of its own has no virtual clock: use --time real or --time xK")
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    for noisy in ("websockets", "ocpp", "pymodbus"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    runtime = reference_controller(loaded)
    with asyncio.Runner(loop_factory=lambda: clock.new_loop(mode)) as runner:
        runner.run(_until_stopped(runtime.run()))


async def _until_stopped(main: Coroutine[Any, Any, None]) -> None:
    """Run ``main`` until SIGTERM, SIGHUP or Ctrl-C."""
    task = asyncio.create_task(main)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
