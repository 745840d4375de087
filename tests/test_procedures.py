"""Every step of the catalogue on a small rig: the good controller passes, one with a mistake fails."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hilbench import world
from hilbench.bench import Bench
from hilbench.errors import InputError
from hilbench.procedures import catalogue, random_day, select
from hilbench.rig import rig_files
from hilbench.runner import Job, execute
from tests.rigs import trio

CAUGHT = {
    "7.1": ("ignores-meter", "time_above_budget"),
    "7.2": ("raises-every-15-min", "recovery_time"),
    "7.3": ("ignores-meter", "time_above_budget"),
    "7.5": ("stacks-admissions", "time_above_rating"),
    "2.4": ("stacks-admissions", "share_above_budget"),
    "2.5": ("first-come-first-served", "jain_index"),
    "7.4": ("ignores-meter", "time_above_budget"),
    "2.3": ("never-rotates", "starvation_time"),
    "2.6": ("reserves-for-full-car", "utilisation"),
    "3.2": ("ignores-meter", "time_above_budget"),
    "3.3": ("ignores-meter", "time_above_budget"),
    "4.1": ("never-expires", "fallback_entry_time"),
    "4.2": ("fails-open-on-link-loss", "fallback_level"),
    "4.4": ("stale-as-zero", "fallback_entry_time"),
    "4.4b": ("trusts-frozen-meter", "fallback_entry_time"),
    "4.6": ("restarts-at-maximum", "time_above_rating"),
    "4.7": ("never-expires", "boot_peak"),
    "4.9": ("trusts-the-clock", "fallback_level"),
    "5.2": ("believes-negative", "fallback_entry_time"),
    "5.3": ("ignores-meter", "time_above_budget"),
}
"""Per procedure: a mistake on the small rig, and a metric that shows it."""
ELSEWHERE = (
    *("1.3", "2.1", "2.2", "9.3"),
    *("6.3", "7.1b", "9.1", "9.1b", "9.2", "9.4", "11.1", "3.5", "3.6"),
    *("13.1", "13.2", "13.3", "13.4", "13.5", "13.6", "13.7", "13.8", "13.9"),
    *("12.1", "12.2", "12.3", "12.3b", "12.4", "12.4b", "12.5", "12.6"),
)
"""Procedures on rigs of their own: test_grid_limits has those of a VTN and a tariff, test_v2g_day that of V2G,
test_pilot_rig those of the pilot wire, test_site_rules those of unbalance and of loads at feeders,
test_dc_procedures those of DC charging, test_document_procedures those of the rig's figures, test_export_cap 9.3."""
CROWDED = ("4.2", "4.6")
"""Procedures for which three cars are too few: one of them alone is a third of the site."""


def conduct(folder: Path, procedure: str, defect: str | None = None) -> dict[str, Any]:
    """The result of ``procedure`` on a small rig, for 7.4 of the first quarter of an hour of a day."""
    if procedure != "7.4":
        small = str(trio(folder))
        many = procedure in CROWDED if defect is None else procedure == "7.5"  # a burst of three is none
        rig = "workplace-10" if many else small
        return execute(Job(rig, procedure, 1, None, defect=defect))
    rows = [f"2024-06-05T00:0{n}:00,2024-06-05T00:14:00,{role},6.0," for n, role in enumerate("ABC", 1)]
    sessions = folder / "sessions.csv"
    sessions.write_text("\n".join(["arrival,departure,station,energy_kwh,max_power_kw", *rows]) + "\n")
    rig = str(trio(folder, ('model = "workplace"\npeak_a = 20', 'model = "constant"\npeak_a = 20')))
    return execute(Job(rig, procedure, 1, None, defect=defect, sessions=sessions, day=date(2024, 6, 5)))


@pytest.fixture(autouse=True)
def _short_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random_day, "DAY_S", 900.0)


@pytest.mark.parametrize("procedure", [one.id for one in catalogue() if one.id not in ELSEWHERE])
def test_the_good_controller_passes(tmp_path: Path, procedure: str) -> None:
    """The reference controller keeps every limit of every step."""
    result = conduct(tmp_path, procedure)
    assert (result["verdict"], result["error"]) == ("PASS", "")


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
@pytest.mark.parametrize("procedure", ["7.1", "7.2", "7.5", "3.2", "4.1", "4.2", "4.4", "4.7", "4.9"])
def test_the_good_controller_passes_with_newer_stations(tmp_path: Path, procedure: str, version: str) -> None:
    """It steers stations of OCPP 2.0.1 and 2.1 as it does those of 1.6."""
    rig = trio(tmp_path, ('ocpp = "1.6"', f'ocpp = "{version}"'))
    if procedure in CROWDED:
        rig = rig.with_name("crowded.toml")
        old = rig_files()["workplace-10"].read_text("utf-8")
        rig.write_text(old.replace('ocpp = "1.6"', f'ocpp = "{version}"'), "utf-8")
    result = execute(Job(str(rig), procedure, 1, None))
    assert (result["verdict"], result["error"]) == ("PASS", "")


@pytest.mark.parametrize("procedure", CAUGHT)
def test_a_mistake_fails(tmp_path: Path, procedure: str) -> None:
    """A controller with one realistic mistake fails the step by a metric that is about this mistake."""
    defect, metric = CAUGHT[procedure]
    result = conduct(tmp_path, procedure, defect)
    assert result["verdict"] == "FAIL"
    assert metric in {found["metric"] for found in result["measurements"] if found["verdict"] == "FAIL"}


def test_every_procedure_has_its_mistake() -> None:
    """No step of the catalogue is without a controller that fails it."""
    assert {*CAUGHT, *ELSEWHERE} == {procedure.id for procedure in catalogue()}


def test_the_day_reports_what_each_session_got(tmp_path: Path) -> None:
    """The table of sessions names every car with the energy asked for and delivered."""
    tables = {table["title"]: table for table in conduct(tmp_path, "7.4")["tables"]}
    rows = tables["Sessions"]["rows"]
    assert [(row[0], row[1], row[3]) for row in rows] == [
        ("A", "06-05 00:01", "6.00"),
        ("B", "06-05 00:02", "6.00"),
        ("C", "06-05 00:03", "6.00"),
    ]
    # 48 A less 20 A of building are 28 A of 240 V for three cars, for a quarter of an hour less the start
    assert 0.8 < sum(float(row[5]) for row in rows) < 28 * 240 / 1000 / 4
    assert tables["Peak per line"]["rows"][0][:2] == ["service", "L1"]


def test_a_rig_that_lacks_what_a_step_needs_does_not_run_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a link that the bench can cut, the link cut is NOT_RUN and says what is missing."""
    monkeypatch.setattr(world, "_can_link", lambda _rig: False)
    result = execute(Job(str(trio(tmp_path)), "4.2", 1, None))
    assert (result["verdict"], result["notes"]) == ("NOT_RUN", ["the rig has no link"])


def test_a_controller_that_lets_nobody_charge_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no car charges when a step needs one, the result says so instead of stumbling."""
    monkeypatch.setattr(Bench, "charging_roles", lambda _self: [])
    result = execute(Job(str(trio(tmp_path)), "4.7", 1, None))
    assert result["verdict"] == "ERROR"
    assert "no car charges" in result["error"]


def test_procedures_are_found_by_id_and_by_key() -> None:
    """Both names select the same step, in catalogue order; an unknown one lists what there is."""
    assert [p.id for p in select(["fairness", "7.1"])] == ["7.1", "2.5"]
    assert select([]) == catalogue()
    with pytest.raises(InputError, match=r"no procedure 9\.9; there are 1\.3 \(nameplates\)"):
        select(["9.9"])
