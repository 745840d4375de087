"""Tariffs of the URDB form: what they cost, and what is wrong with a bad one."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from hilbench.errors import InputError
from hilbench.metrics.bill import Array, Bill, bill
from hilbench.tariff import Tariff, read_tariff
from tests.tariffs import write

ZONE = ZoneInfo("America/Los_Angeles")
QUARTER_S = 900.0
PER_DAY = 96


def tariff(folder: Path, **changes: Any) -> Tariff:
    """The sample tariff, read from a file."""
    return read_tariff(write(folder / "b19s.json", **changes))


def january(folder: Path, load_kw: Array, **changes: Any) -> Bill:
    """The bill of a load that begins with January 2020 in local time."""
    return bill(tariff(folder, **changes), datetime(2020, 1, 1, tzinfo=ZONE), QUARTER_S, load_kw, ZONE)


def month(base_kw: float = 0.0) -> Array:
    """A January of 31 days."""
    return np.full(31 * PER_DAY, base_kw)


def test_golden_demand_charges_of_january(tmp_path: Path) -> None:
    """100 kW once in the morning and 60 kW between 16 and 21 h cost 891 and 27 of demand."""
    load = month()
    load[40], load[17 * 4] = 100.0, 60.0
    cost = january(tmp_path, load)
    assert (cost.flat_demand, cost.time_of_use_demand) == pytest.approx((891.0, 27.0))
    assert cost.fixed == pytest.approx(31 * 23.655)
    assert cost.peak_kw == pytest.approx(100.0)


def test_energy_is_by_the_hour_of_local_time(tmp_path: Path) -> None:
    """10 kW all day are 50 kWh at the peak price and 190 kWh beside it."""
    cost = january(tmp_path, np.full(PER_DAY, 10.0))
    assert cost.energy == pytest.approx(50 * 0.158 + 190 * 0.1157)


def test_the_day_of_daylight_saving_has_23_hours(tmp_path: Path) -> None:
    """On 8 March 2020 the hour from 2 to 3 is not there: the peak begins 15 hours after midnight."""
    load = np.zeros(PER_DAY)
    load[15 * 4] = 40.0
    cost = bill(tariff(tmp_path), datetime(2020, 3, 8, tzinfo=ZONE), QUARTER_S, load, ZONE)
    assert cost.energy == pytest.approx(10 * 0.158)


def test_demand_is_the_mean_of_its_window(tmp_path: Path) -> None:
    """Five minutes of 90 kW are 30 kW of demand in 15 minutes."""
    load = np.zeros(288)
    load[100] = 90.0
    cost = bill(tariff(tmp_path), datetime(2020, 1, 1, tzinfo=ZONE), 300.0, load, ZONE)
    assert cost.peak_kw == pytest.approx(30.0)
    with pytest.raises(ValueError, match="do not divide"):
        bill(tariff(tmp_path), datetime(2020, 1, 1, tzinfo=ZONE), 600.0, load, ZONE)


def test_tiers_are_filled_one_after_the_other(tmp_path: Path) -> None:
    """100 kWh at 0.10 up to 60 and 0.20 + 0.05 beyond cost 16."""
    tiers = [[{"rate": 0.1, "max": 60, "unit": "kWh"}, {"rate": 0.2, "adj": 0.05}]]
    changes = {"energyratestructure": tiers, "energyweekdayschedule": None, "energyweekendschedule": None}
    assert january(tmp_path, np.full(40, 10.0), **changes).energy == pytest.approx(16.0)


def test_export_is_paid_by_sell(tmp_path: Path) -> None:
    """What flows out earns the tier's sell and lowers no demand below nothing."""
    changes = {
        "energyratestructure": [[{"rate": 0.1, "sell": 0.04}]],
        "energyweekdayschedule": None,
        "energyweekendschedule": None,
    }
    cost = january(tmp_path, np.full(40, -10.0), **changes)
    assert cost.energy == pytest.approx(-4.0)
    assert cost.flat_demand == 0.0


@pytest.mark.parametrize(
    ("changes", "counted_kw"),
    [
        ({}, 50.0),
        ({"demandlookbackpercent": 0.8, "demandlookbackrange": 1}, 64.0),
        ({"demandlookbackpercent": 80, "demandlookbackrange": 2}, 96.0),
        ({"demandlookbackpercent": 0.8, "demandlookbackmonths": [0] * 10 + [1, 0]}, 96.0),
    ],
)
def test_a_ratchet_remembers(tmp_path: Path, changes: dict[str, Any], counted_kw: float) -> None:
    """120 kW in November and 80 kW in December make January's 50 kW dearer as far as the ratchet looks back."""
    load = np.full(PER_DAY, 50.0)
    cost = bill(tariff(tmp_path, **changes), datetime(2020, 1, 1, tzinfo=ZONE), QUARTER_S, load, ZONE, (120.0, 80.0))
    assert cost.flat_demand == pytest.approx(counted_kw * 8.91)


def test_keys_are_read_in_any_case_and_answers_of_the_api_too(tmp_path: Path) -> None:
    """Files differ in the case of their keys and may be an answer with one item."""
    path = tmp_path / "one.json"
    path.write_text('{"items": [{"energyRateStructure": [[{"Rate": 1, "rate": 0.2}]], "pdp_x": 1}]}')
    found = read_tariff(path)
    assert found.energy[0][0].rate == 0.2
    assert found.ignored == ("pdp_x",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"energyratestructure": None}, "energyratestructure: is missing"),
        ({"energyratestructure": [[]]}, "energyratestructure: is no list of periods"),
        ({"energyratestructure": [["x"]] * 6}, r"energyratestructure\[0\]\[0\]: is 'x'"),
        ({"energyratestructure": [[{"rate": "x"}]] * 6}, r"energyratestructure\[0\]\[0\].rate: is 'x'"),
        ({"energyratestructure": [[{"rate": 1, "unit": "kWh/kW"}]] * 6}, "only tiers in kwh"),
        ({"energyratestructure": [[{"rate": 1}, {"rate": 2}]] * 6}, "must go further"),
        ({"energyweekdayschedule": [[0] * 24] * 11}, "energyweekdayschedule: has 11 rows"),
        ({"energyweekdayschedule": [[0] * 23] * 12}, r"energyweekdayschedule\[0\]: has 23 values"),
        ({"energyweekdayschedule": [[6] * 24] * 12}, "names period 6 .there are 6, counted from 0"),
        ({"flatdemandmonths": [4] * 12}, "flatdemandmonths: names period 4"),
        ({"flatdemandmonths": "x"}, "flatdemandmonths: has no values"),
        ({"fixedchargeunits": "$/moon"}, "fixedchargeunits: is '\\$/moon'"),
        ({"demandlookbackmonths": [2] * 12}, "demandlookbackmonths"),
        ({"demandwindow": -1}, "demandwindow: is -1"),
    ],
)
def test_what_is_wrong_is_said_by_key(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    """A bad tariff is an error that names the key."""
    with pytest.raises(InputError, match=message):
        tariff(tmp_path, **changes)


@pytest.mark.parametrize("text", ["", "[]", "{", "3", '"x"', '{"items": []}'])
def test_no_tariff_at_all(tmp_path: Path, text: str) -> None:
    """A file that holds no tariff is an error as well."""
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"bad\.json"):
        read_tariff(path)
