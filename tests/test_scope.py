"""Oscilloscopes of four dialects over PyVISA sockets and in virtual time, with the bad habits of real ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hilbench import clock
from hilbench.drivers.scope import DIALECTS, Acquisition, Channel, Oscilloscope, Setup, Trigger, dialect_of
from hilbench.drivers.scope_dialect import Plan, Scale, ceiling_125
from hilbench.drivers.scope_rigol import Rigol
from hilbench.drivers.scpi import Identity
from hilbench.drivers.scpi_reply import ReplyError
from hilbench.errors import ClockError, DeviceError, InputError
from hilbench.waveform import Accuracy
from hilbench_emulators.function_generator import RigolDg800
from hilbench_emulators.oscilloscope_dialect import QUIRKS, OscilloscopeDialect
from hilbench_emulators.oscilloscope_keysight import KeysightDsox
from hilbench_emulators.oscilloscope_rigol import RigolDho800, RigolDs1000z
from hilbench_emulators.oscilloscope_siglent import SiglentSds
from hilbench_emulators.oscilloscope_tektronix import TektronixTbs
from hilbench_emulators.scpi_server import Habits, ScpiServer
from tests.scopes import DUTY, HIGH_V, LOW_V, PILOT, SCOPES, WAYS, looking, pilot, served, with_scope

Kind = type[OscilloscopeDialect]
each_scope = pytest.mark.parametrize("kind", SCOPES)
each_way = pytest.mark.parametrize("way", WAYS)
SHORT_S = 0.2


async def record(device: Oscilloscope, setup: Setup = PILOT) -> Acquisition:
    """Settings and one acquisition."""
    await device.set_up(setup)
    return await device.single()


async def pilot_record(device: Oscilloscope, _server: ScpiServer) -> Acquisition:
    """One acquisition of the pilot."""
    return await record(device)


def is_the_pilot(taken: Acquisition, channel: int = 1) -> bool:
    """Levels within a step of the converter, the rising edge in the middle, the duty within two samples a period."""
    wave = taken.records[channel]
    middle = len(wave.values) // 2
    levels = abs(wave.values.max() - HIGH_V) <= wave.lsb and abs(wave.values.min() - LOW_V) <= wave.lsb
    edge = wave.values[middle - 3] < 0.0 < wave.values[middle + 3]
    return bool(levels and edge and abs((wave.values > 0.0).mean() - DUTY) < 0.003)


def near(values: NDArray[np.floating], wanted: Any, within: float) -> bool:
    """Whether every value is."""
    return bool(np.abs(values - wanted).max() <= within)


# -- what is taken


@each_scope
@each_way
def test_a_record_is_what_the_probe_shows(kind: Kind, way: str) -> None:
    """Volts, time base and trigger are right in every dialect, over PyVISA and in virtual time."""
    taken: Acquisition = with_scope(kind({1: pilot}), way, pilot_record)
    wave = taken.records[1]
    assert is_the_pilot(taken)
    assert wave.dt_s <= 1.0e-6 * (1 + 1e-9)
    assert wave.t0_s == pytest.approx(-wave.duration_s / 2.0)
    assert wave.duration_s >= PILOT.duration_s * (1 - 1e-9)
    assert kind.model in wave.source
    assert taken.done_s - taken.armed_s >= PILOT.duration_s


@pytest.mark.parametrize("kind", [RigolDs1000z, SiglentSds, TektronixTbs])
def test_a_step_of_eight_bits_is_a_25th_of_a_division(kind: Kind) -> None:
    """30 V over 8 divisions are 0.15 V a code, as the families with 25 codes a division have it."""
    assert with_scope(kind({1: pilot}), "memory", pilot_record).records[1].lsb == pytest.approx(0.15)


def test_words_carry_the_step_of_the_converter() -> None:
    """12 bits in words are 16 codes apart, 8 bits 256: the step is the converter's, not the word's."""
    assert with_scope(RigolDho800({1: pilot}), "memory", pilot_record).records[1].lsb == pytest.approx(0.009375)
    assert with_scope(KeysightDsox({1: pilot}), "memory", pilot_record).records[1].lsb == pytest.approx(30 / 256)


@each_scope
def test_a_channel_that_is_off_centre_is_scaled_right(kind: Kind) -> None:
    """The sign of the offset, over which published drivers disagree: 20 V to 30 V show 25 V as 25 V."""

    async def body(device: Oscilloscope, _server: ScpiServer) -> Acquisition:
        return await record(device, Setup({2: Channel(20.0, 30.0)}, 1e-3, 1e6))

    values = with_scope(kind({2: lambda _t, _dt, n: np.full(n, 24.0)}), "memory", body).records[2].values
    assert near(values, 24.0, 0.06)


@each_scope
def test_two_channels_come_from_the_same_instant(kind: Kind) -> None:
    """Pilot and its inverse, at half the scale, mirror each other sample by sample."""

    async def body(device: Oscilloscope, _server: ScpiServer) -> Acquisition:
        return await record(device, Setup({1: Channel(-15, 15), 3: Channel(-7.5, 7.5)}, 0.01, 1e6, Trigger(1, 0.0)))

    taken = with_scope(kind({1: pilot, 3: lambda t, dt, n: -0.5 * pilot(t, dt, n)}), "memory", body)
    assert is_the_pilot(taken)
    assert near(taken.records[3].values, -0.5 * taken.records[1].values, 0.15)


@each_scope
def test_a_long_record_comes_whole(kind: Kind) -> None:
    """5 s at 100 kS/s, in as many reads as the dialect needs, without a gap."""

    async def body(device: Oscilloscope, _server: ScpiServer) -> Acquisition:
        return await record(device, Setup({1: Channel(-15, 15)}, 5.0, 1e5))

    wave = with_scope(kind({1: lambda _t, _dt, n: (np.arange(n) % 1000) / 100.0}), "memory", body).records[1]
    assert len(wave.values) >= 500_000
    assert near(wave.values, (np.arange(len(wave.values)) % 1000) / 100.0, 0.6 * wave.lsb)


def test_rigol_is_read_250_000_points_at_a_time() -> None:
    """1.2 million points are five reads: more in one come short."""
    asked: list[str] = []

    class Listening(RigolDs1000z):
        def receive(self, line: str, t: float) -> bytes:
            asked.append(line)
            return super().receive(line, t)

    async def body(device: Oscilloscope, _server: ScpiServer) -> Acquisition:
        return await record(device, Setup({1: Channel(-15, 15)}, 1.2, 1e6))

    taken = with_scope(Listening({1: pilot}), "memory", body)
    assert len(taken.records[1].values) == 1_200_000
    assert asked.count(":WAV:DATA?") == 5
    assert ":WAV:STAR 250001" in asked
    assert ":WAV:STOP 1200000" in asked


@each_scope
def test_the_trigger_waits_for_its_edge(kind: Kind) -> None:
    """A step 0.3 s after arming stands in the middle of the record."""

    def step(t0_s: float, dt_s: float, count: int) -> Any:
        return np.where(t0_s + np.arange(count) * dt_s < 0.3, 9.0, 6.0)

    async def body(device: Oscilloscope, _server: ScpiServer) -> Acquisition:
        await device.set_up(Setup({1: Channel(0, 12)}, 0.01, 1e6, Trigger(1, 7.5, rising=False)))
        return await device.single(wait_s=1.0)

    taken = with_scope(kind({1: step}), "memory", body)
    values = taken.records[1].values
    middle = len(values) // 2
    assert near(values[: middle - 2], 9.0, 0.1)
    assert near(values[middle + 2 :], 6.0, 0.1)
    assert taken.done_s > 0.3


@each_scope
def test_a_trigger_that_never_comes_is_an_error_and_no_end(kind: Kind) -> None:
    """It says so after the wait, ends the acquisition, and the next one works."""

    async def body(device: Oscilloscope, _server: ScpiServer) -> Acquisition:
        await device.set_up(Setup({1: Channel(-15, 15)}, 0.01, 1e6, Trigger(1, 14.0)))
        began = clock.time()
        with pytest.raises(
            DeviceError, match=r"no complete record 2 s after its span \(check probe and trigger level\)"
        ):
            await device.single(wait_s=2.0)
        assert 2.0 < clock.time() - began < 2.2
        return await record(device)

    assert is_the_pilot(with_scope(kind({1: pilot}), "memory", body))


def test_a_calibration_takes_the_place_of_the_familys_promise() -> None:
    """Accuracy goes into the record: the family's limits by default, those of a certificate where there is one."""

    async def body(accuracy: Accuracy | None) -> Accuracy:
        async with served(RigolDs1000z({1: pilot}), "memory") as (_server, address):
            device = Oscilloscope("scope", address, accuracy=accuracy)
            await device.start()
            taken = await record(device)
            await device.stop()
            return taken.records[1].accuracy

    own = Accuracy(gain=0.001, offset=0.002, clock=1e-6)
    assert clock.run(body(own)) == own
    promised = clock.run(body(None))
    assert promised.gain == pytest.approx(0.03 / 3**0.5)
    assert promised.clock == pytest.approx(25e-6 / 3**0.5)


