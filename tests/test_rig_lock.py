"""One lock for each real address: kept from others, named, nested in one process, and gone with its holder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hilbench.errors import DeviceError
from hilbench.rig_lock import RigLock, place_of, sign, state_folder
from tests.live import program, until

HOLD = (
    "import signal, sys; from hilbench.rig_lock import RigLock; RigLock(sys.argv[1:], 'other').take(); "
    "print('held', flush=True); signal.pause()"
)


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime folder of the test's own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def taken_elsewhere(*addresses: str) -> bool:
    """True when another process cannot have ``addresses`` now."""
    code = "import sys; from hilbench.rig_lock import RigLock; RigLock(sys.argv[1:], 'probe').take()"
    return subprocess.run([sys.executable, "-c", code, *addresses], capture_output=True, check=False).returncode != 0


def test_another_run_is_told_who_has_the_rig(tmp_path: Path) -> None:
    """Process, command, rig and since when; after SIGKILL of the holder the kernel has given the lock back."""
    with program([sys.executable, "-c", HOLD, "tcp://10.0.0.1:5025"], tmp_path) as holder:
        holder.saw("held")
        who = rf"process {holder.process.pid} \(.*RigLock.* with rig other since \d{{4}}-"
        about = rf"^10\.0\.0\.1:5025 is in use by {who}"
        with pytest.raises(DeviceError, match=about), RigLock(["tcp://10.0.0.1:5025"], "mine"):
            pass
        holder.send(signal.SIGKILL)
        holder.ended()
    with RigLock(["tcp://10.0.0.1:5025"], "mine"):
        pass


def test_what_is_taken_before_a_refusal_is_given_back(tmp_path: Path) -> None:
    """A rig of which one device is in use leaves the others to whoever wants them."""
    with program([sys.executable, "-c", HOLD, "tcp://b:1"], tmp_path) as holder:
        holder.saw("held")
        with pytest.raises(DeviceError, match=r"^b:1 is in use"):
            RigLock(["tcp://a:1", "tcp://b:1", "tcp://c:1"], "mine").take()
        assert not taken_elsewhere("tcp://a:1", "tcp://c:1")


def test_locks_of_one_process_nest() -> None:
    """A run holds its rig over all its benches: the inner lock is the same, and the outer one ends it."""
    with RigLock(["tcp://a:1"], "rig"):
        with RigLock(["tcp://a:1"], "rig") as inner:
            inner.release()
        assert taken_elsewhere("tcp://a:1")
    assert not taken_elsewhere("tcp://a:1")


def test_a_guardian_keeps_the_lock_of_its_run() -> None:
    """A process that was handed the descriptors keeps the lock when the run gives it back."""
    with RigLock(["tcp://a:1"], "rig") as lock:
        keeper = subprocess.Popen(["sleep", "600"], pass_fds=lock.fds)
    try:
        assert taken_elsewhere("tcp://a:1")
    finally:
        keeper.kill()
        keeper.wait()
    until(lambda: not taken_elsewhere("tcp://a:1"), "the lock")


def test_emulated_rigs_take_no_lock(runtime: Path) -> None:
    """Without a real address nothing is made on disk."""
    with RigLock([], "trio") as lock:
        assert lock.fds == ()
    assert list(runtime.iterdir()) == []


def test_one_device_by_two_names_is_one(tmp_path: Path) -> None:
    """A link to a serial line is the line; case and options make no difference; another port does."""
    (tmp_path / "by-id").symlink_to("/dev/null")
    assert place_of(f"serial://{tmp_path}/by-id?baudrate=9600") == place_of("serial:///dev/null") == "/dev/null"
    assert place_of("tcp://Host:1") == place_of("rtu+tcp://host:1") == "host:1"
    assert place_of("TCPIP0::10.0.0.5::INSTR") == place_of("tcpip0::10.0.0.5::instr")
    assert place_of("TCPIP0::Host::1::SOCKET") == "host:1"
    assert place_of("tcp://host:1") != place_of("tcp://host:2")


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"pid": 1}', b"\xff"])
def test_a_holder_that_says_nothing_is_still_refused(tmp_path: Path, text: bytes) -> None:
    """A lock without its holder's name, or with nonsense in it, is held all the same."""
    with program([sys.executable, "-c", HOLD, "tcp://a:1"], tmp_path) as holder:
        holder.saw("held")
        (path,) = state_folder().glob("*.lock")
        path.write_bytes(text)
        with pytest.raises(DeviceError, match="in use by another run that has just begun; wait"):
            RigLock(["tcp://a:1"], "mine").take()


def test_a_folder_of_somebody_else_is_refused(runtime: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where the folder's name is taken by a link or a file, no lock is written through it."""
    (runtime / "hilbench").symlink_to(tmp_path_factory.mktemp("other"))
    with pytest.raises(DeviceError, match="belongs to somebody else; remove it"):
        state_folder()
    (runtime / "hilbench").unlink()
    (runtime / "hilbench").write_text("")
    with pytest.raises(DeviceError, match="no place for the locks of rigs"):
        state_folder()


def test_without_a_runtime_folder_locks_are_in_the_temp_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Per user, and for that user alone."""
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert state_folder() == tmp_path / f"hilbench-{os.getuid()}"
    assert state_folder().stat().st_mode & 0o777 == 0o700


def test_a_new_holder_signs_over_a_longer_name(tmp_path: Path) -> None:
    """What a holder writes replaces what was there, also when that was longer."""
    with RigLock(["tcp://a:1"], "x" * 300) as lock:
        (fd,) = lock.fds
        sign(fd, "y", "guardian")
        assert b"x" not in os.pread(fd, 4096, 0)
