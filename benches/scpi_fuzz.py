"""A million broken SCPI replies: a clear device error each time, in bounded time, and in step again afterwards.

``python benches/scpi_fuzz.py [replies] [conversations] [seed]`` has two parts. Replies: every answer that a driver of
four dialects reads is broken and read, which must end in a finite value, a refusal or a time-out. Conversations: the
drivers talk to emulated oscilloscopes and generators in virtual time, and one reply of every conversation is broken.
Wires are in memory: what is left of a reply stays there for the next question, as in a socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hilbench import clock
from hilbench.drivers.generator import Pulse, SignalGenerator
from hilbench.drivers.scope import Channel, Oscilloscope, Setup, dialect_of
from hilbench.drivers.scope_dialect import Scale
from hilbench.drivers.scpi import identity
from hilbench.drivers.scpi_reply import (
    LINE,
    LONGEST_LINE,
    Bytes,
    Reply,
    ReplyError,
    block,
    drive,
    drive_async,
    from_memory,
)
from hilbench.drivers.scpi_reply import text as reply_text
from hilbench.errors import DeviceError
from hilbench_emulators.function_generator import RigolDg800, SiglentSdg1000x
from hilbench_emulators.oscilloscope_dialect import OscilloscopeDialect
from hilbench_emulators.oscilloscope_keysight import KeysightDsox
from hilbench_emulators.oscilloscope_rigol import RigolDho800, RigolDs1000z
from hilbench_emulators.oscilloscope_siglent import SiglentSds
from hilbench_emulators.oscilloscope_tektronix import TektronixTbs

T = TypeVar("T")
Rng = random.Random
TIMEOUT_S = 1.0
LONGEST_S = 20.0
"""Bench time that a conversation may take: 5 time-outs of a question, and that of the record [chosen]."""
SCOPES = (RigolDs1000z, RigolDho800, SiglentSds, KeysightDsox, TektronixTbs)
GENERATORS = (RigolDg800, SiglentSdg1000x)
NUMBERS = [
    b"nan",
    b"inf",
    b"-inf",
    b"1e999",
    b"9.9E37",
    b"9.91E+37",
    b"-1",
    b"0",
    b"1e-320",
    b"",
    b"+",
    b"1.2.3",
    b"0x10",
]
TEXTS = [
    b"",
    b"\n",
    b"\n\n\n\n",
    b"\r\n",
    b"\x00\n",
    b"\xff\xfe\n",
    b"ERROR\n",
    b"#\n",
    b"#0\n",
    b"#9\n",
    b"#1",
    b"#91234",
]
TEXTS += [
    b"#A12\n",
    b"#9999999999\n",
    b"#9000000000\n",
    b"#10\n",
    b"##\n",
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"\x1b[2J\n",
]
TEXTS += [
    b"x" * (LONGEST_LINE + 5),
    b"1" * 400 + b"\n",
    b"," * 30 + b"\n",
    b'-113,"Undefined header"\n',
    "1,5 µV²\n".encode(),
]


def probe(t0_s: float, dt_s: float, count: int) -> NDArray[np.floating]:
    """A square wave of 10 kHz at 40 %, between the levels of a pilot in state C."""
    return np.where((t0_s + np.arange(count) * dt_s) * 10_000.0 % 1.0 < 0.4, 6.0, -12.0)


def dropped(_rng: Rng, _said: bytes) -> bytes:
    return b""


def cut(rng: Rng, said: bytes) -> bytes:
    return said[: rng.randrange(len(said) + 1)]


def changed(rng: Rng, said: bytes) -> bytes:
    at = _near_the_start(rng, said)
    return said[:at] + bytes([rng.randrange(256)]) + said[at + 1 :]


def inserted(rng: Rng, said: bytes) -> bytes:
    at = _near_the_start(rng, said)
    return said[:at] + rng.randbytes(rng.choice((1, 1, 2, 9))) + said[at:]


def removed(rng: Rng, said: bytes) -> bytes:
    at = _near_the_start(rng, said)
    return said[:at] + said[at + rng.choice((1, 1, 2, 9)) :]


def twice(_rng: Rng, said: bytes) -> bytes:
    return said + said


def text(rng: Rng, _said: bytes) -> bytes:
    return rng.choice(TEXTS)


def before(rng: Rng, said: bytes) -> bytes:
    return rng.choice(TEXTS) + said


def after(rng: Rng, said: bytes) -> bytes:
    return said + rng.choice(TEXTS)


def noise(rng: Rng, _said: bytes) -> bytes:
    return rng.randbytes(rng.choice((1, 3, 20, 300, 70_000)))


def shuffled(rng: Rng, said: bytes) -> bytes:
    fields = said.rstrip(b"\n").split(b",")
    rng.shuffle(fields)
    return b",".join(fields) + b"\n"


def renumbered(rng: Rng, said: bytes) -> bytes:
    fields = said.rstrip(b"\n").split(b",")
    fields[rng.randrange(len(fields))] = rng.choice(NUMBERS)
    return b",".join(fields) + b"\n"


def _near_the_start(rng: Rng, said: bytes) -> int:
    return rng.randrange(min(len(said), 24) if rng.random() < 0.7 else len(said)) if said else 0


MUTATIONS: tuple[Callable[[Rng, bytes], bytes], ...] = (
    *(dropped, cut, cut, changed, changed, changed, inserted, inserted, removed, removed),
    *(twice, text, text, before, after, noise, shuffled, renumbered, renumbered),
)


class MemoryWire:
    """A wire to an emulated instrument, whose ``broken``-th answer goes through a mutation; -1: none."""

    address = "memory"

    def __init__(self, instrument: Any, rng: Rng) -> None:
        self._instrument, self._rng = instrument, rng
        self.broken, self.count, self.mutation = -1, 0, ""
        self._left = bytearray()

    async def open(self) -> None:
        """Nothing to connect."""

    async def close(self) -> None:
        """Nothing to let go."""

    async def recover(self) -> None:
        """A new connection: what was left is gone."""
        self._left.clear()

    async def exchange(self, lines: Sequence[str], reply: Reply[T]) -> T:
        for line in lines:
            said = self._instrument.receive(line, clock.time())
            if said:
                self._left += self._broken(said)
        return await drive_async(reply, self._read)

    def _broken(self, said: bytes) -> bytes:
        self.count += 1
        if self.count - 1 != self.broken:
            return said
        mutation = self._rng.choice(MUTATIONS)
        self.mutation = mutation.__name__
        if self._rng.random() < 0.02:
            raise ConnectionResetError("the connection was closed")
        return mutation(self._rng, said)

    async def _read(self, need: int) -> Bytes:
        found = self._left.find(b"\n", 0, LONGEST_LINE) + 1 if need == LINE else need
        found = LONGEST_LINE if need == LINE and not found and len(self._left) >= LONGEST_LINE else found
        if not found or found > len(self._left):
            self._left.clear()  # as pyvisa-py does
            await asyncio.sleep(TIMEOUT_S)
            raise TimeoutError
        data = bytes(self._left[:found])
        del self._left[:found]
        return data


class ScopeTalk:
    """A conversation with an oscilloscope; ``honest`` is what it must give."""

    setup = Setup({1: Channel(-15.0, 15.0)}, 1e-3, 1e6)

    def __init__(self, instrument: Any) -> None:
        self.instrument = instrument({1: probe})

    async def say(self, wire: MemoryWire) -> Oscilloscope:
        device = Oscilloscope("scope", wire)
        await device.start()
        await device.set_up(self.setup)
        await self.judge(device)
        return device

    async def judge(self, device: Oscilloscope, honest: bool = False) -> None:
        record = (await device.single()).records[1]
        assert len(record.values) >= 1000
        assert np.isfinite(record.values).all()
        if honest:
            assert 0.3 < float((record.values > 0.0).mean()) < 0.5
            assert abs(float(record.values.max()) - 6.0) < 0.2
            assert abs(float(record.values.min()) + 12.0) < 0.2

    async def again(self, device: Oscilloscope, honest: bool = True) -> None:
        await device.set_up(self.setup)
        await self.judge(device, honest)


class GeneratorTalk:
    """A conversation with a generator."""

    wave = Pulse(1_000.0, 40.0, 10.0, -10.0)

    def __init__(self, instrument: Any) -> None:
        self.instrument = instrument()

    async def say(self, wire: MemoryWire) -> SignalGenerator:
        device = SignalGenerator("generator", wire)
        await device.start()
        await self.again(device)
        return device

    async def again(self, device: SignalGenerator, honest: bool = True) -> None:  # noqa: ARG002 - of oscilloscopes
        await device.pulse(self.wave)
        await device.output(True)
        await device.output(False)


Talk = ScopeTalk | GeneratorTalk


async def case(talk: Any, rng: Rng, answers: int) -> tuple[str, str]:
    """Break one of ``answers`` answers; which mutation, and ``refused`` with a device error or ``passed``."""
    wire = MemoryWire(talk.instrument, rng)
    wire.broken = rng.randrange(answers)
    began, device, why = clock.time(), None, ""
    try:
        device = await talk.say(wire)
    except DeviceError as error:
        why = str(error)
    assert device is not None or why.startswith("instrument "), why
    assert why.isprintable(), why
    assert len(why) < 2_000, why
    assert clock.time() - began < LONGEST_S, f"{wire.mutation}: took {clock.time() - began} s"
    if device is not None:
        wire.broken = -1
        await talk.again(device)
    return wire.mutation, "refused" if device is None else "passed"


async def recovers(talk: Any, rng: Rng) -> None:
    """After a broken answer, whatever came of it, the same connection gives the right record."""
    wire = MemoryWire(talk.instrument, rng)
    device = await talk.say(wire)
    wire.broken = wire.count + rng.randrange(wire.count)
    with contextlib.suppress(DeviceError):
        await talk.again(device, honest=False)
    wire.broken = -1
    await talk.again(device)


@dataclass(frozen=True)
class Reading:
    """Honest answers, and what a driver reads from them."""

    answers: tuple[bytes, ...]
    read: Callable[[], Reply[Any]]


def texts(count: int, meaning: Callable[[list[str]], object]) -> Callable[[], Reply[Any]]:
    """A reading of so many lines."""

    def read() -> Reply[Any]:
        said = []
        for _ in range(count):
            said.append((yield from reply_text()))  # noqa: PERF401 - a generator cannot yield in a comprehension
        return meaning(said)

    return read


def readings(kind: type[OscilloscopeDialect]) -> list[Reading]:
    """Everything that is read of an oscilloscope for one record."""
    scope = kind({1: probe})
    dialect = dialect_of(identity(scope.receive("*IDN?", 0.0).decode()))
    assert dialect is not None
    plan = dialect.plan(ScopeTalk.setup)
    choose, queries = dialect.describe(1, plan)
    *before, query = dialect.fetch(1, 0, min(plan.points, dialect.most_per_read))
    for line in [*dialect.set_up(ScopeTalk.setup, plan), *dialect.arm()]:
        scope.receive(line, 0.0)
    for line in [dialect.force, *choose]:
        scope.receive(line, 1.0)
    screen = (30.0 / dialect.divisions_y, 0.0)

    def honest(*lines: str) -> tuple[bytes, ...]:
        return tuple(filter(None, (scope.receive(line, 3.0) for line in lines)))

    def described(said: list[str]) -> Scale:
        scale = dialect.scale_of(said)
        dialect.check(scale, plan, screen)
        return scale

    def data() -> Reply[Any]:
        taken = yield from block(plan.points * np.dtype(dialect.dtype).itemsize)
        return dialect.volts(taken, scale)

    scale = drive(texts(len(queries), described)(), from_memory(b"".join(honest(*queries))))
    return [
        Reading(honest("*IDN?"), texts(1, lambda said: identity(said[0]))),
        Reading(honest(dialect.state), texts(1, lambda said: dialect.is_done(said[0]))),
        Reading(honest(*dialect.screen(1)), texts(len(dialect.screen(1)), dialect.screen_of)),
        Reading(honest(*queries), texts(len(queries), described)),
        Reading(honest(*before, query), data),
    ]


def broken_reading(reading: Reading, rng: Rng) -> str:
    """Break one of the answers: what comes of reading them."""
    answers = list(reading.answers)
    which = rng.randrange(len(answers))
    answers[which] = rng.choice(MUTATIONS)(rng, answers[which])
    try:
        value = drive(reading.read(), from_memory(b"".join(answers)))
    except ReplyError as error:
        assert str(error).isprintable(), error  # noqa: PT017 - any error may come, its text must do
        return "refused"
    except TimeoutError:
        return "timed out"
    if isinstance(value, np.ndarray):
        assert np.isfinite(value).all()
    return "read"


def replies(cases: int, seed: int) -> Counter[str]:
    """So many broken replies, one by one."""
    rng, found = Rng(seed), Counter[str]()
    known = [reading for kind in SCOPES for reading in readings(kind)]
    for number in range(cases):
        found[broken_reading(known[number % len(known)], rng)] += 1
    return found


async def length(talk: Any) -> int:
    """How many answers an honest conversation has."""
    wire = MemoryWire(talk.instrument, Rng(0))
    await talk.say(wire)
    return wire.count


async def fuzz(cases: int, seed: int) -> Counter[tuple[str, str]]:
    """So many broken replies over all instruments; counts by mutation and what came of it."""
    rng, found = Rng(seed), Counter[tuple[str, str]]()
    talks: list[Any] = [*map(ScopeTalk, SCOPES), *map(GeneratorTalk, GENERATORS)]
    lengths = [await length(talk) for talk in talks]
    for number in range(cases):
        which = number % len(talks)
        if number // len(talks) % 4 == 3:
            await recovers(talks[which], rng)
            found["any", "recovered"] += 1
        else:
            found[await case(talks[which], rng, lengths[which])] += 1
    return found


def main() -> int:
    given = [int(word) for word in sys.argv[1:]]
    single, cases, seed = (*given, *(1_000_000, 100_000, 1)[len(given) :])
    began = time.perf_counter()
    alone = replies(single, seed)
    print(f"{single} broken replies in {time.perf_counter() - began:.0f} s: {dict(alone)}")
    began = time.perf_counter()
    found = clock.run(fuzz(cases, seed))
    seconds = time.perf_counter() - began
    for (mutation, said), count in sorted(found.items()):
        print(f"{mutation:12} {said:10} {count:8}")
    print(f"{found.total()} broken conversations in {seconds:.0f} s: every one refused clearly, believed or got over")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
