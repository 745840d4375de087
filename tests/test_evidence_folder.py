"""hilbench.evidence.folder, reader, manifest: what a run leaves on disk, whole or cut off."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from hilbench.errors import HilbenchError, InputError
from hilbench.evidence.folder import ProcedureFolder, RunFolder
from hilbench.evidence.manifest import check_manifest
from hilbench.evidence.reader import load_run
from hilbench.signals import Record
from hilbench.verdict import Verdict
from tests.evidence_samples import EPOCH, META, measurement, record, result, small_run


def test_a_run_exists_on_disk_from_its_first_moment(tmp_path: Path) -> None:
    """run.json is there with status RUNNING before anything ran; a reader calls it INCOMPLETE."""
    run = RunFolder.create(tmp_path / "runs", META)
    assert run.path.name == "0001"
    assert json.loads((run.path / "run.json").read_text())["status"] == "RUNNING"
    assert load_run(run.path).verdict == "INCOMPLETE"


def test_runs_take_the_next_free_number(tmp_path: Path) -> None:
    """Numbers only grow; other folders do not matter."""
    (tmp_path / "0007").mkdir()
    (tmp_path / "notes").mkdir()
    assert [RunFolder.create(tmp_path, META).path.name for _ in range(2)] == ["0008", "0009"]


def _create(out: Path) -> str:
    return RunFolder.create(out, META).path.name


def test_runs_that_start_together_get_a_folder_each(tmp_path: Path) -> None:
    """Twenty runs from two processes have twenty folders."""
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        names = list(pool.map(_create, [tmp_path] * 20))
    assert len(set(names)) == 20


def test_a_procedure_and_repeat_has_one_folder(tmp_path: Path) -> None:
    """The second repeat gets a suffix; the same one twice is an error."""
    run = RunFolder.create(tmp_path, META)
    assert run.procedure("7.1-step").path.name == "7.1-step"
    assert run.procedure("7.1-step", 2).path.name == "7.1-step-r002"
    with pytest.raises(HilbenchError, match="a folder of its own"):
        run.procedure("7.1-step")


def test_signals_come_back_to_the_last_bit(tmp_path: Path) -> None:
    """Every row, name, unit, kind and source is read back as it was recorded, whenever it was flushed."""
    made, grown = record(), Record()
    folder = ProcedureFolder.create(tmp_path / "p", {})
    folder.follow(grown, EPOCH)
    for name, source in made.signals.items():
        copy = grown.signal(name, source.unit, source.kind, source.source)
        for t, value in zip(*(column.tolist() for column in source.rows()), strict=True):
            copy.append(t, value / 3.0)
            folder.flush()
    folder.finish(result(measurement()))
    RunFolder.create(tmp_path / "runs", META)
    shutil.copytree(tmp_path / "p", tmp_path / "runs/0001/procedures/p")
    procedure = next(item for item in load_run(tmp_path / "runs/0001").procedures if item.folder == "p")
    loaded = procedure.load(list(grown.signals))
    for name, signal_ in grown.signals.items():
        assert [column.tolist() for column in loaded[name].rows()] == [column.tolist() for column in signal_.rows()]
        assert (loaded[name].unit, loaded[name].kind, loaded[name].source) == (
            signal_.unit,
            signal_.kind,
            signal_.source,
        )
    assert procedure.epoch == EPOCH


def test_flush_writes_only_what_is_settled_and_only_once(tmp_path: Path) -> None:
    """The latest instant may still change, so it waits; a second flush adds nothing."""
    made = Record()
    level = made.signal("s", "A")
    folder = ProcedureFolder.create(tmp_path / "p", {})
    folder.follow(made, EPOCH)
    level.append(0.0, 1.0)
    level.append(1.0, 2.0)
    folder.flush()
    folder.flush()
    assert (tmp_path / "p/signals/s.csv").read_text() == "time_s,A\n0.0,1.0\n"
    level.append(1.0, 3.0)
    folder.finish(result(measurement()))
    assert (tmp_path / "p/signals/s.csv").read_text() == "time_s,A\n0.0,1.0\n1.0,3.0\n"


def test_events_carry_bench_time_and_utc(tmp_path: Path) -> None:
    """An event line says when in both clocks, and keeps its data."""
    path = small_run(tmp_path)
    events = load_run(path).procedures[1].events
    assert events[0] == {
        "t": 10.0,
        "utc": "2024-06-04T16:00:10.000Z",
        "kind": "stimulus.step",
        "subject": "service",
        "data": {"amps": 30.5},
    }
    assert len(events) == 3


def test_the_digest_of_signals_depends_on_values_and_nothing_else(tmp_path: Path) -> None:
    """The same samples flushed at other moments and in another order hash alike; one changed sample does not."""

    def digest(folder_name: str, names: list[str], value: float, flush: bool) -> str:
        made = Record()
        folder = ProcedureFolder.create(tmp_path / folder_name, {})
        folder.follow(made, EPOCH)
        for name in names:
            made.signal(name, "A").append(0.0, 1.0)
        for name in names:
            made.signal(name, "A").append(1.0, value)
            if flush:
                folder.flush()
        return str(folder.finish(result(measurement()))["hashes"]["signals_sha256"])

    first = digest("a", ["x", "y"], 2.0, flush=True)
    assert first == digest("b", ["y", "x"], 2.0, flush=False)
    assert first != digest("c", ["x", "y"], 2.0000000000000004, flush=True)
    assert first != digest("d", ["x", "z"], 2.0, flush=True)


def test_hashes_of_connections_are_kept(tmp_path: Path) -> None:
    """Trace digests come as an argument or inside the result, and end up in one place."""
    folder = ProcedureFolder.create(tmp_path / "p", {})
    written = folder.finish({**result(measurement()), "traces": {"B": "cd"}}, {"A": "ab"})
    assert written["hashes"]["traces_sha256"] == {"A": "ab", "B": "cd"}
    assert "traces" not in written


def test_unfit_units_and_names_do_not_break_the_files(tmp_path: Path) -> None:
    """Commas, line ends, slashes and other alphabets in names and units are kept in the index."""
    made = Record()
    made.signal("Ампер/../x,\n", "a,b\n").append(0.0, float("nan"))
    folder = ProcedureFolder.create(tmp_path / "p", {})
    folder.follow(made, EPOCH)
    folder.finish(result(measurement()))
    index = json.loads((tmp_path / "p/signals/index.json").read_text())
    entry = index["signals"][0]
    assert (entry["name"], entry["unit"]) == ("Ампер/../x,\n", "a,b\n")
    assert (tmp_path / "p/signals" / entry["file"]).read_text().splitlines() == ["time_s,a b", "0.0,nan"]


_WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.evidence_samples import EPOCH, META
from hilbench.evidence.folder import RunFolder
from hilbench.signals import Record
run = RunFolder.create(Path(sys.argv[1]), META)
folder, record = run.procedure("7.1-step"), Record()
folder.follow(record, EPOCH)
i = 0
while True:
    for _ in range(500):
        i += 1
        for k in range(5):
            record.signal(f"current/n/L{k}", "A", "linear").append(i * 0.1, i / 7 + k)
        record.event(i * 0.1, "tick", "n", i=i)
    folder.flush()
    print(i, flush=True)
"""


