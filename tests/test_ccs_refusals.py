"""Wrong messages and wrong values: a station answers each with its code, a car ends, and neither side charges on."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from hilbench.ccs import exi
from hilbench_emulators.ccs import Limits, Quirks, events
from hilbench_emulators.ccs import events as ev
from hilbench_emulators.ccs.pair import Pair
from tests.ccs_pairs import AC20, DC20, DIN, ISO2_AC, ISO2_DC, WAYS, Way, charging, pair

Change = Callable[[dict[str, Any]], None]
ISO20 = DC20[0]


def put(value: Any, *path: str | int) -> Change:
    """Puts a value at a place of a body."""

    def change(body: dict[str, Any]) -> None:
        place: Any = body
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return change


def drop(name: str) -> Change:
    """Takes a field out of a body."""
    return lambda body: body.__delitem__(name)


def changed(way: Way, name: str, change: Change, **station: Any) -> Pair:
    """A session in which every message of one name is changed on its way."""

    def tamper(_of_car: bool, send: ev.Send) -> ev.Send:
        if send.name != name:
            return send
        body = copy.deepcopy(send.body)
        change(body)
        return ev.Send(send.schema, name, body)

    both = pair(way, tamper=tamper, **station)
    both.run(30.0)
    return both


def amps(value: int) -> dict[str, Any]:
    """A PhysicalValue in amperes or whatever else."""
    return {"Multiplier": 0, "Unit": "A", "Value": value}


def rational(value: int) -> dict[str, Any]:
    """A RationalNumber."""
    return {"Exponent": 0, "Value": value}


SERVICES = ("SelectedServiceList", "SelectedService", 0, "ServiceID")
PROFILE20 = ("EVPowerProfile", "Scheduled_EVPPTControlMode", "SelectedScheduleTupleID")
POWER20 = ("EVPowerProfile", "EVPowerProfileEntries", "EVPowerProfileEntry", 0, "Power")
CHOSEN20 = "SelectedEnergyTransferService"
DC_CPD = "DC_CPDReqEnergyTransferMode"
PLAIN = "Scheduled_DC_CLReqControlMode"
CPD_FIELDS = ("ChargePower", "ChargeCurrent", "Voltage")
EV_DC, EV_AC = "DC_EVChargeParameter", "AC_EVChargeParameter"
TYPE, MODE = "EVRequestedEnergyTransferType", "RequestedEnergyTransferMode"
WRONG = [
    (DIN, "ServicePaymentSelectionReq", put("Contract", "SelectedPaymentOption"), "FAILED_PaymentSelectionInvalid"),
    (DIN, "ServicePaymentSelectionReq", put(9, *SERVICES), "FAILED_ServiceSelectionInvalid"),
    (ISO2_DC, "PaymentServiceSelectionReq", put("Contract", "SelectedPaymentOption"), "FAILED_PaymentSelectionInvalid"),
    (ISO2_DC, "PaymentServiceSelectionReq", put(9, *SERVICES), "FAILED_NoChargeServiceSelected"),
    (DIN, "ChargeParameterDiscoveryReq", put("AC_three_phase_core", TYPE), "FAILED_WrongEnergyTransferType"),
    (ISO2_DC, "ChargeParameterDiscoveryReq", put("AC_three_phase_core", MODE), "FAILED_WrongEnergyTransferMode"),
    (
        DIN,
        "ChargeParameterDiscoveryReq",
        put(amps(0), EV_DC, "EVMaximumCurrentLimit"),
        "FAILED_WrongChargeParameter",
    ),
    (
        ISO2_DC,
        "ChargeParameterDiscoveryReq",
        put(amps(100), EV_DC, "EVMaximumVoltageLimit"),
        "FAILED_WrongChargeParameter",
    ),
    (ISO2_AC, "ChargeParameterDiscoveryReq", put(amps(40), EV_AC, "EVMinCurrent"), "FAILED_WrongChargeParameter"),
    (ISO2_DC, "PowerDeliveryReq", put(2, "SAScheduleTupleID"), "FAILED_TariffSelectionInvalid"),
    (
        ISO2_DC,
        "PowerDeliveryReq",
        put(
            {"Multiplier": 3, "Unit": "W", "Value": 101},
            *("ChargingProfile", "ProfileEntry", 0, "ChargingProfileEntryMaxPower"),
        ),
        "FAILED_ChargingProfileInvalid",
    ),
    (ISO2_DC, "PowerDeliveryReq", put("Renegotiate", "ChargeProgress"), "FAILED_SequenceError"),
    (ISO20, "ServiceDetailReq", put(9, "ServiceID"), "FAILED_ServiceIDInvalid"),
    (ISO20, "ServiceSelectionReq", put(9, CHOSEN20, "ServiceID"), "FAILED_NoEnergyTransferServiceSelected"),
    (ISO20, "ServiceSelectionReq", put(9, CHOSEN20, "ParameterSetID"), "FAILED_ServiceSelectionInvalid"),
    (
        ISO20,
        "DC_ChargeParameterDiscoveryReq",
        put(rational(0), DC_CPD, "EVMaximumChargePower"),
        "FAILED_WrongChargeParameter",
    ),
    (ISO20, "PowerDeliveryReq", put(2, *PROFILE20), "FAILED_ScheduleSelectionInvalid"),
    (ISO20, "PowerDeliveryReq", put({"Exponent": 3, "Value": 101}, *POWER20), "FAILED_EVPowerProfileViolation"),
    (ISO20, "PowerDeliveryReq", drop("EVPowerProfile"), "FAILED_EVPowerProfileInvalid"),
    (ISO20, "PowerDeliveryReq", put("ScheduleRenegotiation", "ChargeProgress"), "FAILED_SequenceError"),
]


@pytest.mark.parametrize(
    ("way", "name", "change", "code"), WRONG, ids=lambda value: value if type(value) is str else ""
)
def test_a_wrong_value_is_answered_with_its_code(way: Way, name: str, change: Change, code: str) -> None:
    """The response has the code, both sides end, and no current has flowed."""
    both = changed(way, name, change)
    assert both.bodies(f"{name[:-3]}Res")[0][1]["ResponseCode"] == code
    assert both.secc.closed == f"{name} answered {code}"
    assert both.evcc.closed == f"{name[:-3]}Res says {code}"
    assert not any(isinstance(s.output, ev.Setpoint) and s.output.current_a for s in both.said)


def test_a_detail_of_an_unknown_service_is_refused() -> None:
    """ISO 15118-2 has FAILED_ServiceIDInvalid for it."""
    both = pair(ISO2_DC)
    both.run(until=lambda: "ServiceDetailReq" in both.secc.progress.expects)
    request = {"Header": {"SessionID": both.secc.progress.session_id}, "ServiceID": 9}
    both.station(ev.Received(exi.ISO2.title, "ServiceDetailReq", request))
    assert both.bodies("ServiceDetailRes")[0][1]["ResponseCode"] == "FAILED_ServiceIDInvalid"


def test_a_schedule_of_the_other_control_mode_is_refused() -> None:
    """Who has selected Scheduled cannot ask for a Dynamic schedule."""
    dynamic = {
        "DepartureTime": 1,
        **{f"EV{kind}EnergyRequest": rational(1) for kind in ("Target", "Maximum", "Minimum")},
    }

    def change(body: dict[str, Any]) -> None:
        del body["Scheduled_SEReqControlMode"]
        body["Dynamic_SEReqControlMode"] = dynamic

    both = changed(ISO20, "ScheduleExchangeReq", change)
    assert both.bodies("ScheduleExchangeRes")[0][1]["ResponseCode"] == "FAILED_ScheduleRenegotiation"


def test_a_contract_is_not_taken() -> None:
    """In ISO 15118-20 that is a warning, and the car may choose again."""
    both = pair(ISO20)
    both.run(until=lambda: "AuthorizationReq" in both.secc.progress.expects)
    chain = {"Certificate": b"1", "SubCertificates": {"Certificate": [b"1"]}}
    header = {"SessionID": both.secc.progress.session_id, "TimeStamp": 1}
    contract = {"Id": "1", "GenChallenge": bytes(16), "ContractCertificateChain": chain}
    body = {"Header": header, "SelectedAuthorizationService": "PnC", "PnC_AReqAuthorizationMode": contract}
    both.station(ev.Received(exi.ISO20.title, "AuthorizationReq", body))
    assert both.bodies("AuthorizationRes")[0][1]["ResponseCode"] == "WARNING_AuthorizationSelectionInvalid"
    assert both.secc.progress.expects == {"AuthorizationReq"}


@pytest.mark.parametrize("way", [DIN, ISO2_DC, ISO20], ids=str)
def test_a_user_who_is_refused_cannot_charge(way: Way) -> None:
    """The answer is FAILED."""
    both = pair(way)
    both.station(ev.Authorised(False))
    both.run(30.0)
    assert str(both.secc.closed).endswith("answered FAILED")


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_every_request_out_of_order_is_a_sequence_error(way: Way) -> None:
    """In the loop, each request of the session that has no place there is answered so, and the outlet goes off."""
    first = charging(way, 2.0)
    asked = {s.output.name: s.output for s in first.said if s.of_car and isinstance(s.output, ev.Send)}
    for name, send in list(asked.items())[1:]:
        if name in first.secc.progress.expects:
            continue
        both = charging(way, 2.0)
        both.station(ev.Received(send.schema.title, name, send.body))
        assert both.bodies(f"{name[:-3]}Res")[-1][1]["ResponseCode"] == "FAILED_SequenceError", name
        assert both.secc.closed == f"{name} answered FAILED_SequenceError"
        assert ev.Setpoint(0.0, 0.0) == both.secc.setpoint
        assert not both.secc.contactor


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_another_session_is_unknown(way: Way) -> None:
    """A request with another number is answered FAILED_UnknownSession."""
    both = changed(way, f"{way.loop}Req", put(b"12345678", "Header", "SessionID"))
    assert both.bodies(f"{way.loop}Res")[0][1]["ResponseCode"] == "FAILED_UnknownSession"
    assert both.secc.closed is not None


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_car_leaves_a_station_of_another_session(way: Way) -> None:
    """A response with another number ends the session, with the car's contactor open and nothing drawn."""
    both = changed(way, f"{way.loop}Res", put(b"12345678", "Header", "SessionID"))
    assert "is of session 3132333435363738" in str(both.evcc.closed)
    assert both.evcc.drive.target_a == 0.0


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_car_leaves_when_a_response_is_another_than_it_asked_for(way: Way) -> None:
    """A response of the right session to a request that was not made ends it."""
    both = charging(way, 1.0)
    both.run(until=lambda: both.evcc.waiting != "")
    body = both.bodies("SessionSetupRes")[0][1]
    schema = ev.SCHEMAS[way.protocol.generation].title
    both.car(ev.Received(schema, "SessionSetupRes", body))
    assert both.evcc.closed == f"SessionSetupRes of {schema} where {way.loop}Res was expected"


