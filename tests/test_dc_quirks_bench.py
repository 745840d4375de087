"""On a site with the bench's own controller: what it and the charger cope with at once, and what nobody can."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hilbench import clock
from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.rig import load_rig
from hilbench.signals import dc_current
from hilbench.verdict import Verdict
from hilbench_emulators.dc.cars import Port
from hilbench_emulators.dc_outlet.quirks import QUIRKS

RIG = """
[site]
name = "two-dc"
service = {{ rating_a = 315, voltage_v = 400, wiring = "three-phase", frequency_hz = 50 }}
budget_a = 250
worst_base_a = 200
requirements = ["generic-v0"]

[station_defaults]
connection = "L1-L2-L3"
device = "emulated:dc"
fallback_a = 12

[[station]]
role = "ccs"
ocpp = "2.0.1"
branch_a = 160
max_a = 125
vehicle = "id-3-58"
quirks = {ccs}
dc = {{ connector = "ccs", protocol = "iso2", modules = 2, below = "{below}" }}

[[station]]
role = "chademo"
ocpp = "2.0.1"
branch_a = 100
max_a = 80
vehicle = "leaf-40"
quirks = {chademo}
dc = {{ connector = "chademo", modules = 2, below = "{below}" }}

[controller]
kind = "reference"
ocpp = "ws://127.0.0.1:9000/ocpp"
policy = "dynamic"

[meter.service]
device = "emulated:ct"
node = "service"
address = "tcp://127.0.0.1:5020"
rated_a = 315
interval_s = 1.0

[building]
model = "office"
peak_kw = 20

[sessions]
model = "workplace"
"""


@dataclass
class Seen:
    """Currents at the outlets of ccs and chademo [A]: with less budget in their ramp, and with all again."""

    less: tuple[float, float]
    again: tuple[float, float]
    budget: Verdict
    ended: set[str]


def _play(ccs: Iterable[str] = (), chademo: Iterable[str] = (), below: str = "hold", room_a: float = 3.0) -> Seen:
    """The budget falls while both cars ramp up, leaves ``room_a`` for a minute, and comes back."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rig.toml"
        path.write_text(RIG.format(ccs=list(ccs), chademo=list(chademo), below=below))
        rig = load_rig(path)

    async def main() -> Seen:
        async with Bench(rig, seed=1) as bench:

            def flows() -> tuple[float, float]:
                first, second = (bench.record.signal(dc_current(role), "A", "linear") for role in ("ccs", "chademo"))
                return first.last() or 0.0, second.last() or 0.0

            await bench.plug_in()
            await bench.run_for(17.0)
            fall = bench.base_load.step(60.0)
            await bench.run_for(80.0)
            less = flows()
            bench.base_load.clear()
            bench.base_load.step(bench.room_a - room_a)
            await bench.run_for(60.0)
            bench.base_load.clear()
            await bench.run_for(120.0)
            budget = Measure(bench)("time_above_budget", since=fall).verdict
            ended = {event.subject for event in bench.record.events_of("dc.end")}
            return Seen(less, flows(), budget, ended)

    return clock.run(main())


def _coped_with(connector: Port) -> list[str]:
    """Of the loop of ISO 15118-2 or of CHAdeMO."""
    fitting = [one for one in QUIRKS.values() if connector in one.connectors and "iso2" in one.protocols]
    return [one.id for one in fitting if one.copes == "copes"]


def test_what_can_be_coped_with_costs_neither_budget_nor_session() -> None:
    """All such misbehaviours at once: the budget is kept, both cars charge before and after."""
    ccs, chademo = _coped_with("ccs"), _coped_with("chademo")
    assert len(ccs) >= 7
    assert len(chademo) >= 5
    seen = _play(ccs, chademo, room_a=30.0)
    assert seen.budget is Verdict.PASS
    assert not seen.ended
    assert min(*seen.less, *seen.again) > 20.0


def test_a_station_that_takes_zero_for_none_breaks_the_budget() -> None:
    """With nothing left for cars it goes on, until the budget has been exceeded for too long."""
    assert _play(chademo=["zero-is-no-limit"], below="standby").budget is Verdict.FAIL
    assert _play(below="standby").budget is Verdict.PASS


def test_a_car_that_zero_locks_up_is_kept_by_a_station_that_holds() -> None:
    """Where the station goes to nothing the car never charges again; where it holds its least power it does."""
    lost, kept = _play(["zero-locks-up"], below="standby"), _play(["zero-locks-up"], below="hold")
    assert lost.again[0] == 0.0
    assert not lost.ended
    assert kept.again[0] > 20.0
