"""Signals: the site becomes safe first, the evidence is whole and says ABORTED, nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from hilbench.cli import main
from hilbench.cli.run import _conclude
from hilbench.evidence.folder import RunFolder
from hilbench.interrupts import Aborted, Interrupt, listening
from tests.live import Program, alive, events, free_ports, happened, hilbench, program, until
from tests.rigs import trio

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")


@pytest.fixture
def rig(tmp_path: Path) -> Path:
    """The small rig on ports of its own."""
    ocpp, meter = free_ports(2)
    return trio(tmp_path, (":9000", f":{ocpp}"), (":5020", f":{meter}"))


def head(run: Path) -> dict[str, Any]:
    """run.json."""
    found: dict[str, Any] = json.loads((run / "run.json").read_text())
    return found


def check_aborted(run: Path, number: signal.Signals, bench: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything that an aborted run must say and leave."""
    assert bench.ended() == 128 + number, bench.output
    assert "Traceback" not in bench.output
    assert f"ABORTED by {number.name}" in bench.output
    assert (head(run)["status"], head(run)["verdict"], head(run)["reason"]) == ("ABORTED", "ABORTED", number.name)
    assert "ABORTED" in (run / "report.html").read_text()
    assert main(["report", str(run), "--verify"]) == 0, capsys.readouterr().out


