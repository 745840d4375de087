"""``hilbench station`` over real sockets: what it prints, its log, its exit codes, its keys, and how it ends."""

from __future__ import annotations

import asyncio
import io
import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.live import Live

from hilbench import clock
from hilbench.cli import main
from hilbench.cli.keys import keys_in
from hilbench.cli.station_live import Keyboard
from hilbench.cli.station_show import Screen, table
from hilbench.fleet import Fleet, Plan, identities
from hilbench.fleet_member import Row
from hilbench.fleet_stay import Stay
from hilbench.ocppj import VERSIONS
from tests.central import central
from tests.live import Program, beside, free_ports, until

Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def controller(*known: str) -> Iterator[str]:
    """A central system in a thread of its own that knows some stations; yields its address."""
    port = free_ports(1)[0]
    with beside(lambda: central(known, port)):
        yield f"ws://127.0.0.1:{port}/ocpp"


def frames(path: Path) -> list[dict[str, Any]]:
    """The lines of a message log."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def actions(log: list[dict[str, Any]], station: str, direction: str) -> list[str]:
    """What was asked of one side."""
    return [
        line["frame"][2]
        for line in log
        if line["frame"][0] == 2 and (line["station"], line["direction"]) == (station, direction)
    ]


@pytest.mark.parametrize("ocpp", VERSIONS)
def test_stations_play_a_script_before_a_real_central_system(capsys: Capture, tmp_path: Path, ocpp: str) -> None:
    """In each version: accepted, a transaction that is told to its end, a log of it all, exit code 0."""
    script, log = tmp_path / "s.txt", tmp_path / "log.jsonl"
    script.write_text("0 plug CP1\n1 quit\n")
    with controller("CP1", "CP2") as url:
        options = ["--ocpp", ocpp, "--count", "2", "--script", str(script), "--log", str(log), "--json"]
        assert main(["station", url, *options]) == 0
    out, err = capsys.readouterr()
    first, second = json.loads(out)
    assert (first["identity"], first["accepted"], first["transactions"], first["limit_a"]) == ("CP1", True, 1, 8.0)
    assert (second["identity"], second["accepted"], second["transactions"]) == ("CP2", True, 0)
    assert "CP1: online" in err
    said = frames(log)
    assert first["sent"] == sum((line["station"], line["direction"]) == ("CP1", "out") for line in said)
    asked = actions(said, "CP1", "out")
    assert asked[0] == "BootNotification"
    assert {"1.6": "StopTransaction"}.get(ocpp, "TransactionEvent") in asked
    assert "SetChargingProfile" in actions(said, "CP1", "in")


def test_the_log_can_be_explained(capsys: Capture, tmp_path: Path) -> None:
    """What a station was told is input of ``hilbench profiles explain``."""
    log = tmp_path / "log.jsonl"
    with controller("CP1") as url:
        assert main(["station", url, "--for", "3", "--log", str(log)]) == 0
    capsys.readouterr()
    assert main(["profiles", "explain", str(log), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["intervals"][0]["limit_a"] == [8, 8, 8]


def test_a_station_that_is_never_accepted_ends_in_code_1(capsys: Capture) -> None:
    """Its reason is in the report: refused by the controller, or nobody there."""
    with controller("CP1") as url:
        assert main(["station", url, "--identity", "STRANGER", "--exact", "--for", "3"]) == 1
    assert "never accepted: HTTP 404 Not Found" in capsys.readouterr().out
    assert main(["station", f"ws://127.0.0.1:{free_ports(1)[0]}", "--for", "2"]) == 1
    assert "never accepted: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument 'URL'"),
        (["http://127.0.0.1"], "is not the address of a central system"),
        (["ws://"], "is not the address"),
        (["ws://host:99999"], "is not the address"),
        (["ws://a b"], "is not the address"),
        (["ws://[::1"], "is not the address"),
        (["ws://h", "--ocpp", "1.5"], "--ocpp"),
        (["ws://h", "--count", "0"], "--count"),
        (["ws://h", "--max-a", "nan"], "is not a number"),
        (["ws://h", "--vehicle", "lef-40"], "no such car (did you mean leaf-40?)"),
        (["ws://h", "--identity", "a/b"], "is not made of"),
        (["ws://h", "--exact", "--count", "2"], "--exact is for one station"),
        (["ws://h", "--for", "soon"], "is not a duration"),
        (["ws://h", "--script", "/no/where.txt"], "/no/where.txt: cannot be read: No such file"),
        (["ws://h", "--log", "/no/where.jsonl"], "/no/where.jsonl: cannot be written: No such file"),
    ],
)
def test_bad_arguments_end_in_code_2(capsys: Capture, arguments: list[str], message: str) -> None:
    """Nothing is started, and what is wrong is named."""
    assert main(["station", *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_log_that_cannot_be_written_is_told(capsys: Capture) -> None:
    """The stations go on to their end, the report is printed, and the exit code is 4."""
    with controller("CP1") as url:
        assert main(["station", url, "--for", "3", "--log", "/dev/full"]) == 4
    out, err = capsys.readouterr()
    assert "CP1: online" in out
    assert "/dev/full: the log is not complete: No space left on device" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    """The car is unplugged, the controller hears of it, the log is complete, the report is printed."""
    log = tmp_path / "log.jsonl"
    with controller("CP1") as url:
        command = [sys.executable, "-m", "hilbench", "station", url, "--plug", "--log", str(log)]
        program = Program(command, tmp_path / "out.txt", ROOT)
        program.saw("transaction")
        program.send(number)
        assert program.ended() == 128 + number
    assert actions(frames(log), "CP1", "out").count("StopTransaction") == 1
    assert "station  sent  received" in program.output
    assert "Traceback" not in program.output


def test_keys_act_on_a_terminal(tmp_path: Path) -> None:
    """On a terminal there is a table; ``p`` plugs in, ``q`` quits, and the terminal is as it was."""
    log, ours, theirs = tmp_path / "log.jsonl", *pty.openpty()
    seen = bytearray()
    with controller("CP1", "CP2") as url:
        command = [sys.executable, "-m", "hilbench", "station", url, "--count", "2", "--log", str(log)]
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "160", "LINES": "30"}
        process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, env=environment)
        os.close(theirs)
        reader = threading.Thread(target=_drain, args=(ours, seen))
        reader.start()
        try:
            until(lambda: seen.count(b"online") >= 2, "two stations online", 20)
            os.write(ours, b"\x1b[Bp")
            until(lambda: "StartTransaction" in log.read_text(), "a transaction", 20)
            os.write(ours, b"q")
            assert process.wait(20) == 0
        finally:
            process.kill()
            process.wait()
            reader.join()
            os.close(ours)
    assert "StartTransaction" in actions(frames(log), "CP2", "out")
    assert b"q quit" in seen
    assert b"\x1b[?25h" in seen  # the cursor is shown again


def _drain(descriptor: int, into: bytearray) -> None:
    """Read a terminal until its other end is gone."""
    while True:
        try:
            data = os.read(descriptor, 65536)
        except OSError:
            return
        if not data:
            return
        into += data


@pytest.mark.parametrize(
    ("text", "keys"),
    [("pq", ["p", "q"]), ("\x1b[A\x1bOB1", ["up", "down", "1"]), ("\x1b[Z\x1b", []), ("", []), ("é\n", ["é", "\n"])],
)
def test_keys_are_told_apart(text: str, keys: list[str]) -> None:
    """Arrows have names, other sequences do not count."""
    assert keys_in(text) == keys


def test_keys_select_and_act() -> None:
    """Arrows and digits move the mark within the stations; complaints go below the table; ``q`` ends the stay."""

    async def scene() -> tuple[list[int], str, bool]:
        console = Console(file=io.StringIO(), width=140, force_terminal=True)
        fleet = Fleet(Plan(url="ws://127.0.0.1:9000", identities=identities("CP", 3)))
        stay, marks = Stay(fleet, []), list[int]()
        with Live(console=console, auto_refresh=False) as live:
            screen = Screen(live)
            keyboard = Keyboard(fleet, stay, screen)
            running = asyncio.create_task(stay.run(screen))
            await asyncio.sleep(1)
            for key in ("up", "down", "3", "9", "down", "2", "?", "f"):
                keyboard.press(key)
                marks.append(screen.selected)
            await asyncio.sleep(1)
            keyboard.press("q")
            await running
        assert isinstance(console.file, io.StringIO)
        return marks, console.file.getvalue(), clock.time() < 10

    marks, shown, soon = clock.run(scene())
    assert marks == [0, 1, 2, 2, 2, 1, 1, 1]
    assert "station CP2: there is no car that could draw too much" in shown
    assert "q quit" in shown
    assert soon


def test_a_table_shows_the_stations_around_the_mark() -> None:
    """Of 60 stations a terminal shows 25, the selected one among them."""
    rows = [Row(f"CP{number}", "online", "Available", "", 32, 0, 0, 0, "") for number in range(1, 61)]
    for selected in (0, 30, 59):
        console = Console(file=io.StringIO(), width=140)
        console.print(table(rows, selected))
        assert isinstance(console.file, io.StringIO)
        lines = console.file.getvalue().splitlines()
        assert len(lines) == 26
        assert sum(line.startswith(f">  CP{selected + 1} ") for line in lines) == 1
