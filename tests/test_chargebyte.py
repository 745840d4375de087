"""The chargebyte safety controller: frames, what it does with them, and what the driver says when it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench import clock
from hilbench.devices import Device
from hilbench.drivers import chargebyte_frames
from hilbench.drivers.chargebyte import ChargebyteDriver
from hilbench.drivers.chargebyte_frames import CONTROL, Decoder, frame, state_of
from hilbench.errors import DeviceError, InputError
from hilbench.signals import Record
from hilbench_emulators import chargebyte
from hilbench_emulators.chargebyte import EmulatedChargebyte, SafetyController

Body = Callable[[EmulatedChargebyte, ChargebyteDriver], Awaitable[None]]


def run(body: Body, record: Record | None = None) -> None:
    """A controller and its driver, in virtual time."""

    async def whole() -> None:
        board = EmulatedChargebyte()
        await board.start()
        driver = ChargebyteDriver("som", f"tcp://127.0.0.1:{board.port}", record=record)
        await driver.start()
        try:
            await body(board, driver)
        finally:
            await driver.stop()
            await board.stop()

    clock.run(whole())


# -- frames


def test_both_ends_have_the_checksum_of_the_standard() -> None:
    """CRC-8/SAE-J1850 has the check value 0x4B; the two ends are written apart."""
    assert chargebyte.crc8(b"123456789") == chargebyte_frames._crc8(b"123456789") == 0x4B


def test_a_command_is_the_frame_that_the_source_says() -> None:
    """PWM on in bit 63, 26.6 % as 266 from bit 48, contactor 1 in bit 40."""
    data = chargebyte_frames.control(True, 26.6, (True,))
    assert data == 1 << 63 | 266 << 48 | 1 << 40
    assert frame(CONTROL, data)[:10].hex() == "a506810a010000000000"
    assert frame(CONTROL, data) == chargebyte.frame(chargebyte.CONTROL, data)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=30), st.builds(frame, st.integers(0, 255), st.integers(0, 2**64 - 1)))))
def test_any_bytes_are_taken_in_any_pieces(pieces: list[bytes]) -> None:
    """Noise never raises, and both ends find the same frames in it, however it is cut."""
    whole, apart, other = Decoder(), Decoder(), bytearray(b"".join(pieces))
    found = whole.feed(b"".join(pieces))
    assert found == [one for piece in pieces for one in apart.feed(piece)] == chargebyte.frames(other)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**64 - 1))
def test_any_report_has_a_meaning(data: int) -> None:
    """Also codes that nobody has named."""
    state = state_of(0.0, data)
    assert len(state.contactors) == 3
    assert bool(state.stopped) == (bool(data >> 8 & 0xFF) or data >> 58 & 3 == 1)


# -- the controller


def test_it_stops_without_a_word_and_stays_stopped() -> None:
    """0.5 s of silence open the contactors; only a reset helps."""
    core = SafetyController()
    core.at(60.0)
    assert core.reason == chargebyte.NO_STOP
    core.told(0.1, 1 << 63 | 266 << 48 | 1 << 40)
    core.at(0.6)
    assert (core.contactors, core.pilot.duty_pct) == ([True, False], 26.6)
    core.at(0.601)
    assert (core.contactors, core.pilot.level, core.reason) == ([False, False], "P12", chargebyte.COM_TIMEOUT)
    core.told(0.7, 1 << 63 | 266 << 48 | 1 << 40)
    assert core.contactors == [False, False]


@pytest.mark.parametrize(("duty", "level"), [(0, "N12"), (1, "PWM"), (999, "PWM"), (1000, "P12")])
def test_the_ends_of_the_duty_cycle_are_steady(duty: int, level: str) -> None:
    """0 % is -12 V, 100 % is +12 V."""
    core = SafetyController()
    core.told(0.0, 1 << 63 | duty << 48)
    assert core.pilot.level == level
    assert (state_of(0.0, core.state()).pilot_state == "F") == (level == "N12")


@pytest.mark.parametrize(
    ("state", "diode", "reason"), [("E", True, "control pilot short"), ("C", False, "diode fault")]
)
def test_a_fault_at_the_pilot_opens_the_contactors(state: str, diode: bool, reason: str) -> None:
    """A short, and a missing diode."""

    async def body(board: EmulatedChargebyte, driver: ChargebyteDriver) -> None:
        board.load("C")
        await driver.set_pwm(26.6)
        await driver.set_contactor(1, True)
        board.load(state, diode=diode)
        seen = await driver.read()
        assert (seen.stopped, seen.any_closed) == (reason, False)
        with pytest.raises(DeviceError, match=rf"board som at .*: has stopped \({reason}\) and does not do"):
            await driver.set_contactor(1, True)
        assert driver.is_safe()
        await driver.make_safe()

    run(body)


@pytest.mark.parametrize(
    ("ohm", "named"), [(0, "no cable"), (1500, "13 A"), (220, "32 A"), (480, "type 1 pressed"), (300, "invalid")]
)
def test_the_cable_is_told(ohm: int, named: str) -> None:
    """By its proximity resistor."""

    async def body(board: EmulatedChargebyte, driver: ChargebyteDriver) -> None:
        board.core.proximity_ohm = ohm
        assert (await driver.read()).proximity == named

    run(body)


# -- the driver


def test_pwm_and_contactors_are_confirmed_and_safe_state_is_read_back() -> None:
    """For a minute nothing times out, since it goes on telling."""

    async def body(board: EmulatedChargebyte, driver: ChargebyteDriver) -> None:
        assert isinstance(driver, Device)
        assert driver.firmware == "0.4.1"
        await driver.set_pwm(26.6)
        seen = await driver.set_contactor(2, True)
        assert (seen.duty_pct, seen.contactors) == (26.6, ("open", "closed", "unused"))
        await asyncio.sleep(60.0)
        assert board.core.contactors == [False, True]
        assert not driver.is_safe()
        await driver.make_safe()
        assert driver.is_safe()
        assert (board.core.contactors, board.pilot.level) == ([False, False], "P12")

    run(body)


def test_what_is_not_there_is_told() -> None:
    """A third contactor that is not wired; arguments that are none."""

    async def body(_board: EmulatedChargebyte, driver: ChargebyteDriver) -> None:
        with pytest.raises(DeviceError, match="does not confirm contactor 3 closed"):
            await driver.set_contactor(3, True)
        for act in (driver.set_pwm(100.1), driver.set_pwm(float("nan")), driver.set_contactor(4, True)):
            with pytest.raises(InputError, match="board som: "):
                await act

    run(body)


def test_without_its_driver_the_board_stops() -> None:
    """It is released, as when the program dies, and opens its contactors by itself."""

    async def body(board: EmulatedChargebyte, driver: ChargebyteDriver) -> None:
        await driver.set_contactor(1, True)
        driver.release()
        await asyncio.sleep(0.65)
        assert board.core.contactors == [False, False]
        with pytest.raises(DeviceError, match="has stopped"):
            await driver.set_contactor(1, True)
        again = ChargebyteDriver("som", f"tcp://127.0.0.1:{board.port}", reset=board.reset)
        await again.start()
        assert (await again.set_contactor(1, True)).any_closed
        await again.stop()

    run(body)


@pytest.mark.parametrize("how", ["silent", "noise", "flipped", "half"])
def test_garbage_is_an_error_in_time(how: str) -> None:
    """Half a second, then an error that names the board; the board works on."""

    async def body(board: EmulatedChargebyte, driver: ChargebyteDriver) -> None:
        board.line.ruin(how)
        started = clock.time()
        with pytest.raises(DeviceError, match=r"board som at .*: no frame 0x07 within 0.5 s") as caught:
            await driver.read()
        assert clock.time() - started == pytest.approx(0.5, abs=0.01)
        assert ("not understood" in str(caught.value)) == (how in ("noise", "flipped", "half"))
        board.line.ruin(None)
        assert (await driver.read()).pilot_state == "A"

    run(body)


def test_a_pulled_plug_is_recorded_and_put_back() -> None:
    """A short break does not reach the safe state."""
    record = Record()

    async def body(board: EmulatedChargebyte, driver: ChargebyteDriver) -> None:
        await driver.set_contactor(1, True)
        board.line.hang_up()
        await asyncio.sleep(0.3)
        assert (await driver.read()).any_closed
        port = board.port
        await board.line.stop()
        await asyncio.sleep(0.3)
        assert board.port == port

    run(body, record)
    assert "no connection" in next(iter(record.events_of("chargebyte.error", "som"))).data["error"]


def test_the_same_line_with_another_board_is_told() -> None:
    """An OpenEVSE does not answer inquiries in frames."""

    async def whole() -> None:
        from hilbench_emulators.openevse import EmulatedOpenEvse

        board = EmulatedOpenEvse()
        await board.start()
        try:
            with pytest.raises(DeviceError, match=r"no frame 0x0a within 0\.5 s"):
                await ChargebyteDriver("som", f"tcp://127.0.0.1:{board.port}").start()
        finally:
            await board.stop()

    clock.run(whole())
