"""``[safe.NAME]`` of a rig: real devices that are made safe at every end of a run, in the order of the file.

A new kind of device is a model here, joined to ``SafeEntry``, and a function in ``hilbench.safe_plan.KINDS``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from hilbench.drivers.line import line_address
from hilbench.drivers.scpi_wire import wire
from hilbench.errors import InputError
from hilbench.safe_plan import SafeStep
from hilbench.site import Integer, Model, Number


def _accepted(check: Callable[[str], object]) -> AfterValidator:
    """Accepts what a driver accepts as its address, in the driver's words."""

    def checked(value: str) -> str:
        try:
            check(value)
        except InputError as error:
            raise ValueError(f"{error.problems[0].what}; {error.problems[0].remedy}") from None
        return value

    return AfterValidator(checked)


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


BoardAddress = Annotated[str, _accepted(lambda text: line_address("", text, 9600))]
InstrumentAddress = Annotated[str, _accepted(wire)]
Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
Pattern = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_pattern)]
Timeout = Annotated[Number, Field(ge=1, le=60)]


class SafeDevice(Model):
    """What all tables ``[safe.NAME]`` have, beside ``kind`` and ``address``.

    Making it safe, repeated until it is read back, may take ``timeout_s`` in all (policy-default).
    """

    timeout_s: Timeout = 10.0


class SafeLine(SafeDevice):
    """``kind = "line"``, also without: a device that takes lines of text, and what makes it safe.

    ``address`` is ``tcp://HOST:PORT`` or a serial line, ``serial:///dev/ttyUSB0?baudrate=9600&parity=N``. ``send``
    makes it safe and is answered by ``expect`` (leave it out where nothing is); ``query`` then asks for its state, and
    the answer must be ``reads``. Both are regular expressions for the whole line. ``ending`` ends lines, ``wake_s`` is
    what a board needs that starts anew when its port is opened [s].
    """

    kind: Literal["line"] = "line"
    address: BoardAddress
    send: Line
    expect: Pattern | None = None
    query: Line
    reads: Pattern
    ending: Literal["\n", "\r\n", "\r"] = "\n"
    wake_s: Annotated[Number, Field(ge=0, le=10)] = 0.0
    timeout_s: Timeout = 5.0

    @model_validator(mode="after")
    def _can_fail(self) -> SafeLine:
        if re.fullmatch(self.reads, self.query):
            raise ValueError(f"reads {self.reads!r} fits the query itself; an echo would count as safe, so narrow it")
        if self.wake_s >= self.timeout_s:
            raise ValueError("timeout_s leaves no time after wake_s; raise it")
        return self


class SafeBoard(SafeDevice):
    """A pilot board: an OpenEVSE sleeps with its relay open, an EV simulator is unplugged, a chargebyte opens."""

    kind: Literal["openevse", "ev-simulator", "chargebyte"]
    address: BoardAddress


class SafeGenerator(SafeDevice):
    """A signal generator at ``tcp://HOST:PORT`` or a VISA resource: output ``channel`` is switched off."""

    kind: Literal["generator"]
    address: InstrumentAddress
    channel: Annotated[Integer, Field(ge=1, le=4)] = 1


def _line_by_default(value: Any) -> Any:
    return {"kind": "line", **value} if isinstance(value, dict) else value


SafeEntry = Annotated[
    SafeLine | SafeBoard | SafeGenerator, Field(discriminator="kind"), BeforeValidator(_line_by_default)
]


def safe_step(role: str, entry: SafeLine | SafeBoard | SafeGenerator) -> SafeStep:
    """The step of the plan that a table is."""
    options = entry.model_dump(exclude={"kind", "address", "timeout_s"})
    return SafeStep(role, entry.kind, entry.address, options, entry.timeout_s)


__all__ = ["SafeBoard", "SafeEntry", "SafeGenerator", "SafeLine", "safe_step"]
