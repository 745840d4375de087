"""The order of events on the pilot: every row of the table of limits at both edges, on both sides of the wire."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.errors import InputError
from hilbench_emulators.pilot import Circuit, Digitiser, Ev, Evse, render
from hilbench_emulators.pilot.ev_side import EvSide, EvTiming
from hilbench_emulators.pilot.events import (
    Available,
    Fault,
    Offer,
    Plug,
    Seen,
    SetContactor,
    SetCurrent,
    SetLoad,
    SetPilot,
    Toggle,
    Want,
)
from hilbench_emulators.pilot.evse_side import EvseSide, EvseTiming
from hilbench_emulators.pilot.sequences import Happening, Played, play
from hilbench_emulators.pilot.timing import TIMING, WAKE_UPS, Pulse, row, wake_up

NEVER = math.inf
EPSILON = 1e-6
CHARGE: list[tuple[float, Happening]] = [(0.0, Offer(16.0)), (1.0, Plug(True))]


def run(
    happenings: list[tuple[float, Happening]] | None = None,
    evse: EvseTiming | None = None,
    ev: EvTiming | None = None,
    until_s: float = 60.0,
    circuit: Circuit | None = None,
) -> Played:
    """A car with 16 A on offer, and what else happens to it."""
    return play(EvseSide(evse), EvSide(ev), [*CHARGE, *(happenings or [])], until_s, circuit)


def states(played: Played) -> list[str]:
    """States of the wire in their order."""
    return [change.state for change in played.wire.changes]


# the table


FIGURES = [
    ("2 unplugged to contactor open", 0.0, 0.1),
    ("4 S2 closed to contactor closed", 0.0, 3.0),
    ("6 duty cycle changed to current followed", 0.0, 5.0),
    ("6 between changes of the duty cycle", 5.0, NEVER),
    ("7 current when S2 opens", 0.0, 1.0),
    ("8 S2 opened to contactor open", 0.0, 0.1),
    ("10.1 PWM off to S2 open", 0.0, 3.0),
    ("10.2 PWM off to opening under load", 6.0, NEVER),
    ("10.2 PWM off to opening under load, short", 3.0, NEVER),
    ("12 state E to contactor open", 0.0, 3.0),
    ("A.4.9 80 ohm before state E counts", 5.0, NEVER),
    ("state F or x1 after a fault", 0.3, NEVER),
    ("A.5.3 B2 to wake-up", 30.0, NEVER),
    ("A.5.3 x1 after the pulse", 0.5, 1.0),
    ("T_step_EF", 4.0, NEVER),
    ("T_step_X1", 3.0, NEVER),
    ("BCB each state", 0.2, 0.4),
    ("BCB each state, tolerant", 0.15, 0.6),
    ("BCB whole", 0.0, 3.5),
    ("BCB toggles", 1.0, 3.0),
    ("B1 before B2, SmartEVSE", 3.0, NEVER),
    ("C to C, WARP", 5.0, NEVER),
    ("B1 after an error, WARP", 30.0, NEVER),
    ("C before it counts", 0.5, NEVER),
    ("state before it counts, OpenEVSE", 0.25, NEVER),
    ("state A before it counts, OpenEVSE", 0.025, NEVER),
    ("S3 pressed to load dropped", 0.0, 0.1),
    ("over-current before it trips, EVerest", 6.0, NEVER),
    ("over-current before it trips, OpenEVSE", 10.0, NEVER),
    ("pause to switch phases, WARP", 10.0, NEVER),
    ("pause to switch phases, EVerest", 10.0, NEVER),
    ("pause to switch phases, KEBA", 300.0, NEVER),
    ("pause to switch phases, openWB", 10.0, NEVER),
]
"""What the reference says, row by row."""


@pytest.mark.parametrize(("name", "low", "high"), FIGURES)
def test_a_row_ends_at_its_edges(name: str, low: float, high: float) -> None:
    """On each edge it holds, a millionth beyond it does not; it says where it comes from."""
    limit = row(name)
    assert limit.source
    for edge, beyond in ((low, low - EPSILON), (high, high + EPSILON)):
        if edge < NEVER:
            assert limit.holds(edge)
            assert not limit.holds(beyond)
    assert limit.edges() == tuple(edge for edge in (low, high) if edge < NEVER)
    assert limit.name in str(limit)
    assert limit.confidence in str(limit)


def test_no_row_is_without_a_test() -> None:
    """The table has the rows that are tested here, and no other."""
    assert [name for name, _low, _high in FIGURES] == list(TIMING)


def test_no_figure_holds_that_is_none() -> None:
    """Not a number is within no row."""
    assert not any(limit.holds(math.nan) for limit in TIMING.values())


def test_unknown_rows_and_wake_ups_are_answered_with_those_there_are() -> None:
    """Wrong names list the right ones."""
    with pytest.raises(InputError, match="T_step_EF"):
        row("T_step")
    with pytest.raises(InputError, match="warp"):
        wake_up("evcc")


# each row that a machine keeps: measured in what it does, at the limit and beyond it


def unplugged(seconds: float) -> float:
    """From plug out to contactor open."""
    played = run([(10.0, Plug(False))], evse=EvseTiming(open_s=seconds))
    return played.first(SetContactor, after=10.0, closed=False) - 10.0


def energised(seconds: float) -> float:
    """From S2 closed to contactor closed."""
    played = run(evse=EvseTiming(energise_s=seconds))
    return played.first(SetContactor, closed=True) - played.first(SetLoad, load="C")


def followed(seconds: float) -> float:
    """From a new duty cycle to the current."""
    played = run([(20.0, Offer(10.0))], ev=EvTiming(follow_s=seconds))
    return played.first(SetCurrent, after=20.0) - played.first(SetPilot, after=20.0)


def spaced(seconds: float) -> float:
    """Between two changes of the duty cycle that are asked for a second apart."""
    played = run([(20.0, Offer(10.0)), (21.0, Offer(8.0))], evse=EvseTiming(spacing_s=seconds))
    first, second = played.times(SetPilot)[-2:]
    return second - first


def s2_current(amperes: float) -> float:
    """Current that flows when S2 opens because the PWM has ended."""
    played = run([(20.0, Offer(0.0))], ev=EvTiming(end_a=amperes))
    opens = played.first(SetLoad, after=20.0, load="B")
    before = played.log[: next(k for k, said in enumerate(played.log) if isinstance(said, SetLoad) and said.t == opens)]
    return next(said.current_a for said in reversed(before) if isinstance(said, SetCurrent))


def s2_opened(seconds: float) -> float:
    """From S2 opened to contactor open."""
    played = run([(20.0, Want(False))], evse=EvseTiming(open_s=seconds))
    return played.first(SetContactor, closed=False) - played.first(SetLoad, after=20.0, load="B")


def stopped(seconds: float) -> float:
    """From PWM off to S2 open."""
    played = run([(20.0, Offer(0.0))], ev=EvTiming(stop_s=seconds))
    return played.first(SetLoad, after=20.0, load="B") - 20.0


def forced(seconds: float) -> float:
    """From PWM off to opening under the load of a car that ignores it."""
    played = run([(20.0, Offer(0.0))], evse=EvseTiming(force_s=seconds), ev=EvTiming(ignores_off=True))
    assert not played.times(SetLoad, load="B")[1:]
    return played.first(SetContactor, closed=False) - 20.0


def shorted(seconds: float) -> float:
    """From state E to contactor open."""
    evse = EvseSide(EvseTiming(short_s=seconds))
    done = [*evse.advance(0.0, Offer(16.0)), *evse.advance(0.0, Seen("C")), *evse.advance(0.0, Seen("C", True))]
    done += evse.advance(5.0)
    assert evse.closed
    evse.advance(10.0, Seen("E"))
    done = evse.advance(30.0)
    return next(said.t for said in done if isinstance(said, SetContactor)) - 10.0


def fault_pulse(seconds: float) -> float:
    """How long state F stands after a fault."""
    played = run(evse=EvseTiming(fault_s=seconds), circuit=Circuit(ev=Ev(diode="shorted")))
    begins = played.first(SetPilot, duty_pct=0.0)
    return played.first(SetPilot, after=begins, duty_pct=100.0) - begins


def waited(seconds: float) -> float:
    """From B2 to the wake-up of a car that sleeps."""
    evse = EvseTiming(wake_up=(Pulse(seconds, "F", 4.0, 0.75),))
    played = run([(0.5, Want(False))], evse=evse, until_s=200.0)
    return played.first(SetPilot, duty_pct=0.0) - played.first(SetPilot, after=0.6)


def after_pulse(seconds: float) -> float:
    """x1 between the pulse of a wake-up and the PWM."""
    played = run([(0.5, Want(False))], evse=EvseTiming(wake_up=(Pulse(30.0, "F", 4.0, seconds),)))
    steady = played.first(SetPilot, after=30.0, duty_pct=100.0)
    return next(t for t in played.times(SetPilot) if t > steady) - steady


def pulse_length(seconds: float) -> float:
    """State F of a wake-up."""
    played = run([(0.5, Want(False))], evse=EvseTiming(wake_up=(Pulse(30.0, "F", seconds, 0.75),)))
    begins = played.first(SetPilot, duty_pct=0.0)
    return played.first(SetPilot, after=begins, duty_pct=100.0) - begins


def toggled(times: int, seconds: float) -> list[float]:
    """Lengths of the states of a B-C-B toggle in B1."""
    played = run([(0.5, Offer(0.0)), (20.0, Toggle(times))], ev=EvTiming(toggle_s=seconds))
    at = played.times(SetLoad)[1:]
    return [second - first for first, second in pairwise(at)]


def toggle_each(seconds: float) -> float:
    """One state of a toggle."""
    return toggled(2, seconds)[0]


def toggle_whole(seconds: float) -> float:
    """All of a toggle of three, whose last B has no end of its own."""
    return sum(toggled(3, seconds / 5.0))


def toggle_count(times: float) -> float:
    """How often C shows."""
    return float((len(toggled(int(times), 0.3)) + 1) / 2)


def b1_held(seconds: float) -> float:
    """x1 before the first PWM."""
    played = run(evse=EvseTiming(b1_s=seconds))
    return played.first(SetPilot, after=1.0) - 1.0


MEASURED = [
    ("2 unplugged to contactor open", unplugged),
    ("4 S2 closed to contactor closed", energised),
    ("6 duty cycle changed to current followed", followed),
    ("6 between changes of the duty cycle", spaced),
    ("7 current when S2 opens", s2_current),
    ("8 S2 opened to contactor open", s2_opened),
    ("10.1 PWM off to S2 open", stopped),
    ("10.2 PWM off to opening under load", forced),
    ("10.2 PWM off to opening under load, short", forced),
    ("12 state E to contactor open", shorted),
    ("state F or x1 after a fault", fault_pulse),
    ("A.5.3 B2 to wake-up", waited),
    ("A.5.3 x1 after the pulse", after_pulse),
    ("T_step_EF", pulse_length),
    ("BCB each state", toggle_each),
    ("BCB each state, tolerant", toggle_each),
    ("BCB whole", toggle_whole),
    ("B1 before B2, SmartEVSE", b1_held),
    ("B1 after an error, WARP", b1_held),
]


@pytest.mark.parametrize(("name", "measure"), MEASURED, ids=lambda value: getattr(value, "__name__", value))
def test_both_sides_can_keep_a_row_by_a_hair_and_break_it_by_one(name: str, measure: object) -> None:
    """A side set to the edge of a row is measured within it, one set a millisecond beyond it is measured outside."""
    assert callable(measure)
    limit = row(name)
    for edge in limit.edges():
        if edge <= 0.0:
            continue
        inside, beyond = (edge - 1e-7, edge + 1e-3) if edge == limit.high else (edge + 1e-7, edge - 1e-3)
        assert limit.holds(measure(inside))
        assert not limit.holds(measure(beyond))


@pytest.mark.parametrize(("times", "legal"), [(0, False), (1, True), (3, True), (4, False)])
def test_a_toggle_counts_as_often_as_it_shows_c(times: int, legal: bool) -> None:
    """One to three times are a toggle; none or four are not."""
    shown = toggle_count(times) if times else 0.0
    assert row("BCB toggles").holds(shown) is legal


def test_the_usual_timings_keep_all_rows() -> None:
    """A station and a car as they come break nothing."""
    evse, ev = EvseTiming(), EvTiming()
    assert row("2 unplugged to contactor open").holds(unplugged(evse.open_s))
    assert row("4 S2 closed to contactor closed").holds(energised(evse.energise_s))
    assert row("6 duty cycle changed to current followed").holds(followed(ev.follow_s))
    assert row("6 between changes of the duty cycle").holds(spaced(evse.spacing_s))
    assert row("8 S2 opened to contactor open").holds(s2_opened(evse.open_s))
    assert row("10.1 PWM off to S2 open").holds(stopped(ev.stop_s))
    assert row("12 state E to contactor open").holds(shorted(evse.short_s))
    assert row("state F or x1 after a fault").holds(fault_pulse(evse.fault_s))


# the order of events


def test_a_session_passes_through_its_states() -> None:
    """Plug in, PWM, S2, contactor, current; then the car has enough; then the plug is out."""
    played = run([(20.0, Want(False)), (30.0, Plug(False))])
    assert states(played) == ["A1", "B2", "C2", "B2", "A1"]
    assert played.times(SetContactor, closed=True) == pytest.approx([2.5])
    assert [said.current_a for said in played.log if isinstance(said, SetCurrent)] == [16.0, 0.0]


def test_a_car_without_an_offer_stays_in_b1() -> None:
    """No PWM, no S2, no contactor."""
    played = run([(0.5, Offer(0.0))])
    assert states(played) == ["A1", "B1"]
    assert played.first(SetContactor) == NEVER


def test_a_simplified_car_is_in_c_at_once() -> None:
    """Sequence 1.2: without S2 it shows C when it is plugged in, and x1 cannot make it open."""
    played = run([(20.0, Offer(0.0))], ev=EvTiming(s2=False))
    assert "B2" not in states(played)
    assert played.first(SetContactor, closed=True) < 3.0
    assert played.first(SetContactor, closed=False) == pytest.approx(26.0)


def test_ventilation_is_given_only_where_there_is_some() -> None:
    """A car that needs it shows D: it gets power of a station that ventilates, a fault of one that does not."""
    with_fan = run(ev=EvTiming(ventilation=True), evse=EvseTiming(ventilates=True))
    assert "D2" in states(with_fan)
    assert with_fan.first(SetContactor, closed=True) < NEVER
    without = run(ev=EvTiming(ventilation=True))
    assert without.times(Fault, name="ventilation")
    assert without.first(SetContactor) == NEVER


@pytest.mark.parametrize("circuit", [Circuit(ev=Ev(diode="shorted")), Circuit(evse=Evse(low_v=-9.9))])
def test_no_contactor_closes_without_the_diode(circuit: Circuit) -> None:
    """A low side above -10 V is a fault: state F for a while, then x1, and the contactor stays open."""
    played = run(circuit=circuit)
    assert [said.name for said in played.log if isinstance(said, Fault)] == ["diode"]
    assert states(played)[:4] == ["A1", "B2", "F", "B1"]
    assert played.first(SetContactor) == NEVER


def test_the_diode_is_proven_before_the_contactor_closes() -> None:
    """C with PWM is not enough as long as the low side has not shown; once it has, the contactor closes."""
    evse = EvseSide()
    evse.advance(0.0, Offer(16.0))
    evse.advance(1.0, Seen("C", None))
    evse.advance(10.0)
    assert evse.duty_pct < 100.0
    assert not evse.closed
    evse.advance(11.0, Seen("C", True))
    evse.advance(12.0)
    assert evse.closed


def test_a_station_that_does_not_check_closes_all_the_same() -> None:
    """The deliberate defect: a car without diode is charged."""
    played = run(circuit=Circuit(ev=Ev(diode="shorted")), evse=EvseTiming(checks_diode=False))
    assert played.first(SetContactor, closed=True) < NEVER


def test_a_fault_is_over_when_the_plug_is_out() -> None:
    """A second car, sound this time, is charged."""
    evse = EvseSide()
    evse.advance(0.0, Offer(16.0))
    evse.advance(1.0, Seen("B", False))
    evse.advance(2.0)
    assert evse.fault == "diode"
    evse.advance(5.0, Seen("A"))
    evse.advance(6.0, Seen("B"))
    evse.advance(6.1, Seen("C", True))
    evse.advance(12.0)
    assert evse.closed
    assert evse.fault is None


def test_a_car_with_a_blown_diode_is_not_seen() -> None:
    """The station measures state A and offers nothing."""
    played = run(circuit=Circuit(ev=Ev(diode="open")))
    assert played.times(SetPilot) == []


def test_a_station_that_is_not_available_shows_f_and_comes_back() -> None:
    """State F opens the contactor; afterwards the car is charged again."""
    played = run([(10.0, Available(False)), (20.0, Available(True))])
    assert "F" in states(played)
    assert played.first(SetContactor, after=10.0, closed=False) == pytest.approx(10.05)
    assert played.first(SetContactor, after=20.0, closed=True) < 40.0


def test_pwm_that_comes_back_finds_the_contactor_closed() -> None:
    """A pause that is shorter than the forced opening ends without it; the PWM comes five seconds after its end."""
    played = run([(20.0, Offer(0.0)), (21.0, Offer(16.0))], ev=EvTiming(ignores_off=True))
    assert played.first(SetPilot, after=20.5) == pytest.approx(25.0)
    assert played.times(SetContactor, closed=False) == []


@pytest.mark.parametrize(("name", "wakes"), [("none", False), ("everest", True), ("smartevse", True), ("warp", True)])
def test_a_sleeping_car_is_woken_by_a_pulse(name: str, wakes: bool) -> None:
    """After an hour of x1 it takes no notice of PWM until the pilot has been in F or open for long enough."""
    ev = EvTiming(sleep_s=1800.0, wake_s=3.0)
    played = run(
        [(0.5, Offer(0.0)), (3600.0, Offer(16.0))], evse=EvseTiming(wake_up=wake_up(name)), ev=ev, until_s=4200.0
    )
    assert (played.first(SetContactor, closed=True) < NEVER) is wakes


def test_a_hard_sleeper_needs_the_long_pulses() -> None:
    """A car that wants 30 s is woken by the station that tries them, not by one pulse of 4 s."""
    found = {}
    for name in ("everest", "warp"):
        played = run(
            [(0.5, Offer(0.0)), (3600.0, Offer(16.0))],
            evse=EvseTiming(wake_up=wake_up(name)),
            ev=EvTiming(sleep_s=1800.0, wake_s=29.0),
            until_s=4200.0,
        )
        found[name] = played.first(SetContactor, closed=True) < NEVER
    assert found == {"everest": False, "warp": True}


def test_a_car_that_has_charged_is_not_woken() -> None:
    """Full in B2 for hours, it is left in peace; only B1 to B2 starts a wake-up."""
    played = run([(20.0, Want(False))], evse=EvseTiming(wake_up=wake_up("everest")), until_s=7200.0)
    assert played.times(SetPilot, duty_pct=0.0) == []


def test_an_open_pilot_shows_as_no_car_on_the_wire() -> None:
    """The relay of the station lifts the level to 12 V while the car is still there."""
    played = run([(0.5, Want(False))], evse=EvseTiming(wake_up=WAKE_UPS["warp"][:1]), until_s=120.0)
    begins = played.first(SetPilot, broken=True)
    volts = render(played.wire, Digitiser(1e5, bits=0), 1000, t0_s=begins + 1.0).values
    assert volts.max() == pytest.approx(12.0, abs=0.01)


@settings(max_examples=60, deadline=None)
@given(
    happenings=st.lists(
        st.tuples(
            st.floats(0.0, 100.0),
            st.one_of(
                st.builds(Offer, st.sampled_from([0.0, 6.0, 16.0, 32.0])),
                st.builds(Plug, st.booleans()),
                st.builds(Want, st.booleans()),
                st.builds(Available, st.booleans()),
                st.builds(Toggle, st.integers(1, 3)),
            ),
        ),
        max_size=20,
    ),
    evse=st.builds(EvseTiming, wake_up=st.sampled_from(list(WAKE_UPS.values()))),
    ignores=st.booleans(),
)
def test_whatever_happens_nothing_flows_where_nothing_may(
    happenings: list[tuple[float, Happening]], evse: EvseTiming, ignores: bool
) -> None:
    """The contactor closes in C2 only; it is open 0.1 s after the car has left C or the plug is out; and it is quiet.

    Pilots change at most every 5 s where one duty cycle follows another; times never run backwards.
    """
    played = play(EvseSide(evse), EvSide(EvTiming(ignores_off=ignores)), happenings, 300.0)
    times = [said.t for said in played.log]
    assert times == sorted(times)
    for t in played.times(SetContactor, closed=True):
        assert "C2" in (played.wire.at(t).state, played.wire.at(math.nextafter(t, 0.0)).state)  # it may end just then
    for t, end in closed_spans(played):
        lost = [c.t for c in played.wire.changes if t <= c.t < end and c.load not in ("C", "D")]
        assert all(end - since_t <= 0.1 + 1e-9 or back_in_time(played, since_t, 0.1) for since_t in lost)
    offers = [said for said in played.log if isinstance(said, SetPilot)]
    for first, second in pairwise(offers):
        if 0.0 < first.duty_pct < 100.0 and 0.0 < second.duty_pct < 100.0 and not (first.broken or second.broken):
            assert second.t - first.t >= 5.0 - 1e-6


def closed_spans(played: Played) -> list[tuple[float, float]]:
    """From each closing of the contactor to the next opening."""
    return [(t, played.first(SetContactor, after=t, closed=False)) for t in played.times(SetContactor, closed=True)]


def back_in_time(played: Played, t: float, seconds: float) -> bool:
    """The car is back in C before the contactor had to open."""
    return any(t < c.t <= t + seconds and c.load in ("C", "D") for c in played.wire.changes)


def test_the_invariant_can_fail() -> None:
    """A station that opens late breaks what is asserted of all stations."""
    played = run([(20.0, Plug(False))], evse=replace(EvseTiming(), open_s=0.2))
    ((_t, end),) = closed_spans(played)
    assert end - 20.0 > 0.1
    assert not back_in_time(played, 20.0, 0.1)


@pytest.mark.parametrize(("retry_s", "faults"), [(NEVER, [1.1]), (10.0, [1.1, 11.5, 21.9, 32.3, 42.7])])
def test_a_station_may_try_again_after_a_fault(retry_s: float, faults: list[float]) -> None:
    """After state F and that time in x1 it sends PWM again, finds the same, and never closes its contactor."""
    played = run(evse=EvseTiming(retry_s=retry_s), circuit=Circuit(ev=Ev(diode="shorted")), until_s=45.0)
    assert played.times(Fault, name="diode") == pytest.approx(faults)
    assert played.times(SetContactor, closed=True) == []
