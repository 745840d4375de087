"""CHAdeMO's waits, each just before and just after its end; one side is ours, the other is the test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from hilbench.chademo import CarFault, CarStatus, ChargerLimits, ChargerState, ChargerStatus
from hilbench.chademo.timing import D2_TO_D1_OFF_S, LIMITS, WAIT_09_S
from hilbench_emulators.chademo import CarModel, Charger, ChargerModel
from hilbench_emulators.chademo.car import Phase
from hilbench_emulators.chademo.charger import Phase as ChargerPhase
from hilbench_emulators.chademo.plug import Fault, Stop
from tests.chademo_play import CHARGING, QUICK, STANDING, LoneCar, LoneCharger

Side = LoneCar | LoneCharger
EDGE_S = 0.001


@dataclass
class Wait:
    """How to get to the begin of a wait (begin), how to end it well, and what is said when it lasts too long."""

    begin: Callable[[], Side]
    end: Callable[[Side], object]
    word: str
    began: Callable[[Side], float]


def _begun(side: Side) -> float:
    return side.car.since_t if isinstance(side, LoneCar) else side.charger.since_t


def _ready() -> LoneCar:
    return LoneCar().line(d1=True).to(4.0)


def _asking() -> LoneCar:
    side = LoneCar(CarModel(max_current_a=4)).line(d1=True).to(3.5).line(d2=True).to(3.9)
    side.voltage_v = round(side.car.pack.voltage_v(side.t))
    while not side.car.request_a:
        side.to(side.t + 0.01)
    return side


def _stopping() -> LoneCar:
    side = LoneCar(CarModel(max_current_a=40)).charging()
    side.line(current_a=30.0).current_a = 30
    side.to(9.0)
    side.car.advance(side.t, Stop())
    return side


def _stopped() -> LoneCar:
    side = _stopping()
    side.to(side.t + 0.3).line(current_a=0.0)
    side.voltage_v = 360
    side.status = STANDING
    side.say()
    while side.car.phase is not Phase.CHECKING:
        side.to(side.t + 0.01)
    return side


def _voltage(volts: int) -> Callable[[Side], object]:
    def end(side: Side) -> None:
        assert isinstance(side, LoneCar)
        side.voltage_v = volts
        side.say()

    return end


def _quarter_then_rest() -> LoneCar:
    side = _stopped()
    side.voltage_v = 80
    side.say()
    return side


def _say_charging(side: Side) -> None:
    assert isinstance(side, LoneCar)
    side.status = CHARGING
    side.say()


def _fall(side: Side) -> None:
    assert isinstance(side, LoneCar)
    side.status, side.current_a = STANDING, 0
    side.line(current_a=4.9).say()


def _waiting() -> LoneCharger:
    return LoneCharger().to(0.5)


def _joined() -> LoneCharger:
    side = LoneCharger().to(0.5).enable()
    while not side.charger.d2:
        side.to(side.t + 0.01)
    return side


def _offered() -> LoneCharger:
    side = _joined()
    return side.close()


def _opened() -> LoneCharger:
    side = LoneCharger().charging()
    side.line(k=False).tell(status=0, request_a=0)
    while side.charger.phase is not ChargerPhase.OPENING:
        side.to(side.t + 0.01)
    return side


def _open(side: Side) -> None:
    assert isinstance(side, LoneCharger)
    side.line(contactor=False).tell(status=int(CarStatus.CONTACTOR_OPEN))


def _request(side: Side) -> None:
    assert isinstance(side, LoneCharger)
    side.tell(request_a=10)


def _close(side: Side) -> None:
    assert isinstance(side, LoneCharger)
    side.close()


def _enable(side: Side) -> None:
    assert isinstance(side, LoneCharger)
    side.enable()


WAITS = {
    "enabled": Wait(_waiting, _enable, "was not ready within 8 s", _begun),
    "d2": Wait(_ready, lambda side: side.line(d2=True), "d2 did not come within 20 s", _begun),
    "contactor": Wait(_joined, _close, "did not close its contactor within 4 s", _begun),
    "request": Wait(_offered, _request, "requested nothing within 4 s", _begun),
    "charging": Wait(_asking, _say_charging, "did not begin within 1 s", lambda side: side.car.asked_t),  # type: ignore[union-attr]
    "falling": Wait(_stopping, _fall, "did not fall within 2.5 s", _begun),
    "contactor_open": Wait(_opened, _open, "did not open its contactor within 10 s", _begun),
    "weld_quarter": Wait(_stopped, _voltage(90), "welded", _begun),
    "weld_end": Wait(_quarter_then_rest, _voltage(10), "welded", _begun),
}
GIVES_UP_S = {row.key: row.gives_up_s for row in LIMITS}


def reason(side: Side) -> str:
    """Why it ended, so far."""
    return str(side.car.reason if isinstance(side, LoneCar) else side.charger.reason)


@pytest.mark.parametrize("key", WAITS)
def test_just_in_time_is_good(key: str) -> None:
    """What is waited for comes 1 ms before the end of the wait: nobody complains of it then or later."""
    wait = WAITS[key]
    side = wait.begin()
    side.to(wait.began(side) + GIVES_UP_S[key] - EDGE_S)
    assert wait.word not in reason(side)
    wait.end(side)
    side.to(side.t + 2 * EDGE_S)
    assert wait.word not in reason(side)


@pytest.mark.parametrize("key", WAITS)
def test_just_too_late_is_named(key: str) -> None:
    """It does not come: then, and not before, the watcher ends the session and says what it missed."""
    wait = WAITS[key]
    side = wait.begin()
    end_t = wait.began(side) + GIVES_UP_S[key]
    side.to(end_t - EDGE_S)
    assert wait.word not in reason(side)
    side.to(end_t)
    assert wait.word in reason(side)


def test_every_wait_of_the_table_is_tried() -> None:
    """Each row of the table has its tests here."""
    others = {"request_zero", "car_silent", "charger_silent", "current_deviation", "voltage_deviation", "insulation"}
    assert WAITS.keys() | others == {row.key for row in LIMITS}


@pytest.mark.parametrize("late_s", [-EDGE_S, EDGE_S])
def test_a_car_bears_a_second_of_silence(late_s: float) -> None:
    """109 comes again 999 ms after the last: charging goes on; not within 1 s: the car stops then."""
    side = LoneCar(CarModel(max_current_a=4)).charging()
    side.to(8.0)
    side.silent = True
    side.to(side.car.heard_t + 1.0 + late_s)
    assert side.car.reason == (None if late_s < 0 else "the charger was silent for 1 s")
    side.silent = False
    side.say()
    assert (side.to(side.t + 0.2).car.reason is None) is (late_s < 0)


@pytest.mark.parametrize("late_s", [-EDGE_S, EDGE_S])
def test_a_charger_bears_a_second_of_silence(late_s: float) -> None:
    """102 comes again 999 ms after the last: charging goes on; not within 1 s: it stops and ends without the car."""
    side = LoneCharger().charging()
    side.silent = True
    side.to(side.charger.heard_t + 1.0 + late_s)
    assert side.charger.reason == (None if late_s < 0 else "the car was silent for 1 s")
    if late_s < 0:
        side.silent = False
        side.say()
        assert side.to(side.t + 0.2).charger.reason is None
    else:
        side.to(side.t + 2.0).line(contactor=False).to(side.t + 2.0)
        assert side.charger.phase is ChargerPhase.DONE


@pytest.mark.parametrize("bit", list(CarFault))
def test_a_fault_in_102_stops_without_the_line(bit: CarFault) -> None:
    """Even when k stays on, any bit of 102.4 makes the output fall at once."""
    side = LoneCharger().charging(request_a=30)
    side.tell(faults=int(bit))
    assert side.charger.reason == f"the car reports: {str(bit.name).lower().replace('_', ' ')}"
    assert side.to(side.t + 30 / 50.0).charger.output.current_a(side.t) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("bit", [CarStatus.NOT_IN_PARK, CarStatus.SYSTEM_FAULT])
def test_a_stop_in_102_stops_without_the_line(bit: CarStatus) -> None:
    """102.5.1 and 102.5.2, with 102.5.0 and k still on."""
    side = LoneCharger().charging(request_a=30)
    side.tell(status=int(CarStatus.ENABLED | bit))
    assert side.charger.reason == f"the car reports: {str(bit.name).lower().replace('_', ' ')}"


def test_the_line_stops_without_102() -> None:
    """k off alone ends charging."""
    side = LoneCharger().charging(request_a=30)
    assert side.line(k=False).charger.reason == "k went off"


@pytest.mark.parametrize(("off_a", "seconds", "stops"), [(9, 8.0, False), (10, 4.9, False), (10, 5.3, True)])
def test_a_deviating_current_is_borne_for_five_seconds(off_a: int, seconds: float, stops: bool) -> None:
    """9 A off the request do no harm; 10 A do after 5 s, and then 102.4.2 is set."""
    side = LoneCar(CarModel(max_current_a=40)).charging()
    side.current_a = 40
    side.to(8.0)
    side.current_a = 40 - off_a
    side.to(8.0 + seconds)
    assert (side.last.faults == 4) is stops
    assert (side.car.reason == "fault: current deviation") is stops


@pytest.mark.parametrize(("off_v", "seconds", "stops"), [(9, 8.0, False), (10, 4.9, False), (11, 5.3, True)])
def test_a_deviating_voltage_is_borne_for_five_seconds(off_v: int, seconds: float, stops: bool) -> None:
    """9 V off the battery's own measurement do no harm; more do after 5 s, and then 102.4.4 is set."""
    side = LoneCar(CarModel(max_current_a=4), empty_v=360.0, full_v=360.0 + 0.14 * 300).charging()
    side.to(8.0)
    side.voltage_v = round(side.car.pack.voltage_v(side.t)) + off_v
    side.to(8.0 + seconds)
    assert (side.last.faults == 16) is stops


