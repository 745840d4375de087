"""What the bench did to the site, in the words of a plot's mark: ``load +25 A on L1``, ``link of A cut (reset)``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hilbench.evidence.files import number
from hilbench.evidence.markup import plain_prose, rounded

CAUSES = ("stimulus", "fault", "heal")
_MARKS = {"none": "observation begins", "day": "the day begins", "burst": "cars plug in", "clear": "load removed"}
_ENDS = ("load removed", "restored", "resume", "restart")


def is_cause(event: Mapping[str, Any]) -> bool:
    """True for an event by which the bench disturbed the site or ended a disturbance."""
    return str(event.get("kind", "")).split(".")[0] in CAUSES


def ends_something(text: str) -> bool:
    """True for the words of an event that only takes a disturbance back."""
    return text.endswith(_ENDS)


def happening(event: Mapping[str, Any]) -> str:
    """An event of the bench in a few words; kinds that are not known keep their name and data."""
    family, _, kind = str(event.get("kind", "")).partition(".")
    data = event.get("data")
    facts: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
    subject = str(event.get("subject", ""))
    if family == "stimulus":
        return _MARKS.get(kind) or _load(kind, facts) or _unknown(kind, facts)
    if family == "heal":
        return f"{_whose(kind, subject)} {facts.get('how') or 'restored'}"
    return _fault(kind, subject, facts) or _unknown(kind, facts)


def _load(kind: str, facts: Mapping[str, Any]) -> str:
    where = f" on {_listed(facts['lines'])}" if facts.get("lines") else ""
    amps = rounded(number(facts.get("amps")) or 0.0)
    said = {
        "step": f"load +{amps} A{where}",
        "ramp": f"load +{amps} A in {plain_prose(facts.get('over_s'))} s{where}",
        "sine": f"load ±{amps} A every {plain_prose(facts.get('period_s'))} s{where}",
        "inrush": f"a motor of {plain_prose(facts.get('running_a'))} A starts{where}",
    }
    return said.get(kind, "")


def _fault(kind: str, subject: str, facts: Mapping[str, Any]) -> str:
    said = {
        "link": f"link of {subject} cut ({plain_prose(facts.get('how'))})",
        "latency": f"link of {subject} late by {plain_prose(facts.get('seconds'))} s",
        "meter": f"meter {plain_prose(facts.get('fault'))}",
        "controller": f"controller {plain_prose(facts.get('how'))}",
        "power": f"{subject} without power for {plain_prose(facts.get('off_s'))} s",
    }
    return said.get(kind, "")


def _whose(kind: str, subject: str) -> str:
    return f"link of {subject}" if kind == "link" else kind


def _unknown(kind: str, facts: Mapping[str, Any]) -> str:
    return f"{kind} {plain_prose(facts)}".strip()


def _listed(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)
