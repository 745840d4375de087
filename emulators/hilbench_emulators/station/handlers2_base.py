"""What all handlers of an OCPP 2.x station share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilbench.ocppj import Connection, messages, refusal
from hilbench_emulators.station.handlers_base import HandlersBase

if TYPE_CHECKING:
    from hilbench_emulators.station.ocpp2 import AcStation2

MOST_ITEMS = 600
"""Variables of one request (policy-default): each comes back with its names, and controllers take no endless answer."""


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


def few(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items of a request; refuses more than ``MOST_ITEMS`` (OCPP 2.0.1 B05, B06 ItemsPerMessage; recalled)."""
    if len(items) > MOST_ITEMS:
        raise refusal("OccurenceConstraintViolation", f"{len(items)} items, more than {MOST_ITEMS}")
    return items
