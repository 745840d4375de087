"""How evenly the frames of both sides of a CHAdeMO session come on a bus of python-can, by the wall clock.

    python -m benches.chademo_cadence [--seconds 60]

A third port listens to a session over the virtual bus and over udp_multicast (left out, in words, where the host has
no multicast). CHAdeMO sends each frame every 100 ms (reference tables of public implementations; read-code). Fails when
the mean of any frame's period is more than 10 ms off, or 99 of 100 periods are not within 10 ms. In virtual time the
periods are exact, which tests/test_chademo_timing.py shows. What else runs on the machine counts here.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import defaultdict

import numpy as np

from hilbench import clock
from hilbench.errors import DeviceError
from hilbench_emulators.chademo import Car, CarModel, Charger, SimplePack
from hilbench_emulators.chademo.bus import CanPort
from hilbench_emulators.chademo.player import Connector, Player
from hilbench_emulators.chademo.plug import Start

BUSES = ("virtual:cadence", "udp_multicast:239.74.163.2")
PERIOD_S, OFF_S = 0.1, 0.01


async def heard(bus: str, seconds: float) -> dict[int, list[float]]:
    """When each frame came [s], by id, to a port that only listens."""
    interface, _, channel = bus.partition(":")
    ports = [CanPort(interface, channel) for _ in range(3)]
    came: dict[int, list[float]] = defaultdict(list)
    ports[2].listen(lambda can_id, _data: came[can_id].append(time.perf_counter()))
    plug = Connector()
    car = Player(Car(CarModel(), SimplePack(soc_pct=50.0)), ports[0], plug)
    charger = Player(Charger(), ports[1], plug)
    charger.give(Start())
    await asyncio.sleep(seconds)
    for one in (car, charger, ports[2]):
        one.close()
    return came


def judged(bus: str, came: dict[int, list[float]]) -> bool:
    """Print the periods of each frame; True when all are within the limits."""
    kept = bool(came)
    for can_id, times in sorted(came.items()):
        periods = np.diff(times)
        mean, p99 = periods.mean(), np.quantile(np.abs(periods - PERIOD_S), 0.99)
        good = abs(mean - PERIOD_S) <= OFF_S and p99 <= OFF_S
        kept &= bool(good)
        said = "ok" if good else "NOT KEPT"
        print(
            f"{bus:28s} {can_id:03X}  {len(times):5d} frames, mean {1e3 * mean:6.2f} ms, "
            f"99 % within {1e3 * p99:5.2f} ms of 100 ms, worst {1e3 * periods.max():6.1f} ms  {said}"
        )
    return kept


def main() -> int:
    """Listen to both buses."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    seconds = parser.parse_args().seconds
    kept = True
    for bus in BUSES:
        try:
            kept &= judged(bus, clock.run(heard(bus, seconds), "real"))
        except DeviceError as error:
            print(f"{bus}: {error}: left out")
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
