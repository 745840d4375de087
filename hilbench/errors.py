"""The errors of the bench, split by whose move is next.

    HilbenchError
    ├── InputError      a file or an argument is wrong: correct it and run again
    ├── DeviceError     a device or a link did not do what it must: look at the device
    └── ClockError      code misuses the bench's time: a bug in the code that awaits

A CLI command prints the message of any of these and exits; it never shows a traceback.
"""

from __future__ import annotations

from dataclasses import dataclass


class HilbenchError(Exception):
    """Base of all errors that the bench raises on purpose."""


class DeviceError(HilbenchError):
    """A device, real or emulated, failed or answered nonsense; the message names it."""


class ClockError(HilbenchError):
    """Code waits in a way that the loop's time cannot serve (deadlock, threads, real sockets)."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an input: where it is, what it is, and what to do about it."""

    where: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text} ({self.remedy})" if self.remedy else text


class InputError(HilbenchError):
    """An input cannot be used; ``problems`` lists everything found, not only the first."""

    def __init__(self, source: str, problems: list[Problem] | Problem | str) -> None:
        if isinstance(problems, str):
            problems = [Problem("", problems)]
        elif isinstance(problems, Problem):
            problems = [problems]
        self.source = source
        self.problems = problems
        super().__init__("\n".join(f"{source}: {problem}" for problem in problems))

    def __reduce__(self) -> tuple[type[InputError], tuple[str, list[Problem]]]:
        return type(self), (self.source, self.problems)
