"""Malformed files and command lines: each is answered by where, what and what to do; nothing starts, nothing breaks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from hilbench.cli import main
from hilbench.errors import InputError
from hilbench.requirements import load_requirements
from hilbench.rig import rig_files
from pytest_hilbench.operator import Operator

HOME = rig_files()["home"].read_text(encoding="utf-8")
HOURS = "time,load_kW\n" + "".join(f"2024-06-{3 + h // 24:02d}T{h % 24:02d}:00:00Z,{h % 7}\n" for h in range(96))
DAY = ("--day", "2024-06-04")
STAY = "arrival,departure,station,energy_kwh,max_power_kw,vehicle\n"
ACN = {
    "connectionTime": "Tue, 04 Jun 2024 15:00:00 GMT",
    "disconnectTime": "Tue, 04 Jun 2024 18:00:00 GMT",
    "kWhDelivered": 5,
    "spaceID": "CA-1",
}


class Case(NamedTuple):
    """Files to write, arguments of ``hilbench``, and parts of the answer: the place, what is wrong, what to do."""

    files: dict[str, str | bytes]
    arguments: tuple[str, ...]
    answer: tuple[str, ...]


def rig(content: str | bytes, *answer: str) -> Case:
    """A rig file that is wrong as a whole."""
    return Case({"mine.toml": content}, ("rig", "check", "mine.toml"), ("mine.toml: ", *answer))


def home(old: str, new: str, *answer: str) -> Case:
    """A home with one part replaced."""
    assert old in HOME
    return rig(HOME.replace(old, new, 1), *answer)


def load(content: str | bytes, *answer: str, day: tuple[str, ...] = DAY) -> Case:
    """A building load."""
    return Case({"load.csv": content}, ("run", "home", "--load", "load.csv", *day), ("load.csv: ", *answer))


def stays(rows: str | bytes, *answer: str, head: str = STAY) -> Case:
    """Charging sessions in a CSV."""
    content = head + rows if isinstance(rows, str) else rows
    return Case({"s.csv": content}, ("run", "home", "--sessions", "s.csv", *DAY), ("s.csv: ", *answer))


def acn(content: object, *answer: str) -> Case:
    """Charging sessions in ACN-Data JSON."""
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    return Case({"s.json": text}, ("run", "home", "--sessions", "s.json", *DAY), ("s.json: ", *answer))


def car(content: str | bytes, *answer: str) -> Case:
    """A car of the user's own in a rig."""
    text = HOME.replace('"model-3"', '"car.toml"')
    files: dict[str, str | bytes] = {"mine.toml": text, "car.toml": content}
    return Case(files, ("rig", "check", "mine.toml"), ("station[0].vehicle (line 20): ", "car.toml", *answer))


def line(*arguments: str, answer: tuple[str, ...]) -> Case:
    """A command line without any file."""
    return Case({"a-file": "x"}, arguments, answer)


def without(row: int) -> str:
    """The hourly load without one row."""
    rows = HOURS.splitlines()
    return "\n".join(rows[: row - 1] + rows[row:]) + "\n"


def replaced(row: int, text: str) -> str:
    """The hourly load with another text in one row."""
    rows = HOURS.splitlines()
    rows[row - 1] = text
    return "\n".join(rows) + "\n"


