"""Captures of charging sessions: pcap, pcapng, or lines of text, to the messages in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from hilbench.ccs import pcap
from hilbench.ccs.packets import Datagram, Segment, packet
from hilbench.ccs.pcap import CaptureError
from hilbench.ccs.reassembly import Piece, pieces
from hilbench.ccs.session import Entry, Listener, of_lines

HEX = re.compile(r"(?:^|\s)(?:0x)?((?:[0-9A-Fa-f]{2}){3,}|[0-9A-Fa-f]{2}(?:[ :][0-9A-Fa-f]{2}){2,})$")
CLOCK = re.compile(r"(\d{1,2}):(\d{2}):(\d{2}(?:[.,]\d+)?)")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?")
SECONDS = re.compile(r"(\d+(?:\.\d+)?)(?=\s|$)")


def entries(data: bytes) -> list[Entry]:
    """The messages of a capture in the order of time; raises CaptureError when it is none, or is damaged."""
    if pcap.is_capture(data):
        found = list(_of_frames(data))
        return sorted(found, key=lambda entry: entry.time_s)
    return list(of_lines(_lines(data)))


def _of_frames(data: bytes) -> Iterator[Entry]:
    listener = Listener()
    packets = [found for frame in pcap.frames(data) if (found := packet(frame)) is not None]
    for found in packets:
        if isinstance(found, Datagram):
            yield from listener.hear_datagram(found)
    for piece in _pieces(packets):
        yield from listener.hear(piece)


def _pieces(packets: list[Segment | Datagram]) -> Iterator[Piece]:
    return pieces(found for found in packets if isinstance(found, Segment))


def _lines(data: bytes) -> Iterator[tuple[float, bytes]]:
    """Time and bytes of each line; empty lines and those that begin with # are passed over."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CaptureError(f"neither pcap, pcapng nor text (byte {error.start})") from None
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield _line(number, stripped)


def _line(number: int, line: str) -> tuple[float, bytes]:
    """A time (of the day, since 1970, or in seconds; 0 without one), any words, and bytes in hexadecimal digits."""
    time_s, rest = _time(line)
    found = HEX.search(rest)
    if found is None:
        raise CaptureError(f"line {number}: no bytes in hexadecimal digits at its end; wanted is [TIME] [WORDS] HEX")
    return time_s, bytes.fromhex(re.sub("[ :]", "", found[1]))


def _time(line: str) -> tuple[float, str]:
    if found := DATE.match(line):
        return _since_1970(found[0]), line[found.end() :].strip()
    if found := CLOCK.match(line):
        hours, minutes, seconds = int(found[1]), int(found[2]), float(found[3].replace(",", "."))
        return 3600.0 * hours + 60.0 * minutes + seconds, line[found.end() :].strip()
    found = SECONDS.match(line)
    if found and line[found.end() :].strip():
        return float(found[1]), line[found.end() :].strip()
    return 0.0, line


def _since_1970(text: str) -> float:
    try:
        when = datetime.fromisoformat(text.replace(",", "."))
    except ValueError:
        raise CaptureError(f"{text} is no date and time") from None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
