"""The driver of an OpenEVSE: what it asks, what it makes of the answers, and what it says when there are none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench import clock
from hilbench.devices import Device
from hilbench.drivers.openevse import OpenEvseDriver
from hilbench.drivers.openevse_status import Change
from hilbench.drivers.rapi import LONGEST, Decoder, Noise, Notice, Reply, command
from hilbench.errors import DeviceError, InputError
from hilbench.signals import Record
from hilbench_emulators import openevse_commands
from hilbench_emulators import openevse_settings as s
from hilbench_emulators.openevse import EmulatedOpenEvse
from hilbench_emulators.openevse_settings import Settings, Vehicle
from tests.test_openevse_conformance import checked

Pair = tuple[EmulatedOpenEvse, OpenEvseDriver]


@asynccontextmanager
async def pair(driver: dict[str, Any] | None = None, **board: Any) -> AsyncIterator[Pair]:
    """A board that is up, and a driver that has found it."""
    emulated = EmulatedOpenEvse(**board)
    await emulated.start()
    await asyncio.sleep(2.0)
    one = OpenEvseDriver("wallbox", f"tcp://127.0.0.1:{emulated.port}", **(driver or {}))
    await one.start()
    try:
        yield emulated, one
    finally:
        await one.stop()
        await emulated.stop()


async def charging(board: EmulatedOpenEvse) -> None:
    """A car draws 10 A."""
    board.connect(Vehicle("C", current_a=10.0))
    await asyncio.sleep(2.0)


def run(body: Callable[[EmulatedOpenEvse, OpenEvseDriver], Awaitable[None]], **more: Any) -> None:
    """In virtual time."""

    async def whole() -> None:
        async with pair(**more) as both:
            await body(*both)

    clock.run(whole())


# -- lines


def test_lines_are_framed_as_the_boards_description_says() -> None:
    """Its examples of commands with XOR checksums, and a sequence id."""
    for line in (b"$GS^30\r", b"$F0 1^43\r", b"$ST 0 0 0 0^23\r", b"$SK 0^2C\r", b"$G0^53\r"):
        assert command(line[1:-4].decode()) == line
    assert command("GV", 0xA7) == b"$GV :A7^59\r"


@pytest.mark.parametrize(
    "text", ["", "G", "GS^30", "$GS", "GS\r", "GS :01", "é", "FP 0 0 " + "x" * 30, "FP" + " 1" * 9]
)
def test_a_command_that_the_board_would_drop_is_refused(text: str) -> None:
    """Before it is sent; the last one has ten words, eleven with the sequence id."""
    with pytest.raises(InputError, match="RAPI: command: "):
        command(text, 1)
    assert len(command("FP 0 0 " + "x" * (LONGEST - 11))) == LONGEST + 1


def test_replies_notices_and_noise_are_told_apart() -> None:
    """Also an echo, LF after an answer, noise before one, and a command that came back."""
    reply = checked("$OK 16 0001 :a7").encode()
    said = b"\xff\x00" + reply + b"\r$GS :A7^00\r\n$AT 02 02 16 0100^37\r$GS^30\r$NK^21\r$NK^20\r"
    assert Decoder().feed(said) == [
        Noise(b"\xff\x00"),
        Reply(True, ("16", "0001"), 0xA7),
        Noise(b"$GS :A7^00"),
        Notice("AT", ("02", "02", "16", "0100")),
        Noise(b"$GS^30"),
        Reply(False, ()),
        Noise(b"$NK^20"),
    ]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=200), st.sampled_from([b"$OK^20\r", b"$", b"\r", b"^", b" :01^1B\r"]))))
def test_any_bytes_are_taken_in_any_pieces(pieces: list[bytes]) -> None:
    """No bytes raise, and pieces make no difference to what is no noise."""
    whole, part = Decoder(), Decoder()
    joined = [one for one in whole.feed(b"".join(pieces)) if not isinstance(one, Noise)]
    apart = [one for piece in pieces for one in part.feed(piece) if not isinstance(one, Noise)]
    long = any(len(line) > 128 for line in b"".join(pieces).split(b"\r"))
    assert long or joined == apart


# -- a board that answers


def test_status_is_in_words_and_units_of_the_bench() -> None:
    """A car charges with 10 A at 240 V."""

    async def body(board: EmulatedOpenEvse, driver: OpenEvseDriver) -> None:
        assert isinstance(driver, Device)
        assert driver.firmware == "8.2.3"
        await charging(board)
        seen = await driver.status()
        assert (seen.state, seen.pilot_state, seen.connected, seen.charging) == ("C", "C", True, True)
        assert (seen.offered_a, seen.current_a, seen.voltage_v) == (16, 10.0, 240.0)
        assert seen.session_wh == pytest.approx(1.0, abs=0.01)

    run(body)


def test_a_current_is_set_and_what_is_clamped_is_an_error() -> None:
    """The pilot has it; the maximum of the board is told, and the bench's own limits are an input error."""

    async def body(board: EmulatedOpenEvse, driver: OpenEvseDriver) -> None:
        await charging(board)
        await driver.set_current(6)
        assert board.pilot.duty_pct == pytest.approx(9.975)
        with pytest.raises(DeviceError, match=r"^board wallbox at tcp://.*: offers 16 A, asked for 32 A \("):
            await driver.set_current(32)
        await driver.set_current(32, save=True)
        assert (await driver.status()).offered_a == 32
        for amps in (5, 81):
            with pytest.raises(InputError, match="cannot be offered"):
                await driver.set_current(amps)

    run(body)


