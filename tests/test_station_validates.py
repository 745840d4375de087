"""Every message of a station, over sessions that make it say all that it can, is as the schemas of the OCA have it."""

from __future__ import annotations

import ast
import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

import hilbench_emulators.station
from hilbench import clock
from hilbench.certificates import Authority
from hilbench.ocppj import VERSIONS, CallFailed, messages
from hilbench_emulators.personality import load_personality, names
from hilbench_emulators.pilot import Circuit, Ev
from hilbench_emulators.station.handlers2 import Handlers21, Handlers201
from hilbench_emulators.station.handlers16 import Handlers16
from hilbench_emulators.vehicles import load_vehicle
from tests.ocpp_samples import sample, schemas
from tests.schema_tap import CALL, Tap, judge
from tests.station_bench import TOKEN, Bench, stamp
from tests.test_station_messages import configure, list_version, reserve, send_list

_BOTH = {"BootNotification", "StatusNotification", "Heartbeat", "Authorize", "MeterValues"}
_BOTH |= {"FirmwareStatusNotification"}
_ALL_2 = _BOTH | {
    *("TransactionEvent", "LogStatusNotification", "SecurityEventNotification", "ReservationStatusUpdate"),
    *("NotifyEvent", "NotifyReport", "NotifyCustomerInformation", "ReportChargingProfiles"),
    *("NotifyChargingLimit", "ClearedChargingLimit", "SignCertificate", "NotifyEVChargingNeeds"),
}
SAYS = {
    "1.6": _BOTH
    | {"StartTransaction", "StopTransaction", "DiagnosticsStatusNotification", "SecurityEventNotification"}
    | {"LogStatusNotification", "SignedFirmwareStatusNotification", "SignCertificate"},
    "2.0.1": _ALL_2,
    "2.1": _ALL_2 | {"PullDynamicScheduleUpdate", "NotifyPriorityCharging"},
}
"""Every action that a station calls."""
Scene = Callable[[Bench], Awaitable[None]]


async def ask(b: Bench, action: str, **payload: Any) -> Any:
    """The station's answer; None where it refuses with CALLERROR, which some makes do."""
    try:
        return await b.ask(action, **payload)
    except CallFailed as error:
        if error.code in ("Timeout", "ConnectionLost", "InternalError"):
            raise
        return None


async def plugged(b: Bench) -> None:
    """A car comes and charges."""
    await b.station.plug_in(object())
    await asyncio.sleep(20)


async def unplugged(b: Bench) -> None:
    """It leaves."""
    await b.station.unplug()
    await asyncio.sleep(5)


# -- what both families do


async def lists_and_reservations(b: Bench) -> None:
    """A list, a cache, a reservation that is given up and one that expires."""
    await send_list(b, 1, True, A="Accepted", B="Blocked")
    await send_list(b, 2, False, B=None)
    await list_version(b)
    await ask(b, "ClearCache")
    await reserve(b, 1, "OTHER")
    await ask(b, "CancelReservation", reservation_id=1)
    await ask(b, "CancelReservation", reservation_id=1)
    await reserve(b, 2, "OTHER", after_s=5)
    await asyncio.sleep(10)


async def triggers(b: Bench) -> None:
    """Every message that can be triggered, and some that cannot."""
    kinds = schema_enum(b.version, "TriggerMessage", "requestedMessage")
    for kind in kinds:
        await ask(b, "TriggerMessage", requested_message=kind)
        await asyncio.sleep(1)


def schema_enum(version: str, action: str, field: str) -> list[str]:
    """Values that a field of a request can have."""
    schema = judge(version, action, CALL).schema
    node = schema["properties"][field]
    if "$ref" in node:
        node = schema["definitions"][node["$ref"].rsplit("/", 1)[1]]
    return list(node["enum"])


async def vendors(b: Bench) -> None:
    """DataTransfer with and without somebody who knows the vendor."""
    await ask(b, "DataTransfer", vendor_id="v", data="d")
    b.station.vendor_hook = lambda vendor, message, data: ("Accepted", f"{vendor}/{message}/{data}")
    await ask(b, "DataTransfer", vendor_id="v", message_id="m", data="d")


