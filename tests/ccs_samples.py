"""Bodies of V2G messages, drawn from the tables of a schema: whatever the schema allows, lists kept short."""

from __future__ import annotations

import string
from typing import Any

from hypothesis import strategies as st

from hilbench.ccs.exi import Schema, notation
from hilbench.ccs.exi.notation import Group, Leaf, Part, Simple

ABSTRACT = {
    "BodyElement",
    "SASchedules",
    "Entry",
    "TimeInterval",
    "EVSEStatus",
    "EVStatus",
    "EVChargeParameter",
    "EVSEChargeParameter",
    "EVPowerDeliveryParameter",
    "CLReqControlMode",
    "CLResControlMode",
}
"""Elements in whose place another must stand."""
RARE = {"KeyInfo", "Object", "XPath", "HMACOutputLength"}
"""Elements of a signature with mixed content around them, which V2G messages do not use."""
PLAIN = string.ascii_letters + string.digits + ":#/.-"
NOTHING = Part(Leaf("any"))
SHORT = 3
"""Entries of a list and characters of text without an end of their own, at most."""


def messages(schema: Schema, *, plain: bool = False) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """Name and body of any message.

    ``plain`` is what every codec takes: text of letters, digits and a few signs, nothing empty, no rare element.
    """
    return st.sampled_from(schema.messages).flatmap(
        lambda name: message(schema, name, plain=plain).map(lambda body: (name, body))
    )


def message(schema: Schema, name: str, *, plain: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    """The body of one message, its header included."""
    drawn = value(schema, schema.elements[name].type, plain)
    if not schema.wrapped:
        return drawn
    header = value(schema, "MessageHeaderType", plain)
    return st.tuples(header, drawn).map(lambda pair: {"Header": pair[0], **pair[1]})


def value(schema: Schema, type_: str, plain: bool) -> st.SearchStrategy[Any]:
    """A value of a type."""
    return _structure(schema, type_, plain) if type_ in schema.structures else _simple(schema, type_, plain)


def _simple(schema: Schema, type_: str, plain: bool) -> st.SearchStrategy[Any]:
    spec: Simple = schema.simple.get(type_) or notation.simple(type_)
    most = SHORT if spec.most is None else spec.most
    match spec.kind:
        case "boolean":
            return st.booleans()
        case "word":
            return st.sampled_from(spec.words)
        case "text":
            return st.text(PLAIN, min_size=1, max_size=most) if plain else st.text(max_size=most)
        case "bytes":
            return st.binary(min_size=int(plain), max_size=most)
    return st.integers(spec.low, spec.high)


@st.composite
def _structure(draw: st.DrawFn, schema: Schema, type_: str, plain: bool) -> dict[str, Any]:
    parts = schema.structures[type_]
    body: dict[str, Any] = {}
    for part in (*parts.attributes, parts.content):
        _draw_part(draw, schema, part, plain, body, within=False)
    return body


def _draw_part(draw: st.DrawFn, schema: Schema, part: Part, plain: bool, body: dict[str, Any], within: bool) -> None:
    if plain and isinstance(part.term, Leaf) and part.term.name in RARE:
        return
    most = part.least + SHORT if part.most is None else part.most
    repeats = within or part.most != 1
    for _ in range(draw(st.integers(part.least, min(most, max(part.least, SHORT))))):
        if isinstance(part.term, Leaf):
            _draw_leaf(draw, schema, part.term, plain, body, repeats)
            continue
        for inner in _chosen(draw, part.term):
            _draw_part(draw, schema, inner, plain, body, repeats)


def _chosen(draw: st.DrawFn, group: Group) -> tuple[Part, ...]:
    if not group.choice:
        return group.parts
    return (draw(st.sampled_from([part for part in group.parts if part.term != Leaf("any")] or [NOTHING])),)


def _draw_leaf(draw: st.DrawFn, schema: Schema, leaf: Leaf, plain: bool, body: dict[str, Any], repeats: bool) -> None:
    if leaf.kind == "any":
        return
    name, type_ = leaf.name, leaf.type
    if leaf.kind == "global":
        allowed = [element for element in schema.members(name) if element.name not in ABSTRACT]
        element = draw(st.sampled_from(allowed))
        name, type_ = element.name, element.type
    drawn = draw(value(schema, type_, plain))
    if repeats:
        body.setdefault(name, []).append(drawn)
    else:
        body[name] = drawn


def physical(value: int, unit: str, multiplier: int = 0) -> dict[str, Any]:
    """A PhysicalValue."""
    return {"Multiplier": multiplier, "Unit": unit, "Value": value}


def current_demand() -> dict[str, Any]:
    """A CurrentDemandReq with all that it may have, good for DIN 70121 and ISO 15118-2."""
    return {
        "Header": {"SessionID": bytes(range(8))},
        "DC_EVStatus": {"EVReady": True, "EVErrorCode": "NO_ERROR", "EVRESSSOC": 44},
        "EVTargetCurrent": physical(125, "A"),
        "EVMaximumVoltageLimit": physical(4100, "V", -1),
        "EVMaximumCurrentLimit": physical(200, "A"),
        "EVMaximumPowerLimit": physical(5000, "W", 1),
        "BulkChargingComplete": False,
        "ChargingComplete": False,
        "RemainingTimeToFullSoC": physical(1200, "s"),
        "RemainingTimeToBulkSoC": physical(600, "s"),
        "EVTargetVoltage": physical(4000, "V", -1),
    }
