"""Power modules: what they take from the grid, what a limit there leaves, and which outlet they serve."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hilbench_emulators
from hilbench.errors import InputError
from hilbench_emulators.dc.cabinet import Cabinet, Split, advance_split, bank, cabinet_ac_w
from hilbench_emulators.dc.power_module import Bank, load_module

SHIPPED = Path(hilbench_emulators.__file__).parent / "dc" / "module_data" / "generic-30.toml"
MODULE = load_module("generic-30")
BANKS = st.integers(1, 6).map(lambda count: Bank(MODULE, count))
SHARES = st.floats(0.0, 1.0)
LOOP_S = 0.25


@pytest.mark.parametrize(
    ("dc_w", "ac_w", "ac_a"),
    [
        (0.0, 20.0, 100.0 / 690.0),
        (3_000.0, 3_000.0 / 0.91, 3_000.0 / 0.91 / 0.95 / 690.0),
        (15_000.0, 15_000.0 / 0.96, 15_000.0 / 0.96 / 0.99 / 690.0),
        (30_000.0, 30_000.0 / 0.95, 30_000.0 / 0.95 / 0.99 / 690.0),
    ],
)
def test_a_module_takes_what_its_points_say(dc_w: float, ac_w: float, ac_a: float) -> None:
    """At the points of its file the efficiency and the power factor are those of the file; idle, it is in standby."""
    assert Bank(MODULE, 1).ac_w(dc_w) == pytest.approx(ac_w)
    assert Bank(MODULE, 1).ac_a(dc_w) == pytest.approx(ac_a)
    assert Bank(MODULE, 3).ac_w(3.0 * dc_w) == pytest.approx(3.0 * ac_w)


@given(BANKS, SHARES, SHARES)
def test_more_output_takes_more(modules: Bank, one: float, other: float) -> None:
    """AC power and current rise with the DC power, and are never below it."""
    low, high = sorted((one * modules.rated_w, other * modules.rated_w))
    assert modules.ac_w(low) <= modules.ac_w(high)
    assert modules.ac_a(low) <= modules.ac_a(high)
    assert modules.ac_w(high) > high


@given(BANKS, st.floats(0.0, 1.2))
def test_a_limit_in_watts_is_kept_and_used(modules: Bank, share: float) -> None:
    """The DC limit of an AC limit keeps it to the last bit, and wastes less than a millionth."""
    limit_w = share * modules.ac_w(modules.rated_w)
    dc_w = modules.dc_w(limit_w)
    assert 0.0 <= dc_w <= modules.rated_w
    if dc_w > 0.0:
        assert modules.ac_w(dc_w) <= limit_w
    if dc_w < modules.rated_w and limit_w > modules.ac_w(0.0):
        assert modules.ac_w(dc_w) == pytest.approx(limit_w, rel=1e-6)


@given(BANKS, st.floats(0.0, 1.2))
def test_a_limit_in_amperes_is_kept_and_used(modules: Bank, share: float) -> None:
    """The DC limit of an AC current keeps it in each phase, and wastes less than a millionth."""
    limit_a = share * modules.ac_a(modules.rated_w)
    dc_w = modules.dc_w_for_current(limit_a)
    assert 0.0 <= dc_w <= modules.rated_w
    if dc_w > 0.0:
        assert modules.ac_a(dc_w) <= limit_a
    if dc_w < modules.rated_w and limit_a > modules.ac_a(0.0):
        assert modules.ac_a(dc_w) == pytest.approx(limit_a, rel=1e-6)


@given(BANKS, st.floats(0.0, 2e5), st.floats(0.0, 2e5))
def test_a_greater_limit_never_leaves_less(modules: Bank, limit: float, more: float) -> None:
    """DC limits rise with AC limits, to within rounding."""
    assert modules.dc_w(limit) <= modules.dc_w(limit + more) + 1e-6
    assert modules.dc_w_for_current(limit / 400.0) <= modules.dc_w_for_current((limit + more) / 400.0) + 1e-6


@pytest.mark.parametrize("limit", [0.0, -5.0, -math.inf, math.nan, 19.9])
def test_a_limit_below_standby_leaves_nothing(limit: float) -> None:
    """Nothing, negative and what is no number are limits of nothing, never limits of none."""
    assert Bank(MODULE, 1).dc_w(limit) == 0.0
    assert Bank(MODULE, 1).dc_w_for_current(limit / 690.0) == 0.0
    assert Bank(MODULE, 0).dc_w(1e6) == Bank(MODULE, 0).dc_w_for_current(1e6) == 0.0


def test_an_infinite_limit_leaves_the_rated_power() -> None:
    """Without end on the grid side, the modules are the limit."""
    assert Bank(MODULE, 2).dc_w(math.inf) == Bank(MODULE, 2).dc_w_for_current(math.inf) == 60_000.0


@given(BANKS, SHARES)
def test_what_is_fed_back_keeps_its_limit(modules: Bank, share: float) -> None:
    """Giving, the losses come off: what reaches the grid is less than the car gives, and never more than allowed."""
    limit_w = -share * 25_000.0 * modules.count
    dc_w = modules.giving_dc_w(limit_w)
    assert -modules.rated_w <= dc_w <= 0.0
    if dc_w < 0.0:
        assert modules.ac_w(dc_w) >= limit_w
        assert modules.ac_w(dc_w) == pytest.approx(limit_w, rel=1e-6, abs=1e-6)
        assert dc_w < limit_w
        assert modules.ac_a(dc_w) * 690.0 >= -modules.ac_w(dc_w)


def test_beyond_the_rated_power_the_loss_stays_in_proportion() -> None:
    """An overshoot of 20 % takes 20 % more from the grid: it is not hidden."""
    assert Bank(MODULE, 2).ac_w(72_000.0) == pytest.approx(1.2 * Bank(MODULE, 2).ac_w(60_000.0))


@pytest.mark.parametrize(
    ("volts", "dc_w", "amps"),
    [
        (400.0, math.inf, 150.0),
        (250.0, math.inf, 200.0),
        (800.0, math.inf, 75.0),
        (400.0, 20_000.0, 50.0),
        (149.0, math.inf, 0.0),
        (1001.0, math.inf, 0.0),
        (0.0, math.inf, 0.0),
        (400.0, -1.0, 0.0),
    ],
)
def test_the_envelope_is_current_power_and_voltage(volts: float, dc_w: float, amps: float) -> None:
    """Two modules: 200 A at low voltage, 60 kW above 300 V, nothing outside 150 to 1,000 V."""
    assert Bank(MODULE, 2).most_a(volts, dc_w) == pytest.approx(amps)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[0.5, 0.96, 0.99]", "[0.5, 0.45, 0.99]", "more DC power must take more"),
        ("[1.0, 0.95, 0.99]", "[0.9, 0.95, 0.99]", "end at 1.0"),
        ("min_v = 150.0", "min_v = 1500.0", "min_v must be below"),
        ("standby_va = 100.0", "standby_va = 10.0", "standby_va must not be below"),
        ("phases = 3", "phases = 2", "phases: must be 1 or 3"),
    ],
)
def test_a_wrong_figure_of_a_module_is_named(old: str, new: str, message: str, tmp_path: Path) -> None:
    """The message says which key is wrong and what it must be."""
    text = SHIPPED.read_text()
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        load_module(str(path))


def after(cabinet: Cabinet, split: Split, wanted: tuple[float | None, float | None], seconds: float) -> Split:
    """The split after a while of the same demands."""
    for _ in range(round(seconds / LOOP_S)):
        split = advance_split(cabinet, split, wanted, LOOP_S)
    return split


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 7),
    st.lists(
        st.tuples(st.one_of(st.none(), st.floats(0.0, 250e3)), st.one_of(st.none(), st.floats(0.0, 250e3))),
        min_size=1,
        max_size=8,
    ),
    st.lists(st.floats(0.25, 15.0), min_size=8, max_size=8),
)
def test_no_module_serves_twice(
    count: int, demands: list[tuple[float | None, float | None]], durations: list[float]
) -> None:
    """Whatever the cars ask for, modules held and coming are never more than there are, and nobody's without a car."""
    cabinet, split = Cabinet(MODULE, count), Split()
    for wanted, seconds in zip(demands, durations, strict=False):
        for _ in range(int(seconds / LOOP_S)):
            split = advance_split(cabinet, split, wanted, LOOP_S)
            assert sum(split.held) + sum(split.coming) <= count
            assert min(*split.held, *split.coming) >= 0
            assert all(split.held[i] + split.coming[i] == 0 for i in (0, 1) if wanted[i] is None)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 7), st.floats(0.0, 250e3), st.floats(0.0, 250e3))
