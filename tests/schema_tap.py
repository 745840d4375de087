"""Judges what a station sends by the schemas of the OCA, with another validator than the station's own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft4Validator, Draft6Validator, FormatChecker

from hilbench.ocppj import messages

CALL, RESULT, ERROR = 2, 3, 4
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_ERRORS = {
    *("NotImplemented", "NotSupported", "InternalError", "ProtocolError", "SecurityError", "GenericError"),
    *("PropertyConstraintViolation", "TypeConstraintViolation"),
}
ERRORS = {
    "1.6": _ERRORS | {"FormationViolation", "OccurenceConstraintViolation"},
    "2.0.1": _ERRORS
    | {"FormatViolation", "OccurrenceConstraintViolation", "MessageTypeNotSupported", "RpcFrameworkError"},
}
ERRORS["2.1"] = ERRORS["2.0.1"]
"""Codes of CALLERROR as each version spells them (OCPP-J 1.6 section 4.2.3, 2.0.1 Part 4; standard-text)."""
FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: Any) -> bool:
    if not isinstance(value, str):
        return True
    return bool(_RFC3339.fullmatch(value)) and datetime.fromisoformat(value).tzinfo is not None


@FORMATS.checks("uri", raises=ValueError)
def _is_uri(value: Any) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme)


@lru_cache(maxsize=512)
def judge(version: str, action: str, kind: int) -> Any:
    """The validator for a message; raises ``FileNotFoundError`` for one that the version has not.

    The schemas themselves close every object to fields that they do not name, except customData of 2.x.
    """
    told = messages(version)
    name = f"{action}Response" if kind == RESULT else f"{action}{told.suffix}"
    text = (resources.files(f"ocpp.{told.package}") / "schemas" / f"{name}.json").read_text("utf-8-sig")
    schema = json.loads(text, parse_float=Decimal)
    validator = Draft4Validator if "draft-04" in schema["$schema"] else Draft6Validator
    return validator(schema, format_checker=FORMATS)


class Tap:
    """Sees every frame of a station (``AcStation.on_frame``).

    ``faults`` says what was wrong with those that it sent; ``calls``, ``results`` and ``errors`` are the actions of its
    calls, of its answers, and of its refusals with their codes.
    """

    def __init__(self, version: str) -> None:
        self.version = version
        self.faults: list[str] = []
        self.calls: set[str] = set()
        self.results: set[str] = set()
        self.errors: set[tuple[str, str]] = set()
        self.count = 0
        self._ids: set[str] = set()
        self._asked: dict[str, str] = {}

    def see(self, direction: str, text: str) -> None:
        """Take one frame."""
        frame = json.loads(text, parse_float=Decimal)
        if direction == "in":
            if frame[0] == CALL:
                self._asked[frame[1]] = frame[2]
            return
        self.count += 1
        self.faults += [f"{fault}: {text}" for fault in self._faults(frame)]

    def _faults(self, frame: list[Any]) -> Iterator[str]:
        if not isinstance(frame[1], str) or not 0 < len(frame[1]) <= 36:
            yield "message id"
        if frame[0] == CALL:
            yield from self._call(*frame[1:])
        elif frame[0] == RESULT:
            action = self._asked.pop(frame[1])
            self.results.add(action)
            yield from self._payload(action, RESULT, *frame[2:])
        elif frame[0] == ERROR:
            yield from self._error(*frame[1:])
        else:
            yield f"message type {frame[0]}"

    def _call(self, unique_id: str, action: str, payload: Any) -> Iterator[str]:
        if unique_id in self._ids:
            yield "message id used before"
        self._ids.add(unique_id)
        self.calls.add(action)
        yield from self._payload(action, CALL, payload)

    def _error(self, unique_id: str, code: str, description: str, details: Any) -> Iterator[str]:
        self.errors.add((self._asked.pop(unique_id), code))
        if code not in ERRORS[self.version]:
            yield "no error code of this version"
        if len(description) > 255 or not isinstance(details, dict):
            yield "description or details"

    def _payload(self, action: str, kind: int, payload: Any) -> Iterator[str]:
        try:
            validator = judge(self.version, action, kind)
        except FileNotFoundError:
            yield "no message of this version"
            return
        for error in validator.iter_errors(payload):
            yield f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}"
