"""What a signal generator is asked for, and how Rigol DG800/900 and Siglent SDG are spoken to: no I/O here.

Commands as in ``pymeasure`` (``rigol_dg800``, ``teledyneT3AFG``; read-code).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from hilbench.drivers.scpi import Identity
from hilbench.drivers.scpi_reply import ReplyError, number, word

REACH_V = 10.0
"""Volts to either side into an open circuit (recalled)."""


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


def _switch(said: str) -> bool:
    if said not in ("ON", "OFF", "1", "0"):
        raise ReplyError(f"neither on nor off: {said[:20]!r}")
    return said in ("ON", "1")
