"""``--plot`` and ``--svg`` of ``hilbench pilot``: a record or a course of the pilot in the terminal or in a file."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hilbench.errors import InputError, Problem

if TYPE_CHECKING:
    from hilbench.evidence.pilot_strip import Part
    from hilbench.metrics.pilot import Pilot
    from hilbench.metrics.pilot_stream import Stretch
    from hilbench.metrics.pilot_verdicts import Check
    from hilbench.waveform import Waveform

ROWS, NARROWEST = 12, 20
Command = Callable[..., Any]


def _svg_file(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> Path | None:
    if value is not None and value.suffix.lower() != ".svg":
        raise click.BadParameter(f"{value.name} does not end in .svg, and no other kind of picture is written")
    return value


def picture_options(command: Command) -> Command:
    """Adds ``--plot`` and ``--svg`` to a command."""
    told = "Draw it, as wide as the terminal  [default: only in a terminal]"
    plot = click.option("--plot/--no-plot", "plot", default=None, help=told)
    file = click.Path(path_type=Path, dir_okay=False)
    said = "Draw it into FILE, which any browser opens (PNG is not written)."
    return plot(click.option("--svg", type=file, callback=_svg_file, metavar="FILE", help=said)(command))


def draws(plot: bool | None) -> bool:
    """Whether to draw into the terminal: as told, else when there is one."""
    return sys.stdout.isatty() if plot is None else plot


def plot_record(record: Waveform, about: dict[str, Any]) -> None:
    """Print the part of a record that is worth seeing: volts against microseconds."""
    import numpy as np

    from hilbench.cli.braille import MARGIN, curve, framed, printable
    from hilbench.evidence.pilot_plot import HIGH_V, LOW_V, worth_showing

    first, last = worth_showing(record, about)
    times = np.arange(first, last, dtype=np.float64) * (record.dt_s * 1e6)
    span, bounds = (float(times[0]), float(times[-1])), (LOW_V, HIGH_V)
    values = record.values[first:last].astype(np.float64)
    drawn = curve(times, values, span, bounds, (_columns(MARGIN), ROWS))
    click.echo(printable(framed(drawn, bounds, (f"{span[0]:.0f} µs", f"{span[1]:.0f} µs"))))


def plot_course(parts: Sequence[Part]) -> None:
    """Print states over time, and the duty cycle in per cent below."""
    import numpy as np

    from hilbench.cli.braille import MARGIN, curve, framed, printable, row_of

    if not parts:
        return
    ends = [t for part in parts for t in (part.begin_s, part.end_s, part.end_s)]
    duties = [duty for part in parts for duty in (part.duty_pct, part.duty_pct, float("nan"))]
    span, bounds, columns = (ends[0], max(ends[-1], ends[0] + 1e-3)), (0.0, 100.0), _columns(MARGIN)
    click.echo(row_of([(part.begin_s, part.state) for part in parts], span, columns))
    drawn = curve(np.array(ends), np.array(duties), span, bounds, (columns, ROWS // 2))
    click.echo(printable(framed(drawn, bounds, (f"{span[0]:.3f} s", f"{span[1]:.3f} s"))))


def _columns(margin: int) -> int:
    return max(shutil.get_terminal_size().columns - margin, NARROWEST)


def parts_of_stretches(found: Sequence[Stretch]) -> list[Part]:
    """Stretches of a stream as what is drawn."""
    from hilbench.evidence.pilot_strip import Part

    return [Part(one.begin_s, one.end_s, one.state, one.duty_pct.value) for one in found]


def svg_of_record(file: Path, record: Waveform, found: Pilot, judged: Sequence[Check], limit_a: float | None) -> None:
    """Draw a record with its readings and verdicts into ``file``; raises ``InputError``."""
    from hilbench.evidence.pilot_plot import record_svg
    from hilbench.metrics.pilot_facts import facts

    said = [text for check in judged if (text := _verdict(check))]
    title = f"Control pilot: {Path(record.source).name}" if record.source else "Control pilot"
    _write(file, record_svg(title, record, {"commanded_a": limit_a, **facts(found)}, said))


def svg_of_course(file: Path, title: str, parts: Sequence[Part], judged: Sequence[Check] = ()) -> None:
    """Draw a course with the verdicts on its times into ``file``; raises ``InputError``."""
    from hilbench.evidence.pilot_strip import strip_svg

    _write(file, strip_svg(title, parts, said=[text for check in judged if (text := _verdict(check))]))


def _verdict(check: Check) -> str:
    from hilbench.cli.pilot_show import figures, span, verdict

    value, u = figures(check.reading)
    return f"{verdict(check)}: {check.limit.name} {value}{f' ± {u}' if u else ''} ({span(check.limit)})"


def _write(file: Path, svg: str) -> None:
    plain = re.sub(r"var\(--[\w-]+,(#\w+)\)", r"\1", svg)  # a page may set colours; few programs but browsers know how
    try:
        file.write_text(plain + "\n", "utf-8")
    except OSError as error:
        raise InputError(str(file), Problem("", f"cannot be written: {error.strerror or error}")) from error
