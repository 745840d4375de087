"""A site's own profile: named by a rig or for one run, checked for clauses that nobody measures, never looser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.cli import main
from hilbench.errors import InputError
from hilbench.metrics.catalogue import METRICS
from hilbench.procedures.measured import measured, unmeasured
from hilbench.requirements import Profile, Requirements, load_requirements, profile_names
from hilbench.rig import find_rig, load_rig
from hilbench.verdict import Verdict, judge

OWN = """id = "own"
title = "Own"
edition = "1"
[[clause]]
id = "at-once"
metric = "{metric}"
op = "<="
limit = {limit}
unit = "s"
guard = "none"
source = "contract 4.2"
confidence = "vendor-doc"
text = "at once"
{more}
"""


def own(folder: Path, limit: float = 0.1, metric: str = "t90", more: str = "") -> Path:
    """A profile file with one clause."""
    path = folder / "own.toml"
    path.write_text(OWN.format(limit=limit, metric=metric, more=more), encoding="utf-8")
    return path


def rig_with(folder: Path, profiles: str) -> Path:
    """The shipped workplace with other requirements, in a file of its own."""
    text = find_rig("workplace-10").read_text("utf-8")
    path = folder / "site.toml"
    path.write_text(text.replace('requirements = ["generic-v0"]', f"requirements = {profiles}"), encoding="utf-8")
    return path


def test_a_rig_names_a_profile_beside_it(tmp_path: Path) -> None:
    """Relative to the rig file, wherever the bench is started."""
    own(tmp_path)
    rig = load_rig(rig_with(tmp_path, '["generic-v0", "own.toml"]'))
    found = load_requirements(rig.site.requirements).find("t90", "7.1", {"meter_interval_s": 1.0})
    assert found is not None
    assert (found.profile, found.id) == ("own", "at-once")


@pytest.mark.parametrize(
    ("profiles", "said"),
    [
        ('["generic-v1"]', "no requirement profile 'generic-v1'"),
        ('["nowhere.toml"]', "nowhere.toml"),
        ('["generic-v0", "own.toml"]', "t90 is measured in 's', not 'ms'"),
    ],
)
def test_a_rig_with_an_unusable_profile_is_refused(tmp_path: Path, profiles: str, said: str) -> None:
    """With what is wrong in the profile, before anything starts."""
    path = own(tmp_path)
    path.write_text(path.read_text("utf-8").replace('unit = "s"', 'unit = "ms"'), encoding="utf-8")
    with pytest.raises(InputError, match=said):
        load_rig(rig_with(tmp_path, profiles))


def test_a_profile_can_be_added_for_one_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody reduces within 0.1 s: what passed by generic-v0 fails, and the record keeps profile and file."""
    words = ["run", "--only", "7.1", "--json", "--jobs", "1", "--out", str(tmp_path / "runs")]
    assert main([*words, "--requirements", str(own(tmp_path))]) == 1
    result = json.loads(capsys.readouterr().out)
    failed = [one for one in result["results"][0]["measurements"] if one["verdict"] == "FAIL"]
    assert [(one["metric"], one["clause"]["profile"]) for one in failed] == [("t90", "own")]
    head = json.loads((Path(result["run"]) / "run.json").read_text("utf-8"))
    assert [one["id"] for one in head["requirements"]] == ["generic-v0", "own"]
    assert head["inputs"]["requirements own"]["file"] == "own.toml"
    assert "--requirements" in head["command"]


