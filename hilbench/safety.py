"""Safe state: commanded at every end of a run, bounded in time, read back, and written down."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from hilbench import clock
from hilbench.devices import Station
from hilbench.errors import HilbenchError
from hilbench.signals import Record

COMMAND_TIMEOUT_S = 2.0
READ_BACK_TIMEOUT_S = 12.0
"""A car follows a lower pilot within 5 s and a contactor opens 6 s after that (IEC 61851-1 Annex A; read in code that
cites it); one second of margin."""


async def make_safe(stations: Iterable[Station], record: Record) -> list[str]:
    """Take every station to its safe current at once and read it back; returns the roles that did not confirm.

    Never raises for a device's failure: each is recorded as ``safe.failed`` with its reason, and the others go on.
    """
    wanted = list(stations)
    await asyncio.gather(*(_command(station, record) for station in wanted))
    deadline = clock.time() + READ_BACK_TIMEOUT_S
    waiting = wanted
    while waiting and clock.time() < deadline:
        waiting = [station for station in waiting if not _confirmed(station, record)]
        if waiting:
            await asyncio.sleep(0.1)
    for station in waiting:
        record.event(clock.time(), "safe.failed", station.role, reason="current above the safe level at read-back")
    return [station.role for station in waiting]


async def _command(station: Station, record: Record) -> None:
    record.event(clock.time(), "safe.commanded", station.role)
    try:
        async with asyncio.timeout(COMMAND_TIMEOUT_S):
            await station.make_safe()
    except (HilbenchError, OSError, TimeoutError) as error:
        record.event(clock.time(), "safe.failed", station.role, reason=str(error) or type(error).__name__)


def _confirmed(station: Station, record: Record) -> bool:
    if not station.is_safe():
        return False
    record.event(clock.time(), "safe.confirmed", station.role)
    return True
