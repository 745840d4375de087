"""What the emulated oscilloscopes of all makers share: the common commands, and how answers are sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilbench_emulators.oscilloscope import ChannelState, Converter, Probe, Scope
from hilbench_emulators.scpi_tree import ILLEGAL, OUT_OF_RANGE, Answer, RefusedError, ScpiTree, real, switch

Quirks = frozenset[str]


@dataclass(frozen=True)
class Quirk:
    """A habit of the instrument's answers: what it does, and where it was met."""

    what: str
    source: str


QUIRKS = {
    "headers": Quirk("answers carry the header of the query", "Siglent CHDR SHORT, Tektronix HEADER ON (recalled)"),
    "stubborn-headers": Quirk("as headers, and the command that ends it is not obeyed", "chosen"),
    "swapped-preamble": Quirk("increment and origin of the preamble have changed places", "chosen"),
    "no-error-queue": Quirk("SYST:ERR? is not answered", "chosen: older Siglent firmware may not know it"),
    "two-line-feeds": Quirk("a block ends with two line feeds", "Siglent SDS1000X-E (recalled)"),
}
"""Habits by name; slow answers, split answers and the like are those of the connection (``scpi_server.Habits``)."""


class OscilloscopeDialect:
    """An emulated oscilloscope that answers lines; ``probes`` are functions of time by channel (1 to 4).

    Raises ``ValueError`` for a quirk that is not in ``QUIRKS``.
    """

    maker, model = "", ""
    divisions: int
    converter: Converter
    depths: tuple[int, ...]

    def __init__(self, probes: Mapping[int, Probe], quirks: Quirks = frozenset()) -> None:
        if unknown := quirks - QUIRKS.keys():
            raise ValueError(f"no quirk {', '.join(sorted(unknown))}; there are {', '.join(QUIRKS)}")
        self.scope = Scope(probes, self.divisions, self.converter)
        self.quirks = quirks
        self.tree = ScpiTree()
        self.headers = bool(quirks & {"headers", "stubborn-headers"})
        self._t = 0.0
        self._common()
        self.commands()

    def receive(self, line: str, t: float) -> bytes:
        """The answer to ``line`` at bench time ``t`` [s]."""
        self._t = t
        self.scope.advance(t)
        answers = self.tree.handle(line)
        if not answers:
            return b""
        if len(answers) == 1 and isinstance(answers[0], bytes):
            return answers[0] + (b"\n\n" if "two-line-feeds" in self.quirks else b"\n")
        return b";".join(a.encode() if isinstance(a, str) else a for a in answers) + b"\n"

    def commands(self) -> None:
        """Add the commands of the dialect to ``tree``."""

    def sets(self, pattern: str, put: Callable[[tuple[int, ...], str], object]) -> None:
        """Add a command that is not answered."""

        def handler(numbers: tuple[int, ...], arguments: str) -> Answer:
            put(numbers, arguments)
            return None

        self.tree.add(pattern, handler)

    def tells(self, pattern: str, get: Callable[[tuple[int, ...]], str]) -> None:
        """Add a query; its answer carries a header where headers are on."""

        def handler(numbers: tuple[int, ...], _arguments: str) -> Answer:
            return self.headed(pattern, numbers, get(numbers))

        self.tree.add(f"{pattern}?", handler)

    def headed(self, pattern: str, numbers: tuple[int, ...], answer: str) -> str:
        """The answer with its header in short form, where headers are on."""
        if not self.headers:
            return answer
        short = "".join(letter for letter in pattern.replace("<n>", "{}") if not letter.islower())
        return f"{short.format(*numbers)} {answer}"

    def channel(self, number: int) -> ChannelState:
        """The settings of a channel; refuses a number that there is not."""
        if number not in self.scope.state.channels:
            raise RefusedError(OUT_OF_RANGE)
        return self.scope.state.channels[number]

    def source(self, said: str, prefix: str) -> int:
        """The channel that ``said`` names, such as CHAN1 for the prefix CHAN."""
        upper = said.upper().replace("CHANNEL", "CHAN")
        number = upper.removeprefix(prefix)
        if not upper.startswith(prefix) or not re.fullmatch("[0-9]{1,3}", number):
            raise RefusedError(ILLEGAL)
        self.channel(int(number))
        return int(number)

    def set_points(self, points: int) -> None:
        """Set the length of the memory; refuses one that there is not."""
        if points not in self.depths:
            raise RefusedError(OUT_OF_RANGE)
        self.scope.state.points = points

    def set_on(self, numbers: tuple[int, ...], arguments: str) -> None:
        """Show a channel, or not."""
        self.channel(numbers[0]).on = switch(arguments)

    def set_probe(self, numbers: tuple[int, ...], arguments: str) -> None:
        """Set the attenuation of a probe."""
        self.channel(numbers[0]).probe = real(arguments, 1e-3, 1e4)

    def arm(self, *_said: object) -> None:
        """Begin one acquisition now."""
        self.scope.arm(self._t)

    def run(self, *_said: object) -> None:
        """Run freely."""
        self.scope.run()

    def stop(self, *_said: object) -> None:
        """End now."""
        self.scope.stop(self._t)

    def force(self, *_said: object) -> None:
        """Trigger now."""
        self.scope.force(self._t)

    def status(self) -> str:
        """See :meth:`Scope.status`, now."""
        return self.scope.status(self._t)

    def _common(self) -> None:
        self.tree.add("*IDN?", lambda _n, _a: f"{self.maker},{self.model},EMULATED,1.0")
        self.tree.add("*OPC?", lambda _n, _a: "1")
        self.sets("*CLS", lambda _n, _a: self.tree.errors.clear())
        self.sets("*RST", lambda _n, _a: self.scope.reset())
        if "no-error-queue" not in self.quirks:
            self.tree.add(":SYSTem:ERRor[:NEXT]?", self.tree.next_error)


def block(codes: NDArray[np.int32], kind: str, digits: int = 9) -> bytes:
    """An IEEE 488.2 block of codes as numpy type ``kind``."""
    data = codes.astype(kind).tobytes()
    return f"#{digits}{len(data):0{digits}d}".encode() + data


def volts(value: float) -> str:
    """A number as instruments write it."""
    return f"{value:.6E}"
