"""Rig files: what loads, and every mistake by its key, its line and what to do about it, all at once."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hilbench.errors import InputError, Problem
from hilbench.reference import check_settings, reference_controller
from hilbench.rig import DEFAULT_RIG, Rig, find_rig, load_rig, parse_rig, rig_files
from hilbench.rig_errors import key_path, line_of

MINIMAL = """
[site]
name = "tiny"
service = { rating_a = 100, voltage_v = 240, wiring = "split-phase" }

[[station]]
role = "A"
branch_a = 40
max_a = 32
connection = "L1-L2"

[meter.service]
"""
HOME = rig_files()["home"].read_text(encoding="utf-8")


def write(folder: Path, text: str | bytes) -> Path:
    """A rig file with ``text``."""
    path = folder / "mine.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


def load(folder: Path, text: str) -> Rig:
    """The rig of ``text``."""
    return load_rig(write(folder, text))


def problems(folder: Path, text: str) -> list[Problem]:
    """Everything that is wrong with a rig file of ``text``."""
    with pytest.raises(InputError) as caught:
        load(folder, text)
    assert caught.value.source == str(folder / "mine.toml")
    return caught.value.problems


def changed(old: str, new: str, text: str = HOME) -> str:
    """The rig of a home with one part replaced."""
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize("name", rig_files())
def test_every_shipped_rig_loads_by_its_name(name: str) -> None:
    """The rigs that come with the bench are sound, and so are the settings of their controllers."""
    rig = load_rig(name)
    check_settings(rig)
    assert rig.name == name
    assert rig.source == name
    assert rig.path == rig_files()[name].resolve()
    assert len(rig.electrical.branches) == len(rig.stations) > 0
    assert {branch.feeder for branch in rig.electrical.branches} <= {node.id for node in rig.electrical.nodes}


def test_the_shipped_rigs_are_those_that_were_promised() -> None:
    """A 100 A workplace of ten, a garage of 54 with pods and a transformer, a home, a European three-phase site."""
    assert {DEFAULT_RIG, "garage-54", "home", "europe-3ph", "external"} <= set(rig_files())
    workplace, garage = load_rig(), load_rig("garage-54")
    assert (len(workplace.stations), workplace.site.service.rating_a) == (10, 100.0)
    assert len(garage.stations) == 54
    assert any(feeder.transformer_kva for feeder in garage.feeders)
    assert load_rig("europe-3ph").site.service.wiring == "three-phase"
    assert load_rig("external").real_parts == ("controller",)


def test_defaults_fill_what_a_small_rig_leaves_out(tmp_path: Path) -> None:
    """Four tables are enough: 80 % budget, reference controller, emulated devices, identity from the role."""
    rig = load(tmp_path, MINIMAL)
    station = rig.station("A")
    assert rig.electrical.nodes[0].limit_a == 80.0
    assert (station.identity, station.device, station.feeder, station.fallback_a) == ("A", "emulated:ac", "service", 0)
    assert (rig.controller.kind, rig.controller.address) == ("reference", ("127.0.0.1", 9000))
    assert rig.site_meter.endpoint == ("127.0.0.1", 5020)
    assert rig.real_parts == ()
    assert rig.roles == {"A", "controller", "meter.service"}
    with pytest.raises(KeyError, match="Z"):
        rig.station("Z")


def test_station_defaults_hold_unless_a_station_says_otherwise(tmp_path: Path) -> None:
    """A key of a station wins over the same key of the defaults."""
    text = (
        MINIMAL.replace("[[station]]", "[station_defaults]\nfallback_a = 8\nvehicle = 'mg4'\n[[station]]")
        + "[[station]]\nrole = 'B'\nbranch_a = 40\nmax_a = 32\nconnection = 'L1-L2'\nfallback_a = 6\n"
    )
    rig = load(tmp_path, text)
    assert [(s.fallback_a, s.vehicle) for s in rig.stations] == [(8.0, "mg4"), (6.0, "mg4")]


def test_files_are_found_beside_the_rig(tmp_path: Path) -> None:
    """Paths in a rig are relative to its own folder, wherever the command runs."""
    (tmp_path / "load.csv").write_text("time,load_kW\n2024-06-04T00:00Z,1\n")
    (tmp_path / "car.toml").write_text(Path(rig_car()).read_text(encoding="utf-8"))
    text = changed('model = "home"\npeak_a = 65', 'csv = "load.csv"')
    rig = load(tmp_path, changed('vehicle = "model-3"', 'vehicle = "car.toml"', text))
    assert rig.building is not None
    assert rig.building.csv == tmp_path / "load.csv"
    assert rig.station("garage").vehicle == str(tmp_path / "car.toml")


def rig_car() -> str:
    """The path of a shipped car."""
    from hilbench_emulators import vehicles

    return str(Path(vehicles.__file__).parent / "vehicle_data" / "mg4.toml")


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    """Some editors begin UTF-8 with a mark."""
    assert load_rig(write(tmp_path, b"\xef\xbb\xbf" + MINIMAL.encode())).name == "tiny"


def test_times_are_turned_to_utc(tmp_path: Path) -> None:
    """An epoch with an offset is the same instant in UTC."""
    rig = load(tmp_path, MINIMAL + "[run]\nepoch = 2024-06-04T09:00:00-07:00\n")
    assert rig.run.epoch == datetime(2024, 6, 4, 16, tzinfo=UTC)
    assert rig.run.epoch.tzinfo is UTC


def test_time_outs_come_from_the_controllers_own_table(tmp_path: Path) -> None:
    """Lease and stale time of the reference controller, the promised ones of an external controller."""
    own = load(tmp_path, MINIMAL + "[controller]\nkind = 'reference'\nlease_s = 20\nstale_s = 5\nfrozen_s = 7\n")
    assert (own.fallback_timeout_s, own.stale_timeout_s, own.frozen_timeout_s) == (20.0, 5.0, 7.0)
    text = MINIMAL + "[controller]\nkind = 'external'\nocpp = 'wss://lms.example/ocpp/'\nfallback_timeout_s = 90\n"
    other = load(tmp_path, text)
    assert (other.fallback_timeout_s, other.stale_timeout_s, other.frozen_timeout_s) == (90.0, 60.0, 60.0)
    assert other.controller.address == ("lms.example", 443)
    assert "external controller at wss://lms.example/ocpp" in other.controller_title


MISTAKES = {
    # one mistake: the place, a part of what, a part of the remedy
    "misspelt key": ("fallback_a", "falback_a", "station[0].falback_a (line 17)", "no", "did you mean fallback_a"),
    "misspelt table": ("[building]", "[bilding]", "bilding (line 34)", "is not a key", "did you mean building"),
    "far-off key": ("branch_a = 60", "branch_a = 60\nxyz = 1", "station[0].xyz (line 15)", "no", "known: branch_a,"),
    "missing key": ("max_a = 48\n", "", "station[0].max_a (line 12)", "is missing", "add it"),
    "string number": ("max_a = 48", 'max_a = "48"', "station[0].max_a (line 15)", "not '48'", "without quotes"),
    "boolean number": ("max_a = 48", "max_a = true", "station[0].max_a (line 15)", "not True", ""),
    "number for text": ('"garage"', "7", "station[0].role (line 13)", "must be text, not 7", "quotes"),
    "negative": ("rating_a = 100", "rating_a = -1", "site.service.rating_a (line 6)", "greater than 0, not -1", ""),
    "not finite": ("budget_a = 80", "budget_a = nan", "site.budget_a (line 7)", "finite number, not nan", ""),
    "out of range": ("_hz = 60", "_hz = 400", "site.service.frequency_hz (line 6)", "less than or equal to 65", ""),
    "choice": ('"split-phase"', '"delta"', "site.service.wiring (line 6)", "'three-phase', not 'delta'", ""),
    "unknown phase": ('"L1-L2"', '"L1-L4"', "station[0].connection (line 16)", "not 'L1-L4'", ""),
    "line that is not there": ('"L1-L2"', '"L3-N"', "station[0].connection (line 16)", "uses L3", "lines here: L1, L2"),
    "vehicle": ('"model-3"', '"model-4"', "station[0].vehicle (line 20)", "no vehicle 'model-4'", "mean model-3"),
    "device": ('"emulated:ac"', '"emulatd:ac"', "station[0].device (line 18)", "emulatd", "did you mean emulated:ac"),
    "meter device": ('"emulated:ct"', '"modbus:sdm"', "meter.service.device (line 28)", "modbus:sdm", "eastron-sdm630"),
    "quirk": (
        'ocpp = "1.6"',
        'quirks = ["slow"]',
        "station[0].quirks[0] (line 19)",
        "no quirk 'slow'",
        "known: slow-contactor, no-diode-check",
    ),
    "wake-up": (
        'ocpp = "1.6"',
        'wake_up = "everst"',
        "station[0].wake_up (line 19)",
        "no wake-up 'everst'",
        "did you mean everest?",
    ),
    "other OCPP": (
        'ocpp = "1.6"',
        'ocpp = "3.0"',
        "station[0].ocpp (line 19)",
        "must be '1.6', '2.0.1' or '2.1', not '3.0'",
        "",
    ),
    "zone": ("New_York", "New_Yrok", "site.timezone (line 9)", "no time zone", "IANA"),
    "requirements": ("generic-v0", "generic-v9", "site.requirements[0] (line 10)", "generic-v9", "mean generic-v0"),
    "no requirement": ('["generic-v0"]', "[]", "site.requirements (line 10)", "is empty", "at least one"),
    "empty name": ('name = "home"', 'name = ""', "site.name (line 5)", "is empty", ""),
    "list for text": ('name = "home"', 'name = ["home"]', "site.name (line 5)", "must be text", ""),
    "kind": ('"reference"', '"refrence"', "controller (line 22)", "unknown kind 'refrence'", "'external'"),
    "URL scheme": ('"ws:', '"http:', "controller.ocpp (line 24)", "does not start with ws:// or wss://", "ws://HOST"),
    "URL port": (":9000", ":99999", "controller.ocpp (line 24)", "not between 1 and 65535", "ws://HOST:PORT"),
    "URL brackets": ("//127.0.0.1:9000", "//[::1", "controller.ocpp (line 24)", "is no URL", "ws://HOST:PORT"),
    "URL query": ("9000/ocpp", "9000/ocpp?x=1", "controller.ocpp (line 24)", "carries a query", ""),
    "no host": ("tcp://127.0.0.1:", "tcp://:", "meter.service.address (line 30)", "names no host", "tcp://HOST:PORT"),
    "no port": (":5020", "", "meter.service.address (line 30)", "names no port", "tcp://HOST:PORT"),
    "port 0": (":5020", ":0", "meter.service.address (line 30)", "names no port", "tcp://HOST:PORT"),
    "same port": (":5020", ":9000", "meter.service.address (line 30)", "is also controller.ocpp", "its own port"),
    "meter elsewhere": ('node = "service"', 'node = "atic"', "meter.service.node (line 29)", "no feeder 'atic'", ""),
    "no file": ('model = "home"\npeak_a = 65', 'csv = "x.csv"', "building.csv (line 35)", "no file", "relative to"),
    "long file": ('model = "home"\npeak_a = 65', f'csv = "{"x" * 999}"', "building.csv (line 35)", "no file", ""),
    "two sources": ("peak_a = 65", "peak_a = 65\npeak_kw = 9", "building (line 34)", "one peak", "either peak_kw"),
    "no peak": ("peak_a = 65\n", "", "building (line 34)", "one peak", "either peak_kw"),
    "CSV keys beside a model": ("peak_a", 'unit = "kW"\npeak_a', "building (line 34)", "read a CSV", "remove them"),
    "shares": ("peak_a", "shares = { L1 = 1, L2 = 1 }\npeak_a", "building.shares (line 36)", "up to 2", "add up to 1"),
    "share of no line": ("peak_a", "shares.L3 = 1\npeak_a", "building.shares.L3 (line 36)", "no such line", "L1 L2"),
    "second meter": (
        "[sessions]",
        '[meter.b]\naddress = "tcp://h:1"\n[sessions]',
        "meter.b (line 38)",
        "beside",
        "one",
    ),
    "no source": ('[sessions]\nmodel = "home"', "[sessions]", "sessions (line 38)", "no single source", "exactly one"),
    "naive epoch": ("20:00:00Z", "20:00:00", "run.epoch (line 42)", "its offset from UTC", "2024-06-04T16:00:00Z"),
    "number epoch": ("2024-06-04T20:00:00Z", "5", "run.epoch (line 42)", "a date and time", "2024-06-04T16:00:00Z"),
    "epoch of Rome": ("2024-", "0001-", "run.epoch (line 42)", "between 1970 and 2200", ""),
    "reserved role": ('"garage"', '"base_load"', "station[0].role (line 13)", "already names another", "rename"),
    "bad role": ('"garage"', '"my garage"', "station[0].role (line 13)", "not 'my garage'", "letters, digits"),
    "bad identity": ("fallback_a", 'identity = "a/b"\nfallback_a', "station[0].identity (line 17)", "not 'a/b'", ""),
    "one bracket": ("[[station]]", "[station]", "station (line 12)", "must be a list", "[[station]]"),
    "unit": ("interval_s = 1.0", "unit = 300", "meter.service.unit (line 32)", "equal to 247, not 300", ""),
    "defaults no table": ("[site]", "station_defaults = 5\n[site]", "station_defaults", "must be a table", ""),
}


@pytest.mark.parametrize(("old", "new", "where", "what", "remedy"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_told_by_key_line_and_remedy(
    tmp_path: Path, old: str, new: str, where: str, what: str, remedy: str
) -> None:
    """One mistake is one problem (no echo of it elsewhere), with its place in the file and what to do."""
    found = [p for p in problems(tmp_path, changed(old, new)) if "no meter on the service" not in p.what]
    assert [problem.where for problem in found] == [where]
    assert what in found[0].what
    assert remedy in found[0].remedy


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Keys, values and disagreements between tables come in one list, each with its own line."""
    text = HOME
    for old, new in (("budget_a = 80", "budgt_a = 80"), ("max_a = 48", "max_a = -3"), ('"1.6"', '"1.5"')):
        text = changed(old, new, text)
    text = changed("5020", "x", text)
    assert [p.where.partition(" (")[0] for p in problems(tmp_path, text)] == [
        "site.budgt_a",
        "station[0].max_a",
        "station[0].ocpp",
        "meter.service.address",
    ]


