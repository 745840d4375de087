"""What ``hilbench can decode`` prints and draws."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from hilbench.canlogs.ending import Ending
from hilbench.canlogs.figures import Rhythm, Step, series
from hilbench.canlogs.offers import Change
from hilbench.canlogs.reading import Log
from hilbench.canlogs.report import Session
from hilbench.canlogs.story import thinned
from hilbench.chademo.timing import PERIOD_S, PERIOD_TOLERANCE_S
from hilbench.cli.sketch import drawing as sketched
from hilbench.cli.sketch import sketch

MOMENTS, OF_A_KIND, CHANGES = 60, 6, 20


def _console() -> Console:
    return Console(highlight=False, markup=False, soft_wrap=True)


def _table(*heads: str, left: Sequence[str] = ()) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for head in heads:
        table.add_column(head, justify="left" if head in left else "right", no_wrap=True)
    return table


def show(log: Log, notes: list[str], found: list[tuple[int, Session]], everything: bool, plot: bool) -> None:
    """The file, then each session."""
    console = _console()
    many = f", {len(log.recordings)} recordings" if len(log.recordings) > 1 else ""
    console.print(f"{log.source}: {log.form}, {log.frames} frames{many}")
    for note in notes:
        console.print(f"note: {note}")
    for number, session in found:
        console.print()
        _session(console, number, session, log, everything, plot)


def _session(console: Console, number: int, session: Session, log: Log, everything: bool, plot: bool) -> None:
    part = session.part
    span = part.said[-1].t
    where = f"recording {part.recording + 1}, from {part.begin_s:.3f} s" if log.timed else "times are counted"
    others = f", {part.foreign} frames of other ids beside them" if part.foreign else ""
    console.print(f"session {number}: {span:.1f} s, {len(part.said)} frames of CHAdeMO{others} ({where})")
    for who, side in (("car", session.car), ("charger", session.charger)):
        console.print(f"  {who:8} {', '.join(side.facts) if side else 'not in the log'}")
    for line in _summary(session):
        console.print(f"  {line}")
    console.print()
    _moments(console, session, everything)
    if plot:
        for line in picture(session):
            console.print(line)
        console.print()
    _tables(console, session)
    console.print(f"end: {_ending(session.ending)}")
    for line in session.unsure:
        console.print(f"not known: {line}")


def _summary(session: Session) -> list[str]:
    lines = [f"common   {session.common}"] if session.common else []
    if session.charge_pct:
        lines.append(f"charge   {session.charge_pct[0]:.0f} % to {session.charge_pct[1]:.0f} % (102.6 of 100.6)")
    energy = session.energy
    if energy.charged_wh or energy.discharged_wh:
        given = f", {energy.discharged_wh / 1e3:.3f} kWh back" if energy.discharged_wh else ""
        power = f"in {energy.seconds:.0f} s, at most {energy.peak_w / 1e3:.1f} kW"
        lines.append(f"energy   {energy.charged_wh / 1e3:.3f} kWh into the car{given} {power}")
    if session.ramp_a_per_s:
        lines.append(f"ramp     the request rises by {session.ramp_a_per_s:.1f} A/s")
    return lines


def _ending(end: Ending) -> str:
    who = "" if end.who == "log" else f"{end.who} first: "
    at = "" if end.t is None or end.who == "log" else f"{end.t:.3f} s, "
    return f"{at}{who}{end.why}"


def _moments(console: Console, session: Session, everything: bool) -> None:
    table = _table("s", "who", "what", left=("who", "what"))
    shown = session.moments if everything else thinned(session.moments, OF_A_KIND)[:MOMENTS]
    for moment in shown:
        table.add_row(f"{moment.t:.3f}", moment.who, moment.what)
    console.print(table)
    if not everything and len(shown) < len(session.moments):
        console.print(f"{len(session.moments)} moments in all (--all)")
    console.print()


def _tables(console: Console, session: Session) -> None:
    steps = [step for step in session.steps if step.seconds is not None]
    if steps:
        console.print(_steps(steps))
        console.print()
    changes = [change for change in session.changes if change.matters]
    if changes:
        console.print(_changes(changes[:CHANGES]))
        if len(changes) > CHANGES:
            console.print(f"... and {len(changes) - CHANGES} more changes of the offer (--json)")
        console.print()
    if session.rhythms:
        console.print(_rhythms(session.rhythms))
        console.print()


def _steps(steps: Sequence[Step]) -> Table:
    table = _table("step", "s", "at most s", "", left=("step", ""))
    for step in steps:
        over = step.limit_s is not None and (step.seconds or 0.0) > step.limit_s
        limit = "" if step.limit_s is None else f"{step.limit_s:g}"
        table.add_row(step.what, f"{step.seconds:.3f}", limit, "over" if over else "")
    return table


def _changes(changes: Sequence[Change]) -> Table:
    table = _table("at s", "offer A", "request after s", "output after s", "peak A")
    for one in changes:
        peak = "" if one.peak_a is None else str(one.peak_a)
        offer = f"{one.before_a} to {one.after_a}"
        table.add_row(f"{one.t:.3f}", offer, _seconds(one.request_s), _seconds(one.output_s), peak)
    return table


def _seconds(value: float | None) -> str:
    return "not seen" if value is None else f"{value:.3f}"


def _rhythms(rhythms: Sequence[Rhythm]) -> Table:
    off = f"off {PERIOD_S * 1e3:g} +- {PERIOD_TOLERANCE_S * 1e3:g}"
    table = _table("id", "frames", "mean ms", "p99 ms", "longest ms", off, "holes")
    for one in rhythms:
        figures = [_milliseconds(value) for value in (one.mean_s, one.p99_s, one.longest_s)]
        outside = "" if one.outside is None else f"{100.0 * one.outside:.1f} %"
        table.add_row(f"{one.id:X}", str(one.count), *figures, outside, str(one.holes or ""))
    return table


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value * 1e3:.1f}"


def _currents(session: Session) -> dict[str, list[tuple[float, float]]]:
    return {name: samples for name, unit, samples in series(session.part.said) if unit == "A" and samples}


def picture(session: Session) -> list[str]:
    """Offer, request and output over time in characters."""
    return sketch(_currents(session), session.part.said[-1].t)


def drawing(session: Session) -> str:
    """Currents over time as SVG, with the first changes of the offer."""
    marks = [(change.t, f"{change.before_a} to {change.after_a} A") for change in session.changes[:12]]
    return sketched("CHAdeMO session: offer, request and output", _currents(session), marks)
