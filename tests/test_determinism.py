"""One seed, one run: frames, signals and events are the same however often and wherever it is played."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hilbench.runner import Job, execute
from tests.rigs import trio

CHILD = """
import json, sys
from pathlib import Path
from hilbench.runner import Job, execute
print(json.dumps(execute(Job(sys.argv[1], sys.argv[2], 1, Path(sys.argv[3])))["hashes"]))
"""


def hashes(folder: Path, rig: Path, procedure: str, seed: int = 1) -> Any:
    """Digests of what a run in this process left."""
    return execute(Job(str(rig), procedure, seed, folder))["hashes"]


@pytest.mark.parametrize("procedure", ["7.2", "4.2"])
def test_a_seed_repeats_in_this_process_and_in_another(tmp_path: Path, procedure: str) -> None:
    """Every connection's trace, the signals and the events have the same sha256, with another PYTHONHASHSEED too."""
    rig = trio(tmp_path)
    first = hashes(tmp_path / "a", rig, procedure)
    assert first == hashes(tmp_path / "b", rig, procedure)
    command = [sys.executable, "-c", CHILD, str(rig), procedure, str(tmp_path / "c")]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": "77"}
    )
    assert first == json.loads(done.stdout)


def test_another_seed_is_another_run(tmp_path: Path) -> None:
    """The digests tell two seeds apart."""
    rig = trio(tmp_path)
    assert hashes(tmp_path / "a", rig, "7.2") != hashes(tmp_path / "b", rig, "7.2", seed=2)
