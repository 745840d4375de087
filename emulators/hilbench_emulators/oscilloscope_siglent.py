"""Emulated Siglent SDS1104X-E: headers in answers until ``CHDR OFF``, and a prefix before every block."""

from __future__ import annotations

import re

from hilbench_emulators.oscilloscope import Converter
from hilbench_emulators.oscilloscope_dialect import OscilloscopeDialect, block
from hilbench_emulators.scpi_tree import ILLEGAL, OUT_OF_RANGE, Answer, RefusedError, choice, real

_STATUS = {"stop": "Stop", "wait": "Ready", "fill": "Arm", "run": "Auto", "triggered": "Trig'd"}
_SIZES = {"7K": 7_000, "70K": 70_000, "700K": 700_000, "7M": 7_000_000}


class SiglentSds(OscilloscopeDialect):
    """SDS1104X-E: signed bytes of 25 a division, 14 divisions."""

    maker, model = "Siglent Technologies", "SDS1104X-E"
    divisions = 14
    converter = Converter(middle=0, signed=True)
    depths = tuple(_SIZES.values())

    def commands(self) -> None:
        """Add the commands of the dialect."""
        self.headers = True
        self.sparing, self.count, self.first = 1, 0, 0
        self.sets("CHDR", self._set_headers)
        self.sets("TRMD", self._set_mode)
        self.sets("ARM", self.arm)
        self.sets("STOP", self.stop)
        self.sets("FRTR", self.force)
        self.tells("SAST", lambda _n: _STATUS[self.status()])
        self._channels()
        self._time_and_trigger()
        self.sets("WFSU", lambda _n, a: self._set_transfer(a))
        self.tree.add("C<n>:WF?", self._data)

    def _set_headers(self, _numbers: tuple[int, ...], said: str) -> None:
        wanted = choice(said, "OFF", "SHORT", "LONG") != "OFF"
        self.headers = wanted or "stubborn-headers" in self.quirks

    def _set_mode(self, _numbers: tuple[int, ...], said: str) -> None:
        mode = choice(said, "AUTO", "NORM", "SINGLE", "STOP")
        {"SINGLE": self.arm, "STOP": self.stop}.get(mode, self.run)()

    def _channels(self) -> None:
        def set_scale(n: tuple[int, ...], a: str) -> None:
            self.channel(n[0]).division_v = real(a, 1e-3, 1e4)

        def set_offset(n: tuple[int, ...], a: str) -> None:
            self.channel(n[0]).centre_v = -real(a, -1e4, 1e4)

        self.sets("C<n>:TRA", self.set_on)
        self.sets("C<n>:CPL", lambda _n, a: choice(a, "D1M", "A1M", "GND"))
        self.sets("C<n>:ATTN", self.set_probe)
        self.sets("C<n>:VDIV", set_scale)
        self.sets("C<n>:OFST", set_offset)
        self.tells("C<n>:VDIV", lambda n: self._with_unit(self.channel(n[0]).division_v, "V"))
        self.tells("C<n>:OFST", lambda n: self._with_unit(-self.channel(n[0]).centre_v, "V"))

    def _time_and_trigger(self) -> None:
        state = self.scope.state

        def set_scale(_n: tuple[int, ...], a: str) -> None:
            self.scope.state.division_s = real(a, 1e-9, 1e3)

        self.sets("TDIV", set_scale)
        self.sets("TRDL", lambda _n, a: real(a, 0.0, 0.0))
        self.sets("MSIZ", lambda _n, a: self.set_points(_SIZES.get(a.upper(), 0)))
        self.sets("TRSE", lambda _n, a: self._set_source(a))
        self.sets("C<n>:TRLV", lambda _n, a: setattr(state.trigger, "level_v", real(a)))
        self.sets("C<n>:TRSL", lambda _n, a: setattr(state.trigger, "rising", choice(a, "POS", "NEG") == "POS"))
        self.tells("TDIV", lambda _n: self._with_unit(self.scope.state.division_s, "S"))
        self.tells("SARA", lambda _n: self._with_unit(1.0 / self.scope.dt_s, "Sa/s"))
        self.tree.add("SANU?", lambda _n, a: self._samples(a))

    def _with_unit(self, value: float, unit: str) -> str:
        """Units go with the header; the swapped preamble of this maker is a rate with a time's exponent."""
        if "swapped-preamble" in self.quirks and unit == "Sa/s":
            value = 1.0 / value
        return f"{value:.6E}{unit if self.headers else ''}"

    def _set_source(self, said: str) -> None:
        fields = said.split(",")
        if fields[:2] != ["EDGE", "SR"] or not fields[2:]:
            raise RefusedError(ILLEGAL)
        self.scope.state.trigger.source = self.source(fields[2], "C")

    def _samples(self, said: str) -> str:
        self.source(said, "C")
        points = self.scope.state.points
        size = f"{points / 1e6:g}M" if points >= 1_000_000 else f"{points / 1e3:g}K"
        return self.headed("SANU", (), f"{size}pts")

    def _set_transfer(self, said: str) -> None:
        """``SP,1,NP,<count>,FP,<first>``; a count of 0 is all."""
        fields = said.split(",")
        pairs = dict(zip(fields[::2], fields[1::2], strict=False))
        if not pairs.keys() <= {"SP", "NP", "FP"} or not all(
            re.fullmatch("[0-9]{1,12}", value) for value in pairs.values()
        ):
            raise RefusedError(ILLEGAL)
        self.sparing, self.count, self.first = (int(pairs.get(key, "0")) for key in ("SP", "NP", "FP"))

    def _data(self, numbers: tuple[int, ...], said: str) -> Answer:
        choice(said, "DAT2")
        self.channel(numbers[0])
        codes = self.scope.record(numbers[0])
        if not len(codes) or self.first + self.count > len(codes):
            raise RefusedError(OUT_OF_RANGE)
        chosen = codes[self.first : self.first + self.count if self.count else None : max(self.sparing, 1)]
        return self.headed("C<n>:WF", numbers, "DAT2,").encode() + block(chosen, "i1")