def test_notices_between_are_heard_and_disturb_nothing() -> None:
    """A board that sends a notice before every answer."""
    heard: list[Change] = []
    record = Record()

    async def body(board: EmulatedOpenEvse, driver: OpenEvseDriver) -> None:
        await charging(board)
        assert (await driver.status()).state == "C"
        assert driver.last_change == heard[-1] == Change("C", "C", 16, True, True)

    run(body, driver={"on_change": heard.append, "record": record}, chatter=True)
    assert [event.data["state"] for event in record.events_of("openevse.state", "wallbox")][-1] == "C"


def test_an_echo_disturbs_nothing() -> None:
    """A board that cannot be stopped from echoing."""

    async def body(_board: EmulatedOpenEvse, driver: OpenEvseDriver) -> None:
        assert (await driver.ask("FF E 0")).ok
        assert (await driver.status()).state == "A"

    run(body, settings=Settings(quirks=s.AVR))


def test_a_refusal_is_an_answer_or_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """``ask`` gives it back, what acts raises it."""

    async def body(_board: EmulatedOpenEvse, driver: OpenEvseDriver) -> None:
        reply = await driver.ask("XX")
        assert (reply.ok, reply.values) == (False, ())
        monkeypatch.setitem(openevse_commands.HANDLERS, "FS", lambda _board, _args: openevse_commands.REFUSED)
        with pytest.raises(DeviceError, match=r"refuses 'FS' \(is the function part of its firmware"):
            await driver.sleep()

    run(body)


def test_requests_at_the_same_time_take_turns() -> None:
    """Ten at once are answered each by its own."""

    async def body(_board: EmulatedOpenEvse, driver: OpenEvseDriver) -> None:
        replies = await asyncio.gather(*(driver.ask(text) for text in ("GH", "GV", "GE", "GC", "G0") * 2))
        values = [reply.values[0] for reply in replies]
        assert values == ["0", "8.2.3", "16", "6", "0"] * 2

    run(body)


def test_a_restart_waits_for_the_board() -> None:
    """A volatile current is gone, the driver can go on."""

    async def body(_board: EmulatedOpenEvse, driver: OpenEvseDriver) -> None:
        await driver.set_current(8)
        await driver.restart()
        assert (await driver.status()).offered_a == 16

    run(body)


# -- safe state and heartbeat


def test_safe_state_is_read_back() -> None:
    """The relay is open after 3 s under load; whoever enables it again ends the safe state."""

    async def body(board: EmulatedOpenEvse, driver: OpenEvseDriver) -> None:
        await charging(board)
        started = clock.time()
        await driver.make_safe()
        assert clock.time() - started == pytest.approx(3.0, abs=0.15)
        assert driver.is_safe()
        assert not board.core.relay_closed
        await driver.enable()
        await asyncio.sleep(1.0)
        assert board.core.relay_closed
        assert not driver.is_safe()

    run(body)


