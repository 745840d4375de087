"""hilbench.evidence.safe_state: the report says what was made safe and what it said itself, and what a guardian did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hilbench.cli import main
from hilbench.evidence.safe_state import safe_words
from hilbench.runner import Job, execute
from tests.evidence_samples import small_run


def event(kind: str, subject: str, **data: Any) -> dict[str, Any]:
    """An event as it is written."""
    return {"kind": f"safe.{kind}", "subject": subject, "data": data}


def confirmed(role: str, read: str) -> list[dict[str, Any]]:
    """A device that became safe."""
    return [event("commanded", role), event("confirmed", role, read=read)]


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([], ""),
        (confirmed("A", "6.0 A drawn"), "station A (6.0 A drawn) read back"),
        (confirmed("A", "6.0 A") + confirmed("B", "6.0 A"), "stations A, B (6.0 A) read back"),
        (
            confirmed("A", "0 A") + confirmed("board.evse", "relay open") + confirmed("safe.card", "OFF"),
            "station A (0 A), board evse (relay open) and device card (OFF) read back",
        ),
        ([e for k in range(9) for e in confirmed(f"S{k}", "0 A")], "9 stations (0 A) read back"),
        (
            [*confirmed("A", "0 A"), event("commanded", "board.ev"), event("failed", "board.ev", reason="no answer")],
            "station A (0 A) read back; not confirmed: board ev (no answer)",
        ),
        ([event("commanded", "safe.x")], "not confirmed: device x"),
        ([event("failed", "A", reason="late"), *confirmed("A", "")], "station A read back"),
    ],
)
def test_what_was_made_safe_is_named(events: list[dict[str, Any]], said: str) -> None:
    """Stations, boards and devices are told apart; those that said the same are one; who did not confirm is named."""
    assert safe_words(events) == said


def test_emulated_boards_are_named_as_boards(tmp_path: Path) -> None:
    """A station, an OpenEVSE and an EV simulator end safe, each with its own read-back."""
    folder = tmp_path / "12.3"
    folder.mkdir()
    assert execute(Job("pilot-2", "12.3", 1, folder))["verdict"] == "PASS"
    lines = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    words = safe_words(lines)
    assert words == "station A (0.0 A drawn), board evse (relay open) and board ev (state A) read back"


GUARDIAN = [
    {"utc": "2024-06-04T16:01:00.000Z", "kind": "guardian.acts", "subject": "rig", "data": {"run": 7}},
    {"utc": "2024-06-04T16:01:01.000Z", **event("commanded", "safe.card", device="line")},
    {"utc": "2024-06-04T16:01:02.000Z", **event("confirmed", "safe.card", read="OFF <b>")},
    {"utc": "2024-06-04T16:01:02.000Z", "kind": "guardian.done", "subject": "rig", "data": {"failed": []}},
]


def killed(folder: Path, lines: list[dict[str, Any]], tail: str = "") -> Path:
    """A run that was killed, and what its guardian wrote."""
    path = small_run(folder, status=None)
    (path / "guardian.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + tail)
    return path


def test_a_killed_run_tells_of_its_guardian(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``hilbench report`` says what the guardian did, in the terminal and in the report, event by event."""
    path = killed(tmp_path, GUARDIAN)
    assert main(["report", str(path)]) == 0
    assert "its guardian acted: device card (OFF <b>) read back." in capsys.readouterr().out
    page = (path / "report.html").read_text()
    assert '<section id="guardian">' in page
    assert "device card (OFF &lt;b&gt;) read back." in page
    assert page.count("2024-06-04T16:01") == 4


def test_a_guardian_that_was_cut_off_is_no_comfort(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without its last line nobody knows whether it got to its end; a damaged line is named."""
    path = killed(tmp_path, GUARDIAN[:2], tail="no json\n")
    assert main(["report", str(path)]) == 0
    said = capsys.readouterr().out
    assert "not confirmed: device card; it did not get to its end." in said
    assert "guardian.jsonl line 3: not a JSON object" in (path / "report.html").read_text()


def test_without_a_guardian_nothing_is_said(tmp_path: Path) -> None:
    """A run that ended by itself has no such section."""
    assert 'id="guardian"' not in (small_run(tmp_path) / "report.html").read_text()