async def alone(b: Bench) -> None:
    """Cut off in a transaction: samples, a stop and a whole other transaction wait, and are told later."""
    await plugged(b)
    b.link.cut("reset")
    await asyncio.sleep(130)
    await unplugged(b)
    await plugged(b)
    await asyncio.sleep(60)
    b.link.restore()
    await asyncio.sleep(120)
    await unplugged(b)


async def tripped(b: Bench) -> None:
    """A car that draws what it likes makes the outlet fault."""
    await plugged(b)
    b.plant.ignores_at = 60.0
    await asyncio.sleep(60)
    b.plant.ignores_at = None
    await unplugged(b)


async def without_diode(b: Bench) -> None:
    """The diode of a car fails while it charges, and is there again."""
    await plugged(b)
    b.plant.set_circuit(Circuit(ev=Ev(diode="shorted")))
    await asyncio.sleep(10)
    b.plant.set_circuit(Circuit())
    await asyncio.sleep(60)
    await unplugged(b)


async def power_cycled(b: Bench) -> None:
    """Supply lost in a transaction."""
    await plugged(b)
    await b.station.power_cycle(5)
    await asyncio.sleep(30)
    await unplugged(b)


async def nothing_measured(b: Bench) -> None:
    """A list of measurands that is empty leaves nothing to tell, and no message without a reading."""
    if b.version == "1.6":
        for key in ("MeterValuesSampledData", "MeterValuesAlignedData", "StopTxnSampledData"):
            await ask(b, "ChangeConfiguration", key=key, value="")
    else:
        await set_variables(b, SampledDataCtrlr={"TxUpdatedMeasurands": "", "TxStartedMeasurands": ""})
        await set_variables(b, AlignedDataCtrlr={"Measurands": ""})
    await configure(b, "ClockAlignedDataInterval", "15")
    await asyncio.sleep(20)
    await ask(b, "TriggerMessage", requested_message="MeterValues")
    await plugged(b)
    await asyncio.sleep(70)
    await unplugged(b)


async def every_request(b: Bench) -> None:
    """Each request of the version with every field that its schema has, while nobody and while somebody charges."""
    for action, kind, schema in schemas(b.version):
        if kind != "call" or action in SAYS[b.version]:
            continue
        for charging in (False, True):
            if charging:
                await b.station.plug_in(object())
                await asyncio.sleep(20)
            await b.central._connection.send(json.dumps([2, f"{action[:20]}-{charging}", action, sample(schema)]))
            await asyncio.sleep(20)
            await b.station.unplug()
            await asyncio.sleep(200 if action in ("Reset", "UpdateFirmware") else 2)


def schedule(b: Bench, *limits_a: float) -> dict[str, Any]:
    """A schedule of some limits, each for five minutes, in a unit that this make takes."""
    in_amperes = "A" in b.settings.options(b.station.charging.version).units
    limits = limits_a if in_amperes else [round(230.0 * limit, 1) for limit in limits_a]
    periods = [{"start_period": 300 * number, "limit": limit} for number, limit in enumerate(limits)]
    return {"charging_rate_unit": "A" if in_amperes else "W", "charging_schedule_period": periods}


# -- 1.6


def profile16(b: Bench, number: int, purpose: str, limit_a: float, **more: Any) -> dict[str, Any]:
    """A charging profile of two periods."""
    return {
        "charging_profile_id": number,
        "stack_level": 1,
        "charging_profile_purpose": purpose,
        "charging_profile_kind": "Absolute",
        "charging_schedule": schedule(b, limit_a, 16.1) | {"start_schedule": stamp(-5)},
        **more,
    }


