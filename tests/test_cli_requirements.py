"""``hilbench requirements``: what is shipped, what a profile says, and what is wrong with one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hilbench.cli import main
from hilbench.evidence.words import weakest
from hilbench.requirements import profile_names


def test_all_shipped_profiles_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """With the number of their clauses."""
    assert main(["requirements", "list"]) == 0
    lines = capsys.readouterr().out
    assert all(name in lines for name in profile_names())


@pytest.mark.parametrize("name", profile_names())
def test_a_profile_is_shown_clause_by_clause(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every clause with its source and how sure that is; the same as JSON."""
    assert main(["requirements", "show", name]) == 0
    text = capsys.readouterr().out
    assert main(["requirements", "show", name, "--json"]) == 0
    for clause in json.loads(capsys.readouterr().out):
        assert clause["id"] in text
        assert clause["confidence"] in text


def test_a_name_that_is_nearly_right_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """The near one is named, and the exit code is that of wrong input."""
    assert main(["requirements", "show", "us-nec-2032"]) == 2
    assert "did you mean us-nec-20" in capsys.readouterr().err


def test_one_metric_can_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """And one that the profile does not limit is refused with those that it does."""
    assert main(["requirements", "show", "generic-v0", "--metric", "t90"]) == 0
    assert "response-t90" in capsys.readouterr().out
    assert main(["requirements", "show", "v2g-1547", "--metric", "t90"]) == 2
    assert "dc_give_time" in capsys.readouterr().err


def test_a_file_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A clean one is said to be, one with a metric that nobody measures is refused by its place."""
    text = (Path("hilbench/requirements") / "vde-ar-n-4100.toml").read_text(encoding="utf-8")
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(text, encoding="utf-8")
    bad.write_text(text.replace("unbalance_kva", "unbalance"), encoding="utf-8")
    assert main(["requirements", "lint", str(good)]) == 0
    assert main(["requirements", "lint", str(bad)]) == 2
    assert "unknown metric 'unbalance'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("sure", "verdict", "said"),
    [
        (["secondary", "recalled"], "PASS", "recalled"),
        (["policy-default", "standard-text"], "PASS", "policy-default"),
        (["standard-text"], "PASS", ""),
        (["recalled"], "FAIL", ""),
    ],
)
def test_a_pass_says_how_sure_its_limits_are(sure: list[str], verdict: str, said: str) -> None:
    """The least sure of them stands next to PASS, and next to nothing else."""
    measurements = [{"clause": {"confidence": word}} for word in sure]
    assert weakest(verdict, [*measurements, {"clause": None}]) == said
