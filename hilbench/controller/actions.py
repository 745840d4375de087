"""What may be asked of a running controller over HTTP: a boost, what a car needs, and the grid operator's box.

A user or an installer may boost a station and say what a car needs: neither raises a limit. Only a token of the grid
operator speaks for his box. Every attempt is in the audit file before it has an effect.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from hilbench import clock
from hilbench.controller import web
from hilbench.controller.audit import Audit
from hilbench.controller.changes import RefusedError, Role, put_down, role_of
from hilbench.controller.coordination import Coordination
from hilbench.controller.core import Core
from hilbench.controller.operator_box import OperatorBox
from hilbench.controller.planning.needs import Need
from hilbench.controller.web import Answer, Request, refusal

LONGEST_BOOST_MIN = 24 * 60.0
MOST_KWH = 1000.0
PATHS = ("/boost", "/needs", "/operator/heartbeat", "/operator/limit")


class Actions:
    """Requests to ``core``, to its ``coordination`` and to the operator's ``box``, where there are any."""

    def __init__(
        self,
        core: Core,
        now: Callable[[], float],
        tokens: Mapping[str, Role],
        audit: Audit,
        coordination: Coordination | None,
        box: OperatorBox | None,
    ) -> None:
        self._core, self._now, self._tokens, self._audit = core, now, tokens, audit
        self._coordination, self._box = coordination, box

    def handle(self, request: Request) -> Answer:
        """Do what a POST to one of ``PATHS`` asks."""
        if request.method != "POST":
            return refusal(405, "only to be posted", allow="POST")
        role = role_of(self._tokens, request.headers.get("authorization", ""))
        entry: dict[str, Any] = {"time": clock.now().isoformat(), "role": role, "action": request.path}
        try:
            act, said = self._meant(role, request)
        except RefusedError as error:
            put_down(self._audit, entry | {"accepted": False, "reason": str(error)})
            return refusal(error.status, str(error))
        if not put_down(self._audit, entry | {"accepted": True, "now": said}):
            return refusal(503, "no audit file, no change")
        act()
        return web.json({"accepted": said})

    def _meant(self, role: Role | None, request: Request) -> tuple[Callable[[], object], dict[str, Any]]:
        """What to do, and the words for it; raises ``RefusedError``."""
        if role is None:
            raise RefusedError(401, "no valid token")
        operator = request.path.startswith("/operator")
        if operator != (role == "operator"):
            raise RefusedError(403, f"not for {role}")
        given = _table(request.body)
        match request.path:
            case "/boost":
                return self._boost(given)
            case "/needs":
                return self._needs(given)
            case "/operator/heartbeat":
                return self._the_box().heartbeat, {}
            case _:
                return self._limit(given)

    def _boost(self, given: Mapping[str, Any]) -> tuple[Callable[[], object], dict[str, Any]]:
        station = self._station(given)
        minutes = _number(given, "minutes", 0.0, LONGEST_BOOST_MIN)
        until = self._now() + 60.0 * minutes if minutes else -math.inf
        return lambda: self._core.boost(station, until), {"station": station, "minutes": minutes}

    def _needs(self, given: Mapping[str, Any]) -> tuple[Callable[[], object], dict[str, Any]]:
        coordination = self._coordination
        if coordination is None:
            raise RefusedError(404, "the policy is not to plan")
        station, energy_kwh = self._station(given), _number(given, "energy_kwh", 0.0, MOST_KWH)
        departure = _moment(given)
        need = Need(energy_kwh, departure.timestamp())
        said = {"station": station, "energy_kwh": energy_kwh, "departure": departure.isoformat()}
        return lambda: coordination.tell(station, need), said

    def _limit(self, given: Mapping[str, Any]) -> tuple[Callable[[], object], dict[str, Any]]:
        box, limit_kw = self._the_box(), given.get("limit_kw")
        if limit_kw is not None:
            limit_kw = _number(given, "limit_kw", 0.0, 1e6)
        duration_s = _number(given, "duration_s", 0.0, 1e8) if given.get("duration_s") is not None else math.inf
        if not box.heard:
            raise RefusedError(409, "no heartbeat was heard in time: send one first")
        return lambda: box.limit(limit_kw, duration_s), {"limit_kw": limit_kw, "duration_s": given.get("duration_s")}

    def _the_box(self) -> OperatorBox:
        if self._box is None:
            raise RefusedError(404, "no [controller.operator] in the rig")
        return self._box

    def _station(self, given: Mapping[str, Any]) -> str:
        name = given.get("station")
        if not isinstance(name, str) or name not in self._core.stations:
            raise RefusedError(422, f"station {name!r} is none of {', '.join(self._core.stations)}")
        return name


def _table(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, "not JSON") from error
    if not isinstance(found, dict):
        raise RefusedError(400, "not a table")
    return found


def _number(given: Mapping[str, Any], key: str, least: float, most: float) -> float:
    value = given.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise RefusedError(422, f"{key} is a number from {least:g} to {most:g}, not {value!r}")
    return float(value)


def _moment(given: Mapping[str, Any]) -> datetime:
    try:
        moment = datetime.fromisoformat(str(given.get("departure")))
    except ValueError:
        raise RefusedError(422, f"departure is an ISO 8601 time, not {given.get('departure')!r}") from None
    if moment.tzinfo is None:
        raise RefusedError(422, f"departure {given['departure']!r} has no offset from UTC")
    return moment
