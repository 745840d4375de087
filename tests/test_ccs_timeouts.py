"""Every time-out of CCS sessions, just before it and at it."""

from __future__ import annotations

import pytest

from hilbench_emulators.ccs import Quirks
from hilbench_emulators.ccs import events as ev
from hilbench_emulators.ccs.pair import Pair
from hilbench_emulators.ccs.timeouts import TIMINGS, message_s, seconds
from tests.ccs_pairs import AC20, DC20, DIN, ISO2_AC, ISO2_DC, Way, charging, pair, secc

STEP_S = 1e-6
SOME = [DIN, ISO2_DC, ISO2_AC, DC20[0], AC20[1]]
REQUESTS = {
    DIN: "SessionSetup ServiceDiscovery ServicePaymentSelection ContractAuthentication ChargeParameterDiscovery "
    "CableCheck PreCharge PowerDelivery CurrentDemand WeldingDetection SessionStop",
    ISO2_DC: "SessionSetup ServiceDiscovery PaymentServiceSelection Authorization ChargeParameterDiscovery CableCheck "
    "PreCharge PowerDelivery CurrentDemand WeldingDetection SessionStop",
    ISO2_AC: "ChargingStatus",
    DC20[0]: "SessionSetup AuthorizationSetup Authorization ServiceDiscovery ServiceDetail ServiceSelection "
    "DC_ChargeParameterDiscovery ScheduleExchange DC_CableCheck DC_PreCharge PowerDelivery DC_ChargeLoop "
    "DC_WeldingDetection SessionStop",
    AC20[1]: "AC_ChargeParameterDiscovery AC_ChargeLoop",
}
CASES = [(way, name) for way, names in REQUESTS.items() for name in names.split()]
PRECHARGES = {DIN: 7.0, ISO2_DC: 7.0, DC20[0]: 10.0}


def ending(way: Way, lost: str) -> Pair:
    """A session that is stopped early in its loop, in which every request of one name is lost."""
    both = pair(way, tamper=lambda _of_car, send: None if send.name == lost else send)
    both.run(until=lambda: bool(both.bodies(f"{way.loop}Res")) or both.evcc.closed is not None or _stuck(both))
    if both.evcc.looping and lost != f"{way.loop}Req":
        both.car(ev.Wish("stop"))
        both.run(until=lambda: _stuck(both))
    return both


def _stuck(both: Pair) -> bool:
    """Whether nothing is on its way, so that only time can pass."""
    return not both._posts and "next request" not in both.evcc._due


def test_every_time_has_its_source() -> None:
    """The table says of each time where it is from and how sure it is."""
    assert all(timing.source and timing.confidence for timing in TIMINGS)
    assert len({(t.name, g) for t in TIMINGS for g in t.generations}) == sum(len(t.generations) for t in TIMINGS)


@pytest.mark.parametrize(("way", "name"), CASES, ids=lambda value: str(value))
def test_a_car_waits_for_each_response_as_long_as_its_time_out(way: Way, name: str) -> None:
    """Nothing happens just before, and at the time-out the car ends and says what did not come."""
    both = ending(way, f"{name}Req")
    sent_s = both.bodies(f"{name}Req")[-1][0]
    limit_s = message_s(f"{name}Req", way.protocol.generation)
    both.evcc.advance(sent_s + limit_s - STEP_S, ev.Timer())
    assert both.evcc.closed is None
    both.evcc.advance(sent_s + limit_s, ev.Timer())
    assert both.evcc.closed == f"time-out: {name}Req"


@pytest.mark.parametrize(("way", "name"), CASES, ids=lambda value: str(value))
def test_a_station_waits_for_each_request_as_long_as_its_time_out(way: Way, name: str) -> None:
    """60 s from its last response, 0.5 s in a loop of ISO 15118-20; then the outlet is off."""
    both = ending(way, f"{name}Req")
    responses = [said.t_s for said in both.said if isinstance(said.output, ev.Send) and not said.of_car]
    both.secc.advance(responses[-1] + 60.0 - STEP_S, ev.Timer())
    assert both.secc.closed is None
    both.secc.advance(responses[-1] + 60.0, ev.Timer())
    assert both.secc.closed == "no request for 60 s"
    assert ev.Setpoint(0.0, 0.0) == both.secc.setpoint


