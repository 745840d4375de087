"""Malformed frames to a station: each gets its refusal, the record stays whole, and the next good one is obeyed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection

from hilbench.ocppj import call, call_result, on
from hilbench.signals import Record
from tests.bad_frames import BEYOND, TO_EVERYBODY, Answer, Frame, matches, said, sent
from tests.station_bench import Bench as AnyBench
from tests.test_station16 import Bench, Central, stamp


def profile(**changes: Any) -> Frame:
    """SetChargingProfile with keys of the profile, its schedule or its first period changed."""
    period: dict[str, Any] = {"startPeriod": 0, "limit": 12.0}
    schedule: dict[str, Any] = {"chargingRateUnit": "A", "chargingSchedulePeriod": [period]}
    whole: dict[str, Any] = {
        "chargingProfileId": 9,
        "stackLevel": 2,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": schedule,
    }
    connector = changes.pop("connectorId", 0)
    for key, value in changes.items():
        into = period if key in ("startPeriod", "limit", "numberPhases") else whole
        (schedule if key in ("chargingSchedulePeriod", "startSchedule", "duration") else into)[key] = value
    return json.dumps([2, "x", "SetChargingProfile", {"connectorId": connector, "csChargingProfiles": whole}])


TO_STATION: dict[str, tuple[Frame, Answer]] = {
    "missing key": (sent("Reset"), '4 ProtocolError Reset: "type" is a required property'),
    "unknown key": (sent("ClearCache", x=1), "4 FormationViolation Additional properties"),
    "wrong type": (sent("GetCompositeSchedule", connectorId="1", duration=5), "4 TypeConstraintViolation"),
    "wrong choice": (sent("Reset", type="Warm"), '4 FormationViolation "Warm" is not one of'),
    "text too long": (sent("DataTransfer", vendorId="v" * 256), "4 TypeConstraintViolation"),
    "NaN for text": ('[2,"x","DataTransfer",{"vendorId":NaN}]', "4 TypeConstraintViolation"),
    "another's action": (sent("BootNotification"), "4 NotSupported no handler for BootNotification"),
    "limit negative": (profile(limit=-1), "3 Rejected"),
    "limit NaN": (profile(limit=float("nan")), "4 TypeConstraintViolation"),
    "limit infinite": (profile(limit=float("inf")), "4 TypeConstraintViolation"),
    "limit without end": (profile(limit=10**400), "3 Rejected"),
    "limit in hundredths": (profile(limit=6.05), "4 FormationViolation not a multiple of 0.1"),
    "limit is text": (profile(limit="16"), "4 TypeConstraintViolation"),
    "limit is true": (profile(limit=True), "4 TypeConstraintViolation"),
    "stack level above the most": (profile(stackLevel=11), "3 Rejected"),
    "stack level negative": (profile(stackLevel=-1), "3 Rejected"),
    "no period": (profile(chargingSchedulePeriod=[]), "3 Rejected"),
    "too many periods": (
        profile(chargingSchedulePeriod=[{"startPeriod": n, "limit": 9.0} for n in range(999)]),
        "3 Rejected",
    ),
    "periods do not rise": (profile(chargingSchedulePeriod=[{"startPeriod": 0, "limit": 9.0}] * 2), "3 Rejected"),
    "first period late": (profile(startPeriod=5), "3 Rejected"),
    "nine phases": (profile(numberPhases=9), "3 Rejected"),
    "lasts less than nothing": (profile(duration=-1), "3 Rejected"),
    "starts yesterday": (profile(startSchedule="yesterday"), '4 FormationViolation "yesterday" is not a "date-time"'),
    "starts at no hour": (profile(startSchedule="2024-06-04T25:00:00Z"), "4 FormationViolation"),
    "valid till yesterday": (profile(validTo="yesterday"), '4 FormationViolation "yesterday" is not a "date-time"'),
    "valid backwards": (profile(validFrom="2025-01-01T00:00:00Z", validTo="2024-01-01T00:00:00Z"), "3 Rejected"),
    "recurs without start": (profile(chargingProfileKind="Recurring", recurrencyKind="Daily"), "3 Rejected"),
    "transaction of another": (profile(chargingProfilePurpose="TxProfile", transactionId=5), "3 Rejected"),
    "unknown connector": (profile(connectorId=7), "4 PropertyConstraintViolation there is no connector 7"),
    "negative connector": (profile(connectorId=-1), "4 PropertyConstraintViolation there is no connector -1"),
    "schedule of a million years": (sent("GetCompositeSchedule", connectorId=1, duration=10**13), "3 Rejected"),
    "schedule backwards": (sent("GetCompositeSchedule", connectorId=1, duration=-5), "3 Rejected"),
    "negative interval": (sent("ChangeConfiguration", key="HeartbeatInterval", value="-5"), "3 Rejected"),
    "interval without end": (sent("ChangeConfiguration", key="HeartbeatInterval", value="9" * 400), "3 Rejected"),
    "interval is text": (sent("ChangeConfiguration", key="MeterValueSampleInterval", value="soon"), "3 Rejected"),
    "unknown setting": (sent("ChangeConfiguration", key="Nonsense", value="1"), "3 NotSupported"),
    "start of the charging car": (sent("RemoteStartTransaction", idTag="T", connectorId=1), "3 Rejected"),
    "stop of another": (sent("RemoteStopTransaction", transactionId=77), "3 Rejected"),
}


def history(record: Record) -> dict[str, list[float]]:
    """All samples that can no longer change, and the times of all events."""
    samples = {name: list(s.rows(0, s.settled())[1]) for name, s in record.signals.items()}
    return {**samples, "events": [event.t for event in record.events]}


class Trial:
    """A station that charges at 16 A, whose controller sends ``frame``."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.answers: list[str] = []
        self.bench = Bench()

    def run(self) -> None:
        """Send it, and show that the record is whole and that a good profile is obeyed over the same connection."""
        self.bench.run(self._body)

    async def _body(self, b: Bench) -> None:
        await b.station.plug_in(object())
        await b.limit(16)
        await asyncio.sleep(30)
        before, central = history(b.record), b.central
        assert central is not None
        self._watch(central)
        await central._connection.send(self.frame)
        await asyncio.sleep(5)
        heard = list(self.answers)
        assert b.plant.current_a == pytest.approx(16)
        assert (await b.limit(10)).status == "Accepted"
        await asyncio.sleep(5)
        assert b.plant.current_a == pytest.approx(10)
        assert b.central is central
        assert b.station.connected
        after = history(b.record)
        assert all(after[name][: len(values)] == values for name, values in before.items())
        self.answers = heard

    def _watch(self, central: Any) -> None:
        central._on_frame = lambda way, text: self.answers.append(text) if way == "in" else None


