"""Cars as data, and what they make of a duty cycle."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilbench.errors import InputError
from hilbench_emulators.onboard_charger import OnboardCharger
from hilbench_emulators.pilot import PROFILES, current_of_duty, duty_of_current, rules
from hilbench_emulators.vehicles import Vehicle, load_vehicle, vehicle_names


def test_at_least_twelve_real_cars_are_shipped() -> None:
    """Every shipped car loads, and names the source of every figure."""
    cars = [load_vehicle(name) for name in vehicle_names()]
    assert len(cars) >= 12
    assert all(car.timing_source and car.battery_source for car in cars)
    assert all(response.source for car in cars for response in car.responses)


@pytest.mark.parametrize(
    ("name", "phases", "offered_a", "drawn_a"),
    [
        ("spring", 1, 6.0, 6.515),
        ("polestar-2", 1, 6.0, 6.24),
        ("mg4", 1, 16.0, 14.87),
        ("leaf-40", 1, 32.0, 30.3),
        ("zoe-ze50", 3, 6.0, 6.71),
        ("model-3", 3, 9.8, 10.1),
        ("ioniq-5", 1, 6.0, 5.59),
    ],
)
def test_cars_draw_what_was_measured(name: str, phases: int, offered_a: float, drawn_a: float) -> None:
    """The response tables give back the measured currents of the logs they were fitted to."""
    assert load_vehicle(name).response(phases).drawn_a(offered_a) == pytest.approx(drawn_a, abs=0.15)


def test_an_unknown_car_names_a_close_one() -> None:
    """A misspelt name is answered with the name that was meant."""
    with pytest.raises(InputError, match="did you mean leaf-40"):
        load_vehicle("leaf-4")


def test_every_wrong_key_of_a_users_car_is_named(tmp_path: Path) -> None:
    """A user's own file is checked as a whole: each wrong key is reported, not only the first."""
    path = tmp_path / "mine.toml"
    path.write_text(
        'title = "x"\nbattery_kwh = -1\nspeed = 3\ntiming_source = "a"\nbattery_source = "b"\nresponse = []\n'
    )
    with pytest.raises(InputError) as found:
        load_vehicle(str(path))
    assert {problem.where for problem in found.value.problems} == {"battery_kwh", "response", "speed"}


@given(st.floats(6.0, 80.0))
def test_what_a_station_offers_is_what_a_car_reads(current_a: float) -> None:
    """Encoding a current as duty and reading it back gives the same current, but for the gap from 51 to 52.5 A."""
    read = current_of_duty(duty_of_current(current_a))
    assert read == pytest.approx(51.0 if 51.0 < current_a <= 52.5 else current_a)


@pytest.mark.parametrize(
    ("profile", "duty_pct", "current_a"),
    [
        ("iec2017", 7.9, 0.0),
        ("iec2017", 8.0, 6.0),
        ("iec2017", 85.0, 51.0),
        ("iec2017", 97.0, 80.0),
        ("iec2017", 97.1, 0.0),
        ("j1772_2010", 9.9, 0.0),
        ("j1772_2017", 9.4, 0.0),
        ("j1772_2017", 9.5, 6.0),
        ("j1772_2017", 96.6, 0.0),
    ],
)
def test_the_edges_of_the_bands_are_those_of_the_edition(profile: str, duty_pct: float, current_a: float) -> None:
    """Editions disagree at the edges of the bands; a profile keeps to its own."""
    assert current_of_duty(duty_pct, PROFILES[profile]) == current_a


def test_unknown_duty_rules_list_the_known_ones() -> None:
    """A misspelt profile of duty rules is answered with the list."""
    with pytest.raises(InputError, match="iec2017"):
        rules("iec2016")


@pytest.mark.parametrize(("rules_of_car", "drawn_a"), [("iec2017", 6.0), ("strict", 0.0)])
def test_a_car_reads_the_pilot_by_its_own_table(tmp_path: Path, rules_of_car: str, drawn_a: float) -> None:
    """9 % are 6 A to a car that follows IEC 61851-1, and nothing to one that knows the linear bands only."""
    model = (resources.files("hilbench_emulators") / "vehicle_data" / "leaf-40.toml").read_text()
    path = tmp_path / "own.toml"
    path.write_text(f'duty_rules = "{rules_of_car}"\n{model}')
    charger = OnboardCharger(load_vehicle(str(path)), 1, 32.0)
    charger.offer(0.0, 9.0)
    assert charger.offered_a == drawn_a


def test_a_car_may_read_by_every_table() -> None:
    """What a vehicle file may name is what there is."""
    assert set(get_args(Vehicle.model_fields["duty_rules"].annotation)) == set(PROFILES)
