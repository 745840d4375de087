"""What all handlers of an OCPP 2.x station share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilbench.ocppj import Connection, messages

if TYPE_CHECKING:
    from hilbench_emulators.station.ocpp2 import AcStation2


class HandlersBase2:
    """The station's end of one connection, mixed into the protocol class of a version."""

    version: str
    call: Any
    _station: AcStation2

    def __init__(self, station: AcStation2, connection: Connection) -> None:
        super().__init__(  # type: ignore[call-arg]  # a mixin
            station.identity,  # pyright: ignore[reportCallIssue] - as above
            connection,
            response_timeout_s=station.settings.message_timeout_s,
            on_frame=station.trace,
            first_id=station.next_id,
        )
        self._station = station
        self._results: Any = messages(self.version).call_result
        self._requests: Any = messages(self.version).call

    def admit(self, action: str) -> None:
        """See :class:`hilbench.ocppj.peer.Peer`."""
        self._station.admit(action)


def accepted(good: bool) -> str:
    """A status."""
    return "Accepted" if good else "Rejected"
