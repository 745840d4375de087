"""A scenario as data: the varied rig, and what happens to it when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hilbench.rig import Rig

GENERATION = 1
"""Grows whenever the same rig and seed make another scenario: results of different generations cannot be mixed."""


@dataclass(frozen=True)
class Act:
    """Something that the bench does ``t`` seconds after the scenario began.

    ``kind`` is one of ``play.ACTS``, ``subject`` the role of a station where it is about one, ``facts`` the arguments.
    """

    t: float
    kind: str
    subject: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fault(self) -> str:
        """Name of the fault that it is, empty for what happens on a good day."""
        if self.kind in ("link-cut", "meter", "controller"):
            return f"{self.kind} {self.facts['how']}"
        return self.kind if self.kind in ("link-latency", "power-cycle") else ""


@dataclass(frozen=True)
class Scenario:
    """One random case: ``rig`` as it was varied, ``acts`` in the order of time, the length in seconds.

    ``beyond`` tells that the building draws more than ``worst_base_a``, ``least`` what each station may draw at worst
    whatever it is told [A].
    """

    seed: int
    rig: Rig
    acts: tuple[Act, ...]
    duration_s: float
    beyond: bool
    least: Mapping[str, float]

    @property
    def faults(self) -> list[str]:
        """Names of the faults in it and the makes of station that are not standard, sorted, each once."""
        makes = {f"make {s.personality}" for s in self.rig.stations if s.personality != "standard"}
        return sorted({act.fault for act in self.acts if act.fault} | makes)
