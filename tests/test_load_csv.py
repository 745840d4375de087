"""Building loads from CSV files."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from hilbench.errors import InputError
from hilbench.site import Service
from hilbench_emulators.building import BuildingLoad
from hilbench_emulators.load_csv import read_load_csv

SPLIT = Service(rating_a=100, voltage_v=240, wiring="split-phase")
THREE = Service(rating_a=400, voltage_v=400, wiring="three-phase", frequency_hz=50)
EPOCH = datetime(2024, 6, 4, tzinfo=UTC)
LOS_ANGELES = "America/Los_Angeles"


def load(folder: Path, text: str, service: Service = SPLIT, **options: Any) -> BuildingLoad:
    """The load in a file with ``text``, at unity power factor."""
    file = folder / "load.csv"
    file.write_text(text, "utf-8")
    return read_load_csv(file, service, **{"epoch": EPOCH, "power_factor": 1.0, **options})


def hourly(values: list[float], header: str = "time,load_kW", day: str = "2024-06-04") -> str:
    """A file with one value an hour from midnight on."""
    return "\n".join([header, *(f"{day}T{hour:02d}:00:00Z,{value}" for hour, value in enumerate(values))])


def yearless(days: list[str], value: str = "{hour}") -> str:
    """A file as EnergyPlus writes it: hour-ending stamps of whole days, the value being the hour."""
    rows = [f" {day}  {hour:02d}:00:00,{value.format(hour=hour)}" for day in days for hour in range(1, 25)]
    return "\n".join(["Date/Time,Electricity:Facility [kW](Hourly)", *rows])


def test_values_are_joined_by_straight_lines(tmp_path: Path) -> None:
    """Instantaneous values 24 and 48 kW are 100, 150 and 200 A at 240 V, and held beyond the ends."""
    found = load(tmp_path, hourly([24.0, 48.0]))
    assert [float(found.base_a(t)[0]) for t in (-60, 0, 1800, 3600, 9999)] == pytest.approx([100, 100, 150, 200, 200])
    assert found.next_kink(0.0) == 3600.0


@pytest.mark.parametrize(
    ("header", "factor"),
    [
        ("time,load_kW", 1.0),
        ("time,Load [kW]", 1.0),
        ("time,Load (W)", 0.001),
        ("time,load kw", 1.0),
        ("time,Electricity:Facility [kW](Hourly)", 1.0),
    ],
)
def test_the_unit_is_read_from_the_name_of_the_column(tmp_path: Path, header: str, factor: float) -> None:
    """kW and W in brackets, after an underscore or a space, in either case."""
    found = load(tmp_path, hourly([24.0, 24.0], header))
    assert float(found.base_a(0.0)[0]) == pytest.approx(100.0 * factor)


def test_amperes_in_one_column_flow_in_every_line(tmp_path: Path) -> None:
    """A column in A is not split."""
    assert load(tmp_path, hourly([30.0, 30.0], "time,main_A")).base_a(0.0).tolist() == [30.0, 30.0]


def test_lines_may_have_a_column_each(tmp_path: Path) -> None:
    """L1_A L2_A L3_A in any order; in kW each is that line's own power."""
    text = "time,L3_A,L1_A,L2_A\n2024-06-04T00:00Z,30,10,20\n"
    assert load(tmp_path, text, THREE).base_a(0.0).tolist() == [10.0, 20.0, 30.0]
    text = "time,L1_kW,L2_kW\n2024-06-04T00:00Z,1.2,2.4\n"
    assert load(tmp_path, text).base_a(0.0) == pytest.approx([10.0, 20.0])


def test_the_first_load_column_is_taken_unless_one_is_named(tmp_path: Path) -> None:
    """A named column wins, and its unit may be given."""
    text = "time,note,a_kW,b_kW,plain\n2024-06-04T00:00Z,x,24,48,12\n"
    assert float(load(tmp_path, text).base_a(0.0)[0]) == pytest.approx(100.0)
    assert float(load(tmp_path, text, column="b_kW").base_a(0.0)[0]) == pytest.approx(200.0)
    assert float(load(tmp_path, text, column="plain", unit="kW").base_a(0.0)[0]) == pytest.approx(50.0)


def test_power_is_split_by_shares_and_power_factor(tmp_path: Path) -> None:
    """24 kW, three quarters of it on L1, at power factor 0.5."""
    found = load(tmp_path, hourly([24.0, 24.0]), shares={"L1": 0.75, "L2": 0.25}, power_factor=0.5)
    assert found.base_a(0.0) == pytest.approx([300.0, 100.0])


