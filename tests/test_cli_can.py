"""``hilbench can decode``: the words, the picture, JSON, and what happens with files that are none."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from hilbench.cli import main
from tests.can_samples import FORMS, recorded

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The session as SavvyCAN writes it."""
    path = tmp_path / "session.csv"
    path.write_text(FORMS["SavvyCAN"](recorded()), encoding="utf-8")
    return path


def test_the_session_is_told(log: Path, capsys: Capture) -> None:
    """Facts, story, plot, steps, changes of the offer, rhythm, end, and what is not known."""
    assert main(["can", "decode", str(log)]) == 0
    shown = capsys.readouterr().out
    for words in (
        "session.csv: CSV, 3001 frames",
        "taken for µs",
        "protocol 1.0 to 1.2 (102.0 = 2)",
        "first request: 2 A",
        ". offer   - request   # output",
        "contactor closed to first request",
        "15 to 0",
        "p99 ms",
        "end: 30.035 s, charger first: stop control",
        "not known: d1, d2 and k",
    ):
        assert words in shown


def test_a_step_over_its_time_is_marked(log: Path, capsys: Capture) -> None:
    """0.535 s from the request to charging are over 0.5 s; the other steps are not."""
    main(["can", "decode", str(log), "--no-plot"])
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if " to " in line]
    over = [line for line in lines if line[-1:] == ["over"]]
    assert [line[:5] for line in over] == [["first", "request", "to", "charging", "0.535"]]


def test_the_plot_can_be_left_out(log: Path, capsys: Capture) -> None:
    """--no-plot."""
    main(["can", "decode", str(log), "--no-plot"])
    assert "# output" not in capsys.readouterr().out


def test_json_holds_everything(log: Path, capsys: Capture) -> None:
    """One object: file, notes, and of each session facts, moments, series, changes, end."""
    assert main(["can", "decode", str(log), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (session,) = found["sessions"]
    assert found["timed"] is True
    assert session["offer_changes"][0]["peak_a"] == 8
    assert [one["name"] for one in session["series"]] == ["request", "offer", "output", "voltage"]
    assert session["end"]["who"] == "charger"
    assert session["rhythms"][0]["id"] == "100"


def test_the_picture_is_written(log: Path, tmp_path: Path) -> None:
    """--svg draws offer, request and output."""
    assert main(["can", "decode", str(log), "--svg", str(tmp_path / "a.svg"), "--no-plot"]) == 0
    picture = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert picture.startswith("<svg")
    assert all(word in picture for word in ("request", "offer", "output"))


def test_a_folder_that_is_not_there_is_named(log: Path, tmp_path: Path, capsys: Capture) -> None:
    """--svg into nowhere: exit code 2 and the path."""
    assert main(["can", "decode", str(log), "--svg", str(tmp_path / "no" / "a.svg")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_standard_input_is_read(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe of candump."""
    content = FORMS["candump output"](recorded()).encode()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    assert main(["can", "decode", "-", "--no-plot"]) == 0
    assert "standard input: candump output" in capsys.readouterr().out


def test_one_session_of_several_can_be_chosen(tmp_path: Path, capsys: Capture) -> None:
    """--session 2 of a file of two recordings; 3 is refused."""
    path = tmp_path / "two.log"
    path.write_text(FORMS["candump log"](recorded()) * 2, encoding="utf-8")
    assert main(["can", "decode", str(path), "--session", "2", "--no-plot"]) == 0
    shown = capsys.readouterr().out
    assert "session 2" in shown
    assert "session 1" not in shown
    assert main(["can", "decode", str(path), "--session", "3"]) == 2
    assert "has 2 sessions, not 3" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"no frames\n", b"(1.0) can0 1DB#0011\n", bytes(100)])
def test_what_is_no_session_is_refused(content: bytes, tmp_path: Path, capsys: Capture) -> None:
    """Exit code 2 with the file's name, and no traceback."""
    path = tmp_path / "x.log"
    path.write_bytes(content)
    assert main(["can", "decode", str(path)]) == 2
    assert "x.log: " in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(tmp_path: Path, capsys: Capture) -> None:
    """Exit code 2."""
    assert main(["can", "decode", str(tmp_path / "none.log")]) == 2
    assert "none.log: cannot be read" in capsys.readouterr().err
