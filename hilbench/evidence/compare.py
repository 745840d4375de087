"""Two runs side by side: does every measured value agree within what both state as their uncertainty?

What is compared is the n-th value of a metric in a procedure: a procedure measures in a fixed order, while the words of
a note name the line or station that happened to be the worst.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hilbench.errors import InputError
from hilbench.evidence.files import number
from hilbench.evidence.reader import ProcedureEvidence, RunEvidence

ROUNDING = 1e-9
"""Relative difference that is arithmetic, not a finding."""
Key = tuple[str, str, int]


@dataclass(frozen=True)
class Value:
    """One measured value with its expanded uncertainty (k = 2); ``value`` is NaN where nothing could be measured."""

    value: float
    uncertainty: float
    unit: str
    verdict: str
    note: str


@dataclass(frozen=True)
class Pair:
    """The same measurement in two runs; None where a run has none. ``allowed`` is the difference that agrees."""

    procedure: str
    metric: str
    occurrence: int
    first: Value | None
    second: Value | None
    allowed: float
    agrees: bool

    @property
    def difference(self) -> float:
        """Second minus first; 0 for equal infinite values, NaN where one is missing."""
        if self.first is None or self.second is None:
            return math.nan
        return 0.0 if self.first.value == self.second.value else self.second.value - self.first.value


def compare(first: RunEvidence, second: RunEvidence, tolerance: float = 0.0) -> list[Pair]:
    """Every measurement of either run, in the order of the first; raises ``InputError`` when they share no procedure.

    Values agree when they differ by no more than the root of the sum of their squared uncertainties plus ``tolerance``
    (relative to the larger one). Infinite values of one sign agree with each other, and so do two that could not be
    measured. A measurement that only one run has does not agree.
    """
    a, b = _values(first), _values(second)
    if not {key[0] for key in a} & {key[0] for key in b}:
        raise InputError(str(second.path), f"measures no procedure that {first.path} measures too")
    keys = list(dict.fromkeys([*a, *b]))
    order = {name: index for index, name in enumerate(dict.fromkeys(key[0] for key in keys))}
    keys.sort(key=lambda key: order[key[0]])
    return [_pair(key, a.get(key), b.get(key), tolerance) for key in keys]


def _values(run: RunEvidence) -> dict[Key, Value]:
    found: dict[Key, Value] = {}
    for procedure in run.procedures:
        seen: Counter[str] = Counter()
        for item in procedure.measurements:
            metric = str(item.get("metric"))
            seen[metric] += 1
            found[(_name(procedure), metric, seen[metric])] = _value(item)
    return found


def _name(procedure: ProcedureEvidence) -> str:
    return procedure.key if procedure.repeat == 1 else f"{procedure.key} #{procedure.repeat}"


def _value(item: Mapping[str, Any]) -> Value:
    value, uncertainty = number(item.get("value")), number(item.get("uncertainty"))
    return Value(
        value=math.nan if value is None else value,
        uncertainty=0.0 if uncertainty is None or not uncertainty >= 0 else uncertainty,
        unit=str(item.get("unit", "")),
        verdict=str(item.get("verdict", "")),
        note=str(item.get("note", "")),
    )


def _pair(key: Key, first: Value | None, second: Value | None, tolerance: float) -> Pair:
    if first is None or second is None:
        return Pair(*key, first, second, math.nan, agrees=False)
    a, b = first.value, second.value
    if math.isnan(a) or math.isnan(b):
        return Pair(*key, first, second, math.nan, agrees=math.isnan(a) and math.isnan(b))
    if math.isinf(a) or math.isinf(b):
        return Pair(*key, first, second, 0.0, agrees=a == b)
    allowed = math.hypot(first.uncertainty, second.uncertainty) + (tolerance + ROUNDING) * max(abs(a), abs(b))
    return Pair(*key, first, second, allowed, agrees=abs(a - b) <= allowed)
