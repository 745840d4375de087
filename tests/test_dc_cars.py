"""Cars at DC outlets as data: every figure with its source, from shipped files and from a user's."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hilbench_emulators
from hilbench.errors import InputError
from hilbench_emulators.dc.cars import Discharge, car_names, load_car
from hilbench_emulators.dc.open_ev_data import load_open_ev_car
from hilbench_emulators.dc.power_module import load_module, module_names

OPEN_EV_DATA = Path(os.environ.get("HILBENCH_OPEN_EV_DATA", ""))
LEAF = Path(hilbench_emulators.__file__).parent / "dc" / "car_data" / "leaf-40.toml"
ENTRY: dict[str, Any] = {
    "id": "u5",
    "brand": "Maker",
    "model": "One",
    "variant": "Long",
    "usable_battery_size": 63,
    "dc_charger": {
        "ports": ["ccs"],
        "charging_curve": [{"percentage": 0, "power": 95.0}, {"percentage": 100, "power": 6.6}],
        "is_default_charging_curve": False,
    },
}
HUGE = [{"percentage": 0, "power": 1e308}, {"percentage": 100, "power": 5.0}]


def written(folder: Path, *entries: object) -> Path:
    """A file of cars."""
    path = folder / "cars.json"
    path.write_text(json.dumps({"data": list(entries)}))
    return path


def entry(**changes: object) -> dict[str, Any]:
    """A car like ``ENTRY`` with other figures."""
    return {**ENTRY, **changes}


def charger(**changes: object) -> dict[str, Any]:
    """Its DC charger with other figures."""
    return {**ENTRY["dc_charger"], **changes}


def test_the_shipped_cars_are_those_of_the_table() -> None:
    """Three cars: CHAdeMO, CCS with 400 V, CCS with 800 V."""
    cars = {name: load_car(name) for name in car_names()}
    assert {name: car.port for name, car in cars.items()} == {
        "id-3-58": "ccs",
        "ioniq-5": "ccs",
        "leaf-40": "chademo",
    }
    voltages = {name: round(car.battery.open_v(0.5)) for name, car in cars.items()}
    assert voltages == {"leaf-40": 361, "id-3-58": 406, "ioniq-5": 677}
    assert cars["leaf-40"].min_a == 6.0
    assert cars["leaf-40"].curve_w.at(0.62) == 45_000.0
    assert cars["leaf-40"].discharge == Discharge(15.0, 250.0, 0.1)


@pytest.mark.parametrize("name", car_names())
def test_every_figure_of_a_car_has_its_source(name: str) -> None:
    """Each key has a confidence and words; what is assumed does not pass for known."""
    sources = load_car(name).sources
    assert len(sources) >= 13
    assert all(len(text) > 3 for _confidence, text in sources.values())
    assert sources["resistance_ohm"][0] == ("measured" if name == "leaf-40" else "policy-default")
    assert sources["cells"][0] == "recalled"


@pytest.mark.parametrize("name", module_names())
def test_every_figure_of_a_module_has_its_source(name: str) -> None:
    """Each key has a confidence and words."""
    sources = load_module(name).sources
    assert {"load", "standby_w", "up_a_per_s", "down_a_per_s"} <= set(sources)


def test_a_figure_without_a_source_is_refused(tmp_path: Path) -> None:
    """A user's file must say where each figure is from, and speak of none that it does not give."""
    text = LEAF.read_text().replace("\ncells = [", "\nsells = [")
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InputError, match="no source for cells"):
        load_car(str(path))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[100.0, 15.0]", "[90.0, 15.0]", "from 0 to 100 %"),
        ("[0.0, 41.0]", "[1.0, 41.0]", "from 0 to 100 %"),
        ("[62.0, 45.0]", "[66.0, 45.0]", "must rise"),
        ('"waits"\n', '"ends"\n', "gives_up_s belongs to"),
        ("cells = 96", "cells = 0", "cells: must be greater than"),
        ('port = "chademo"', 'port = "type2"', "port: must be 'ccs' or 'chademo'"),
    ],
)
def test_a_wrong_figure_of_a_car_is_named(old: str, new: str, message: str, tmp_path: Path) -> None:
    """The message says which key is wrong and what it must be."""
    text = LEAF.read_text()
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        load_car(str(path))


@pytest.mark.parametrize("choice", ["u5", "Maker One Long", "  maker  ONE long ", "one long"])
def test_a_users_car_is_found(choice: str, tmp_path: Path) -> None:
    """By its id, by brand, model and variant in any case, or by words that fit only one."""
    path = written(tmp_path, entry(id="other", model="Two"), ENTRY)
    car = load_open_ev_car(path, choice)
    assert (car.name, car.title) == ("u5", "Maker One Long")
    assert car.battery.stored_j(1.0) == pytest.approx(63 * 3.6e6)
    assert car.curve_w.at(0.5) == pytest.approx(50_800.0)


def test_what_a_users_car_lacks_is_assumed_and_said_so(tmp_path: Path) -> None:
    """Ports, capacity and curve are the file's; everything else says that it is assumed."""
    car = load_open_ev_car(written(tmp_path, ENTRY), "u5")
    assumed = {key for key, (confidence, _text) in car.sources.items() if confidence == "policy-default"}
    assert set(car.sources) - assumed == {"port", "usable_kwh", "curve"}
    default = entry(dc_charger=charger(is_default_charging_curve=True))
    assert load_open_ev_car(written(tmp_path, default), "u5").sources["curve"][0] == "policy-default"


