"""What the controller does, to be read over HTTP: its state, the reason of each limit, and figures for Prometheus."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from hilbench import clock
from hilbench.controller.actions import PATHS, Actions
from hilbench.controller.changes import Changes
from hilbench.controller.core import Core
from hilbench.controller.explain import Why, in_words, why
from hilbench.controller.obedience import FLAWS, rests_at_a
from hilbench.controller.stations import StationState, most_drawn
from hilbench.controller.watch import MeterSample
from hilbench.controller.web import Answer, Request, json, refusal

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus text format, version 0.0.4 (its exposition formats; vendor-doc)."""
PREFIX = "hilbench_controller_"


@dataclass
class Activity:
    """What the controller has done since it started: decisions, limits that stations accepted, its last sample."""

    decisions: int = 0
    accepted: int = 0
    sample: MeterSample | None = None


@dataclass(frozen=True)
class Status:
    """Answers requests about ``core``; ``now`` is the time as the core sees it [s].

    Without ``changes`` and ``actions`` it only answers.
    """

    core: Core
    activity: Activity
    now: Callable[[], float]
    changes: Changes | None = None
    actions: Actions | None = None

    def handle(self, request: Request) -> Answer:
        """The answer to a request: 404 for another path, 405 for another method than GET."""
        if request.path == "/settings" and self.changes is not None:
            return self.changes.handle(request)
        if request.path in PATHS and self.actions is not None:
            return self.actions.handle(request)
        pages = {"/status": self._status, "/metrics": self._metrics}
        role = unquote(request.path.removeprefix("/why/")) if request.path.startswith("/why/") else None
        if request.path not in pages and role not in self.core.stations:
            return refusal(404, f"no station {role!r}" if role else "there are /status, /why/ROLE and /metrics")
        if request.method != "GET":
            return refusal(405, "only to be read", allow="GET")
        return json(reasons(why(self.core, role, self.now()))) if role is not None else pages[request.path]()

    def _status(self) -> Answer:
        return json(overview(self.core, self.activity, self.now()) | {"time": clock.now().isoformat()})

    def _metrics(self) -> Answer:
        text = "\n".join(metrics(self.core, self.activity, self.now())) + "\n"
        return Answer(200, text.encode(), METRICS_TYPE)


def reasons(found: Why) -> dict[str, Any]:
    """An answer of ``why`` as JSON, with its words."""
    table = found._asdict() | {"words": in_words(found)}
    if found.constraint is not None:
        table["constraint"] = found.constraint._asdict() | {"by": [s._asdict() for s in found.constraint.by]}
    return table


def overview(core: Core, activity: Activity, t: float) -> dict[str, Any]:
    """The state of the controller at core time ``t``: meter, building, nodes, stations; amperes and seconds."""
    sample = activity.sample
    lines = core.site.lines
    return {
        "site": core.site.name,
        "safe_state": core.watch.reason,
        "meter": {"age_s": _age_s(activity, t), "current_a": sample.currents if sample else {}},
        "building_a": dict(zip(lines, core.building.base.tolist(), strict=True)),
        "feeders": {node: _feeder(core, node) for node in core.feeders.loads},
        "limits": [
            {"node": node, "line": line, "limit_a": float(limit)}
            for (node, line), limit in zip(core.tree.keys, core.tree.limits.tolist(), strict=True)
        ],
        "margin_a": core.settings.margin_a,
        "stations": {role: _station(station, core, t) for role, station in core.stations.items()},
        "decisions": activity.decisions,
        "limits_accepted": activity.accepted,
    }


def _feeder(core: Core, node: str) -> dict[str, Any]:
    load = core.feeders.loads[node]
    beside = dict(zip(core.site.lines, load.confirmed().tolist(), strict=True))
    return {"beside_a": beside, "metered": load.metered, "doubt": core.feeders.doubts().get(node, "")}


def _station(station: StationState, core: Core, t: float) -> dict[str, Any]:
    return {
        "online": station.online,
        "status": station.status,
        "wants": station.wants,
        "limit_a": station.target_a,
        "granted_a": station.granted_a,
        "lease_s": max(station.lease_until - t, 0.0),
        "reported_a": station.reported_a,
        "cap_a": station.cap_a,
        "lines": station.lines or station.branch.lines,
        "may_draw_a": most_drawn(station, core.settings, t),
        "rests_at_a": rests_at_a(station, core.settings),
        "obeys": not station.trust.flaw,
        "flaw": FLAWS.get(station.trust.flaw, ""),
        "found_out": station.trust.found,
        "reports_usable": not station.trust.garbled,
    }


def _age_s(activity: Activity, t: float) -> float:
    return math.inf if activity.sample is None else max(t - activity.sample.t, 0.0)


Rows = list[tuple[dict[str, str], float]]


def metrics(core: Core, activity: Activity, t: float) -> Iterator[str]:
    """Lines of the Prometheus text format, one family after the other."""
    for name, kind, text, rows in _families(core, activity, t):
        yield f"# HELP {PREFIX}{name} {text}"
        yield f"# TYPE {PREFIX}{name} {kind}"
        for labels, value in rows:
            yield f"{PREFIX}{name}{_labels(labels)} {_number(value)}"


def _families(core: Core, activity: Activity, t: float) -> Iterator[tuple[str, str, str, Rows]]:
    measured = activity.sample.currents if activity.sample else {}
    building = dict(zip(core.site.lines, core.building.base.tolist(), strict=True))
    limits = {node: float(a) for (node, _line), a in zip(core.tree.keys, core.tree.limits.tolist(), strict=True)}
    yield "site_current_amperes", "gauge", "Current at the service, as metered.", _rows("line", measured)
    yield "building_current_amperes", "gauge", "Current beside the stations, as estimated.", _rows("line", building)
    yield "budget_amperes", "gauge", "Limit of each line of a node.", _rows("node", limits)
    yield "meter_age_seconds", "gauge", "Time since the meter's last answer.", [({}, _age_s(activity, t))]
    yield "safe_state", "gauge", "1 while the meter is not trusted.", [({}, float(bool(core.watch.reason)))]
    yield "decisions_total", "counter", "Decisions taken.", [({}, activity.decisions)]
    yield "limits_accepted_total", "counter", "Limits that stations accepted.", [({}, activity.accepted)]
    for name, text, value in _STATION:
        yield f"station_{name}", "gauge", text, _rows("role", {r: value(s) for r, s in core.stations.items()})
    found = {role: float(station.trust.found) for role, station in core.stations.items()}
    yield "station_found_out_total", "counter", "How often it was seen not to obey.", _rows("role", found)


_STATION: tuple[tuple[str, str, Callable[[StationState], float]], ...] = (
    ("limit_amperes", "Limit that the station shall have.", lambda station: station.target_a),
    ("granted_amperes", "Limit that it accepted.", lambda station: station.granted_a),
    ("reported_amperes", "Largest phase current that it reported.", lambda station: _or_nan(station.reported_a)),
    ("online", "1 while its link is up.", lambda station: float(station.online)),
    ("wants", "1 while a car may take current there.", lambda station: float(station.wants)),
    ("astray", "1 while it does not do what it is told.", lambda station: float(bool(station.trust.flaw))),
)


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _rows(label: str, values: dict[str, float]) -> Rows:
    return [({label: key}, value) for key, value in values.items()]


def _labels(labels: dict[str, str]) -> str:
    pairs = [f'{name}="{_escaped(value)}"' for name, value in labels.items()]
    return "{" + ",".join(pairs) + "}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return repr(float(value)) if math.isfinite(value) else ("+Inf" if value > 0 else "-Inf")
