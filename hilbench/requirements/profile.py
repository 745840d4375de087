"""Requirement profiles as data: clauses with metric, limit, unit, source and confidence.

A limit is a number, or a sum of terms ``name = factor`` where the name is a quantity of the rig (see
:data:`CONTEXT`) or ``constant``: ``limit = { timeout_s = 1, constant = 10 }`` is the time-out plus 10 s. That is all
there is: no other arithmetic, nothing is evaluated as code. Cases are written as several clauses with ``when``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from hilbench.errors import InputError, Problem
from hilbench.metrics.catalogue import METRICS
from hilbench.site import Model

Op = Literal["<=", ">=", "=="]
Confidence = Literal[
    "standard-text", "regulation-text", "vendor-doc", "read-code", "secondary", "recalled", "policy-default"
]
CONTEXT = {
    "rating_a": "OCPD rating of the node or circuit [A]",
    "budget_a": "budget of the node [A]",
    "import_limit_kw": "contract of the site, or the budget of its service on all lines [kW]",
    "unbalance_kva": "how far the rig says that the lines of the service may differ, at nominal voltage [kVA]",
    "tolerance_a": "tolerance around the budget, from the profile's [parameters] [A]",
    "fallback_a": "configured fallback current of the station [A]",
    "timeout_s": "configured time-out after which the loss counts [s]",
    "meter_interval_s": "sampling interval of the meter [s]",
    "stations": "number of stations",
    "dc_step_a": "how far the current of a DC outlet must fall [A]",
    "dc_hold_a": "what a DC station holds whatever its limit is, if it says so [A per line]",
    "dc_ends": "1 where a DC station says that it ends sessions for want of power, else 0",
    "dc_patience_s": "time-out of the messages of a DC car in its charging loop [s]",
    "notice_s": "how long before its start a limit of the grid was published [s]",
}
"""Quantities that a limit or a condition may name; the procedure supplies their values."""
Context = Mapping[str, float]


def _as_terms(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"constant": value}
    if not isinstance(value, dict):
        raise ValueError("must be a number or a sum of terms; write 10 or { timeout_s = 1, constant = 10 }")
    return value


Finite = Annotated[float, Field(allow_inf_nan=False, strict=True)]
Terms = Annotated[dict[str, Finite], BeforeValidator(_as_terms), Field(min_length=1)]


class Range(Model):
    """A condition on one quantity: ``min`` and ``max`` are inside the range, ``above`` and ``below`` are outside."""

    min: Finite = -math.inf
    max: Finite = math.inf
    above: Finite = -math.inf
    below: Finite = math.inf

    @model_validator(mode="after")
    def _stated(self) -> Range:
        if not self.model_fields_set:
            raise ValueError("an empty condition: give min, max, above or below")
        return self

    def holds(self, value: float) -> bool:
        """True when ``value`` is inside."""
        return self.min <= value <= self.max and self.above < value < self.below


class ClauseEntry(Model):
    """One ``[[clause]]`` of a profile file.

    ``tolerance`` widens the limit before the judgement; ``guard`` is the decision rule of ILAC-G8:09/2019: ``U`` keeps
    the uncertainty as a guard band, ``none`` is simple acceptance. An empty ``procedures`` means all.
    """

    id: Annotated[str, Field(min_length=1)]
    metric: str
    op: Op
    limit: Terms
    unit: str
    tolerance: Terms = Field(default_factory=lambda: {"constant": 0.0})
    guard: Literal["U", "none"]
    when: dict[str, Range] = Field(default_factory=dict)
    procedures: tuple[str, ...] = ()
    source: Annotated[str, Field(min_length=1)]
    confidence: Confidence
    text: Annotated[str, Field(min_length=1)]


class Clause(ClauseEntry):
    """A clause with the profile that it comes from."""

    profile: str
    edition: str

    def applies(self, metric: str, procedure: str, context: Context) -> bool:
        """True for this metric in this procedure under this context; raises ``InputError`` on a missing quantity."""
        if metric != self.metric or (self.procedures and procedure not in self.procedures):
            return False
        return all(allowed.holds(self._quantity(name, context)) for name, allowed in self.when.items())

    def limit_value(self, context: Context) -> float:
        """The limit in ``unit``, without tolerance; raises ``InputError`` when the context lacks a quantity."""
        return self._sum(self.limit, context)

    def tolerance_value(self, context: Context) -> float:
        """The tolerance in ``unit``; raises ``InputError`` when the context lacks a quantity."""
        return self._sum(self.tolerance, context)

    def acceptance(self, context: Context) -> tuple[float, float]:
        """Least and greatest value that the clause accepts, tolerance included."""
        limit, tolerance = self.limit_value(context), self.tolerance_value(context)
        low = -math.inf if self.op == "<=" else limit - tolerance
        return low, math.inf if self.op == ">=" else limit + tolerance

    @property
    def limit_text(self) -> str:
        """The limit as a reader writes it: ``<= timeout_s + 10 s``."""
        text = f"{self.op} {_sum_text(self.limit)}"
        if any(self.tolerance.values()):
            text += f" {'+-' if self.op == '==' else '-' if self.op == '>=' else '+'} {_sum_text(self.tolerance)}"
        return text if self.unit == "1" else f"{text} {self.unit}"

    def _sum(self, terms: Mapping[str, float], context: Context) -> float:
        return math.fsum(
            factor * (1.0 if name == "constant" else self._quantity(name, context)) for name, factor in terms.items()
        )

    def _quantity(self, name: str, context: Context) -> float:
        if name not in context:
            raise InputError(
                self.profile,
                Problem(f"clause {self.id}", f"needs {name}, {CONTEXT.get(name, 'which is unknown')}", "supply it"),
            )
        return float(context[name])


def _sum_text(terms: Mapping[str, float]) -> str:
    ordered = sorted(terms.items(), key=lambda item: item[0] == "constant")
    parts: list[str] = []
    for name, factor in ordered:
        size = f"{abs(factor):g}" if name == "constant" else name if abs(factor) == 1 else f"{abs(factor):g} x {name}"
        sign = ("-" if factor < 0 else "") if not parts else ("- " if factor < 0 else "+ ")
        parts.append(sign + size)
    return " ".join(parts)


class Parameters(Model):
    """How metrics are to be taken: the tolerance around a budget and the hysteresis of a reversal; None: not stated."""

    tolerance_a: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    tolerance_share: Annotated[float, Field(ge=0, lt=1)] | None = None
    reversal_hysteresis_a: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None


class Profile(Model):
    """A requirement profile file."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    title: Annotated[str, Field(min_length=1)]
    edition: Annotated[str, Field(min_length=1)]
    text: str = ""
    parameters: Parameters = Parameters()
    clause: tuple[ClauseEntry, ...] = ()

    def clauses(self) -> tuple[Clause, ...]:
        """The clauses, each with this profile's id and edition."""
        return tuple(Clause(**dict(entry), profile=self.id, edition=self.edition) for entry in self.clause)


