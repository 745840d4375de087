"""Many stations on one server: connections per second, memory per station and messages per CPU second.

Each server (our layer, the stock ``ocpp`` package without its thread pool, WebSocket with JSON alone) is a process of
its own; the stations are always ours, all in one other process, on loopback sockets without compression or pings.
Each boots and then sends MeterValues of 10 samples in turn with the others.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benches.ocpp_servers import JSON, KINDS, OURS, Served, meter_values, raise_file_limit, served
from hilbench.ocppj import VERSIONS, dial, messages, to_snake

AT_ONCE = 50
TARGET_KB = 24


def boot(version: str) -> Any:
    """BootNotification of a version."""
    kind = messages(version).call.BootNotification
    if version == "1.6":
        return kind(charge_point_vendor="v", charge_point_model="m")
    return kind(charging_station={"vendor_name": "v", "model": "m"}, reason="PowerUp")


async def connect_all(port: int, count: int, version: str) -> list[Any]:
    """``count`` stations that have booted, a few at a time."""
    stations: list[Any] = []
    url = f"ws://127.0.0.1:{port}/ocpp"

    async def one(number: int) -> None:
        connection = await dial(url, f"CP{number}", version=version, ping_interval_s=None, open_timeout_s=60)
        station = OURS[version](f"CP{number}", connection)
        receiving[number] = asyncio.create_task(station.start())
        await station.call(boot(version))
        stations.append(station)

    for first in range(0, count, AT_ONCE):
        await asyncio.gather(*(one(number) for number in range(first, min(first + AT_ONCE, count))))
    return stations


receiving: dict[int, asyncio.Task[None]] = {}
"""Receive loops, kept so that none is collected."""


async def converse(stations: list[Any], count: int, version: str) -> None:
    """``count`` MeterValues in all, each station's after those of the others."""
    payload = messages(version).call.MeterValues(**to_snake(json.loads(meter_values(version=version))[3]))
    for first in range(0, count, AT_ONCE):
        chosen = [stations[number % len(stations)] for number in range(first, first + AT_ONCE)]
        await asyncio.gather(*(station.call(payload) for station in chosen))


async def play(server: Served, count: int, many: int, version: str) -> dict[str, float]:
    """What one server and the stations' process take."""
    warm = await connect_all(server.port, AT_ONCE, version)
    await converse(warm, 1000, version)
    rss, own, cpu, began = server.rss_kb(), _own_rss_kb(), server.cpu_s(), time.perf_counter()
    stations = await connect_all(server.port, count, version)
    connecting, connect_cpu = time.perf_counter() - began, server.cpu_s() - cpu
    await converse(stations, count, version)
    rss, own = server.rss_kb() - rss, _own_rss_kb() - own
    cpu = server.cpu_s()
    await converse(stations, many, version)
    return {
        "connects/s": count / connecting,
        "us/connect": 1e6 * connect_cpu / count,
        "kB/station": rss / count,
        "kB/station, own side": own / count,
        "messages per CPU s": many / (server.cpu_s() - cpu),
    }


def _own_rss_kb() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def child(kind: str, count: int, many: int, version: str) -> dict[str, float]:
    """The figures of one kind, stations in a fresh process."""
    arguments = ["--child", kind, "--count", str(count), "--messages", str(many), "--ocpp", version]
    done = subprocess.run([sys.executable, __file__, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> int:
    """1 when our server takes more memory per station than wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="stations (default: %(default)s)")
    parser.add_argument("--messages", type=int, default=20_000, help="MeterValues in all (default: %(default)s)")
    parser.add_argument("--ocpp", choices=VERSIONS, default="1.6", help="version (default: %(default)s)")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    allowed = raise_file_limit(options.count + 500)
    if allowed < options.count + 200:
        sys.exit(f"this machine lets a process open {allowed} files: too few for {options.count} stations")
    if options.child:
        with served(options.child, version=options.ocpp) as server:
            print(json.dumps(asyncio.run(play(server, options.count, options.messages, options.ocpp))))
        return 0
    found = {kind: child(kind, options.count, options.messages, options.ocpp) for kind in KINDS}
    print(f"{options.count} stations of OCPP {options.ocpp}; raw is websockets with {JSON}")
    print(f"{'':<22}" + "".join(f"{kind:>10}" for kind in found))
    for name in found["ours"]:
        print(f"{name:<22}" + "".join(f"{figures[name]:>10.0f}" for figures in found.values()))
    good = found["ours"]["kB/station"] <= TARGET_KB
    print(f"ours at most {TARGET_KB} kB per station: {'yes' if good else 'NO'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
