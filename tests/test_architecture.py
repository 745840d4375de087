"""The house keeps its floors: what may import what, who may read the clock, how long a function may be.

Every rule is a function from a source tree to the list of its violations, so that the same rule is shown to hold for
this repository and to fail on a small tree that breaks it.
"""

from __future__ import annotations

import ast
import graphlib
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("hilbench", "emulators/hilbench_emulators", "fixtures/pytest_hilbench")
GROUND = (
    "__init__",
    "errors",
    "tomlfile",
    "modbus",
    "modbus_address",
    "visa_address",
    "meter_maps",
    "sunspec",
    "clock",
    "waveform",
    "_streams",
    "site",
    "tariff",
    "devices",
    "signals",
    "ocppj",
    "ccs",
    "chademo",
)
"""Modules of ``hilbench`` on the ground floor; the last three are wire formats that both of their ends share."""
STRANGERS = ("hilbench_emulators", "hilbench.drivers", "hilbench.controller", "hilbench.metrics")
"""The first floor: four households that know the ground floor and nothing of each other."""
TOP = ("hilbench.cli", "hilbench.__main__", "hilbench.dashboard", "pytest_hilbench")
"""The top floor. What is named nowhere here is on the second: rig, bench, procedures, evidence and their helpers."""
ROOTS = ("hilbench.reference", "hilbench.selftest", "hilbench.cli.selftest")
"""Composition roots: the only modules outside the controller that may import it. One builds it for a rig, the others
list its deliberate defects; no procedure, metric or emulator can reach it through anything but an address."""
LATE = {("hilbench.evidence.folder", f"hilbench.evidence.{late}") for late in ("reader", "render")}
"""Imports inside a function that close a circle on purpose: a run folder ends by reading and rendering itself."""
LONGEST, MEDIAN = 60, 8
"""Lines of a function with its docstring: the most, and the median of each package at most."""


@dataclass(frozen=True)
class Module:
    """A source file, and what it imports of the house: always, or also only for type checkers."""

    name: str
    tree: ast.Module
    imports: frozenset[str]
    imports_at_run: frozenset[str]


Tree = dict[str, Module]
Rule = Callable[[Tree], list[str]]


def read_tree(root: Path) -> Tree:
    """All modules of the three packages below ``root`` by dotted name."""
    files = {}
    for package in PACKAGES:
        base = (root / package).parent
        for path in sorted((root / package).rglob("*.py")):
            name = ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__")
            files[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return {name: _module(name, tree, set(files)) for name, tree in files.items()}


@cache
def house() -> Tree:
    """This repository's tree, read once."""
    return read_tree(ROOT)


def _module(name: str, tree: ast.Module, known: set[str]) -> Module:
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for inner in ast.walk(node)
    }
    found = [(node, target) for node in ast.walk(tree) for target in _targets(node, known)]
    always = frozenset(target for node, target in found if id(node) not in typing_only)
    return Module(name, tree, frozenset(target for _node, target in found), always)


