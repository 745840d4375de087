"""``hilbench station``: emulated stations before any central system, in real time."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
from click.core import ParameterSource

from hilbench.cli.params import Between, Span

if TYPE_CHECKING:
    from hilbench.fleet import Plan
    from hilbench.fleet_script import Command
    from hilbench.interrupts import Interrupt

PEM = click.Path(exists=True, dir_okay=False, path_type=Path)
SECURITY = ("security_profile", "password", "ca_file", "certificate", "key", "compression")
COMMANDS_HELP = """\b
Script: one line for each command, or [[step]] tables with at, do, station, argument in a file .toml
  TIME COMMAND [STATION|all] [ARGUMENT]   # without a station: all of them
  0  plug CP1 leaf-40       15 fault CP1          30 unplug CP1       40 start CP1
  45 drop CP1 10            50 reconnect          55 cycle CP2 3      60 quit
TIME is in seconds from when every station is accepted, or 30 s after the start.

\b
Keys, on a terminal
  up, down, 1-9   select a station       d   drop its link
  p   plug in a car                      r   reconnect
  u   unplug                             f   fault: the car draws too much; again: heal
  a   present the tag, start             q   quit

\b
Exit codes
  0   every station was accepted at least once
  1   a station was never accepted
  2   the command line or the script is wrong
  4   the log could not be written to its end
  129  130  143   ended by SIGHUP, Ctrl-C or SIGTERM, in good order: cars unplugged, log complete
