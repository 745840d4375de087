"""Serves an emulated SCPI instrument on a TCP socket, with the habits of real ones.

On a virtual loop the socket is in memory, so that a driver reads in virtual time what a rig does.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from hilbench import clock
from hilbench.errors import DeviceError

_PIECE = 1 << 18
_LONGEST_LINE = 1 << 16


class Instrument(Protocol):
    """What can be served: it answers lines."""

    def receive(self, line: str, t: float) -> bytes:
        """The answer to ``line`` at bench time ``t`` [s]; empty when there is none."""
        ...


@dataclass
class Habits:
    """How the instrument's connection behaves; may be changed while it runs.

    ``reply_delay_s`` passes before each answer. ``piece`` bytes go out at a time (0: as many as fit). After
    ``silent_after`` more answers it says nothing any more, and after ``close_after`` more it hangs up in the middle of
    one (None: never). ``one_connection`` refuses a second client while the first is there.
    """

    reply_delay_s: float = 0.0
    piece: int = 0
    silent_after: int | None = None
    close_after: int | None = None
    one_connection: bool = False


class ScpiServer:
    """Serves ``instrument`` at ``host``:``port``; port 0 takes a free one, which ``port`` tells after ``start``."""

    def __init__(
        self, name: str, instrument: Instrument, *, host: str = "127.0.0.1", port: int = 0, habits: Habits | None = None
    ) -> None:
        self.name, self.host, self.port = name, host, port
        self.habits = habits or Habits()
        self._instrument = instrument
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen; raises ``DeviceError`` when the port is not free."""
        if self._server is not None:
            return
        try:
            self._server = await asyncio.start_server(self._serve, self.host, self.port, limit=_LONGEST_LINE)
        except OSError:
            where = f"{self.host}:{self.port}"
            raise DeviceError(
                f"instrument {self.name}: cannot listen at {where}: choose another port or host"
            ) from None
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            server, self._server = self._server, None
            server.close()
            for writer in list(self._writers):
                writer.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._writers and self.habits.one_connection:
            writer.close()
            return
        self._writers.add(writer)
        try:
            while line := await reader.readline():
                await self._answer(line.decode("ascii", "replace").strip(), writer)
        except (OSError, ValueError):
            return  # the client is gone, or sent a line that is too long
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, line: str, writer: asyncio.StreamWriter) -> None:
        reply = self._instrument.receive(line, clock.time())
        if not reply:
            return
        habits = self.habits
        if habits.reply_delay_s:
            await asyncio.sleep(habits.reply_delay_s)
        habits.silent_after, silent = _counted(habits.silent_after)
        habits.close_after, closes = _counted(habits.close_after)
        if closes:
            await self._send(reply[: len(reply) // 2], writer)
            raise ConnectionAbortedError
        if not silent:
            await self._send(reply, writer)

    async def _send(self, reply: bytes, writer: asyncio.StreamWriter) -> None:
        piece = self.habits.piece or _PIECE
        view = memoryview(reply)
        for start in range(0, len(view), piece):
            writer.write(view[start : start + piece])
            await writer.drain()
            if self.habits.piece:
                await asyncio.sleep(0)


def _counted(left: int | None) -> tuple[int | None, bool]:
    """How many answers are left, and whether this one is past them."""
    if left is None:
        return None, False
    return max(left - 1, 0), left == 0
