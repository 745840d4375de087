"""What the handlers of every emulated station share."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from hilbench.ocppj import Connection, refusal

if TYPE_CHECKING:
    from hilbench_emulators.station.base import AcStation

MOST_UNTOLD = 200
"""Messages that may wait for the answer to one before them (policy-default): beyond it nothing more is promised."""


class HandlersBase:
    """The station's end of one connection, mixed into the protocol class of a version."""

    route_map: dict[str, Any]
    call: Any
    _tasks: dict[Any, Any]

    def __init__(self, station: AcStation, connection: Connection) -> None:
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
        later = self.route_map[action].get("_after_action")
        if self.is_full and inspect.iscoroutinefunction(inspect.unwrap(later)):  # a handler is wrapped by its decorator
            raise refusal("GenericError", f"{action}: {MOST_UNTOLD} messages wait for an answer already")

    async def say(self, message: Any) -> None:
        """Send what was asked for; an answer that tells the time, to a Heartbeat, sets the clock."""
        answer = await self.call(message)
        if hasattr(answer, "current_time"):
            self._station.set_clock(answer.current_time)

    @property
    def is_full(self) -> bool:
        """So much waits for the controller's answers that nothing more is promised to it."""
        return len(self._tasks) >= MOST_UNTOLD
