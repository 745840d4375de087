"""One end of an OCPP-J connection, fast and repeatable, under handlers and payload classes of the ``ocpp`` package."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable
from functools import cache
from typing import Any

import ocpp.v16
import ocpp.v21
import ocpp.v201
from ocpp.exceptions import OCPPError
from ocpp.messages import MessageType
from websockets.exceptions import ConnectionClosed

from hilbench.ocppj.caller import Caller, Connection
from hilbench.ocppj.errors import CallFailed, check, code_of, described, refusal
from hilbench.ocppj.frames import CALL_RESULT_ERROR, NO_ID, SEND, decode, id_of, short
from hilbench.ocppj.naming import from_wire, to_wire
from hilbench.ocppj.versions import is_answered, is_known, names

TURNS = 4
"""A task that waits for nothing is gone after so many turns of the loop."""
MAX_UNFINISHED = 256
"""Handlers of one connection that may be unfinished before further calls are refused (policy-default)."""
LOGGER = logging.getLogger(__name__)


@cache
def _wants_id(function: Any) -> bool:
    return "call_unique_id" in inspect.signature(function).parameters


class Peer(Caller):
    """One end of a connection: answers what the peer calls, and calls it, one call at a time.

    Mixed into the package's class of a ``version``.

    Handlers get floats for limits (the package gives ``Decimal``). A handler that is a coroutine does not hold up
    the receive loop, so it may ``call`` the peer. ``on_frame(direction, text)`` sees every frame, ``in`` and ``out``.
    """

    route_map: dict[str, Any]

    def __init__(self, identity: str, connection: Connection, **options: Any) -> None:
        super().__init__(identity, connection, **options)
        self._tasks: dict[
            asyncio.Task[None], Awaitable[None]
        ] = {}  # a set would be cancelled in the order of addresses

    @property
    def busy(self) -> int:
        """How many works run beside the receive loop."""
        return len(self._tasks)

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
        self._lose()

    async def route_message(self, raw_msg: str | bytes) -> None:
        """Act on one frame: answer a CALL, hand on an answer, ignore other types, refuse what cannot be read."""
        text = raw_msg if isinstance(raw_msg, str) else raw_msg.decode("utf-8", "replace")
        self._seen("in", text)
        try:
            frame = decode(text)
        except (ValueError, RecursionError):
            await self._refuse_frame(NO_ID, "not JSON")
            return
        if not isinstance(frame, list) or not frame or isinstance(frame[0], bool) or frame[0] is None:
            await self._refuse_frame(NO_ID, "not an OCPP-J message")
        elif frame[0] == MessageType.Call:
            await self._receive_call(frame)
        elif frame[0] in (MessageType.CallResult, MessageType.CallError):
            self._receive_answer(frame)
        elif self.version == "2.1" and frame[0] == SEND:
            self._receive_send(frame)
        elif self.version == "2.1" and frame[0] == CALL_RESULT_ERROR:
            LOGGER.warning("%s: our answer is refused: %.600s", self.id, " ".join(map(str, frame[1:])))
        elif self.version != "1.6":
            await self._transmit([4, id_of(frame), "MessageTypeNotSupported", "", {}])

    def _receive_send(self, frame: list[Any]) -> None:
        """A message that wants no answer (OCPP-J 2.1); one that cannot be used, or is one too many, is dropped."""
        if len(frame) != 4 or not isinstance(frame[2], str) or not isinstance(frame[3], dict):
            return
        handler = self.route_map.get(frame[2], {}).get("_on_action")
        if handler is None or len(self._tasks) >= MAX_UNFINISHED:
            return
        try:
            check(MessageType.Call, frame[2], frame[3], self.version)
        except OCPPError as error:
            LOGGER.warning("%s: %s is dropped: %s", self.id, frame[2], short(error.details))
            return
        self._run(handler, str(frame[1]), from_wire(frame[2], frame[3]))

    async def _receive_call(self, frame: list[Any]) -> None:
        unique_id = id_of(frame)
        if frame[1:2] != [unique_id]:
            await self._refuse_frame(NO_ID, "no usable message id")
        elif len(frame) != 4 or not isinstance(frame[2], str) or not isinstance(frame[3], dict):
            await self._refuse_frame(unique_id, "a CALL is [2, id, action, {payload}]")
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
        if await self._full():
            raise refusal("InternalError", f"{MAX_UNFINISHED} calls are unfinished")
        check(MessageType.Call, action, payload, self.version)
        arguments = from_wire(action, payload)
        response = self._invoke(handlers["_on_action"], unique_id, arguments)
        after = handlers.get("_after_action")
        if inspect.isawaitable(response):
            self.spawn(self._answer_later(unique_id, action, response, after, arguments))
        else:
            await self._respond(unique_id, action, response)
            self._follow(after, unique_id, arguments)

    async def _full(self) -> bool:
        """True when too much is unfinished; what only waits for its turn, as after a burst of frames, gets it first."""
        for _ in range(TURNS):
            if len(self._tasks) < MAX_UNFINISHED:
                return False
            await asyncio.sleep(0)
        return len(self._tasks) >= MAX_UNFINISHED

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
        payload = to_wire(action, response, names(MessageType.CallResult, action, self.version))
        try:
            check(MessageType.CallResult, action, payload, self.version)
        except OCPPError as error:
            raise refusal("InternalError", f"own answer breaks its schema: {error.details}") from error
        await self._transmit([3, unique_id, payload])

    def _follow(self, after: Any, unique_id: str, arguments: dict[str, Any]) -> None:
        if after is not None:
            self._run(after, unique_id, arguments)

    def _run(self, handler: Any, unique_id: str, arguments: dict[str, Any]) -> None:
        """Run what nobody waits for; what it raises is logged and ends nothing."""
        try:
            result = self._invoke(handler, unique_id, arguments)
        except OCPPError as error:
            self._log(handler, error)
        else:
            if inspect.isawaitable(result):
                self.spawn(self._finish(handler, result))

    async def _finish(self, handler: Any, result: Awaitable[Any]) -> None:
        try:
            await result
        except (CallFailed, ConnectionClosed):
            raise
        except Exception as error:
            self._log(handler, error)

    def _log(self, handler: Any, error: Exception) -> None:
        LOGGER.error("%s: %s failed", self.id, handler.__name__, exc_info=error)

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
        await self._transmit([4, unique_id, code, described(code, error)[:255], short(error.details)])

    async def _refuse_frame(self, unique_id: str, cause: str) -> None:
        """Refuse what is no message at all: 2.x has a code for that (OCPP-J 2.0.1 section 4.3, standard-text)."""
        if self.version == "1.6":
            await self._refuse(unique_id, refusal("FormationViolation", cause))
        else:
            await self._transmit([4, unique_id, "RpcFrameworkError", cause, {}])


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
