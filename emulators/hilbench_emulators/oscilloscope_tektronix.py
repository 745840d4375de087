"""Emulated Tektronix TBS2104B: headers until ``HEADER OFF``, events told by ``ALLEV?`` after ``*ESR?``."""

from __future__ import annotations

from hilbench_emulators.oscilloscope import Converter
from hilbench_emulators.oscilloscope_dialect import OscilloscopeDialect, block, volts
from hilbench_emulators.scpi_tree import OUT_OF_RANGE, Answer, RefusedError, choice, real, switch

_COMMAND_ERROR = 1 << 5


class TektronixTbs(OscilloscopeDialect):
    """TBS2104B: signed or unsigned bytes of 25 a division; words carry them in the upper byte, which goes first."""

    maker, model = "TEKTRONIX", "TBS2104B"
    divisions = 10
    converter = Converter(middle=0, signed=True)
    depths = (1_000, 2_000, 10_000, 20_000, 100_000, 1_000_000, 2_000_000, 5_000_000)

    def commands(self) -> None:
        """Add the commands of the dialect."""
        self.headers = True
        self.shown, self.signed, self.width, self.first, self.last = 1, True, 1, 1, 1_000
        self.told: list[str] = []
        self.tree.add("*ESR?", lambda _n, _a: self._events())
        self.tree.add("ALLEv?", lambda _n, _a: self._all_events())
        self.sets("HEADer", self._set_headers)
        self.sets("ACQuire:STOPAfter", lambda _n, a: choice(a, "SEQuence", "RUNSTop"))
        self.sets("ACQuire:STATE", self._set_state)
        self.tells("ACQuire:STATE", lambda _n: "0" if self.status() == "stop" else "1")
        self._channels()
        self._time_and_trigger()
        self._waveform()

    def _events(self) -> str:
        """Read and clear the event register, which lets the events of the queue be told."""
        self.told += self.tree.errors
        self.tree.errors.clear()
        return str(_COMMAND_ERROR if self.told else 0)

    def _all_events(self) -> str:
        told, self.told = self.told, []
        new = '1,"No events to report - new events pending *ESR?"'
        none = new if self.tree.errors else '0,"No events to report - queue empty"'
        return self.headed(":ALLEV", (), ",".join(event.lstrip("-") for event in told) or none)

    def _set_headers(self, _numbers: tuple[int, ...], said: str) -> None:
        self.headers = switch(said) or "stubborn-headers" in self.quirks

    def _set_state(self, _numbers: tuple[int, ...], said: str) -> None:
        (self.arm if choice(said, "ON", "RUN", "1", "OFF", "STOP", "0") in ("ON", "RUN", "1") else self.stop)()

    def _trigger(self, _numbers: tuple[int, ...], said: str) -> None:
        choice(said, "FORCe")
        self.force()

    def _channels(self) -> None:
        def set_scale(n: tuple[int, ...], a: str) -> None:
            channel = self.channel(n[0])
            position = channel.centre_v / channel.division_v
            channel.division_v = real(a, 1e-3, 1e4)
            channel.centre_v = position * channel.division_v

        def set_position(n: tuple[int, ...], a: str) -> None:
            channel = self.channel(n[0])
            channel.centre_v = -real(a, -50.0, 50.0) * channel.division_v

        self.sets("SELect:CH<n>", self.set_on)
        self.sets("CH<n>:COUPling", lambda _n, a: choice(a, "AC", "DC"))
        self.sets("CH<n>:PRObe:GAIN", self.set_probe)
        self.sets("CH<n>:SCAle", set_scale)
        self.sets("CH<n>:POSition", set_position)
        self.tells("CH<n>:SCAle", lambda n: volts(self.channel(n[0]).division_v))
        self.tells("CH<n>:POSition", lambda n: volts(self._position(n[0])))

    def _position(self, number: int) -> float:
        channel = self.channel(number)
        return -channel.centre_v / channel.division_v

    def _time_and_trigger(self) -> None:
        state = self.scope.state

        def set_scale(_n: tuple[int, ...], a: str) -> None:
            self.scope.state.division_s = real(a, 1e-9, 1e3)

        self.sets("HORizontal[:MAIN]:SCAle", set_scale)
        self.sets("HORizontal:RECOrdlength", lambda _n, a: self.set_points(int(real(a, 1))))
        self.sets("TRIGger", self._trigger)
        self.sets("TRIGger:A:TYPe", lambda _n, a: choice(a, "EDGe"))
        self.sets("TRIGger:A:EDGE:SOUrce", lambda _n, a: setattr(state.trigger, "source", self.source(a, "CH")))
        self.sets(
            "TRIGger:A:EDGE:SLOpe",
            lambda _n, a: setattr(state.trigger, "rising", choice(a, "RISe", "FALL") == "RISE"),
        )
        self.sets("TRIGger:A:LEVel", lambda _n, a: setattr(state.trigger, "level_v", real(a)))

    def _waveform(self) -> None:
        self.sets("DATa:SOUrce", lambda _n, a: setattr(self, "shown", self.source(a, "CH")))
        self.sets("DATa:ENCdg", lambda _n, a: setattr(self, "signed", choice(a, "RIBinary", "RPBinary")[1] == "I"))
        self.sets("DATa:WIDth", lambda _n, a: setattr(self, "width", int(real(a, 1, 2))))
        self.sets("DATa:STARt", lambda _n, a: setattr(self, "first", int(real(a, 1))))
        self.sets("DATa:STOP", lambda _n, a: setattr(self, "last", int(real(a, 1))))
        self.tells("WFMOutpre:NR_Pt", lambda _n: str(min(self.last, self.scope.state.points) - self.first + 1))
        self.tells("WFMOutpre:XINcr", lambda _n: volts(self._time()[0]))
        self.tells("WFMOutpre:XZEro", lambda _n: volts(self._time()[1]))
        self.tells("WFMOutpre:YMUlt", lambda _n: volts(self.channel(self.shown).division_v / self._per_division))
        self.tells("WFMOutpre:YOFf", lambda _n: volts(self._zero()))
        self.tells("WFMOutpre:YZEro", lambda _n: volts(0.0))
        self.tree.add("CURVe?", lambda _n, _a: self._curve())

    @property
    def _per_division(self) -> float:
        """Codes per division as they are sent."""
        return 25.0 * (256.0 if self.width == 2 else 1.0)

    def _time(self) -> tuple[float, float]:
        """Increment and time of the first sample [s]; with the quirk they have changed places."""
        increment_s, zero_s = self.scope.dt_s, -self.scope.span_s / 2.0
        return (zero_s, increment_s) if "swapped-preamble" in self.quirks else (increment_s, zero_s)

    def _zero(self) -> float:
        """The code of 0 V where the trace is moved by nothing but its position."""
        unsigned = 0.0 if self.signed else 128.0 * self._per_division / 25.0
        return self._position(self.shown) * self._per_division + unsigned

    def _curve(self) -> Answer:
        codes = self.scope.record(self.shown)
        if not len(codes):
            raise RefusedError(OUT_OF_RANGE)
        chosen = codes[self.first - 1 : self.last] + (0 if self.signed else 128)
        kind = f">{'i' if self.signed else 'u'}{self.width}"
        data = block(chosen * (256 if self.width == 2 else 1), kind, len(str(len(chosen) * self.width)))
        return (b":CURVE " if self.headers else b"") + data
