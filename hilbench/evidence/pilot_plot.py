"""A record of the control pilot as a picture: volts against microseconds, the windows of the states, what was read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap as wrapped
from typing import Any

import numpy as np

from hilbench.errors import InputError
from hilbench.evidence.files import number
from hilbench.evidence.frames import BOTTOM, Frame, draw_time_axis, value_axis, wrap
from hilbench.evidence.markup import esc, rounded
from hilbench.evidence.scales import TimeAxis, decimate, finite_runs, label, ticks
from hilbench.evidence.svg import curve_path
from hilbench.metrics.pilot_edges import find
from hilbench.metrics.pilot_table import STATE_WINDOWS, duty_table
from hilbench.signals import Array
from hilbench.verdict import Plot
from hilbench.waveform import Waveform

LOW_V, HIGH_V = -14.0, 14.0
SHOWN_PERIODS = 2.6
"""Of a steady wave: enough to see both edges twice."""
_BINS, _LINE, _LETTER = 300, 15, 5.9


def record_svg(
    title: str,
    record: Waveform,
    about: Mapping[str, Any],
    said: Sequence[str] = (),
    *,
    standalone: bool = True,
    width: int = 760,
    height: int = 250,
) -> str:
    """``record`` [V] as one ``<svg>``, with what was read from it (``hilbench.metrics.pilot_facts``) and what is said.

    Of a steady wave the first periods are drawn, of everything else the whole record. ``about`` may lack anything.
    """
    first, last = worth_showing(record, about)
    times_us: Array = np.arange(first, last, dtype=np.float64) * (record.dt_s * 1e6)
    volts = np.asarray(record.values[first:last], dtype=np.float64)
    frame = Frame(float(times_us[0]), float(times_us[-1]), *_range(volts), 24, height, width)
    _windows(frame)
    value_axis(frame)
    at = ticks(frame.start, frame.stop, 8)
    draw_time_axis(frame, TimeAxis(at, [label(t) for t in at], "time in the record [µs]"))
    for run in finite_runs(times_us, volts):
        path = curve_path(frame, *decimate(*run, frame.start, frame.stop, _BINS))
        frame.add(f'<path class="s c0" d="{path}"/>')
    _duty(frame, record, about)
    lines = [*read_words(about), *said]
    text, bottom = lines_below(frame, lines)
    words = "; ".join([*lines, _span_words(record, first, last)])
    return wrap(Plot(title, "V", ()), words, "".join(frame.parts) + text, width, bottom, standalone)


def lines_below(frame: Frame, lines: Sequence[str]) -> tuple[str, int]:
    """Lines of text below the time axis, folded to its length; and where they end."""
    room = int((frame.right - frame.left) / _LETTER)
    folded = [part for line in lines for part in wrapped(line, room)]
    top = frame.bottom + BOTTOM
    texts = [f'<text x="{frame.left}" y="{top + _LINE * k + 10}">{esc(text)}</text>' for k, text in enumerate(folded)]
    return "".join(texts), top + _LINE * len(folded) + 6


def _range(volts: Array) -> tuple[float, float]:
    finite = volts[np.isfinite(volts)]
    return float(np.min(finite, initial=LOW_V)), float(np.max(finite, initial=HIGH_V))


def _span_words(record: Waveform, first: int, last: int) -> str:
    every = record.dt_s * 1e6
    return f"samples {first} to {last} of {len(record.values)}, one every {every:.4g} µs"


def _value(about: Mapping[str, Any], key: str) -> tuple[float, float]:
    """Value and uncertainty of a reading; ``nan`` where there is none."""
    found = about.get(key)
    pair = (found.get("value"), found.get("uncertainty")) if isinstance(found, Mapping) else (None, None)
    value, u = (math.nan if (figure := number(one)) is None else figure for one in pair)
    return value, u


def _threshold(about: Mapping[str, Any]) -> float:
    found = number(about.get("threshold_v"))
    return math.nan if found is None or not LOW_V < found < HIGH_V else found


def _crossings(record: Waveform, about: Mapping[str, Any]) -> tuple[float, float] | None:
    """First rise and the fall after it [samples] at the threshold of the duty cycle; None without such a wave."""
    threshold_v = _threshold(about)
    if math.isnan(threshold_v):
        return None
    edges = find(record, threshold_v, 1.0)
    rises = edges.rises
    falls = edges.falls[edges.falls > rises[0]] if len(rises) else rises
    return (float(rises[0]), float(falls[0])) if len(falls) else None


def worth_showing(record: Waveform, about: Mapping[str, Any]) -> tuple[int, int]:
    """First and last sample to draw: the first periods of a steady wave, else all."""
    count, found = len(record.values), _crossings(record, about)
    frequency_hz = _value(about, "frequency_hz")[0]
    if found is None or not about.get("steady") or not 100.0 < frequency_hz < 1e5:
        return 0, count
    period = 1.0 / frequency_hz / record.dt_s
    first = max(math.floor(found[0] - 0.15 * period), 0)
    return first, max(min(math.ceil(first + SHOWN_PERIODS * period), count), first + 2)


def _windows(frame: Frame) -> None:
    """What each state may be at as bands across, with their letters; F's is that of the low level too."""
    for letter, limit in STATE_WINDOWS["corners"].items():
        top, tall = frame.y(limit.high), frame.y(limit.low) - frame.y(limit.high)
        tip = f"<title>{esc(f'{limit.name}: {limit.low:g} to {limit.high:g} V')}</title>"
        place = f'x="{frame.left}" y="{top:.1f}" width="{frame.right - frame.left}" height="{tall:.1f}"'
        frame.add(f'<rect class="win" {place}>{tip}</rect>')
        frame.add(f'<text class="small" x="{frame.right + 3}" y="{top + tall / 2 + 3:.1f}">{letter}</text>')