STATION = "[[station]]\nrole = 'garage'\nbranch_a = 60\nmax_a = 48\nconnection = 'L1-L2'\n[controller]"
CIRCLE = "[[feeder]]\nid='a'\nparent='b'\nrating_a=9\n[[feeder]]\nid='b'\nparent='a'\nrating_a=9\n[building]"
CASES = {
    "rig: syntax": rig("[site\n", "line 1, column 6", "TOML syntax", "toml.io"),
    "rig: key twice": home('name = "home"', 'name = "a"\nname = "b"', "line 6", "cannot overwrite a value", "toml.io"),
    "rig: empty": rig("", "site: is missing", "add it"),
    "rig: not UTF-8": rig(b"\xff\xfe\x00", "byte 0", "is not UTF-8", "save the file as UTF-8"),
    "rig: nested without end": rig("a = " + "[" * 99_999, "nested too deeply", "flatten"),
    "rig: number without end": rig("a = " + "9" * 9_999, "a value cannot be read", "4300 digits"),
    "rig: unknown key": home("budget_a", "budgt_a", "site.budgt_a (line 7)", "not a key", "did you mean budget_a?"),
    "rig: missing service": home("service = {", "servce = {", "site.service (line 4)", "is missing", "add it"),
    "rig: text for number": home("= 100,", '= "100",', "site.service.rating_a (line 6)", "not '100'", "without quotes"),
    "rig: true for number": home("= 100,", "= true,", "site.service.rating_a (line 6)", "valid number, not True"),
    "rig: negative": home("= 100,", "= -100,", "site.service.rating_a (line 6)", "greater than 0, not -100"),
    "rig: NaN": home("budget_a = 80", "budget_a = nan", "site.budget_a (line 7)", "finite number, not nan"),
    "rig: infinite": home("max_a = 48", "max_a = inf", "station[0].max_a (line 15)", "finite number, not inf"),
    "rig: huge": home("= 100,", "= 1e9,", "site.service.rating_a (line 6)", "equal to 100000, not 1000000000.0"),
    "rig: unknown car": home('"model-3"', '"model-4"', "station[0].vehicle (line 20)", "no vehicle", "mean model-3"),
    "rig: unknown phase": home('"L1-L2"', '"L1-L3"', "station[0].connection (line 16)", "uses L3", "lines here: L1"),
    "rig: role twice": home("[controller]", STATION, "station[1].role (line 23)", "used 2 times", "each needs its own"),
    "rig: feeders in a circle": home("[building]", CIRCLE, "feeder[0].parent (line 36)", "not fed", "form a circle"),
    "rig: bad URL": home('"ws:', '"http:', "controller.ocpp (line 24)", "does not start with ws://", "ws://HOST:PORT"),
    "rig: bad port": home(":9000", ":70000", "controller.ocpp (line 24)", "between 1 and 65535", "ws://HOST:PORT"),
    "rig: unknown setting": home("policy", "polcy", "controller.polcy (line 25)", "not a key", "did you mean policy?"),
    "rig: unknown device": home(
        '"emulated:ct"', '"ct"', "meter.service.device (line 28)", "kind of meter 'ct'", "known"
    ),
    "rig: too much budget": home(
        "budget_a = 80 ", "budget_a = 99 ", "site.budget_a (line 7)", "x 1.25", "at most 80 A"
    ),
    "rig: no such file": line("rig", "check", "no.toml", answer=("no.toml: ", "no such file", "relative to")),
    "rig: folder": line("rig", "check", ".", answer=(".: ", "is a folder", "give the TOML file inside it")),
    "rig: close name": line("run", "hom", answer=("hom: ", "neither a shipped rig nor a file", "did you mean home?")),
    "rig: endless name": line("rig", "show", "x" * 5_000, answer=("neither a shipped rig nor a file", "shipped: ")),
    "load: empty": load("", "the file is empty"),
    "load: only a header": load("time,load_kW\n", "row 2", "no rows below the header"),
    "load: binary": load(b"PK\x03\x04\xff\xfe", "byte 5", "not UTF-8", "save the file as UTF-8"),
    "load: no unit": load(HOURS.replace("load_kW", "load"), "row 1", "no column with a unit", "like load_kW"),
    "load: semicolons": load(HOURS.replace(",", ";"), "row 1", "separated by semicolons", "save the file with commas"),
    "load: gap": load(without(40), "row 40", "a gap of 7200 s after row 39", "usually 3600 s apart"),
    "load: NaN": load(replaced(40, "2024-06-04T14:00:00Z,nan"), "row 40, column 'load_kW'", "no finite", "fill it in"),
    "load: nothing": load(replaced(40, "2024-06-04T14:00:00Z,"), "row 40, column 'load_kW'", "no value", "fill it in"),
    "load: text": load(replaced(40, "2024-06-04T14:00:00Z,a"), "row 40, column 'load_kW'", "'a' is no number"),
    "load: negative": load(replaced(40, "2024-06-04T14:00:00Z,-5"), "row 40", "-5 is negative", "add generation back"),
    "load: absurd": load(replaced(40, "2024-06-04T14:00:00Z,1e300"), "row 40", "1e300 is beyond all measure"),
    "load: unsorted": load(replaced(40, "2024-06-03T09:30:00Z,1"), "row 40", "is earlier than row 39", "sort the rows"),
    "load: time twice": load(replaced(40, "2024-06-04T13:00:00Z,1"), "row 40", "same time as row 39", "one per time"),
    "load: bad time": load(replaced(40, "yesterday,1"), "row 40, column 'time'", "no time stamp", "2024-06-04T13"),
    "load: far time": load(replaced(2, "0001-01-01T00:00:00Z,1"), "row 2", "outside the years 1970 to 2199"),
    "load: mixed zones": load(
        replaced(40, "2024-06-04T14:00:00,1"), "row 41", "is earlier than row 40", "sort the rows"
    ),
    "load: decimal comma": load(replaced(40, "2024-06-04T14:00:00Z,1,5"), "row 40", "3 columns", "decimal point"),
    "load: day absent": load(HOURS, "does not cover 2025-01-01", "it has 2024-06-02", day=("--day", "2025-01-01")),
    "load: no file": line("run", "--load", "no.csv", answer=("no.csv: ", "there is no such file")),
    "sessions: no column": stays("", "row 1", "no column departure", "it has: arrival", head="arrival,station\nx,y\n"),
    "sessions: departure first": stays("2024-06-04T15:00Z,2024-06-04T14:00Z,A,5,,\n", "row 2", "is not after arrival"),
    "sessions: negative": stays("2024-06-04T15:00Z,2024-06-04T16:00Z,A,-5,,\n", "row 2", "energy_kwh: -5 is negative"),
    "sessions: no power": stays("2024-06-04T15:00Z,2024-06-04T16:00Z,A,5,0,\n", "row 2", "charges nothing", "empty"),
    "sessions: unknown car": stays("2024-06-04T15:00Z,2024-06-04T16:00Z,A,5,,x\n", "row 2", "no 'x'", "use one of"),
    "sessions: bad time": stays("noon,2024-06-04T16:00Z,A,5,,\n", "row 2", "arrival: 'noon' is no time stamp"),
    "sessions: two at once": stays(
        "2024-06-04T15:00Z,2024-06-04T18:00Z,A,5,,\n2024-06-04T16:00Z,2024-06-04T17:00Z,A,5,,\n",
        "row 3",
        "station A is taken until 2024-06-04 14:00 by row 2",
        "one car at a time",
    ),
    "sessions: day absent": stays("2020-06-04T15:00Z,2020-06-04T18:00Z,A,5,,\n", "no session arrives on 2024-06-04"),
    "sessions: binary": stays(b"\x00\xff", "byte 2", "not UTF-8", "save the file as UTF-8"),
    "ACN: not JSON": acn("{", "not JSON", "line 1 column 2"),
    "ACN: nested without end": acn("[" * 99_999, "nested too deeply"),
    "ACN: no list": acn({"items": []}, "no list of sessions", "under _items"),
    "ACN: no object": acn([5], "item 0", "is no object"),
    "ACN: no time": acn([{**ACN, "connectionTime": None}], "item 0", "arrival: no time"),
    "ACN: no departure": acn([{**ACN, "disconnectTime": None}], "item 0", "departure: no time"),
    "ACN: no energy": acn([{**ACN, "kWhDelivered": None}], "item 0", "energy_kwh: no value"),
    "ACN: no station": acn([{**ACN, "spaceID": {"x": 1}}], "item 0", "no station"),
    "car: syntax": car("title = \n", "line 1, column 9", "TOML syntax"),
    "car: missing keys": car("", "title: is missing", "response: is missing"),
    "car: negative": car("battery_kwh = -1\n", "battery_kwh: must be greater than 0, not -1"),
    "line: unknown procedure": line("run", "--only", "9.9", answer=("--only: ", "no procedure 9.9", "there are 1.3")),
    "line: day without a session": Case(
        {"s.csv": STAY + "2019-03-12T15:00Z,2019-03-12T18:00Z,A,5,,\n"},
        ("run", "--sessions", "s.csv", "--day", "2024-01-01"),
        ("s.csv: ", "no session arrives on 2024-01-01"),
    ),
    "line: no day": line("run", "--day", "2024-13-01", answer=("--day", "2024-13-01", "%Y-%m-%d")),
    "line: last day": line("run", "--day", "9999-12-31", answer=("day: ", "outside the years 1970 to 2199", "check")),
    "line: bad time": line("run", "--time", "fast", answer=("time: ", "'fast' is not a time mode", "real or xK")),
    "line: no time": line("run", "--time", "x0", answer=("time: ", "'x0' is not a time mode", "real or xK")),
    "line: negative seed": line("run", "--seed", "-1", answer=("--seed", "-1 is not in the range")),
    "line: no repeat": line("run", "--repeat", "0", answer=("--repeat", "0 is not in the range")),
    "line: defect": line("run", "--defect", "x", answer=("controller.defect", "no defect 'x'", "known: ignores-meter")),
    "line: out is a file": line("run", "--only", "7.1", "--out", "a-file", answer=("a-file: ", "cannot hold", "--out")),
    "line: no run": line("report", "a-file", answer=("a-file: ", "no readable run.json", "give the folder of a run")),
    "line: selftest": line("selftest", "--only", "9.9", answer=("--only: ", "no procedure 9.9", "there are 1.3")),
}
"""Every row: what is given, and where + what + what to do in the answer."""


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_bad_input_is_answered(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and a message with place, mistake and remedy; no traceback, and no run was begun."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HILBENCH_DEBUG", raising=False)
    for name, content in case.files.items():
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    code = main(list(case.arguments))
    out, err = capsys.readouterr()
    said = out + err
    assert code == 2, said
    assert "Traceback" not in said
    assert "defect of its own" not in said
    assert [part for part in case.answer if part not in said] == []
    assert len(said) < 4_000 + len(" ".join(case.arguments))
    assert {path.name for path in tmp_path.iterdir()} == set(case.files)