@pytest.mark.parametrize(
    ("frame", "expected"), [*(TO_EVERYBODY | TO_STATION).values()], ids=[*(TO_EVERYBODY | TO_STATION)]
)
def test_a_station_refuses_a_bad_frame_and_goes_on(
    frame: Frame, expected: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    """The car goes on at 16 A, the answer names the mistake, the record is whole, and a good profile is obeyed."""
    trial = Trial(frame)
    trial.run()
    answer = said(trial.answers)
    assert matches(answer, expected), answer
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("frame", BEYOND.values(), ids=BEYOND.keys())
def test_a_station_refuses_what_cannot_be_validated(frame: Frame) -> None:
    """It is refused like any other wrong payload."""
    trial = Trial(frame)
    trial.run()
    assert matches(said(trial.answers), "4 FormationViolation"), trial.answers


def test_a_message_id_may_come_again() -> None:
    """Two calls of one id are two calls: each is answered."""
    trial = Trial(sent("ClearCache"))
    trial.run()
    assert said(trial.answers) == "3 Accepted"
    again = Bench()

    async def body(b: Bench) -> list[str]:
        answers: list[str] = []
        assert b.central is not None
        b.central._on_frame = lambda way, text: answers.append(text) if way == "in" else None
        for _ in range(2):
            await b.central._connection.send(sent("ClearCache"))
        await asyncio.sleep(1)
        return answers

    assert again.run(body) == ['[3,"x",{"status":"Accepted"}]'] * 2


def test_a_refused_remote_start_leaves_no_transaction() -> None:
    """A start with a profile that cannot be is refused as a whole: the car does not charge."""
    bench = Bench()
    bench.tag_status = "Blocked"

    async def body(b: Bench) -> None:
        await b.station.plug_in(object())
        await asyncio.sleep(10)
        assert b.central is not None
        for changes in ({"startPeriod": 5}, {"stackLevel": 11}, {"chargingProfilePurpose": "TxDefaultProfile"}):
            wrong = json.loads(profile(**{"chargingProfilePurpose": "TxProfile", **changes}))[3]["csChargingProfiles"]
            frame = sent("RemoteStartTransaction", idTag="R", connectorId=1, chargingProfile=wrong)
            await b.central._connection.send(frame)
            await asyncio.sleep(10)
            assert b.plant.current_a == 0
            assert b.station.transaction_id is None
        answer = await b.central.call(call.RemoteStartTransaction(id_tag="R", connector_id=1))
        assert answer.status == "Accepted"
        await asyncio.sleep(10)
        assert b.plant.current_a == pytest.approx(32)

    bench.run(body)
    assert len(bench.sent("StartTransaction")) == 1


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_no_cut_or_changed_frame_ends_a_station(data: st.DataObject) -> None:
    """A good profile with places overwritten is refused or obeyed, and the next good one is obeyed."""
    frame = str(profile(limit=16.0, stackLevel=1, chargingProfileId=2))
    junk = st.sampled_from(["", '"', "[", "}", "-", "9", "null", "1e9", ",", "\\u0000"])
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(frame)))
        frame = frame[:start] + data.draw(junk) + frame[start + data.draw(st.integers(0, 8)) :]
    bench = Bench()

    async def body(b: Bench) -> None:
        assert b.central is not None
        await b.central._connection.send(frame)
        await asyncio.sleep(2)
        assert (await b.limit(10)).status == "Accepted"

    bench.run(body)


