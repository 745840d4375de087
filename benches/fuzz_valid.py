"""Frames that are right in form and hostile in what they ask: extreme profiles, floods up to every maximum, resets."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

PENDING = "<pending>"
Rng = random.Random
Asked = tuple[str, dict[str, Any]]
STAMPS = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "2026-01-01T00:00:00Z", None, None]
STARTS = [0, 0, 0, 1, 60, 86_400, 2**31 - 1, 2**63, -1]
LIMITS = [0.0, 6.0, 8.0, 16.0, 32.0, 1e308, 1e18, 0.1, -1.0, 5.9]
LEVELS = [0, 0, 1, 2, 10, 11, -1, 2**63]
RESET_SHARE = 0.0005
"""Of the aimed frames: each makes a station restart, which takes it more than a second."""
BANNED = ("RetryBackOff", "WebSocketPing")
"""Variables that decide when a station comes back: setting them would only stop the bench."""


def _some(rng: Rng, **optional: list[Any]) -> dict[str, Any]:
    """Each key with one of its values, or without where that is None."""
    chosen = {key: rng.choice(values) for key, values in optional.items()}
    return {key: value for key, value in chosen.items() if value is not None}


def _periods(rng: Rng) -> list[dict[str, Any]]:
    if rng.random() < 0.01:
        return [{"startPeriod": n, "limit": 8.0} for n in range(10_000)]
    first = {"startPeriod": rng.choice(STARTS), "limit": rng.choice(LIMITS)}
    more = [{"startPeriod": 60 * n, "limit": rng.choice(LIMITS)} for n in range(1, rng.choice([1, 1, 2, 24, 25]))]
    return [first, *more]


def _schedule(rng: Rng, **more: Any) -> dict[str, Any]:
    timing = _some(rng, startSchedule=STAMPS, duration=[None, None, 1, 86_400, 2**31 - 1, 2**63, 0, -1])
    unit = rng.choice(["A", "A", "W"])
    return {"chargingRateUnit": unit, "chargingSchedulePeriod": _periods(rng), **timing, **more}


def _profile(rng: Rng, old: bool) -> dict[str, Any]:
    purposes = ["TxDefaultProfile", "TxDefaultProfile", "TxProfile"]
    purposes += ["ChargePointMaxProfile" if old else "ChargingStationMaxProfile"]
    kind = rng.choice(["Absolute", "Absolute", "Relative", "Recurring", "Absolute" if old else "Dynamic"])
    dynamic = _some(rng, dynUpdateInterval=[None, 1, 2**31 - 1], dynUpdateTime=STAMPS) if kind == "Dynamic" else {}
    whole = {
        "chargingProfileId" if old else "id": rng.choice([*range(1, 30), 2**31 - 1, 2**63, -1]),
        "stackLevel": rng.choice(LEVELS),
        "chargingProfilePurpose": rng.choice(purposes),
        "chargingProfileKind": kind,
        "chargingSchedule": _schedule(rng) if old else [_schedule(rng, id=1)],
        **dynamic,
        **_some(rng, validFrom=STAMPS, validTo=STAMPS, recurrencyKind=["Daily", "Weekly", None]),
    }
    ids = [None, None, 3, 2**31 - 1, 2**63] if old else [None, "x", "never seen"]
    return whole | _some(rng, transactionId=ids)


def _profile16(rng: Rng) -> Asked:
    return "SetChargingProfile", {"connectorId": rng.choice([0, 1, 1, 2]), "csChargingProfiles": _profile(rng, True)}


def _profile2(rng: Rng) -> Asked:
    return "SetChargingProfile", {"evseId": rng.choice([0, 1, 1, 2]), "chargingProfile": _profile(rng, False)}


def _composite16(rng: Rng) -> Asked:
    return "GetCompositeSchedule", {"connectorId": rng.choice([0, 1]), "duration": rng.choice([1, 86_400, 31_622_400])}


def _composite2(rng: Rng) -> Asked:
    return "GetCompositeSchedule", {"evseId": rng.choice([0, 1]), "duration": rng.choice([1, 86_400, 31_622_400])}


def _list16(rng: Rng) -> Asked:
    ids = rng.sample(range(1000), rng.choice([1, 10, 499, 501]))
    entries = [{"idTag": f"T{n}", "idTagInfo": {"status": "Accepted", **_some(rng, expiryDate=STAMPS)}} for n in ids]
    return "SendLocalList", {
        "listVersion": rng.choice([1, 2, 2**31 - 1, 2**63, 0, -1]),
        "updateType": rng.choice(["Full", "Differential"]),
        "localAuthorizationList": entries * rng.choice([1, 1, 1, 2]),
    }


def _list2(rng: Rng) -> Asked:
    ids = rng.sample(range(1000), rng.choice([1, 10, 499, 501]))
    entries = [{"idToken": {"idToken": f"T{n}", "type": "Central"}, "idTokenInfo": {"status": "Accepted"}} for n in ids]
    return "SendLocalList", {
        "versionNumber": rng.choice([1, 2, 2**31 - 1, 2**63, 0, -1]),
        "updateType": rng.choice(["Full", "Differential"]),
        "localAuthorizationList": entries * rng.choice([1, 1, 1, 2]),
    }


def _reserve16(rng: Rng) -> Asked:
    expiry = rng.choice(STAMPS) or "2030-01-01T00:00:00Z"
    wanted = {"connectorId": 1, "expiryDate": expiry, "idTag": "R", "reservationId": rng.choice([1, 2**63, -1, 7])}
    return "ReserveNow", wanted


def _reserve2(rng: Rng) -> Asked:
    expiry = rng.choice(STAMPS) or "2030-01-01T00:00:00Z"
    token = {"idToken": "R", "type": "Central"}
    return "ReserveNow", {"id": rng.choice([1, 2**63, -1, 7]), "expiryDateTime": expiry, "idToken": token, "evseId": 1}


KEYS16 = "HeartbeatInterval MeterValueSampleInterval ClockAlignedDataInterval ConnectionTimeOut MeterValuesSampledData"
SETTINGS = ["0", "1", "999999999", "1000000000", "-1", "true", "false", "", "Voltage", "SoC,Voltage", "x" * 400]
VARIABLES = [
    ("OCPPCommCtrlr", "HeartbeatInterval"),
    ("SampledDataCtrlr", "TxUpdatedInterval"),
    ("SampledDataCtrlr", "TxUpdatedMeasurands"),
    ("SampledDataCtrlr", "TxEndedMeasurands"),
    ("AlignedDataCtrlr", "Interval"),
    ("AlignedDataCtrlr", "SendDuringIdle"),
    ("SmartChargingCtrlr", "LimitChangeSignificance"),
    ("TxCtrlr", "TxStartPoint"),
    ("AuthCtrlr", "LocalPreAuthorize"),
    ("LocalAuthListCtrlr", "Enabled"),
    ("NoSuchCtrlr", "Nothing"),
]


def _set16(rng: Rng) -> Asked:
    return "ChangeConfiguration", {"key": rng.choice(KEYS16.split()), "value": rng.choice(SETTINGS)}


def _set2(rng: Rng) -> Asked:
    data = [
        {"attributeValue": rng.choice(SETTINGS), "component": {"name": component}, "variable": {"name": name}}
        for component, name in rng.sample(VARIABLES, rng.choice([1, 2, len(VARIABLES)]))
    ]
    return "SetVariables", {"setVariableData": data * rng.choice([1, 1, 1, 50])}


def _start16(rng: Rng) -> Asked:
    extra = {} if rng.random() < 0.5 else {"chargingProfile": _profile(rng, True)}
    return "RemoteStartTransaction", {"idTag": "T1", "connectorId": 1, **extra}


def _start2(rng: Rng) -> Asked:
    extra = {} if rng.random() < 0.5 else {"chargingProfile": _profile(rng, False)}
    token = {"idToken": "T1", "type": "Central"}
    return "RequestStartTransaction", {"idToken": token, "remoteStartId": rng.choice([1, 2**63]), **extra}


def _trigger(rng: Rng) -> Asked:
    return "TriggerMessage", {"requestedMessage": rng.choice(["Heartbeat", "StatusNotification", "MeterValues"])}


def _clear(_rng: Rng) -> Asked:
    return "ClearChargingProfile", {}


STATION16 = (_profile16, _profile16, _composite16, _list16, _reserve16, _set16, _start16, _trigger, _clear)
STATION2 = (_profile2, _profile2, _composite2, _list2, _reserve2, _set2, _start2, _trigger, _clear)


def _reset(rng: Rng, version: str) -> Asked:
    return "Reset", {"type": rng.choice(["Hard", "Soft"] if version == "1.6" else ["Immediate", "OnIdle"])}


def _meter(rng: Rng) -> list[dict[str, Any]]:
    values = ["16", "1e308", "-1e308", "1e999", "NaN", "0", "", "16,5", "9" * 300]
    sampled = [{"value": rng.choice(values), "measurand": "Current.Import", "phase": rng.choice(["L1", "L2", "N"])}]
    return [{"timestamp": "2026-01-01T00:00:00Z", "sampledValue": sampled * rng.choice([1, 1, 50])}]


def _csms16(rng: Rng) -> Asked:
    stamp = rng.choice(STAMPS) or "2026-01-01T00:00:00Z"
    choices: list[Asked] = [
        ("MeterValues", {"connectorId": rng.choice([0, 1, 2**63]), "meterValue": _meter(rng)}),
        (
            "StartTransaction",
            {"connectorId": 1, "idTag": "T", "meterStart": rng.choice(STARTS), "timestamp": stamp},
        ),
        ("StopTransaction", {"transactionId": rng.choice(STARTS), "meterStop": 2**63, "timestamp": stamp}),
        ("BootNotification", {"chargePointVendor": "v", "chargePointModel": "m"}),
        (
            "StatusNotification",
            {"connectorId": 1, "errorCode": "NoError", "status": rng.choice(["Charging", "Available", "Faulted"])},
        ),
    ]
    return rng.choice(choices)


def _csms2(rng: Rng) -> Asked:
    stamp = rng.choice(STAMPS) or "2026-01-01T00:00:00Z"
    amps = [
        {**one, "sampledValue": [{**s, "value": rng.choice(LIMITS)} for s in one["sampledValue"]]}
        for one in _meter(rng)
    ]
    state = rng.choice(["Charging", "Idle", "SuspendedEV", "EVConnected"])
    event = {
        "eventType": rng.choice(["Started", "Updated", "Ended"]),
        "timestamp": stamp,
        "triggerReason": "MeterValuePeriodic",
        "seqNo": rng.choice([0, 1, 2**63, -1]),
        "transactionInfo": {"transactionId": rng.choice(["x", "never"]), "chargingState": state},
        "meterValue": amps,
    }
    status = {"timestamp": stamp, "connectorStatus": rng.choice(["Occupied", "Available"]), "evseId": 1}
    station = {"model": "m", "vendorName": "v"}
    choices: list[Asked] = [
        ("TransactionEvent", event),
        ("MeterValues", {"evseId": rng.choice([0, 1, 2**63]), "meterValue": amps}),
        ("StatusNotification", {**status, "connectorId": 1}),
        ("BootNotification", {"chargingStation": station, "reason": "PowerUp"}),
    ]
    return rng.choice(choices)


def directed(rng: Rng, version: str, role: str) -> Iterator[tuple[str, str]]:
    """(kind, text) without end for a ``station`` or a ``csms``; nothing for another role."""
    old = version == "1.6"
    ways: tuple[Callable[[Rng], Asked], ...] = STATION16 if old else STATION2
    if role == "csms":
        ways = (_csms16 if old else _csms2,)
    while role:
        if role == "station" and rng.random() < RESET_SHARE:
            for _ in range(rng.choice([1, 20])):
                yield "reset", json.dumps([2, "x", *_reset(rng, version)])
        way = rng.choice(ways)
        yield "valid", json.dumps([2, "x", *way(rng)])
