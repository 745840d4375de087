"""hilbench.evidence.manifest: every change, loss and addition after the end of a run is seen."""

from __future__ import annotations

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.evidence.manifest import NAME, check_manifest, write_manifest
from tests.evidence_samples import small_run

SOME = {"run.json": b"{}\n", "procedures/7.1/signals/a.csv": b"time_s,A\n0.0,1.0\n", "Ünïcödé name.txt": b"\x00\xff"}


def filled(folder: Path, files: dict[str, bytes]) -> Path:
    """A folder with these files and its manifest."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    write_manifest(folder)
    return folder


def test_every_file_of_a_finished_run_is_listed(tmp_path: Path) -> None:
    """Digests are those of the files, the manifest itself is the only file without one."""
    path = small_run(tmp_path)
    rows = (line.split("  ", 1) for line in (path / NAME).read_text().splitlines())
    listed = {name: digest for digest, name in rows}
    found = {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()} - {NAME}
    assert set(listed) == found
    for name, digest in listed.items():
        assert hashlib.sha256((path / name).read_bytes()).hexdigest() == digest
    assert check_manifest(path).ok


def test_a_folder_without_manifest_is_not_vouched_for(tmp_path: Path) -> None:
    """No manifest is not the same as no difference."""
    check = check_manifest(tmp_path)
    assert not check.present
    assert not check.ok


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(SOME)), st.data())
def test_any_changed_byte_is_seen(name: str, data: st.DataObject) -> None:
    """Flip, cut or add a byte anywhere in any file: exactly this file is named as changed."""
    content = SOME[name]
    place = data.draw(st.integers(0, len(content) - 1))
    other = data.draw(st.integers(1, 255))
    flipped = content[:place] + bytes([content[place] ^ other]) + content[place + 1 :]
    for changed in (flipped, content[:place], content + bytes([other])):
        with TemporaryDirectory() as folder:
            path = filled(Path(folder), SOME)
            (path / name).write_bytes(changed)
            check = check_manifest(path)
            assert (check.changed, check.missing, check.extra) == ((name,), (), ())
            assert not check.ok


@pytest.mark.parametrize("name", sorted(SOME))
def test_a_missing_file_is_seen(tmp_path: Path, name: str) -> None:
    """Deleting one names it."""
    path = filled(tmp_path, SOME)
    (path / name).unlink()
    check = check_manifest(path)
    assert (check.changed, check.missing, check.extra, check.ok) == ((), (name,), (), False)


def test_an_added_file_is_seen(tmp_path: Path) -> None:
    """Also deep inside, and in an otherwise unknown folder."""
    path = filled(tmp_path, SOME)
    (path / "procedures/9.9").mkdir()
    (path / "procedures/9.9/result.json").write_text("{}")
    check = check_manifest(path)
    assert (check.extra, check.ok) == (("procedures/9.9/result.json",), False)


def test_a_renamed_file_is_missing_and_extra(tmp_path: Path) -> None:
    """The same content under another name is no match."""
    path = filled(tmp_path, SOME)
    (path / "run.json").rename(path / "walk.json")
    check = check_manifest(path)
    assert (check.missing, check.extra) == (("run.json",), ("walk.json",))


def test_left_overs_of_a_killed_writer_are_not_evidence(tmp_path: Path) -> None:
    """A temporary file that a kill left behind neither enters a manifest nor counts as added."""
    path = filled(tmp_path, {**SOME, ".run.json.99.tmp": b"half"})
    assert ".tmp" not in (path / NAME).read_text()
    (path / ".report.html.7.tmp").write_bytes(b"half")
    assert check_manifest(path).ok


@pytest.mark.parametrize("text", ["", "nonsense\n", "\x00\x01\n", "abc  run.json"])
def test_a_damaged_manifest_never_vouches(tmp_path: Path, text: str) -> None:
    """Empty, torn or foreign: files it does not hold are extra, it raises nothing."""
    path = filled(tmp_path, SOME)
    (path / NAME).write_text(text)
    check = check_manifest(path)
    assert check.present
    assert not check.ok
