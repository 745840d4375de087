"""``hilbench report``: what a user gets from a finished, aborted, killed, cut, changed or foreign folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.cli.report import report
from hilbench.evidence.reader import load_run
from hilbench.verdict import Verdict
from tests.evidence_samples import measurement, small_run

ROOT = Path(__file__).parents[1]


def run_report(*arguments: str | Path) -> Result:
    """The command in this process; a traceback fails the test at once."""
    found = CliRunner().invoke(report, [str(argument) for argument in arguments])
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    assert "Traceback" not in found.output
    return found


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with one FAIL, to be copied."""
    return small_run(tmp_path_factory.mktemp("finished"), measurement(Verdict.FAIL, 46.8))


def copied(finished: Path, folder: Path) -> Path:
    """A copy to be damaged."""
    return Path(shutil.copytree(finished, folder / "0001"))


def test_a_finished_run_is_rendered_again_and_stays_verified(finished: Path, tmp_path: Path) -> None:
    """The verdict and the page are named; the manifest still vouches for everything."""
    path = copied(finished, tmp_path)
    (path / "report.html").unlink()
    found = run_report(path)
    assert found.exit_code == 0
    assert "FAIL: 0 of 1 test passed, 1 failed, 1 not run." in found.output
    assert str(path / "report.html") in found.output
    # the page was missing when it was rendered again, so the manifest was not touched; it fits all the same
    assert run_report("--verify", path).exit_code == 0


def test_verify_names_each_difference(finished: Path, tmp_path: Path) -> None:
    """Changed, missing and extra files are listed, and the exit code is 4; the folder is left alone."""
    path = copied(finished, tmp_path)
    csv = path / "procedures/7.1-step/signals/current.service.L1.csv"
    csv.write_text(csv.read_text().replace("100.5", "79.5"))
    (path / "junit.xml").unlink()
    (path / "note.txt").write_text("hello")
    found = run_report(path, "--verify")
    assert found.exit_code == 4
    lines = found.output.splitlines()
    assert f"changed: {csv.relative_to(path)}" in lines
    assert "missing: junit.xml" in lines
    assert "extra: note.txt" in lines
    assert not (path / "junit.xml").exists()


def test_rendering_a_changed_folder_does_not_vouch_for_it(finished: Path, tmp_path: Path) -> None:
    """A changed sample stays a difference after rendering, and the user is warned."""
    path = copied(finished, tmp_path)
    csv = path / "procedures/7.1-step/signals/current.service.L1.csv"
    csv.write_text(csv.read_text().replace("100.5", "79.5"))
    found = run_report(path)
    assert found.exit_code == 0
    assert "warning: 1 files changed" in found.output
    assert run_report(path, "--verify").exit_code == 4


def test_verify_checks_the_schema_too(finished: Path, tmp_path: Path) -> None:
    """A manifest made after a change cannot hide a record that is none."""
    from hilbench.evidence.manifest import write_manifest

    path = copied(finished, tmp_path)
    with (path / "procedures/7.1-step/events.jsonl").open("a") as file:
        file.write('{"t": "soon", "kind": 3}\n')
    write_manifest(path)
    found = run_report(path, "--verify")
    assert found.exit_code == 4
    assert "not as the schema says: procedures/7.1-step/events.jsonl" in found.output


@pytest.mark.parametrize("status", ["ABORTED", None])
def test_a_run_that_did_not_end_says_so(tmp_path: Path, status: str | None) -> None:
    """Aborted and killed runs are rendered with what there is, and never called a pass."""
    path = small_run(tmp_path, status=status)
    found = run_report(path)
    assert found.exit_code == 0
    said = "ABORTED: The run was stopped before its end" if status else "INCOMPLETE: The run was cut off before its end"
    assert said in found.output
    assert "PASS" not in found.output
    assert (path / "report.html").is_file()


def test_a_killed_run_says_what_is_readable(tmp_path: Path) -> None:
    """How many signals and events, and how far they go."""
    found = run_report(small_run(tmp_path, status=None))
    assert "7.1 step <up>: cut off before its end: 2 signals and 3 events are readable, up to 46 s" in found.output


def test_verify_of_a_killed_run_finds_no_manifest(tmp_path: Path) -> None:
    """Nothing vouches for its files, which is not the same as being fine."""
    found = run_report(small_run(tmp_path, status=None), "--verify")
    assert found.exit_code == 4
    assert "no MANIFEST.sha256: the run is INCOMPLETE" in found.output


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nothing", None),
        ("package.json", '{"name": "x"}'),
        ("run.json", ""),
        ("run.json", "[]"),
        ("run.json", '{"schema_version": "2.0", "run": "1", "status": "FINISHED"}'),
        ("run.json", '{"schema_version": "1.0", "name": "somebody else\'s"}'),
        ("run.json", '{"schema_version": "1.0", "run": "0001", "status": "RUNNING", "plan": [{"key": 3}]}'),
    ],
)
def test_a_foreign_folder_is_refused(tmp_path: Path, name: str, text: str | None) -> None:
    """One line says what is wrong and where, exit code 2, and nothing is written into somebody else's folder."""
    if text is not None:
        (tmp_path / name).write_text(text)
    before = sorted(tmp_path.iterdir())
    for arguments in ((tmp_path,), (tmp_path, "--verify"), (tmp_path / "absent",), (Path(__file__),)):
        found = run_report(*arguments)
        assert found.exit_code == 2
        assert found.output.startswith("error: ")
        assert "run.json" in found.output
    assert sorted(tmp_path.iterdir()) == before


