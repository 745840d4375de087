"""What all handlers of an OCPP 1.6 station share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilbench.ocppj import Connection

if TYPE_CHECKING:
    from hilbench_emulators.station.ocpp16 import AcStation16


class HandlersBase16:
    """The station's end of one connection, mixed into the protocol class."""

    def __init__(self, station: AcStation16, connection: Connection) -> None:
        super().__init__(  # type: ignore[call-arg]  # a mixin
            station.identity,  # pyright: ignore[reportCallIssue] - as above
            connection,
            response_timeout_s=station.settings.message_timeout_s,
            on_frame=station.trace,
            first_id=station.next_id,
        )
        self._station = station

    def admit(self, action: str) -> None:
        """See :class:`hilbench.ocppj.peer.Peer`."""
        self._station.admit(action)