def test_a_bad_station_does_not_hide_what_is_wrong_between_the_others(tmp_path: Path) -> None:
    """What can be checked without the tables that are wrong is checked, with the numbers of the file."""
    station = "[[station]]\nrole = '{}'\nbranch_a = 40\nmax_a = 32\nconnection = 'L1-L2'\n"
    text = MINIMAL + station.format("B").replace("32", "-1") + station.format("C") + station.format("C")
    found = problems(tmp_path, text + "feeder = 'atic'\n")
    assert [problem.where for problem in found] == [
        "station[1].max_a (line 16)",
        "station[3].feeder (line 28)",
        "station[3].role (line 24)",
    ]


def test_repeated_names_are_told_once_each(tmp_path: Path) -> None:
    """Two stations of one role, and two of one identity."""
    station = "[[station]]\nrole = '{}'\nbranch_a = 40\nmax_a = 32\nconnection = 'L1-L2'\n"
    twice = problems(tmp_path, MINIMAL + station.format("A"))
    assert [(p.where, p.what) for p in twice] == [("station[1].role (line 14)", "role 'A' is used 2 times")]
    same = problems(tmp_path, MINIMAL + station.format("B") + "identity = 'A'\n")
    assert [(p.where, p.what) for p in same] == [("station[1].identity (line 18)", "OCPP identity 'A' is used 2 times")]


