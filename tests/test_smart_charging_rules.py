"""Which test shows which rule of OCPP."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tests.charging_rules import LISTED, RULES, Rule, listed, main

HERE = Path(__file__).parent


@cache
def names_in(module: str) -> frozenset[str]:
    """Names of the tests in a module."""
    paths = (HERE / f"test_smart_charging_{module}.py", HERE / f"test_{module}.py")
    text = next(path for path in paths if path.exists()).read_text(encoding="utf-8")
    return frozenset(node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_has_its_tests(rule: Rule) -> None:
    """Each test that is named exists."""
    assert rule.tests
    for module, test in rule.tests:
        assert test.startswith("test_")
        assert test in names_in(module)


def test_every_listed_rule_is_in_the_table() -> None:
    """Once, with a line that says it and a word on how well it is known."""
    counted = Counter(rule.name for rule in RULES)
    assert [name for name in listed() if counted[name] != 1] == []
    assert len(list(listed())) > 150
    assert {rule.confidence for rule in RULES} <= {"standard-text", "read-code", "secondary", "recalled"}
    assert all(rule.says for rule in RULES)


def test_rules_are_named_as_in_the_text() -> None:
    """A section or erratum of 1.6, a requirement of 2.x, or a test case."""
    form = re.compile(r"1\.6 (\d+(\.\d+)*|err \d\.\d+|key \w+|TC_\w+)|SC\.\d\d|K\d\d\.FR\.\d\d\d?|TC_K_\d\d")
    assert [rule.name for rule in RULES if not form.fullmatch(rule.name)] == []
    assert all(head in {name[: len(head)] for name in listed()} for head in LISTED)


def test_a_person_can_read_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Rule, what it says, how well it is known, and its tests below."""
    main(["K28.FR.11"])
    assert capsys.readouterr().out.split("\n") == [
        "K28.FR.11        Update of another kind: Rejected  [standard-text]",
        "                   21: test_only_dynamic_profiles_are_updated",
        "",
    ]