@pytest.mark.parametrize(("way", "limit_s"), [(DIN, 60.0), (ISO2_DC, 60.0), (DC20[0], 0.5), (AC20[0], 0.5)], ids=str)
def test_a_station_gives_up_on_a_car_that_falls_silent_in_its_loop(way: Way, limit_s: float) -> None:
    """At the time-out of the sequence, not before, the outlet goes off."""
    both = charging(way)
    last_s = both.bodies(f"{way.loop}Res")[-1][0]
    both.secc.advance(last_s + limit_s - STEP_S, ev.Timer())
    assert both.secc.closed is None
    both.secc.advance(last_s + limit_s, ev.Timer())
    assert both.secc.closed == f"no request for {limit_s:g} s"


def test_a_station_waits_60_s_for_the_handshake() -> None:
    """A connection on which nothing is said is closed."""
    station = secc(DIN)
    station.advance(7.0, ev.Begin())
    station.advance(67.0 - STEP_S, ev.Timer())
    assert station.closed is None
    station.advance(67.0, ev.Timer())
    assert station.closed == "no request for 60 s"


def test_a_car_waits_2_s_for_the_handshake() -> None:
    """supportedAppProtocolRes has the time-out of other messages."""
    both = pair(DIN, tamper=lambda of_car, send: send if of_car else None)
    both.run(2.0 - STEP_S)
    assert both.evcc.closed is None
    both.run(2.0)
    assert both.evcc.closed == "time-out: supportedAppProtocolReq"


def repeating(way: Way, request: str) -> tuple[Pair, float]:
    """A car that repeats a request, and when it has first sent it; the station stands still from then on."""
    both = pair(way)
    both.run(until=lambda: bool(both.bodies(f"{request[:-3]}Res")))
    return both, both.bodies(request)[0][0]


def ongoing(both: Pair, request: str, until_s: float, **changed: object) -> None:
    """Answer a car's repeated request so that it has to repeat it again, to a time."""
    name = f"{request[:-3]}Res"
    sent = [said.output for said in both.said if isinstance(said.output, ev.Send) and said.output.name == name][-1]
    now_s = both.now_s
    response = ev.Received(sent.schema.title, name, {**sent.body, **changed})
    while both.evcc.closed is None:
        both.evcc.advance(now_s, response)
        now_s = both.evcc.due_s
        if now_s > until_s:
            return
        both.evcc.advance(now_s, ev.Timer())


PHASES = [
    (DIN, "ContractAuthenticationReq", "ongoing", 60.0),
    (DIN, "ChargeParameterDiscoveryReq", "ongoing", 60.0),
    (ISO2_DC, "AuthorizationReq", "ongoing", 60.0),
    (DC20[0], "AuthorizationReq", "ongoing", 60.0),
    (DC20[0], "ScheduleExchangeReq", "ongoing", 60.0),
    (DIN, "CableCheckReq", "cable check", 40.0),
    (ISO2_DC, "CableCheckReq", "cable check", 40.0),
    (DC20[0], "DC_CableCheckReq", "cable check", 40.0),
]


@pytest.mark.parametrize(("way", "request_", "phase", "limit_s"), PHASES, ids=str)
def test_a_car_repeats_a_request_only_so_long(way: Way, request_: str, phase: str, limit_s: float) -> None:
    """A station that says Ongoing for ever is left at the time-out of the phase."""
    both, first_s = repeating(way, request_)
    assert seconds(phase, way.protocol.generation) == limit_s
    ongoing(both, request_, first_s + limit_s - STEP_S, EVSEProcessing="Ongoing")
    assert both.evcc.closed is None
    both.evcc.advance(first_s + limit_s, ev.Timer())
    assert both.evcc.closed == f"time-out: {phase}"


