"""Why a measurement failed, from the record: how far, since when, after what, and what the controller had said."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from hilbench.evidence.files import number, utc_text
from hilbench.evidence.markup import esc, prose, rounded, table
from hilbench.evidence.reader import ProcedureEvidence, RunEvidence
from hilbench.evidence.scales import span_text
from hilbench.evidence.svg import plot_of
from hilbench.evidence.words import distance, metric_title, replay_command
from hilbench.signals import Signal
from hilbench.verdict import Plot

CAUSES = ("stimulus", "fault", "heal")
COMMANDS_SHOWN = 8
_CAUSE_AFTER_S = 1.0  # a recorded slope may begin before the event that steepens it


@dataclass(frozen=True)
class Excursion:
    """The longest stay of a signal above a limit, in bench seconds, and its highest value."""

    signal: str
    limit_name: str
    limit: float
    start: float
    stop: float
    peak: float


def longest_excursion(signal: Signal, name: str, limit: float) -> Excursion | None:
    """The longest stay of ``signal`` above ``limit``; None when it never was."""
    t, v = signal.polyline()
    above = np.flatnonzero((v > limit) & np.isfinite(v))
    if not len(above):
        return None
    stretches = np.split(above, np.flatnonzero(np.diff(above) > 1) + 1)
    best = max(stretches, key=lambda part: float(_leave(t, v, part[-1], limit) - _enter(t, v, part[0], limit)))
    start, stop = _enter(t, v, best[0], limit), _leave(t, v, best[-1], limit)
    return Excursion(signal.name, name, limit, start, stop, float(v[best].max()))


def _enter(t: Any, v: Any, index: int, limit: float) -> float:
    return float(t[0]) if index == 0 else _crossing(t, v, index - 1, limit)


def _leave(t: Any, v: Any, index: int, limit: float) -> float:
    return float(t[-1]) if index == len(t) - 1 else _crossing(t, v, index, limit)


def _crossing(t: Any, v: Any, index: int, limit: float) -> float:
    rise = v[index + 1] - v[index]
    if not math.isfinite(rise) or rise == 0:
        return float(t[index])
    return float(t[index] + (t[index + 1] - t[index]) * (limit - v[index]) / rise)


def failure_box(run: RunEvidence, procedure: ProcedureEvidence, signals: Mapping[str, Signal]) -> str:
    """HTML that explains a procedure that did not pass; empty for one that did."""
    bad = [item for item in procedure.measurements if item.get("verdict") in ("FAIL", "INCONCLUSIVE", "ERROR")]
    error = str(procedure.get("error", "") or "")
    if procedure.verdict in ("PASS", "NOT_RUN") or not (bad or error or procedure.verdict == "INCOMPLETE"):
        return ""
    parts = [f"<p><b>The test ended in an error:</b> {esc(error)}</p>"] if error else []
    if procedure.verdict == "INCOMPLETE":
        parts.append("<p>This test was cut off: it has no result. What was recorded until then follows.</p>")
    parts += [_one(procedure, item, signals) for item in bad]
    command = esc(replay_command(run, procedure))
    parts.append(f"<p>See it again: <code>{command}</code></p>")
    title = "What went wrong" if procedure.verdict == "FAIL" else "Why this is not a pass"
    return f'<div class="box {procedure.verdict.lower()}"><h4>{title}</h4>{"".join(parts)}</div>'


def _one(procedure: ProcedureEvidence, item: Mapping[str, Any], signals: Mapping[str, Signal]) -> str:
    text = [f"<b>{esc(_capital(metric_title(str(item.get('metric')))))}:</b> {esc(distance(item))}"]
    excursion = _excursion_of(procedure, item, signals)
    if excursion is None:
        return f"<p>{' '.join(text)}</p>"
    text.append(_since(procedure, excursion))
    return f"<p>{' '.join(text)}</p>" + _told(procedure, excursion)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _excursion_of(
    procedure: ProcedureEvidence, item: Mapping[str, Any], signals: Mapping[str, Signal]
) -> Excursion | None:
    """The stay above a plotted limit that belongs to a measurement: the rating for its metrics, else the budget."""
    names = [str(name) for name in item.get("signals", ())]
    wanted = "rating" if "rating" in str(item.get("metric")) or item.get("metric") == "peak_ratio" else ""
    for plot in map(plot_of, procedure.get("plots", [])):
        for name in (name for name in names if name in plot.signals and name in signals):
            limit = _limit(plot, wanted)
            if limit is not None:
                return longest_excursion(signals[name], *limit)
    return None


def _limit(plot: Plot, wanted: str) -> tuple[str, float] | None:
    named = [limit for limit in plot.limits if wanted and wanted in limit[0]]
    return min(named or plot.limits, key=lambda limit: limit[1], default=None)


def _since(procedure: ProcedureEvidence, found: Excursion) -> str:
    said = (
        f"{found.signal} was above the {found.limit_name} ({rounded(found.limit)} A) for "
        f"{span_text(found.stop - found.start)}, from {_moment(procedure, found.start)} to {rounded(found.stop)} s, "
        f"at most {rounded(found.peak)} A."
    )
    cause = _last_cause(procedure, found.start)
    if cause is not None:
        t = number(cause.get("t")) or 0.0
        said += f" Before it, at {rounded(t)} s: {cause.get('kind')} {_details(cause)}.".replace(" .", ".")
    return esc(said)


def _moment(procedure: ProcedureEvidence, t: float) -> str:
    if procedure.epoch is None:
        return f"{rounded(t)} s"
    return f"{rounded(t)} s ({utc_text(procedure.epoch + timedelta(seconds=t))})"


def _last_cause(procedure: ProcedureEvidence, t: float) -> dict[str, Any] | None:
    causes = [event for event in procedure.events if str(event.get("kind", "")).split(".")[0] in CAUSES]
    return next((event for event in reversed(causes) if (number(event.get("t")) or 0.0) <= t + _CAUSE_AFTER_S), None)


def _details(event: Mapping[str, Any]) -> str:
    data = event.get("data")
    pairs = data.items() if isinstance(data, Mapping) else ()
    subject = [str(event["subject"])] if event.get("subject") else []
    return " ".join(subject + [f"{key} {value}" for key, value in pairs])


def _told(procedure: ProcedureEvidence, found: Excursion) -> str:
    """The last limits that stations had accepted from the controller before the stay above the limit ended."""
    commands = [event for event in procedure.events if event.get("kind") == "command.profile"]
    before = [event for event in commands if (number(event.get("t")) or 0.0) <= found.stop]
    during = sum((number(event.get("t")) or 0.0) >= found.start for event in before)
    if not before:
        return "<p>Until then no station had accepted any limit from the controller.</p>"
    said: dict[tuple[str, str], list[str]] = {}
    for event in before:
        moment = rounded(number(event.get("t")) or 0.0, 0.1)
        said.setdefault((moment, prose(event.get("data", ""))), []).append(str(event.get("subject", "")))
    rows = [(moment, esc(" ".join(roles)), text) for (moment, text), roles in list(said.items())[-COMMANDS_SHOWN:]]
    lead = f"<p>While it lasted, stations accepted {during} limits from the controller. The last until it ended:</p>"
    return lead + table(("bench time [s]", "stations", "what the controller said"), rows, "plain")
