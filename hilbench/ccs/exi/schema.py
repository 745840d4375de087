"""Schemas: the tables of an EXI grammar put together, and its documents and fragments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from hilbench.ccs.exi import notation
from hilbench.ccs.exi.grammar import many, start
from hilbench.ccs.exi.notation import BUILT_IN, Complex, Element, Group, Leaf, Part, Simple, Table
from hilbench.ccs.exi.structure import Structure
from hilbench.ccs.exi.values import Codec, codec

HEADER = 0x80
"""First byte of every V2G message: EXI version 1 without options (EXI 1.0 section 5, standard-text recalled)."""
ENVELOPE, ANY_MESSAGE = "V2G_Message", "BodyElement"
"""What DIN 70121 and ISO 15118-2 wrap their messages in, and the element of its body in whose place a message stands
(read in the schemas of the package ``iso15118``)."""


class Root(NamedTuple):
    """An element that a document may begin with."""

    name: str
    code: int
    codec: Codec


class Fragment(NamedTuple):
    """An element that a fragment may begin with, and all types that it has at one place or another."""

    name: str
    code: int
    types: frozenset[str]


class Schema:
    """The messages of one namespace; nothing is worked out before it is used."""

    def __init__(self, title: str, *tables: Table) -> None:
        self.title = title
        self.namespace = tables[0].uri
        self._tables = tables
        self._codecs: dict[tuple[str, int, int], Codec] = {}

    def __repr__(self) -> str:
        return f"<Schema {self.title}>"

    @cached_property
    def simple(self) -> dict[str, Simple]:
        """Simple types by name."""
        lines = (line for table in self._tables for line in notation.definitions(table.simple))
        return BUILT_IN | {name: notation.simple(definition) for name, definition in lines}

    @cached_property
    def structures(self) -> dict[str, Complex]:
        """Types with parts by name, each with the parts of the types that it extends."""
        lines = (line for table in self._tables for line in notation.definitions(table.complex))
        own = {name: notation.complex_type(definition) for name, definition in lines}
        return {name: _whole(type_, own) for name, type_ in own.items()}

    @cached_property
    def elements(self) -> dict[str, Element]:
        """Global elements by name, in the order of event codes: by name, then by namespace."""
        found = [(element.name, table.uri, element) for table in self._tables for element in _elements(table)]
        return {name: element for name, _uri, element in sorted(found, key=lambda entry: entry[:2])}

    @property
    def wrapped(self) -> bool:
        """Whether messages are in an envelope."""
        return ENVELOPE in self.elements

    @cached_property
    def messages(self) -> tuple[str, ...]:
        """Names of the messages."""
        if self.wrapped:
            return tuple(element.name for element in self.members(ANY_MESSAGE) if element.name != ANY_MESSAGE)
        return tuple(name for name in self.elements if name.endswith(("Req", "Res")))

    def members(self, head: str) -> list[Element]:
        """The elements that may stand in the place of a global element, itself included."""
        return [element for element in self.elements.values() if head in self._heads(element)]

    def _heads(self, element: Element) -> Iterator[str]:
        yield element.name
        if element.head:
            yield from self._heads(self.elements[element.head])

    def codec(self, type_: str, frame: int = 1, lead: int = 0) -> Codec:
        """How a type is read and written (see :mod:`hilbench.ccs.exi.values`); raises KeyError."""
        key = (type_, frame, lead)
        found = self._codecs.get(key)
        if found is None:
            found = self._codecs[key] = self._make(*key)
        return found

    def structured(self, type_: str) -> bool:
        """Whether a type has parts."""
        return type_ in self.structures

    def _make(self, type_: str, frame: int, lead: int) -> Codec:
        if type_ in self.structures:
            parts = self.structures[type_]
            structure = Structure(start(parts, self.members), many(parts, self.members), self)
            return Codec(structure.read, structure.write)
        return codec(self.simple.get(type_) or notation.simple(type_), frame, lead)

    @cached_property
    def documents(self) -> dict[str, Root]:
        """What a message may begin with."""
        return {
            element.name: Root(element.name, code, self.codec(element.type))
            for code, element in enumerate(self.elements.values())
        }

    @cached_property
    def by_code(self) -> dict[int, Root]:
        """What a message may begin with, by event code."""
        return {root.code: root for root in self.documents.values()}

    @cached_property
    def fragments(self) -> tuple[Fragment, ...]:
        """What a fragment may begin with: every element that is declared anywhere, by name, then by namespace."""
        types: dict[tuple[str, str], set[str]] = {}
        for table in self._tables:
            for name, type_ in _declared(table):
                types.setdefault((name, table.uri), set()).add(type_)
        return tuple(
            Fragment(name, code, frozenset(types[name, uri])) for code, (name, uri) in enumerate(sorted(types))
        )

    @cached_property
    def attributes(self) -> dict[tuple[str, str], frozenset[str]]:
        """All attributes by name and namespace, in the order of event codes, with the types that have them."""
        types: dict[tuple[str, str], set[str]] = {}
        for table in self._tables:
            for type_, definition in notation.definitions(table.complex):
                for part in notation.complex_type(definition).attributes:
                    assert isinstance(part.term, Leaf)
                    key = (part.term.name, table.uri if table.own_attributes else "")
                    types.setdefault(key, set()).add(type_)
        return {key: frozenset(types[key]) for key in sorted(types)}


def _elements(table: Table) -> Iterator[Element]:
    return notation.elements(table.elements)


def _whole(type_: Complex, types: Mapping[str, Complex]) -> Complex:
    """A type with what it inherits in front of its own."""
    if not type_.base:
        return type_
    base = _whole(types[type_.base], types)
    content = Part(Group((base.content, type_.content)))
    return Complex("", base.mixed or type_.mixed, (*base.attributes, *type_.attributes), content)


def _declared(table: Table) -> Iterator[tuple[str, str]]:
    """Name and type of every element of a namespace."""
    yield from ((element.name, element.type) for element in _elements(table))
    for _name, definition in notation.definitions(table.complex):
        yield from _leaves(notation.complex_type(definition).content)


def _leaves(part: Part) -> Iterable[tuple[str, str]]:
    if isinstance(part.term, Leaf):
        return [(part.term.name, part.term.type)] if part.term.kind == "element" else []
    return [leaf for inner in part.term.parts for leaf in _leaves(inner)]
