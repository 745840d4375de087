"""What a month of the Caltech garage costs beside an office: uncontrolled, EDF, LLF, our plan, and with hindsight.

    python benches/month_cost.py --sessions SESSIONS.csv --load BUILDING.csv [--peer PYTHON]

The tariff is a real one with demand charges (PG&E B-19S of 2020; ``--tariff`` takes any URDB JSON). The optimum knows
the whole month; ours knows the cars that are there, when they leave and what they want, and forecasts the rest.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np

from benches.month import STEP_MIN, Month, read_month
from benches.month_policies import Planner, Prices, Run, edf, llf, optimum, prices, uncontrolled
from hilbench.controller.planning.forecast import learned, persistence, seasonal_naive
from hilbench.metrics.bill import Bill, bill
from hilbench.rig import load_rig
from hilbench.tariff import Tariff, read_tariff
from tests.tariffs import write

FORECASTS = {"persistence": persistence, "seasonal naive": seasonal_naive, "learned": learned}


def priced(month: Month, tariff: Tariff, run: Run) -> Bill:
    """The bill of building and cars together."""
    zone = load_rig("garage-54").zone
    return bill(tariff, month.start, STEP_MIN * 60.0, month.base_kw + run.cars_kw, zone)


def show(month: Month, tariff: Tariff, runs: list[Run]) -> dict[str, float]:
    """Print the table; totals by name."""
    totals = {}
    print(f"{'':24}{'total':>10}{'energy':>10}{'demand':>10}{'peak kW':>9}{'cars kW':>9}{'kWh':>10}{'short':>7}")
    for run in runs:
        cost = priced(month, tariff, run)
        totals[run.name] = cost.total
        short = int((run.delivered_kwh < month.energy_kwh - 0.01).sum())
        demand = cost.flat_demand + cost.time_of_use_demand
        print(
            f"{run.name:24}{cost.total:10.2f}{cost.energy:10.2f}{demand:10.2f}{cost.peak_kw:9.1f}"
            f"{run.cars_kw.max():9.1f}{run.delivered_kwh.sum():10.1f}{short:7d}  {run.how}"
        )
    return totals


def all_runs(month: Month, price: Prices) -> list[Run]:
    """Every way to charge the month, with its seconds."""
    zone = load_rig("garage-54").zone
    runs = [uncontrolled(month), edf(month), llf(month)]
    for name, forecast in FORECASTS.items():
        start = time.process_time()
        run = Planner(month, price, zone, forecast).run(f"ours, {name}")
        print(f"{run.name}: {time.process_time() - start:.0f} CPU s", file=sys.stderr)
        runs.append(run)
    start = time.process_time()
    runs.append(optimum(month, price))
    print(f"optimum: {time.process_time() - start:.0f} CPU s", file=sys.stderr)
    return runs


def against_acnsim(python: str, month: Month, runs: list[Run]) -> None:
    """Print energy and peak of ACN-Sim on the same sessions beside ours."""
    names = [branch.role for branch in month.site.branches]
    rows = [
        f"{begins * STEP_MIN},{until * STEP_MIN},{names[column]},{energy}"
        for begins, until, column, energy in zip(month.begins, month.until, month.column, month.energy_kwh, strict=True)
    ]
    script = Path(__file__).with_name("acnsim_peer.py")
    for run in runs:
        command = [python, str(script), run.name.lower()]
        done = subprocess.run(command, input="\n".join(rows), capture_output=True, text=True, check=True)
        theirs = json.loads(done.stdout)
        kwh, peak = run.delivered_kwh.sum() / theirs["delivered_kwh"] - 1, run.cars_kw.max() / theirs["peak_kw"] - 1
        print(f"{run.name}: beside ACN-Sim {kwh:+.2%} of {theirs['delivered_kwh']:.1f} kWh", end=", ")
        print(f"{peak:+.2%} of a peak of {theirs['peak_kw']:.1f} kW")


def main() -> int:
    """Print the table and what share of the optimum's savings ours reaches."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=Path, required=True)
    parser.add_argument("--load", type=Path, required=True)
    parser.add_argument("--tariff", type=Path)
    parser.add_argument("--peer", metavar="PYTHON", help="interpreter of an environment with acnportal")
    parser.add_argument("--first", type=date.fromisoformat, default=date(2019, 3, 1))
    parser.add_argument("--days", type=int, default=31)
    options = parser.parse_args()
    month = read_month(options.sessions, options.load, options.first, options.days)
    with tempfile.TemporaryDirectory() as scratch:
        tariff = read_tariff(options.tariff or write(Path(scratch) / "b19s.json"))
    zone = load_rig("garage-54").zone
    runs = all_runs(month, prices(month, tariff, zone))
    totals = show(month, tariff, runs)
    if options.peer:
        against_acnsim(options.peer, month, [run for run in runs if run.name in ("uncontrolled", "EDF")])
    saved = totals["uncontrolled"] - totals["optimum"]
    for name, total in totals.items():
        print(f"{name:24} saves {totals['uncontrolled'] - total:9.2f}, {(totals['uncontrolled'] - total) / saved:6.1%}")
    best = min(total for name, total in totals.items() if name.startswith("ours"))
    return int(not np.isfinite(best) or best > min(totals["EDF"], totals["LLF"]))


if __name__ == "__main__":
    sys.exit(main())
