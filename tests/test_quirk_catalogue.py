"""The catalogue of misbehaviours: complete, valid, playable, and proven where it says so."""

from __future__ import annotations

import json

import pytest

from hilbench.cli import main
from hilbench.controller.defects import DEFECTS
from hilbench.errors import InputError
from hilbench.procedures import select
from hilbench.quirk_proof import Proof, plan
from hilbench.rig import load_rig, rig_files
from hilbench.rig_quirks import with_quirk
from hilbench_emulators.dc_outlet.quirks import QUIRKS as DC_QUIRKS
from hilbench_emulators.personality import load_personality
from hilbench_emulators.quirks import Chosen, Quirk, chosen, quirks
from hilbench_emulators.vehicles import load_vehicle

ENTRIES = list(quirks().values())
RIG = load_rig("workplace-10")


def played(name: str, **values: float) -> Chosen:
    """An entry with other figures."""
    return Chosen(quirk=quirks()[name], values=values)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda one: one.id)
def test_an_entry_names_what_there_is(entry: Quirk) -> None:
    """Its procedure, its rig, its naive law and every parameter that is played."""
    if entry.procedure:
        assert select([entry.procedure])
    assert not entry.rig or entry.rig in rig_files()
    assert not entry.naive or entry.naive in DEFECTS
    text = entry.played(dict.fromkeys(entry.parameters, 7.0))
    assert "$" not in text
    assert all(f"${name}" in entry.use for name in entry.parameters)


@pytest.mark.parametrize("entry", [one for one in ENTRIES if one.by in ("vehicle", "personality")], ids=lambda o: o.id)
def test_a_car_or_station_can_be_made_of_it(entry: Quirk) -> None:
    """What is put in the place of a car or a make is read like any other."""
    use = entry.played({})
    assert load_vehicle(use) if entry.by == "vehicle" else load_personality(use)


def test_every_misbehaviour_of_dc_is_in_it() -> None:
    """By its number there; two of one report have letters."""
    found = {one.name: one.id for one in ENTRIES if one.id.startswith("D")}
    assert found.keys() == DC_QUIRKS.keys()
    assert (found["ignores-lowered-limit"], found["zero-is-no-limit"]) == ("D1", "D4a")


def test_figures_reach_the_rig() -> None:
    """A meter's interval, a car's dead time, a station's make, a controller's mistake."""
    assert with_quirk(RIG, played("M3", interval_s=5.0)).site_meter.interval_s == 5.0
    car = with_quirk(RIG, played("Q2", dead_time_s=9.0)).stations[0].vehicle
    assert load_vehicle(car).dead_time_s == 9.0
    make = with_quirk(RIG, played("E9", delay_s=3.0)).stations[0].personality
    assert load_personality(make).behaviour.delay_s == 3.0
    assert with_quirk(RIG, played("C1")).controller_title != RIG.controller_title


def test_one_station_or_all() -> None:
    """A single entry changes the first car only."""
    first, second, *_rest = with_quirk(RIG, played("Q1")).stations
    assert (first.vehicle != RIG.stations[0].vehicle, second.vehicle) == (True, RIG.stations[1].vehicle)


def test_a_dc_entry_is_for_stations_that_can_have_it() -> None:
    """Of three DC stations the one with the connector; a site without DC is refused."""
    rig = load_rig("mixed-dc")
    pairs = zip(rig.stations, with_quirk(rig, played("D10")).stations, strict=True)
    assert [new.role for old, new in pairs if old is not new] == ["chademo"]
    with pytest.raises(InputError, match="nothing here that could"):
        with_quirk(RIG, played("D10"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Q99", "no such quirk"),
        ("overdraw", "did you mean overdraws"),
        ("Q2:volts=3", "has no parameter 'volts'.*dead_time_s"),
        ("Q2:dead_time_s=soon", "'soon' is no number"),
    ],
)
def test_a_wrong_wish_is_told(text: str, message: str) -> None:
    """Unknown ids with what is near, unknown parameters with those that there are, and what is no number."""
    with pytest.raises(InputError, match=message):
        chosen(text)


def test_a_figure_out_of_range_is_told_by_its_key() -> None:
    """The meter of a rig answers every 15 s at the slowest."""
    with pytest.raises(InputError, match="interval_s"):
        with_quirk(RIG, played("M3", interval_s=99.0))


def test_list_and_show_tell_it(capsys: pytest.CaptureFixture[str]) -> None:
    """By culprit, in Markdown, and one with all that it says."""
    assert main(["quirks", "list", "--who", "meter"]) == 0
    assert main(["quirks", "list", "--markdown"]) == 0
    text = capsys.readouterr().out
    assert all(f"| {one.id} |" in text for one in ENTRIES)
    assert main(["quirks", "show", "M3", "stacked-admissions", "D4a", "C8"]) == 0
    told = capsys.readouterr().out
    assert "parameter   interval_s = 10 s" in told
    assert "shown by    13.3: the device fails" in told
    assert "not shown   " in told


def test_two_entries_are_proven(capsys: pytest.CaptureFixture[str]) -> None:
    """Each naive law fails where the reference passes; the whole catalogue is a command."""
    assert main(["quirks", "prove", "C1", "M1", "--jobs", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(one["naive_verdict"], one["reference_verdict"], one["proven"]) for one in found] == [
        ("FAIL", "PASS", True)
    ] * 2


@pytest.mark.parametrize(
    ("name", "naive", "reference", "holds"),
    [
        ("C1", "FAIL", "PASS", True),
        ("C1", "PASS", "PASS", False),
        ("C1", "FAIL", "FAIL", False),
        ("C1", "ERROR", "PASS", False),
        ("D1", "FAIL", "PASS", True),
        ("D1", "PASS", "PASS", False),
        ("D10", "PASS", "PASS", True),
        ("D10", "FAIL", "PASS", False),
    ],
)
def test_what_a_proof_takes(name: str, naive: str, reference: str, holds: bool) -> None:
    """A naive law that passes proves nothing, nor does a reference that fails, nor an error."""
    assert Proof(quirks()[name], naive, reference, "").holds is holds


def test_runs_are_made_once() -> None:
    """Two entries with the same reference run share it, hidden ones have none."""
    jobs = plan([quirks()[name] for name in ("M1", "M2a", "C8")], 1)
    assert [job.defect for job in jobs] == ["stale-as-zero", None, "holds-stale-meter"]
