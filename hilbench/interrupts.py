"""Signals that end a run in good order: the first one stops what is running, later ones change nothing.

Nothing is raised where a signal happens to arrive, which may be in the middle of a write or of the way to the safe
state. The signal is noted; what runs on a loop is cancelled from that loop, everything else asks in good time.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_OUTPUTS = (1, 2)


class Aborted(BaseException):
    """A signal ended the work; not an ``Exception``, so that nothing on the way mistakes it for an error."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Interrupt:
    """The first signal that came, as ``number`` (None: none yet), and what it stops."""

    def __init__(self) -> None:
        self.number: int | None = None
        self._stop: Callable[[], object] | None = None

    @property
    def name(self) -> str:
        """Name of the signal, empty before it came."""
        return "" if self.number is None else signal.Signals(self.number).name

    def arrived(self, number: int) -> None:
        """A signal is here; only the first one counts."""
        if self.number is None:
            self.number = number
            if self._stop is not None:
                self._stop()

    def check(self) -> None:
        """Raise :class:`Aborted` when a signal has come."""
        if self.number is not None:
            raise Aborted(self.number)

    @contextmanager
    def stops(self, task: asyncio.Task[Any]) -> Iterator[None]:
        """Within, the signal cancels ``task`` of the running loop; at once when it came before."""
        loop = asyncio.get_running_loop()
        with self.calls(lambda: loop.call_soon_threadsafe(task.cancel)):
            yield

    @contextmanager
    def calls(self, stop: Callable[[], object]) -> Iterator[None]:
        """Within, the signal calls ``stop``, in the middle of anything; at once when it came before."""
        before, self._stop = self._stop, stop
        try:
            if self.number is not None:
                stop()
            yield
        finally:
            self._stop = before


@contextmanager
def listening(interrupt: Interrupt | None = None) -> Iterator[Interrupt]:
    """Hand the signals of ``SIGNALS`` to ``interrupt`` (default: a new one).

    Those that the program was started to ignore (nohup, a background job of a script) stay ignored. Outside the main
    thread, where Python takes no signals, nothing is heard.
    """
    found = interrupt or Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield found
        return
    terminals = [fd for fd in _OUTPUTS if _is_terminal(fd)]

    def handle(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            _leave(terminals)
        found.arrived(number)

    heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handle) for number in heard}
    try:
        yield found
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_terminal(fd: int) -> bool:
    try:
        return os.isatty(fd)
    except OSError:
        return False


def _leave(terminals: list[int]) -> None:
    """The terminal is gone: from now on writing to it would fail, and evidence must not depend on that."""
    for fd in terminals:
        os.dup2(os.open(os.devnull, os.O_WRONLY), fd)