def files_of(path: Path) -> list[str]:
    """Files of a run that are not renderings."""
    names = (file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
    return sorted(name for name in names if name not in ("report.html", "junit.xml"))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_cut_anywhere_the_rest_is_shown(finished: Path, data: st.DataObject) -> None:
    """Each file cut at a random byte: a page, or for a torn run.json a clear refusal; never a pass out of nothing."""
    with TemporaryDirectory() as folder:
        path = copied(finished, Path(folder))
        torn = data.draw(st.sets(st.sampled_from(files_of(path)), min_size=1))
        for name in sorted(torn):
            content = (path / name).read_bytes()
            (path / name).write_bytes(content[: data.draw(st.integers(0, len(content) - 1), label=name)])
        found = run_report(path)
        if found.exit_code == 2:
            assert "run.json" in torn
            assert "run.json" in found.output
        else:
            assert found.exit_code == 0
            assert "PASS" not in found.output
            assert "</html>" in (path / "report.html").read_text("utf-8")
            assert run_report(path, "--verify").exit_code == 4


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_foreign_bytes_anywhere_are_survived(finished: Path, data: st.DataObject) -> None:
    """Garbage in the middle of any file costs no traceback and never looks whole."""
    with TemporaryDirectory() as folder:
        path = copied(finished, Path(folder))
        name = data.draw(st.sampled_from([name for name in files_of(path) if name != "MANIFEST.sha256"]))
        content = (path / name).read_bytes()
        place = data.draw(st.integers(0, len(content)))
        garbage = data.draw(st.binary(min_size=1, max_size=8))
        (path / name).write_bytes(content[:place] + garbage + content[place:])
        assert run_report(path).exit_code in (0, 2)
        assert run_report(path, "--verify").exit_code in (2, 4)


@pytest.mark.parametrize("name", ["procedures", "procedures/7.1-step/signals", "procedures/7.1-step/result.json"])
def test_what_is_missing_is_not_made_up(finished: Path, tmp_path: Path, name: str) -> None:
    """Without its folder, signals or result a procedure is no longer what it was, and the page can still be made."""
    path = copied(finished, tmp_path)
    target = path / name
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    found = run_report(path)
    assert found.exit_code == 0
    assert "PASS" not in found.output
    assert run_report(path, "--verify").exit_code == 4


def _in_a_process(path: Path, hash_seed: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hilbench", "report", str(path)]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, cwd=path)


def test_every_process_renders_the_same_bytes(finished: Path, tmp_path: Path) -> None:
    """The order of sets and dictionaries of a process is nowhere in the page."""
    path = copied(finished, tmp_path)
    pages = set()
    for hash_seed in ("1", "2"):
        assert _in_a_process(path, hash_seed).returncode == 0
        pages.add((path / "report.html").read_bytes() + (path / "junit.xml").read_bytes())
    assert len(pages) == 1


_RECORDER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.evidence_samples import EPOCH, META
from hilbench.evidence.folder import RunFolder
from hilbench.signals import Record
run = RunFolder.create(Path(sys.argv[1]), META)
folder, record = run.procedure("7.1-step", about={"id": "7.1", "title": "step"}), Record()
folder.follow(record, EPOCH)
t = 0.0
while True:
    for _ in range(200):
        t += 0.5
        for role in "ABC":
            record.signal(f"offered/{role}", "A").append(t, t % 32)
        record.event(t, "command.profile", "A", limit_a=t % 32)
    folder.flush()
    print(t, flush=True)
"""


def test_a_recorder_that_is_killed_leaves_a_report(tmp_path: Path) -> None:
    """SIGKILL while it writes: the report says that the run was cut off and shows what had been flushed by then."""
    command = [sys.executable, "-c", _RECORDER, str(tmp_path), str(ROOT)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as recorder:
        assert recorder.stdout is not None
        flushed = [float(recorder.stdout.readline()) for _ in range(10)][-1]
        os.kill(recorder.pid, signal.SIGKILL)
    found = run_report(tmp_path / "0001")
    assert found.exit_code == 0
    assert "INCOMPLETE: The run was cut off before its end" in found.output
    assert "3 signals and" in found.output
    last = load_run(tmp_path / "0001").procedures[-1].last_instant
    assert last is not None
    assert last >= flushed - 0.5
    assert 'aria-label="Offered to each car [A]"' in (tmp_path / "0001/report.html").read_text("utf-8")
