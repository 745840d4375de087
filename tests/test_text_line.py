"""A device that takes lines is made safe by data alone, and read back: over TCP and a serial line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hilbench import clock
from hilbench.drivers.text_line import make_safe
from hilbench.errors import DeviceError
from tests.relay_card import relay_card

ORDER: dict[str, Any] = {"send": "OFF", "expect": "OK", "query": "STATE?", "reads": "OFF"}


def ask(address: str, **changes: Any) -> str:
    """Make the device safe on a real loop; what was read back."""

    async def main() -> str:
        return await make_safe(address, {**ORDER, **changes})

    return clock.run(main(), "real")


@pytest.mark.parametrize("form", ["tcp", "serial"])
@pytest.mark.parametrize("habit", ["", "echo", "chatty"])
def test_it_is_commanded_and_read_back(tmp_path: Path, form: str, habit: str) -> None:
    """The command, then the question, over both kinds of line; echoes and reports in between are passed over."""
    with relay_card(tmp_path, habit, form=form) as card:
        assert ask(card.address) == "OFF"
        assert card.told == ["OFF", "STATE?"]


def test_a_device_that_acknowledges_nothing_is_read_back_all_the_same(tmp_path: Path) -> None:
    """Without ``expect`` no answer to the command is waited for, and one that comes is not taken for the state."""
    with relay_card(tmp_path) as card:
        assert ask(card.address, expect=None) == "OFF"


STICKS = "answers 'ON' to 'STATE[?]', not 'OFF'"


@pytest.mark.parametrize(
    ("habits", "expect", "message"),
    [
        (("stuck",), "OK", STICKS),
        (("stuck",), None, STICKS),
        (("stuck", "echo"), "OFF", STICKS),
        (("stuck", "echo"), None, STICKS),
        (("silent",), "OK", "no answer to 'OFF'"),
        (("silent",), None, "no answer to 'STATE[?]'"),
        (("garbage",), "OK", "answers '..' to 'OFF', not 'OK'"),
    ],
)
def test_a_device_that_is_not_safe_is_an_error(
    tmp_path: Path, habits: tuple[str, ...], expect: str | None, message: str
) -> None:
    """A relay that sticks, says nothing or talks nonsense is named; the echo of OFF is no state that was read back."""
    with relay_card(tmp_path, *habits) as card:
        card.tell("ON")
        with pytest.raises(DeviceError, match=f"^{card.address}: {message}"):
            ask(card.address, expect=expect)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "serial:///dev/nothing-here", "serial:///dev/null"])
def test_a_device_that_is_not_there_is_an_error(address: str) -> None:
    """Nobody at the port, no such line, or a file that is no line: one error that names the address."""
    with pytest.raises(DeviceError, match=address.partition("://")[2]):
        ask(address)