def lint(profile: Profile) -> list[Problem]:
    """Everything in a well-formed profile that cannot be meant: unknown metric, wrong unit, wrong side, same id."""
    problems = [] if profile.clause else [Problem("clause", "the profile has no clauses", "add a [[clause]] table")]
    seen = Counter(entry.id for entry in profile.clause)
    problems += [
        Problem(f"clause {name}", f"the id is used {count} times", "give each clause its own id")
        for name, count in seen.items()
        if count > 1
    ]
    for entry in profile.clause:
        problems += _lint_clause(entry)
    return problems


def _lint_clause(entry: ClauseEntry) -> Iterator[Problem]:
    where = f"clause {entry.id}"
    metric = METRICS.get(entry.metric)
    if metric is None:
        yield Problem(f"{where}, metric", f"unknown metric {entry.metric!r}", f"known: {', '.join(METRICS)}")
    else:
        if entry.unit != metric.unit:
            yield Problem(f"{where}, unit", f"{entry.metric} is measured in {metric.unit!r}, not {entry.unit!r}")
        wrong_side = {"lower": ">=", "higher": "<="}[metric.direction]
        if entry.op == wrong_side:
            yield Problem(
                f"{where}, op", f"{entry.metric} is better when {metric.direction}, so {entry.op} is no limit"
            )
    for key, names in (("limit", entry.limit), ("tolerance", entry.tolerance), ("when", entry.when)):
        for name in names:
            if name not in CONTEXT and (name != "constant" or key == "when"):
                yield Problem(f"{where}, {key}", f"unknown quantity {name!r}", f"known: {', '.join(CONTEXT)}")
    if any(factor < 0 for factor in entry.tolerance.values()):
        yield Problem(f"{where}, tolerance", "a tolerance cannot be negative", "tighten the limit instead")
