"""A run folder read back: complete, cut off in the middle, or damaged; what is readable is shown, the rest is named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from hilbench.errors import InputError
from hilbench.evidence.files import GUARDIAN, number, read_columns, read_json, read_json_lines
from hilbench.evidence.folder import SCHEMA_VERSION, procedure_folder_name
from hilbench.evidence.schemas import violations
from hilbench.records import read_record
from hilbench.signals import Signal, Source
from hilbench.waveform import Waveform

SEVERITY = ("FAIL", "ERROR", "INCOMPLETE", "INCONCLUSIVE", "NOT_RUN", "PASS")
"""Worst first. INCOMPLETE is a procedure whose end was never written."""


@dataclass(frozen=True)
class SignalEntry:
    """One signal of a procedure as the index describes it; ``load`` reads its rows."""

    name: str
    unit: str
    kind: str
    source: Mapping[str, Any]
    path: Path

    def load(self) -> tuple[Signal, list[str]]:
        """The signal with every readable row, and what could not be read."""
        signal = Signal(self.name, self.unit, "linear" if self.kind == "linear" else "step", self._source())
        times, values, problems = read_columns(self.path)
        for t, value in zip(times, values, strict=True):
            try:
                signal.append(t, value)
            except ValueError as error:
                problems.append(str(error))
        return signal, problems

    def _source(self) -> Source:
        known = ("device", "fidelity", "uncertainty", "calibration")
        return Source(**{"device": "", **{key: self.source[key] for key in known if key in self.source}})


@dataclass(frozen=True)
class RecordEntry:
    """A record of an instrument as the index describes it; ``about`` is what was read from it."""

    name: str
    of: str
    about: Mapping[str, Any]
    path: Path

    def load(self) -> Waveform:
        """The record; raises ``InputError`` when it is missing or damaged."""
        return read_record(self.path)


@dataclass
class ProcedureEvidence:
    """One procedure folder. ``result`` is None when the procedure never wrote its end."""

    folder: str
    path: Path | None
    about: dict[str, Any]
    result: dict[str, Any] | None
    problems: list[str] = field(default_factory=list)

    def get(self, key: str, default: Any = None) -> Any:
        """A key of the result, or what was known before there was one."""
        found = (self.result or {}).get(key)
        return self.about.get(key, default) if found is None else found

    @property
    def verdict(self) -> str:
        """The recorded verdict, INCOMPLETE without a result."""
        return str(self.result.get("verdict", "ERROR")) if self.result is not None else "INCOMPLETE"

    @property
    def id(self) -> str:
        """Number in the acceptance catalogue."""
        return str(self.get("id", self.folder.split("-")[0]))

    @property
    def title(self) -> str:
        """Name of the procedure."""
        return str(self.get("title", self.folder))

    @property
    def key(self) -> str:
        """What all repeats of one procedure share."""
        return str(self.about.get("key", re.sub(r"-r\d+$", "", self.folder)))

    @property
    def repeat(self) -> int:
        """1 for the first."""
        return int(self.get("repeat", 1))

    @property
    def measurements(self) -> list[dict[str, Any]]:
        """Judged values in the order in which they were taken."""
        return [item for item in self.get("measurements", []) if isinstance(item, dict)]

    @cached_property
    def index(self) -> dict[str, Any]:
        """Signal index as written; empty when it is absent or not as its schema says."""
        return self._index("signals")

    def _index(self, folder: str) -> dict[str, Any]:
        index = (read_json(self.path / folder / "index.json") if self.path else None) or {}
        if index and (departures := violations(folder, index)):
            self.problems.append(f"{folder}/index.json is not as its schema says: {departures[0]}")
            return {}
        return index

    @cached_property
    def records(self) -> dict[str, RecordEntry]:
        """Records of instruments by name, in the order in which they were kept, none loaded yet."""
        folder = (self.path or Path()) / "records"
        entries = self._index("records").get("records", [])
        return {one["name"]: RecordEntry(one["name"], one["of"], one["about"], folder / one["file"]) for one in entries}

    @cached_property
    def signals(self) -> dict[str, SignalEntry]:
        """Signals by name, none loaded yet."""
        found = {}
        for entry in self.index.get("signals", []):
            name, file = str(entry.get("name", "")), Path(str(entry.get("file", ""))).name
            path = (self.path or Path()) / "signals" / file
            found[name] = SignalEntry(
                name, str(entry.get("unit", "")), str(entry.get("kind")), entry.get("source", {}), path
            )
        return found

    @cached_property
    def events(self) -> list[dict[str, Any]]:
        """Events in the order in which they happened."""
        if self.path is None:
            return []
        events, problems = read_json_lines(self.path / "events.jsonl")
        self.problems.extend(problems)
        return events

    @cached_property
    def last_instant(self) -> float | None:
        """Bench time of the latest readable sample or event [s], None when nothing was recorded."""
        times = [number(event.get("t")) for event in self.events[-1:]]
        times += [float(signal.rows(len(signal) - 1)[0][0]) for signal in self.load(list(self.signals)).values()]
        return max((t for t in times if t is not None), default=None)

    @property
    def epoch(self) -> datetime | None:
        """UTC of bench second 0, None when nothing was recorded."""
        text = self.index.get("epoch_utc")
        try:
            return datetime.fromisoformat(str(text)) if text else None
        except ValueError:
            return None

    def load(self, names: list[str]) -> dict[str, Signal]:
        """The named signals that exist and hold samples; unreadable rows go to ``problems``."""
        loaded = {}
        for name in names:
            if name in self.signals:
                signal, problems = self.signals[name].load()
                self.problems.extend(problems[:3])
                if len(signal):
                    loaded[name] = signal
        return loaded


@dataclass
class RunEvidence:
    """A run: ``head`` is run.json without its results, ``procedures`` everything that ran or was planned."""

    path: Path
    head: dict[str, Any]
    procedures: list[ProcedureEvidence]

    @property
    def status(self) -> str:
        """FINISHED, ABORTED, ERROR, or INCOMPLETE when the run never wrote its end."""
        status = str(self.head.get("status", "RUNNING"))
        return "INCOMPLETE" if status == "RUNNING" else status

    @property
    def verdict(self) -> str:
        """The worst verdict of all procedures; an aborted or incomplete run never passes.

        A FAIL stays one, whatever came after it. Procedures that were planned and not run do not hide what was found
        in the others, but nothing at all is NOT_RUN.
        """
        found = {procedure.verdict for procedure in self.procedures} - {"NOT_RUN"}
        if "FAIL" in found or self.status == "FINISHED":
            return next((verdict for verdict in SEVERITY if verdict in found), "NOT_RUN")
        return self.status

    @cached_property
    def guardian(self) -> tuple[list[dict[str, Any]], list[str]]:
        """What the guardian did for the run in its order, and what of that is unreadable."""
        return read_json_lines(self.path / GUARDIAN)

    def counts(self) -> dict[str, int]:
        """How many procedures ended with each verdict."""
        verdicts = [procedure.verdict for procedure in self.procedures]
        return {verdict: verdicts.count(verdict) for verdict in sorted(set(verdicts), key=_severity)}

    def document(self) -> dict[str, Any]:
        """run.json with all results, so that this one file says everything but the signals."""
        results = [{**item.about, **(item.result or {}), **_standing(item)} for item in self.procedures]
        return {**self.head, "verdict": self.verdict, "counts": self.counts(), "procedures": results}


def _standing(procedure: ProcedureEvidence) -> dict[str, Any]:
    folder = f"procedures/{procedure.folder}" if procedure.path else None
    return {"verdict": procedure.verdict, "folder": folder, "key": procedure.key, "repeat": procedure.repeat}


def _severity(verdict: str) -> int:
    return SEVERITY.index(verdict) if verdict in SEVERITY else len(SEVERITY)


def load_run(path: Path) -> RunEvidence:
    """Read a run folder; raises ``InputError`` when it is none, never for damage inside it."""
    head = read_json(path / "run.json")
    if head is None:
        raise InputError(str(path), "no readable run.json here: give the folder of a run, such as runs/0001")
    version = str(head.get("schema_version", "?"))
    if version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise InputError(str(path), f"run.json has schema version {version}, this hilbench reads {SCHEMA_VERSION}")
    if departures := violations("run", head):
        raise InputError(str(path), f"run.json is none of this bench's: {departures[0]}")
    for key in ("procedures", "verdict", "counts"):
        head.pop(key, None)
    found = {folder.name: folder for folder in (path / "procedures").glob("*") if folder.is_dir()}
    planned = {
        procedure_folder_name(str(item.get("key", "")), int(item.get("repeat", 1))): item for item in _plan(head)
    }
    names = sorted({*found, *planned}, key=_natural)
    return RunEvidence(path, head, [_procedure(name, found.get(name), planned.get(name, {})) for name in names])


def _plan(head: Mapping[str, Any]) -> list[dict[str, Any]]:
    plan = head.get("plan", [])
    return [item for item in plan if isinstance(item, dict)] if isinstance(plan, list) else []


def _procedure(name: str, path: Path | None, planned: Mapping[str, Any]) -> ProcedureEvidence:
    if path is None:
        reason = planned.get("reason") or "the run ended before its turn"
        return ProcedureEvidence(name, None, dict(planned), {"verdict": "NOT_RUN", "notes": [reason]})
    about = {**planned, **(read_json(path / "procedure.json") or {})}
    result = read_json(path / "result.json")
    problems = []
    if result is None and (path / "result.json").exists():
        problems.append("result.json is not readable")
    elif result is not None and (departures := violations("result", result)):
        problems.append(f"result.json is not as its schema says: {departures[0]}")
        result = None
    elif result is None and not any((path / "signals").glob("*")):
        result = {"verdict": "NOT_RUN", "notes": [_NOT_REACHED]}
    return ProcedureEvidence(name, path, about, result, problems)


_NOT_REACHED = "the run ended before anything of it was recorded"


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def concluded(run: RunEvidence, head: dict[str, Any]) -> RunEvidence:
    """The same run with the head that its end gave it; before the end a missing result means: still running."""
    return RunEvidence(run.path, head, run.procedures)