"""


def _url(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0 and not parts.query
    except ValueError:
        good = False
    if not good or any(not " " < letter < "\x7f" for letter in value):
        raise click.BadParameter(f"{value!r} is not the address of a central system, such as ws://127.0.0.1:9000/ocpp")
    return value


def _vehicle(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    from hilbench_emulators.vehicles import load_vehicle

    load_vehicle(value)
    return value


def _identity(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    import re

    from hilbench.site import NAME

    if not re.fullmatch(NAME, value) or len(value) > 40:
        raise click.BadParameter(f"{value!r} is not made of at most 40 letters, digits, dots, dashes and underscores")
    return value


@click.command(epilog=COMMANDS_HELP)
@click.argument("url", callback=_url)
@click.option("--ocpp", type=click.Choice(["1.6", "2.0.1", "2.1"]), default="1.6", show_default=True, help="Version.")
@click.option("--count", type=click.IntRange(1, 1000), default=1, show_default=True, help="Number of stations.")
@click.option(
    "--identity",
    callback=_identity,
    default="CP",
    show_default=True,
    metavar="PREFIX",
    help="They are PREFIX1, PREFIX2, …; with --exact PREFIX itself.",
)
@click.option("--exact", is_flag=True, help="The only station has the identity PREFIX, without a number.")
@click.option("--vehicle", callback=_vehicle, default="leaf-40", show_default=True, help="Car: a name or a TOML file.")
@click.option("--max-a", type=Between(6, 80), default=32.0, show_default=True, help="Maximum of a station.")
@click.option(
    "--phases",
    type=click.Choice(["1", "2", "3"]),
    default="1",
    show_default=True,
    help="Live conductors of a station. 1: L-N, 230 V. 2: line to line of a 240 V split-phase service, not "
    "two phases of three. 3: three phases, 400 V.",
)
@click.option(
    "--security-profile",
    type=click.IntRange(0, 3),
    default=0,
    show_default=True,
    help="0: open, 1: password, 2: password in TLS (wss), 3: client certificate in TLS.",
)
@click.option(
    "--password",
    default="",
    envvar="HILBENCH_STATION_PASSWORD",
    show_envvar=True,
    help="For profiles 1 and 2; the user is the identity. Other programs can read a command line.",
)
@click.option("--ca", "ca_file", type=PEM, metavar="FILE", help="PEM of the server's CA  [default: the machine's]")
@click.option("--certificate", type=PEM, metavar="FILE", help="PEM of the stations' own certificate, for profile 3.")
@click.option("--key", type=PEM, metavar="FILE", help="PEM of its key.")
@click.option("--compression", is_flag=True, help="Ask for compressed messages (RFC 7692).")
@click.option("--tag", default="", metavar="ID", help="Tag of the drivers  [default: TAG-<identity>]")
@click.option("--plug", is_flag=True, help="Plug a car into each station once it is accepted.")
@click.option("--script", type=click.Path(path_type=Path), metavar="FILE", help="What is to happen when; see below.")
@click.option("--for", "span", type=Span(), metavar="SECONDS", help="End after so long (90, 15m, 24h).")
@click.option("--log", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Messages as JSON lines.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of everything random.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON on standard output.")
def station(script: Path | None, span: float | None, log: Path | None, as_json: bool, **options: Any) -> None:
    """Connect emulated charging stations to the central system at URL, and show what they do.

    Each station dials URL/IDENTITY, has an outlet of its own and behaves like hardware: boots, reports, follows the
    charging profiles that it is sent, lets a car draw what it is offered. Nothing is loaded that could trip.

    \b
    hilbench station ws://127.0.0.1:9000/ocpp                          one station, keys to play with
    hilbench station ws://csms:9000 --ocpp 2.0.1 --count 20 --plug     twenty, each with a car
    hilbench station ws://csms:9000 --identity WALLBOX-7 --exact --tag 04A2B3 --phases 3 --vehicle zoe-ze50 --plug
    hilbench station wss://csms:443 --security-profile 2 --password ... --ca ca.pem
    hilbench station ws://csms:9000 --script evening.txt --for 10m --log evening.jsonl --json
    """
    from hilbench import clock
    from hilbench.fleet_script import read_script
    from hilbench.interrupts import listening

    plan = _plan(options)
    commands = [] if script is None else read_script(script, plan.identities)
    with _log(log) as write, listening() as interrupt:
        reports = clock.run(_run(plan, commands, options["plug"], span, write, interrupt, as_json), "real")
        _tell(reports, as_json)
    if interrupt.number is not None:
        from hilbench.cli import SIGNALLED

        sys.exit(SIGNALLED + interrupt.number)
    sys.exit(0 if all(one["accepted"] for one in reports) else 1)


def _plan(options: dict[str, Any]) -> Plan:
    from hilbench.fleet import Plan, identities

    if options["exact"] and options["count"] != 1:
        raise click.UsageError("--exact is for one station: leave out --count")
    _check_security(options)
    names = (options["identity"],) if options["exact"] else identities(options["identity"], options["count"])
    return Plan(
        url=options["url"],
        identities=names,
        ocpp=options["ocpp"],
        max_a=options["max_a"],
        phases=int(options["phases"]),
        vehicle=options["vehicle"],
        tag=options["tag"],
        seed=options["seed"],
        **{name: options[name] for name in SECURITY},
    )


def _check_security(options: dict[str, Any]) -> None:
    profile, encrypted = options["security_profile"], options["url"].startswith("wss:")
    if profile in (1, 2) and not options["password"]:
        raise click.UsageError(f"--security-profile {profile} needs --password or HILBENCH_STATION_PASSWORD")
    if profile == 3 and not (options["certificate"] and options["key"]):
        raise click.UsageError("--security-profile 3 needs --certificate and --key")
    if profile >= 2 and not encrypted:
        raise click.UsageError(f"--security-profile {profile} needs a wss:// address")
    if profile == 1 and encrypted:
        raise click.UsageError("--security-profile 1 is without TLS: use a ws:// address, or profile 2")
    if options["password"] and profile not in (1, 2) and _was_given("password"):
        raise click.UsageError("--password is for --security-profile 1 and 2")


def _was_given(name: str) -> bool:
    """On the command line, and not only in the environment."""
    return click.get_current_context().get_parameter_source(name) == ParameterSource.COMMANDLINE


@contextmanager
def _log(path: Path | None) -> Iterator[Any]:
    """A function that logs a frame; None without a file."""
    from hilbench.errors import DeviceError, InputError
    from hilbench.fleet_traffic import MessageLog

    if path is None:
        yield None
        return
    try:
        file = path.open("w", encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError(str(path), f"cannot be written: {getattr(error, 'strerror', None) or error}") from None
    log = MessageLog(file)
    try:
        yield log.write
    finally:
        with suppress(OSError):
            file.close()
    if log.failed is not None:
        raise DeviceError(f"{path}: the log is not complete: {log.failed.strerror}")


async def _run(
    plan: Plan,
    script: list[Command],
    plug: bool,
    span: float | None,
    write: Any,
    interrupt: Interrupt,
    as_json: bool,
) -> list[dict[str, Any]]:
    from hilbench.cli.station_live import shown
    from hilbench.fleet import Fleet
    from hilbench.fleet_stay import Stay

    fleet = Fleet(plan, write)
    stay = Stay(fleet, script, plug=plug, span_s=span)
    with interrupt.calls(stay.leave_soon), shown(fleet, stay, quiet=as_json) as view:
        await stay.run(view)
    return fleet.reports()


def _tell(reports: list[dict[str, Any]], as_json: bool) -> None:
    from rich.console import Console

    from hilbench.cli.station_show import report

    if as_json:
        click.echo(json.dumps(reports, indent=1))
    else:
        report(Console(width=None if sys.stdout.isatty() else 160), reports)
