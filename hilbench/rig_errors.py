"""From a file that does not fit to problems that a person can mend: key path, line, what is wrong, what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from hilbench.errors import Problem
from hilbench.tomlfile import in_words

Location = tuple[int | str, ...]

_HEADER = re.compile(r"^\s*(\[{1,2})\s*([^\[\]]+?)\s*\]{1,2}\s*(?:#.*)?$")


def key_path(location: Iterable[int | str]) -> str:
    """``station[3].connection`` for ``("station", 3, "connection")``; list items count from 0, as in JSON."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def line_of(text: str, location: Location) -> int | None:
    """Line of a key in the text of a TOML file, or of the table that should hold it; None when not found."""
    lines = text.splitlines()
    found: int | None = None
    for cut in range(len(location), 0, -1):
        start = _table_line(lines, location[:cut])
        if start is None:
            continue
        found = start
        for offset, line in enumerate(lines[start:], start + 1):
            if _HEADER.match(line):
                break
            if cut < len(location) and re.match(rf"\s*[\"']?{re.escape(str(location[cut]))}[\"']?\s*[.=]", line):
                return offset
        return found
    return found


def _table_line(lines: list[str], location: Location) -> int | None:
    """1-based line of the header of a table such as ("meter", "service") or ("station", 3)."""
    name = ".".join(str(part) for part in location if isinstance(part, str))
    index = location[-1] if isinstance(location[-1], int) else 0
    for number, line in enumerate(lines, 1):
        header = _HEADER.match(line)
        if header and re.sub(r"[\s\"']", "", header[2]) == name:
            if index == 0:
                return number
            index -= 1
    return None


def problems_of(error: ValidationError, model: type[BaseModel], data: Mapping[str, Any], text: str) -> list[Problem]:
    """Every error of a validation as a problem with its key path and, where it can be found, its line."""
    problems: dict[Problem, None] = {}
    for details in error.errors(include_url=False):
        location = file_location(tuple(part for part in details["loc"] if part != "[key]"), data)
        problems[_problem(details, location, model, text)] = None
    return list(problems)


def file_location(loc: Location, data: Mapping[str, Any]) -> Location:
    """The location in the file: union tags are no keys, and merged defaults belong to their own table."""
    defaults = data.get("station_defaults")
    if len(loc) > 2 and loc[0] == "station" and isinstance(defaults, dict):
        index, key = loc[1], loc[2]
        if key in defaults and key not in data["station"][index]:
            return ("station_defaults", *loc[2:])
    if len(loc) > 1 and loc[0] == "controller" and loc[1] in ("reference", "external"):
        return (loc[0], *loc[2:])
    if len(loc) > 2 and loc[0] == "safe":
        return (*loc[:2], *loc[3:])
    return loc


def where(text: str, location: Location) -> str:
    """Key path and line of a location."""
    line = line_of(text, location)
    path = key_path(location) or "the file"
    return path if line is None else f"{path} (line {line})"


def _problem(details: ErrorDetails, location: Location, model: type[BaseModel], text: str) -> Problem:
    kind, place = details["type"], where(text, location)
    if kind == "extra_forbidden":
        known = _keys_at(model, details["loc"][:-1])
        return Problem(place, "is not a key of this table", suggestion(str(location[-1]), known) or _list(known))
    if kind == "union_tag_invalid":
        context = details.get("ctx", {})
        return Problem(place, f"unknown kind {context.get('tag')!r}", f"use one of {context.get('expected_tags')}")
    return Problem(place, *in_words(details))


def suggestion(name: str, known: Iterable[str]) -> str:
    """``did you mean ...?`` when a known name is close to ``name``, else nothing."""
    close = difflib.get_close_matches(name, list(known), n=2, cutoff=0.65)
    return f"did you mean {' or '.join(close)}?" if close else ""


def _list(known: Iterable[str]) -> str:
    names = sorted(known)
    return f"known: {', '.join(names)}" if names else "remove it"


def _keys_at(model: type[BaseModel], location: Location) -> list[str]:
    """Keys of the table at ``location``, from the JSON Schema of the model."""
    schema = model.model_json_schema()
    node: dict[str, Any] = schema
    for part in location:
        node = _child(_resolve(schema, node), part)
    return list(_resolve(schema, node).get("properties", {}))


def _resolve(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    for choice in node.get("anyOf", []):
        if choice.get("type") != "null":
            node = choice
            break
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    return node


def _child(node: dict[str, Any], part: int | str) -> dict[str, Any]:
    if isinstance(part, int):
        return dict(node.get("items", {}))
    if part in node.get("properties", {}):
        return dict(node["properties"][part])
    mapping = node.get("discriminator", {}).get("mapping", {})
    if part in mapping:
        return {"$ref": mapping[part]}
    pattern: dict[str, Any] = next(iter(node.get("patternProperties", {}).values()), {})
    extra = node.get("additionalProperties")
    return dict(extra) if isinstance(extra, dict) else dict(pattern)
