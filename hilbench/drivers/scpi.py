"""A SCPI instrument: identified when it is opened, every error of its queue reported, in step after a time-out.

The same for oscilloscopes and generators of all makers; their dialects are in the modules beside.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from hilbench.drivers.scpi_reply import Bytes, Reply, ReplyError, block, text, until
from hilbench.drivers.scpi_wire import Wire, wire
from hilbench.errors import DeviceError

T = TypeVar("T")
ERROR_QUERY = "SYST:ERR?"
LONGEST_QUEUE = 10
"""Errors read from the queue at once [chosen]: an instrument that always has one more must not hold the bench."""
_ERROR = re.compile(r"(?::?\S+ )?([+-]?\d+)(?:$|,)")


@dataclass(frozen=True)
class Identity:
    """What ``*IDN?`` says of an instrument."""

    maker: str
    model: str
    serial: str = ""
    firmware: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.maker, self.model, self.serial, self.firmware) if part)


def identity(said: str) -> Identity:
    """Take an answer to ``*IDN?`` apart, with or without the header that Siglent sends; raises ``ReplyError``."""
    fields = [field.strip() for field in said.removeprefix("*IDN ").split(",")]
    if len(fields) < 2 or not all(fields[:2]):
        raise ReplyError(f"no identity: {said[:60]!r}")
    return Identity(*[*fields, "", ""][:4])


class ScpiInstrument:
    """The instrument ``name`` on a wire.

    A method that fails raises ``DeviceError`` with name, address, question and reason. A question without an answer
    takes at most 5 times the time-out of the wire: to wait for it, to get in step again (on the same connection, then
    on a new one, at most twice as long each), and to ask what was wrong.
    """

    def __init__(self, name: str, connection: Wire, *, error_query: str = ERROR_QUERY) -> None:
        self.name, self._wire, self._error_query = name, connection, error_query
        self.identity: Identity | None = None
        self._said = ""
        self._in_step, self._names_due = True, 0
        self._busy = asyncio.Lock()

    async def start(self) -> None:
        """Connect, identify, and empty the error queue; raises ``DeviceError`` when it does not answer sensibly.

        Does nothing when it is connected.
        """
        if self.identity is not None:
            return
        self._in_step, self._names_due = True, 0
        try:
            await self._wire.open()
            self._said = await self._wire.exchange(["*CLS", "*IDN?"], text())
            self.identity = identity(self._said)
        except (OSError, TimeoutError, ReplyError) as error:
            await self._wire.close()
            self.identity = None
            raise self.error("*IDN?", _reason(error), "check power, network, address and port") from None

    async def stop(self) -> None:
        """Disconnect."""
        self.identity = None
        await self._wire.close()

    async def find_queue(self, error_query: str) -> None:
        """Ask for errors with ``error_query`` from now on, or with none when it is not answered as a queue would.

        Several queries are separated by ``;``; the last one's answer is the error.
        """
        self._error_query = ""
        try:
            said = await self._answer(error_query, error_query.split(";"), _last(error_query.count(";")))
        except DeviceError:
            return
        if _ERROR.match(said):
            self._error_query = error_query
            await self.errors()

    async def get_in_step(self) -> None:
        """Ask who it is, and read on until it says so: one answer too many would be taken for the next one's.

        Raises ``DeviceError`` when it does not name itself any more.
        """
        async with self._busy:
            try:
                return await self._resynchronise()
            except (OSError, TimeoutError) as error:
                what = _reason(error)
        raise self.error("*IDN?", what, "check power and network")

    async def tell(self, *commands: str) -> None:
        """Send commands; raises ``DeviceError`` with what the error queue says of them."""
        async with self._busy:
            found = await self._errors(commands)
        if found:
            raise self.error(commands[0] if len(commands) == 1 else "the settings", "; ".join(found), "")

    async def ask(self, query: str, *before: str) -> str:
        """The text that answers ``query``, sent right after the commands ``before``."""
        return await self._answer(query, [*before, query], text())

    async def ask_block(self, query: str, count: int, *before: str) -> Bytes:
        """The ``count`` bytes of the block that answers ``query``, sent right after the commands ``before``."""
        return await self._answer(query, [*before, query], block(count))

    async def errors(self) -> list[str]:
        """Read the error queue until it is empty, and return what was in it."""
        async with self._busy:
            return await self._errors(())

    def misunderstood(self, query: str, why: ReplyError) -> DeviceError:
        """The error for an answer that makes no sense; the next question gets in step first, in case it was late."""
        self._in_step = False
        return self.error(query, str(why), "check that it is the right instrument, and its settings")

    def error(self, query: str, what: str, remedy: str = "") -> DeviceError:
        """The error that says what went wrong with ``query``, and where."""
        of = f" ({self.identity.model})" if self.identity else ""
        then = f" ({remedy})" if remedy else ""
        return DeviceError(f"instrument {self.name}{of} at {self._wire.address}: {query}: {what}{then}")

    async def _answer(self, query: str, lines: Sequence[str], reply: Reply[T]) -> T:
        async with self._busy:
            try:
                return await self._exchange(lines, reply)
            except (OSError, TimeoutError, ReplyError) as error:
                what = _reason(error) + await self._queue_says(error)
        raise self.error(query, what, "check that it is the right instrument, and its settings")

    async def _exchange(self, lines: Sequence[str], reply: Reply[T]) -> T:
        if not self._in_step:
            await self._resynchronise()
        self._in_step = False  # until the answer is complete, also when the wait for it is cancelled
        value = await self._wire.exchange(lines, reply)
        self._in_step = True
        return value

    async def _resynchronise(self) -> None:
        """Read on until the instrument names itself: what comes before that is late.

        First where the answer was expected, then after a device clear or on a new connection.
        """
        try:
            await self._name_itself()
        except (OSError, TimeoutError):
            await self._wire.recover()
            self._names_due = 0
            await self._name_itself()
        self._in_step = True

    async def _name_itself(self) -> None:
        self._names_due += 1  # an answer that was given up may still come, and would pass for this one
        await self._wire.exchange(["*IDN?"], until(self._said, self._names_due))
        self._names_due = 0

    async def _queue_says(self, error: Exception) -> str:
        """What the error queue adds to a failure: an unknown query is never answered, but is told there."""
        if not self._error_query or (isinstance(error, OSError) and not isinstance(error, TimeoutError)):
            return ""
        try:
            found = await self._errors(())
        except DeviceError:
            return "; it does not answer any more"
        return f"; its error queue says {'; '.join(found)}" if found else ""

    async def _errors(self, commands: Sequence[str]) -> list[str]:
        found: list[str] = []
        queries = self._error_query.split(";") if self._error_query else ["*OPC?"]
        try:
            said = await self._exchange([*commands, *queries], _last(len(queries) - 1))
            while self._error_query and not self._is_empty(said) and len(found) < LONGEST_QUEUE:
                found.append(said)
                said = await self._exchange(queries[-1:], text())
        except (OSError, TimeoutError, ReplyError) as error:
            raise self.error(queries[-1], _reason(error), "check that it is the right instrument") from None
        return found

    def _is_empty(self, said: str) -> bool:
        """``0,"No error"`` and its kin; Tektronix says 0 or 1 and ``queue empty`` (recalled)."""
        found = _ERROR.match(said)
        if found is None:
            self._in_step = False
            raise ReplyError(f"no entry of an error queue: {said[:60]!r}")
        return "QUEUE EMPTY" in said.upper() or int(found[1]) == 0


def _last(passed: int) -> Reply[str]:
    """The answer of a query, after ``passed`` answers of those before it."""
    for _ in range(passed):
        yield from text()
    return (yield from text())


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no complete answer in time"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def instrument(name: str, at: str | Wire | ScpiInstrument, timeout_s: float = 2.0, backend: str = "") -> ScpiInstrument:
    """The instrument ``name`` at a VISA resource or ``tcp://host:port``, on a wire, or one that there is already.

    Raises ``InputError`` for an address that is none.
    """
    if isinstance(at, ScpiInstrument):
        return at
    return ScpiInstrument(name, wire(at, timeout_s, backend) if isinstance(at, str) else at)
