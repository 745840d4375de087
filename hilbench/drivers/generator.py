"""Signal generators that can drive a pilot: Rigol DG800/900 and Siglent SDG.

A bench generator reaches +-10 V into an open circuit (recalled for both families), the pilot needs +-12 V: an amplifier
or an EVSE board must stand between, or the test is made at +-10 V and says so. Its 50 ohms and 950 ohms in series
make the 1 kilohm of the pilot's source.
"""

from __future__ import annotations

from typing import Protocol

from hilbench.drivers.generator_dialect import (
    DIALECTS,
    REACH_V,
    GeneratorDialect,
    Pulse,
    generator_dialect_of,
    pilot_pulse,
)
from hilbench.drivers.scpi import ScpiInstrument, instrument
from hilbench.drivers.scpi_reply import ReplyError
from hilbench.drivers.scpi_wire import Wire
from hilbench.errors import DeviceError, InputError, Problem

__all__ = ["REACH_V", "Generator", "Pulse", "SignalGenerator", "generator_dialect_of", "pilot_pulse"]


class Generator(Protocol):
    """What a procedure needs of a signal generator; every method may raise ``DeviceError``."""

    async def start(self) -> None:
        """Connect and identify."""

    async def stop(self) -> None:
        """Disconnect; the output stays as it is."""

    async def pulse(self, wanted: Pulse) -> None:
        """Set the wave; raises ``InputError`` where it reaches no such voltage."""

    async def output(self, on: bool) -> None:
        """Switch the output."""

    async def is_on(self) -> bool:
        """Read the output back."""
        ...


class SignalGenerator:
    """Output ``channel`` of the generator ``name`` at a VISA resource, ``tcp://host:port`` or on a link that there is.

    Raises ``InputError`` for an address that is none.
    """

    def __init__(
        self,
        name: str,
        at: str | Wire | ScpiInstrument,
        *,
        channel: int = 1,
        timeout_s: float = 2.0,
        backend: str = "",
    ) -> None:
        self.name, self.channel = name, channel
        self.link = instrument(name, at, timeout_s, backend)
        self._dialect: GeneratorDialect | None = None

    async def start(self) -> None:
        """Connect and identify; raises ``DeviceError`` when it does not answer, or is no generator known here."""
        await self.link.start()
        assert self.link.identity is not None
        found = generator_dialect_of(self.link.identity)
        if found is None:
            known = ", ".join(kind.family for kind in DIALECTS)
            error = self.link.error("*IDN?", f"is a {self.link.identity}, no signal generator of {known}")
            await self.stop()
            raise error
        self._dialect = found
        await self.link.find_queue("SYST:ERR?")

    async def stop(self) -> None:
        """Disconnect; the output stays as it is."""
        await self.link.stop()

    async def pulse(self, wanted: Pulse) -> None:
        """Set the wave and read it back; raises ``InputError`` for what it cannot reach, ``DeviceError`` else."""
        _reachable(self.name, wanted)
        dialect = self._spoken()
        await self.link.get_in_step()
        await self.link.tell(*dialect.pulse(self.channel, wanted))
        queries = dialect.ask_pulse(self.channel)
        try:
            found = dialect.pulse_of([await self.link.ask(query) for query in queries])
        except ReplyError as error:
            raise self.link.misunderstood(queries[0], error) from None
        if not _alike(found, wanted):
            raise self.link.error(queries[0], f"gives {found}, {wanted} was set")

    async def output(self, on: bool) -> None:
        """Switch the output and read it back; raises ``DeviceError`` when it stays."""
        await self.link.get_in_step()
        await self.link.tell(*self._spoken().output(self.channel, on))
        if await self.is_on() != on:
            raise self.link.error(f"output {self.channel}", f"stays {'off' if on else 'on'}", "look at the instrument")

    async def is_on(self) -> bool:
        """Read the output back."""
        dialect = self._spoken()
        query = dialect.ask_output(self.channel)
        try:
            return dialect.output_of(await self.link.ask(query))
        except ReplyError as error:
            raise self.link.misunderstood(query, error) from None

    def _spoken(self) -> GeneratorDialect:
        if self._dialect is None:
            raise DeviceError(f"instrument {self.name}: has not been started")
        return self._dialect


def _reachable(name: str, wanted: Pulse) -> None:
    if not -REACH_V <= wanted.low_v < wanted.high_v <= REACH_V:
        what = f"{wanted.low_v:g} V to {wanted.high_v:g} V; a bench generator reaches +-{REACH_V:g} V"
        remedy = "put an amplifier or an EVSE board between for the +-12 V of a pilot, or test at +-10 V"
        raise InputError(f"instrument {name}", Problem("pulse", what, remedy))
    if not (0.0 < wanted.duty_pct < 100.0 and 0.0 < wanted.frequency_hz < 1e6):
        what = f"{wanted.duty_pct:g} % of {wanted.frequency_hz:g} Hz is no pulse"
        raise InputError(f"instrument {name}", Problem("pulse", what, "a duty between 0 and 100 %, below 1 MHz"))


def _alike(found: Pulse, wanted: Pulse) -> bool:
    """Within the digits that a generator shows: 10 ppm, 0.01 points, 10 mV [chosen]."""
    return (
        abs(found.frequency_hz / wanted.frequency_hz - 1.0) < 1e-5
        and abs(found.duty_pct - wanted.duty_pct) < 0.011
        and max(abs(found.high_v - wanted.high_v), abs(found.low_v - wanted.low_v)) < 0.011
    )
