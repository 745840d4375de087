"""What every picture of the report shares: style, coordinates, axes, limit lines, marks, and the SVG around them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hilbench.evidence.markup import esc
from hilbench.evidence.scales import TimeAxis, label, ticks
from hilbench.verdict import Plot

WIDTH, HEIGHT = 760, 250
LEFT, RIGHT, BOTTOM = 52, 20, 36
COLOURS = ("#1862c6", "#c2560c", "#1f7a4d", "#8040c8", "#b0206a", "#0b7285", "#7a6000", "#59636e")
DARK = ("#6cb0ff", "#ff9d5c", "#5fcf98", "#c39bff", "#ff85c0", "#4fd0e0", "#d9bd55", "#a9b4c0")

STYLE = (
    ".hbp text{font:11px system-ui,'DejaVu Sans',sans-serif;fill:var(--hb-mute,#56606b)}"
    ".hbp .ti{font-weight:600;font-size:13px;fill:var(--hb-ink,#1b2026)}"
    ".hbp .g{stroke:var(--hb-grid,#e6e9ed);stroke-width:1}"
    ".hbp .ax{stroke:var(--hb-mute,#56606b);stroke-width:1}"
    ".hbp .s{fill:none;stroke-width:1.5;stroke-linejoin:round}"
    ".hbp .s1{stroke-width:3;opacity:.55}"
    ".hbp .h{fill:var(--hb-c0,#1862c6)}.hbp .void{fill:var(--hb-grid,#e6e9ed)}"
    ".hbp .ask{fill:none;stroke:var(--hb-mute,#56606b)}.hbp .got{fill:var(--hb-c0,#1862c6)}"
    ".hbp .small{font-size:9.5px}"
    ".hbp .lim{stroke:var(--hb-limit,#c4201d);stroke-width:1.4}"
    ".hbp .lt{fill:var(--hb-limit,#c4201d);font-weight:600;paint-order:stroke;"
    "stroke:var(--hb-paper,#fff);stroke-width:3px}"
    ".hbp .mk{stroke:var(--hb-mark,#6f42c1);stroke-width:1;stroke-dasharray:2 3}"
    ".hbp .mt{fill:var(--hb-mark,#6f42c1);font-size:10px}"
    ".hbp .win{fill:var(--hb-mute,#56606b);opacity:.14}"
    ".hbp .th{stroke:var(--hb-mark,#6f42c1);stroke-width:1;stroke-dasharray:6 4}"
    ".hbp .du{fill:none;stroke:var(--hb-limit,#c4201d);stroke-width:1.6}"
    ".hbp .dt{fill:var(--hb-limit,#c4201d);font-weight:600}"
    ".hbp .seen{stroke-width:3.5}"
    ".hbp .told{fill:none;stroke:var(--hb-limit,#c4201d);stroke-width:1.3;stroke-dasharray:5 3}"
    ".hbp .still{opacity:.22}.hbp .on{opacity:.55}"
    ".hbp .st{fill:var(--hb-ink,#1b2026);font-weight:600;font-size:10px}"
    + "".join(f".hbp .f{index}{{fill:var(--hb-c{index},{colour})}}" for index, colour in enumerate(COLOURS))
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
class Frame:
    """The mapping from (seconds, unit) to picture coordinates, and the room around the curves."""

    start: float
    stop: float
    low: float
    high: float
    top: int
    height: int
    width: int
    left: int = LEFT
    parts: list[str] = field(default_factory=list)

    @property
    def right(self) -> int:
        """Where the drawing ends."""
        return self.width - RIGHT

    @property
    def bottom(self) -> int:
        """Where the time axis is."""
        return self.top + self.height

    def x(self, t: float) -> float:
        """Picture coordinate of a second."""
        return self.left + (t - self.start) / (self.stop - self.start) * (self.right - self.left)

    def y(self, value: float) -> float:
        """Picture coordinate of a value."""
        return self.bottom - (value - self.low) / (self.high - self.low) * self.height

    def add(self, text: str) -> None:
        """Put a piece of SVG on top of what is there."""
        self.parts.append(text)


def value_axis(frame: Frame) -> None:
    """Grid lines and their numbers."""
    for value in ticks(frame.low, frame.high):
        y = frame.y(value)
        frame.add(f'<path class="g" d="M{frame.left} {y:.1f}H{frame.right}"/>')
        frame.add(f'<text x="{frame.left - 6}" y="{y + 4:.1f}" text-anchor="end">{label(value)}</text>')


def draw_time_axis(frame: Frame, axis: TimeAxis) -> None:
    """The time axis with its ticks and its name."""
    for t, text in zip(axis.at, axis.text, strict=True):
        x = frame.x(t)
        frame.add(f'<path class="ax" d="M{x:.1f} {frame.bottom}v4"/>')
        frame.add(f'<text x="{x:.1f}" y="{frame.bottom + 16}" text-anchor="middle">{text}</text>')
    frame.add(f'<path class="ax" d="M{frame.left} {frame.bottom}H{frame.right}"/>')
    frame.add(f'<text x="{frame.right}" y="{frame.bottom + 30}" text-anchor="end">{axis.title}</text>')


def limit_lines(frame: Frame, limits: Sequence[tuple[str, float]]) -> None:
    """Each limit as a line across with its name; names of lines that lie close together are moved apart."""
    dashes = ("", "7 4", "2 3", "9 3 2 3")
    used: list[float] = []
    for index, (name, value) in enumerate(sorted(limits, key=lambda limit: limit[1])):
        y = frame.y(value)
        dash = f' stroke-dasharray="{dashes[index % 4]}"' if index % 4 else ""
        frame.add(f'<path class="lim" d="M{frame.left} {y:.1f}H{frame.right}"{dash}/>')
        at = y - 4
        while any(abs(at - other) < 12 for other in used):
            at -= 12
        used.append(at)
        text = esc(f"{name} {label(round(value, 2))}")
        frame.add(f'<text class="lt" x="{frame.right - 4}" y="{at:.1f}" text-anchor="end">{text}</text>')


def mark_rows(marks: Sequence[tuple[float, str]], start: float, stop: float, width: int, left: int = LEFT) -> list[int]:
    """Row of each mark's label above the plot; -1 where there is no room for a label, as for dozens of marks."""
    ends = [float("-inf")] * 3
    rows = []
    for t, text in marks:
        if not start <= t <= stop:
            continue
        x = left + (t - start) / (stop - start) * (width - left - RIGHT)
        room = MARK_ROOM * len(text) + 8
        begin = x - room if x + room > width else x  # a label that would leave the picture is written leftwards
        row = next((row for row, end in enumerate(ends) if end <= begin), -1)
        if row >= 0:
            ends[row] = max(begin + room, x)
        rows.append(row)
    return rows