async def profiles16(b: Bench) -> None:
    """Profiles of each purpose set, added up in both units, refused and cleared, in a transaction."""
    await plugged(b)
    for number, (connector, purpose) in enumerate(
        [(0, "ChargePointMaxProfile"), (0, "TxDefaultProfile"), (1, "TxProfile"), (9, "TxProfile")], start=1
    ):
        more = {"transaction_id": b.station.transaction_id} if purpose == "TxProfile" else {}
        wanted = profile16(b, number, purpose, 12.3, **more)
        await ask(b, "SetChargingProfile", connector_id=connector, cs_charging_profiles=wanted)
        await asyncio.sleep(5)
    for connector, unit in ((0, None), (1, "A"), (1, "W"), (9, "A")):
        await ask(b, "GetCompositeSchedule", connector_id=connector, duration=600, charging_rate_unit=unit)
    await ask(b, "ClearChargingProfile", id=1)
    await ask(b, "ClearChargingProfile")
    await ask(b, "ClearChargingProfile")
    await unplugged(b)


async def configuration16(b: Bench) -> None:
    """Keys read, all and some; changed, with every answer that there is; readings in StopTransaction."""
    await ask(b, "GetConfiguration")
    await ask(b, "GetConfiguration", key=["HeartbeatInterval", "Nothing"])
    for key in ("StopTxnSampledData", "StopTxnAlignedData", "MeterValuesSampledData"):
        await ask(b, "ChangeConfiguration", key=key, value="Energy.Active.Import.Register,SoC,Voltage,Current.Import")
    await ask(b, "ChangeConfiguration", key="ClockAlignedDataInterval", value="60")
    await ask(b, "ChangeConfiguration", key="ClockAlignedDataInterval", value="x")
    await ask(b, "ChangeConfiguration", key="Nothing", value="1")


async def remote16(b: Bench) -> None:
    """Started and stopped from afar, unlocked, out of service and back, booted both ways."""
    await b.station.plug_in(object())
    await ask(b, "RemoteStartTransaction", id_tag="R", charging_profile=profile16(b, 5, "TxProfile", 10.0))
    await asyncio.sleep(20)
    await ask(b, "RemoteStartTransaction", id_tag="R")
    await ask(b, "RemoteStopTransaction", transaction_id=b.station.transaction_id or 0)
    await ask(b, "RemoteStopTransaction", transaction_id=-1)
    await unplugged(b)
    await plugged(b)
    await ask(b, "UnlockConnector", connector_id=9)
    await ask(b, "ChangeAvailability", connector_id=1, type="Inoperative")
    await ask(b, "UnlockConnector", connector_id=1)
    await asyncio.sleep(5)
    await unplugged(b)
    await ask(b, "ChangeAvailability", connector_id=0, type="Operative")
    for kind in ("Soft", "Hard"):
        await plugged(b)
        await ask(b, "Reset", type=kind)
        await asyncio.sleep(30)
        await unplugged(b)


async def files16(b: Bench) -> None:
    """Firmware and logs, to and from places that are good and that are not."""
    for location in ("https://example.org/fw/v2.bin", "gopher://example.org"):
        await ask(b, "GetDiagnostics", location=location)
        await asyncio.sleep(20)
        await ask(b, "UpdateFirmware", location=location, retrieve_date=stamp(5))
        await asyncio.sleep(200)


@cache
def certificate() -> str:
    """One that is valid."""
    with TemporaryDirectory() as folder:
        return Authority(Path(folder)).pair.certificate.read_text()


async def security16(b: Bench) -> None:
    """Logs and firmware of the security whitepaper, for good and for bad certificates, and all that it can trigger."""
    for location in ("https://example.org/fw/v2.bin", "gopher://example.org"):
        for kind in ("DiagnosticsLog", "SecurityLog"):
            await ask(b, "GetLog", log={"remote_location": location}, log_type=kind, request_id=1)
            await asyncio.sleep(20)
        for signer in ("none", certificate()):
            firmware = {"location": location, "retrieve_date_time": stamp(5), "signature": "s"}
            firmware |= {"signing_certificate": signer}
            await ask(b, "SignedUpdateFirmware", request_id=2, firmware=firmware)
            await asyncio.sleep(200)
    for kind in schema_enum(b.version, "ExtendedTriggerMessage", "requestedMessage"):
        await ask(b, "ExtendedTriggerMessage", requested_message=kind)
        await asyncio.sleep(1)
    await ask(b, "CertificateSigned", certificate_chain="none")


