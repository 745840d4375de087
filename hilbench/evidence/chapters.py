"""One chapter of the report per procedure: purpose, what went wrong, measurements, plots, tables, log, hashes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypedDict
from zoneinfo import ZoneInfo

from hilbench.evidence.bars import chart_of
from hilbench.evidence.files import number
from hilbench.evidence.happenings import needs_no_close_up
from hilbench.evidence.markup import badge, esc, paragraphs, prose, quantity, rounded, table
from hilbench.evidence.overview import (
    Groups,
    clause_cell,
    limit_cell,
    reason,
    rests_on,
    rule_cell,
    used_bar,
    value_cell,
)
from hilbench.evidence.pilot_pictures import pilot_pictures
from hilbench.evidence.reader import ProcedureEvidence, RunEvidence
from hilbench.evidence.safe_state import safe_state
from hilbench.evidence.scales import span_text
from hilbench.evidence.standard_plots import plots_of
from hilbench.evidence.story import failure_box
from hilbench.evidence.svg import plot_svg
from hilbench.evidence.words import metric_definition, metric_title, worst_repeat
from hilbench.signals import Signal
from hilbench.verdict import Plot

CURVE_BYTES = 2_400_000
"""What all curves of a report may take together: a long one draws each with fewer points, never without its peaks."""
_POINT_BYTES = 6.5
_LOG_ENDS, _LOG_ROWS = 4, 60
_QUIET_KINDS = ("command.profile", "vehicle.state", "ocpp", "safe.commanded", "safe.confirmed")
_CLOSE_UPS, _CLOSE_UP_BEFORE_S, _CLOSE_UP_AFTER_S = 6, 8.0, 52.0


class _Size(TypedDict):
    width: int
    height: int


def chapters(run: RunEvidence, groups: Groups) -> str:
    """All chapters; of a repeated procedure the worst repeat is told."""
    told = [worst_repeat(group) for group in groups.values()]
    plots = {item.key: plots_of(run, item) for item in told}
    curves = sum(len(plot.signals) for found in plots.values() for plot in found) * 2
    bins = int(min(max(CURVE_BYTES / (4 * _POINT_BYTES * max(curves, 1)), 40), 340))
    return "".join(_chapter(run, item, plots[item.key], bins) for item in told if item.path is not None)


def _chapter(run: RunEvidence, procedure: ProcedureEvidence, plots: Sequence[Plot], bins: int) -> str:
    signals = procedure.load(sorted({name for plot in plots for name in plot.signals}))
    stamp = badge(procedure.verdict) + rests_on(procedure)
    parts = [
        f"<h3><span>{esc(procedure.id)} {esc(procedure.title)}</span>{stamp}</h3>",
        _about(procedure),
        safe_state(procedure),
        failure_box(run, procedure, signals),
        _measurements(procedure),
        _pictures(run, procedure, plots, signals, bins),
        pilot_pictures(procedure),
        "".join(_tables(procedure)),
        _log(procedure),
        _proof(procedure),
    ]
    return f'<article id="{esc(procedure.key)}">{"".join(parts)}</article>'


def _about(procedure: ProcedureEvidence) -> str:
    texts = [f'<p class="purpose">{esc(procedure.get("purpose"))}</p>'] if procedure.get("purpose") else []
    if procedure.get("stimulus"):
        texts.append(f'<p class="mute"><b>What was done:</b> {esc(procedure.get("stimulus"))}</p>')
    duration = number(procedure.get("duration_s"))
    facts = [f"{span_text(duration)} of bench time"] if duration else []
    facts += [f"seed {procedure.get('seed')}"] if procedure.get("seed") is not None else []
    facts += [f"repeat {procedure.repeat}"] if procedure.repeat > 1 else []
    facts += [f"controller with the deliberate defect {procedure.get('defect')}"] if procedure.get("defect") else []
    facts += [reason(procedure)] if procedure.verdict == "NOT_RUN" or procedure.get("notes") else []
    return "".join(texts) + f'<p class="mute">{esc("; ".join(fact for fact in facts if fact))}</p>'


def _measurements(procedure: ProcedureEvidence) -> str:
    if not procedure.measurements:
        return ""
    columns = ("Measurement", "Value ± U (k = 2)", "Limit", "Limit used", "Clause and source", "Rule", "Verdict")
    body = table(columns, [_measurement_row(item) for item in procedure.measurements])
    return body + _budgets([item for item in procedure.measurements if item.get("budget")])


def _budgets(items: Sequence[Mapping[str, Any]]) -> str:
    """Of each measurement with an uncertainty: what that consists of, after the GUM."""
    rows = [row for item in items for row in _budget_rows(item)]
    columns = ("Measurement", "Contribution", "How it was found", "u", "U (k = 2)")
    return _folded(f"Uncertainty budgets ({len(items)} measurements)", table(columns, rows)) if rows else ""


def _budget_rows(item: Mapping[str, Any]) -> list[tuple[str, ...]]:
    unit, first = str(item.get("unit", "")), esc(metric_title(str(item.get("metric"))))
    first += f"<small>{esc(item['note'])}</small>" if item.get("note") else ""
    found: list[tuple[str, ...]] = []
    for at, part in enumerate(item["budget"]):
        own, whole = quantity(part.get("standard"), unit), quantity(item.get("uncertainty"), unit)
        lead, total = ("", "") if at else (first, whole)
        found.append((lead, esc(part.get("source", "")), esc(part.get("how", "")), own, total))
    return found


def _measurement_row(item: Mapping[str, Any]) -> tuple[str, ...]:
    metric = str(item.get("metric"))
    clause = item.get("clause") or {}
    title = f'<span title="{esc(metric_definition(metric))}">{esc(metric_title(metric))}</span>'
    title += f"<small>{esc(item['note'])}</small>" if item.get("note") else ""
    verdict = badge(str(item.get("verdict")))
    figures = (value_cell(item), limit_cell(item), used_bar(item), clause_cell(item))
    return (title, *figures, rule_cell(clause), verdict)


def _pictures(
    run: RunEvidence, procedure: ProcedureEvidence, plots: Sequence[Plot], signals: Mapping[str, Signal], bins: int
) -> str:
    """The first plot large, the seconds around each stimulus, then the others two in a row, all over the same time."""
    drawn = [plot for plot in plots if any(name in signals for name in plot.signals)]
    if not drawn:
        return ""
    epoch, span = _local_epoch(run, procedure), _span(procedure, signals)

    def draw(plot: Plot, size: _Size) -> str:
        return plot_svg(plot, signals, epoch=epoch, window=span, standalone=False, bins=bins, **size)

    small = [plot for plot in drawn[1:] if len(plot.signals) <= _SIDE_BY_SIDE]
    maps = [plot for plot in drawn[1:] if len(plot.signals) > _SIDE_BY_SIDE]
    pairs = [*_close_ups(drawn[0], signals, span, bins), *(draw(plot, _HALF) for plot in small)]
    wide = "".join(f"<figure>{draw(plot, _WHOLE)}</figure>" for plot in maps)
    return f"<figure>{draw(drawn[0], _WHOLE)}</figure>{_pairs(pairs)}{wide}"


_SIDE_BY_SIDE = 16
"""Plots of more signals than these need the whole width."""
_WHOLE: _Size = {"width": 1000, "height": 250}
_HALF: _Size = {"width": 500, "height": 180}


def _span(procedure: ProcedureEvidence, signals: Mapping[str, Signal]) -> tuple[float, float]:
    """From the first to the last recorded sample, or to the end of the procedure: a step signal may rest for long."""
    ends = [signal.rows()[0][[0, -1]] for signal in signals.values()]
    last = max(float(end[1]) for end in ends)
    return min(float(end[0]) for end in ends), max(last, number(procedure.get("duration_s")) or 0.0)


def _pairs(pictures: Sequence[str]) -> str:
    figures = "".join(f"<figure>{picture}</figure>" for picture in pictures)
    return f'<div class="pair">{figures}</div>' if figures else ""


def _close_ups(plot: Plot, signals: Mapping[str, Signal], span: tuple[float, float], bins: int) -> list[str]:
    """The seconds around each stimulus: in a plot of minutes the response is a vertical line."""
    if span[1] - span[0] < 3 * (_CLOSE_UP_BEFORE_S + _CLOSE_UP_AFTER_S):
        return []
    found = []
    begun = [mark for mark in plot.marks if not needs_no_close_up(mark[1])]
    for t, text in begun[:_CLOSE_UPS]:
        window = (max(t - _CLOSE_UP_BEFORE_S, span[0]), min(t + _CLOSE_UP_AFTER_S, span[1]))
        close = replace(plot, title=f"Close-up: {text}")
        found.append(plot_svg(close, signals, window=window, standalone=False, bins=min(bins, 220), **_HALF))
    return found


def _local_epoch(run: RunEvidence, procedure: ProcedureEvidence) -> datetime | None:
    site = run.head.get("site")
    name = site.get("timezone", "UTC") if isinstance(site, Mapping) else "UTC"
    try:
        return procedure.epoch.astimezone(ZoneInfo(str(name))) if procedure.epoch else None
    except (KeyError, ValueError, OSError):  # a zone that this machine does not know is a KeyError
        return procedure.epoch


def _tables(procedure: ProcedureEvidence) -> list[str]:
    found = []
    for one in procedure.get("tables", []):
        if isinstance(one, Mapping) and one.get("rows"):
            rows = [[prose(cell) for cell in row] for row in one["rows"]]
            body = table([esc(column) for column in one.get("columns", [])], rows, "num")
            title = esc(one.get("title", ""))
            picture = chart_of(one)
            found += [f"<figure>{picture}</figure>"] if picture else []
            found.append(f"<h4>{title}</h4>{body}" if len(rows) <= 20 else _folded(f"{title} ({len(rows)} rows)", body))
    return found


def _folded(title: str, body: str, is_open: bool = False) -> str:
    return f"<details{' open' if is_open else ''}><summary>{title}</summary>{body}</details>"


def _log(procedure: ProcedureEvidence) -> str:
    """The first and last events and the important ones between; the rest is counted and lies in events.jsonl."""
    events = procedure.events
    if not events:
        return ""
    ends = {*range(_LOG_ENDS), *range(len(events) - _LOG_ENDS, len(events))}
    loud = [index for index, event in enumerate(events) if not str(event.get("kind", "")).startswith(_QUIET_KINDS)]
    shown = sorted({index for index in {*loud[:_LOG_ROWS], *ends} if 0 <= index < len(events)})
    rows = [_log_row(events[index]) for index in shown]
    hidden = Counter(str(event.get("kind")) for index, event in enumerate(events) if index not in set(shown))
    rest = ", ".join(f"{count} × {kind}" for kind, count in hidden.most_common(8))
    said = f"<p class='mute'>Not shown: {esc(rest)}. All are in <code>events.jsonl</code>.</p>" if rest else ""
    body = table(("t [s]", "UTC", "event", "at", ""), rows, "log")
    return _folded(f"Event log ({len(shown)} of {len(events)})", body + said)


def _log_row(event: Mapping[str, Any]) -> tuple[str, ...]:
    seconds = esc(rounded(number(event.get("t")) or 0.0, 0.01))
    return (seconds, *(esc(event.get(key, "")) for key in ("utc", "kind", "subject")), prose(event.get("data", "")))


def _proof(procedure: ProcedureEvidence) -> str:
    hashes = procedure.get("hashes", {})
    traces = hashes.get("traces_sha256", {}) if isinstance(hashes, Mapping) else {}
    rows = [(esc(name), f"<code>{esc(hashes[key])}</code>") for name, key in _HASHES if hashes.get(key)]
    rows += [(f"messages of {esc(name)}", f"<code>{esc(value)}</code>") for name, value in sorted(traces.items())]
    problems = paragraphs(f"Damaged: {problem}" for problem in dict.fromkeys(procedure.problems))
    return problems + (_folded("Hashes (sha256)", table(("of", "sha256"), rows, "log")) if rows else "")


_HASHES = (("all signals", "signals_sha256"), ("event log", "events_sha256"))
