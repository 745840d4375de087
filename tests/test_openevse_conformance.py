"""What an emulated OpenEVSE must do to be taken for one: the list, point by point, on bare bytes.

Checksums and lines here are made by this file alone. Every point says what the firmware does (``rapi_proc.cpp``,
``J1772EvseController.cpp``: read-code). The points run against the emulator in virtual time; that the list can fail is
shown by boards that do one thing wrong, among them what a public emulator of the same board is known to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from hilbench import clock
from hilbench_emulators import openevse, openevse_commands, openevse_core, openevse_rapi
from hilbench_emulators import openevse_settings as s
from hilbench_emulators.openevse import EmulatedOpenEvse
from hilbench_emulators.openevse_settings import Settings, Vehicle


def checked(text: str) -> str:
    """A line of a board or to it, without the CR."""
    value = 0
    for letter in text:
        value ^= ord(letter)
    return f"{text}^{value:02X}"


@dataclass
class Desk:
    """A board, and a line to it; ``said`` is what it said and nobody has taken yet."""

    board: EmulatedOpenEvse
    writer: asyncio.StreamWriter
    said: list[str] = field(default_factory=list)

    async def send(self, raw: str | bytes) -> list[str]:
        """What comes back at once for bare bytes: lines without CR."""
        self.said.clear()
        self.writer.write(raw if isinstance(raw, bytes) else raw.encode("latin-1"))
        await asyncio.sleep(0.001)
        return [*self.said]

    async def ask(self, text: str) -> str:
        """The answer to a command, without its checksum; anything else that was said is left out."""
        answers = [line for line in await self.send(checked(f"${text}") + "\r") if line[:3] in ("$OK", "$NK")]
        assert len(answers) == 1, answers
        return answers[0].rpartition("^")[0]

    async def plug(self, state: str, after_s: float = 2.0, **more: Any) -> None:
        """A vehicle in ``state``, and time for what follows."""
        self.board.connect(Vehicle(state, **more))
        await asyncio.sleep(after_s)

    def notices(self, kind: str) -> list[str]:
        """What was said by itself since the last command."""
        return [line for line in self.said if line.startswith(f"${kind}")]


Point = Callable[[Desk], Awaitable[None]]
POINTS: dict[str, tuple[Point, Settings]] = {}


def point(**settings: Any) -> Callable[[Point], Point]:
    """A point of the list, on a board with these settings; its name is that of the function."""

    def note(function: Point) -> Point:
        POINTS[function.__name__] = (function, Settings(**settings))
        return function

    return note


async def _listen(reader: asyncio.StreamReader, said: list[str]) -> None:
    while line := await reader.readuntil(b"\r"):
        said.append(line.decode("latin-1").strip("\r\n"))


async def judged(name: str) -> None:
    """Run one point on a fresh board."""
    body, settings = POINTS[name]
    board = EmulatedOpenEvse(settings=settings)
    await board.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", board.port)
    desk = Desk(board, writer)
    listening = asyncio.create_task(_listen(reader, desk.said))
    try:
        await asyncio.sleep(2.0)
        await body(desk)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        writer.close()
        await board.stop()


# -- frames


@point()
async def xor_checksum(desk: Desk) -> None:
    """A command with its XOR checksum is answered with one, in upper case, and CR alone."""
    assert await desk.send("$GV^35\r") == [checked("$OK 8.2.3 5.2.1")]


@point()
async def checksum_in_lower_case(desk: Desk) -> None:
    """Hexadecimal digits of a checksum may be small letters."""
    assert await desk.send("$GH^2b\r") == [checked("$OK 0")]


@point()
async def additive_checksum(desk: Desk) -> None:
    """The old checksum, the sum of all bytes behind a star, is still taken."""
    assert await desk.send("$FE*AF\r") == [checked("$OK")]


@point()
async def no_checksum(desk: Desk) -> None:
    """A command without a checksum is taken."""
    assert await desk.send("$GC\r") == [checked("$OK 6 80 16 16")]


@point()
async def wrong_checksum(desk: Desk) -> None:
    """A wrong checksum is refused, without the sequence id, and the command is not done."""
    assert await desk.send("$SC 10 :07^00\r") == ["$NK^21"]
    assert await desk.ask("GE") == "$OK 16 0001"


@point()
async def sums_behind_the_sign_of_an_xor(desk: Desk) -> None:
    """The three examples of the protocol's description that carry sums as XOR are refused."""
    for example in ("$SL 1^14", "$SL 2^15", "$SL A^24"):
        assert await desk.send(example + "\r") == ["$NK^21"]


