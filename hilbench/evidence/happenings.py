"""What the bench did to the site, in the words of a plot's mark: ``load +25 A on L1``, ``link of A cut (reset)``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hilbench.evidence.markup import plain_prose

CAUSES = ("stimulus", "fault", "heal")
_MARKS = {
    "none": "observation begins",
    "day": "the day begins",
    "burst": "cars plug in",
    "clear": "load removed",
    "limit_cancelled": "grid limit taken back",
}
_CALM = ("begins", "load removed", "restored", "resume", "restart")


def is_cause(event: Mapping[str, Any]) -> bool:
    """True for an event by which the bench disturbed the site or ended a disturbance."""
    return str(event.get("kind", "")).split(".")[0] in CAUSES


def needs_no_close_up(text: str) -> bool:
    """True for the words of an event that disturbs nothing, or only takes a disturbance back."""
    return text.endswith(_CALM)


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
    return _filled(_LOADS.get(kind, ""), facts, where).replace("+-", "-")


_LOADS = {
    "step": "load +{amps} A",
    "ramp": "load +{amps} A in {over_s} s",
    "sine": "load ±{amps} A every {period_s} s",
    "inrush": "a motor of {running_a} A starts",
    "limit": "grid limit of {limit_kw} kW in {in_s} s",
    "limit_changed": "grid limit is {limit_kw} kW",
    "signal": "{signal} of {steps} intervals",
}
_FAULTS = {
    "link": "link of {subject} cut ({how})",
    "links": "links of {stations} stations cut",
    "latency": "link of {subject} late by {seconds} s",
    "meter": "meter {fault}",
    "controller": "controller {how}",
    "vtn": "VTN {how}",
    "power": "{subject} without power for {off_s} s",
    "deaf": "{subject} offers {limit_a} A, told or not",
    "clock": "clock of {subject} ahead by {ahead_s} s",
}


def _fault(kind: str, subject: str, facts: Mapping[str, Any]) -> str:
    return _filled(_FAULTS.get(kind, ""), {**facts, "subject": subject})


def _filled(pattern: str, facts: Mapping[str, Any], tail: str = "") -> str:
    """The pattern with the facts in it; empty when one is missing, so that nothing is said that was not recorded."""
    wanted = re.findall(r"{(\w+)}", pattern)
    if not pattern or any(facts.get(name) is None for name in wanted):
        return ""
    return re.sub(r"{(\w+)}", lambda found: plain_prose(facts[found[1]]), pattern) + tail


def _whose(kind: str, subject: str) -> str:
    return f"link of {subject}" if kind == "link" else kind


def _unknown(kind: str, facts: Mapping[str, Any]) -> str:
    return f"{kind} {plain_prose(facts)}".strip()


def _listed(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)
