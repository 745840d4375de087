"""Emulated oscilloscopes by themselves: what they understand, what they refuse, what their converter does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench_emulators.oscilloscope import Converter, Scope
from hilbench_emulators.oscilloscope_dialect import OscilloscopeDialect
from hilbench_emulators.oscilloscope_keysight import KeysightDsox
from hilbench_emulators.oscilloscope_rigol import RigolDho800, RigolDs1000z
from hilbench_emulators.oscilloscope_siglent import SiglentSds
from hilbench_emulators.oscilloscope_tektronix import TektronixTbs
from hilbench_emulators.scpi_tree import ILLEGAL, MISSING, OUT_OF_RANGE, UNDEFINED, RefusedError, choice, header, real
from tests.scopes import SCOPES, pilot

each_scope = pytest.mark.parametrize("kind", SCOPES)


def ask(scope: OscilloscopeDialect, line: str, t: float = 0.0) -> str:
    """The answer to one line, without its end."""
    return scope.receive(line, t).decode("latin-1").rstrip("\n")


@pytest.mark.parametrize(
    ("said", "fits"),
    [
        (":TIM:MAIN:SCAL", True),
        (":TIM:SCAL", True),
        ("TIMEBASE:SCALE", True),
        (":timebase:main:scale", True),
        (":TIMEB:SCAL", False),
        (":TIM:SCA", False),
        (":TIM:SCAL?", False),
    ],
)
def test_a_header_has_a_long_and_a_short_form(said: str, fits: bool) -> None:
    """Nothing between them, in any case, with or without the part that may be left out."""
    assert bool(header(":TIMebase[:MAIN]:SCALe").fullmatch(said)) == fits


def test_several_commands_in_a_line_go_on_from_the_node() -> None:
    """``:WAV:FORM BYTE;SOUR CHAN2`` is meant as ``:WAV:SOUR``; common commands change no node."""
    scope = RigolDs1000z({})
    assert ask(scope, ":CHAN2:SCAL 2;*OPC?;OFFS 3;SCAL?;OFFS?") == "1;2.000000E+00;3.000000E+00"
    assert ask(scope, ":SYST:ERR?") == '0,"No error"'


@each_scope
def test_what_is_unknown_gets_no_answer_but_an_entry_in_the_queue(kind: type[OscilloscopeDialect]) -> None:
    """As a real one: the client waits in vain, and the queue says why; *CLS empties it."""
    scope = kind({})
    assert scope.receive(":NONSENSE?", 0.0) == b""
    assert ask(scope, ":SYST:ERR?") == UNDEFINED
    assert ask(scope, ":SYST:ERR?") == '0,"No error"'
    scope.receive("BAD", 0.0)
    scope.receive("*CLS", 0.0)
    assert ask(scope, ":SYST:ERR?") == '0,"No error"'


def test_the_queue_keeps_the_last_twenty() -> None:
    """It does not grow without end."""
    scope = RigolDs1000z({})
    for _ in range(50):
        scope.receive("BAD", 0.0)
    assert [ask(scope, ":SYST:ERR?") for _ in range(21)].count(UNDEFINED) == 20


@pytest.mark.parametrize(
    ("kind", "line", "error"),
    [
        (RigolDs1000z, ":CHAN1:SCAL", MISSING),
        (RigolDs1000z, ":CHAN1:SCAL wide", ILLEGAL),
        (RigolDs1000z, ":CHAN1:SCAL 0", OUT_OF_RANGE),
        (RigolDs1000z, ":CHAN9:SCAL 1", OUT_OF_RANGE),
        (RigolDs1000z, ":ACQ:MDEP 12345", OUT_OF_RANGE),
        (RigolDs1000z, ":WAV:SOUR CHAN9", OUT_OF_RANGE),
        (RigolDs1000z, ":WAV:SOUR MATH", ILLEGAL),
        (RigolDs1000z, ":WAV:DATA?", OUT_OF_RANGE),
        (SiglentSds, "MSIZ 12K", OUT_OF_RANGE),
        (SiglentSds, "TRSE GLIT,SR,C1", ILLEGAL),
        (SiglentSds, "C1:WF? DAT2", OUT_OF_RANGE),
        (SiglentSds, "WFSU SP,x", ILLEGAL),
        (KeysightDsox, ":WAV:POIN 7", OUT_OF_RANGE),
        (KeysightDsox, ":WAV:DATA?", OUT_OF_RANGE),
        (TektronixTbs, "HOR:RECO 7", OUT_OF_RANGE),
        (TektronixTbs, "CURVE?", OUT_OF_RANGE),
        (TektronixTbs, "DAT:ENC ASC", ILLEGAL),
    ],
)
def test_what_it_cannot_do_goes_to_the_queue(kind: type[OscilloscopeDialect], line: str, error: str) -> None:
    """With the number of the standard's error, and no answer."""
    scope = kind({1: pilot})
    assert scope.receive(line, 0.0) == b""
    assert ask(scope, ":SYST:ERR?") == error


