"""What a DC station is behind its OCPP: connector, modules, and what it does with small limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hilbench_emulators.dc.cars import Port
from hilbench_emulators.dc.outlet_law import Policy
from hilbench_emulators.dc_outlet.shared import Supplied

CcsProtocol = Literal["din", "iso2", "iso20"]
Control = Literal["scheduled", "dynamic"]


@dataclass(frozen=True)
class DcSettings:
    """One outlet. ``supplied`` is its part of the power modules, which two outlets may share.

    ``protocol`` and ``control`` are of CCS. ``prepare_s`` passes between plug, driver and the first message: for CCS
    the pairing over the pilot, which is not played (public logs: 5 to 10 s; secondary). ``can`` is the bus that CHAdeMO
    goes over, as INTERFACE:CHANNEL of python-can; none: no bus, in any time. ``recorded`` names a recorded session of
    CHAdeMO whose charger and car they are. ``log_folder`` is where every frame or message is put down. ``quirks`` are
    ids of :mod:`hilbench_emulators.dc_outlet.quirks`.
    """

    supplied: Supplied
    connector: Port = "ccs"
    protocol: CcsProtocol = "iso20"
    control: Control = "scheduled"
    policy: Policy = field(default_factory=Policy)
    prepare_s: float = 5.0
    can: str | None = None
    recorded: Literal["", "ze0-v2x"] = ""
    log_folder: Path | None = None
    quirks: tuple[str, ...] = ()
