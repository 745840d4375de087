"""The wheel, installed and used from a foreign folder: complete, alone at its names, and light until it is used."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

import hilbench

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {
    "hilbench": ROOT / "hilbench",
    "hilbench_emulators": ROOT / "emulators" / "hilbench_emulators",
    "pytest_hilbench": ROOT / "fixtures" / "pytest_hilbench",
}
HEAVY = ("numpy", "ocpp", "websockets", "pymodbus", "pydantic", "pytest", "rich", "jsonschema_rs")
LIST_MODULES = "print('modules:', *sorted(sys.modules))"


@dataclass(frozen=True)
class Installed:
    """A wheel, the interpreter of the environment that holds it, and a folder of somebody else's project."""

    wheel: Path
    bin: Path
    folder: Path

    def run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment in the foreign folder."""
        return run([str(self.bin / command), *arguments], self.folder)


def run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run to the end without terminal and without what this test session put into the environment."""
    ours = ("PYTEST_", "PYTHON", "HILBENCH_")
    return subprocess.run(
        command,
        cwd=folder,
        env={key: value for key, value in os.environ.items() if not key.startswith(ours)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def must(done: subprocess.CompletedProcess[str]) -> str:
    """Its output; fails with all that it said when its exit code is not 0."""
    assert done.returncode == 0, f"{done.args}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def foreign_project(folder: Path) -> Path:
    """A project that has packages of its own called ``fixtures`` and ``emulators``."""
    for name in ("fixtures", "emulators"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f"OWN = {name!r}\n")
    return folder


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the wheel and install it; its dependencies are those of the running environment, so nothing is fetched."""
    base = tmp_path_factory.mktemp("packaging")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(base / "dist"), str(ROOT)]
    must(run(build, base))
    (wheel,) = (base / "dist").iterdir()
    venv.create(base / "env", symlinks=True)
    python = str(base / "env" / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
    must(run([*pip, "install", "--no-deps", "--no-index", str(wheel)], base))
    site_packages = Path(
        must(run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], base)).strip()
    )
    # a folder named in a .pth file is only searched: an editable install that it holds does not come along
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Installed(wheel, Path(python).parent, foreign_project(base / "project"))


def files_below(folder: Path, prefix: str) -> set[str]:
    """What a package holds, as the wheel names it; no compiled files."""
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {f"{prefix}/{path.relative_to(folder).as_posix()}" for path in found}


def imported(output: str) -> set[str]:
    """The modules that a program named at its end."""
    return set(next(line for line in output.splitlines() if line.startswith("modules:")).split()[1:])


def heavy(modules: Iterable[str]) -> set[str]:
    """Those of ``modules`` that take long to import."""
    return {name for name in modules if name.split(".")[0] in HEAVY}


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(installed: Installed) -> None:
    """Python files, data files, type markers and rigs are in it, under three names of its own; no picture is."""
    names = {name for name in zipfile.ZipFile(installed.wheel).namelist() if ".dist-info/" not in name}
    wanted = set[str]().union(*(files_below(folder, name) for name, folder in PACKAGES.items()))
    wanted |= files_below(ROOT / "rigs", "hilbench/rigs")
    assert names == wanted - files_below(ROOT / "hilbench/evidence/example", "hilbench/evidence/example")
    assert {f"{name}/py.typed" for name in PACKAGES} <= names
    assert {Path(name).suffix for name in names} >= {".py", ".toml", ".css", ".json", ".typed"}


def test_the_sources_hold_the_tests_and_their_peer(tmp_path: Path) -> None:
    """The source distribution has the tests, with the programs and the lock of the peer of other make."""
    must(
        run(
            [sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)], tmp_path
        )
    )
    (archive,) = tmp_path.iterdir()
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    interop = {f"tests/interop/{name}" for name in ("server.js", "station.js", "package.json", "package-lock.json")}
    assert {"tests/test_packaging.py", *interop} <= names
    assert not any("node_modules" in name for name in names)


def test_the_licence_travels_along(installed: Installed) -> None:
    """The wheel's metadata holds the licence text."""
    names = zipfile.ZipFile(installed.wheel).namelist()
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_installed_code_is_the_wheels(installed: Installed) -> None:
    """The foreign folder keeps its own ``fixtures`` and ``emulators``; the bench comes from the environment."""
    ours = ", ".join(PACKAGES)
    code = f"import fixtures, emulators, {ours}; print(fixtures.OWN, emulators.OWN, *(m.__file__ for m in ({ours})))"
    words = must(installed.run("python", "-c", code)).split()
    assert words[:2] == ["fixtures", "emulators"]
    assert all(Path(word).is_relative_to(installed.bin.parent) for word in words[2:])


def test_the_command_says_its_version_and_knows_its_rigs(installed: Installed) -> None:
    """``hilbench --version`` and ``hilbench rig list`` work from anywhere."""
    assert hilbench.__version__ in must(installed.run("hilbench", "--version"))
    listed = must(installed.run("hilbench", "rig", "list"))
    names = {line.partition(":")[0] for line in listed.splitlines()}
    assert names == {path.stem for path in (ROOT / "rigs").glob("*.toml")}


def test_a_procedure_runs_from_a_foreign_folder(installed: Installed) -> None:
    """One procedure of the default rig passes and leaves its evidence in the folder of the caller."""
    must(installed.run("hilbench", "run", "--only", "7.2", "--out", "runs"))
    (report,) = installed.folder.glob("runs/*/report.html")
    assert report.stat().st_size > 10_000


def test_the_plugins_fixtures_work_in_a_foreign_project(installed: Installed) -> None:
    """A test beside packages called ``fixtures`` and ``emulators`` gets the bench."""
    (installed.folder / "test_bench.py").write_text(
        "import emulators, fixtures\n\n"
        "async def test_bench(bench, stations):\n"
        "    await bench.run_for(1.0)\n"
        "    assert stations and fixtures.OWN == 'fixtures' and emulators.OWN == 'emulators'\n"
    )
    assert "1 passed" in must(installed.run("python", "-m", "pytest", "-p", "no:cacheprovider", "test_bench.py"))


def test_the_plugin_is_inert_where_nobody_uses_it(installed: Installed) -> None:
    """A session without a fixture of the bench loads the plugin, and neither the bench nor numpy."""
    folder = installed.folder / "plain"
    folder.mkdir()
    (folder / "conftest.py").write_text(f"import sys\n\ndef pytest_unconfigure():\n    {LIST_MODULES}\n")
    (folder / "test_plain.py").write_text("def test_plain():\n    pass\n")
    modules = imported(must(installed.run("python", "-m", "pytest", "-p", "no:cacheprovider", "plain")))
    assert "pytest_hilbench.plugin" in modules
    assert not {name for name in modules if name.startswith(("hilbench.", "hilbench_emulators"))}
    assert heavy(modules) <= {name for name in modules if name.split(".")[0] == "pytest"}


def test_help_imports_nothing_heavy(installed: Installed) -> None:
    """``hilbench --help`` answers at once: it imports none of the libraries that take long."""
    code = f"import sys; from hilbench.cli import main; main(['--help']); {LIST_MODULES}"
    modules = imported(must(installed.run("python", "-c", code)))
    assert "hilbench.cli" in modules
    assert not heavy(modules)


def test_heavy_imports_would_be_seen(installed: Installed) -> None:
    """The same look finds numpy in a program that imports the bench."""
    code = f"import sys, hilbench.bench; {LIST_MODULES}"
    assert "numpy" in heavy(imported(must(installed.run("python", "-c", code))))
