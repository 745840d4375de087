"""A rig file becomes a :class:`Rig`: the site, the devices by role, and everything that is wrong with them at once.

Rigs that come with the bench are called by name (``workplace-10``), all others by path. The models of the tables are
in ``hilbench.rig_models``, the electrical rules in ``hilbench.rig_lint``.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hilbench.errors import InputError, Problem
from hilbench.rig_building import BaseLoadEntry, BuildingEntry
from hilbench.rig_checks import consistency
from hilbench.rig_controllers import ControllerEntry, ExternalController, ReferenceController
from hilbench.rig_errors import problems_of, suggestion
from hilbench.rig_meters import MeterEntry
from hilbench.rig_models import Rig, RunEntry, SessionsEntry, SiteEntry, StationEntry
from hilbench.rig_pilot import BoardEntry, InstrumentEntry
from hilbench.tomlfile import is_file, is_folder, read_toml

DEFAULT_RIG = "workplace-10"
_KEYS = frozenset(field.alias or name for name, field in Rig.model_fields.items())


def rig_files() -> dict[str, Path]:
    """Name to path of the rigs that come with the bench, from the installed package or the source tree."""
    package = Path(str(resources.files("hilbench")))
    for folder in (package / "rigs", package.parent / "rigs"):
        if folder.is_dir():
            return {path.stem: path for path in sorted(folder.glob("*.toml"))}
    return {}


def find_rig(name_or_path: str | Path) -> Path:
    """Path of a rig called by name or path; raises ``InputError`` with close names when there is none."""
    shipped = rig_files()
    name = str(name_or_path)
    if name in shipped:
        return shipped[name]
    path = Path(name_or_path)
    if is_file(path):
        return path
    if name and is_folder(path):
        raise InputError(name, Problem("", "is a folder, not a rig file", "give the TOML file inside it"))
    if path.suffix or len(path.parts) > 1:
        raise InputError(name, Problem("", "there is no such file", f"relative to {Path.cwd()}"))
    remedy = suggestion(name, shipped) or f"shipped: {', '.join(shipped)}"
    raise InputError(name, Problem("", "is neither a shipped rig nor a file", remedy))


def load_rig(name_or_path: str | Path = DEFAULT_RIG) -> Rig:
    """The rig of a shipped name or a TOML file; raises ``InputError`` with every problem, its key and its line."""
    path = find_rig(name_or_path)
    data, text = read_toml(path, str(name_or_path))
    return parse_rig(data, text, source=str(name_or_path), path=path.resolve())


def parse_rig(data: Mapping[str, Any], text: str = "", source: str = "rig", path: Path | None = None) -> Rig:
    """A rig from the tables of a TOML file; file paths in it are relative to that of ``path``."""
    merged = _merge_defaults(data)
    context = {"folder": path.parent if path else None, "path": path, "source": source}
    problems: list[Problem] = []
    rig: Rig | None
    try:
        rig = Rig.model_validate(merged, context=context)
        numbers, unsound = list(range(len(rig.stations))), set[str]()
    except ValidationError as error:
        problems += problems_of(error, Rig, data, text)
        rig, numbers, unsound = _sound_part(merged, error, context)
    if rig is not None:
        problems += consistency(rig, numbers, text, unsound)
    if problems:
        raise InputError(source, list(dict.fromkeys(problems)))
    assert rig is not None
    return rig


def _merge_defaults(data: Mapping[str, Any]) -> dict[str, Any]:
    """Every station with the keys of ``station_defaults`` that it does not set itself."""
    defaults, stations = data.get("station_defaults", {}), data.get("station")
    if not isinstance(defaults, dict) or not isinstance(stations, list):
        return dict(data)
    merged = [{**defaults, **station} if isinstance(station, dict) else station for station in stations]
    return {**data, "station": merged}


def _sound_part(
    merged: Mapping[str, Any], error: ValidationError, context: dict[str, Any]
) -> tuple[Rig | None, list[int], set[str]]:
    """What is left of a rig without the tables that have errors, so that these do not hide problems between tables.

    Also the positions in the file of the stations that are left, and the names of the tables that are not whole.
    """
    bad = {details["loc"][:2] for details in error.errors()}
    if any(not loc or loc[0] in ("site", "feeder", "station_defaults") or loc == ("station",) for loc in bad):
        return None, [], set()
    stations = merged.get("station", [])
    kept = [index for index in range(len(stations)) if ("station", index) not in bad]
    whole = {loc[0] for loc in bad} - {"station"}
    sound = {key: value for key, value in merged.items() if key not in whole and key in _KEYS}
    sound["station"] = [stations[index] for index in kept]
    try:
        return Rig.model_validate(sound, context=context), kept, {str(loc[0]) for loc in bad}
    except ValidationError:
        return None, [], set()


def rig_schema(settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """JSON Schema of a rig file, for editors: station keys may come from ``station_defaults``.

    ``settings`` is the schema of the keys that the reference controller has beside those of the rig (None: any).
    """
    schema = Rig.model_json_schema(by_alias=True)
    station = schema["$defs"]["StationEntry"]
    defaults = {key: value for key, value in station["properties"].items() if key not in ("role", "identity")}
    schema["properties"]["station_defaults"] = {
        "type": "object",
        "description": "Keys that every [[station]] has unless it sets them itself.",
        "properties": defaults,
        "additionalProperties": False,
    }
    station["required"] = ["role"]
    if settings is not None:
        controller = schema["$defs"]["ReferenceController"]
        controller["properties"] |= settings["properties"]
        schema["$defs"] |= settings.get("$defs", {})
        controller["additionalProperties"] = False
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "hilbench rig"}


__all__ = [
    "DEFAULT_RIG",
    "BaseLoadEntry",
    "BoardEntry",
    "BuildingEntry",
    "ControllerEntry",
    "ExternalController",
    "InstrumentEntry",
    "MeterEntry",
    "ReferenceController",
    "Rig",
    "RunEntry",
    "SessionsEntry",
    "SiteEntry",
    "StationEntry",
    "find_rig",
    "load_rig",
    "parse_rig",
    "rig_files",
    "rig_schema",
]