class HastyCentral(Central):
    """A controller that asks for a heartbeat every minus five seconds."""

    @on("BootNotification")
    def boot(self, **_data: Any) -> Any:
        """Accept with an interval that cannot be."""
        return call_result.BootNotification(current_time=stamp(0), interval=-5, status="Accepted")


class HastyBench(Bench):
    """A station at such a controller."""

    async def handler(self, connection: ServerConnection, identity: str) -> None:
        """Serve one connection."""
        self.central = HastyCentral(identity, connection)
        self.central.bench = self
        await self.central.start()


def test_a_heartbeat_interval_below_0_is_not_obeyed() -> None:
    """The station keeps its own interval of five minutes instead of sending without a pause."""
    bench = HastyBench()

    async def body(_b: Bench) -> None:
        await asyncio.sleep(630)

    bench.run(body)
    assert len(bench.sent("Heartbeat")) == 2


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_a_refused_heartbeat_does_not_end_the_connection(version: str) -> None:
    """The controller is there and says no: the station goes on with the same connection and the next heartbeat."""
    bench = AnyBench(version, heartbeat_s=20)
    bench.answers["BootNotification"] = {"interval": 20}
    bench.answers["Heartbeat"] = {"current_time": "yesterday"}

    async def body(b: AnyBench) -> None:
        await asyncio.sleep(60)
        assert len(b.sent("Heartbeat")) >= 3
        assert len(b.dials) == 1
        assert b.station.connected

    bench.run(body)


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_a_refused_boot_closes_the_connection_with_the_reason(version: str) -> None:
    """The station leaves by code 1008, says which answer it could not use, and dials again."""
    bench = AnyBench(version)
    bench.answers["BootNotification"] = {"status": "Perhaps"}

    async def body(b: AnyBench) -> Any:
        first = b.central._connection
        await asyncio.sleep(60)
        assert len(b.dials) > 1
        return first.close_code, first.close_reason

    code, reason = bench.run(body)
    assert code == 1008
    assert reason.startswith("BootNotification: InternalError")


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_a_clock_at_the_ends_of_time_is_not_obeyed(moment: str) -> None:
    """The station keeps its own time, and can still say when its schedule begins."""
    bench = AnyBench("1.6")
    bench.answers["BootNotification"] = {"current_time": moment}

    async def body(b: AnyBench) -> Any:
        return await b.ask("GetCompositeSchedule", connector_id=1, duration=86_400)

    assert bench.run(body).schedule_start.startswith("2024")


def test_additions_of_vendors_are_not_sent_back() -> None:
    """Component and variable come back by their names: what else was in them could break the answer's schema."""
    bench = AnyBench("2.0.1")
    odd = {"name": "x", "customData": {"vendorId": "x", "vendorId_": None}, "evse": {"id": 1}}
    asked = json.dumps([2, "x", "GetVariables", {"getVariableData": [{"component": odd, "variable": {"name": "y"}}]}])

    async def body(b: AnyBench) -> list[str]:
        answers: list[str] = []
        b.central._on_frame = lambda way, text: answers.append(text) if way == "in" else None
        await b.central._connection.send(asked)
        await asyncio.sleep(1)
        return answers

    (answer,) = map(json.loads, bench.run(body))
    (result,) = answer[2]["getVariableResult"]
    assert (result["component"], result["variable"]) == ({"name": "x", "evse": {"id": 1}}, {"name": "y"})


@pytest.mark.parametrize(
    ("value", "status"),
    [("2.5", "Accepted"), ("0", "Accepted"), ("NaN", "Rejected"), ("", "Rejected"), ("x", "Rejected")],
)
def test_a_decimal_variable_takes_numbers_only(value: str, status: str) -> None:
    """What is no number is rejected, so a limit of another system can still be weighed against it."""
    bench = AnyBench("2.0.1")
    names = {"component": {"name": "SmartChargingCtrlr"}, "variable": {"name": "LimitChangeSignificance"}}

    async def body(b: AnyBench) -> Any:
        answer = await b.ask("SetVariables", set_variable_data=[{"attribute_value": value, **names}])
        b.station.external_limit(10.0)
        return answer.set_variable_result[0]["attribute_status"]

    assert bench.run(body) == status


