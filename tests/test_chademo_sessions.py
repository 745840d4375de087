"""CHAdeMO sessions of our car at our charger: versions, load management, V2H, ends of every kind."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.chademo import (
    CarControl,
    CarDischarge,
    CarFault,
    CarLimits,
    CarState,
    CarStatus,
    ChargerDischarge,
    ChargerLimits,
    ChargerState,
    ChargerStatus,
    decode,
    encode,
)
from hilbench.chademo.timing import PERIOD_S
from hilbench_emulators.chademo import Car, CarModel, Charger, ChargerModel, Session, SimplePack
from hilbench_emulators.chademo.car import Phase
from hilbench_emulators.chademo.car_says import said
from hilbench_emulators.chademo.charger import Phase as ChargerPhase
from hilbench_emulators.chademo.models import CAR_ZE0, CHARGER_ZE0, V09, V10, V20
from hilbench_emulators.chademo.plug import Available, CarEnd, ChargerEnd, Draw, Fault, Shift, Stop
from tests.chademo_play import QUICK, first, of, session


def ended(found: Session) -> bool:
    """Both sides are through, and nothing is live."""
    lines = (found.charger.d1, found.charger.d2, found.charger.locked, found.car.k, found.car.contactor)
    return found.over and not any(lines) and found.charger.phase is ChargerPhase.DONE and found.car.phase is Phase.OFF


@pytest.mark.parametrize("charger_protocol", [V09, V10, V20])
@pytest.mark.parametrize("car_protocol", [V09, V10, V20])
def test_every_pair_of_versions_charges_and_ends(car_protocol: int, charger_protocol: int) -> None:
    """Start, 60 A for a while, stop at the charger: both end in order, without current and with the lock open."""
    found = session(CarModel(protocol=car_protocol, max_current_a=60), replace(QUICK, protocol=charger_protocol))
    found.at(30.0, "charger", Stop())
    found.run(60.0)
    assert ended(found)
    assert (found.charger.reason, found.car.reason) == ("stopped by the user", "the charger stops")
    assert max(frame.current_a for _t, frame in of(found, ChargerState)) == 60
    assert not any(frame.faults for _t, frame in of(found, CarState))
    reference = of(found, CarLimits)[-1][1].rate_reference
    assert reference == (100 if min(car_protocol, charger_protocol) >= V10 else 255)


@pytest.mark.parametrize("protocol", [V09, V10])
def test_only_newer_cars_tell_their_contactor(protocol: int) -> None:
    """102.5.3 goes 1, 0, 1 from 1.0 on, and stays 0 in 0.9."""
    found = session(CarModel(protocol=protocol))
    found.at(20.0, "charger", Stop())
    found.run(60.0)
    told = [bool(frame.status & CarStatus.CONTACTOR_OPEN) for _t, frame in of(found, CarState)]
    changes = [one for one, before in zip(told, [None, *told], strict=False) if one is not before]
    assert changes == ([False] if protocol == V09 else [True, False, True])


def test_both_sides_speak_each_100_ms() -> None:
    """Every frame of a session comes 100 ms after the one before it, 108 before 109."""
    found = session()
    found.run(20.0)
    for kind in (CarState, ChargerState, ChargerLimits):
        times = [t for t, _frame in of(found, kind)]
        assert all(b - a == pytest.approx(PERIOD_S, abs=1e-6) for a, b in pairwise(times))
    order = [type(frame) for _t, frame in found.trace if isinstance(frame, ChargerLimits | ChargerState)]
    assert order[0] is ChargerLimits


def test_a_session_goes_over_the_bus_byte_for_byte() -> None:
    """Every recorded frame of a V2H session in 2.0 decodes and encodes to the same eight bytes."""
    found = Session(Car(replace(CAR_ZE0, protocol=V20)), Charger(replace(CHARGER_ZE0, protocol=V20)))
    found.at(25.0, "charger", Draw(10.0))
    found.at(30.0, "charger", Stop())
    found.run(60.0)
    recorded = found.recorded()
    assert {can_id for _t, can_id, _data in recorded} == {
        0x100, 0x101, 0x102, 0x110, 0x200, 0x201, 0x108, 0x109, 0x118, 0x208, 0x209,
    }  # fmt: skip
    assert all(encode(decode(can_id, data)) == (can_id, data) for _t, can_id, data in recorded)


def test_the_same_session_repeats_exactly() -> None:
    """Two runs with jitter of the same seed give the same trace; another seed does not."""

    def trace(seed: int) -> list[tuple[float, int, bytes]]:
        found = session(None, replace(QUICK, jitter_s=0.06, seed=seed))
        found.run(20.0)
        return found.recorded()

    assert trace(1) == trace(1) != trace(2)


RECORDED_S = {
    "k": (3.42, 0.01),
    "request": (1.70, 0.1),
    "charging": (0.09, 0.11),
    "request 0": (0.276, 0.11),
    "contactor open": (2.07, 0.11),
}
"""Seconds from one step to the next in a session of a LEAF ZE1 (F1atline/Nissan-Leaf-ZE1-CHAdeMO-CAN-Logs, read), and
how far ours may be off: frames of both sides are 100 ms apart."""


def test_steps_take_the_recorded_times() -> None:
    """Our default car at our default charger: d1 to k, closed to request, to charging, stop to 0 A, off to open."""
    found = session(CarModel(max_current_a=31), ChargerModel())
    found.at(30.0, "charger", Stop())
    found.run(60.0)
    closed, _ = first(found, CarState, lambda frame: frame.status & CarStatus.ENABLED and not frame.status & 8)
    asked, _ = first(found, CarState, lambda frame: frame.request_a > 0)
    charging, _ = first(found, ChargerState, lambda frame: frame.status & ChargerStatus.CHARGING)
    stopped, _ = first(found, ChargerState, lambda frame: frame.status & ChargerStatus.STOP, after=charging)
    zero, _ = first(found, CarState, lambda frame: not frame.request_a, after=stopped)
    off, _ = first(found, ChargerState, lambda frame: not frame.status & ChargerStatus.CHARGING, after=zero)
    opened, _ = first(found, CarState, lambda frame: frame.status & CarStatus.CONTACTOR_OPEN, after=off)
    took = {
        "k": next(t for t, end in found.ends if isinstance(end, CarEnd) and end.k),
        "request": asked - closed,
        "charging": charging - asked,
        "request 0": zero - stopped,
        "contactor open": opened - off,
    }
    for step, (seconds, within) in RECORDED_S.items():
        assert took[step] == pytest.approx(seconds, abs=within), step


RECORDED_FALL = (1, 1, 4, 8, 6, 2, 0)
"""109.3 each 100 ms from the 108.3 = 0 on (rand12345/chademo-rs CanLogs, t = 22.580 s, read)."""
RECORDED_RISE = (0, 0, 0, 0, 0, 1, 1, 3, 5, 8, 11, 13, 14)
"""109.3 each 100 ms from the 108.3 = 15 on (the same log, t = 27.280 s, read)."""


@pytest.fixture
def golden() -> Session:
    """The recorded V2X charger takes its offer away half a second after the first request, and gives it back."""
    found = Session(Car(CAR_ZE0, SimplePack(soc_pct=56.0, max_a=14.0)), Charger(CHARGER_ZE0))
    while not found.car.request_a:
        found.run(found.due_t)
    begin = found.t
    found.at(begin + 0.51, "charger", Available(0.0))
    found.at(begin + 5.21, "charger", Available(15.0))
    found.run(begin + 8.0)
    return found


def test_golden_offer_of_zero(golden: Session) -> None:
    """108.3 from 15 to 0: request 0 within 100 ms, output up to 8 A after 0.3 s and at 0 after 0.6 s, as recorded."""
    taken, _ = first(golden, ChargerLimits, lambda frame: frame.available_current_a == 0)
    zero, _ = first(golden, CarState, lambda frame: frame.request_a == 0, after=taken)
    assert zero - taken < 0.1
    output = [frame.current_a for t, frame in of(golden, ChargerState) if t >= taken - 1e-9][:7]
    assert all(abs(a - b) <= 2 for a, b in zip(output, RECORDED_FALL, strict=True))
    assert max(output) == output[3] == 8
    assert output[6] == 0
    assert golden.car.reason is golden.charger.reason is None


def test_golden_offer_of_fifteen_again(golden: Session) -> None:
    """108.3 back to 15: the request ramps by 2 A per frame within 100 ms, the output follows 0.5 s later."""
    taken, _ = first(golden, ChargerLimits, lambda frame: frame.available_current_a == 0)
    given, _ = first(golden, ChargerLimits, lambda frame: frame.available_current_a == 15, after=taken)
    requests = [frame.request_a for t, frame in of(golden, CarState) if t > given]
    assert requests[:8] == [2, 4, 6, 8, 10, 12, 14, 14]
    output = [frame.current_a for t, frame in of(golden, ChargerState) if t >= given - 1e-9][:13]
    assert all(abs(a - b) <= 1 for a, b in zip(output, RECORDED_RISE, strict=True))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(0.05, 3.0), st.integers(0, 125)), min_size=1, max_size=8))
def test_the_request_never_exceeds_the_offer(changes: list[tuple[float, int]]) -> None:
    """Whatever 108.3 does: the next 102 asks at most what was offered, and the output ends at most there."""
    found = session()
    t = 12.0
    for gap, available in changes:
        t += gap
        found.at(t, "charger", Available(float(available)))
    found.run(t + 4.0)
    offered = 125
    for _t, frame in found.trace:
        if isinstance(frame, ChargerLimits):
            offered = frame.available_current_a
        elif isinstance(frame, CarState):
            assert frame.request_a <= offered
    assert of(found, ChargerState)[-1][1].current_a <= offered


def test_less_than_the_minimum_is_a_pause() -> None:
    """A car with a minimum of 6 A asks nothing at an offer of 5 A, does not stop, and comes back."""
    found = session(CarModel(max_current_a=40))
    found.at(15.0, "charger", Available(5.0))
    found.at(20.0, "charger", Available(20.0))
    found.run(25.0)
    asked = {round(t): frame.request_a for t, frame in of(found, CarState)}
    assert (asked[14], asked[18], asked[24]) == (40, 0, 20)
    assert found.car.reason is None


@pytest.mark.parametrize("bit", list(CarFault))
def test_each_fault_of_the_car_stops_the_charger(bit: CarFault) -> None:
    """102.4: the charger names it, the current falls at once, both end."""
    found = session(CarModel(max_current_a=60))
    found.at(20.0, "car", Fault(int(bit)))
    found.run(60.0)
    word = str(bit.name).lower().replace("_", " ")
    assert ended(found)
    assert (found.car.reason, found.charger.reason) == (f"fault: {word}", f"k went off; the car reports: {word}")
    done, _ = first(found, ChargerState, lambda frame: frame.current_a == 0, after=20.0)
    assert done < 20.0 + 2 * PERIOD_S + 60 / 50.0 + PERIOD_S


@pytest.mark.parametrize(
    "bit", [ChargerStatus.CHARGER_MALFUNCTION, ChargerStatus.BATTERY_INCOMPATIBLE, ChargerStatus.SYSTEM_MALFUNCTION]
)
def test_each_fault_of_the_charger_stops_the_car(bit: ChargerStatus) -> None:
    """109.5.1, .3 and .4: the car names it and ends."""
    found = session()
    found.at(20.0, "charger", Fault(int(bit)))
    found.run(60.0)
    word = str(bit.name).lower().replace("_", " ")
    assert ended(found)
    assert (found.charger.reason, found.car.reason) == (f"fault: {word}", f"the charger says: {word}")


@pytest.mark.parametrize("at", [2.0, 4.2, 6.5, 20.0])
@pytest.mark.parametrize("side", ["car", "charger"])
def test_a_stop_at_any_time_ends_in_order(side: str, at: float) -> None:
    """Before k, during the insulation test, before the request, while charging."""
    found = session()
    found.at(at, side, Stop())  # type: ignore[arg-type]  # the two sides
    found.run(60.0)
    assert ended(found)
    assert found.charger.reason
    assert found.car.reason


def test_leaving_park_stops() -> None:
    """102.5.1 ends charging."""
    found = session()
    found.at(20.0, "car", Shift())
    found.run(60.0)
    assert ended(found)
    assert found.charger.reason == "k went off; the car reports: not in park"


def test_a_full_battery_stops_by_the_car() -> None:
    """The request tapers with the battery's voltage; at the end the car stops."""
    found = session(soc_pct=99.5)
    found.run(600.0)
    assert ended(found)
    assert (found.car.reason, found.charger.reason) == ("the battery is full", "the car stops")


