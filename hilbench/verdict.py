"""From a measured value, its uncertainty and a clause to a verdict; and the record of a whole procedure.

The decision rule of a clause is named by its ``guard`` (ILAC-G8:09/2019; secondary):

``U``     guarded: PASS when the value keeps the limit by its expanded uncertainty U, FAIL when it misses the limit by
          more than U, INCONCLUSIVE between.
``none``  simple acceptance: the value alone decides.

By either rule nothing is decided when U is larger than a third of the limit, unless the limit is missed by more than U.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hilbench.errors import InputError
from hilbench.metrics.catalogue import METRICS
from hilbench.metrics.uncertainty import Part
from hilbench.requirements import Clause, Context

LARGEST_UNCERTAINTY = 1.0 / 3.0
"""Expanded uncertainty as a share of the limit above which no PASS is given (policy-default)."""


class Verdict(enum.Enum):
    """What a measurement, a procedure or a run is worth, from harmless to severe (see :func:`worst`).

    INFORMATIVE is a value that no clause limits: it is shown, and never counts as PASS. NOT_RUN is a procedure that
    was skipped. ERROR means that nothing was learnt about the system under test.
    """

    INFORMATIVE = "INFORMATIVE"
    PASS = "PASS"
    NOT_RUN = "NOT_RUN"
    INCONCLUSIVE = "INCONCLUSIVE"
    FAIL = "FAIL"
    ERROR = "ERROR"

    @property
    def severity(self) -> int:
        """Rank among the verdicts, 0 is harmless."""
        return list(Verdict).index(self)

    def __str__(self) -> str:
        return self.value


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The most severe of ``verdicts``; nothing at all, or nothing but information, is NOT_RUN."""
    found = max(verdicts, key=lambda verdict: verdict.severity, default=Verdict.NOT_RUN)
    return Verdict.NOT_RUN if found is Verdict.INFORMATIVE else found


@dataclass(frozen=True)
class Judgement:
    """A verdict, the limit that it was judged by (``nan``: none could be resolved) and why, where that needs saying."""

    verdict: Verdict
    limit_value: float
    note: str = ""


def judge(value: float | None, uncertainty: float, clause: Clause | None, context: Context) -> Judgement:
    """Judge ``value`` +- ``uncertainty`` (expanded, k = 2) by ``clause``.

    ``limit_value`` of the result is the limit with its tolerance (for ``==`` without). A value that is missing or NaN,
    a limit that ``context`` cannot resolve and an uncertainty that is none are ERROR, never PASS.
    """
    if clause is None:
        return Judgement(Verdict.INFORMATIVE, math.nan)
    try:
        low, high = clause.acceptance(context)
    except InputError as error:
        return Judgement(Verdict.ERROR, math.nan, f"no limit: {error}")
    limit = {"<=": high, ">=": low, "==": (low + high) / 2.0}[clause.op]
    if value is None or math.isnan(value):
        return Judgement(Verdict.ERROR, limit, "no value could be measured")
    if not (math.isfinite(uncertainty) and uncertainty >= 0):
        return Judgement(Verdict.ERROR, limit, f"the uncertainty {uncertainty} is none")
    if math.isinf(value) and low <= value <= high:
        return Judgement(Verdict.ERROR, limit, f"{value} is within the limit but no measured value")
    coarse = uncertainty > LARGEST_UNCERTAINTY * abs(limit)
    guard = uncertainty if clause.guard == "U" or coarse else 0.0
    verdict, note = _decide(value, guard, low, high)
    if coarse and verdict is not Verdict.FAIL:
        verdict = Verdict.INCONCLUSIVE
        note = f"U = {uncertainty:.3g} is more than a third of the limit: measure more finely"
    return Judgement(verdict, limit, note)


def _decide(value: float, guard: float, low: float, high: float) -> tuple[Verdict, str]:
    if value - guard > high or value + guard < low:
        return Verdict.FAIL, ""
    if value - guard < low or value + guard > high:
        return Verdict.INCONCLUSIVE, f"within U = {guard:.3g} of the limit"
    return Verdict.PASS, ""


