"""Coordinated charging: which car takes how much when, so that the bill is low and every car is ready in time."""

from hilbench.controller.planning.model import Car, Peak, Plan, Problem
from hilbench.controller.planning.solve import plan

__all__ = ["Car", "Peak", "Plan", "Problem", "plan"]
