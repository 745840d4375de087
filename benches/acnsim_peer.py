"""The Caltech garage in ACN-Sim with a decision every 5 minutes, without any protocol.

Runs in an environment of its own (``pip install 'setuptools<81' acnportal==0.3.3``); prints sessions, CPU seconds,
energy and peak. The argument is the policy, ``edf`` or ``uncontrolled``. Sessions come as CSV on standard input:
arrival minute, departure minute, station, energy in kWh.
"""

import csv
import json
import sys
import time
import warnings
from datetime import datetime

warnings.filterwarnings("ignore")

from acnportal import acnsim, algorithms  # noqa: E402
from acnportal.acnsim.events import EventQueue, PluginEvent  # noqa: E402
from acnportal.acnsim.models import EV, Battery  # noqa: E402
from acnportal.acnsim.network.sites import caltech_acn  # noqa: E402

PERIOD_MIN, VOLTAGE = 5, 208
POLICIES = {
    "edf": lambda: algorithms.SortedSchedulingAlgo(algorithms.earliest_deadline_first),
    "uncontrolled": algorithms.UncontrolledCharging,
}


def main() -> None:
    """Simulate the day and print one JSON line."""
    network = caltech_acn(basic_evse=True, voltage=VOLTAGE, transformer_cap=150)
    events = []
    for number, row in enumerate(csv.reader(sys.stdin)):
        arrival, departure, station, energy = float(row[0]), float(row[1]), row[2], float(row[3])
        start, end = int(arrival // PERIOD_MIN), int(departure // PERIOD_MIN)
        if end > start:
            car = EV(start, end, energy, station, f"s{number}", Battery(100, 100 - energy, 32 * VOLTAGE / 1000))
            events.append(PluginEvent(start, car))
    simulator = acnsim.Simulator(
        network,
        POLICIES[sys.argv[1] if len(sys.argv) > 1 else "edf"](),
        EventQueue(events),
        datetime(2019, 3, 12),
        period=PERIOD_MIN,
        verbose=False,
    )
    before = time.process_time()
    simulator.run()
    delivered = sum(car.energy_delivered for car in simulator.ev_history.values())
    cpu_s, peak_kw = time.process_time() - before, float(acnsim.aggregate_power(simulator).max())
    print(json.dumps({"cpu_s": cpu_s, "sessions": len(events), "delivered_kwh": delivered, "peak_kw": peak_kw}))


if __name__ == "__main__":
    main()