# -- habits


@each_scope
@each_way
@pytest.mark.parametrize("piece", [1, 2, 3, 7, 4096])
def test_replies_may_be_split_at_any_byte(kind: Kind, way: str, piece: int) -> None:
    """Sent in pieces of so many bytes, a record is the same."""
    setup = Setup({1: Channel(-15.0, 15.0)}, 1e-3, 1e5)

    async def body(device: Oscilloscope, _server: ScpiServer) -> Acquisition:
        return await record(device, setup)

    values = with_scope(kind({1: pilot}), way, body, Habits(piece=piece)).records[1].values
    assert {round(float(value)) for value in values} == {6, -12}


@each_scope
@pytest.mark.parametrize("quirk", ["headers", "stubborn-headers", "no-error-queue", "two-line-feeds"])
def test_harmless_quirks_change_nothing(kind: Kind, quirk: str) -> None:
    """Headers that stay, no error queue, a line feed too many: the record is right all the same."""
    assert is_the_pilot(with_scope(kind({1: pilot}, frozenset({quirk})), "memory", pilot_record))


@each_scope
@each_way
def test_a_preamble_in_the_wrong_order_is_refused(kind: Kind, way: str) -> None:
    """Increment and origin exchanged would give wrong volts or times: a device error says what does not fit."""
    with pytest.raises(DeviceError, match=r"scope \(.*\) at .*: .*(points of|samples/s).*check that it is the right"):
        with_scope(kind({1: pilot}, frozenset({"swapped-preamble"})), way, pilot_record)


