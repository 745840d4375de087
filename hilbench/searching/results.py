"""What a search has found: one line of JSON for each scenario, in a file that a later search goes on with."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from hilbench.errors import InputError, Problem
from hilbench.metrics.statistics import percentile
from hilbench.searching.judge import DIGITS, RANK


@dataclass(frozen=True)
class Row:
    """One scenario: what the worst pole has been through (see ``judge.Found``), and what was in the scenario.

    ``trace`` identifies every OCPP frame with its time: a replay gives the same. With an ``error`` of the bench the
    outcome is ``error`` and nothing was learnt.
    """

    seed: int
    outcome: str
    where: str
    fraction: float
    rise: float
    peak_ratio: float
    above_s: float
    above_as: float
    duration_s: float
    stations: int
    beyond: bool
    faults: list[str]
    trace: str
    error: str = ""

    @property
    def badness(self) -> tuple[int, float, float]:
        """What is worse, for comparison; a scenario with an error is not among the worst."""
        rank = RANK.index(self.outcome) if self.outcome in RANK else -1
        return rank, round(self.rise, DIGITS), self.peak_ratio


@dataclass(frozen=True)
class Subject:
    """What was searched: results of different subjects do not belong into one file."""

    rig: str
    rig_sha256: str
    defect: str | None
    generation: int


class ResultFile:
    """Rows of one subject in a file of JSON lines; ``rows`` are those that were in it."""

    def __init__(self, path: Path, subject: Subject) -> None:
        """Read what is there; raises ``InputError`` for a file of another subject, or one that holds no results.

        A last line without an end, which a search that was killed may leave, is dropped.
        """
        self._path, self._subject = path, subject
        self.rows: dict[int, Row] = {}
        text = self._text()
        whole = text[: text.rfind("\n") + 1]
        for number, line in enumerate(whole.splitlines(), 1):
            row = self._read(line, number)
            self.rows[row.seed] = row
        self._rewrite(whole, text)

    def _text(self) -> str:
        try:
            return self._path.read_text("utf-8") if self._path.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(str(self._path), Problem("", f"cannot be read: {error}", "choose another --out")) from None

    def _rewrite(self, whole: str, text: str) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if whole != text:
                self._path.write_text(whole, "utf-8")
            self._file = self._path.open("a", encoding="utf-8")
        except OSError as error:
            what = f"cannot be written: {error.strerror or error}"
            raise InputError(str(self._path), Problem("", what, "choose another --out")) from None

    def _read(self, line: str, number: int) -> Row:
        where = f"line {number}"
        try:
            table: dict[str, Any] = json.loads(line)
            subject = Subject(**{field.name: table.pop(field.name) for field in fields(Subject)})
            row = Row(**table)
        except (ValueError, KeyError, TypeError, AttributeError):
            problem = Problem(where, "is no result of a search", "choose another --out")
            raise InputError(str(self._path), problem) from None
        if subject != self._subject:
            what = f"is of another search ({_words(subject)}), this one is {_words(self._subject)}"
            raise InputError(str(self._path), Problem(where, what, "choose another --out"))
        return row

    def add(self, row: Row) -> None:
        """Write a row; it is on its way to the disk before this returns."""
        self.rows[row.seed] = row
        self._file.write(json.dumps({**asdict(self._subject), **asdict(row)}, allow_nan=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        """End writing."""
        self._file.close()


def _words(subject: Subject) -> str:
    defect = f", defect {subject.defect}" if subject.defect else ""
    return f"rig {subject.rig} {subject.rig_sha256[:8]}{defect}, scenarios of generation {subject.generation}"


@dataclass(frozen=True)
class Summary:
    """All rows in a few figures: how many of each outcome, quantiles by metric, what the worst ones had in them."""

    outcomes: Mapping[str, int]
    quantiles: Mapping[str, tuple[float, float, float]]
    worst: list[Row]
    common: list[tuple[str, int, int]]


def summarise(rows: Iterable[Row], worst: int) -> Summary:
    """The summary with the ``worst`` worst scenarios.

    ``quantiles`` are median, P95 and largest; ``common`` has for each fault how many of the worst tenth and of all
    scenarios had it.
    """
    listed = sorted(rows, key=lambda row: row.badness, reverse=True)
    judged = [row for row in listed if row.outcome in RANK]
    metrics = ("fraction", "rise", "peak_ratio", "above_s", "above_as")
    figures = {name: _three([float(getattr(row, name)) for row in judged]) for name in metrics}
    outcomes = Counter(row.outcome for row in listed)
    ordered = {name: outcomes.get(name, 0) for name in (*RANK, "error")}
    return Summary(ordered, figures, judged[:worst], _common(judged))


def _three(values: list[float]) -> tuple[float, float, float]:
    if not values:
        return math.nan, math.nan, math.nan
    return percentile(values, 50.0), percentile(values, 95.0), max(values)


def _common(judged: list[Row]) -> list[tuple[str, int, int]]:
    """Faults by how much more often they are in the worst tenth than in all."""
    tenth = judged[: max(1, len(judged) // 10)]
    among = Counter(fault for row in tenth for fault in row.faults)
    overall = Counter(fault for row in judged for fault in row.faults)
    found = [(fault, count, overall[fault]) for fault, count in among.items()]
    return sorted(found, key=lambda one: (-one[1] / one[2], one[0]))
