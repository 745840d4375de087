"""The plan of a safe state: in order, again until it is read back, bounded, whatever a driver does."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilbench import clock, safe_plan
from hilbench.errors import DeviceError
from hilbench.safe_plan import SafePlan, SafeStep, attempt, carry_out, find
from tests.relay_card import relay_card

CALLS: list[str] = []
_over = threading.Event()


async def obeys(address: str, options: Mapping[str, Any]) -> str:
    """A device that is safe the third time."""
    CALLS.append(address)
    if CALLS.count(address) < options.get("tries", 1):
        raise DeviceError("not yet")
    return "0.0"


async def breaks(_address: str, _options: Mapping[str, Any]) -> str:
    """A driver with a defect."""
    raise ZeroDivisionError("division by zero")


async def sleeps(_address: str, _options: Mapping[str, Any]) -> str:
    """A device that never answers."""
    await asyncio.sleep(3600)
    return ""


async def hangs(_address: str, _options: Mapping[str, Any]) -> str:
    """A driver that blocks its thread, in whatever loop that is."""
    _over.wait()
    return ""


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The drivers above as kinds."""
    monkeypatch.setattr(safe_plan, "GRACE_S", 0.2)
    monkeypatch.setattr(safe_plan, "RETRY_S", 0.01)
    for made in (obeys, breaks, sleeps, hangs):
        monkeypatch.setitem(safe_plan.KINDS, made.__name__, f"{__name__}:{made.__name__}")
    CALLS.clear()
    _over.clear()
    return _over.set


def carried_out(*steps: SafeStep, mode: str = "real") -> tuple[list[str], list[tuple[str, str, dict[str, Any]]]]:
    """The roles that failed, and everything that was told."""
    told: list[tuple[str, str, dict[str, Any]]] = []
    plan = SafePlan(steps)
    return clock.run(carry_out(plan, lambda *what: told.append(what)), mode), told


def test_steps_go_in_order_and_are_told() -> None:
    """Each step is commanded when the one before is confirmed, and what was read back is told."""
    failed, told = carried_out(SafeStep("b", "obeys", "1"), SafeStep("a", "obeys", "2"))
    assert failed == []
    assert told == [
        ("safe.commanded", "b", {"device": "obeys", "address": "1"}),
        ("safe.confirmed", "b", {"read": "0.0"}),
        ("safe.commanded", "a", {"device": "obeys", "address": "2"}),
        ("safe.confirmed", "a", {"read": "0.0"}),
    ]


def test_a_device_is_told_again_until_it_is_safe() -> None:
    """What got lost once is said again within the time of the step."""
    failed, told = carried_out(SafeStep("a", "obeys", "1", {"tries": 3}))
    assert (failed, told[-1][0], CALLS) == ([], "safe.confirmed", ["1"] * 3)


@pytest.mark.parametrize(
    ("kind", "options", "reason"),
    [
        ("obeys", {"tries": 10**9}, "not safe within 0.1 s: not yet"),
        ("sleeps", {}, "not safe within 0.1 s: no answer from here"),
        ("hangs", {}, "its driver hangs: no end within 0.3 s"),
        ("breaks", {}, "ZeroDivisionError: division by zero"),
        ("relay", {}, "nothing makes a device of kind 'relay' safe; known: "),
    ],
)
def test_a_step_that_fails_does_not_keep_the_next_from_it(
    kinds: Callable[[], None], kind: str, options: dict[str, Any], reason: str
) -> None:
    """Whatever fails in a step is its reason, bounded in time, and the later steps are done."""
    failed, told = carried_out(SafeStep("bad", kind, "here", options, 0.1), SafeStep("good", "obeys", "there"))
    kinds()
    assert failed == ["bad"]
    assert told[1][:2] == ("safe.failed", "bad")
    assert told[1][2]["reason"].startswith(reason)
    assert told[-1] == ("safe.confirmed", "good", {"read": "0.0"})


def test_the_time_of_a_step_is_the_machines() -> None:
    """A bench whose clock runs a thousand times as fast leaves a device its full time."""
    failed, _told = carried_out(SafeStep("a", "obeys", "1", {"tries": 20}, 30.0), mode="x1000")
    assert failed == []


def test_the_whole_plan_is_bounded() -> None:
    """The bound of the plan holds every step's, with what a driver that hangs is left."""
    steps = (SafeStep("a", "obeys", "1", timeout_s=2.0), SafeStep("b", "obeys", "1", timeout_s=3.0))
    assert SafePlan(steps).timeout_s == pytest.approx(5.4)


def test_a_kind_that_cannot_be_loaded_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that is not there, and one without the function, are errors that name the kind."""
    for target in ("hilbench.no_such:make_safe", "hilbench.drivers.line:no_such"):
        monkeypatch.setitem(safe_plan.KINDS, "gone", target)
        with pytest.raises(DeviceError, match="'gone' safe cannot be loaded"):
            find("gone")


@pytest.mark.parametrize("kind", sorted(safe_plan.KINDS))
def test_every_kind_can_be_loaded(kind: str) -> None:
    """Behind each name is a function."""
    made: Callable[..., Awaitable[str]] = find(kind)
    assert asyncio.iscoroutinefunction(made)


def test_a_line_that_gets_lost_is_said_again(tmp_path: Path) -> None:
    """A card that misses the command the first time is told again, and is read back safe."""
    with relay_card(tmp_path, "deaf") as card:
        card.tell("ON")
        order = {"send": "OFF", "expect": "OK", "query": "STATE?", "reads": "OFF"}
        assert attempt(SafeStep("card", "line", card.address, order, 10.0)).read == "OFF"
        assert (card.told, card.state) == (["ON", "OFF", "OFF", "STATE?"], "OFF")


TEXT = st.text(max_size=9)


@given(st.lists(st.tuples(TEXT, TEXT, TEXT, st.dictionaries(TEXT, TEXT | st.floats(0, 9), max_size=3)), max_size=3))
def test_a_plan_survives_the_way_to_the_guardian(steps: list[tuple[str, str, str, dict[str, Any]]]) -> None:
    """Written as JSON and read again, a plan is the same."""
    plan = SafePlan(tuple(SafeStep(*step) for step in steps))
    assert SafePlan.from_plain(json.loads(json.dumps(plan.to_plain()))) == plan