# -- 2.x


def profile2(b: Bench, number: int, purpose: str, limit_a: float, **more: Any) -> dict[str, Any]:
    """A charging profile of two periods."""
    return {
        "id": number,
        "stack_level": 1,
        "charging_profile_purpose": purpose,
        "charging_profile_kind": "Absolute",
        "charging_schedule": [schedule(b, limit_a, 16.1) | {"id": number, "start_schedule": stamp(-5)}],
        **more,
    }


async def set_variables(b: Bench, **wanted: dict[str, str]) -> None:
    """Set variables of components."""
    items = [
        {"component": {"name": component}, "variable": {"name": name}, "attribute_value": value}
        for component, values in wanted.items()
        for name, value in values.items()
    ]
    await ask(b, "SetVariables", set_variable_data=items)


async def profiles2(b: Bench) -> None:
    """Profiles of each purpose set, reported, added up, refused and cleared, in a transaction."""
    await plugged(b)
    purposes = [
        (0, "ChargingStationMaxProfile"),
        (0, "TxDefaultProfile"),
        (1, "TxDefaultProfile"),
        (1, "TxProfile"),
        (9, "TxProfile"),
    ]
    for number, (evse, purpose) in enumerate(purposes, start=1):
        more = {"transaction_id": b.station.transaction_id} if purpose == "TxProfile" else {}
        wanted = profile2(b, number, purpose, 12.3, **more)
        await ask(b, "SetChargingProfile", evse_id=evse, charging_profile=wanted)
        await asyncio.sleep(5)
    for evse, unit in ((0, None), (1, "A"), (1, "W"), (9, "A")):
        await ask(b, "GetCompositeSchedule", evse_id=evse, duration=600, charging_rate_unit=unit)
    for criteria in ({}, {"charging_profile_purpose": "TxProfile"}, {"charging_profile_id": [99]}):
        await ask(b, "GetChargingProfiles", request_id=1, charging_profile=criteria)
        await asyncio.sleep(2)
    await ask(b, "ClearChargingProfile", charging_profile_id=1)
    await ask(b, "ClearChargingProfile", charging_profile_criteria={"stack_level": 1})
    await ask(b, "ClearChargingProfile", charging_profile_criteria={"stack_level": 1})
    await unplugged(b)


async def other_limits(b: Bench) -> None:
    """Limits of other systems, with and without their schedule, while a car charges and is told about."""
    await plugged(b)
    for told in ("false", "true"):
        await set_variables(b, SmartChargingCtrlr={"NotifyChargingLimitWithSchedules": told})
        b.station.external_limit(7.5)
        await ask(b, "GetChargingProfiles", request_id=2, charging_profile={})
        await asyncio.sleep(5)
        b.station.external_limit(None)
        await asyncio.sleep(5)
    await ask(b, "CostUpdated", total_cost=1.5, transaction_id=b.station.transaction_id)
    await ask(b, "GetTransactionStatus", transaction_id=b.station.transaction_id)
    await ask(b, "GetTransactionStatus")
    await unplugged(b)


