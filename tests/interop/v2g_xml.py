"""V2G messages as XML, made from the tables: what a codec that reads XML is given to encode."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from hilbench.ccs.exi import Schema, notation
from hilbench.ccs.exi.notation import Complex, Leaf, Part, Table

IN_HEX = {"sessionIDType", "evccIDType", "evseIDType"}
"""Types of bytes that are in hexadecimal digits; the others are in base64."""


class Document:
    """Writes messages of a schema whose tables are given."""

    def __init__(self, schema: Schema, *tables: Table) -> None:
        self._schema = schema
        self._types = {
            name: (table, notation.complex_type(text))
            for table in tables
            for name, text in notation.definitions(table.complex)
        }
        self._uris = {element.name: table.uri for table in tables for element in notation.elements(table.elements)}

    def of(self, name: str, body: dict[str, Any]) -> str:
        """A message with its header."""
        if not self._schema.wrapped:
            return self._element(name, self._uris[name], self._schema.elements[name].type, body)
        rest = {key: value for key, value in body.items() if key != "Header"}
        whole = {"Header": body["Header"], "Body": {name: rest}}
        return self._element("V2G_Message", self._schema.namespace, "V2G_MessageType", whole)

    def _element(self, name: str, uri: str, type_: str, value: Any) -> str:
        if type_ not in self._types:
            return f'<{name} xmlns="{uri}">{escape(_text(type_, value))}</{name}>'
        layers = list(self._layers(type_))
        attributes = "".join(_attributes(table, parts, value) for table, parts in layers)
        inner = "".join(self._part(table, parts.content, value) for table, parts in layers)
        return f'<{name} xmlns="{uri}"{attributes}>{inner}</{name}>'

    def _layers(self, type_: str) -> Iterator[tuple[Table, Complex]]:
        """A type and all that it extends, from the ground up."""
        table, parts = self._types[type_]
        if parts.base:
            yield from self._layers(parts.base)
        yield table, parts

    def _part(self, table: Table, part: Part, value: dict[str, Any]) -> str:
        if not isinstance(part.term, Leaf):
            return "".join(self._part(table, inner, value) for inner in part.term.parts)
        if part.term.kind == "content":
            return escape(_text(part.term.type, value["value"]))
        return "".join(self._leaf(table, part.term, value))

    def _leaf(self, table: Table, leaf: Leaf, value: dict[str, Any]) -> Iterator[str]:
        places = [(leaf.name, table.uri, leaf.type)]
        if leaf.kind == "global":
            members = self._schema.members(leaf.name)
            places = [(element.name, self._uris[element.name], element.type) for element in members]
        for name, uri, type_ in places:
            found = value.get(name, [])
            for inner in found if isinstance(found, list) else [found]:
                yield self._element(name, uri, type_, inner)


def _attributes(table: Table, parts: Complex, value: dict[str, Any]) -> str:
    space = f' xmlns:own="{table.uri}" own:' if table.own_attributes else " "
    leaves = [part.term for part in parts.attributes if isinstance(part.term, Leaf)]
    given = [leaf for leaf in leaves if leaf.name in value]
    return "".join(f"{space}{leaf.name}={quoteattr(_text(leaf.type, value[leaf.name]))}" for leaf in given)


def _text(type_: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.hex() if type_ in IN_HEX else base64.b64encode(value).decode()
    return str(value)
