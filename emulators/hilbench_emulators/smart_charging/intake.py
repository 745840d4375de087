"""Charging profiles out of a file as people have them: bare, as requests, as OCPP-J frames, or in a log of frames.

Whatever cannot be used raises :class:`hilbench.errors.InputError` that names the file, the entry and the field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

from hilbench.errors import InputError, Problem
from hilbench.ocppj import to_snake
from hilbench.ocppj.versions import validator
from hilbench_emulators.smart_charging.explain import Order, Step
from hilbench_emulators.smart_charging.model import Version
from hilbench_emulators.smart_charging.times import instant

CALL = 2
SET, CLEAR = "SetChargingProfile", "ClearChargingProfile"
STARTS = {"RemoteStartTransaction": True, "RequestStartTransaction": False}
"""Requests that may bring a profile for the transaction that they start, and whether they are of OCPP 1.6."""
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d([.,]\d+)?( ?(Z|[+-]\d\d:?\d\d))?")
_SHAPES = "a charging profile, a SetChargingProfile request or a frame of one"
_CLEAR_KEYS = {
    True: ("id", "connectorId", "chargingProfilePurpose", "stackLevel"),
    False: ("chargingProfileId", "chargingProfileCriteria"),
}


@dataclass(frozen=True)
class Entry:
    """A request about profiles: where it stands in the file, its action, and its payload as on the wire."""

    where: str
    payload: dict[str, Any]
    station: str = ""
    action: str = SET
    at: float | None = None
    """When it was sent, in seconds since 1970, where the log says so."""

    @property
    def old(self) -> bool | None:
        """Whether it has the shape of OCPP 1.6; None where that is open."""
        if self.action == CLEAR:
            return next((old for old, keys in _CLEAR_KEYS.items() if set(keys) & set(self.payload)), None)
        return STARTS.get(self.action, "csChargingProfiles" in self.payload)

    def step(self) -> Step:
        """What a station does with it; only for an entry without violations."""
        data: dict[str, Any] = to_snake(self.payload)
        if self.action == CLEAR:
            criteria = data.get("charging_profile_criteria", data)
            return Step(
                self.where,
                Order.CLEAR,
                criteria.get("evse_id", criteria.get("connector_id")),
                {**criteria, "id": data.get("id", data.get("charging_profile_id"))},
                self.at,
            )
        order = Order.SET if self.action == SET else Order.START
        raw: dict[str, Any] = data["cs_charging_profiles" if "cs_charging_profiles" in data else "charging_profile"]
        return Step(self.where, order, data.get("evse_id", data.get("connector_id", 1)), raw, self.at)


def take_in(
    source: str, text: str, version: Version | None = None, station: str | None = None
) -> tuple[Version, list[Entry]]:
    """The requests in ``text`` and their version (found out unless given); of one ``station`` where a log has many."""
    entries = [found for found in _entries(source, text) if station in (None, "", found.station)]
    if all(entry.action == CLEAR for entry in entries):
        raise InputError(source, f"has no {SET}" + (f" for station {station}" if station else ""))
    stations = sorted({entry.station for entry in entries})
    if len(stations) > 1:
        raise InputError(source, Problem("", f"is of {len(stations)} stations", f"choose one: {', '.join(stations)}"))
    problems: dict[Version, list[Problem]] = {}
    for candidate in [version] if version else _candidates(source, entries):
        problems[candidate] = [problem for entry in entries for problem in _violations(candidate, entry)]
        if not problems[candidate]:
            return candidate, entries
    best = min(problems, key=lambda candidate: len(problems[candidate]))
    raise InputError(f"{source} (as OCPP {best})", problems[best])


def _candidates(source: str, entries: list[Entry]) -> list[Version]:
    said = [entry for entry in entries if entry.old is not None]
    odd = next((entry for entry in said if entry.old != said[0].old), None)
    if odd is not None:
        names = {True: "OCPP 1.6", False: "OCPP 2.x"}
        what = f"is of {names[bool(odd.old)]}, {said[0].where} of {names[bool(said[0].old)]}"
        raise InputError(source, Problem(odd.where, what, "a station speaks one of them"))
    return [Version.V16] if said[0].old else [Version.V201, Version.V21]


def _violations(version: Version, entry: Entry) -> Iterator[Problem]:
    if entry.old not in (None, version is Version.V16):
        yield Problem(entry.where, f"has not the shape of OCPP {version}", "leave out --ocpp, or give the other one")
        return
    try:
        errors = list(validator(CALL, entry.action, version.value).iter_errors(entry.payload))
    except (ValueError, RecursionError) as unfit:
        yield Problem(entry.where, f"cannot be read: {unfit}".encode("ascii", "replace").decode())
        return
    for error in errors:
        yield Problem(f"{entry.where}: {_path(error.instance_path)}", error.message[:200])


def _path(parts: list[Any]) -> str:
    """A field as one writes it in a program."""
    said = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return said.lstrip(".") or "request"


# -- what is in the file


def _entries(source: str, text: str) -> Iterator[Entry]:
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise InputError(source, "is empty")
    try:
        data = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise InputError(source, "is nested too deeply") from None
    except ValueError as error:
        yield from _log(source, text, error)
        return
    if isinstance(data, dict) and "frame" in data:
        yield from _log(source, json.dumps(data), ValueError())  # a log of one line
        return
    items = [data] if isinstance(data, dict) or _is_frame(data) else data
    if not isinstance(items, list):
        raise InputError(source, f"is not a list of charging profiles but {_kind(data)}")
    for index, item in enumerate(items):
        where = f"entry {index}"
        yield _entry(source, where, item) if not _is_frame(item) else _of_frame(source, where, item, "")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _log(source: str, text: str, error: ValueError) -> Iterator[Entry]:
    """Frames of a log, one a line; raises the ``error`` of the whole text when there is none."""
    lines = [(number, _frame_of(line)) for number, line in enumerate(text.splitlines(), 1)]
    if all(frame is None for _, frame in lines):
        place = f"line {error.lineno}, column {error.colno}: " if isinstance(error, json.JSONDecodeError) else ""
        raise InputError(source, f"{place}is not JSON: {getattr(error, 'msg', error)}")
    for number, found in lines:
        if found is not None and _about_profiles(found.frame):
            entry = _of_frame(source, f"line {number}", found.frame, found.station)
            yield replace(entry, at=found.at)


@dataclass(frozen=True)
class _Logged:
    """A CALL in a line of a log, with its station and time where they are said."""

    frame: list[Any]
    station: str = ""
    at: float | None = None


def _frame_of(line: str) -> _Logged | None:
    """What a line of a log holds: a line of ours, a bare frame, or one after a time and other words."""
    try:
        data = json.loads(line, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return _embedded(line)
    if isinstance(data, dict):
        frame = data.get("frame")
        said = str(data.get("station", "")), _time_of(str(data.get("time", "")))
        return _Logged(frame, *said) if _is_frame(frame) else None
    return _Logged(data) if _is_frame(data) else None


def _embedded(line: str) -> _Logged | None:
    start = line.find("[2,")
    if start < 0:
        return None
    try:
        data = json.JSONDecoder().raw_decode(line[start:])[0]
    except (ValueError, RecursionError):
        return None
    return _Logged(data, at=_time_of(line[:start])) if _is_frame(data) else None


def _time_of(words: str) -> float | None:
    """The ISO 8601 time that a line begins with, UTC when it names no zone."""
    found = _TIME.match(words)
    try:
        return None if found is None else instant(found[0].replace(",", "."))
    except ValueError:
        return None


def _is_frame(data: Any) -> TypeGuard[list[Any]]:
    return isinstance(data, list) and len(data) == 4 and data[0] == CALL and isinstance(data[2], str)


def _of_frame(source: str, where: str, frame: list[Any], station: str) -> Entry:
    if not _about_profiles(frame):
        raise InputError(source, Problem(where, f"is a {frame[2]}", "only requests with a profile can be explained"))
    if frame[2] == SET or not isinstance(frame[3], dict):
        return _entry(source, where, frame[3], station)
    return Entry(where, frame[3], station, frame[2])


def _about_profiles(frame: list[Any]) -> bool:
    """Whether a frame sets or clears profiles."""
    brings = isinstance(frame[3], dict) and "chargingProfile" in frame[3]
    return frame[2] in (SET, CLEAR) or (frame[2] in STARTS and brings)


def _entry(source: str, where: str, item: Any, station: str = "") -> Entry:
    """A request, made of a bare profile if need be: a station's own purposes go to EVSE 0, the others to 1."""
    if not isinstance(item, dict):
        raise InputError(source, Problem(where, f"is {_kind(item)}", f"expected {_SHAPES}"))
    if "csChargingProfiles" in item or "chargingProfile" in item:
        return Entry(where, item, station)
    if "chargingProfileId" in item:
        return Entry(where, {"connectorId": _place(item), "csChargingProfiles": item}, station)
    if {"id", "chargingSchedule", "chargingProfilePurpose"} & set(item):
        return Entry(where, {"evseId": _place(item), "chargingProfile": item}, station)
    keys = ", ".join(map(str, list(item)[:5])) or "nothing"
    raise InputError(source, Problem(where, f"is an object with {keys}", f"expected {_SHAPES}"))


def _place(profile: dict[str, Any]) -> int:
    return 1 if profile.get("chargingProfilePurpose") == "TxProfile" else 0


def _kind(data: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(data), "a number")
