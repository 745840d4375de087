"""Emulated Keysight DSO-X 2024A: words of 16 bits from an 8-bit converter, ten fields of preamble."""

from __future__ import annotations

from hilbench_emulators.oscilloscope import Converter
from hilbench_emulators.oscilloscope_dialect import OscilloscopeDialect, block, volts
from hilbench_emulators.scpi_tree import OUT_OF_RANGE, Answer, RefusedError, choice, real, switch

_RUNNING, _WAITING = 1 << 3, 1 << 5


class KeysightDsox(OscilloscopeDialect):
    """DSO-X 2024A: 10 divisions across, the converter spans the 8 divisions of the screen."""

    maker, model = "KEYSIGHT TECHNOLOGIES", "DSO-X 2024A"
    divisions = 10
    converter = Converter(codes=65_536, per_division=8_192.0, middle=32_768, step=256)
    depths = (1_000, 10_000, 100_000, 500_000, 1_000_000, 2_000_000, 4_000_000)

    def commands(self) -> None:
        """Add the commands of the dialect."""
        self.form, self.shown, self.little, self.unsigned = "BYTE", 1, False, True
        self.sets(":ACQuire:TYPE", lambda _n, a: choice(a, "NORMal"))
        for pattern, act in (
            (":RUN", self.run),
            (":STOP", self.stop),
            (":SINGle", self.arm),
            (":TRIGger:FORCe", self.force),
        ):
            self.sets(pattern, act)
        self._channels()
        self._time_and_trigger()
        self._waveform()

    def _channels(self) -> None:
        def set_range(n: tuple[int, ...], a: str) -> None:
            self.channel(n[0]).division_v = real(a, 8e-3, 4e4) / 8.0

        def set_offset(n: tuple[int, ...], a: str) -> None:
            self.channel(n[0]).centre_v = real(a, -1e4, 1e4)

        self.sets(":CHANnel<n>:DISPlay", self.set_on)
        self.sets(":CHANnel<n>:COUPling", lambda _n, a: choice(a, "AC", "DC"))
        self.sets(":CHANnel<n>:PROBe", self.set_probe)
        self.sets(":CHANnel<n>:RANGe", set_range)
        self.sets(":CHANnel<n>:OFFSet", set_offset)
        self.tells(":CHANnel<n>:RANGe", lambda n: volts(self.channel(n[0]).division_v * 8.0))
        self.tells(":CHANnel<n>:OFFSet", lambda n: volts(self.channel(n[0]).centre_v))

    def _time_and_trigger(self) -> None:
        state = self.scope.state

        def set_range(_n: tuple[int, ...], a: str) -> None:
            self.scope.state.division_s = real(a, 1e-8, 1e4) / self.divisions

        self.sets(":TIMebase:RANGe", set_range)
        self.sets(":TIMebase:REFerence", lambda _n, a: choice(a, "CENTer"))
        self.sets(":TIMebase:POSition", lambda _n, a: real(a, 0.0, 0.0))
        self.sets(":TRIGger:MODE", lambda _n, a: choice(a, "EDGE"))
        self.sets(":TRIGger:EDGE:SOURce", lambda _n, a: setattr(state.trigger, "source", self.source(a, "CHAN")))
        self.sets(
            ":TRIGger:EDGE:SLOPe",
            lambda _n, a: setattr(state.trigger, "rising", choice(a, "POSitive", "NEGative") == "POSITIVE"),
        )
        self.sets(":TRIGger:EDGE:LEVel", lambda _n, a: setattr(state.trigger, "level_v", real(a)))
        self.tells(":OPERegister:CONDition", lambda _n: str(self._condition()))

    def _condition(self) -> int:
        status = self.status()
        return (_RUNNING if status != "stop" else 0) | (_WAITING if status == "wait" else 0)

    def _waveform(self) -> None:
        def set_points(_n: tuple[int, ...], a: str) -> None:
            self.set_points(int(real(a, 1)))

        self.sets(":WAVeform:SOURce", lambda _n, a: setattr(self, "shown", self.source(a, "CHAN")))
        self.sets(":WAVeform:FORMat", lambda _n, a: setattr(self, "form", choice(a, "BYTE", "WORD")))
        self.sets(
            ":WAVeform:BYTeorder", lambda _n, a: setattr(self, "little", choice(a, "LSBFirst", "MSBFirst")[0] == "L")
        )
        self.sets(":WAVeform:UNSigned", lambda _n, a: setattr(self, "unsigned", switch(a)))
        self.sets(":WAVeform:POINts:MODE", lambda _n, a: choice(a, "RAW", "NORMal", "MAXimum"))
        self.sets(":WAVeform:POINts", set_points)
        self.tells(":WAVeform:PREamble", lambda _n: self._preamble())
        self.tree.add(":WAVeform:DATA?", lambda _n, _a: self._data())

    def _preamble(self) -> str:
        channel, words = self.channel(self.shown), self.form == "WORD"
        increment_v = channel.division_v / (8_192.0 if words else 32.0)
        reference = (32_768 if words else 128) if self.unsigned else 0
        time = [volts(self.scope.dt_s), volts(-self.scope.span_s / 2.0), "0"]
        codes = [volts(increment_v), volts(channel.centre_v), str(reference)]
        if "swapped-preamble" in self.quirks:
            time[:2], codes[:2] = time[1::-1], codes[1::-1]
        return ",".join(["1" if words else "0", "0", str(self.scope.state.points), "1", *time, *codes])

    def _data(self) -> Answer:
        codes = self.scope.record(self.shown)
        if not len(codes):
            raise RefusedError(OUT_OF_RANGE)
        shifted = codes - (0 if self.unsigned else self.converter.middle)
        sign, order = "u" if self.unsigned else "i", "<" if self.little else ">"
        if self.form == "WORD":
            return block(shifted, f"{order}{sign}2", 8)
        return block(shifted // 256, f"{sign}1", 8)