def test_every_quirk_is_known_and_sourced() -> None:
    """A quirk says what it is and where it is from; a name that is none is refused."""
    assert all(quirk.what and quirk.source for quirk in QUIRKS.values())
    with pytest.raises(ValueError, match="no quirk slow; there are headers"):
        RigolDs1000z({}, frozenset({"slow"}))


@each_way
def test_slow_replies_are_waited_for(way: str) -> None:
    """Answers that take half the time-out are no errors."""
    habits = Habits(reply_delay_s=0.05)
    assert is_the_pilot(with_scope(KeysightDsox({1: pilot}), way, pilot_record, habits, timeout_s=0.4))


@each_scope
@each_way
def test_it_is_in_step_again_after_a_time_out(kind: Kind, way: str) -> None:
    """An answer that comes too late is an error once, and is not taken for the next one."""

    async def body(device: Oscilloscope, server: ScpiServer) -> Acquisition:
        await device.set_up(PILOT)
        server.habits.reply_delay_s = 1.5 * SHORT_S
        with pytest.raises(DeviceError, match=r"no complete answer in time"):
            await device.link.ask("*OPC?")
        server.habits.reply_delay_s = 0.0
        return await device.single()

    assert is_the_pilot(with_scope(kind({1: pilot}), way, body, timeout_s=SHORT_S))