def test_the_cars_longest_time_is_kept() -> None:
    """One minute in 101.2 ends charging 60 s after it began."""
    found = session(CarModel(max_time_min=1, max_current_a=20))
    found.run(200.0)
    began, _ = first(found, ChargerState, lambda frame: frame.status & ChargerStatus.CHARGING)
    stopped, _ = first(found, ChargerState, lambda frame: frame.status & ChargerStatus.STOP, after=began)
    assert stopped - began == pytest.approx(60.0, abs=2 * PERIOD_S)
    assert found.charger.reason == "the car's maximum time is over"


def test_a_battery_of_too_high_voltage_is_refused() -> None:
    """A target over what the charger can reach: the car says so, nothing is energised."""
    found = session(CarModel(target_voltage_v=520, max_voltage_v=540))
    found.run(30.0)
    assert ended(found)
    assert found.charger.faults & ChargerStatus.BATTERY_INCOMPATIBLE
    assert all(end.voltage_v == 0.0 for _t, end in found.ends if isinstance(end, ChargerEnd))


def test_a_bad_insulation_never_reaches_the_car() -> None:
    """The test fails: no d2, no contactor."""
    found = session(None, replace(QUICK, insulation_good=False))
    found.run(30.0)
    assert ended(found)
    assert found.charger.reason == "the insulation test failed"
    assert not any(end.contactor for _t, end in found.ends if isinstance(end, CarEnd))