@point()
async def sequence_id_comes_back(desk: Desk) -> None:
    """An answer, also a refusal, has the sequence id of its command, in upper case."""
    assert await desk.send(checked("$GH :a7") + "\r") == [checked("$OK 0 :A7")]
    assert await desk.send(checked("$XX :01") + "\r") == [checked("$NK :01")]


@point()
async def sequence_id_of_nothing(desk: Desk) -> None:
    """00 is no sequence id, and is not sent back."""
    assert await desk.send(checked("$GH :00") + "\r") == [checked("$OK 0")]


@point()
async def longest_command(desk: Desk) -> None:
    """31 bytes before the CR are taken; 32 are dropped without a word, and the next command works."""
    assert await desk.send("$FP 0 0 " + "x" * 23 + "\r") == [checked("$OK")]
    assert await desk.send("$FP 0 0 " + "x" * 24 + "\r") == []
    assert await desk.ask("GH") == "$OK 0"


@point()
async def most_words(desk: Desk) -> None:
    """Ten words are taken, eleven are refused."""
    assert await desk.send("$FP 0 0 a b c d e f g\r") == [checked("$OK")]
    assert await desk.send("$FP 0 0 a b c d e f g h\r") == ["$NK^21"]


@point()
async def noise_before_a_command(desk: Desk) -> None:
    """Bytes before a dollar sign, and a command that another one interrupts, are forgotten."""
    assert await desk.send(b"\xff\x00GS\r\n$SC 1$GH^2B\r") == [checked("$OK 0")]


@point()
async def bytes_one_by_one(desk: Desk) -> None:
    """A command may come in pieces."""
    for byte in b"$GH^2":
        assert await desk.send(bytes([byte])) == []
    assert await desk.send("B\r") == [checked("$OK 0")]


@point()
async def unknown_commands(desk: Desk) -> None:
    """What it does not know, and what lacks an argument, is refused without a value."""
    for text in ("XX", "GQ", "SC", "FF D", "FF Q 1", "FF D 2", "S5 1", "SM 1 2", "T0 16", "ST 1 2 3"):
        assert await desk.ask(text) == "$NK", text


@point()
async def only_two_letters_count(desk: Desk) -> None:
    """Letters after the first two of a command are not looked at."""
    assert await desk.ask("GHxyz") == "$OK 0"


@point()
async def echo(desk: Desk) -> None:
    """With echo on, every byte comes back before the answer, which ends with LF too; it can be switched off."""
    assert await desk.ask("FF E 1") == "$OK"
    assert await desk.send("$GH^2B\r") == ["$GH^2B", checked("$OK 0")]
    await desk.send("$FF E 0\r")
    assert await desk.send("$GH^2B\r") == [checked("$OK 0")]


@point(quirks=s.AVR)
async def echo_that_sticks(desk: Desk) -> None:
    """Quirk: switching the echo off switches it on."""
    await desk.send("$FF E 0\r")
    assert await desk.send("$GH^2B\r") == ["$GH^2B", checked("$OK 0")]


# -- current


