"""Many signals over the same time as a map: one row each, the darker the higher, grey where there is no value."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from hilbench.evidence.frames import LEFT, Frame, draw_time_axis, mark_lines, mark_rows, place, wrap
from hilbench.evidence.markup import esc
from hilbench.evidence.scales import label, nice_step, time_axis
from hilbench.signals import Array
from hilbench.verdict import Plot

LEVELS = 12
"""Steps of colour from nothing to the top of the scale."""
_CELLS = 240
_LEGEND = 46
_LONGEST_NAME = 18
_LETTER = 6.2


def heatmap_svg(
    figure: Plot,
    rows: Mapping[str, tuple[Array, Array]],
    window: tuple[float, float],
    *,
    epoch: datetime | None,
    standalone: bool,
    width: int,
) -> str:
    """``rows`` (name to times and values) as one ``<svg>``: each cell is the mean over its piece of ``window``."""
    start, stop = window
    grid = np.linspace(start, stop, _CELLS + 1)
    cells = np.vstack([cell_means(t, v, grid) for t, v in rows.values()])
    top = _top(cells)
    tall = 14 if len(rows) <= 24 else 10
    left = max(LEFT, 10 + int(_LETTER * max(min(len(name), _LONGEST_NAME) for name in rows)))
    begin = place(mark_rows(figure.marks, start, stop, width, left))
    frame = Frame(start, stop, 0.0, top, begin, tall * len(rows), width, left)
    _names(frame, list(rows), tall)
    _cells(frame, cells, top, tall)
    draw_time_axis(frame, time_axis(start, stop, epoch, 8 if width >= 600 else 4))
    mark_lines(frame, figure.marks)
    legend = _legend(frame, top, figure)
    highest = f"{np.nanmax(cells, initial=0.0):.4g} {figure.unit}"
    said = f"{len(rows)} signals, {next(iter(rows))} to {list(rows)[-1]}; means up to {highest}"
    return wrap(figure, said, "".join(frame.parts) + legend, width, frame.bottom + _LEGEND, standalone)


def cell_means(t: Array, v: Array, grid: Array) -> Array:
    """Mean of a polyline between neighbours of ``grid``, over the part of it that is known; NaN where none is."""
    good = np.isfinite(v[:-1]) & np.isfinite(v[1:])
    span = np.where(good, np.diff(t), 0.0)
    area = span * np.where(good, (v[:-1] + v[1:]) / 2.0, 0.0)
    known = np.diff(np.interp(grid, t, np.concatenate(([0.0], np.cumsum(span)))))
    # a cell's edge cuts a slope: the area up to the edge grows with the square of the way into the piece
    total = np.diff(_area_up_to(t, v, area, good, grid))
    means: Array = np.divide(total, known, out=np.full(len(known), np.nan), where=known > 1e-9)
    return means


def _area_up_to(t: Array, v: Array, area: Array, good: NDArray[np.bool_], grid: Array) -> Array:
    if len(t) < 2:
        return np.zeros(len(grid))
    at = np.clip(grid, t[0], t[-1])
    piece = np.clip(np.searchsorted(t, at, side="right") - 1, 0, len(t) - 2)
    length = np.maximum(t[piece + 1] - t[piece], 1e-12)
    way = at - t[piece]
    first = np.where(good[piece], v[piece], 0.0)
    rise = np.where(good[piece], v[piece + 1], 0.0) - first
    before = np.concatenate(([0.0], np.cumsum(area)))[piece]
    inside: Array = before + way * (first + rise * way / length / 2.0)
    return inside


def _top(cells: Array) -> float:
    highest = float(np.nanmax(cells, initial=0.0))
    step = nice_step(highest or 1.0, 4)
    return float(np.ceil((highest or 1.0) / step - 1e-9) * step)


def _names(frame: Frame, names: list[str], tall: int) -> None:
    size = ' class="small"' if tall < 12 else ""
    for index, name in enumerate(names):
        y = frame.top + tall * index + tall - (tall - 8) / 2
        short = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
        text = f"<title>{esc(name)}</title>{esc(short)}"
        frame.add(f'<text{size} x="{frame.left - 6}" y="{y:.1f}" text-anchor="end">{text}</text>')


def _cells(frame: Frame, cells: Array, top: float, tall: int) -> None:
    """One path per step of colour, in which neighbours of the same colour are one rectangle."""
    levels = np.where(np.isnan(cells), -1, np.ceil(np.clip(cells / top, 0.0, 1.0) * LEVELS - 1e-9)).astype(int)
    paths: dict[int, list[str]] = {}
    for row, found in enumerate(levels.tolist()):
        for level, first, count in _runs(found):
            x = frame.left + first * (frame.right - frame.left) / cells.shape[1]
            wide = count * (frame.right - frame.left) / cells.shape[1]
            cell = f"M{x:.1f} {frame.top + row * tall}h{wide:.1f}v{tall - 1}h-{wide:.1f}z"
            paths.setdefault(level, []).append(cell)
    for level, pieces in sorted(paths.items()):
        if level:
            frame.add(f'<path {_shade(level)} d="{"".join(pieces)}"/>')


def _runs(levels: list[int]) -> list[tuple[int, int, int]]:
    found, at = [], 0
    for level, group in groupby(levels):
        count = len(list(group))
        found.append((level, at, count))
        at += count
    return found


def _shade(level: int) -> str:
    return 'class="void"' if level < 0 else f'class="h" fill-opacity="{level / LEVELS:.2f}"'


def _legend(frame: Frame, top: float, figure: Plot) -> str:
    """The scale of colour, under the picture."""
    y, wide = frame.bottom + 24, 16
    boxes = [
        f'<rect {_shade(level)} x="{frame.left + wide * (level - 1)}" y="{y}" width="{wide}" height="9"/>'
        for level in range(1, LEVELS + 1)
    ]
    marks = [
        f'<text class="small" x="{frame.left + wide * LEVELS * share:.0f}" y="{y + 19}" text-anchor="middle">'
        f"{label(round(top * share, 3))}</text>"
        for share in (0.0, 0.5, 1.0)
    ]
    end = frame.left + wide * LEVELS + 14
    limits = "; ".join(f"{name} {label(round(value, 2))}" for name, value in figure.limits)
    said = f"{figure.unit}, mean over each cell{'; limits: ' + limits if limits else ''}"
    return "".join(boxes) + "".join(marks) + f'<text class="small" x="{end}" y="{y + 8}">{esc(said)}</text>'
