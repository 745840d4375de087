"""Signal generators that can drive a pilot: Rigol DG800/900 and Siglent SDG.

A bench generator reaches +-10 V into an open circuit (recalled for both families), the pilot needs +-12 V: an amplifier
or an EVSE board must stand between, or the test is made at +-10 V and says so. Its 50 ohms and 950 ohms in series
make the 1 kilohm of the pilot's source. Commands as in ``pymeasure`` (``rigol_dg800``, ``teledyneT3AFG``; read-code).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

from hilbench.drivers.scpi import Identity, ScpiInstrument, instrument
from hilbench.drivers.scpi_reply import ReplyError, number, word
from hilbench.drivers.scpi_wire import Wire
from hilbench.errors import DeviceError, InputError, Problem

REACH_V = 10.0
"""Volts to either side into an open circuit (recalled)."""
SOURCE_OHM = 50.0


@dataclass(frozen=True)
class Pulse:
    """A square wave of ``frequency_hz`` that is at ``high_v`` for ``duty_pct`` of the time, else at ``low_v`` [V]."""

    frequency_hz: float
    duty_pct: float
    high_v: float
    low_v: float


def pilot_pulse(duty_pct: float, high_v: float = REACH_V, low_v: float = -REACH_V) -> Pulse:
    """The pilot's 1 kHz at ``duty_pct``, as far as a bench generator reaches."""
    return Pulse(1_000.0, duty_pct, high_v, low_v)


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


class GeneratorDialect(ABC):
    """How one family is spoken to; pure."""

    family: str

    @staticmethod
    @abstractmethod
    def speaks(maker: str, model: str) -> bool:
        """Whether an instrument of ``maker`` and ``model``, in capitals, is of this family."""

    @abstractmethod
    def pulse(self, channel: int, wanted: Pulse) -> list[str]:
        """Commands for the wave, into an open circuit."""

    @abstractmethod
    def output(self, channel: int, on: bool) -> list[str]:
        """Commands to switch the output."""

    @abstractmethod
    def ask_pulse(self, channel: int) -> list[str]:
        """Queries for the wave as it came to be."""

    @abstractmethod
    def pulse_of(self, answers: list[str]) -> Pulse:
        """The wave from the answers; raises ``ReplyError``."""

    @abstractmethod
    def ask_output(self, channel: int) -> str:
        """Query for the output."""

    @abstractmethod
    def output_of(self, answer: str) -> bool:
        """Whether the output is on; raises ``ReplyError``."""


class RigolDg(GeneratorDialect):
    """Rigol DG800 / DG900."""

    family = "Rigol DG"

    @staticmethod
    def speaks(maker: str, model: str) -> bool:
        """See :class:`GeneratorDialect`."""
        return "RIGOL" in maker and model.startswith("DG")

    def pulse(self, channel: int, wanted: Pulse) -> list[str]:
        """See :class:`GeneratorDialect`; amplitude from peak to peak."""
        swing_v, middle_v = wanted.high_v - wanted.low_v, (wanted.high_v + wanted.low_v) / 2.0
        return [
            f":OUTP{channel}:IMP INF",
            f":SOUR{channel}:APPL:PULS {wanted.frequency_hz:.9g},{swing_v:.6g},{middle_v:.6g},0",
            f":SOUR{channel}:PULS:DCYC {wanted.duty_pct:.6g}",
        ]

    def output(self, channel: int, on: bool) -> list[str]:
        """See :class:`GeneratorDialect`."""
        return [f":OUTP{channel} {'ON' if on else 'OFF'}"]

    def ask_pulse(self, channel: int) -> list[str]:
        """See :class:`GeneratorDialect`: ``"PULSE,freq,amp,off,phase"``, and the duty."""
        return [f":SOUR{channel}:APPL?", f":SOUR{channel}:PULS:DCYC?"]

    def pulse_of(self, answers: list[str]) -> Pulse:
        """See :class:`GeneratorDialect`."""
        shape, *fields = answers[0].strip('"').split(",")
        if not shape.upper().startswith("PULS") or len(fields) < 3:
            raise ReplyError(f"no pulse: {answers[0][:60]!r}")
        frequency_hz, swing_v, middle_v = (number(field) for field in fields[:3])
        return Pulse(frequency_hz, number(answers[1]), middle_v + swing_v / 2.0, middle_v - swing_v / 2.0)

    def ask_output(self, channel: int) -> str:
        """See :class:`GeneratorDialect`."""
        return f":OUTP{channel}?"

    def output_of(self, answer: str) -> bool:
        """See :class:`GeneratorDialect`."""
        return _switch(word(answer))


class SiglentSdg(GeneratorDialect):
    """Siglent SDG1000X / 2000X, and LeCroy T3AFG."""

    family = "Siglent SDG"

    @staticmethod
    def speaks(maker: str, model: str) -> bool:
        """See :class:`GeneratorDialect`."""
        return model.startswith(("SDG", "T3AFG")) and ("SIGLENT" in maker or "LECROY" in maker)

    def pulse(self, channel: int, wanted: Pulse) -> list[str]:
        """See :class:`GeneratorDialect`."""
        levels = f"HLEV,{wanted.high_v:.6g},LLEV,{wanted.low_v:.6g}"
        return [
            f"C{channel}:OUTP LOAD,HZ",
            f"C{channel}:BSWV WVTP,PULSE,FRQ,{wanted.frequency_hz:.9g},{levels},DUTY,{wanted.duty_pct:.6g}",
        ]

    def output(self, channel: int, on: bool) -> list[str]:
        """See :class:`GeneratorDialect`."""
        return [f"C{channel}:OUTP {'ON' if on else 'OFF'}"]

    def ask_pulse(self, channel: int) -> list[str]:
        """See :class:`GeneratorDialect`: ``C1:BSWV WVTP,PULSE,FRQ,1000HZ,...``."""
        return [f"C{channel}:BSWV?"]

    def pulse_of(self, answers: list[str]) -> Pulse:
        """See :class:`GeneratorDialect`."""
        fields = answers[0].rpartition(" ")[2].upper().split(",")
        pairs = dict(zip(fields[::2], fields[1::2], strict=False))
        if pairs.get("WVTP") != "PULSE" or not pairs.keys() >= {"FRQ", "DUTY", "HLEV", "LLEV"}:
            raise ReplyError(f"no pulse: {answers[0][:60]!r}")
        return Pulse(*(number(pairs[key]) for key in ("FRQ", "DUTY", "HLEV", "LLEV")))

    def ask_output(self, channel: int) -> str:
        """See :class:`GeneratorDialect`: ``C1:OUTP ON,LOAD,HZ,PLRT,NOR``."""
        return f"C{channel}:OUTP?"

    def output_of(self, answer: str) -> bool:
        """See :class:`GeneratorDialect`."""
        return _switch(word(answer).partition(",")[0])


DIALECTS: tuple[type[GeneratorDialect], ...] = (RigolDg, SiglentSdg)


def generator_dialect_of(of: Identity) -> GeneratorDialect | None:
    """The dialect of an instrument; None when it is no generator known here."""
    maker, model = of.maker.upper(), of.model.upper()
    return next((kind() for kind in DIALECTS if kind.speaks(maker, model)), None)


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


def _switch(said: str) -> bool:
    if said not in ("ON", "OFF", "1", "0"):
        raise ReplyError(f"neither on nor off: {said[:20]!r}")
    return said in ("ON", "1")
