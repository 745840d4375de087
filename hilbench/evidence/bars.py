"""Tables that are easier to see than to read: energy asked for and given per session, peaks against their budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hilbench.evidence.files import number
from hilbench.evidence.frames import Frame, value_axis, wrap
from hilbench.evidence.markup import esc
from hilbench.evidence.scales import label, value_range
from hilbench.verdict import Plot

WIDTH = 1000
_MOST_NAMES = 64


def chart_of(table: Mapping[str, Any]) -> str:
    """A picture of a table whose columns are known, empty for all others."""
    columns = [str(column) for column in table.get("columns", [])]
    rows = [[str(cell) for cell in row] for row in table.get("rows", []) if len(row) == len(columns)]
    if {"requested kWh", "delivered kWh"} <= set(columns) and rows:
        return _energy(columns, rows)
    if {"peak A", "budget A", "rating A"} <= set(columns) and rows:
        return _peaks(columns, rows)
    return ""


def _numbers(columns: Sequence[str], rows: Sequence[Sequence[str]], name: str) -> list[float]:
    index = columns.index(name)
    return [number(row[index]) or 0.0 for row in rows]


def _energy(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """One bar per session: the outline is what was asked for, the filling what was delivered."""
    asked, got = (_numbers(columns, rows, name) for name in ("requested kWh", "delivered kWh"))
    low, high = value_range([0.0, *asked, *got])
    frame = Frame(0.0, float(len(rows)), low, high, 28, 170, WIDTH)
    value_axis(frame)
    for index, (row, wanted, given) in enumerate(zip(rows, asked, got, strict=True)):
        said = esc(f"{' '.join(row[:3])}: {given:.2f} of {wanted:.2f} kWh")
        left, right = frame.x(index + 0.15), frame.x(index + 0.85)
        bars = _bar("ask", left, right, frame, wanted) + _bar("got", left, right, frame, given)
        frame.add(f"<g><title>{said}</title>{bars}</g>")
        if len(rows) <= _MOST_NAMES:
            x, y = (left + right) / 2 + 3, frame.bottom + 8
            turned = f'transform="rotate(-90 {x:.1f} {y})" text-anchor="end"'
            frame.add(f'<text class="small" x="{x:.1f}" y="{y}" {turned}>{esc(row[0][:12])}</text>')
    total = f"{sum(got):.1f} of {sum(asked):.1f} kWh"
    figure = Plot(f"Energy of each session: outline requested, filled delivered, in all {total}", "kWh", ())
    room = 66 if len(rows) <= _MOST_NAMES else 12
    return wrap(figure, f"{len(rows)} sessions, {total}", "".join(frame.parts), WIDTH, frame.bottom + room, False)


def _bar(kind: str, left: float, right: float, frame: Frame, value: float) -> str:
    y = frame.y(value)
    tall = max(frame.y(0.0) - y, 0.0)
    return f'<rect class="{kind}" x="{left:.1f}" y="{y:.1f}" width="{right - left:.1f}" height="{tall:.1f}"/>'


def _peaks(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """One bar per line of a node, in per cent of its budget; the upright strokes are budget and rating."""
    peaks, budgets, ratings = (_numbers(columns, rows, name) for name in ("peak A", "budget A", "rating A"))
    top = max(1.3, *(max(p, r) / b for p, b, r in zip(peaks, budgets, ratings, strict=True) if b > 0), 0.0) * 1.02
    left, tall = 190, 18
    frame = Frame(0.0, top, 0.0, 1.0, 28, tall * len(rows), WIDTH - 180, left)
    for index, (row, peak, budget, rating) in enumerate(zip(rows, peaks, budgets, ratings, strict=True)):
        if budget <= 0:
            continue
        y = frame.top + tall * index
        name = esc(" ".join(row[:2])[:30])
        frame.add(f'<text x="{left - 8}" y="{y + 13}" text-anchor="end">{name}</text>')
        wide = frame.x(peak / budget) - left
        frame.add(f'<rect class="got" x="{left}" y="{y + 4}" width="{wide:.1f}" height="{tall - 8}"/>')
        at = frame.x(rating / budget)
        frame.add(f'<path class="lim" stroke-dasharray="3 2" d="M{at:.1f} {y + 1}v{tall - 2}"/>')
        said = esc(f"{peak:.1f} A of {label(budget)} A (rating {label(rating)} A)")
        frame.add(f'<text x="{frame.width - 8}" y="{y + 13}">{said}</text>')
    at = frame.x(1.0)
    frame.add(f'<path class="lim" d="M{at:.1f} {frame.top - 2}V{frame.bottom + 2}"/>')
    frame.add(f'<text class="lt" x="{at:.1f}" y="{frame.bottom + 14}" text-anchor="middle">budget</text>')
    figure = Plot("Peak of each line in its node: solid line budget, dashed rating", "", ())
    return wrap(figure, f"{len(rows)} peaks", "".join(frame.parts), WIDTH, frame.bottom + 22, False)