async def device2(b: Bench) -> None:
    """Variables read, set, reported and monitored, known and unknown."""
    asked = [("OCPPCommCtrlr", "HeartbeatInterval"), ("OCPPCommCtrlr", "Nothing"), ("Nothing", "Nothing")]
    pairs = [{"component": {"name": component}, "variable": {"name": name}} for component, name in asked]
    await ask(b, "GetVariables", get_variable_data=[one | {"attribute_type": "Target"} for one in pairs] + pairs)
    await ask(b, "SetVariables", set_variable_data=[one | {"attribute_value": "300"} for one in pairs])
    await ask(b, "SetVariables", set_variable_data=[one | {"attribute_value": "x"} for one in pairs])
    for base in schema_enum(b.version, "GetBaseReport", "reportBase"):
        await ask(b, "GetBaseReport", request_id=3, report_base=base)
        await asyncio.sleep(5)
    await ask(b, "GetReport", request_id=4, component_criteria=["Enabled"])
    await ask(b, "GetReport", request_id=5, component_variable=pairs[-1:])
    monitor = {"value": 1, "type": "Delta", "severity": 5}
    await ask(b, "SetVariableMonitoring", set_monitoring_data=[one | monitor for one in pairs])
    await ask(b, "CustomerInformation", request_id=6, report=True, clear=True, id_token=TOKEN)
    await ask(b, "CustomerInformation", request_id=6, report=True, clear=False)
    data = {"ocpp_version": "OCPP20", "ocpp_transport": "JSON", "ocpp_csms_url": "wss://x", "message_timeout": 30}
    data |= {"security_profile": 1, "ocpp_interface": "Wired0"}
    await ask(b, "SetNetworkProfile", configuration_slot=1, connection_data=data)
    await set_variables(
        b, SampledDataCtrlr={"TxEndedMeasurands": "SoC,Voltage,Current.Import"}, AlignedDataCtrlr={"Interval": "60"}
    )
    await asyncio.sleep(70)


async def remote2(b: Bench) -> None:
    """Started and stopped from afar, in both ways to begin, unlocked, out of service and back, booted both ways."""
    for point in ("PowerPathClosed", "EVConnected"):
        await set_variables(b, TxCtrlr={"TxStartPoint": point, "TxStopPoint": point})
        await b.station.plug_in(object())
        wanted = profile2(b, 5, "TxProfile", 10.0)
        start = {"id_token": TOKEN, "remote_start_id": 1}
        await ask(b, "RequestStartTransaction", **start, charging_profile=wanted)
        await asyncio.sleep(20)
        await ask(b, "RequestStartTransaction", **start)
        await ask(b, "TriggerMessage", requested_message="TransactionEvent")
        await ask(b, "RequestStopTransaction", transaction_id=b.station.transaction_id or "none")
        await asyncio.sleep(5)
        await ask(b, "RequestStopTransaction", transaction_id="none")
        await unplugged(b)
    await plugged(b)
    await ask(b, "UnlockConnector", evse_id=1, connector_id=1)
    await ask(b, "UnlockConnector", evse_id=9, connector_id=1)
    await ask(b, "ChangeAvailability", operational_status="Inoperative", evse={"id": 1})
    await unplugged(b)
    await ask(b, "UnlockConnector", evse_id=1, connector_id=1)
    await ask(b, "ChangeAvailability", operational_status="Operative")
    for kind in ("OnIdle", "Immediate"):
        await plugged(b)
        await ask(b, "Reset", type=kind)
        await ask(b, "Reset", type=kind, evse_id=1)
        await asyncio.sleep(30)
        await unplugged(b)
        await asyncio.sleep(30)


async def files2(b: Bench) -> None:
    """Firmware and logs, to and from places that are good and that are not, and one in place of another."""
    for number, location in enumerate(("https://example.org/fw/v2.bin", "gopher://example.org")):
        for kind in ("DiagnosticsLog", "SecurityLog"):
            await ask(b, "GetLog", log={"remote_location": location}, log_type=kind, request_id=number)
            await asyncio.sleep(5)
        await asyncio.sleep(20)
        firmware = {"location": location, "retrieve_date_time": stamp(5), "signature": "s"}
        firmware |= {"install_date_time": stamp(60)}
        await ask(b, "UpdateFirmware", request_id=number, firmware=firmware)
        await asyncio.sleep(300)


