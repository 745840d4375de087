"""OCPP-J over WebSockets, fast and repeatable: a layer under the ``ocpp`` package that stations and controllers share.

:class:`ChargePoint16` keeps the package's handlers (``@on``, ``@after``) and payload classes and replaces what makes
them slow or tied to the machine: thread-pool validation, key names and signatures worked out per message, random
message ids, ``time.time()``. Every frame is still validated against the schemas that the package ships.
"""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import cache
from importlib import resources
from typing import Any, Protocol, TypeVar, cast

import jsonschema_rs
import ocpp.charge_point
import ocpp.messages
import ocpp.routing
import ocpp.v16.call
import ocpp.v16.call_result
from ocpp.exceptions import OCPPError
from ocpp.messages import MessageType
from ocpp.v16 import ChargePoint
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.typing import Subprotocol

from hilbench.errors import HilbenchError

ocpp.messages.ASYNC_VALIDATION = False  # it would use threads, which a virtual clock cannot wait for

SUBPROTOCOL = Subprotocol("ocpp1.6")
VERSION = "1.6"
ID_LENGTH = 36
"""Longest message id (OCPP-J 1.6 section 4.2.1, standard-text)."""
PING_INTERVAL_S = 30.0
PING_TIMEOUT_S = 15.0
MESSAGE_TIMEOUT_S = 30.0
"""Wait for an answer (OCPP 1.6 errata 3.83, key MessageTimeout; 30 s is its guidance)."""

_PACKAGE: Any = ocpp.charge_point
F = TypeVar("F", bound=Callable[..., Any])


class Decorator(Protocol):
    """Marks a method and returns it as it was."""

    def __call__(self, handler: F, /) -> F:
        """The same method, marked."""
        ...


call: Any = ocpp.v16.call
"""Requests of the ``ocpp`` package; enumerations may be given as the strings on the wire."""
call_result: Any = ocpp.v16.call_result
"""Answers of the ``ocpp`` package, likewise."""
on: Callable[[str], Decorator] = cast(Any, ocpp.routing).on
"""Decorator: the method answers this action."""
after: Callable[[str], Decorator] = cast(Any, ocpp.routing).after
"""Decorator: the method runs when the answer to this action has been sent."""

Connection = ClientConnection | ServerConnection
Handler = Callable[[ServerConnection, str], Awaitable[None]]


class CallFailed(HilbenchError):  # noqa: N818 - reads as what happened
    """A CALL got a CALLERROR (``code`` is its error code), no answer in time (``Timeout``) or lost its link."""

    def __init__(self, action: str, code: str, description: str = "") -> None:
        self.action = action
        self.code = code
        self.description = description
        super().__init__(f"{action}: {code}" + (f": {description}" if description else ""))


@cache
def _validator(message_type: int, action: str, version: str) -> Any:
    """Compiled schema of a CALL or CALLRESULT; raises ``FileNotFoundError`` for an action without one."""
    suffix = "Response" if message_type == MessageType.CallResult else ""
    folder = resources.files(f"ocpp.v{version.replace('.', '')}") / "schemas"
    return jsonschema_rs.validator_for(json.loads((folder / f"{action}{suffix}.json").read_text("utf-8-sig")))


_CODES = {
    "type": "TypeConstraintViolation",
    "maxLength": "TypeConstraintViolation",
    "required": "ProtocolError",
    "additionalProperties": "FormationViolation",
}
_ERRORS: dict[str, Any] = {kind.code: kind for kind in cast(list[Any], OCPPError.__subclasses__())}


def _code(error: OCPPError) -> str:
    return str(cast(Any, error).code)


def refusal(code: str, cause: str) -> OCPPError:
    """The exception by which a handler answers CALLERROR ``code`` (a name of OCPP-J 1.6 section 4.2.3)."""
    error: OCPPError = _ERRORS[code](details={"cause": cause})
    return error


def check(message_type: int, action: str, payload: Any, version: str = VERSION) -> None:
    """Validate a payload against the schema of its message; raises the ``OCPPError`` that names the violation."""
    validator = _validator(message_type, action, version)
    try:
        if validator.is_valid(payload):
            return
        error = next(iter(validator.iter_errors(payload)))
    except (ValueError, RecursionError) as unfit:  # half a surrogate, or nested beyond what the validator takes
        raise refusal("FormationViolation", f"{action}: {unfit}".encode("ascii", "replace").decode()) from unfit
    kind = type(error.kind).__name__.removeprefix("ValidationErrorKind_")
    code = _CODES.get(kind[:1].lower() + kind[1:], "FormationViolation")
    raise refusal(code, f"{action}: {error.message}")


