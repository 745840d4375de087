"""hilbench.cli.braille: curves of dots that show every peak, whatever the terminal."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.cli.braille import curve, framed, printable, row_of

NOTHING = "\u2800"


def drawn(*values: float, size: tuple[int, int] = (4, 2)) -> str:
    """Evenly spaced values between 0 and 1."""
    return curve(np.linspace(0.0, 1.0, len(values)), np.array(values), (0.0, 1.0), (0.0, 1.0), size)


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ((0.0, 0.0), [NOTHING * 4, "\u28c0" * 4]),
        ((1.0, 1.0), ["\u2809" * 4, NOTHING * 4]),
        ((7.0, 7.0), ["\u2809" * 4, NOTHING * 4]),
        ((math.nan, math.nan), [NOTHING * 4] * 2),
        ((), [NOTHING * 4] * 2),
    ],
)
def test_levels_lie_where_they_are(values: tuple[float, ...], lines: list[str]) -> None:
    """At the bottom, at the top, beyond it, and nowhere."""
    assert drawn(*values).split("\n") == lines


def test_a_rise_goes_from_corner_to_corner() -> None:
    """Two samples are joined by a straight line of dots, no column empty."""
    top, bottom = drawn(0.0, 1.0).split("\n")
    assert ord(bottom[0]) & 0x40
    assert ord(top[-1]) & 0x08
    columns = zip(top, bottom, strict=True)
    assert all(upper != NOTHING or lower != NOTHING for upper, lower in columns)


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 4999), columns=st.integers(1, 60))
def test_a_single_sample_of_many_is_seen(place: int, columns: int) -> None:
    """One peak among five thousand samples reaches the top of its column."""
    values = np.zeros(5000)
    values[place] = 1.0
    assert any(one != NOTHING for one in drawn(*values, size=(columns, 3)).split("\n")[0])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(width=32), max_size=30), st.integers(1, 20), st.integers(1, 8))
def test_any_numbers_give_a_picture_of_its_size(values: list[float], columns: int, rows: int) -> None:
    """Infinite ones, none and huge ones included."""
    lines = drawn(*values, size=(columns, rows)).split("\n")
    assert [len(line) for line in lines] == [columns] * rows


def test_a_frame_names_values_and_ends() -> None:
    """Ticks on the left where they are, begin and end below."""
    lines = framed(drawn(0.0, 1.0, size=(20, 4)), (0.0, 1.0), ("0 s", "9 s")).split("\n")
    assert [line[:5].strip() for line in lines] == ["1", "", "0.5", "0", ""]
    assert lines[-1] == "      └0 s              9 s"


def test_names_without_room_are_left_out() -> None:
    """Each at its time; one that would overwrite another or leave the line is not shown."""
    assert row_of([(0.0, "A1"), (0.05, "B1"), (0.5, "C2"), (1.0, "F2")], (0.0, 1.0), 21) == f"{'':7}A1        C2"


def test_a_terminal_that_knows_no_dots_gets_stars(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every character can be said in its encoding."""
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    said = printable(framed(drawn(0.0, 1.0), (0.0, 1.0), ("0 µs", "9 µs")))
    assert said.isascii()
    assert "*" in said
