"""The run folder as it is written: a parent opens and closes the run, workers write one procedure folder each."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from hilbench import clock
from hilbench.errors import HilbenchError, InputError, Problem
from hilbench.evidence.files import (
    append,
    canonical,
    json_line,
    plain,
    safe_name,
    utc_text,
    write_atomic,
    write_bytes_atomic,
)
from hilbench.records.npz_file import npz_bytes
from hilbench.signals import Record, Signal
from hilbench.waveform import Snapshot

SCHEMA_VERSION = "1.0"
"""Of run.json, result.json and the event lines: the major number grows when a reader of the old one would misread."""

RunStatus = Literal["RUNNING", "FINISHED", "ABORTED", "ERROR"]


class ProcedureFolder:
    """Signals, events and result of one procedure, growing on disk while it runs.

    ``ProcedureFolder(path)`` opens an existing folder, so that a worker process can be told only the path.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._record: Record | None = None
        self._epoch: datetime | None = None
        self._rows: dict[str, int] = {}
        self._files: dict[str, str] = {}
        self._index: list[dict[str, Any]] = []
        self._events = 0
        self._kept: list[dict[str, Any]] = []

    @classmethod
    def create(cls, path: Path, about: Mapping[str, Any]) -> ProcedureFolder:
        """Make the folder and write procedure.json; raises ``HilbenchError`` when it exists."""
        try:
            (path / "signals").mkdir(parents=True)
        except FileExistsError as error:
            raise HilbenchError(f"{path} exists: each procedure and repeat has a folder of its own") from error
        write_atomic(path / "procedure.json", canonical({"schema_version": SCHEMA_VERSION, **about}))
        return cls(path)

    def follow(self, record: Record, epoch: datetime | None = None) -> None:
        """Write ``record`` from now on; ``epoch`` is the UTC of its second 0 (default: the running loop's)."""
        self._record = record
        self._epoch = epoch or clock.current().epoch

    def flush(self) -> None:
        """Append what is settled since the last time; costs nothing for signals without news."""
        self._write(final=False)

    def finish(self, result: Any, traces: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Write all that is left and result.json; returns what was written.

        ``result`` is a mapping or has ``to_dict()``; ``traces`` (or its key ``traces``) holds the sha256 of each
        connection's messages.
        """
        self._write(final=True)
        body = plain(result.to_dict() if hasattr(result, "to_dict") else result)
        hashes = {
            "signals_sha256": self.signals_sha256(),
            "events_sha256": self._events_sha256(),
            "traces_sha256": {**body.pop("traces", {}), **(traces or {})},
        }
        document: dict[str, Any] = plain({**body, "schema_version": SCHEMA_VERSION, "hashes": hashes})
        write_atomic(self.path / "result.json", canonical(document))
        return document

    def signals_sha256(self) -> str:
        """Digest of every signal written so far: name, unit, kind and all rows, independent of their order."""
        digest = hashlib.sha256()
        for entry in sorted(self._index, key=lambda entry: str(entry["name"])):
            content = (self.path / "signals" / entry["file"]).read_bytes()
            head = json_line([entry["name"], entry["unit"], entry["kind"], len(content)])
            digest.update(head.encode())
            digest.update(content)
        return digest.hexdigest()

    def _events_sha256(self) -> str:
        path = self.path / "events.jsonl"
        return hashlib.sha256(path.read_bytes() if path.exists() else b"").hexdigest()

    def _write(self, final: bool) -> None:
        record = self._record
        if record is None:
            return
        if len(record.signals) > len(self._index):
            self._announce([signal for name, signal in record.signals.items() if name not in self._files])
        for name, signal in record.signals.items():
            self._append_rows(name, signal, len(signal) if final else signal.settled())
        self._append_events(record)
        self._keep_snapshots(list(record.snapshots.items())[len(self._kept) :])

    def _announce(self, signals: list[Signal]) -> None:
        """Name new signals in the index before their first row is written."""
        (self.path / "signals").mkdir(parents=True, exist_ok=True)
        for signal in signals:
            file = safe_name(signal.name, (Path(entry["file"]).stem for entry in self._index)) + ".csv"
            append(self.path / "signals" / file, f"time_s,{_header(signal.unit)}\n")
            self._files[signal.name] = file
            entry = {"name": signal.name, "unit": signal.unit, "kind": signal.kind, "file": file}
            self._index.append({**entry, "source": plain(signal.source)})
        document = {"schema_version": SCHEMA_VERSION, "epoch_utc": self._epoch, "signals": self._index}
        write_atomic(self.path / "signals" / "index.json", canonical(document))

    def _append_rows(self, name: str, signal: Signal, stop: int) -> None:
        start = self._rows.get(name, 0)
        if stop <= start:
            return
        times, values = signal.rows(start, stop)
        # repr of a float is its shortest exact text: what is read back gives the same metrics to the last bit
        rows = "\n".join(map(",".join, zip(map(repr, times.tolist()), map(repr, values.tolist()), strict=True)))
        append(self.path / "signals" / self._files[name], rows + "\n")
        self._rows[name] = stop

    def _append_events(self, record: Record) -> None:
        new = record.events[self._events :]
        if not new or self._epoch is None:
            return
        lines = []
        for event in new:
            utc = utc_text(self._epoch + timedelta(seconds=event.t))
            row = {"t": event.t, "utc": utc, "kind": event.kind, "subject": event.subject, "data": event.data}
            lines.append(json_line(row))
        append(self.path / "events.jsonl", "".join(lines))
        self._events += len(new)

    def _keep_snapshots(self, new: Sequence[tuple[str, Snapshot]]) -> None:
        if not new:
            return
        (self.path / "records").mkdir(exist_ok=True)
        for name, shot in new:
            file = safe_name(name, (Path(entry["file"]).stem for entry in self._kept)) + ".npz"
            write_bytes_atomic(self.path / "records" / file, npz_bytes(shot.record))
            self._kept.append({"name": name, "of": shot.of, "file": file, "about": plain(shot.about)})
        document = {"schema_version": SCHEMA_VERSION, "records": self._kept}
        write_atomic(self.path / "records" / "index.json", canonical(document))


def _header(unit: str) -> str:
    """A unit as a column head: commas and line ends would break the table."""
    return re.sub(r"[,\s]+", " ", unit).strip() or "1"


class RunFolder:
    """One run on disk. ``create`` starts a new one; ``RunFolder(path)`` opens it again, also in another process."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, out_dir: Path, meta: Mapping[str, Any]) -> RunFolder:
        """Take the next free number under ``out_dir`` and write run.json with status RUNNING at once.

        ``meta`` is kept as it is; the report knows the keys of schema/run.json (``site``, ``controller``, ``time``,
        ``seed``, ``command``, ``plan``, ...). Safe against another run that starts at the same moment. Raises
        ``InputError`` when no folder can be made there.
        """
        try:
            run = cls(_next_folder(out_dir))
        except OSError as error:
            what = f"cannot hold runs: {error.strerror or error}"
            raise InputError(str(out_dir), Problem("", what, "choose another folder with --out")) from None
        run._write_head({**plain(meta), "schema_version": SCHEMA_VERSION, "run": run.path.name, "status": "RUNNING"})
        return run

    def procedure(self, key: str, repeat: int = 1, about: Mapping[str, Any] | None = None) -> ProcedureFolder:
        """A new procedure folder: ``key`` (``7.1-base-load-step-up``), from the second repeat on ``key-r002``.

        ``about`` (id, title, purpose, stimulus, seed) is readable from the start, before there is a result.
        """
        name = procedure_folder_name(key, repeat)
        return ProcedureFolder.create(self.path / "procedures" / name, {"key": key, "repeat": repeat, **(about or {})})

    def add_file(self, name: str, text: str) -> None:
        """Keep a text beside the record, such as the rig file that was used."""
        write_atomic(self.path / name, text)

    def finish(self, status: RunStatus, **closing: Any) -> str:
        """Write run.json with all results, then report, JUnit and the manifest; returns the verdict of the run.

        ``closing`` adds keys to run.json (``ended_utc``, ``reason``). Whatever fails in rendering, run.json is
        complete and the manifest is written.
        """
        from hilbench.evidence import manifest, reader, render

        run = reader.load_run(self.path)
        head = {**run.head, **plain(closing), "status": status, "schema_version": SCHEMA_VERSION}
        run = reader.concluded(run, head)
        self._write_head(run.document())
        try:
            render.render(run)
        finally:
            manifest.write_manifest(self.path)
        return run.verdict

    def _write_head(self, document: Mapping[str, Any]) -> None:
        write_atomic(self.path / "run.json", canonical(document))


def run_folder_of(procedure: Path) -> Path:
    """The run's folder to a procedure's; a procedure's that stands alone is its own."""
    return procedure.parent.parent if procedure.parent.name == "procedures" else procedure


def procedure_folder_name(key: str, repeat: int = 1) -> str:
    """Folder of a procedure within ``procedures/``."""
    name = re.sub(r"[^A-Za-z0-9_.+-]", "_", key).strip(".") or "procedure"
    return name if repeat == 1 else f"{name}-r{repeat:03d}"


def _next_folder(out_dir: Path) -> Path:
    out_dir.mkdir(parents=True, exist_ok=True)
    taken = [int(path.name) for path in out_dir.iterdir() if path.name.isdecimal() and path.name.isascii()]
    run_number = max(taken, default=0) + 1
    while True:
        path = out_dir / f"{run_number:04d}"
        try:
            path.mkdir()
        except FileExistsError:
            run_number += 1  # somebody took it between the look and the step
            continue
        (path / "procedures").mkdir()
        return path
