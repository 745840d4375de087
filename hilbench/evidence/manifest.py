"""MANIFEST.sha256: what ``sha256sum -c`` understands, and the same check without that program."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from hilbench.evidence.files import whole_lines, write_atomic

NAME = "MANIFEST.sha256"


@dataclass(frozen=True)
class ManifestCheck:
    """Files that differ from the manifest, each list sorted; ``present`` is False when there is no manifest."""

    present: bool
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True when there is a manifest and every file is as it says."""
        return self.present and not (self.changed or self.missing or self.extra)


def write_manifest(folder: Path) -> None:
    """Write the digest of every file under ``folder`` but the manifest itself and unfinished temporary files."""
    lines = [f"{_digest(folder / name)}  {name}\n" for name in _files(folder)]
    write_atomic(folder / NAME, "".join(lines))


def check_manifest(folder: Path) -> ManifestCheck:
    """Compare ``folder`` with its manifest."""
    if not (folder / NAME).is_file():
        return ManifestCheck(present=False)
    listed = dict(_parse(line) for line in whole_lines(folder / NAME))
    found = set(_files(folder))
    changed = (name for name in listed if name in found and _digest(folder / name) != listed[name])
    return ManifestCheck(
        True, tuple(sorted(changed)), tuple(sorted(set(listed) - found)), tuple(sorted(found - set(listed)))
    )


def _parse(line: str) -> tuple[str, str]:
    digest, _, name = line.partition("  ")
    return name, digest


def _files(folder: Path) -> list[str]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    names = (path.relative_to(folder).as_posix() for path in paths)
    return sorted(name for name in names if name != NAME and not name.endswith(".tmp"))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
