"""Procedure 11.1 on the shipped rig: passed by cars that give into the peak, failed without them, not run elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hilbench import clock
from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import v2g_day
from hilbench.rig import load_rig, rig_files
from hilbench.runner import Job, execute
from hilbench.signals import exported_energy, node_power
from hilbench.verdict import Measurement, Verdict
from tests.central_v2g import Central, serving, steered
from tests.rigs import trio


@pytest.fixture(autouse=True)
def _short_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than three hours instead of eight, and a quarter of the energy."""
    for name, value in (("BEFORE_S", 900.0), ("PEAK_S", 1800.0), ("AFTER_S", 7200.0), ("WANTED_KWH", 1.5)):
        monkeypatch.setattr(v2g_day, name, value)


def played(folder: Path, central: Central) -> tuple[dict[str, Measurement], Bench]:
    """What the procedure measured, the worst of each metric, against a central system of the test's own."""
    text = rig_files()["v2g-6"].read_text("utf-8")
    external = '[controller]\nkind = "external"\nocpp = "ws://127.0.0.1:9000/ocpp"\n\n['
    text, changed = re.subn(r"\[controller\]\n.*?\n\[", external, text, flags=re.DOTALL)
    assert changed == 1
    path = folder / "v2g.toml"
    path.write_text(text, "utf-8")
    rig = load_rig(str(path))

    async def main() -> tuple[dict[str, Measurement], Bench]:
        async with serving(central, 9000), Bench(rig) as bench, steered(central, bench):
            measure = Measure(bench, "11.1")
            await v2g_day.run(bench, measure)
            return {found.metric: found for found in measure.results}, bench

    return clock.run(main())


def test_cars_that_give_into_the_peak_pass(tmp_path: Path) -> None:
    """The budget is kept by discharging, no more than 10 kW flows back, and every car leaves with what it asked for."""
    found, bench = played(tmp_path, Central())
    assert {metric: one.verdict for metric, one in found.items()} == dict.fromkeys(found, Verdict.PASS)
    assert found["least_soc"].value == pytest.approx(0.59, abs=0.02)
    given = [bench.record.signals[exported_energy(role)].last() or 0.0 for role in bench.stations]
    assert sum(given) == pytest.approx(3 * 230.94 * 15.0 * (1800 - 300) / 3600, rel=0.2)


def test_cars_that_only_wait_fail(tmp_path: Path) -> None:
    """Without discharging the budget is broken for most of the peak, and the demand with it; the reserve is not."""
    found, _bench = played(tmp_path, Central(give=False))
    assert found["time_above_budget"].verdict is Verdict.FAIL
    assert found["peak_import_kw"].verdict is Verdict.FAIL
    assert found["least_soc"].value == 1.0


def test_cars_that_give_too_much_fail(tmp_path: Path) -> None:
    """A controller that discharges all it can breaks the export limit and leaves too little in the cars."""
    found, bench = played(tmp_path, Central(margin_a=150.0))
    assert found["export_excess_kw"].verdict is Verdict.FAIL
    assert found["energy_at_departure"].verdict is Verdict.FAIL
    assert found["least_soc"].verdict is Verdict.FAIL
    assert min(bench.record.signals[node_power("service")].rows()[1]) < -30e3


def test_a_rig_whose_cars_only_charge_has_nothing_to_run(tmp_path: Path) -> None:
    """NOT_RUN, with what is missing."""
    result = execute(Job(str(trio(tmp_path)), "11.1", 1, None))
    assert (result["verdict"], result["notes"]) == ("NOT_RUN", ["the rig has no controller.gives, v2g.day"])


def test_the_reference_controller_passes() -> None:
    """With the policy of the shipped rig it keeps every limit of the step."""
    result = execute(Job("v2g-6", "11.1", 1, None))
    assert (result["verdict"], result["error"]) == ("PASS", "")