@point()
async def current_is_clamped_and_told(desk: Desk) -> None:
    """Below 6 A and above the maximum it refuses, sets the nearest, and says which."""
    assert await desk.ask("SC 5") == "$NK 6"
    assert await desk.ask("SC 81") == "$NK 80"
    assert await desk.ask("SC 32") == "$OK 32"
    assert await desk.ask("GE") == "$OK 32 0001"


@point()
async def volatile_current(desk: Desk) -> None:
    """A volatile current may not exceed the saved one, and is forgotten at the next boot."""
    assert await desk.ask("SC 20") == "$OK 20"
    assert await desk.ask("SC 24 V") == "$NK 20"
    assert await desk.ask("SC 8 V") == "$OK 8"
    assert await desk.ask("GC") == "$OK 6 80 8 20"
    await desk.board.power_cycle(1.0)
    await asyncio.sleep(3.0)
    assert await desk.ask("GC") == "$OK 6 80 20 20"


@point()
async def maximum_is_set_once(desk: Desk) -> None:
    """The maximum of the hardware can be set once, binds what is set later, and outlives a boot."""
    assert await desk.ask("SC 40 M") == "$OK 40"
    assert await desk.ask("SC 48 M") == "$NK 40"
    assert await desk.ask("SC 48") == "$NK 40"
    await desk.board.power_cycle(1.0)
    await asyncio.sleep(3.0)
    assert await desk.ask("GC") == "$OK 6 40 40 40"


@point()
async def current_is_a_byte(desk: Desk) -> None:
    """262 A is 6 A: the number is cut to eight bits."""
    assert await desk.ask("SC 262") == "$OK 6"


@point()
async def service_level(desk: Desk) -> None:
    """Level 1 has a maximum of 16 A, 120 V and a current of its own."""
    assert await desk.ask("SL 1") == "$OK"
    assert await desk.ask("GC") == "$OK 6 16 12 12"
    assert await desk.ask("SC 20") == "$NK 16"
    assert await desk.ask("GG") == "$OK 0 120000"
    assert await desk.ask("SL 2") == "$OK"
    assert await desk.ask("GC") == "$OK 6 80 16 16"


@point()
async def duty_cycle(desk: Desk) -> None:
    """The pilot has the duty cycle of the firmware's arithmetic, and follows a new current at once."""
    await desk.plug("B")
    for amps, duty_pct in ((6, 9.975), (16, 26.6), (51, 84.7875), (52, 84.8), (80, 96.0)):
        assert await desk.ask(f"SC {amps}") == f"$OK {amps}"
        assert desk.board.pilot.level == "PWM"
        assert desk.board.pilot.duty_pct == pytest.approx(duty_pct)


# -- states


@point()
async def no_vehicle(desk: Desk) -> None:
    """State A: steady +12 V, nothing connected."""
    assert await desk.ask("GS") == "$OK 01 0 01 0000"
    assert await desk.ask("G0") == "$OK 0"
    assert desk.board.pilot.level == "P12"


@point()
async def states_are_debounced(desk: Desk) -> None:
    """B and C count after 250 ms, A after 25 ms; PWM begins in B, the relay closes in C."""
    await desk.plug("B", 0.249)
    assert await desk.ask("GS") == "$OK 01 0 01 0100"
    await asyncio.sleep(0.01)
    assert await desk.ask("GS") == "$OK 02 0 02 0100"
    await desk.plug("C", 0.26)
    assert (await desk.ask("GS")).endswith("03 0140")
    assert desk.board.core.relay_closed
    await desk.plug("A", 0.024)
    assert desk.board.core.relay_closed
    await asyncio.sleep(0.002)
    assert not desk.board.core.relay_closed
    assert desk.board.pilot.level == "P12"


@point()
async def a_bounce_is_nothing(desk: Desk) -> None:
    """A car that leaves C for 200 ms goes on charging."""
    await desk.plug("C")
    await desk.send(b"")
    await desk.plug("B", 0.2)
    await desk.plug("C")
    assert desk.said == []
    assert desk.board.core.relay_closed


