"""Charging sessions from files."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from hilbench.errors import InputError
from hilbench_emulators.sessions import Session, read_sessions

HEADER = "arrival,departure,station,energy_kwh,max_power_kw"
LOS_ANGELES = "America/Los_Angeles"


def read(folder: Path, text: str, name: str = "sessions.csv", **options: Any) -> list[Session]:
    """The sessions in a file with ``text``."""
    file = folder / name
    file.write_text(text, "utf-8")
    return read_sessions(file, **options)


def acn(**changes: Any) -> dict[str, Any]:
    """One session as ACN-Data has it."""
    item = {
        "_id": "x",
        "connectionTime": "Wed, 25 Apr 2018 11:08:04 GMT",
        "disconnectTime": "Wed, 25 Apr 2018 13:20:10 GMT",
        "kWhDelivered": 7.932,
        "spaceID": "CA-496",
        "stationID": "2-39-79-378",
        "userInputs": [{"kWhRequested": 12.0}, {"kWhRequested": 14.0}],
    }
    return {**item, **changes}


def test_a_csv_gives_sessions_in_the_order_of_arrival(tmp_path: Path) -> None:
    """Times in UTC, energy and power in kWh and kW; an empty power is unknown."""
    text = (
        f"{HEADER}\n2019-03-01T15:00:00Z,2019-03-01T18:00:00Z,B,5,\n2019-03-01T14:00:00Z,2019-03-01T15:00Z,A,4.2,6.6\n"
    )
    first, second = read(tmp_path, text)
    assert first == Session(
        datetime(2019, 3, 1, 14, tzinfo=UTC), datetime(2019, 3, 1, 15, tzinfo=UTC), "A", 4.2, 6.6, None
    )
    assert (second.station, second.max_power_kw) == ("B", None)


def test_naive_times_are_local(tmp_path: Path) -> None:
    """Without an offset a time is that of the given zone."""
    text = f"{HEADER}\n2019-03-01T08:00:00,2019-03-01T17:00:00,A,5,\n"
    assert read(tmp_path, text, timezone=LOS_ANGELES)[0].arrival == datetime(2019, 3, 1, 16, tzinfo=UTC)


def test_a_day_is_that_of_the_site(tmp_path: Path) -> None:
    """A car that comes at 01:00 UTC on the 13th comes on the 12th in Los Angeles."""
    text = f"{HEADER}\n2019-03-13T01:00:00Z,2019-03-13T04:00:00Z,A,5,\n2019-03-13T08:00:00Z,2019-03-13T09:00:00Z,B,5,\n"
    found = read(tmp_path, text, timezone=LOS_ANGELES, day=date(2019, 3, 12))
    assert [session.station for session in found] == ["A"]


def test_only_the_day_that_is_played_is_checked(tmp_path: Path) -> None:
    """A bad row of another day does no harm."""
    text = f"{HEADER}\n2019-03-12T08:00:00Z,2019-03-12T09:00:00Z,A,5,\n2019-03-14T08:00:00Z,never,B,-5,\n"
    assert len(read(tmp_path, text, day=date(2019, 3, 12))) == 1


def test_a_vehicle_may_be_named(tmp_path: Path) -> None:
    """A column ``vehicle`` says which model comes."""
    text = "arrival,departure,station,energy_kwh,vehicle\n2019-03-12T08:00Z,2019-03-12T09:00Z,A,5,zoe-r240\n"
    assert read(tmp_path, text)[0].vehicle == "zoe-r240"


def test_acn_data_is_read_from_the_answer_of_its_api(tmp_path: Path) -> None:
    """RFC 1123 times, the space as station, the delivered energy or the last one asked for."""
    text = json.dumps({"_items": [acn()]})
    session = read(tmp_path, text, "acn.json")[0]
    assert session == Session(
        datetime(2018, 4, 25, 11, 8, 4, tzinfo=UTC), datetime(2018, 4, 25, 13, 20, 10, tzinfo=UTC), "CA-496", 7.932
    )
    assert read(tmp_path, text, "acn.json", energy="requested")[0].energy_kwh == 14.0


def test_acn_data_without_a_request_or_a_space_falls_back(tmp_path: Path) -> None:
    """A list without ``_items``, no user input, no space: the delivered energy at the station's own id."""
    text = json.dumps([acn(userInputs=None, spaceID=None)])
    session = read(tmp_path, text, "acn.json", energy="requested")[0]
    assert (session.station, session.energy_kwh) == ("2-39-79-378", 7.932)


