"""The building's own load."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest

from hilbench.errors import InputError
from hilbench.site import Service
from hilbench_emulators.building import BuildingLoad, amps_per_kw, constant_load, line_shares
from hilbench_emulators.curves import Polyline
from hilbench_emulators.injections import Inrush, Step

SPLIT = Service(rating_a=100, voltage_v=240, wiring="split-phase")
THREE = Service(rating_a=400, voltage_v=400, wiring="three-phase", frequency_hz=50)


def test_currents_are_phasors_at_the_angles_of_the_site() -> None:
    """Each line's current lags its own voltage by the angle of the power factor."""
    load = constant_load(THREE, 10.0, power_factor=0.8)
    lag = math.degrees(math.acos(0.8))
    angles = [math.degrees(cmath.phase(value)) for value in load.currents(0.0)]
    assert np.abs(load.currents(0.0)) == pytest.approx([10.0] * 3)
    assert angles == pytest.approx([-lag, -120.0 - lag, 120.0 - lag])


def test_injections_add_to_the_rms_current_on_their_lines_only() -> None:
    """A step on L2 leaves L1 alone, and its amperes add to those that flow."""
    load = constant_load(SPLIT, 30.0)
    load.add(Step(10.0, 40.0, lines=("L2",)))
    assert load.base_a(9.9).tolist() == [30.0, 30.0]
    assert load.base_a(10.0, before=True).tolist() == [30.0, 30.0]
    assert load.base_a(10.0).tolist() == [30.0, 70.0]
    assert np.abs(load.currents(10.0)) == pytest.approx([30.0, 70.0])


def test_the_next_kink_is_the_soonest_of_all_parts() -> None:
    """Kinks of the curve and of every injection are announced in order."""
    load = BuildingLoad(Polyline([0.0, 50.0], [[1.0, 1.0], [2.0, 2.0]]), SPLIT)
    load.add(Step(20.0, 5.0, duration_s=10.0))
    kinks, t = [], -1.0
    while (t := load.next_kink(t)) < math.inf:
        kinks.append(t)
    assert kinks == [0.0, 20.0, 30.0, 50.0]


def test_an_injection_can_be_taken_away() -> None:
    """Removing gives back the load without it; removing again, or an equal other one, does nothing."""
    load = constant_load(SPLIT, 30.0)
    first, second = load.add(Step(0.0, 5.0)), load.add(Step(0.0, 5.0))
    load.remove(first)
    load.remove(first)
    load.remove(Step(0.0, 5.0))
    assert load.base_a(1.0).tolist() == [35.0, 35.0]
    load.remove(second)
    assert load.base_a(1.0).tolist() == [30.0, 30.0]


def test_whoever_watches_is_told_of_changes() -> None:
    """Adding and removing call ``on_change``, so that a plant records the jump."""
    calls: list[int] = []
    load = constant_load(SPLIT, 30.0)
    load.on_change = lambda: calls.append(1)
    load.remove(load.add(Inrush(0.0, 5.0)))
    assert len(calls) == 2


@pytest.mark.parametrize("lines", [("L3",), ("L1", "N"), ()])
def test_an_injection_on_a_line_that_is_not_there_is_refused(lines: tuple[str, ...]) -> None:
    """The error names the lines of the site."""
    with pytest.raises(InputError, match="use L1 L2"):
        constant_load(SPLIT, 0.0).add(Step(0.0, 1.0, lines=lines))


@pytest.mark.parametrize("power_factor", [0.0, -0.5, 1.01, math.nan])
def test_a_power_factor_is_above_0_and_at_most_1(power_factor: float) -> None:
    """Anything else is an input error."""
    with pytest.raises(InputError, match="power_factor"):
        constant_load(SPLIT, 1.0, power_factor=power_factor)


def test_power_becomes_current_by_voltage_power_factor_and_share() -> None:
    """24 kW on a 240 V split-phase service at unity power factor is 100 A in each line."""
    assert amps_per_kw(SPLIT, line_shares(SPLIT, None), 1.0) * 24.0 == pytest.approx([100.0, 100.0])
    uneven = amps_per_kw(SPLIT, line_shares(SPLIT, {"L1": 0.75, "L2": 0.25}), 0.5) * 24.0
    assert uneven == pytest.approx([300.0, 100.0])


@pytest.mark.parametrize(
    ("shares", "what"), [({"L3": 1.0}, "no such line"), ({"L1": 0.5}, "add up to 0.5"), ({"L1": 1.5}, "not in 0..1")]
)
def test_shares_that_are_none_are_refused(shares: dict[str, float], what: str) -> None:
    """Shares are of known lines, in 0..1, and add up to 1."""
    with pytest.raises(InputError, match=what):
        line_shares(SPLIT, shares)
