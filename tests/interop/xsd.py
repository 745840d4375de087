"""Schema files read into the structures of our message tables, so that the tables can be compared with them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path

from hilbench.ccs.exi.notation import BUILT_IN, Complex, Element, Group, Leaf, Part, Simple

XS = "{http://www.w3.org/2001/XMLSchema}"
SAME = {
    "hexBinary": "bytes",
    "base64Binary": "bytes",
    "anyURI": "string",
    "ID": "string",
    "IDREF": "string",
}
"""Types of XML Schema that are one to us."""


@dataclass
class Found:
    """What a schema file declares."""

    uri: str
    own_attributes: bool
    simple: dict[str, Simple] = field(default_factory=dict)
    complex: dict[str, Complex] = field(default_factory=dict)
    elements: dict[str, Element] = field(default_factory=dict)


def read(path: Path) -> Found:
    """The declarations of one file."""
    root = ET.parse(path).getroot()
    found = Found(root.get("targetNamespace", ""), root.get("attributeFormDefault") == "qualified")
    for node in root.findall(f"{XS}simpleType"):
        found.simple[node.attrib["name"]] = _simple(node)
    for node in root.findall(f"{XS}complexType"):
        found.complex[node.attrib["name"]] = _complex(node)
    for node in root.findall(f"{XS}element"):
        name, inner = node.attrib["name"], node.find(f"{XS}complexType")
        if inner is not None:
            found.complex[f"{name}Type"] = _complex(inner)
        kind = f"{name}Type" if inner is not None else _local(node.attrib["type"])
        found.elements[name] = Element(name, kind, _local(node.get("substitutionGroup", "")))
    return found


def _local(name: str) -> str:
    plain = name.rpartition(":")[2]
    return SAME.get(plain, plain)


def _simple(node: ET.Element) -> Simple:
    restriction = node.find(f"{XS}restriction")
    assert restriction is not None
    base = BUILT_IN[_local(restriction.attrib["base"])]
    facets = {facet.tag.removeprefix(XS): facet.attrib["value"] for facet in restriction}
    words = tuple(facet.attrib["value"] for facet in restriction if facet.tag == f"{XS}enumeration")
    if words:
        return Simple("word", words=words)
    if base.kind == "whole":
        low, high = facets.get("minInclusive", base.low), facets.get("maxInclusive", base.high)
        return Simple("whole", None if low is None else int(low), None if high is None else int(high))
    most = facets.get("maxLength", facets.get("length"))
    return Simple(base.kind, most=None if most is None else int(most))


def _complex(node: ET.Element) -> Complex:
    mixed = node.get("mixed") == "true"
    content = node.find(f"{XS}complexContent")
    value = node.find(f"{XS}simpleContent")
    inner = content if content is not None else value
    extension = None if inner is None else inner.find(f"{XS}extension")
    holder = node if extension is None else extension
    attributes = tuple(_attribute(found) for found in holder.findall(f"{XS}attribute"))
    base = "" if extension is None else _local(extension.attrib["base"])
    if value is not None:
        return Complex("", mixed, attributes, Part(Group((Part(Leaf("content", "value", base)),))))
    parts: tuple[Part, ...] = ()
    for group in holder:
        if group.tag == f"{XS}sequence":
            own = _part(group)
            assert isinstance(own.term, Group)
            parts = own.term.parts if (own.least, own.most) == (1, 1) else (own,)
        elif group.tag == f"{XS}choice":
            parts = (_part(group),)
    return Complex(base, mixed, attributes, Part(Group(parts)))


def _attribute(node: ET.Element) -> Part:
    kind = _local(node.attrib["type"])
    return Part(Leaf("attribute", node.attrib["name"], kind), int(node.get("use") == "required"))


def _part(node: ET.Element) -> Part:
    least, most = int(node.get("minOccurs", "1")), node.get("maxOccurs", "1")
    limits = (least, None if most == "unbounded" else int(most))
    tag = node.tag.removeprefix(XS)
    if tag in ("sequence", "choice"):
        parts = tuple(_part(child) for child in node if child.tag != f"{XS}annotation")
        return Part(Group(parts, tag == "choice" and len(parts) > 1), *limits)
    if tag == "any":
        return Part(Leaf("any"), *limits)
    if "ref" in node.attrib:
        return Part(Leaf("global", _local(node.attrib["ref"])), *limits)
    inner = node.find(f"{XS}simpleType")
    if inner is not None:
        spec = _simple(inner)
        return Part(Leaf("element", node.attrib["name"], f"{spec.low}..{spec.high}"), *limits)
    return Part(Leaf("element", node.attrib["name"], _local(node.attrib["type"])), *limits)
