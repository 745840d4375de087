"""Files that nobody thought of: whatever stands in them, the answer is an ``InputError`` or what the file says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hilbench.clock import DEFAULT_EPOCH
from hilbench.errors import InputError
from hilbench.requirements import load_requirements
from hilbench.rig import parse_rig, rig_files
from hilbench.rig_lint import lint
from hilbench.site import Service
from hilbench.tomlfile import read_toml
from hilbench_emulators.load_csv import read_load_csv
from hilbench_emulators.sessions import read_sessions
from hilbench_emulators.vehicles import load_vehicle
from tests.test_bad_input import ACN, HOME, HOURS, STAY, clause

ANYTHING = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
JUNK = st.sampled_from(
    [
        *(b"", b"=", b"[", b"]]", b'"', b'""', b"\n", b",", b";", b"-", b"{}", b"[[station]]\n", b"\xff", b"\x00"),
        *(b"nan", b"true", b"1e999", b"9" * 50, b"'\\u0000'", b"\xef\xbb\xbf"),
        *(b"0001-01-01", b"99999-12-31", b"T24:00", b"+23:59", b"Z"),
    ]
)


def answer(read: Callable[[], object]) -> str:
    """What reading a file ends in: an input error's words, or ``read``. Nothing else is caught."""
    try:
        read()
    except InputError as error:
        return str(error)
    return "read"


@st.composite
def mangled(draw: st.DrawFn, sound: bytes) -> bytes:
    """A sound file with up to three places overwritten, cut out or repeated."""
    content = sound
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 12)))
        content = content[:start] + draw(JUNK) * draw(st.integers(1, 2)) + content[end:]
    return content


def cut_lines(text: str) -> Iterator[bytes]:
    """The file cut off after each of its lines, and with each of its lines left out."""
    lines = text.splitlines(keepends=True)
    for number in range(len(lines)):
        yield "".join(lines[:number]).encode()
        yield "".join(lines[:number] + lines[number + 1 :]).encode()


def check_rig(path: Path) -> None:
    """Read, load and lint a rig."""
    data, text = read_toml(path)
    lint(parse_rig(data, text, path=path))


@ANYTHING
@given(content=mangled(HOME.encode()))
def test_a_mangled_rig_is_an_input_error_or_a_rig(content: bytes, tmp_path: Path) -> None:
    """No byte that somebody types into a rig file ends in anything but an answer."""
    (tmp_path / "r.toml").write_bytes(content)
    assert answer(lambda: check_rig(tmp_path / "r.toml"))


@pytest.mark.parametrize("name", ["home", "europe-3ph"])
def test_a_rig_without_any_of_its_lines_is_answered(name: str, tmp_path: Path) -> None:
    """Whatever line is missing, the answer is an input error or the rig."""
    for content in cut_lines(rig_files()[name].read_text(encoding="utf-8")):
        (tmp_path / "r.toml").write_bytes(content)
        assert answer(lambda: check_rig(tmp_path / "r.toml"))


VALUES: list[Any] = [None, True, -1, 0, 1.5, float("nan"), 10**30, "", "x", [], [1], {}, {"a": 1}, [[]], [{}], "L1-L2"]
PLACES = [
    ("site",),
    ("site", "service"),
    ("site", "service", "rating_a"),
    ("site", "timezone"),
    ("site", "requirements"),
    ("station",),
    ("station", 0),
    ("station", 0, "role"),
    ("station", 0, "connection"),
    ("station", 0, "vehicle"),
    ("station", 0, "quirks"),
    ("station", 0, "personality"),
    ("station", 0, "security_profile"),
    ("station", 0, "password"),
    ("station", 0, "ca_file"),
    ("station_defaults",),
    ("feeder",),
    ("meter",),
    ("meter", "service"),
    ("meter", "service", "address"),
    ("controller",),
    ("controller", "kind"),
    ("controller", "ocpp"),
    ("building",),
    ("building", "shares"),
    ("sessions",),
    ("run",),
    ("run", "epoch"),
]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
def test_any_value_in_any_place_is_answered(place: tuple[str | int, ...], tmp_path: Path) -> None:
    """Whatever kind of value stands in a place, the answer is an input error or a rig."""
    (tmp_path / "home.toml").write_text(HOME)
    for value in VALUES:
        data: dict[str, Any] = read_toml(tmp_path / "home.toml")[0]
        table: Any = data
        for part in place[:-1]:
            table = table[part]
        table[place[-1]] = value
        assert answer(lambda data=data: lint(parse_rig(data)))  # type: ignore[misc]


SERVICE = Service(rating_a=100, voltage_v=240, wiring="split-phase")
CSV = HOURS[: HOURS.index("2024-06-03T06")].encode()


@ANYTHING
@given(content=mangled(CSV))
def test_a_mangled_load_is_an_input_error_or_a_load(content: bytes, tmp_path: Path) -> None:
    """The same for a building load."""
    (tmp_path / "l.csv").write_bytes(content)
    assert answer(lambda: read_load_csv(tmp_path / "l.csv", SERVICE, epoch=DEFAULT_EPOCH, timezone="America/New_York"))


@ANYTHING
@given(content=mangled((STAY + "2024-06-04T15:00,2024-06-04T18:00Z,A,5.5,6.6,mg4\n" * 2).encode()))
def test_mangled_sessions_are_an_input_error_or_sessions(content: bytes, tmp_path: Path) -> None:
    """The same for sessions in a CSV."""
    (tmp_path / "s.csv").write_bytes(content)
    assert answer(lambda: read_sessions(tmp_path / "s.csv", timezone="America/New_York"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(list(ACN.values())),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ACN, "userInputs", "_items", "x"]), inner)
    ),
    max_leaves=20,
)


@ANYTHING
@given(data=JSON, energy=st.sampled_from(["delivered", "requested"]))
def test_any_json_is_an_input_error_or_sessions(data: object, energy: Any, tmp_path: Path) -> None:
    """The same for any JSON at all in the place of ACN-Data."""
    for content in (data, [data], {"_items": [data]}, [{**ACN, "userInputs": data}], [{**ACN, "kWhDelivered": data}]):
        (tmp_path / "s.json").write_text(json.dumps(content))
        assert answer(lambda: read_sessions(tmp_path / "s.json", energy=energy))


@ANYTHING
@given(content=mangled((resources.files("hilbench_emulators") / "vehicle_data" / "mg4.toml").read_bytes()))
def test_a_mangled_car_is_an_input_error_or_a_car(content: bytes, tmp_path: Path) -> None:
    """The same for a car."""
    path = tmp_path / f"{abs(hash(content))}.toml"  # cars are kept by their path
    path.write_bytes(content)
    assert answer(lambda: load_vehicle(str(path)).response(3).drawn_a(16.0))


@ANYTHING
@given(content=mangled(clause().encode()))
def test_a_mangled_profile_is_an_input_error_or_a_profile(content: bytes, tmp_path: Path) -> None:
    """The same for a requirement profile."""
    (tmp_path / "p.toml").write_bytes(content)
    assert answer(lambda: load_requirements([], [tmp_path / "p.toml"]))
