"""Cars that give, and the load goes away: AC and DC, with the reference controller and one that minds no limit."""

from __future__ import annotations

import pytest

from hilbench.runner import Job, execute

RIGS = ["v2g-6", "mixed-dc"]


@pytest.mark.parametrize("rig", RIGS)
def test_what_is_fed_in_is_taken_back(rig: str) -> None:
    """The reference controller keeps the export limit when the peak that cars give into ends."""
    assert execute(Job(rig, "9.3", 1, None, policy="v2g"))["verdict"] == "PASS"


@pytest.mark.parametrize("rig", RIGS)
def test_an_export_limit_that_nobody_minds_is_seen(rig: str) -> None:
    """Giving on for a minute is longer than the limit allows."""
    found = execute(Job(rig, "9.3", 1, None, policy="v2g", defect="ignores-export-limit"))
    assert [one["metric"] for one in found["measurements"] if one["verdict"] == "FAIL"] == ["export_excess_time"]


def test_without_power_from_cars_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A peak that the cars do not answer is no pass."""
    monkeypatch.setattr("hilbench.bench.Bench.evening_peak_a", lambda _self, _share: 1.0)
    assert execute(Job("v2g-6", "9.3", 1, None))["verdict"] == "FAIL"
