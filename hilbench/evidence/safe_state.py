"""What was made safe at the end, and what was read back: by the bench itself, or by its guardian after a kill."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hilbench.evidence.markup import esc, paragraphs, prose, section, table
from hilbench.evidence.reader import ProcedureEvidence, RunEvidence

_MOST_NAMES = 6
Events = Iterable[Mapping[str, Any]]


def safe_state(procedure: ProcedureEvidence) -> str:
    """One line of HTML: what was made safe, what it said itself, and what did not confirm."""
    said = safe_words(procedure.events)
    return f'<p class="mute">{esc(f"Safe state at the end: {said}.")}</p>' if said else ""


def safe_words(events: Events) -> str:
    """``2 stations (6.0 A drawn) and board evse (relay open) read back; not confirmed: ...``; empty without any."""
    read, failed = _outcomes(events)
    parts = [f"{_listed(_grouped(read))} read back"] if read else []
    parts += [f"not confirmed: {_listed(_grouped(failed))}"] if failed else []
    return "; ".join(parts)


def _outcomes(events: Events) -> tuple[dict[str, str], dict[str, str]]:
    """What each role that was commanded said in the end, and why the others count as not safe."""
    read: dict[str, str] = {}
    failed: dict[str, str] = {}
    for event in events:
        role, data = str(event.get("subject", "")), event.get("data")
        facts = data if isinstance(data, Mapping) else {}
        if event.get("kind") == "safe.commanded":
            failed.setdefault(role, "")
        elif event.get("kind") == "safe.confirmed":
            read[role] = str(facts.get("read", ""))
        elif event.get("kind") == "safe.failed":
            failed[role] = str(facts.get("reason", ""))
    return read, {role: why for role, why in failed.items() if role not in read}


def _grouped(said: Mapping[str, str]) -> list[str]:
    """Devices of one kind that said the same, together."""
    groups: dict[tuple[str, str], list[str]] = {}
    for role, text in said.items():
        kind, _, name = role.rpartition(".")
        groups.setdefault((_KINDS.get(kind, "station"), text), []).append(name if kind in _KINDS else role)
    return [_group(kind, names) + (f" ({text})" if text else "") for (kind, text), names in groups.items()]


_KINDS = {"board": "board", "safe": "device"}
"""By what stands before the dot of a role."""


def _group(kind: str, names: list[str]) -> str:
    many = kind if len(names) == 1 else f"{kind}s"
    return f"{many} {', '.join(names)}" if len(names) <= _MOST_NAMES else f"{len(names)} {many}"


def _listed(parts: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


def guardian_words(run: RunEvidence) -> str:
    """What the guardian of a run did, in a sentence; empty when it never had to."""
    events, _problems = run.guardian
    if not events:
        return ""
    done = [event for event in events if event.get("kind") == "guardian.done"]
    said = safe_words(events) or "it reached no device"
    end = "" if done else "; it did not get to its end"
    return f"The run left its rig without a safe state, and its guardian acted: {said}{end}."


def guardian_section(run: RunEvidence) -> str:
    """What the guardian did, event by event; nothing when it never had to."""
    events, problems = run.guardian
    if not events and not problems:
        return ""
    columns = ("utc", "kind", "subject")
    rows = [(*(esc(event.get(key, "")) for key in columns), prose(event.get("data", ""))) for event in events]
    texts = [guardian_words(run), *(f"Damaged: {problem}" for problem in problems)]
    body = paragraphs(filter(None, texts)) + table(("UTC", "event", "at", ""), rows, "log")
    return section("guardian", "What the guardian did", body)
