"""What an emulated SCPI instrument understands: headers in long and short form, in any case, and an error queue.

A command is ``HEADER arguments`` or ``HEADER? arguments``; several in one line are separated by ``;``, and one without
a leading colon goes on from the node of the one before it (SCPI 1999 volume 1, 6.2.4; recalled).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from functools import cache

QUEUE = 20
"""Errors that the queue keeps [chosen]."""
NO_ERROR = '0,"No error"'
UNDEFINED, OUT_OF_RANGE, ILLEGAL, MISSING = (
    '-113,"Undefined header"',
    '-222,"Data out of range"',
    '-224,"Illegal parameter value"',
    '-109,"Missing parameter"',
)
Answer = str | bytes | None
Handler = Callable[[tuple[int, ...], str], Answer]
_TOKEN = re.compile(r"[A-Za-z0-9_]+|<n>|[\[\]:*?]")
_NUMBER = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?)\s*([GMkKmun]?)(?:V|S|s|HZ|Hz)?")
_PREFIXES = {"G": 1e9, "M": 1e6, "k": 1e3, "K": 1e3, "m": 1e-3, "u": 1e-6, "n": 1e-9, "": 1.0}


class RefusedError(Exception):
    """A command that the instrument does not carry out; the text goes to its error queue."""


@cache
def header(pattern: str) -> re.Pattern[str]:
    """The headers that ``pattern`` stands for: ``:TIMebase[:MAIN]:SCALe?``, with ``<n>`` for a number (1 if left out).

    Capitals are the short form; nothing between the two forms is accepted.
    """
    parts = []
    for token in _TOKEN.findall(pattern):
        short = "".join(letter for letter in token if not letter.islower())
        parts.append(
            {"<n>": r"([0-9]{0,3})", "[": "(?:", "]": ")?", "*": r"\*", "?": r"\?"}.get(token)
            or (f"(?:{token}|{short})" if token[0].isalpha() else token)
        )
    return re.compile("".join(parts).replace(":", ":?", 1) if pattern.startswith(":") else "".join(parts), re.I)


class ScpiTree:
    """The commands of one instrument, called by header."""

    def __init__(self) -> None:
        self.errors: deque[str] = deque(maxlen=QUEUE)
        self._handlers: list[tuple[re.Pattern[str], Handler]] = []
        self._known: dict[str, tuple[Handler, tuple[int, ...]] | None] = {}

    def add(self, pattern: str, handler: Handler) -> None:
        """Call ``handler(numbers, arguments)`` for headers of ``pattern``; what it returns is the answer."""
        self._handlers.append((header(pattern), handler))

    def handle(self, line: str) -> list[str | bytes]:
        """The answers to one line; what cannot be carried out is in the error queue."""
        found, node = [], ""
        for command in filter(None, (part.strip() for part in line.split(";"))):
            head, _, arguments = command.partition(" ")
            if not head.startswith((":", "*")) and node:
                head = f"{node}:{head}"
            node = node if head.startswith("*") else head.rpartition(":")[0]
            answer = self._call(head, arguments.strip())
            if answer is not None:
                found.append(answer)
        return found

    def next_error(self, _numbers: tuple[int, ...] = (), _arguments: str = "") -> str:
        """The oldest error, which is taken out of the queue."""
        return self.errors.popleft() if self.errors else NO_ERROR

    def _call(self, head: str, arguments: str) -> Answer:
        found = self._find(head)
        if found is None:
            self.errors.append(UNDEFINED)
            return None
        handler, numbers = found
        try:
            return handler(numbers, arguments)
        except RefusedError as refused:
            self.errors.append(str(refused))
            return None

    def _find(self, head: str) -> tuple[Handler, tuple[int, ...]] | None:
        if head not in self._known:
            matches = ((handler, pattern.fullmatch(head)) for pattern, handler in self._handlers)
            self._known[head] = next(
                ((handler, tuple(int(n or 1) for n in match.groups())) for handler, match in matches if match), None
            )
        return self._known[head]


def real(arguments: str, low: float = -1e12, high: float = 1e12) -> float:
    """A number with or without a unit; raises ``RefusedError`` for none, or one outside ``low`` to ``high``."""
    found = _NUMBER.fullmatch(arguments)
    if not arguments:
        raise RefusedError(MISSING)
    if found is None:
        raise RefusedError(ILLEGAL)
    value = float(found[1]) * _PREFIXES[found[2]]
    if not low <= value <= high:
        raise RefusedError(OUT_OF_RANGE)
    return value


def choice(arguments: str, *words: str) -> str:
    """The one of ``words`` (capitals are the short form) that is meant, in capitals; raises ``RefusedError``."""
    for word in words:
        if arguments.upper() in (word.upper(), "".join(letter for letter in word if not letter.islower())):
            return word.upper()
    raise RefusedError(ILLEGAL if arguments else MISSING)


def switch(arguments: str) -> bool:
    """ON, OFF, 1 or 0; raises ``RefusedError``."""
    return choice(arguments, "ON", "OFF", "1", "0") in ("ON", "1")