@point()
async def state_changes_are_told(desk: Desk) -> None:
    """Each change of state is told once, with state, pilot, current and flags."""
    await desk.send(b"")
    await desk.plug("B")
    assert desk.said == [checked("$AT 02 02 16 0100")]
    await desk.send(b"")
    await desk.plug("C")
    assert desk.said == [checked("$AT 03 03 16 0140")]
    await desk.send(b"")
    await desk.plug("A")
    assert desk.said[-1] == checked("$AT 01 01 16 0000")


@point()
async def what_a_command_changes_is_told_after_its_answer(desk: Desk) -> None:
    """The answer comes first, then the notice."""
    await desk.plug("B")
    assert await desk.send("$SC 10\r") == [checked("$OK 10"), checked("$AT 02 02 10 0100")]


@point()
async def boot_notice(desk: Desk) -> None:
    """At power-on it tells an unknown state, and after the self-test that it is up; nothing is answered between."""
    desk.board.connect(Vehicle("A"))
    await desk.send(b"")
    await desk.board.power_cycle(1.0)
    await asyncio.sleep(0.001)
    assert desk.said == [checked("$AT 00 00 16 0000")]
    assert await desk.send("$GV\r") == []
    await asyncio.sleep(3.0)
    assert desk.said[0] == checked("$AB 00 8.2.3")
    assert desk.said[-1] == checked("$AT 01 01 16 0000")


@point()
async def reset_has_no_answer(desk: Desk) -> None:
    """Nothing answers the command that resets it; a boot notice follows."""
    assert await desk.send("$FR*BC\r") == []
    await asyncio.sleep(3.0)
    assert desk.notices("AB") == [checked("$AB 00 8.2.3")]


@point()
async def sleep_waits_for_the_car(desk: Desk) -> None:
    """Asleep it drives +12 V and opens its relay when the car has stopped, or after 3 s under load."""
    await desk.plug("C", current_a=16.0)
    assert await desk.ask("FS") == "$OK"
    assert (desk.board.pilot.level, desk.board.core.relay_closed) == ("P12", True)
    await asyncio.sleep(2.9)
    assert desk.board.core.relay_closed
    await asyncio.sleep(0.2)
    assert not desk.board.core.relay_closed
    assert (await desk.ask("GS")).startswith("$OK fe")


@point()
async def sleep_opens_at_once_without_load(desk: Desk) -> None:
    """A car that draws no more than 1 A does not hold the relay."""
    await desk.plug("C", current_a=1.0)
    await desk.ask("FS")
    assert not desk.board.core.relay_closed


@point()
async def disabled(desk: Desk) -> None:
    """Disabled it drives -12 V, opens the relay under load, and does not know whether a vehicle is there."""
    await desk.plug("C", current_a=16.0)
    assert await desk.ask("FD") == "$OK"
    assert (desk.board.pilot.level, desk.board.core.relay_closed) == ("N12", False)
    assert await desk.ask("G0") == "$OK 2"
    assert (await desk.ask("GS")).startswith("$OK ff")


@point()
async def enabled_again(desk: Desk) -> None:
    """Enabled with a car that is ready, it goes through B to C."""
    await desk.plug("C")
    await desk.ask("FS")
    assert await desk.ask("FE") == "$OK"
    await asyncio.sleep(0.3)
    assert (await desk.ask("GS")).startswith("$OK 02")
    await asyncio.sleep(0.3)
    assert (await desk.ask("GS")).startswith("$OK 03")


@point()
async def missing_diode(desk: Desk) -> None:
    """Without -12 V from the car it is a fault until the car is unplugged; with the check off it charges."""
    await desk.plug("C", diode=False)
    assert (await desk.ask("GS")).startswith("$OK 05")
    assert not desk.board.core.relay_closed
    await desk.plug("A")
    assert (await desk.ask("GS")).startswith("$OK 01")
    assert await desk.ask("FF D 0") == "$OK"
    assert await desk.ask("GE") == "$OK 16 0003"
    await desk.plug("C", diode=False)
    assert (await desk.ask("GS")).startswith("$OK 03")


