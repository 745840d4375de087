"""What an OCPP 1.6 station does on a connection: deliver its transaction messages."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection

from hilbench.ocppj import CallFailed, call
from hilbench_emulators.station.handlers16 import Handlers16
from hilbench_emulators.station.uplink import LINK_LOST, Uplink

if TYPE_CHECKING:
    from hilbench_emulators.station.ocpp16 import AcStation16


class Uplink16(Uplink):
    """See :class:`Uplink`."""

    _station: AcStation16

    def handlers(self, connection: ClientConnection) -> Handlers16:
        """See :class:`Uplink`."""
        return Handlers16(self._station, connection)

    async def send_queue(self, link: Any) -> None:
        """See :class:`Uplink`."""
        attempt = 0
        while True:
            await self._station.queued.wait()
            if not self._station.queue.entries:
                self._station.queued.clear()
                continue
            entry = self._station.queue.entries[0]
            try:
                answer = await link.call(getattr(call, entry["action"])(**self._station.queue.payload(entry)))
            except CallFailed as error:
                if error.code in LINK_LOST:
                    return
                attempt += 1
                if attempt < self._settings.transaction_attempts:
                    await asyncio.sleep(self._settings.transaction_retry_s * attempt)
                    continue
            else:
                self._station.delivered(entry, answer)
            attempt = 0
            if self._station.queue.entries and self._station.queue.entries[0] is entry:
                del self._station.queue.entries[0]
