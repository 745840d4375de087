"""The OCPP 1.6 station over in-memory sockets: profiles reach the pilot, and hold when the controller is gone."""
# ruff: noqa: D102 - handlers of a fake are what their decorators say

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from hilbench import clock, devices, ocppj
from hilbench.ocppj import call, call_result, on
from hilbench.signals import Record
from hilbench.site import Branch
from hilbench_emulators.link import FaultLink
from hilbench_emulators.station.ocpp16 import AcStation16
from hilbench_emulators.station.settings import StationSettings
from tests.fake_plant import FakePlant

BRANCH = Branch(role="A1", branch_a=40, max_a=32, connection="L1-N", fallback_a=8)


class Central(ocppj.ChargePoint16):
    """A central system that accepts everything and remembers it."""

    bench: Bench

    def got(self, action: str, **data: Any) -> None:
        self.bench.log.append((clock.time(), action, data))

    @on("BootNotification")
    def boot(self, **data: Any) -> Any:
        self.got("BootNotification", **data)
        return call_result.BootNotification(current_time=stamp(0), interval=300, status="Accepted")

    @on("Heartbeat")
    def heartbeat(self) -> Any:
        self.got("Heartbeat")
        return call_result.Heartbeat(current_time=stamp(0))

    @on("StatusNotification")
    def status(self, **data: Any) -> Any:
        self.got("StatusNotification", **data)
        return call_result.StatusNotification()

    @on("Authorize")
    def authorize(self, **data: Any) -> Any:
        self.got("Authorize", **data)
        return call_result.Authorize(id_tag_info={"status": self.bench.tag_status})

    @on("StartTransaction")
    def start_transaction(self, **data: Any) -> Any:
        self.got("StartTransaction", **data)
        self.bench.transactions += 1
        return call_result.StartTransaction(transaction_id=self.bench.transactions, id_tag_info={"status": "Accepted"})

    @on("StopTransaction")
    def stop_transaction(self, **data: Any) -> Any:
        self.got("StopTransaction", **data)
        return call_result.StopTransaction()

    @on("MeterValues")
    def meter_values(self, **data: Any) -> Any:
        self.got("MeterValues", **data)
        return call_result.MeterValues()


def stamp(after_s: float) -> str:
    """Bench time ``after_s`` from now, as OCPP writes it."""
    return (clock.now() + timedelta(seconds=after_s)).isoformat().replace("+00:00", "Z")


class Bench:
    """A station, a faulty wire and a central system."""

    def __init__(self, **settings: Any) -> None:
        self.log: list[tuple[float, str, dict[str, Any]]] = []
        self.transactions = 0
        self.tag_status = "Accepted"
        self.record = Record()
        self.plant = FakePlant()
        self.settings = StationSettings(**settings)
        self.store: dict[str, Any] = {}
        self.central: Central | None = None
        self.station: AcStation16
        self.link: FaultLink

    async def handler(self, connection: ServerConnection, identity: str) -> None:
        self.central = Central(identity, connection)
        self.central.bench = self
        await self.central.start()

    def run(self, body: Callable[[Bench], Awaitable[Any]]) -> Any:
        """The body's result, after ten seconds to come up."""

        async def main() -> Any:
            async with ocppj.listen("127.0.0.1", 0, self.handler) as port:
                self.link = FaultLink("127.0.0.1", 0, "127.0.0.1", port)
                await self.link.start()
                url = f"ws://127.0.0.1:{self.link.port}/ocpp"
                self.station = AcStation16(
                    BRANCH,
                    self.plant,
                    url=url,
                    identity="cp-1",
                    record=self.record,
                    settings=self.settings,
                    store=self.store,
                )
                await self.station.start()
                await asyncio.sleep(10)
                try:
                    return await body(self)
                finally:
                    await self.station.stop()
                    await self.station.stop()
                    await self.link.stop()
                    assert not list(self.record.events_of("station.failed"))

        return clock.run(main())

    def sent(self, action: str) -> list[dict[str, Any]]:
        """Payloads of one action."""
        return [data for _, kind, data in self.log if kind == action]

    def statuses(self) -> list[str]:
        """Statuses in order."""
        return [data["status"] for data in self.sent("StatusNotification")]

    async def limit(self, limit: float, stack: int = 1, duration: int | None = None, **more: Any) -> Any:
        """Install a TxDefaultProfile."""
        schedule: dict[str, Any] = {
            "charging_rate_unit": "A",
            "charging_schedule_period": [{"start_period": 0, "limit": limit}],
            "start_schedule": stamp(0),
        }
        if duration is not None:
            schedule["duration"] = duration
        profile = {
            "charging_profile_id": stack + 1,
            "stack_level": stack,
            "charging_profile_purpose": "TxDefaultProfile",
            "charging_profile_kind": "Absolute",
            "charging_schedule": schedule,
        } | more
        assert self.central is not None
        return await self.central.call(call.SetChargingProfile(connector_id=0, cs_charging_profiles=profile))


