"""``hilbench board``: what it prints, and its exit codes."""

from __future__ import annotations

import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hilbench.cli import main
from hilbench.modbus_address import modbus_address
from hilbench_emulators.chargebyte import EmulatedChargebyte
from hilbench_emulators.ev_simulator import EmulatedEvSimulator
from hilbench_emulators.openevse import EmulatedOpenEvse
from hilbench_emulators.openevse_settings import Settings
from tests.live import beside, free_ports, hilbench, program

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def boards() -> Iterator[tuple[str, str, str]]:
    """Addresses of an OpenEVSE, of an EV simulator plugged into it, and of a chargebyte controller."""
    openevse, simulator, controller = (f"tcp://127.0.0.1:{port}" for port in free_ports(3))

    @asynccontextmanager
    async def serving() -> AsyncIterator[None]:
        station = EmulatedOpenEvse(address=modbus_address(openevse), settings=Settings(boot_s=0.0))
        parts = (
            station,
            EmulatedEvSimulator(station, address=modbus_address(simulator)),
            EmulatedChargebyte(address=modbus_address(controller)),
        )
        for one in parts:
            await one.start()
        yield
        for one in reversed(parts):
            await one.stop()

    with beside(serving):
        yield openevse, simulator, controller


Boards = tuple[str, str, str]


def test_a_car_is_plugged_in_and_the_current_set(boards: Boards, capsys: Capture) -> None:
    """By the simulator and the board; the status shows both."""
    openevse, simulator, _controller = boards
    assert main(["board", "plug", simulator, "B", "--pp", "220", "--json"]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert (seen["state"], seen["proximity_ohm"]) == ("B", 220)
    assert main(["board", "set-current", openevse, "10", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["offered_a"] == 10
    assert main(["board", "status", "openevse", openevse]) == 0
    printed = capsys.readouterr().out
    assert "offered a     10\n" in printed
    assert "relay closed  no\n" in printed
    assert main(["board", "status", "ev-simulator", simulator, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["duty_pct"] == pytest.approx(16.625)
    assert main(["board", "plug", simulator, "A", "--diode"]) == 0


def test_what_the_board_refuses_is_exit_code_4(boards: Boards, capsys: Capture) -> None:
    """In one line, without a traceback."""
    assert main(["board", "set-current", boards[0], "80"]) == 4
    captured = capsys.readouterr()
    assert captured.err.startswith("board openevse at tcp://127.0.0.1:")
    assert "offers 16 A, asked for 80 A" in captured.err
    assert "Traceback" not in captured.err


def test_bare_commands_are_answered(boards: Boards, capsys: Capture) -> None:
    """Exit code 1 for ``$NK``, 2 for what is no command."""
    assert main(["board", "rapi", boards[0], "GV"]) == 0
    assert capsys.readouterr().out == "OK 8.2.3 5.2.1\n"
    assert main(["board", "rapi", boards[0], "XX"]) == 1
    assert capsys.readouterr().out == "NK\n"
    assert main(["board", "rapi", boards[0], "GS^30"]) == 2
    assert "without checksum" in capsys.readouterr().err


def test_a_board_is_made_safe_and_enabled(boards: Boards, capsys: Capture) -> None:
    """Each is read back."""
    assert main(["board", "do", boards[0], "make-safe"]) == 0
    assert "sleeping" in capsys.readouterr().out
    assert main(["board", "do", boards[0], "enable"]) == 0


def test_a_controller_drives_pwm_for_a_while(boards: Boards, capsys: Capture) -> None:
    """And says what it reported."""
    assert main(["board", "pwm", boards[2], "26.6", "--for", "0.3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["duty_pct"] == 26.6
    assert main(["board", "status", "chargebyte", boards[2]]) == 0
    assert "contactors" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["status", "openevse", "wallbox"],
        ["status", "toaster", "tcp://127.0.0.1:1"],
        ["set-current", "tcp://127.0.0.1:1", "5"],
        ["plug", "tcp://127.0.0.1:1", "F"],
        ["plug", "tcp://127.0.0.1:1", "B", "--pp", "221"],
        ["pwm", "tcp://127.0.0.1:1", "much"],
        ["emulate", "openevse", "--at", "tcp://127.0.0.1:1", "--quirks", "lies"],
    ],
)
def test_wrong_arguments_are_exit_code_2(arguments: list[str], capsys: Capture) -> None:
    """Said on standard error."""
    assert main(["board", *arguments]) == 2
    assert capsys.readouterr().err


def test_nobody_there_is_exit_code_4(capsys: Capture) -> None:
    """Within the time-out."""
    assert main(["board", "status", "openevse", f"tcp://127.0.0.1:{free_ports(1)[0]}"]) == 4
    assert "no connection" in capsys.readouterr().err


def test_emulated_boards_stay_until_they_are_interrupted(tmp_path: Path, capsys: Capture) -> None:
    """An OpenEVSE with an EV simulator; the serial port goes with them."""
    path = tmp_path / "openevse"
    ev = f"tcp://127.0.0.1:{free_ports(1)[0]}"
    command = hilbench("board", "emulate", "openevse", "--at", f"serial://{path}", "--ev", ev)
    with program(command, tmp_path) as running:
        running.saw("ready at ")
        assert main(["board", "plug", ev, "B"]) == 0
        assert main(["board", "status", "openevse", f"serial://{path}", "--json"]) == 0
        assert json.loads(capsys.readouterr().out.splitlines()[-1])["connected"] is True
        running.send(signal.SIGTERM)
        assert running.ended() == 0
    assert not path.is_symlink()