def test_at_rest_each_has_what_it_needs_or_its_half(count: int, one_w: float, other_w: float) -> None:
    """After half a minute of the same demands, no car lacks a module that the other does not need or is entitled to."""
    cabinet, wanted = Cabinet(MODULE, count), (one_w, other_w)
    split = after(cabinet, Split(), wanted, 30.0)
    assert split.coming == (0, 0)
    needs = [min(max(math.ceil(watts / MODULE.rated_w), 1), count) for watts in wanted]
    for i in (0, 1):
        assert split.held[i] >= min(needs[i], count // 2)
        if split.held[i] < needs[i]:
            assert sum(split.held) == count
            assert split.held[1 - i] <= needs[1 - i]
    assert advance_split(cabinet, split, wanted, LOOP_S).held == split.held


def test_a_second_car_gets_its_half_after_the_switch() -> None:
    """It is taken from the first at once, and serves the second 2 s later."""
    cabinet = Cabinet(MODULE, 4)
    alone = after(cabinet, Split(), (120e3, None), 10.0)
    assert alone.held == (4, 0)
    taken = advance_split(cabinet, alone, (120e3, 120e3), LOOP_S)
    assert (taken.held, taken.coming) == ((2, 0), (0, 2))
    assert after(cabinet, taken, (120e3, 120e3), 1.75).held == (2, 0)
    assert after(cabinet, taken, (120e3, 120e3), 2.0).held == (2, 2)


def test_what_is_no_longer_needed_is_kept_for_a_while() -> None:
    """A demand that dips for less than 10 s costs no module; one that stays low gives back all but what it needs."""
    cabinet = Cabinet(MODULE, 4)
    full = after(cabinet, Split(), (120e3, None), 10.0)
    assert after(cabinet, full, (50e3, None), 9.75).held == (4, 0)
    assert after(cabinet, full, (50e3, None), 10.0).held == (2, 0)
    dipped = after(cabinet, full, (50e3, None), 9.0)
    again = after(cabinet, dipped, (120e3, None), LOOP_S)
    assert after(cabinet, again, (50e3, None), 9.0).held == (4, 0)


def test_a_demand_at_the_edge_does_not_chatter() -> None:
    """Within 2 kW below what two modules give, the third stays."""
    cabinet = Cabinet(MODULE, 4)
    three = after(cabinet, Split(), (61e3, None), 10.0)
    assert three.held == (3, 0)
    assert after(cabinet, three, (59e3, None), 60.0).held == (3, 0)
    assert after(cabinet, three, (57e3, None), 60.0).held == (2, 0)


def test_an_odd_module_stays_where_it_is() -> None:
    """Of five modules that both want, the first car keeps three; where both come at once, the first outlet has them."""
    cabinet, wanted = Cabinet(MODULE, 5), (150e3, 150e3)
    assert after(cabinet, after(cabinet, Split(), (150e3, None), 10.0), wanted, 10.0).held == (3, 2)
    assert after(cabinet, after(cabinet, Split(), (None, 150e3), 10.0), wanted, 10.0).held == (2, 3)
    assert after(cabinet, Split(), wanted, 10.0).held == (3, 2)
    assert after(cabinet, Split((3, 2)), (60e3, 150e3), 10.0).held == (2, 3)


def test_the_wait_counts_only_what_is_clearly_less() -> None:
    """A minute just below what two modules give is no part of the wait: a dip after it costs nothing."""
    cabinet = Cabinet(MODULE, 4)
    close = after(cabinet, after(cabinet, Split(), (61e3, None), 10.0), (59e3, None), 60.0)
    assert after(cabinet, close, (57e3, None), 9.75).held == (3, 0)


def test_what_is_free_is_given_before_anything_is_taken() -> None:
    """A second car that needs one module gets the free one; the first keeps its spare ones for their wait."""
    cabinet = Cabinet(MODULE, 4)
    three = after(cabinet, Split(), (89e3, None), 10.0)
    both = after(cabinet, three, (20e3, 20e3), 5.0)
    assert both.held == (3, 1)


def test_nothing_is_taken_while_modules_are_on_their_way() -> None:
    """A second car that asks for more during a switch has it taken only then, so that no module stands idle."""
    cabinet = Cabinet(MODULE, 4)
    alone = after(cabinet, Split(), (120e3, None), 10.0)
    first = after(cabinet, alone, (120e3, 20e3), 1.0)
    assert (first.held, first.coming) == ((3, 0), (0, 1))
    assert after(cabinet, first, (120e3, 120e3), 1.0).held == (3, 0)
    assert after(cabinet, first, (120e3, 120e3), 1.25) == Split((2, 1), (0, 1), 2.0)


def test_a_static_split_never_moves() -> None:
    """Each outlet keeps its share, whoever comes."""
    cabinet = Cabinet(MODULE, 4, "static", (3, 1))
    for wanted in ((120e3, None), (None, 120e3), (120e3, 120e3)):
        assert after(cabinet, Split(), wanted, 5.0).held == (3, 1)


@pytest.mark.parametrize(("count", "shares"), [(1, (0, 0)), (4, (3, 2)), (4, (-1, 2))])
def test_shares_that_do_not_fit_are_refused(count: int, shares: tuple[int, int]) -> None:
    """More modules than there are cannot be shared."""
    with pytest.raises(ValueError, match="cannot be shared"):
        Cabinet(MODULE, count, "static", shares)


def test_a_cabinet_takes_its_controls_and_its_idle_modules_too() -> None:
    """Four modules, two of them serving: the budget is checked against all that the cabinet takes."""
    cabinet, split = Cabinet(MODULE, 4), Split((2, 0))
    assert cabinet_ac_w(cabinet, Split(), (0.0, 0.0)) == pytest.approx(100.0 + 4 * 20.0)
    serving = bank(cabinet, split, 0)
    assert cabinet_ac_w(cabinet, split, (40e3, 0.0)) == pytest.approx(100.0 + serving.ac_w(40e3) + 2 * 20.0)
