"""From a rig to the reference controller: what it is told of the site, and nothing of the bench."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_args

from pydantic import ValidationError

from hilbench.controller.defects import DEFECTS
from hilbench.controller.fallbacks import Loss, Sum, losses, sums
from hilbench.controller.settings import ControllerSettings, Policy
from hilbench.errors import InputError, Problem
from hilbench.rig import MeterEntry, ReferenceController, Rig
from hilbench.rig_errors import suggestion, where
from hilbench.tomlfile import in_words

if TYPE_CHECKING:
    from hilbench.controller.meter_port import MeterPlace
    from hilbench.controller.ocpp_meter import OcppPlace
    from hilbench.controller.runtime import ControllerRuntime

POLICIES: tuple[str, ...] = get_args(Policy)
"""What the reference controller can be."""


def reference_controller(rig: Rig) -> ControllerRuntime:
    """The controller of ``rig``, not running; raises ``InputError`` for settings that it does not know.

    For a rig with an external controller it is the reference one in that controller's place, with default settings.
    """
    from hilbench.controller.runtime import ControllerRuntime

    entry = rig.controller
    check_settings(rig)
    settings = _settings(rig)
    return ControllerRuntime(
        rig.electrical,
        settings,
        {station.role: station.identity for station in rig.stations},
        listen=entry.address,
        meter=_site_meter(rig.site_meter),
        parts={entry.node: _place(entry) for entry in rig.feeder_meters.values()},
        defect=entry.defect if isinstance(entry, ReferenceController) else None,
        passwords={station.identity: station.secret for station in rig.stations if station.secret},
    )


def _place(entry: MeterEntry) -> MeterPlace:
    from hilbench.controller.meter_port import MeterPlace

    return MeterPlace(entry.modbus, entry.unit, entry.map)


def _site_meter(entry: MeterEntry) -> MeterPlace | OcppPlace:
    from hilbench.controller.ocpp_meter import OcppPlace

    return OcppPlace(entry.station) if entry.station is not None else _place(entry)


def fallback_table(rig: Rig) -> tuple[list[Loss], list[Sum]]:
    """What holds when something is lost, and the sums of the fallbacks; raises ``InputError`` as above."""
    check_settings(rig)
    return list(losses(rig.electrical, _settings(rig))), sums(rig.electrical)


def _settings(rig: Rig) -> ControllerSettings:
    """The settings of the rig's controller, or the default ones in the place of an external controller."""
    given = rig.controller.settings if isinstance(rig.controller, ReferenceController) else {}
    return ControllerSettings.model_validate(given, context={"folder": rig.folder})


def check_settings(rig: Rig) -> None:
    """Raise ``InputError`` with every key of ``[controller]`` that the reference controller cannot use."""
    entry = rig.controller
    if isinstance(entry, ReferenceController):
        problems = setting_problems({**entry.settings, "defect": entry.defect})
        if problems:
            raise InputError(rig.source, problems)


def setting_problems(table: Mapping[str, Any], text: str = "") -> list[Problem]:
    """What is wrong with the settings in a ``[controller]`` table, which a rig leaves to its controller.

    ``text`` is the file, for line numbers. A table of an external controller has no settings.
    """
    if table.get("kind", "reference") != "reference":
        return []
    problems: list[Problem] = []
    defect = table.get("defect")
    if isinstance(defect, str) and defect not in DEFECTS:
        remedy = suggestion(defect, DEFECTS) or f"known: {', '.join(DEFECTS)}"
        problems.append(Problem(where(text, ("controller", "defect")), f"there is no defect {defect!r}", remedy))
    try:
        ControllerSettings.model_validate({k: v for k, v in table.items() if k not in ReferenceController.model_fields})
    except ValidationError as error:
        for details in error.errors(include_url=False):
            what, remedy = in_words(details)
            if details["type"] == "extra_forbidden":
                remedy = suggestion(str(details["loc"][-1]), ControllerSettings.model_fields) or remedy
            problems.append(Problem(where(text, ("controller", *details["loc"])), what, remedy))
    return problems


def setting_schema() -> dict[str, Any]:
    """JSON Schema of the settings that the reference controller has."""
    return ControllerSettings.model_json_schema()
