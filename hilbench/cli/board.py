"""``hilbench board``: pilot boards by hand, real or emulated."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from hilbench.drivers.chargebyte import ChargebyteDriver
    from hilbench.drivers.ev_simulator import EvSimulatorDriver
    from hilbench.drivers.openevse import OpenEvseDriver

KINDS = ("openevse", "ev-simulator", "chargebyte")
EPILOG = """\b
ADDRESS is a serial port or a TCP port that leads to one
  serial:///dev/ttyUSB0       with the board's own speed; ?baudrate=9600&parity=N&stopbits=1
  tcp://10.0.0.7:4001         a serial device server, or an emulated board

\b
Without hardware: in one terminal
  hilbench board emulate openevse --at tcp://127.0.0.1:8023
and in another
  hilbench board status openevse tcp://127.0.0.1:8023
"""
_address = click.argument("address")
_json = click.option("--json", "as_json", is_flag=True, help="Print as JSON.")


@click.group(epilog=EPILOG)
def board() -> None:
    """Ask and command pilot boards: OpenEVSE, EV simulators, chargebyte safety controllers."""


@board.command()
@click.argument("kind", type=click.Choice(KINDS))
@_address
@_json
def status(kind: str, address: str, as_json: bool) -> None:
    """Show what the board of KIND at ADDRESS says of itself."""
    if kind == "openevse":
        _tell(_with_openevse(address, lambda one: one.status()), as_json)
    elif kind == "ev-simulator":
        _tell(_with_simulator(address, lambda one: one.read()), as_json)
    else:
        _tell(_with_chargebyte(address, lambda one: one.read(), listen=True), as_json)


@board.command("set-current")
@_address
@click.argument("amps", type=click.IntRange(6, 80))
@click.option("--save", is_flag=True, help="Also after the next boot.")
@_json
def set_current(address: str, amps: int, save: bool, as_json: bool) -> None:
    """Let the OpenEVSE at ADDRESS offer AMPS, and read back."""

    async def act(one: OpenEvseDriver) -> object:
        await one.set_current(amps, save=save)
        return await one.status()

    _tell(_with_openevse(address, act), as_json)


@board.command("do")
@_address
@click.argument("what", type=click.Choice(["enable", "disable", "sleep", "restart", "make-safe", "acknowledge"]))
@_json
def do(address: str, what: str, as_json: bool) -> None:
    """Command the OpenEVSE at ADDRESS, and read back.

    make-safe sleeps and waits until the relay is open; acknowledge ends the fallback after a missed heartbeat.
    """

    async def act(one: OpenEvseDriver) -> object:
        await getattr(one, what.replace("-", "_"))()
        return await one.status()

    _tell(_with_openevse(address, act), as_json)


@board.command()
@_address
@click.argument("command")
def rapi(address: str, command: str) -> None:
    """Send COMMAND, such as "GC" or "SC 16", to the OpenEVSE at ADDRESS and print its answer; exit code 1 for $NK."""
    reply = _with_openevse(address, lambda one: one.ask(command))
    click.echo(" ".join(["OK" if reply.ok else "NK", *reply.values]))
    sys.exit(0 if reply.ok else 1)


@board.command()
@_address
@click.argument("state", type=click.Choice(list("ABCDE")))
@click.option("--diode/--no-diode", default=None, help="Diode in, or bridged.  [default: as it is]")
@click.option("--pp", type=click.Choice(["open", "1500", "680", "220", "100", "150", "480"]), help="Resistor in Ohm.")
@_json
def plug(address: str, state: str, diode: bool | None, pp: str | None, as_json: bool) -> None:
    """Let the EV simulator at ADDRESS connect STATE (A: unplugged, E: short), and show what it sees.

    The state stays when the command ends.
    """

    async def act(one: EvSimulatorDriver) -> object:
        if diode is not None:
            await one.set_diode(diode)
        if pp is not None:
            await one.set_proximity(None if pp == "open" else int(pp))
        return await one.set_state(state)

    _tell(_with_simulator(address, act), as_json)


@board.command()
@_address
@click.argument("duty", metavar="PERCENT|off")
@click.option(
    "--for", "span_s", type=click.FloatRange(0.2, 86_400.0), default=5.0, show_default=True, metavar="SECONDS"
)
@_json
def pwm(address: str, duty: str, span_s: float, as_json: bool) -> None:
    """Let the chargebyte controller at ADDRESS drive PWM of PERCENT for SECONDS, and show its last report.

    Nothing drives it after that: it stops by itself, and does nothing more until it is reset.
    """
    try:
        duty_pct = None if duty == "off" else float(duty)
    except ValueError:
        raise click.BadParameter(f"{duty!r} is neither a duty cycle in percent nor off") from None

    async def act(one: ChargebyteDriver) -> object:
        await one.set_pwm(duty_pct)
        await asyncio.sleep(span_s)
        return await one.read()

    _tell(_with_chargebyte(address, act), as_json)


@board.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.option(
    "--at", "address", required=True, metavar="ADDRESS", help="tcp://127.0.0.1:8023 or serial:///tmp/openevse."
)
@click.option("--ev", metavar="ADDRESS", help="Also an EV simulator, plugged into it, at this address.")
@click.option("--quirks", default="", metavar="NAMES", help="Of an OpenEVSE, with commas: heartbeat-wrap, ...")
@click.option("--baudrate", type=click.IntRange(300, 1_000_000), help="Let bytes take their time on a wire.")
def emulate(kind: str, address: str, ev: str | None, quirks: str, baudrate: int | None) -> None:
    """Emulate a board of KIND until it is interrupted: something to try the other commands on.

    An EV simulator of its own is plugged into an OpenEVSE that nobody can talk to.
    """
    from hilbench import clock
    from hilbench.cli.board_emulated import stay

    clock.run(stay(kind, address, ev, quirks, baudrate), "real")


def _with_openevse(address: str, act: Callable[[OpenEvseDriver], Awaitable[Any]]) -> Any:
    from hilbench.drivers.openevse import OpenEvseDriver

    return _run(lambda: OpenEvseDriver("openevse", address), act)


def _with_simulator(address: str, act: Callable[[EvSimulatorDriver], Awaitable[Any]]) -> Any:
    from hilbench.drivers.ev_simulator import EvSimulatorDriver

    return _run(lambda: EvSimulatorDriver("ev-simulator", address), act)


def _with_chargebyte(address: str, act: Callable[[ChargebyteDriver], Awaitable[Any]], *, listen: bool = False) -> Any:
    from hilbench.drivers.chargebyte import ChargebyteDriver

    return _run(lambda: ChargebyteDriver("chargebyte", address), act, listen=listen)


def _run(make: Callable[[], Any], act: Callable[[Any], Awaitable[Any]], *, listen: bool = False) -> Any:
    """Open a board in real time, act on it, let go of it; ``listen``: without telling it anything."""
    from hilbench import clock

    async def body() -> Any:
        one = make()
        try:
            if not listen:
                await one.start()
            return await act(one)
        finally:
            one.release()

    return clock.run(body(), "real")


def _tell(found: Any, as_json: bool) -> None:
    assert is_dataclass(found)
    values = {name: value for name, value in asdict(found).items() if name != "t"}  # type: ignore[arg-type]
    if as_json:
        click.echo(json.dumps(values))
        return
    width = max(map(len, values))
    for name, value in values.items():
        click.echo(f"{name.replace('_', ' '):{width}}  {_shown(value)}")


def _shown(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case tuple() | list():
            return ", ".join(map(str, value))
        case _:
            return str(value) or "-"
