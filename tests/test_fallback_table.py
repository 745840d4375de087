"""The table of fallbacks: its figures are the site's and the settings', and its sums can fail."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from hilbench.cli import cli
from hilbench.controller.fallbacks import losses, sums
from hilbench.controller.settings import ControllerSettings
from hilbench.procedures import catalogue
from hilbench.reference import fallback_table
from hilbench.rig import load_rig, rig_files
from tests.controller_toy import site
from tests.rigs import trio


@pytest.mark.parametrize("name", sorted(rig_files()))
def test_every_shipped_rig_holds_on_its_fallbacks(name: str) -> None:
    """The sum rule is kept at every node, unless cars must give what the building takes alone."""
    rig = load_rig(name)
    alone = rig.site.worst_base_a > rig.electrical.nodes[0].limit_a
    assert alone or all(node.kept for node in fallback_table(rig)[1])


def test_fallbacks_that_add_up_to_too_much_are_told(tmp_path: Path) -> None:
    """Three of 10 A beside a building of 20 A on 48 A: the exit code is 1, and the line says so."""
    rig = trio(tmp_path, ("fallback_a = 6", "fallback_a = 10"))
    result = CliRunner().invoke(cli, ["site", "fallbacks", str(rig)], env={"COLUMNS": "200"}, standalone_mode=False)
    assert result.return_value == 1
    assert "service: fallbacks 30.0 A + building 20.0 A per line, budget 48.0 A: NOT KEPT" in result.output


def test_the_figures_are_those_of_the_settings() -> None:
    """Changed times are changed rows; what is not there is not in the table."""
    plain = {one.lost: one for one in losses(site(2), ControllerSettings())}
    changed = ControllerSettings(lease_s=77.0, stale_s=33.0, frozen_s=44.0, policy="coordinated")
    other = {one.lost: one for one in losses(site(2), changed)}
    after = [other[name].after_s for name in ("controller (stopped, killed, hung)", "meter silent, implausible")]
    assert after == [77.0, 33.0]
    assert other["meter frozen"].after_s == 44.0
    assert set(other) - set(plain) == {"solver late or failed"}


def test_every_procedure_that_is_named_exists() -> None:
    """A row that says who shows it tells the truth."""
    known = {procedure.id for procedure in catalogue()}
    named = {one.proc for one in losses(site(2), ControllerSettings())}
    assert named - known <= {"3.2", "4.9", "9.2"}


def test_feeders_are_summed_too() -> None:
    """Each node has its own sum; the building counts at the service."""
    found = sums(load_rig("europe-3ph").electrical)
    assert [one.node for one in found] == ["service", "row-1", "row-2"]
    assert [one.building_a for one in found] == [25.0, 0.0, 0.0]