def _targets(node: ast.AST, known: set[str]) -> Iterator[str]:
    """What a statement imports; of names taken from a package, those that are modules stand for themselves."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = "." * node.level + (node.module or "")  # relative imports are refused by a rule of their own
        for alias in node.names:
            yield f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base


def inside(name: str, package: str) -> bool:
    """True for a package and everything in it."""
    return name == package or name.startswith(package + ".")


def floor(name: str) -> int:
    """0 to 3 from the ground up; -1 for what is not of the house."""
    if name == "hilbench" or any(inside(name, f"hilbench.{module}") for module in GROUND):
        return 0
    if any(inside(name, package) for package in STRANGERS):
        return 1
    if any(inside(name, package) for package in TOP):
        return 3
    return 2 if inside(name, "hilbench") else -1


def upward(tree: Tree) -> list[str]:
    """Imports of a floor above."""
    pairs = [(module.name, target) for module in tree.values() for target in module.imports]
    return sorted(f"{name} imports {target} above it" for name, target in pairs if floor(target) > floor(name))


def relative(tree: Tree) -> list[str]:
    """Relative imports: they would hide from the other rules."""
    return [f"{m.name} imports {target}" for m in tree.values() for target in m.imports if target.startswith(".")]


def household(name: str) -> str | None:
    """Which stranger of the first floor a module belongs to."""
    return next((package for package in STRANGERS if inside(name, package)), None)


def acquainted(tree: Tree) -> list[str]:
    """Imports between strangers of the first floor."""
    found = []
    for module in tree.values():
        homes = {household(target) for target in module.imports} - {None, household(module.name)}
        if household(module.name):
            found += [f"{module.name} knows {home}" for home in homes]
    return sorted(found)


def graders(tree: Tree) -> list[str]:
    """Imports of the controller by anything that is not a composition root."""
    own = "hilbench.controller"
    outside = [module for module in tree.values() if not inside(module.name, own) and module.name not in ROOTS]
    return [f"{m.name} imports {target}" for m in outside for target in m.imports if inside(target, own)]


def cycles(tree: Tree) -> list[str]:
    """A circle of imports at run time."""
    graph = {
        name: {target for target in module.imports_at_run if target in tree and (name, target) not in LATE}
        for name, module in tree.items()
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return [" -> ".join(error.args[1])]
    return []


def clock_readers(tree: Tree) -> list[str]:
    """Uses of the machine's clock outside ``hilbench.clock``."""
    found = []
    for module in tree.values():
        if module.name != "hilbench.clock":
            found += [f"{module.name} imports time" for target in module.imports if target == "time"]
            found += [f"{module.name} calls {call}" for call in _date_calls(module.tree)]
    return found


