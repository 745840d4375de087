"""One plot as SVG text: no scripts, no outside resources, readable on any page and by a screen reader."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from html import escape
from typing import Any

import numpy as np

from hilbench.evidence.scales import TimeAxis, decimate, finite_runs, label, ticks, time_axis, value_range
from hilbench.signals import Array, Signal
from hilbench.verdict import Plot

WIDTH, HEIGHT = 760, 250
_LEFT, _RIGHT, _BOTTOM = 52, 20, 36
MANY = 9
"""From this many signals on a plot shows a bundle of thin lines and their mean instead of one colour each."""
COLOURS = ("#1862c6", "#c2560c", "#1f7a4d", "#8040c8", "#b0206a", "#0b7285", "#7a6000", "#59636e")
DARK = ("#6cb0ff", "#ff9d5c", "#5fcf98", "#c39bff", "#ff85c0", "#4fd0e0", "#d9bd55", "#a9b4c0")

STYLE = (
    ".hbp text{font:11px system-ui,'DejaVu Sans',sans-serif;fill:var(--hb-mute,#56606b)}"
    ".hbp .ti{font-weight:600;font-size:13px;fill:var(--hb-ink,#1b2026)}"
    ".hbp .g{stroke:var(--hb-grid,#e6e9ed);stroke-width:1}"
    ".hbp .ax{stroke:var(--hb-mute,#56606b);stroke-width:1}"
    ".hbp .s{fill:none;stroke-width:1.5;stroke-linejoin:round}"
    ".hbp .many{stroke-width:.7;opacity:.35}"
    ".hbp .lim{stroke:var(--hb-limit,#c4201d);stroke-width:1.4}"
    ".hbp .lt{fill:var(--hb-limit,#c4201d);font-weight:600;paint-order:stroke;"
    "stroke:var(--hb-paper,#fff);stroke-width:3px}"
    ".hbp .mk{stroke:var(--hb-mark,#6f42c1);stroke-width:1;stroke-dasharray:2 3}"
    ".hbp .mt{fill:var(--hb-mark,#6f42c1);font-size:10px}"
    + "".join(f".hbp .c{index}{{stroke:var(--hb-c{index},{colour})}}" for index, colour in enumerate(COLOURS))
)
"""CSS of every plot; colours are variables with a light default, so that a page may define dark ones."""


def plot_of(plot: Plot | Mapping[str, Any]) -> Plot:
    """``plot`` or its plain dict as a plot whose limits and marks can be drawn: those without a number are left out."""
    if isinstance(plot, Mapping):
        plot = Plot.from_dict({"title": "", "unit": "", "signals": (), "limits": (), "marks": (), **plot})
    limits = tuple((name, value) for name, value in plot.limits if math.isfinite(value))
    return replace(plot, limits=limits, marks=tuple((t, text) for t, text in plot.marks if math.isfinite(t)))


@dataclass
class _Frame:
    """The mapping from (seconds, unit) to picture coordinates, and the room around the curves."""

    start: float
    stop: float
    low: float
    high: float
    top: int
    height: int
    width: int
    parts: list[str] = field(default_factory=list)

    def x(self, t: float) -> float:
        return _LEFT + (t - self.start) / (self.stop - self.start) * (self.width - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        bottom = self.top + self.height
        return bottom - (value - self.low) / (self.high - self.low) * self.height

    def add(self, text: str) -> None:
        self.parts.append(text)


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
    per bin of time). Signals that are absent or empty are left
    out; without any the picture says so. Peaks survive however long the signal is.
    """
    figure = plot_of(plot)
    shown = {name: signals[name] for name in figure.signals if name in signals and len(signals[name])}
    curves, (start, stop) = _curves(shown, window)
    frame = _frame(figure, curves, start, stop, width, height)
    if curves:
        _axes(frame, time_axis(start, stop, epoch, 8 if width >= 600 else 4))
        _limits(frame, figure.limits)
        _marks(frame, figure.marks)
        _draw(frame, curves, bins)
    else:
        frame.add(f'<text x="{width / 2:.0f}" y="{frame.top + 40}" text-anchor="middle">nothing was recorded</text>')
    legend, legend_height = _legend(list(curves), frame.top + height + _BOTTOM, width) if curves else ("", 0)
    total = frame.top + height + _BOTTOM + legend_height
    return _wrap(figure, curves, "".join(frame.parts) + legend, width, total, standalone)


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
) -> _Frame:
    values = [bound for _, v in curves.values() for bound in _bounds(v)]
    low, high = value_range([*values, *(value for _, value in figure.limits)])
    rows = _mark_rows(figure.marks, start, stop, width)
    top = 24 + (12 * (1 + max(rows)) if rows else 4)
    return _Frame(start, stop, low, high, top, height, width)


