"""What an OCPP 1.6 station does on a connection: deliver its transaction messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection

from hilbench.ocppj import call
from hilbench_emulators.station.handlers16 import Handlers16
from hilbench_emulators.station.uplink import Uplink

if TYPE_CHECKING:
    from hilbench_emulators.station.ocpp16 import AcStation16


class Uplink16(Uplink):
    """See :class:`Uplink`."""

    _station: AcStation16

    def handlers(self, connection: ClientConnection) -> Handlers16:
        """See :class:`Uplink`."""
        return Handlers16(self._station, connection)

    def request(self, entry: dict[str, Any]) -> Any:
        """See :class:`Uplink`."""
        return getattr(call, entry["action"])(**self._station.queue.payload(entry))

    def delivered(self, entry: dict[str, Any], answer: Any) -> None:
        """See :class:`Uplink`."""
        self._station.delivered(entry, answer)
