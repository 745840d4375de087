"""How fast a block comes over loopback, through PyVISA and pyvisa-py, whatever its bytes are.

``python benches/scope_transfer.py [points] [repeats]`` serves blocks from a process of its own, as an instrument would,
and reads them with the driver: raw blocks of bytes, all of them line feeds in one row, and beside it the naive
``query_binary_values`` with a read termination. The target of the project is 300 MS/s.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilbench import clock
from hilbench.drivers.scpi import ScpiInstrument
from hilbench.drivers.scpi_wire import wire
from hilbench_emulators.scpi_server import ScpiServer

TARGET_MS_PER_S = 300.0
NAIVE_POINTS = 200_000


class Blocks:
    """An instrument that answers ``<kind> <count>?`` with a block of bytes."""

    def __init__(self) -> None:
        self._made: dict[str, bytes] = {}

    def receive(self, line: str, t: float) -> bytes:  # noqa: ARG002 - the server's protocol
        if line.startswith("*IDN?"):
            return b"BENCH,BLOCKS,1,1\n"
        if line.startswith("*"):
            return b""
        if line not in self._made:
            kind, count = line.rstrip("?").split()
            data = bytes(PAYLOADS[kind](int(count)).tobytes())
            self._made = {line: f"#9{len(data):09d}".encode() + data + b"\n"}
        return self._made[line]


def pilot(count: int) -> NDArray[np.uint8]:
    return np.where(np.arange(count) % 1000 < 400, 207, 27).astype(np.uint8)


PAYLOADS: dict[str, Callable[[int], NDArray[np.uint8]]] = {
    "pilot": pilot,
    "random": lambda count: np.random.default_rng(1).integers(0, 256, count, np.uint8),
    "linefeeds": lambda count: np.full(count, 0x0A, np.uint8),
}


def serve(ready: Connection) -> None:
    async def body() -> None:
        server = ScpiServer("blocks", Blocks())
        await server.start()
        ready.send(server.port)
        await asyncio.get_running_loop().create_future()

    clock.run(body(), "real")


async def rates(address: str, points: int, repeats: int) -> dict[str, list[tuple[float, float]]]:
    """Wall and CPU rates [MS/s] by payload; CPU is that of this process, whatever else the machine does."""
    device = ScpiInstrument("blocks", wire(address, 5.0, "@py"))
    await device.start()
    found: dict[str, list[tuple[float, float]]] = {}
    for kind in PAYLOADS:
        await device.ask_block(f"{kind} {points}?", points)
        found[kind] = []
        for _ in range(repeats):
            start, used = time.perf_counter(), time.process_time()
            data = await device.ask_block(f"{kind} {points}?", points)
            seconds = time.perf_counter() - start, time.process_time() - used
            found[kind].append((points / seconds[0] / 1e6, points / seconds[1] / 1e6))
        assert bytes(data) == PAYLOADS[kind](points).tobytes(), kind
    await device.stop()
    return found


def naive(port: int, kind: str) -> float:
    import pyvisa

    resource: Any = pyvisa.ResourceManager("@py").open_resource(
        f"TCPIP::127.0.0.1::{port}::SOCKET", read_termination="\n", write_termination="\n", timeout=60_000
    )
    query = f"{kind} {NAIVE_POINTS}?"
    resource.query_binary_values(query, "B", container=np.ndarray)
    start = time.perf_counter()
    resource.query_binary_values(query, "B", container=np.ndarray)
    seconds = time.perf_counter() - start
    resource.close()
    return NAIVE_POINTS / seconds / 1e6


def main() -> int:
    points = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 31
    near, far = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(far,), daemon=True)
    server.start()
    port = near.recv()
    ok = True
    for address in (f"TCPIP::127.0.0.1::{port}::SOCKET", f"tcp://127.0.0.1:{port}"):
        for kind, found in clock.run(rates(address, points, repeats), "real").items():
            wall, cpu = ([pair[n] for pair in found] for n in (0, 1))
            middle = statistics.median(wall)
            ok = ok and (middle >= TARGET_MS_PER_S or address.startswith("tcp"))
            said = f"median {middle:6.0f} MS/s, best {max(wall):6.0f}, by CPU time {statistics.median(cpu):6.0f}"
            print(f"{address:34} {kind:10} {points} points: {said}")
    for kind in PAYLOADS:
        print(f"{'query_binary_values':34} {kind:10} {NAIVE_POINTS} points: {naive(port, kind):10.2f} MS/s")
    server.terminate()
    print("target of 300 MS/s through PyVISA:", "reached" if ok else "MISSED")
    return 0 if ok else 1


if __name__ == "__main__":
    raise SystemExit(main())
