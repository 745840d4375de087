"""Random scenarios: the same for a seed, fair to the controller, and of every kind that they are meant to be of."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from hilbench.errors import InputError
from hilbench.rig import Rig, load_rig
from hilbench.rig_lint import lint
from hilbench.searching import fair
from hilbench.searching.draw import check_rig, draw
from hilbench.searching.play import ACTS
from hilbench.searching.scenario import Scenario
from hilbench_emulators.personality import load_personality, names
from tests.rigs import trio

RIGS = ("workplace-10", "europe-3ph", "home", "garage-54", "mixed-10")
SEEDS = range(60)


@pytest.fixture(scope="module")
def drawn() -> dict[str, list[Scenario]]:
    """Scenarios of every shipped rig that is emulated."""
    return {name: [draw(load_rig(name), seed) for seed in SEEDS] for name in RIGS}


def most_of_building(scenario: Scenario) -> float:
    """What the building draws at most on a line [A], motor starts at their running current."""
    quiet, top = 0.5 * scenario.rig.site.worst_base_a, 0.0
    for act in scenario.acts:
        added = act.facts.get("amps", act.facts.get("running_a"))
        top = max(top, added) if added is not None else top
    return quiet + top


@pytest.mark.parametrize("name", RIGS)
def test_a_seed_is_a_scenario(name: str, drawn: dict[str, list[Scenario]]) -> None:
    """Drawn again it is the same site with the same acts; the next seed is another one."""
    rig = load_rig(name)
    for seed in (0, 1):
        again = draw(rig, seed)
        assert (again.rig, again.acts, again.duration_s) == (
            drawn[name][seed].rig,
            drawn[name][seed].acts,
            drawn[name][seed].duration_s,
        )
    assert drawn[name][0].acts != drawn[name][1].acts


@pytest.mark.parametrize("name", RIGS)
def test_every_site_could_be_kept_by_somebody(name: str, drawn: dict[str, list[Scenario]]) -> None:
    """On every node what the stations draw at worst and the worst building are within the budget; rigs lint clean."""
    for scenario in drawn[name]:
        site = scenario.rig.electrical
        assert fair.unfair_nodes(site, scenario.least) == []
        errors = [finding for finding in lint(scenario.rig) if finding.severity == "error"]
        assert errors == []


def test_a_site_that_nobody_could_keep_is_found_out(drawn: dict[str, list[Scenario]]) -> None:
    """The rule can fail: with every station at its nameplate the same scarce sites break it."""
    unfair = 0
    for scenario in drawn["workplace-10"]:
        site = scenario.rig.electrical
        unfair += "service" in fair.unfair_nodes(site, {branch.role: branch.max_a for branch in site.branches})
    assert unfair > len(SEEDS) / 2


@pytest.mark.parametrize("name", RIGS)
def test_the_building_keeps_to_what_is_declared_or_says_so(name: str, drawn: dict[str, list[Scenario]]) -> None:
    """It draws no more than ``worst_base_a``; where it goes beyond, the least of all stations still fits the budget."""
    for scenario in drawn[name]:
        site, most = scenario.rig.electrical, most_of_building(scenario)
        if scenario.beyond:
            assert most <= fair.room_a(site, scenario.least) + 0.01
        else:
            assert most <= site.worst_base_a + 0.01


def test_every_make_of_station_is_known_by_how_far_it_can_be_held() -> None:
    """The table has each shipped personality and no other; what it says of the current is what the files do."""
    assert set(fair.manners()) == set(names())
    obeyed = {name for name in names() if not fair.is_unruly(name)}
    for name in obeyed:
        behaviour = load_personality(name).behaviour
        assert not behaviour.forgets or behaviour.power_up_a == 0.0
        assert not behaviour.start_window_s
        assert not behaviour.ignores_default_offline
        assert behaviour.clamp_min_a <= fair.least_a(load_rig("home").electrical.branches[0], name)


def test_everything_happens_somewhere(drawn: dict[str, list[Scenario]]) -> None:
    """Each act, each fault of meter, link and controller, and most makes occur within a few hundred scenarios."""
    every = [scenario for scenarios in drawn.values() for scenario in scenarios]
    assert {act.kind for scenario in every for act in scenario.acts} == set(ACTS)
    faults = Counter(fault for scenario in every for fault in scenario.faults)
    kinds = ("dead", "frozen", "nan", "zero", "reversed", "swapped")
    wanted = {f"meter {kind}" for kind in kinds} | {"controller kill", "controller suspend"}
    wanted |= {"link-cut reset", "link-cut half-open", "link-latency", "power-cycle"}
    assert wanted <= set(faults)
    assert len([fault for fault in faults if fault.startswith("make ")]) >= 15
    assert 0.05 < sum(scenario.beyond for scenario in every) / len(every) < 0.5


def test_faults_overlap(drawn: dict[str, list[Scenario]]) -> None:
    """In many scenarios a fault begins within ten seconds of another one of another kind."""
    close = 0
    for scenario in drawn["workplace-10"]:
        faults = [(act.t, act.kind) for act in scenario.acts if act.fault]
        close += any(abs(a[0] - b[0]) < 10.0 and a[1] != b[1] for a in faults for b in faults)
    assert close > len(SEEDS) / 4


def test_what_is_real_is_not_searched(tmp_path: Path) -> None:
    """An external controller would need real time: the rig is refused, and says why."""
    with pytest.raises(InputError, match="virtual time"):
        check_rig(load_rig("external"))


def test_exchanged_cts_are_only_where_the_breaker_bears_them(tmp_path: Path) -> None:
    """They occur while budget and building stay below its pick-up, and never on a site where they would not."""
    rig: Rig = load_rig(str(trio(tmp_path)))
    site = rig.electrical
    assert fair.bears_exchange(site, 20.0)
    assert not fair.bears_exchange(site, 40.0)
