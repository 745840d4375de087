"""Single keys of a terminal, read on the loop."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_NAMES = {"\x1b[A": "up", "\x1b[B": "down", "\x1bOA": "up", "\x1bOB": "down", "\x1b[C": "down", "\x1b[D": "up"}


def keys_in(text: str) -> list[str]:
    """Keys by name or character; unknown escape sequences are left out."""
    found, rest = list[str](), text
    while rest:
        name = next((code for code in _NAMES if rest.startswith(code)), None)
        if name is not None:
            found.append(_NAMES[name])
            rest = rest[len(name) :]
        elif rest[0] == "\x1b":
            rest = rest[3:] if rest[1:2] in ("[", "O") else rest[1:]
        else:
            found.append(rest[0])
            rest = rest[1:]
    return found


@contextmanager
def reading_keys(pressed: Callable[[str], None]) -> Iterator[None]:
    """Within, ``pressed`` is called with each key; the terminal is as it was afterwards.

    Ctrl-C still sends its signal. Use on a running loop with sockets, and only when standard input is a terminal.
    """
    fd, loop = sys.stdin.fileno(), asyncio.get_running_loop()
    before = termios.tcgetattr(fd)

    def ready() -> None:
        data = os.read(fd, 64)
        if not data:
            loop.remove_reader(fd)
        for key in keys_in(data.decode("utf-8", "ignore")):
            pressed(key)

    tty.setcbreak(fd)
    loop.add_reader(fd, ready)
    try:
        yield
    finally:
        loop.remove_reader(fd)
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
