"""What the controller knows: of its stations and their cars, of the meter, and of the building. Pure.

Each station's draw is known only as an interval: what it settled at, or anything between before and after a change of
its limit until it has settled. The building's load per line is therefore an interval as well, and the estimate moves
only when a sample proves it wrong, and then just as far as it must.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from hilbench.controller.allocate import Array, Mask, Ranks, Tree
from hilbench.controller.building import BuildingEstimate
from hilbench.controller.dc_readings import DcReport, grid_bounds_a
from hilbench.controller.dimming import Delays
from hilbench.controller.feeders import FeederLoads
from hilbench.controller.filtering import MovingMean, Seen
from hilbench.controller.obedience import FRESH_SAMPLES, Obedience, by_terminal, heard, is_sum, rests_at_a, usable
from hilbench.controller.planning.coordinator import Orders
from hilbench.controller.power import PowerLimits, signed_currents
from hilbench.controller.readback import Composite, compare
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.stations import (
    ACTIVE,
    MOST_TRIES,
    NOISE_A,
    PLUGGED,
    RETRY_S,
    WELCOME_A,
    WELCOME_S,
    StationState,
    caught_up,
    known_draw,
    least_drawn,
    most_drawn,
)
from hilbench.controller.watch import MeterSample, MeterWatch
from hilbench.site import Site


class Base(NamedTuple):
    """What the building draws: current [line], and power [W] (negative where it feeds in).

    ``feeders`` is what flows beside the stations in each constraint below the service [A]; None where that is nothing.
    """

    amps: Array
    power_w: float
    feeders: Array | None = None


class Knowledge:
    """All that is known, as it comes in: ``meter``, ``status``, ``report``, and what others want of the site."""

    def __init__(self, site: Site, settings: ControllerSettings, t: float) -> None:
        self.site = site
        self.settings = settings
        self.watch = MeterWatch(settings, site.service.rating_a)
        self._filter = MovingMean(settings.filter_s)
        self._parts: dict[str, MeterSample] = {}
        self._whole = Tree(site)
        self.tree = self._whole
        self._columns: dict[str, Array] = {}
        self.stations = {
            branch.role: StationState(
                branch,
                column,
                site.carried_a(branch),
                settings.least_a(branch),
                trust=Obedience(blind_until=t + settings.lease_s),
                columns=self._columns,
            )
            for column, branch in enumerate(site.branches)
        }
        self._by_column = list(self.stations.values())
        self._dc = [column for column, branch in enumerate(site.branches) if branch.kind == "dc"]
        self._least: Array = np.array([station.least_a for station in self._by_column])
        self._watts: Array = np.array([self.watts_per_a(station) for station in self._by_column])
        self._takes: Mask = np.ones((len(site.branches), len(site.lines)), dtype=bool)
        self._ranks = Ranks.of(site.branches)
        self._classes, self._guaranteed = self._ranks.classes.copy(), self._ranks.guaranteed.copy()
        self.delays = Delays(len(site.branches), settings.random_delay_s, site.name)
        self._root = [row for row, (node, _line) in enumerate(self.tree.keys) if node == "service"]
        self.building = BuildingEstimate(len(site.lines), settings.hold)
        self.feeders = FeederLoads(site, settings, self.tree.keys)
        self.shown: Array = np.zeros(len(site.lines))
        self._lower: Array = np.zeros(len(site.lines))
        self._upper: Array = np.zeros(len(site.lines))
        self._started = t
        self._number = -1
        self._lines_changed = set(range(len(self._by_column)))  # some may be remembered
        self._urgent = False
        self._news = True
        self.power = PowerLimits(site, settings.hold)

    # inputs

    def dim(self, limit_kw: float | None) -> None:
        """What all stations together may draw, set from outside the site; None for no such limit."""
        self.power.stations_w = math.inf if limit_kw is None else limit_kw * 1000.0
        self._news = True

    def limit_import(self, limit_kw: float | None) -> None:
        """What the whole site may take from the grid, set from outside; None for no such limit."""
        self.power.import_w = math.inf if limit_kw is None else limit_kw * 1000.0
        self._news = True

    def online(self, role: str, t: float) -> None:
        """The station's link is up; its status is not known yet."""
        station = self.stations[role]
        station.trust.back(t, math.isinf(station.lease_until) or t > station.lease_until)
        station.online, self._news = True, True
        self._want(station, t)

    def offline(self, role: str, t: float) -> None:  # noqa: ARG002 - every input says when it came
        """The link is gone: the station keeps its lease until it runs out, then its fallback."""
        station = self.stations[role]
        station.online, station.status, station.wants, self._news = False, "", False, True
        station.reported_a = None

    def status(self, role: str, t: float, status: str) -> None:
        """The station said in which state its connector is."""
        station = self.stations[role]
        if status in PLUGGED and station.status not in PLUGGED:
            station.tries = 0
            self._welcome(station, t)
            station.trust.stopped = ""
        station.status, station.known, self._news = status, True, True
        if status == "Charging":
            self._begin(station)
        self._want(station, t)

    def _welcome(self, station: StationState, t: float) -> None:
        """The car has not begun: it may need more than the least current to do so."""
        station.begun, station.welcome_until = False, t + WELCOME_S
        station.useful_a = max(WELCOME_A, station.least_a)
        station.retry_t = math.inf

    def _begin(self, station: StationState) -> None:
        """The car takes current: what it can use is learned from now on."""
        if not station.begun:
            station.begun, station.useful_a = True, math.inf

    def _end_welcome(self, station: StationState, t: float) -> None:
        """It has had its time: now what it draws says what it can use, or, where it waits itself, nothing is kept.

        One that waits is welcomed again, each time after twice as long: what it was offered may have been too little.
        """
        if station.status == "SuspendedEV":
            if t >= station.retry_t:
                self._welcome(station, t)
            else:
                station.welcome_until, station.retry_t = math.inf, t + RETRY_S * 2.0**station.tries
                station.tries = min(station.tries + 1, MOST_TRIES)
            self._want(station, t)
            return
        self._begin(station)
        if known_draw(station, self.settings):
            self._learn_use(station)

    def _want(self, station: StationState, t: float) -> None:
        """Work out whether the car may take current, and begin or end its wait."""
        was = station.wants
        # the status may precede the answer to a limit; and a car that was asked to give takes a moment to begin
        offered = station.target_a >= self.settings.minimum_a > station.granted_a or station.target_a < 0.0
        coming = offered or (not station.begun and t < station.welcome_until < math.inf)
        station.wants = station.online and (station.status in ACTIVE or (station.status == "SuspendedEV" and coming))
        if station.wants and not was:
            if not station.remembered:
                station.waiting_t, station.paused_t = t, -math.inf
            station.waiting_t, station.reported_a = min(station.waiting_t, t), None
            station.trust.new_car()
        elif not station.wants and (was or (station.remembered and station.known)):
            station.waiting_t, station.turn_t = math.inf, -math.inf
            station.lines, station.reported_a, station.excess_a, station.useful_a = (), 0.0, NOISE_A, math.inf
            self._lines_changed.add(station.column)
            self._news = True
        station.remembered = station.remembered and not station.known

    def report(self, role: str, t: float, currents: Mapping[str, float]) -> None:
        """The station reported its current per terminal (``L1``..: in the order of its terminals) [A]."""
        station = self.stations[role]
        said = usable(station, currents)
        amperes = by_terminal(station, said)
        if not amperes:
            if said:
                self._report_sum(station, t, said[""])
            return
        station.blurred, station.reported_a, station.reported_t = False, max(amperes.values(), key=abs), t
        self._news |= heard(station, self.settings, t, station.reported_a)
        if station.reported_a >= 3.0:
            self._begin(station)
        if known_draw(station, self.settings) and station.granted_a >= station.least_a and station.begun:
            # what it draws beyond its limit (mostly less): a car does the same at the next limit
            station.excess_a = max(station.reported_a - station.granted_a, -1.0 - 0.1 * station.granted_a) + 0.1
            self._learn_use(station)
        told = station.branch.line_to_line or station.branch.kind == "dc"
        if told or station.reported_a < 3.0 or t - station.granted_t < self.settings.settle_s:
            return
        terminals = dict(zip(("L1", "L2", "L3"), station.branch.lines, strict=False))
        lines = tuple(line for name, line in terminals.items() if amperes.get(name, 0.0) > 1.0)
        if lines and lines != station.lines:
            station.lines = lines
            self._lines_changed.add(station.column)

    def _report_sum(self, station: StationState, t: float, amps: float) -> None:
        """One current for several lines: as much may flow in each, or, where it is a sum, what it was given.

        Less than its mean in every line is impossible: only by that it is found to disobey.
        """
        station.blurred, station.sure_a, station.reported_t = True, 0.0, t
        station.reported_a = None if is_sum(station, amps) else amps
        station.excess_a = max((station.reported_a or 0.0) - station.granted_a, NOISE_A)
        if amps >= 3.0:
            self._begin(station)
        self._news |= heard(station, self.settings, t, amps / len(station.branch.lines))

    def report_dc(self, role: str, t: float, report: DcReport) -> None:
        """A DC station reported what it takes: in its lines, or as a power, which all of them carry alike."""
        if report.currents:
            self.report(role, t, report.currents)
            return
        station = self.stations[role]
        per_a = self.watts_per_a(station)
        if report.inlet_w is not None:
            each_a = report.inlet_w / per_a
            self.report(role, t, {f"L{terminal}": each_a for terminal in range(1, len(station.branch.lines) + 1)})
        elif report.outlet_w is not None and not self._knows_lines(station, t):
            self._report_outlet(station, t, report.outlet_w / per_a)

    def _knows_lines(self, station: StationState, t: float) -> bool:
        """It has told its lines shortly ago: then its outlet, in a message of its own, says less."""
        told = station.reported_a is not None and not station.blurred
        return told and t - station.reported_t <= FRESH_SAMPLES * self.settings.sample_s

    def _report_outlet(self, station: StationState, t: float, dc_a: float) -> None:
        """Power of a DC outlet, as current per line without losses: it lies between two bounds on the grid's side.

        Only the lower one can prove that the station does not obey; the other one is kept free.
        """
        least_a, most_a = grid_bounds_a(dc_a, station.branch.max_a)
        if not usable(station, {"": most_a}):
            return
        station.blurred, station.sure_a, station.reported_a, station.reported_t = True, least_a, most_a, t
        station.excess_a = max(least_a - station.granted_a, NOISE_A)
        if least_a >= 3.0:
            self._begin(station)
        self._news |= heard(station, self.settings, t, least_a)
        if known_draw(station, self.settings) and station.granted_a >= station.least_a and station.begun:
            self._learn_use(station)

    def confirmed(self, role: str, t: float, limit_a: float, lease_s: float) -> None:
        """The station accepted a limit that runs out after ``lease_s``; infinity: its fallback, below any lease."""
        station = self.stations[role]
        self._news |= station.trust.accepted(t, lease_s)
        if math.isinf(lease_s) and math.isfinite(station.lease_until) and t <= station.lease_until:
            return  # the lease stands above it
        if abs(limit_a - station.granted_a) > 0.05:
            station.before_a = (least_drawn(station, self.settings), most_drawn(station, self.settings, t))
            station.granted_t = t
            station.trust.ended(t, station.granted_a, limit_a)
            if limit_a > station.granted_a:
                station.raised_t = t
            self._news = True
        if station.granted_a < station.least_a <= limit_a and station.status != "Charging":
            self._welcome(station, t)
            self._want(station, t)
        station.granted_a, station.lease_until = limit_a, t + lease_s

    def refused(self, role: str, fallback: bool) -> None:
        """The station takes its ``fallback`` in no way that is known, or no limit at all."""
        self.stations[role].trust.refused(fallback)
        self._news = True

    def unanswered(self, role: str, t: float, limit_a: float, lease_s: float) -> None:
        """No answer came to a limit: the station may have it, which matters where it is more than it had."""
        if self.stations[role].trust.told and limit_a > self.stations[role].granted_a:
            self.confirmed(role, t, limit_a, lease_s)

    def said(self, role: str, t: float, said: Composite | None) -> None:
        """What the station says is in force, when asked; None: nothing."""
        self._news |= compare(self.stations[role], said, self.settings, t)

    def set_budget(self, amps: float) -> None:
        """The budget of the service is ``amps`` from now on."""
        self._whole.limits[self._root] = amps  # narrowed trees have the same array
        self._news = True

    def plan(self, orders: Orders) -> None:
        """What stations shall do by plan from now on; those that are not named have no plan."""
        for role, station in self.stations.items():
            watts = self.watts_per_a(station)
            cap_a = orders.caps.get(role, math.inf) * 1000.0 / watts
            station.plan_a = cap_a if math.isinf(cap_a) else _possible_plan(cap_a, station.least_a)
            station.give_a = orders.discharge.get(role, 0.0) * 1000.0 / watts
            station.able_a = min(orders.able.get(role, 0.0) * 1000.0 / watts, station.cap_a)
        self.power.plan_w, self._news = orders.demand_kw * 1000.0, True

    def charge_known(self, role: str, soc: float) -> None:
        """The car at a station is at ``soc`` (0 to 1): at its reserve it gives nothing more, plan or no plan."""
        station = self.stations[role]
        if soc <= self.settings.plan.reserve_soc and station.able_a > 0.0:
            station.able_a, station.give_a, self._news = 0.0, 0.0, True

    def boost(self, role: str, until_t: float) -> None:
        """Station ``role`` comes before all others, without delay or plan, until ``until_t``; -infinity: no longer."""
        station = self.stations[role]
        station.boost_until, self._news = until_t, True
        self.delays.skip(station.column)

    def set_cap(self, role: str, amps: float) -> None:
        """The most that station ``role`` may have is ``amps`` from now on."""
        self.stations[role].cap_a, self._news = amps, True

    def meter(self, sample: MeterSample) -> None:
        """A new answer of the meter; one that was seen before is ignored."""
        if sample.number == self._number:
            return
        self._number = sample.number
        least, most = self._bounds(sample.t)
        self._lower, self._upper = self._in_lines(least), self._in_lines(most)
        drawn = dict(zip(self.site.lines, self._lower.tolist(), strict=True))
        if self.watch.see(sample, drawn, self._shown_by_parts(sample.t)):
            self._estimate(sample)
            self.power.see(sample, (float(least @ self._watts), float(most @ self._watts)))

    def part(self, node: str, sample: MeterSample) -> None:
        """A new answer of the meter of a feeder: the service's meter cannot show less."""
        self._parts[node] = sample
        load = self.feeders.loads.get(node)
        if load is not None:
            least, most = (self._in_lines(flows, load.rows).tolist() for flows in self._bounds(sample.t))
            load.see(sample, (least, most))

    def _shown_by_parts(self, t: float) -> dict[str, float]:
        """The most that the meter of any feeder shows, by line [A]; what is old or no number says nothing."""
        fresh = [part for part in self._parts.values() if t - part.t < self.settings.stale_s / 2.0]
        shown: dict[str, float] = {}
        for part in fresh:
            usable = {line: abs(amps) for line, amps in part.currents.items() if math.isfinite(amps)}
            shown |= {line: max(amps, shown.get(line, 0.0)) for line, amps in usable.items()}
        return shown

    # what the stations draw

    def _expire(self, station: StationState, t: float) -> None:
        """A lease that ran out: the station has fallen back by itself."""
        rest = rests_at_a(station, self.settings)
        if station.granted_a != rest:
            station.before_a = (min(station.granted_a, 0.0), max(station.granted_a, rest))
            station.trust.ended(t, station.granted_a, rest)
            station.granted_t, station.granted_a, self._news = t, rest, True

    def _column(self, name: str) -> Array:
        """Field ``name`` of all stations [station], no number for None; it is kept as long as it is true."""
        found = self._columns.get(name)
        if found is None:
            found = np.array(list(map(attrgetter(name), self._by_column)), dtype=float)
            found.flags.writeable = False
            self._columns[name] = found
        return found

    def _steered(self) -> Mask:
        """Stations [station] where a car may take current, and that do what they are told."""
        return np.array([station.wants and not station.trust.flaw for station in self._by_column], dtype=bool)

    def _steady(self, steered: Mask) -> tuple[Array, list[int]]:
        """What stations [column] draw that are steered and known to draw it, no number for others; and these others."""
        settled = self._column("reported_t") >= self._column("granted_t") + self.settings.settle_s
        known = steered & settled & (self._column("blurred") == 0.0)
        drawn = np.where(known, self._column("reported_a"), np.nan)
        for column in np.flatnonzero(np.isnan(drawn) & steered).tolist():
            station = self._by_column[column]
            if not station.blurred and caught_up(station):
                drawn[column] = station.reported_a
        return drawn, np.flatnonzero(np.isnan(drawn)).tolist()

    def _bounds(self, t: float) -> tuple[Array, Array]:
        """Least and greatest current that each station [column] may draw now."""
        least, others = self._steady(self._steered())
        most = least.copy()
        for column in others:
            station = self._by_column[column]
            least[column], most[column] = least_drawn(station, self.settings), most_drawn(station, self.settings, t)
        return least, most

    def _in_lines(self, flows: Array, rows: list[int] | None = None) -> Array:
        """Current [line] of the service, or of the node with constraints ``rows``, of all ``flows`` [station]."""
        if not flows.any():
            return np.zeros(len(self._root if rows is None else rows))
        into = self._carried(np.maximum(flows, 0.0), rows)
        return into if (flows >= 0.0).all() else into - self._carried(np.minimum(flows, 0.0), rows)

    def _carried(self, flows: Array, rows: list[int] | None) -> Array:
        """Size of the currents of ``flows`` in the lines of the service, or in those of another node."""
        total: Array = np.abs(self.tree.service_load(flows) if rows is None else self.tree.load(flows)[rows])
        return total

    def _strays_w(self, t: float) -> float:
        """Power that stations with a car may draw that do not do what they are told."""
        strays = [station for station in self._by_column if station.trust.flaw and station.wants]
        return math.fsum(most_drawn(one, self.settings, t) * self.watts_per_a(one) for one in strays)

    # the building

    def _estimate(self, sample: MeterSample) -> None:
        """Take a sample that can be used; above the rating of the service there is no time to ask twice."""
        measured = signed_currents(sample, self.site.lines, self.settings.exports)
        seen = Seen(measured, self._lower.tolist(), self._upper.tolist())
        self.shown = np.array(measured)
        mean = self._filter.mean(sample.t, seen)
        self._urgent = max(measured) > self.site.service.rating_a
        acted = seen if self._urgent else mean
        self.building.update(sample.t, acted.measured, (acted.lower, acted.upper))

    def confirmed_base(self) -> Base:
        """The building as two samples agree on."""
        power_w = self.power.confirmed_w(self._urgent)
        return Base(self.building.confirmed(self._urgent), power_w, self.feeders.confirmed())

    def highest_base(self) -> Base:
        """The most of the building that headroom must be there beside."""
        return Base(self.building.highest(), self.power.highest_w(), self.feeders.highest())

    def _learn_use(self, station: StationState) -> None:
        """What a car can use: all it can get while it draws near its limit, else a little more than it takes.

        The two thresholds lie apart (0.9 x - 0.8 and 1.15 x + 1.5), so that a car that tapers is not offered more
        and less in turn.
        """
        drawn = station.reported_a or 0.0
        limited = drawn > 0.9 * station.granted_a - 0.8
        station.useful_a = math.inf if limited else max(1.15 * drawn + 1.5, station.least_a)

    def _taken(self, station: StationState) -> list[bool]:
        """Which lines [line] of the site its car is known to use; all while that is not known."""
        return [not station.lines or line in station.lines for line in self.site.lines]

    def watts_per_a(self, station: StationState) -> float:
        """Power per ampere of limit: on the lines that its car is known to use, else on all that it has."""
        branch = station.branch
        lines = 1 if branch.line_to_line else len(station.lines or branch.lines)
        return lines * self.site.voltage_v(branch)


def _possible_plan(cap_a: float, minimum_a: float) -> float:
    """A plan is a mean: below the least current it is that current or nothing, whichever is nearer."""
    if cap_a >= minimum_a:
        return cap_a
    return minimum_a if cap_a >= minimum_a / 2.0 else 0.0
