"""Coordinated charging and V2G as they run: what is metered and told to the coordinator, its orders to the core."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from hilbench import clock
from hilbench.controller.core import Core
from hilbench.controller.planning.coordinator import Coordinator, Limit, Orders, Present
from hilbench.controller.planning.memory import recall_into, text_of
from hilbench.controller.planning.needs import Need, need_of
from hilbench.controller.planning.prices import Said
from hilbench.controller.stations import PLUGGED, StationState
from hilbench.controller.watch import MeterSample
from hilbench.tariff import read_tariff

LOGGER = logging.getLogger(__name__)
Keep = Callable[[str], None]
COLLECT_S = 5.0
"""What comes within so long makes one plan."""


class Coordination:
    """Plans for ``core`` until cancelled. ``limit`` is what a grid signal allows at a time; ``keep`` keeps a text.

    Raises ``InputError`` for a tariff file that cannot be used.
    """

    def __init__(self, core: Core, limit: Limit, keep: Keep | None = None, said: Said | None = None) -> None:
        site, rules = core.site, core.settings.plan
        self._core, self._limit, self._keep = core, limit, keep
        self._counters: dict[str, float] = {}
        self._soc: dict[str, float] = {}
        self._since: dict[str, float] = {}
        self._wake = asyncio.Event()
        self.orders = Orders()
        self.coordinator = Coordinator(
            rules,
            ZoneInfo(site.timezone),
            site.all_lines_kw(site.nodes[0].limit_a),
            tariff=None if rules.tariff is None else read_tariff(rules.tariff),
            contract_kw=math.inf if site.contract_kw is None else site.contract_kw,
            export_kw=site.export_limit_kw or 0.0,
            v2g=core.settings.policy == "v2g",
            said=said,
        )
        core.power.watched = True

    async def run(self) -> None:
        """Plan on a grid of UTC, and soon after news."""
        every_s = self._core.settings.plan.every_s
        while True:
            due = clock.next_multiple(every_s)
            try:
                async with asyncio.timeout_at(due):
                    await self._wake.wait()
                    await asyncio.sleep(COLLECT_S)
            except TimeoutError:
                pass
            self._wake.clear()
            await self._plan()

    async def _plan(self) -> None:
        t = clock.now().timestamp()
        asked = (t, self._present(t), self._limit, self._groups())
        if clock.is_virtual():
            self.orders = self.coordinator.orders(*asked)
        else:
            self.orders = await asyncio.to_thread(self.coordinator.orders, *asked)
        self._core.plan(self.orders)
        if self._keep is not None:
            self._keep(text_of(self.coordinator))

    def _present(self, t: float) -> list[Present]:
        """Cars that are there and may be charged, or discharged."""
        found = []
        for role, station in self._core.stations.items():
            if station.online and station.status in PLUGGED and (station.wants or role in self._soc):
                self.coordinator.assume(role, self._since.get(role, t))
                found.append(self._one(role, station))
        return found

    def _one(self, role: str, station: StationState) -> Present:
        watts = self._core.watts_per_a(station)
        most_a = min(station.cap_a, station.useful_a)
        drawn_kw = max(station.reported_a or 0.0, 0.0) * watts / 1000.0
        return Present(
            role,
            most_a * watts / 1000.0,
            drawn_kw,
            self._soc.get(role),
            self._since.get(role, math.inf),
            station.branch.feeder,
        )

    def _groups(self) -> dict[str, float]:
        """What feeders bear, as power of all their lines: the core keeps the lines."""
        site, margin_a, feeders = self._core.site, self._core.settings.margin_a, self._core.feeders
        left_a = {node.id: node.limit_a - margin_a - feeders.most_a(node.id) for node in site.nodes[1:]}
        return {node: site.all_lines_kw(max(amps, 0.0)) for node, amps in left_a.items()}

    def recall(self, text: str) -> None:
        """Take up what an earlier run of the controller knew."""
        recall_into(self.coordinator, text, clock.now().timestamp())

    # news

    def sample(self, sample: MeterSample) -> None:
        """The meter has spoken, and the core has looked at it."""
        if self._core.watch.reason or not self._core.power.building.known:
            return
        building_kw = float(self._core.power.building.base[0]) / 1000.0
        self.coordinator.metered(clock.now().timestamp(), building_kw, math.fsum(sample.powers.values()) / 1000.0)

    def status(self, role: str, before: str, status: str) -> None:
        """A connector changed its state: a car came or went."""
        if status not in PLUGGED and before in PLUGGED:
            self.coordinator.need(role, None)
            self._soc.pop(role, None)
            self._since.pop(role, None)
            self._wake.set()
        elif status in PLUGGED and before not in PLUGGED:
            self._wake.set()
        if status == "Charging":
            self._since.setdefault(role, clock.now().timestamp())

    def needs(self, role: str, told: Mapping[str, Any]) -> bool:
        """A station handed on what its car needs; False when that cannot be used."""
        need = need_of(told)
        if need is None:
            LOGGER.warning("station %s: needs of its car cannot be used: %s", role, dict(told))
            return False
        self.tell(role, need)
        return True

    def tell(self, role: str, need: Need) -> None:
        """What the car at a station needs, from whoever knows."""
        self.coordinator.need(role, need)
        self._wake.set()

    def metered(self, role: str, net_wh: float | None, soc: float | None) -> None:
        """A station's energy register (import less export), and the state of charge of its car (0 to 1)."""
        if net_wh is not None:
            before = self._counters.get(role)
            self._counters[role] = net_wh
            if before is not None and abs(net_wh - before) < 1e6:
                self.coordinator.counted(role, (net_wh - before) / 1000.0)
        if soc is not None:
            self._soc[role] = soc
            self.coordinator.charge(role, soc)
            self._core.charge_known(role, soc)