def test_over_and_undervoltage_are_seen_at_once() -> None:
    """Over 100.4-5: 102.4.0; a battery below 100.2-3: 102.4.1."""
    high = LoneCar(CarModel(max_current_a=4)).charging()
    high.voltage_v = 436
    assert high.to(high.t + 0.2).last.faults == 1
    low = LoneCar(CarModel(max_current_a=4, min_voltage_v=365)).charging()
    assert low.to(low.t + 0.2).last.faults == 2


def test_a_charger_waits_half_a_second_for_the_request_to_go() -> None:
    """A car that keeps asking after 109.5.5: the output falls 0.5 s later by itself, at 50 A/s."""
    side = LoneCharger().charging(request_a=30)
    side.tell(Stop())
    stop_t = side.t
    side.to(stop_t + 0.499)
    assert side.charger.output.current_a(side.t) == 30.0
    side.to(stop_t + 0.6)
    assert side.charger.output.current_a(side.t) == pytest.approx(25.0)


def test_a_charger_of_a_0_9_car_waits_two_seconds() -> None:
    """After d2 there is no word of the contactor: offering begins 2 s later."""
    side = LoneCharger(ChargerModel(protocol=1, lock_s=0.2, test_v_per_s=2500.0)).to(0.5).enable()
    while not side.charger.d2:
        side.to(side.t + 0.01)
    d2_t = side.charger.since_t
    assert side.to(d2_t + WAIT_09_S - EDGE_S).charger.phase is ChargerPhase.JOINING
    assert side.to(d2_t + WAIT_09_S).charger.phase is ChargerPhase.OFFERING


