"""What the controller says to one station, whatever version it speaks, and what comes of it."""

from __future__ import annotations

import asyncio
import logging
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from hilbench import clock
from hilbench.controller.abilities import Abilities, in_words
from hilbench.controller.dc_readings import DcReport, dc_report, outlet_values
from hilbench.controller.installing import BEHIND_S, Limit, Profile, Transaction
from hilbench.controller.readback import Composite, asked_s, composite_of
from hilbench.controller.readings import (
    MEASURANDS,
    TWO_WAY_DC_MEASURANDS,
    TWO_WAY_MEASURANDS,
    Counted,
    counted,
    reported_at,
    reported_currents,
)
from hilbench.ocppj import CallFailed

if TYPE_CHECKING:
    from hilbench.controller.csms import Csms

LOGGER = logging.getLogger(__name__)
REFUSALS = ("NotSupported", "NotImplemented", "PropertyConstraintViolation")
"""Codes by which a station refuses a profile; with any other nobody knows what stands in it."""

TIME_AGAIN_S = 60.0
"""A station whose clock is wrong is not told the time more often: what it had queued also looks so (policy)."""


class Listener(Protocol):
    """What the runtime wants to hear of stations."""

    def on_online(self, role: str) -> None:
        """The link of a station is up and its fallback is installed (or was refused)."""

    def on_offline(self, role: str) -> None:
        """The link of a station is gone."""

    def on_status(self, role: str, status: str) -> None:
        """State of the station's connector."""

    def on_report(self, role: str, currents: Mapping[str, float]) -> None:
        """Reported current per terminal [A]."""

    def on_dc_report(self, role: str, report: DcReport) -> None:
        """What a DC station reported of what it takes from the site."""

    def on_counted(self, role: str, counted: Counted) -> None:
        """Reported energy and state of charge."""

    def on_needs(self, role: str, needs: Mapping[str, Any]) -> bool:
        """What the car there needs (ChargingNeeds, snake_case); True where a schedule will come of it."""
        ...

    def on_site_meter(self, meter_value: list[dict[str, Any]]) -> None:
        """What the station that has the site's meter reported of it."""

    def on_confirmed(self, role: str, limit_a: float, lease_s: float) -> None:
        """A limit stands in the station."""

    def on_refused(self, role: str, fallback: bool) -> None:
        """The station refuses its fallback, or a lease, in every way."""

    def on_unanswered(self, role: str, limit_a: float, lease_s: float) -> None:
        """A limit was sent and no answer came: it may stand in the station."""

    def on_stopped(self, role: str) -> None:
        """The station ends the session there, as it was asked to."""

    def on_said(self, role: str, said: Composite | None) -> None:
        """What the station says is in force, as it was asked to; None where it does not say."""