@cache
def _snake(key: str) -> str:
    return str(next(iter(_PACKAGE.camel_to_snake_case({key: None}))))


@cache
def _camel(key: str) -> str:
    return str(next(iter(_PACKAGE.snake_to_camel_case({key: None}))))


_SCALARS = (str, float, int, type(None))


def to_snake(data: Any) -> Any:
    """Copy of JSON data whose keys are snake_case."""
    if isinstance(data, _SCALARS):
        return data
    if isinstance(data, dict):
        return {_snake(key): to_snake(value) for key, value in data.items()}
    return [to_snake(item) for item in data] if isinstance(data, list) else data


@cache
def _fields(kind: Any) -> tuple[tuple[str, str], ...]:
    return tuple((field.name, _camel(field.name)) for field in dataclasses.fields(kind))


def to_camel(data: Any) -> Any:
    """JSON data with camelCase keys of a payload (dataclasses, dicts, lists); what is None is left out."""
    if isinstance(data, _SCALARS):  # most of what there is
        return data
    if isinstance(data, dict):
        return {_camel(key): to_camel(value) for key, value in data.items() if value is not None}
    if isinstance(data, list | tuple):
        return [to_camel(item) for item in data if item is not None]
    if dataclasses.is_dataclass(data):
        pairs = ((camel, getattr(data, name)) for name, camel in _fields(cast(Any, type(data))))
        return {camel: to_camel(value) for camel, value in pairs if value is not None}
    return data


@cache
def _wants_id(function: Any) -> bool:
    return "call_unique_id" in inspect.signature(function).parameters


def _encode(frame: list[Any]) -> str:
    return json.dumps(frame, separators=(",", ":"))


class ChargePoint16(ChargePoint):
    """One end of an OCPP 1.6J connection: answers what the peer calls, and calls it, one call at a time.

    Handlers get floats for limits (the package gives ``Decimal``). A handler that is a coroutine does not hold up
    the receive loop, so it may ``call`` the peer. ``on_frame(direction, text)`` sees every frame, ``in`` and ``out``.
    """

    def __init__(
        self,
        identity: str,
        connection: Connection,
        *,
        response_timeout_s: float = MESSAGE_TIMEOUT_S,
        on_frame: Callable[[str, str], None] | None = None,
        first_id: int = 1,
    ) -> None:
        super().__init__(identity, connection, response_timeout=response_timeout_s)  # type: ignore[no-untyped-call]
        self.next_id = first_id
        self._on_frame = on_frame
        self._waiting: dict[str, asyncio.Future[list[Any]]] = {}
        self._tasks: dict[asyncio.Task[None], None] = {}  # a set would be cancelled in the order of addresses

    async def start(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - the package's never returns
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
            frame = json.loads(text)
        except (ValueError, RecursionError):
            await self._refuse("-1", refusal("FormationViolation", "not JSON"))
            return
        if not isinstance(frame, list) or not frame or isinstance(frame[0], bool):
            await self._refuse("-1", refusal("FormationViolation", "not an OCPP-J message"))
        elif frame[0] == MessageType.Call:
            await self._receive_call(frame)
        elif frame[0] in (MessageType.CallResult, MessageType.CallError):
            self._receive_answer(frame)

    def _receive_answer(self, frame: list[Any]) -> None:
        waiting = self._waiting.get(frame[1]) if len(frame) > 2 and isinstance(frame[1], str) else None
        if waiting is not None and not waiting.done():
            waiting.set_result(frame)

    async def _receive_call(self, frame: list[Any]) -> None:
        unique_id = frame[1] if len(frame) > 1 else None
        if not isinstance(unique_id, str) or not 0 < len(unique_id) <= ID_LENGTH:
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
            raise refusal("NotImplemented", f"no handler for {action}")
        check(MessageType.Call, action, payload)
        arguments = to_snake(payload)
        response = self._invoke(handlers["_on_action"], unique_id, arguments)
        after = handlers.get("_after_action")
        if inspect.isawaitable(response):
            self.spawn(self._answer_later(unique_id, action, response, after, arguments))
        else:
            await self._respond(unique_id, action, response)
            self._follow(after, unique_id, arguments)

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
        payload = to_camel(response)
        try:
            check(MessageType.CallResult, action, payload)
        except OCPPError as error:
            raise refusal("InternalError", f"own answer breaks its schema: {error.details}") from error
        await self._transmit([3, unique_id, payload])

    def _follow(self, after: Any, unique_id: str, arguments: dict[str, Any]) -> None:
        if after is not None:
            result = self._invoke(after, unique_id, arguments)
            if inspect.isawaitable(result):
                self.spawn(result)

    def spawn(self, work: Awaitable[None]) -> None:
        """Run ``work`` beside the receive loop; it is cancelled with the connection, and failed calls end it."""
        task = asyncio.ensure_future(_quietly(work))
        self._tasks[task] = None
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)

    async def _refuse(self, unique_id: str, error: OCPPError) -> None:
        await self._transmit([4, unique_id, _code(error), str(error.description)[:255], error.details])

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
        """Send ``payload`` (a class of ``ocpp.v16.call``) and return its ``ocpp.v16.call_result``.

        Raises :class:`CallFailed` on CALLERROR, time-out, a lost link, or when request or answer break their schema.
        """
        action = type(payload).__name__
        body = to_camel(payload)
        _check_or_fail(MessageType.Call, action, body)
        async with self._call_lock:
            frame = await self._exchange(action, body)
        if frame[0] == MessageType.CallError:
            code, description = [*(str(item) for item in frame[2:4]), "", ""][:2]
            raise CallFailed(action, code, description)
        _check_or_fail(MessageType.CallResult, action, frame[2])
        return getattr(self._call_result, action)(**to_snake(frame[2]))

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


