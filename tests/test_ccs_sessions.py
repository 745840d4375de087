"""CCS sessions of every service: complete, with limits that are in the next response, renegotiated, paused, stopped."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hilbench_emulators.ccs import Evcc, Fixed, Limits, Modules, Quirks, Secc, Station, Vehicle, services
from hilbench_emulators.ccs import events as ev
from hilbench_emulators.ccs.pair import Pair
from hilbench_emulators.dc.cars import load_car
from hilbench_emulators.dc.outlet_law import Limit, Policy
from hilbench_emulators.dc.power_module import Bank, load_module
from tests.ccs_pairs import AC20, CAR, DC20, DIN, ISO2_AC, ISO2_DC, WAYS, Way, charging, pair, secc, sends, vehicle

DC_WAYS = [DIN, ISO2_DC, *DC20]
RENEGOTIABLE = [ISO2_DC, ISO2_AC, *DC20, *AC20]
ORDERS = {
    DIN: "SessionSetup ServiceDiscovery ServicePaymentSelection ContractAuthentication ChargeParameterDiscovery "
    "CableCheck PreCharge PowerDelivery CurrentDemand PowerDelivery WeldingDetection SessionStop",
    ISO2_DC: "SessionSetup ServiceDiscovery PaymentServiceSelection Authorization ChargeParameterDiscovery "
    "CableCheck PreCharge PowerDelivery CurrentDemand PowerDelivery WeldingDetection SessionStop",
    ISO2_AC: "SessionSetup ServiceDiscovery PaymentServiceSelection Authorization ChargeParameterDiscovery "
    "PowerDelivery ChargingStatus PowerDelivery SessionStop",
    DC20[0]: "SessionSetup AuthorizationSetup Authorization ServiceDiscovery ServiceDetail ServiceSelection "
    "DC_ChargeParameterDiscovery ScheduleExchange DC_CableCheck DC_PreCharge PowerDelivery DC_ChargeLoop "
    "PowerDelivery DC_WeldingDetection SessionStop",
    AC20[0]: "SessionSetup AuthorizationSetup Authorization ServiceDiscovery ServiceDetail ServiceSelection "
    "AC_ChargeParameterDiscovery ScheduleExchange PowerDelivery AC_ChargeLoop PowerDelivery SessionStop",
}


def taken_w(both: Pair) -> float:
    """The power [W] that flows into the car."""
    return both.evcc.drive.power_w if both.evcc.vehicle.service.power == "ac" else _dc_w(both)


def _dc_w(both: Pair) -> float:
    return both.secc.setpoint.voltage_v * both.secc.setpoint.current_a


@pytest.mark.parametrize("way", ORDERS, ids=str)
def test_a_session_goes_through_its_messages_in_order(way: Way) -> None:
    """From the handshake to the regular end at both sides, in the order of the standard, with the outlet off."""
    both = charging(way)
    both.car(ev.Wish("stop"))
    both.run()
    names = [name.removesuffix("Req") for name in both.names()]
    assert ["supportedAppProtocol", *ORDERS[way].split()] == names
    assert (both.secc.closed, both.evcc.closed) == ("", "")
    assert ev.Setpoint(0.0, 0.0) == both.secc.setpoint
    assert not both.secc.contactor


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_changed_limit_is_in_the_very_next_response(way: Way) -> None:
    """The response after the change has it, the one before has the old one; the car follows in its next request."""
    both = charging(way, 20.0)
    before_w, now_s = taken_w(both), both.now_s
    responses = len(both.bodies(f"{way.loop}Res"))
    both.station(ev.NewLimit(Limits(10.0)))
    both.run(now_s + 1.0)
    told = [way.limit(body) for _t, body in both.bodies(f"{way.loop}Res")]
    assert {way.limit_of(32.0 if way.ac else 200.0)} == set(told[:responses])
    assert {way.limit_of(10.0)} == set(told[responses:])
    both.run(now_s + 4.0)
    most_w = 10.0 * (690.0 if way.ac else both.secc.voltage_v)
    assert taken_w(both) == pytest.approx(most_w)
    assert before_w > most_w


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("want", ["stop", "emergency"])
def test_a_station_ends_a_session(way: Way, want: ev.Want) -> None:
    """The car leaves its loop in order, soon, and at both sides the session has its regular end."""
    both = charging(way)
    now_s = both.now_s
    both.station(ev.Wish(want))
    both.run()
    assert (both.secc.closed, both.evcc.closed) == ("", "")
    assert both.said[-1].t_s < now_s + (2.0 if want == "emergency" else 5.0)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_in_an_emergency_the_outlet_is_off_in_the_same_instant(way: Way) -> None:
    """No message is waited for: set point zero and contactor open at once."""
    both = charging(way)
    now_s = both.now_s
    both.station(ev.Wish("emergency"))
    assert ev.Setpoint(0.0, 0.0) == both.secc.setpoint
    assert not both.secc.contactor
    assert ev.Contactor(False) in [said.output for said in both.said if said.t_s == now_s]


@pytest.mark.parametrize("way", RENEGOTIABLE, ids=str)
def test_a_station_renegotiates(way: Way) -> None:
    """The car takes up a new schedule with the limit of now, and charges on."""
    both = charging(way, 10.0)
    both.station(ev.NewLimit(Limits(10.0, 5000.0)))
    both.station(ev.Wish("renegotiate"))
    both.run(both.now_s + 20.0)
    schedule = "ScheduleExchangeReq" if way.protocol.generation == "iso20" else "ChargeParameterDiscoveryReq"
    assert both.names().count(schedule) == 2
    assert both.names()[-1] == f"{way.loop}Req"
    assert both.evcc.schedule_w == (float("inf") if way.service.dynamic else 5000.0)
    assert taken_w(both) == pytest.approx(5000.0, rel=0.01)


def test_din_knows_no_renegotiation() -> None:
    """A station of DIN 70121 that would like to is not heard, and charging goes on."""
    both = charging(DIN)
    both.station(ev.Wish("renegotiate"))
    both.run(both.now_s + 5.0)
    assert both.names()[-1] == "CurrentDemandReq"


@pytest.mark.parametrize("way", RENEGOTIABLE, ids=str)
def test_a_paused_session_is_joined_again(way: Way) -> None:
    """The number of a paused session brings back the old session; another number a new one."""
    both = charging(way)
    both.car(ev.Wish("pause"))
    both.run()
    assert both.evcc.paused
    assert both.bodies("SessionStopReq")[0][1]["ChargingSession"] == "Pause"
    for remembered, code in ((both.evcc.session_id, "OK_OldSessionJoined"), (b"", "OK_NewSessionEstablished")):
        again = Pair(secc(way, remembered=remembered), Evcc(vehicle(way, session_id=both.evcc.session_id)))
        again.run(1.0)
        assert again.bodies("SessionSetupRes")[0][1]["ResponseCode"] == code


@pytest.mark.parametrize("way", [*DC20, *AC20], ids=str)
def test_a_car_stands_by_and_comes_back(way: Way) -> None:
    """In standby no power flows and the loop goes on; the station's ExitStandby brings it back."""
    both = charging(way, 10.0)
    both.car(ev.Wish("standby"))
    both.run(both.now_s + 5.0)
    assert both.evcc.standby
    assert taken_w(both) == 0.0
    both.station(ev.Wish("resume"))
    both.run(both.now_s + 5.0)
    assert not both.evcc.standby
    assert taken_w(both) > 0.0
    assert both.secc.closed is None


