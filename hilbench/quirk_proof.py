"""That every entry of the catalogue of misbehaviours is one: the naive law fails with it, the reference passes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hilbench.runner import Job
from hilbench_emulators.quirks import Quirk

GIVES = ("13.6",)
"""Procedures in which cars give power back, which takes the policy v2g."""


@dataclass(frozen=True)
class Proof:
    """An entry with what became of it: verdicts of the naive law (or of the device) and of the reference."""

    quirk: Quirk
    naive: str
    reference: str
    reason: str

    @property
    def holds(self) -> bool:
        """The naive law fails where the reference passes; a device that fails does not pass, one that is coped with
        does."""
        if self.quirk.device:
            return (self.naive == "PASS") == (self.quirk.device == "copes") and self.reference == "PASS"
        return self.naive == "FAIL" and self.reference == "PASS"


def jobs(entry: Quirk, seed: int) -> tuple[Job, Job]:
    """What must fail, and what must pass beside it; for a device: with the misbehaviour, and without."""
    good = Job(entry.rig, entry.procedure, seed, None, policy="v2g" if entry.procedure in GIVES else None)
    if entry.device:
        return replace(good, quirks=(entry.id,)), good
    good = replace(good, quirks=() if entry.by in ("controller", "procedure") else (entry.id,))
    return replace(good, defect=entry.naive), good


def plan(entries: Iterable[Quirk], seed: int) -> list[Job]:
    """Every run that the proofs of the entries need, each once."""
    return list(dict.fromkeys(job for entry in entries if not entry.hidden for job in jobs(entry, seed)))


def proof(entry: Quirk, seed: int, results: Mapping[Job, dict[str, Any]], reasons: Mapping[Job, str]) -> Proof:
    """The proof of an entry from what its runs said; ``reasons`` are their worst findings in words."""
    naive, good = jobs(entry, seed)
    return Proof(entry, results[naive]["verdict"], results[good]["verdict"], reasons[naive])