def _date_calls(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today"):
            owner = ast.unparse(node.value)
            if owner.split(".")[-1] in ("datetime", "date"):
                yield f"{owner}.{node.attr}"


def undocumented(tree: Tree) -> list[str]:
    """Modules without a docstring."""
    return [module.name for module in tree.values() if not ast.get_docstring(module.tree)]


def lengths(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Name and number of lines of every function, nested ones and methods too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def long_functions(tree: Tree) -> list[str]:
    """Functions longer than the most, and packages whose median is too high."""
    found, by_package = [], dict[str, list[int]]()
    for module in tree.values():
        for name, lines in lengths(module.tree):
            by_package.setdefault(module.name.split(".")[0], []).append(lines)
            if lines > LONGEST:
                found.append(f"{module.name}.{name} has {lines} lines")
    medians = {package: statistics.median(lines) for package, lines in by_package.items()}
    return found + [f"{package}: median {median}" for package, median in medians.items() if median > MEDIAN]


def silent_tests(folder: Path) -> list[str]:
    """Test functions whose first words do not state a fact."""
    return [
        f"{path.name}::{node.name}"
        for path in sorted(folder.rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]


RULES: tuple[Rule, ...] = (upward, relative, acquainted, graders, cycles, clock_readers, undocumented, long_functions)


@pytest.mark.parametrize("rule", RULES)
def test_the_house_keeps_the_rule(rule: Rule) -> None:
    """No module of the three packages breaks it."""
    assert rule(house()) == []


def test_every_test_states_its_fact() -> None:
    """Each test function says in a docstring which fact it is about."""
    assert silent_tests(ROOT / "tests") == []


def test_the_tree_is_the_whole_house() -> None:
    """The rules see all three packages and imports inside functions: an empty tree cannot pass for a sound one."""
    tree = house()
    assert {name.split(".")[0] for name in tree} == {"hilbench", "hilbench_emulators", "pytest_hilbench"}
    assert "hilbench.bench" in tree["pytest_hilbench.session"].imports
    assert "hilbench.rig" in tree["pytest_hilbench.plugin"].imports
    assert {floor(name) for name in tree} == {0, 1, 2, 3}


SOUND = {
    "hilbench/__init__.py": "",
    "hilbench/clock.py": "import time",
    "hilbench/site.py": "from hilbench import clock",
    "hilbench/metrics/__init__.py": "import hilbench.site",
    "hilbench/controller/__init__.py": "from hilbench.site import Site",
    "hilbench/reference.py": "def build():\n    from hilbench.controller import Core",
    "hilbench/bench.py": "from hilbench.reference import build",
    "hilbench/cli/__init__.py": "from hilbench.bench import Bench",
    "emulators/hilbench_emulators/__init__.py": "from hilbench import site",
    "fixtures/pytest_hilbench/__init__.py": "def fixture():\n    import hilbench.bench",
}
BROKEN = [
    (upward, "hilbench/site.py", "from hilbench.metrics import t90", "hilbench.site imports hilbench.metrics"),
    (upward, "hilbench/bench.py", "def f():\n    import hilbench.cli", "hilbench.bench imports hilbench.cli"),
    (upward, "emulators/hilbench_emulators/plant.py", "from hilbench import bench", "hilbench_emulators.plant imports"),
    (relative, "hilbench/site.py", "from .metrics import t90", "hilbench.site imports .metrics"),
    (acquainted, "hilbench/metrics/late.py", "import hilbench_emulators", "hilbench.metrics.late knows"),
    (acquainted, "hilbench/controller/core.py", "from hilbench.metrics import t90", "hilbench.controller.core knows"),
    (acquainted, "emulators/hilbench_emulators/car.py", "from hilbench.controller import Core", "car knows"),
    (graders, "hilbench/procedures/step.py", "def f():\n    from hilbench.controller import Core", "procedures.step"),
    (graders, "hilbench/cli/run.py", "import hilbench.controller.core", "hilbench.cli.run imports"),
    (cycles, "hilbench/reference.py", "from hilbench.bench import Bench", "hilbench.bench"),
    (clock_readers, "hilbench/bench.py", "from time import monotonic", "hilbench.bench imports time"),
    (clock_readers, "hilbench/bench.py", "import datetime\ndatetime.datetime.now()", "datetime.datetime.now"),
    (clock_readers, "hilbench/bench.py", "from datetime import date\ndate.today()", "date.today"),
    (undocumented, "hilbench/bench.py", None, "hilbench.bench"),
    (long_functions, "hilbench/bench.py", "def f():\n" + "    pass\n" * LONGEST, "hilbench.bench.f has 61 lines"),
    (long_functions, "fixtures/pytest_hilbench/a.py", ("def f():\n" + "    pass\n" * 9) * 3, "pytest_hilbench: median"),
]


def plant(root: Path, files: dict[str, str | None]) -> Tree:
    """Write a tree of modules; None is a module without a docstring."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n" if text is None else f'"""A module."""\n{text}\n')
    return read_tree(root)


@pytest.mark.parametrize("rule", RULES)
def test_a_sound_tree_is_left_in_peace(rule: Rule, tmp_path: Path) -> None:
    """A small house that keeps every rule gives no finding."""
    assert rule(plant(tmp_path, dict(SOUND))) == []


@pytest.mark.parametrize(("rule", "file", "text", "finding"), BROKEN)
def test_a_broken_rule_is_found(rule: Rule, file: str, text: str | None, finding: str, tmp_path: Path) -> None:
    """One module that breaks the rule is enough, and the finding names it."""
    found = rule(plant(tmp_path, {**SOUND, file: text}))
    assert any(finding in line for line in found), found


def test_a_type_checkers_import_is_no_cycle_but_still_points_down(tmp_path: Path) -> None:
    """What is imported for type checkers only cannot go round in circles at run time, and keeps to the floors."""
    only_types = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from hilbench.bench import Bench"
    assert cycles(plant(tmp_path, {**SOUND, "hilbench/reference.py": only_types})) == []
    assert upward(plant(tmp_path, {**SOUND, "hilbench/site.py": only_types}))


def test_a_silent_test_is_found(tmp_path: Path) -> None:
    """A test without a docstring is named with its file."""
    (tmp_path / "test_x.py").write_text('def test_said():\n    """Fact."""\n\nasync def test_silent():\n    pass\n')
    assert silent_tests(tmp_path) == ["test_x.py::test_silent"]
