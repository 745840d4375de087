"""A guardian: a process that makes the rig safe when the run that started it can no longer do so itself.

A run that is killed (SIGKILL), crashes in a driver or leaves through ``os._exit`` reaches no safe state. Its guardian
waits on a pipe that the kernel closes when the run is gone. Only the word ``disarm``, said after the safe state was
read back, sends it home; at any other end it carries out the plan itself and writes down what it did.

It cannot help where it dies too: loss of power, or SIGKILL to every process of a container. Hardware that must be safe
then needs a watchdog of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from hilbench import clock
from hilbench.errors import DeviceError, HilbenchError
from hilbench.evidence.files import GUARDIAN, append, json_line, utc_text
from hilbench.interrupts import SIGNALS
from hilbench.rig_lock import sign
from hilbench.safe_plan import SafePlan, carry_out, find

LOG = GUARDIAN
"""Name of the file to which a guardian appends what it did, one event a line."""
ARM_TIMEOUT_S = 30.0
PARENT_TIMEOUT_S = 2.0
"""What the kernel gets to close the ports of a run that is gone before the guardian opens them."""
_ARMED, _DISARM, _ACT = b"armed\n", b"disarm\n", b"act\n"


class Guardian:
    """A running guardian, seen from the run that it guards."""

    def __init__(self, process: subprocess.Popen[bytes], timeout_s: float) -> None:
        self._process = process
        self._timeout_s = timeout_s

    @classmethod
    def start(cls, plan: SafePlan, rig: str, log: Path, lock_fds: Sequence[int] = ()) -> Guardian:
        """Start one and wait until it is armed; raises ``DeviceError`` with its reason when it is not.

        ``lock_fds`` are those of the rig's lock, which it keeps until it is done. What it does goes to ``log``.
        """
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "hilbench.guardian"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # what kills the group of the run does not reach it
            pass_fds=lock_fds,
        )
        orders = {"plan": plan.to_plain(), "rig": rig, "log": str(log.absolute()), "locks": list(lock_fds)}
        guardian = cls(process, plan.timeout_s + PARENT_TIMEOUT_S)
        guardian._say(json.dumps(orders).encode() + b"\n")
        answer = _first_line(_pipe(process.stdout))
        if answer != _ARMED:
            process.kill()
            rest, _none = process.communicate()
            raise DeviceError(f"no guardian for the rig: {(answer + rest).decode(errors='replace').strip()}")
        return guardian

    def disarm(self) -> bool:
        """Send it home after the safe state was read back; False when it was gone already."""
        self._say(_DISARM)
        return self._ended() == 0

    def let_act(self) -> bool:
        """Let it carry out the plan now, and wait for it; True when it read everything back."""
        self._say(_ACT)
        return self._ended() == 0

    def _say(self, words: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):
            _pipe(self._process.stdin).write(words)
            _pipe(self._process.stdin).flush()

    def _ended(self) -> int | None:
        """Its exit code; None when it does not end within its time, which leaves it at its work."""
        with contextlib.suppress(BrokenPipeError):
            _pipe(self._process.stdin).close()
        _pipe(self._process.stdout).close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(self._timeout_s + ARM_TIMEOUT_S)
        return None


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream


def _first_line(stream: IO[bytes]) -> bytes:
    ready, _, _ = select.select([stream], [], [], ARM_TIMEOUT_S)
    return stream.readline() if ready else b"no answer\n"


def main() -> int:
    """The guardian: take orders on standard input, wait for the end of the run, act; 0 when all is safe."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    words = _line(0)
    if not words:
        return 0  # the run was gone before anything of the rig was touched
    orders = json.loads(words)
    plan = SafePlan.from_plain(orders["plan"])
    try:
        for step in plan.steps:
            find(step.kind)  # what cannot be loaded shall show now, not in need
    except HilbenchError as error:
        sys.exit(str(error))
    run = os.getppid()
    end = _end_of(run)
    os.write(1, _ARMED)
    _leave_outputs()
    return _act(plan, orders, run) if _abandoned(end) else 0


def _line(fd: int) -> bytes:
    """A line of a pipe, or what there is of it at its end."""
    words = b""
    while not words.endswith(b"\n") and (more := os.read(fd, 1)):
        words += more
    return words


def _end_of(pid: int) -> int | None:
    """A descriptor that is readable when process ``pid`` has ended; None where there is no such thing."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):  # before Linux 5.3
        return None


def _leave_outputs() -> None:
    """From now on nobody listens, and nothing that a driver prints may end this process."""
    for fd in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), fd)


def _abandoned(end: int | None) -> bool:
    """Wait for a word or the end of the run; False for ``disarm``.

    Some child of the run may have a copy of the pipe, which then stays open: the end of the run itself counts too.
    """
    watched = [0] if end is None else [0, end]
    select.select(watched, [], [])
    word = _line(0) if select.select([0], [], [], 0)[0] else b""
    if word == _DISARM:
        return False
    if end is not None and word != _ACT:
        select.select([end], [], [], PARENT_TIMEOUT_S)
    return True


def _act(plan: SafePlan, orders: dict[str, Any], run: int) -> int:
    log = Path(orders["log"])

    def tell(kind: str, subject: str, data: dict[str, Any]) -> None:
        line = {"utc": utc_text(clock.machine_now()), "kind": kind, "subject": subject, "data": data}
        with contextlib.suppress(OSError):  # a full disk keeps nobody from the safe state
            append(log, json_line(line))

    for fd in orders["locks"]:
        with contextlib.suppress(OSError):
            sign(fd, orders["rig"], f"guardian of process {run}, which ended without a safe state")
    tell("guardian.acts", orders["rig"], {"run": run, "why": "the run ended, or asked for it, without a safe state"})
    failed = clock.run(carry_out(plan, tell), "real")
    tell("guardian.done", orders["rig"], {"failed": failed})
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