MARK_ROOM = 5.4
"""Width of a letter of a mark's label."""


def mark_lines(frame: Frame, marks: Sequence[tuple[float, str]]) -> None:
    """A line through the plot for each mark, with its label where there is room."""
    rows = iter(mark_rows(marks, frame.start, frame.stop, frame.width, frame.left))
    for t, text in marks:
        if not frame.start <= t <= frame.stop:
            continue
        x, row, said = frame.x(t), next(rows), esc(text)
        y = frame.top - 4 - 12 * max(row, 0)
        line = f"M{x:.1f} {frame.bottom}V{y:.1f}"
        frame.add(f'<path class="mk" d="{line}"><title>{label(round(t, 3))} s: {said}</title></path>')
        if row >= 0:
            leftwards = x + MARK_ROOM * len(text) + 8 > frame.width
            anchor, at = ("end", x - 3) if leftwards else ("start", x + 3)
            frame.add(f'<text class="mt" x="{at:.1f}" y="{y + 4:.1f}" text-anchor="{anchor}">{said}</text>')


def place(mark_rows_used: Sequence[int]) -> int:
    """Where a plot begins below its title and the rows of its marks' labels."""
    return 24 + (12 * (1 + max(mark_rows_used)) if mark_rows_used else 4)


def wrap(figure: Plot, said: str, body: str, width: int, height: int, standalone: bool) -> str:
    """The ``<svg>`` around a drawing; ``said`` is the picture in words."""
    style = f"<style>{STYLE}</style>" if standalone else ""
    paper = f'<rect width="{width}" height="{height}" style="fill:var(--hb-paper,#fff)"/>' if standalone else ""
    title = esc(f"{figure.title} [{figure.unit}]" if figure.unit not in ("", "1") else figure.title)
    return (
        f'<svg class="hbp" role="img" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'style="width:100%;max-width:{width}px;height:auto" aria-label="{title}">'
        f"<desc>{esc(said)}</desc>{style}{paper}"
        f'<text class="ti" x="{LEFT}" y="16">{title}</text>{body}</svg>'
    )
