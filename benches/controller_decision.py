"""How long the reference controller takes to decide on a three-phase tree of three levels, against a limit.

    python -m benches.controller_decision [--stations 200 --stations 1000 --stations 10000] [--peer]

The limits are 2 ms for 200 stations, 10 ms for 1000 and 100 ms for 10000. ``--peer`` has a linear program per level
(HiGHS) find the same shares beside it.

One decision is a fresh meter sample that moves the estimate of the building, and every limit worked out anew from it.
The median CPU time of each case is judged: a decision waits for nothing, and what else runs on the machine does not
count. Wall times are printed with it.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hilbench.controller.allocate import Tree, fill
from hilbench.controller.core import Core
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.watch import MeterSample
from hilbench.site import Branch, Feeder, Service, Site
from tests.max_min import max_min

LIMITS_MS = {200: 2.0, 1000: 10.0, 10_000: 100.0}
PER_POD = 25
DECISIONS = 60
WARM_UP = 40
ROTATIONS = ("L1-L2-L3", "L2-L3-L1", "L3-L1-L2")


def site(stations: int, share: float = 1.0, pod_a: Callable[[int], float] = lambda _k: 320.0, classes: int = 1) -> Site:
    """Four feeders, pods of 25 rotated three-phase stations behind them; every third feeder limit binds.

    ``share``: the service has that part of 8 A per station.
    """
    service_a, count = 8.0 * stations * share, max(stations // PER_POD, 1)
    feeders = [Feeder(id=f"f{k}", rating_a=service_a / 4.0 * (0.6 if k % 3 == 0 else 1.5)) for k in range(4)]
    pods = [Feeder(id=f"p{k}", parent=f"f{k % 4}", rating_a=pod_a(k)) for k in range(count)]
    branches = tuple(
        Branch(
            role=f"s{k}",
            feeder=f"p{k % count}",
            branch_a=40,
            max_a=32,
            connection=ROTATIONS[k // count % 3],
            priority=k % classes,
        )
        for k in range(stations)
    )
    service = Service(rating_a=service_a, voltage_v=400, wiring="three-phase")
    return Site(name="bench", service=service, feeders=(*feeders, *pods), branches=branches)


class Bench:
    """A core whose cars have all settled at ``granted_a``, under a building load that rises with every sample."""

    def __init__(self, place: Site, granted_a: float = 12.0, phases: Callable[[int], int] = lambda _k: 3) -> None:
        self.core = Core(place, ControllerSettings(), 0.0)
        self.number = 0
        self.phases = phases
        for role in self.core.stations:
            self.core.online(role, 0.0)
            self.core.status(role, 0.0, "Charging")
            self.core.confirmed(role, 0.0, granted_a, math.inf)
        self.report(lambda _k: granted_a)

    def report(self, amps: Callable[[int], float]) -> None:
        """Every car reports what it draws, long after it settled."""
        self.drawn = [0.0, 0.0, 0.0]
        for k, (role, station) in enumerate(self.core.stations.items()):
            self.core.report(role, 20.0, {f"L{phase}": amps(k) for phase in range(1, self.phases(k) + 1)})
            for line in station.branch.lines[: self.phases(k)]:
                self.drawn[int(line[1]) - 1] += amps(k)

    def decide(self) -> int:
        """One decision; returns how many limits it changed."""
        self.number += 1
        t = 20.0 + self.number
        lines = self.core.site.lines
        base = 100.0 + max(3.0, 0.003 * len(self.core.stations)) * self.number
        currents = {line: amps + base for line, amps in zip(lines, self.drawn, strict=True)}
        powers = {line: 230.0 * amps for line, amps in currents.items()}
        sample = MeterSample(t, self.number, currents, dict.fromkeys(lines, 230.0), powers)
        self.core.meter(sample)
        return len(self.core.decide(t))


@dataclass(frozen=True)
class Figures:
    """Wall time per decision, best, median and worst, and the median of its CPU time, all in ms; CPU seconds of all."""

    best: float
    median: float
    worst: float
    cpu_median: float
    cpu_s: float


def measure(bench: Bench, before: Callable[[], None]) -> Figures:
    """Time decisions; raises ``RuntimeError`` when one of them changed nothing, since then it was none."""
    for _ in range(WARM_UP):
        bench.decide()
    wall: list[float] = []
    cpu: list[float] = []
    for _ in range(DECISIONS):
        before()
        start, start_cpu = time.perf_counter(), time.process_time()
        changes = bench.decide()
        cpu.append(time.process_time() - start_cpu)
        wall.append(time.perf_counter() - start)
        if not changes:
            raise RuntimeError("a decision changed nothing: the case does not force a re-allocation")
    wall.sort()
    median = sorted(cpu)[len(cpu) // 2]
    return Figures(wall[0] * 1e3, wall[len(wall) // 2] * 1e3, wall[-1] * 1e3, median * 1e3, sum(cpu))


def distinct_caps(stations: int) -> Bench:
    """Every car has an on-board charger of its own size, and the service room for most of them."""
    bench = Bench(site(stations), granted_a=20.0)
    bench.report(lambda k: 6.0 + 10.0 * k / stations)
    return bench


def learned(bench: Bench) -> Callable[[], None]:
    """Before each decision one car leaves and another arrives, so that the tree of learned lines changes."""
    roles = iter(list(bench.core.stations) * 2)

    def swap() -> None:
        role = next(roles)
        bench.core.status(role, 20.0 + bench.number, "Available")
        bench.core.status(role, 20.0 + bench.number, "Charging")

    return swap


def cases(stations: int) -> dict[str, tuple[Bench, Callable[[], None]]]:
    """Name to what is timed and what happens before each decision."""
    mixed = Bench(site(stations), phases=lambda k: 1 + k % 3)
    benches = {
        "all wanting, shares between 6 A and the cap": Bench(site(stations)),
        "one, two and three phases learned": mixed,
        "nearly all queued below 6 A": Bench(site(stations, share=0.19), granted_a=1.0),
        "no room at all": Bench(site(stations, share=0.025), granted_a=6.0),
        "every pod with a limit of its own": Bench(site(stations, pod_a=lambda k: 150.0 + 7.0 * (k % 40))),
        "as many distinct caps": distinct_caps(stations),
        "ten classes of priority": Bench(site(stations, classes=10)),
    }
    quiet = {name: (bench, lambda: None) for name, bench in benches.items()}
    swapped = Bench(site(stations), phases=lambda k: 1 + k % 3)
    return {**quiet, "a car leaves and another arrives": (swapped, learned(swapped))}


def judge(stations: int, limit_ms: float) -> int:
    """Print the figures for so many stations; how many cases are above the limit."""
    slow = 0
    print(f"{stations} stations, {DECISIONS} decisions each, in ms: best, median, worst; limit {limit_ms:g}")
    for name, (bench, before) in cases(stations).items():
        figures = measure(bench, before)
        ratio = figures.cpu_median / limit_ms
        slow += ratio > 1.0
        print(
            f"{name:44s} {figures.best:7.2f} {figures.median:7.2f} {figures.worst:7.2f}"
            f"   CPU {figures.cpu_median:6.2f} = {ratio:4.2f} of the limit   {figures.cpu_s:5.2f} CPU s"
        )
    return slow


def against_peer(stations: int) -> int:
    """Print the time of the shares alone beside that of the linear programs; 1 when they differ."""
    tree = Tree(site(stations))
    caps = np.array([6.0 + 26.0 * (k * 7919 % stations) / stations for k in range(stations)])
    matrix = np.zeros((len(tree.keys), stations))
    matrix[tree.rows, tree.columns] = np.abs(tree.units)
    start = time.process_time()
    ours = fill(tree, tree.limits, np.zeros(stations), caps)
    middle = time.process_time()
    theirs = max_min(matrix, tree.limits, caps)
    own_ms, peer_ms = (middle - start) * 1e3, (time.process_time() - middle) * 1e3
    worst = float(np.abs(ours - theirs).max())
    print(f"{stations} shares: {own_ms:.2f} CPU ms, linear programs {peer_ms:.1f} CPU ms, ratio {peer_ms / own_ms:.0f}")
    print(f"  they differ by {worst:.1e} A at most")
    return int(worst > 1e-5)


def main() -> int:
    """Print the figures; 1 when a median is above its limit, or the peer finds other shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stations", type=int, action="append", choices=sorted(LIMITS_MS))
    parser.add_argument("--peer", action="store_true")
    options = parser.parse_args()
    sizes = options.stations or [1000]
    slow = sum(judge(stations, LIMITS_MS[stations]) for stations in sizes)
    print("all within the limit" if not slow else f"{slow} cases above the limit")
    wrong = sum(against_peer(stations) for stations in sizes) if options.peer else 0
    return 1 if slow or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
