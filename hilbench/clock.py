"""Time is the event loop: virtual, real or scaled, and nothing else in the bench knows which.

Code awaits ``asyncio.sleep`` and reads :func:`time` or :func:`now`. On a :class:`VirtualLoop` the clock jumps to the
next timer whenever nothing is ready, TCP streams run in memory (see ``hilbench._streams``), and a day passes in
seconds with the same trace for the same seed. Threads cannot keep such a time and are refused.
"""

from __future__ import annotations

import asyncio
import contextvars
import math
import re
import selectors
import threading
import time as _machine_time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, TypeVarTuple

from hilbench import _streams
from hilbench.errors import ClockError, InputError

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
Held = tuple[asyncio.Handle, Callable[..., Any], tuple[Any, ...]]

_process: contextvars.ContextVar[str | None] = contextvars.ContextVar("hilbench_process", default=None)


class _VirtualSelector(selectors.BaseSelector):
    """Waits for nothing: hands the time-out to the loop, which moves its clock by it."""

    def __init__(self) -> None:
        self._keys: dict[Any, selectors.SelectorKey] = {}
        self.jump: Callable[[float | None], None] = lambda _timeout: None

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        if self._keys:  # the first one is the loop's own wake-up pipe
            raise ClockError("a virtual loop carries no real sockets: use a real clock (--time real) for this device")
        key = self._keys[fileobj] = selectors.SelectorKey(fileobj, fileobj, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout != 0:  # what is ready runs first
            self.jump(timeout)
        return []

    def close(self) -> None:
        self._keys.clear()

    def get_map(self) -> dict[Any, selectors.SelectorKey]:
        return self._keys


class _ScaledSelector(selectors.DefaultSelector):
    """A real selector whose time-outs are shorter by the loop's factor."""

    factor = 1.0

    def select(self, timeout: float | None = None) -> list[Any]:
        return super().select(timeout if timeout is None else timeout / self.factor)


class RealLoop(asyncio.SelectorEventLoop):
    """Real sockets; loop time runs ``factor`` times as fast as the machine's (1 is real time)."""

    def __init__(self, factor: float = 1.0, epoch: datetime | None = None) -> None:
        self.factor = factor
        self._zero = _machine_time.monotonic()
        selector = _ScaledSelector()
        selector.factor = factor
        super().__init__(selector)
        self.epoch = epoch or datetime.now(UTC)

    def time(self) -> float:
        """Seconds of loop time since the loop was made."""
        return (_machine_time.monotonic() - self._zero) * self.factor


class VirtualLoop(_streams.MemoryStreams, asyncio.SelectorEventLoop):
    """A loop whose clock jumps to the next timer when nothing is ready.

    Raises :class:`ClockError` when nothing is scheduled at all (every task waits for ever), when a thread is asked
    for, or when a real socket is registered. A *process* (see :func:`process`) can be suspended and resumed like a
    program under SIGSTOP and SIGCONT: its callbacks are held back while the world goes on.
    """

    factor = float("inf")

    def __init__(self, epoch: datetime | None = None) -> None:
        self._now = 0.0
        selector = _VirtualSelector()
        super().__init__(selector)
        selector.jump = self._jump
        self._clock_resolution = 1e-9
        self.epoch = epoch or DEFAULT_EPOCH
        self._held: dict[str, list[Held]] = {}

    def time(self) -> float:
        """Seconds that the clock has jumped so far."""
        return self._now

    def _jump(self, timeout: float | None) -> None:
        if timeout is None:
            waiting = "; ".join(sorted(_describe(task) for task in asyncio.all_tasks(self))) or "no task"
            raise ClockError(f"nothing is scheduled, so time cannot pass; waiting for ever: {waiting}")
        scheduled: list[asyncio.TimerHandle] = getattr(self, "_scheduled", [])
        self._now = scheduled[0].when() if scheduled else self._now + timeout
        self._clock_resolution = max(1e-9, math.ulp(self._now))  # else a timer centuries away is never due

    def run_in_executor(
        self,
        executor: Executor | None,  # noqa: ARG002 - refused, whatever it is
        func: Callable[[*Ts], T],
        *args: *Ts,  # noqa: ARG002
    ) -> asyncio.Future[T]:
        """Refuse: a thread keeps the machine's time."""
        raise ClockError(f"a virtual loop cannot wait for a thread ({func!r}): do the work in the loop")

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """As ``call_soon`` from the loop's own thread; any other is refused."""
        owner = getattr(self, "_thread_id", None)
        if owner not in (None, threading.get_ident()):
            raise ClockError(f"a virtual loop takes no calls from other threads ({callback!r})")
        return super().call_soon_threadsafe(callback, *args, context=context)

    def suspend(self, name: str) -> None:
        """Hold back every callback of process ``name``, as SIGSTOP would; sockets stay open and fill up."""
        self._held.setdefault(name, [])
        # only while something is suspended is every new callback looked at: it costs a run a tenth of its time
        vars(self).update(call_soon=self._call_soon_held, call_at=self._call_at_held)
        pending: list[asyncio.Handle] = [*getattr(self, "_ready", ()), *getattr(self, "_scheduled", ())]
        for handle in pending:
            self._hold_if_suspended(handle)

    def resume(self, name: str) -> None:
        """Let process ``name`` run on: everything that was held runs now, in order, unless it is cancelled first."""
        ready: deque[asyncio.Handle] = getattr(self, "_ready")  # noqa: B009 - private to type checkers
        for handle, callback, args in self._held.pop(name, []):
            context: contextvars.Context = getattr(handle, "_context")  # noqa: B009 - as above
            ready.append(asyncio.Handle(_unless_cancelled, (handle, callback, args), self, context))
        if not self._held:
            for method in ("call_soon", "call_at"):
                vars(self).pop(method, None)

    def sever(self, name: str) -> None:
        """Reset every connection of process ``name`` and close its listeners, as the kernel does after SIGKILL."""
        for server in list(self._tables().values()):
            if server.context.get(_process) == name:
                server.close()
        for end in self.ends():
            if end.context.get(_process) == name:
                end.abort()

    def _call_soon_held(self, *args: Any, context: contextvars.Context | None = None) -> asyncio.Handle:
        handle = super().call_soon(*args, context=context)
        self._hold_if_suspended(handle)
        return handle

    def _call_at_held(self, *args: Any, context: contextvars.Context | None = None) -> asyncio.TimerHandle:
        handle = super().call_at(*args, context=context)
        self._hold_if_suspended(handle)
        return handle

    def _hold_if_suspended(self, handle: asyncio.Handle) -> None:
        context: contextvars.Context = getattr(handle, "_context")  # noqa: B009 - private to type checkers
        name = context.get(_process)
        if name not in self._held or handle.cancelled():
            return
        callback, args = getattr(handle, "_callback"), getattr(handle, "_args")  # noqa: B009 - as above
        if callback == self._catch:
            return
        handle._callback = self._catch  # type: ignore[attr-defined]
        handle._args = (name, handle, callback, args)

    def _catch(self, name: str, handle: asyncio.Handle, callback: Callable[..., Any], args: tuple[Any, ...]) -> None:
        if name in self._held:
            self._held[name].append((handle, callback, args))
        else:
            callback(*args)  # already in the context of the handle


def _unless_cancelled(handle: asyncio.Handle, callback: Callable[..., Any], args: tuple[Any, ...]) -> None:
    """Run what was held back, unless its owner has cancelled it meanwhile."""
    if not handle.cancelled():
        callback(*args)


DEFAULT_EPOCH = datetime(2024, 6, 4, 16, 0, tzinfo=UTC)  # a Tuesday morning in North America
Loop = VirtualLoop | RealLoop


def _describe(task: asyncio.Task[Any]) -> str:
    return f"{task.get_name()} in {getattr(task.get_coro(), '__qualname__', task.get_coro())}"


def parse_mode(text: str) -> float:
    """Factor of a time mode: ``virtual`` is infinity, ``real`` is 1, ``xK`` is K; raises ``InputError``."""
    if text == "virtual":
        return float("inf")
    if text == "real":
        return 1.0
    match = re.fullmatch(r"x(\d+(?:\.\d+)?)", text)
    if not match or float(match[1]) <= 0:
        raise InputError("time", f"{text!r} is not a time mode: use virtual, real or xK such as x10")
    return float(match[1])


def new_loop(mode: str = "virtual", epoch: datetime | None = None) -> Loop:
    """A loop for ``mode`` whose :func:`now` starts at ``epoch`` (UTC; default: real loops now, virtual a fixed day)."""
    factor = parse_mode(mode)
    return VirtualLoop(epoch) if factor == float("inf") else RealLoop(factor, epoch)


def run(main: Coroutine[Any, Any, T], mode: str = "virtual", epoch: datetime | None = None) -> T:
    """Run ``main`` to its end on a new loop of ``mode``, as ``asyncio.run`` does."""
    with asyncio.Runner(loop_factory=lambda: new_loop(mode, epoch)) as runner:
        return runner.run(main)


def current() -> Loop:
    """The running loop; raises ``ClockError`` when it is not one of the bench's."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualLoop | RealLoop):
        raise ClockError(f"the bench runs on loops of hilbench.clock, not on {type(loop).__name__}")
    return loop


def time() -> float:
    """Seconds of bench time since the epoch of the running loop."""
    return asyncio.get_running_loop().time()


def now() -> datetime:
    """Bench time as UTC."""
    loop = current()
    return loop.epoch + timedelta(seconds=loop.time())


def at(t: float) -> datetime:
    """UTC of bench time ``t`` [s] on the running loop."""
    return current().epoch + timedelta(seconds=t)


def machine_now() -> datetime:
    """The date by the computer's clock in UTC, whatever the clock of the bench says; callable without a loop."""
    return datetime.now(UTC)


def seconds_since_epoch(moment: datetime) -> float:
    """Bench time [s] of a UTC ``moment`` on the running loop; the inverse of :func:`at`."""
    return (moment - current().epoch).total_seconds()


def is_virtual() -> bool:
    """True when the running loop jumps; then processes of the bench live inside it."""
    return isinstance(asyncio.get_running_loop(), VirtualLoop)


async def sleep_until(t: float) -> None:
    """Sleep to bench time ``t`` [s]; returns at once when it has passed."""
    await asyncio.sleep(max(0.0, t - time()))


def next_multiple(interval_s: float, offset_s: float = 0.0) -> float:
    """The first bench time after now whose UTC is a multiple of ``interval_s`` plus ``offset_s`` since 1970.

    Processes that sample on such grids keep their relative phase on every clock, so that a run repeats.
    """
    base = current().epoch.timestamp()
    steps = (time() + base - offset_s) // interval_s + 1
    target = steps * interval_s + offset_s - base
    return target if target > time() + 1e-6 else target + interval_s


@contextmanager
def process(name: str) -> Iterator[None]:
    """Tasks and connections made inside belong to process ``name`` of a virtual loop (see ``VirtualLoop.suspend``)."""
    token = _process.set(name)
    try:
        yield
    finally:
        _process.reset(token)


__all__ = [
    "DEFAULT_EPOCH",
    "Loop",
    "RealLoop",
    "VirtualLoop",
    "at",
    "current",
    "is_virtual",
    "machine_now",
    "new_loop",
    "next_multiple",
    "now",
    "parse_mode",
    "process",
    "run",
    "seconds_since_epoch",
    "sleep_until",
    "time",
]
