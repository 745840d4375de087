"""Each misbehaviour of the DC catalogue in the procedure that it names: worse than a sound pair, or coped with."""

from __future__ import annotations

import math
import tempfile
from functools import lru_cache
from pathlib import Path

import pytest

from hilbench import clock
from hilbench.bench import Bench
from hilbench.errors import DeviceError
from hilbench.measuring import Measure
from hilbench.procedures import select
from hilbench.rig import load_rig
from hilbench.verdict import Verdict
from hilbench_emulators import dc
from hilbench_emulators.dc.cars import Port
from hilbench_emulators.dc_outlet.quirks import QUIRKS
from hilbench_emulators.dc_outlet.settings import CcsProtocol

RIG = """
[site]
name = "one-dc"
service = {{ rating_a = 250, voltage_v = 400, wiring = "three-phase", frequency_hz = 50 }}
budget_a = 200
worst_base_a = 60
requirements = ["generic-v0"]

[station_defaults]
connection = "L1-L2-L3"
fallback_a = 12
ocpp = "2.1"

[[station]]
role = "A"
device = "emulated:dc"
branch_a = 160
max_a = 125
iso15118 = {gives}
vehicle = "car.toml"
quirks = {quirks}
dc = {{ connector = "{connector}", protocol = "{protocol}", modules = 2, below = "{below}" }}

[[station]]
role = "B"
branch_a = 40
max_a = 32
vehicle = "model-3"

[controller]
kind = "reference"
ocpp = "ws://127.0.0.1:9000/ocpp"
policy = "{policy}"

[meter.service]
device = "emulated:ct"
node = "service"
address = "tcp://127.0.0.1:5020"
rated_a = 250
interval_s = 1.0

[building]
model = "office"
peak_kw = 20

[sessions]
model = "workplace"
"""
GIVES = """
discharge_a = 100.0
discharge_min_v = 500.0
reserve_percent = 10.0

[source]
discharge_a = ["policy-default", "chosen"]
discharge_min_v = ["policy-default", "chosen"]
reserve_percent = ["policy-default", "chosen"]
"""
CARS = Path(dc.__file__).parent / "car_data"
NEVER = {"dc_sessions_lost": math.inf}
"""The procedure found no car that charges."""


def _car(connector: Port, gives: bool) -> str:
    """A car that keeps its session where it is offered nothing."""
    name = "leaf-40" if connector == "chademo" else "ioniq-5" if gives else "id-3-58"
    lines = (CARS / f"{name}.toml").read_text("utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("gives_up_s"))
    text = text.replace('below_minimum = "ends"', 'below_minimum = "waits"', 1)
    return text.replace("\n[source]\n", GIVES, 1) if gives and connector == "ccs" else text


@lru_cache
def _failures(procedure_id: str, connector: Port, protocol: CcsProtocol, below: str, quirk: str) -> dict[str, float]:
    """Metrics that fail in a procedure with a quirk, "" for none, and their worst values."""
    gives = protocol == "iso20" or connector == "chademo"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "car.toml").write_text(_car(connector, gives), "utf-8")
        text = RIG.format(
            connector=connector,
            protocol=protocol,
            below=below,
            gives=str(gives).lower(),
            policy="v2g" if procedure_id == "13.6" else "dynamic",
            quirks=[quirk] if quirk else [],
        )
        (Path(folder) / "rig.toml").write_text(text, "utf-8")
        rig = load_rig(Path(folder) / "rig.toml")

        async def main() -> dict[str, float]:
            async with Bench(rig, seed=1) as bench:
                measure, (procedure,) = Measure(bench, procedure_id), select([procedure_id])
                assert procedure.needs <= bench.capabilities()
                try:
                    await procedure.run(bench, measure)
                except DeviceError:
                    return NEVER
                failed = [one for one in measure.results if one.verdict is Verdict.FAIL]
                return {one.metric: one.value for one in sorted(failed, key=lambda one: one.value)}

        return clock.run(main())


ELSEWHERE = {"delivers-less-and-resets"}
"""It takes a cabinet of two outlets: see the tests of the procedures."""
CASES = [(q.id, port) for q in QUIRKS.values() for port in q.connectors if q.id not in ELSEWHERE]


@pytest.mark.parametrize(("quirk_id", "connector"), CASES)
def test_a_quirk_makes_its_procedure_fail_or_is_coped_with(quirk_id: str, connector: Port) -> None:
    """As it is stated of each: some metric fails that a sound pair keeps or fails by less; or none does."""
    one = QUIRKS[quirk_id]
    gives = one.number in (4, 14, 16)
    protocol: CcsProtocol = "iso20" if gives and "iso20" in one.protocols and connector == "ccs" else "iso2"
    below = "end" if 'below = "end"' in one.shown.because else "standby"
    sound = _failures(one.procedure, connector, protocol, below, "")
    found = _failures(one.procedure, connector, protocol, below, quirk_id)
    worse = {name for name, value in found.items() if value > 1.1 * sound.get(name, 0.0)}
    assert bool(worse) == (one.copes == "fails"), (found, sound)
