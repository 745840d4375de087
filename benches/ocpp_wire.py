"""CPU of a server per OCPP 1.6 round trip: our layer, the stock ``ocpp`` package, and WebSocket with JSON as the limit.

The server is a process of its own whose CPU time (user and system) is read before and after; the client sends ready
text in a closed loop over a few connections. Both ``ocpp`` servers validate every request and answer; the stock one
without its thread pool (``stock-threads`` is as it is shipped).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
from typing import Any

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from benches.ocpp_servers import JSON, KINDS, Served, charging_profile, heartbeat, meter_values, served

FRAMES = {"Heartbeat": heartbeat(), "MeterValues": meter_values(), "SetChargingProfile": charging_profile()}
STOCK_FACTOR, RAW_FACTOR = 8.0, 3.5
"""Wanted: so many times cheaper than stock on the two long messages, and within so many times the limit on all."""


async def drive(server: Served, text: str, connections: int, rounds: int) -> float:
    """Microseconds of the server's CPU per round trip."""
    options: dict[str, Any] = {"compression": None, "ping_interval": None, "proxy": None}
    url, spoken = f"ws://127.0.0.1:{server.port}/x", [Subprotocol("ocpp1.6")]
    clients = [await connect(url, subprotocols=spoken, **options) for _ in range(connections)]

    async def play(client: Any, count: int) -> None:
        for _ in range(count):
            await client.send(text)
            answer = await client.recv()
            assert answer[1] == "3", answer

    await asyncio.gather(*(play(client, 20) for client in clients))
    before = server.cpu_s()
    await asyncio.gather(*(play(client, rounds // connections) for client in clients))
    used: float = server.cpu_s() - before
    for client in clients:
        await client.close()
    return 1e6 * used / (rounds // connections * connections)


def measure(kind: str, options: argparse.Namespace) -> dict[str, float]:
    """Medians for each message."""
    rounds = options.rounds // 5 if kind.startswith("stock") else options.rounds
    with served(kind, options.core) as server:
        return {name: _median(options, server, text, rounds) for name, text in FRAMES.items()}


def _median(options: argparse.Namespace, server: Served, text: str, rounds: int) -> float:
    once = (asyncio.run(drive(server, text, options.connections, rounds)) for _ in range(options.repeat))
    return statistics.median(once)


def report(found: dict[str, dict[str, float]]) -> bool:
    """Print the table; True when what is wanted holds."""
    print(f"CPU us of the server per round trip; the limit is websockets with {JSON}")
    print(
        f"{'message':<20}{'bytes':>6}"
        + "".join(f"{kind:>14}" for kind in found)
        + f"{'stock/ours':>12}{'ours/raw':>10}"
    )
    good = True
    for name, text in FRAMES.items():
        row = [found[kind][name] for kind in found]
        gain, cost = found["stock"][name] / found["ours"][name], found["ours"][name] / found["raw"][name]
        print(f"{name:<20}{len(text):>6}" + "".join(f"{us:>14.1f}" for us in row) + f"{gain:>12.1f}{cost:>10.2f}")
        good &= cost <= RAW_FACTOR and (gain >= STOCK_FACTOR or name == "Heartbeat")
    print(f"stock/ours >= {STOCK_FACTOR:g} on the long ones and ours/raw <= {RAW_FACTOR:g}: {'yes' if good else 'NO'}")
    return good


def main() -> int:
    """1 when what is wanted does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10_000, help="round trips per measurement (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--threads", action="store_true", help="stock with its thread pool too")
    options = parser.parse_args()
    cores = os.sched_getaffinity(0)
    options.core = min(cores)
    os.sched_setaffinity(0, cores - {options.core} or cores)
    kinds = [*KINDS, *(["stock-threads"] if options.threads else [])]
    return 0 if report({kind: measure(kind, options) for kind in kinds}) else 1


if __name__ == "__main__":
    raise SystemExit(main())
