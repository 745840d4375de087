"""Which test shows which rule of OCPP."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.charging_rules import RULES

HERE = Path(__file__).parent


def names_in(module: str) -> set[str]:
    """Names of the tests in a module."""
    tree = ast.parse((HERE / f"test_smart_charging_{module}.py").read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_its_tests(rule: str) -> None:
    """Each test that is named exists."""
    assert RULES[rule]
    for name in RULES[rule].split():
        module, _, test = name.partition(":")
        assert test.startswith("test_")
        assert test in names_in(module)


def test_rules_are_named_as_in_the_text() -> None:
    """A section or erratum of 1.6, a requirement of 2.x, or a test case."""
    form = re.compile(r"1\.6 (\d+(\.\d+)*|err \d\.\d+|key \w+|TC_\w+)|K\d\d\.FR\.\d\d\d?|TC_K_\d\d")
    assert [rule for rule in RULES if not form.fullmatch(rule)] == []
