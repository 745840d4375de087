"""What an OpenADR 3 VTN has and answers, without I/O.

Paths and field names are those of OpenADR 3.1, as far as openleadr-rs (``openleadr-wire``) shows them; errors have
the ``problem`` object's ``title``, ``status`` and ``detail``. With ``version`` 3.0 targets are objects of a type and
values, and are asked for with ``targetType`` and ``targetValues``; 3.1 has strings, and ``targets``: the two do not
mix. Who sees what is simpler than in a real VTN: an event without targets is for all, one with targets for those who
ask for one of them, and who asks for none sees all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import parse_qs, parse_qsl, urlsplit

import orjson

from hilbench_emulators.grid.http import Answer, Request

LARGEST_PAGE = 50
"""``limit`` of a list at most, and without one (OpenADR 3; recalled)."""
Version = Literal["3.0", "3.1"]
Object = dict[str, Any]


@dataclass
class Store:
    """The state of a VTN: times in seconds of bench time, ``tokens`` by their end."""

    version: Version = "3.1"
    clients: dict[str, str] = field(default_factory=lambda: {"ven": "secret"})
    token_s: float = 3600.0
    programs: dict[str, Object] = field(default_factory=dict)
    events: dict[str, Object] = field(default_factory=dict)
    reports: list[Object] = field(default_factory=list)
    tokens: dict[str, float] = field(default_factory=dict)
    made: int = 0
    """Objects and tokens so far: their ids count them, so that a run repeats."""

    def new_id(self, kind: str) -> str:
        """An id that was not used before."""
        self.made += 1
        return f"{kind}-{self.made}"

    def publish(self, event: Mapping[str, Any], now: datetime) -> str:
        """Add an event as it is, right or wrong; returns its id."""
        name = self.new_id("event")
        self.events[name] = _stamped(name, "EVENT", event, now)
        return name

    def change(self, name: str, fields: Mapping[str, Any], now: datetime) -> None:
        """Give an event other ``fields``; raises ``KeyError`` when there is none of that name."""
        self.events[name] = self.events[name] | dict(fields) | {"modificationDateTime": _iso(now)}


def answer(store: Store, request: Request, t: float, now: datetime) -> Answer:
    """The answer to ``request`` at bench time ``t`` [s], which is ``now`` in UTC."""
    path = urlsplit(request.target).path.rstrip("/")
    if path == "/auth/token":
        return _token(store, request, t)
    if not _authorised(store, request, t):
        return _problem(401, "no valid token")
    collection, _, name = path.removeprefix("/").partition("/")
    handler = _HANDLERS.get((request.method, collection, bool(name)))
    if handler is not None:
        return handler(store, request, name, now)
    if collection in _KNOWN:
        return _problem(501, f"{request.method} {path} is not supported by this VTN")
    return _problem(404, f"there is no {path}")


def _token(store: Store, request: Request, t: float) -> Answer:
    """OAuth 2 client credentials in a form (RFC 6749 section 4.4 with those of 2.3.1 in the body)."""
    if request.method != "POST":
        return _problem(405, "a token is asked for with POST")
    form = dict(parse_qsl(request.body.decode("latin-1")))
    if form.get("grant_type") != "client_credentials":
        return _json(400, {"error": "unsupported_grant_type"})
    if (form.get("client_id"), form.get("client_secret")) not in store.clients.items():
        return _json(401, {"error": "invalid_client"})
    token = store.new_id("token")
    store.tokens[token] = t + store.token_s
    return _json(200, {"access_token": token, "token_type": "Bearer", "expires_in": int(store.token_s)})


def _authorised(store: Store, request: Request, t: float) -> bool:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and store.tokens.get(token, t) > t


def _programs(store: Store, request: Request, _name: str, _now: datetime) -> Answer:
    return _page(store.programs.values(), _query(request))


def _events(store: Store, request: Request, _name: str, _now: datetime) -> Answer:
    query = _query(request)
    wrong = {"3.0": "targets", "3.1": "targetValues"}[store.version]
    if wrong in query:
        return _problem(400, f"OpenADR {store.version} has no {wrong}")
    programs, targets = query.get("programID", []), query.get("targetValues", query.get("targets", []))
    found = [event for event in store.events.values() if not programs or event.get("programID") in programs]
    return _page((event for event in found if _is_for(event, targets)), query)


def _event(store: Store, _request: Request, name: str, _now: datetime) -> Answer:
    return _json(200, store.events[name]) if name in store.events else _problem(404, f"there is no event {name}")


def _report(store: Store, request: Request, _name: str, now: datetime) -> Answer:
    try:
        report = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        return _problem(400, f"the report is no JSON: {error}")
    if not isinstance(report, dict) or report.get("eventID") not in store.events:
        return _problem(400, "the report has no eventID of an event")
    stamped = _stamped(store.new_id("report"), "REPORT", report, now)
    store.reports.append(stamped)
    return _json(201, stamped)


def _query(request: Request) -> dict[str, list[str]]:
    return parse_qs(urlsplit(request.target).query)


def _is_for(event: Object, asked: list[str]) -> bool:
    targets = event.get("targets") or []
    if not isinstance(targets, list):
        return True  # wrong on purpose
    named = {str(value) for target in targets for value in _values(target)}
    return not asked or not named or not named.isdisjoint(asked)


def _values(target: object) -> list[Any]:
    return list(target.get("values", [])) if isinstance(target, dict) else [target]


def _page(items: Iterable[Object], query: dict[str, list[str]]) -> Answer:
    try:
        skip, limit = int(query.get("skip", ["0"])[0]), int(query.get("limit", [str(LARGEST_PAGE)])[0])
    except ValueError:
        return _problem(400, "skip and limit are whole numbers")
    if skip < 0 or not 0 <= limit <= LARGEST_PAGE:
        return _problem(400, f"skip is at least 0, limit from 0 to {LARGEST_PAGE}")
    return _json(200, list(items)[skip : skip + limit])


def _iso(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _stamped(name: str, kind: str, fields: Mapping[str, Any], now: datetime) -> Object:
    stamps = {"id": name, "createdDateTime": _iso(now), "modificationDateTime": _iso(now), "objectType": kind}
    return stamps | dict(fields)


def _json(status: int, value: object) -> Answer:
    return Answer(status, orjson.dumps(value))


def _problem(status: int, detail: str) -> Answer:
    body = orjson.dumps({"title": "problem", "status": status, "detail": detail})
    return Answer(status, body, "application/problem+json")


_HANDLERS: dict[tuple[str, str, bool], Callable[[Store, Request, str, datetime], Answer]] = {
    ("GET", "programs", False): _programs,
    ("GET", "events", False): _events,
    ("GET", "events", True): _event,
    ("POST", "reports", False): _report,
}
_KNOWN = {"programs", "events", "reports", "subscriptions", "vens", "resources"}

__all__ = ["LARGEST_PAGE", "Store", "Version", "answer"]
