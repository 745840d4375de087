"""1.3, 2.1 and 2.2: a rig whose figures keep their rules passes, and each rule can be broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from hilbench.rig import rig_files
from hilbench.runner import Job, execute

RIG = rig_files()["workplace-10"].read_text(encoding="utf-8")


def verdict(tmp_path: Path, procedure: str, *changes: tuple[str, str], defect: str | None = None) -> str:
    """Of the rig workplace-10 with other words in it."""
    text = RIG
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "changed.toml"
    path.write_text(text, encoding="utf-8")
    return str(execute(Job(str(path), procedure, 1, None, defect=defect))["verdict"])


@pytest.mark.parametrize("procedure", ["1.3", "2.1", "2.2"])
def test_the_shipped_site_keeps_its_rules(procedure: str, tmp_path: Path) -> None:
    """Nameplates, budgets and fallbacks of workplace-10."""
    assert verdict(tmp_path, procedure) == "PASS"


@pytest.mark.parametrize(
    ("procedure", "change"),
    [
        ("1.3", ("branch_a = 40 ", "branch_a = 35 ")),
        ("2.1", ("budget_a = 80 ", "budget_a = 90 ")),
        ("2.2", ("fallback_a = 6 ", "fallback_a = 8 ")),
    ],
)
def test_a_site_that_breaks_a_rule_fails(procedure: str, change: tuple[str, str], tmp_path: Path) -> None:
    """A branch of 35 A for 32 A, a budget of 90 % of the service, fallbacks that add up to more than there is."""
    assert verdict(tmp_path, procedure, change) == "FAIL"


def test_fallbacks_that_were_never_installed_are_found(tmp_path: Path) -> None:
    """The figures are right, and nothing limits the stations when limits have run out: trying shows it."""
    assert verdict(tmp_path, "2.2", defect="fails-open-on-link-loss") == "FAIL"