def _check_or_fail(message_type: int, action: str, payload: Any) -> None:
    try:
        check(message_type, action, payload)
    except FileNotFoundError:
        raise CallFailed(action, "NotImplemented", "no schema for this action") from None
    except OCPPError as error:
        raise CallFailed(action, _code(error), str((error.details or {}).get("cause", ""))) from error


async def _quietly(work: Awaitable[None]) -> None:
    """Await ``work``; a call that failed or a link that broke ends it, as its peer sees."""
    try:
        await work
    except (CallFailed, ConnectionClosed):
        return


async def dial(
    url: str,
    identity: str,
    *,
    ping_interval_s: float | None = PING_INTERVAL_S,
    ping_timeout_s: float | None = PING_TIMEOUT_S,
    close_timeout_s: float = 1.0,
    open_timeout_s: float = 10.0,
) -> ClientConnection:
    """Connect to ``<url>/<identity>`` with subprotocol ocpp1.6; raises :class:`CallFailed` when nobody answers so."""
    target = f"{url.rstrip('/')}/{identity}"
    try:
        connection = await connect(
            target,
            subprotocols=[SUBPROTOCOL],
            compression=None,
            ping_interval=ping_interval_s,
            ping_timeout=ping_timeout_s,
            close_timeout=close_timeout_s,
            open_timeout=open_timeout_s,
            proxy=None,
        )
    except (OSError, TimeoutError, ConnectionClosed, InvalidHandshake, InvalidURI, EOFError) as error:
        raise CallFailed("connect", type(error).__name__, f"{target}: {error}") from error
    if connection.subprotocol != SUBPROTOCOL:
        await connection.close(1002)
        raise CallFailed("connect", "ProtocolError", f"{target} does not speak {SUBPROTOCOL}")
    return connection


@asynccontextmanager
async def listen(
    host: str,
    port: int,
    handler: Handler,
    *,
    ping_interval_s: float | None = PING_INTERVAL_S,
    ping_timeout_s: float | None = PING_TIMEOUT_S,
    close_timeout_s: float = 1.0,
    open_timeout_s: float = 10.0,
) -> AsyncIterator[int]:
    """Serve OCPP 1.6J; ``handler(connection, identity)`` runs for each station. Yields the port (``port`` 0: any)."""

    async def accept(connection: ServerConnection) -> None:
        path = connection.request.path if connection.request is not None else ""
        if connection.subprotocol != SUBPROTOCOL:
            await connection.close(1002, "use subprotocol ocpp1.6")
            return
        await handler(connection, path.split("?")[0].rstrip("/").rsplit("/", 1)[-1])

    async with serve(
        accept,
        host,
        port,
        subprotocols=[SUBPROTOCOL],
        select_subprotocol=_select,
        compression=None,
        ping_interval=ping_interval_s,
        ping_timeout=ping_timeout_s,
        close_timeout=close_timeout_s,
        open_timeout=open_timeout_s,
    ) as server:
        yield int(next(iter(server.sockets)).getsockname()[1])


def _select(_connection: ServerConnection, offered: Iterable[Subprotocol]) -> Subprotocol | None:
    """OCPP-J 1.6 section 3.2: without a common subprotocol, finish the handshake without one, then close."""
    return SUBPROTOCOL if SUBPROTOCOL in offered else None


__all__ = ["SUBPROTOCOL", "CallFailed", "ChargePoint16", "check", "dial", "listen", "to_camel", "to_snake"]
