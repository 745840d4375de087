"""Verdicts: decision rules, refusals, severity, and the record in JSON."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.requirements import Clause, load_requirements
from hilbench.verdict import (
    Measurement,
    Plot,
    ProcedureResult,
    Verdict,
    conclude,
    judge,
    measurement,
    worst,
)

P, I, F, E = Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL, Verdict.ERROR  # noqa: E741


def clause(**changes: object) -> Clause:
    """A clause on t90, <= 10 s, unguarded unless said otherwise."""
    data = {
        "id": "c",
        "metric": "t90",
        "op": "<=",
        "limit": 10,
        "unit": "s",
        "guard": "none",
        "source": "test",
        "confidence": "policy-default",
        "text": "test",
        "profile": "p",
        "edition": "1",
    }
    return Clause.model_validate({**data, **changes})


@pytest.mark.parametrize(
    ("op", "value", "uncertainty", "guarded", "simple"),
    [
        ("<=", 8.0, 1.0, P, P),
        ("<=", 9.0, 1.0, P, P),
        ("<=", 9.5, 1.0, I, P),
        ("<=", 10.0, 0.0, P, P),
        ("<=", 10.5, 1.0, I, F),
        ("<=", 11.0, 1.0, I, F),
        ("<=", 11.5, 1.0, F, F),
        (">=", 12.0, 1.0, P, P),
        (">=", 10.5, 1.0, I, P),
        (">=", 9.5, 1.0, I, F),
        (">=", 8.5, 1.0, F, F),
        ("==", 10.0, 0.5, P, P),
        ("==", 10.8, 0.5, I, P),
        ("==", 11.2, 0.5, I, F),
        ("==", 8.0, 0.5, F, F),
    ],
)
def test_decision_rules(op: str, value: float, uncertainty: float, guarded: Verdict, simple: Verdict) -> None:
    """Guarded acceptance needs room for U on the right side; simple acceptance looks at the value alone."""
    tolerance = 1.0 if op == "==" else 0.0
    for guard, expected in (("U", guarded), ("none", simple)):
        found = judge(value, uncertainty, clause(op=op, guard=guard, tolerance=tolerance), {})
        assert (found.verdict, found.limit_value) == (expected, 10.0)


def test_the_tolerance_moves_the_limit() -> None:
    """10 s + 2 s accepts 12 s and refuses 12.1 s; for >= the tolerance goes down."""
    assert judge(12.0, 0.0, clause(tolerance=2), {}).verdict is P
    assert judge(12.1, 0.0, clause(tolerance=2), {}).verdict is F
    assert judge(8.0, 0.0, clause(op=">=", tolerance=2), {}).limit_value == 8.0


def test_a_pass_is_refused_when_the_uncertainty_is_a_third_of_the_limit() -> None:
    """U of 4 s on a limit of 10 s decides nothing in favour of the system under test; a clear FAIL stays one."""
    refused = judge(2.0, 4.0, clause(guard="U"), {})
    assert refused.verdict is I
    assert "third of the limit" in refused.note
    assert judge(2.0, 3.0, clause(guard="U"), {}).verdict is P
    assert judge(20.0, 4.0, clause(guard="U"), {}).verdict is F


@pytest.mark.parametrize("value", [None, math.nan])
@pytest.mark.parametrize("op", ["<=", ">=", "=="])
def test_a_missing_value_is_an_error(value: float | None, op: str) -> None:
    """Nothing measured is never a PASS, whatever the operator."""
    assert judge(value, 0.0, clause(op=op), {}).verdict is E


def test_what_never_happened_fails_an_upper_limit_and_passes_none() -> None:
    """An infinite time fails; an infinite value on the good side is no measurement."""
    assert judge(math.inf, 0.1, clause(guard="U"), {}).verdict is F
    assert judge(math.inf, 0.0, clause(op=">="), {}).verdict is E
    assert judge(-math.inf, 0.0, clause(), {}).verdict is E


@pytest.mark.parametrize("uncertainty", [math.nan, math.inf, -1.0])
def test_an_uncertainty_that_is_none_is_an_error(uncertainty: float) -> None:
    """A guard band cannot be built from NaN or a negative number."""
    assert judge(1.0, uncertainty, clause(guard="U"), {}).verdict is E


def test_a_limit_that_cannot_be_resolved_is_an_error_that_says_why() -> None:
    """The time-out of the rig is missing: nothing is judged, the value is kept."""
    found = measurement("t90", 3.0, 0.1, clause(limit={"timeout_s": 1}), {})
    assert (found.verdict, found.value) == (E, 3.0)
    assert "needs timeout_s" in found.note


def test_a_value_without_a_clause_is_information() -> None:
    """It is shown, never counted as PASS."""
    found = measurement("energy_satisfaction", 0.93, 0.0, None, {})
    assert (found.verdict, found.judged, found.unit, found.op) == (Verdict.INFORMATIVE, False, "1", "")
    assert measurement("energy_satisfaction", None, 0.0, None, {}).verdict is Verdict.INFORMATIVE


def test_a_measurement_knows_its_metric() -> None:
    """An unknown metric and a clause about another one are mistakes of the procedure."""
    with pytest.raises(KeyError):
        measurement("t95", 1.0, 0.0, None, {})
    with pytest.raises(ValueError, match="limits t90, not dead_time"):
        measurement("dead_time", 1.0, 0.0, clause(), {})


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(0, 1e3), st.sampled_from(["<=", ">="]), st.sampled_from(["U", "none"]))
def test_a_pass_never_hides_a_value_outside(value: float, uncertainty: float, op: str, guard: str) -> None:
    """PASS means inside, guarded PASS inside by U, guarded FAIL outside by U."""
    found = judge(value, uncertainty, clause(op=op, guard=guard), {}).verdict
    room = 10.0 - value if op == "<=" else value - 10.0
    if found is P:
        assert room >= (uncertainty if guard == "U" else 0.0) - 1e-6
    if found is F:
        assert room < 1e-6 - (uncertainty if guard == "U" else 0.0)


def test_verdicts_have_an_order_of_severity() -> None:
    """ERROR outweighs FAIL, FAIL outweighs INCONCLUSIVE, which outweighs NOT_RUN, which outweighs PASS."""
    assert sorted([E, P, F, Verdict.NOT_RUN, I], key=lambda v: v.severity) == [P, Verdict.NOT_RUN, I, F, E]
    assert worst([P, F, I]) is F
    assert worst([P, E, F]) is E
    assert worst([P, Verdict.NOT_RUN]) is Verdict.NOT_RUN
    assert worst([P, Verdict.INFORMATIVE]) is P
    assert worst([]) is worst([Verdict.INFORMATIVE]) is Verdict.NOT_RUN


def test_a_procedure_that_judged_nothing_is_an_error() -> None:
    """Information alone, or nothing, proves nothing; neither does a PASS before a crash."""
    info = measurement("energy_satisfaction", 0.9, 0.0, None, {})
    good = measurement("t90", 3.0, 0.0, clause(), {})
    bad = measurement("t90", 30.0, 0.0, clause(), {})
    assert conclude([]) is conclude([info]) is E
    assert conclude([info, good]) is P
    assert conclude([good, bad]) is F
    assert conclude([good], error="station A did not boot") is E


def result() -> ProcedureResult:
    """A result with a clause of every form, an infinite and a missing value."""
    requirements = load_requirements(["generic-v0"])
    context = {"rating_a": 100.0, "meter_interval_s": 1.0, "timeout_s": 30.0}
    measurements = tuple(
        measurement(name, value, 0.1, requirements.find(name, "7.1", context), context, note="n", signals=["limit/A"])
        for name, value in (
            ("t90", 3.2),
            ("time_above_budget", math.inf),
            ("jain_index", None),
            ("energy_satisfaction", 0.9),
            ("fallback_entry_time", 12.0),
        )
    )
    plot = Plot("service", "A", ("current/service/L1",), (("budget", 80.0),), ((60.0, "step"),))
    return ProcedureResult(
        id="7.1",
        title="step",
        verdict=conclude(measurements),
        measurements=measurements,
        started_utc="2024-06-04T16:00:00+00:00",
        duration_s=120.0,
        seed=1,
        notes=("one",),
        plots=(plot,),
    )


def test_a_result_survives_json() -> None:
    """Written and read back it is the same, clause and infinite values included, in strict JSON."""
    before = result()
    text = json.dumps(before.to_dict(), allow_nan=False, sort_keys=True)
    after = ProcedureResult.from_dict(json.loads(text))
    assert json.dumps(after.to_dict(), allow_nan=False, sort_keys=True) == text
    assert after.measurements[0] == before.measurements[0]
    assert after.measurements[1].value == math.inf
    assert math.isnan(after.measurements[2].value)
    assert after.plots == before.plots
    assert after.verdict is E
    assert after.measurements[4].clause == before.measurements[4].clause


def test_a_measurement_carries_what_the_report_prints() -> None:
    """Clause, edition, source and confidence stand beside the value and the resolved limit."""
    found = result().measurements[4]
    assert (found.limit_value, found.op, found.unit, found.signals) == (40.0, "<=", "s", ("limit/A",))
    assert found.clause is not None
    assert (found.clause.profile, found.clause.id, found.clause.confidence) == (
        "generic-v0",
        "fallback-entry",
        "policy-default",
    )


def test_unchanged_measurements_are_equal_and_changed_ones_are_not() -> None:
    """Results compare by value."""
    one = measurement("t90", 3.0, 0.1, clause(), {})
    assert one == Measurement.from_dict(one.to_dict())
    assert one != measurement("t90", 3.1, 0.1, clause(), {})
