"""The picture of a running fleet, and the keys that act on it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live

from hilbench.cli.keys import reading_keys
from hilbench.cli.station_show import Lines, Screen
from hilbench.fleet import Fleet
from hilbench.fleet_script import Command, perform
from hilbench.fleet_stay import Stay, View

_VERBS = {"p": "plug", "u": "unplug", "a": "start", "f": "fault", "d": "drop", "r": "reconnect"}


class Keyboard:
    """What keys do: select a station of the screen, or act on it."""

    def __init__(self, fleet: Fleet, stay: Stay, screen: Screen) -> None:
        self._fleet = fleet
        self._stay = stay
        self._screen = screen
        self._names = list(fleet.members)
        self._tasks: set[asyncio.Task[None]] = set()

    def press(self, key: str) -> None:
        """Act on a key; unknown ones do nothing."""
        screen, last = self._screen, len(self._names) - 1
        if key == "q":
            self._stay.leave()
        elif key in ("up", "down"):
            screen.selected = min(last, max(0, screen.selected + (1 if key == "down" else -1)))
        elif key.isdecimal() and key.isascii() and 0 < int(key) <= last + 1:
            screen.selected = int(key) - 1
        elif key in _VERBS:
            task = asyncio.get_running_loop().create_task(self._do(_VERBS[key]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _do(self, verb: str) -> None:
        command = Command(0.0, verb, (self._names[self._screen.selected],))
        for problem in await perform(self._fleet, command):
            self._screen.say(problem)


def _has_keys() -> bool:
    """Standard input is a terminal that is ours: setting it from the background would stop the program."""
    if not sys.stdin.isatty():
        return False
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:  # not the terminal that controls us: then nothing stops us
        return True


@contextmanager
def shown(fleet: Fleet, stay: Stay, *, quiet: bool) -> Iterator[View]:
    """A live table with keys on a terminal, else lines; on standard error when standard output is for data."""
    console = Console(stderr=quiet)
    if not (console.is_terminal and _has_keys()):
        yield Lines(err=quiet)
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        screen = Screen(live)
        with reading_keys(Keyboard(fleet, stay, screen).press):
            yield screen
