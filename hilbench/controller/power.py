"""What all stations together may draw in watts: limits of the grid operator, of a grid signal, and of the contract.

The operator limits the stations alone (section 14a EnWG); a signal and the contract limit what the whole site takes
from the grid, so that what the building draws counts, and what the site generates helps.
"""

from __future__ import annotations

import math

from hilbench.controller.building import SLACK_SHARE, BuildingEstimate
from hilbench.controller.peaks import Hold
from hilbench.controller.watch import MeterSample
from hilbench.site import Site

SLACK_W = 100.0
"""What a sample and the stations' draw may contradict each other without meaning anything (policy)."""


class PowerLimits:
    """Limits in watts, infinite where there is none, and the building's power (negative where it feeds in).

    ``plan_w`` is what the plan wants the site to take, so that no demand is raised; ``export_w`` is what the site may
    feed in. ``watched``: the building's power is followed also where nothing limits it.
    """

    def __init__(self, site: Site, hold: Hold) -> None:
        self.stations_w = math.inf
        self.import_w = math.inf
        self.plan_w = math.inf
        self.contract_w = math.inf if site.contract_kw is None else site.contract_kw * 1000.0
        self.export_w = (site.export_limit_kw or 0.0) * 1000.0
        self.watched = False
        self._hold = hold
        self.building = self._unknown()
        self._volts = site.service.line_to_neutral_v
        self.worst_building_w = site.all_lines_kw(site.worst_base_a) * 1000.0

    def _unknown(self) -> BuildingEstimate:
        return BuildingEstimate(1, self._hold, slack=SLACK_W, floor=-math.inf)

    @property
    def at_meter_w(self) -> float:
        """What the whole site may take from the grid, less what the estimate of the building may be off."""
        limit = min(self.import_w, self.contract_w, self.plan_w)
        return limit if math.isinf(limit) else limit * (1.0 - SLACK_SHARE) - SLACK_W

    def see(self, sample: MeterSample, drawn_w: tuple[float, float]) -> None:
        """A good sample, and the least and most that the stations draw then; looked at only where it matters."""
        if math.isinf(self.at_meter_w) and not self.watched:
            self.building = self._unknown() if self.building.known else self.building
            return
        measured = math.fsum(sample.powers.values())
        if not sample.powers:
            measured = math.fsum(sample.currents.values()) * self._volts
        self.building.update(sample.t, [measured], ([drawn_w[0]], [drawn_w[1]]))

    def confirmed_w(self, urgent: bool) -> float:
        """The building as two samples agree on; its worst before the first one."""
        return float(self.building.confirmed(urgent)[0]) if self.building.known else self.worst_building_w

    def highest_w(self) -> float:
        """The most of the building for as long as headroom must have been there."""
        return float(self.building.highest()[0]) if self.building.known else self.worst_building_w

    def short_w(self) -> float:
        """What the building takes above the limit at the meter: cars that can discharge may give so much."""
        return max(self.highest_w() - self.at_meter_w, 0.0) if self.building.known else 0.0

    def may_feed_w(self) -> float:
        """What stations may give back without passing the export limit beside the least that the building took."""
        if not self.building.known:
            return 0.0
        least = float(self.building.lowest()[0])
        return max(least + self.export_w - SLACK_W - SLACK_SHARE * abs(least), 0.0)

    def left_w(self, building_w: float) -> float:
        """What is left to all stations beside a building of ``building_w``; never less than nothing."""
        return max(min(self.stations_w, self.at_meter_w - building_w), 0.0)

    def reason(self, building_w: float) -> str:
        """Which of the limits is the lowest, in words."""
        left_kw = self.left_w(building_w) / 1000.0
        if self.stations_w <= self.at_meter_w - building_w:
            return f"{left_kw:.2f} kW for all stations"
        named = ((self.import_w, "a grid signal"), (self.contract_w, "the contract"), (self.plan_w, "the plan"))
        limit_w, name = min(named)
        limit_kw = limit_w / 1000.0
        return f"{limit_kw:.2f} kW at the meter by {name}, {left_kw:.2f} kW of it for stations"


def signed_currents(sample: MeterSample, lines: tuple[str, ...], export: bool) -> list[float]:
    """Currents [line] of a sample, negative where power is fed in and the site may do so."""
    amps = [abs(sample.currents[line]) for line in lines]
    if not export:
        return amps
    return [math.copysign(one, sample.powers.get(line, 0.0)) for one, line in zip(amps, lines, strict=True)]