@pytest.mark.parametrize(("kind", "way"), [*((kind, "memory") for kind in SCOPES), (SiglentSds, "visa")])
@pytest.mark.parametrize("how", ["silent_after", "close_after"])
def test_an_instrument_that_dies_within_a_record_is_an_error(kind: Kind, way: str, how: str) -> None:
    """Whichever answer is its last: a device error in bounded time, and a new connection when it is back."""

    async def body(device: Oscilloscope, server: ScpiServer) -> list[str]:
        await device.set_up(PILOT)
        said = []
        for answers in (0, 2, 5):
            setattr(server.habits, how, answers)
            try:
                await device.single()
            except DeviceError as error:
                said.append(str(error))
            setattr(server.habits, how, None)
            assert is_the_pilot(await record(device))
        return said

    said = with_scope(kind({1: pilot}), way, body, timeout_s=0.1)
    assert said
    assert all(text.startswith("instrument scope (") for text in said)


def test_a_question_without_an_answer_is_bounded() -> None:
    """A dead instrument holds a question five time-outs at most, in the bench's own time."""

    async def body(device: Oscilloscope, server: ScpiServer) -> float:
        server.habits.silent_after = 0
        began = clock.time()
        with pytest.raises(DeviceError, match=r"no complete answer in time; it does not answer any more"):
            await device.link.ask(":WAV:PRE?")
        return clock.time() - began

    assert with_scope(RigolDs1000z({1: pilot}), "memory", body) <= 5 * 2.0 + 0.1


@each_scope
@each_way
def test_what_it_does_not_know_is_reported(kind: Kind, way: str) -> None:
    """The error queue is read after commands, and after a question that is never answered."""

    async def body(device: Oscilloscope, _server: ScpiServer) -> list[str]:
        said = []
        for call in (device.link.tell(":NONSENSE 1"), device.link.ask(":NONSENSE?")):
            with pytest.raises(DeviceError) as caught:
                await call
            said.append(str(caught.value))
        assert await device.link.errors() == []
        return said

    told, asked = with_scope(kind({1: pilot}), way, body, timeout_s=SHORT_S)
    assert ":NONSENSE 1: " in told
    assert "Undefined header" in told
    assert "its error queue says" in asked
    assert "Undefined header" in asked


@each_scope
def test_settings_that_it_refuses_are_an_error(kind: Kind) -> None:
    """100 kV a division is out of range for every one of them."""

    async def body(device: Oscilloscope, _server: ScpiServer) -> None:
        await device.set_up(Setup({1: Channel(-500_000, 500_000)}, 0.01, 1e6))

    with pytest.raises(DeviceError, match=r"the settings: .*222"):
        with_scope(kind({1: pilot}), "memory", body)


def test_a_setting_that_does_not_stick_is_an_error() -> None:
    """A command that is lost would leave the wrong volts per division: what is read back tells."""

    class Deaf(RigolDs1000z):
        def receive(self, line: str, t: float) -> bytes:
            return b"" if ":SCAL 3.75" in line else super().receive(line, t)

    with pytest.raises(DeviceError, match=r":CHAN1:SCAL\?: shows 8 V from bottom to top, 30 V were asked for"):
        with_scope(Deaf({1: pilot}), "memory", pilot_record)


def test_a_read_that_comes_short_is_an_error() -> None:
    """An instrument with a lower limit than its family's sends fewer points than asked for."""

    class Short(RigolDs1000z):
        read_limit = 10_000

    with pytest.raises(DeviceError, match=r":WAV:DATA\?: a block of 10000 bytes, 12000 asked for"):
        with_scope(Short({1: pilot}), "memory", pilot_record)


@each_way
def test_a_block_of_line_feeds_comes_whole(way: str) -> None:
    """A million bytes, every one the terminator: read by length, whatever chunks the socket makes of them."""

    class Feeds(RigolDs1000z):
        def receive(self, line: str, t: float) -> bytes:
            return b"#71000000" + b"\n" * 1_000_001 if line == "FEEDS?" else super().receive(line, t)

    async def body(device: Oscilloscope, _server: ScpiServer) -> bytes:
        data = bytes(await device.link.ask_block("FEEDS?", 1_000_000))
        assert await device.link.ask("*OPC?") == "1"
        return data

    assert with_scope(Feeds({}), way, body) == b"\n" * 1_000_000


# -- opening


