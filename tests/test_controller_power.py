"""Limits of power at the meter: the contract, and a signal of the grid, in a closed loop with a toy site."""

from __future__ import annotations

import pytest

from hilbench.controller.settings import ControllerSettings
from tests.controller_toy import Toy, toy


def import_kw(made: Toy) -> float:
    """What the whole site takes now."""
    return sum(made.sample().powers.values()) / 1000.0


def site(**options: object) -> Toy:
    """Four cars on three phases with 200 A, five minutes on."""
    made = toy(4, 200.0, wiring="three-phase", **options)  # type: ignore[arg-type]  # of toy()
    made.run(300)
    return made


@pytest.mark.parametrize("contract_kw", [25.0, 40.0, 60.0])
def test_the_contract_is_kept_and_used(contract_kw: float) -> None:
    """With 10 A building on each line the site takes what its contract allows, and no more."""
    made = site(contract_kw=contract_kw, base_a=10.0)
    assert contract_kw - 2.0 <= import_kw(made) <= contract_kw + 0.1


def test_a_building_that_rises_makes_the_cars_give_way() -> None:
    """20 A more on each line, and ten seconds later the contract holds again."""
    made = site(contract_kw=50.0, base_a=10.0)
    made.base_a = dict.fromkeys(made.base_a, 30.0)
    made.run(10)
    assert import_kw(made) <= 50.1


def test_a_signal_limits_the_import_for_its_time() -> None:
    """A limit from the grid is kept, and after its end the site comes back to where it was."""
    made = site(base_a=10.0)
    before = import_kw(made)
    made.core.limit_import(30.0)
    made.run(15)
    assert import_kw(made) <= 30.1
    made.core.limit_import(None)
    made.run(500)
    assert import_kw(made) == pytest.approx(before, rel=0.03)


def test_a_limit_below_the_building_leaves_nothing() -> None:
    """Nobody charges while the building alone takes more than it may."""
    made = site(base_a=50.0)
    made.core.limit_import(20.0)
    made.run(15)
    assert set(made.targets().values()) == {0.0}


def test_without_a_meter_the_building_is_taken_at_its_worst() -> None:
    """Fallbacks that would pass the contract beside the worst building are cut as well."""
    made = site(base_a=10.0, contract_kw=30.0, fallback_a=6.0, worst_base_a=30.0)
    made.run(60, meter=False)
    assert sum(1 for amps in made.targets().values() if amps >= 6.0) == 2  # 9.2 kW left: two of 4.2 kW


def test_what_the_site_generates_may_be_charged_with() -> None:
    """With 20 kW from the roof the cars may have as much more than the contract gives, and the meter is believed."""
    made = site(contract_kw=15.0, settings=ControllerSettings(allow_export=True, raise_hold_s=10.0))
    less = sum(car.drawn_a for car in made.cars.values())
    volts = made.site.service.line_to_neutral_v

    def sunny() -> None:
        made.number += 1
        amps = {line: made.drawn(line) - 20_000.0 / 3.0 / volts for line in made.base_a}
        powers = {line: value * volts for line, value in amps.items()}
        sample = made.sample(currents=0.0)
        for line, value in amps.items():
            sample.currents[line], sample.powers[line] = abs(value), powers[line]
        made.core.meter(sample)

    for k in range(400):
        made.advance()
        sunny()
        made.decide()
        assert k < 10 or made.core.watch.trusted(made.t)
    more = sum(car.drawn_a for car in made.cars.values())
    assert (more - less) * 3.0 * volts == pytest.approx(20_000.0, rel=0.1)