FEEDERS = {
    "circle": (
        "[[feeder]]\nid='a'\nparent='b'\nrating_a=9\n[[feeder]]\nid='b'\nparent='a'\nrating_a=9\n",
        ["'a' is not fed from the service", "'b' is not fed from the service"],
    ),
    "own parent": ("[[feeder]]\nid='a'\nparent='a'\nrating_a=9\n", ["'a' is not fed from the service"]),
    "no parent": ("[[feeder]]\nid='a'\nparent='z'\nrating_a=9\n", ["there is no feeder 'z'"]),
    "no rating": ("[[feeder]]\nid='a'\n", ["'a' has no rating"]),
    "root again": ("[[feeder]]\nid='service'\nrating_a=9\n", ["'service' is the root of the tree"]),
    "twice": ("[[feeder]]\nid='a'\nrating_a=9\n" * 2, ["feeder id 'a' is used 2 times"]),
    "endless kVA": ("[[feeder]]\nid='a'\ntransformer_kva=inf\n", ["must be a finite number, not inf"]),
}


@pytest.mark.parametrize(("tables", "expected"), FEEDERS.values(), ids=FEEDERS.keys())
def test_feeders_make_one_tree(tmp_path: Path, tables: str, expected: list[str]) -> None:
    """Every feeder is named once, rated, and fed from the service in the end."""
    found = [problem.what for problem in problems(tmp_path, MINIMAL + tables)]
    assert len(found) == len(expected)
    assert all(part in what for part, what in zip(expected, found, strict=True))


