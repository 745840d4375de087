"""Charging profiles out of a file as people have them: bare, as requests, as OCPP-J frames, or in a log of frames.

Whatever cannot be used raises :class:`hilbench.errors.InputError` that names the file, the entry and the field.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hilbench.errors import InputError, Problem
from hilbench.ocppj import to_snake
from hilbench.ocppj.versions import validator
from hilbench_emulators.smart_charging.model import Version

CALL, ACTION = 2, "SetChargingProfile"
_SHAPES = "a charging profile, a SetChargingProfile request or a frame of one"


@dataclass(frozen=True)
class Entry:
    """A request to install a profile: where it stands in the file, and its payload as on the wire."""

    where: str
    payload: dict[str, Any]
    station: str = ""

    @property
    def old(self) -> bool:
        """Whether it has the shape of OCPP 1.6."""
        return "csChargingProfiles" in self.payload

    @property
    def evse(self) -> int:
        """Connector or EVSE that it is for."""
        return int(self.payload["connectorId" if self.old else "evseId"])

    @property
    def raw(self) -> dict[str, Any]:
        """The profile itself, keys in snake_case."""
        found: dict[str, Any] = to_snake(self.payload["csChargingProfiles" if self.old else "chargingProfile"])
        return found


def take_in(
    source: str, text: str, version: Version | None = None, station: str | None = None
) -> tuple[Version, list[Entry]]:
    """The requests in ``text`` and their version (found out unless given); of one ``station`` where a log has many."""
    entries = [found for found in _entries(source, text) if station in (None, "", found.station)]
    if not entries:
        raise InputError(source, f"has no {ACTION}" + (f" for station {station}" if station else ""))
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
    odd = next((entry for entry in entries if entry.old != entries[0].old), None)
    if odd is not None:
        names = {True: "OCPP 1.6", False: "OCPP 2.x"}
        what = f"is of {names[odd.old]}, {entries[0].where} of {names[entries[0].old]}"
        raise InputError(source, Problem(odd.where, what, "a station speaks one of them"))
    return [Version.V16] if entries[0].old else [Version.V201, Version.V21]


def _violations(version: Version, entry: Entry) -> Iterator[Problem]:
    if entry.old != (version is Version.V16):
        yield Problem(entry.where, f"has not the shape of OCPP {version}", "leave out --ocpp, or give the other one")
        return
    try:
        errors = list(validator(CALL, ACTION, version.value).iter_errors(entry.payload))
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
        data = json.loads(text)
    except RecursionError:
        raise InputError(source, "is nested too deeply") from None
    except ValueError as error:
        yield from _log(source, text, error)
        return
    items = [data] if isinstance(data, dict) or _is_frame(data) else data
    if not isinstance(items, list):
        raise InputError(source, f"is not a list of charging profiles but {_kind(data)}")
    for index, item in enumerate(items):
        where = f"entry {index}"
        yield _entry(source, where, item) if not _is_frame(item) else _of_frame(source, where, item, "")


def _log(source: str, text: str, error: ValueError) -> Iterator[Entry]:
    """Frames of a log, one a line; raises the ``error`` of the whole text when there is none."""
    lines = [(number, _frame_of(line)) for number, line in enumerate(text.splitlines(), 1)]
    if not any(frame for _, frame in lines):
        place = f"line {error.lineno}, column {error.colno}: " if isinstance(error, json.JSONDecodeError) else ""
        raise InputError(source, f"{place}is not JSON: {getattr(error, 'msg', error)}")
    for number, found in lines:
        if found is not None and found[1][2] == ACTION:
            yield _of_frame(source, f"line {number}", found[1], found[0])


def _frame_of(line: str) -> tuple[str, list[Any]] | None:
    """The station and the CALL in a line of a log: a line of ours, a bare frame, or one after other words."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        data = _embedded(line)
    if isinstance(data, dict):
        frame = data.get("frame")
        return (str(data.get("station", "")), frame) if _is_frame(frame) else None
    return ("", data) if _is_frame(data) else None


def _embedded(line: str) -> Any:
    start = line.find("[2,")
    try:
        return json.JSONDecoder().raw_decode(line[start:])[0] if start >= 0 else None
    except (ValueError, RecursionError):
        return None


def _is_frame(data: Any) -> bool:
    return isinstance(data, list) and len(data) == 4 and data[0] == CALL and isinstance(data[2], str)


def _of_frame(source: str, where: str, frame: list[Any], station: str) -> Entry:
    if frame[2] != ACTION:
        raise InputError(source, Problem(where, f"is a {frame[2]}", f"only {ACTION} can be explained"))
    return _entry(source, where, frame[3], station)


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