@point()
async def ventilation(desk: Desk) -> None:
    """A car that wants ventilation is not charged, unless the check is off."""
    await desk.plug("D")
    assert (await desk.ask("GS")).startswith("$OK 04")
    assert not desk.board.core.relay_closed
    await desk.plug("A")
    await desk.ask("FF V 0")
    await desk.plug("D")
    assert (await desk.ask("GS")).startswith("$OK 03")


@point()
async def pilot_short(desk: Desk) -> None:
    """A pilot at 0 V while charging opens the relay within the 3 s that are allowed."""
    await desk.plug("C", current_a=16.0)
    await desk.plug("E", 0.3)
    assert not desk.board.core.relay_closed


@point()
async def leakage(desk: Desk) -> None:
    """A residual current opens the relay at once, is counted, and is over when the car is unplugged."""
    await desk.plug("C", current_a=16.0)
    desk.board.set_fault(s.GFCI)
    assert not desk.board.core.relay_closed
    assert await desk.ask("GF") == "$OK 1 0 0"
    desk.board.set_fault(None)
    await asyncio.sleep(60.0)
    assert (await desk.ask("GS")).startswith("$OK 06")
    await desk.plug("A")
    assert (await desk.ask("GS")).startswith("$OK 01")


# -- session


@point()
async def session(desk: Desk) -> None:
    """Time, current and energy of a session are counted, and begin anew with the next car."""
    await desk.plug("C", 60.5, current_a=10.0)
    assert (await desk.ask("GS")).split()[2] == "60"
    assert await desk.ask("GG") == "$OK 10000 240000"
    joules, total_wh = map(int, (await desk.ask("GU")).split()[1:])
    assert joules == pytest.approx(10 * 240 * 60, rel=0.01)
    assert total_wh == joules // 3600
    await desk.plug("A")
    assert await desk.ask("GG") == "$OK 0 240000"
    await desk.plug("B")
    assert (await desk.ask("GU")).split()[1:] == ["0", str(total_wh)]


@point()
async def time_limit(desk: Desk) -> None:
    """A limit of time needs a car, ends the session, and is gone when the car is."""
    assert await desk.ask("S3 1") == "$NK"
    await desk.plug("C", current_a=10.0)
    assert await desk.ask("S3 1") == "$OK"
    assert await desk.ask("G3") == "$OK 1"
    await asyncio.sleep(897.0)
    assert (await desk.ask("GS")).startswith("$OK 03")
    await asyncio.sleep(10.0)
    assert (await desk.ask("GS")).startswith("$OK fe")
    await desk.plug("A")
    assert (await desk.ask("GS")).startswith("$OK 01")


@point()
async def energy_limit(desk: Desk) -> None:
    """A limit of energy ends the session when it is reached."""
    await desk.plug("C", current_a=10.0)
    assert await desk.ask("SH 1") == "$OK"
    await asyncio.sleep(1490.0)
    assert (await desk.ask("GS")).startswith("$OK 03")
    await asyncio.sleep(20.0)
    assert (await desk.ask("GS")).startswith("$OK fe")


@point()
async def authentication(desk: Desk) -> None:
    """Locked it stays in B without PWM; unlocked it charges."""
    assert await desk.ask("S4 1") == "$OK"
    await desk.plug("C")
    assert (await desk.ask("GS")).startswith("$OK 02")
    assert desk.board.pilot.level == "P12"
    assert await desk.ask("S4 0") == "$OK"
    await asyncio.sleep(1.0)
    assert (await desk.ask("GS")).startswith("$OK 03")


