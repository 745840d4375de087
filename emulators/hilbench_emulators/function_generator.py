"""Emulated signal generators: Rigol DG800 and Siglent SDG. Their outputs are probes that an oscilloscope can look at.

The output has 50 ohms and reaches +-10 V into an open circuit; into 50 ohms it gives half of that. What is out of reach
goes to the error queue and is not set.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hilbench_emulators.scpi_tree import ILLEGAL, OUT_OF_RANGE, Answer, RefusedError, ScpiTree, choice, real, switch

REACH_V = 10.0


@dataclass(frozen=True)
class Output:
    """One output: a pulse of ``duty_pct`` between ``low_v`` and ``high_v`` [V], open circuit, and whether it is on."""

    frequency_hz: float = 1_000.0
    duty_pct: float = 50.0
    high_v: float = 2.5
    low_v: float = -2.5
    on: bool = False

    def volts(self, t0_s: float, dt_s: float, count: int) -> NDArray[np.float64]:
        """The wave at ``count`` instants from ``t0_s`` on, open circuit; 0 V when it is off."""
        if not self.on:
            return np.zeros(count)
        phase = (t0_s + np.arange(count) * dt_s) * self.frequency_hz % 1.0
        return np.where(phase < self.duty_pct / 100.0, self.high_v, self.low_v)


class FunctionGenerator:
    """Two outputs, and the commands that all makers share; answers lines."""

    maker, model = "", ""

    def __init__(self) -> None:
        self.outputs = {1: Output(), 2: Output()}
        self.tree = ScpiTree()
        self.tree.add("*IDN?", lambda _n, _a: f"{self.maker},{self.model},EMULATED,1.0")
        self.tree.add("*OPC?", lambda _n, _a: "1")
        self.tree.add("*CLS", lambda _n, _a: self.tree.errors.clear())
        self.tree.add(":SYSTem:ERRor[:NEXT]?", self.tree.next_error)
        self.commands()

    def commands(self) -> None:
        """Add the commands of the dialect to ``tree``."""

    def receive(self, line: str, t: float) -> bytes:  # noqa: ARG002 - its settings take effect at once
        """The answer to ``line`` at bench time ``t`` [s]."""
        answers = self.tree.handle(line)
        return b";".join(a.encode() if isinstance(a, str) else a for a in answers) + b"\n" if answers else b""

    def probe(self, channel: int, t0_s: float, dt_s: float, count: int) -> NDArray[np.float64]:
        """Volts at an output; with ``functools.partial`` a probe of an emulated oscilloscope."""
        return self.outputs[channel].volts(t0_s, dt_s, count)

    def output(self, number: int) -> Output:
        """The settings of an output; refuses a number that there is not."""
        if number not in self.outputs:
            raise RefusedError(OUT_OF_RANGE)
        return self.outputs[number]

    def put(self, number: int, **changes: float | bool) -> None:
        """Change an output; refuses a wave that it cannot give."""
        wanted = replace(self.output(number), **changes)  # type: ignore[arg-type]
        if not (-REACH_V <= wanted.low_v < wanted.high_v <= REACH_V and 0.0 < wanted.duty_pct < 100.0):
            raise RefusedError(OUT_OF_RANGE)
        self.outputs[number] = wanted


class RigolDg800(FunctionGenerator):
    """DG812."""

    maker, model = "Rigol Technologies", "DG812"

    def commands(self) -> None:
        """Add the commands of the dialect."""
        self.tree.add(":OUTPut<n>:IMPedance", self._load)
        self.tree.add(":OUTPut<n>[:STATe]", lambda n, a: self.put(n[0], on=switch(a)))
        self.tree.add(":OUTPut<n>[:STATe]?", lambda n, _a: "ON" if self.output(n[0]).on else "OFF")
        self.tree.add(":SOURce<n>:APPLy:PULSe", self._apply)
        self.tree.add(":SOURce<n>:APPLy?", lambda n, _a: self._applied(self.output(n[0])))
        self.tree.add(":SOURce<n>:PULSe:DCYCle", lambda n, a: self.put(n[0], duty_pct=real(a)))
        self.tree.add(":SOURce<n>:PULSe:DCYCle?", lambda n, _a: f"{self.output(n[0]).duty_pct:.6E}")

    def _load(self, numbers: tuple[int, ...], said: str) -> Answer:
        """It knows an open circuit only."""
        self.output(numbers[0])
        choice(said, "INFinity")
        return None

    def _apply(self, numbers: tuple[int, ...], said: str) -> Answer:
        fields = [real(field) for field in said.split(",")]
        if len(fields) != 4:
            raise RefusedError(ILLEGAL)
        frequency_hz, swing_v, middle_v, _phase = fields
        levels = {"high_v": middle_v + swing_v / 2.0, "low_v": middle_v - swing_v / 2.0}
        self.put(numbers[0], frequency_hz=frequency_hz, **levels)
        return None

    def _applied(self, output: Output) -> str:
        swing_v, middle_v = output.high_v - output.low_v, (output.high_v + output.low_v) / 2.0
        return f'"PULSE,{output.frequency_hz:.6E},{swing_v:.6E},{middle_v:.6E},0.000000E+00"'


class SiglentSdg1000x(FunctionGenerator):
    """SDG1032X: answers with header and units."""

    maker, model = "Siglent Technologies", "SDG1032X"

    def commands(self) -> None:
        """Add the commands of the dialect."""
        self.tree.add("C<n>:OUTP", self._switch)
        self.tree.add("C<n>:OUTP?", self._switched)
        self.tree.add("C<n>:BSWV", self._wave)
        self.tree.add("C<n>:BSWV?", lambda n, _a: f"C{n[0]}:BSWV {self._said(self.output(n[0]))}")

    def _switch(self, numbers: tuple[int, ...], said: str) -> Answer:
        if said.upper() != "LOAD,HZ":
            self.put(numbers[0], on=switch(said))
        return None

    def _switched(self, numbers: tuple[int, ...], _said: str) -> Answer:
        return f"C{numbers[0]}:OUTP {'ON' if self.output(numbers[0]).on else 'OFF'},LOAD,HZ,PLRT,NOR"

    def _wave(self, numbers: tuple[int, ...], said: str) -> Answer:
        fields = said.split(",")
        pairs = dict(zip(fields[::2], fields[1::2], strict=False))
        if pairs.pop("WVTP", "PULSE") != "PULSE":
            raise RefusedError(ILLEGAL)
        names = {"FRQ": "frequency_hz", "DUTY": "duty_pct", "HLEV": "high_v", "LLEV": "low_v"}
        if not pairs.keys() <= names.keys():
            raise RefusedError(ILLEGAL)
        self.put(numbers[0], **{names[key]: real(value) for key, value in pairs.items()})
        return None

    def _said(self, output: Output) -> str:
        levels = f"HLEV,{output.high_v:g}V,LLEV,{output.low_v:g}V"
        swing_v, middle_v = output.high_v - output.low_v, (output.high_v + output.low_v) / 2.0
        wave = f"WVTP,PULSE,FRQ,{output.frequency_hz:g}HZ,PERI,{1.0 / output.frequency_hz:g}S,AMP,{swing_v:g}V"
        return f"{wave},OFST,{middle_v:g}V,{levels},DUTY,{output.duty_pct:g}"
