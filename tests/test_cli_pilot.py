"""``hilbench pilot``: measurements of files, verdicts as exit codes, and the tables."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from hilbench.cli import main
from tests.pilot_waves import LOAD_OHM, Circuit, Scope, pwm

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """10 ms of 16 A in C2 as two rows of numbers."""
    circuit, scope = Circuit(), Scope()
    record = scope.take(pwm(16 / 0.6, 1e-2, begin_s=-3e-4), circuit, np.random.default_rng(1))
    np.save(tmp_path / "c2.npy", np.stack([record.times(), record.values]))
    return tmp_path / "c2.npy"


def test_a_good_record_passes(file: Path, capsys: Capture) -> None:
    """Readings with their uncertainty, verdicts with their source, exit code 0."""
    assert main(["pilot", "measure", str(file), "--limit", "16"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("state C2: 9 cycles, careful, threshold -3.00 V")
    assert shown.count("PASS") == 5
    assert "duty of the source" in shown
    assert "taken for exact" in shown


def test_the_wrong_limit_fails(file: Path, capsys: Capture) -> None:
    """The same record against 13 A: the duty and the current are missed, exit code 1."""
    assert main(["pilot", "measure", str(file), "--limit", "13", "--mode", "fast"]) == 1
    assert capsys.readouterr().out.count("FAIL") == 2


def test_json_holds_everything(file: Path, capsys: Capture) -> None:
    """Values, uncertainties, verdicts; null for what there is not."""
    assert main(["pilot", "measure", str(file), "--limit", "16", "--json", "--gain", "0.01"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["state"] == "C2"
    assert found["source_duty_pct"]["value"] == pytest.approx(26.667, abs=0.005)
    assert found["high_v"]["uncertainty"] == pytest.approx(0.12, rel=0.05)
    assert [check["verdict"] for check in found["verdicts"]] == ["PASS"] * 5
    assert all(check["source"] and check["confidence"] for check in found["verdicts"])


def test_a_wide_uncertainty_is_inconclusive(file: Path, capsys: Capture) -> None:
    """An instrument that may be 10 % off cannot tell whether 6.0 V lies in a window of +-0.5 V: exit code 3."""
    assert main(["pilot", "measure", str(file), "--gain", "0.1"]) == 3
    assert "INCONCLUSIVE" in capsys.readouterr().out


def test_a_still_level_is_told(tmp_path: Path, capsys: Capture) -> None:
    """9 V for 5 ms is B1, without duty."""
    np.save(tmp_path / "b1.npy", np.full(5000, 9.0))
    assert main(["pilot", "measure", str(tmp_path / "b1.npy"), "--rate", "1e6"]) == 0
    assert capsys.readouterr().out.startswith("state B1: no square wave")


def test_a_stream_is_told_in_its_states(tmp_path: Path, capsys: Capture) -> None:
    """B2 and C2 one after the other, and two changes of duty that are too close."""
    parts = []
    for state, duty in (("B", 20.0), ("C", 20.0), ("C", 30.0), ("C", 40.0)):
        circuit = Circuit(LOAD_OHM[state])
        parts.append(Scope(duration_s=0.02).take(pwm(duty, 0.02, circuit=circuit), circuit, np.random.default_rng(1)))
    np.save(tmp_path / "s.npy", np.concatenate([part.values for part in parts]))
    command = ["pilot", "measure", str(tmp_path / "s.npy"), "--rate", "1e6", "--stream"]
    assert main(command) == 1
    shown = capsys.readouterr().out
    assert [line.split()[2] for line in shown.splitlines()[1:5]] == ["B2", "C2", "C2", "C2"]
    assert "spacing of pilot changes" in shown
    assert main([*command, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [one["state"] for one in found["stretches"]] == ["B2", "C2", "C2", "C2"]
    assert [one["verdict"] for one in found["verdicts"]] == ["FAIL"]


def test_a_record_is_drawn_as_wide_as_the_terminal(
    file: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --plot; without, and without a terminal, there is no plot."""
    monkeypatch.setenv("COLUMNS", "90")
    assert main(["pilot", "measure", str(file), "--plot"]) == 0
    drawn = capsys.readouterr().out.splitlines()[-13:]
    assert {len(line) for line in drawn[:-1]} == {90}
    assert drawn[-1].startswith("      └")
    assert drawn[-1].endswith(" µs")
    for more in ([], ["--no-plot"], ["--json", "--plot"]):
        assert main(["pilot", "measure", str(file), *more]) == 0
        assert "└" not in capsys.readouterr().out