@pytest.mark.parametrize("way", RENEGOTIABLE, ids=str)
@pytest.mark.parametrize("first", ["car", "station"])
def test_a_stop_goes_before_a_renegotiation(way: Way, first: str) -> None:
    """A station that stops while either side wants to renegotiate ends the session, regularly and at once."""
    both = charging(way, 10.0)
    both.run(until=lambda: both.evcc.waiting == "")  # nothing is on its way
    (both.car if first == "car" else both.station)(ev.Wish("renegotiate"))
    both.station(ev.Wish("stop"))
    both.station(ev.Wish("renegotiate"))
    both.run(both.now_s + 5.0)
    assert (both.secc.closed, both.evcc.closed) == ("", "")
    assert both.names().count("PowerDeliveryReq") == 2


@pytest.mark.parametrize("way", [*DC20, *AC20], ids=str)
def test_a_car_may_take_its_time_for_a_power_profile(way: Way) -> None:
    """A start without a profile yet is answered OK, nothing is switched, and it may be repeated for 60 s."""
    for waits_s, code in ((0.0, "OK"), (59.9, "OK"), (60.0, "FAILED")):
        both = pair(way)
        both.run(until=lambda both=both: "PowerDeliveryReq" in both.secc.progress.expects)  # type: ignore[misc]
        header = {"SessionID": both.secc.progress.session_id, "TimeStamp": 1}
        body = {"Header": header, "EVProcessing": "Ongoing", "ChargeProgress": "Start"}
        for t_s in (both.now_s, both.now_s + waits_s):
            outputs = both.secc.advance(t_s, ev.Received(ev.SCHEMAS["iso20"].title, "PowerDeliveryReq", body))
        assert [out.body["ResponseCode"] for out in outputs if isinstance(out, ev.Send)] == [code]
        assert not both.secc.progress.looping
        if code == "OK":
            assert both.secc.progress.expects == {"PowerDeliveryReq"}


