"""Broken lines and bytes to both ends of every board: ``benches/board_fuzz.py`` in small, and that it finds faults."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from benches import board_fuzz
from hilbench.drivers import chargebyte, ev_simulator, openevse
from hilbench.drivers.openevse import OpenEvseDriver
from hilbench_emulators import openevse_commands, openevse_core


@pytest.mark.parametrize("target", board_fuzz.TARGETS)
@pytest.mark.parametrize("seed", [1, 2])
def test_broken_bytes_are_a_clear_error_in_time(target: str, seed: int) -> None:
    """No exception but a ``DeviceError`` that names the board, nothing later than the time-out, no unsound board."""
    attack, _share = board_fuzz.TARGETS[target]
    assert attack(seed, 1500) == []


def _patient(seconds: float) -> Any:
    return asyncio.timeout_at(asyncio.get_running_loop().time() + 2.0 * seconds)


WEAK: dict[str, tuple[str, Any, str, Any]] = {
    "a command that raises": ("board", openevse_commands, "_byte", int),
    "a relay that stays closed": (
        "board",
        openevse_core.OpenEvse,
        "disable",
        lambda core: setattr(core, "state", 0xFF),
    ),
    "nonsense that raises": ("rapi", OpenEvseDriver, "_parsed", lambda _d, _a, reply, read, **_: read(*reply.values)),
    "a time-out that is too long": (
        "rapi",
        openevse,
        "asyncio",
        SimpleNamespace(**(vars(asyncio) | {"timeout": _patient})),
    ),
    "a line that raises": (
        "simulator",
        ev_simulator,
        "understood",
        lambda _t, line: ev_simulator._seen(0.0, {"a": line}),
    ),
    "a report that raises": ("chargebyte", chargebyte, "state_of", lambda _t, data: "ABC"[data >> 40 & 7]),
}


@pytest.mark.parametrize("weak", WEAK)
def test_the_fuzz_finds_a_weak_end(weak: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An end with one weakness fails."""
    target, owner, name, instead = WEAK[weak]
    monkeypatch.setattr(owner, name, instead)
    attack, _share = board_fuzz.TARGETS[target]
    try:
        assert attack(1, 1500) != []
    except (ValueError, LookupError):
        assert target == "board"
