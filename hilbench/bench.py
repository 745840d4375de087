"""A running rig: cars, building, faults and time, in the words of a test plan.

``Bench`` starts what the rig names (``hilbench.world``), lets a procedure or a test act on it, records everything, and
takes every station to its safe state at the end, whatever happened in between.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np

from hilbench import clock
from hilbench.base_load import BaseLoadControl
from hilbench.devices import SafeDevice
from hilbench.errors import InputError
from hilbench.faults import Faults
from hilbench.grid import Grid
from hilbench.nature import facts, two_way_roles
from hilbench.rig import Rig
from hilbench.rig_lint_v2g import given_a
from hilbench.safety import Safeguard
from hilbench.signals import Event, Record, offered_current, profile_limit, station_energy, station_power
from hilbench.site import Site
from hilbench.world import World, build_world
from hilbench_emulators.sessions import Session

BaseKind = Literal["quiet", "building"]
QUIET_SHARE = 0.5
"""A quiet building draws this share of the worst base load that the rig declares (policy-default)."""
STEP_SHARE = 0.25
"""Size of an injected step as a share of the service rating: budget plus step just passes the rating."""


@dataclass
class Table:
    """A table of the report: what a person reads after the plots."""

    title: str
    columns: list[str]
    rows: list[list[Any]] = field(default_factory=list)


@dataclass
class PlayedSession:
    """One session as it went: where, what was asked for, and when it really ran (bench seconds)."""

    session: Session
    role: str | None
    started: float | None = None
    ended: float | None = None


class LagMonitor:
    """Watches how late a real loop runs its timers; a virtual loop is never late and needs no watching."""

    PERIOD_S = 0.05

    def __init__(self) -> None:
        self.worst_s = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch."""
        if not clock.is_virtual():
            self._task = asyncio.create_task(self._watch(), name="lag monitor")

    async def _watch(self) -> None:
        while True:
            due = clock.time() + self.PERIOD_S
            await asyncio.sleep(self.PERIOD_S)
            self.worst_s = max(self.worst_s, clock.time() - due)

    async def stop(self) -> None:
        """End watching."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])


class Bench:
    """A rig in operation. Use it as an async context manager; ``await`` its methods inside the bench's own time.

    ``seed`` draws everything that is random: phase of stimuli, meter noise, sessions. ``base`` chooses the building:
    ``quiet`` (constant, for procedures that inject their own load) or ``building`` (the rig's own).
    """

    def __init__(
        self,
        rig: Rig,
        *,
        seed: int = 1,
        record: Record | None = None,
        base: BaseKind = "quiet",
        day: date | None = None,
        log_folder: Path | None = None,
        guardian_folder: Path | None = None,
    ) -> None:
        self.rig = rig
        self.site: Site = rig.electrical
        self.seed = seed
        self.record = record or Record()
        self.day = day
        self.rng = np.random.default_rng([seed, 0xBE])
        self.tables: list[Table] = []
        self.sessions: list[PlayedSession] = []
        self.unsafe: list[str] = []
        self._base = base
        self._log_folder = log_folder
        self._lag = LagMonitor()
        self._safeguard = Safeguard(rig, self.record, guardian_folder)
        self._world: World | None = None

    async def __aenter__(self) -> Bench:
        try:
            self._safeguard.arm()
            self._build()
            self._lag.start()
            await self._running().start()
        except BaseException:
            await self._close()
            raise
        return self

    def _running(self) -> World:
        if self._world is None:
            raise RuntimeError("this needs a running bench")
        return self._world

    def _build(self) -> None:
        quiet = QUIET_SHARE * self.site.worst_base_a if self._base == "quiet" else None
        self._world = world = build_world(
            self.rig, self.record, seed=self.seed, quiet_base_a=quiet, day=self.day, log_folder=self._log_folder
        )
        self.plant = world.plant
        self.stations = world.stations
        self.links = world.links
        self.site_meter = world.meter
        self.pilots = world.pilots
        self.controller = world.controller
        self.base_load = BaseLoadControl(world.plant, {"service": world.building, **world.feeder_loads}, self.record)
        self.faults = Faults(self.record, world.stations, world.links, world.meter, world.controller, world.vtn)
        self.grid = Grid(world.vtn, self.record)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def _close(self) -> None:
        world, self._world = self._world, None
        stations: list[SafeDevice] = []
        if world is not None:
            # a real station is made safe with its EV simulator, by the plan for real devices
            played = [one for role, one in world.stations.items() if self.rig.station(role).emulated]
            stations = [*played, *world.pilots.emulated(self.rig)]
            world.pilots.release(self.rig)
        try:
            # shielded: a second signal must not stop the site from becoming safe
            self.unsafe += await asyncio.shield(self._safeguard.reach(stations))
            if world is not None:
                await world.stop()
                await self._lag.stop()
        finally:
            self._safeguard.leave()

    @property
    def trace_hashes(self) -> dict[str, str]:
        """sha256 of all frames on each station's connection, with direction and time: what a repeat must reproduce."""
        return {role: station.trace_sha256() for role, station in getattr(self, "stations", {}).items()}

    @property
    def day_start_t(self) -> float:
        """Bench time [s] of the first local midnight not before now, where a day begins."""
        now = clock.now().astimezone(self.timezone)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        if midnight < now:
            midnight += timedelta(days=1)
        return clock.seconds_since_epoch(midnight)

    # time

    @property
    def time_uncertainty_s(self) -> float:
        """Expanded uncertainty (k = 2) of an interval between two recorded instants [s].

        A virtual clock is exact. On a real one the loop may run late: twice the largest lateness seen so far, and
        once more for the controller, which waits for the same processor.
        """
        return 0.0 if clock.is_virtual() else 0.02 + 4.0 * self._lag.worst_s

    async def run_for(self, seconds: float) -> None:
        """Let ``seconds`` of bench time pass, and bring the record up to then."""
        await asyncio.sleep(seconds)
        self.plant.touch()

    async def run_until(self, t: float) -> None:
        """Let bench time pass until ``t`` [s], and bring the record up to then."""
        await clock.sleep_until(t)
        self.plant.touch()

    async def align(self, grid_s: float = 10.0) -> None:
        """Wait for the next multiple of ``grid_s`` in UTC plus a random phase within one meter interval.

        The phase is drawn from the seed, so that repeats cover the sampling of the meter and one seed repeats exactly.
        """
        phase = float(self.rng.uniform(0.0, self.meter_interval_s))
        await clock.sleep_until(clock.next_multiple(grid_s, phase))

    async def settled(self, quiet_s: float = 60.0, timeout_s: float = 600.0) -> bool:
        """Wait until no station has changed its offer for ``quiet_s``; False when that does not happen in time.

        Of a real station the limit that it was told counts. A controller that never settles is not an error of the
        bench: the event ``bench.unsettled`` is recorded and the procedure goes on to measure what it does.
        """
        await asyncio.sleep(quiet_s)
        deadline = clock.time() + timeout_s
        while clock.time() < deadline:
            wait = self._last_change() + quiet_s - clock.time()
            if wait <= 0:
                return True
            await asyncio.sleep(max(wait, 1.0))
        self.mark("bench.unsettled", "site")
        return False

    def _last_change(self) -> float:
        latest = -np.inf
        for role in self.stations:
            offers = offered_current(role) if self.rig.station(role).emulated else profile_limit(role)
            signal = self.record.signals.get(offers)
            if signal is not None and len(signal):
                times, values = signal.rows(max(0, len(signal) - 200))
                moved = np.flatnonzero(np.abs(np.diff(values)) > 0.5)
                latest = max(latest, float(times[moved[-1] + 1]) if len(moved) else -np.inf)
        return float(latest)

    def mark(self, kind: str, subject: str = "", **data: Any) -> Event:
        """Record an event now and return it, to measure ``since`` it."""
        return self.record.event(clock.time(), kind, subject, **data)

    # cars

    async def plug_in(
        self,
        roles: str | Iterable[str] | None = None,
        vehicle: str | None = None,
        *,
        energy_kwh: float | None = None,
        soc: float | None = None,
        departure: datetime | None = None,
        spread_s: float = 0.0,
    ) -> None:
        """Plug cars in: at ``roles`` (default all), ``vehicle`` or the rig's own, at random within ``spread_s``."""
        wanted = self._roles(roles)
        delays = np.sort(self.rng.uniform(0.0, spread_s, len(wanted))) if spread_s else np.zeros(len(wanted))
        start = clock.time()
        for role, delay in zip(wanted, delays, strict=True):
            await clock.sleep_until(start + float(delay))
            model = self._car_at(role, vehicle)
            await self.stations[role].plug_in(model, energy_kwh=energy_kwh, soc=soc, departure=departure)

    def _car_at(self, role: str, vehicle: str | None) -> str:
        """The car that comes to a station: a DC station has its own, whatever the others get."""
        entry = self.rig.station(role)
        return entry.vehicle if vehicle is None or entry.kind == "dc" else vehicle

    async def unplug(self, roles: str | Iterable[str] | None = None) -> None:
        """Unplug the cars at ``roles`` (default all)."""
        for role in self._roles(roles):
            await self.stations[role].unplug()

    def _roles(self, roles: str | Iterable[str] | None) -> list[str]:
        wanted = list(self.stations) if roles is None else [roles] if isinstance(roles, str) else list(roles)
        unknown = [role for role in wanted if role not in self.stations]
        if unknown:
            raise InputError(
                self.rig.source, f"no station {', '.join(unknown)}; the rig has {', '.join(self.stations)}"
            )
        return wanted

    def charging_roles(self) -> list[str]:
        """Roles of the stations whose car draws 5 A or more per phase now, in rig order."""
        return [role for role in self.stations if max(self.plant.station_reading(role).currents.values()) >= 5.0]

    def equal_roles(self, each_a: float, room_a: float | None = None, *, alike: bool = False) -> list[str]:
        """As many stations of one priority as ``room_a`` of the service feeds with ``each_a`` [A per line each].

        Without ``room_a``: what the budget leaves beside the quiet building.

        ``alike``: only stations of one kind, AC or DC, at which the same car can charge.
        """
        room = self.room_a if room_a is None else room_a
        roles: list[str] = []
        load = dict.fromkeys(self.site.lines, 0j)
        first = self.site.branches[0]
        for branch in self.site.branches:
            trial = dict(load)
            for line, unit in self.site.unit_currents(branch).items():
                trial[line] += unit * each_a
            fits = branch.priority == first.priority and (branch.kind == first.kind or not alike)
            if fits and max(map(abs, trial.values())) <= room:
                load = trial
                roles.append(branch.role)
        return roles

    def rise_beside_a(self, role: str) -> float:
        """Rise of the quiet building [A per line], to its worst at most, that leaves room for ``role`` at its most."""
        return max(min(self.worst_base_headroom_a, self.room_a - self.site.branch(role).max_a), 0.0)

    @property
    def room_a(self) -> float:
        """What the budget of the service leaves to cars beside the quiet building [A per line]."""
        return self.site.nodes[0].limit_a - QUIET_SHARE * self.site.worst_base_a

    @property
    def known_room_a(self) -> float:
        """As ``room_a``, as far as the controller can know: one that measures nothing keeps the worst building free."""
        return self.room_a if self.measures else self.site.nodes[0].limit_a - self.site.worst_base_a

    def crowding_a(self, share: float) -> float:
        """Load on top of the quiet building [A per line] that leaves room for ``share`` of the stations' least."""
        wanted_a = self.site.line_sum_a("service", lambda branch: branch.minimum_a)
        return self.room_a - share * wanted_a

    def two_way_roles(self) -> list[str]:
        """Stations whose car may discharge, in rig order."""
        return two_way_roles(self.rig)

    def capabilities(self) -> frozenset[str]:
        """What procedures may need of the rig: what can fail in it, and what it is like (``nature``)."""
        return self.faults.capabilities() | facts(self.rig)

    @property
    def reference_vehicle(self) -> str:
        """The car model that procedures use when all cars must be equal: the first station's."""
        return self.rig.stations[0].vehicle

    # figures of the rig that procedures scale with

    @property
    def measures(self) -> bool:
        """True when the controller looks at the meter: then it is also held to use what there is."""
        return self.rig.controller.measures

    @property
    def meter_interval_s(self) -> float:
        """Sampling interval of the site meter [s]."""
        return self.rig.site_meter.interval_s

    @property
    def step_a(self) -> float:
        """Size of an injected base-load step [A per line]."""
        return STEP_SHARE * self.site.service.rating_a

    @property
    def worst_base_headroom_a(self) -> float:
        """What brings the quiet building to the worst base load that the rig declares [A per line]."""
        return (1.0 - QUIET_SHARE) * self.site.worst_base_a

    @property
    def grid_limit_kw(self) -> float:
        """A limit of the import that leaves the cars half of what the budget leaves them beside a quiet building."""
        return self.site.all_lines_kw(QUIET_SHARE * self.site.worst_base_a + 0.5 * self.room_a)

    @property
    def fallback_import_kw(self) -> float:
        """What the service takes when every station is at its fallback beside a quiet building."""
        return self.site.all_lines_kw(QUIET_SHARE * self.site.worst_base_a + self.site.fallback_sum_a("service"))

    @property
    def quiet_a(self) -> float:
        """What a quiet building draws [A per line]."""
        return QUIET_SHARE * self.site.worst_base_a

    def evening_peak_a(self, share: float) -> float:
        """Load on top of the quiet building [A per line] that makes the worst base load of the rig.

        At least the budget and ``share`` of what all cars that may discharge can give, at most the service's rating.
        """
        root, quiet_a = self.site.nodes[0], QUIET_SHARE * self.site.worst_base_a
        given = dict.fromkeys(self.site.lines, 0j)
        for role in self.two_way_roles():
            most_a = given_a(self.rig.station(role))
            for line, unit in self.site.unit_currents(self.site.branch(role)).items():
                given[line] += unit * most_a
        above = root.limit_a + share * min(map(abs, given.values())) - quiet_a
        return min(max(self.worst_base_headroom_a, above), root.rating_a - quiet_a)

    @property
    def fallback_timeout_s(self) -> float:
        """How long a station may keep its last limit without a controller [s]: the rig's lease."""
        return self.rig.fallback_timeout_s

    @property
    def stale_timeout_s(self) -> float:
        """How long the controller may trust a meter that is silent [s]."""
        return self.rig.stale_timeout_s

    @property
    def frozen_timeout_s(self) -> float:
        """How long the controller may trust a meter whose values stand still [s]."""
        return self.rig.frozen_timeout_s

    @property
    def rotation_s(self) -> float:
        """How long a turn lasts when not all cars can have 6 A [s]."""
        return self.rig.rotation_s

    # a day of sessions

    @property
    def timezone(self) -> ZoneInfo:
        """Time zone of the site."""
        return ZoneInfo(self.site.timezone)

    async def play_sessions(self) -> None:
        """Start the day's sessions in the background: cars come and go at their times."""
        world = self._running()
        free = world.assign_sessions()
        self.sessions = [PlayedSession(session, role) for session, role in free]
        for played in self.sessions:
            if played.role is not None:
                world.spawn(self._play(played, played.role), f"session {played.role}")

    async def play_day(self, length_s: float) -> Event:
        """Wait for the day, play its sessions and let ``length_s`` pass; the event of its beginning."""
        await self.run_until(self.day_start_t)
        start = self.mark("stimulus.day", "site", sessions=len(self.sessions))
        await self.play_sessions()
        await self.run_until(start.t + length_s)
        return start

    async def _play(self, played: PlayedSession, role: str) -> None:
        session = played.session
        await clock.sleep_until(clock.seconds_since_epoch(session.arrival))
        played.started = clock.time()
        vehicle = session.vehicle or self.rig.station(role).vehicle
        await self.stations[role].plug_in(vehicle, energy_kwh=session.energy_kwh, departure=session.departure)
        await clock.sleep_until(clock.seconds_since_epoch(session.departure))
        await self.stations[role].unplug()
        played.ended = clock.time()

    def delivered_kwh(self, played: PlayedSession) -> float:
        """Energy that the station's meter counted during a session [kWh]."""
        signal = self.record.signals.get(station_energy(played.role or ""))
        if played.started is None or signal is None or not len(signal):
            return 0.0
        end = clock.time() if played.ended is None else played.ended
        return (signal.value_at(end) - signal.value_at(played.started)) / 1000.0

    def feasible_kwh(self, played: PlayedSession) -> float:
        """Energy that the car could have taken in its stay if it had been alone: what was asked for, or less [kWh]."""
        session = played.session
        branch = self.site.branch(played.role or "")
        phases = 1 if branch.line_to_line else len(branch.lines)
        power_kw = min(branch.max_a * self.site.voltage_v(branch) * phases / 1000.0, session.max_power_kw or math.inf)
        hours = (session.departure - session.arrival).total_seconds() / 3600.0
        return min(session.energy_kwh, power_kw * hours)

    def tabulate_sessions(self) -> None:
        """Add the table of sessions: what each car asked for and what it got."""
        columns = ["station", "arrival", "departure", "requested kWh", "possible kWh", "delivered kWh", "share %"]
        table = Table("Sessions", columns)
        for played in self.sessions:
            wanted, got = played.session.energy_kwh, self.delivered_kwh(played)
            share = f"{100 * got / wanted:.0f}" if wanted else "-"
            possible = "-" if played.role is None else f"{self.feasible_kwh(played):.2f}"
            row = [played.role or f"({played.session.station}: no such station)"]
            row += [self._local(played.session.arrival), self._local(played.session.departure)]
            table.rows.append([*row, f"{wanted:.2f}", possible, f"{got:.2f}", share])
        self.tables.append(table)

    def _local(self, moment: datetime) -> str:
        return moment.astimezone(self.timezone).strftime("%m-%d %H:%M")

    def tabulate_peaks(self) -> None:
        """Add the table of peaks: highest current of every line of every node against its budget and rating."""
        table = Table("Peak per line", ["node", "line", "peak A", "budget A", "rating A", "at"])
        for node in self.site.nodes:
            for line in self.site.lines:
                signal = self.record.signals.get(f"current/{node.id}/{line}")
                if signal is None or not len(signal):
                    continue
                t, v = signal.rows()
                top = int(np.argmax(v))
                when = self._local(clock.current().epoch + timedelta(seconds=float(t[top])))
                table.rows.append([node.id, line, f"{v[top]:.1f}", f"{node.limit_a:.1f}", f"{node.rating_a:.1f}", when])
        self.tables.append(table)

    def offered_sum_a(self, roles: Sequence[str] | None = None) -> float:
        """Sum of the currents offered now at ``roles`` (default all) [A per phase]."""
        signals = (self.record.signals.get(offered_current(role)) for role in roles or self.stations)
        return math.fsum(signal.last() or 0.0 for signal in signals if signal is not None)

    def total_power_w(self) -> float:
        """Active power of all cars now [W]."""
        signals = (self.record.signals.get(station_power(role)) for role in self.stations)
        return math.fsum(signal.last() or 0.0 for signal in signals if signal is not None)