@pytest.mark.parametrize("way", [*DC20, *AC20], ids=str)
def test_without_standby_there_is_nothing_to_resume(way: Way) -> None:
    """A station does not ask for it, and a car that is asked all the same charges on."""
    both = charging(way)
    both.station(ev.Wish("resume"))
    both.run(both.now_s + 2.0)
    responses = both.bodies(f"{way.loop}Res")
    assert not any("EVSEStatus" in body for _t, body in responses)
    both.run(until=lambda: both.evcc.waiting != "")
    notified = {"EVSEStatus": {"NotificationMaxDelay": 0, "EVSENotification": "ExitStandby"}}
    schema = ev.schema_of("iso20", f"{way.loop}Res").title
    both.car(ev.Received(schema, f"{way.loop}Res", {**responses[-1][1], **notified}))
    assert both.evcc.leaving is None
    assert both.evcc.closed is None


@pytest.mark.parametrize("way", [DC20[0], AC20[0]], ids=str)
def test_a_service_is_chosen_anew(way: Way) -> None:
    """ServiceRenegotiation ends the session's service, not the session, and charging begins again."""
    both = charging(way)
    both.station(ev.Wish("service"))
    both.run(both.now_s + 20.0)
    assert both.names().count("ServiceDiscoveryReq") == 2
    assert both.names().count("SessionSetupReq") == 1
    assert both.names()[-1] == f"{way.loop}Req"


@pytest.mark.parametrize("way", [way for way in (*DC20, *AC20) if way.service.giving], ids=str)
def test_a_car_gives_what_the_station_wants(way: Way) -> None:
    """A negative target makes it give as much; without a target, a station that offers only a discharge gets that."""
    target_w = -7000.0 if way.service.dynamic or way.ac else None
    both = charging(way, 10.0)
    both.station(ev.NewLimit(Limits(0.0, 0.0, low_a=-30.0, low_w=-7000.0, target_w=target_w)))
    both.run(both.now_s + 20.0)
    assert taken_w(both) == pytest.approx(-7000.0, rel=0.01)
    assert both.secc.closed is None


@pytest.mark.parametrize("way", [way for way in DC20 if way.service.giving], ids=str)
def test_limits_of_discharging_are_sizes_on_the_wire(way: Way) -> None:
    """Both sides send positive numbers, and a car with the quirk negative ones; the station reads both alike."""
    for negative in (False, True):
        both = charging(way, quirks=Quirks(negative_limits=negative))
        name = way.mode.replace("Res", "Req")
        sent = both.bodies("DC_ChargeLoopReq")[-1][1][name]["EVMaximumDischargeCurrent"]["Value"]
        assert (sent < 0) == negative
        assert both.bodies("DC_ChargeLoopRes")[-1][1][way.mode]["EVSEMaximumDischargeCurrent"]["Value"] > 0
        both.station(ev.NewLimit(Limits(0.0, 0.0, low_a=-30.0, low_w=-7000.0, target_w=-7000.0)))
        both.run(both.now_s + 10.0)
        assert taken_w(both) == pytest.approx(-7000.0, rel=0.01)


@pytest.mark.parametrize("way", DC_WAYS, ids=str)
def test_a_full_battery_ends_the_session(way: Way) -> None:
    """The car leaves by itself when its battery is at the target."""
    both = Pair(secc(way), Evcc(vehicle(way, soc=0.5, target_soc=0.505)))
    both.run(600.0)
    assert (both.secc.closed, both.evcc.closed) == ("", "")
    assert both.evcc.drive.cells.soc == pytest.approx(0.505, abs=0.001)


@pytest.mark.parametrize("way", [DIN, ISO2_DC, DC20[0]], ids=str)
def test_flags_say_that_the_limit_is_reached(way: Way) -> None:
    """EVSECurrentLimitAchieved is true exactly while the car asks for as much as there is."""
    both = charging(way, 1.0)
    assert not both.bodies(f"{way.loop}Res")[-1][1]["EVSECurrentLimitAchieved"]
    both.station(ev.NewLimit(Limits(5.0)))
    both.run(both.now_s + 2.0)
    assert both.bodies(f"{way.loop}Res")[-1][1]["EVSECurrentLimitAchieved"]


@pytest.mark.parametrize("way", [DIN, ISO2_DC, DC20[0]], ids=str)
def test_what_is_measured_is_reported(way: Way) -> None:
    """A station that is told what flows says so, whatever it has been set to."""
    both = charging(way)
    both.station(ev.Measured(651.0, 12.5))
    both.run(both.now_s + 1.0)
    body = both.bodies(f"{way.loop}Res")[-1][1]
    assert (both.secc.voltage_v, both.secc.current_a) == (651.0, 12.5)
    assert body["EVSEPresentCurrent"]["Value"] == 12500


