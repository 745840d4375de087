"""``hilbench rig``: what it prints, its exit codes, and the JSON Schema that editors use."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from hilbench.cli import main
from hilbench.reference import setting_schema
from hilbench.rig import load_rig, rig_files, rig_schema

HOME = rig_files()["home"].read_text(encoding="utf-8")
Capture = pytest.CaptureFixture[str]


def run(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of ``hilbench rig``."""
    code = main(["rig", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def mine(folder: Path, *changes: tuple[str, str]) -> str:
    """The path of a home rig with parts replaced."""
    text = HOME
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "mine.toml").write_text(text, encoding="utf-8")
    return str(folder / "mine.toml")


@pytest.mark.parametrize("name", rig_files())
def test_shipped_rigs_pass_the_check(capsys: Capture, name: str) -> None:
    """Exit code 0, and the last line says what the rig is."""
    code, out, err = run(capsys, "check", name)
    assert (code, err) == (0, "")
    assert out.splitlines()[-1].startswith(f"{name}: ")
    assert "no errors" in out.splitlines()[-1]


def test_mistakes_end_in_code_2_with_a_line_each(tmp_path: Path, capsys: Capture) -> None:
    """Keys of tables and settings of the controller are told together, on standard error, the file before each."""
    path = mine(tmp_path, ("budget_a", "budgt_a"), ("max_a = 48", "max_a = nan"), ('policy = "', 'polcy = "'))
    code, out, err = run(capsys, "check", path)
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        f"{path}: site.budgt_a (line 7): is not a key of this table (did you mean budget_a?)",
        f"{path}: station[0].max_a (line 15): must be a finite number, not nan",
        f"{path}: controller.polcy (line 25): is not a key of this table (did you mean policy?)",
    ]


def test_settings_alone_are_told_too(tmp_path: Path, capsys: Capture) -> None:
    """A rig whose only mistake is a setting of its controller does not pass."""
    path = mine(tmp_path, ('"dynamic"', '"dynamic"\ndefect = "x"'))
    code, _out, err = run(capsys, "check", path)
    assert code == 2
    assert "controller.defect (line 26): there is no defect 'x' (known: ignores-meter" in err


def test_electrical_errors_end_in_code_2_with_their_clause(tmp_path: Path, capsys: Capture) -> None:
    """A finding says severity, place, what, remedy, clause and how sure the bench is of it."""
    path = mine(tmp_path, ("budget_a = 80 ", "budget_a = 90 "))
    code, out, _err = run(capsys, "check", path)
    assert code == 2
    assert out.splitlines()[0] == (
        f"{path}: error: site.budget_a (line 7): budget 90 A x 1.25 is more than the 100 A of the OCPD "
        "(at most 80 A) [NEC 210.20(A), 215.3, 220.70; recalled]"
    )
    assert out.splitlines()[-1].endswith("1 error, no warnings")


@pytest.mark.parametrize(("options", "code"), [((), 0), (("--strict",), 2)])
def test_warnings_count_only_when_strict(tmp_path: Path, capsys: Capture, options: tuple[str, ...], code: int) -> None:
    """A building above its declared worst case is doubtful: exit code 0, or 2 with --strict."""
    path = mine(tmp_path, ("worst_base_a = 65", "worst_base_a = 60"))
    found, out, _err = run(capsys, "check", path, *options)
    assert found == code
    assert "warning: site.worst_base_a (line 8)" in out
    assert out.splitlines()[-1].endswith("no errors, 1 warning")


def test_a_finding_in_defaults_is_told_once_at_their_table(tmp_path: Path, capsys: Capture) -> None:
    """Ten stations that inherit one bad breaker are one finding, at the line that is to be changed."""
    text = rig_files()["workplace-10"].read_text(encoding="utf-8").replace("branch_a = 40", "branch_a = 30")
    (tmp_path / "w.toml").write_text(text, encoding="utf-8")
    _code, out, _err = run(capsys, "check", str(tmp_path / "w.toml"))
    lines = [line for line in out.splitlines() if ": error:" in line]
    assert len(lines) == 1
    assert "station_defaults.branch_a (line 13)" in lines[0]


def test_list_names_every_shipped_rig_with_its_clock(capsys: Capture) -> None:
    """One line each: what it is, whose controller, virtual or real time."""
    code, out, _err = run(capsys, "list")
    assert code == 0
    assert [line.partition(":")[0] for line in out.splitlines()] == list(rig_files())
    assert "home: 1 station, 100 A service of 240 V split-phase, budget 80 A; reference controller, virtual time" in out
    assert "external controller, real time" in out


