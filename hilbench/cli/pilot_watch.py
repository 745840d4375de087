"""``hilbench pilot watch``: look at a pilot through an oscilloscope, and say what changes."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hilbench.cli.params import Between
from hilbench.cli.pilot_plots import draws, picture_options, plot_course, svg_of_course

if TYPE_CHECKING:
    from hilbench.evidence.pilot_strip import Part
    from hilbench.probes import Seen, SharedScope
    from hilbench.waveform import Waveform

_PILOT = "pilot"
SHOWN_PCT, SHOWN_V = 0.1, 0.5
"""Changes of duty cycle and high level that are worth a line (policy-default)."""


@click.command()
@click.argument("address", metavar="ADDRESS")
@click.option("--channel", type=click.IntRange(1, 8), default=1, show_default=True, help="Channel on the pilot.")
@click.option("--probe", type=Between(0.1, 1000), default=10.0, show_default=True, help="Attenuation of the probe.")
@click.option("--for", "span", type=Between(0.1, 86_400), default=60.0, show_default=True, help="Seconds to watch.")
@click.option("--every", type=Between(0.02, 60), default=0.2, show_default=True, help="Seconds between two looks.")
@click.option("--timeout", type=Between(0.05, 600), default=2.0, show_default=True, help="Seconds for an answer.")
@click.option("--backend", default="", metavar="LIB", help="VISA library, such as @py  [default: the one installed]")
@picture_options
def watch(address: str, *, plot: bool | None, svg: Path | None, **options: Any) -> None:
    """Watch the pilot at an oscilloscope: a line for each change of state, duty cycle or level.

    ADDRESS is a VISA resource name, or tcp://host:port. Times count from the first look and are known to what stands
    behind them. Ctrl-C ends it. What was seen is drawn at the end.

    \b
    hilbench pilot watch TCPIP::192.168.1.20::5555::SOCKET --channel 2 --for 600
    hilbench pilot watch tcp://127.0.0.1:5555 --for 20 --svg pilot.svg
    """
    from hilbench import clock

    parts: list[Part] = []
    try:
        clock.run(_watch(address, parts, **options), "real")
    finally:
        if draws(plot):
            plot_course(parts)
        if svg:
            svg_of_course(svg, "Control pilot over time", parts)


async def _watch(
    address: str,
    parts: list[Part],
    *,
    channel: int,
    probe: float,
    span: float,
    every: float,
    timeout: float,
    backend: str,
) -> None:
    """Tell of changes, and add every look to ``parts``."""
    import asyncio

    from hilbench import clock
    from hilbench.evidence.pilot_strip import MOST_PARTS, grow
    from hilbench.probes import PilotProbe
    from hilbench.signals import Record, Source

    async with _scope(address, channel, probe, timeout_s=timeout, backend=backend) as scope:
        made = PilotProbe(_PILOT, scope, Record(), Source("scope", "instrument"))
        first = last = None
        until = clock.time() + span
        while clock.time() < until:
            begun, seen = clock.time(), await made.look(mode="fast")
            first = first or seen
            if len(parts) <= MOST_PARTS:
                pilot = seen.pilot
                grow(parts, seen.t - first.t, pilot.state, pilot.source_duty_pct.value if pilot.pwm else math.nan)
            if last is None or changed(last, seen):
                click.echo(line(seen, first.t))
                last = seen
            await asyncio.sleep(max(begun + every - clock.time(), 0.0))


async def taken(address: str, channel: int, probe: float, span_s: float, rate_hz: float) -> Waveform:
    """One record of ``channel`` of the oscilloscope at ``address``; raises ``DeviceError``."""
    async with _scope(address, channel, probe) as scope:
        return (await scope.acquire(_PILOT, span_s, rate_hz)).record


@asynccontextmanager
async def _scope(address: str, channel: int, probe: float, **options: Any) -> AsyncIterator[SharedScope]:
    """The oscilloscope at ``address`` with one channel on a pilot."""
    from hilbench.drivers.scope import Oscilloscope
    from hilbench.probes import SharedScope

    scope = Oscilloscope("scope", address, **options)
    await scope.start()
    try:
        yield SharedScope(scope, {_PILOT: channel}, probe)
    finally:
        await scope.stop()


def changed(before: Seen, now: Seen) -> bool:
    """Something that a person would want to know of."""
    was, found = before.pilot, now.pilot
    if was.state != found.state or abs(was.high_v.value - found.high_v.value) > SHOWN_V:
        return True
    return found.pwm and abs(was.source_duty_pct.value - found.source_duty_pct.value) > SHOWN_PCT


def line(seen: Seen, since: float) -> str:
    """One look in a line."""
    found = seen.pilot
    levels = f"{found.high_v.value:+.2f}" + (f"/{found.low_v.value:+.2f}" if math.isfinite(found.low_v.value) else "")
    offer = f"{found.source_duty_pct.value:7.3f} %  {found.current_a.value:5.1f} A" if found.pwm else f"{'no PWM':>18}"
    return f"{seen.t - since:9.2f} s +- {seen.uncertainty_s:.2f}  {found.state:2}  {offer}  {levels} V"
