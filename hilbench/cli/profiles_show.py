"""An explanation of charging profiles as a table, as JSON data and as a picture."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, tzinfo
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hilbench.evidence.svg import plot_svg
from hilbench.signals import Signal
from hilbench.verdict import Plot
from hilbench_emulators.smart_charging import Profile, purpose_name
from hilbench_emulators.smart_charging.evaluate import Cause
from hilbench_emulators.smart_charging.explain import Asked, Explanation, Row
from hilbench_emulators.smart_charging.times import timestamp

_BAR = 16
_PIPE_WIDTH = 200


def _clock(t: float, asked: Asked, zone: tzinfo) -> str:
    """A time of day, with the date where the span goes over midnight; the headline has the year."""
    first, last, moment = (datetime.fromtimestamp(at, zone) for at in (asked.at, asked.at + asked.duration_s, t))
    return f"{moment:%H:%M:%S}" if first.date() == last.date() else f"{moment:%m-%d %H:%M:%S}"


def show(found: Explanation, source: str, unit: str, zone: tzinfo = UTC) -> None:
    """Print an explanation; ``unit`` is that of the bars, ``zone`` that of the times."""

    asked = found.asked
    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    console.print(Text(_headline(found, source, zone)))
    for refused in found.refused:
        who = "" if refused.id is None else f" profile {refused.id}"
        console.print(Text(f"refused at install: {refused.where}{who}: {refused.reason}", "yellow"))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("from", "to"):
        table.add_column(name, no_wrap=True)
    for name in ("A per phase", "W"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("decided by", overflow="fold")
    table.add_column("why not the others", overflow="fold", ratio=1)
    for row in found.rows:
        others = "\n".join(f"{number}: {why}" for number, why in row.others)
        cells = [_amps(row), f"{row.limit_w:.0f}", _bar(row, found, unit), _deciders(row, found), others]
        table.add_row(*map(Text, [_clock(row.start, asked, zone), _clock(row.end, asked, zone), *cells]))
    console.print(table)


def _headline(found: Explanation, source: str, zone: tzinfo) -> str:
    asked = found.asked
    running = "no transaction" if found.transaction_id is None else f"transaction {found.transaction_id}"
    when = datetime.fromtimestamp(asked.at, zone)
    wires = f"{asked.phases} phase{'s' if asked.phases > 1 else ''} of {asked.voltage_v:g} V, {asked.max_a:g} A"
    counts = f"{len(found.installed)} installed, {len(found.refused)} refused"
    where = f"outlet {asked.evse} ({wires})" if asked.evse else f"the whole station (each outlet {wires})"
    what = f"OCPP {found.version}, {where}, {running}"
    return f"{source}: {what}, from {when:%Y-%m-%d %H:%M:%S} {zone}: {counts}"


def _amps(row: Row) -> str:
    values = [f"{value:.4g}" for value in row.limit_a]
    return values[0] if len(set(values)) == 1 else "/".join(values)


def _bar(row: Row, found: Explanation, unit: str) -> str:
    asked = found.asked
    most = found.most_a if unit == "A" else found.most_a * asked.voltage_v * asked.phases
    share = (min(row.limit_a) if unit == "A" else row.limit_w) / most
    filled = round(share * _BAR)
    return "█" * filled + "·" * (_BAR - filled)


def _deciders(row: Row, found: Explanation) -> str:
    if row.hardware:
        return f"hardware, {found.most_a:g} A: no profile limits more"
    return "\n".join(_cause(cause, found) for cause in row.deciders) or "its outlets: their total"


def _cause(cause: Cause, found: Explanation) -> str:
    return (
        f"{cause.profile_id} {purpose_name(found.version, cause.purpose)}, stack {cause.stack}, period {cause.period}"
    )


# -- as data and as a picture


def to_json(found: Explanation, zone: tzinfo = UTC) -> dict[str, Any]:
    """All of an explanation as JSON data, its times in ``zone``."""

    asked = found.asked
    return {
        "ocpp": found.version.value,
        "at": _stamp(asked.at, zone),
        "evse": asked.evse,
        "transaction_id": found.transaction_id,
        "installed": [_installed(profile, found) for profile in found.installed],
        "refused": [{"where": r.where, "id": r.id, "reason": r.reason} for r in found.refused],
        "intervals": [
            {
                "from": _stamp(row.start, zone),
                "to": _stamp(row.end, zone),
                "limit_a": list(row.limit_a),
                "limit_w": row.limit_w,
                "decided_by": [_cause_json(cause, found) for cause in row.deciders]
                or ["hardware" if row.hardware else "outlets"],
                "others": [{"id": number, "why": why} for number, why in row.others],
            }
            for row in found.rows
        ],
    }


def _stamp(t: float, zone: tzinfo) -> str:
    return timestamp(t) if zone is UTC else datetime.fromtimestamp(t, zone).isoformat()


def _installed(profile: Profile, found: Explanation) -> dict[str, Any]:
    purpose = purpose_name(found.version, profile.purpose)
    return {"id": profile.id, "evse": profile.evse, "purpose": purpose, "stack": profile.stack}


def _cause_json(cause: Cause, found: Explanation) -> dict[str, Any]:
    return {
        "id": cause.profile_id,
        "evse": cause.evse,
        "purpose": purpose_name(found.version, cause.purpose),
        "stack": cause.stack,
        "period": cause.period,
    }


def drawing(found: Explanation, unit: str, zone: tzinfo = UTC) -> str:
    """The limit over time as SVG."""

    asked = found.asked
    where = f"outlet {asked.evse}" if asked.evse else "the station"
    signal = Signal(f"limit/{where}", unit)
    for row in found.rows:
        signal.append(row.start - asked.at, min(row.limit_a) if unit == "A" else row.limit_w)
    signal.append(asked.duration_s, min(found.rows[-1].limit_a) if unit == "A" else found.rows[-1].limit_w)
    most = found.most_a if unit == "A" else found.most_a * asked.voltage_v * asked.phases
    marks = tuple((row.start - asked.at, _mark(row)) for row in found.rows[:12])
    title = f"Limit of {where} by its charging profiles"
    plot = Plot(title, f"{unit}{' per phase' if unit == 'A' else ''}", (signal.name,), (("hardware", most),), marks)
    return plot_svg(plot, {signal.name: signal}, epoch=datetime.fromtimestamp(asked.at, zone))


def _mark(row: Row) -> str:
    return "hardware" if row.hardware else ", ".join(str(cause.profile_id) for cause in row.deciders) or "outlets"
