"""The plan: by the solver, and by the heuristic when the solver is late or fails."""

from __future__ import annotations

import logging
from dataclasses import replace

from hilbench.controller.planning.heuristic import fill
from hilbench.controller.planning.linear import NoSolutionError, solve
from hilbench.controller.planning.model import Plan, Problem

LOGGER = logging.getLogger(__name__)
TIME_LIMIT_S = 2.0
"""So long may a solution take: a plan is made every few minutes, and limits are kept without one (policy)."""


def plan(problem: Problem, time_limit_s: float = TIME_LIMIT_S) -> Plan:
    """The best plan that can be had in time. Room and groups are kept by either way."""
    try:
        return solve(problem, time_limit_s)
    except NoSolutionError as error:
        LOGGER.warning("plan: %s; heuristic instead", error)
        return replace(fill(problem), how=f"heuristic: {error}")
