"""Mistakes in what a controller tells stations: central systems that differ from the good one in one place."""

from __future__ import annotations

from hilbench.controller.csms import Csms
from hilbench.controller.installing import Installer


class DatedFallback(Csms):
    """Gives the fallback a date, and takes no notice of what time it is for stations."""

    checks_clocks = False

    def installer(self, role: str) -> Installer:
        """One that does not even try without a date."""
        found = super().installer(role)
        found.dated = True
        return found


PORTS: dict[str, type[Csms]] = {"trusts-the-clock": DatedFallback}
"""By the id of the defect."""
