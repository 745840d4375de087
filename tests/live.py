"""Programs that run for real: started, watched through what they write, and ended by the test."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time  # noqa: TID251 - programs in processes of their own keep the machine's time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import Any

from hilbench import clock

PATIENCE_S = 60.0
"""Far more than anything here takes; a test that waits so long has failed."""


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody listens at."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for found in sockets:
            found.bind(("127.0.0.1", 0))
        return [int(found.getsockname()[1]) for found in sockets]
    finally:
        for found in sockets:
            found.close()


@contextmanager
def beside(serving: Callable[[], AbstractAsyncContextManager[Any]]) -> Iterator[None]:
    """Keep what ``serving`` opens open on a real loop in a thread of its own, until the block ends."""
    up, over = threading.Event(), threading.Event()

    async def serve() -> None:
        async with serving():
            up.set()
            while not over.is_set():
                await asyncio.sleep(0.02)

    thread = threading.Thread(target=lambda: clock.run(serve(), "real"))
    thread.start()
    try:
        assert up.wait(30)
        yield
    finally:
        over.set()
        thread.join()


def until(true: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """What ``true`` answers as soon as it is not empty or false; fails naming ``what`` when that takes too long."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if found := true():
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {patience_s:g} s in vain for {what}")


class Program:
    """A program in a process group of its own, as a shell starts it; its output is in ``log``."""

    def __init__(self, command: list[str], log: Path, cwd: Path) -> None:
        self._log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, process_group=0, cwd=cwd
            )

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._log.read_text(errors="replace")

    @property
    def children(self) -> list[int]:
        """Its child processes (Linux)."""
        text = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(word) for word in text.split()]

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; SIGINT goes to the whole group, as Ctrl-C on a terminal does."""
        if number == signal.SIGINT:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)

    def ended(self) -> int:
        """Its exit code, waited for."""
        return self.process.wait(PATIENCE_S)

    def saw(self, text: str) -> None:
        """Wait until it has printed ``text``; fails at once when it ends without."""
        until(lambda: text in self.output or self.process.poll() is not None, repr(text))
        assert text in self.output, self.output


@contextmanager
def program(command: list[str], folder: Path, name: str = "program") -> Iterator[Program]:
    """A running program; it is killed at the end, with what it started, if it still runs."""
    running = Program(command, folder / f"{name}.log", folder)
    children: list[int] = []
    try:
        yield running
    finally:
        if running.process.poll() is None:
            children = running.children
            running.process.kill()
            running.process.wait()
        for child in filter(alive, children):
            os.kill(child, signal.SIGKILL)


def hilbench(*arguments: str | Path) -> list[str]:
    """The command line of hilbench with this Python."""
    return [sys.executable, "-m", "hilbench", *map(str, arguments)]


def alive(pid: int) -> bool:
    """True while a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def events(run: Path) -> list[dict[str, Any]]:
    """Whole lines of all event logs of a run folder, while it is written."""
    found = []
    for path in sorted(run.glob("procedures/*/events.jsonl")):
        lines = path.read_text().splitlines(keepends=True)
        found += [json.loads(line) for line in lines if line.endswith("\n")]
    return found


def happened(run: Path, kind: str) -> bool:
    """True when an event of ``kind`` has been written."""
    return any(event["kind"] == kind for event in events(run))