def _duty(frame: Frame, record: Waveform, about: Mapping[str, Any]) -> None:
    """The threshold at which the duty cycle was taken, and the first pulse that is measured there."""
    found, (duty, u) = _crossings(record, about), _value(about, "duty_pct")
    if found is None or math.isnan(duty):
        return
    y = frame.y(_threshold(about))
    frame.add(f'<path class="th" d="M{frame.left} {y:.1f}H{frame.right}"/>')
    left, right = (frame.x(at * record.dt_s * 1e6) for at in found)
    if left < frame.left or right > frame.right:
        return
    frame.add(f'<path class="du" d="M{left:.1f} {y - 4:.1f}v8M{left:.1f} {y:.1f}H{right:.1f}m0 -4v8"/>')
    text = esc(f"{_figure(duty, u)} %")
    frame.add(f'<text class="dt" x="{left + 4:.1f}" y="{y - 6:.1f}">{text}</text>')


def read_words(about: Mapping[str, Any]) -> Iterator[str]:
    """What was read from the record, in two lines."""
    told = [f"state {about['state']}"] if about.get("state") else []
    threshold_v = _threshold(about)
    at = "" if math.isnan(threshold_v) else f" at {threshold_v:.2f} V"
    told += [f"duty {text} %{at}" for text in _figures(about, "duty_pct")]
    told += [f"of the source {text} %" for text in _figures(about, "source_duty_pct")]
    told += _commanded(about)
    if told:
        yield "; ".join(told)
    more = [f"{text} Hz" for text in _figures(about, "frequency_hz")]
    more += [f"high {text} V" for text in _figures(about, "high_v")]
    more += [f"low {text} V" for text in _figures(about, "low_v")]
    more += [f"a car may draw {text} A" for text in _figures(about, "current_a")]
    if more:
        yield "; ".join(more)


def _figures(about: Mapping[str, Any], key: str) -> Iterator[str]:
    value, u = _value(about, key)
    if not math.isnan(value):
        yield _figure(value, u)


def _figure(value: float, u: float) -> str:
    return f"{rounded(value, u)} ± {rounded(u, u)}" if math.isfinite(u) and u > 0.0 else rounded(value)


def _commanded(about: Mapping[str, Any]) -> Iterator[str]:
    amps = number(about.get("commanded_a"))
    if amps is not None and math.isfinite(amps):
        duty = wanted_pct(amps, str(about.get("table", "iec2017")))
        yield f"commanded {amps:g} A" + ("" if math.isnan(duty) else f" = {duty:.3f} %")


def wanted_pct(amps: float, table: str = "iec2017") -> float:
    """The duty cycle [%] that offers ``amps``; ``nan`` where none does."""
    try:
        return duty_table(table).duty_pct(amps)
    except InputError:
        return math.nan