def test_a_session_from_boot_to_unplug() -> None:
    """Boot, Available; plug in: Authorize, Start, Charging, meter values; unplug: Stop with the energy, Available."""
    bench = Bench()

    async def body(b: Bench) -> None:
        assert isinstance(b.station, devices.Station)
        await b.station.plug_in(object())
        await asyncio.sleep(125)
        assert b.station.transaction_id == 1
        assert b.plant.current_a == pytest.approx(32)
        await b.station.unplug()
        await asyncio.sleep(5)

    bench.run(body)
    assert [a for _, a, _ in bench.log][:2] == ["BootNotification", "StatusNotification"]
    assert bench.statuses() == ["Available", "Preparing", "SuspendedEV", "Charging", "Finishing", "Available"]
    assert len(bench.sent("MeterValues")) == 2
    values = bench.sent("MeterValues")[0]["meter_value"][0]["sampled_value"]
    assert [v["measurand"] for v in values][:2] == ["Current.Import", "Voltage"]
    stop = bench.sent("StopTransaction")[0]
    assert (stop["reason"], stop["transaction_id"]) == ("EVDisconnected", 1)
    assert stop["meter_stop"] == pytest.approx(32 * 230 * 123 / 3600, abs=1)
    kinds = [e.kind for e in bench.record.events]
    assert kinds == ["station.boot", "station.online", "session.start", "session.stop", "station.offline"]


def test_a_profile_reaches_the_pilot_and_its_end_uncovers_the_fallback() -> None:
    """A decrease acts at once; the lease runs out to the second; a raise waits five seconds after a change."""
    bench = Bench()

    async def body(b: Bench) -> list[float]:
        await b.station.plug_in(object())
        await asyncio.sleep(20)
        await b.limit(8, stack=0)
        assert b.station.offered_a == 8
        await b.limit(16, stack=1, duration=30)
        seen = [b.station.offered_a]
        await asyncio.sleep(5.1)
        seen.append(b.station.offered_a)
        await asyncio.sleep(24.8)
        seen.append(b.station.offered_a)
        await asyncio.sleep(0.2)
        seen.append(b.station.offered_a)
        return [*seen, b.station.limit_a]

    assert bench.run(body) == [8, 16, 16, 8, 8]
    events = [(e.data["stack"], e.data["limit_a"]) for e in bench.record.events_of("command.profile")]
    assert events == [(0, 8.0), (1, 16.0)]
    assert list(bench.record.signals["limit/A1"].rows()[1]) == [32, 16, 8]


def test_below_six_amperes_the_car_is_paused() -> None:
    """No PWM at once, contactor open as the car has stopped, and charging again when allowed."""
    bench = Bench()

    async def body(b: Bench) -> list[tuple[float, str, Any]]:
        await b.station.plug_in(object())
        await asyncio.sleep(20)
        b.plant.log.clear()
        start = clock.time()
        await b.limit(5.9)
        await asyncio.sleep(10)
        assert b.station.is_safe()
        await b.limit(10)
        await asyncio.sleep(10)
        assert b.plant.current_a == pytest.approx(10)
        return [(round(t - start), what, value) for t, what, value in b.plant.log]

    log = bench.run(body)
    assert log[:2] == [(0, "pilot", None), (2, "contactor", False)]
    assert log[-2:] == [(10, "pilot", 10 / 0.6), (12, "contactor", True)]
    assert "SuspendedEVSE" in bench.statuses()


