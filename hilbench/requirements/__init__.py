"""Limits from requirement profiles, never from code.

>>> requirements = load_requirements(["generic-v0"])
>>> requirements.find("t90", "7.1", {"meter_interval_s": 1.0}).limit_text
'<= meter_interval_s + 9 s'
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from hilbench.errors import InputError, Problem
from hilbench.requirements.profile import (
    CONTEXT,
    Clause,
    Confidence,
    Context,
    Parameters,
    Profile,
    lint,
)
from hilbench.tomlfile import in_words, read_toml

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = [
    "CONTEXT",
    "Clause",
    "Confidence",
    "Context",
    "Parameters",
    "Profile",
    "Requirements",
    "lint",
    "load_requirements",
    "profile_names",
    "read_profile",
]

_FOLDER = Path(__file__).parent
DEFAULT_PARAMETERS = {"tolerance_a": 1.0, "tolerance_share": 0.02, "reversal_hysteresis_a": 1.0}
"""Where no profile states a parameter (policy-default)."""


@dataclass(frozen=True)
class Requirements:
    """Several profiles together. Each can only tighten the others: of several limits the strictest counts."""

    profiles: tuple[Profile, ...]
    clauses: tuple[Clause, ...]

    def applicable(self, metric: str, procedure: str, context: Context) -> list[Clause]:
        """All clauses on ``metric`` in ``procedure``, the strictest first.

        Raises ``InputError`` when a condition, or the comparison of several limits, needs a quantity that ``context``
        lacks.
        """
        found = [clause for clause in self.clauses if clause.applies(metric, procedure, context)]
        return sorted(found, key=lambda clause: _slack(clause, context)) if len(found) > 1 else found

    def find(self, metric: str, procedure: str, context: Context | None = None) -> Clause | None:
        """The strictest clause on ``metric`` in ``procedure``, or None when no profile limits it there."""
        return next(iter(self.applicable(metric, procedure, context or {})), None)

    def only(self, clauses: Iterable[Clause]) -> Requirements:
        """The same profiles with these clauses alone."""
        return replace(self, clauses=tuple(clauses))

    def parameter(self, name: str) -> float:
        """A parameter of the metrics: the smallest that a profile states, else the default."""
        stated = [value for p in self.profiles if (value := getattr(p.parameters, name)) is not None]
        return float(min(stated, default=DEFAULT_PARAMETERS[name]))

    def tolerance_a(self, level_a: float) -> float:
        """Tolerance [A] around a budget: the fixed amount or the share of it, whichever is larger."""
        return max(self.parameter("tolerance_a"), self.parameter("tolerance_share") * level_a)


def _slack(clause: Clause, context: Context) -> tuple[float, bool]:
    """Sort key: how much the clause allows; among equals a guarded one is stricter."""
    low, high = clause.acceptance(context)
    return {"<=": high, ">=": -low, "==": high - low}[clause.op], clause.guard != "U"


def load_requirements(ids: Iterable[str], extra_paths: Iterable[str | Path] = ()) -> Requirements:
    """The profiles ``ids``, shipped ones or paths of TOML files, and ``extra_paths``, checked together.

    Raises ``InputError`` that lists every problem of every profile.
    """
    problems: list[Problem] = []
    profiles: list[Profile] = []
    wanted: list[str | Path] = [*dict.fromkeys(ids), *map(Path, extra_paths)]
    for given in wanted:
        try:
            profiles.append(read_profile(_path_of(given) if isinstance(given, str) else given))
        except InputError as error:
            problems += [replace(p, where=": ".join(filter(None, (error.source, p.where)))) for p in error.problems]
    problems += _contradictions(profiles)
    if problems:
        raise InputError("requirement profiles", problems)
    return Requirements(tuple(profiles), tuple(clause for profile in profiles for clause in profile.clauses()))


def profile_names() -> list[str]:
    """Ids of the shipped profiles."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def _path_of(name: str) -> Path:
    names = profile_names()
    if name in names or not name.endswith(".toml"):
        return _shipped(name, names)
    return Path(name)


def _shipped(name: str, names: Sequence[str]) -> Path:
    if name not in names:
        near = get_close_matches(name, names)
        known = f"known: {', '.join(names)}"
        remedy = f"{known}; did you mean {near[0]}?" if near else f"{known}, and TOML files"
        raise InputError("requirements", Problem(repr(name), "no such profile", remedy))
    return _FOLDER / f"{name}.toml"


def read_profile(path: str | Path) -> Profile:
    """Read and lint one profile file; raises ``InputError`` with every problem, each with its key."""
    path = Path(path)
    data, _text = read_toml(path)
    try:
        profile = Profile.model_validate(data)
    except ValidationError as error:
        raise InputError(str(path), [_problem(detail, data) for detail in error.errors()]) from None
    if problems := lint(profile):
        raise InputError(str(path), problems)
    return profile


def _problem(detail: ErrorDetails, data: dict[str, Any]) -> Problem:
    parts = list(detail["loc"])
    where = ""
    if len(parts) > 1 and parts[0] == "clause" and isinstance(parts[1], int):
        entry = data["clause"][parts[1]]
        name = f" ({entry['id']})" if isinstance(entry, dict) and "id" in entry else ""
        where, parts = f"clause {parts[1] + 1}{name}", parts[2:]
    key = ".".join(str(part) for part in parts)
    return Problem(", ".join(part for part in (where, key) if part), *in_words(detail))


def _contradictions(profiles: Sequence[Profile]) -> Iterator[Problem]:
    """Clauses that no value can meet together: a fixed value (``==``) beside any other limit on the same metric."""
    for first, second in combinations([clause for profile in profiles for clause in profile.clauses()], 2):
        if first.metric != second.metric or "==" not in (first.op, second.op):
            continue
        apart = first.procedures and second.procedures and not set(first.procedures) & set(second.procedures)
        same = first.op == second.op and (first.limit == second.limit or first.when != second.when)
        if not apart and not same:
            yield Problem(
                f"clauses {first.profile}/{first.id} and {second.profile}/{second.id}",
                f"{first.metric} {first.limit_text} beside {second.limit_text}",
                "keep one of them",
            )
