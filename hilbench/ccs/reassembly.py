"""The bytes of TCP connections out of their segments: in order, once each, and what is missing (RFC 9293, recalled)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from hilbench.ccs.packets import SYN, End, Segment

PATIENCE = 64
"""Segments that may wait for a lost one before it is given up; a window of V2G holds a few."""
HALF, WHOLE = 1 << 31, 1 << 32


class Piece(NamedTuple):
    """Bytes of one direction in their order; ``lost`` tells how many are missing in front of them."""

    time_s: float
    source: End
    target: End
    data: bytes
    lost: int = 0


class _Direction:
    """What comes from one end to another."""

    def __init__(self) -> None:
        self.begun: int | None = None
        self.expected: int | None = None
        self.waiting: dict[int, Segment] = {}

    def take(self, segment: Segment) -> Iterator[Piece]:
        """Take a segment, and give what is now in order."""
        if segment.flags & SYN and segment.sequence != self.begun:
            yield from self.give_up()  # the ports are used again
            self.begun, self.expected = segment.sequence, (segment.sequence + 1) % WHOLE
        if not segment.payload:
            return
        if self.expected is None:
            self.expected = segment.sequence  # the recorder came late
        known = self.waiting.get(segment.sequence)
        if known is None or len(known.payload) < len(segment.payload):
            self.waiting[segment.sequence] = segment
        yield from self.ready()
        if len(self.waiting) > PATIENCE:
            yield from self.give_up()

    def ready(self, lost: int = 0) -> Iterator[Piece]:
        """Give what is in order; bytes that came before are left out."""
        while (segment := self._next()) is not None:
            assert self.expected is not None
            new = segment.payload[_ahead(self.expected, segment.sequence) :]
            if new:
                self.expected = (self.expected + len(new)) % WHOLE
                yield Piece(segment.time_s, segment.source, segment.target, new, lost)
                lost = 0

    def _next(self) -> Segment | None:
        """Take out a waiting segment that begins no later than what is expected."""
        assert self.expected is not None
        for sequence in self.waiting:
            if _ahead(self.expected, sequence) >= 0:
                return self.waiting.pop(sequence)
        return None

    def give_up(self) -> Iterator[Piece]:
        """Go on behind what is missing."""
        while self.waiting:
            assert self.expected is not None
            first = min(self.waiting, key=lambda sequence: -_ahead(self.expected or 0, sequence))
            lost = -_ahead(self.expected, first)
            self.expected = first
            yield from self.ready(lost)


def _ahead(expected: int, sequence: int) -> int:
    """How far ``expected`` is ahead of ``sequence``, around the end of the numbers."""
    return (expected - sequence + HALF) % WHOLE - HALF


def pieces(segments: Iterable[Segment]) -> Iterator[Piece]:
    """The bytes of all connections, in the order in which they could be read."""
    directions: dict[tuple[End, End], _Direction] = {}
    for segment in segments:
        direction = directions.setdefault((segment.source, segment.target), _Direction())
        yield from direction.take(segment)
    for direction in directions.values():
        yield from direction.give_up()
