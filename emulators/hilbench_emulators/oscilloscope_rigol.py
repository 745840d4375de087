"""Emulated Rigol oscilloscopes: DS1000Z (8 bits) and DHO800 (12 bits in words)."""

from __future__ import annotations

from hilbench_emulators.oscilloscope import Converter
from hilbench_emulators.oscilloscope_dialect import OscilloscopeDialect, block, volts
from hilbench_emulators.scpi_tree import OUT_OF_RANGE, Answer, RefusedError, choice, real

_STATUS = {"stop": "STOP", "wait": "WAIT", "fill": "RUN", "run": "RUN", "triggered": "TD"}
_KINDS = {"BYTE": ("u1", 0), "WORD": ("<u2", 1)}
"""Numpy type of a code, and the first field of the preamble."""


class RigolDs1000z(OscilloscopeDialect):
    """DS1104Z: 12 divisions, and 250 000 points in one read at most; longer reads come short (read-code)."""

    maker, model = "RIGOL TECHNOLOGIES", "DS1104Z"
    divisions = 12
    converter = Converter()
    depths: tuple[int, ...] = (12_000, 120_000, 1_200_000, 12_000_000, 24_000_000)
    read_limit = 250_000

    def commands(self) -> None:
        """Add the commands of the dialect."""
        self.form, self.shown, self.first, self.last = "BYTE", 1, 1, 1200
        for pattern, act in ((":RUN", self.run), (":STOP", self.stop), (":SINGle", self.arm), (":TFORce", self.force)):
            self.sets(pattern, act)
        self._channels()
        self._time_and_trigger()
        self._waveform()

    def _channels(self) -> None:
        def set_scale(n: tuple[int, ...], a: str) -> None:
            self.channel(n[0]).division_v = real(a, 1e-3, 1e4)

        def set_offset(n: tuple[int, ...], a: str) -> None:
            self.channel(n[0]).centre_v = -real(a, -1e4, 1e4)

        self.sets(":CHANnel<n>:DISPlay", self.set_on)
        self.sets(":CHANnel<n>:COUPling", lambda _n, a: choice(a, "AC", "DC", "GND"))
        self.sets(":CHANnel<n>:PROBe", self.set_probe)
        self.sets(":CHANnel<n>:SCALe", set_scale)
        self.sets(":CHANnel<n>:OFFSet", set_offset)
        self.tells(":CHANnel<n>:SCALe", lambda n: volts(self.channel(n[0]).division_v))
        self.tells(":CHANnel<n>:OFFSet", lambda n: volts(-self.channel(n[0]).centre_v))

    def _time_and_trigger(self) -> None:
        state = self.scope.state

        def set_scale(_n: tuple[int, ...], a: str) -> None:
            self.scope.state.division_s = real(a, 1e-9, 1e3)

        def set_depth(_n: tuple[int, ...], a: str) -> None:
            self.set_points(int(real(a)))

        self.sets(":TIMebase[:MAIN]:SCALe", set_scale)
        self.sets(":TIMebase[:MAIN]:OFFSet", lambda _n, a: real(a, 0.0, 0.0))
        self.sets(":ACQuire:MDEPth", set_depth)
        self.tells(":ACQuire:MDEPth", lambda _n: str(self.scope.state.points))
        self.tells(":ACQuire:SRATe", lambda _n: volts(1.0 / self.scope.dt_s))
        self.sets(":TRIGger:MODE", lambda _n, a: choice(a, "EDGE"))
        self.sets(":TRIGger:EDGe:SOURce", lambda _n, a: setattr(state.trigger, "source", self.source(a, "CHAN")))
        self.sets(
            ":TRIGger:EDGe:SLOPe",
            lambda _n, a: setattr(state.trigger, "rising", choice(a, "POSitive", "NEGative") == "POSITIVE"),
        )
        self.sets(":TRIGger:EDGe:LEVel", lambda _n, a: setattr(state.trigger, "level_v", real(a)))
        self.tells(":TRIGger:STATus", lambda _n: _STATUS[self.status()])

    def _waveform(self) -> None:
        self.sets(":WAVeform:SOURce", lambda _n, a: setattr(self, "shown", self.source(a, "CHAN")))
        self.sets(":WAVeform:MODE", lambda _n, a: choice(a, "RAW", "NORMal"))
        self.sets(":WAVeform:FORMat", lambda _n, a: setattr(self, "form", choice(a, *_KINDS)))
        self.sets(":WAVeform:STARt", lambda _n, a: setattr(self, "first", int(real(a, 1))))
        self.sets(":WAVeform:STOP", lambda _n, a: setattr(self, "last", int(real(a, 1))))
        self.tells(":WAVeform:PREamble", lambda _n: self._preamble())
        self.tree.add(":WAVeform:DATA?", lambda _n, _a: self._data())

    def _preamble(self) -> str:
        """Ten fields: format, type, points, count, then increment, origin and reference of time and of volts."""
        channel, kind = self.channel(self.shown), self.converter
        increment_v = channel.division_v / kind.per_division
        time = [volts(self.scope.dt_s), volts(-self.scope.span_s / 2.0), "0"]
        codes = [volts(increment_v), f"{-channel.centre_v / increment_v:.4f}", str(kind.middle)]
        if "swapped-preamble" in self.quirks:
            time[:2], codes[:2] = time[1::-1], codes[1::-1]
        return ",".join([str(_KINDS[self.form][1]), "2", str(self.last - self.first + 1), "1", *time, *codes])

    def _data(self) -> Answer:
        codes = self.scope.record(self.shown)
        if not len(codes) or self.last > len(codes):
            raise RefusedError(OUT_OF_RANGE)
        last = min(self.last, self.first - 1 + self.read_limit)
        return block(codes[self.first - 1 : last], _KINDS[self.form][0])


class RigolDho800(RigolDs1000z):
    """DHO804: 10 divisions, 12 bits in the upper part of words of 16 [places of the bits chosen]."""

    model = "DHO804"
    divisions = 10
    converter = Converter(codes=65_536, per_division=6_400.0, middle=32_768, step=16)
    depths: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000, 10_000_000, 25_000_000)
    read_limit = 1 << 24