def test_tektronix_tells_events_after_the_register_was_read() -> None:
    """``ALLEV?`` before ``*ESR?`` only says that there is something new."""
    scope = TektronixTbs({})
    scope.receive("HEADER OFF", 0.0)
    scope.receive("BAD", 0.0)
    assert "new events pending" in ask(scope, "ALLEV?")
    assert ask(scope, "*ESR?") == "32"
    assert ask(scope, "ALLEV?") == '113,"Undefined header"'
    assert ask(scope, "*ESR?") == "0"
    assert "queue empty" in ask(scope, "ALLEV?")


def test_siglent_sends_headers_and_units_until_it_is_told_not_to() -> None:
    """CHDR SHORT is how it wakes up."""
    scope = SiglentSds({})
    assert ask(scope, "C1:VDIV?") == "C1:VDIV 1.000000E+00V"
    assert ask(scope, "TDIV?") == "TDIV 1.000000E-03S"
    scope.receive("CHDR OFF", 0.0)
    assert ask(scope, "C1:VDIV?") == "1.000000E+00"


def test_rigol_sends_no_more_than_its_limit() -> None:
    """A read of 300 000 points comes short at 250 000."""
    scope = RigolDs1000z({1: pilot})
    for line in (":CHAN1:DISP ON", ":CHAN1:SCAL 4", ":ACQ:MDEP 1200000", ":STOP", ":WAV:STAR 1", ":WAV:STOP 300000"):
        scope.receive(line, 10.0)
    assert scope.receive(":WAV:DATA?", 10.0)[:11] == b"#9000250000"


def test_the_whole_memory_is_read_only_when_it_is_stopped() -> None:
    """While it runs, there is nothing to read; and nothing of a channel that is off."""
    scope = RigolDs1000z({1: pilot})
    scope.receive(":RUN;:CHAN1:DISP ON", 1.0)
    assert scope.receive(":WAV:DATA?", 1.0) == b""
    scope.receive(":STOP", 1.0)
    assert scope.receive(":WAV:STAR 1;:WAV:STOP 1000", 1.0) == b""
    assert len(scope.receive(":WAV:DATA?", 1.0)) == 1000 + 12
    scope.receive(":CHAN1:DISP OFF", 1.0)
    assert scope.receive(":WAV:DATA?", 1.0) == b""


@pytest.mark.parametrize(
    ("form", "order", "unsigned", "kind", "code"),
    [
        ("WORD", "LSBF", "1", "<u2", 32_768 + 8_192),
        ("WORD", "MSBF", "1", ">u2", 32_768 + 8_192),
        ("WORD", "LSBF", "0", "<i2", 8_192),
        ("BYTE", "LSBF", "1", "u1", 160),
        ("BYTE", "LSBF", "0", "i1", 32),
    ],
)
def test_keysight_sends_codes_as_it_is_told(form: str, order: str, unsigned: str, kind: str, code: int) -> None:
    """1 V at 1 V per division is one division above the middle, in every form, and the preamble agrees."""
    scope = KeysightDsox({1: lambda _t, _dt, n: np.ones(n)})
    for line in (":CHAN1:DISP 1", ":STOP", f":WAV:FORM {form}", f":WAV:BYT {order}", f":WAV:UNS {unsigned}"):
        scope.receive(line, 1.0)
    data = scope.receive(":WAV:DATA?", 1.0)
    codes = np.frombuffer(data[10:-1], kind)
    assert set(codes.tolist()) == {code}
    fields = [float(field) for field in ask(scope, ":WAV:PRE?", 1.0).split(",")]
    assert (code - fields[9]) * fields[7] + fields[8] == pytest.approx(1.0)