@pytest.mark.parametrize("way", [ISO20, AC20[0]], ids=str)
def test_a_response_of_another_control_mode_ends_the_session(way: Way) -> None:
    """A car in Scheduled control does not follow a Dynamic response."""
    dynamic = "Dynamic_AC" if way.ac else "Dynamic_DC"
    fields = ("EVSEMaximumChargePower", "EVSEMinimumChargePower", "EVSEMaximumChargeCurrent", "EVSEMaximumVoltage")
    mode = {"EVSETargetActivePower": rational(1)} if way.ac else dict.fromkeys(fields, rational(1))

    def change(body: dict[str, Any]) -> None:
        del body[way.mode]
        body[f"{dynamic}_CLResControlMode"] = mode

    both = changed(way, f"{way.loop}Res", change)
    assert both.evcc.closed == "the station answers in another control mode"


@pytest.mark.parametrize("way", [DIN, ISO2_DC, ISO20], ids=str)
def test_a_car_leaves_a_station_whose_voltage_is_too_low(way: Way) -> None:
    """A battery of 650 V is not connected to an outlet of 500 V."""
    both = pair(way)
    both.station(ev.NewLimit(Limits(200.0, max_v=500.0)))
    both.run(30.0)
    assert both.evcc.closed == "the station cannot give the voltage of the battery"


