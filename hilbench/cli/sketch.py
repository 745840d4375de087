"""Currents of a session over time: in characters for a terminal, and as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hilbench.evidence.svg import plot_svg
from hilbench.signals import Signal
from hilbench.verdict import Plot

Curves = Mapping[str, Sequence[tuple[float, float]]]
"""Samples (time [s], value) by name."""
MARKS = {"offer": ".", "request": "-", "output": "#", "discharge": "="}
"""Characters of the curves; later ones are drawn over earlier ones."""
WIDTH, HEIGHT = 72, 10


def sketch(curves: Curves, span_s: float, unit: str = "A") -> list[str]:
    """Lines of a picture; none where there is nothing to see. Offers above all the rest are beyond its upper edge."""
    drawn = {name: curves[name] for name in MARKS if curves.get(name)}
    heights = [name for name in drawn if name != "offer"] or list(drawn)
    top = max((value for name in heights for _t, value in drawn[name]), default=0.0)
    low = min((value for samples in drawn.values() for _t, value in samples), default=0.0)
    if span_s <= 0.0 or top <= low:
        return []
    grid = [[" "] * WIDTH for _ in range(HEIGHT)]
    for name, samples in drawn.items():
        for t, value in samples:
            if value <= top:
                row = round((top - value) / (top - low) * (HEIGHT - 1))
                grid[row][min(int(t / span_s * WIDTH), WIDTH - 1)] = MARKS[name]
    lines = [f"{label} |{''.join(cells)}" for label, cells in zip(_labels(low, top, unit), grid, strict=True)]
    axis = f"{'':9}0 s{f'{span_s:.0f} s':>{WIDTH - 3}}"
    return [*lines, axis, " " * 9 + "   ".join(f"{MARKS[name]} {name}" for name in drawn)]


def _labels(low: float, top: float, unit: str) -> list[str]:
    values = [top - (top - low) * row / (HEIGHT - 1) for row in range(HEIGHT)]
    places = 0 if top - low >= HEIGHT - 1 else 1
    return [f"{round(value, places) + 0.0:6.{places}f} {unit}" for value in values]  # + 0.0: no -0


def drawing(title: str, curves: Curves, marks: Sequence[tuple[float, str]] = (), unit: str = "A") -> str:
    """The curves as SVG, with words at the times of ``marks``."""
    signals = {}
    for name, samples in curves.items():
        signal = signals[name] = Signal(name, unit)
        for t, value in samples:
            signal.append(t, float(value))
    return plot_svg(Plot(title, unit, tuple(signals), (), tuple(marks)), signals)
