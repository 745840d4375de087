"""Which plots a procedure gets: those that it asked for, or, when it was cut off, one per kind of signal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hilbench.evidence.files import number
from hilbench.evidence.happenings import happening, is_cause
from hilbench.evidence.reader import ProcedureEvidence, RunEvidence
from hilbench.evidence.svg import plot_of
from hilbench.verdict import Plot


def plots_of(run: RunEvidence, procedure: ProcedureEvidence) -> list[Plot]:
    """The plots that the procedure asked for; without any, one per kind of signal that was recorded."""
    asked = [_marked(plot_of(plot), procedure) for plot in procedure.get("plots", [])]
    return asked or _standard_plots(run, procedure)


def _marked(plot: Plot, procedure: ProcedureEvidence) -> Plot:
    """The plot with marks in the words of the events that they stand for."""
    words: dict[float, list[str]] = {}
    for event in filter(is_cause, procedure.events):
        words.setdefault(number(event.get("t")) or 0.0, []).append(happening(event))
    marks = ((t, words[t].pop(0) if words.get(t) else text) for t, text in plot.marks)
    return replace(plot, marks=tuple(marks))


def _standard_plots(run: RunEvidence, procedure: ProcedureEvidence) -> list[Plot]:
    """What :func:`hilbench.runner.default_plots` would have asked for, from the names of what was recorded."""
    limits = _node_limits(run.head.get("site"))
    families: dict[tuple[int, str, str], list[str]] = {}
    for name, entry in procedure.signals.items():
        rank, title = _family(name.split("/"), limits)
        families.setdefault((rank, title, entry.unit), []).append(name)
    causes = filter(is_cause, procedure.events)
    marks = tuple((number(event.get("t")) or 0.0, happening(event)) for event in causes)[:_MOST_MARKS]
    return [
        Plot(title, unit, tuple(names), limits.get(names[0].rpartition("/")[0], ()), marks)
        for (_rank, title, unit), names in sorted(families.items(), key=lambda item: item[0][0])
    ]


_MOST_MARKS = 40
_TITLES = {
    "base": "Building load: the stimulus",
    "meter": "What the meter reported",
    "offered": "Offered to each car",
    "demand": "What each car would draw unmanaged",
    "limit": "Limit that each station holds",
    "power": "Power drawn at each station",
    "energy": "Energy counted by each station's meter",
}


def _family(parts: list[str], limits: Mapping[str, Any]) -> tuple[int, str]:
    """Rank and title of the plot that a signal belongs to: nodes of the site first, then as they are listed above."""
    family, node = parts[0], "/".join(parts[:2])
    if node in limits or (family == "current" and not limits):
        return 0, f"{parts[1]}: current per line"
    if family == "current":
        return len(_TITLES) + 1, "Drawn by each car"
    return (list(_TITLES).index(family) + 1, _TITLES[family]) if family in _TITLES else (len(_TITLES) + 2, family)


def _node_limits(site: Any) -> dict[str, tuple[tuple[str, float], ...]]:
    nodes = site.get("nodes", []) if isinstance(site, Mapping) else []
    found: dict[str, tuple[tuple[str, float], ...]] = {}
    for node in (node for node in nodes if isinstance(node, Mapping)):
        pairs = (("budget", number(node.get("limit_a"))), ("rating", number(node.get("rating_a"))))
        found[f"current/{node.get('id')}"] = tuple((name, value) for name, value in pairs if value is not None)
    return found
