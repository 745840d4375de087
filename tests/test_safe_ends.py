"""Every way in which a run can end leaves the rig's real devices safe, read back from a device with its own memory."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hilbench.cli import main
from hilbench.rig_lock import RigLock
from tests.live import Program, alive, events, free_ports, happened, hilbench, program, until
from tests.relay_card import Told, relay_card
from tests.rigs import trio

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")

SAFE = """
[safe.relay]
address = "{address}"
send = "OFF"
expect = "OK"
query = "STATE?"
reads = "OFF"
"""
TEST = """
import asyncio, ctypes, os, signal, socket, threading
import pytest

HOST, PORT = "{address}".removeprefix("tcp://").split(":")

def energise():
    with socket.create_connection((HOST, int(PORT)), timeout=10) as card:
        card.sendall(b"ON\\n")
        assert card.recv(100) == b"OK\\n"
    with open("energised", "w"):
        pass

def fail(_number, _frame):
    pytest.fail("Timeout >0.1s")

@pytest.fixture
def second(bench):
    {fixture}

async def test_end(bench, second):
    energise()
    {body}
    await bench.run_for(1e6)
"""
ORDERLY: dict[str, str] = {
    "test failure": "assert False",
    "timeout by signal": "signal.signal(signal.SIGALRM, fail); signal.setitimer(signal.ITIMER_REAL, 0.1)",
    "timeout in a test that goes on": "signal.signal(signal.SIGALRM, fail); signal.setitimer(signal.ITIMER_REAL, 0.1)\n"
    "    while await asyncio.sleep(1.0) is None: energise()",
}
"""Ends that a test brings on itself and pytest lives to see; the time-out as pytest-timeout does it (read-code)."""
ABRUPT: dict[str, str] = {
    "timeout by thread": "threading.Timer(0.1, os._exit, (1,)).start()",
    "segfault": "ctypes.string_at(0)",
    "os._exit": "os._exit(0)",
}
"""Ends that pytest does not live to see; the first as pytest-timeout's other method ends a session (read-code)."""


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    """A relay card of the rig, and a folder of its own for locks and guardians."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with relay_card(tmp_path) as running:
        yield running


def rig_with(card: Told, folder: Path) -> Path:
    """The small rig on ports of its own, with ``card`` to be made safe."""
    ocpp, meter = free_ports(2)
    path = trio(folder, (":9000", f":{ocpp}"), (":5020", f":{meter}"))
    path.write_text(path.read_text() + SAFE.format(address=card.address))
    return path


@contextmanager
def session(card: Told, folder: Path, body: str = "", fixture: str = "pass", *options: str) -> Iterator[Program]:
    """A running pytest session whose test energises the card."""
    (folder / "test_end.py").write_text(TEST.format(address=card.address, body=body, fixture=fixture))
    rig = rig_with(card, folder)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rig", str(rig), "--bench-time", "x40"]
    with program([*command, *options, "test_end.py"], folder) as running:
        until(lambda: (folder / "energised").exists() or running.process.poll() is not None, "energising")
        assert "ON" in card.told, running.output
        yield running


def guardians(of: int) -> list[int]:
    """The guardians that process ``of`` or a child of it has started."""
    children = [int(word) for word in Path(f"/proc/{of}/task/{of}/children").read_text().split()]
    found = [pid for pid in children if b"hilbench.guardian" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return found + [pid for child in children for pid in guardians(child)]


def acts(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """What a guardian has written down that it did, without times."""
    path = folder / "guardian.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [(line["kind"], line["data"]) for line in lines]


def check_safe(card: Told) -> None:
    """The card was told OFF after it was told ON, asked for its state, and says itself that it is off."""
    until(lambda: not card.is_on, "the card to be told OFF")
    until(lambda: card.told[-2:] == ["OFF", "STATE?"], "the read-back")
    assert card.state == "OFF"


def check_by_guardian(folder: Path, rig: str = "trio") -> None:
    """The guardian acted, read the card back, wrote it down, and left the rig to others."""
    until(lambda: "guardian.done" in dict(acts(folder)), "the end of the guardian's work")
    kinds = [kind for kind, _data in acts(folder)]
    assert kinds == ["guardian.acts", "safe.commanded", "safe.confirmed", "guardian.done"]
    assert dict(acts(folder))["safe.confirmed"] == {"read": "OFF"}


def check_left_to_others(card: Told) -> None:
    """Nobody holds the rig's lock any more."""

    def free() -> bool:
        try:
            with RigLock([card.address], "next"):
                return True
        except Exception:
            return False

    until(free, "the lock of the rig")


@pytest.mark.parametrize("end", ORDERLY)
def test_pytest_ends_in_order(card: Told, tmp_path: Path, end: str) -> None:
    """A failing test, or one whose time is out, ends in the safe state, and no guardian has to act."""
    with session(card, tmp_path, ORDERLY[end]) as running:
        assert running.ended() == pytest.ExitCode.TESTS_FAILED, running.output
    check_safe(card)
    assert acts(tmp_path / "hilbench") == []
    check_left_to_others(card)