class Conversation(ABC):
    """What is said to one station, in the words of its version; ``link`` is the controller's end of the connection."""

    link: Any

    def __init__(self, role: str, csms: Csms) -> None:
        self.role = role
        self.csms = csms
        self.listener = csms.listener
        self._wake = asyncio.Event()
        self._wanted: float | None = None
        self._installing = self._install_again = False
        self._installer = csms.installer(role)
        self._putting = asyncio.Lock()
        self._told_time = -math.inf
        self.transaction: Transaction | None = None

    @abstractmethod
    def profile_message(self, profile: Profile) -> Any:
        """The SetChargingProfile for ``profile``."""

    @abstractmethod
    async def ask_for_reports(self) -> None:
        """Ask for currents every ``sample_s``, for the state of the connector and for a reading at once."""

    @abstractmethod
    async def ask_for_reading(self) -> None:
        """Ask for a reading at once."""

    @abstractmethod
    async def ask_for_heartbeat(self) -> None:
        """Let the station ask for the time."""

    @abstractmethod
    async def ask_abilities(self) -> Abilities | None:
        """Ask what the station can do; None without an answer."""

    @abstractmethod
    async def ask_to_stop(self, transaction: Any) -> Any:
        """Ask to end a transaction: the answer; None without one."""

    @abstractmethod
    async def ask_composite(self, duration_s: int) -> Any:
        """Ask which limits are in force from now on: a schedule in snake_case; None without one."""

    async def install(self) -> None:
        """Fallback first, then ask for reports and for the state; what boots meanwhile gets it once more, not so often.

        A station that boots without end and answers nothing would otherwise pile up installations.
        """
        self._install_again = True
        if self._installing:
            return
        self._installing = True
        try:
            while self._install_again:
                self._install_again = False
                await self._install()
        finally:
            self._installing = False

    async def booted(self) -> None:
        """It may have lost everything, and may take what it refused before."""
        self._installer.begin_again()
        await self.install()

    async def _install(self) -> None:
        await self._restore()
        self.listener.on_online(self.role)
        await self.ask_for_reports()
        await self._discover()
        if self._wanted is not None:
            self._wake.set()

    def restore(self) -> None:
        """Install the fallback once more."""
        self.link.spawn(self._restore())

    async def _restore(self) -> None:
        if self.csms.with_fallback_for(self.role):
            await self._put(self.csms.fallback_of(self.role), None)

    def want(self, limit_a: float, renew: bool = False) -> None:
        """Let the station have ``limit_a`` as soon as it can be told; a newer wish replaces an older one."""
        if limit_a != self._wanted or renew:
            self._wanted = limit_a
            self._wake.set()

    async def tell(self) -> None:
        """Send wishes as they come, one at a time, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            limit = self._wanted
            if limit is None:
                continue
            if not await self._put(limit, self.csms.settings.lease_s) and self._wanted == limit:
                self._wanted = None  # so that the next decision asks for it again

    async def _put(self, limit_a: float, lease_s: float | None) -> bool:
        """Install a limit in a way that the station takes, and say what became of it; True when it stands there."""
        limit, lasts_s = Limit(limit_a, lease_s, self.csms.fallback_of(self.role)), lease_s or math.inf
        async with self._putting:
            accepted_a, answered = await self._installer.put(limit, self._send, self._discover)
            if accepted_a is not None:
                await self._installer.insist(limit._replace(limit_a=accepted_a), self.transaction, self._send)
        if accepted_a is not None:
            self.listener.on_confirmed(self.role, accepted_a, lasts_s)
        elif answered:
            self.listener.on_refused(self.role, lease_s is None)
        else:
            self.listener.on_unanswered(self.role, limit_a, lasts_s)
        return accepted_a is not None

    async def _send(self, profile: Profile) -> str:
        """Send a profile; its status, or the code of an error, or nothing where no answer can be used."""
        try:
            status = str((await self.link.call(self.profile_message(profile))).status)
        except CallFailed as error:
            LOGGER.warning("station %s: %s", self.role, error)
            return error.code if error.code in REFUSALS else ""
        if status != "Accepted":
            schedule = profile.schedule
            first = schedule["charging_schedule_period"][0]
            amount = first.get("limit", first.get("setpoint"))
            what = f"{amount:.1f} {schedule['charging_rate_unit']}, stack level {profile.stack}"
            LOGGER.warning("station %s: profile with %s was %s", self.role, what, status)
        return status

    async def _discover(self) -> None:
        """Ask once, when all that matters more has been said, or when the usual way is refused."""
        known = self._installer
        if not self.csms.settings.discover or known.asked:
            return
        found = await self.ask_abilities()
        if found is not None:
            known.asked, known.abilities = True, found
            level = logging.WARNING if found.smart_charging is False else logging.INFO
            LOGGER.log(level, "station %s says: %s", self.role, in_words(found), extra={"station": self.role})

    @property
    def dc(self) -> bool:
        """Its cars are charged with DC."""
        return self._installer.supply.dc

    @property
    def measurands(self) -> str:
        """What stations shall report."""
        if self.csms.settings.policy != "v2g":
            return MEASURANDS
        return TWO_WAY_DC_MEASURANDS if self.dc else TWO_WAY_MEASURANDS

    def read(self, meter_value: list[dict[str, Any]]) -> None:
        """Hand on what was reported; one that reports with a wrong time is told the right one."""
        self._check_clock(reported_at(meter_value))
        if self.dc:
            self.listener.on_dc_report(self.role, dc_report(meter_value))
            meter_value = outlet_values(meter_value)
        elif currents := reported_currents(meter_value):
            self.listener.on_report(self.role, currents)
        if self.csms.settings.plans and (found := counted(meter_value)) != Counted():
            self.listener.on_counted(self.role, found)

    def _check_clock(self, moment: datetime | None) -> None:
        """To a station whose clock is wrong no lease says what was meant; it takes the time from a Heartbeat."""
        if moment is None or not self.csms.checks_clocks or self._installer.abilities.triggers is False:
            return
        off_s, now = (moment - clock.now()).total_seconds(), clock.time()
        if abs(off_s) > BEHIND_S and now - self._told_time >= TIME_AGAIN_S:
            self._told_time = now
            LOGGER.warning("station %s: its clock is off by %.0f s; it is told the time", self.role, off_s)
            self.link.spawn(self.ask_for_heartbeat())

    def read_main(self, meter_value: list[dict[str, Any]]) -> bool:
        """Hand on what the station's main meter shows, if that is the site's meter; False where it is not."""
        if self.role != self.csms.meter_role:
            return False
        self.listener.on_site_meter(meter_value)
        return True

    def begins(self) -> None:
        """A transaction has begun; a station that needs the limit for that gets it."""
        if self._installer.insists and self._wanted is not None:
            self._wake.set()

    def insist(self) -> None:
        """Give limits as TxProfile too from now on."""
        self._installer.insists = True
        self.begins()

    def ask(self) -> None:
        """Let the station report now, where it can be asked to."""
        if self._installer.abilities.triggers is not False:
            self.link.spawn(self.ask_for_reading())

    def stop(self) -> None:
        """Let the station end the session that runs there."""
        self.link.spawn(self._stop())

    async def _stop(self) -> None:
        if self.transaction is None:
            LOGGER.warning("station %s: no session is known there that could be ended", self.role)
            return
        answer = await self.ask_to_stop(self.transaction)
        if answer is not None and answer.status == "Accepted":
            self.listener.on_stopped(self.role)
        else:
            LOGGER.warning("station %s: it does not end its session", self.role, extra={"station": self.role})

    def read_back(self) -> None:
        """Let the station say which limits are in force, and hand that on."""
        self.link.spawn(self._read_back())

    async def _read_back(self) -> None:
        asked = asked_s(self.csms.settings)
        found = composite_of(await self.ask_composite(asked), asked, self._installer.supply)
        self.listener.on_said(self.role, found)

    async def attempt(self, payload: Any) -> Any:
        """Call the station; None, with a warning, when that fails."""
        try:
            return await self.link.call(payload)
        except CallFailed as error:
            LOGGER.warning("station %s: %s", self.role, error)
            return None