def test_a_car_leaves_a_station_without_its_service() -> None:
    """Stations that offer AC only, or no Dynamic control, are of no use to a car that wants otherwise."""
    modes = put(["AC_three_phase_core"], "ChargeService", "SupportedEnergyTransferMode", "EnergyTransferMode")
    assert changed(ISO2_DC, "ServiceDiscoveryRes", modes).evcc.closed == "the station does not offer DC_extended"
    both = changed(ISO20, "ServiceDiscoveryRes", put(7, "EnergyTransferServiceList", "Service", 0, "ServiceID"))
    assert both.evcc.closed == "the station does not offer service 2"
    both = pair(DC20[1], services=(ISO20.service,))
    both.run(10.0)
    assert both.evcc.closed == "the station offers no control mode 2"
    both = changed(ISO20, "AuthorizationSetupRes", put(["PnC"], "AuthorizationServices"))
    assert both.evcc.closed == "the station takes no external payment"


STAGES = [(way, stage) for way in WAYS for stage in ("SessionSetup", *(() if way.ac else ("CableCheck", "PreCharge")))]


@pytest.mark.parametrize(("way", "after"), STAGES, ids=str)
def test_a_station_that_stops_before_charging_does_not_begin(way: Way, after: str) -> None:
    """Its next electrical step is answered FAILED, and the car leaves at once."""
    prefix = "DC_" if way.protocol.generation == "iso20" and after != "SessionSetup" else ""
    both = pair(way)
    both.run(until=lambda: bool(both.bodies(f"{prefix}{after}Res")))
    both.station(ev.Wish("stop"))
    both.run(both.now_s + 2.0)
    assert both.secc.closed is not None
    assert "FAILED" in both.secc.closed
    assert not any(isinstance(s.output, ev.Setpoint) and s.output.current_a for s in both.said)


