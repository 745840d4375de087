"""The pilot in a procedure's chapter: the record that each measurement rests on, and what the probe saw over time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from hilbench.errors import InputError
from hilbench.evidence.files import number
from hilbench.evidence.markup import WORD, paragraphs, rounded, unit_text
from hilbench.evidence.pilot_plot import record_svg, wanted_pct
from hilbench.evidence.pilot_strip import Command, Part, parts_of, strip_svg
from hilbench.evidence.reader import ProcedureEvidence, RecordEntry
from hilbench.evidence.words import metric_title
from hilbench.signals import commanded_current, pilot_duty, pilot_high, profile_limit

MOST_SHOWN = 12
"""Records that a chapter draws; all of them are in its folder."""
_WHOLE, _HALF = 1000, 500


def pilot_pictures(procedure: ProcedureEvidence) -> str:
    """Strips of all probes, then the records; empty where no pilot was measured."""
    strips = "".join(f"<figure>{strip}</figure>" for strip in [*_strips(procedure), *_reports(procedure)])
    shown = list(procedure.records.values())[:MOST_SHOWN]
    figures = [_record(procedure, entry) for entry in shown]
    pairs = "".join(f"<figure>{figure}</figure>" for figure in figures if figure)
    rest = len(procedure.records) - len(shown)
    more = paragraphs([f"{rest} more records are in the folder records of this test."] if rest else [])
    return strips + (f'<div class="pair">{pairs}</div>' if pairs else "") + more


def _record(procedure: ProcedureEvidence, entry: RecordEntry) -> str:
    try:
        record = entry.load()
    except InputError as error:
        procedure.problems.append(f"records/{entry.path.name}: {error.problems[0].what}")
        return ""
    t = number(entry.about.get("t"))
    when = "" if t is None else f" at {t:.3f} s"
    said = [_verdict(item) for item in procedure.measurements if entry.name in item.get("records", ())]
    title = f"Pilot of {entry.of}{when}: {entry.path.name}"
    return record_svg(title, record, entry.about, said, standalone=False, width=_HALF, height=190)


def _verdict(item: Mapping[str, Any]) -> str:
    """What a measurement made of the record."""
    figures = [number(item.get(key)) for key in ("value", "uncertainty", "limit_value")]
    value, u, limit = (math.nan if figure is None else figure for figure in figures)
    unit, verdict = unit_text(str(item.get("unit", ""))), str(item.get("verdict"))
    spread = f" ± {rounded(u, u)}" if u > 0.0 and math.isfinite(value) else ""
    sign = {"<=": "≤", ">=": "≥"}.get(str(item.get("op")), "=")
    bound = "" if math.isnan(limit) else f" ({sign} {rounded(limit)} {unit})"
    shown = f"{rounded(value, u)}{spread} {unit}{bound}"
    return f"{WORD.get(verdict, verdict)}: {metric_title(str(item.get('metric')))} {shown}"


def _strips(procedure: ProcedureEvidence) -> Iterator[str]:
    names = [name.split("/")[1] for name in procedure.signals if name.startswith("pilot/") and name.endswith("/high")]
    for of in names:
        found = procedure.load([pilot_duty(of), pilot_high(of)])
        high = found.get(pilot_high(of))
        if high is not None and len(high) > 1:
            title = f"Pilot of {of} over time: duty cycle and state"
            parts = parts_of(found.get(pilot_duty(of)), high)
            yield strip_svg(title, parts, _command(procedure, of), standalone=False, width=_WHOLE)


def _reports(procedure: ProcedureEvidence) -> Iterator[str]:
    """What boards said of their state themselves, and when they were timed, where nobody looked at their pilot."""
    told: dict[str, list[Part]] = {}
    for event in procedure.events:
        if event.get("kind") == "openevse.state":
            _report(told.setdefault(str(event.get("subject")), []), event)
    marks = [mark for item in procedure.measurements for mark in _timed(item)]
    for board, parts in told.items():
        if procedure.load([pilot_high(board)]) or len({part.state for part in parts}) < 2:
            continue
        title = f"What board {board} said of its state and its offer"
        legend = "state above; line: duty cycle of the current that it offers; marks: acts that were timed"
        yield strip_svg(title, parts, marks=marks, legend=legend, standalone=False, width=_WHOLE, height=90)


def _report(parts: list[Part], event: Mapping[str, Any]) -> None:
    """The last part lasts until this report, which begins the next."""
    data = event.get("data")
    facts = data if isinstance(data, Mapping) else {}
    state, amps, t = str(facts.get("state", "")), number(facts.get("offered_a")), number(event.get("t")) or 0.0
    if parts:
        parts[-1] = parts[-1]._replace(end_s=t)
    offers = state in ("B", "C", "D") and amps is not None
    parts.append(Part(t, t, state, wanted_pct(amps) if offers and amps is not None else math.nan))


def _timed(item: Mapping[str, Any]) -> Iterator[tuple[float, str]]:
    """Where a time that a board took begins: marked with what was measured from there."""
    window, value = item.get("window"), number(item.get("value"))
    begun = number(window[0]) if isinstance(window, list) and window else None
    if begun is not None and value is not None and item.get("unit") == "s":
        yield begun, f"{metric_title(str(item.get('metric')))} {rounded(value)} s"


def _command(procedure: ProcedureEvidence, of: str) -> Command:
    """What a board was told to offer, or what a station took its profiles to allow, as duty cycles."""
    for name in (commanded_current(of), profile_limit(of)):
        signal = procedure.load([name]).get(name)
        if signal is not None:
            times, amps = (row.tolist() for row in signal.rows())
            return [(t, wanted_pct(limit)) for t, limit in zip(times, amps, strict=True)]
    return []
