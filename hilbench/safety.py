"""Safe state: commanded at every end of a run, bounded in time, read back, and written down.

Stations of the bench are made safe in its own loop. Real devices have a plan (``hilbench.safe_plan``), which is carried
out after that, so that contactors open without load; where the run itself cannot, its guardian does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hilbench import clock
from hilbench.devices import SafeDevice
from hilbench.errors import ClockError, HilbenchError
from hilbench.guardian import LOG, Guardian
from hilbench.rig import Rig
from hilbench.rig_lock import RigLock, state_folder
from hilbench.safe_plan import carry_out
from hilbench.signals import Record

COMMAND_TIMEOUT_S = 2.0
READ_BACK_TIMEOUT_S = 12.0
"""A car follows a lower pilot within 5 s and a contactor opens 6 s after that (IEC 61851-1 Annex A; read in code that
cites it); one second of margin."""


class Safeguard:
    """Keeps the real devices of ``rig`` one run's own and brings them to their safe state, for one bench.

    What a guardian does goes to ``guardian.jsonl`` in ``folder`` (default: the folder of the locks). A rig that has
    only emulated devices takes no lock and no guardian.
    """

    def __init__(self, rig: Rig, record: Record, folder: Path | None = None) -> None:
        self._rig = rig
        self._record = record
        self._folder = folder
        self._lock = RigLock(rig.real_addresses, rig.name)
        self._guardian: Guardian | None = None

    def arm(self) -> None:
        """Take the lock and start the guardian, before anything is energised.

        Raises ``DeviceError`` when another run has the rig or there is no guardian, ``ClockError`` on a virtual clock.
        """
        plan = self._rig.safe_plan
        if plan.steps and clock.is_virtual():
            raise ClockError("real devices keep the machine's time: run this rig on a real clock (--time real)")
        if not clock.is_virtual():  # nothing real can be reached in virtual time
            self._lock.take()
        if plan.steps:
            log = (self._folder or state_folder()) / LOG
            self._guardian = Guardian.start(plan, self._rig.name, log, self._lock.fds)

    async def reach(self, stations: Iterable[SafeDevice]) -> list[str]:
        """Make everything safe; the roles that were not read back.

        When all real devices were, the guardian is sent home, else it tries too. Once more, only stations are left.
        """
        guardian, self._guardian = self._guardian, None
        unsafe, sure = [], False
        try:
            try:
                unsafe = await make_safe(stations, self._record)
            finally:
                failed = await carry_out(self._rig.safe_plan, self._tell) if guardian else []
            sure = not failed
        finally:
            if guardian:
                await self._dismiss(guardian, sure)
        return unsafe + failed

    async def _dismiss(self, guardian: Guardian, sure: bool) -> None:
        if sure:
            if not await asyncio.to_thread(guardian.disarm):
                self._tell("guardian.lost", "guardian", {"reason": "it had ended before the run did"})
            return
        done = await asyncio.to_thread(guardian.let_act)
        self._tell("guardian.acted", "guardian", {"confirmed": done})

    def leave(self) -> None:
        """Let others have the rig; once more does nothing."""
        self._lock.release()

    def _tell(self, kind: str, subject: str, data: dict[str, Any]) -> None:
        self._record.event(clock.time(), kind, subject, **data)


async def make_safe(stations: Iterable[SafeDevice], record: Record) -> list[str]:
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


async def _command(station: SafeDevice, record: Record) -> None:
    record.event(clock.time(), "safe.commanded", station.role)
    try:
        async with asyncio.timeout(COMMAND_TIMEOUT_S):
            await station.make_safe()
    except (HilbenchError, OSError, TimeoutError) as error:
        record.event(clock.time(), "safe.failed", station.role, reason=str(error) or type(error).__name__)


def _confirmed(station: SafeDevice, record: Record) -> bool:
    if not station.is_safe():
        return False
    record.event(clock.time(), "safe.confirmed", station.role, read=station.read_back())
    return True