async def beyond21(b: Bench) -> None:
    """A profile whose figures the station fetches, and priority from either side."""
    b.answers["PullDynamicScheduleUpdate"] = {"schedule_update": {"limit": 12.5}}
    await plugged(b)
    dynamic = profile2(b, 8, "TxDefaultProfile", 10.0, charging_profile_kind="Dynamic", dyn_update_interval=20)
    dynamic |= {"charging_schedule": [schedule(b, 10.0) | {"id": 1}], "dyn_update_time": stamp()}
    await ask(b, "SetChargingProfile", evse_id=1, charging_profile=dynamic)
    await asyncio.sleep(50)
    await ask(b, "GetChargingProfiles", request_id=7, charging_profile={})
    await ask(b, "GetCompositeSchedule", evse_id=1, duration=600)
    await ask(b, "UpdateDynamicSchedule", charging_profile_id=8, schedule_update={"limit": 9.0})
    await ask(b, "UpdateDynamicSchedule", charging_profile_id=9, schedule_update={"limit": 9.0})
    await ask(b, "ClearChargingProfile", charging_profile_id=8)
    fast = profile2(b, 9, "PriorityCharging", 20.0)
    await ask(b, "SetChargingProfile", evse_id=1, charging_profile=fast)
    running = b.station.transaction_id
    await ask(b, "UsePriorityCharging", transaction_id=running, activate=True)
    await ask(b, "UsePriorityCharging", transaction_id="none", activate=True)
    b.station.choose_priority(False)
    await ask(b, "AFRRSignal", timestamp=stamp(), signal=1)
    await unplugged(b)


async def linked(b: Bench) -> None:
    """Cars that say what they need: one that only charges, one that may discharge and does, one that is refused."""
    for vehicle, soc in (("model-3", None), ("generic-v2g", 0.5)):
        await b.station.plug_in(load_vehicle(vehicle), energy_kwh=20.0, soc=soc, departure=clock.now())
        await asyncio.sleep(20)
        await unplugged(b)
    b.answers["NotifyEVChargingNeeds"] = {"status": "Rejected"}
    await b.station.plug_in(load_vehicle("generic-v2g"))
    await asyncio.sleep(20)
    await unplugged(b)
    b.answers["NotifyEVChargingNeeds"] = {"status": "Accepted"}


async def discharged(b: Bench) -> None:
    """Allowed both ways, ordered to discharge, to idle and to charge, and told to stop it."""
    await b.station.plug_in(load_vehicle("generic-v2g"), soc=0.5, energy_kwh=10.0)
    await asyncio.sleep(20)
    running, both = b.station.transaction_id, ["AC_single_phase", "AC_BPT"]
    await ask(b, "NotifyAllowedEnergyTransfer", transaction_id="none", allowed_energy_transfer=both)
    await ask(b, "NotifyAllowedEnergyTransfer", transaction_id=running, allowed_energy_transfer=both)
    await asyncio.sleep(10)
    periods = [
        {"start_period": 0, "operation_mode": "CentralSetpoint", "setpoint": -1400.0, "discharge_limit": -2000.0},
        {"start_period": 60, "operation_mode": "Idle"},
        {"start_period": 120, "operation_mode": "CentralFrequency", "setpoint": 2000.0, "limit": 2300.0},
    ]
    wanted = profile2(b, 30, "TxProfile", 10.0, transaction_id=running, stack_level=5)
    wanted["charging_schedule"][0] |= {"charging_rate_unit": "W", "charging_schedule_period": periods}
    await ask(b, "SetChargingProfile", evse_id=1, charging_profile=wanted)
    await ask(b, "GetCompositeSchedule", evse_id=1, duration=600, charging_rate_unit="W")
    await asyncio.sleep(200)
    await ask(b, "NotifyAllowedEnergyTransfer", transaction_id=running, allowed_energy_transfer=both[:1])
    await asyncio.sleep(20)
    await unplugged(b)


_FAMILY_16 = (configuration16, profiles16, remote16, files16, security16)
_FAMILY_2 = (device2, profiles2, other_limits, remote2, files2, linked)
_SHARED = (lists_and_reservations, vendors, triggers, alone, tripped, without_diode, power_cycled, nothing_measured)
SCENES: dict[str, tuple[Scene, ...]] = {
    "1.6": (*_FAMILY_16, *_SHARED),
    "2.0.1": (*_FAMILY_2, *_SHARED),
    "2.1": (*_FAMILY_2, beyond21, discharged, *_SHARED),
}