def test_d1_goes_half_a_second_after_d2() -> None:
    """And the lock opens with it, once the output is at 10 V."""
    side = _opened()
    _open(side)
    off_t = side.charger.since_t
    assert not side.charger.d2
    assert side.to(off_t + D2_TO_D1_OFF_S - EDGE_S).charger.d1
    side.to(off_t + D2_TO_D1_OFF_S)
    assert not side.charger.d1
    assert not side.to(off_t + 1.0).charger.locked


def test_an_endless_insulation_test_is_given_up() -> None:
    """A test that would last over 10 s ends the session then."""
    side = LoneCharger(ChargerModel(lock_s=0.2, test_hold_s=20.0)).to(0.5).enable()
    locked_t = side.charger.since_t + 0.2
    assert side.to(locked_t + 9.99).charger.reason is None
    assert side.to(locked_t + 10.0).charger.reason == "no insulation test within 10 s"


def test_no_insulation_test_before_the_car_is_ready() -> None:
    """While 102.5.0 is 0 the output stays dead."""
    side = LoneCharger().to(7.9)
    assert side.charger.output.voltage_v(side.t) == 0.0
    assert not side.charger.locked


def test_a_discharging_charger_must_say_208() -> None:
    """109.4.0 without 208 fails a car that can discharge (ccs32clara-chademo, read-code)."""
    charger = Charger(QUICK)
    assert not charger.model.discharges
    side = LoneCar(CarModel(max_discharge_a=15)).line(d1=True)
    side.silent = True
    for step in range(20):
        side.to(0.2 + step / 10)
        side.car.advance(side.t, ChargerLimits(1, 500, 15, 435))
        side.car.advance(side.t, ChargerState(2, 0, 0, 1, int(ChargerStatus.STOP), 255, 60))
    assert side.car.reason == "the charger offers to discharge and sends no 208"


def test_a_fault_before_the_start_is_only_kept() -> None:
    """An idle charger has no session to end."""
    charger = Charger(QUICK)
    charger.advance(0.0, Fault(int(ChargerStatus.CHARGER_MALFUNCTION)))
    assert charger.reason is None