def test_pytest_ends_with_an_error_in_a_second_fixture(card: Told, tmp_path: Path) -> None:
    """A fixture that energises and then breaks is followed by the safe state."""
    with session(card, tmp_path, fixture="energise(); raise RuntimeError('broken')") as running:
        assert running.ended() == pytest.ExitCode.TESTS_FAILED, running.output
        assert "1 error" in running.output
    check_safe(card)
    assert acts(tmp_path / "hilbench") == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_pytest_ends_by_a_signal(card: Told, tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C, SIGTERM and SIGHUP end in the safe state; Ctrl-C goes to the whole group, and does not end a guardian."""
    with session(card, tmp_path) as running:
        running.send(number)
        assert running.ended() == (2 if number == signal.SIGINT else 128 + number), running.output
    check_safe(card)
    assert acts(tmp_path / "hilbench") == []
    check_left_to_others(card)


@pytest.mark.parametrize("end", ABRUPT)
def test_pytest_ends_without_a_word(card: Told, tmp_path: Path, end: str) -> None:
    """A crash in a driver, and exits that pass over everything, leave the work to the guardian, which does it."""
    with session(card, tmp_path, ABRUPT[end]) as running:
        running.ended()
    check_safe(card)
    check_by_guardian(tmp_path / "hilbench")
    check_left_to_others(card)


def test_pytest_ends_by_sigkill(card: Told, tmp_path: Path) -> None:
    """SIGKILL to the whole process group leaves the guardian, which makes the card safe."""
    with session(card, tmp_path) as running:
        os.killpg(running.process.pid, signal.SIGKILL)
        running.ended()
    check_safe(card)
    check_by_guardian(tmp_path / "hilbench")
    check_left_to_others(card)


def test_without_its_guardian_sigkill_leaves_the_card_energised(card: Told, tmp_path: Path) -> None:
    """The check can fail: when the guardian is killed first, nobody is left, and the card stays on."""
    with session(card, tmp_path) as running:
        (guardian,) = guardians(running.process.pid)
        os.kill(guardian, signal.SIGKILL)
        until(lambda: not alive(guardian), "the end of the guardian")
        running.send(signal.SIGKILL)
        running.ended()
    assert card.is_on
    assert card.state == "ON"


def test_xdist_ends_by_sigterm(card: Told, tmp_path: Path) -> None:
    """A worker whose session is ended makes the card safe, or its guardian does when it is not given the time."""
    with session(card, tmp_path, "", "pass", "-n", "1") as running:
        assert len(guardians(running.process.pid)) == 1
        running.send(signal.SIGTERM)
        running.ended()
        check_safe(card)
    check_left_to_others(card)


@contextmanager
def procedure(card: Told, folder: Path) -> Iterator[Program]:
    """A running ``hilbench run`` whose cars charge, with the card energised."""
    with program(hilbench("run", rig_with(card, folder), "--only", "7.2", "--time", "x40"), folder) as running:
        until(lambda: happened(folder / "runs" / "0001", "session.start"), "a charging session")
        card.tell("ON")
        yield running


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_run_ends_by_a_signal(card: Told, tmp_path: Path, number: signal.Signals) -> None:
    """The stations first, then the card, each commanded and confirmed in the record, before anything is let go."""
    with procedure(card, tmp_path) as running:
        running.send(number)
        assert running.ended() == 128 + number, running.output
    check_safe(card)
    run = tmp_path / "runs" / "0001"
    found = [(event["kind"], event["subject"]) for event in events(run) if event["kind"].startswith("safe.")]
    assert found[-2:] == [("safe.commanded", "safe.relay"), ("safe.confirmed", "safe.relay")]
    assert ("safe.confirmed", "A") in found[:-2]
    assert acts(run) == []
    check_left_to_others(card)


def test_a_run_ends_by_sigkill(card: Told, tmp_path: Path) -> None:
    """The guardian makes the card safe and writes into the run's folder what it did; a report made later says so."""
    with procedure(card, tmp_path) as running:
        running.send(signal.SIGKILL)
        assert running.ended() == -signal.SIGKILL
    check_safe(card)
    run = tmp_path / "runs" / "0001"
    check_by_guardian(run)
    check_left_to_others(card)
    assert main(["report", str(run)]) == 0
    assert "its guardian acted: device relay (OFF) read back." in (run / "report.html").read_text()


def test_a_card_that_sticks_makes_the_verdict_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that does not become safe is an ERROR with its name and its answer; the guardian has tried too."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with relay_card(tmp_path, "stuck") as card, procedure(card, tmp_path) as running:
        running.send(signal.SIGTERM)
        assert running.ended() == 128 + signal.SIGTERM, running.output
    run = tmp_path / "runs" / "0001"
    (result,) = [json.loads(path.read_text()) for path in run.glob("procedures/*/result.json")]
    assert result["verdict"] == "ERROR"
    assert "no safe state read back from safe.relay" in result["error"]
    (failed,) = [event for event in events(run) if event["kind"] == "safe.failed"]
    assert "answers 'ON' to 'STATE?', not 'OFF'" in failed["data"]["reason"]
    assert dict(acts(run))["guardian.done"] == {"failed": ["safe.relay"]}
    assert "its guardian acted: not confirmed: device relay (" in (run / "report.html").read_text()


def test_a_second_run_does_not_get_the_rig(card: Told, tmp_path: Path) -> None:
    """While a run has the rig, another one ends at once, saying who has it, and touches nothing."""
    with procedure(card, tmp_path) as running:
        before = card.told
        with program(hilbench("run", tmp_path / "trio.toml", "--only", "7.2"), tmp_path, "second") as second:
            assert second.ended() == 4, second.output
            assert f"is in use by process {running.process.pid} (" in " ".join(second.output.split())
            assert "with rig trio since 2" in " ".join(second.output.split())
        assert card.told == before
        assert not (tmp_path / "runs" / "0002").exists()