def secured(version: str, **settings: Any) -> Bench:
    """A station with a password: without one it does not speak of security in 1.6."""
    return Bench(version, security_profile=1, password="0123456789abcdef", iso15118=True, **settings)


@pytest.fixture
def withheld(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What stations did not send because it was not valid: their own check keeps it from the wire, and is silent."""
    found: list[str] = []

    def watched(kind: Any) -> Any:
        original = kind._body

        def body(self: Any, action: str, payload: Any) -> Any:
            try:
                return original(self, action, payload)
            except CallFailed as error:
                found.append(str(error))
                raise

        return body

    for kind in (Handlers16, Handlers201, Handlers21):
        monkeypatch.setattr(kind, "_body", watched(kind))
    return found


def seen(bench: Bench, *more: Scene) -> Tap:
    """What was seen of a station over the scenes of its version, and some more."""
    tap = Tap(bench.version)
    bench.on_frame = tap.see

    async def body(b: Bench) -> None:
        for scene in (*SCENES[b.version], *more):
            await scene(b)
        await asyncio.sleep(400)  # a heartbeat

    bench.run(body)
    return tap


def sound(tap: Tap, withheld: list[str]) -> None:
    """Fails unless all that the station had to say was valid, and was said."""
    assert tap.faults == []
    assert withheld == []
    assert "InternalError" not in {code for _action, code in tap.errors}
    assert tap.calls == SAYS[tap.version]


@pytest.mark.parametrize("make", names())
@pytest.mark.parametrize("version", VERSIONS)
def test_all_that_a_station_says_is_valid(withheld: list[str], version: str, make: str) -> None:
    """Of every make: it makes every call that it can, each message is as its schema has it, and no id comes twice."""
    sound(seen(secured(version, personality=load_personality(make))), withheld)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_answer_of_a_station_is_valid(withheld: list[str], version: str) -> None:
    """It answers every request of its version, with every field, by a result or by an error that the version has."""
    tap = seen(secured(version), every_request)
    sound(tap, withheld)
    assert tap.results | {action for action, _code in tap.errors} >= requests(version)


@pytest.mark.parametrize("version", VERSIONS)
def test_long_names_are_valid(withheld: list[str], version: str) -> None:
    """The longest identity, tag, vendor, model and firmware that OCPP has room for go through every scene."""
    longest = 20 if version == "1.6" else 36
    bench = secured(version, id_tag="T" * longest, vendor="v" * 20, model="m" * 20, firmware="f" * 50)
    bench.identity = "I" * 48
    sound(seen(bench), withheld)
    started = [event for event in bench.sent("TransactionEvent") if event["event_type"] == "Started"]
    ids = [event["transaction_info"]["transaction_id"] for event in started]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_list_of_calls_is_whole(version: str) -> None:
    """It has each request that the code of the station makes in that version, and no other."""
    other_family = "2" if version == "1.6" else "16"
    folder = Path(hilbench_emulators.station.__file__).parent
    files = [path for path in folder.glob("*.py") if other_family not in path.stem]
    made = set[str]().union(*(requests_made(ast.parse(path.read_text())) for path in files))
    assert {name for name in made if hasattr(messages(version).call, name)} == SAYS[version]


def requests_made(tree: ast.AST) -> set[str]:
    """Capitalised attributes of anything but answers, and the actions that are queued by name."""
    found = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not ast.unparse(node.value).endswith(("_results", "call_result")):
            found.add(node.attr)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("_enqueue"):
            found |= {str(argument.value) for argument in node.args if isinstance(argument, ast.Constant)}
    return {name for name in found if name[0].isupper()}


def requests(version: str) -> set[str]:
    """What a controller can ask in a version."""
    return {action for action, kind, _schema in schemas(version) if kind == "call"} - SAYS[version]
