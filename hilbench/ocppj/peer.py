"""One end of an OCPP-J connection, fast and repeatable, under handlers and payload classes of the ``ocpp`` package."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import ocpp.v16
import ocpp.v21
import ocpp.v201
import orjson
from ocpp.exceptions import OCPPError
from ocpp.messages import MessageType
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from hilbench.ocppj.errors import CallFailed, check, check_or_fail, code_of, described, refusal
from hilbench.ocppj.naming import to_camel, to_snake
from hilbench.ocppj.versions import is_answered, is_known, names

ID_LENGTH = 36
"""Longest message id (OCPP-J 1.6 section 4.2.1, standard-text)."""
MESSAGE_TIMEOUT_S = 30.0
"""Wait for an answer (OCPP 1.6 errata 3.83, key MessageTimeout; 30 s is its guidance)."""
SEND, CALL_RESULT_ERROR = 6, 5
"""Message types of OCPP-J 2.1 (section 4.2, standard-text)."""
Connection = ClientConnection | ServerConnection


@cache
def _wants_id(function: Any) -> bool:
    return "call_unique_id" in inspect.signature(function).parameters


def _decode(text: str) -> Any:
    """JSON, also what only Python's own parser takes: NaN and numbers of any size get an answer that names them."""
    try:
        return orjson.loads(text)
    except ValueError:
        return json.loads(text)


def _usable(unique_id: Any) -> bool:
    return isinstance(unique_id, str) and 0 < len(unique_id) <= ID_LENGTH


def _short(details: dict[str, Any] | None) -> dict[str, str]:
    """Details of an error that do not send back what a peer may have made without end."""
    return {key: str(value)[:512] for key, value in (details or {}).items()}


def _encode(frame: list[Any]) -> str:
    return json.dumps(frame, separators=(",", ":"))