def test_what_is_no_message_ends_both_sides() -> None:
    """Broken bytes end a session at the side that hears them; the other then sees the connection closed."""
    both = charging(DIN, 1.0)
    both.station(events.Broken("bit 3"))
    both.run(both.now_s + 0.1)
    assert both.secc.closed == "the car sent what is no message: bit 3"
    assert both.evcc.closed == "the station closed the connection"
    both = charging(DIN, 1.0)
    both.car(events.Broken("bit 3"))
    both.run(both.now_s + 0.1)
    assert both.evcc.closed == "the station sent what is no message: bit 3"
    assert both.secc.closed == "the car closed the connection"


def test_a_message_of_another_schema_cannot_be_answered() -> None:
    """Neither before the handshake nor after it."""
    both = pair(DIN)
    both.station(ev.Received(exi.DIN.title, "SessionSetupReq", {}))
    assert both.secc.closed == "SessionSetupReq before a protocol was agreed on"
    both = charging(DIN, 1.0)
    both.station(ev.Received(exi.ISO2.title, "CableCheckReq", {}))
    assert both.secc.closed == "CableCheckReq of ISO 15118-2 cannot be answered here"


@pytest.mark.parametrize("want", ["stop", "emergency", "pause"])
def test_a_car_that_stops_before_charging_leaves_at_once(want: ev.Want) -> None:
    """There is nothing to wind down."""
    both = pair(DIN)
    both.run(1.0)
    both.car(ev.Wish(want))
    assert both.evcc.closed == "stopped before charging began"


def test_a_station_that_allows_no_standby_is_charged_on() -> None:
    """The warning of ISO 15118-20 makes the car go on in its loop with power."""

    def tamper(_of_car: bool, send: ev.Send) -> ev.Send:
        code = {"ResponseCode": "WARNING_StandbyNotAllowed"} if asked and send.name == "PowerDeliveryRes" else {}
        return ev.Send(send.schema, send.name, {**send.body, **code})

    asked: list[bool] = []
    both = pair(ISO20, tamper=tamper)
    both.run(10.0)
    asked.append(True)
    both.car(ev.Wish("standby"))
    both.run(15.0)
    assert both.names()[-1] == "DC_ChargeLoopReq"
    assert not both.evcc.standby
    assert both.evcc.drive.target_a > 10.0


