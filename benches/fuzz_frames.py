"""Hostile frames for an end of OCPP of any version: broken JSON, wrong frames, and payloads wild within their schemas.

``hostile`` yields them without end; the same seed yields the same. ``PENDING`` in a text stands for the id of the
target's own last call.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benches.fuzz_valid import PENDING, directed
from tests.ocpp_samples import sample, schemas

Rng = random.Random
JUNK: list[Any] = [None, True, False, 0, -1, 2, 3.0, 1e308, 10**30, 2**63, 5e-324]
JUNK += ["", "x", "\ud800", "\0", "é" * 40, "v" * 3000, [], {}]
JUNK += [[[]], {"": ""}, {"a": {"a": {"a": []}}}, "2024-06-04T16:00:00Z", "NaN", float("nan"), float("inf")]
TEXTS = ["", " ", "{", "[]", "[[", "null", "5", '"', "[2", "\ufeff[2]", "9" * 5000]
TEXTS += ["[" * 5000, "[2," * 300, '{"a":' * 900, "[2,3", "{}", "[-0]", "\x00"]
TEXTS += ['[2,"x","Heartbeat",{}', '[2,"x","Heartbeat",{"a":1,"a":2}]', "[NaN]", "[Infinity,1]", "[1e400]", "[true]"]
PIECES = ['"', "[", "]", "{", "}", ",", ":", "-", "9", "null", "1e9", "\\u0000", "\\ud800", "\x07", "é", "😀"]
DATES = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]
DATES += ["2024-02-30T00:00:00Z", "1970-01-01T00:00:00Z", "2024-06-04T16:00:00", "yesterday", "2030-06-04T24:00:00Z"]
WHOLE = [0, 1, 1, 2, -1, 3, 60, 86_400, 2**31 - 1, 2**31, -(2**31), 2**63, -(2**63), 10**18]
REAL: list[float] = [0.0, 1.0, 6.0, 16.0, 32.5, -1.0, 0.1, 0.05, 5e-324, 1e-9, 1e18, 1e308, -1e308]
WORDS = ["", "x", "A", "1", "-1", "16", "TAG-A", "1e999", "NaN", "é😀", "\0", "../x", "http://a.example/f", "null"]


@dataclass(frozen=True)
class Frame:
    """What is sent, and how: ``text``, ``binary``, ``fragments`` or after a ``ping``; ``kind`` says what it is."""

    kind: str
    text: str
    manner: str = "text"


def payload(version: str, action: str, kind: str = "call") -> Any:
    """A full payload of a message."""
    return sample(schema_of(version, action, kind))


_SCHEMAS: dict[str, dict[tuple[str, str], Any]] = {}


def schema_of(version: str, action: str, kind: str = "call") -> Any:
    """The schema of a message; raises ``KeyError`` where the version has none."""
    if version not in _SCHEMAS:
        _SCHEMAS[version] = {(action, kind): schema for action, kind, schema in schemas(version)}
    return _SCHEMAS[version][action, kind]


def wild(rng: Rng, schema: dict[str, Any]) -> Any:
    """A payload that its schema mostly permits, of what nobody expects."""
    return _wild(rng, schema, schema.get("definitions", {}), 0)


def _wild(rng: Rng, node: dict[str, Any], known: dict[str, Any], depth: int) -> Any:
    if "$ref" in node:
        return _wild(rng, known[node["$ref"].rsplit("/", 1)[1]], known, depth)
    if "enum" in node:
        return rng.choice(node["enum"]) if rng.random() < 0.99 else rng.choice(WORDS)
    if node.get("type") == "object" or "properties" in node:
        return _object(rng, node, known, depth)
    if node.get("type") == "array":
        return [_wild(rng, node["items"], known, depth) for _ in range(_length(rng, node, depth))]
    return _scalar(rng, node)


def _object(rng: Rng, node: dict[str, Any], known: dict[str, Any], depth: int) -> dict[str, Any]:
    needed = node.get("required", ())
    share = 0.6 / (depth + 1)
    named = node.get("properties", {}).items()
    return {name: _wild(rng, one, known, depth + 1) for name, one in named if name in needed or rng.random() < share}


def _length(rng: Rng, node: dict[str, Any], depth: int) -> int:
    most: int = min(node.get("maxItems", 100), 100 if depth < 2 else 4)
    least: int = node.get("minItems", 0)
    return max(least, min(most, rng.choice([1, 1, 1, 1, 2, 3, 100 if rng.random() < 0.05 else 2])))


def _scalar(rng: Rng, node: dict[str, Any]) -> Any:
    kind = node.get("type")
    if kind == "boolean":
        return rng.random() < 0.5
    if kind in ("integer", "number"):
        return _clipped(rng.choice(WHOLE if kind == "integer" else [*REAL, *WHOLE]), node)
    if node.get("format") == "date-time":
        return rng.choice(DATES)
    word = rng.choice([*WORDS, "x" * rng.choice([20, 36, 255, 2500])])
    return word[: node.get("maxLength", 5000)]


def _clipped(value: Any, node: dict[str, Any]) -> Any:
    return max(node.get("minimum", value), min(value, node.get("maximum", value)))


def _nodes(data: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    pairs = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in pairs:
        found.append((data, key))
        if isinstance(value, dict | list):
            found += _nodes(value)
    return found


def replaced(rng: Rng, text: str) -> str:
    """A part of the frame is something else, or gone, or there under a wrong name too."""
    data = json.loads(text)
    owner, key = rng.choice(_nodes(data))
    if rng.random() < 0.2:
        del owner[key]
    elif rng.random() < 0.2 and isinstance(owner, dict):
        owner[str(key) + rng.choice(["", "_", "X"])] = rng.choice(JUNK)
    elif rng.random() < 0.02 and isinstance(owner[key], list):
        owner[key] *= 10_000 // max(1, len(str(owner[key])) // 80)
    else:
        owner[key] = rng.choice(JUNK)
    return json.dumps(data)


def edited(rng: Rng, text: str) -> str:
    """A few characters are others."""
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(text) + 1)
        text = text[:start] + rng.choice(PIECES) + text[start + rng.randrange(6) :]
    return text


def framed(rng: Rng, text: str) -> str:
    """Another type, id, action or number of parts around the payload."""
    parts: list[Any] = json.loads(text)
    parts[0] = rng.choice([2, 2, 3, 4, 5, 6, 7, 0, -2, 2.0, 10**20, "2", None, [], {}])
    if rng.random() < 0.5:
        parts[1] = rng.choice(["x", "", "i" * 36, "i" * 37, 5, None, ["x"]])
    if rng.random() < 0.5:
        parts[2] = rng.choice(["Nonsense", "../Heartbeat", "__class__", "", "Authorize", "a" * 5000, 7, None])
    return json.dumps(parts[: rng.choice([1, 2, 3, 4, 4, 4])] + [{}] * rng.choice([0, 0, 0, 1]))


def deep(rng: Rng, text: str) -> str:
    """Nested up to where parsers and validators give up."""
    depth = rng.randint(1, 1200)
    inner = "[" * depth + "]" * depth if rng.random() < 0.5 else '{"a":' * depth + "1" + "}" * depth
    return text.replace("{", '{"customData":' + inner + ",", 1)


def answer(rng: Rng) -> str:
    """A CALLRESULT, CALLERROR or one of the types of 2.1 that nobody asked for, or for the call that is pending."""
    unique_id = rng.choice([PENDING, PENDING, "999999", str(rng.randrange(1, 500)), "", None])
    kind = rng.choice([3, 3, 3, 4, 4, 5])
    errors: list[list[Any]] = [["InternalError", "", {}], ["Nonsense"], [{}, []], []]
    tail = [rng.choice(JUNK)] if kind == 3 else rng.choice(errors)
    return json.dumps([kind, unique_id, *tail])


MUTATIONS: Sequence[Callable[[Rng, str], str]] = (replaced, replaced, edited, framed, deep)


def hostile(seed: int, version: str, actions: Sequence[str], role: str, sends: Sequence[str] = ()) -> Iterator[Frame]:
    """Frames without end for an end that answers ``actions``, and takes note of ``sends``; ``role``: see `directed`."""
    rng = random.Random(f"{seed} {version} {role}")
    aimed = directed(rng, version, role)
    while True:
        action = rng.choice([*actions, *sends])
        kind = 6 if action in sends or rng.random() < 0.01 else 2
        chance = rng.random()
        if chance < 0.05:
            frame = Frame("text", rng.choice(TEXTS))
        elif chance < 0.10:
            frame = Frame("answer", answer(rng))
        elif chance < 0.35:
            good = json.dumps([kind, "x", action, wild(rng, schema_of(version, action))])
            frame = Frame("wild", good)
        elif chance < 0.55:
            full = ("full", json.dumps([2, "x", action, payload(version, action)]))
            frame = Frame(*(next(aimed) if role else full))
        else:
            way = rng.choice(MUTATIONS)
            good = json.dumps([kind, "x", action, payload(version, action)])
            frame = Frame(way.__name__, way(rng, good))
        yield _mannered(rng, frame)


def _mannered(rng: Rng, frame: Frame) -> Frame:
    return replace(frame, manner=rng.choice(["text"] * 17 + ["binary", "fragments", "ping"]))