def test_show_draws_the_tree(capsys: Capture) -> None:
    """Every node, station and meter of the garage stands in the tree."""
    code, out, _err = run(capsys, "show", "garage-54")
    rig = load_rig("garage-54")
    assert code == 0
    for name in [node.id for node in rig.electrical.nodes] + [entry.role for entry in rig.stations]:
        assert f" {name}  " in f" {out}".replace("\n", " ")
    assert "meter.service  emulated:ct at tcp://127.0.0.1:5020" in out
    assert "controller  reference at ws://127.0.0.1:9000/ocpp" in out


@pytest.mark.parametrize("arguments", [("check",), ("shw",), ("check", "home", "--lax"), ("show", "hom")])
def test_a_wrong_command_line_ends_in_code_2(capsys: Capture, arguments: tuple[str, ...]) -> None:
    """Usage and close names, on standard error."""
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err


# -- the JSON Schema


def schema() -> dict[str, Any]:
    """What ``hilbench rig schema`` writes."""
    return rig_schema(setting_schema())


def test_the_schema_goes_to_the_terminal_or_a_file(tmp_path: Path, capsys: Capture) -> None:
    """The same text either way, and a file that cannot be written is named."""
    code, out, _err = run(capsys, "schema")
    assert (code, json.loads(out)) == (0, schema())
    assert run(capsys, "schema", "--out", str(tmp_path / "s.json")) == (0, "", "")
    assert (tmp_path / "s.json").read_text(encoding="utf-8") == out
    code, _out, err = run(capsys, "schema", "--out", str(tmp_path / "no" / "s.json"))
    assert code == 2
    assert "s.json" in err
    assert "No such file or directory" in err


def test_the_schema_is_one() -> None:
    """It keeps the rules of draft 2020-12."""
    assert jsonschema_rs.meta.is_valid(schema())
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def plain(name: str) -> dict[str, Any]:
    """The tables of a shipped rig as JSON; dates become text."""
    data = tomllib.loads(rig_files()[name].read_text(encoding="utf-8"))
    found: dict[str, Any] = json.loads(json.dumps(data, default=lambda value: value.isoformat()))
    return found


@pytest.mark.parametrize("name", rig_files())
def test_the_schema_accepts_shipped_rigs(name: str) -> None:
    """What the bench loads, an editor does not underline."""
    jsonschema_rs.validate(schema(), plain(name))


BROKEN: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no site": lambda rig: rig.pop("site"),
    "unknown table": lambda rig: rig.update(bilding={}),
    "unknown key": lambda rig: rig["site"].update(budgt_a=80),
    "unknown key of a station": lambda rig: rig["station"][0].update(brnch_a=40),
    "unknown key of the defaults": lambda rig: rig["station_defaults"].update(mx_a=40),
    "unknown setting": lambda rig: rig["controller"].update(polcy="dynamic"),
    "setting out of range": lambda rig: rig["controller"].update(lease_s=-1),
    "text for a number": lambda rig: rig["site"].update(budget_a="80"),
    "negative rating": lambda rig: rig["site"]["service"].update(rating_a=-1),
    "unknown wiring": lambda rig: rig["site"]["service"].update(wiring="delta"),
    "unknown kind": lambda rig: rig["controller"].update(kind="refrence"),
    "external without URL": lambda rig: rig.update(controller={"kind": "external"}),
    "no requirement": lambda rig: rig["site"].update(requirements=[]),
    "station without role": lambda rig: rig["station"][0].pop("role"),
    "bad role": lambda rig: rig["station"][0].update(role="my garage"),
    "meter too slow": lambda rig: rig["meter"]["service"].update(interval_s=16),
    "unknown class": lambda rig: rig["meter"]["service"].update({"class": "7"}),
    "one station table": lambda rig: rig.update(station={"role": "A"}),
    "Modbus unit": lambda rig: rig["meter"]["service"].update(unit=248),
}


@pytest.mark.parametrize("break_it", BROKEN.values(), ids=BROKEN.keys())
def test_the_schema_rejects_broken_rigs(break_it: Callable[[dict[str, Any]], Any]) -> None:
    """What the bench refuses for its shape, an editor underlines."""
    rig = copy.deepcopy(plain("workplace-10"))
    break_it(rig)
    assert not jsonschema_rs.is_valid(schema(), rig)
