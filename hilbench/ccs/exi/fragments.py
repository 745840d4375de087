"""Single elements as EXI fragments, as signatures need them (EXI 1.0 sections 8.4.2 and 8.5.3, standard-text recalled;
the bytes are compared with EXIficient's)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hilbench.ccs.exi.bits import Writer
from hilbench.ccs.exi.errors import ExiError
from hilbench.ccs.exi.notation import Simple
from hilbench.ccs.exi.schema import HEADER, Fragment, Schema
from hilbench.ccs.exi.values import codec

TEXT = codec(Simple("text"), 0)


def encode_fragment(schema: Schema, name: str, body: Any) -> bytes:
    """One element alone; raises ExiError.

    An element that has different types in different places, such as the eMAID of ISO 15118-2, goes by a grammar that
    fits all of them; of those, text with attributes is covered.
    """
    found = [fragment for fragment in schema.fragments if fragment.name == name]
    if len(found) != 1:
        raise ExiError(f"{schema.title} has {'more than one element' if found else 'no element'} {name}")
    last = len(schema.fragments) + 1  # the end comes behind all elements and any other
    writer = Writer()
    writer.bits(8, HEADER)
    try:
        _element(writer, schema, found[0], last.bit_length(), body)
    except ExiError as error:
        error.inside(name)
        raise
    writer.bits(last.bit_length(), last)
    return writer.finished()


def _element(writer: Writer, schema: Schema, fragment: Fragment, width: int, body: Any) -> None:
    if len(fragment.types) == 1:
        (type_,) = fragment.types
        schema.codec(type_).write(writer, width, fragment.code, body)
        return
    writer.bits(width, fragment.code)
    if not isinstance(body, Mapping) or "value" not in body:
        raise ExiError("has more than one type here, of which only text with attributes is covered", writer.position)
    attributes, elements = len(schema.attributes), len(schema.fragments)
    text = attributes + elements + 3  # behind attributes, any other, elements, any other, the end
    for name, value in sorted(body.items()):
        if name != "value":
            TEXT.write(writer, (text + 1).bit_length(), _attribute(schema, fragment, name), value)
    TEXT.write(writer, (text + 1).bit_length(), text, body["value"])
    end = elements + 1  # behind elements and any other; characters follow
    writer.bits((end + 2).bit_length(), end)


def _attribute(schema: Schema, fragment: Fragment, name: str) -> int:
    """The event code of an attribute of one of the types."""
    for code, ((known, _uri), types) in enumerate(schema.attributes.items()):
        if known == name and types & fragment.types:
            return code
    raise ExiError(f"{name}: no such attribute here")