def test_no_station_and_no_meter_are_told(tmp_path: Path) -> None:
    """A site alone is no rig."""
    text = MINIMAL[: MINIMAL.index("[[station]]")]
    assert [problem.what for problem in problems(tmp_path, text)] == [
        "there is no station",
        "there is no meter on the service",
    ]


def test_a_users_car_is_checked_with_the_rig(tmp_path: Path) -> None:
    """A car file that is wrong, or not there, is a problem of the station that names it."""
    (tmp_path / "car.toml").write_text("title = 3\n")
    found = problems(tmp_path, changed('"model-3"', '"car.toml"'))
    assert {problem.where for problem in found} == {"station[0].vehicle (line 20)"}
    assert f"{tmp_path / 'car.toml'}, title: must be text" in found[0].what
    missing = problems(tmp_path, changed('"model-3"', '"van.toml"'))
    assert [f"{tmp_path / 'van.toml'}: no such car" in problem.what for problem in missing] == [True]


def test_settings_that_the_controller_does_not_know_are_told(tmp_path: Path) -> None:
    """Keys of [controller] beside kind and address are the controller's own, and checked before it starts."""
    text = MINIMAL + "[controller]\nkind = 'reference'\nlese_s = 30\nstale_s = 'x'\ndefect = 'ignores-metre'\n"
    rig = load(tmp_path, text)
    with pytest.raises(InputError) as caught:
        reference_controller(rig)
    assert [(problem.where, problem.remedy) for problem in caught.value.problems] == [
        ("controller.defect", "did you mean ignores-meter or ignores-last-line?"),
        ("controller.stale_s", "write it without quotes"),
        ("controller.lese_s", "did you mean lease_s?"),
    ]