BAD = {
    "missing columns": ("arrival,station\n2019-03-12T08:00Z,A\n", "no column departure, energy_kwh"),
    "bad time": (f"{HEADER}\nsoon,2019-03-12T09:00Z,A,5,\n", "row 2: arrival: 'soon' is no time stamp"),
    "departure first": (
        f"{HEADER}\n2019-03-12T09:00Z,2019-03-12T08:00Z,A,5,\n",
        "row 2: departure 2019-03-12T08:00Z is not after arrival",
    ),
    "no stay": (f"{HEADER}\n2019-03-12T09:00Z,2019-03-12T09:00Z,A,5,\n", "is not after arrival"),
    "negative energy": (f"{HEADER}\n2019-03-12T08:00Z,2019-03-12T09:00Z,A,-5,\n", "energy_kwh: -5 is negative"),
    "no energy": (f"{HEADER}\n2019-03-12T08:00Z,2019-03-12T09:00Z,A,,\n", "energy_kwh: no value"),
    "NaN energy": (f"{HEADER}\n2019-03-12T08:00Z,2019-03-12T09:00Z,A,nan,\n", "nan is no finite number"),
    "no station": (f"{HEADER}\n2019-03-12T08:00Z,2019-03-12T09:00Z,,5,\n", "row 2: no station"),
    "overlap": (
        f"{HEADER}\n2019-03-12T08:00Z,2019-03-12T12:00Z,A,5,\n2019-03-12T09:00Z,2019-03-12T10:00Z,A,5,\n",
        "row 3: station A is taken until 2019-03-12 12:00 by row 2",
    ),
    "left-out hour": (f"{HEADER}\n2019-03-10T02:30,2019-03-10T09:00,A,5,\n", "row 2: arrival: .*does not exist"),
}


@pytest.mark.parametrize(("text", "what"), BAD.values(), ids=BAD.keys())
def test_a_bad_csv_says_what_and_where(tmp_path: Path, text: str, what: str) -> None:
    """Every malformed file ends in an input error with its row."""
    with pytest.raises(InputError, match=what):
        read(tmp_path, text, timezone=LOS_ANGELES if "10T02" in text else "UTC")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{", "not JSON"),
        ('{"items": []}', "ACN-Data has it under _items"),
        ('{"_items": [3]}', "item 0: is no object"),
        ('{"_items": []}', "no sessions"),
        (json.dumps([acn(disconnectTime="later")]), "item 0: departure: 'later'"),
        (json.dumps([acn(connectionTime=None)]), "item 0: arrival"),
        (json.dumps([acn(kWhDelivered=None)]), "item 0: energy_kwh: no value"),
        (json.dumps([acn(connectionTime="Foo, 99 Bar 2018 GMT")]), "item 0: arrival"),
    ],
)
def test_bad_acn_data_says_what_and_where(tmp_path: Path, text: str, what: str) -> None:
    """Every malformed file ends in an input error with its item."""
    with pytest.raises(InputError, match=what):
        read(tmp_path, text, "acn.json")


def test_cars_may_follow_one_another_without_a_break(tmp_path: Path) -> None:
    """A departure and the next arrival at the same time are no overlap."""
    text = f"{HEADER}\n2019-03-12T08:00Z,2019-03-12T09:00Z,A,5,\n2019-03-12T09:00Z,2019-03-12T10:00Z,A,5,\n"
    assert len(read(tmp_path, text)) == 2


def test_a_day_without_sessions_is_an_error(tmp_path: Path) -> None:
    """A wrong date is told, not played as an empty day."""
    text = f"{HEADER}\n2019-03-12T08:00Z,2019-03-12T09:00Z,A,5,\n"
    with pytest.raises(InputError, match="no session arrives on 2019-03-13"):
        read(tmp_path, text, day=date(2019, 3, 13))
