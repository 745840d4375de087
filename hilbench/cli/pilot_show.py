"""What ``hilbench pilot`` prints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from hilbench.metrics.pilot import Pilot, Reading
from hilbench.metrics.pilot_facts import facts, number, reading
from hilbench.metrics.pilot_stream import Stretch
from hilbench.metrics.pilot_table import DutyTable, Limit
from hilbench.metrics.pilot_verdicts import Check
from hilbench.waveform import Accuracy, Waveform

_READINGS = (
    ("duty", "duty_pct", "%", 1.0),
    ("duty of the source", "source_duty_pct", "%", 1.0),
    ("frequency", "frequency_hz", "Hz", 1.0),
    ("high level", "high_v", "V", 1.0),
    ("low level", "low_v", "V", 1.0),
    ("rise 10-90 %", "rise_s", "us", 1e6),
    ("fall 10-90 %", "fall_s", "us", 1e6),
    ("R1 x capacitance", "tau_s", "us", 1e6),
    ("current", "current_a", "A", 1.0),
)


def verdict(check: Check) -> str:
    """The word for a check, as everywhere in the bench."""
    return {True: "PASS", False: "FAIL", None: "INCONCLUSIVE"}[check.kept]


def figures(reading: Reading, scale: float = 1.0) -> tuple[str, str]:
    """Value and uncertainty with two digits of the uncertainty."""
    if math.isnan(reading.value):
        return "-", ""
    u = reading.uncertainty * scale
    digits = max(1 - math.floor(math.log10(u)), 0) if 0.0 < u < math.inf else 3
    return f"{reading.value * scale:.{min(digits, 9)}f}", f"{u:.2g}"


def span(limit: Limit) -> str:
    """A limit as a range."""
    return (
        f"{limit.low:g} to {limit.high:g} {limit.unit}" if limit.high < math.inf else f">= {limit.low:g} {limit.unit}"
    )


def _plain() -> Table:
    return Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))


def _console() -> Console:
    return Console(highlight=False, markup=False, soft_wrap=True)


def show(found: Pilot, judged: Sequence[Check], record: Waveform) -> None:
    """Readings, verdicts, notes."""
    console = _console()
    how = f"{found.cycles} cycles, {found.way}, threshold {found.threshold_v:.2f} V" if found.pwm else "no square wave"
    console.print(f"state {found.state}: {how}; noise {found.noise_v * 1e3:.1f} mV, {found.table}")
    readings = _plain()
    for head in ("reading", "value", "U (k=2)", "unit"):
        readings.add_column(head, justify="right" if head in ("value", "U (k=2)") else "left", no_wrap=True)
    for name, key, unit, scale in _READINGS:
        readings.add_row(name, *figures(getattr(found, key), scale), unit)
    console.print(readings)
    console.print()
    console.print(_checks(judged))
    console.print()
    _reasons(console, judged)
    for note in found.notes:
        console.print(f"note: {note}")
    if record.accuracy == Accuracy():
        console.print("note: gain, offset and clock of the instrument are taken for exact (--gain, --offset, --clock)")


def _checks(judged: Sequence[Check]) -> Table:
    table = _plain()
    for head in ("verdict", "what", "value", "limit"):
        table.add_column(head, no_wrap=True)
    for check in judged:
        value, u = figures(check.reading)
        shown = f"{value} +- {u}" if u else value
        table.add_row(verdict(check), check.limit.name, shown, span(check.limit))
    return table


def _reasons(console: Console, judged: Sequence[Check]) -> None:
    """Where the limits come from, and what is to be known of the values."""
    for check in judged:
        note = f"; {check.note}" if check.note else ""
        console.print(f"{check.limit.name}: {check.limit.source} ({check.limit.confidence}){note}")


def show_stream(found: Sequence[Stretch], judged: Sequence[Check]) -> None:
    """States over time, then the verdicts on their times."""
    console, table = _console(), _plain()
    for head in ("from s", "to s", "state", "duty %", "U", "high V", "cycles"):
        table.add_column(head, justify="left" if head == "state" else "right", no_wrap=True)
    for one in found:
        times = [f"{at:.4f}" for at in (one.begin_s, one.end_s)]
        table.add_row(*times, one.state, *figures(one.duty_pct), figures(one.high_v)[0], str(one.cycles or ""))
    console.print(table if found else "no whole cycle and no still level of 1.5 ms in the record")
    if judged:
        console.print()
        console.print(_checks(judged))
        console.print()
        _reasons(console, judged)


def show_table(rules: DutyTable) -> None:
    """The bands of an edition."""
    console, table = _console(), _plain()
    for head in ("duty %", "meaning", "from A", "to A"):
        table.add_column(head, justify="left" if head in ("duty %", "meaning") else "right", no_wrap=True)
    for band in rules.bands:
        ends = [f"{band.current_a(at):g}" for at in (band.low_pct, band.high_pct)]
        if band.digital:
            table.add_row(band.text, "digital communication required", "", "")
        elif band.per_pct:
            shift = f" x (duty - {-band.constant_a / band.per_pct:g})" if band.constant_a else " x duty"
            table.add_row(band.text, f"{band.per_pct:g} A{shift}", *ends)
        else:
            table.add_row(band.text, "constant", *ends)
    console.print(f"{rules.name}: {rules.source} ({rules.confidence}); elsewhere charging is not permitted")
    console.print(table)


def _check(check: Check) -> dict[str, Any]:
    limit = check.limit
    return {
        "what": limit.name,
        "verdict": verdict(check),
        **reading(check.reading),
        "unit": limit.unit,
        "low": number(limit.low),
        "high": number(limit.high),
        "source": limit.source,
        "confidence": limit.confidence,
        "note": check.note,
    }


def to_json(found: Pilot, judged: Sequence[Check]) -> dict[str, Any]:
    """Everything that was measured; null is what could not be."""
    return {**facts(found), "verdicts": [_check(check) for check in judged]}


def stream_json(found: Sequence[Stretch], judged: Sequence[Check]) -> dict[str, Any]:
    """States over time and verdicts."""
    rows = [
        {
            "begin_s": one.begin_s,
            "end_s": one.end_s,
            "unsure_s": one.unsure_s,
            "state": one.state,
            "duty_pct": reading(one.duty_pct),
            "high_v": reading(one.high_v),
            "cycles": one.cycles,
        }
        for one in found
    ]
    return {"stretches": rows, "verdicts": [_check(check) for check in judged]}
