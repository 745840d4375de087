"""Which metrics each procedure can measure, as its source says: a clause on any other is never judged.

A procedure names its metrics in its own module, in tables of it, or in what it takes from another one; all words of
these modules that are metrics count.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from types import ModuleType

from hilbench.errors import Problem
from hilbench.metrics.catalogue import METRICS
from hilbench.pilot_limits import WANTED
from hilbench.procedures import MODULES
from hilbench.requirements import Profile

_PACKAGE = "hilbench.procedures"


@cache
def measured() -> dict[str, frozenset[str]]:
    """Metrics by the id of the procedure that names them."""
    modules = [import_module(f"{_PACKAGE}.{name}") for name in MODULES]
    return {module.PROCEDURE.id: frozenset(_words(module) & METRICS.keys()) for module in modules}


def _words(module: ModuleType) -> set[str]:
    """All texts in a module and in those of the catalogue from which it takes something."""
    tree = ast.parse(inspect.getsource(module))
    found = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    for other in _taken_from(tree):
        found |= _words(import_module(other))
    return found


def _taken_from(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{_PACKAGE}."):
            yield str(node.module)


def unmeasured(profile: Profile) -> Iterator[Problem]:
    """Clauses of ``profile`` that no run can judge: no procedure measures their metric, or none of those named does.

    What ``hilbench pilot`` measures beside the procedures counts as well.
    """
    known = measured()
    for entry in profile.clause:
        where = f"clause {entry.id}"
        unknown = [name for name in entry.procedures if name not in known]
        if unknown:
            yield Problem(f"{where}, procedures", f"no procedure {', '.join(unknown)}", f"there are {', '.join(known)}")
            continue
        able = [name for name, metrics in known.items() if entry.metric in metrics]
        if entry.procedures and not set(able) & set(entry.procedures):
            what = f"{' and '.join(entry.procedures)} does not measure {entry.metric}"
            yield Problem(f"{where}, procedures", what, _remedy(able))
        elif not able and entry.metric not in WANTED:
            yield Problem(f"{where}, metric", f"no procedure measures {entry.metric}, so nothing would judge it")


def _remedy(able: Iterable[str]) -> str:
    return f"{', '.join(able)} would" if able else "no procedure does"