class Peer:
    """One end of a connection: answers what the peer calls, and calls it, one call at a time.

    Mixed into the package's class of a ``version``.

    Handlers get floats for limits (the package gives ``Decimal``). A handler that is a coroutine does not hold up
    the receive loop, so it may ``call`` the peer. ``on_frame(direction, text)`` sees every frame, ``in`` and ``out``.
    """

    version = "1.6"
    route_map: dict[str, Any]
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
        self._tasks: dict[
            asyncio.Task[None], Awaitable[None]
        ] = {}  # a set would be cancelled in the order of addresses

    async def start(self) -> None:
        """Receive until the connection ends; nothing that the peer sends ends it. Returns when it is closed."""
        try:
            while True:
                await self.route_message(await self._connection.recv())
        except ConnectionClosed:
            pass
        finally:
            self._abandon()

    def _abandon(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(CallFailed("call", "ConnectionLost"))
                waiting.exception()  # whoever waited may be cancelled too: then nobody else asks for it

    async def route_message(self, raw_msg: str | bytes) -> None:
        """Act on one frame: answer a CALL, hand on an answer, ignore other types, refuse what cannot be read."""
        text = raw_msg if isinstance(raw_msg, str) else raw_msg.decode("utf-8", "replace")
        self._seen("in", text)
        try:
            frame = _decode(text)
        except (ValueError, RecursionError):
            await self._refuse("-1", refusal("FormationViolation", "not JSON"))
            return
        if not isinstance(frame, list) or not frame or isinstance(frame[0], bool) or frame[0] is None:
            await self._refuse("-1", refusal("FormationViolation", "not an OCPP-J message"))
        elif frame[0] == MessageType.Call:
            await self._receive_call(frame)
        elif frame[0] in (MessageType.CallResult, MessageType.CallError):
            self._receive_answer(frame)
        elif frame[0] == SEND and self.version == "2.1":
            self._receive_send(frame)
        elif self.version != "1.6" and (self.version, frame[0]) != ("2.1", CALL_RESULT_ERROR):
            unique_id = frame[1] if len(frame) > 1 and _usable(frame[1]) else "-1"
            await self._transmit([4, unique_id, "MessageTypeNotSupported", "", {}])

    def _receive_send(self, frame: list[Any]) -> None:
        """A message that wants no answer (OCPP-J 2.1); one that cannot be used is dropped."""
        if len(frame) == 4 and isinstance(frame[2], str) and isinstance(frame[3], dict):
            handler = self.route_map.get(frame[2], {}).get("_on_action")
            if handler is not None:
                with contextlib.suppress(OCPPError):
                    check(MessageType.Call, frame[2], frame[3], self.version)
                    self._invoke(handler, str(frame[1]), to_snake(frame[3]))

    def _receive_answer(self, frame: list[Any]) -> None:
        waiting = self._waiting.get(frame[1]) if len(frame) > 2 and isinstance(frame[1], str) else None
        if waiting is not None and not waiting.done():
            waiting.set_result(frame)

    async def _receive_call(self, frame: list[Any]) -> None:
        unique_id = frame[1] if len(frame) > 1 else None
        if not isinstance(unique_id, str) or not _usable(unique_id):
            await self._refuse("-1", refusal("FormationViolation", "no usable message id"))
        elif len(frame) != 4 or not isinstance(frame[2], str) or not isinstance(frame[3], dict):
            await self._refuse(unique_id, refusal("FormationViolation", "a CALL is [2, id, action, {payload}]"))
        else:
            try:
                await self._answer(unique_id, frame[2], frame[3])
            except OCPPError as error:
                await self._refuse(unique_id, error)

    async def _answer(self, unique_id: str, action: str, payload: dict[str, Any]) -> None:
        handlers = self.route_map.get(action)
        if handlers is None or "_on_action" not in handlers:
            code = "NotSupported" if is_known(action, self.version) else "NotImplemented"
            raise refusal(code, f"no handler for {action}")
        self.admit(action)
        if not is_answered(action, self.version):
            raise refusal("NotSupported", f"{action} is a message without answer")
        check(MessageType.Call, action, payload, self.version)
        arguments = to_snake(payload)
        response = self._invoke(handlers["_on_action"], unique_id, arguments)
        after = handlers.get("_after_action")
        if inspect.isawaitable(response):
            self.spawn(self._answer_later(unique_id, action, response, after, arguments))
        else:
            await self._respond(unique_id, action, response)
            self._follow(after, unique_id, arguments)

    def admit(self, action: str) -> None:
        """Raise a :func:`refusal` for what the peer may not call now; here it may call everything."""

    def _invoke(self, handler: Any, unique_id: str, arguments: dict[str, Any]) -> Any:
        extra = {"call_unique_id": unique_id} if _wants_id(handler.__func__) else {}
        try:
            return handler(**arguments, **extra)
        except OCPPError:
            raise
        except Exception as error:
            raise refusal("InternalError", f"{type(error).__name__}: {error}") from error

    async def _answer_later(
        self, unique_id: str, action: str, response: Awaitable[Any], after: Any, arguments: dict[str, Any]
    ) -> None:
        try:
            await self._respond(unique_id, action, await response)
        except OCPPError as error:
            await self._refuse(unique_id, error)
        except Exception as error:
            await self._refuse(unique_id, refusal("InternalError", f"{type(error).__name__}: {error}"))
        else:
            self._follow(after, unique_id, arguments)

    async def _respond(self, unique_id: str, action: str, response: Any) -> None:
        payload = to_camel(response, names(MessageType.CallResult, action, self.version))
        try:
            check(MessageType.CallResult, action, payload, self.version)
        except OCPPError as error:
            raise refusal("InternalError", f"own answer breaks its schema: {error.details}") from error
        await self._transmit([3, unique_id, payload])

    def _follow(self, after: Any, unique_id: str, arguments: dict[str, Any]) -> None:
        """Run what follows an answer; of a failure the loop's handler is told, and the peer gets no second answer."""
        try:
            result = None if after is None else self._invoke(after, unique_id, arguments)
        except OCPPError as error:
            told = {"message": f"what follows the answer failed: {error.details}", "exception": error}
            asyncio.get_running_loop().call_exception_handler(told)
            return
        if inspect.isawaitable(result):
            self.spawn(result)

    def spawn(self, work: Awaitable[None]) -> None:
        """Run ``work`` beside the receive loop; it is cancelled with the connection, and failed calls end it."""
        task = asyncio.ensure_future(_quietly(work))
        self._tasks[task] = work
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        work = self._tasks.pop(task, None)
        if inspect.iscoroutine(work):
            work.close()  # one that was cancelled before it began would be missed by the interpreter

    async def _refuse(self, unique_id: str, error: OCPPError) -> None:
        code = code_of(error, old=self.version == "1.6")
        await self._transmit([4, unique_id, code, described(code, error)[:255], _short(error.details)])

    async def _transmit(self, frame: list[Any]) -> None:
        text = _encode(frame)
        self._seen("out", text)
        await self._connection.send(text)

    def _seen(self, direction: str, text: str) -> None:
        if self._on_frame is not None:
            self._on_frame(direction, text)

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
        check_or_fail(MessageType.CallResult, action, frame[2], self.version)
        return getattr(self._call_result, action)(**to_snake(frame[2]))

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
        body = to_camel(payload, known)
        check_or_fail(MessageType.Call, action, body, self.version)
        return body

    async def _exchange(self, action: str, body: Any) -> list[Any]:
        unique_id = str(self.next_id)
        self.next_id += 1
        waiting = self._waiting[unique_id] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._response_timeout):
                await self._transmit([2, unique_id, action, body])
                return list(await waiting)
        except TimeoutError:
            raise CallFailed(action, "Timeout", f"no answer in {self._response_timeout:g} s") from None
        except ConnectionClosed as error:
            raise CallFailed(action, "ConnectionLost", str(error)) from None
        finally:
            del self._waiting[unique_id]


class ChargePoint16(Peer, ocpp.v16.ChargePoint):  # pyright: ignore[reportIncompatibleMethodOverride] - the package's start never returns
    """One end of an OCPP 1.6J connection."""


class ChargePoint201(Peer, ocpp.v201.ChargePoint):  # pyright: ignore[reportIncompatibleMethodOverride] - the package's start never returns
    """One end of an OCPP 2.0.1 connection."""

    version = "2.0.1"


class ChargePoint21(Peer, ocpp.v21.ChargePoint):  # pyright: ignore[reportIncompatibleMethodOverride] - the package's start never returns
    """One end of an OCPP 2.1 connection."""

    version = "2.1"


async def _quietly(work: Awaitable[None]) -> None:
    """Await ``work``; a call that failed or a link that broke ends it, as its peer sees."""
    try:
        await work
    except (CallFailed, ConnectionClosed):
        return
