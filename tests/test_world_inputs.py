"""Every key of [building] and [sessions] that says how an input is read or made has its effect on what is played."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hilbench import clock
from hilbench.rig import Rig, parse_rig
from hilbench.signals import Record
from hilbench.world import World, build_world

DAY = date(2024, 6, 4)
EPOCH = clock.DEFAULT_EPOCH.replace(year=2024, month=6, day=4, hour=0)


def rig(folder: Path, **tables: Any) -> Rig:
    """Two stations in UTC."""
    site = {"name": "x", "service": {"rating_a": 200, "voltage_v": 240, "wiring": "split-phase"}}
    stations = [{"role": role, "branch_a": 40, "max_a": 32, "connection": "L1-L2"} for role in ("A", "B")]
    data = {"site": site, "station": stations, "meter": {"service": {}}, **tables}
    return parse_rig(data, path=folder / "rig.toml")


def world(folder: Path, **tables: Any) -> World:
    """What is built for the day, on a clock that stands at its midnight."""

    async def build() -> World:
        return build_world(rig(folder, **tables), Record(), seed=1, quiet_base_a=None, day=DAY)

    return clock.run(build(), "virtual", EPOCH)


def base_at(folder: Path, hour: float, **building: Any) -> list[float]:
    """The building's amperes per line at an hour of the day."""
    return [round(float(a), 3) for a in world(folder, building=building).building.base_a(3600 * hour)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A load that halves at noon of the fourth of June, with and without a unit in its header."""
    stamps = [f"2024-06-{3 + n // 24:02d}T{n % 24:02d}:00:00" for n in range(72)]
    rows = [f"{stamp},{9.12 if n < 36 else 4.56}" for n, stamp in enumerate(stamps)]
    for name, header in (("unit", "time,load_kW"), ("plain", "time,a,b")):
        extra = ",0" if name == "plain" else ""
        text = "\n".join([header, *(row + extra for row in rows)]) + "\n"
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_load_is_played_on_its_day(folder: Path) -> None:
    """9.12 kW over two lines of 120 V at a power factor of 0.95 are 40 A, half of it from noon on."""
    assert base_at(folder, 6, csv="unit.csv") == [40.0, 40.0]
    assert base_at(folder, 18, csv="unit.csv") == [20.0, 20.0]
    assert base_at(folder, 6, csv="unit.csv", power_factor=0.475) == [80.0, 80.0]


def test_column_and_unit_are_the_users(folder: Path) -> None:
    """A column without a unit is read in the one that the rig names."""
    assert base_at(folder, 6, csv="plain.csv", column="a", unit="A") == [9.12, 9.12]
    assert base_at(folder, 6, csv="plain.csv", column="a", unit="kW") == [40.0, 40.0]
    assert base_at(folder, 6, csv="plain.csv", column="b", unit="kW") == [0.0, 0.0]


def test_shares_divide_the_power(folder: Path) -> None:
    """A quarter of 9.12 kW on L1 is 20 A, the rest 60 A; a model's peak is divided in the same way."""
    shares = {"L1": 0.25, "L2": 0.75}
    assert base_at(folder, 6, csv="unit.csv", shares=shares) == [20.0, 60.0]
    assert base_at(folder, 6, model="constant", peak_kw=9.12, shares=shares) == [20.0, 60.0]


def test_another_day_of_the_file_can_be_played(folder: Path) -> None:
    """The third of June stands in for the fourth."""
    assert base_at(folder, 18, csv="unit.csv", file_day=date(2024, 6, 3)) == [40.0, 40.0]


def test_a_stamp_may_be_the_end_of_its_hour(folder: Path) -> None:
    """The half-way step from 11:00 to 12:00 is half an hour earlier when a value is the mean before its stamp."""
    assert base_at(folder, 11.5, csv="unit.csv") == [30.0, 30.0]
    assert base_at(folder, 11.5, csv="unit.csv", stamp="end") == [20.0, 20.0]
    assert base_at(folder, 11.5, csv="unit.csv", stamp="start") == [40.0, 40.0]


def test_a_load_may_have_a_zone_of_its_own(folder: Path) -> None:
    """Noon of Karachi is seven in the morning in UTC."""
    assert base_at(folder, 8, csv="unit.csv", timezone="Asia/Karachi") == [20.0, 20.0]


def test_fluctuation_is_the_users(folder: Path) -> None:
    """None at all makes equal minutes of an office's night, a large one does not."""
    hours = [3 + n / 60 for n in range(30)]
    spread = {
        sigma: {tuple(base_at(folder, hour, model="office", peak_a=50, fluctuation=sigma)) for hour in hours[:6]}
        for sigma in (0.0, 0.3)
    }
    smooth, noisy = (max(found)[0] - min(found)[0] for found in (spread[0.0], spread[0.3]))
    assert smooth < 1.0 < noisy


def acn(folder: Path) -> None:
    """One session that asks for more than it gets."""
    session = {
        "connectionTime": "Tue, 04 Jun 2024 08:00:00 GMT",
        "disconnectTime": "Tue, 04 Jun 2024 09:00:00 GMT",
        "kWhDelivered": 5,
        "spaceID": "A",
        "userInputs": [{"kWhRequested": 20}],
    }
    (folder / "s.json").write_text(json.dumps([session]), encoding="utf-8")


@pytest.mark.parametrize(("energy", "kwh"), [("delivered", 5.0), ("requested", 20.0)])
def test_a_driver_wants_what_the_rig_says(folder: Path, energy: str, kwh: float) -> None:
    """What was delivered, or what was requested."""
    acn(folder)
    sessions = world(folder, sessions={"json": "s.json", "energy": energy}).sessions
    assert [session.energy_kwh for session in sessions] == [kwh]


def test_sessions_may_have_a_zone_of_their_own(folder: Path) -> None:
    """Eight o'clock in Karachi is three in UTC."""
    text = "arrival,departure,station,energy_kwh\n2024-06-04T08:00,2024-06-04T09:00,A,5\n"
    (folder / "s.csv").write_text(text, encoding="utf-8")
    (session,) = world(folder, sessions={"csv": "s.csv", "timezone": "Asia/Karachi"}).sessions
    assert session.arrival.hour == 3
