"""Broken lines, bytes and frames to both ends of every pilot board, in virtual time.

``python benches/board_fuzz.py [--count 1000000] [--seed 1]``. A share of the count goes to each target:

- ``board``: RAPI lines to an emulated OpenEVSE. Wrong is: an exception, more answers than lines, no answer to an honest
  question while it is up, PWM for a current outside 6 to 80 A, a closed relay or PWM in a state that has none.
- ``rapi``, ``simulator``, ``chargebyte``: a driver before a board that answers garbage. Wrong is: anything but an
  answer or a ``DeviceError`` that names the board, or an end later than the driver's time-out.

Ends with exit code 1 and the first faults when anything was wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from hilbench import clock
from hilbench.drivers.board import Board
from hilbench.drivers.chargebyte import ChargebyteDriver
from hilbench.drivers.ev_simulator import EvSimulatorDriver
from hilbench.drivers.openevse import OpenEvseDriver
from hilbench.errors import DeviceError
from hilbench_emulators import openevse_settings as s
from hilbench_emulators.chargebyte import frame
from hilbench_emulators.openevse_clock import DelayTimer
from hilbench_emulators.openevse_commands import HANDLERS, execute
from hilbench_emulators.openevse_core import OpenEvse
from hilbench_emulators.openevse_rapi import Receiver, framed
from hilbench_emulators.openevse_settings import Fault, Settings, Vehicle

Rng = random.Random
Faults = list[str]
TIMEOUT_S = 0.5
WORDS = [
    "0",
    "1",
    "6",
    "16",
    "80",
    "81",
    "165",
    "255",
    "256",
    "65535",
    "-1",
    "99999999999",
    "A",
    "V",
    "M",
    "",
    ":",
    "x",
]
PIECES = [b"$", b"\r", b"\n", b"^", b"*", b" ", b":", b"\x00", b"\xff", b"$OK", b"$NK", b"$AT", b"$AB 00 x", b"^21\r"]
REPORT = '{ state: "B", state_changes: 1000, low_count: 11744, high_count: 4256, min_volts: -11.9, max_volts: 8.9 }\r\n'


def broken(rng: Rng, data: bytes) -> bytes:
    """Something near ``data``, or far from it."""
    whole = bytearray(data)
    match rng.randrange(7):
        case 0:
            whole[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        case 1:
            del whole[rng.randrange(len(whole)) :]
        case 2:
            at = rng.randrange(len(whole))
            whole[at:at] = rng.choice(PIECES)
        case 3:
            del whole[: rng.randrange(len(whole))]
        case 4:
            whole = bytearray(rng.randbytes(rng.randrange(60)))
        case 5:
            whole = bytearray(b"".join(rng.choices(PIECES, k=rng.randrange(12))))
        case _:
            whole += rng.randbytes(rng.randrange(4))
    return bytes(whole)


# -- the emulated board


def line(rng: Rng) -> bytes:
    """A command, sound or broken."""
    name = rng.choice([*HANDLERS, "FR", "XX", "S5"])
    text = " ".join([name, *rng.choices(WORDS, k=rng.choice([0, 0, 1, 1, 2, 3, 5, 11]))])
    sound = framed(text, rng.choice([0, 1, 255]))
    return sound if rng.random() < 0.5 else broken(rng, sound)


def event(rng: Rng) -> Vehicle | Fault | None:
    """Something that happens to the board now and then."""
    if rng.random() < 0.1:
        return Vehicle(rng.choice("ABCDE"), rng.random() < 0.9, rng.choice([0.0, 0.5, 10.0, 80.0]))
    return Fault(rng.choice([None, None, *s.FAULTS])) if rng.random() < 0.01 else None


def unsound(core: OpenEvse) -> str:
    """What a board must never be."""
    if core.capacity_a > s.MOST_L2_A or (core.capacity_a < s.LEAST_A and core.pilot.level == "PWM"):
        return f"offers {core.capacity_a} A"
    # enabled while it waits for the car to stop, a board is in no state with its relay closed until the next one
    if core.relay_closed and core.is_up and core.state not in (s.C, s.SLEEPING, s.UNKNOWN):
        return f"relay closed in state {core.state:02x}"
    if core.pilot.level == "PWM" and core.is_up and core.state in (s.A, s.SLEEPING, s.DISABLED, *s.FAULTS):
        return f"PWM in state {core.state:02x}"
    return ""


def one_board(rng: Rng, count: int) -> Faults:
    """``count`` lines to one emulated board."""
    core = OpenEvse(Settings(quirks=rng.choice([s.AVR, frozenset()])), DelayTimer())
    receiver, t, faults = Receiver(), 0.0, list[str]()
    core.boot(t)
    for _ in range(count):
        data = line(rng)
        t += rng.choice([0.0, 0.01, 0.3, 5.0, 70.0])
        core.advance(t, event(rng))
        heard = receiver.feed(data)
        if len(heard) > data.count(b"\r"):
            faults.append(f"{data!r}: {len(heard)} answers")
        for one in heard:
            if one.tokens and one.tokens[0][:2] == "FR":
                core.restart()
            elif core.is_up:
                execute(core, one.tokens)
                core.look()
        if what := unsound(core):
            faults.append(f"{data!r}: {what}")
    if not receiver.feed(b"$GV^35\r"):
        faults.append("an honest question is not heard")
    return faults


def board(seed: int, count: int) -> Faults:
    """Many boards in turn."""
    rng, faults = Rng(seed), list[str]()
    while count > 0:
        faults += one_board(rng, min(count, 1000))
        count -= 1000
    return faults


# -- the drivers


class Garbage(asyncio.Protocol):
    """Answers whatever comes with the next of its garbage."""

    def __init__(self, answers: Callable[[bytes], bytes]) -> None:
        self._answers = answers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(self._answers(data))


async def tried(driver: Board, act: Callable[[], Awaitable[object]]) -> str:
    """What is wrong with one try."""
    started = clock.time()
    try:
        await act()
    except DeviceError as error:
        if not str(error).startswith(f"{driver.who}: "):
            return f"does not name the board: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "" if clock.time() - started <= TIMEOUT_S + 1e-6 else f"took {clock.time() - started:g} s"


async def attacked(driver: Board, act: Callable[[], Awaitable[object]], answers: Any, count: int) -> Faults:
    """A driver before a board that answers garbage."""
    loop, raised = asyncio.get_running_loop(), list[str]()
    loop.set_exception_handler(lambda _loop, context: raised.append(f"{context.get('exception')!r} in a callback"))
    async with await loop.create_server(lambda: Garbage(answers), "127.0.0.1", 5000):
        faults = [what for _ in range(count) if (what := await tried(driver, act))]
        driver.release()
    return faults + raised


def rapi(seed: int, count: int) -> Faults:
    """An OpenEVSE's driver asks; the answer is broken, and sometimes sound but nonsense."""
    rng = Rng(seed)

    def answers(data: bytes) -> bytes:
        number = int(data.rpartition(b":")[2][:2] or b"0", 16) if b":" in data else 0
        text = " ".join([rng.choice(["OK", "NK", "AT", "AB"]), *rng.choices(WORDS, k=rng.randrange(5))])
        sound = framed(text, rng.choice([number, number, 0, 1]))
        return sound if rng.random() < 0.3 else broken(rng, sound) * rng.choice([1, 1, 2])

    async def body() -> Faults:
        driver = OpenEvseDriver("fuzzed", "tcp://127.0.0.1:5000", timeout_s=TIMEOUT_S, attempts=1)
        acts: list[Callable[[], Awaitable[object]]] = [driver._state, driver.supervision, driver.enable]
        acts.append(lambda: driver.set_current(16))
        return await attacked(driver, lambda: rng.choice(acts)(), answers, count)

    return clock.run(body())


