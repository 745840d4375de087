"""The controller as it runs: the core between its two ports, on whatever loop it is started."""

from __future__ import annotations

import asyncio
import logging
import math
import sqlite3
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from typing import Any

from hilbench import clock
from hilbench.controller.abilities import Supply
from hilbench.controller.actions import Actions
from hilbench.controller.audit import Audit
from hilbench.controller.changes import Changes, read_tokens
from hilbench.controller.conversation import Conversation
from hilbench.controller.coordination import Coordination
from hilbench.controller.core import Core
from hilbench.controller.csms import Csms
from hilbench.controller.csms2 import Conversation2
from hilbench.controller.csms16 import Conversation16
from hilbench.controller.dc_readings import DcReport
from hilbench.controller.defects import Defect, defect_named
from hilbench.controller.meter_port import MeterPlace, MeterPort
from hilbench.controller.mistakes_port import PORTS
from hilbench.controller.ocpp_meter import OcppPlace, OcppPort
from hilbench.controller.operator_box import OperatorBox
from hilbench.controller.planning.coordinator import Limit
from hilbench.controller.planning.memory import KEY
from hilbench.controller.readback import Composite
from hilbench.controller.readings import Counted
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.signals.openadr2 import Signals2
from hilbench.controller.signals.port import Signals
from hilbench.controller.state import Snapshot, StateFile, keep, recall, remember
from hilbench.controller.static import StaticCore
from hilbench.controller.status import Activity, Status
from hilbench.controller.tending import Tending
from hilbench.controller.watch import MeterSample
from hilbench.controller.web import serve
from hilbench.errors import DeviceError
from hilbench.ocppj import Connection, messages
from hilbench.site import Site

LOGGER = logging.getLogger(__name__)
Endpoint = tuple[str, int]
TICK_S = 1.0
"""Time as the core sees it goes in steps of so much, or of a poll where that is shorter."""
COLLECT = 0.25
"""Share of a tick for which news of stations is collected: what one cause makes many of them say comes within it."""


