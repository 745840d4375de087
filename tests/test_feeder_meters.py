"""Meters of feeders: played, read, and held against the meter of the service."""

from __future__ import annotations

from pathlib import Path

import pytest

from hilbench.controller.watch import MeterSample
from hilbench.errors import InputError
from hilbench.rig import load_rig
from hilbench.runner import Job, execute
from tests.controller_toy import Toy, toy
from tests.rigs import trio

FEEDER = '[[feeder]]\nid = "bays"\nrating_a = 50\n\n'
SUB = '[meter.bays]\nnode = "bays"\naddress = "tcp://127.0.0.1:5021"\nmap = "abb-b23"\n\n'
CHANGES = (
    ('vehicle = "model-3"\n\n', f'vehicle = "model-3"\nfeeder = "bays"\n\n{FEEDER}'),
    ("[building]", f"{SUB}[building]"),
)


def with_part(site_toy: Toy, amps: float, seconds: int, age_s: float = 0.0) -> None:
    """Seconds in which a feeder's meter shows ``amps``."""
    for _ in range(seconds):
        site_toy.advance()
        lines = dict.fromkeys(site_toy.site.lines, amps)
        site_toy.core.part("bays", MeterSample(site_toy.t - age_s, site_toy.number, lines, {}, {}))
        site_toy.core.meter(site_toy.sample())
        site_toy.decide()


def test_a_service_below_its_feeder_sends_everybody_to_the_fallback() -> None:
    """The service's meter shows 20 A, the feeder's 60 A: one of them is wrong, and the larger one may be right."""
    site_toy = toy(2, base_a=10.0, fallback_a=6.0)
    site_toy.run(200)
    assert max(site_toy.targets().values()) > 20.0
    site_toy.base_a = dict.fromkeys(site_toy.base_a, 0.0)
    with_part(site_toy, 200.0, 8)
    assert site_toy.core.watch.reason == "shows less than a feeder on L1"
    assert set(site_toy.targets().values()) == {6.0}


@pytest.mark.parametrize(("amps", "age_s"), [(20.0, 0.0), (float("nan"), 0.0), (500.0, 6.0)])
def test_a_feeder_that_fits_or_says_nothing_changes_nothing(amps: float, age_s: float) -> None:
    """Less than the service, no number, or older than half of stale_s."""
    site_toy = toy(2, base_a=10.0, fallback_a=6.0)
    site_toy.run(200)
    with_part(site_toy, amps, 30, age_s)
    assert site_toy.core.watch.reason == ""


def test_a_rig_plays_and_reads_a_feeders_meter(tmp_path: Path) -> None:
    """Its currents are recorded under its name, and the procedure passes as without it."""
    rig = trio(tmp_path, *CHANGES)
    assert list(load_rig(rig).feeder_meters) == ["bays"]
    done = execute(Job(str(rig), "7.2", 1, tmp_path / "run"))
    assert done["verdict"] == "PASS"
    assert "meter.bays" in load_rig(rig).roles


MISTAKES = {
    "no such feeder": ('node = "bays"', 'node = "bay"', "there is no feeder 'bay' (did you mean bays?)"),
    "the same node twice": ('node = "bays"', 'node = "service"', "would not be played beside meter.service"),
    "the same port": ("5021", "5020", "tcp://127.0.0.1:5020 is also meter.service.address"),
}


@pytest.mark.parametrize(("old", "new", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_feeders_meter_that_cannot_be_is_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    """By its key, before anything starts."""
    with pytest.raises(InputError) as told:
        load_rig(trio(tmp_path, *CHANGES[:1], (CHANGES[1][0], CHANGES[1][1].replace(old, new))))
    assert said in str(told.value)
    assert "meter.bays" in str(told.value)


def test_the_name_of_the_services_meter_is_not_a_feeders(tmp_path: Path) -> None:
    """What is recorded as service would be two meters."""
    swapped = CHANGES[1][1].replace("meter.bays", "meter.main").replace('node = "bays"', 'node = "service"')
    service = 'node = "service"\naddress = "tcp://127.0.0.1:5020"'
    feeder = 'node = "bays"\naddress = "tcp://127.0.0.1:5020"'
    rig = trio(tmp_path, CHANGES[0], (service, feeder), ("[building]", swapped))
    with pytest.raises(InputError, match=r"meter.service.node .*is not of the service but of 'bays' \(rename it\)"):
        load_rig(rig)