def test_power_modules_keep_a_limit_of_the_grid() -> None:
    """20 kW on the grid side leave the car what the modules do not lose."""
    bank = Bank(load_module("generic-30"), 4)
    supply = Modules(bank, Limit(), Policy())
    both = Pair(Secc(Station(), supply), Evcc(vehicle(DIN)))
    both.run(40.0)
    assert _dc_w(both) > 50_000.0
    both.station(ev.NewLimit(Limit(w=20_000.0)))
    both.run(43.0)
    assert bank.ac_w(_dc_w(both)) <= 20_000.0
    assert bank.ac_w(_dc_w(both)) == pytest.approx(20_000.0, rel=0.01)


@pytest.mark.parametrize("way", [way for way in DC20 if way.service.giving], ids=str)
def test_power_modules_feed_what_the_grid_is_promised(way: Way) -> None:
    """A limit of -10 kW on the grid side makes the car give, and never feeds more than that."""
    bank = Bank(load_module("generic-30"), 4)
    both = Pair(Secc(Station(services=(way.service,)), Modules(bank, Limit(), Policy())), Evcc(vehicle(way)))
    both.run(20.0)
    both.station(ev.NewLimit(Limit(w=-10_000.0)))
    both.run(30.0)
    assert bank.ac_w(_dc_w(both)) == pytest.approx(-10_000.0, rel=0.01)
    assert bank.ac_w(_dc_w(both)) >= -10_000.0


def test_power_modules_without_power_end_the_session() -> None:
    """By the policy that ends, the station shuts down after its 5 s, and the car leaves."""
    supply = Modules(Bank(load_module("generic-30"), 4), Limit(), Policy(below="end"))
    car = replace(load_car("ioniq-5"), below_minimum="waits", gives_up_s=float("inf"))
    both = Pair(Secc(Station(), supply), Evcc(vehicle(DIN, car=car)))
    both.run(20.0)
    both.station(ev.NewLimit(Limit(w=0.0)))
    both.run(24.0)
    assert (both.secc.closed, both.evcc.closed) == (None, None)
    both.run()
    assert (both.secc.closed, both.evcc.closed) == ("", "")


def test_each_supply_refuses_the_limits_of_the_other() -> None:
    """A limit on the grid side means nothing to a fixed outlet, nor the reverse."""
    with pytest.raises(TypeError, match="fixed supply takes Limits"):
        Fixed(Limits(1.0)).change(Limit())
    with pytest.raises(TypeError, match="power modules take a Limit"):
        Modules(Bank(load_module("generic-30"), 1), Limit(), Policy()).change(Limits(1.0))


def test_a_car_and_a_station_agree_on_the_best_protocol_of_both() -> None:
    """The car's order decides among what the station knows."""
    for known, generation in (((services.DIN, services.ISO2), "iso2"), ((services.DIN,), "din")):
        offered = (services.ISO20_DC, services.ISO2, services.DIN)
        both = Pair(Secc(Station(protocols=known), Fixed(Limits(100.0))), Evcc(Vehicle(CAR, protocols=offered)))
        both.run(5.0)
        assert both.evcc.generation == generation
        assert both.secc.closed is None


def test_no_common_protocol_ends_both() -> None:
    """The station says Failed_NoNegotiation, and both close."""
    both = pair(DC20[0], protocols=(services.DIN,))
    both.run()
    assert both.bodies("supportedAppProtocolRes")[0][1] == {"ResponseCode": "Failed_NoNegotiation"}
    assert "no protocol in common" in str(both.secc.closed)
    assert "no protocol in common" in str(both.evcc.closed)


def test_another_minor_version_is_taken_and_another_major_is_not() -> None:
    """DIN 2.1 is agreed on with a remark, DIN 3.0 is not."""
    for version, code in (((2, 1), "OK_SuccessfulNegotiationWithMinorDeviation"), ((3, 0), "Failed_NoNegotiation")):
        protocol = replace(services.DIN, version=version)
        both = Pair(Secc(Station(), Fixed(Limits(100.0))), Evcc(Vehicle(CAR, protocols=(protocol,))))
        both.run(1.0)
        assert both.bodies("supportedAppProtocolRes")[0][1]["ResponseCode"] == code


@pytest.mark.parametrize("way", DC_WAYS[:3], ids=str)
def test_a_car_asks_for_nothing_before_it_leaves(way: Way) -> None:
    """A regular stop ramps the request down first; no current flows when PowerDelivery comes."""
    both = charging(way, 20.0)
    both.car(ev.Wish("stop"))
    both.run()
    asked = [(t, send) for t, send in sends(both, True) if send.name == f"{way.loop}Req"]
    last = asked[-1][1].body
    target = last.get("EVTargetCurrent") or last["Scheduled_DC_CLReqControlMode"]["EVTargetCurrent"]
    assert abs(target["Value"]) * 10.0 ** target.get("Multiplier", target.get("Exponent")) < 100.0
    assert both.secc.closed == ""
