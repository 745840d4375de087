"""Any device that takes lines of text, over TCP or a serial line: relay cards, power supplies, loads.

It is made safe by data alone: a line to send, and a question whose answer must say that it is safe.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hilbench.drivers.line import Line, line_address
from hilbench.errors import DeviceError

BAUDRATE = 9600
ANSWER_TIMEOUT_S = 1.0
"""How long a device may take to answer a line (policy-default)."""
CONNECT_TIMEOUT_S = 2.0
QUIET_S = 0.2
"""What comes within this time after the first answer is no answer to the query (policy-default)."""
_MOST = 65536


@dataclass(frozen=True)
class Order:
    """What is said to a device, and what it must answer.

    ``send`` makes it safe, and it answers ``expect`` (None: nothing is waited for). ``query`` asks what it is, and
    ``reads`` is the answer of a safe one. Both answers are regular expressions for a whole line without its ``ending``.
    ``wake_s`` is how long a board starts anew when its port is opened [s].
    """

    send: str
    query: str
    reads: str
    expect: str | None = None
    ending: str = "\n"
    wake_s: float = 0.0


async def make_safe(address: str, options: Mapping[str, Any]) -> str:
    """Make the device at ``address`` safe as the :class:`Order` of ``options`` says; returns the answer to its query.

    Raises ``DeviceError`` for a device that cannot be reached, does not answer, or answers something else.
    """
    order = Order(**options)
    talk = _Talk(address, order.ending)
    await talk.open()
    try:
        await talk.discard(order.wake_s)
        await talk.ask(order.send, order.expect)
        await talk.discard(QUIET_S)  # an echo or a late word is no read-back
        return await talk.ask(order.query, order.reads)
    finally:
        talk.close()


class _Talk:
    """Lines to and from a device."""

    def __init__(self, address: str, ending: str) -> None:
        self._address, self._ending = address, ending.encode()
        self._line = Line(address, line_address(address, address, BAUDRATE), self._hear, self._lose)
        self._heard = b""
        self._last, self._why = "", ""
        self._news = asyncio.Event()

    async def open(self) -> None:
        await self._line.open(CONNECT_TIMEOUT_S)

    def close(self) -> None:
        self._line.close()

    async def discard(self, seconds: float) -> None:
        """Let ``seconds`` pass, and forget what came until then."""
        await asyncio.sleep(seconds)
        self._heard = b""

    async def ask(self, line: str, wanted: str | None) -> str:
        """Send ``line``, wait for the answer that fits ``wanted``; lines that do not (echoes, reports) are passed over.

        None waits for nothing.
        """
        self._line.write(line.encode() + self._ending)
        if wanted is None:
            return ""
        self._last = ""
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                while not re.fullmatch(wanted, await self._next()):
                    pass
        except TimeoutError:
            what = f"answers {self._last!r} to {line!r}, not {wanted!r}" if self._last else f"no answer to {line!r}"
            raise DeviceError(f"{self._address}: {what}") from None
        return self._last

    async def _next(self) -> str:
        while self._ending not in self._heard:
            if self._why:
                raise DeviceError(f"{self._address}: {self._why}")
            self._news.clear()
            await self._news.wait()
        line, _, self._heard = self._heard.partition(self._ending)
        self._last = line.decode("utf-8", "replace").strip()
        return self._last

    def _hear(self, data: bytes) -> None:
        self._heard = (self._heard + data)[-_MOST:]
        self._news.set()

    def _lose(self, why: str) -> None:
        self._why = why
        self._news.set()
