"""Why a measurement failed, from the record: how far, since when, after what, and what the controller had said."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from hilbench.evidence.files import number, utc_text
from hilbench.evidence.happenings import happening, is_cause
from hilbench.evidence.markup import esc, prose, rounded, table
from hilbench.evidence.overview import reason
from hilbench.evidence.reader import ProcedureEvidence, RunEvidence
from hilbench.evidence.scales import span_text
from hilbench.evidence.svg import plot_of
from hilbench.evidence.words import distance, metric_definition, metric_title, replay_command
from hilbench.signals import Signal
from hilbench.verdict import Plot

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


def excursions(signal: Signal, name: str, limit: float) -> list[Excursion]:
    """Every stay of ``signal`` above ``limit``, in their order."""
    t, v = signal.polyline()
    above = np.flatnonzero((v > limit) & np.isfinite(v))
    if not len(above):
        return []
    stretches = np.split(above, np.flatnonzero(np.diff(above) > 1) + 1)
    return [
        Excursion(
            signal.name, name, limit, _enter(t, v, part[0], limit), _leave(t, v, part[-1], limit), float(v[part].max())
        )
        for part in stretches
    ]


def _matching(found: list[Excursion], value: float | None, unit: str) -> Excursion | None:
    """The stay that a measurement is about: for a duration the shortest that is as long, else the longest."""
    long_enough = [one for one in found if value is not None and unit == "s" and one.stop - one.start >= 0.99 * value]
    if long_enough:
        return min(long_enough, key=lambda one: one.stop - one.start)
    return max(found, key=lambda one: one.stop - one.start, default=None)


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
    parts = []
    if error and procedure.verdict != "INCOMPLETE":
        parts.append(f"<p><b>The test ended in an error:</b> {esc(error)}</p>")
    if procedure.verdict == "INCOMPLETE":
        parts.append(f"<p>{esc(_capital(reason(procedure)))}. It has no result.</p>")
    parts += [_one(procedure, item, signals) for item in bad]
    command = esc(replay_command(run, procedure))
    parts.append(f"<p>See it again: <code>{command}</code></p>")
    title = "What went wrong" if procedure.verdict == "FAIL" else "Why this is not a pass"
    return f'<div class="box {procedure.verdict.lower()}"><h4>{title}</h4>{"".join(parts)}</div>'


def _one(procedure: ProcedureEvidence, item: Mapping[str, Any], signals: Mapping[str, Signal]) -> str:
    metric = str(item.get("metric"))
    text = [f"<b>{esc(_capital(metric_title(metric)))}:</b> {esc(distance(item))}"]
    meant = metric_definition(metric)
    text += [f"<span class='mute'>Measured is: {esc(meant)}.</span>"] if meant else []
    excursion = _excursion_of(procedure, item, signals)
    if excursion is None:
        span = _window_of(item)
        text += [] if span is None else [_looked_at(procedure, span)]
        return f"<p>{' '.join(text)}</p>" + ("" if span is None else _told(procedure, *span))
    text.append(_since(procedure, excursion))
    return f"<p>{' '.join(text)}</p>" + _seen(excursion, signals) + _told(procedure, excursion.start, excursion.stop)


def _window_of(item: Mapping[str, Any]) -> tuple[float, float] | None:
    given = item.get("window")
    ends = [number(end) for end in given] if isinstance(given, list) else []
    return (ends[0], ends[1]) if len(ends) == 2 and ends[0] is not None and ends[1] is not None else None


def _looked_at(procedure: ProcedureEvidence, span: tuple[float, float]) -> str:
    said = f"It was looked at from {_moment(procedure, span[0])} to {_seconds(span[1])}."
    cause = _last_cause(procedure, span[0])
    if cause is not None:
        said += f" What had happened before, at {_seconds(number(cause.get('t')) or 0.0)}: {happening(cause)}."
    return esc(said)


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
                found = excursions(signals[name], *limit)
                return _matching(found, number(item.get("value")), str(item.get("unit")))
    return None


def _limit(plot: Plot, wanted: str) -> tuple[str, float] | None:
    named = [limit for limit in plot.limits if wanted and wanted in limit[0]]
    return min(named or plot.limits, key=lambda limit: limit[1], default=None)


def _since(procedure: ProcedureEvidence, found: Excursion) -> str:
    said = (
        f"{_line(found.signal)} was above the {found.limit_name} ({rounded(found.limit)} A) for "
        f"{span_text(found.stop - found.start)}, from {_moment(procedure, found.start)} to {_seconds(found.stop)}, "
        f"at most {rounded(found.peak)} A."
    )
    cause = _last_cause(procedure, found.start)
    if cause is not None:
        said += f" What had happened before, at {_seconds(number(cause.get('t')) or 0.0)}: {happening(cause)}."
    return esc(said)


def _line(signal: str) -> str:
    """``current/service/L1`` as a reader says it."""
    parts = signal.split("/")
    return f"The current of {parts[1]} {parts[2]}" if parts[0] == "current" and len(parts) == 3 else signal


def _seconds(t: float) -> str:
    return f"{t:.1f} s"


def _seen(found: Excursion, signals: Mapping[str, Signal]) -> str:
    """What the meter told the controller about it, where a meter was on that line."""
    meter = signals.get(found.signal.replace("current/", "meter/", 1))
    if meter is None or meter.name == found.signal:
        return ""
    t, v = meter.rows()
    news = np.flatnonzero((t >= found.start) & (t <= found.stop) & (v > found.limit))
    if not len(news):
        return "<p>The meter never reported it while it lasted.</p>"
    first = news[0]
    when = f"{_seconds(float(t[first]))}, {_seconds(float(t[first]) - found.start)} after it began"
    return f"<p>{esc(f'The meter reported {rounded(float(v[first]))} A at {when}.')}</p>"


def _moment(procedure: ProcedureEvidence, t: float) -> str:
    if procedure.epoch is None:
        return _seconds(t)
    return f"{_seconds(t)} ({utc_text(procedure.epoch + timedelta(seconds=t))})"


def _last_cause(procedure: ProcedureEvidence, t: float) -> dict[str, Any] | None:
    causes = list(filter(is_cause, procedure.events))
    return next((event for event in reversed(causes) if (number(event.get("t")) or 0.0) <= t + _CAUSE_AFTER_S), None)


def _told(procedure: ProcedureEvidence, start: float, stop: float) -> str:
    """What stations had accepted from the controller: before it, as the first answer, and last before its end."""
    rounds = _rounds(procedure, stop)
    if not rounds:
        return "<p>Until then no station had accepted any limit from the controller.</p>"
    before = [one for one in rounds if one[0] < start]
    during = [one for one in rounds if one[0] >= start]
    rows = [_round_row(one, start) for one in before[-2:]]
    if len(during) > COMMANDS_SHOWN:
        left_out = len(during) - COMMANDS_SHOWN
        first, last = during[: COMMANDS_SHOWN // 2], during[-COMMANDS_SHOWN // 2 :]
        gap = ("…", "", f"{left_out} more in between", "")
        rows += [*(_round_row(one, start) for one in first), gap, *(_round_row(one, start) for one in last)]
    else:
        rows += [_round_row(one, start) for one in during]
    columns = ("bench time [s]", "after it began [s]", "stations", "what the controller told them")
    lead = "<p>What stations accepted from the controller until it ended:</p>" if during else _SILENT
    return lead + table(columns, rows, "plain")


_SILENT = "<p>While it lasted the controller told no station anything new. The last that they had accepted before:</p>"
_Round = tuple[float, list[str], str]


def _rounds(procedure: ProcedureEvidence, until: float) -> list[_Round]:
    """Commands that came within a tenth of a second with the same content, as (time, stations, content).

    Not those that only repeat what the station was told last: limits that run out are renewed all the time.
    """
    found: dict[tuple[float, str], list[str]] = {}
    last: dict[str, str] = {}
    for event in procedure.events:
        t = number(event.get("t")) or 0.0
        if event.get("kind") == "command.profile" and t <= until:
            station, content = str(event.get("subject", "")), _content(event.get("data"))
            if last.get(station) != content:
                found.setdefault((round(t, 1), content), []).append(station)
            last[station] = content
    return [(t, stations, content) for (t, content), stations in found.items()]


def _content(data: Any) -> str:
    if not isinstance(data, Mapping) or not {"limit_a", "setpoint_a"} & set(data):
        return prose(data or "")
    purpose = f" ({esc(data['purpose'])})" if data.get("purpose") else ""
    setpoint = number(data.get("setpoint_a"))
    if setpoint is not None:
        return f"{'give' if setpoint < 0 else 'take'} {rounded(abs(setpoint))} A{purpose}"
    if number(data.get("limit_a")) is None:
        return prose(data)
    amps = number(data["limit_a"]) or 0.0
    return f"at most {rounded(amps)} A{purpose}" if amps else f"no current{purpose}"


def _round_row(one: _Round, start: float) -> tuple[str, ...]:
    t, stations, content = one
    return f"{t:.1f}", f"{t - start:+.1f}", esc(" ".join(sorted(stations))), content
