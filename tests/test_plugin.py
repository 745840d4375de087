"""The pytest plugin: inert until used, and a limit that fails a test without an assert."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from hilbench.procedures import catalogue
from hilbench.runner import Job, execute
from tests.rigs import trio

pytest_plugins = ["pytester"]

BROKEN = ('policy = "dynamic"', 'policy = "dynamic"\ndefect = "ignores-meter"')
STEP = """
    await bench.plug_in()
    await bench.settled()
    step = bench.base_load.step(+20.0)
    await bench.run_for(30.0)
"""


def run(pytester: pytest.Pytester, *arguments: str, broken: bool = False) -> pytest.RunResult:
    """pytest in this process on the small rig, whose controller ignores the meter when ``broken``."""
    rig = trio(pytester.path, *([BROKEN] if broken else []))
    return pytester.runpytest_inprocess("--rig", str(rig), "-p", "no:cacheprovider", *arguments)


def properties(path: Path) -> list[dict[str, str]]:
    """The properties of each test case of a JUnit file."""
    cases = ET.parse(path).getroot().iter("testcase")
    return [{item.attrib["name"]: item.attrib["value"] for item in case.iter("property")} for case in cases]


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


def test_the_example_of_the_readme_runs_as_it_is(pytester: pytest.Pytester) -> None:
    """The test in the README, with the command's options beside it, passes on the shipped rig."""
    text = Path(__file__).parent.parent.joinpath("README.md").read_text(encoding="utf-8")
    section = text.partition("## In pytest")[2]
    (example,) = re.findall(r"```python\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    (command,) = re.findall(r"^\$ pytest (.*)$", section.partition("\n## ")[0], re.MULTILINE)
    pytester.makepyfile(example)
    pytester.runpytest_inprocess(*command.split()).assert_outcomes(passed=1)


def test_reports_carry_measurements_and_plots(pytester: pytest.Pytester) -> None:
    """JUnit has every measurement as properties, and pytest-html the plots as SVG, which needs no script."""
    pytester.makepyfile(f"async def test_step(bench, measure):{STEP}    measure('time_above_budget', since=step)")
    result = run(pytester, "--junitxml=j.xml", "--html=r.html", "--self-contained-html")
    result.assert_outcomes(passed=1)
    (found,) = properties(pytester.path / "j.xml")
    assert found["measurement.1.metric"] == "time_above_budget"
    assert found["measurement.1.verdict"] == "PASS"
    assert float(found["measurement.1.value"]) <= float(found["measurement.1.limit"])
    assert (found["rig"], found["seed"]) == ("trio", "1")
    page = (pytester.path / "r.html").read_text(encoding="utf-8")
    assert "svg" in page
    assert "current per line" in page


@pytest.mark.parametrize(
    ("test", "outcome"),
    [
        (f"async def test(bench, measure):{STEP}    measure('time_above_budget', since=step)", {"failed": 1}),
        (
            "from contextlib import suppress\n"
            f"async def test(bench, measure):{STEP}    with suppress(BaseException):\n"
            "        measure('time_above_budget', since=step)\n        raise ValueError",
            {"failed": 1},
        ),
        (
            "import pytest\n@pytest.mark.parametrize('amps', [20.0, -10.0])\n"
            f"async def test(bench, measure, amps):{STEP.replace('+20.0', 'amps')}"
            "    measure('time_above_budget', since=step)",
            {"failed": 1, "passed": 1},
        ),
        (
            "class TestSite:\n    async def test(self, bench, measure):"
            f"{STEP.replace('    ', '        ')}        measure('time_above_budget', since=step)",
            {"failed": 1},
        ),
        (
            "import pytest\n@pytest.mark.xfail(reason='known', strict=True)\n"
            f"async def test(bench, measure):{STEP}    measure('time_above_budget', since=step)",
            {"xfailed": 1},
        ),
        (
            "import pytest\n@pytest.mark.xfail(raises=ZeroDivisionError)\n"
            f"async def test(bench, measure):{STEP}    measure('time_above_budget', since=step)",
            {"failed": 1},
        ),
        (
            f"import pytest\nasync def test(bench, measure):{STEP}    measure('time_above_budget', since=step)\n"
            "    pytest.skip('too late')",
            {"failed": 1},
        ),
        (
            "import pytest\n@pytest.fixture\nasync def late(bench, measure):\n    yield\n"
            "    measure('time_above_budget')\n"
            f"async def test(bench, late):{STEP}",
            {"passed": 1, "errors": 1},
        ),
    ],
    ids=["plain", "swallowed", "parametrized", "in-class", "xfail", "xfail-other", "skip-after", "in-teardown"],
)
def test_a_value_out_of_limit_fails_the_test(pytester: pytest.Pytester, test: str, outcome: dict[str, int]) -> None:
    """Whatever is around the measurement, a value out of its limit is not passed over; xfail may expect it."""
    pytester.makepyfile(test)
    result = run(pytester, broken=True)
    result.assert_outcomes(**outcome)
    if "xfailed" not in outcome:
        result.stdout.fnmatch_lines(["*FAIL: time above budget*limit <= *generic-v0/*"])


def test_measuring_nothing_fails(pytester: pytest.Pytester) -> None:
    """A test that asks for ``measure`` and measures nothing shows nothing; without ``measure`` it may pass."""
    pytester.makepyfile(
        """
        async def test_forgotten(bench, measure):
            await bench.run_for(1.0)

        async def test_unknown(bench, measure):
            try:
                measure("no_such_metric")
            except Exception:
                pass

        async def test_only_looks(bench):
            await bench.run_for(1.0)
        """
    )
    result = run(pytester)
    result.assert_outcomes(failed=2, passed=1)
    result.stdout.fnmatch_lines(["*nothing was measured*"])


def test_every_fixture_is_there(pytester: pytest.Pytester) -> None:
    """Each fixture gives what its name says, and all see one and the same bench."""
    pytester.makepyfile(
        """
        async def test_all(rig, bench, site, stations, vehicles, site_meter, controller, faults, measure, operator):
            assert bench.rig is rig and site is rig.electrical
            assert list(stations) == ["A", "B", "C"] and "model-3" in vehicles
            assert site_meter is bench.site_meter and controller is bench.controller and faults is bench.faults
            await bench.plug_in(stations)
            await bench.run_for(30.0)
            assert measure("time_above_budget").value == 0.0
        """
    )
    run(pytester).assert_outcomes(passed=1)


def test_coroutine_fixtures_run_in_the_time_of_the_bench(pytester: pytest.Pytester) -> None:
    """A fixture with ``async def`` acts on the same bench, with and without yield, before it and after it."""
    pytester.makepyfile(
        """
        import pytest
        from hilbench import clock

        @pytest.fixture
        async def alone():
            return clock.time()

        @pytest.fixture
        async def full_house(bench):
            await bench.plug_in()
            await bench.settled()
            yield clock.time()
            await bench.unplug()
            assert not bench.charging_roles()

        class TestHouse:
            @pytest.fixture
            async def later(self, full_house, bench):
                await bench.run_for(5.0)
                return full_house

            async def test_house(self, alone, bench, later):
                assert len(bench.charging_roles()) == 3
                assert clock.time() == later + 5.0 > alone
        """
    )
    run(pytester).assert_outcomes(passed=1)


def test_a_test_that_is_no_coroutine_may_look_but_not_measure(pytester: pytest.Pytester) -> None:
    """Time does not pass in a plain function: it can read the bench, and ``measure`` says how to write it."""
    pytester.makepyfile(
        """
        def test_look(bench, stations):
            assert bench.rig.name == "trio" and all(station.connected for station in stations.values())

        def test_measure(measure):
            raise AssertionError("must not run")
        """
    )
    result = run(pytester)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*test_measure measures, so time must pass in it: make it `async def`*"])


def test_a_missing_role_skips_and_names_the_role(pytester: pytest.Pytester) -> None:
    """A test that needs a role that the rig has not is skipped, and the reason names it; roles and faults count."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.needs("pilot_probe")
        def test_duty(rig):
            raise AssertionError("must not run")

        @pytest.mark.needs("A", "meter.fault", "controller.kill")
        async def test_there(bench):
            pass
        """
    )
    result = run(pytester, "-rs")
    result.assert_outcomes(skipped=1, passed=1)
    result.stdout.fnmatch_lines(["*rig 'trio' has no role 'pilot_probe'*"])