def _bounds(values: Array) -> list[float]:
    finite = values[np.isfinite(values)]
    return [float(finite.min()), float(finite.max())] if len(finite) else []


def _axes(frame: _Frame, axis: TimeAxis) -> None:
    bottom, right = frame.top + frame.height, frame.width - _RIGHT
    for value in ticks(frame.low, frame.high):
        y = frame.y(value)
        frame.add(f'<path class="g" d="M{_LEFT} {y:.1f}H{right}"/>')
        frame.add(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label(value)}</text>')
    for t, text in zip(axis.at, axis.text, strict=True):
        x = frame.x(t)
        frame.add(f'<path class="ax" d="M{x:.1f} {bottom}v4"/>')
        frame.add(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{text}</text>')
    frame.add(f'<path class="ax" d="M{_LEFT} {bottom}H{right}"/>')
    frame.add(f'<text x="{right}" y="{bottom + 30}" text-anchor="end">{axis.title}</text>')


def _limits(frame: _Frame, limits: Sequence[tuple[str, float]]) -> None:
    dashes = ("", "7 4", "2 3", "9 3 2 3")
    used: list[float] = []
    for index, (name, value) in enumerate(sorted(limits, key=lambda limit: limit[1])):
        y = frame.y(value)
        dash = f' stroke-dasharray="{dashes[index % 4]}"' if index % 4 else ""
        frame.add(f'<path class="lim" d="M{_LEFT} {y:.1f}H{frame.width - _RIGHT}"{dash}/>')
        at = y - 4
        while any(abs(at - other) < 12 for other in used):
            at -= 12
        used.append(at)
        text = escape(f"{name} {label(round(value, 2))}")
        frame.add(f'<text class="lt" x="{frame.width - _RIGHT - 4}" y="{at:.1f}" text-anchor="end">{text}</text>')


def _mark_rows(marks: Sequence[tuple[float, str]], start: float, stop: float, width: int) -> list[int]:
    """Row of each mark's label above the plot; -1 where there is no room for a label, as for dozens of marks."""
    ends = [float("-inf")] * 3
    rows = []
    for t, text in marks:
        if not start <= t <= stop:
            continue
        x = _LEFT + (t - start) / (stop - start) * (width - _LEFT - _RIGHT)
        row = next((row for row, end in enumerate(ends) if end <= x), -1)
        if row >= 0:
            ends[row] = x + 6.0 * len(text) + 8
        rows.append(row)
    return rows


def _marks(frame: _Frame, marks: Sequence[tuple[float, str]]) -> None:
    rows = iter(_mark_rows(marks, frame.start, frame.stop, frame.width))
    for t, text in marks:
        if not frame.start <= t <= frame.stop:
            continue
        x, row, said = frame.x(t), next(rows), escape(text)
        y = frame.top - 4 - 12 * max(row, 0)
        line = f"M{x:.1f} {frame.top + frame.height}V{y:.1f}"
        frame.add(f'<path class="mk" d="{line}"><title>{label(round(t, 3))} s: {said}</title></path>')
        if row >= 0:
            anchor, at = ("end", x - 3) if x + 6.0 * len(text) > frame.width - 4 else ("start", x + 3)
            frame.add(f'<text class="mt" x="{at:.1f}" y="{y + 4:.1f}" text-anchor="{anchor}">{said}</text>')


def _draw(frame: _Frame, curves: Mapping[str, tuple[Array, Array]], bins: int) -> None:
    many = len(curves) >= MANY
    bins = min(bins, 90 if len(curves) >= 3 * MANY else 160 if many else bins)
    for index, (name, (t, v)) in enumerate(curves.items()):
        path = "".join(_path(frame, *decimate(*run, frame.start, frame.stop, bins)) for run in finite_runs(t, v))
        shade = "s many c0" if many else f"s c{index % len(COLOURS)}"
        dash = ' stroke-dasharray="5 3"' if index >= len(COLOURS) and not many else ""
        frame.add(f'<path class="{shade}" d="{path}"{dash}><title>{escape(name)}</title></path>')
    if many:
        t, v = _mean(list(curves.values()), frame.start, frame.stop)
        frame.add(f'<path class="s c1" d="{_path(frame, t, v)}"><title>mean</title></path>')


def _path(frame: _Frame, t: Array, v: Array) -> str:
    """Relative path in tenths of a unit: rounding never adds up, level and upright strokes need one number."""
    x = np.rint((_LEFT + (t - frame.start) / (frame.stop - frame.start) * (frame.width - _LEFT - _RIGHT)) * 10)
    y = np.rint((frame.top + frame.height - (v - frame.low) / (frame.high - frame.low) * frame.height) * 10)
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


def _mean(curves: Sequence[tuple[Array, Array]], start: float, stop: float) -> tuple[Array, Array]:
    """Mean of all curves, each over the time in which it exists."""
    grid = np.linspace(start, stop, 320)
    rows = [np.where(grid >= t[0], np.interp(grid, t, v), np.nan) for t, v in curves]
    stack = np.ma.masked_invalid(np.vstack(rows))
    mean = np.asarray(stack.mean(axis=0).filled(np.nan), dtype=np.float64)
    good = np.isfinite(mean)
    return grid[good], mean[good]


def _legend(names: list[str], top: int, width: int) -> tuple[str, int]:
    if len(names) >= MANY:
        short = _short(names)
        entries = [(f"{len(names)} signals, {short[0]} to {short[-1]}", "c0"), ("their mean", "c1")]
    else:
        entries = [(short, f"c{index % len(COLOURS)}") for index, short in enumerate(_short(names))]
    x, y, parts = _LEFT, top + 12, []
    for text, colour in entries:
        room = 26 + int(6.6 * len(text))
        if x + room > width and x > _LEFT:
            x, y = _LEFT, y + 16
        parts.append(f'<path class="s {colour}" d="M{x} {y - 4}h16"/><text x="{x + 21}" y="{y}">{escape(text)}</text>')
        x += room + 8
    return "".join(parts), y - top + 6


def _short(names: list[str]) -> list[str]:
    """Names without the family that all of them share: ``current/service/L1`` is ``service L1``."""
    families = {name.split("/")[0] for name in names}
    cut = len(families) == 1 and all("/" in name for name in names)
    return [(name.split("/", 1)[1] if cut else name).replace("/", " ") for name in names]


def _wrap(
    figure: Plot, curves: Mapping[str, tuple[Array, Array]], body: str, width: int, height: int, standalone: bool
) -> str:
    style = f"<style>{STYLE}</style>" if standalone else ""
    paper = f'<rect width="{width}" height="{height}" style="fill:var(--hb-paper,#fff)"/>' if standalone else ""
    title = escape(f"{figure.title} [{figure.unit}]" if figure.unit not in ("", "1") else figure.title)
    return (
        f'<svg class="hbp" role="img" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'style="width:100%;max-width:{width}px;height:auto" aria-label="{title}">'
        f"<desc>{escape(_description(figure, curves))}</desc>{style}{paper}"
        f'<text class="ti" x="{_LEFT}" y="16">{title}</text>{body}</svg>'
    )


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