def test_means_over_an_interval_are_put_at_its_middle(tmp_path: Path) -> None:
    """``stamp`` end moves values half an interval back, start forward."""
    text = hourly([0.0, 24.0, 24.0])
    assert float(load(tmp_path, text, stamp="end").base_a(1800.0)[0]) == pytest.approx(100.0)
    assert float(load(tmp_path, text, stamp="start").base_a(5400.0)[0]) == pytest.approx(100.0)


def test_naive_stamps_are_local_time_of_the_site(tmp_path: Path) -> None:
    """Midnight in Los Angeles is 07:00 UTC in June; an offset overrules the zone."""
    text = "time,x_A\n2024-06-04T00:00:00,10\n2024-06-04T01:00:00,20\n2024-06-04T09:00:00Z,30\n"
    found = load(tmp_path, text, timezone=LOS_ANGELES)
    assert [float(found.base_a(h * 3600.0)[0]) for h in (7, 8, 9)] == [10.0, 20.0, 30.0]


def test_the_repeated_hour_is_told_apart_by_the_order_of_rows(tmp_path: Path) -> None:
    """On 3 November 2024 the hour from 1 to 2 comes twice in Los Angeles: 08:00 and 09:00 UTC."""
    rows = [f"2024-11-03T0{h}:{m}:00,{v}" for v, (h, m) in enumerate([(0, 30), (1, "00"), (1, 30), (1, "00"), (1, 30)])]
    found = load(
        tmp_path, "\n".join(["time,x_A", *rows]), timezone=LOS_ANGELES, epoch=datetime(2024, 11, 3, 7, tzinfo=UTC)
    )
    assert [float(found.base_a(t * 1800.0)[0]) for t in range(1, 6)] == [0, 1, 2, 3, 4]


def test_a_stamp_in_the_hour_that_is_left_out_does_not_exist(tmp_path: Path) -> None:
    """On 10 March 2024 Los Angeles goes from 02:00 to 03:00; the error names the row and what to do."""
    text = "time,x_A\n2024-03-10T01:30:00,1\n2024-03-10T02:30:00,1\n2024-03-10T03:30:00,1\n"
    with pytest.raises(InputError, match=r"row 3, column 'time': .*does not exist.*write stamps with an offset"):
        load(tmp_path, text, timezone=LOS_ANGELES)


def test_an_energyplus_file_is_played_on_the_same_date(tmp_path: Path) -> None:
    """Hour-ending rows of 12 March count at the middle of their hours of that day; the day before leads in."""
    found = load(
        tmp_path,
        yearless(["03/11", "03/12", "03/13"]),
        timezone=LOS_ANGELES,
        day=date(2019, 3, 12),
        epoch=datetime(2019, 3, 12, 7, tzinfo=UTC),
    )
    amps = [float(found.base_a((h + 0.5) * 3600.0)[0]) * 0.24 for h in (-1, 0, 1, 23)]
    assert amps == pytest.approx([24.0, 1.0, 2.0, 24.0])


def test_another_day_of_the_file_can_be_played_in_its_place(tmp_path: Path) -> None:
    """``file_day`` puts the values of one day on the date of another."""
    text = yearless(["03/12"], "7") + yearless(["03/13"], "{hour}").partition("(Hourly)")[2]
    played = load(
        tmp_path,
        text,
        timezone=LOS_ANGELES,
        day=date(2019, 3, 12),
        file_day=date(2019, 3, 13),
        epoch=datetime(2019, 3, 12, 7, tzinfo=UTC),
    )
    assert float(played.base_a(5.5 * 3600.0)[0]) * 0.24 == pytest.approx(6.0)


@pytest.mark.parametrize("day", [date(2019, 3, 10), date(2019, 11, 3)])
def test_an_energyplus_day_of_a_clock_change_is_bridged(tmp_path: Path, day: date) -> None:
    """24 rows fit a day of 23 and one of 25 hours."""
    text = yearless([f"{day:%m/%d}"])
    found = load(
        tmp_path, text, timezone=LOS_ANGELES, day=day, epoch=datetime(day.year, day.month, day.day, tzinfo=UTC)
    )
    assert found.next_kink(0.0) > 0


def test_a_year_less_file_needs_a_day(tmp_path: Path) -> None:
    """Without a day its rows have no date."""
    with pytest.raises(InputError, match="row 2: time stamps without a year"):
        load(tmp_path, yearless(["03/12"]))


def test_rows_outside_the_day_need_no_values(tmp_path: Path) -> None:
    """A hole in another month does not spoil the day that is played."""
    text = hourly([24.0] * 24) + "\n2024-07-04T00:00:00Z,\n"
    assert float(load(tmp_path, text, day=date(2024, 6, 4)).base_a(0.0)[0]) == pytest.approx(100.0)


