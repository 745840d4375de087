"""A full valid payload for every message of every OCPP version, from the schemas that the ``ocpp`` package ships."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

from hilbench.ocppj import messages

STAMP = "2024-06-04T16:00:00.000Z"


def schemas(version: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(action, ``call`` or ``call_result``, schema) of each message, sorted by name."""
    told = messages(version)
    folder = resources.files(f"ocpp.{told.package}") / "schemas"
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if file.name.endswith(".json"):
            name = file.name.removesuffix(".json")
            kind = "call_result" if name.endswith("Response") else "call"
            action = name.removesuffix("Response") if kind == "call_result" else name.removesuffix(told.suffix)
            yield action, kind, json.loads(file.read_text("utf-8-sig"))


def sample(schema: dict[str, Any]) -> Any:
    """A value with every property that ``schema`` names."""
    return _value(schema, schema.get("definitions", {}))


def _value(node: dict[str, Any], known: dict[str, Any]) -> Any:
    if "$ref" in node:
        return _value(known[node["$ref"].rsplit("/", 1)[1]], known)
    if "enum" in node:
        return node["enum"][0]
    kind = node.get("type")
    if kind == "object" or "properties" in node:
        return {name: _value(inner, known) for name, inner in node.get("properties", {}).items()}
    if kind == "array":
        return [_value(node["items"], known)] * max(node.get("minItems", 1), 1)
    if kind == "string":
        return _text(node)
    if kind in ("integer", "number"):
        value = node.get("minimum", node.get("maximum", 3 if kind == "integer" else 16.1))
        return int(value) if kind == "integer" else float(value)
    return True if kind == "boolean" else "x"


def _text(node: dict[str, Any]) -> str:
    if node.get("format") == "date-time":
        return STAMP
    return "https://a.example"[: node.get("maxLength", 99)] if node.get("format") == "uri" else "x"