def test_a_car_that_ignores_the_pilot_is_cut_off() -> None:
    """Seven seconds above the offer open the contactor and fault the outlet until the car leaves."""
    bench = Bench()

    async def body(b: Bench) -> Any:
        await b.station.plug_in(object())
        await asyncio.sleep(20)
        b.plant.ignores_at = 32.0
        start = clock.time()
        await b.limit(10)
        await asyncio.sleep(30)
        assert not b.plant.closed
        await b.station.unplug()
        await asyncio.sleep(1)
        return next(t for t, what, value in b.plant.log if what == "contactor" and not value) - start

    assert bench.run(body) == pytest.approx(7.0, abs=0.01)
    assert bench.statuses()[-2:] == ["Faulted", "Available"]


def test_a_car_that_stays_in_c_is_disconnected_after_six_seconds() -> None:
    """A pause opens the contactor whatever the car does."""
    bench = Bench()

    async def body(b: Bench) -> Any:
        await b.station.plug_in(object())
        await asyncio.sleep(20)
        b.plant.ignores_at = 32.0
        start = clock.time()
        await b.limit(0)
        await asyncio.sleep(30)
        return next(t for t, what, value in b.plant.log if what == "contactor" and not value) - start

    assert bench.run(body) == pytest.approx(6.0, abs=0.01)


@pytest.mark.parametrize("how", ["reset", "half-open"])
def test_alone_it_keeps_profiles_and_catches_up_in_order(how: devices.LinkFault) -> None:
    """Cut off, the lease runs out to the fallback; after the cut Stop and Start arrive in order with their ids."""
    bench = Bench()

    async def body(b: Bench) -> None:
        await b.station.plug_in(object())
        await asyncio.sleep(20)
        await b.limit(8, stack=0)
        await b.limit(20, stack=1, duration=30)
        b.link.cut(how)
        await asyncio.sleep(100)
        assert not b.station.connected
        assert b.station.offered_a == 8
        await b.station.unplug()
        await asyncio.sleep(10)
        await b.station.plug_in(object())
        await asyncio.sleep(10)
        assert b.station.offered_a == 8
        b.link.restore()
        await asyncio.sleep(60)
        assert b.station.connected
        assert b.station.transaction_id == 2

    bench.run(body)
    kinds = [a for _, a, _ in bench.log if a.endswith("Transaction")]
    assert kinds == ["StartTransaction", "StopTransaction", "StartTransaction"]
    assert bench.sent("StopTransaction")[0]["transaction_id"] == 1
    assert len(bench.sent("BootNotification")) == 1


def test_a_power_cycle_keeps_profiles_and_starts_the_car_again() -> None:
    """The store survives; the transaction ends with PowerLoss and a new one begins under the stored fallback."""
    bench = Bench()

    async def body(b: Bench) -> None:
        await b.station.plug_in(object())
        await asyncio.sleep(20)
        await b.limit(8, stack=0)
        await b.station.power_cycle(20)
        assert not b.plant.closed
        await asyncio.sleep(30)
        assert b.station.offered_a == 8
        assert b.plant.current_a == pytest.approx(8)
        assert b.station.transaction_id == 2

    bench.run(body)
    assert [s["reason"] for s in bench.sent("StopTransaction")] == ["PowerLoss"]
    assert len(bench.sent("BootNotification")) == 2


def test_make_safe_holds_against_the_controller() -> None:
    """The fallback is the most that is offered, whatever profile comes."""
    bench = Bench()

    async def body(b: Bench) -> None:
        await b.station.plug_in(object())
        await asyncio.sleep(20)
        assert not b.station.is_safe()
        await b.station.make_safe()
        await b.limit(30)
        await asyncio.sleep(10)
        assert b.station.is_safe()
        assert b.station.offered_a == 8

    bench.run(body)


