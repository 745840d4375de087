"""The calling half of an OCPP-J connection: sends frames, calls the peer and waits for its answers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from ocpp.messages import MessageType
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from hilbench.ocppj.errors import CallFailed, check_or_fail
from hilbench.ocppj.frames import CALL_RESULT_ERROR, SEND, encode, sent_at_once
from hilbench.ocppj.naming import from_wire, to_wire
from hilbench.ocppj.versions import names

MESSAGE_TIMEOUT_S = 30.0
"""Wait for an answer (OCPP 1.6 errata 3.83, key MessageTimeout; 30 s is its guidance)."""
Connection = ClientConnection | ServerConnection


class Caller:
    """Calls the peer, one call at a time. Mixed into the package's class of a ``version``."""

    version = "1.6"
    id: str
    _connection: Connection
    _call_lock: asyncio.Lock
    _call_result: Any
    _response_timeout: float

    def __init__(
        self,
        identity: str,
        connection: Connection,
        *,
        response_timeout_s: float = MESSAGE_TIMEOUT_S,
        on_frame: Callable[[str, str], None] | None = None,
        first_id: int = 1,
    ) -> None:
        super().__init__(identity, connection, response_timeout=response_timeout_s)  # type: ignore[call-arg]
        self.next_id = first_id
        self._on_frame = on_frame
        self._waiting: dict[str, asyncio.Future[list[Any]]] = {}

    async def call(  # the package's options are taken and have no effect
        self,
        payload: Any,
        suppress: bool = False,  # noqa: ARG002
        unique_id: str | None = None,  # noqa: ARG002
        skip_schema_validation: bool = False,  # noqa: ARG002
    ) -> Any:
        """Send ``payload`` (a class of the version's ``call``) and return its ``call_result``.

        Raises :class:`CallFailed` on CALLERROR, time-out, a lost link, or when request or answer break their schema.
        """
        action = type(payload).__name__
        body = self._body(action, payload)
        async with self._call_lock:
            frame = await self._exchange(action, body)
        if frame[0] == MessageType.CallError:
            code, description = [*(str(item) for item in frame[2:4]), "", ""][:2]
            raise CallFailed(action, code, description)
        await self._check_answer(action, frame)
        return getattr(self._call_result, action)(**from_wire(action, frame[2]))

    async def _check_answer(self, action: str, frame: list[Any]) -> None:
        """Raise ``CallFailed`` for an answer that breaks its schema; a peer of 2.1 is told."""
        try:
            check_or_fail(MessageType.CallResult, action, frame[2], self.version)
        except CallFailed as error:
            if self.version == "2.1":
                details = {"cause": error.description[:512]}
                with contextlib.suppress(ConnectionClosed):
                    await self._transmit(
                        [CALL_RESULT_ERROR, frame[1], error.code, "the answer cannot be used", details]
                    )
            raise

    async def send(self, payload: Any) -> None:
        """Send what wants no answer (OCPP-J 2.1 SEND); raises :class:`CallFailed` for what breaks its schema."""
        action = type(payload).__name__
        body = self._body(action, payload)
        self.next_id += 1
        await self._transmit([SEND, str(self.next_id - 1), action, body])

    def _body(self, action: str, payload: Any) -> Any:
        try:
            known = names(MessageType.Call, action, self.version)
        except FileNotFoundError:
            raise CallFailed(action, "NotImplemented", "no schema for this action") from None
        body = to_wire(action, payload, known)
        check_or_fail(MessageType.Call, action, body, self.version)
        return body

    async def _exchange(self, action: str, body: Any) -> list[Any]:
        unique_id = str(self.next_id)
        self.next_id += 1
        loop = asyncio.get_running_loop()
        waiting = self._waiting[unique_id] = loop.create_future()
        ends = loop.time() + self._response_timeout
        try:
            text = self._post([2, unique_id, action, body])
            if text:
                async with asyncio.timeout_at(ends):
                    await self._connection.send(text)
            return await self._answer_by(ends, waiting)
        except TimeoutError:
            raise CallFailed(action, "Timeout", f"no answer in {self._response_timeout:g} s") from None
        except ConnectionClosed as error:
            raise CallFailed(action, "ConnectionLost", str(error)) from None
        finally:
            del self._waiting[unique_id]

    async def _answer_by(self, ends: float, waiting: asyncio.Future[list[Any]]) -> list[Any]:
        """The answer; raises ``TimeoutError``, by a bare timer, which costs less than a context manager."""
        deadline = asyncio.get_running_loop().call_at(ends, _expire, waiting)
        try:
            return await waiting
        finally:
            deadline.cancel()

    async def _transmit(self, frame: list[Any]) -> None:
        text = self._post(frame)
        if text:
            await self._connection.send(text)

    def _post(self, frame: list[Any]) -> str:
        """Send at once where nothing is in the way; returns the text that has to wait for its turn, if any."""
        text = encode(frame)
        self._seen("out", text)
        return "" if sent_at_once(self._connection, text) else text

    def _receive_answer(self, frame: list[Any]) -> None:
        waiting = self._waiting.get(frame[1]) if len(frame) > 2 and isinstance(frame[1], str) else None
        if waiting is not None and not waiting.done():
            waiting.set_result(frame)

    def _lose(self) -> None:
        """Nothing will be answered any more."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(CallFailed("call", "ConnectionLost"))
                waiting.exception()  # whoever waited may be cancelled too: then nobody else asks for it

    def _seen(self, direction: str, text: str) -> None:
        if self._on_frame is not None:
            self._on_frame(direction, text)


def _expire(waiting: asyncio.Future[list[Any]]) -> None:
    if not waiting.done():
        waiting.set_exception(TimeoutError())
