"""What lint rules find in a rig."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hilbench.rig_errors import Location


@dataclass(frozen=True)
class Rule:
    """Where a rule comes from and how sure the bench is of its text."""

    clause: str
    source: str
    confidence: str


@dataclass(frozen=True)
class Finding:
    """One thing that a rule found in a rig."""

    severity: Literal["error", "warning"]
    location: Location
    what: str
    remedy: str
    rule: Rule


POLICY = Rule("good practice", "hilbench", "policy-default")
