"""What ``hilbench can decode --json`` prints."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from hilbench.canlogs.figures import series
from hilbench.canlogs.reading import Log
from hilbench.canlogs.report import Session


def to_json(log: Log, notes: list[str], found: list[tuple[int, Session]]) -> dict[str, Any]:
    """Everything that was found; null is what the log does not tell."""
    return {
        "source": log.source,
        "format": log.form,
        "frames": log.frames,
        "recordings": len(log.recordings),
        "timed": log.timed,
        "notes": notes,
        "sessions": [_session(number, session) for number, session in found],
    }


def _session(number: int, session: Session) -> dict[str, Any]:
    part = session.part
    return {
        "number": number,
        "recording": part.recording + 1,
        "begin_s": part.begin_s,
        "duration_s": part.said[-1].t,
        "frames": len(part.said),
        "foreign_frames": part.foreign,
        "car": list(session.car.facts) if session.car else None,
        "charger": list(session.charger.facts) if session.charger else None,
        "common_protocol": session.common,
        "charge_pct": session.charge_pct,
        "ramp_a_per_s": session.ramp_a_per_s,
        "energy": asdict(session.energy),
        "steps": [asdict(step) for step in session.steps],
        "offer_changes": [asdict(change) for change in session.changes],
        "end": asdict(session.ending),
        "rhythms": [{**asdict(one), "id": f"{one.id:X}"} for one in session.rhythms],
        "moments": [asdict(moment) for moment in session.moments],
        "series": [{"name": name, "unit": unit, "samples": samples} for name, unit, samples in series(part.said)],
        "not_known": list(session.unsure),
    }
