"""Curves in a terminal: braille dots, two by four in a character, with the values that rows stand for on the left."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hilbench.evidence.scales import label, ticks

Floats = NDArray[np.float64]
MARGIN = 7
"""Characters before the plot: a value and the axis."""
_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])


def curve(t: Floats, v: Floats, span: tuple[float, float], bounds: tuple[float, float], size: tuple[int, int]) -> str:
    """Lines of ``size`` (columns, rows) with the curve through (``t``, ``v``), from left to right over ``span``.

    ``bounds`` are the values at the bottom and the top; what is beyond lies on the edge. A ``nan`` interrupts the
    curve. Of many samples in a column every peak is seen.
    """
    columns, rows = size
    dots = _dots(t, v, span, bounds, (columns * 2, rows * 4))
    cells = dots.reshape(rows, 4, columns, 2).transpose(0, 2, 1, 3)
    codes = (cells * _BITS).sum(axis=(2, 3))
    return "\n".join("".join(chr(0x2800 + code) for code in row) for row in codes.tolist())


def _dots(
    t: Floats, v: Floats, span: tuple[float, float], bounds: tuple[float, float], size: tuple[int, int]
) -> NDArray[np.bool_]:
    """Which dots of ``size`` (columns, rows from the top) the curve passes."""
    wide, tall = size
    dots = np.zeros((tall, wide), dtype=np.bool_)
    x = (t - span[0]) / max(span[1] - span[0], 1e-30) * (wide - 1)
    share = np.clip((v - bounds[0]) / (bounds[1] - bounds[0]), 0.0, 1.0)
    y = (1.0 - share) * (tall - 1)
    good = np.isfinite(x) & np.isfinite(y)
    lows, highs = np.full(wide, np.inf), np.full(wide, -np.inf)
    _reach(lows, highs, x[good], y[good])
    joined = good[:-1] & good[1:]
    fine = np.linspace(0.0, 1.0, 2 * wide + 1) if len(t) < 2 * wide else np.array([0.5])
    for part in fine:  # few samples leave columns between them, which the straight lines cross
        _reach(lows, highs, *((1 - part) * axis[:-1][joined] + part * axis[1:][joined] for axis in (x, y)))
    for column in np.flatnonzero(np.isfinite(lows)):
        dots[round(lows[column]) : round(highs[column]) + 1, column] = True
    return dots


def _reach(lows: Floats, highs: Floats, x: Floats, y: Floats) -> None:
    """Stretch the columns at ``x`` to ``y``."""
    inside = (x > -0.5) & (x < len(lows) - 0.5)
    column = np.rint(x[inside]).astype(np.intp)
    np.minimum.at(lows, column, y[inside])
    np.maximum.at(highs, column, y[inside])


def framed(plot: str, bounds: tuple[float, float], span: tuple[str, str]) -> str:
    """The plot with values on the left and the ends of its ``span`` in words below."""
    rows = plot.split("\n")
    step = (bounds[1] - bounds[0]) / len(rows)
    marks = {}
    for value in ticks(*bounds, wanted=max(len(rows) // 2, 2)):
        marks[min(int((bounds[1] - value) / step), len(rows) - 1)] = label(value)
    lines = [f"{marks.get(k, ''):>{MARGIN - 2}} {'┤' if k in marks else '│'}{row}" for k, row in enumerate(rows)]
    room = max(len(rows[0]) - len(span[1]), len(span[0]) + 1)
    return "\n".join([*lines, f"{'':{MARGIN - 1}}└{span[0]:<{room}}{span[1]}"])


def row_of(names: Sequence[tuple[float, str]], span: tuple[float, float], columns: int) -> str:
    """Names (time, text) in a line of ``columns``, each where its time is; those without room are left out."""
    line, free = [" "] * columns, 0
    for t, name in names:
        at = round((t - span[0]) / max(span[1] - span[0], 1e-30) * (columns - 1))
        if at >= free and at + len(name) <= columns:
            line[at : at + len(name)] = name
            free = at + len(name) + 1
    return f"{'':{MARGIN}}{''.join(line).rstrip()}"


def printable(text: str) -> str:
    """The text as standard output can say it: stars where it knows no braille."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        plain = {0x2800: " ", ord("┤"): "+", ord("│"): "|", ord("└"): "+", ord("µ"): "u"}
        return "".join(plain.get(ord(one), "*" if "\u2800" < one <= "\u28ff" else one) for one in text)
    return text
