"""The safe state of a rig's real devices as a plan: ordered steps as plain data, each bounded and read back.

A step names its device by *kind*. Behind a kind is one async function that makes such a device safe, reads it back and
returns what it read; the bench and its guardian (``hilbench.guardian``) find it by name and carry out the same plan.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from importlib import import_module
from typing import Any

from hilbench import clock
from hilbench.errors import DeviceError, HilbenchError

MakeSafe = Callable[[str, Mapping[str, Any]], Awaitable[str]]
"""Address and options of a device to what was read back; raises ``DeviceError`` or ``OSError`` when it is not safe.

It is called again until it succeeds or the step's time is out, so it must do no harm when repeated. It runs on a real
loop of its own, whatever the clock of the bench, and must end without the rest of the bench.
"""
Tell = Callable[[str, str, dict[str, Any]], object]
"""Called with kind, subject and data of everything that happens."""

KINDS: dict[str, str] = {
    "line": "hilbench.drivers.text_line:make_safe",
    "openevse": "hilbench.drivers.safe_kinds:openevse",
    "ev-simulator": "hilbench.drivers.safe_kinds:ev_simulator",
    "chargebyte": "hilbench.drivers.safe_kinds:chargebyte",
    "generator": "hilbench.drivers.safe_kinds:generator",
}
"""Kind of device to ``module:function``, a :data:`MakeSafe`."""
RETRY_S = 0.2
GRACE_S = 1.0
"""What a driver gets to notice that its time is out before it is left behind (policy-default)."""


@dataclass(frozen=True)
class SafeStep:
    """One device: its ``role`` in the rig, how it is made safe (``kind``, ``options``), where, and within what time.

    ``options`` are what JSON can hold. ``timeout_s`` are seconds of the machine, all tries together.
    """

    role: str
    kind: str
    address: str
    options: dict[str, Any] = field(default_factory=dict)
    timeout_s: float = 5.0


@dataclass(frozen=True)
class SafePlan:
    """Steps in the order in which they are carried out; one that fails does not keep the later ones from it."""

    steps: tuple[SafeStep, ...] = ()

    @property
    def timeout_s(self) -> float:
        """Bound of the whole plan [s], also when every driver hangs."""
        return sum(step.timeout_s + GRACE_S for step in self.steps)

    def to_plain(self) -> list[dict[str, Any]]:
        """As JSON holds it."""
        return [asdict(step) for step in self.steps]

    @classmethod
    def from_plain(cls, steps: list[dict[str, Any]]) -> SafePlan:
        """The plan that :meth:`to_plain` wrote."""
        return cls(tuple(SafeStep(**step) for step in steps))


@dataclass(frozen=True)
class Outcome:
    """What became of a step: what was read back, or why it counts as not safe."""

    read: str = ""
    reason: str = ""


def find(kind: str) -> MakeSafe:
    """The function behind ``kind``; raises ``DeviceError`` when there is none, or when it cannot be imported."""
    if kind not in KINDS:
        raise DeviceError(f"nothing makes a device of kind {kind!r} safe; known: {', '.join(sorted(KINDS))}")
    module, _, name = KINDS[kind].partition(":")
    try:
        found: MakeSafe = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise DeviceError(f"what makes a device of kind {kind!r} safe cannot be loaded: {error}") from error
    return found


async def carry_out(plan: SafePlan, tell: Tell) -> list[str]:
    """Do every step of ``plan`` in order; returns the roles that were not read back safe. Never raises for a device.

    Each step is told as ``safe.commanded`` and then ``safe.confirmed`` (with what was read) or ``safe.failed``.
    """
    failed = []
    for step in plan.steps:
        tell("safe.commanded", step.role, {"device": step.kind, "address": step.address})
        outcome = await asyncio.to_thread(attempt, step)
        if outcome.reason:
            failed.append(step.role)
            tell("safe.failed", step.role, {"reason": outcome.reason})
        else:
            tell("safe.confirmed", step.role, {"read": outcome.read})
    return failed


def attempt(step: SafeStep) -> Outcome:
    """Do one step in a thread of its own, so that not even a driver that blocks for ever keeps the others from it."""
    found: list[Outcome] = []
    thread = threading.Thread(target=lambda: found.append(_outcome(step)), name=f"safe {step.role}", daemon=True)
    thread.start()
    thread.join(step.timeout_s + GRACE_S)
    return found[0] if found else Outcome(reason=f"its driver hangs: no end within {step.timeout_s + GRACE_S:g} s")


def _outcome(step: SafeStep) -> Outcome:
    try:
        return Outcome(read=clock.run(_until_safe(step), "real"))
    except HilbenchError as error:
        return Outcome(reason=str(error))
    except Exception as error:  # a defect of one driver must not keep the other devices from becoming safe
        return Outcome(reason=f"{type(error).__name__}: {error}")


async def _until_safe(step: SafeStep) -> str:
    make_safe, last = find(step.kind), f"no answer from {step.address}"
    try:
        async with asyncio.timeout(step.timeout_s):
            while True:
                try:
                    return await make_safe(step.address, step.options)
                except (DeviceError, OSError) as error:
                    last = str(error) or type(error).__name__
                await asyncio.sleep(RETRY_S)
    except TimeoutError:
        raise DeviceError(f"not safe within {step.timeout_s:g} s: {last}") from None
