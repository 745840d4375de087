"""The pytest plugin: inert until used, and a limit that fails a test without an assert."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from hilbench.rig import rig_files

pytest_plugins = ["pytester"]


def test_a_session_that_does_not_use_the_bench_does_not_import_it(pytester: pytest.Pytester) -> None:
    """Without a fixture of the bench in use, neither the bench nor numpy nor websockets is imported."""
    pytester.makepyfile(
        """
        import sys

        def test_nothing():
            assert not {name for name in sys.modules if name.split(".")[0] in ("hilbench", "numpy", "websockets")}
        """
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1)


def test_a_measurement_within_its_limit_passes(pytester: pytest.Pytester) -> None:
    """A coroutine test on the bench passes when its measurement keeps the limit, in bench time."""
    pytester.makepyfile(
        """
        async def test_step(bench, stations, measure):
            await bench.plug_in(list(stations)[:2])
            await bench.settled()
            step = bench.base_load.step(+5.0)
            await bench.run_for(60.0)
            assert measure("time_above_budget", since=step).judged
        """
    )
    result = pytester.runpytest_subprocess("--junitxml=j.xml", "--html=r.html", "--self-contained-html")
    result.assert_outcomes(passed=1)
    case = ET.parse(pytester.path / "j.xml").getroot()[0][0]
    facts = {item.attrib["name"]: item.attrib["value"] for item in case.iter("property")}
    assert facts["measurement.1.metric"] == "time_above_budget"
    assert (facts["measurement.1.verdict"], facts["measurement.1.unit"]) == ("PASS", "s")
    assert {"rig", "seed", "traces_sha256", "measurement.1.limit", "measurement.1.profile"} <= facts.keys()
    assert "<svg" in Path(pytester.path, "r.html").read_text().replace("&lt;", "<")


def test_a_measurement_out_of_limit_fails_without_an_assert(pytester: pytest.Pytester) -> None:
    """A controller that ignores the meter fails the test by the measurement alone, and the message names the limit."""
    rig = Path(pytester.path, "broken.toml")
    text = (
        rig_files()["workplace-10"]
        .read_text()
        .replace('policy = "dynamic"', 'policy = "dynamic"\ndefect = "ignores-meter"')
    )
    rig.write_text(text)
    pytester.makepyfile(
        """
        async def test_step(bench, measure):
            await bench.plug_in()
            await bench.settled()
            step = bench.base_load.step(+25.0)
            await bench.run_for(60.0)
            measure("time_above_budget", since=step)
        """
    )
    result = pytester.runpytest_subprocess("--rig", str(rig))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*FAIL*time above budget*"])


def test_a_missing_role_skips_and_names_the_role(pytester: pytest.Pytester) -> None:
    """A test that needs a role that the rig has not is skipped, and the reason names it."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.needs("pilot_probe")
        def test_duty(rig):
            raise AssertionError("must not run")
        """
    )
    result = pytester.runpytest_subprocess("-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*no role 'pilot_probe'*"])


def test_an_unknown_rig_is_a_usage_error(pytester: pytest.Pytester) -> None:
    """A rig that does not exist ends the session with a message, not with a traceback."""
    pytester.makepyfile("def test_rig(rig): pass")
    result = pytester.runpytest_subprocess("--rig", "workplace-11")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "Traceback" not in result.stdout.str() + result.stderr.str()


def test_operator_answers_come_from_a_file(pytester: pytest.Pytester) -> None:
    """A manual reading is taken from the answers file, and without an answer the test is skipped by its key."""
    pytester.makefile(".toml", answers="clamp_l1 = 12.5")
    pytester.makepyfile(
        """
        def test_clamp(operator):
            assert operator.reading("clamp_l1", "Clamp meter on L1", "A") == 12.5

        def test_photo(operator):
            operator.confirm("photo", "Photograph the label")
        """
    )
    result = pytester.runpytest_subprocess("--bench-answers", "answers.toml", "-rs")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["*'photo'*"])


def test_the_operator_is_asked_on_the_terminal(pytester: pytest.Pytester) -> None:
    """What is typed at the terminal answers a question, although pytest captures input and output."""
    test = pytester.makepyfile(
        """
        def test_clamp(operator):
            assert operator.reading("clamp_l1", "Clamp meter on L1", "A") == 12.5
            assert operator.confirm("photo", "Photograph taken?")
        """
    )
    person, terminal = os.openpty()
    os.write(person, b"12.5\ny\n")
    command = [sys.executable, "-m", "pytest", str(test)]
    result = subprocess.run(command, stdin=terminal, capture_output=True, text=True, timeout=60, check=False)
    os.close(person)
    os.close(terminal)
    assert result.returncode == 0, result.stdout
    assert "Clamp meter on L1 [A]" in result.stdout


def test_benches_run_in_parallel_in_virtual_time(pytester: pytest.Pytester) -> None:
    """Two workers of xdist run two benches at once: a virtual bench shares nothing with another."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("number", [1, 2])
        async def test_idle(bench, number):
            await bench.run_for(10.0)
        """
    )
    result = pytester.runpytest_subprocess("-n", "2")
    result.assert_outcomes(passed=2)
