"""A small run of made-up values, for the tests of the evidence floor."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hilbench.evidence.folder import RunFolder
from hilbench.requirements.profile import Clause
from hilbench.signals import Record, Source
from hilbench.verdict import Measurement, Plot, ProcedureResult, Verdict

EPOCH = datetime(2024, 6, 4, 16, 0, tzinfo=UTC)
META: dict[str, Any] = {
    "site": {
        "name": "testville",
        "timezone": "America/Los_Angeles",
        "nodes": [{"id": "service", "limit_a": 80.0, "rating_a": 100.0}],
    },
    "controller": {"kind": "reference"},
    "time": {"mode": "virtual"},
    "seed": 7,
    "command": ["hilbench", "run", "rig one.toml", "--seed", "7"],
    "plan": [
        {"key": "7.1-step", "id": "7.1", "title": "step <up>"},
        {"key": "4.1-stop", "id": "4.1", "title": "controller stops", "reason": "the rig has no controller.suspend"},
    ],
    "started_utc": EPOCH,
}


def clause(metric: str = "time_above_budget", limit: float = 30.0, op: str = "<=", unit: str = "s") -> Clause:
    """A clause of a made-up profile."""
    return Clause.model_validate(
        {
            "id": f"c-{metric}",
            "metric": metric,
            "op": op,
            "limit": {"constant": limit},
            "unit": unit,
            "guard": "U",
            "source": "made up & tested",
            "confidence": "policy-default",
            "text": "as the test says",
            "profile": "test-v0",
            "edition": "1",
        }
    )


def measurement(
    verdict: Verdict = Verdict.PASS, value: float = 3.217, uncertainty: float = 0.82, **more: Any
) -> Measurement:
    """A judged value."""
    wanted = clause()
    given = {"metric": wanted.metric, "unit": "s", "clause": wanted, "limit_value": 30.0, "op": "<=", **more}
    return Measurement(value=value, uncertainty=uncertainty, verdict=verdict, **given)


def result(*measurements: Measurement, **more: Any) -> dict[str, Any]:
    """A procedure's result as its runner writes it."""
    verdict = Verdict.PASS if all(one.verdict is Verdict.PASS for one in measurements) else measurements[0].verdict
    given: dict[str, Any] = {"id": "7.1", "title": "step <up>", "verdict": verdict, "seed": 7, **more}
    plots = given.pop("plots", (Plot("Current", "A", ("current/service/L1",), (("budget", 80.0),), ((10.0, "step"),)),))
    made = ProcedureResult(
        measurements=measurements, started_utc=EPOCH.isoformat(), duration_s=60.0, plots=plots, **given
    )
    return made.to_dict()


def record() -> Record:
    """A step of 30 A at 10 s that is answered at 45 s, on one line, with two commands."""
    made = Record()
    current = made.signal("current/service/L1", "A", "linear")
    for t, value in ((0.0, 70.0), (10.0, 70.0), (10.0, 100.5), (45.0, 100.5), (46.0, 75.0), (60.0, 75.0)):
        current.append(t, value)
    offered = made.signal("offered/A", "A", source=Source("meter-1", "instrument", 0.5, "cal 17"))
    offered.append(0.0, 16.0)
    offered.append(44.0, 6.0)
    made.event(10.0, "stimulus.step", "service", amps=30.5)
    made.event(1.0, "command.profile", "A", limit_a=16.0, purpose="TxDefaultProfile")
    made.event(44.0, "command.profile", "A", limit_a=6.125, purpose="TxDefaultProfile")
    return made


def small_run(out: Path, *measurements: Measurement, status: str | None = "FINISHED", **more: Any) -> Path:
    """A run with one procedure done and one not run; ``status`` None leaves it as a kill would."""
    run = RunFolder.create(out, META)
    folder = run.procedure("7.1-step", about={"id": "7.1", "title": "step <up>"})
    folder.follow(record(), EPOCH)
    folder.flush()
    if status is None:
        return run.path
    folder.finish(result(*(measurements or (measurement(),)), **more), {"A": "ab" * 32})
    run.finish(status)  # type: ignore[arg-type]
    return run.path


NEVER = math.inf