def check_safe_first(run: Path) -> None:
    """Every station was commanded and read back safe after the abort, and before anything was switched off."""
    kinds = [(event["kind"], event["subject"]) for event in events(run)]
    after = kinds[kinds.index(("bench.aborted", "bench")) :]
    assert {subject for kind, subject in after if kind == "safe.commanded"} == {"A", "B", "C"}
    assert {subject for kind, subject in after if kind == "safe.confirmed"} == {"A", "B", "C"}
    last_confirmed = max(index for index, (kind, _subject) in enumerate(after) if kind == "safe.confirmed")
    off = [index for index, (kind, _subject) in enumerate(after) if kind == "session.stop"]
    assert off
    assert min(off) > last_confirmed


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_while_cars_charge_makes_the_site_safe(
    rig: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    """Each signal, sent twice, while cars charge: safe first, evidence whole, ABORTED, 128 + n, no process left."""
    run = tmp_path / "runs" / "0001"
    with program(hilbench("run", rig, "--only", "7.2", "--time", "x40"), tmp_path) as bench:
        until(lambda: happened(run, "session.start"), "a charging session")
        children = bench.children
        assert children
        bench.send(number)
        bench.send(number)
        check_aborted(run, number, bench, capsys)
        check_safe_first(run)
        assert not [child for child in children if alive(child)]


def test_a_signal_before_the_controller_listens(rig: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A signal while the controller starts ends it, and the record is whole although nothing happened yet."""
    run = tmp_path / "runs" / "0001"
    with program(hilbench("run", rig, "--only", "7.2", "--time", "x40"), tmp_path) as bench:
        children = until(lambda: bench.children, "the controller's process")
        bench.send(signal.SIGTERM)
        check_aborted(run, signal.SIGTERM, bench, capsys)
        assert not [child for child in children if alive(child)]


@pytest.mark.parametrize("fate", [signal.SIGSTOP, signal.SIGKILL], ids=lambda number: number.name)
def test_a_signal_with_the_controller_suspended_or_dead(
    rig: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], fate: signal.Signals
) -> None:
    """A controller that hangs or has died keeps nobody from the safe state, and is not left behind."""
    run = tmp_path / "runs" / "0001"
    with program(hilbench("run", rig, "--only", "7.2", "--time", "x40"), tmp_path) as bench:
        until(lambda: happened(run, "session.start"), "a charging session")
        (child,) = bench.children
        os.kill(child, fate)
        bench.send(signal.SIGTERM)
        check_aborted(run, signal.SIGTERM, bench, capsys)
        check_safe_first(run)
        assert not alive(child)


def test_a_killed_bench_takes_its_suspended_controller_with_it(rig: Path, tmp_path: Path) -> None:
    """After SIGKILL of the bench no controller is left, not even a suspended one, and the record can be read."""
    run = tmp_path / "runs" / "0001"
    with program(hilbench("run", rig, "--only", "7.2", "--time", "x40"), tmp_path) as bench:
        until(lambda: happened(run, "session.start"), "a charging session")
        (child,) = bench.children
        os.kill(child, signal.SIGSTOP)
        bench.send(signal.SIGKILL)
        assert bench.ended() == -signal.SIGKILL
        until(lambda: not alive(child), "the end of the controller", 10.0)
    assert head(run)["status"] == "RUNNING"
    assert main(["report", str(run)]) == 0
    assert "INCOMPLETE" in (run / "report.html").read_text()


def test_ctrl_c_in_virtual_time_keeps_what_is_finished(
    rig: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C to a run with worker processes: no traceback, finished procedures stay, ABORTED, exit code 130."""
    run = tmp_path / "runs" / "0001"
    plan = ["--only", "7.2", "--repeat", "60", "--jobs", "2"]
    with program(hilbench("run", rig, *plan), tmp_path) as bench:
        first = until(lambda: list(run.glob("procedures/*/result.json")), "the first result")[0]
        bench.send(signal.SIGINT)
        check_aborted(run, signal.SIGINT, bench, capsys)
    assert json.loads(first.read_text())["verdict"] in ("PASS", "FAIL")
    assert head(run)["counts"].get("NOT_RUN", 0) >= 1


LATE = """
import os, signal, sys, time

if "--multiprocessing-fork" in sys.orig_argv:
    try:
        os.close(os.open(os.environ["FIRST_WORKER"], os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        while signal.SIGTERM not in signal.sigpending():
            time.sleep(0.02)
"""


def test_ctrl_c_while_a_worker_still_starts(
    rig: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that has not come up yet when the end is called neither dies holding a lock nor is waited for."""
    (tmp_path / "late").mkdir()
    (tmp_path / "late" / "sitecustomize.py").write_text(LATE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "late"), prepend=os.pathsep)
    monkeypatch.setenv("FIRST_WORKER", str(tmp_path / "first"))
    run = tmp_path / "runs" / "0001"
    with program(hilbench("run", rig, "--only", "7.2", "--repeat", "60", "--jobs", "2"), tmp_path) as bench:
        until(lambda: list(run.glob("procedures/*/result.json")), "the first result")
        bench.send(signal.SIGINT)
        check_aborted(run, signal.SIGINT, bench, capsys)


TEST = """
import pytest

@pytest.fixture
def witness(tmp_path):
    held = []
    yield held
    kinds = [event.kind for event in held[0].record.events]
    print("after the test:", kinds.count("safe.commanded"), kinds.count("safe.confirmed"))

async def test_long(witness, bench):
    witness.append(bench)
    await bench.plug_in()
    print("plugged in", flush=True)
    await bench.run_for(100_000)
"""


def test_a_signal_ends_a_pytest_session_in_the_safe_state(rig: Path, tmp_path: Path) -> None:
    """SIGTERM to pytest: every station is safe and read back before the process ends, with 128 + n."""
    (tmp_path / "test_long.py").write_text(TEST)
    options = ["-s", "-p", "no:cacheprovider", "--rig", str(rig), "--bench-time", "x40"]
    with program([sys.executable, "-m", "pytest", *options, "test_long.py"], tmp_path) as session:
        session.saw("plugged in")
        children = session.children
        session.send(signal.SIGTERM)
        assert session.ended() == 128 + signal.SIGTERM, session.output
        assert "after the test: 3 3" in session.output
        assert not [child for child in children if alive(child)]


def test_a_signal_while_the_report_is_written_is_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal that comes while the end of a finished run is written makes it ABORTED, and the record is whole."""
    folder, interrupt = RunFolder.create(tmp_path, {}), Interrupt()
    real = RunFolder.finish

    def finish(self: RunFolder, status: Any, **closing: Any) -> str:
        interrupt.arrived(signal.SIGTERM)
        return real(self, status, **closing)

    monkeypatch.setattr(RunFolder, "finish", finish)
    assert _conclude(folder, interrupt) == signal.SIGTERM
    assert (head(folder.path)["status"], head(folder.path)["reason"]) == ("ABORTED", "SIGTERM")
    assert main(["report", str(folder.path), "--verify"]) == 0


def test_an_end_without_a_signal_is_no_abort(tmp_path: Path) -> None:
    """A run that nothing disturbs ends as FINISHED."""
    folder = RunFolder.create(tmp_path, {})
    assert _conclude(folder, Interrupt()) is None
    assert head(folder.path)["status"] == "FINISHED"


def test_only_the_first_signal_counts() -> None:
    """The first signal names the end; a later one neither replaces it nor stops anything again."""
    interrupt, stopped = Interrupt(), []
    with interrupt.calls(lambda: stopped.append(interrupt.name)):
        interrupt.arrived(signal.SIGHUP)
        interrupt.arrived(signal.SIGTERM)
    assert stopped == ["SIGHUP"]
    with pytest.raises(Aborted, match="SIGHUP"):
        interrupt.check()


def test_a_signal_that_came_early_stops_what_starts_later() -> None:
    """Work that begins after the signal is stopped at once."""
    interrupt, stopped = Interrupt(), []
    interrupt.arrived(signal.SIGINT)
    with interrupt.calls(lambda: stopped.append(interrupt.name)):
        pass
    assert stopped == ["SIGINT"]


def test_ignored_signals_stay_ignored() -> None:
    """A program that was started to ignore SIGHUP (nohup) goes on when it comes; afterwards all is as before."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with listening() as interrupt:
            os.kill(os.getpid(), signal.SIGHUP)
            os.kill(os.getpid(), signal.SIGTERM)
        assert interrupt.name == "SIGTERM"
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)
