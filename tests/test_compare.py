"""``hilbench compare``: values agree within what both state, or within a tolerance; nothing that is missing hides."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.cli import main
from hilbench.errors import InputError
from hilbench.evidence.compare import Pair, compare
from hilbench.evidence.reader import ProcedureEvidence, RunEvidence
from hilbench.verdict import Verdict
from tests.evidence_samples import measurement, small_run

Row = tuple[str, Any, Any]


def run(*rows: Row, key: str = "7.2-base-load-step-down", repeat: int = 1) -> RunEvidence:
    """A run of one procedure that measured ``rows`` of (metric, value, uncertainty)."""
    measurements = [{"metric": m, "value": v, "uncertainty": u, "unit": "s", "verdict": "PASS"} for m, v, u in rows]
    about = {"key": key, "repeat": repeat}
    procedure = ProcedureEvidence(key, None, about, {"verdict": "PASS", "measurements": measurements})
    return RunEvidence(Path("run"), {"status": "FINISHED"}, [procedure])


def only(first: RunEvidence, second: RunEvidence, tolerance: float = 0.0) -> Pair:
    """The one pair of two runs."""
    (pair,) = compare(first, second, tolerance)
    return pair


@pytest.mark.parametrize(
    ("second", "agrees"),
    [(10.49, True), (10.51, False), (9.51, True), (9.49, False)],
)
def test_uncertainties_combine_as_root_of_squares(second: float, agrees: bool) -> None:
    """10 +- 0.3 and another value +- 0.4 agree up to a difference of 0.5."""
    pair = only(run(("t90", 10.0, 0.3)), run(("t90", second, 0.4)))
    assert pair.agrees is agrees
    assert pair.allowed == pytest.approx(0.5)
    assert pair.difference == pytest.approx(second - 10.0)


def test_a_tolerance_is_a_share_of_the_larger_value() -> None:
    """With 10 % tolerance, 100 and 110 agree, 100 and 112 do not."""
    assert only(run(("t90", 100.0, 0.0)), run(("t90", 110.0, 0.0)), 0.10).agrees
    assert not only(run(("t90", 100.0, 0.0)), run(("t90", 112.0, 0.0)), 0.10).agrees


@pytest.mark.parametrize(
    ("first", "second", "agrees"),
    [
        ("inf", "inf", True),
        ("inf", "-inf", False),
        ("inf", 12.0, False),
        ("nan", "nan", True),
        ("nan", 12.0, False),
        (None, 12.0, False),
    ],
)
def test_values_that_are_no_numbers(first: Any, second: Any, agrees: bool) -> None:
    """Infinite values of one sign agree, as do two that could not be measured; nothing else does."""
    assert only(run(("t90", first, 0.1)), run(("t90", second, 0.1)), 0.5).agrees is agrees


def test_the_same_metric_is_paired_in_the_order_of_its_measurements() -> None:
    """The second value of a metric is compared with the second one, whatever the notes say."""
    pairs = compare(run(("t90", 1.0, 0.0), ("t90", 2.0, 0.0)), run(("t90", 1.0, 0.0), ("t90", 3.0, 0.0)))
    assert [(pair.occurrence, pair.agrees) for pair in pairs] == [(1, True), (2, False)]


def test_a_measurement_that_one_run_lacks_does_not_agree() -> None:
    """What only one run measured is listed, on its side, and is no agreement."""
    pairs = compare(run(("t90", 1.0, 0.0), ("peak_ratio", 1.0, 0.0)), run(("t90", 1.0, 0.0), ("dead_time", 1.0, 0.0)))
    missing = {pair.metric: (pair.first is None, pair.second is None) for pair in pairs if not pair.agrees}
    assert missing == {"peak_ratio": (False, True), "dead_time": (True, False)}


def test_runs_without_a_common_procedure_are_refused() -> None:
    """Two runs that measured different procedures cannot be compared, nor can other repeats."""
    one = run(("t90", 1.0, 0.0))
    with pytest.raises(InputError, match="no procedure"):
        compare(one, run(("t90", 1.0, 0.0), key="7.1-base-load-step-up"))
    with pytest.raises(InputError, match="no procedure"):
        compare(one, run(("t90", 1.0, 0.0), repeat=2))


FINITE = st.floats(-1e9, 1e9)
SHARE = st.floats(0.0, 0.99)


@settings(deadline=None)
@given(FINITE, FINITE, st.floats(0, 1e9), st.floats(0, 1e9), SHARE)
def test_agreement_has_no_direction(a: float, b: float, ua: float, ub: float, share: float) -> None:
    """Swapping the runs changes the sign of the difference and nothing else."""
    there = only(run(("t90", a, ua)), run(("t90", b, ub)), share)
    back = only(run(("t90", b, ub)), run(("t90", a, ua)), share)
    assert (there.agrees, there.allowed) == (back.agrees, back.allowed)
    assert there.difference == -back.difference


@settings(deadline=None)
@given(st.floats(), st.floats(0, 1e9), SHARE)
def test_every_value_agrees_with_itself(value: float, uncertainty: float, share: float) -> None:
    """A run agrees with itself, whatever it measured."""
    same = run(("t90", value, uncertainty))
    pair = only(same, same, share)
    assert pair.agrees
    assert math.isnan(value) or pair.difference == 0.0


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two run folders whose one value is 40 and 43 s."""
    return (
        small_run(tmp_path / "a", measurement(Verdict.PASS, 40.0)),
        small_run(tmp_path / "b", measurement(Verdict.PASS, 43.0)),
    )


def test_the_exit_code_says_whether_all_agree(folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """0 for a run and itself or within the tolerance, 1 for a difference, which the table shows."""
    a, b = map(str, folders)
    assert main(["compare", a, a]) == 0
    assert main(["compare", a, b, "--tolerance", "10%"]) == 0
    capsys.readouterr()
    assert main(["compare", a, b]) == 1
    assert "0 of 1 values agree" in capsys.readouterr().out


def test_json_holds_every_pair(folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """--json prints both values, their difference and whether they agree."""
    assert main(["compare", *map(str, folders), "--json"]) == 1
    (pair,) = json.loads(capsys.readouterr().out)
    assert (pair["first"]["value"], pair["second"]["value"], pair["agrees"]) == (40.0, 43.0, False)
    assert pair["difference"] == pytest.approx(3.0)


@pytest.mark.parametrize("tolerance", ["ten", "-1%", "100%", "nan", ""])
def test_a_tolerance_that_is_no_share_is_refused(
    folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str], tolerance: str
) -> None:
    """A tolerance below 0, of 100 % or more, or no number at all ends in code 2 and an example."""
    assert main(["compare", *map(str, folders), "--tolerance", tolerance]) == 2
    assert "10%" in capsys.readouterr().err


def test_a_folder_that_is_no_run_is_named(folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Something else than a run folder ends in code 2 with its path."""
    assert main(["compare", str(folders[0]), "nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err
