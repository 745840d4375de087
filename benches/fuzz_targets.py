"""The targets, each in a process of its own: the bare layer, a station, the reference controller."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from benches.fuzz_frames import payload
from benches.ocpp_servers import Served
from hilbench import clock
from hilbench.ocppj import VERSIONS, ChargePoint16, ChargePoint21, ChargePoint201, listen, messages, on
from hilbench.signals import Event, Record
from hilbench.site import Branch, Service, Site
from hilbench.world import STATIONS
from hilbench_emulators.plant import Plant
from hilbench_emulators.station.settings import StationSettings

CLASSES = {"1.6": ChargePoint16, "2.0.1": ChargePoint201, "2.1": ChargePoint21}
HANDLED = ("BootNotification", "StatusNotification", "MeterValues", "DataTransfer", "Heartbeat")
ROLE = "A"
SETTINGS = StationSettings(
    boot_s=0.05,
    backoff_min_s=0.05,
    backoff_max_s=0.1,
    backoff_range_s=0.05,
    message_timeout_s=5.0,
    transaction_retry_s=0.2,
    download_s=1.0,
    install_s=1.0,
    upload_s=0.2,
)
"""A station in a hurry: what takes it minutes would only let the bench wait."""


def server_class(name: str) -> Any:
    """A server of a version that answers a few actions with their full samples."""
    handlers = {f"on_{action}": on(action)(_handler(name, action)) for action in HANDLED}
    if name == "2.1":
        handlers["on_stream"] = on("NotifyPeriodicEventStream")(_on_stream)
    return type("Server", (CLASSES[name],), handlers)


def _on_stream(_self: Any, **_: Any) -> None:
    """Take note."""


def _handler(name: str, action: str) -> Callable[..., Any]:
    answer = payload(name, action, "call_result")

    def handle(_self: Any, **_: Any) -> Any:
        return answer

    handle.__name__ = f"on_{action}"
    return handle


async def serve_layer() -> None:
    """Serve the three versions until the parent goes."""
    servers = {messages(name).subprotocol: server_class(name) for name in VERSIONS}

    async def handler(connection: Any, identity: str) -> None:
        await servers[connection.subprotocol](identity, connection).start()

    async with listen("127.0.0.1", 0, handler, versions=VERSIONS) as port:
        print(port, flush=True)
        await asyncio.to_thread(sys.stdin.readline)


class Forgetful(Record):
    """Keeps no events: a record of all that is done to a station is evidence, and grows with it by design."""

    def event(self, t: float, kind: str, subject: str = "", **data: Any) -> Event:
        """Say what must not happen; forget the rest."""
        if kind == "station.failed":
            print(kind, data, file=sys.stderr, flush=True)
        return Event(t, kind, subject, data)


async def run_station(version: str, url: str) -> None:
    """A station with a car, which the parent commands line by line: ``plug``, ``unplug`` or ``state``."""
    branch = Branch(role=ROLE, branch_a=40, max_a=32, connection="L1-N")
    service = Service.model_validate({"rating_a": 10_000.0, "voltage_v": 230, "wiring": "single-phase"})
    record = Forgetful()
    plant = Plant(Site(name="fuzz", service=service, branches=(branch,)), record, seed=1)
    station = STATIONS[version](branch, plant, url=url, identity=ROLE, record=record, settings=SETTINGS)
    await station.start()
    while command := (await asyncio.to_thread(sys.stdin.readline)).strip():
        if command == "plug":
            await station.plug_in("leaf-40")
        elif command == "unplug":
            await station.unplug()
        drawn = max(plant.station_reading(ROLE).currents.values(), default=0.0)
        state = {"offered_a": station.offered_a, "drawn_a": drawn, "running": station.transaction_id is not None}
        print(json.dumps(state), flush=True)
    await station.stop()
    plant.stop()


def rig_text(port: int) -> str:
    """The rig of the controller: ten stations at ``port``, and a meter that nobody answers for."""
    text = (Path(str(files("hilbench"))).parent / "rigs" / "workplace-10.toml").read_text()
    return text.replace("127.0.0.1:9000", f"127.0.0.1:{port}").replace("127.0.0.1:5020", f"127.0.0.1:{free_port()}")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass
class Target:
    """A running target; ``log`` is what it prints beside its answers to the parent."""

    process: asyncio.subprocess.Process
    served: Served
    log: Path

    async def ask(self, command: str) -> dict[str, Any]:
        """Command a station; its state then."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{command}\n".encode())
        return dict(json.loads(await asyncio.wait_for(self.process.stdout.readline(), 120)))


@asynccontextmanager
async def started(command: Sequence[str], port: int | None = None, *, logs: bool = False) -> AsyncIterator[Target]:
    """Run a target in a process of its own; without ``port`` it prints one. ``logs``: its output is a log."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as file:
            pipe = asyncio.subprocess.PIPE
            out = file if logs else pipe
            process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=out, stderr=file)
            try:
                if port is None:
                    assert process.stdout is not None
                    port = int(await process.stdout.readline())
                yield Target(process, Served(process.pid, port), log)
            finally:
                await _ended(process)


async def _ended(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.close()
    if process.returncode is None and process.stdout is None:
        process.send_signal(15)
    try:
        await asyncio.wait_for(process.wait(), 60)
    except TimeoutError:
        with suppress(ProcessLookupError):  # it may end just now
            process.kill()
        await process.wait()


@asynccontextmanager
async def controller() -> AsyncIterator[Target]:
    """The reference controller, as ``hilbench controller`` runs it."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        rig = Path(folder) / "rig.toml"
        rig.write_text(rig_text(port))
        async with started([sys.executable, "-m", "hilbench", "controller", str(rig)], port, logs=True) as target:
            await _listening(port)
            yield target


async def _listening(port: int) -> None:
    end = clock.time() + 120
    while clock.time() < end:
        try:
            _reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise TimeoutError("the controller does not listen")