BAD = {
    "empty file": ("", "the file is empty"),
    "only a header": ("time,load_kW\n", "row 2: no rows"),
    "semicolons": ("time;load_kW\n2024-06-04T00:00Z;1\n", "separated by semicolons"),
    "tabs": ("time\tload_kW\n2024-06-04T00:00Z\t1\n", "separated by tabs"),
    "decimal comma": ("time,load_kW\n2024-06-04T00:00Z,1,5\n", "row 2: 3 columns where the header has 2"),
    "no unit": ("time,load\n2024-06-04T00:00Z,1\n", "no column with a unit"),
    "doubled column": ("time,a_kW,a_kW\n2024-06-04T00:00Z,1,1\n", "a_kW occurs twice"),
    "line missing": ("time,L1_A\n2024-06-04T00:00Z,1\n", "no column for L2"),
    "lines in two units": ("time,L1_A,L2_kW\n2024-06-04T00:00Z,1,1\n", "different units"),
    "bad stamp": ("time,load_kW\nyesterday,1\n", "row 2, column 'time': 'yesterday' is no time stamp"),
    "unsorted": (
        "time,load_kW\n2024-06-04T01:00Z,1\n2024-06-04T00:00Z,1\n",
        "row 3: 2024-06-04T00:00Z is earlier than row 2",
    ),
    "duplicate": (
        "time,load_kW\n2024-06-04T01:00Z,1\n2024-06-04T01:00Z,1\n",
        "row 3: 2024-06-04T01:00Z is the same time as row 2",
    ),
    "missing value": ("time,load_kW\n2024-06-04T00:00Z,\n", "row 2, column 'load_kW': no value"),
    "NaN": ("time,load_kW\n2024-06-04T00:00Z,NaN\n", "nan is no finite number|NaN is no finite number"),
    "text": ("time,load_kW\n2024-06-04T00:00Z,off\n", "'off' is no number"),
    "negative": ("time,load_kW\n2024-06-04T00:00Z,-3\n", "-3 is negative"),
    "gap": (hourly([1, 1, 1, 1]) + "\n2024-06-04T09:00Z,1\n", "row 6: a gap of 21600 s after row 5"),
}


@pytest.mark.parametrize(("text", "what"), BAD.values(), ids=BAD.keys())
def test_a_bad_file_says_what_and_where(tmp_path: Path, text: str, what: str) -> None:
    """Every malformed file ends in an input error that names the file, the row and the fault."""
    with pytest.raises(InputError, match=what) as caught:
        load(tmp_path, text)
    assert "load.csv" in str(caught.value)


def test_every_bad_row_is_listed(tmp_path: Path) -> None:
    """A file with three faults gives three problems, and with many only the first and how many more."""
    text = "time,load_kW\n2024-06-04T00:00Z,x\n2024-06-04T01:00Z,-1\n2024-06-04T02:00Z,\n"
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    assert [problem.where.partition(",")[0] for problem in caught.value.problems] == ["row 2", "row 3", "row 4"]
    many = "\n".join(["time,load_kW", *(["nonsense,1"] * 100)])
    with pytest.raises(InputError, match="and 75 more"):
        load(tmp_path, many)


def test_a_file_that_is_not_utf8_says_so(tmp_path: Path) -> None:
    """The error names the byte."""
    file = tmp_path / "load.csv"
    file.write_bytes(b"time,load_kW\n2024-06-04T00:00Z,\xff\n")
    with pytest.raises(InputError, match="byte 32: not UTF-8 text"):
        read_load_csv(file, SPLIT, epoch=EPOCH)


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    """A missing file is an input error, no traceback."""
    with pytest.raises(InputError, match="cannot be read"):
        read_load_csv(tmp_path / "none.csv", SPLIT, epoch=EPOCH)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"day": date(2024, 6, 5)}, "does not cover 2024-06-05: it has 2024-06-04 00:00 to 2024-06-04 01:00|it has"),
        ({"column": "other"}, "no column 'other': .*it has: load_kW|no column 'other'"),
        ({"column": "load_kW", "unit": "hp"}, "unit 'hp'"),
        ({"timezone": "Mars/Olympus"}, "no IANA time zone"),
    ],
)
def test_bad_options_say_what_is_there(tmp_path: Path, options: dict[str, Any], what: str) -> None:
    """An option that does not fit the file is answered with what the file has."""
    with pytest.raises(InputError, match=what):
        load(tmp_path, hourly([1.0, 1.0]), **options)
