"""``hilbench instruments``: which oscilloscopes and generators are there, and does one of them answer as it must?"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from hilbench.cli.params import Between

if TYPE_CHECKING:
    from hilbench.drivers.scpi import Identity, ScpiInstrument

_SOCKETS = "Raw sockets announce themselves to nobody: try TCPIP::<address>::5555::SOCKET (Rigol), 5025 (others)."


@click.group()
def instruments() -> None:
    """Oscilloscopes and signal generators: list what is connected, check one of them."""


@instruments.command("list")
@click.option("--backend", default="", metavar="LIB", help="VISA library, such as @py  [default: the one installed]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(backend: str, as_json: bool) -> None:
    """List the VISA resources and serial ports of this machine.

    Exit code 0, 4 when there is no VISA library.
    """
    from hilbench.drivers.resources import resources

    found = resources(backend)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1))
        return
    for one in found:
        click.echo(f"{one.address:<50} {one.what}".rstrip())
    click.echo(f"{len(found) or 'No'} resource{'' if len(found) == 1 else 's'}. {_SOCKETS}")


@instruments.command()
@click.argument("address", metavar="ADDRESS")
@click.option("--channel", type=click.IntRange(1, 8), default=1, show_default=True, help="Channel that is recorded.")
@click.option("--range", "range_v", type=Between(0.01, 1000), default=30.0, show_default=True, help="Volts, around 0.")
@click.option("--for", "span", type=Between(1e-6, 3600), default=0.01, show_default=True, help="Seconds to record.")
@click.option("--rate", type=Between(1, 1e10), default=1e6, show_default=True, help="Samples per second at least.")
@click.option("--timeout", type=Between(0.05, 600), default=2.0, show_default=True, help="Seconds for an answer.")
@click.option("--backend", default="", metavar="LIB", help="VISA library, such as @py  [default: the one installed]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(address: str, as_json: bool, timeout: float, backend: str, **record: Any) -> None:
    """Check the instrument at ADDRESS: who it is, its error queue, and, of an oscilloscope, one record.

    ADDRESS is a VISA resource name, or tcp://host:port. The record changes the settings of the oscilloscope; of a
    generator nothing is changed.

    \b
    hilbench instruments check TCPIP::192.168.1.20::5555::SOCKET
    hilbench instruments check USB0::0x1AB1::0x04CE::DS1ZA1::INSTR --channel 2 --range 30 --for 0.1

    Exit code 0 when it answers as it must, 2 for an address that is none, 4 when it does not answer as it must.
    """
    from hilbench import clock

    found = clock.run(_check(address, timeout, backend, record), "real")
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    for name, value in found.items():
        click.echo(f"{name:<16} {value}")


async def _check(address: str, timeout_s: float, backend: str, record: dict[str, Any]) -> dict[str, Any]:
    from hilbench.drivers.scpi import instrument

    device = instrument("check", address, timeout_s, backend)
    await device.start()
    try:
        assert device.identity is not None
        return {"address": address, **asdict(device.identity), **await _found(device, device.identity, record)}
    finally:
        await device.stop()


async def _found(device: ScpiInstrument, identity: Identity, record: dict[str, Any]) -> dict[str, Any]:
    from hilbench.drivers.generator import generator_dialect_of
    from hilbench.drivers.scope import dialect_of

    scope, generator = dialect_of(identity), generator_dialect_of(identity)
    if scope is not None:
        return {"dialect": scope.family, **await _record(device, **record)}
    if generator is not None:
        return {"dialect": generator.family, **await _generator(device)}
    return {"dialect": f"none known here for a {identity.maker} {identity.model}"}


async def _generator(device: ScpiInstrument) -> dict[str, Any]:
    from hilbench.drivers.generator import REACH_V, SignalGenerator

    generator = SignalGenerator("check", device)
    await generator.start()
    return {
        "output": "on" if await generator.is_on() else "off",
        "errors": await device.errors(),
        "reach": f"+-{REACH_V:g} V: a pilot's +-12 V needs an amplifier or an EVSE board",
    }


async def _record(device: ScpiInstrument, channel: int, range_v: float, span: float, rate: float) -> dict[str, Any]:
    from hilbench import clock
    from hilbench.drivers.scope import Channel, Oscilloscope, Setup

    oscilloscope = Oscilloscope("check", device)
    await oscilloscope.start()
    await oscilloscope.set_up(Setup({channel: Channel(-range_v / 2.0, range_v / 2.0)}, span, rate))
    taken = await oscilloscope.single()
    record = taken.records[channel]
    return {
        "points": len(record.values),
        "rate_hz": round(1.0 / record.dt_s, 3),
        "duration_s": round(record.duration_s, 9),
        "lowest_v": round(float(record.values.min()), 4),
        "highest_v": round(float(record.values.max()), 4),
        "step_v": round(record.lsb, 6),
        "transfer_s": round(clock.time() - taken.done_s, 4),
        "errors": await device.errors(),
    }