def test_a_station_that_is_not_answered_does_not_promise_without_end() -> None:
    """Of a thousand triggers while its heartbeat waits 200 are taken; when that is answered all is well again."""
    bench = AnyBench("1.6")

    async def body(b: AnyBench) -> list[str]:
        answers: list[str] = []
        b.central._on_frame = lambda way, text: answers.append(text) if way == "in" else None
        async with b.station._uplink.link._call_lock:  # as if a call waited for its answer
            for _ in range(1000):
                await b.central._connection.send(sent("TriggerMessage", requestedMessage="Heartbeat"))
                await b.central._connection.send(sent("GetDiagnostics", location="ftp://a.example"))
            await asyncio.sleep(1)
            assert len(b.station._uplink.link._tasks) <= 201
            await b.central._connection.send(sent("Reset", type="Warm"))
            await asyncio.sleep(1)
        heard = [text[:30] for text in answers]
        await asyncio.sleep(5)
        assert (await b.ask("ClearCache")).status == "Accepted"
        return heard

    heard = bench.run(body)
    assert len(heard) == 2001
    assert sum(text.startswith('[4,"x","GenericError"') for text in heard) >= 800
    assert heard[-1].startswith('[4,"x","FormationViolation"')
    assert 0 < len(bench.sent("Heartbeat")) <= 200


def test_profiles_that_are_gone_leave_no_timers() -> None:
    """A hundred dynamic profiles, one after the other: the station waits for one of them."""
    bench = AnyBench("2.1")
    schedule = {"id": 1, "charging_rate_unit": "A", "charging_schedule_period": [{"start_period": 0, "limit": 9.0}]}

    async def body(b: AnyBench) -> list[str]:
        for number in range(100):
            dynamic = {
                "id": number,
                "stack_level": 0,
                "charging_profile_purpose": "TxDefaultProfile",
                "charging_profile_kind": "Dynamic",
                "dyn_update_interval": 2**30,
                "dyn_update_time": stamp(0),
                "charging_schedule": [schedule],
            }
            assert (await b.ask("SetChargingProfile", evse_id=1, charging_profile=dynamic)).status == "Accepted"
            await b.ask("ClearChargingProfile", charging_profile_id=number)
        return [name for name in b.station._timers if name.startswith("pull ")]

    assert len(bench.run(body)) <= 2


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_a_year_of_daily_changes_is_told_as_far_as_a_schedule_goes(version: str) -> None:
    """The composite schedule ends with its 1024th period, and says so by its duration."""
    bench = AnyBench(version)
    old = version == "1.6"
    periods = [{"start_period": 3600 * n, "limit": 8.0 + n % 2} for n in range(24)]
    schedule = {
        "charging_rate_unit": "A",
        "charging_schedule_period": periods,
        "start_schedule": "2024-01-01T00:00:00Z",
    }
    daily = {
        "charging_profile_id" if old else "id": 1,
        "stack_level": 0,
        "charging_profile_purpose": "TxDefaultProfile",
        "charging_profile_kind": "Recurring",
        "recurrency_kind": "Daily",
        "charging_schedule": schedule if old else [schedule | {"id": 1}],
    }

    async def body(b: AnyBench) -> Any:
        if old:
            await b.ask("SetChargingProfile", connector_id=1, cs_charging_profiles=daily)
            return (await b.ask("GetCompositeSchedule", connector_id=1, duration=31_622_400)).charging_schedule
        await b.ask("SetChargingProfile", evse_id=1, charging_profile=daily)
        return (await b.ask("GetCompositeSchedule", evse_id=1, duration=31_622_400)).schedule

    told = bench.run(body)
    last = told["charging_schedule_period"][-1]["start_period"]
    assert len(told["charging_schedule_period"]) == 1024
    assert last == pytest.approx(1023 * 3600, abs=3600)
    assert told["duration"] == last + 3600


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
@pytest.mark.parametrize("action", ["GetVariables", "SetVariables"])
def test_more_variables_than_fit_in_an_answer_are_refused(version: str, action: str) -> None:
    """Six hundred are answered one by one, one more refuses the whole request."""
    bench = AnyBench(version)
    item = {"component": {"name": "c"}, "variable": {"name": "v"}} | (
        {"attributeValue": "1"} if action[0] == "S" else {}
    )
    key = f"{action[:3].lower()}VariableData"

    async def body(b: AnyBench) -> list[str]:
        answers: list[str] = []
        b.central._on_frame = lambda way, text: answers.append(text) if way == "in" else None
        for count in (600, 601):
            await b.central._connection.send(sent(action, **{key: [item] * count}))
        await asyncio.sleep(1)
        return answers

    taken, refused = map(json.loads, bench.run(body))
    assert taken[0] == 3
    assert refused[:3] == [4, "x", "OccurrenceConstraintViolation"]