def test_a_refused_tag_does_not_charge_until_a_remote_start() -> None:
    """Authorize Blocked leaves it in Preparing; RemoteStart with a TxProfile charges at that; RemoteStop ends it."""
    bench = Bench()
    bench.tag_status = "Blocked"

    async def body(b: Bench) -> None:
        await b.station.plug_in(object())
        await asyncio.sleep(20)
        assert b.plant.current_a == 0
        assert b.central is not None
        profile = {
            "charging_profile_id": 7,
            "stack_level": 0,
            "charging_profile_purpose": "TxProfile",
            "charging_profile_kind": "Relative",
            "charging_schedule": {
                "charging_rate_unit": "W",
                "charging_schedule_period": [{"start_period": 0, "limit": 2760.0, "number_phases": 1}],
            },
        }
        start = call.RemoteStartTransaction(id_tag="R", connector_id=1, charging_profile=profile)
        assert (await b.central.call(start)).status == "Accepted"
        await asyncio.sleep(10)
        assert b.plant.current_a == pytest.approx(12)
        composite = await b.central.call(call.GetCompositeSchedule(connector_id=1, duration=60))
        assert composite.charging_schedule["charging_schedule_period"][0]["limit"] == 12
        assert (await b.central.call(call.RemoteStopTransaction(transaction_id=1))).status == "Accepted"
        await asyncio.sleep(10)
        assert b.plant.current_a == 0

    bench.run(body)
    assert bench.statuses()[-1] == "Finishing"


def test_the_rest_of_the_core_profile_is_answered() -> None:
    """Configuration, triggers, availability, unlock, reset, and errors with their codes."""
    bench = Bench()

    async def body(b: Bench) -> None:
        c = b.central
        assert c is not None
        assert (await c.call(call.GetConfiguration(key=["NumberOfConnectors", "x"]))).unknown_key == ["x"]
        change = call.ChangeConfiguration
        for key, value, status in (
            ("MeterValueSampleInterval", "10", "Accepted"),
            ("MeterValueSampleInterval", "-1", "Rejected"),
            ("MeterValuesSampledData", "Frequency", "Rejected"),
            ("NumberOfConnectors", "2", "Rejected"),
            ("x", "2", "NotSupported"),
        ):
            assert (await c.call(change(key=key, value=value))).status == status
        for message in ("BootNotification", "Heartbeat", "MeterValues", "StatusNotification"):
            assert (await c.call(call.TriggerMessage(requested_message=message))).status == "Accepted"
        await asyncio.sleep(1)
        assert {"Heartbeat", "MeterValues"} <= {a for _, a, _ in b.log}
        assert (await c.call(call.ClearChargingProfile())).status == "Unknown"
        await b.limit(16)
        assert (await c.call(call.ClearChargingProfile(stack_level=1))).status == "Accepted"
        assert (await b.limit(16, stack=11)).status == "Rejected"
        assert (await b.limit(16, charging_profile_purpose="TxProfile")).status == "Rejected"
        with pytest.raises(ocppj.CallFailed, match="PropertyConstraintViolation"):
            await c.call(call.ChangeAvailability(connector_id=3, type="Operative"))
        assert (await c.call(call.ChangeAvailability(connector_id=1, type="Inoperative"))).status == "Accepted"
        assert (await c.call(call.UnlockConnector(connector_id=1))).status == "Unlocked"
        assert (await c.call(call.DataTransfer(vendor_id="v"))).status == "UnknownVendorId"
        assert (await c.call(call.ClearCache())).status == "Accepted"
        assert (await c.call(call.Reset(type="Soft"))).status == "Accepted"
        await asyncio.sleep(20)
        assert b.station.connected
        assert b.statuses()[-1] == "Unavailable"

    bench.run(body)
    assert len(bench.sent("BootNotification")) == 3


def test_equal_runs_leave_equal_traces() -> None:
    """Frames, times and ids repeat for a seed, over a cut and a reconnect."""

    def once() -> str:
        bench = Bench()

        async def body(b: Bench) -> str:
            await b.station.plug_in(object())
            await asyncio.sleep(90)
            b.link.cut()
            await asyncio.sleep(40)
            b.link.restore()
            await asyncio.sleep(60)
            return b.station.trace_sha256()

        return str(bench.run(body))

    assert once() == once()