@pytest.mark.parametrize("encoding", ["RIB", "RPB"])
@pytest.mark.parametrize("width", [1, 2])
def test_tektronix_sends_codes_as_it_is_told(encoding: str, width: int) -> None:
    """Signed or unsigned, one byte or two with the upper one first; the preamble agrees."""
    scope = TektronixTbs({1: lambda _t, _dt, n: np.ones(n)})
    for line in ("HEADER OFF", "SEL:CH1 ON", "CH1:POS -2", "ACQ:STATE OFF", f"DAT:ENC {encoding}", f"DAT:WID {width}"):
        scope.receive(line, 1.0)
    data = scope.receive("CURVE?", 1.0)
    codes = np.frombuffer(data[2 + int(data[1:2]) : -1], f">{'i' if encoding == 'RIB' else 'u'}{width}")
    gain, reference, zero = (float(ask(scope, f"WFMO:{name}?", 1.0)) for name in ("YMU", "YOF", "YZE"))
    assert (codes.astype(float) - reference) * gain + zero == pytest.approx(np.ones(1000))


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.sampled_from([SiglentSds, RigolDs1000z, RigolDho800])
)
def test_the_converter_stays_within_its_codes(volts: list[float], kind: type[OscilloscopeDialect]) -> None:
    """What is beyond the range is cut off, what is inside is right within half a step."""
    converter: Converter = kind.converter
    codes = converter.convert(np.array(volts), 1.0, 0.0)
    low = -converter.codes // 2 if converter.signed else 0
    assert low <= codes.min()
    assert codes.max() < low + converter.codes
    inside = np.abs(volts) < 4.0
    back = (codes - converter.middle) / converter.per_division
    assert np.abs(back - volts)[inside].max(initial=0.0) <= 0.5 * converter.step / converter.per_division + 1e-9


def test_a_single_acquisition_goes_through_its_states() -> None:
    """Fill the first half, wait for the edge, record the second half, stop."""
    scope = Scope({1: lambda t, dt, n: np.where(t + np.arange(n) * dt < 1.0, 0.0, 5.0)}, 10, Converter())
    scope.state.channels[1].on = True
    scope.state.trigger.level_v, scope.state.division_s = 2.5, 0.01
    assert scope.status(0.0) == "run"
    scope.arm(0.0)
    assert [scope.status(t) for t in (0.02, 0.5, 1.01, 1.06)] == ["fill", "wait", "triggered", "stop"]
    assert scope.state.trigger_at == pytest.approx(1.0, abs=1e-7)
    assert np.diff(scope.record(1)).nonzero()[0] == pytest.approx([499], abs=1)


def test_a_forced_trigger_waits_for_the_first_half() -> None:
    """Forced early, it triggers when the half before the trigger is full; forced twice, only once."""
    scope = Scope({}, 10, Converter())
    scope.arm(0.0)
    scope.force(0.001)
    assert scope.state.trigger_at == pytest.approx(0.005)
    scope.force(0.007)
    assert scope.state.trigger_at == pytest.approx(0.005)
    assert [scope.status(t) for t in (0.0099, 0.0101)] == ["triggered", "stop"]


def test_probes_are_asked_for_the_past_only() -> None:
    """An instrument cannot see what has not happened yet."""
    latest = [0.0]

    def probe(t0_s: float, dt_s: float, count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        latest[0] = max(latest[0], t0_s + (count - 1) * dt_s)
        return np.zeros(count)

    scope = Scope({1: probe}, 10, Converter())
    scope.state.channels[1].on = True
    scope.arm(0.0)
    for step in range(1, 40):
        t = step * 0.0007
        if step == 20:
            scope.force(t)
        scope.status(t)
        scope.record(1)
        assert latest[0] <= t


@settings(max_examples=200)
@given(st.sampled_from(SCOPES), st.lists(st.text(max_size=30), max_size=5))
def test_any_line_is_answered_or_not_but_breaks_nothing(kind: type[OscilloscopeDialect], lines: list[str]) -> None:
    """Whatever is sent, an answer ends with a line feed, and the identity is still there."""
    scope = kind({1: pilot})
    for line in lines:
        answer = scope.receive(line, 0.0)
        assert answer == b"" or answer.endswith(b"\n")
    assert ask(scope, "*IDN?").endswith(f"{kind.model},EMULATED,1.0")


def test_numbers_and_words_of_a_command() -> None:
    """Units and prefixes are taken, junk is refused with its error."""
    assert real("5.0V") == 5.0
    assert real("2mV") == pytest.approx(0.002)
    assert choice("POS", "POSitive", "NEGative") == "POSITIVE"
    for said, error in (("1..2", ILLEGAL), ("1e999", OUT_OF_RANGE), ("", MISSING), ("x", ILLEGAL)):
        with pytest.raises(RefusedError) as refused:
            real(said)
        assert str(refused.value) == error
