"""The notation of the message tables: names, order, occurrence, types and ranges of one XML namespace as text.

A :class:`Table` has three texts. Continued lines begin with a space.

``simple``: one type a line::

    percentValueType = 0..100            a whole number
    faultMsgType = text 64               characters at most
    sessionIDType = bytes 8              bytes at most
    costKindType = one of A B C          a word, in this order

``complex``: one type a line; order is the order on the wire::

    PhysicalValueType = Multiplier:unitMultiplierType, Unit:unitSymbolType, Value:short
    ParameterType = @Name:string, (boolValue:boolean | byteValue:byte)     attribute, then one of two
    DC_EVChargeParameterType = ^EVChargeParameterType, DC_EVStatus:DC_EVStatusType     what extends another type
    MessageHeaderType = SessionID:sessionIDType, Signature?                a global element, or one in its place
    eMAIDType = @Id:string, .:text 15                                      text with an attribute
    SignatureMethodType = ~, @Algorithm:string, any*                       mixed with text, and any element

``?`` is none or one, ``*`` any number, ``+`` one or more, ``[1..8]`` that many. A range may stand for a type.

``elements``: global elements. ``Name`` is of the type ``NameType``, ``Name:Type`` of another; ``A, B < Head`` says that
they may stand where ``Head`` is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

TOKEN = re.compile(r"\s*(?:(\[\d+\.\.\d+\])|((?:text|bytes) \d+|-?\d+\.\.-?\d+|[A-Za-z_][\w-]*)|([@:.,|()?*+^~]))")
COUNTS: dict[str, tuple[int, int | None]] = {"?": (0, 1), "*": (0, None), "+": (1, None)}


@dataclass(frozen=True, slots=True)
class Table:
    """One XML namespace: its name, and its types and elements in the notation; ``own_attributes`` says that attributes
    belong to the namespace, and not to none."""

    uri: str
    simple: str = ""
    complex: str = ""
    elements: str = ""
    own_attributes: bool = False


@dataclass(frozen=True, slots=True)
class Simple:
    """A type without parts: whole numbers of ``low`` to ``high``, text and bytes of ``most`` (None: no limit)."""

    kind: Literal["boolean", "whole", "text", "bytes", "word"]
    low: int | None = None
    high: int | None = None
    most: int | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Leaf:
    """Something named in a type: an attribute, an element, a global element, the content itself, or anything."""

    kind: Literal["attribute", "element", "global", "content", "any"]
    name: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Parts one after another, or one of them."""

    parts: tuple[Part, ...]
    choice: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf or a group, and how often it may come (``most`` None: without end)."""

    term: Leaf | Group
    least: int = 1
    most: int | None = 1


@dataclass(frozen=True, slots=True)
class Complex:
    """A type with parts: what it extends, whether text may stand between them, attributes, content."""

    base: str = ""
    mixed: bool = False
    attributes: tuple[Part, ...] = ()
    content: Part = Part(Group(()))


@dataclass(frozen=True, slots=True)
class Element:
    """A global element: its type, and in whose place it may stand."""

    name: str
    type: str
    head: str = ""


BUILT_IN = {
    "boolean": Simple("boolean"),
    "byte": Simple("whole", -(2**7), 2**7 - 1),
    "short": Simple("whole", -(2**15), 2**15 - 1),
    "int": Simple("whole", -(2**31), 2**31 - 1),
    "long": Simple("whole", -(2**63), 2**63 - 1),
    "unsignedByte": Simple("whole", 0, 2**8 - 1),
    "unsignedShort": Simple("whole", 0, 2**16 - 1),
    "unsignedInt": Simple("whole", 0, 2**32 - 1),
    "unsignedLong": Simple("whole", 0, 2**64 - 1),
    "integer": Simple("whole"),
    "string": Simple("text"),
    "bytes": Simple("bytes"),
}
"""Types that need no line (XML Schema part 2 section 3, standard-text recalled)."""


def definitions(text: str) -> Iterator[tuple[str, str]]:
    """Name and definition of each line."""
    for line in re.sub(r"\n\s+", " ", text).splitlines():
        name, equals, definition = line.partition(" =")
        if equals:
            yield name, definition.strip()


def simple(definition: str) -> Simple:
    """A simple type from its definition; raises ValueError."""
    kind, _space, rest = definition.partition(" ")
    if kind == "one":
        return Simple("word", words=tuple(rest.split()[1:]))
    if definition in BUILT_IN:
        return BUILT_IN[definition]
    if kind in ("text", "bytes"):
        return Simple("text" if kind == "text" else "bytes", most=int(rest))
    low, high = definition.split("..")
    return Simple("whole", int(low), int(high))


def elements(text: str) -> Iterator[Element]:
    """Global elements of a table."""
    for line in re.sub(r"\n\s+", " ", text).splitlines():
        members, _less, head = line.partition(" < ")
        for member in filter(None, members.split(", ")):
            name, _colon, kind = member.strip().partition(":")
            yield Element(name, kind or f"{name}Type", head)


def complex_type(definition: str) -> Complex:
    """A type with parts from its definition; raises ValueError."""
    tokens = _Tokens(definition)
    parts = _sequence(tokens)
    if tokens.now:
        raise ValueError(f"{tokens.now!r} in {definition!r} is not expected")
    mixed = any(part.term == Leaf("any", "~") for part in parts)
    base = next((part.term.type for part in parts if isinstance(part.term, Leaf) and part.term.name == "^"), "")
    attributes = tuple(part for part in parts if isinstance(part.term, Leaf) and part.term.kind == "attribute")
    marks = [part for part in parts if isinstance(part.term, Leaf) and part.term.name in ("~", "^")]
    content = tuple(part for part in parts if part not in attributes and part not in marks)
    return Complex(base, mixed, attributes, Part(Group(content)))


class _Tokens:
    """The words of a definition, one at a time; ``now`` is empty at the end."""

    def __init__(self, definition: str) -> None:
        if TOKEN.sub("", definition).strip():
            raise ValueError(f"{TOKEN.sub('', definition)!r} in {definition!r} is no word of the notation")
        self._found = iter([match.group().strip() for match in TOKEN.finditer(definition)])
        self.now = next(self._found, "")

    def take(self) -> str:
        """Move on, and return what was there."""
        taken, self.now = self.now, next(self._found, "")
        return taken

    def accept(self, word: str) -> bool:
        """Move on if this word is there."""
        return self.now == word and bool(self.take())


def _sequence(tokens: _Tokens) -> tuple[Part, ...]:
    parts = [_part(tokens)] if tokens.now else []
    while tokens.accept(","):
        parts.append(_part(tokens))
    return tuple(parts)


def _part(tokens: _Tokens) -> Part:
    term: Leaf | Group = _group(tokens) if tokens.accept("(") else _leaf(tokens)
    if tokens.now in COUNTS:
        return Part(term, *COUNTS[tokens.take()])
    if tokens.now.startswith("["):
        least, most = tokens.take()[1:-1].split("..")
        return Part(term, int(least), int(most))
    return Part(term)


def _group(tokens: _Tokens) -> Group:
    parts = [_part(tokens)]
    choice = tokens.now == "|"
    while tokens.accept("|") or tokens.accept(","):
        parts.append(_part(tokens))
    if not tokens.accept(")"):
        raise ValueError("a group without its end")
    return Group(tuple(parts), choice)


def _leaf(tokens: _Tokens) -> Leaf:
    if tokens.accept("~"):
        return Leaf("any", "~")
    if tokens.accept("^"):
        return Leaf("any", "^", tokens.take())
    if tokens.accept("@"):
        return Leaf("attribute", *_named(tokens))
    if tokens.accept("."):
        tokens.accept(":")
        return Leaf("content", "value", tokens.take())
    name, kind = _named(tokens)
    if name == "any":
        return Leaf("any")
    return Leaf("element", name, kind) if kind else Leaf("global", name)


def _named(tokens: _Tokens) -> tuple[str, str]:
    name = tokens.take()
    if not name.isidentifier():
        raise ValueError(f"{name!r} is not a name")
    return name, tokens.take() if tokens.accept(":") else ""
