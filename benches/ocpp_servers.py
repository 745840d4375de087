"""OCPP servers for the benches of the wire: our layer, the stock ``ocpp`` package, and WebSocket with JSON alone.

Run as a script it serves one of them and prints its port; ``Served`` starts that in a process of its own.
All three are on ``websockets`` without compression or pings, with handlers that do nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ocpp.messages
import ocpp.v16
import ocpp.v21
import ocpp.v201
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from hilbench.ocppj import VERSIONS, ChargePoint16, ChargePoint21, ChargePoint201, listen, messages, on

STAMP = "2024-06-04T16:00:00Z"
KINDS = ("raw", "ours", "stock")
JSON = "orjson" if importlib.util.find_spec("orjson") else "json"
TICKS = os.sysconf("SC_CLK_TCK")


def _answers(base: type, version: str) -> Any:
    told = messages(version).call_result

    class Answers(base):  # type: ignore[misc]  # ours or the stock class: the same handlers
        @on("BootNotification")
        def on_boot(self, **_: Any) -> Any:
            return told.BootNotification(current_time=STAMP, interval=300, status="Accepted")

        @on("Heartbeat")
        def on_heartbeat(self) -> Any:
            return told.Heartbeat(current_time=STAMP)

        @on("MeterValues")
        def on_meter_values(self, **_: Any) -> Any:
            return told.MeterValues()

        @on("SetChargingProfile")
        def on_set_charging_profile(self, **_: Any) -> Any:
            return told.SetChargingProfile(status="Accepted")

    return Answers


RAW_ANSWERS: dict[str, dict[str, Any]] = {
    "BootNotification": {"currentTime": STAMP, "interval": 300, "status": "Accepted"},
    "Heartbeat": {"currentTime": STAMP},
    "MeterValues": {},
    "SetChargingProfile": {"status": "Accepted"},
}
OURS: dict[str, Any] = {"1.6": ChargePoint16, "2.0.1": ChargePoint201, "2.1": ChargePoint21}
STOCK: dict[str, Any] = {"1.6": ocpp.v16.ChargePoint, "2.0.1": ocpp.v201.ChargePoint, "2.1": ocpp.v21.ChargePoint}


async def _raw(connection: ServerConnection) -> None:
    codec: Any = __import__(JSON)
    with contextlib.suppress(ConnectionClosed):
        while True:
            frame = codec.loads(await connection.recv())
            text = codec.dumps([3, frame[1], RAW_ANSWERS[frame[2]]])
            await connection.send(text if isinstance(text, str) else text.decode())


async def serve_kind(kind: str, version: str) -> None:
    if kind == "ours":
        own = _answers(OURS[version], version)
        options: dict[str, Any] = {"versions": (version,), "ping_interval_s": None}
        async with listen("127.0.0.1", 0, lambda c, i: own(i, c).start(), **options) as port:
            await _announce(port)
        return
    stock = _answers(STOCK[version], version)
    ocpp.messages.ASYNC_VALIDATION = kind == "stock-threads"

    async def accept(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            await (_raw(connection) if kind == "raw" else stock("x", connection).start())

    spoken = [messages(version).subprotocol]
    async with serve(accept, "127.0.0.1", 0, subprotocols=spoken, compression=None, ping_interval=None) as server:
        await _announce(next(iter(server.sockets)).getsockname()[1])


async def _announce(port: int) -> None:
    print(port, flush=True)
    await asyncio.to_thread(sys.stdin.readline)  # the parent closes it


def raise_file_limit(wanted: int) -> int:
    """Let this process open ``wanted`` files, or as many as it may; returns how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


@dataclass(frozen=True)
class Served:
    """A server in its own process: its port, the CPU seconds it took so far and its resident memory."""

    pid: int
    port: int

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_kb(self) -> int:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


@contextmanager
def served(kind: str, core: int | None = None, version: str = "1.6") -> Iterator[Served]:
    """Start a server of ``kind``, on one core if there is a choice."""
    options = ["--ocpp", version, *([] if core is None else ["--core", str(core)])]
    command = [sys.executable, str(Path(__file__)), kind, *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        line = process.stdout.readline()
        if not line:
            sys.exit(f"the {kind} server did not start")
        try:
            yield Served(process.pid, int(line))
        finally:
            process.stdin.close()


def frame(action: str, payload: dict[str, Any]) -> str:
    return json.dumps([2, "12345", action, payload], separators=(",", ":"))


def heartbeat() -> str:
    return frame("Heartbeat", {})


def meter_values(samples: int = 10, version: str = "1.6") -> str:
    """One MeterValues with ``samples`` samples of a three-phase car."""
    measurands = ("Current.Import", "Voltage", "Current.Offered")
    sampled = [
        {
            "value": f"{16 + n / 10:.1f}",
            "context": "Sample.Periodic",
            "measurand": measurands[n // 3 % 3],
            "phase": f"L{n % 3 + 1}",
            "location": "Outlet",
            "unit": ("A", "V", "A")[n // 3 % 3],
        }
        for n in range(samples)
    ]
    if version != "1.6":
        newer = [_as_in_2(sample) for sample in sampled]
        return frame("MeterValues", {"evseId": 1, "meterValue": [{"timestamp": STAMP, "sampledValue": newer}]})
    value = {"timestamp": STAMP, "sampledValue": sampled}
    return frame("MeterValues", {"connectorId": 1, "transactionId": 7, "meterValue": [value]})


def _as_in_2(sample: dict[str, str]) -> dict[str, Any]:
    rest = {key: text for key, text in sample.items() if key not in ("value", "unit")}
    return {**rest, "value": float(sample["value"]), "unitOfMeasure": {"unit": sample["unit"]}}


def charging_profile(periods: int = 24) -> str:
    """SetChargingProfile with an hourly schedule."""
    steps = [{"startPeriod": 3600 * n, "limit": 6 + n / 10 * 4, "numberPhases": 3} for n in range(periods)]
    for step in steps:
        step["limit"] = round(step["limit"], 1)
    schedule = {"chargingRateUnit": "A", "startSchedule": STAMP, "chargingSchedulePeriod": steps}
    profile = {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": schedule,
    }
    return frame("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=[*KINDS, "stock-threads"])
    parser.add_argument("--core", type=int)
    parser.add_argument("--ocpp", choices=VERSIONS, default="1.6")
    options = parser.parse_args()
    raise_file_limit(100_000)
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    asyncio.run(serve_kind(options.kind, options.ocpp))


if __name__ == "__main__":
    main()
