"""The system under test, as far as the bench can touch it: in the loop, as a process, or somebody else's.

A controller in a virtual loop is a process of that loop (``clock.process``): it talks through sockets only and can be
stopped, continued and killed like a program. In real time the reference controller is a program of its own. An
external one is whatever answers at the rig's address; the bench may stop it only where the rig says how.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from hilbench import clock
from hilbench.errors import DeviceError
from hilbench.leash import leashed

ALL_CAPABILITIES = frozenset({"suspend", "kill", "restart"})
_START_TIMEOUT_S = 20.0
_RUNNING_TIMEOUT_S = 3.0
"""For a controller that is said to run already."""
_ANSWER_TIMEOUT_S = 1.0

Main = Callable[[], Coroutine[Any, Any, None]]


class LoopController:
    """A controller that runs inside the virtual loop, in a process of that loop.

    ``main`` makes the coroutine that is the controller; ``address`` is where its CSMS listens.
    """

    def __init__(self, main: Main, address: tuple[str, int], name: str = "controller") -> None:
        self._main = main
        self._address = address
        self._name = name
        self._task: asyncio.Task[None] | None = None

    def capabilities(self) -> frozenset[str]:
        """A process of the virtual loop can be suspended, killed and restarted."""
        return ALL_CAPABILITIES

    async def start(self) -> None:
        """Start it and wait until it listens; raises ``DeviceError`` when it ends or does not listen."""
        with clock.process(self._name):
            self._task = asyncio.create_task(self._main(), name=self._name)
        await _wait_for_listener(self._address, self._failure)

    def _failure(self) -> str | None:
        task = self._task
        if task is None or not task.done():
            return None
        error = None if task.cancelled() else task.exception()
        return f"it ended: {error!r}" if error else "it ended"

    async def suspend(self) -> None:
        """Hold every callback of the process; its sockets stay open."""
        self._virtual().suspend(self._name)

    async def resume(self) -> None:
        """Let the process go on."""
        self._virtual().resume(self._name)

    async def kill(self) -> None:
        """Break its connections first, so that its farewell reaches nobody, then end it."""
        loop = self._virtual()
        loop.sever(self._name)
        loop.resume(self._name)
        await self._end()

    async def restart(self) -> None:
        """Start it again with its state file."""
        await self.start()

    async def stop(self) -> None:
        """End it in good order."""
        loop = clock.current()
        if isinstance(loop, clock.VirtualLoop):
            loop.resume(self._name)
        await self._end()

    async def _end(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()

    def _virtual(self) -> clock.VirtualLoop:
        loop = clock.current()
        if not isinstance(loop, clock.VirtualLoop):
            raise DeviceError("controller: a controller in the loop needs the virtual clock")
        return loop


class ProcessController:
    """A controller in a process of its own, started with ``command``; its output goes to ``log``.

    It leads a process group, so that what it starts is stopped and ended with it, and it ends when the bench does.
    """

    def __init__(self, command: Sequence[str], address: tuple[str, int], log: Path) -> None:
        self._command = list(command)
        self._address = address
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def capabilities(self) -> frozenset[str]:
        """The bench owns the process: it can do everything to it."""
        return ALL_CAPABILITIES

    async def start(self) -> None:
        """Start it and wait until it listens; raises ``DeviceError`` with the end of its log."""
        if await _listens(self._address):
            host, port = self._address
            raise DeviceError(
                f"controller at {host}:{port}: something listens there already, and the stations would talk to that; "
                "end it, or change controller.ocpp in the rig"
            )
        self._log.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self._log.open("ab") as log:
                # a session of its own: Ctrl-C is for the bench, which then takes the site to its safe state
                self._process = subprocess.Popen(  # noqa: ASYNC220 - returns at once, and no loop need outlive it
                    leashed(self._command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
        except OSError as error:
            raise DeviceError(f"controller: cannot start {self._command[0]}: {error.strerror}") from error
        await _wait_for_listener(self._address, self._failure)

    def _failure(self) -> str | None:
        process = self._process
        if process is None or process.poll() is None:
            return None
        tail = self._log.read_text(errors="replace").strip().splitlines()[-3:]
        return f"it ended with code {process.returncode}: {' | '.join(tail)} (whole log: {self._log})"

    async def suspend(self) -> None:
        """SIGSTOP."""
        self._signal(signal.SIGSTOP)

    async def resume(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    async def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self._signal(signal.SIGKILL)
        await self._gone(5.0)

    async def restart(self) -> None:
        """Start the same command again."""
        await self.start()

    async def stop(self) -> None:
        """SIGTERM (after SIGCONT), then SIGKILL when it does not go within 3 s."""
        if self._process is None or self._process.poll() is not None:
            return
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGTERM)
        if not await self._gone(3.0):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._gone(5.0)

    async def _gone(self, timeout_s: float) -> bool:
        """Wait for the end of the process, and of what it started: nobody listens any more."""
        process = self._process
        deadline = clock.time() + timeout_s * _machine_seconds()
        while process is not None and (process.poll() is None or await _listens(self._address)):
            if clock.time() > deadline:
                return False
            await asyncio.sleep(0.02)
        return True

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None or self._process.poll() is not None:
            raise DeviceError("controller: its process is not running")
        os.killpg(self._process.pid, number)


class ExternalController:
    """Somebody else's controller at ``address``; ``pid_file`` lets the bench stop and kill its process.

    Where the rig gives ``command``, the bench starts the controller itself (:class:`ProcessController`).
    """

    def __init__(self, address: tuple[str, int], pid_file: Path | None = None) -> None:
        self._address = address
        self._pid_file = pid_file

    def capabilities(self) -> frozenset[str]:
        """``suspend`` with a pid file; a process that the bench did not start it cannot start again."""
        return frozenset({"suspend"}) if self._pid_file else frozenset()

    async def start(self) -> None:
        """Check that something listens; raises ``DeviceError`` with what to do."""
        await _wait_for_listener(self._address, lambda: None, _RUNNING_TIMEOUT_S)

    async def suspend(self) -> None:
        """SIGSTOP to the process of the pid file."""
        self._signal(signal.SIGSTOP)

    async def resume(self) -> None:
        """SIGCONT to the process of the pid file."""
        self._signal(signal.SIGCONT)

    async def kill(self) -> None:
        """Not offered: the bench could not bring it back."""
        raise DeviceError("controller: the bench does not kill what it cannot start; give `command` in the rig")

    async def restart(self) -> None:
        """Not offered without ``command``."""
        raise DeviceError("controller: the bench cannot restart it; give `command` in the rig")

    async def stop(self) -> None:
        """Leave it running, and never suspended."""
        if self._pid_file:
            self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        try:
            pid = int((self._pid_file or Path()).read_text().strip())
            if pid <= 1:  # 0 and below mean groups of processes, the bench's own among them
                raise ValueError(f"{pid} is no process of a controller")
            os.kill(pid, number)
        except (OSError, ValueError, OverflowError) as error:
            raise DeviceError(f"controller: no process from pid file {self._pid_file}: {error}") from error


async def _wait_for_listener(
    address: tuple[str, int], failure: Callable[[], str | None], timeout_s: float = _START_TIMEOUT_S
) -> None:
    """Wait until ``address`` accepts a connection; raises ``DeviceError`` early when ``failure`` says why not."""
    host, port = address
    scale = _machine_seconds()
    deadline = clock.time() + timeout_s * scale
    while clock.time() < deadline:
        if reason := failure():
            raise DeviceError(f"controller at {host}:{port}: {reason}")
        # first a moment: whether one that starts in this very instant listens already is a matter of scheduling
        await asyncio.sleep(0.1 * scale)
        if await _listens(address):
            return
    raise DeviceError(
        f"controller at {host}:{port}: nobody listens after {timeout_s:.0f} s; start it, or correct "
        "controller.ocpp in the rig"
    )


async def _listens(address: tuple[str, int]) -> bool:
    """True when something at ``address`` accepts a connection."""
    try:
        async with asyncio.timeout(_ANSWER_TIMEOUT_S * _machine_seconds()):
            _reader, writer = await asyncio.open_connection(*address)
    except (OSError, TimeoutError):
        return False
    writer.transport.abort()
    return True


def _machine_seconds() -> float:
    """Loop seconds in one second of the machine, in which programs start and end; 1 on a virtual loop."""
    factor = clock.current().factor
    return 1.0 if factor == float("inf") else factor
