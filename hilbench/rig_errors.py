"""From a file that does not fit to problems that a person can mend: key path, line, what is wrong, what to do."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from hilbench.errors import InputError, Problem

Location = tuple[int | str, ...]

_HEADER = re.compile(r"^\s*(\[{1,2})\s*([^\[\]]+?)\s*\]{1,2}\s*(?:#.*)?$")


def read_toml(path: Path) -> tuple[dict[str, Any], str]:
    """The tables and the text of a TOML file; raises ``InputError`` with line and column of a syntax error."""
    source = str(path)
    try:
        text = path.read_bytes().decode("utf-8")
        return tomllib.loads(text), text
    except UnicodeDecodeError as error:
        raise InputError(source, Problem(f"byte {error.start}", "is not UTF-8", "save the file as UTF-8")) from error
    except tomllib.TOMLDecodeError as error:
        message, _, place = str(error).partition(" (at ")
        where = place.rstrip(")") or "end of file"
        remedy = "strings need quotes, tables one header each; see https://toml.io"
        raise InputError(source, Problem(where, f"TOML syntax: {message[:1].lower()}{message[1:]}", remedy)) from error
    except OSError as error:
        raise InputError(source, f"cannot be read: {error.strerror or error}") from error


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
        location = file_location(details["loc"], data)
        problems[_problem(details, location, model, text)] = None
    return list(problems)


def file_location(loc: Location, data: Mapping[str, Any]) -> Location:
    """The location in the file: union tags are no keys, and merged defaults belong to their own table."""
    defaults = data.get("station_defaults", {})
    if len(loc) > 2 and loc[0] == "station" and loc[2] in defaults and loc[2] not in data["station"][loc[1]]:
        return ("station_defaults", *loc[2:])
    if len(loc) > 1 and loc[0] == "controller" and loc[1] in ("reference", "external"):
        return (loc[0], *loc[2:])
    return loc


def where(text: str, location: Location) -> str:
    """Key path and line of a location."""
    line = line_of(text, location)
    path = key_path(location) or "the file"
    return path if line is None else f"{path} (line {line})"


def _problem(details: ErrorDetails, location: Location, model: type[BaseModel], text: str) -> Problem:
    kind, value = details["type"], details.get("input")
    place = where(text, location)
    if kind == "extra_forbidden":
        known = _keys_at(model, details["loc"][:-1])
        return Problem(place, "is not a key of this table", suggestion(str(location[-1]), known) or _list(known))
    if kind == "missing":
        return Problem(place, "is missing", "add it")
    if kind == "union_tag_invalid":
        context = details.get("ctx", {})
        return Problem(place, f"unknown kind {context.get('tag')!r}", f"use one of {context.get('expected_tags')}")
    message = details["msg"].removeprefix("Value error, ")
    what, _, remedy = message.partition("; ")
    shown = "" if isinstance(value, dict | list) or repr(value) in what else f", not {value!r}"
    return Problem(place, _own_words(what) + shown, remedy)


def _own_words(message: str) -> str:
    return message.replace("Input should", "must").replace("String should", "must").partition(", unable to parse")[0]


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