def test_a_killed_writer_leaves_everything_that_it_flushed(tmp_path: Path) -> None:
    """After SIGKILL in the middle of writing every flushed row and event is readable, and a report can be made."""
    command = [sys.executable, "-c", _WRITER, str(tmp_path), str(Path(__file__).parents[1])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        flushed = [int(writer.stdout.readline()) for _ in range(20)][-1]
        os.kill(writer.pid, signal.SIGKILL)
    run = load_run(tmp_path / "0001")
    assert (run.status, run.verdict) == ("INCOMPLETE", "INCOMPLETE")
    procedure = run.procedures[1]
    signals = procedure.load([f"current/n/L{k}" for k in range(5)])
    for k in range(5):
        t, v = signals[f"current/n/L{k}"].rows()
        assert len(t) >= flushed - 1
        expected = np.arange(1, len(t) + 1)
        assert np.array_equal(t, expected * 0.1)
        assert np.array_equal(v, expected / 7 + k)
    assert [event["data"]["i"] for event in procedure.events] == list(range(1, len(procedure.events) + 1))
    assert len(procedure.events) >= flushed
    assert procedure.problems == []
    RunFolder(run.path).finish("ABORTED", reason="killed")
    assert "cut off" in (run.path / "report.html").read_text()


def test_finish_concludes_from_what_the_workers_wrote(tmp_path: Path) -> None:
    """run.json ends with verdict, counts and every result; what was planned and has no folder is NOT_RUN."""
    path = small_run(tmp_path, measurement(Verdict.FAIL, 46.8))
    document = json.loads((path / "run.json").read_text())
    assert (document["status"], document["verdict"]) == ("FINISHED", "FAIL")
    assert document["counts"] == {"FAIL": 1, "NOT_RUN": 1}
    not_run, done = document["procedures"]
    assert (not_run["verdict"], not_run["folder"]) == ("NOT_RUN", None)
    assert not_run["notes"] == ["the rig has no controller.suspend"]
    assert done["measurements"][0]["value"] == 46.8
    assert done["folder"] == "procedures/7.1-step"


@pytest.mark.parametrize("status", ["ABORTED", "ERROR"])
def test_a_run_that_did_not_finish_never_passes(tmp_path: Path, status: str) -> None:
    """Even when everything that ran passed."""
    path = small_run(tmp_path, status=status)
    assert json.loads((path / "run.json").read_text())["verdict"] == status


def test_the_manifest_names_every_difference(tmp_path: Path) -> None:
    """Changed, missing and extra files are told apart; an untouched folder is whole."""
    path = small_run(tmp_path)
    assert check_manifest(path).ok
    csv = path / "procedures/7.1-step/signals/current.service.L1.csv"
    csv.write_text(csv.read_text().replace("100.5", "79.5"))
    (path / "junit.xml").unlink()
    (path / "note.txt").write_text("hello")
    check = check_manifest(path)
    assert not check.ok
    assert check.changed == ("procedures/7.1-step/signals/current.service.L1.csv",)
    assert (check.missing, check.extra) == (("junit.xml",), ("note.txt",))


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs sha256sum")
def test_the_manifest_is_what_sha256sum_reads(tmp_path: Path) -> None:
    """sha256sum -c accepts the folder, and rejects it after a change."""
    path = small_run(tmp_path)
    command = ["sha256sum", "-c", "--quiet", "--strict", "MANIFEST.sha256"]
    assert subprocess.run(command, cwd=path, capture_output=True).returncode == 0
    (path / "run.json").write_text("{}")
    assert subprocess.run(command, cwd=path, capture_output=True).returncode != 0


def test_a_failing_renderer_costs_no_evidence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the report cannot be made, run.json has its end and the manifest vouches for the files."""

    def broken(_run: object) -> None:
        raise RuntimeError("cannot draw")

    monkeypatch.setattr("hilbench.evidence.render.render", broken)
    with pytest.raises(RuntimeError, match="cannot draw"):
        small_run(tmp_path)
    assert json.loads((tmp_path / "0001/run.json").read_text())["status"] == "FINISHED"
    assert check_manifest(tmp_path / "0001").ok


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema_version": "2.0", "status": "FINISHED"}'])
def test_a_folder_that_is_no_run_is_an_input_error(tmp_path: Path, text: str) -> None:
    """No run.json, a broken one and one of a later major version are said to be so."""
    if text:
        (tmp_path / "run.json").write_text(text)
    with pytest.raises(InputError, match=r"run\.json"):
        load_run(tmp_path)


def test_a_damaged_result_is_named_and_the_signals_are_kept(tmp_path: Path) -> None:
    """A result.json that is no JSON makes its procedure INCOMPLETE, with the reason."""
    path = small_run(tmp_path)
    (path / "procedures/7.1-step/result.json").write_text('{"verdict": "PA')
    procedure = load_run(path).procedures[1]
    assert procedure.verdict == "INCOMPLETE"
    assert procedure.problems == ["result.json is not readable"]
    assert len(procedure.load(["current/service/L1"])) == 1


def test_procedures_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """2.5 comes before 10.1, and the second repeat before the eleventh."""
    run = RunFolder.create(tmp_path, {})
    for key, repeat in (("10.1-b", 1), ("2.5-a", 11), ("2.5-a", 1), ("2.5-a", 2)):
        run.procedure(key, repeat)
    names = [item.folder for item in load_run(run.path).procedures]
    assert names == ["2.5-a", "2.5-a-r002", "2.5-a-r011", "10.1-b"]
