"""Lists, reservations, firmware, logs and meter values of stations of every version."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hilbench_emulators.station.tokens import LONGEST_CACHE, Tokens
from tests.station_bench import TOKEN, Bench, stamp

every = pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
families = pytest.mark.parametrize("version", ["1.6", "2.0.1"])
KEYS = {
    "ClockAlignedDataInterval": ("AlignedDataCtrlr", "Interval"),
    "LocalPreAuthorize": ("AuthCtrlr", "LocalPreAuthorize"),
    "LocalAuthListEnabled": ("LocalAuthListCtrlr", "Enabled"),
    "AuthorizationCacheEnabled": ("AuthCacheCtrlr", "Enabled"),
    "AllowOfflineTxForUnknownId": ("AuthCtrlr", "OfflineTxForUnknownIdEnabled"),
    "LocalAuthorizeOffline": ("AuthCtrlr", "LocalAuthorizeOffline"),
}


async def configure(b: Bench, key: str, value: str) -> None:
    """Set what 1.6 calls ``key``."""
    if b.version == "1.6":
        assert (await b.ask("ChangeConfiguration", key=key, value=value)).status == "Accepted"
    else:
        component, name = KEYS[key]
        item = {"component": {"name": component}, "variable": {"name": name}, "attribute_value": value}
        result = (await b.ask("SetVariables", set_variable_data=[item])).set_variable_result[0]
        assert result["attribute_status"] == "Accepted"


async def send_list(b: Bench, version: int, full: bool, **statuses: str | None) -> str:
    """SendLocalList with a status, or None to remove, for each tag (underscores for hyphens)."""
    kind = "Full" if full else "Differential"
    old = b.version == "1.6"
    entries: list[dict[str, Any]] = []
    for name, status in statuses.items():
        tag = name.replace("_", "-")
        entry: dict[str, Any] = {"id_tag": tag} if old else {"id_token": {"id_token": tag, "type": "ISO14443"}}
        info = {} if status is None else {"id_tag_info" if old else "id_token_info": {"status": status}}
        entries.append(entry | info)
    number = {"list_version" if old else "version_number": version}
    answer = await b.ask("SendLocalList", **number, update_type=kind, local_authorization_list=entries or None)
    return str(answer.status)


async def list_version(b: Bench) -> int:
    """What GetLocalListVersion says."""
    answer = await b.ask("GetLocalListVersion")
    return int(answer.list_version if b.version == "1.6" else answer.version_number)


async def reserve(b: Bench, number: int, tag: str, after_s: float = 100.0, outlet: int = 1) -> str:
    """ReserveNow."""
    if b.version == "1.6":
        request = {"connector_id": outlet, "expiry_date": stamp(after_s), "id_tag": tag, "reservation_id": number}
        return str((await b.ask("ReserveNow", **request)).status)
    request = {"id": number, "expiry_date_time": stamp(after_s), "evse_id": outlet}
    return str((await b.ask("ReserveNow", **request, id_token=TOKEN | {"id_token": tag})).status)


def statuses(b: Bench) -> list[str]:
    """What the outlet has shown."""
    key = "status" if b.version == "1.6" else "connector_status"
    return [data[key] for data in b.sent("StatusNotification")]


@every
def test_a_local_list_is_replaced_and_changed(version: str) -> None:
    """Full, differential, version mismatch, failures that change nothing; the list outlives a power cycle."""
    bench = Bench(version)

    async def body(b: Bench) -> None:
        assert await list_version(b) == 0
        assert await send_list(b, 3, True, A="Accepted", B="Blocked") == "Accepted"
        assert await send_list(b, 3, False, C="Accepted") == "VersionMismatch"
        assert await send_list(b, 5, True, C=None) == "Failed"
        assert await send_list(b, 4, False, C="Accepted", B=None) == "Accepted"
        assert sorted(b.station.tokens.listed) == ["A", "C"]
        await b.station.power_cycle(5)
        await asyncio.sleep(10)
        assert await list_version(b) == 4
        assert sorted(b.station.tokens.listed) == ["A", "C"]
        assert await send_list(b, 9, True) == "Accepted"
        assert not b.station.tokens.listed
        await configure(b, "LocalAuthListEnabled", "false")
        assert await list_version(b) == (-1 if version == "1.6" else 0)
        assert await send_list(b, 10, True) == ("NotSupported" if version == "1.6" else "Failed")

    bench.run(body)


@families
def test_listed_drivers_charge_without_a_question(version: str) -> None:
    """LocalPreAuthorize: a listed tag starts without Authorize."""
    bench = Bench(version)

    async def body(b: Bench) -> None:
        await send_list(b, 1, True, TAG_A1="Accepted")
        await configure(b, "LocalPreAuthorize", "true")
        await b.station.plug_in(object())
        await asyncio.sleep(10)
        assert b.plant.current_a == pytest.approx(32)

    bench.run(body)
    assert not bench.sent("Authorize")


@families
@pytest.mark.parametrize(
    ("listed", "unknown", "local", "charges"),
    [
        ("Accepted", "false", "true", True),
        ("Blocked", "true", "true", False),
        (None, "true", "true", True),
        (None, "false", "true", False),
        ("Accepted", "false", "false", False),
    ],
)
def test_offline_the_list_decides(version: str, listed: str | None, unknown: str, local: str, charges: bool) -> None:
    """Cut off: who is listed as accepted charges; who is not known charges where that is allowed."""
    bench = Bench(version)

    async def body(b: Bench) -> None:
        if listed is not None:
            await send_list(b, 1, True, TAG_A1=listed)
        await configure(b, "AllowOfflineTxForUnknownId", unknown)
        await configure(b, "LocalAuthorizeOffline", local)
        b.link.cut("reset")
        await asyncio.sleep(1)
        await b.station.plug_in(object())
        await asyncio.sleep(10)
        assert (b.plant.current_a > 0) is charges

    bench.run(body)


@families
def test_the_cache_remembers_what_the_controller_said(version: str) -> None:
    """A tag refused online is refused offline too, until ClearCache; without a cache it cannot be cleared."""
    bench = Bench(version)
    info = "id_tag_info" if version == "1.6" else "id_token_info"
    bench.answers["Authorize"] = {info: {"status": "Blocked"}}

    async def offline_charges(b: Bench) -> bool:
        b.link.cut("reset")
        await asyncio.sleep(1)
        await b.station.plug_in(object())
        await asyncio.sleep(10)
        charges = b.plant.current_a > 0
        await b.station.unplug()
        b.link.restore()
        await asyncio.sleep(60)
        return charges

    async def body(b: Bench) -> None:
        await b.station.plug_in(object())
        await asyncio.sleep(10)
        await b.station.unplug()
        assert not await offline_charges(b)
        assert (await b.ask("ClearCache")).status == "Accepted"
        assert await offline_charges(b)
        await configure(b, "AuthorizationCacheEnabled", "false")
        assert (await b.ask("ClearCache")).status == "Rejected"

    bench.run(body)


def test_the_cache_lets_the_oldest_go_and_knows_what_has_expired() -> None:
    """A full cache forgets the first token; an accepted one past its expiry is Expired; the list comes first."""
    tokens = Tokens()
    told = {"status": "Accepted", "expiry": "1970-01-01T00:01:00Z", "group": None}
    for number in range(LONGEST_CACHE + 1):
        tokens.learn(str(number), told)
    assert tokens.local("0", 0, listed=True, cached=True) is None
    assert tokens.local("1", 59, listed=True, cached=True) == told
    assert tokens.local("1", 61, listed=True, cached=True) == told | {"status": "Expired"}
    tokens.update(True, 1, [("1", told | {"status": "Blocked"})])
    assert tokens.local("1", 0, listed=True, cached=True) == told | {"status": "Blocked"}
    assert tokens.local("1", 0, listed=False, cached=False) is None


@every
def test_a_reservation_keeps_the_outlet_for_its_driver(version: str) -> None:
    """Reserved is shown; another driver does not charge, the right one does and uses it up, named in the start."""
    bench = Bench(version)

    async def body(b: Bench) -> None:
        assert await reserve(b, 1, "OTHER", outlet=2) == "Rejected"
        assert await reserve(b, 1, "OTHER", after_s=-5) == "Rejected"
        assert await reserve(b, 1, "OTHER") == "Accepted"
        assert await reserve(b, 2, "TAG-A1") == "Occupied"
        await b.station.plug_in(object())
        await asyncio.sleep(10)
        assert b.plant.current_a == 0
        await b.station.unplug()
        assert (await b.ask("CancelReservation", reservation_id=7)).status == "Rejected"
        assert (await b.ask("CancelReservation", reservation_id=1)).status == "Accepted"
        await asyncio.sleep(1)
        assert await reserve(b, 2, "TAG-A1") == "Accepted"
        await b.station.plug_in(object())
        await asyncio.sleep(10)
        assert b.plant.current_a == pytest.approx(32)
        assert await reserve(b, 3, "TAG-A1") == "Occupied"

    bench.run(body)
    start = bench.sent("StartTransaction" if version == "1.6" else "TransactionEvent")[0]
    assert start["reservation_id"] == 2
    assert statuses(bench)[:2] == ["Available", "Reserved"]


@every
def test_a_reservation_expires_to_the_second(version: str) -> None:
    """At its date the outlet is Available again, over a power cycle too; 2.x tells ReservationStatusUpdate."""
    bench = Bench(version)

    async def body(b: Bench) -> None:
        assert await reserve(b, 4, "OTHER", after_s=60) == "Accepted"
        await b.station.power_cycle(5)
        await asyncio.sleep(50)
        assert statuses(b)[-1] == "Reserved"
        await asyncio.sleep(6)
        assert statuses(b)[-1] == "Available"

    bench.run(body)
    told = [] if version == "1.6" else [{"reservation_id": 4, "reservation_update_status": "Expired"}]
    assert bench.sent("ReservationStatusUpdate") == told


@every
def test_new_firmware_is_fetched_installed_and_booted(version: str) -> None:
    """The states in order and in time; not while a car charges; the new version boots."""
    bench = Bench(version)

    async def body(b: Bench) -> None:
        await b.station.plug_in(object())
        location = "https://example.org/fw/v2.bin"
        if version == "1.6":
            await b.ask("UpdateFirmware", location=location, retrieve_date=stamp(20))
        else:
            firmware = {"location": location, "retrieve_date_time": stamp(20), "signature": "s"}
            assert (await b.ask("UpdateFirmware", request_id=5, firmware=firmware)).status == "Accepted"
        await asyncio.sleep(200)
        assert b.sent("FirmwareStatusNotification")[-1]["status"] == (
            "Downloaded" if version == "1.6" else "InstallScheduled"
        )
        await b.station.unplug()
        await asyncio.sleep(100)

    bench.run(body)
    told = bench.sent("FirmwareStatusNotification")
    states = ["DownloadScheduled", "Downloading", "Downloaded", "SignatureVerified"]
    states += ["InstallScheduled", "Installing", "InstallRebooting", "Installed"]
    old = ["Downloading", "Downloaded", "Installing", "Installed"]
    assert [data["status"] for data in told] == (old if version == "1.6" else states)
    boots = bench.sent("BootNotification")
    key = "firmware_version"
    versions = [boot[key] if version == "1.6" else boot["charging_station"][key] for boot in boots]
    assert versions == ["1", "v2.bin"]
    if version != "1.6":
        assert {data["request_id"] for data in told} == {5}
        assert boots[1]["reason"] == "FirmwareUpdate"
        assert "FirmwareUpdated" in [data["type"] for data in bench.sent("SecurityEventNotification")]
    times = [t for t, action, _ in bench.log if action == "FirmwareStatusNotification"]
    first = old.index("Downloading") if version == "1.6" else 1
    assert times[first + 1] - times[first] == pytest.approx(30, abs=0.1)


@families
def test_firmware_from_nowhere_fails_to_download(version: str) -> None:
    """A location with a scheme of no use ends in DownloadFailed, and nothing reboots."""
    bench = Bench(version)

    async def body(b: Bench) -> None:
        if version == "1.6":
            await b.ask("UpdateFirmware", location="gopher://example.org", retrieve_date=stamp())
        else:
            firmware = {"location": "gopher://example.org", "retrieve_date_time": stamp()}
            await b.ask("UpdateFirmware", request_id=5, firmware=firmware)
            again = await b.ask("UpdateFirmware", request_id=6, firmware=firmware)
            assert again.status == "AcceptedCanceled"
        await asyncio.sleep(100)

    bench.run(body)
    assert [data["status"] for data in bench.sent("FirmwareStatusNotification")][-2:] == [
        *("Downloading", "DownloadFailed")
    ]
    assert len(bench.sent("BootNotification")) == 1


@families
@pytest.mark.parametrize("good", [True, False])
def test_a_log_is_uploaded(version: str, good: bool) -> None:
    """Uploading, ten seconds, Uploaded; or the failure where the address is of no use."""
    bench = Bench(version)
    location = "ftp://example.org/logs" if good else "gopher://example.org"

    async def body(b: Bench) -> None:
        if version == "1.6":
            answer = await b.ask("GetDiagnostics", location=location)
            assert answer.file_name == "cp-1-diagnostics.log"
        else:
            log = {"remote_location": location}
            answer = await b.ask("GetLog", log=log, log_type="DiagnosticsLog", request_id=8)
            assert (answer.status, answer.filename) == ("Accepted", "cp-1-DiagnosticsLog.log")
        await asyncio.sleep(20)

    bench.run(body)
    action = "DiagnosticsStatusNotification" if version == "1.6" else "LogStatusNotification"
    failed = "UploadFailed" if version == "1.6" else "UploadFailure"
    assert [data["status"] for data in bench.sent(action)] == ["Uploading", "Uploaded" if good else failed]
    times = [t for t, kind, _ in bench.log if kind == action]
    assert times[1] - times[0] == pytest.approx(10, abs=0.1)


def test_a_second_log_takes_the_place_of_the_first() -> None:
    """AcceptedCanceled is answered and told for the first request; the second is uploaded."""
    bench = Bench("2.0.1")

    async def body(b: Bench) -> None:
        request = {"log": {"remote_location": "https://example.org"}, "log_type": "SecurityLog"}
        assert (await b.ask("GetLog", **request, request_id=1)).status == "Accepted"
        await asyncio.sleep(5)
        assert (await b.ask("GetLog", **request, request_id=2)).status == "AcceptedCanceled"
        await asyncio.sleep(20)

    bench.run(body)
    told = [(data["request_id"], data["status"]) for data in bench.sent("LogStatusNotification")]
    assert told == [(1, "Uploading"), (1, "AcceptedCanceled"), (2, "Uploading"), (2, "Uploaded")]


@every
def test_clock_aligned_values_come_on_the_quarter_of_the_minute(version: str) -> None:
    """Every 15 s from midnight, in a transaction and without one, with context Sample.Clock."""
    bench = Bench(version, sample_interval_s=0)

    async def body(b: Bench) -> None:
        await configure(b, "ClockAlignedDataInterval", "15")
        await asyncio.sleep(31)
        idle = b.sent("MeterValues")
        assert len(idle) == 2
        assert "transaction_id" not in idle[0]
        assert idle[0]["meter_value"][0]["sampled_value"][0]["context"] == "Sample.Clock"
        assert idle[0]["meter_value"][0]["timestamp"][17:19] in ("00", "15", "30", "45")
        b.log.clear()
        await b.station.plug_in(object())
        await asyncio.sleep(31)

    bench.run(body)
    if version == "1.6":
        assert [data["transaction_id"] for data in bench.sent("MeterValues")] == [1, 1]
    else:
        assert bench.events().count(("Updated", "MeterValueClock")) == 2


def test_stop_transaction_carries_the_readings_that_are_asked_for() -> None:
    """StopTxnSampledData and StopTxnAlignedData: begin, samples, clock and end, in order of time."""
    bench = Bench("1.6", sample_interval_s=20)

    async def body(b: Bench) -> None:
        for key in ("StopTxnSampledData", "StopTxnAlignedData"):
            await configure(b, key, "Energy.Active.Import.Register")
        await configure(b, "ClockAlignedDataInterval", "60")
        await b.station.plug_in(object())
        await asyncio.sleep(65)
        await b.station.unplug()
        await asyncio.sleep(1)

    bench.run(body)
    data = bench.sent("StopTransaction")[0]["transaction_data"]
    contexts = [value["sampled_value"][0]["context"] for value in data]
    assert (contexts[0], contexts[-1]) == ("Transaction.Begin", "Transaction.End")
    assert sorted(contexts[1:-1]) == ["Sample.Clock"] + ["Sample.Periodic"] * 3
    stamps = [value["timestamp"] for value in data]
    assert stamps == sorted(stamps)


def test_stop_transaction_carries_nothing_by_default() -> None:
    """Without those keys there is no transactionData."""
    bench = Bench("1.6")

    async def body(b: Bench) -> None:
        await b.station.plug_in(object())
        await asyncio.sleep(10)
        await b.station.unplug()
        await asyncio.sleep(1)

    bench.run(body)
    assert "transaction_data" not in bench.sent("StopTransaction")[0]


@every
def test_messages_of_vendors_go_to_a_hook(version: str) -> None:
    """Without one the vendor is not known; with one its answer goes out."""
    bench = Bench(version)

    async def body(b: Bench) -> None:
        assert (await b.ask("DataTransfer", vendor_id="v")).status == "UnknownVendorId"
        b.station.vendor_hook = lambda vendor, message, data: ("Accepted", f"{vendor}/{message}/{data}")
        answer = await b.ask("DataTransfer", vendor_id="v", message_id="m", data="d")
        assert (answer.status, answer.data) == ("Accepted", "v/m/d")

    bench.run(body)


def test_security_events_wait_for_the_controller() -> None:
    """StartupOfTheDevice once accepted; a clock that was set is SettingSystemTime."""
    bench = Bench("2.0.1")
    bench.answers["BootNotification"] = lambda _data: {"current_time": stamp(3600)}

    async def body(b: Bench) -> None:
        await asyncio.sleep(1)

    bench.run(body)
    events = bench.sent("SecurityEventNotification")
    assert [data["type"] for data in events] == ["StartupOfTheDevice", "SettingSystemTime"]


def test_customers_networks_costs_and_monitors() -> None:
    """Each is answered with what this station can do, and CustomerInformation with a report."""
    bench = Bench("2.0.1")

    async def body(b: Bench) -> None:
        await b.station.plug_in(object())
        await asyncio.sleep(10)
        ask = {"request_id": 1, "report": True, "clear": True}
        assert (await b.ask("CustomerInformation", **ask, id_token=TOKEN)).status == "Accepted"
        assert (await b.ask("CustomerInformation", **ask)).status == "Rejected"
        await asyncio.sleep(1)
        assert "TAG-A1" not in b.station.tokens.cached
        data = {"ocpp_version": "OCPP20", "ocpp_transport": "JSON", "ocpp_csms_url": "wss://x", "message_timeout": 30}
        data |= {"security_profile": 1, "ocpp_interface": "Wired0"}
        answer = await b.ask("SetNetworkProfile", configuration_slot=1, connection_data=data)
        assert answer.status == "Rejected"
        await b.ask("CostUpdated", total_cost=1.5, transaction_id=b.station.transaction_id)
        monitor: dict[str, Any] = {"value": 1, "type": "Delta", "severity": 5}
        wanted = [
            monitor | {"component": {"name": "EVSE"}, "variable": {"name": name}} for name in ("Power", "Nothing")
        ]
        answer = await b.ask("SetVariableMonitoring", set_monitoring_data=wanted)
        assert [one["status"] for one in answer.set_monitoring_result] == ["UnsupportedMonitorType", "UnknownVariable"]

    bench.run(body)
    assert [one["data"] for one in bench.sent("NotifyCustomerInformation")] == ["TAG-A1: Accepted"]
    assert [event.data["total"] for event in bench.record.events_of("session.cost")] == [1.5]
