"""hilbench.evidence.junit: what a build server reads; nothing but a PASS may look like one."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree

import pytest

from hilbench.evidence.folder import RunFolder
from hilbench.evidence.reader import load_run
from hilbench.evidence.render import render
from hilbench.verdict import Verdict
from tests.evidence_samples import META, measurement, result, small_run


def suite_of(path: Path) -> ElementTree.Element:
    """The only test suite of a run's junit.xml."""
    root = ElementTree.parse(path / "junit.xml").getroot()
    assert root.tag == "testsuites"
    (suite,) = root
    assert suite.attrib | {"name": "", "timestamp": ""} == root.attrib | {"name": "", "timestamp": ""}
    return suite


def case_of(path: Path, ending: str = "step <up>") -> ElementTree.Element:
    """The test case whose name ends so."""
    return next(case for case in suite_of(path).iter("testcase") if case.attrib["name"].endswith(ending))


def outcomes(case: ElementTree.Element) -> list[str]:
    """Everything but the properties within a case; a case that passed has nothing."""
    return [child.tag for child in case if child.tag != "properties"]


def properties(element: ElementTree.Element) -> dict[str, str]:
    """Properties of a case or a suite."""
    return {item.attrib["name"]: item.attrib["value"] for item in element.findall("properties/property")}


@pytest.mark.parametrize(
    ("verdict", "tag", "kind"),
    [
        (Verdict.FAIL, "failure", "fail"),
        (Verdict.INCONCLUSIVE, "failure", "inconclusive"),
        (Verdict.ERROR, "error", "error"),
    ],
)
def test_everything_but_a_pass_is_marked(tmp_path: Path, verdict: Verdict, tag: str, kind: str) -> None:
    """FAIL and INCONCLUSIVE are failures, ERROR an error, each with its kind and the command that repeats it."""
    case = case_of(small_run(tmp_path, measurement(verdict, 46.8)))
    assert outcomes(case) == [tag]
    (outcome,) = case.findall(tag)
    assert outcome.attrib["type"] == kind
    assert "replay: hilbench run 'rig one.toml' --only 7.1 --seed 7" in (outcome.text or "")


def test_a_pass_is_a_case_with_nothing_but_properties(tmp_path: Path) -> None:
    """No failure, error or skip."""
    assert outcomes(case_of(small_run(tmp_path))) == []


def test_a_failure_says_by_how_much(tmp_path: Path) -> None:
    """The message has metric, value, limit and distance."""
    (failure,) = case_of(small_run(tmp_path, measurement(Verdict.FAIL, 46.8))).findall("failure")
    assert failure.attrib["message"] == "time above budget: 46.80 s; the limit is at most 30 s; missed by 16.8 s."


def test_what_was_not_run_is_skipped_with_the_reason(tmp_path: Path) -> None:
    """NOT_RUN is no pass: it is skipped, and says why."""
    case = case_of(small_run(tmp_path), "controller stops")
    assert outcomes(case) == ["skipped"]
    (skipped,) = case.findall("skipped")
    assert skipped.attrib["message"] == "the rig has no controller.suspend"


def test_an_error_carries_its_text(tmp_path: Path) -> None:
    """The reason of an ERROR is its message."""
    (error,) = case_of(small_run(tmp_path, measurement(Verdict.ERROR), error="no meter at tcp://x")).findall("error")
    assert error.attrib["message"] == "no meter at tcp://x"


def test_counts_are_those_of_the_cases(tmp_path: Path) -> None:
    """A reader that only looks at the numbers sees the same."""
    run = RunFolder.create(tmp_path, META)
    for repeat, verdict in enumerate((Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.ERROR), 1):
        run.procedure("7.1-step", repeat).finish(result(measurement(verdict)))
    (run.procedure("7.1-step", 5).path / "signals" / "x.csv").write_text("time_s,A\n0.0,1.0\n")
    run.finish("ABORTED", reason="SIGTERM")
    suite = suite_of(run.path)
    cases = list(suite.iter("testcase"))
    assert int(suite.attrib["tests"]) == len(cases) == 7
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.attrib[name]) == sum(tag in outcomes(case) for case in cases), name
    assert [suite.attrib[name] for name in ("failures", "errors", "skipped")] == ["2", "3", "1"]


@pytest.mark.parametrize("status", ["ABORTED", "ERROR"])
def test_a_run_that_was_ended_is_no_green_build(tmp_path: Path, status: str) -> None:
    """Even when every test that ran passed, one case is an error that names the reason."""
    path = small_run(tmp_path, status=status)
    case = case_of(path, "the run reaches its end")
    assert outcomes(case) == ["error"]
    assert int(suite_of(path).attrib["errors"]) == 1


def test_a_cut_off_run_is_no_green_build(tmp_path: Path) -> None:
    """Rendered after a kill, both the procedure and the run are errors."""
    path = small_run(tmp_path, status=None)
    render(load_run(path))
    assert outcomes(case_of(path)) == ["error"]
    assert outcomes(case_of(path, "the run reaches its end")) == ["error"]


def test_measurements_are_properties(tmp_path: Path) -> None:
    """Value, unit, uncertainty, limit, verdict, clause, source and confidence of each, in their order."""
    path = small_run(tmp_path, measurement(), measurement(value=0.0))
    found = properties(case_of(path))
    expected = {
        "metric": "time_above_budget",
        "value": "3.217",
        "unit": "s",
        "uncertainty": "0.82",
        "op": "<=",
        "limit": "30.0",
        "verdict": "PASS",
        "clause": "c-time_above_budget",
        "profile": "test-v0",
        "source": "made up & tested",
        "confidence": "policy-default",
        "guard": "U",
    }
    assert {key: found[f"measurement.1.{key}"] for key in expected} == expected
    assert found["measurement.2.value"] == "0.0"
    assert (found["verdict"], found["seed"]) == ("PASS", "7")
    assert len(found["signals_sha256"]) == 64
    assert properties(suite_of(path)) == {"status": "FINISHED", "verdict": "PASS", "seed": "7"}


def test_values_that_never_came_are_text(tmp_path: Path) -> None:
    """Infinite and missing values are written as words that every reader accepts."""
    found = properties(case_of(small_run(tmp_path, measurement(Verdict.FAIL, math.inf), measurement(value=math.nan))))
    assert found["measurement.1.value"] == "inf"
    assert found["measurement.2.value"] == "nan"


def test_the_name_of_a_repeat_is_its_own(tmp_path: Path) -> None:
    """Build servers keep a history by name: repeats must not share one."""
    run = RunFolder.create(tmp_path, {})
    for repeat in (1, 2):
        run.procedure("7.1-step", repeat).finish(result(measurement()))
    run.finish("FINISHED")
    names = [case.attrib["name"] for case in suite_of(run.path).iter("testcase")]
    assert names == ["7.1 step <up>", "7.1 step <up> r002"]


def test_a_pass_says_on_what_it_rests(tmp_path: Path) -> None:
    """A limit that is a default of the bench is named in the case and beside the verdict of the report."""
    path = small_run(tmp_path, measurement(Verdict.PASS, 3.0))
    assert properties(case_of(path))["weakest_limit"] == "policy-default"
    head = (path / "report.html").read_text("utf-8").split("</h3>")[0]
    assert head.endswith('<span class="tag weak" title="a default of this bench, not a requirement of any authority">'
                         "policy-default</span>")  # fmt: skip
    failed = small_run(tmp_path / "failed", measurement(Verdict.FAIL, 46.8))
    assert "weakest_limit" not in properties(case_of(failed))
