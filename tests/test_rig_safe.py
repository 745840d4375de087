"""``[safe.NAME]`` of a rig: what it says of real devices, and every mistake by its key and what to do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hilbench.cli import main
from hilbench.errors import InputError
from hilbench.rig import load_rig, rig_files, rig_schema
from hilbench.runner import effective_mode
from hilbench.safe_plan import KINDS, SafeStep
from tests.rigs import trio

TWO = """
[safe.supply]
address = "serial:///dev/ttyUSB7?baudrate=115200"
send = "OUTP OFF"
query = "OUTP?"
reads = "0|OFF"
ending = "\\r\\n"
wake_s = 2
timeout_s = 8

[safe.relay]
address = "tcp://10.0.0.7:4001"
send = "OFF"
expect = "OK"
query = "STATE?"
reads = "OFF"
"""


def rig_file(folder: Path, old: str = "", new: str = "") -> Path:
    """The small rig with two devices to be made safe, one part of them replaced."""
    path = trio(folder)
    assert old in TWO
    path.write_text(path.read_text() + TWO.replace(old, new, 1))
    return path


def test_the_plan_has_the_order_of_the_file(tmp_path: Path) -> None:
    """Each table is a step, with its role, and its options as plain data."""
    plan = load_rig(rig_file(tmp_path)).safe_plan
    options: dict[str, Any] = {"send": "OFF", "expect": "OK", "query": "STATE?", "reads": "OFF"}
    assert [step.role for step in plan.steps] == ["safe.supply", "safe.relay"]
    assert plan.steps[1] == SafeStep(
        "safe.relay", "line", "tcp://10.0.0.7:4001", {**options, "ending": "\n", "wake_s": 0.0}, 5.0
    )
    assert plan.steps[0].options["ending"] == "\r\n"
    assert plan.steps[0].timeout_s == 8.0


BOARDS = """
[safe.board]
kind = "openevse"
address = "serial:///dev/ttyUSB0"

[safe.pilot]
kind = "generator"
address = "TCPIP0::10.0.0.9::5555::SOCKET"
channel = 2
"""


def test_boards_and_instruments_have_tables_of_their_own(tmp_path: Path) -> None:
    """Each kind of device has its own keys, and the options of its step are those."""
    path = trio(tmp_path)
    path.write_text(path.read_text() + BOARDS)
    assert load_rig(path).safe_plan.steps == (
        SafeStep("safe.board", "openevse", "serial:///dev/ttyUSB0", {}, 10.0),
        SafeStep("safe.pilot", "generator", "TCPIP0::10.0.0.9::5555::SOCKET", {"channel": 2}, 10.0),
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "channel = 2",
            "chanel = 2",
            "safe.pilot.chanel (line 57): is not a key of this table (did you mean channel?)",
        ),
        ("channel = 2", "channel = 0", "safe.pilot.channel (line 57):"),
        ("TCPIP0::10.0.0.9::5555::SOCKET", "somewhere", "safe.pilot.address (line 56): neither VISA resource nor tcp"),
        ('kind = "openevse"', 'kind = "openevse"\nsend = "x"', "safe.board.send (line 52): is not a key of this table"),
        ("serial:///dev/ttyUSB0", "COM3", "safe.board.address (line 52): 'COM3' is no line to a board (use tcp://"),
    ],
)
def test_mistakes_in_their_tables_are_told_too(tmp_path: Path, old: str, new: str, message: str) -> None:
    """The kind decides which keys are known, and what an address is."""
    path = trio(tmp_path)
    path.write_text(path.read_text() + BOARDS.replace(old, new, 1))
    with pytest.raises(InputError, match=re.escape(message)):
        load_rig(path)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_has_a_table(tmp_path: Path, kind: str) -> None:
    """What can be made safe can be written into a rig, and the schema for editors knows it."""
    assert f'"{kind}"' in json.dumps(rig_schema()["$defs"])


def test_a_rig_with_a_real_device_runs_in_real_time(tmp_path: Path) -> None:
    """Devices to be made safe are real parts: they need a real clock and have addresses that are locked."""
    rig = load_rig(rig_file(tmp_path))
    assert rig.real_parts == ("safe.supply", "safe.relay")
    assert rig.real_addresses == ("serial:///dev/ttyUSB7?baudrate=115200", "tcp://10.0.0.7:4001")
    assert effective_mode(rig, "virtual") == "real"


@pytest.mark.parametrize("name", rig_files())
def test_emulated_rigs_lock_nothing(name: str) -> None:
    """A rig has addresses to lock exactly where it has real parts, and only then anything to be made safe."""
    rig = load_rig(name)
    assert bool(rig.real_addresses) == bool(rig.real_parts)
    assert rig.real_parts or rig.safe_plan.steps == ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'send = "OFF"',
            'sendd = "OFF"',
            "safe.relay.sendd (line 61): is not a key of this table (did you mean send?)",
        ),
        ('send = "OFF"\n', "", "safe.relay.send (line 59): is missing"),
        ('reads = "OFF"', 'reads = "(OFF"', "safe.relay.reads (line 64): '(OFF' is no regular expression"),
        ('reads = "OFF"', 'reads = ".*"', "safe.relay (line 59): reads '.*' fits the query itself"),
        ('send = "OFF"', 'send = "OFF\\n"', "safe.relay.send (line 61): holds a character that ends or garbles a line"),
        ("tcp://10.0.0.7:4001", "udp://10.0.0.7:1", "safe.relay.address (line 60): 'udp://10.0.0.7:1' is no line"),
        ("tcp://10.0.0.7:4001", "tcp://10.0.0.7", "safe.relay.address (line 60): 'tcp://10.0.0.7' names no port"),
        ("baudrate=115200", "baud=9600", "safe.supply.address (line 51):"),
        ("timeout_s = 8", "timeout_s = 2", "safe.supply (line 50): timeout_s leaves no time after wake_s"),
        ("timeout_s = 8", "timeout_s = 600", "safe.supply.timeout_s (line 57):"),
        (
            "[safe.relay]",
            '[safe.relay]\nkind = "lien"',
            "safe.relay (line 59): unknown kind 'lien' (use one of 'line', 'openevse'",
        ),
        ("[safe.relay]", '[safe."re lay"]', "is no name that can be used here"),
    ],
)
def test_mistakes_are_told_by_key_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, message: str
) -> None:
    """``rig check`` ends in code 2 and says what is wrong, where, and what to do."""
    assert main(["rig", "check", str(rig_file(tmp_path, old, new))]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert "Traceback" not in err


def test_check_and_show_know_the_devices(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sound table passes the check, and is shown with its kind, its place and its time."""
    path = str(rig_file(tmp_path))
    assert main(["rig", "check", path]) == 0
    assert main(["rig", "show", path]) in (0, None)
    out = capsys.readouterr().out
    assert "safe.relay  line at tcp://10.0.0.7:4001, within 5 s" in out