def test_a_terminal_is_drawn_to_unasked(file: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output that is a terminal gets the plot, unless it is told not to."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    for more, drawn in (([], True), (["--no-plot"], False)):
        assert main(["pilot", "measure", str(file), *more]) == 0
        assert ("└" in capsys.readouterr().out) is drawn


def test_a_record_is_drawn_into_a_file(file: Path, tmp_path: Path, capsys: Capture) -> None:
    """Readings and verdicts are in the picture; other kinds of picture and bad places are told."""
    svg = tmp_path / "a.svg"
    assert main(["pilot", "measure", str(file), "--limit", "13", "--svg", str(svg)]) == 1
    said = " ".join(ElementTree.parse(svg).getroot().itertext())
    assert "FAIL: duty for 13 A" in said
    assert "commanded 13 A" in said
    assert "var(" not in svg.read_text()
    for wrong, why in ((tmp_path / "a.png", "does not end in .svg"), (tmp_path / "no" / "a.svg", "cannot be written")):
        assert main(["pilot", "measure", str(file), "--svg", str(wrong)]) == 2
        assert why in capsys.readouterr().err


def test_a_stream_is_drawn(tmp_path: Path, capsys: Capture) -> None:
    """States over time above the duty cycle, in the terminal and in a file with the verdicts."""
    parts = []
    for state, duty in (("B", 20.0), ("C", 20.0), ("C", 60.0), ("C", 80.0)):
        circuit = Circuit(LOAD_OHM[state])
        parts.append(Scope(duration_s=0.02).take(pwm(duty, 0.02, circuit=circuit), circuit, np.random.default_rng(1)))
    np.save(tmp_path / "s.npy", np.concatenate([part.values for part in parts]))
    command = ["pilot", "measure", str(tmp_path / "s.npy"), "--rate", "1e6", "--stream", "--plot"]
    assert main([*command, "--svg", str(tmp_path / "s.svg")]) == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[-8].split() == ["B2", "C2", "C2", "C2"]
    said = " ".join(ElementTree.parse(tmp_path / "s.svg").getroot().itertext())
    assert "FAIL: " in said
    assert "B2, 20.0" in said


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", b"no numbers here", "no line of numbers"),
        ("a.npy", b"\x93NUMPY", "no readable .npy"),
        ("a.wav", b"RIFF", "no readable WAV"),
        ("a.sr", b"PK", "no readable sigrok session"),
        ("a.dat", b"", "is unknown"),
        ("a.csv", b"0,1\n1e-6,nan\n2e-6,1\n", "1 samples are no numbers"),
    ],
)
def test_a_file_that_is_none_is_refused(name: str, content: bytes, says: str, tmp_path: Path, capsys: Capture) -> None:
    """Exit code 2 and one line that says why; no traceback."""
    (tmp_path / name).write_bytes(content)
    assert main(["pilot", "measure", str(tmp_path / name)]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "[10, 85]  0.6 A x duty"),
        (["j1772_2017"], "[9.5, 10)"),
        (["--duty", "9"], "9 % is 6.00 A (iec2017)"),
        (["strict", "--duty", "9"], "9 % is not permitted (strict)"),
        (["--duty", "5"], "5 % is digital communication required"),
        (["--current", "52"], "52 A is offered by 85.000 %, which means 51.00 A"),
        (["--current", "5"], "5 A is offered by none"),
    ],
)
def test_the_table_is_shown_and_asked(arguments: list[str], says: str, capsys: Capture) -> None:
    """All bands, or what one duty or current means."""
    assert main(["pilot", "table", *arguments]) == 0
    assert says in capsys.readouterr().out


def test_an_unknown_edition_is_refused(capsys: Capture) -> None:
    """Exit code 2."""
    assert main(["pilot", "table", "iec1999"]) == 2
    assert "iec1999" in capsys.readouterr().err