@each_way
def test_nobody_there_is_a_device_error(way: str) -> None:
    """PyVISA opens a socket where nobody listens: the question for the identity tells."""

    async def body() -> None:
        async with served(RigolDs1000z({}), way) as (_server, address):
            pass
        async with looking(address, SHORT_S):
            pass

    with pytest.raises(DeviceError, match=r"instrument scope at .*: \*IDN\?: .*check power, network, address and port"):
        clock.run(body(), WAYS[way])


@each_way
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "no identity"),
        (b"\xff\xfe\x00\n", "not text"),
        (b"x" * 70_000, "without the end of a line"),
        (b"ACME,Toaster,1,1\n", "is a ACME Toaster 1 1, no oscilloscope of Rigol DS1000Z, Rigol DHO, Siglent"),
        (b"", "no complete answer in time"),
    ],
)
def test_what_is_no_oscilloscope_is_a_device_error(way: str, answer: bytes, said: str) -> None:
    """A web server, noise, another instrument, silence."""

    class Other:
        def receive(self, line: str, t: float) -> bytes:  # noqa: ARG002 - the server's protocol
            return answer

    with pytest.raises(DeviceError, match=said):
        with_scope(Other(), way, pilot_record, timeout_s=SHORT_S)


def test_a_generator_is_no_oscilloscope() -> None:
    """The maker alone does not make one."""
    with pytest.raises(DeviceError, match="no oscilloscope"):
        with_scope(RigolDg800(), "memory", pilot_record)


def test_one_connection_is_enough() -> None:
    """An instrument that serves one client only is opened anew after it hung up."""

    async def body(device: Oscilloscope, server: ScpiServer) -> Acquisition:
        server.habits.close_after = 0
        with pytest.raises(DeviceError, match="connection"):
            await device.link.ask("*OPC?")
        server.habits.close_after = None
        return await record(device)

    assert is_the_pilot(with_scope(SiglentSds({1: pilot}), "memory", body, Habits(one_connection=True)))


def test_a_visa_resource_needs_real_time() -> None:
    """Virtual time does not wait for a thread, and says so."""
    with pytest.raises(ClockError, match="virtual loop cannot wait for a thread"):
        clock.run(Oscilloscope("scope", "TCPIP::127.0.0.1::5555::SOCKET", backend="@py").start())


@pytest.mark.parametrize(
    "address",
    ["", "scope", "127.0.0.1:5555", "tcp://", "tcp://h:x", "tcp://h:99999", "http://h:80", "TCPIP::h::0::SOCKET"],
)
def test_an_address_that_is_none_is_an_input_error(address: str) -> None:
    """Before anything is dialled."""
    with pytest.raises(InputError, match=r"neither VISA resource nor tcp:// \(such as TCPIP::"):
        Oscilloscope("scope", address)


def test_starting_twice_and_stopping_twice_is_once() -> None:
    """A second start keeps the connection, a second stop does nothing, and it can be started again."""

    async def body(device: Oscilloscope, _server: ScpiServer) -> Acquisition:
        await device.start()
        await device.stop()
        await device.stop()
        await device.start()
        return await record(device)

    for way in WAYS:
        assert is_the_pilot(with_scope(SiglentSds({1: pilot}), way, body, Habits(one_connection=True)))


def test_it_must_be_started_and_set_up() -> None:
    """Calls in the wrong order say which one is missing."""

    async def body(device: Oscilloscope, _server: ScpiServer) -> None:
        with pytest.raises(DeviceError, match="call set_up before"):
            await device.single()

    with_scope(RigolDs1000z({}), "memory", body)
    with pytest.raises(DeviceError, match="has not been started"):
        clock.run(Oscilloscope("scope", "tcp://127.0.0.1:1").set_up(PILOT))


@each_way
def test_an_acquisition_that_is_given_up_leaves_it_usable(way: str) -> None:
    """A task that is cancelled within a question does not leave its answer to the next one."""

    async def body(device: Oscilloscope, server: ScpiServer) -> Acquisition:
        await device.set_up(PILOT)
        server.habits.reply_delay_s = 0.1
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await device.single()
        server.habits.reply_delay_s = 0.0
        return await record(device)

    assert is_the_pilot(with_scope(TektronixTbs({1: pilot}), way, body))


