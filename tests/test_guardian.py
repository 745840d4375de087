"""The guardian: armed before anything, deaf to signals, sent home by one word, and at work after any other end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hilbench.errors import DeviceError
from hilbench.guardian import Guardian
from hilbench.interrupts import SIGNALS
from hilbench.rig_lock import RigLock
from hilbench.safe_plan import SafePlan, SafeStep
from tests.live import alive, until
from tests.relay_card import Told, relay_card

ORDER = {"send": "OFF", "expect": "OK", "query": "STATE?", "reads": "OFF"}


def plan(card: Told) -> SafePlan:
    """Make ``card`` safe."""
    return SafePlan((SafeStep("safe.card", "line", card.address, ORDER, 1.5),))


def log(folder: Path) -> list[dict[str, Any]]:
    """What the guardian wrote down."""
    path = folder / "guardian.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_the_word_sends_it_home(tmp_path: Path) -> None:
    """Disarmed, it ends and has done nothing."""
    with relay_card(tmp_path) as card:
        card.tell("ON")
        assert Guardian.start(plan(card), "rig", tmp_path / "guardian.jsonl").disarm()
        assert (card.told, log(tmp_path)) == (["ON"], [])


@pytest.mark.parametrize("habits", [(), ("stuck",)])
def test_it_acts_when_it_is_asked_to(tmp_path: Path, habits: tuple[str, ...]) -> None:
    """A run that could not read its safe state back lets it try, and learns whether it could."""
    with relay_card(tmp_path, *habits) as card:
        card.tell("ON")
        assert Guardian.start(plan(card), "rig", tmp_path / "guardian.jsonl").let_act() is (habits == ())
        kinds = [line["kind"] for line in log(tmp_path)]
    ending = "safe.failed" if habits else "safe.confirmed"
    assert kinds == ["guardian.acts", "safe.commanded", ending, "guardian.done"]
    assert all(line["utc"].endswith("Z") for line in log(tmp_path))


def test_signals_do_not_end_it(tmp_path: Path) -> None:
    """SIGINT, SIGTERM and SIGHUP, to itself: it goes on, and still acts."""
    with relay_card(tmp_path) as card:
        guardian = Guardian.start(plan(card), "rig", tmp_path / "guardian.jsonl")
        for number in SIGNALS:
            guardian._process.send_signal(number)
        assert os.getsid(guardian._process.pid) == guardian._process.pid != os.getsid(0)
        assert guardian.let_act()


def test_it_has_nothing_open_but_its_pipe_and_its_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of the run that was left inheritable is closed in it: no lock of a port stays behind through it."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with (tmp_path / "port").open("w") as port, relay_card(tmp_path) as card, RigLock([card.address], "rig") as lock:
        os.set_inheritable(port.fileno(), True)
        guardian = Guardian.start(plan(card), "rig", tmp_path / "guardian.jsonl", lock.fds)
        folder = Path(f"/proc/{guardian._process.pid}/fd")
        until(lambda: str((folder / "2").readlink()) == "/dev/null", "outputs that nobody reads")
        places = {str(path.readlink()) for path in folder.iterdir()}
        files = {place for place in places if place.startswith("/") and place != "/dev/null"}
        assert files == {str(next((tmp_path / "hilbench").glob("*.lock")))}
        assert guardian.disarm()


def test_one_that_is_gone_is_noticed(tmp_path: Path) -> None:
    """A guardian that was killed does not pass for one that was sent home."""
    with relay_card(tmp_path) as card:
        guardian = Guardian.start(plan(card), "rig", tmp_path / "guardian.jsonl")
        guardian._process.kill()
        guardian._process.wait()
        assert not guardian.disarm()


def test_one_that_cannot_do_its_work_is_not_armed(tmp_path: Path) -> None:
    """A plan with a kind that nothing can make safe is refused before anything is energised."""
    nonsense = SafePlan((SafeStep("safe.x", "telepathy", "there"),))
    with pytest.raises(DeviceError, match="no guardian for the rig: nothing makes a device of kind 'telepathy' safe"):
        Guardian.start(nonsense, "rig", tmp_path / "guardian.jsonl")


def test_a_folder_that_cannot_be_written_keeps_it_from_nothing(tmp_path: Path) -> None:
    """The card is safe also when there is no place to say so."""
    with relay_card(tmp_path) as card:
        card.tell("ON")
        assert Guardian.start(plan(card), "rig", tmp_path / "no" / "such" / "folder.jsonl").let_act()
        assert card.state == "OFF"


RUN = """
import json, os, signal, sys
from pathlib import Path
from hilbench.guardian import Guardian
from hilbench.safe_plan import SafePlan

Guardian.start(SafePlan.from_plain(json.loads(sys.argv[1])), "rig", Path(sys.argv[2]))
if os.fork() == 0:
    os.setsid()
    with open(sys.argv[3] + ".new", "w") as file:
        file.write(str(os.getpid()))
    os.rename(sys.argv[3] + ".new", sys.argv[3])
    if sys.argv[4] == "exec":
        os.execvp("sleep", ["sleep", "600"])
    signal.pause()
while not os.path.exists(sys.argv[3]):
    pass
os._exit(0)
"""


@pytest.mark.parametrize("how", ["fork", "exec"])
def test_a_child_that_outlives_the_run_delays_nothing(tmp_path: Path, how: str) -> None:
    """A forked child has a copy of the pipe, which stays open; the end of the run is seen all the same."""
    child = 0
    with relay_card(tmp_path) as card:
        card.tell("ON")
        words = [json.dumps(plan(card).to_plain()), str(tmp_path / "guardian.jsonl"), str(tmp_path / "child"), how]
        subprocess.run([sys.executable, "-c", RUN, *words], check=True, timeout=60)
        try:
            until(lambda: [line for line in log(tmp_path) if line["kind"] == "guardian.done"], "the guardian's work")
            child = int((tmp_path / "child").read_text())
            assert alive(child)
            assert card.state == "OFF"
        finally:
            if child:
                os.kill(child, signal.SIGKILL)
