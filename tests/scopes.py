"""Emulated oscilloscopes and the drivers that look at them, over memory or over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilbench import clock
from hilbench.drivers.scope import Channel, Oscilloscope, Setup, Trigger
from hilbench_emulators.oscilloscope_dialect import OscilloscopeDialect
from hilbench_emulators.oscilloscope_keysight import KeysightDsox
from hilbench_emulators.oscilloscope_rigol import RigolDho800, RigolDs1000z
from hilbench_emulators.oscilloscope_siglent import SiglentSds
from hilbench_emulators.oscilloscope_tektronix import TektronixTbs
from hilbench_emulators.scpi_server import Habits, ScpiServer

SCOPES: tuple[type[OscilloscopeDialect], ...] = (RigolDs1000z, RigolDho800, SiglentSds, KeysightDsox, TektronixTbs)
WAYS = {"memory": "virtual", "visa": "real"}
"""How the driver reaches the instrument, and on which loop."""
HIGH_V, LOW_V, DUTY = 6.0, -12.0, 0.4
PILOT = Setup({1: Channel(-15.0, 15.0)}, 0.01, 1e6, Trigger(1, 0.0))
"""10 ms of a pilot at 1 MS/s from a rising edge in the middle on."""


def pilot(t0_s: float, dt_s: float, count: int) -> NDArray[np.floating]:
    """A pilot in state C2 at 40 %."""
    return np.where((t0_s + np.arange(count) * dt_s) * 1000.0 % 1.0 < DUTY, HIGH_V, LOW_V)


@asynccontextmanager
async def served(instrument: Any, way: str, habits: Habits | None = None) -> AsyncIterator[tuple[ScpiServer, str]]:
    """A server of ``instrument``, and its address for ``way``."""
    server = ScpiServer("bench", instrument, habits=habits)
    await server.start()
    kind = "tcp://127.0.0.1:{}" if way == "memory" else "TCPIP::127.0.0.1::{}::SOCKET"
    try:
        yield server, kind.format(server.port)
    finally:
        await server.stop()


@asynccontextmanager
async def looking(address: str, timeout_s: float = 2.0) -> AsyncIterator[Oscilloscope]:
    """A started driver at ``address``."""
    device = Oscilloscope("scope", address, timeout_s=timeout_s, backend="@py")
    await device.start()
    try:
        yield device
    finally:
        await device.stop()


def with_scope(
    instrument: Any,
    way: str,
    body: Callable[[Oscilloscope, ScpiServer], Awaitable[Any]],
    habits: Habits | None = None,
    timeout_s: float = 2.0,
) -> Any:
    """What ``body`` gives with a driver that looks at ``instrument``."""

    async def all_of_it() -> Any:
        async with served(instrument, way, habits) as (server, address), looking(address, timeout_s) as device:
            return await body(device, server)

    return clock.run(all_of_it(), WAYS[way])
