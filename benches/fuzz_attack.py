"""One connection that sends hostile frames, answers what the target calls, and judges what comes back."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from benches.fuzz_frames import Frame
from benches.fuzz_judge import closing_fault, fault, outcome
from benches.fuzz_replies import Replies
from benches.fuzz_valid import PENDING

Link = ClientConnection | ServerConnection
BATCH = 50
PATIENCE_S = 120
"""A busy machine is no silent target."""
LONGEST, TOO_BIG = 2**20, 1009
"""Octets of the longest message that ``websockets`` takes unless told otherwise, and the code for a longer one."""


class Attack:
    """Frames against one target that speaks ``version``; ``probe`` is an action and a payload that it must answer.

    Goes on over as many connections as it takes; ``left`` frames are still to be judged.
    """

    def __init__(self, version: str, frames: Iterator[Frame], probe: tuple[str, Any], replies: Replies) -> None:
        self.version = version
        self.replies = replies
        self.left = 0
        self.outcomes: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.own: Counter[str] = Counter()
        self.closed: Counter[str] = Counter()
        self.faults: list[str] = []
        self._frames = frames
        self._probe = probe
        self._waiting: list[Frame] = []
        self._pending = "1"
        self._restarting = False
        self._counts = (0, 0)
        self._link: Link | None = None
        self._number = 0

    def add(self, count: int) -> None:
        """``count`` more frames."""
        self.left += count

    async def run(self, link: Link) -> None:
        """Until no frame is left or the target closes, which is judged too."""
        if link is not self._link:
            self._link, self._restarting = link, False
            self._counts = (self.replies.silent, self.replies.lied)
        try:
            while self.left:
                missing = min(BATCH, self.left) - len(self._waiting)
                self._waiting += (self._aimed(frame) for frame in islice(self._frames, max(0, missing)))
                await asyncio.wait_for(self._batch(link), PATIENCE_S)
        except ConnectionClosed as closed:
            self._judge_closing(closed)
        except TimeoutError:
            self._fault("no answer", self._waiting[0])
            self.left -= len(self._waiting)
            self._waiting.clear()

    def _aimed(self, frame: Frame) -> Frame:
        return replace(frame, text=frame.text.replace(PENDING, self._pending))

    def _judge_closing(self, closed: ConnectionClosed) -> None:
        silent, lied = self.replies.silent > self._counts[0], self.replies.lied > self._counts[1]
        long = next((one for one in self._waiting if len(one.text) > LONGEST), None)
        first = next(iter(self._waiting), None)
        found = closing_fault(closed, restarting=self._restarting, unanswered=silent, lied_to=lied)
        if long is not None and closed.rcvd is not None and closed.rcvd.code == TOO_BIG:
            self._waiting.remove(long)
            self._judge(long, ["closed"])
        elif found:
            self._fault(found, first)
            self.left -= len(self._waiting[:1])
            del self._waiting[:1]
        self.closed["restart" if self._restarting else str(closed.rcvd.code if closed.rcvd else 1006)] += 1

    async def _batch(self, link: Link) -> None:
        sending = asyncio.create_task(self._send(link, [(self._number + n, f) for n, f in enumerate(self._waiting)]))
        try:
            while self._waiting:
                answers = await self._answers(link)
                self._judge(self._waiting.pop(0), answers)
                self._number += 1
            await sending
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, link: Link, chosen: list[tuple[int, Frame]]) -> None:
        action, data = self._probe
        for number, frame in chosen:
            await deliver(link, frame)
            await link.send(json.dumps([2, f"alive{number}", action, data]))

    async def _answers(self, link: Link) -> list[str]:
        """What comes before the answer to the next probe."""
        answers: list[str] = []
        alive = (f'[3,"alive{self._number}"', f'[4,"alive{self._number}"')
        while True:
            text = str(await link.recv())
            if text.startswith(alive):
                return answers
            if text.startswith(("[3,", "[4,")):
                answers.append(text)
            else:
                await self.heard(link, text)

    async def heard(self, link: Link, text: str) -> tuple[str, Any]:
        """Answer a call of the target; its action and payload."""
        kind, unique_id, *rest = json.loads(text)
        if kind != 2:
            self.own[f"type {kind}"] += 1
            return "", None
        self._pending = unique_id
        self.own[rest[0]] += 1
        for reply in self.replies.to(unique_id, rest[0]):
            await link.send(reply)
        return rest[0], rest[1]

    def _judge(self, frame: Frame, answers: list[str]) -> None:
        self.left -= 1
        self.replies.lied += frame.kind == "answer"
        self.kinds[frame.kind] += 1
        self.outcomes[outcome(answers)] += 1
        text = frame.text
        if answers != ["closed"] and (found := fault(text, self.version, answers)):
            self._fault(found, frame)
        answered = bool(answers) and answers[0].startswith("[3")
        self._restarting |= answered and any(word in text for word in ('"Reset"', '"UpdateFirmware"'))

    def _fault(self, what: str, frame: Frame | None) -> None:
        about = "" if frame is None else f" to {frame.kind} by {frame.manner} {frame.text[:300]!r}"
        self.faults.append(f"{self.version}: {what}{about}")


async def deliver(link: Link, frame: Frame) -> None:
    """Send a frame in its manner."""
    text = frame.text
    if frame.manner == "binary":
        await link.send(text.encode())
    elif frame.manner == "fragments":
        step = max(1, len(text) // 3)
        await link.send([text[start : start + step] for start in range(0, len(text), step)] or [""])
    else:
        if frame.manner == "ping":
            await link.ping()
        await link.send(text)


BROKEN: dict[str, tuple[int, bytes | int, int]] = {
    "text that is no UTF-8": (0x81, b"\xff\xfe", 1007),
    "reserved bits": (0xF1, b"", 1002),
    "unknown opcode": (0x83, b"", 1002),
    "ping of 200 bytes": (0x89, b"p" * 200, 1002),
    "continues nothing": (0x80, b"", 1002),
    "2 MB announced": (0x81, 2 << 20, 1009),
    "close with 1 byte": (0x88, b"x", 1002),
    "wrong mask": (0x81, b"", 1002),
}
"""What is no WebSocket: first octet, content (or a length without content), and the code by which it is closed."""


def octets(what: str, *, masked: bool) -> bytes:
    """A broken frame, masked as a client must and a server must not; "wrong mask" is the other way round."""
    first, content, _code = BROKEN[what]
    masked = masked != (what == "wrong mask")
    size = content if isinstance(content, int) else len(content)
    flag = 0x80 if masked else 0
    length = bytes([flag | size]) if size < 126 else bytes([flag | 127]) + size.to_bytes(8, "big")
    body = b"" if isinstance(content, int) else content
    return bytes([first]) + length + (b"\0\0\0\0" if masked else b"") + body


async def break_websocket(link: Link, what: str) -> str:
    """Send a broken frame; what is wrong with how the target takes it."""
    link.transport.write(octets(what, masked=isinstance(link, ClientConnection)))
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                text = str(await link.recv())
                if not text.startswith("[2"):
                    return f"{what}: answered {text[:80]}"
    except TimeoutError:
        return f"{what}: not closed"
    except ConnectionClosed as closed:
        told = closed.rcvd
        return "" if told is not None and told.code == BROKEN[what][2] and told.reason else f"{what}: {closed}"