def test_a_bench_that_does_not_start_says_why(pytester: pytest.Pytester) -> None:
    """The reason stands in the report instead of a traceback, and the next test is not disturbed."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def taken(monkeypatch):
            from hilbench.errors import DeviceError
            from hilbench_emulators.meter import ModbusMeter
            async def start(self):
                raise DeviceError("meter service: cannot listen at 127.0.0.1:5020")
            monkeypatch.setattr(ModbusMeter, "start", start)

        async def test_taken(taken, bench):
            raise AssertionError("must not run")

        async def test_next(bench):
            await bench.run_for(1.0)
        """
    )
    result = run(pytester)
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(["*the bench did not start: meter service: cannot listen at 127.0.0.1:5020*"])
    assert "plugin.py" not in result.stdout.str()


def test_an_unknown_rig_is_a_usage_error(pytester: pytest.Pytester) -> None:
    """A rig that does not exist ends the session with a message, not with a traceback."""
    pytester.makepyfile("def test_rig(rig): pass")
    result = pytester.runpytest_subprocess("--rig", "workplace-11")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "Traceback" not in result.stdout.str() + result.stderr.str()


def test_seed_and_time_come_from_the_options(pytester: pytest.Pytester) -> None:
    """``--bench-seed`` draws another run, ``--bench-time`` chooses the clock, and a clock that is none is named."""
    pytester.makepyfile(
        """
        from hilbench import clock

        async def test_clock(bench):
            assert bench.seed == 7 and clock.is_virtual()
        """
    )
    run(pytester, "--bench-seed", "7").assert_outcomes(passed=1)
    result = run(pytester, "--bench-time", "fast")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*'fast' is not a time mode: use virtual, real or xK such as x10*"])
    assert "plugin.py" not in result.stdout.str()