class ControllerRuntime:
    """The reference controller of ``site``: a CSMS at ``listen`` for the stations of ``identities``, a meter at
    ``meter``, and those of feeders at ``parts``, by feeder.

    ``passwords`` by identity are what stations must show in security profiles 1 and 2. ``defect`` names a deliberate
    mistake (see ``hilbench.controller.defects``). Raises ``InputError`` for an unknown one. ``run`` goes on until it is
    cancelled; limits that stand in stations then run out by themselves.
    """

    def __init__(
        self,
        site: Site,
        settings: ControllerSettings,
        identities: Mapping[str, str],
        *,
        listen: Endpoint,
        meter: MeterPlace | OcppPlace,
        parts: Mapping[str, MeterPlace] | None = None,
        defect: str | None = None,
        passwords: Mapping[str, str] | None = None,
    ) -> None:
        self._defect: Defect = defect_named(defect)
        self._site, self._settings, self._listen = site, self._defect.settings(settings), listen
        fallback = {branch.role: branch.fallback_a for branch in site.branches}
        self._csms = PORTS.get(self._defect.id, Csms)(
            self._settings,
            identities,
            fallback.__getitem__,
            self,
            speak,
            with_fallback=self._defect.with_fallback,
            passwords=passwords,
            supply_of=self._supply_of,
            meter_role=meter.role if isinstance(meter, OcppPlace) else None,
        )
        self._port: MeterPort | OcppPort
        if isinstance(meter, OcppPlace):
            volts = site.service.line_to_neutral_v
            self._port = OcppPort(site.lines, volts, settings.meter_poll_s, self._on_sample)
        else:
            self._port = MeterPort(meter, site.lines, settings.meter_poll_s, self._on_sample)
        self._part_ports = [
            MeterPort(place, site.lines, settings.meter_poll_s, partial(self._on_part, node))
            for node, place in (parts or {}).items()
        ]
        self._core: Core | None = None
        self._tick_s = min(TICK_S, settings.meter_poll_s)
        self._idle_s = max(min(settings.idle_poll_s, settings.stale_s / 2.0), settings.meter_poll_s)
        self._zero = 0.0
        self._due: asyncio.TimerHandle | None = None
        self._safe = ""
        self._doubts: dict[str, str] = {}
        self._activity = Activity()
        self._tending: Tending | None = None
        self._coordination: Coordination | None = None
        self._signals: Signals | Signals2 | None = None
        self._box: OperatorBox | None = None

    async def run(self) -> None:
        """Serve, poll and decide until cancelled."""
        self._zero = clock.next_multiple(self._tick_s, 0.5 * self._settings.meter_poll_s)
        self._core = self._made_core(self._now())
        memory = self._recalled(self._core)
        self._connect(self._core, memory)
        async with AsyncExitStack() as stack:
            await self._csms.serve(*self._listen, stack)
            if self._settings.status_port:
                await serve(self._settings.status_port, self._status(self._core).handle, stack)
            LOGGER.info("listening at %s:%d for %d stations", *self._listen, len(self._site.branches))
            async with asyncio.TaskGroup() as group:
                group.create_task(self._measure(), name="controller meter")
                group.create_task(self._renew(), name="controller leases")
                for name, part in self._parts():
                    group.create_task(part, name=f"controller {name}")
                if memory is not None:
                    group.create_task(keep(memory, self._snapshot), name="controller state")

    def _connect(self, core: Core, memory: StateFile | None) -> None:
        """Make what tells the core of more than meter and stations, where it is wanted."""
        settings = self._settings
        if settings.openadr is not None:
            self._signals = Signals(settings.openadr, self._on_import_limit, prices=settings.plan.price_signal)
        if settings.openadr2 is not None:
            self._signals = Signals2(settings.openadr2, self._on_import_limit)
        if settings.operator is not None:
            self._box = OperatorBox(settings.operator, self._on_station_limit)
        if settings.plans:
            signals = self._signals
            limit: Limit = signals.limit_at if signals else lambda _t: None
            said = signals.price_at if signals and settings.plan.price_signal else None
            self._coordination = Coordination(core, limit, None if memory is None else partial(_note, memory), said)
            if memory is not None and KEY in memory.notes:
                self._coordination.recall(memory.notes[KEY])

    def _parts(self) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
        """What of it runs beside meter and leases."""
        if self._settings.policy != "static":
            yield from (("feeder meter", port.run(_nothing)) for port in self._part_ports)
        if self._signals is not None:
            yield "signals", self._signals.run()
        if self._box is not None:
            yield "operator", self._box.run()
        if self._coordination is not None:
            yield "plan", self._coordination.run()

    def _on_import_limit(self, limit_kw: float | None) -> None:
        self._the_core().limit_import(limit_kw)
        self._decide_soon()

    def _on_station_limit(self, limit_kw: float | None) -> None:
        self._the_core().dim(limit_kw)
        self._decide_soon()

    def _made_core(self, t: float) -> Core:
        """A broken one where a defect is wanted, else that of the policy."""
        policy = StaticCore if self._settings.policy == "static" else Core
        return (policy if self._defect.core is Core else self._defect.core)(self._site, self._settings, t)

    async def _measure(self) -> None:
        """Ask the meter and decide; static sharing decides without."""
        if self._settings.policy != "static":
            await self._port.run(self._decide)
        while True:
            await clock.sleep_until(clock.next_multiple(self._tick_s, 0.5 * self._settings.meter_poll_s))
            self._decide()

    def _recalled(self, core: Core) -> StateFile | None:
        """The state file, after what it holds is in ``core``; none where none is wanted."""
        if self._settings.state_file is None:
            return None
        memory, now = StateFile(self._settings.state_file), self._now()
        for role, (found, written) in memory.stations.items():
            if role in core.stations:
                recall(core.stations[role], found, written, now, clock.at(0.0).timestamp(), self._settings.lease_s)
        return memory

    def _status(self, core: Core) -> Status:
        """What is answered over HTTP: changes and actions where somebody may ask for them."""
        status = Status(core, self._activity, self._now)
        tokens, file = self._settings.settings_token_file, self._settings.audit_file
        if tokens is None or file is None:
            return status
        try:
            audit, known = Audit(file), read_tokens(tokens)
        except OSError as error:
            raise DeviceError(f"audit file {file}: {error}") from error
        actions = Actions(core, self._now, known, audit, self._coordination, self._box)
        return replace(status, changes=Changes(core, known, audit), actions=actions)

    def _snapshot(self) -> Snapshot:
        zero = clock.at(0.0).timestamp()
        return {role: remember(station, zero) for role, station in self._the_core().stations.items()}

    async def _renew(self) -> None:
        """Renew the leases of stations where somebody may charge, on a UTC grid of half their length."""
        while True:
            await clock.sleep_until(clock.next_multiple(self._settings.lease_s / 2.0))
            for role, station in self._the_core().stations.items():
                if station.wants:
                    self._csms.want(role, station.target_a, renew=True)

    def _now(self) -> float:
        """Seconds in whole ticks that begin a little before the polls.

        What a poll causes is confirmed in the same instant on one clock and milliseconds later on another. Within a
        tick it is the same time for the core, so that what it waits for ends at the same poll on both.
        """
        return math.floor((clock.time() - self._zero) / self._tick_s + 0.25) * self._tick_s

    def _the_core(self) -> Core:
        assert self._core is not None, "run() makes the core before anything can happen"
        return self._core

    def _supply_of(self, role: str) -> Supply:
        branch = self._site.branch(role)
        phases = 1 if branch.line_to_line else len(branch.lines)
        least_a = self._settings.least_a(branch)
        return Supply(self._site.voltage_v(branch), phases, least_a, branch.kind == "dc")

    def _on_sample(self, sample: MeterSample) -> None:
        self._activity.sample = replace(sample, t=self._now())
        self._the_core().meter(self._activity.sample)
        if self._coordination is not None:
            self._coordination.sample(sample)

    def _on_part(self, node: str, sample: MeterSample) -> None:
        self._the_core().part(node, replace(sample, t=self._now()))

    def _decide(self) -> None:
        core = self._the_core()
        if self._due is not None:
            self._due.cancel()
            self._due = None
        self._activity.decisions += 1
        for setpoint in core.decide(self._now()):
            self._csms.want(setpoint.role, setpoint.limit_a)
        self._tend(core)
        self._port.every_s = self._idle_s if core.idle else self._settings.meter_poll_s
        if core.watch.reason != self._safe:
            self._safe = core.watch.reason
            said = f"{self._safe}; stations at fallback" if self._safe else "trusted again"
            LOGGER.warning("meter: %s", said, extra={"safe_state": self._safe})

        if core.feeders.doubts() != self._doubts:
            self._say_doubts(core.feeders.doubts())

    def _say_doubts(self, doubts: dict[str, str]) -> None:
        """Which feeders' meters are no longer believed, and which are again."""
        for node in self._doubts.keys() | doubts.keys():
            said = f"{doubts[node]}; its declared load is kept free" if node in doubts else "trusted again"
            if doubts.get(node) != self._doubts.get(node):
                LOGGER.warning("meter of feeder %s: %s", node, said)
        self._doubts = doubts

    def _tend(self, core: Core) -> None:
        if self._tending is None:
            self._tending = Tending(core, self._csms)
        self._tending.look(self._now())

    def _decide_soon(self) -> None:
        """Decide once after all that comes with this news, in the same instant or within milliseconds."""
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(COLLECT * self._tick_s, self._decide)

    # what stations do (conversation.Listener)

    def on_online(self, role: str) -> None:
        """See ``Listener``."""
        self._the_core().online(role, self._now())

    def on_offline(self, role: str) -> None:
        """See ``Listener``."""
        LOGGER.warning("station %s: link lost", role, extra={"station": role})
        self._the_core().offline(role, self._now())
        self._decide_soon()

    def on_status(self, role: str, status: str) -> None:
        """See ``Listener``."""
        before = self._the_core().stations[role].status
        self._the_core().status(role, self._now(), status)
        if self._coordination is not None:
            self._coordination.status(role, before, status)
        self._decide_soon()

    def on_report(self, role: str, currents: Mapping[str, float]) -> None:
        """See ``Listener``."""
        self._the_core().report(role, self._now(), currents)

    def on_dc_report(self, role: str, report: DcReport) -> None:
        """See ``Listener``."""
        self._the_core().report_dc(role, self._now(), report)

    def on_counted(self, role: str, counted: Counted) -> None:
        """See ``Listener``."""
        if self._coordination is not None:
            self._coordination.metered(role, counted.net_wh, counted.soc)

    def on_needs(self, role: str, needs: Mapping[str, Any]) -> bool:
        """See ``Listener``."""
        return self._coordination is not None and self._coordination.needs(role, needs)

    def on_site_meter(self, meter_value: list[dict[str, Any]]) -> None:
        """See ``Listener``."""
        if isinstance(self._port, OcppPort):
            self._port.take(meter_value)

    def on_confirmed(self, role: str, limit_a: float, lease_s: float) -> None:
        """See ``Listener``."""
        self._activity.accepted += 1
        self._the_core().confirmed(role, self._now(), limit_a, lease_s)

    def on_refused(self, role: str, fallback: bool) -> None:
        """See ``Listener``."""
        self._the_core().refused(role, fallback)
        self._decide_soon()

    def on_unanswered(self, role: str, limit_a: float, lease_s: float) -> None:
        """See ``Listener``."""
        self._the_core().unanswered(role, self._now(), limit_a, lease_s)

    def on_stopped(self, role: str) -> None:
        """See ``Listener``."""
        if self._tending is not None:
            self._tending.stopped(role)

    def on_said(self, role: str, said: Composite | None) -> None:
        """See ``Listener``."""
        if self._tending is not None:
            self._tending.said(role, self._now(), said)


def _nothing() -> None:
    """A feeder's meter is no reason to decide: the service's is."""


def _note(memory: StateFile, text: str) -> None:
    """Keep what the plan knows; a disk that fails stops no plan."""
    try:
        memory.note(KEY, text, clock.now().timestamp())
    except sqlite3.Error as error:
        LOGGER.warning("state file: %s", error)


def speak(role: str, identity: str, connection: Connection, csms: Csms) -> Conversation:
    """The conversation in the version that was agreed on for a connection."""
    kind = Conversation16 if connection.subprotocol == messages("1.6").subprotocol else Conversation2
    return kind(role, identity, connection, csms)
