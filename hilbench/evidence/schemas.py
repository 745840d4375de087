"""The published JSON Schemas of the record, and the check of a folder against them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema_rs

from hilbench.evidence.files import read_json, read_json_lines

NAMES = ("run", "result", "event", "signals", "records")


def load_schema(name: str) -> dict[str, Any]:
    """The schema called one of :data:`NAMES`; raises ``FileNotFoundError`` for others."""
    text = resources.files("hilbench.evidence").joinpath("schema", f"{name}.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@cache
def _validator(name: str) -> Any:
    documents = [load_schema(other) for other in NAMES]
    registry = jsonschema_rs.Registry([(str(document["$id"]), document) for document in documents])
    return jsonschema_rs.validator_for(load_schema(name), registry=registry)


def violations(name: str, document: Any) -> list[str]:
    """Where ``document`` departs from the schema ``name``, one line each."""
    return [
        f"/{'/'.join(map(str, error.instance_path))}: {error.message}"
        for error in _validator(name).iter_errors(_encodable(document))
    ]


def _encodable(document: Any) -> Any:
    """The document without halves of surrogate pairs, which JSON can carry and the validator cannot read."""
    return json.loads(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))


def folder_violations(folder: Path) -> list[str]:
    """Every departure from the schemas in a run folder, with the file that it is in."""
    return list(_folder_violations(folder))


def _folder_violations(folder: Path) -> Iterator[str]:
    files = [("run", folder / "run.json")]
    for procedure in sorted((folder / "procedures").glob("*")):
        files += [(name, procedure / name / "index.json") for name in ("signals", "records")]
        files.append(("result", procedure / "result.json"))
        yield from _event_violations(folder, procedure / "events.jsonl")
    for name, path in files:
        if path.exists():
            document = read_json(path)
            found = violations(name, document) if document is not None else ["not a JSON object"]
            yield from (f"{path.relative_to(folder)}: {text}" for text in found)


def _event_violations(folder: Path, path: Path) -> Iterator[str]:
    events, problems = read_json_lines(path)
    yield from problems
    for event in events:
        if departures := violations("event", event):
            yield f"{path.relative_to(folder)}: {departures[0]} in the event at {event.get('t')}"
