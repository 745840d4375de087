"""Does a run repeat: the same seed in fresh processes, with other hash seeds, on other versions of Python.

Compared are the sha256 of every per-connection trace, of every recorded signal and of the events; all must agree.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHORT = "7.1,4.2,4.4,7.5"
VERSIONS = ("3.11", "3.12", "3.13")

Hashes = dict[str, str]


@dataclass(frozen=True)
class Run:
    """One fresh process: which Python, which PYTHONHASHSEED, and the hashes that it printed."""

    python: str
    hash_seed: int
    hashes: Hashes


def measure(rig: str, procedures: Sequence[str], seed: int) -> Hashes:
    """Run ``procedures`` in this process and hash all that they leave; runs inside the child."""
    from hilbench.errors import InputError
    from hilbench.procedures import select
    from hilbench.runner import Job, execute

    try:
        chosen = [procedure.id for procedure in select(procedures)]
    except InputError as error:
        sys.exit(str(error))
    found: Hashes = {}
    with tempfile.TemporaryDirectory() as scratch:
        for procedure in chosen:
            folder = Path(scratch, procedure)
            result = execute(Job(rig=rig, procedure=procedure, seed=seed, folder=folder))
            found[f"{procedure} verdict"] = result["verdict"]
            found |= {f"{procedure} trace {role}": text for role, text in result["hashes"]["traces_sha256"].items()}
            found[f"{procedure} events"] = result["hashes"]["events_sha256"]
            found |= {f"{procedure} signal {path.stem}": _sha256(path) for path in folder.glob("signals/*.csv")}
    return found


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def child(python: str, hash_seed: int, arguments: Sequence[str]) -> Run:
    """Measure in a fresh process of ``python``."""
    command = [python, str(Path(__file__)), "--child", *arguments]
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{python} ended with code {done.returncode}")
    return Run(python, hash_seed, json.loads(done.stdout))


def pythons() -> Iterator[str]:
    """An interpreter of each supported version that is there and starts, this one's version left out."""
    candidates = [Path(found) for version in VERSIONS if (found := shutil.which(f"python{version}"))]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates += sorted(pyenv.glob("versions/3.*/bin/python"))
    seen = {_version(sys.executable)}
    for path in candidates:
        version = _version(str(path))
        if version in VERSIONS and version not in seen:
            seen.add(version)
            yield str(path)


def _version(python: str) -> str:
    """``3.12``, or nothing where the command does not start (a shim without its Python)."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def equipped(python: str, scratch: Path) -> str:
    """``python`` itself when it knows hilbench, else that of a new environment with this checkout in it."""
    if (
        subprocess.run(
            [python, "-c", "import hilbench.runner"], capture_output=True, check=False, cwd=scratch
        ).returncode
        == 0
    ):
        return python
    home = scratch / re.sub(r"\W", "_", python)
    subprocess.run([python, "-m", "venv", str(home)], check=True)
    own = str(home / "bin" / "python")
    subprocess.run([own, "-m", "pip", "install", "--quiet", "--editable", str(ROOT)], check=True)
    return own


def differences(runs: Sequence[Run]) -> list[str]:
    """Names of what is not the same in all runs; a thing that one run lacks differs."""
    names = sorted({name for run in runs for name in run.hashes})
    return [name for name in names if len({run.hashes.get(name) for run in runs}) > 1]


def report(runs: Sequence[Run]) -> int:
    """Print a row per run and what differs from the first; returns how many things differ."""
    first = runs[0].hashes
    print(f"{'python':<8}{'hash seed':>10}{'hashes':>8}{'equal':>8}   sha256 of all")
    for run in runs:
        equal = sum(run.hashes.get(name) == value for name, value in first.items())
        total = hashlib.sha256(json.dumps(run.hashes, sort_keys=True).encode()).hexdigest()
        print(f"{_version(run.python):<8}{run.hash_seed:>10}{len(run.hashes):>8}{equal:>8}   {total[:16]}")
    different = differences(runs)
    for name in different:
        print(f"DIFFERS: {name}")
    print(f"{len(runs)} runs, {len(first)} hashes each: {len(different)} differ")
    return len(different)


def main() -> int:
    """Run everything; 1 on any difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rig", default="workplace-10")
    parser.add_argument("--only", default=SHORT, help="procedures, by commas (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=10, help="runs on this Python (default: %(default)s)")
    parser.add_argument("--python", action="append", help="another Python, once each (default: those found)")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measure(options.rig, options.only.split(","), options.seed)))
        return 0
    arguments = ["--rig", options.rig, "--only", options.only, "--seed", str(options.seed)]
    runs = [child(sys.executable, number, arguments) for number in range(options.repeat)]
    with tempfile.TemporaryDirectory() as scratch:
        others = [equipped(python, Path(scratch)) for python in options.python or list(pythons())]
        runs += [child(python, 0, arguments) for python in others]
        return 1 if report(runs) else 0


if __name__ == "__main__":
    sys.exit(main())
