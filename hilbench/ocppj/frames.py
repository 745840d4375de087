"""Frames of OCPP-J: text to data and back, and what makes one usable."""

from __future__ import annotations

import json
from typing import Any

import orjson
from websockets.asyncio.connection import Connection, broadcast
from websockets.protocol import State

ID_LENGTH = 36
"""Longest message id (OCPP-J 1.6 section 4.2.1, standard-text)."""
SEND, CALL_RESULT_ERROR = 6, 5
"""Message types of OCPP-J 2.1 (section 4.2, standard-text)."""
SMALL_BUFFER = 16 * 1024
"""Bytes that may be on their way to a peer before it is waited for; half of where ``websockets`` waits by default."""
NO_ID = "-1"
"""Stands for a message id that cannot be read (OCPP-J 2.0.1 section 4.2.3, standard-text)."""


def decode(text: str) -> Any:
    """JSON, also what only Python's own parser takes: NaN and numbers of any size get an answer that names them."""
    try:
        return orjson.loads(text)
    except ValueError:
        return json.loads(text)


def encode(frame: list[Any]) -> str:
    """JSON without spaces; Python's own for what the faster one refuses: half a surrogate, numbers of any size."""
    try:
        return orjson.dumps(frame).decode()
    except TypeError:
        return json.dumps(frame, separators=(",", ":"))


def sent_at_once(connection: Any, text: str) -> bool:
    """Send text without waiting, the cheapest way; False, and nothing sent, where it may have to wait."""
    if not isinstance(connection, Connection) or connection.state is not State.OPEN:
        return False
    transport = connection.transport
    if transport.is_closing() or transport.get_write_buffer_size() > SMALL_BUFFER:
        return False
    broadcast((connection,), text)
    return True


def usable(unique_id: Any) -> bool:
    """Whether something may be a message id."""
    return isinstance(unique_id, str) and 0 < len(unique_id) <= ID_LENGTH


def id_of(frame: list[Any]) -> str:
    """The message id of a frame, or what stands for one."""
    return frame[1] if len(frame) > 1 and usable(frame[1]) else NO_ID


def short(details: dict[str, Any] | None) -> dict[str, str]:
    """Details of an error that do not send back what a peer may have made without end."""
    return {key: str(value)[:512] for key, value in (details or {}).items()}
