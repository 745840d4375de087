"""The frames of one station: counted, named, and logged."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import IO, Any

from hilbench import clock

_REFUSALS = frozenset(
    {"Rejected", "NotSupported", "NotImplemented", "UnlockFailed", "UnknownMessageId", "UnknownVendorId", "Failed"}
)
_SHOWN = 100


@dataclass
class Traffic:
    """What went to and fro. ``last`` is the newest message; the lists say what was refused, and how."""

    sent: int = 0
    received: int = 0
    last: str = ""
    refused_here: list[str] = field(default_factory=list)
    refused_there: list[str] = field(default_factory=list)
    _asked: dict[tuple[str, str], str] = field(default_factory=dict)

    def see(self, direction: str, text: str) -> None:
        """Take note of a frame: ``in`` comes to the station, ``out`` goes from it."""
        if direction == "out":
            self.sent += 1
        else:
            self.received += 1
        frame = frame_of(text)
        if not isinstance(frame, list) or len(frame) < 3 or not isinstance(frame[1], str):
            self.last = f"{_ARROW[direction]} not an OCPP-J message"
        elif frame[0] in (2, 6):
            self.last = f"{_ARROW[direction]} {frame[2]}"
            self._asked[direction, frame[1]] = str(frame[2])
        else:
            self._answer(direction, frame)

    def _answer(self, direction: str, frame: list[Any]) -> None:
        action = self._asked.pop(("in" if direction == "out" else "out", frame[1]), "?")
        outcome = _outcome(frame)
        self.last = f"{_ARROW[direction]} {action}{f': {outcome}' if outcome else ''}"
        refused = self.refused_here if direction == "out" else self.refused_there
        if (frame[0] != 3 or outcome in _REFUSALS) and len(refused) < _SHOWN:
            refused.append(f"{action}: {outcome}")


_ARROW = {"in": "<", "out": ">"}


def _outcome(frame: list[Any]) -> str:
    """Status of an answer, code of an error."""
    if frame[0] != 3:
        return str(frame[2])
    body = frame[2] if isinstance(frame[2], dict) else {}
    info = body.get("idTagInfo") or body.get("idTokenInfo") or body
    return str(info.get("status", "")) if isinstance(info, dict) else ""


def frame_of(text: str) -> Any:
    """A frame as JSON data, or its text where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


class MessageLog:
    """Frames as JSON lines: time, station, direction, frame; each is on disk when the call returns.

    ``failed`` is why a line could not be written; after that none is, so that a log never has gaps.
    """

    def __init__(self, file: IO[str]) -> None:
        self.failed: OSError | None = None
        self._file = file

    def write(self, station: str, direction: str, text: str) -> None:
        """Log a frame."""
        moment = clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"time": moment, "station": station, "direction": direction, "frame": frame_of(text)}
        if self.failed is not None:
            return
        try:
            self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
            self._file.flush()
        except OSError as error:
            self.failed = error