# -- requirement profiles and answers of the operator, which have no command of their own

HEAD = 'id = "x"\ntitle = "X"\nedition = "1"\n'
CLAUSE: dict[str, str | None] = {
    "id": '"c1"',
    "metric": '"t90"',
    "op": '"<="',
    "limit": "10",
    "unit": '"s"',
    "guard": '"none"',
    "source": '"contract"',
    "confidence": '"vendor-doc"',
    "text": '"fast"',
}


def clause(**changes: str | None) -> str:
    """A profile with one clause; None leaves a key out."""
    keys = {**CLAUSE, **changes}
    return HEAD + "[[clause]]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items() if value is not None)


PROFILES: dict[str, tuple[str | bytes, tuple[str, ...]]] = {
    "empty": ("", ("id: is missing", "add it")),
    "no clause": (HEAD, ("the profile has no clauses", "add a [[clause]] table")),
    "syntax": ("[[clause]\n", ("line 1", "TOML syntax", "toml.io")),
    "not UTF-8": (b"\xff", ("byte 0", "is not UTF-8", "save the file as UTF-8")),
    "unknown metric": (clause(metric='"t95"'), ("clause c1, metric", "unknown metric 't95'", "known: ")),
    "bad op": (clause(op='"<"'), ("clause 1 (c1), op", "must be '<=', '>=' or '=='", "not '<'")),
    "wrong side": (clause(op='">="'), ("clause c1, op", "better when lower")),
    "bad confidence": (clause(confidence='"sure"'), ("clause 1 (c1), confidence", "'policy-default'", "not 'sure'")),
    "no source": (clause(source=None), ("clause 1 (c1), source", "is missing", "add it")),
    "wrong unit": (clause(unit='"ms"'), ("clause c1, unit", "measured in 's', not 'ms'")),
    "limit is code": (
        clause(limit="\"__import__('os').system('touch pwned')\""),
        ("clause 1 (c1), limit", "must be a number or a sum of terms", "write 10 or { timeout_s = 1"),
    ),
    "name is code": (
        clause(limit="{ \"__import__('os').system('touch pwned')\" = 1 }"),
        ("clause c1, limit", "unknown quantity", "known: rating_a"),
    ),
    "factor is code": (clause(limit='{ timeout_s = "1+1" }'), ("limit.timeout_s", "valid number", "without quotes")),
    "limit is NaN": (clause(limit="nan"), ("limit.constant", "finite number")),
    "negative tolerance": (clause(tolerance="-1"), ("clause c1, tolerance", "cannot be negative", "tighten the limit")),
    "id twice": (clause() + clause()[len(HEAD) :], ("clause c1", "used 2 times", "its own id")),
}