def test_a_profile_that_does_not_exist_ends_a_run_before_it_begins(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and the near name."""
    assert main(["run", "--only", "7.1", "--requirements", "us-nec-2032"]) == 2
    assert "did you mean us-nec-20" in capsys.readouterr().err


@pytest.mark.parametrize("name", profile_names())
def test_every_shipped_clause_is_measured(name: str) -> None:
    """By some procedure, or by ``hilbench pilot``."""
    assert list(unmeasured(load_requirements([name]).profiles[0])) == []


@pytest.mark.parametrize(
    ("more", "metric", "said"),
    [
        ('procedures = ["7.99"]', "t90", "no procedure 7.99"),
        ('procedures = ["2.5"]', "t90", "2.5 does not measure t90 (7.1"),
        ("", "dc_resume_time", ""),
    ],
)
def test_lint_finds_a_clause_that_nobody_judges(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: str, metric: str, said: str
) -> None:
    """Its procedures do not exist or measure something else; a metric that one measures is no problem."""
    assert main(["requirements", "lint", str(own(tmp_path, more=more, metric=metric))]) == (2 if said else 0)
    assert said in capsys.readouterr().err


def test_a_metric_that_no_procedure_takes_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were 7.1 and its like not to measure t90, its clauses would be named."""
    without = {name: metrics - {"t90"} for name, metrics in measured().items()}
    monkeypatch.setattr("hilbench.procedures.measured.measured", lambda: without)
    found = list(unmeasured(load_requirements(["generic-v0"]).profiles[0]))
    assert [one.where for one in found] == ["clause response-t90, metric"]


def test_procedures_are_known_by_what_they_measure() -> None:
    """Also by what they take from another module of the catalogue."""
    assert {"t90", "time_above_budget", "ampere_seconds_above_budget"} <= measured()["7.1"]
    assert "limit_entry_time" in measured()["9.2"]
    assert all(metrics for metrics in measured().values())


def test_limits_are_reckoned_for_a_rig(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As numbers, with the profile that is stricter, what does not apply, and what only a run knows."""
    assert main(["requirements", "show", "de-14a-eebus", "--rig", "workplace-10"]) == 0
    text = capsys.readouterr().out
    assert "here: <= 300 s" in text
    assert "here: depends on notice_s, which a run knows" in text
    assert "generic-v0/fallback-entry is stricter: <= timeout_s + 10 s" in text
    assert main(["requirements", "show", "generic-v0", "--metric", "time_above_budget", "--rig", "workplace-10"]) == 0
    assert "here: does not apply" in capsys.readouterr().out
    assert main(["requirements", "show", str(own(tmp_path)), "--rig", "workplace-10"]) == 0
    assert "here: <= 0.1 s\n" in capsys.readouterr().out


LIMIT = st.tuples(st.integers(1, 40), st.integers(0, 5), st.sampled_from(["U", "none"]))


def profile(name: str, limits: list[tuple[int, int, str]], metric: str) -> Profile:
    """A profile with clauses on one metric."""
    op = "<=" if METRICS[metric].direction == "lower" else ">="
    base = {"metric": metric, "op": op, "unit": METRICS[metric].unit, "source": "s", "confidence": "recalled"}
    clauses = [
        {**base, "id": f"c{i}", "limit": limit, "tolerance": tolerance, "guard": guard, "text": "t"}
        for i, (limit, tolerance, guard) in enumerate(limits)
    ]
    return Profile.model_validate({"id": name, "title": "T", "edition": "1", "clause": clauses})


@settings(deadline=None)
@given(
    st.lists(LIMIT, min_size=1, max_size=3),
    st.lists(LIMIT, max_size=3),
    st.sampled_from(["t90", "jain_index"]),
    st.floats(0.0, 50.0),
)
def test_a_profile_more_never_turns_a_failure_into_a_pass(
    first: list[tuple[int, int, str]], second: list[tuple[int, int, str]], metric: str, value: float
) -> None:
    """Whatever passes by two profiles together has passed by one alone, on either side of a limit."""
    alone, more = profile("a", first, metric), profile("b", second, metric)
    one = Requirements((alone,), alone.clauses())
    both = Requirements((alone, more), (*alone.clauses(), *more.clauses()))
    together = judge(value, 0.0, both.find(metric, "7.1"), {}).verdict
    if together is Verdict.PASS:
        assert judge(value, 0.0, one.find(metric, "7.1"), {}).verdict is Verdict.PASS