def test_the_contactor_closes_onto_a_dead_output() -> None:
    """d2 comes after the insulation test, when the output is below 20 V."""
    found = session()
    found.run(15.0)
    voltage_v = 0.0
    for _t, end in found.ends:
        if isinstance(end, ChargerEnd):
            voltage_v = max(voltage_v, end.voltage_v)
            if end.d2:
                assert end.voltage_v < 20.0
                break
    assert any(frame.voltage_v > 450 for _t, frame in of(found, ChargerState))


def test_a_welded_contactor_is_found() -> None:
    """The output keeps the battery's voltage: the car says so, and the charger never unlocks."""
    found = session(CarModel(welded=True))
    found.at(20.0, "charger", Stop())
    found.run(60.0)
    assert "welded" in str(found.car.reason)
    assert of(found, CarState)[-1][1].status & CarStatus.SYSTEM_FAULT
    assert found.charger.locked


def test_a_car_gives_power_back() -> None:
    """V2H: 208 tells up to what the car allows (200.0), 109.3 is 0, and the battery empties."""
    found = Session(Car(CAR_ZE0, SimplePack(soc_pct=60.0)), Charger(CHARGER_ZE0))
    found.at(25.0, "charger", Draw(12.0))
    found.at(60.0, "charger", Draw(0.0))
    found.run(90.0)
    drawn = {round(t): frame.discharge_a for t, frame in of(found, ChargerDischarge)}
    assert (drawn[20], drawn[40], drawn[80]) == (0, 12, 0)
    charged = {round(t): frame.current_a for t, frame in of(found, ChargerState)}
    assert (charged[24], charged[40], charged[80]) == (15, 0, 15)
    flows = [end.current_a for _t, end in found.ends if isinstance(end, ChargerEnd)]
    assert min(flows) == -12.0
    assert found.car.reason is None


