"""How many small faults in the smart charging core its tests find.

    python benches/mutate_smart_charging.py --limit 400 --seed 1
    python benches/mutate_smart_charging.py --limit 100 --module rules

Each mutant is one change of one module: a comparison, a number, a boolean operator, min for max, a sign, a dropped
``not``. It runs in a process of its own, forked from one that has the test tools loaded, against the tests of its
module until the first failure: those named after what it does first, the slow comparison last. It gets five times what
the tests take without it; one that does not end by then counts as killed. Prints the survivors, then the share of those
that were killed, by module. Mutants that no test can tell from the code are listed in ``EQUIVALENT`` and left out.
"""

from __future__ import annotations

import argparse
import ast
import importlib.abc
import importlib.machinery
import math
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "hilbench_emulators.smart_charging"
FOLDER = ROOT / "emulators" / "hilbench_emulators" / "smart_charging"
_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_FIRST = {
    "composite": "composite",
    "explain": "explain",
    "fields": "read",
    "intake": "explain",
    "read": "read",
    "rules": "201",
    "selection": "time",
    "sharing": "composite",
    "store": "201",
    "times": "time",
}
"""Part of the name of the tests that a module's mutants meet first."""
_ORIGIN = "return -math.inf if profile.dyn_update_time is None else profile.dyn_update_time"
_OFFLINE = "now = Situation(0, t, offline_since=self.offline_since)"
_NUMBERS = "return (step.evse for step in given if step.evse is not None and step.evse > 0)"
EQUIVALENT = {
    f"selection: -math.inf -> math.inf: {_ORIGIN}": "only that it is infinite counts, where there was no update",
    f"store: 0 -> 1: {_OFFLINE}": "the outlet counts for nothing where only the offline time is asked for",
    f"store: 0 -> -1: {_OFFLINE}": "likewise",
    "store: 0 -> -1: period = schedule.periods[0]": "a dynamic profile has one period",
    f"explain: 0 -> 1: {_NUMBERS}": "outlet 1 is there anyway",
    "times: 86400.0 -> 86399.0: _STEP_S = 86_400.0": "how often one looks for shifts, which are found either way",
    "times: 86400.0 -> 86401.0: _STEP_S = 86_400.0": "likewise",
}
"""Changes by module, text and line that make no difference, with the reason."""
_QUIET = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
_SWAPS = (("min", "max"), ("any", "all"), ("floor", "ceil"), ("lowest", "highest"))
_NAMES = dict(_SWAPS) | {second: first for first, second in _SWAPS}


@dataclass(frozen=True)
class Mutant:
    """One change: variant ``variant`` of the node that comes ``index``-th in the walk over a module."""

    path: Path
    index: int
    variant: int
    line: int
    change: str

    @property
    def name(self) -> str:
        """Module, change and line, as ``EQUIVALENT`` writes them."""
        text = self.path.read_text(encoding="utf-8").splitlines()[self.line - 1]
        return f"{self.path.stem}: {self.change}: {text.strip()}"

    def tree(self) -> ast.Module:
        """The module with it."""
        tree = ast.parse(self.path.read_text(encoding="utf-8"))
        target = list(ast.walk(tree))[self.index]
        _, new = list(variants(target))[self.variant]
        _Swap(target, new).visit(tree)
        return ast.fix_missing_locations(tree)


