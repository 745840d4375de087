"""Every row of the pilot's tables, just inside and just outside both of its edges."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilbench.errors import InputError
from hilbench.metrics.pilot_table import (
    DUTY_TABLES,
    LOW_LEVEL,
    STATE_WINDOWS,
    Limit,
    duty_table,
    frequency_limit,
    state_of,
)
from hilbench.pilot_limits import PROFILES, WANTED, pilot_limits
from hilbench.requirements import load_requirements

NEAR = 1e-9
IEC = [
    (0.0, 0.0), (2.999, 0.0), (3.0, 0.0), (7.0, 0.0), (7.001, 0.0), (7.999, 0.0), (8.0, 6.0), (9.999, 6.0),
    (10.0, 6.0), (85.0, 51.0), (85.001, 52.5025), (96.0, 80.0), (96.001, 80.0), (97.0, 80.0), (97.001, 0.0),
    (100.0, 0.0),
]  # fmt: skip
J1772 = [
    (8.0, 0.0), (9.499, 0.0), (9.5, 6.0), (9.999, 6.0), (10.0, 6.0), (85.0, 51.0), (85.001, 52.5025), (96.0, 80.0),
    (96.5, 80.0), (96.501, 0.0),
]  # fmt: skip
STRICT = [(9.999, 0.0), (10.0, 6.0), (85.0, 51.0), (96.0, 80.0), (96.001, 0.0)]
ROWS = [
    *(("iec2017", *row) for row in IEC),
    *(("j1772_2017", *row) for row in J1772),
    *((name, *row) for name in ("j1772_2010", "strict") for row in STRICT),
]
LIMITS = [
    *(limit for windows in STATE_WINDOWS.values() for limit in windows.values()),
    *LOW_LEVEL.values(),
    *(frequency_limit(pilot_limits(edition)["pilot_frequency_error"]) for edition in ("iec2017", "j1772_2017")),
    *(pilot_limits(edition)["pilot_duty_error"] for edition in ("iec2017", "j1772_2017")),
    *pilot_limits("iec2017").values(),
]


@pytest.mark.parametrize(("name", "duty", "current_a"), ROWS)
def test_a_duty_cycle_means_its_current(name: str, duty: float, current_a: float) -> None:
    """Both edges of every band, inside and outside."""
    assert duty_table(name).current_a(duty) == pytest.approx(current_a)


@pytest.mark.parametrize("name", DUTY_TABLES)
@pytest.mark.parametrize(("duty", "digital"), [(2.999, False), (3.0, True), (5.0, True), (7.0, True), (7.001, False)])
def test_five_percent_calls_for_digital_communication(name: str, duty: float, digital: bool) -> None:
    """From 3 to 7 %, ends included, and nowhere else."""
    band = duty_table(name).band(duty)
    assert (band is not None and band.digital) == digital


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: f"{limit.name} {limit.low:g} {limit.high:g}")
def test_a_limit_holds_its_ends_and_nothing_beyond(limit: Limit) -> None:
    """Both edges of every window, level, frequency and time."""
    assert limit.holds(limit.low)
    assert not limit.holds(limit.low - NEAR)
    assert limit.holds(limit.high)
    assert limit.high == math.inf or not limit.holds(limit.high + NEAR)


@pytest.mark.parametrize("windows", STATE_WINDOWS)
def test_every_window_is_of_the_state_that_it_is_nearest_to(windows: str) -> None:
    """The ends of each window belong to its letter, and no two windows meet."""
    for letter, limit in STATE_WINDOWS[windows].items():
        assert {state_of(limit.low), state_of(limit.high)} == {letter}


@pytest.mark.parametrize(
    ("at", "above", "below"), [(10.5, "A", "B"), (7.45, "B", "C"), (4.38, "C", "D"), (1.8, "D", "E")]
)
def test_states_meet_in_the_middle_of_the_gaps(at: float, above: str, below: str) -> None:
    """The letter changes at the middle between two windows."""
    assert (state_of(at), state_of(at - NEAR)) == (above, below)


def test_f_is_far_below_zero() -> None:
    """-12 V is F and -1 V is E."""
    assert [state_of(volts) for volts in (-1.0, -6.0, -6.3, -12.0)] == ["E", "E", "F", "F"]


@pytest.mark.parametrize(
    ("current_a", "duty"),
    [(6.0, 10.0), (16.0, 26.6667), (51.0, 85.0), (52.0, 85.0), (52.49, 85.0), (53.0, 85.2), (80.0, 96.0)],
)
def test_a_current_is_offered_by_the_duty_cycle_that_never_offers_more(current_a: float, duty: float) -> None:
    """Between 51 and 52.5 A there is no code: 51 A are offered."""
    assert duty_table("iec2017").duty_pct(current_a) == pytest.approx(duty, abs=1e-3)


@given(st.floats(6.0, 80.0), st.sampled_from(sorted(DUTY_TABLES)))
def test_an_offer_is_at_most_the_current_and_close_to_it(current_a: float, name: str) -> None:
    """There and back again: never above, and below by at most the gap of 1.5 A."""
    table = duty_table(name)
    assert current_a - 1.5 - 1e-6 <= table.current_a(table.duty_pct(current_a)) <= current_a + 1e-6


def test_less_than_six_amperes_cannot_be_offered() -> None:
    """5.9 A has no duty cycle."""
    assert math.isnan(duty_table("iec2017").duty_pct(5.9))


@pytest.mark.parametrize("current_a", [-1.0, 80.1, math.nan, math.inf])
def test_no_current_of_a_pilot_is_refused(current_a: float) -> None:
    """Above 80 A, below nothing, or no number."""
    with pytest.raises(InputError, match="0 to 80 A"):
        duty_table("iec2017").duty_pct(current_a)


def test_an_unknown_edition_lists_those_there_are() -> None:
    """The error names all of them."""
    with pytest.raises(InputError, match="iec2017, j1772_2017, j1772_2010, strict"):
        duty_table("iec1999")


def test_every_number_has_a_source() -> None:
    """No row of any table stands without one."""
    assert all(limit.source and limit.confidence for limit in LIMITS)
    assert all(table.source and table.confidence for table in DUTY_TABLES.values())


@pytest.mark.parametrize("edition", DUTY_TABLES)
def test_limits_are_those_of_the_profiles(edition: str) -> None:
    """Read as plain TOML they are what the model of a profile makes of them, one clause for each metric."""
    profiles = [load_requirements([name]).clauses for name in ("generic-v0", *filter(None, [PROFILES.get(edition)]))]
    clauses = {clause.metric: clause for found in profiles for clause in found if clause.metric in WANTED}
    limits = pilot_limits(edition)
    assert set(limits) == set(clauses) == set(WANTED)
    for metric, clause in clauses.items():
        low, high = clause.acceptance({})
        limit = limits[metric]
        assert (limit.low, limit.high) == (max(low, 0.0), high)
        assert (limit.unit, limit.source, limit.confidence) == (clause.unit, clause.source, clause.confidence)
    for found in profiles:
        metrics = [clause.metric for clause in found if clause.metric in WANTED and not clause.procedures]
        assert len(metrics) == len(set(metrics))


def test_j1772_is_wider_than_iec() -> None:
    """2 % and 25 us for 0.5 % and 5 us, where the general profile follows IEC 61851-1."""
    found = [pilot_limits(edition) for edition in ("iec2017", "j1772_2017")]
    assert [one["pilot_frequency_error"].high for one in found] == [0.5, 2.0]
    assert [one["pilot_duty_error"].high for one in found] == [0.5, 2.5]
    band = frequency_limit(found[0]["pilot_frequency_error"])
    assert (band.low, band.high) == (995.0, 1005.0)


def test_limits_are_there_without_the_model_of_profiles() -> None:
    """Reading them loads no pydantic: measuring one record must not wait for it."""
    code = "import sys; from hilbench.pilot_limits import pilot_limits; pilot_limits('iec2017')"
    code += "; print('pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
