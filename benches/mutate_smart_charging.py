"""How many small faults in the smart charging core its tests find.

    python benches/mutate_smart_charging.py --limit 150 --seed 1

Each mutant is one change of one module: a comparison, a number, a boolean operator, min for max, a sign, a dropped
``not``. It runs in a process of its own, forked from one that has the test tools loaded, against all tests of the core
until the first failure. Prints the survivors and the share of those that were killed; a mutant that does not end in
time counts as killed.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib.abc
import importlib.machinery
import importlib.util
import os
import random
import signal
import sys
import time
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

    def tree(self) -> ast.Module:
        """The module with it."""
        tree = ast.parse(self.path.read_text(encoding="utf-8"))
        target = list(ast.walk(tree))[self.index]
        _, new = list(variants(target))[self.variant]
        return ast.fix_missing_locations(_Swap(target, new).visit(tree))


def variants(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Nodes that could stand in place of this one."""
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            for other in _COMPARISONS[type(operator)]:
                new = copy.copy(node)
                new.ops = [*node.ops[:index], other(), *node.ops[index + 1 :]]
                yield f"{ast.unparse(node)} -> {ast.unparse(new)}", new
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS and not is_annotation(node):
        new = copy.copy(node)
        new.op = _OPERATORS[type(node.op)]()
        yield f"{ast.unparse(node)} -> {ast.unparse(new)}", new
    elif isinstance(node, ast.BoolOp):
        new = copy.copy(node)
        new.op = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
        yield f"{ast.unparse(node)} -> {ast.unparse(new)}", new
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield f"{ast.unparse(node)} -> {ast.unparse(node.operand)}", node.operand
    elif isinstance(node, ast.Constant):
        for value in constants(node.value):
            yield f"{node.value!r} -> {value!r}", ast.copy_location(ast.Constant(value), node)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in _NAMES:
        yield f"{node.id} -> {_NAMES[node.id]}", ast.copy_location(ast.Name(_NAMES[node.id], node.ctx), node)


def is_annotation(node: ast.BinOp) -> bool:
    """``X | None``, which no test can see."""
    return isinstance(node.op, ast.BitOr) and isinstance(node.right, ast.Constant) and node.right.value is None


def constants(value: object) -> tuple[object, ...]:
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


def mutants(path: Path) -> Iterator[Mutant]:
    """All single changes of a module."""
    for index, node in enumerate(ast.walk(ast.parse(path.read_text(encoding="utf-8")))):
        for variant, (change, _) in enumerate(variants(node)):
            yield Mutant(path, index, variant, getattr(node, "lineno", 0), change)


class _Finder(importlib.abc.MetaPathFinder, importlib.machinery.SourceFileLoader):
    """Gives the mutated code where the module is imported."""

    def __init__(self, mutant: Mutant) -> None:
        self.module = f"{PACKAGE}.{mutant.path.stem}"
        super().__init__(self.module, str(mutant.path))
        self.code = compile(mutant.tree(), self.path, "exec")

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Only of the one module."""
        del path, target
        return importlib.util.spec_from_file_location(name, self.path, loader=self) if name == self.module else None

    def get_code(self, fullname: str) -> CodeType:
        """The mutant."""
        del fullname
        return self.code


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


def main() -> int:
    """Run a sample and print what came of it."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--limit", type=int, default=150)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--timeout", type=int, default=60)
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--module", help="of the package, else all")
    chosen = arguments.parse_args()
    files = [path for path in sorted(FOLDER.glob("*.py")) if path.stem == (chosen.module or path.stem)]
    every = [mutant for path in files for mutant in mutants(path)]
    sample = random.Random(chosen.seed).sample(every, min(chosen.limit, len(every)))
    tests = sorted(str(path) for path in (ROOT / "tests").glob("test_smart_charging*.py"))
    # The slow comparison comes last: most mutants fall before it.
    tests.sort(key=lambda path: "against" in path)
    if not survives(None, tests, chosen.timeout):
        print("the tests fail without a mutant")
        return 1
    began = time.monotonic()
    with ThreadPoolExecutor(chosen.workers) as pool:
        results = list(pool.map(lambda mutant: survives(mutant, tests, chosen.timeout), sample))
    for mutant, alive in zip(sample, results, strict=True):
        if alive:
            print(f"survived  {mutant.path.stem}:{mutant.line}  {mutant.change}")
    killed = results.count(False)
    share = 100 * killed / len(sample)
    print(f"{killed} of {len(sample)} killed ({share:.1f} %), of {len(every)} possible; seed {chosen.seed}")
    print(f"{time.monotonic() - began:.0f} s, hypothesis {hypothesis.__version__}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