def test_a_procedure_is_the_same_from_pytest_and_from_the_command_line(pytester: pytest.Pytester) -> None:
    """``--pyargs hilbench.acceptance`` runs the catalogue's code: same values, same limits, same messages."""
    result = run(pytester, "--pyargs", "hilbench.acceptance", "-k", "7.2", "--junitxml=j.xml")
    result.assert_outcomes(passed=1, deselected=len(catalogue()) - 1)
    (found,) = properties(pytester.path / "j.xml")
    expected = execute(Job(str(pytester.path / "trio.toml"), "7.2", 1, None))["measurements"]
    for number, item in enumerate(expected, 1):
        assert found[f"measurement.{number}.metric"] == item["metric"]
        assert float(found[f"measurement.{number}.value"]) == float(item["value"])
    assert f"measurement.{len(expected) + 1}.metric" not in found


def test_the_acceptance_tests_fail_a_broken_controller(pytester: pytest.Pytester) -> None:
    """A controller that ignores the meter fails the step up from pytest too, by the clause."""
    result = run(pytester, "--pyargs", "hilbench.acceptance", "-k", "7.1-", broken=True)
    result.assert_outcomes(failed=1, deselected=len(catalogue()) - 1)
    result.stdout.fnmatch_lines(["*FAIL: time above budget*"])


def test_the_mark_of_a_procedure_must_name_one(pytester: pytest.Pytester) -> None:
    """``procedure`` with an unknown id is an error that lists what there is."""
    pytester.makepyfile("import pytest\n@pytest.mark.procedure('9.9')\nasync def test(bench): pass")
    result = run(pytester)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*mark procedure(id)*no procedure 9.9; there are 1.3*"])


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


def test_a_mark_lets_devices_misbehave(pytester: pytest.Pytester) -> None:
    """The bench of a test with the mark has the misbehaviour with its figures; a wrong mark is told."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.quirk("M3", interval_s=5)
        @pytest.mark.quirk("Q2")
        def test_slow(bench):
            assert bench.meter_interval_s == 5
            assert bench.rig.stations[0].vehicle == "model-3+dead_time_s=6"

        def test_sound(bench):
            assert bench.meter_interval_s == 1

        @pytest.mark.quirk("M3", volts=5)
        def test_wrong(bench):
            pass
        """
    )
    result = run(pytester)
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines("*mark quirk*M3 has no parameter 'volts'*")
