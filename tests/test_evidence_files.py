"""hilbench.evidence.files: what is written survives, what is torn is left out."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilbench.evidence.files import (
    canonical,
    json_line,
    number,
    plain,
    read_columns,
    read_json,
    read_json_lines,
    safe_name,
    utc_text,
    whole_lines,
    write_atomic,
)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=20,
)


@given(values)
def test_any_value_becomes_strict_json(value: object) -> None:
    """Whatever an event carries, its line is strict JSON on one line of ASCII."""
    line = json_line(value)
    assert line.count("\n") == 1
    assert line.isascii()
    json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


@given(st.floats())
def test_no_number_is_lost(value: float) -> None:
    """A float comes back as it was, also infinite or NaN."""
    back = number(json.loads(canonical({"v": value}))["v"])
    assert back is not None
    assert back == value or (math.isnan(back) and math.isnan(value))


def test_what_json_does_not_know_becomes_plain() -> None:
    """Enums, arrays, sets, paths and numpy scalars are written by value."""

    class Colour(StrEnum):
        RED = "red"

    given_value = {"e": Colour.RED, "a": np.arange(3), "s": {2, 1}, "p": Path("x/y"), "n": np.float32(0.5), "o": (1,)}
    assert plain(given_value) == {"e": "red", "a": [0, 1, 2], "s": [1, 2], "p": "x/y", "n": 0.5, "o": [1]}
    assert type(plain(np.float64(1.5))) is float
    assert type(plain(Colour.RED)) is str


def test_one_value_has_one_spelling() -> None:
    """Canonical JSON sorts its keys."""
    assert canonical({"b": 1, "a": 2}) == canonical({"a": 2, "b": 1})


@pytest.mark.parametrize(("value", "expected"), [("inf", math.inf), (3, 3.0), ("x", None), (True, None), (None, None)])
def test_number_reads_only_numbers(value: object, expected: float | None) -> None:
    """Text that is no number, booleans and nothing are None."""
    assert number(value) == expected


def test_utc_text_converts_zones() -> None:
    """Local moments are written in UTC."""
    local = datetime(2024, 6, 4, 9, 0, tzinfo=timezone(timedelta(hours=-7)))
    assert utc_text(local) == "2024-06-04T16:00:00.000Z" == utc_text(datetime(2024, 6, 4, 16, tzinfo=UTC))


@given(st.text(min_size=1), st.lists(st.text(min_size=1), max_size=20))
def test_signal_names_become_portable_files(name: str, others: list[str]) -> None:
    """Each of many names gets a file of its own in plain characters, also where case does not count."""
    taken: list[str] = []
    for other in dict.fromkeys([*others, name]):
        taken.append(safe_name(other, taken))
        assert taken[-1].isascii()
        assert "/" not in taken[-1]
        assert not taken[-1].startswith(".")
        assert len(taken[-1]) <= 120
    assert len({one.casefold() for one in taken}) == len(taken)


def test_usual_names_stay_readable() -> None:
    """current/service/L1 is current.service.L1."""
    assert safe_name("current/service/L1") == "current.service.L1"
    assert safe_name("offered/a", ["offered.A"]).startswith("offered.a-")


def test_an_interrupted_replacement_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the new text is complete a reader sees the old one."""
    path = tmp_path / "run.json"
    write_atomic(path, "old")

    def broken(_fd: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("hilbench.evidence.files.os.fsync", broken)
    with pytest.raises(OSError, match="disk full"):
        write_atomic(path, "new")
    assert path.read_text() == "old"


rows = st.lists(st.tuples(st.floats(allow_nan=False), st.floats(allow_nan=False)), max_size=30)


@given(rows, st.integers(min_value=0, max_value=400))
def test_a_torn_signal_file_keeps_every_whole_row(samples: list[tuple[float, float]], cut: int) -> None:
    """Cut anywhere, a signal file gives back the rows before the cut, exactly, and complains of nothing."""
    text = "time_s,A\n" + "".join(f"{t!r},{v!r}\n" for t, v in samples)
    torn = text[: max(len(text) - cut, 0)]
    whole = max(torn.count("\n") - 1, 0)
    with TemporaryDirectory() as folder:
        path = Path(folder, "s.csv")
        path.write_text(torn)
        times, found, problems = read_columns(path)
    assert list(zip(times, found, strict=True)) == samples[:whole]
    assert problems == []


@given(st.lists(st.dictionaries(st.text(), st.text()), max_size=10), st.integers(min_value=0, max_value=200))
def test_a_torn_event_log_keeps_every_whole_line(events: list[dict[str, str]], cut: int) -> None:
    """Cut anywhere, in any alphabet, an event log gives back the lines before the cut."""
    data = "".join(map(json_line, events)).encode()
    torn = data[: max(len(data) - cut, 0)]
    with TemporaryDirectory() as folder:
        path = Path(folder, "events.jsonl")
        path.write_bytes(torn)
        found, problems = read_json_lines(path)
    assert found == events[: torn.count(b"\n")]
    assert problems == []


def test_damage_in_the_middle_is_named_and_the_rest_kept(tmp_path: Path) -> None:
    """A line that is none costs that line only, and is reported with its number."""
    (tmp_path / "s.csv").write_bytes(b"time_s,A\n0.0,1.0\n\x00\xff,\n2.0,3.0\n4.0\n")
    times, found, problems = read_columns(tmp_path / "s.csv")
    assert (list(times), list(found)) == ([0.0, 2.0], [1.0, 3.0])
    assert problems == ["s.csv line 3: not two numbers", "s.csv line 5: not two numbers"]
    (tmp_path / "e.jsonl").write_bytes(b'{"a":1}\n[]\n\xc3\x28\n{"b":2}\n')
    assert read_json_lines(tmp_path / "e.jsonl")[0] == [{"a": 1}, {"b": 2}]


def test_absent_and_foreign_files_read_as_nothing(tmp_path: Path) -> None:
    """A missing file has no lines; a JSON list is not a record."""
    assert whole_lines(tmp_path / "none") == []
    (tmp_path / "list.json").write_text("[1]")
    assert read_json(tmp_path / "list.json") is None
    assert read_json(tmp_path / "none") is None
