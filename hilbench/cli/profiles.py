"""``hilbench profiles``: what charging profiles come to."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hilbench.cli.params import Between, Moment, Span

if TYPE_CHECKING:
    from hilbench_emulators.smart_charging import Version, Zone
    from hilbench_emulators.smart_charging.explain import Asked

_DAY_S, _YEAR_S = 86_400.0, 366 * 86_400.0


@click.group()
def profiles() -> None:
    """Explain charging profiles of OCPP 1.6, 2.0.1 and 2.1."""


@profiles.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--ocpp", type=click.Choice(["1.6", "2.0.1", "2.1"]), help="Version  [default: as the file looks]")
@click.option("--at", type=Moment(), metavar="TIME", help="When to begin, ISO 8601  [default: now]")
@click.option("--for", "span", type=Span(), default="24h", show_default=True, metavar="SPAN", help="How long.")
@click.option("--evse", type=click.IntRange(0), default=1, show_default=True, help="Outlet; 0 is the whole station.")
@click.option("--zone", metavar="NAME", help="Local time, such as Europe/Berlin  [default: UTC]")
@click.option("--unit", type=click.Choice(["A", "W"]), default="A", show_default=True, help="Unit of bar and picture.")
@click.option("--transaction", metavar="ID", help="Id of the transaction  [default: the one that a TxProfile names]")
@click.option("--no-transaction", is_flag=True, help="No car charges.")
@click.option("--since", type=Moment(), metavar="TIME", help="When the transaction began  [default: --at]")
@click.option("--phases", type=click.Choice(["1", "3"]), default="3", show_default=True, help="Phases of the outlet.")
@click.option("--voltage", type=Between(50, 1000), default=230.0, show_default=True, help="Volts to neutral.")
@click.option("--max-a", type=Between(1, 10_000), default=32.0, show_default=True, help="Hardware's maximum.")
@click.option("--station", metavar="ID", help="Station whose frames count, in a log of several.")
@click.option("--svg", type=click.Path(path_type=Path, dir_okay=False), metavar="OUT", help="Draw the limit here.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain(file: Path, ocpp: str | None, unit: str, station: str | None, as_json: bool, **options: Any) -> None:
    """Say for the charging profiles in FILE which limit holds when, which profile decides, and why the others do not.

    FILE (- is standard input) is JSON as it goes over the wire: charging profiles, SetChargingProfile requests, OCPP-J
    frames, or a log with one frame per line, in which profiles are cleared and come with remote starts too. All of it
    is done in its order under the rules of a station; what it would refuse is listed with the reason. What a log gives
    a time is done then, and left out when that is after --at; the rest is done at --at. Bare profiles go to the whole
    station, a bare TxProfile to outlet 1.

    With --zone, times are shown in local time, and schedules with useLocalTime follow it. --evse 0 says what the
    station as a whole may draw: the total of its outlets within its own profiles.

    \b
    hilbench profiles explain profiles.json
    hilbench profiles explain csms.log --at 2026-03-01T18:00+01:00 --for 12h
    hilbench profiles explain night.json --no-transaction --phases 1 --svg night.svg
    hilbench profiles explain csms.log --at 2026-03-28T18:00:00 --zone Europe/Berlin --evse 0
    hilbench station ws://csms:9000/ocpp --log s.jsonl ; hilbench profiles explain s.jsonl --json

    Exit code 0 when there is an answer, 2 when FILE or an option cannot be used.
    """
    from hilbench.cli.profiles_show import drawing, show, to_json
    from hilbench_emulators.smart_charging import Version
    from hilbench_emulators.smart_charging.explain import explain as explained
    from hilbench_emulators.smart_charging.intake import take_in

    if options["no_transaction"] and (options["transaction"] is not None or options["since"] is not None):
        raise click.UsageError("--no-transaction excludes --transaction and --since")
    zone = _zone(options["zone"])
    wanted = None if ocpp is None else Version(ocpp)
    version, entries = take_in(str(file), _text(file), wanted, station)
    found = explained(version, [entry.step() for entry in entries], _asked(version, options))
    if options["svg"]:
        _write(options["svg"], drawing(found, unit, zone))
    if as_json:
        click.echo(json.dumps(to_json(found, zone), indent=1))
    else:
        show(found, str(file), unit, zone)


def _text(file: Path) -> str:
    from hilbench.errors import InputError

    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(str(file), f"is not UTF-8 text (byte {error.start})") from None
    except (OSError, ValueError) as error:
        raise InputError(str(file), f"cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _write(file: Path, text: str) -> None:
    from hilbench.errors import InputError

    try:
        file.write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError(str(file), f"cannot be written: {getattr(error, 'strerror', None) or error}") from None


def _asked(version: Version, options: dict[str, Any]) -> Asked:
    from hilbench.clock import machine_now
    from hilbench_emulators.smart_charging.explain import Asked

    at = options["at"]
    at_s = float(int(machine_now().timestamp())) if at is None else at
    return Asked(
        at=at_s,
        duration_s=options["span"],
        evse=options["evse"],
        transaction=not options["no_transaction"],
        transaction_id=_transaction(version, options["transaction"]),
        since=options["since"],
        phases=int(options["phases"]),
        max_a=options["max_a"],
        voltage_v=options["voltage"],
        zone=_offsets(options["zone"], at_s, options["span"]),
    )


def _offsets(name: str | None, at: float, span_s: float) -> Zone:
    """Local time from a year before on: profiles begin, and a log is written, before they are asked about."""
    from hilbench_emulators.smart_charging import Zone, zone_of

    if name is None:
        return Zone()
    zone = _zone(name)
    return zone_of(lambda t: _offset_s(zone, t), at - _YEAR_S, at + span_s + _DAY_S)


def _offset_s(zone: tzinfo, t: float) -> float:
    ahead = datetime.fromtimestamp(t, zone).utcoffset()
    return 0.0 if ahead is None else ahead.total_seconds()


def _zone(name: str | None) -> tzinfo:
    from zoneinfo import ZoneInfo

    if name is None:
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise click.BadParameter(f"there is no time zone {name!r}", param_hint="--zone") from None


def _transaction(version: Version, text: str | None) -> str | int | None:
    if text is None or version.value != "1.6":
        return text
    try:
        return int(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is not a whole number, as OCPP 1.6 wants it", param_hint="--transaction"
        ) from None
