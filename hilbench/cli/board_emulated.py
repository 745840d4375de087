"""Emulated boards that stay until they are interrupted, for ``hilbench board emulate``."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import click

from hilbench.drivers.line import line_address
from hilbench_emulators.chargebyte import EmulatedChargebyte
from hilbench_emulators.ev_simulator import EmulatedEvSimulator
from hilbench_emulators.openevse import EmulatedOpenEvse
from hilbench_emulators.openevse_settings import Settings

_BAUDRATES = {"openevse": 115_200, "chargebyte": 115_200, "ev-simulator": 9600}


async def stay(kind: str, address: str, ev: str | None, quirks: str, baudrate: int | None) -> None:
    """Emulate a board, and perhaps an EV simulator that is plugged into it, until a signal ends it."""
    place = line_address(kind, address, _BAUDRATES[kind])
    settings = Settings(quirks=frozenset(filter(None, (name.strip() for name in quirks.split(",")))))
    boards: list[Any] = []
    if kind == "chargebyte":
        boards.append(EmulatedChargebyte(address=place, baudrate=baudrate))
    elif kind == "openevse":
        boards.append(EmulatedOpenEvse(address=place, settings=settings, baudrate=baudrate))
    else:
        boards.append(EmulatedOpenEvse(settings=settings))
        boards.append(EmulatedEvSimulator(boards[0], address=place, baudrate=baudrate))
    if ev is not None:
        boards.append(EmulatedEvSimulator(boards[0], address=line_address("ev-simulator", ev, 9600)))
    await _until_stopped(boards, address)


async def _until_stopped(boards: list[Any], address: str) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    started: list[Any] = []
    try:
        for one in boards:
            await one.start()
            started.append(one)
        await asyncio.sleep(Settings().boot_s)
        click.echo(f"ready at {address}")
        await stopped.wait()
    finally:
        for one in reversed(started):
            await one.stop()
