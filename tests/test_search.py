"""hilbench search: good controllers are let be, broken ones are found, and what was found can be seen again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hilbench.cli import main
from hilbench.cli.search import exit_code, search
from hilbench.errors import InputError
from hilbench.evidence.schemas import folder_violations
from hilbench.searching.replay import replay
from hilbench.searching.results import ResultFile, Row, summarise
from hilbench.searching.scenario import GENERATION
from hilbench.searching.search import Task, search_one, subject_of

RIG = "workplace-10"
TRIPS = [("workplace-10", "fails-open-on-link-loss", 12), ("europe-3ph", "ignores-meter", 2664)]
"""Scenarios in which a defect trips a breaker, each the first that was found."""


def row(seed: int, outcome: str = "cannot-trip", rise: float = 0.0, **changes: Any) -> Row:
    """A row as a search makes it."""
    made = Row(seed, outcome, "service L1", 0.35 + rise, rise, 0.9, 0.0, 0.0, 400.0, 3, False, ["meter dead"], "ab")
    return replace(made, **changes)


def test_the_good_controller_keeps_the_breakers_closed() -> None:
    """Three scenarios of the default rig: none trips, none ends in an error of the bench."""
    rows = [search_one(Task(RIG, None, seed)) for seed in range(3)]
    assert all(found is not None and found.outcome in ("cannot-trip", "indeterminate") for found in rows)


@pytest.mark.parametrize(("rig", "defect", "seed"), TRIPS)
def test_a_broken_controller_trips_a_breaker_where_the_good_one_does_not(rig: str, defect: str, seed: int) -> None:
    """The same scenario must trip with the defect, and no breaker trips without it."""
    bad, good = search_one(Task(rig, defect, seed)), search_one(Task(rig, None, seed))
    assert bad is not None
    assert good is not None
    assert bad.outcome == "must-trip"
    assert good.outcome in ("cannot-trip", "indeterminate")
    assert good.rise < 0.1


def test_a_replay_is_the_same_run_with_its_evidence(tmp_path: Path) -> None:
    """Every figure and every OCPP frame is as in the search; the folder is a run like any other."""
    task = Task(RIG, None, 1)
    found = replay(task, tmp_path)
    assert found.row == search_one(task)
    assert {"report.html", "run.json", "junit.xml", "MANIFEST.sha256"} <= {path.name for path in found.path.iterdir()}
    head = json.loads((found.path / "run.json").read_text("utf-8"))
    assert head["command"] == ["hilbench", "search", RIG, "--seed", "1", "--replay"]
    assert "hilbench search workplace-10 --seed 1 --replay" in (found.path / "report.html").read_text("utf-8")
    assert folder_violations(found.path) == []
    told = " ".join(what for _t, _who, what in found.story)
    assert "a car plugs in" in told
    assert "limit 6.0 A" in told


def test_a_search_goes_on_where_another_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Seeds that are in the file are not run again, a torn last line is, and the summary is of all."""
    out = tmp_path / "found.jsonl"
    assert main(["search", RIG, "--scenarios", "2", "--workers", "1", "--out", str(out)]) == 0
    first = out.read_text("utf-8")
    forged = first.replace('"where": "service', '"where": "kept')  # shows whether it is run again
    out.write_text(forged + first[:40], "utf-8")
    assert main(["search", RIG, "--scenarios", "3", "--workers", "1", "--out", str(out)]) == 0
    lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [line["seed"] for line in lines] == [0, 1, 2]
    assert [line["where"].startswith("kept") for line in lines] == [True, True, False]
    assert "3 random scenarios" in capsys.readouterr().out


def test_results_of_another_search_are_not_mixed(tmp_path: Path) -> None:
    """A file of another defect, another scenario generator or no results at all is refused, and stays as it is."""
    out = tmp_path / "found.jsonl"
    subject = subject_of(RIG, None)
    file = ResultFile(out, subject)
    file.add(row(1))
    file.close()
    for other in (replace(subject, defect="ignores-meter"), replace(subject, generation=GENERATION + 1)):
        with pytest.raises(InputError, match="another search"):
            ResultFile(out, other)
    for junk in ("no json\n", "[]\n", '{"seed": 1}\n'):
        out.write_text(junk, "utf-8")
        with pytest.raises(InputError, match="line 1: is no result"):
            ResultFile(out, subject)
        assert out.read_text("utf-8") == junk


def test_the_worst_come_first() -> None:
    """By outcome, then by the heat that came in, then by the peak; errors count, and are nobody's worst."""
    rows = [
        row(1),
        row(2, rise=0.2),
        row(3, "must-trip", 0.7, faults=["link-cut reset"]),
        row(4, "indeterminate"),
        row(5, peak_ratio=0.95),
        row(6, "error", 0.9, error="no device"),
    ]
    found = summarise(rows, 4)
    assert [one.seed for one in found.worst] == [3, 4, 2, 5]
    assert found.outcomes == {"cannot-trip": 3, "indeterminate": 1, "must-trip": 1, "error": 1}
    assert found.common == [("link-cut reset", 1, 1)]
    assert found.quantiles["rise"] == (0.0, 0.7, 0.7)


def test_the_exit_code_says_what_was_found() -> None:
    """A trip is a finding, an error of the bench none; a fast breaker that may have tripped is no trip."""
    assert exit_code([row(1), row(2, "indeterminate")]) == 0
    assert exit_code([row(1), row(2, "error", error="x")]) == 4
    assert exit_code([row(1, "must-trip"), row(2, "error", error="x")]) == 1


def test_a_trip_is_shown_and_exits_with_1() -> None:
    """The command finds the defect, names the worst scenario and how to replay it."""
    rig, defect, seed = TRIPS[0]
    done = CliRunner().invoke(search, [rig, "--defect", defect, "--seed", str(seed)])
    assert done.exit_code == 1
    assert f"hilbench search {rig} --seed {seed} --replay --defect {defect}" in done.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--replay"], "--replay needs --seed"),
        (["external"], "virtual time"),
        (["--defect", "no-such"], "no defect 'no-such'"),
        (["no-such-rig"], "neither a shipped rig nor a file"),
        (["--out", "/dev/null/x.jsonl"], "choose another --out"),
    ],
)
def test_unusable_input_is_said_and_exits_with_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is run, and there is no traceback."""
    assert main(["search", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_an_interrupt_keeps_what_was_found(tmp_path: Path) -> None:
    """After Ctrl-C the results so far are in the file and summed up, and the exit code is 130."""
    out = tmp_path / "found.jsonl"
    command = [sys.executable, "-m", "hilbench", "search", RIG, "--scenarios", "5000", "--workers", "2"]
    process = subprocess.Popen([*command, "--out", str(out)], stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    assert process.stdout is not None
    while process.poll() is None and not (out.exists() and out.read_text("utf-8").count("\n") >= 2):
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
    process.send_signal(signal.SIGINT)
    text, _none = process.communicate(timeout=60)
    assert process.returncode == 130
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert len(rows) >= 2
    assert "ABORTED" in text
    assert f"{len(rows)} of 5000 scenarios" in text
