"""``hilbench ccs``: a session in words or JSON, and what cannot be read."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from hilbench.cli import main
from tests.ccs_session import pcap, segments, session, text


def test_a_capture_is_told_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line a message, an empty one, and the summary."""
    file = tmp_path / "session.pcap"
    file.write_bytes(pcap(segments(session())))
    assert main(["ccs", "decode", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("    0.000  EV    supportedAppProtocolReq")
    assert lines[len(session())] == ""
    assert lines[len(session()) + 1] == "protocol        DIN 70121, supportedAppProtocol"


def test_only_the_summary_can_be_had(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--summary leaves out the messages, also in JSON."""
    file = tmp_path / "session.txt"
    file.write_bytes(text(session()))
    assert main(["ccs", "decode", str(file), "--summary"]) == 0
    assert capsys.readouterr().out.startswith("protocol ")
    assert main(["ccs", "decode", str(file), "--summary", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["messages"] == []


def test_json_holds_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ends of the connection, bytes in hexadecimal digits, problems."""
    file = tmp_path / "session.pcap"
    sent = segments(session())
    sent.pop(12)
    file.write_bytes(pcap(sent))
    assert main(["ccs", "decode", str(file), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["messages"][2]["body"]["EVCCID"] == "0011223344aa"
    assert said["messages"][2]["from"] == "[fe80::1]:50000"
    assert said["messages"][0]["body"]["AppProtocol"][0]["SchemaID"] == 1
    assert [message["problem"] for message in said["messages"] if "problem" in message]


def test_the_loop_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Offer, request and output in characters, unless they are not wanted."""
    file = tmp_path / "session.txt"
    file.write_bytes(text(session()))
    main(["ccs", "decode", str(file)])
    assert capsys.readouterr().out.rstrip().endswith(". offer   - request   # output")
    main(["ccs", "decode", str(file), "--no-plot"])
    assert "# output" not in capsys.readouterr().out


def test_the_picture_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--svg has the curves and the changes of the offer; a folder that is not there is named."""
    file = tmp_path / "session.txt"
    file.write_bytes(text(session()))
    assert main(["ccs", "decode", str(file), "--svg", str(tmp_path / "a.svg"), "--summary"]) == 0
    picture = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert picture.startswith("<svg")
    assert all(word in picture for word in ("request", "offer", "output", "200 to 150 A"))
    assert main(["ccs", "decode", str(file), "--svg", str(tmp_path / "no" / "a.svg")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """- stands for it."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text(session()))))
    assert main(["ccs", "decode", "-", "--summary"]) == 0
    assert "DIN 70121" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(None, "No such file"), (b"hello\n", "line 1: no bytes"), (pcap([]), "no V2G message in it"), (b"", "no V2G")],
)
def test_what_cannot_be_read_is_told(
    content: bytes | None, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, the file and the reason."""
    file = tmp_path / "bad"
    if content is not None:
        file.write_bytes(content)
    assert main(["ccs", "decode", str(file)]) == 2
    said = capsys.readouterr().err
    assert complaint in said
    assert said.startswith(str(file))