NOT_THERE = {
    "close name": ("hom", "did you mean home?"),
    "no name": ("zzz", "shipped: "),
    "path": ("no/such.toml", "there is no such file"),
    "folder": (".", "is a folder, not a rig file"),
    "too long": ("x" * 999, "is neither a shipped rig nor a file"),
    "nothing": ("", "is neither a shipped rig nor a file"),
}


@pytest.mark.parametrize(("name", "expected"), NOT_THERE.values(), ids=NOT_THERE.keys())
def test_a_rig_that_is_not_there_is_answered_with_what_is(name: str, expected: str) -> None:
    """A misspelt name gets close ones, a path its folder."""
    with pytest.raises(InputError, match=expected.replace("?", r"\?")):
        find_rig(name)


def test_inputs_of_the_command_line_replace_those_of_the_rig(tmp_path: Path) -> None:
    """Load, sessions (by their ending) and a defect; nothing else changes, and the original stays."""
    load_file, sessions = tmp_path / "l.csv", tmp_path / "s.JSON"
    load_file.write_text("x")
    sessions.write_text("x")
    rig = load_rig("home")
    other = rig.with_inputs(load=load_file, sessions=sessions, defect="ignores-meter")
    assert other.building is not None
    assert other.sessions is not None
    assert (other.building.csv, other.sessions.json_file) == (load_file, sessions)
    assert other.controller_title.endswith("defect ignores-meter")
    assert other.sessions.file == sessions
    assert rig.building is not None
    assert (rig.building.csv, other.stations) == (None, rig.stations)
    with pytest.raises(InputError, match="there is no such file"):
        rig.with_inputs(load=tmp_path / "none.csv")
    with pytest.raises(InputError, match="reference controller only"):
        load_rig("external").with_inputs(defect="ignores-meter")


def test_a_rig_that_was_not_read_from_a_file_has_no_path() -> None:
    """Rigs made in a test are no input of another process."""
    data = {
        "site": {"name": "x", "service": {"rating_a": 100, "voltage_v": 240, "wiring": "split-phase"}},
        "station": [{"role": "A", "branch_a": 40, "max_a": 32, "connection": "L1-L2"}],
        "meter": {"service": {}},
    }
    rig = parse_rig(data)
    assert rig.source == "rig"
    with pytest.raises(InputError, match="was not read from a file"):
        _ = rig.path


def test_places_are_written_as_a_reader_looks_for_them() -> None:
    """Key paths with list items from 0; lines of keys, of dotted and quoted keys, of tables, of what is missing."""
    text = '[a]\nx.y = 1\n"q r" = 2\n[[b]]\nk = 1\n[[b]]\nk = 2\n[c.d]\n'
    assert key_path(("station", 3, "connection")) == "station[3].connection"
    assert [line_of(text, location) for location in (("a", "x"), ("a", "q r"), ("b", 1, "k"), ("b", 1, "z"))] == [
        2,
        3,
        7,
        6,
    ]
    assert (line_of(text, ("c", "d", "e")), line_of(text, ("nowhere",))) == (8, None)


def test_amounts_in_a_rig_are_floats(tmp_path: Path) -> None:
    """Whole numbers of TOML become floats, so that no division depends on how a figure was written."""
    rig = load(tmp_path, MINIMAL)
    assert isinstance(rig.site.service.rating_a, float)
    assert math.isclose(rig.electrical.nodes[0].limit_a, 80.0)
