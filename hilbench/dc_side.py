"""From a rig's DC stations to what is behind their outlets."""

from __future__ import annotations

from pathlib import Path

from hilbench.rig import Rig, StationEntry
from hilbench.rig_dc import DcEntry
from hilbench_emulators.dc.cabinet import Cabinet
from hilbench_emulators.dc.outlet_law import Policy
from hilbench_emulators.dc.power_module import Bank, load_module
from hilbench_emulators.dc_outlet import DcSettings, OneOutlet, SharedCabinet
from hilbench_emulators.dc_outlet.shared import Supplied


class Cabinets:
    """Cabinets that two stations of a rig share, by name."""

    def __init__(self, rig: Rig) -> None:
        self._sides: dict[str, Supplied] = {}
        for pair in rig.cabinets.values():
            shared = SharedCabinet(_cabinet([entry.dc for entry in pair if entry.dc is not None]))
            self._sides |= {entry.role: shared.outlet(index) for index, entry in enumerate(pair)}

    def supplied(self, role: str, dc: DcEntry) -> Supplied:
        """The power modules of a station."""
        return self._sides.get(role) or OneOutlet(Bank(load_module(dc.module), dc.modules))


def _cabinet(outlets: list[DcEntry]) -> Cabinet:
    first, second = outlets
    shares = (first.modules, second.modules)
    return Cabinet(load_module(first.module), sum(shares), first.shared, shares)


def dc_settings(entry: StationEntry, cabinets: Cabinets, log_folder: Path | None) -> DcSettings:
    """What is behind the outlet of a DC station; ``log_folder`` is for what goes over its wire."""
    dc = entry.dc
    assert dc is not None
    return DcSettings(
        supplied=cabinets.supplied(entry.role, dc),
        connector=dc.connector,
        protocol=dc.protocol,
        control=dc.control,
        policy=Policy(dc.below, dc.least_w, clamp_after_s=dc.clamp_after_s),
        can=dc.can,
        recorded=dc.recorded,
        log_folder=log_folder if dc.log else None,
        quirks=entry.quirks,
    )
