"""From a rig to the reference controller: what it is told of the site, and nothing of the bench."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from hilbench.errors import InputError, Problem
from hilbench.rig import ReferenceController, Rig

if TYPE_CHECKING:
    from hilbench.controller.runtime import ControllerRuntime


def reference_controller(rig: Rig) -> ControllerRuntime:
    """The controller of ``rig``, not running; raises ``InputError`` for settings that it does not know.

    For a rig with an external controller it is the reference one in that controller's place, with default settings.
    """
    from hilbench.controller.runtime import ControllerRuntime
    from hilbench.controller.settings import ControllerSettings

    entry = rig.controller
    own = entry.settings if isinstance(entry, ReferenceController) else {}
    try:
        settings = ControllerSettings.model_validate(own)
    except ValidationError as error:
        problems = [Problem(f"controller.{'.'.join(map(str, d['loc']))}", d["msg"]) for d in error.errors()]
        raise InputError(rig.source, problems) from None
    return ControllerRuntime(
        rig.electrical,
        settings,
        {station.role: station.identity for station in rig.stations},
        listen=entry.address,
        meter=rig.site_meter.endpoint,
        unit=rig.site_meter.unit,
        defect=entry.defect if isinstance(entry, ReferenceController) else None,
    )
