"""The versions of OCPP: their messages, the schemas of those, and how names are spelt on the wire."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module, resources
from typing import Any, Protocol, TypeVar, cast

import jsonschema_rs
import ocpp.charge_point
import ocpp.messages
import ocpp.routing
import ocpp.v16.call
import ocpp.v16.call_result
from ocpp.messages import MessageType
from websockets.typing import Subprotocol

ocpp.messages.ASYNC_VALIDATION = False  # it would use threads, which a virtual clock cannot wait for

KNOWN_NAMES = 4096
"""Spellings that are remembered: more than all versions have, and few enough for whatever a peer makes up."""
_PACKAGE: Any = ocpp.charge_point
F = TypeVar("F", bound=Callable[..., Any])
Names = Mapping[str, Mapping[str, str]]
"""Property names by their snake_case form, for each key that holds an object (the empty one: the message)."""


class Decorator(Protocol):
    """Marks a method and returns it as it was."""

    def __call__(self, handler: F, /) -> F:
        """The same method, marked."""
        ...


@dataclass(frozen=True)
class Messages:
    """One version: its subprotocol, and the request and answer classes of the ``ocpp`` package.

    Enumerations may be given as the strings on the wire. ``suffix`` is what names of request schemas end with.
    """

    version: str
    subprotocol: Subprotocol
    package: str
    suffix: str
    call: Any
    call_result: Any

    @property
    def old(self) -> bool:
        """OCPP 1.6, whose framework spells some error codes differently."""
        return self.version == "1.6"


@cache
def messages(version: str) -> Messages:
    """The messages of ``1.6``, ``2.0.1`` or ``2.1``; raises ``KeyError`` for another version."""
    package, suffix = {"1.6": ("v16", ""), "2.0.1": ("v201", "Request"), "2.1": ("v21", "Request")}[version]
    found = (import_module(f"ocpp.{package}.{name}") for name in ("call", "call_result"))
    return Messages(version, Subprotocol(f"ocpp{version}"), package, suffix, *found)


VERSIONS = ("1.6", "2.0.1", "2.1")
call: Any = ocpp.v16.call
"""Requests of OCPP 1.6."""
call_result: Any = ocpp.v16.call_result
"""Answers of OCPP 1.6."""
on: Callable[[str], Decorator] = cast(Any, ocpp.routing).on
"""Decorator: the method answers this action."""
after: Callable[[str], Decorator] = cast(Any, ocpp.routing).after
"""Decorator: the method runs when the answer to this action has been sent."""


@cache
def schema(message_type: int, action: str, version: str) -> Any:
    """JSON schema of a CALL or CALLRESULT; raises ``FileNotFoundError`` for an action without one."""
    told = messages(version)
    suffix = "Response" if message_type == MessageType.CallResult else told.suffix
    folder = resources.files(f"ocpp.{told.package}") / "schemas"
    file = folder / f"{action}{suffix}.json"
    if not file.is_file() and suffix == told.suffix:
        file = folder / f"{action}.json"  # what is sent without an answer (OCPP 2.1) is no request
    return json.loads(file.read_text("utf-8-sig"))


@cache
def _actions(version: str) -> frozenset[str]:
    told = messages(version)
    files = (file.name for file in (resources.files(f"ocpp.{told.package}") / "schemas").iterdir())
    return frozenset(name.removesuffix(".json").removesuffix(told.suffix) for name in files if "Response" not in name)


def is_known(action: str, version: str) -> bool:
    """Whether the version has the action: then a peer that cannot do it says NotSupported, else NotImplemented."""
    return action in _actions(version)


@cache
def is_answered(action: str, version: str) -> bool:
    """Whether a message has an answer: what OCPP 2.1 sends as SEND has none."""
    try:
        schema(MessageType.CallResult, action, version)
    except FileNotFoundError:
        return False
    return True


@cache
def validator(message_type: int, action: str, version: str) -> Any:
    """The compiled schema; raises ``FileNotFoundError`` for an action without one."""
    return jsonschema_rs.validator_for(schema(message_type, action, version))


@cache
def names(message_type: int, action: str, version: str) -> Names:
    """How a message spells its keys: by the key that an object is found under, the empty one for the message itself.

    2.1 has ``priceScheduleId`` and ``priceScheduleID`` in one message. The package guesses the spelling from the
    snake_case form, which 43 names of 2.1 do not survive.
    """
    whole = schema(message_type, action, version)
    found: dict[str, dict[str, str]] = {}
    for place, node in _objects("", whole, whole.get("definitions", {})):
        found.setdefault(place, {}).update({snake(name): name for name in node["properties"]})
    return found


def _objects(place: str, node: dict[str, Any], known: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of a schema with the key that it is found under."""
    while "$ref" in node or "items" in node:
        node = known[node["$ref"].rsplit("/", 1)[1]] if "$ref" in node else node["items"]
    if "properties" in node:
        yield place, node
        for name, inner in node["properties"].items():
            yield from _objects(name, inner, known)


@lru_cache(KNOWN_NAMES)
def snake(key: str) -> str:
    """A name as the package's payload classes and handlers spell it."""
    return str(next(iter(_PACKAGE.camel_to_snake_case({key: None}))))


@lru_cache(KNOWN_NAMES)
def camel(key: str) -> str:
    """A name as most messages spell it; see :func:`names` for those that do not."""
    return str(next(iter(_PACKAGE.snake_to_camel_case({key: None}))))
