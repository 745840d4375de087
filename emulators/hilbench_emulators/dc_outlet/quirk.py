"""What a misbehaviour of a DC station or car is: data, and the few ways in which a station itself can be wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hilbench_emulators.chademo.quirks import quirk as chademo_quirk
from hilbench_emulators.dc.cars import Port
from hilbench_emulators.dc.outlet_law import Limit
from hilbench_emulators.dc_outlet.settings import CcsProtocol

Part = Literal["car", "ccs", "ccs-station", "chademo-car", "chademo-charger", "station"]
"""What a quirk changes: the car's data, either side of CCS or CHAdeMO, or the station's :class:`StationQuirks`."""
Outcome = Literal["fails", "copes"]
"""The procedure must not pass with it (FAIL, or ERROR where the car never charges), or the charger and the bench's own
controller cope: it passes, and the budget is kept."""
BOTH: tuple[Port, ...] = ("ccs", "chademo")
OLD: tuple[CcsProtocol, ...] = ("din", "iso2")
ALL: tuple[CcsProtocol, ...] = ("din", "iso2", "iso20")


@dataclass(frozen=True)
class StationQuirks:
    """Ways of stations to take a limit [A per line] wrongly.

    ``zero_is_no_limit``: one of 0 is none. ``zero_is_discharge``: one of 0 asks for all that the car can give back.
    ``mirrors_above_a``: one above that asks the car to give as much. ``cable_a``: it never takes more from the grid.
    ``one_session``: a car that has ended its session begins no other before it is plugged in again.
    """

    zero_is_no_limit: bool = False
    zero_is_discharge: bool = False
    mirrors_above_a: float | None = None
    cable_a: float | None = None
    one_session: bool = False

    def mistaken(self, limit_a: float, phase_volts: float, rated_w: float) -> Limit | None:
        """What the station takes a limit for; None: for what it is.

        ``phase_volts`` is the power [W] per ampere in each line, ``rated_w`` [W] all that its modules can.
        """
        if limit_a == 0.0 and self.zero_is_discharge:
            return Limit(a=0.0, w=-rated_w)
        if limit_a == 0.0 and self.zero_is_no_limit:
            return Limit()
        if self.mirrors_above_a is not None and limit_a > self.mirrors_above_a:
            return Limit(a=0.0, w=-limit_a * phase_volts)
        return None


@dataclass(frozen=True)
class Shown:
    """Where a quirk shows: ``number`` is the one of its misbehaviour among the twenty of the catalogue.

    ``copes`` is the outcome of ``procedure`` with it, and ``because`` why, with what that needs.
    """

    number: int
    procedure: str
    copes: Outcome
    because: str


@dataclass(frozen=True)
class DcQuirk:
    """One misbehaviour; ``changes`` replace fields of each part. ``protocols`` are those of CCS in which it shows."""

    id: str
    side: Literal["car", "station"]
    connectors: tuple[Port, ...]
    what: str
    changes: Mapping[Part, Mapping[str, Any]] = field(hash=False)
    source: str
    confidence: str
    shown: Shown
    protocols: tuple[CcsProtocol, ...] = ALL

    @property
    def number(self) -> int:
        """See :class:`Shown`."""
        return self.shown.number

    @property
    def procedure(self) -> str:
        """See :class:`Shown`."""
        return self.shown.procedure

    @property
    def copes(self) -> Outcome:
        """See :class:`Shown`."""
        return self.shown.copes


def of_chademo(quirk_id: str, shown: Shown) -> DcQuirk:
    """One of :mod:`hilbench_emulators.chademo.quirks` under its name there."""
    one = chademo_quirk(quirk_id)
    part: Part = "chademo-car" if one.side == "car" else "chademo-charger"
    side: Literal["car", "station"] = "car" if one.side == "car" else "station"
    return DcQuirk(one.id, side, ("chademo",), one.what, {part: one.changes}, one.source, one.confidence, shown)
