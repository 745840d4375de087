"""Limits for whoever measures a pilot outside a run: the clauses of the shipped requirement profiles, by metric.

A profile is read here as plain TOML: the tests check the shipped ones, and a model of it takes longer to load than a
record to measure.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any

from hilbench.metrics.catalogue import METRICS
from hilbench.metrics.pilot_table import Limit

GENERAL = "generic-v0"
PROFILES = {"j1772_2017": "pilot-j1772", "j1772_2010": "pilot-j1772"}
"""Profile with what an edition has of its own; all else is in the general one, which follows IEC 61851-1."""
WANTED = (
    "pilot_duty_error",
    "pilot_frequency_error",
    "pilot_change_spacing",
    "pilot_command_time",
    "pwm_off_time",
    "state_f_time",
    "contactor_close_time",
    "contactor_open_time",
    "unplug_open_time",
    "fault_open_time",
)


def pilot_limits(edition: str) -> dict[str, Limit]:
    """Limits of the pilot in an edition of the duty table, by metric."""
    names = [GENERAL, *filter(None, [PROFILES.get(edition)])]
    return {metric: limit for name in names for metric, limit in _limits(name).items()}


def _limits(profile: str) -> dict[str, Limit]:
    text = resources.files("hilbench").joinpath("requirements", f"{profile}.toml").read_text("utf-8")
    clauses = tomllib.loads(text)["clause"]
    return {one["metric"]: _limit(one) for one in clauses if one["metric"] in WANTED and "procedures" not in one}


def _limit(clause: Mapping[str, Any]) -> Limit:
    low, high = (0.0, float(clause["limit"])) if clause["op"] == "<=" else (float(clause["limit"]), math.inf)
    name = METRICS[clause["metric"]].title
    return Limit(name, low, high, clause["unit"], clause["source"], clause["confidence"])
