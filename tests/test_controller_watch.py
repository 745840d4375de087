"""Trust in the meter: what is believed, doubted and proven wrong, and how long until it is believed again."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.controller.settings import ControllerSettings
from hilbench.controller.watch import MeterSample, MeterWatch

LINES = ("L1", "L2", "L3")
NOBODY = dict.fromkeys(LINES, 0.0)
NAN_NAMES = ("currents", "voltages", "powers")


def sample(t: float, amps: float = 20.0, **more: Any) -> MeterSample:
    """A sane sample at ``t``, unlike any other; ``more`` replaces fields, for one line or all."""
    fields: dict[str, Any] = {
        "currents": dict.fromkeys(LINES, amps),
        "voltages": dict.fromkeys(LINES, 230.0),
        "powers": dict.fromkeys(LINES, 230.0 * amps),
        "raw": (int(t * 1000), 1),
    }
    for name, value in more.items():
        fields[name] = fields[name] | value if isinstance(value, dict) else value
    return MeterSample(t=t, number=int(t * 1000), **fields)


def watching(until: float = 60.0, **changes: Any) -> MeterWatch:
    """A watch that has seen good samples each second since t = 0."""
    watch = MeterWatch(ControllerSettings(**changes))
    for t in range(int(until) + 1):
        assert watch.see(sample(float(t)), NOBODY)
        assert watch.trusted(float(t))
    return watch


def when_lost(watch: MeterWatch, t: float, make: Any, drawn: dict[str, float], until: float = 60.0) -> float:
    """Seconds of samples made by ``make(t)`` until the watch has lost its trust."""
    for step in range(1, int(until)):
        watch.see(make(t + step), drawn)
        if not watch.trusted(t + step):
            return float(step)
    return math.inf


def test_without_any_value_there_is_no_trust() -> None:
    """A new watch trusts nothing and says why; it does so with the first good value."""
    watch = MeterWatch(ControllerSettings())
    assert watch.reason == "no value yet"
    assert watch.see(sample(0.0), NOBODY)
    assert watch.trusted(0.0)
    assert watch.reason == ""


def test_a_value_is_stale_after_stale_s_and_not_before() -> None:
    """Silence for 9 s is borne, 10 s are not."""
    watch = watching(60.0)
    assert watch.trusted(69.0)
    assert not watch.trusted(70.0)
    assert watch.reason == "stale"


def test_trust_comes_back_recover_s_after_the_first_good_value() -> None:
    """Good values again, but trusted only when they have lasted for recover_s."""
    watch = watching(60.0)
    assert not watch.trusted(80.0)
    found = []
    for t in range(81, 120):
        watch.see(sample(float(t)), NOBODY)
        if watch.trusted(float(t)):
            found.append(t)
    assert found[0] == 111
    assert watch.reason == ""


@pytest.mark.parametrize("name", NAN_NAMES)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("line", LINES)
def test_a_value_that_is_no_number_is_not_used(name: str, value: float, line: str) -> None:
    """NaN or infinity in one quantity of one line spoils the sample, names the reason, and lasting, makes it stale."""
    watch = watching()
    assert not watch.see(sample(61.0, **{name: {line: value}}), NOBODY)  # type: ignore[arg-type]  # the keyword is in a variable
    assert watch.reason == "not a number"
    assert watch.trusted(61.0), "one bad answer is no loss"
    assert when_lost(watch, 61.0, lambda t: sample(t, **{name: {line: value}}), NOBODY) <= 10.0  # type: ignore[arg-type]  # the keyword is in a variable


def test_no_voltage_is_no_measurement() -> None:
    """Zeroes everywhere are what a meter without supply shows: not used."""
    watch = watching()
    dead = sample(61.0, amps=0.0, voltages={"L2": 0.0})
    assert not watch.see(dead, NOBODY)
    assert watch.reason == "no voltage"


def test_registers_that_stand_still_are_frozen_after_frozen_s() -> None:
    """Bit for bit the same registers: trusted for less than frozen_s, then at once no more."""
    watch = watching()
    assert when_lost(watch, 60.0, lambda t: sample(t, raw=(1, 2, 3)), NOBODY) == 11.0
    assert watch.reason == "frozen"


def test_registers_that_change_are_not_frozen_though_the_load_stands() -> None:
    """Constant currents with a counting energy register are a calm site, not a frozen meter."""
    watch = watching()
    assert when_lost(watch, 60.0, lambda t: sample(t, raw=(1, 2, int(t))), NOBODY) == math.inf


def test_a_meter_without_registers_is_never_frozen() -> None:
    """Where no raw registers are known, repeated values prove nothing."""
    watch = watching()
    assert when_lost(watch, 60.0, lambda t: sample(t, raw=()), NOBODY) == math.inf


def test_less_than_the_stations_draw_is_a_contradiction() -> None:
    """A meter that shows 5 A where 20 A are drawn for sure is doubted at once and disbelieved after half of stale_s."""
    watch = watching()
    drawn = NOBODY | {"L2": 20.0}
    assert not watch.see(sample(61.0, amps=5.0), drawn)
    assert "less than the stations draw on L2" in watch.reason
    assert when_lost(watch, 61.0, lambda t: sample(t, amps=5.0), drawn) == 5.0


@pytest.mark.parametrize(
    ("drawn_a", "shown_a", "good"), [(20.0, 17.1, True), (20.0, 16.9, False), (3.0, 0.0, True), (10.0, 6.9, False)]
)
def test_cars_may_draw_a_little_less_than_they_report(drawn_a: float, shown_a: float, good: bool) -> None:
    """3 A or 15 % less than reported is within what two meters and a moment may differ by."""
    watch = watching()
    assert watch.see(sample(61.0, amps=shown_a), dict.fromkeys(LINES, drawn_a)) is good


def test_one_contradiction_is_forgotten_by_a_good_value() -> None:
    """Every other sample contradicting, as when cars start and stop, proves nothing."""
    watch = watching()
    drawn = dict.fromkeys(LINES, 20.0)
    assert when_lost(watch, 60.0, lambda t: sample(t, amps=5.0 if t % 2 else 30.0), drawn) == math.inf


def test_export_on_a_line_where_cars_draw_is_a_reversed_ct() -> None:
    """Negative power where stations surely draw is disbelieved, elsewhere and with allow_export it is not.

    That cars may discharge is no reason to believe it: what they give is in what the stations draw.
    """
    drawn = NOBODY | {"L1": 15.0}
    reversed_there = {"powers": {"L1": -4600.0}}
    watch = watching()
    assert when_lost(watch, 60.0, lambda t: sample(t, **reversed_there), drawn) == 6.0  # type: ignore[arg-type]  # the keyword is in a variable
    assert "export on L1" in watch.reason
    elsewhere = watching()
    assert when_lost(elsewhere, 60.0, lambda t: sample(t, powers={"L3": -4600.0}), drawn) == math.inf
    cars_may = watching(policy="v2g")
    assert when_lost(cars_may, 60.0, lambda t: sample(t, **reversed_there), drawn) == 6.0  # type: ignore[arg-type]  # the keyword is in a variable
    solar = watching(allow_export=True)
    assert when_lost(solar, 60.0, lambda t: sample(t, **reversed_there), drawn) == math.inf  # type: ignore[arg-type]  # the keyword is in a variable


def test_a_little_negative_power_is_noise() -> None:
    """A meter that shows -50 W on a loaded line is off, not reversed."""
    watch = watching()
    assert watch.see(sample(61.0, powers={"L1": -50.0}), dict.fromkeys(LINES, 15.0))


MOMENTS = st.lists(
    st.tuples(
        st.floats(0.1, 30.0),
        st.sampled_from(["good", "nan", "frozen", "less", "export", "dead", "silence"]),
    ),
    max_size=60,
)


@settings(deadline=None, max_examples=200)
@given(MOMENTS)
def test_trust_needs_a_good_value_within_stale_s_and_none_bad_within_recover_s(
    moments: list[tuple[float, str]],
) -> None:
    """Whatever the meter does: trusted means a good value less than stale_s old, and recover_s since trust was lost."""
    drawn = dict.fromkeys(LINES, 15.0)
    made = {
        "good": {},
        "nan": {"currents": {"L1": math.nan}},
        "frozen": {"raw": (9, 9)},
        "less": {"currents": {"L3": 1.0}},
        "export": {"powers": {"L2": -3000.0}},
        "dead": {"voltages": {"L1": 0.0}},
    }
    watch = MeterWatch(ControllerSettings())
    t, good_t, lost_t = 0.0, -math.inf, -math.inf
    for wait, kind in moments:
        t += wait
        if kind != "silence" and watch.see(sample(t, **made[kind]), drawn):  # type: ignore[arg-type]  # the keyword is in a variable
            good_t = t
        if watch.trusted(t):
            assert t - good_t < 10.0
            assert t - lost_t >= 30.0
            assert watch.reason == ""
        else:
            assert watch.reason
            lost_t = t if t - good_t >= 10.0 else lost_t


RATING_A = 100.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"currents": {"L2": 1_001.0}}, "out of range: 1001 A on L2"),
        ({"currents": {"L2": -1_001.0}}, "out of range: -1001 A on L2"),
        ({"voltages": {"L3": -230.0}}, "out of range: -230 V on L3"),
        ({"voltages": {"L3": 1_001.0}}, "out of range: 1001 V on L3"),
    ],
)
def test_a_value_that_the_site_cannot_have_is_not_used(change: dict[str, Any], said: str) -> None:
    """More than ten times the rating, a negative voltage or one beyond low voltage: once it is passed over."""
    watch = MeterWatch(ControllerSettings(), RATING_A)
    assert watch.see(sample(0.0), NOBODY)
    assert watch.trusted(0.0)
    assert not watch.see(sample(1.0, **change), NOBODY)
    assert watch.reason == said
    assert watch.trusted(1.0), "one bad answer is no loss"
    assert when_lost(watch, 1.0, lambda t: sample(t, **change), NOBODY) <= 10.0


@pytest.mark.parametrize("change", [{"currents": {"L2": 999.0}}, {"voltages": {"L1": 999.0}}])
def test_a_value_within_the_range_is_used(change: dict[str, Any]) -> None:
    """Up to ten times the rating a current may be real."""
    assert MeterWatch(ControllerSettings(), RATING_A).see(sample(0.0, **change), NOBODY)


def test_currents_on_each_others_lines_are_called_exchanged() -> None:
    """A car on L2 that shows on L1: the reason names both; where nothing would fit, it does not."""
    watch = watching()
    assert when_lost(watch, 60.0, lambda t: sample(t, 1.0, currents={"L1": 21.0}), NOBODY | {"L2": 20.0}) == 6.0
    assert watch.reason == "shows less than the stations draw on L2, as if the CTs of L2 and L1 were exchanged"
    other = watching()
    assert not other.see(sample(61.0, 1.0), NOBODY | {"L2": 20.0})
    assert other.reason == "shows less than the stations draw on L2"


def test_a_service_that_shows_less_than_a_feeder_is_not_believed() -> None:
    """Beyond 3 A or 15 % it is doubted, and disbelieved after half of stale_s, but not where the site exports."""
    parts = {"L1": 40.0, "L2": 10.0}
    watch = watching()
    assert watch.see(sample(61.0, 34.1), NOBODY, parts)
    assert not watch.see(sample(62.0, 33.9), NOBODY, parts)
    assert watch.reason == "shows less than a feeder on L1"
    lost = [t for t in range(63, 75) if not (watch.see(sample(float(t), 20.0), NOBODY, parts), watch.trusted(t))[1]]
    assert lost[0] == 67
    assert watching(allow_export=True).see(sample(61.0, 5.0), NOBODY, parts)


def test_a_meter_that_comes_back_is_trusted_30_s_after_its_first_value() -> None:
    """Not 30 s after somebody last looked in vain: that may have been a moment before."""
    watch = watching()
    assert not watch.trusted(99.5)
    assert watch.see(sample(100.5), NOBODY)
    for t in range(101, 130):
        assert watch.see(sample(float(t)), NOBODY)
        assert not watch.trusted(float(t))
    assert not watch.trusted(130.4)
    assert watch.trusted(130.6)
