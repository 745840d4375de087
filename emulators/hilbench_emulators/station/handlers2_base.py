"""What all handlers of an OCPP 2.x station share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilbench.ocppj import Connection, messages
from hilbench_emulators.station.handlers_base import HandlersBase

if TYPE_CHECKING:
    from hilbench_emulators.station.ocpp2 import AcStation2


class HandlersBase2(HandlersBase):
    """As :class:`HandlersBase`, with the answers and requests of its version."""

    version: str
    call: Any
    _station: AcStation2

    def __init__(self, station: AcStation2, connection: Connection) -> None:
        super().__init__(station, connection)
        self._results: Any = messages(self.version).call_result
        self._requests: Any = messages(self.version).call


def accepted(good: bool) -> str:
    """A status."""
    return "Accepted" if good else "Rejected"
