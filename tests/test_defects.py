"""The deliberate mistakes of the reference controller: named, sourced, and each different from the good one."""

from __future__ import annotations

import pytest

from hilbench.controller.core import Core
from hilbench.controller.defects import DEFECTS, defect_named
from hilbench.controller.mistakes_port import PORTS
from hilbench.controller.settings import ControllerSettings
from hilbench.errors import InputError
from hilbench.procedures import catalogue
from hilbench.rig import rig_files
from hilbench.selftest import counterpart, defect_jobs, same_measurement
from tests.controller_toy import Toy, toy


def test_each_defect_says_what_it_is_where_it_was_seen_and_who_must_catch_it() -> None:
    """Title, public source and at least one procedure that exists."""
    known = {procedure.id for procedure in catalogue()}
    for name, defect in DEFECTS.items():
        assert defect.id == name
        assert defect.title
        assert defect.source
        assert defect.caught_by
        assert set(defect.caught_by) <= known


def test_each_defect_changes_something() -> None:
    """None is the good controller under another name."""
    for defect in DEFECTS.values():
        assert defect.core is not Core or defect.changes or not defect.with_fallback or defect.port


def test_what_a_defect_tells_stations_is_known_by_its_id() -> None:
    """Defects with a central system of their own are those of which there is one."""
    assert {name for name, defect in DEFECTS.items() if defect.port} == set(PORTS)


def test_a_defect_on_a_rig_of_its_own_names_a_shipped_one_and_runs_there() -> None:
    """Its job is for that rig, the others' for the rig that is proved; the good controller runs in the same place."""
    own = {name: defect.rig for name, defect in DEFECTS.items() if defect.rig}
    assert own
    assert set(own.values()) <= set(rig_files())
    for job in defect_jobs("workplace-10", (), 1):
        assert job.rig == own.get(job.defect or "", "workplace-10")
        good = counterpart(job)
        assert (good.defect, good.rig, good.procedure, good.seed) == (None, job.rig, job.procedure, job.seed)


def test_the_good_figure_beside_a_defects_is_of_the_same_measurement() -> None:
    """Of two measurements of one metric that at the same place counts; none where the other run has another."""
    first, second = {"metric": "t90", "value": 1.0}, {"metric": "t90", "value": 2.0}
    bad = {"measurements": [first, second]}
    assert same_measurement(second, bad, {"measurements": [first, {"metric": "t90", "value": 3.0}]}) == {
        "metric": "t90",
        "value": 3.0,
    }
    assert same_measurement(second, bad, {"measurements": [first]}) is None
    assert same_measurement(second, bad, {"measurements": [first, {"metric": "dead_time"}]}) is None


def test_a_changed_setting_is_one_that_exists() -> None:
    """A misspelt setting would make a defect that is none."""
    for defect in DEFECTS.values():
        assert set(defect.changes) <= set(ControllerSettings.model_fields)


def test_no_name_is_the_good_controller_and_a_wrong_name_lists_the_right_ones() -> None:
    """``None`` has no change; an unknown name is refused with those that exist."""
    good = defect_named(None)
    assert (good.core, good.changes, good.with_fallback) == (Core, {}, True)
    with pytest.raises(InputError, match="ignores-meter"):
        defect_named("forgets-everything")


def test_the_selftest_asks_the_first_procedure_of_each_defect() -> None:
    """One job per defect, in the procedure that must catch it."""
    jobs = defect_jobs("workplace-10", (), 1)
    assert {job.defect: job.procedure for job in jobs} == {name: d.caught_by[0] for name, d in DEFECTS.items()}


def with_defect(name: str) -> Toy:
    """A toy of four full cars whose controller has the mistake."""
    made = toy(4, base_a=10.0)
    defect = DEFECTS[name]
    made.core = defect.core(made.site, defect.settings(made.settings), made.t)
    made.connect()
    made.plug(*made.granted)
    made.run(150)
    return made


@pytest.mark.parametrize("name", ["ignores-meter", "clamps-overload", "slow-ramp-down"])
def test_a_mistake_in_shedding_leaves_the_overload_standing(name: str) -> None:
    """20 s after a step of the building the good controller is within its budget, and this one is not."""
    good = toy(4, base_a=10.0)
    good.run(150)
    for made in (good, bad := with_defect(name)):
        made.base_a["L1"] = 55.0
        made.run(12)
    assert max(good.measured().values()) <= 81.0
    assert max(bad.measured().values()) > 81.0