@pytest.mark.parametrize(("content", "answer"), PROFILES.values(), ids=PROFILES.keys())
def test_a_bad_requirement_profile_is_answered(
    content: str | bytes, answer: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file, the clause and the key, and the choices; nothing that stands in a profile is ever run."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "p.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        load_requirements([], [path])
    said = str(caught.value)
    assert str(path) in said
    assert [part for part in answer if part not in said] == []
    assert [found.name for found in tmp_path.iterdir()] == ["p.toml"]


ANSWERS: dict[str, tuple[str | bytes, tuple[str, ...]]] = {
    "syntax": ("clamp = \n", ("line 1, column 9", "TOML syntax")),
    "not UTF-8": (b"\xff", ("byte 0", "is not UTF-8")),
    "text for number": ('clamp = "high"\n', ("clamp", "'high' is no answer", "write a number [A], without quotes")),
    "true for number": ("clamp = true\n", ("clamp", "True is no answer", "write a number [A]")),
    "NaN": ("clamp = nan\n", ("clamp", "nan is no answer", "write a number [A]")),
}


class Config:
    """What the operator asks of a pytest session."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.pluginmanager = self

    def getoption(self, _name: str) -> str:
        """The file of ``--bench-answers``."""
        return str(self._path)

    def getplugin(self, _name: str) -> None:
        """No capture."""


@pytest.mark.parametrize(("content", "answer"), ANSWERS.values(), ids=ANSWERS.keys())
def test_a_bad_answer_of_the_operator_is_answered(
    content: str | bytes, answer: tuple[str, ...], tmp_path: Path
) -> None:
    """The key of the question and what to write; a wrong answer is not taken for none."""
    path = tmp_path / "answers.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        Operator.for_session(Config(path)).reading("clamp", "Clamp meter on L1", "A")  # type: ignore[arg-type]
    assert [part for part in answer if part not in str(caught.value)] == []


def test_a_confirmation_is_true_or_false(tmp_path: Path) -> None:
    """A number is no yes."""
    (tmp_path / "a.toml").write_text("seen = 1\ndone = false\n")
    operator = Operator.for_session(Config(tmp_path / "a.toml"))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="write true or false"):
        operator.confirm("seen", "Seen?")
    assert operator.confirm("done", "Done?") is False