# -- plans and checks


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"channels": {}}, "no channel"),
        ({"channels": {1: Channel(1.0, 1.0)}}, "shows nothing"),
        ({"channels": {1: Channel(0.0, 1.0, probe=0.0)}}, "shows nothing"),
        ({"duration_s": 0.0}, "no record"),
        ({"rate_hz": float("inf")}, "no record"),
        ({"trigger": Trigger(2, 0.0)}, "channel 2, which is not recorded"),
    ],
)
def test_a_setup_that_cannot_be_meant_is_refused(change: dict[str, Any], what: str) -> None:
    """Each part of it, with the reason."""
    whole: dict[str, Any] = {"channels": {1: Channel(-1.0, 1.0)}, "duration_s": 1.0, "rate_hz": 1e3}
    with pytest.raises(InputError, match=what):
        Setup(**(whole | change))


@pytest.mark.parametrize("kind", DIALECTS)
def test_a_record_that_does_not_fit_the_memory_is_an_input_error(kind: Callable[[], Any]) -> None:
    """10 s at 100 MS/s do not fit anywhere; the same at 100 kS/s do."""
    with pytest.raises(InputError, match=r"do not fit into .* points: choose a lower rate or a shorter record"):
        kind().plan(Setup({1: Channel(-1.0, 1.0)}, 10.0, 1e8))
    plan = kind().plan(Setup({1: Channel(-1.0, 1.0)}, 10.0, 1e5))
    assert plan.points >= 1_000_000
    assert plan.time_per_division_s * kind().divisions_x >= 10.0


@pytest.mark.parametrize(
    ("value", "step"), [(1.0, 1.0), (1.01, 2.0), (2.0, 2.0), (3e-4, 5e-4), (5.1, 10.0), (1e-9, 1e-9)]
)
def test_time_per_division_goes_1_2_5(value: float, step: float) -> None:
    """The next step that is not below."""
    assert ceiling_125(value) == pytest.approx(step)


GOOD = Scale(12_000, 1e-6, -0.006, 0.15, -127 * 0.15)


@pytest.mark.parametrize(
    ("field", "value", "what"),
    [
        ("points", 1200, "a record of 1200 points, 12000 were set"),
        ("dt_s", 1.06e-6, "0.012 s were set"),
        ("dt_s", -1e-6, "0.012 s were set"),
        ("t0_s", 0.0, "a record from 0 s on"),
        ("gain_v", 0.1, "codes of 0.1 V do not fit"),
        ("gain_v", 0.21, "codes of 0.21 V do not fit"),
        ("offset_v", -127 * 0.15 + 2.0, "2 V in the middle of the screen, 0 V were set"),
    ],
)
def test_a_scale_that_does_not_fit_the_settings_is_refused(field: str, value: float, what: str) -> None:
    """Every field of a preamble is checked against what was set; the right one passes."""
    plan, screen = Plan(1e-3, 12_000), (3.75, 0.0)
    Rigol().check(GOOD, plan, screen)
    changed = Scale(**{**GOOD.__dict__, field: value})
    if field == "gain_v":
        changed = Scale(**{**changed.__dict__, "offset_v": -127 * value})
    with pytest.raises(ReplyError, match=what):
        Rigol().check(changed, plan, screen)


@pytest.mark.parametrize(
    ("maker", "model", "family"),
    [
        ("RIGOL TECHNOLOGIES", "DS1054Z", "Rigol DS1000Z"),
        ("RIGOL TECHNOLOGIES", "DHO914S", "Rigol DHO"),
        ("Siglent Technologies", "SDS1202X-E", "Siglent SDS"),
        ("AGILENT TECHNOLOGIES", "DSO-X 3024A", "Keysight InfiniiVision"),
        ("KEYSIGHT TECHNOLOGIES", "EDUX1002G", "Keysight InfiniiVision"),
        ("TEKTRONIX", "MSO24", "Tektronix TBS/MSO"),
        ("RIGOL TECHNOLOGIES", "DP832", None),
        ("LECROY", "WAVEACE", None),
    ],
)
def test_the_identity_decides_the_dialect(maker: str, model: str, family: str | None) -> None:
    """By maker and beginning of the model."""
    found = dialect_of(Identity(maker, model))
    assert (found.family if found else None) == family
