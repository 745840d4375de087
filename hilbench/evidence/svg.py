"""One plot as SVG text: no scripts, no outside resources, readable on any page and by a screen reader."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np

from hilbench.evidence.frames import (
    BOTTOM,
    COLOURS,
    DARK,
    HEIGHT,
    LEFT,
    STYLE,
    WIDTH,
    Frame,
    draw_time_axis,
    limit_lines,
    mark_lines,
    mark_rows,
    place,
    plot_of,
    value_axis,
    wrap,
)
from hilbench.evidence.heatmap import heatmap_svg
from hilbench.evidence.markup import esc
from hilbench.evidence.scales import decimate, finite_runs, time_axis, value_range
from hilbench.signals import Array, Signal
from hilbench.verdict import Plot

__all__ = ["DARK", "MANY", "STYLE", "plot_of", "plot_svg"]

MANY = 9
"""From this many signals on a plot is a map, one row per signal and colour for the value, instead of a tangle."""


def plot_svg(
    plot: Plot | Mapping[str, Any],
    signals: Mapping[str, Signal],
    *,
    epoch: datetime | None = None,
    window: tuple[float, float] | None = None,
    standalone: bool = True,
    width: int = WIDTH,
    height: int = HEIGHT,
    bins: int = 340,
) -> str:
    """``plot`` (``hilbench.verdict.Plot`` or its dict) as one ``<svg>`` element.

    ``epoch`` with a time zone puts the time of day under spans of hours; ``window`` shows exactly these bench seconds;
    ``standalone`` brings the style along (a report has it once for all); ``bins`` bounds the points of a curve (four
    per bin of time). Signals that are absent or empty are left out; without any the picture says so. Peaks survive
    however long the signal is. From :data:`MANY` signals on the picture is a map of means over time.
    """
    figure = plot_of(plot)
    shown = {name: signals[name] for name in figure.signals if name in signals and len(signals[name])}
    curves, (start, stop) = _curves(shown, window)
    names = short_names(list(curves))
    if len(curves) >= MANY:
        rows = dict(zip(names, curves.values(), strict=True))
        return heatmap_svg(figure, rows, (start, stop), epoch=epoch, standalone=standalone, width=width)
    frame = _frame(figure, curves, start, stop, width, height)
    if curves:
        value_axis(frame)
        draw_time_axis(frame, time_axis(start, stop, epoch, 8 if width >= 600 else 4))
        limit_lines(frame, figure.limits)
        mark_lines(frame, figure.marks)
        _draw(frame, curves, bins)
    else:
        frame.add(f'<text x="{width / 2:.0f}" y="{frame.top + 40}" text-anchor="middle">nothing was recorded</text>')
    legend, room = _legend(names, frame.bottom + BOTTOM, width)
    total = frame.bottom + BOTTOM + room
    return wrap(figure, _description(figure, curves), "".join(frame.parts) + legend, width, total, standalone)


def _curves(
    shown: Mapping[str, Signal], window: tuple[float, float] | None
) -> tuple[dict[str, tuple[Array, Array]], tuple[float, float]]:
    if not shown:
        return {}, (0.0, 1.0)
    ends = [signal.polyline() for signal in shown.values()]
    start, stop = min(float(t[0]) for t, _ in ends), max(float(t[-1]) for t, _ in ends)
    if window is not None:
        start, stop = window
    if stop <= start:
        stop = start + 1.0
    own = {name: max(start, float(t[0])) for (name, _), (t, _) in zip(shown.items(), ends, strict=True)}
    return {name: signal.polyline(own[name], stop) for name, signal in shown.items() if own[name] < stop}, (start, stop)


def _frame(
    figure: Plot, curves: Mapping[str, tuple[Array, Array]], start: float, stop: float, width: int, height: int
) -> Frame:
    values = [bound for _, v in curves.values() for bound in _bounds(v)]
    low, high = value_range([*values, *(value for _, value in figure.limits)])
    return Frame(start, stop, low, high, place(mark_rows(figure.marks, start, stop, width)), height, width)


def _bounds(values: Array) -> list[float]:
    finite = values[np.isfinite(values)]
    return [float(finite.min()), float(finite.max())] if len(finite) else []


def _draw(frame: Frame, curves: Mapping[str, tuple[Array, Array]], bins: int) -> None:
    """The curves in their order; the first of several is broad, so that it shows where another covers it."""
    for index, (name, (t, v)) in enumerate(curves.items()):
        path = "".join(curve_path(frame, *decimate(*run, frame.start, frame.stop, bins)) for run in finite_runs(t, v))
        broad = " s1" if index == 0 and len(curves) > 1 else ""
        frame.add(f'<path class="s c{index % len(COLOURS)}{broad}" d="{path}"><title>{esc(name)}</title></path>')


def curve_path(frame: Frame, t: Array, v: Array) -> str:
    """Relative path in tenths of a unit: rounding never adds up, level and upright strokes need one number."""
    x = np.rint((frame.left + (t - frame.start) / (frame.stop - frame.start) * (frame.right - frame.left)) * 10)
    y = np.rint((frame.bottom - (v - frame.low) / (frame.high - frame.low) * frame.height) * 10)
    if not len(x):
        return ""
    out = [f"M{x[0] / 10:g} {y[0] / 10:g}"]
    for dx, dy in zip(np.diff(x).tolist(), np.diff(y).tolist(), strict=True):
        if dx and dy:
            out.append(f"l{dx / 10:g} {dy / 10:g}")
        elif dx:
            out.append(f"h{dx / 10:g}")
        elif dy:
            out.append(f"v{dy / 10:g}")
    return "".join(out)


def _legend(names: list[str], top: int, width: int) -> tuple[str, int]:
    x, y, parts = LEFT, top + 12, []
    for index, text in enumerate(names):
        room = 26 + int(6.6 * len(text))
        if x + room > width and x > LEFT:
            x, y = LEFT, y + 16
        line = f'<path class="s c{index % len(COLOURS)}" d="M{x} {y - 4}h16"/>'
        parts.append(f'{line}<text x="{x + 21}" y="{y}">{esc(text)}</text>')
        x += room + 8
    return "".join(parts), y - top + 6


def short_names(names: list[str]) -> list[str]:
    """Names without the family and the last part that all of them share: ``current/service/L1`` is ``service L1``.

    The last part goes only where what is left still tells them apart.
    """
    parts = [name.split("/") for name in names]
    if len({part[0] for part in parts}) == 1 and all(len(part) > 1 for part in parts):
        parts = [part[1:] for part in parts]
    shorter = [part[:-1] for part in parts]
    if len(names) >= MANY and all(shorter) and len({tuple(part) for part in shorter}) == len(names):
        parts = shorter
    return [" ".join(part) for part in parts]


def _description(figure: Plot, curves: Mapping[str, tuple[Array, Array]]) -> str:
    """The plot in words: range of every signal, the limits, and what happened when."""
    said = []
    for name, (_, v) in list(curves.items())[:MANY]:
        bounds = _bounds(v)
        if bounds:
            said.append(f"{name} from {bounds[0]:.4g} to {bounds[1]:.4g} {figure.unit}")
    said += [f"limit {name} at {value:.4g} {figure.unit}" for name, value in figure.limits]
    said += [f"{text} at {t:.4g} s" for t, text in figure.marks[:6]]
    return "; ".join(said) or "no data"
