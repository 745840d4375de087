"""What an uncertainty consists of, from the formula to the report; and verdicts that it forbids."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hilbench.measuring.window import Reading, clock_part, scope_part
from hilbench.metrics.uncertainty import (
    Part,
    current_parts,
    current_uncertainty,
    expanded,
    time_parts,
    time_uncertainty,
)
from hilbench.verdict import Measurement, Verdict, judge
from hilbench.waveform import Snapshot
from tests.evidence_samples import measurement, small_run
from tests.test_verdict import clause


def test_a_time_has_the_parts_of_its_uncertainty() -> None:
    """Sampling and clocks, together what is stated."""
    parts = time_parts(1.0, 0.2)
    assert [part.source for part in parts] == ["sampling", "clocks"]
    assert expanded(*parts) == pytest.approx(time_uncertainty(1.0, 0.2))


def test_a_current_has_the_parts_of_its_uncertainty() -> None:
    """CT, meter and resolution, by name."""
    parts = current_parts(80.0, {"CT class 1": 1.0, "meter": 0.5}, 0.1)
    assert [part.source for part in parts] == ["CT class 1", "meter", "zero and resolution"]
    assert expanded(*parts) == pytest.approx(current_uncertainty(80.0, 1.0, 0.5, absolute_a=0.1))


def test_a_reading_says_what_it_is_uncertain_by() -> None:
    """Its own parts, else its instrument, else the clock; nothing where it is exact."""
    own = (scope_part(0.2), clock_part(0.1))
    assert Reading(1.0, 0.3, parts=own).budget == own
    assert Reading(1.0, 0.3, shots=(Snapshot("A", object(), {}),)).budget == (scope_part(0.3),)  # type: ignore[arg-type]
    assert Reading(1.0, 0.3).budget == (clock_part(0.3),)
    assert Reading(1.0).budget == ()


def test_a_budget_is_kept_and_shown(tmp_path: Path) -> None:
    """In the result, there and back, and as a table of the report; without one there is no table."""
    budget = (Part("sampling", 0.408, "2 edges, each anywhere within 1 s"), Part("CT class 1", 0.01, "rectangular"))
    one = measurement(budget=budget)
    assert Measurement.from_dict(json.loads(json.dumps(one.to_dict()))).budget == budget
    text = (small_run(tmp_path, one) / "report.html").read_text("utf-8")
    assert "Uncertainty budgets (1 measurements)" in text
    assert "2 edges, each anywhere within 1 s" in text
    assert "Uncertainty budgets" not in (small_run(tmp_path / "exact", measurement()) / "report.html").read_text(
        "utf-8"
    )


@pytest.mark.parametrize(
    ("value", "uncertainty", "verdict"),
    [
        (1.0, 3.3, Verdict.PASS),
        (1.0, 3.4, Verdict.INCONCLUSIVE),
        (11.0, 3.3, Verdict.FAIL),
        (11.0, 3.4, Verdict.INCONCLUSIVE),
        (13.5, 3.4, Verdict.FAIL),
    ],
)
def test_simple_acceptance_needs_a_fine_measurement_too(value: float, uncertainty: float, verdict: Verdict) -> None:
    """With U above a third of 10 s the value alone decides no more, unless it misses the limit by U."""
    found = judge(value, uncertainty, clause(guard="none"), {})
    assert found.verdict is verdict
    assert ("third of the limit" in found.note) == (verdict is Verdict.INCONCLUSIVE)