def test_a_car_that_would_need_too_much_current_is_of_the_800_v_class(tmp_path: Path) -> None:
    """A curve of 232 kW takes 192 cells, unless the caller says how many there are."""
    curve = [{"percentage": 0, "power": 200}, {"percentage": 22, "power": 232}, {"percentage": 100, "power": 11}]
    path = written(tmp_path, entry(dc_charger=charger(charging_curve=curve)))
    assert load_open_ev_car(path, "u5").battery.cells == 192
    assert load_open_ev_car(path, "u5", cells=180).battery.cells == 180
    assert load_open_ev_car(written(tmp_path, ENTRY), "u5").battery.cells == 96
    tesla = entry(dc_charger=charger(charging_curve=curve, ports=["ccs", "tesla_suc"]))
    assert load_open_ev_car(written(tmp_path, tesla), "u5").battery.cells == 96


def test_a_chademo_car_is_like_the_leaf(tmp_path: Path) -> None:
    """It has the least current and the ramp of the shipped CHAdeMO car; with both ports, CCS comes first."""
    car = load_open_ev_car(written(tmp_path, entry(dc_charger=charger(ports=["tesla_suc", "chademo"]))), "u5")
    assert (car.port, car.min_a, car.up_a_per_s, car.below_minimum) == ("chademo", 6.0, 20.0, "waits")
    both = written(tmp_path, entry(dc_charger=charger(ports=["chademo", "ccs"])))
    assert load_open_ev_car(both, "u5").port == "ccs"
    assert load_open_ev_car(both, "u5", port="chademo").port == "chademo"


@pytest.mark.parametrize(
    ("found", "choice", "message"),
    [
        (entry(dc_charger=None), "u5", "Maker One Long: has no DC charger"),
        (entry(usable_battery_size=-1), "u5", "usable_battery_size: must be greater than or equal to 0.5"),
        (entry(usable_battery_size=1e300), "u5", "usable_battery_size: must be less than or equal to 10000"),
        (entry(dc_charger=charger(charging_curve=HUGE)), "u5", "power: must be less than or equal to 10000"),
        (entry(dc_charger=charger(ports=["tesla_suc"])), "u5", "neither CCS nor CHAdeMO"),
        (entry(dc_charger={"ports": ["ccs"]}), "u5", "dc_charger.charging_curve: is missing"),
        (entry(dc_charger=charger(charging_curve=[{"percentage": 0, "power": 9}] * 2)), "u5", "must rise"),
        (entry(dc_charger=charger(charging_curve=[{"percentage": 0}, {}])), "u5", "charging_curve.0.power: is missing"),
        ({"id": "u5"}, "u5", "brand: is missing"),
        (ENTRY, "Maker Own Long", "did you mean Maker One Long"),
        (ENTRY, "", "no such car"),
    ],
)
def test_what_is_wrong_with_a_users_car_is_said(
    found: dict[str, Any], choice: str, message: str, tmp_path: Path
) -> None:
    """The message names the car, the figure and what to do."""
    with pytest.raises(InputError, match=message):
        load_open_ev_car(written(tmp_path, found), choice)


def test_a_name_of_several_cars_lists_their_ids(tmp_path: Path) -> None:
    """Cars that the name does not tell apart are offered by id."""
    path = written(tmp_path, ENTRY, entry(id="u6"))
    with pytest.raises(InputError, match=r"2 cars have that name.*u5.*u6"):
        load_open_ev_car(path, "Maker One Long")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"data": []}', '{"data": [1]}', '{"cars": []}', "null"])
def test_a_file_of_another_shape_is_refused(text: str, tmp_path: Path) -> None:
    """No file of another shape leads to anything but a message."""
    path = tmp_path / "cars.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"not JSON|must be a list of cars"):
        load_open_ev_car(path, "u5")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
CORNERS = st.lists(st.fixed_dictionaries({"percentage": JSON, "power": JSON}), max_size=3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(key=st.sampled_from([*ENTRY, *ENTRY["dc_charger"]]), value=st.one_of(JSON, CORNERS))
def test_whatever_a_users_car_says_it_is_a_car_or_a_message(key: str, value: object, tmp_path: Path) -> None:
    """No value of any key leads to another error."""
    path = tmp_path / "cars.json"
    changed = entry(dc_charger=charger(**{key: value})) if key in ENTRY["dc_charger"] else entry(**{key: value})
    path.write_bytes(orjson.dumps({"data": [changed]}))
    try:
        car = load_open_ev_car(path, "Maker One Long" if key == "id" else "u5")
    except InputError:
        return
    assert math.isfinite(car.battery.capacity_c)
    assert car.max_a >= car.min_a


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    """The path and the reason are named."""
    with pytest.raises(InputError, match="cannot be read"):
        load_open_ev_car(tmp_path / "none.json", "u5")


@pytest.mark.skipif(not OPEN_EV_DATA.is_file(), reason="HILBENCH_OPEN_EV_DATA names no file")
def test_every_dc_car_of_open_ev_data_can_be_taken() -> None:
    """All 174 cars with a DC charger load or say why not; those of both sets have the shipped figures."""
    entries = [one for one in json.loads(OPEN_EV_DATA.read_text())["data"] if one["dc_charger"]]
    cars = [load_open_ev_car(OPEN_EV_DATA, one["id"]) for one in entries]
    assert len(cars) == 174
    assert all(math.isfinite(car.max_a) and car.max_a <= 800.0 for car in cars)
    high = {car.title.split()[0] for car in cars if car.battery.cells == 192}
    assert high >= {"Hyundai", "Kia", "Porsche"}
    assert "Tesla" not in high
    pairs = {"leaf-40": "nissan leaf 40 kwh", "id-3-58": "volkswagen id.3 58 kwh", "ioniq-5": "hyundai ioniq 5"}
    for name, choice in pairs.items():
        assert load_open_ev_car(OPEN_EV_DATA, choice).curve_w == load_car(name).curve_w