@pytest.mark.parametrize(("way", "limit_s"), PRECHARGES.items(), ids=str)
def test_a_car_waits_so_long_for_the_voltage_of_its_battery(way: Way, limit_s: float) -> None:
    """An outlet that stays at 0 V is left at the time-out of the pre-charge, with the contactor open."""
    request = "DC_PreChargeReq" if way is DC20[0] else "PreChargeReq"
    both, first_s = repeating(way, request)
    number = {"Exponent": 0, "Value": 0} if way is DC20[0] else {"Multiplier": 0, "Unit": "V", "Value": 0}
    ongoing(both, request, first_s + limit_s - STEP_S, EVSEPresentVoltage=number)
    assert both.evcc.closed is None
    both.evcc.advance(first_s + limit_s, ev.Timer())
    assert both.evcc.closed == "time-out: pre-charge"
    assert not any(s.of_car and s.output == ev.Contactor(True) for s in both.said)


def test_a_car_of_din_is_ready_to_charge_within_150_s_or_leaves() -> None:
    """Stations that take long at every step are left even though no single step is too long."""
    both = pair(DIN, schedule_s=54.0, cable_check_s=37.0)
    both.secc.authorised = None
    both.run(54.0)
    both.station(ev.Authorised(True))
    both.run(until=lambda: "pre-charge" in both.evcc._due)
    begun_s = both.bodies("SessionSetupRes")[0][0] + 0.01
    both.run(until=lambda: bool(both.bodies("PreChargeRes")))
    ongoing(both, "PreChargeReq", begun_s + 150.0 - STEP_S, EVSEPresentVoltage={"Multiplier": 0, "Value": 0})
    assert both.evcc.closed is None
    both.evcc.advance(begun_s + 150.0, ev.Timer())
    assert both.evcc.closed == "time-out: ready to charge"


@pytest.mark.parametrize("way", [DIN, ISO2_DC, DC20[0]], ids=str)
@pytest.mark.parametrize(("late_s", "code"), [(54.7, "OK"), (55.3, "FAILED")])
def test_a_station_says_failed_when_a_user_stays_unknown(way: Way, late_s: float, code: str) -> None:
    """A decision before 55 s is in time; without one the station answers FAILED."""
    both = pair(way)
    both.secc.authorised = None
    both.run(until=lambda: "authorisation" in both.secc.progress.begun)
    both.run(both.now_s + late_s)
    both.station(ev.Authorised(True))
    both.run(both.now_s + 2.0)
    name = "ContractAuthenticationRes" if way is DIN else "AuthorizationRes"
    assert both.bodies(name)[-1][1]["ResponseCode"] == code


@pytest.mark.parametrize("way", [DIN, ISO2_DC, DC20[0]], ids=str)
@pytest.mark.parametrize(("key", "took_s", "code"), [("cable", 37.7, "OK"), ("cable", 38.5, "FAILED")])
def test_a_station_says_failed_when_its_cable_check_takes_too_long(
    way: Way, key: str, took_s: float, code: str
) -> None:
    """38 s are allowed to a station."""
    both = pair(way, cable_check_s=took_s)
    both.run(60.0)
    name = "DC_CableCheckRes" if way is DC20[0] else "CableCheckRes"
    assert both.bodies(name)[-1][1]["ResponseCode"] == code


@pytest.mark.parametrize("way", [DIN, ISO2_DC, ISO2_AC, DC20[0], AC20[0]], ids=str)
@pytest.mark.parametrize(("took_s", "code"), [(54.5, "OK"), (55.5, "FAILED")])
def test_a_station_says_failed_when_its_schedule_takes_too_long(way: Way, took_s: float, code: str) -> None:
    """55 s are allowed to a station."""
    both = pair(way, schedule_s=took_s)
    both.run(70.0)
    name = "ScheduleExchangeRes" if way.protocol.generation == "iso20" else "ChargeParameterDiscoveryRes"
    assert both.bodies(name)[-1][1]["ResponseCode"] == code


@pytest.mark.parametrize("way", SOME, ids=str)
def test_a_car_that_stays_after_a_shutdown_is_refused_after_a_while(way: Way) -> None:
    """It has no current from the shutdown on, and 10 s later the station answers FAILED."""
    both = charging(way, 10.0, Quirks(stays_after_shutdown=True))
    both.station(ev.Wish("stop"))
    began_s = both.now_s
    both.run(began_s + 1.0)
    assert both.secc.setpoint.current_a == 0.0
    both.run(began_s + 9.9)
    assert both.secc.closed is None
    both.run(began_s + 10.5)
    assert both.secc.closed == f"{way.loop}Req answered FAILED"
