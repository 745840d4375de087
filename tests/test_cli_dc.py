"""``hilbench dc``: what it says of cars, charges, misbehaviours and signs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hilbench.cli import main
from hilbench.rig import load_rig
from hilbench.signs import SIGNS
from hilbench_emulators.dc.cars import car_names, load_car
from hilbench_emulators.dc.garage import find_car
from hilbench_emulators.dc_outlet.quirks import QUIRKS

CURVE = [{"percentage": 0, "power": 50}, {"percentage": 100, "power": 10}]


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit code and what was printed."""
    code = main(["dc", *arguments])
    out = capsys.readouterr()
    return code, out.out + out.err


def garage(folder: Path, **more: Any) -> Path:
    """A file in the shape of open-ev-data with one car."""
    charger = {"ports": ["ccs"], "max_power": 50, "charging_curve": CURVE, "is_default_charging_curve": False}
    entry = {"id": "x-1", "brand": "Make", "model": "One", "usable_battery_size": 40.0, "dc_charger": charger, **more}
    path = folder / "cars.json"
    path.write_text(json.dumps({"data": [entry]}))
    return path


def test_the_shipped_cars_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its inlet."""
    code, text = said(capsys, "cars")
    assert code == 0
    assert all(name in text for name in car_names())


@pytest.mark.parametrize("name", car_names())
def test_a_car_is_shown_with_its_sources(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Every figure of its file has a line."""
    code, text = said(capsys, "car", name, "--sources")
    assert code == 0
    assert all(figure in text for figure in load_car(name).sources)


def test_a_limit_on_the_grid_side_makes_a_charge_longer(capsys: pytest.CaptureFixture[str]) -> None:
    """An ID.3 takes 34.6 min from 10 to 80 % freely, as long as the table that its curve is from."""
    _code, free = said(capsys, "charge", "id-3-58")
    _code, held = said(capsys, "charge", "id-3-58", "--limit", "50", "--modules", "2")
    minutes = [float(re.findall(r"([\d.]+) min", text)[0]) for text in (free, held)]
    assert minutes[0] == pytest.approx(34.6, abs=0.4)
    assert minutes[1] > minutes[0] + 10
    assert "at most 50.0 kW" in held


def test_a_car_of_a_users_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is listed, shown and charged by FILE#ID or FILE#NAME."""
    path = garage(tmp_path)
    assert "x-1" in said(capsys, "cars", str(path))[1]
    for choice in ("x-1", "Make One"):
        code, text = said(capsys, "car", f"{path}#{choice}")
        assert (code, "40.0 kWh" in text) == (0, True)


@pytest.mark.parametrize("wrong", ["nobody", "cars.json#nobody", "nowhere.json#x-1", "nowhere.toml"])
def test_what_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wrong: str
) -> None:
    """Exit code 2, and what is missing."""
    garage(tmp_path)
    monkeypatch.chdir(tmp_path)
    code, text = said(capsys, "car", wrong)
    assert code == 2
    assert "no" in text
    assert "Traceback" not in text


def test_every_misbehaviour_and_every_sign_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Those of the data."""
    assert all(name[:12] in said(capsys, "quirks")[1] for name in QUIRKS)
    assert all(one.protocol.split()[0] in said(capsys, "signs")[1] for one in SIGNS)


def test_a_rig_takes_a_car_of_a_users_file(tmp_path: Path) -> None:
    """Its path is relative to the rig; a car that is not there is a complaint of that key."""
    garage(tmp_path)
    text = (Path(__file__).parents[1] / "rigs" / "mixed-dc.toml").read_text("utf-8")
    rig = tmp_path / "rig.toml"
    rig.write_text(text.replace('vehicle = "ioniq-5"', 'vehicle = "cars.json#x-1"', 1))
    assert find_car(load_rig(rig).station("ccs-1").vehicle).title == "Make One"
    rig.write_text(text.replace('vehicle = "ioniq-5"', 'vehicle = "cars.json#x-2"', 1))
    with pytest.raises(Exception, match=r"station\[4\].vehicle.*no such car"):
        load_rig(rig)
