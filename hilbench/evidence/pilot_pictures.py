"""The pilot in a procedure's chapter: the record that each measurement rests on, and what the probe saw over time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from hilbench.errors import InputError
from hilbench.evidence.files import number
from hilbench.evidence.markup import WORD, paragraphs, rounded, unit_text
from hilbench.evidence.pilot_plot import record_svg, wanted_pct
from hilbench.evidence.pilot_strip import Command, parts_of, strip_svg
from hilbench.evidence.reader import ProcedureEvidence, RecordEntry
from hilbench.evidence.words import metric_title
from hilbench.signals import commanded_current, pilot_duty, pilot_high, profile_limit

MOST_SHOWN = 12
"""Records that a chapter draws; all of them are in its folder."""
_WHOLE, _HALF = 1000, 500


def pilot_pictures(procedure: ProcedureEvidence) -> str:
    """Strips of all probes, then the records; empty where no pilot was measured."""
    strips = "".join(f"<figure>{strip}</figure>" for strip in _strips(procedure))
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


def _command(procedure: ProcedureEvidence, of: str) -> Command:
    """What a board was told to offer, or what a station took its profiles to allow, as duty cycles."""
    for name in (commanded_current(of), profile_limit(of)):
        signal = procedure.load([name]).get(name)
        if signal is not None:
            times, amps = (row.tolist() for row in signal.rows())
            return [(t, wanted_pct(limit)) for t, limit in zip(times, amps, strict=True)]
    return []
