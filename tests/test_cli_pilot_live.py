"""``hilbench pilot render``, and ``measure`` and ``watch`` at an oscilloscope."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from hilbench.cli import main
from hilbench_emulators.oscilloscope_siglent import SiglentSds
from hilbench_emulators.pilot import Change, Script, steady, voltage
from hilbench_emulators.pilot.illegal import ILLEGAL
from hilbench_emulators.pilot.wire import PilotWire
from hilbench_emulators.scpi_server import ScpiServer
from tests.live import beside, free_ports


@asynccontextmanager
async def scope(port: int, wire: PilotWire) -> AsyncIterator[None]:
    """An emulated oscilloscope on ``wire``, in real time."""
    server = ScpiServer("scope", SiglentSds({2: partial(voltage, wire)}), port=port)
    await server.start()
    try:
        yield
    finally:
        await server.stop()


@pytest.mark.parametrize("ending", ["csv", "npy"])
def test_what_is_rendered_is_measured(ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A pilot of 16 A comes back as one from both kinds of file, and as none of 20 A."""
    file = tmp_path / f"pilot.{ending}"
    assert main(["pilot", "render", str(file), "--current", "16"]) == 0
    rate = ["--rate", "1e6"] if ending == "npy" else []
    assert main(["pilot", "measure", str(file), "--limit", "16", *rate]) == 0
    assert "16.0" in capsys.readouterr().out
    assert main(["pilot", "measure", str(file), "--limit", "20", *rate]) == 1


def test_a_broken_circuit_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every illegal circuit is listed with what is wrong, and one of them is measured as such."""
    assert main(["pilot", "render", "--list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in ILLEGAL)
    file = str(tmp_path / "weak.csv")
    assert main(["pilot", "render", file, "--illegal", "weak-negative-rail"]) == 0
    assert main(["pilot", "measure", file]) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give a FILE"),
        (["x.wav"], "use .csv or .npy"),
        (["x.csv", "--current", "16", "--duty", "20"], "give one of them"),
        (["x.csv", "--illegal", "nonsense"], "nonsense"),
        (["x.csv", "--for", "100", "--rate", "1e9"], "can be written"),
        (["missing/x.csv"], "cannot be written"),
    ],
)
def test_what_cannot_be_rendered_is_told(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each wrong command line has its reason, exit code 2 and no traceback."""
    assert main(["pilot", "render", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_an_oscilloscope_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    """An address instead of a file: the pilot of its channel, now; a channel that is none is told."""
    (port,) = free_ports(1)
    with beside(lambda: scope(port, steady("C", 16.0 / 0.6))):
        assert main(["pilot", "measure", f"tcp://127.0.0.1:{port}", "--channel", "2", "--limit", "16"]) == 0
        assert "state C2" in capsys.readouterr().out
        assert main(["pilot", "measure", f"tcp://127.0.0.1:{port}", "--channel", "CH2"]) == 2
        assert "no channel of an oscilloscope" in capsys.readouterr().err
    assert main(["pilot", "measure", f"tcp://127.0.0.1:{port}"]) == 4


def test_changes_are_watched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A car that comes and asks: one line for each state that was there for a second, in order, then a picture."""
    (port,) = free_ports(1)
    wire = Script((Change(0.0, "A"), Change(2.5, "B"), Change(3.5, "B", 40.0), Change(4.5, "C", 40.0)))
    with beside(lambda: scope(port, wire)):
        told = ["--for", "5", "--plot", "--svg", str(tmp_path / "w.svg")]
        assert main(["pilot", "watch", f"tcp://127.0.0.1:{port}", "--channel", "2", *told]) == 0
    lines = capsys.readouterr().out.splitlines()
    seen = [line.split()[4] for line in lines if "+-" in line]
    assert lines[-8].split()[-2:] == ["B2", "C2"]
    assert re.search(r"C2, (39.99|40.00)", (tmp_path / "w.svg").read_text())
    states = ["A1", "B1", "B2", "C2"]
    assert seen == [state for state in states if state in seen]
    assert seen[-2:] == ["B2", "C2"]


def test_a_rendered_record_has_the_samples_that_were_asked_for(tmp_path: Path) -> None:
    """Samples, and their steps of 40 V by 8 bits."""
    file = tmp_path / "pilot.npy"
    assert main(["pilot", "render", str(file), "--bits", "8", "--for", "0.002", "--rate", "5e5", "--state", "F"]) == 0
    values = np.load(file)
    assert len(values) == 1000
    assert len(np.unique(np.round(values / (40.0 / 256), 6))) <= 8
    assert abs(values.mean() + 12.0) < 0.1