@point()
async def delay_timer(desk: Desk) -> None:
    """Within the hours of its timer it charges, outside it sleeps; without a clock no timer acts."""
    assert await desk.ask("GT") == "$OK 165 165 165 165 165 85"
    assert await desk.ask("ST 22 0 6 30") == "$OK"
    assert await desk.ask("GD") == "$OK 22 0 6 30"
    assert await desk.ask("S1 26 3 1 6 29 0") == "$OK"
    await desk.plug("C", 30.0)
    assert (await desk.ask("GS")).startswith("$OK 03")
    await asyncio.sleep(60.0)
    assert (await desk.ask("GS")).startswith("$OK fe")
    await asyncio.sleep(15.5 * 3600)
    assert (await desk.ask("GS")).startswith("$OK 03")


@point()
async def settings_that_only_answer(desk: Desk) -> None:
    """Ammeter, temperature limit and voltage are kept and told."""
    for given, asked, told in (
        ("SA 200 5", "GA", "$OK 200 5"),
        ("FO 705", "GO", "$OK 705"),
        ("SV 223576", "GG", "$OK 0 223576"),
        ("SK 1234", "GU", "$OK 0 1234"),
    ):
        assert await desk.ask(given) == "$OK"
        assert await desk.ask(asked) == told
    assert await desk.ask("GP") == "$OK -2560 250 -2560"


# -- heartbeat


@point()
async def heartbeat_falls_back(desk: Desk) -> None:
    """Without a pulse for the interval the current falls back; pulses are then refused until it is acknowledged."""
    await desk.plug("C")
    assert await desk.ask("SY 60 10") == "$OK 60 10 0"
    await asyncio.sleep(59.9)
    assert desk.board.core.capacity_a == 16
    await asyncio.sleep(0.2)
    assert desk.board.core.capacity_a == 10
    assert await desk.ask("SY") == "$NK 60 10 2"
    assert await desk.ask("SY 164") == "$NK 60 10 2"
    assert await desk.ask("SY 165") == "$OK 60 10 1"
    assert desk.board.core.capacity_a == 16
    assert await desk.ask("GY") == "$OK 60 10 1"


@point()
async def heartbeat_keeps_the_current(desk: Desk) -> None:
    """A pulse in time keeps the current."""
    await desk.ask("SY 60 10")
    for _ in range(5):
        await asyncio.sleep(50.0)
        assert await desk.ask("SY") == "$OK 60 10 0"
    assert desk.board.core.capacity_a == 16


@point()
async def heartbeat_is_kept_without_power(desk: Desk) -> None:
    """The interval outlives a boot, and can be ended."""
    await desk.ask("SY 60 10")
    await desk.board.power_cycle(1.0)
    await asyncio.sleep(62.0)
    assert desk.board.core.capacity_a == 10
    assert await desk.ask("SY 0 0") == "$OK 0 0 0"
    assert desk.board.core.capacity_a == 16


@point()
async def heartbeat_restores_the_saved_current(desk: Desk) -> None:
    """Acknowledging restores the saved current, not a volatile one."""
    await desk.ask("SC 12 V")
    await desk.ask("SY 10 6")
    await asyncio.sleep(11.0)
    await desk.ask("SY 165")
    assert (await desk.ask("GE")).split()[1] == "16"


@point()
async def heartbeat_of_long_interval(desk: Desk) -> None:
    """As described, 200 s are 200 s."""
    await desk.ask("SY 200 6")
    await asyncio.sleep(199.9)
    assert desk.board.core.capacity_a == 16
    await asyncio.sleep(0.2)
    assert desk.board.core.capacity_a == 6