def variants(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Nodes that could stand in place of this one, and what changes."""
    for new in others(node):
        yield f"{ast.unparse(node)} -> {ast.unparse(new)}", new


def others(node: ast.AST) -> Iterator[ast.expr]:
    """Expressions that differ from this one in one point."""
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            for other in _COMPARISONS[type(operator)]:
                yield ast.Compare(node.left, [*node.ops[:index], other(), *node.ops[index + 1 :]], node.comparators)
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        yield ast.BinOp(node.left, _OPERATORS[type(node.op)](), node.right)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield node.operand
    elif isinstance(node, ast.Constant):
        yield from (ast.Constant(value) for value in constants(node.value))
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in _NAMES:
        yield ast.Name(_NAMES[node.id], node.ctx)


def constants(value: object) -> tuple[float, ...]:
    """Others of the same kind; texts and None have none."""
    if isinstance(value, bool):
        return (not value,)
    return (value + 1, value - 1) if isinstance(value, int | float) else ()


class _Swap(ast.NodeTransformer):
    """Puts one node in place of another."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        """The new one where it is the old one."""
        return ast.copy_location(self.new, node) if node is self.old else self.generic_visit(node)


def unevaluated(tree: ast.Module) -> set[ast.AST]:
    """Annotations: they are never evaluated, so that no test can see a change."""
    roots = [getattr(node, name, None) for node in ast.walk(tree) for name in ("annotation", "returns")]
    return {node for root in roots if isinstance(root, ast.AST) for node in ast.walk(root)}


def mutants(path: Path) -> Iterator[Mutant]:
    """All single changes of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    silent = unevaluated(tree)
    for index, node in enumerate(ast.walk(tree)):
        if node in silent:
            continue
        for variant, (change, _) in enumerate(variants(node)):
            yield Mutant(path, index, variant, getattr(node, "lineno", 0), change)


class _Loader(importlib.abc.InspectLoader):
    """Gives the mutated code."""

    def __init__(self, mutant: Mutant) -> None:
        self.code = compile(mutant.tree(), str(mutant.path), "exec")

    def get_code(self, fullname: str) -> CodeType:
        """The mutant."""
        del fullname
        return self.code

    def get_source(self, fullname: str) -> None:
        """None that fits."""
        del fullname


class _Finder(importlib.abc.MetaPathFinder):
    """Knows the one module that is not as written."""

    def __init__(self, mutant: Mutant) -> None:
        self.module = f"{PACKAGE}.{mutant.path.stem}"
        self.loader = _Loader(mutant)

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Only of this module."""
        del path, target
        return importlib.machinery.ModuleSpec(name, self.loader) if name == self.module else None


def survives(mutant: Mutant | None, tests: list[str], timeout_s: int) -> bool:
    """Whether all tests pass with it, or without any."""
    child = os.fork()
    if child == 0:
        run(mutant, tests, timeout_s)
    return os.waitpid(child, 0)[1] == 0


def run(mutant: Mutant | None, tests: list[str], timeout_s: int) -> None:
    """In the child: the tests, and out with their code. The alarm's default action ends a mutant that hangs."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(timeout_s)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    code = 1
    try:
        if mutant is not None:
            sys.meta_path.insert(0, _Finder(mutant))
        code = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-W", _QUIET, *tests]))
    finally:
        os._exit(code)


def tests_of(module: str) -> list[str]:
    """Test files for a module, in the order in which they are likely to notice something."""
    words = module in ("explain", "intake")
    files = [ROOT / "tests" / "test_cli_profiles.py", ROOT / "tests" / "test_smart_charging_explain.py"]
    if not words:
        files = [path for path in sorted((ROOT / "tests").glob("test_smart_charging_*.py")) if path not in files]
    unfit = {"test_smart_charging_rules"}  # about the table of rules, not about the core
    first = _FIRST.get(module, "")
    names = [path for path in files if path.stem not in unfit and path.exists()]
    return [str(path) for path in sorted(names, key=lambda path: ("against" in path.stem, first not in path.stem))]


def clean_s(module: str) -> float | None:
    """Seconds that the tests of a module take without a mutant; None when they fail."""
    began = time.monotonic()
    return time.monotonic() - began if survives(None, tests_of(module), 600) else None


def sampled(module: str | None, limit: int, seed: int) -> list[Mutant]:
    """Some of all mutants, in random order."""
    files = [path for path in sorted(FOLDER.glob("*.py")) if path.stem == (module or path.stem)]
    every = [mutant for path in files for mutant in mutants(path) if mutant.name not in EQUIVALENT]
    print(f"{len(every)} mutants possible", flush=True)
    return random.Random(seed).sample(every, min(limit, len(every)))


def judged(sample: list[Mutant], limits_s: dict[str, int], workers: int) -> Iterator[tuple[Mutant, bool]]:
    """Each mutant, and whether it survives."""

    def alive(one: Mutant) -> bool:
        return survives(one, tests_of(one.path.stem), limits_s[one.path.stem])

    with ThreadPoolExecutor(workers) as pool:
        yield from zip(sample, pool.map(alive, sample), strict=True)


def main() -> int:
    """Run a sample and print what came of it."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--limit", type=int, default=150)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--module", help="of the package, else all")
    chosen = arguments.parse_args()
    sample = sampled(chosen.module, chosen.limit, chosen.seed)
    clean = {module: clean_s(module) for module in sorted({mutant.path.stem for mutant in sample})}
    if failing := [module for module, seconds in clean.items() if seconds is None]:
        print(f"the tests fail without a mutant: {', '.join(failing)}")
        return 1
    limits_s = {module: 5 + math.ceil(5 * (seconds or 0.0)) for module, seconds in clean.items()}
    began, killed, all_of = time.monotonic(), Counter[str](), Counter[str]()
    for mutant, alive in judged(sample, limits_s, chosen.workers):
        all_of[mutant.path.stem] += 1
        killed[mutant.path.stem] += not alive
        if alive:
            print(f"survived  {mutant.path.stem}:{mutant.line}  {mutant.change}", flush=True)
        print(f"\r{all_of.total()} of {len(sample)}, {killed.total()} killed", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    for module, count in sorted(all_of.items()):
        print(f"{module:12}{killed[module]:5} of {count}")
    share = 100 * killed.total() / max(1, len(sample))
    print(f"{killed.total()} of {len(sample)} killed ({share:.1f} %); seed {chosen.seed}")
    print(f"{time.monotonic() - began:.0f} s, hypothesis {hypothesis.__version__}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
