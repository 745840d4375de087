"""Cars that give power back for an EXPORT_PRICE of the grid, over OpenADR and OCPP 2.1, on the bench."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from hilbench import clock
from hilbench.bench import Bench
from hilbench.controller.signals.events import EXPORT_PRICE, PRICE
from hilbench.rig import load_rig, rig_files
from hilbench.signals import exported_energy, node_power, station_energy
from tests.rigs import VTN

HOURS, PAID = 3, 1
COST, LITTLE = 0.3, 0.05
WANTED_KWH = 2.0
EXPORT_KW = 10.0


def paid_site(folder: Path) -> str:
    """The shipped rig of V2G beside a small building, with a controller that asks a VTN for prices."""
    text = rig_files()["v2g-6"].read_text("utf-8")
    signals = VTN + "\n[controller.plan]\nprice_signal = true\n"
    for old, new in (("worst_base_a = 75", "worst_base_a = 10"), ("peak_a = 75", "peak_a = 10")):
        assert old in text, old
        text = text.replace(old, new)
    (folder / "vtn.secret").write_text("sesame\n", encoding="utf-8")
    path = folder / "paid.toml"
    path.write_text(text + signals, encoding="utf-8")
    return str(path)


def fed_in(bench: Bench, start: float) -> tuple[list[float], float]:
    """What flowed out of the site in each hour from ``start`` on [kWh], and the most at any time [kW]."""
    t, watts = bench.record.signals[node_power("service")].rows()
    grid = np.arange(start, start + HOURS * 3600.0, 1.0)
    out = np.maximum(-np.interp(grid, t, watts), 0.0) / 1000.0
    return [float(hour.sum()) / 3600.0 for hour in out.reshape(HOURS, -1)], float(out.max())


def kept(bench: Bench, role: str) -> float:
    """What a car was given less what it gave back, by its station's meter [kWh]."""
    into, out = (bench.record.signals[name(role)].last() or 0.0 for name in (station_energy, exported_energy))
    return (into - out) / 1000.0


def play(folder: Path, paid: float) -> tuple[list[float], float, list[float]]:
    """Feeding in is worth ``paid`` in the second hour and little in the others; and what each car leaves with [kWh]."""
    rig = load_rig(paid_site(folder))

    async def main() -> tuple[list[float], float, list[float]]:
        async with Bench(rig) as bench:
            bench.grid.series(PRICE, [COST] * HOURS, 3600.0)
            bench.grid.series(EXPORT_PRICE, [paid if hour == PAID else LITTLE for hour in range(HOURS)], 3600.0)
            start, departure = clock.time(), clock.now() + timedelta(hours=HOURS)
            roles = bench.two_way_roles()
            await bench.plug_in(roles, soc=0.6, energy_kwh=WANTED_KWH, departure=departure)
            await bench.run_until(start + HOURS * 3600.0)
            return *fed_in(bench, start), [kept(bench, role) for role in roles]

    return clock.run(main(), epoch=rig.run.epoch)


def test_cars_give_in_the_hour_that_is_paid(tmp_path: Path) -> None:
    """At 2.00 per kWh power flows out then, never more than may, and next to none in the other hours.

    Not yet all the time: the building is estimated anew when cars begin to give.
    """
    hours, most_kw, took = play(tmp_path, 2.0)
    assert hours[PAID] > 2.0
    assert most_kw <= EXPORT_KW
    assert [kwh for hour, kwh in enumerate(hours) if hour != PAID] == pytest.approx([0.0] * (HOURS - 1), abs=0.5)
    assert min(took) >= WANTED_KWH


def test_nobody_gives_for_less_than_it_costs(tmp_path: Path) -> None:
    """At 0.35 per kWh losses and wear cost more: nothing flows out."""
    hours, most_kw, _took = play(tmp_path, 0.35)
    assert (hours, most_kw) == ([0.0] * HOURS, 0.0)