def test_the_allowed_discharge_ramps() -> None:
    """200.0 rises by 2 A per frame from 0 to 15 A once charging has begun."""
    found = Session(Car(CAR_ZE0), Charger(CHARGER_ZE0))
    found.run(30.0)
    steps = [frame.max_discharge_a for _t, frame in of(found, CarDischarge)]
    assert steps[0] == 0
    ramp = [one for one, before in zip(steps, [0, *steps], strict=False) if one != before]
    assert ramp == [2, 4, 6, 8, 10, 12, 14, 15]


def test_power_is_not_drawn_from_a_low_battery() -> None:
    """Below 200.4-5 the charger draws nothing."""
    found = Session(Car(replace(CAR_ZE0, min_discharge_v=390), SimplePack(soc_pct=60.0)), Charger(CHARGER_ZE0))
    found.at(25.0, "charger", Draw(12.0))
    found.run(60.0)
    assert all(frame.discharge_a == 0 for _t, frame in of(found, ChargerDischarge))


def test_a_request_over_a_byte_uses_the_frame_of_2_0() -> None:
    """A car of 2.0 with high current asks in 110, and 102.3 stands at 255."""
    found = session(CarModel(protocol=V20, high_current=True, max_current_a=300), replace(QUICK, protocol=V20))
    found.car.request_a = 280.0
    frames = {type(frame): frame for frame in said(found.car, 0.0)}
    assert frames[CarState].request_a == 255  # type: ignore[union-attr]
    assert frames[CarControl].request_a == 280  # type: ignore[union-attr]
