"""Two runs never drive one rig: one lock for each real address, held by the kernel for as long as its holder lives.

A lock is an flock(2) on a file of the user's runtime folder, so nothing is left locked after a crash. It is of the
machine and the user: another user's run, or one on another machine, is not kept out.
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import stat
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from hilbench import clock
from hilbench.errors import DeviceError
from hilbench.evidence.files import safe_name, utc_text
from hilbench.visa_address import visa_socket

_LONGEST_COMMAND = 200


@dataclass
class _Held:
    """A lock of this process: its file's descriptor, and how often it was taken."""

    fd: int
    count: int


_held: dict[Path, _Held] = {}


def state_folder() -> Path:
    """The user's folder for what lives as long as the machine is up; raises ``DeviceError`` when it is not the user's.

    ``hilbench`` in XDG_RUNTIME_DIR (XDG Base Directory Specification; standard-text), else in the temp folder.
    """
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    folder = runtime / "hilbench" if runtime.is_absolute() else Path(tempfile.gettempdir()) / f"hilbench-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        about = folder.lstat()
    except OSError as error:
        raise DeviceError(f"{folder}: no place for the locks of rigs: {error.strerror or error}") from error
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
        raise DeviceError(f"{folder}: belongs to somebody else; remove it, or set XDG_RUNTIME_DIR to a folder of yours")
    return folder


def place_of(address: str) -> str:
    """What two names of one device share: the device file behind links, host and port, or the VISA resource."""
    parts = urlsplit(address)
    if parts.scheme == "serial":
        return os.path.realpath(parts.path)
    if "://" in address:
        return f"{parts.hostname}:{parts.port}"
    if found := visa_socket(address):
        return "{}:{}".format(*found).lower()
    return address.casefold()  # VISA names know no case (VPP-4.3; recalled)


class RigLock:
    """The lock of ``rig``, for all its real ``addresses``; a context manager. Nested ones of one process are one."""

    def __init__(self, addresses: Iterable[str], rig: str) -> None:
        self._places = sorted({place_of(address) for address in addresses})
        self._rig = rig
        self._taken: list[Path] = []

    def __enter__(self) -> RigLock:
        self.take()
        return self

    def take(self) -> None:
        """Take it; raises ``DeviceError`` naming who holds it."""
        try:
            for place in self._places:
                path = state_folder() / f"{safe_name(place)}.lock"
                _take(path, place, self._rig)
                self._taken.append(path)
        except BaseException:
            self.release()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    @property
    def fds(self) -> tuple[int, ...]:
        """Descriptors that keep the lock in whatever process has them."""
        return tuple(_held[path].fd for path in self._taken)

    def release(self) -> None:
        """Give it back, when no outer one of this process holds it; once more does nothing."""
        while self._taken:
            path = self._taken.pop()
            held = _held[path]
            held.count -= 1
            if held.count == 0:
                del _held[path]
                os.close(held.fd)  # and no unlock: a guardian that has it too keeps it


def sign(fd: int, rig: str, command: str) -> None:
    """Write into a lock who holds it: this process."""
    since = utc_text(clock.machine_now())
    about = {"pid": os.getpid(), "command": command[:_LONGEST_COMMAND], "rig": rig, "since_utc": since}
    text = json.dumps(about).encode()
    os.ftruncate(fd, 0)
    os.pwrite(fd, text, 0)


def _take(path: Path, place: str, rig: str) -> None:
    if path in _held:
        _held[path].count += 1
        return
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise DeviceError(f"{path}: no lock can be made: {error.strerror}") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _holder(fd)
        os.close(fd)
        raise DeviceError(f"{place} is in use by {holder}; wait for its end, or end it") from None
    sign(fd, rig, shlex.join(sys.orig_argv))
    _held[path] = _Held(fd, 1)


def _holder(fd: int) -> str:
    try:
        about = json.loads(os.pread(fd, 4096, 0))
        return f"process {about['pid']} ({about['command']}) with rig {about['rig']} since {about['since_utc']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another run that has just begun"
