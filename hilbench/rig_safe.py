"""``[safe.NAME]`` of a rig: real devices that are made safe at every end of a run, in the order of the file."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from hilbench.drivers.line import line_address
from hilbench.safe_plan import SafeStep
from hilbench.site import Model, Number


def _line_address(value: str) -> str:
    line_address(value)
    return value


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("holds a character that ends or garbles a line; write the text alone, and `ending` beside it")
    return value


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(rf"{value!r} is no regular expression: {error}; write \ before ( ) [ + * ? . |") from None
    return value


LineAddress = Annotated[str, AfterValidator(_line_address)]
Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
Pattern = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_pattern)]


class SafeEntry(Model):
    """``[safe.NAME]``: a device that takes lines of text, and what makes it safe.

    ``address`` is ``tcp://HOST:PORT`` or a serial line, ``serial:///dev/ttyUSB0?baudrate=9600&parity=N``. ``send``
    makes it safe and is answered by ``expect`` (leave it out where nothing is); ``query`` then asks for its state, and
    the answer must be ``reads``. Both are regular expressions for the whole line. ``ending`` ends lines.

    ``wake_s`` is what a board needs that starts anew when its port is opened [s]. All of it, repeated until it is read
    back, may take ``timeout_s`` (policy-default: 5 s).
    """

    kind: Literal["line"] = "line"
    address: LineAddress
    send: Line
    expect: Pattern | None = None
    query: Line
    reads: Pattern
    ending: Literal["\n", "\r\n", "\r"] = "\n"
    wake_s: Annotated[Number, Field(ge=0, le=10)] = 0.0
    timeout_s: Annotated[Number, Field(ge=1, le=60)] = 5.0

    @model_validator(mode="after")
    def _can_fail(self) -> SafeEntry:
        if re.fullmatch(self.reads, self.query):
            raise ValueError(f"reads {self.reads!r} fits the query itself; an echo would count as safe, so narrow it")
        if self.wake_s >= self.timeout_s:
            raise ValueError("timeout_s leaves no time after wake_s; raise it")
        return self

    def step(self, role: str) -> SafeStep:
        """Its step of the plan."""
        options = self.model_dump(exclude={"kind", "address", "timeout_s"})
        return SafeStep(role, self.kind, self.address, options, self.timeout_s)


__all__ = ["SafeEntry"]