@point(quirks=s.AVR)
async def heartbeat_of_sixteen_bits(desk: Desk) -> None:
    """Quirk: 100 s run out after 34.464 s, 120 s after 54.464 s, 200 s after 3.392 s; 65 s are right."""
    for interval_s, really_s in ((100, 34.464), (120, 54.464), (200, 3.392), (65, 65.0)):
        assert (await desk.ask(f"SY {interval_s} 6")).startswith("$OK")
        await asyncio.sleep(really_s - 0.01)
        assert desk.board.core.capacity_a == 16, interval_s
        await asyncio.sleep(0.02)
        assert desk.board.core.capacity_a == 6, interval_s
        await desk.ask("SY 0 0")
        await desk.ask("SY 165")
        await desk.ask("SC 16")


@point()
async def fallback_to_nothing(desk: Desk) -> None:
    """As described, a fallback of 0 A ends PWM, and the relay opens."""
    await desk.plug("C")
    await desk.ask("SY 10 0")
    await asyncio.sleep(11.0)
    assert (desk.board.pilot.level, desk.board.core.relay_closed) == ("P12", False)
    await desk.ask("SY 165")
    await asyncio.sleep(1.0)
    assert (desk.board.pilot.level, desk.board.core.relay_closed) == ("PWM", True)


@point(quirks=s.AVR)
async def fallback_to_nothing_is_six_ampere(desk: Desk) -> None:
    """Quirk: a fallback of 0 A is 6 A, and the car goes on charging."""
    await desk.plug("C")
    assert await desk.ask("SY 10 0") == "$OK 10 0 0"
    await asyncio.sleep(11.0)
    assert (desk.board.core.capacity_a, desk.board.core.relay_closed) == (6, True)


@point()
async def asleep_nothing_falls_back(desk: Desk) -> None:
    """The firmware looks at the heartbeat only while it is awake, and then at once."""
    await desk.plug("B")
    await desk.ask("SY 10 6")
    await desk.ask("FS")
    await asyncio.sleep(30.0)
    assert desk.board.core.capacity_a == 16
    await desk.ask("FE")
    assert desk.board.core.capacity_a == 6


# -- the list itself


@pytest.mark.parametrize("name", POINTS)
def test_the_emulator_keeps_the_point(name: str) -> None:
    """Each point of the list holds."""
    clock.run(judged(name))


def test_the_list_is_long_enough_and_says_what_it_asks() -> None:
    """At least 25 points, each with its sentence."""
    assert len(POINTS) >= 25
    assert all(body.__doc__ for body, _settings in POINTS.values())


def failing() -> set[str]:
    """The points that fail now."""
    failed = set()
    for name in POINTS:
        try:
            clock.run(judged(name))
        except (AssertionError, LookupError, ValueError):  # a wrong answer need not have the fields that are looked at
            failed.add(name)
    return failed


def _no_echo_of_the_id(text: str, _sequence: int = 0) -> bytes:
    return (checked(f"${text}") + "\r").encode()


WRONG: dict[str, tuple[Any, str, Any, set[str]]] = {
    "no sequence id comes back": (
        openevse,
        "framed",
        _no_echo_of_the_id,
        {"sequence_id_comes_back"},
    ),
    "a wrong checksum is taken": (
        openevse_rapi,
        "xor",
        lambda _data: 0,
        {"xor_checksum", "wrong_checksum", "sums_behind_the_sign_of_an_xor"},
    ),
    "the heartbeat never ends": (
        openevse_core.OpenEvse,
        "_supervision_ends",
        lambda _core: float("inf"),
        {"heartbeat_falls_back", "heartbeat_of_sixteen_bits", "fallback_to_nothing"},
    ),
    "no state is debounced": (openevse_core, "_debounce", lambda _state: 0.0, {"states_are_debounced"}),
    "a refused current is not told": (
        openevse_commands,
        "_set_hardware_max",
        lambda _board, _amps: (False, ""),
        {"maximum_is_set_once"},
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_the_list_finds_a_board_that_is_wrong(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A board that does one thing wrong fails the points that ask for it."""
    owner, name, instead, expected = WRONG[wrong]
    monkeypatch.setattr(owner, name, instead)
    assert expected <= failing()
