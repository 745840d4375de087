"""Static sharing in the catalogue: a step plugs in as many cars as a controller without a meter can know to feed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from hilbench.controller.allocate import Array
from hilbench.controller.static import StaticCore
from hilbench.runner import Job, execute

FAIRNESS, TURNS = "2.5", "2.3"


def conduct(procedure: str, rig: str = "court-7") -> dict[str, Any]:
    """The result of ``procedure``, at first at a court where the worst building leaves 6 A to six of seven cars."""
    return execute(Job(rig, procedure, 1, None, policy="static"))


def failed(result: dict[str, Any]) -> set[str]:
    """Metrics that are out of their limit."""
    return {found["metric"] for found in result["measurements"] if found["verdict"] == "FAIL"}


def first_served(core: StaticCore, room: Array, caps: Array, order: Sequence[int]) -> Array:
    """Shares of a controller that gives the first who ask as much as they can take, and 6 A to the others."""
    share = np.zeros(len(caps))
    for amps in (6.0, 15.0):
        for column in sorted(order):
            trial = share.copy()
            trial[column] = amps
            if (np.abs(core.tree.load(trial)) <= room).all():
                share = trial
    return share


@pytest.mark.parametrize("procedure", [FAIRNESS, TURNS])
def test_equal_division_passes(procedure: str) -> None:
    """Five of the cars have the same, and all seven take turns."""
    result = conduct(procedure)
    assert (result["verdict"], result["error"]) == ("PASS", "")


def test_unequal_division_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """15 A for the first and 6 A for the others is found among the seven cars of a workplace that have 8 A each."""
    monkeypatch.setattr(StaticCore, "allotted", first_served)
    assert "jain_index" in failed(conduct(FAIRNESS, "workplace-10"))


def test_no_turns_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A static controller with which the first cars keep their places leaves the last one without."""
    monkeypatch.setattr(StaticCore, "order", lambda core, _t: np.flatnonzero(core._steered()).tolist())
    assert failed(conduct(TURNS)) == {"starvation_time"}