OTHERWISE = [
    (
        DC20[2],
        "DC_ChargeParameterDiscoveryReq",
        put({f"EV{side}{what}": rational(400) for side in ("Maximum", "Minimum") for what in CPD_FIELDS}, DC_CPD),
        "FAILED_WrongChargeParameter",
    ),
    (
        DC20[1],
        "PowerDeliveryReq",
        put({"SelectedScheduleTupleID": 1}, "EVPowerProfile", "Scheduled_EVPPTControlMode"),
        "FAILED_EVPowerProfileInvalid",
    ),
    (
        DC20[2],
        "DC_ChargeLoopReq",
        put({"EVTargetCurrent": rational(1), "EVTargetVoltage": rational(1)}, PLAIN),
        "FAILED",
    ),
]
INSTEAD = {DC_CPD: f"BPT_{DC_CPD}", PLAIN: f"BPT_{PLAIN}"}


@pytest.mark.parametrize(
    ("way", "name", "change", "code"), OTHERWISE, ids=lambda value: value if type(value) is str else ""
)
def test_what_belongs_to_another_service_is_refused(way: Way, name: str, change: Change, code: str) -> None:
    """Parameters without giving in a service with it, a profile and a loop of another control mode."""

    def instead(body: dict[str, Any]) -> None:
        change(body)
        for kept, dropped in INSTEAD.items():
            if kept in body:
                del body[dropped]
        if "EVPowerProfile" in body:
            del body["EVPowerProfile"]["Dynamic_EVPPTControlMode"]

    both = changed(way, name, instead)
    assert both.bodies(f"{name[:-3]}Res")[0][1]["ResponseCode"] == code
    assert both.secc.closed == f"{name} answered {code}"


@pytest.mark.parametrize("way", [DIN, ISO2_DC, DC20[0]], ids=str)
def test_a_pre_charge_fails_at_a_station_that_has_stopped(way: Way) -> None:
    """The voltage of the battery is not reached for."""
    name = "DC_PreCharge" if way is DC20[0] else "PreCharge"
    both = pair(way)
    both.run(until=lambda: f"{name}Req" in both.secc.progress.expects)
    both.station(ev.Wish("stop"))
    both.run(both.now_s + 1.0)
    assert both.secc.closed == f"{name}Req answered FAILED"


QUIRKY = [DIN, ISO2_DC, DC20[0]]


@pytest.mark.parametrize("way", QUIRKY, ids=str)
def test_a_car_that_ignores_a_lowered_limit_is_held_to_it(way: Way) -> None:
    """It asks for what it had, and the outlet gives no more than the limit."""
    both = charging(way, 20.0, Quirks(ignores_lowered_limit=True))
    both.station(ev.NewLimit(Limits(10.0)))
    both.run(both.now_s + 5.0)
    assert both.evcc.drive.target_a > 100.0
    assert both.secc.setpoint.current_a == 10.0


@pytest.mark.parametrize("way", QUIRKY, ids=str)
def test_a_car_of_whole_amperes_loses_the_rest(way: Way) -> None:
    """Of 10.7 A it asks for 10."""
    both = charging(way, 10.0, Quirks(whole_amperes=True))
    both.station(ev.NewLimit(Limits(10.7)))
    both.run(both.now_s + 5.0)
    assert both.secc.setpoint.current_a == 10.0


@pytest.mark.parametrize("way", [*QUIRKY, ISO2_AC, AC20[0]], ids=str)
def test_a_car_that_stops_at_zero_ends_the_session(way: Way) -> None:
    """A limit of nothing is no pause for it."""
    both = charging(way, 5.0, Quirks(stops_at_zero=True))
    both.station(ev.NewLimit(Limits(0.0, 0.0)))
    both.run(both.now_s + 3.0)
    assert (both.secc.closed, both.evcc.closed) == ("", "")
    assert both.evcc.drive.finished == "offered nothing"


@pytest.mark.parametrize("way", QUIRKY, ids=str)
def test_a_wrong_first_request_harms_nothing(way: Way) -> None:
    """A negative current or a voltage of 0 V at the start gives no current backwards, and charging goes on."""
    both = charging(way, 10.0, Quirks(first_a=-5.0, target_v=0.0))
    currents = [s.output.current_a for s in both.said if isinstance(s.output, ev.Setpoint)]
    assert min(currents) == 0.0
    assert currents[-1] > 50.0
