"""What a message costs a central system: CPU per CALL and its answer, over real loopback WebSockets.

Servers, each in a process of its own and measured by its own CPU time: this project's layer, the stock ``ocpp`` package
(schema validation on in both), and ``websockets`` with nothing but JSON behind it (orjson where it is installed) as the
limit. The client sends frames that are made beforehand. OCPP 1.6: Heartbeat, MeterValues with 10 samples,
SetChargingProfile with 24 periods (towards a station, so the server plays one).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import ocpp.messages
from ocpp.routing import on as stock_on
from ocpp.v16 import ChargePoint as Stock
from ocpp.v16 import call_result
from ocpp.v16.enums import ChargingProfileStatus
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from hilbench.ocppj import ChargePoint16, on

KINDS = ("hilbench", "ocpp", "websockets")
CONNECTIONS = 20
WANTED_FASTER, WANTED_OF_LIMIT = 8.0, 3.5

SAMPLES = [
    {"value": f"{n}.5", "context": "Sample.Periodic", "measurand": "Current.Import", "phase": "L1", "unit": "A"}
    for n in range(10)
]
PERIODS = [{"startPeriod": 900 * n, "limit": 6.0 + n, "numberPhases": 3} for n in range(24)]
PAYLOADS: dict[str, tuple[str, dict[str, Any]]] = {
    "Heartbeat": ("Heartbeat", {}),
    "MeterValues, 10 samples": (
        "MeterValues",
        {
            "connectorId": 1,
            "transactionId": 7,
            "meterValue": [{"timestamp": "2024-06-04T16:00:00.000Z", "sampledValue": SAMPLES}],
        },
    ),
    "SetChargingProfile, 24 periods": (
        "SetChargingProfile",
        {
            "connectorId": 1,
            "csChargingProfiles": {
                "chargingProfileId": 1,
                "stackLevel": 0,
                "chargingProfilePurpose": "TxDefaultProfile",
                "chargingProfileKind": "Absolute",
                "chargingSchedule": {
                    "chargingRateUnit": "A",
                    "startSchedule": "2024-06-04T16:00:00.000Z",
                    "chargingSchedulePeriod": PERIODS,
                },
            },
        },
    ),
}


def heartbeat(_self: Any, **_payload: Any) -> Any:
    return call_result.Heartbeat(current_time="2024-06-04T16:00:00.000Z")


def meter_values(_self: Any, **_payload: Any) -> Any:
    return call_result.MeterValues()


def set_charging_profile(_self: Any, **_payload: Any) -> Any:
    return call_result.SetChargingProfile(status=ChargingProfileStatus.accepted)


def handlers(mark: Any) -> dict[str, Any]:
    found = {"Heartbeat": heartbeat, "MeterValues": meter_values, "SetChargingProfile": set_charging_profile}
    return {function.__name__: mark(action)(function) for action, function in found.items()}  # routed by name


def server_of(kind: str) -> Callable[[ServerConnection], Awaitable[None]]:
    """What handles a connection."""
    if kind == "websockets":
        return echo
    ocpp.messages.ASYNC_VALIDATION = False  # its threads only make it slower
    base, mark = (ChargePoint16, on) if kind == "hilbench" else (Stock, stock_on)
    peer = type("Server", (base,), handlers(mark))

    async def handle(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            await peer("station", connection).start()

    return handle


async def echo(connection: ServerConnection) -> None:
    """Parse, answer, know nothing."""
    loads, dumps = codec()
    async for text in connection:
        frame = loads(text)
        await connection.send(dumps([3, frame[1], {}]))


def codec() -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    try:
        import orjson
    except ImportError:
        return json.loads, json.dumps
    return orjson.loads, lambda data: orjson.dumps(data).decode()


async def serve_until_told(kind: str) -> None:
    """Print the port, then the CPU seconds so far for each line on standard input."""
    loop = asyncio.get_running_loop()
    async with serve(server_of(kind), "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        while await loop.run_in_executor(None, sys.stdin.readline):
            print(time.process_time(), flush=True)


class Server:
    """A server in a process of its own."""

    def __init__(self, kind: str) -> None:
        command = [sys.executable, __file__, "--serve", kind]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self._line())

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def cpu_s(self) -> float:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self._line())


async def talk(port: int, action: str, payload: dict[str, Any], count: int) -> None:
    """Each connection sends its share, one call at a time."""
    frames = [json.dumps([2, str(n), action, payload], separators=(",", ":")) for n in range(count // CONNECTIONS)]

    async def one() -> None:
        async with connect(f"ws://127.0.0.1:{port}/s", compression=None, ping_interval=None, proxy=None) as connection:
            for text in frames:
                await connection.send(text)
                await connection.recv()

    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))


def measured(kind: str, action: str, payload: dict[str, Any], count: int) -> float:
    """CPU microseconds of the server per call."""
    server = Server(kind)
    try:
        asyncio.run(talk(server.port, action, payload, 40 * CONNECTIONS))  # schemas are compiled, code is warm
        before = server.cpu_s()
        asyncio.run(talk(server.port, action, payload, count))
        return (server.cpu_s() - before) / (count // CONNECTIONS * CONNECTIONS) * 1e6
    finally:
        server.process.kill()
        server.process.wait()


def main() -> int:
    """Print the table; 1 when a ratio is not what is wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, default=6000, help="calls per server and message (default: %(default)s)")
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve_until_told(options.serve))
        return 0
    missed = 0
    print(f"limit: websockets + {'orjson' if codec()[0] is not json.loads else 'json'}; CPU us per call and answer")
    print(f"{'message':<32}{'hilbench':>10}{'ocpp':>10}{'limit':>10}{'ocpp/ours':>11}{'ours/limit':>12}")
    for title, (action, payload) in PAYLOADS.items():
        own, stock, limit = (measured(kind, action, payload, options.count) for kind in KINDS)
        print(f"{title:<32}{own:>10.0f}{stock:>10.0f}{limit:>10.0f}{stock / own:>11.1f}{own / limit:>12.2f}")
        missed += action != "Heartbeat" and (stock / own < WANTED_FASTER or own / limit > WANTED_OF_LIMIT)
    print(
        f"wanted: {WANTED_FASTER:g} times cheaper than ocpp, within {WANTED_OF_LIMIT:g} of the limit: {missed} missed"
    )
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