def test_a_relay_that_stays_closed_is_not_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver says so in bounded time."""

    async def body(board: EmulatedOpenEvse, driver: OpenEvseDriver) -> None:
        await charging(board)
        monkeypatch.setattr(board.core, "_relay_opens", lambda: float("inf"))
        started = clock.time()
        with pytest.raises(
            DeviceError, match=r"is not safe after 3.5 s: state sleeping, relay closed \(cut its supply"
        ):
            await driver.make_safe()
        assert clock.time() - started < 4.0
        assert not driver.is_safe()

    run(body)


def test_heartbeats_keep_the_current_and_their_end_does_not() -> None:
    """With the driver it stays at 16 A; without it falls back, which the next driver sees and acknowledges."""

    async def body(board: EmulatedOpenEvse, driver: OpenEvseDriver) -> None:
        await driver.supervise(30, 6)
        await asyncio.sleep(300.0)
        assert board.core.capacity_a == 16
        driver.release()
        await asyncio.sleep(31.0)
        assert board.core.capacity_a == 6
        await driver.start()
        assert (await driver.supervision()).missed
        await driver.acknowledge()
        assert board.core.capacity_a == 16

    run(body)


def test_a_heartbeat_that_fails_is_recorded() -> None:
    """Silence of the board, and the missed beat that it tells of afterwards."""
    record = Record()

    async def body(board: EmulatedOpenEvse, driver: OpenEvseDriver) -> None:
        await driver.supervise(30, 6)
        board.core.supervision.miss(clock.time())
        await asyncio.sleep(12.0)
        board.line.ruin("silent")
        await asyncio.sleep(12.0)

    run(body, driver={"record": record})
    errors = [event.data["error"] for event in record.events_of("openevse.error", "wallbox")]
    assert errors[0] == "a heartbeat was missed: it has fallen back"
    assert "no usable answer to 'SY'" in errors[1]


@pytest.mark.parametrize(("interval_s", "fallback_a"), [(66, 6), (100, 6), (1, 6), (30, 0), (30, 5), (30, 81)])
def test_a_supervision_that_boards_do_not_keep_is_refused(interval_s: int, fallback_a: int) -> None:
    """Over 65 s some run out early, below 6 A they fall back to 6 A."""

    async def body(board: EmulatedOpenEvse, driver: OpenEvseDriver) -> None:
        with pytest.raises(InputError, match="are not kept by every board"):
            await driver.supervise(interval_s, fallback_a)
        assert board.core.memory.heartbeat_s == 0

    run(body)


# -- a board that does not answer, or answers garbage


@pytest.mark.parametrize("how", ["silent", "noise", "flipped", "half"])
def test_garbage_is_an_error_in_time_and_the_board_works_again(how: str) -> None:
    """Three tries of half a second, an error that names the board and shows what came, no lasting harm."""

    async def body(board: EmulatedOpenEvse, driver: OpenEvseDriver) -> None:
        board.line.ruin(how)
        started = clock.time()
        with pytest.raises(DeviceError, match=r"^board wallbox at tcp://.*: no usable answer to 'GS'") as caught:
            await driver.status()
        assert clock.time() - started == pytest.approx(1.5, abs=0.01)
        assert ("not understood" in str(caught.value)) == (how != "silent")
        board.line.ruin(None)
        assert (await driver.status()).state == "A"

    run(body)


def test_one_lost_answer_is_asked_for_again() -> None:
    """A second try gets it, and the first answer, which comes late, is not taken for another."""

    async def body(board: EmulatedOpenEvse, driver: OpenEvseDriver) -> None:
        board.line.ruin("silent")
        asyncio.get_running_loop().call_later(0.7, board.line.ruin, None)
        assert (await driver.ask("GH")).values == ("0",)

    run(body)


def test_answers_that_come_twice_are_taken_once() -> None:
    """The copy is not the answer to the next command."""

    async def body(board: EmulatedOpenEvse, driver: OpenEvseDriver) -> None:
        board.line.ruin("twice")
        for _ in range(3):
            assert (await driver.ask("GH")).values == ("0",)
            assert (await driver.ask("GV")).values == ("8.2.3", "5.2.1")

    run(body)


def test_a_lost_connection_is_opened_again() -> None:
    """Between two requests, and during one."""

    async def body(board: EmulatedOpenEvse, driver: OpenEvseDriver) -> None:
        board.line.hang_up()
        await asyncio.sleep(0.1)
        assert (await driver.status()).state == "A"
        board.line.ruin("silent")
        loop = asyncio.get_running_loop()
        loop.call_later(0.1, board.line.hang_up)
        loop.call_later(0.1, board.line.ruin, None)
        started = clock.time()
        assert (await driver.ask("GH")).values == ("0",)
        assert clock.time() - started == pytest.approx(0.1, abs=0.01)

    run(body)


def test_nobody_there_is_told() -> None:
    """No connection, and a serial port in virtual time, which stands still for it."""

    async def body() -> None:
        with pytest.raises(DeviceError, match=r"board wallbox at tcp://127.0.0.1:9: no connection: .*\(check address"):
            await OpenEvseDriver("wallbox", "tcp://127.0.0.1:9").start()
        with pytest.raises(DeviceError, match=r"needs real time \(use --time real, or tcp://HOST:PORT"):
            await OpenEvseDriver("wallbox", "serial:///dev/ttyUSB0").start()

    clock.run(body())


@pytest.mark.parametrize("address", ["wallbox", "rtu+tcp://a:1", "tcp://a", "serial://", "serial:///dev/x?parity=M"])
def test_an_address_that_is_none_is_told(address: str) -> None:
    """With what to write instead."""
    with pytest.raises(InputError, match=r"board wallbox: address: .*\("):
        OpenEvseDriver("wallbox", address)


def test_a_serial_line_has_the_boards_speed_unless_told_otherwise() -> None:
    """115200 8N1."""
    assert str(OpenEvseDriver("a", "serial:///dev/x").address).endswith("baudrate=115200&parity=N&stopbits=1")
    assert OpenEvseDriver("a", "serial:///dev/x?baudrate=9600").address.baudrate == 9600
    assert OpenEvseDriver("a", "serial:///dev/x?parity=E").address.parity == "E"


# -- boards of another kind


class Scripted(asyncio.Protocol):
    """Answers each line by a function of its text."""

    def __init__(self, answer: Callable[[str], bytes]) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        for line in data.decode().split("\r")[:-1]:
            self._transport.write(self._answer(line))  # type: ignore[attr-defined]


def scripted(answer: Callable[[str], bytes], body: Callable[[OpenEvseDriver], Awaitable[None]]) -> None:
    """A driver before a board that does what ``answer`` says."""

    async def whole() -> None:
        loop = asyncio.get_running_loop()
        async with await loop.create_server(lambda: Scripted(answer), "127.0.0.1", 5023):
            driver = OpenEvseDriver("old", "tcp://127.0.0.1:5023")
            try:
                await body(driver)
            finally:
                await driver.stop()

    clock.run(whole())


def test_a_board_without_sequence_ids_is_told_by_its_first_answer() -> None:
    """After that it is asked without; the words of later commands are not shifted."""
    asked: list[str] = []

    def answer(line: str) -> bytes:
        asked.append(line)
        return (checked("$OK 4.8.0 2.0.1" if line.startswith("$GV") else "$OK 10") + "\r").encode()

    async def body(driver: OpenEvseDriver) -> None:
        await driver.start()
        await driver.set_current(10)

    scripted(answer, body)
    assert asked == [checked("$GV :01"), checked("$SC 10 V")]


def test_a_command_that_arrived_broken_is_sent_again() -> None:
    """``$NK^21`` without the id of the command: it was not done."""
    times = iter([b"$NK^21\r", checked("$OK 8.2.3 5.2.1 :02").encode() + b"\r"])

    async def body(driver: OpenEvseDriver) -> None:
        await driver.start()
        assert driver.firmware == "8.2.3"

    scripted(lambda _line: next(times), body)


@pytest.mark.parametrize("values", ["", "zz 0 01 0000", "01", "01 0 01 0000 5", "01 x 01 0000", "01 0 01 -"])
def test_answers_that_make_no_sense_are_told(values: str) -> None:
    """With a right checksum and a right id, but not what was asked for."""

    def answer(line: str) -> bytes:
        sequence = line.rpartition(":")[2][:2]
        return (checked(f"$OK {values} :{sequence}" if values else f"$OK :{sequence}") + "\r").encode()

    async def body(driver: OpenEvseDriver) -> None:
        with pytest.raises(DeviceError, match=r"board old at .*: answers .* to 'GS' \(is it an OpenEVSE\?\)"):
            await driver.status()

    scripted(answer, body)
