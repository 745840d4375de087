"""An AC charging station with one outlet that speaks OCPP 1.6: boots, follows profiles, keeps them when alone."""

from __future__ import annotations

import asyncio
import hashlib
import math
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from hilbench import clock
from hilbench.errors import DeviceError
from hilbench.ocppj import CallFailed, call
from hilbench.signals import Record, profile_limit
from hilbench.site import MINIMUM_CURRENT_A, Branch
from hilbench_emulators.station import metering16, profiles
from hilbench_emulators.station.configuration import Configuration
from hilbench_emulators.station.handlers16 import describe
from hilbench_emulators.station.outlet import Outlet, PlantPort
from hilbench_emulators.station.settings import StationSettings
from hilbench_emulators.station.transactions import Queue, Transaction
from hilbench_emulators.station.uplink16 import LINK_LOST, Uplink16


class AcStation16:
    """A :class:`hilbench.devices.Station`. ``store`` is what persists: give the same dict again for the same station.

    ``limit_a`` is what the profiles allow now [A] (the nameplate when they say nothing), ``offered_a`` what the pilot
    offers, ``connected`` whether the controller has accepted it, ``transaction_id`` the controller's id or None.
    """

    def __init__(
        self,
        branch: Branch,
        plant: PlantPort,
        *,
        url: str | Callable[[], str],
        identity: str,
        record: Record,
        seed: int = 0,
        settings: StationSettings | None = None,
        store: dict[str, Any] | None = None,
    ) -> None:
        self.role = branch.role
        self.identity = identity
        self.settings = settings or StationSettings()
        self.next_id = 1
        self.limit_a = branch.max_a
        self._branch = branch
        self._plant = plant
        self._record = record
        self._url = url
        self._rng = np.random.default_rng([seed, zlib.crc32(identity.encode())])
        self._store: dict[str, Any] = {} if store is None else store
        self._signal = record.signal(profile_limit(branch.role), "A")
        self._hash = hashlib.sha256()
        self._outlet = Outlet(branch, plant, self.settings, record, self.poke)
        self._tasks: set[asyncio.Task[None]] = set()
        self._run_task: asyncio.Task[None] | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._override_a = math.inf
        self._local_id = 0
        self._ahead_s = 0.0
        self._forget(230.0)

    def _forget(self, voltage: float) -> None:
        """State of a station that has just got its supply."""
        self.profiles = profiles.ProfileStore(voltage, 3 if len(self._branch.lines) == 3 else 1)
        self.configuration = Configuration(self.settings)
        self.queue = Queue(self.settings)
        self._transaction: Transaction | None = None
        self._operative = True
        self._inoperative_next = False
        self._told: tuple[str, str] | None = None
        self._uplink = Uplink16(self, self._url, self._rng)
        self.queued = asyncio.Event()

    # -- what the bench does to it

    async def start(self) -> None:
        """Supply on; it connects after ``settings.boot_s``, and keeps trying. Does not wait for the controller."""
        if self._run_task is None:
            self._power_up()

    async def stop(self) -> None:
        """Supply off, for good; may be called twice."""
        tasks = self._power_down("Other")
        await asyncio.gather(*tasks, return_exceptions=True)

    async def plug_in(self, vehicle: Any, *, energy_kwh: float | None = None, soc: float | None = None) -> None:
        """Connect a car (a model's name or a ``Vehicle``), present its tag; raises ``DeviceError`` if one is there."""
        if self._outlet.plugged:
            raise DeviceError(f"station {self.role}: a car is connected already; unplug it first")
        self._outlet.plug_in(_load(vehicle), energy_kwh, soc)
        self._present_tag()

    async def unplug(self) -> None:
        """End the transaction and disconnect the car; does nothing without one."""
        if self._outlet.plugged:
            self.end("EVDisconnected")
            self._outlet.unplug()
            self.poke()

    async def power_cycle(self, off_s: float) -> None:
        """No supply for ``off_s`` seconds. The transaction ends (PowerLoss); a car that stays starts a new one."""
        tasks = self._power_down("PowerLoss")
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(off_s)
        self._power_up()

    async def make_safe(self) -> None:
        """Offer no more than the fallback until the next power cycle, whatever the controller says."""
        self._override_a = self._safe_a
        self._refresh()

    def is_safe(self, tolerance_a: float = 1.0) -> bool:
        """The car draws no more than the fallback (nothing when that is below 6 A) plus ``tolerance_a``."""
        return self._outlet.drawn_a() <= self._safe_a + tolerance_a

    @property
    def _safe_a(self) -> float:
        return self._branch.fallback_a if self._branch.fallback_a >= MINIMUM_CURRENT_A else 0.0

    @property
    def connected(self) -> bool:
        """The controller has accepted it and the link stands."""
        return self._uplink.connected

    @property
    def refusal(self) -> str:
        """Why the last attempt to connect did not end with the controller accepting it; empty while under way."""
        return self._uplink.refusal

    @property
    def offered_a(self) -> float:
        """Current on the pilot [A], 0 without PWM."""
        return self._outlet.offered_a

    @property
    def transaction_id(self) -> int | None:
        """The controller's id of the running transaction, None before it answered."""
        return None if self._transaction is None else self._transaction.id

    def trace_sha256(self) -> str:
        """Digest of every OCPP frame with its direction and time: equal for equal runs."""
        return self._hash.hexdigest()

    def trace(self, direction: str, text: str) -> None:
        """Take a frame into the digest."""
        self._hash.update(f"{clock.time():.6f} {direction} {text}\n".encode())

    # -- supply

    def _power_up(self) -> None:
        self._forget(self._plant.station_reading(self.role).voltage_v or 230.0)
        self._load_store()
        self._override_a = math.inf
        self.event("station.boot")
        self._outlet.power_up()
        self._refresh()
        self._run_task = asyncio.get_running_loop().create_task(self._uplink.run())
        self._run_task.add_done_callback(self._ran)
        if self._outlet.plugged:
            self._present_tag()

    def _power_down(self, reason: str) -> list[asyncio.Task[None]]:
        """Everything stops now; returns the tasks that are being cancelled."""
        if self._run_task is None:
            return []
        self.end(reason)
        self._outlet.power_down()
        for timer in self._timers.values():
            timer.cancel()
        tasks = [self._run_task, *self._tasks]
        self._run_task = None
        if self._uplink.link is not None:
            self._uplink.link._connection.transport.abort()
        for task in tasks:
            task.cancel()
        self._save()
        return tasks

    def reboot(self, reason: str) -> None:
        """Restart in place after a second, as Reset orders; the transaction ends with ``reason``."""
        self.end(reason)
        self._at("reboot", clock.time() + 1.0, self._reboot)

    def _reboot(self) -> None:
        self._power_down("Reboot")
        self._power_up()

    def _save(self) -> None:
        self._store.update(
            profiles=self.profiles.to_json(),
            configuration=dict(self.configuration.changed),
            queue=self.queue.to_json(),
            operative=self._operative,
            local_id=self._local_id,
        )

    def _load_store(self) -> None:
        if self._store:
            self.profiles.from_json(self._store["profiles"])
            self.profiles.clear(purpose=profiles.TX)
            self.configuration.changed = dict(self._store["configuration"])
            self.queue.from_json(self._store["queue"])
            self._operative = self._store["operative"]
            self._local_id = self._store["local_id"]

    # -- what is allowed, and what the outlet shows

    def poke(self) -> None:
        """Look at everything again, once, later in this instant."""
        if "poke" not in self._timers or self._timers["poke"].cancelled():
            self._at("poke", clock.time(), self._poked)

    def _poked(self) -> None:
        self._timers.pop("poke", None)
        self._refresh()

    def _refresh(self) -> None:
        """Evaluate the profiles, tell the outlet, set the timer for their next change, report a changed status."""
        if not self._outlet.powered:
            return
        utc = self._utc()
        limit = self.profiles.limit_at(utc)
        self.limit_a = self._branch.max_a if limit is None else limit
        if self._signal.last() != self.limit_a:
            self._signal.append(clock.time(), self.limit_a)
        able = self._transaction is not None and self._operative
        self._outlet.allow(min(self._branch.max_a, self.limit_a, self._override_a) if able else 0.0)
        change = self.profiles.next_change(utc)
        self._at("limit", clock.time() + change - utc if change < math.inf else math.inf, self._refresh)
        self._tell_status()

    def _utc(self) -> float:
        """UTC [s], to the millisecond, so that a timer for an edge of a schedule is not a rounding error early."""
        return round(clock.current().epoch.timestamp() + clock.time() + self._ahead_s, 3)

    def timestamp(self) -> str:
        """Now by its own clock, as OCPP writes it."""
        moment = clock.now() + timedelta(seconds=self._ahead_s)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def set_clock(self, told: str) -> None:
        """Go by the controller's clock from now on (OCPP 1.6 section 4.6: the answer to Heartbeat should be used so).

        Differences of ``clock_step_s`` or less, and what is no date, leave the clock as it is.
        """
        try:
            ahead_s = (datetime.fromisoformat(told).astimezone(UTC) - clock.now()).total_seconds()
        except (TypeError, ValueError, OverflowError):
            return
        if abs(ahead_s - self._ahead_s) > self.settings.clock_step_s:
            self.event("station.clock", ahead_s=round(ahead_s, 3))
            self._ahead_s = ahead_s
            self._refresh()

    def _status(self) -> tuple[str, str]:
        """ChargePointStatus and error code of the outlet (OCPP 1.6 section 4.9, standard-text)."""
        outlet = self._outlet
        if outlet.tripped:
            return "Faulted", "OverCurrentFailure"
        if not self._operative:
            return "Unavailable", "NoError"
        if not outlet.plugged:
            return "Available", "NoError"
        if self._transaction is None:
            return "Finishing" if self._told and self._told[0] not in (
                "Available",
                "Preparing",
            ) else "Preparing", "NoError"
        if outlet.offered_a <= 0:
            return "SuspendedEVSE", "NoError"
        return "Charging" if outlet.charging else "SuspendedEV", "NoError"

    def _tell_status(self) -> None:
        status = self._status()
        if status == self._told:
            return
        self._told = status
        if self.connected and self._uplink.link is not None:
            self._uplink.link.spawn(self._uplink.link.call(self.status_message()))

    def status_message(self) -> Any:
        """What the outlet shows now."""
        status, error = self._told = self._status()
        return call.StatusNotification(connector_id=1, error_code=error, status=status, timestamp=self.timestamp())

    # -- transactions

    def _present_tag(self) -> None:
        tag = self.settings.id_tag or f"TAG-{self.role}"[:20]
        self._spawn(self._authorise(tag))

    async def _authorise(self, tag: str) -> None:
        """Ask the controller; alone, charge anyway (AllowOfflineTxForUnknownId)."""
        if self.connected and self._uplink.link is not None:
            try:
                answer = await self._uplink.link.call(call.Authorize(id_tag=tag))
            except CallFailed as error:
                if error.code not in LINK_LOST:
                    return
            else:
                if answer.id_tag_info["status"] != "Accepted":
                    return
        self._begin(tag)

    def remote_start(self, id_tag: str, raw: dict[str, Any] | None) -> bool:
        """Begin a transaction with its profile, if there is a car and nothing forbids it."""
        if not self._outlet.plugged or self._transaction is not None or not self._operative:
            return False
        if raw is not None and not self._fits_a_start(raw):
            return False
        self._begin(id_tag)
        return raw is None or self.install(1, raw) == "Accepted"

    def _fits_a_start(self, raw: dict[str, Any]) -> bool:
        """Whether a profile can come with a remote start: what is refused must not leave a transaction behind."""
        try:
            profile = profiles.parse(1, raw, self.profiles.voltage_v)
        except ValueError:
            return False
        return profile.purpose == profiles.TX and profile.transaction_id is None and self._has_room_for(profile)

    def _begin(self, tag: str) -> None:
        if self._transaction is not None or not self._outlet.plugged or not self._operative:
            return
        self._local_id += 1
        meter = round(self._outlet.reading().energy_wh)
        self._transaction = Transaction(self._local_id, tag, self._utc(), meter)
        self.profiles.charging_since = self._transaction.since
        payload = {"connector_id": 1, "id_tag": tag, "meter_start": meter, "timestamp": self.timestamp()}
        self._enqueue("StartTransaction", payload)
        self.event("session.start", id_tag=tag)
        self._next_sample()
        self._refresh()

    def end(self, reason: str) -> None:
        """End the running transaction, if any, for an OCPP ``Reason``."""
        transaction = self._transaction
        if transaction is None:
            return
        meter = round(self._outlet.reading().energy_wh)
        payload = {"meter_stop": meter, "timestamp": self.timestamp(), "reason": reason, "id_tag": transaction.id_tag}
        self._enqueue("StopTransaction", payload)
        self._transaction = None
        self.profiles.end_transaction()
        self._at("sample", math.inf, self._sample)
        self.event("session.stop", reason=reason, energy_wh=meter - transaction.meter_start_wh)
        self._operative = self._operative and not self._inoperative_next
        self._refresh()

    def change_availability(self, operative: bool) -> str:
        """Answer to ChangeAvailability."""
        if not operative and self._transaction is not None:
            self._inoperative_next = True
            return "Scheduled"
        self._operative, self._inoperative_next = operative, False
        self._save()
        self.poke()
        return "Accepted"

    def _next_sample(self) -> None:
        interval = self.configuration.seconds("MeterValueSampleInterval")
        if self._transaction is not None:
            self._at("sample", clock.time() + interval if interval else math.inf, self._sample)

    def _sample(self) -> None:
        self._enqueue("MeterValues", {"connector_id": 1, "meter_value": [self._meter_value("Sample.Periodic")]})
        self._next_sample()

    def _meter_value(self, context: str) -> dict[str, Any]:
        names = self.configuration.value("MeterValuesSampledData").split(",")
        measurands = [name.strip() for name in names]
        reading = self._outlet.reading()
        return metering16.meter_value(self._branch, reading, self.offered_a, measurands, self.timestamp(), context)

    def _enqueue(self, action: str, payload: dict[str, Any]) -> None:
        assert self._transaction is not None
        self.queue.put(action, self._transaction.local_id, payload)
        if action != "MeterValues":
            self._save()
        self.queued.set()

    # -- what the controller asks

    def install(self, connector: int, raw: dict[str, Any]) -> str:
        """Install a charging profile; returns the status of the answer."""
        try:
            profile = profiles.parse(connector, raw, self.profiles.voltage_v)
        except ValueError:
            return "Rejected"
        if not self._may_install(profile):
            return "Rejected"
        self.profiles.install(profile)
        self.event("command.profile", **describe(profile, self._utc()))
        self._save()
        self._refresh()
        return "Accepted"

    def _has_room_for(self, profile: profiles.Profile) -> bool:
        settings = self.settings
        return (
            profile.stack <= settings.max_stack_level
            and len(profile.periods) <= settings.max_periods
            and self.profiles.count_with(profile) <= settings.max_profiles
        )

    def _may_install(self, profile: profiles.Profile) -> bool:
        if profile.purpose == profiles.MAXIMUM and (profile.connector != 0 or profile.kind == "Relative"):
            return False
        if profile.purpose == profiles.TX:
            running = self._transaction
            if running is None or profile.connector != 1 or profile.transaction_id not in (None, running.id):
                return False
        return self._has_room_for(profile)

    def composite(self, duration_s: float, unit: str) -> dict[str, Any]:
        """Schedule from now on, the nameplate where no profile limits."""
        return self.profiles.composite(self._utc(), duration_s, unit, self._branch.max_a)

    def configured(self) -> None:
        """A key has changed."""
        self._uplink.heartbeat_s = self.configuration.seconds("HeartbeatInterval") or self._uplink.heartbeat_s
        self._next_sample()
        self._save()

    def triggered(self, message: str) -> Any:
        """The message that TriggerMessage asks for."""
        if message == "MeterValues":
            return call.MeterValues(
                connector_id=1, meter_value=[self._meter_value("Trigger")], transaction_id=self.transaction_id
            )
        return {
            "BootNotification": self.boot_message,
            "Heartbeat": call.Heartbeat,
            "StatusNotification": self.status_message,
        }[message]()

    def boot_message(self) -> Any:
        """What it says of itself."""
        settings = self.settings
        return call.BootNotification(
            charge_point_vendor=settings.vendor,
            charge_point_model=settings.model,
            charge_point_serial_number=self.identity[:25],
            firmware_version=settings.firmware,
        )

    def delivered(self, entry: dict[str, Any], answer: Any) -> None:
        """The controller has answered a transaction message."""
        if entry["action"] != "StartTransaction":
            return
        self.queue.ids[entry["local_id"]] = answer.transaction_id
        running = self._transaction
        if running is not None and running.local_id == entry["local_id"]:
            running.id = answer.transaction_id
            if answer.id_tag_info["status"] != "Accepted":
                self.end("DeAuthorized")

    # -- small tools

    def _ran(self, task: asyncio.Task[None]) -> None:
        """The connecting never ends by itself; when it does, the record says why."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.event("station.failed", reason=f"{type(error).__name__}: {error}")

    def event(self, kind: str, **data: Any) -> None:
        """Record something that happened here, now."""
        self._record.event(clock.time(), kind, self.role, **data)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _at(self, name: str, t: float, action: Callable[[], None]) -> None:
        """Replace the timer called ``name``; infinity only cancels it."""
        old = self._timers.pop(name, None)
        if old is not None:
            old.cancel()
        if t < math.inf:
            self._timers[name] = asyncio.get_running_loop().call_at(t, action)


def _load(vehicle: Any) -> Any:
    """A ``Vehicle``, from its name if need be."""
    if not isinstance(vehicle, str):
        return vehicle
    from hilbench_emulators.vehicles import load_vehicle

    return load_vehicle(vehicle)