def simulator(seed: int, count: int) -> Faults:
    """An EV simulator's driver is told garbage whenever it waits for a report."""
    rng = Rng(seed)

    async def body() -> Faults:
        driver = EvSimulatorDriver("fuzzed", "tcp://127.0.0.1:5000", timeout_s=TIMEOUT_S)

        async def act() -> None:
            (await driver._connected()).write(b"A")
            await driver.read()

        return await attacked(driver, act, lambda _data: broken(rng, REPORT.encode()), count)

    return clock.run(body())


def chargebyte(seed: int, count: int) -> Faults:
    """A safety controller's driver gets broken frames."""
    rng = Rng(seed)

    async def body() -> Faults:
        driver = ChargebyteDriver("fuzzed", "tcp://127.0.0.1:5000", timeout_s=TIMEOUT_S)

        async def act() -> None:
            await driver._say()
            await driver.read()

        def answers(_data: bytes) -> bytes:
            sound = frame(rng.choice([7, 7, 7, 10, 255]), rng.getrandbits(64))
            return sound if rng.random() < 0.1 else broken(rng, sound)

        return await attacked(driver, act, answers, count)

    return clock.run(body())


TARGETS: dict[str, tuple[Callable[[int, int], Faults], float]] = {
    "board": (board, 0.4),
    "rapi": (rapi, 0.3),
    "simulator": (simulator, 0.15),
    "chargebyte": (chargebyte, 0.15),
}


def main() -> int:
    """Attack each target with its share."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    wrong = 0
    for name, (attack, share) in TARGETS.items():
        count, started = round(options.count * share), time.perf_counter()
        faults = attack(options.seed, count)
        took = time.perf_counter() - started
        wrong += len(faults)
        print(f"{name:11} {count:9,} lines  {len(faults)} faults  {took:6.1f} s  {count / took:9,.0f}/s", flush=True)
        for fault in faults[:5]:
            print(f"  {fault}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