@dataclass(frozen=True)
class Measurement:
    """One measured metric and what it is worth; ``value`` is ``nan`` where nothing could be measured.

    ``limit_value`` and ``op`` are those of ``clause`` (``nan`` and empty without one); ``signals`` names the recorded
    signals that the value was taken from, ``records`` the records of instruments that were kept of it, ``window`` the
    bench time from which and to which [s]. ``budget`` is what the uncertainty consists of, empty where there is none.
    """

    metric: str
    value: float
    unit: str
    uncertainty: float
    clause: Clause | None
    verdict: Verdict
    limit_value: float
    op: str
    note: str = ""
    signals: tuple[str, ...] = ()
    window: tuple[float, float] | None = None
    records: tuple[str, ...] = ()
    budget: tuple[Part, ...] = ()

    @property
    def judged(self) -> bool:
        """True when a clause stood behind the verdict."""
        return self.verdict is not Verdict.INFORMATIVE

    def to_dict(self) -> dict[str, Any]:
        """JSON object; numbers that JSON lacks are the strings ``inf``, ``-inf`` and ``nan``."""
        return {
            "metric": self.metric,
            "value": _to_json(self.value),
            "unit": self.unit,
            "uncertainty": _to_json(self.uncertainty),
            "clause": None if self.clause is None else self.clause.model_dump(mode="json", exclude_unset=True),
            "verdict": self.verdict.value,
            "limit_value": _to_json(self.limit_value),
            "op": self.op,
            "note": self.note,
            "signals": list(self.signals),
            "window": None if self.window is None else list(self.window),
            "records": list(self.records),
            **({"budget": [asdict(part) for part in self.budget]} if self.budget else {}),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Measurement:
        """The measurement that :meth:`to_dict` wrote."""
        clause = data["clause"]
        return cls(
            metric=data["metric"],
            value=float(data["value"]),
            unit=data["unit"],
            uncertainty=float(data["uncertainty"]),
            clause=None if clause is None else Clause.model_validate(clause),
            verdict=Verdict(data["verdict"]),
            limit_value=float(data["limit_value"]),
            op=data["op"],
            note=data["note"],
            signals=tuple(data["signals"]),
            window=_window(data.get("window")),
            records=tuple(data.get("records", ())),
            budget=tuple(Part(**part) for part in data.get("budget", ())),
        )


def _window(given: Sequence[float] | None) -> tuple[float, float] | None:
    return None if given is None else (float(given[0]), float(given[1]))


def measurement(
    metric: str,
    value: float | None,
    uncertainty: float,
    clause: Clause | None,
    context: Context,
    *,
    note: str = "",
    signals: Iterable[str] = (),
    window: tuple[float, float] | None = None,
    budget: Iterable[Part] = (),
) -> Measurement:
    """Judge a value of the catalogue's ``metric`` and keep all that the report needs; raises ``KeyError`` for others.

    Raises ``ValueError`` when ``clause`` is about another metric.
    """
    unit = METRICS[metric].unit
    if clause is not None and clause.metric != metric:
        raise ValueError(f"clause {clause.id} limits {clause.metric}, not {metric}")
    judgement = judge(value, uncertainty, clause, context)
    return Measurement(
        metric=metric,
        value=math.nan if value is None else float(value),
        unit=unit,
        uncertainty=float(uncertainty),
        clause=clause,
        verdict=judgement.verdict,
        limit_value=judgement.limit_value,
        op="" if clause is None else clause.op,
        note="; ".join(filter(None, (note, judgement.note))),
        signals=tuple(signals),
        window=window,
        budget=tuple(budget),
    )


@dataclass(frozen=True)
class Plot:
    """What a report draws: ``signals`` by name, ``limits`` across (label, value), ``marks`` in time (t, label)."""

    title: str
    unit: str
    signals: tuple[str, ...]
    limits: tuple[tuple[str, float], ...] = ()
    marks: tuple[tuple[float, str], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON object."""
        return {
            "title": self.title,
            "unit": self.unit,
            "signals": list(self.signals),
            "limits": [list(limit) for limit in self.limits],
            "marks": [list(mark) for mark in self.marks],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Plot:
        """The plot that :meth:`to_dict` wrote."""
        return cls(
            title=data["title"],
            unit=data["unit"],
            signals=tuple(data["signals"]),
            limits=tuple((label, float(value)) for label, value in data["limits"]),
            marks=tuple((float(t), label) for t, label in data["marks"]),
        )


def conclude(measurements: Iterable[Measurement], error: str = "") -> Verdict:
    """Verdict of a procedure: the worst measurement; ERROR after an ``error`` or when nothing at all was judged."""
    judged = [one.verdict for one in measurements if one.judged]
    return Verdict.ERROR if error or not judged else worst(judged)


@dataclass(frozen=True)
class ProcedureResult:
    """One run of one procedure. ``started_utc`` is ISO 8601 in UTC, ``duration_s`` is in the bench's own time."""

    id: str
    title: str
    verdict: Verdict
    measurements: tuple[Measurement, ...]
    started_utc: str
    duration_s: float
    seed: int
    error: str = ""
    notes: tuple[str, ...] = ()
    plots: tuple[Plot, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON object, as :class:`Measurement` and :class:`Plot` write theirs."""
        return {
            "id": self.id,
            "title": self.title,
            "verdict": self.verdict.value,
            "measurements": [one.to_dict() for one in self.measurements],
            "started_utc": self.started_utc,
            "duration_s": self.duration_s,
            "seed": self.seed,
            "error": self.error,
            "notes": list(self.notes),
            "plots": [plot.to_dict() for plot in self.plots],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ProcedureResult:
        """The result that :meth:`to_dict` wrote."""
        return cls(
            id=data["id"],
            title=data["title"],
            verdict=Verdict(data["verdict"]),
            measurements=tuple(map(Measurement.from_dict, data["measurements"])),
            started_utc=data["started_utc"],
            duration_s=float(data["duration_s"]),
            seed=data["seed"],
            error=data["error"],
            notes=tuple(data["notes"]),
            plots=tuple(map(Plot.from_dict, data["plots"])),
        )


def _to_json(value: float) -> float | str:
    return value if math.isfinite(value) else str(float(value))
