"""Limits that may be changed while the controller runs: by whom, how far, and with what trace.

NEC 625.42 and 750.30 want settings of an energy management system that limits a load out of the reach of people who
are not qualified (recalled text). So a user can only lower a limit; an installer can go up again, and never above what
the site's breakers bear. Every attempt is in the audit file before it has an effect, and a change survives a restart
through that file.
"""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from hilbench import clock
from hilbench.controller import web
from hilbench.controller.audit import Audit
from hilbench.controller.core import Core
from hilbench.controller.web import Answer, Request, refusal
from hilbench.errors import InputError
from hilbench.site import CONTINUOUS

LOGGER = logging.getLogger(__name__)
Role = Literal["user", "installer", "operator"]
BUDGET, CAP = "budget_a", "cap_a."
SHORTEST_TOKEN = 16
"""Fewer characters than this are guessed (policy)."""


class RefusedError(Exception):
    """Why something is not done, with the status of HTTP for it."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def read_tokens(path: Path) -> dict[str, Role]:
    """Tokens of a file with lines ``user TOKEN``, ``installer TOKEN`` or ``operator TOKEN``; raises ``InputError``.

    Nobody but its owner may read it.
    """
    try:
        mode, lines = path.stat().st_mode, path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(path), str(error)) from error
    if mode & 0o077:
        raise InputError(str(path), "others may read it: chmod 600")
    found: dict[str, Role] = {}
    for number, line in enumerate(lines, 1):
        match line.split():
            case []:
                continue
            case [("user" | "installer" | "operator") as role, token] if len(token) >= SHORTEST_TOKEN:
                found[token] = role
            case _:
                raise InputError(
                    str(path), f"line {number} is no user, installer or operator with {SHORTEST_TOKEN} characters"
                )
    return found


def role_of(tokens: Mapping[str, Role], authorization: str) -> Role | None:
    """Whose token a request carries."""
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return None
    same: list[Role] = [role for token, role in tokens.items() if hmac.compare_digest(token.encode(), given.encode())]
    return same[0] if same else None


def put_down(audit: Audit, entry: dict[str, Any]) -> bool:
    """Put an attempt down in the audit file and in the log; False when the file cannot be written."""
    LOGGER.warning("settings: %s", entry.get("reason") or entry["now"], extra={"audit": entry})
    try:
        audit.append(entry)
    except OSError as error:
        LOGGER.error("audit file: %s", error)
        return False
    return True


class Changes:
    """Changes to ``core`` by those who have one of ``tokens``; what ``audit`` has is in force from the beginning.

    Keys: ``budget_a`` of the service, and ``cap_a.ROLE`` of each station; amperes.
    """

    def __init__(self, core: Core, tokens: dict[str, Role], audit: Audit) -> None:
        self._core, self._tokens, self._audit = core, tokens, audit
        self._rig = {BUDGET: core.site.node("service").limit_a}
        self._rig |= {CAP + role: station.cap_a for role, station in core.stations.items()}
        self._least = {CAP + role: station.branch.fallback_a for role, station in core.stations.items()}
        self._least[BUDGET] = core.site.fallback_sum_a("service")
        self.values = dict(self._rig)
        self._replay()

    def _replay(self) -> None:
        """What was accepted before; of a file that was tampered with, only what lowers a limit."""
        if not self._audit.sound:
            LOGGER.warning("audit file: its chain is broken; what raised limits is not taken from it")
        for entry in self._audit.entries:
            for key, value in entry.get("now", {}).items() if "action" not in entry else ():
                if key in self.values and _is_number(value) and value >= self._least[key]:
                    self.values[key] = min(value, self._most(key) if self._audit.sound else self._rig[key])
        self._apply(self.values)

    def _most(self, key: str) -> float:
        """What an installer may set: stations up to the rig's, the service up to its OCPD's continuous load."""
        bears = self._core.site.service.rating_a * CONTINUOUS if key == BUDGET else 0.0
        return max(self._rig[key], bears)

    def handle(self, request: Request) -> Answer:
        """Make the changes of a ``POST /settings``, all or none; every attempt is put down first."""
        if request.method != "POST":
            return refusal(405, "only to be changed", allow="POST")
        role = role_of(self._tokens, request.headers.get("authorization", ""))
        entry: dict[str, Any] = {"time": clock.now().isoformat(), "role": role, "request": _shown(request.body)}
        changes: dict[str, float] = {}
        try:
            changes = self._allowed(role, request.body)
            answer = web.json({"accepted": changes})
        except RefusedError as error:
            entry["reason"] = str(error)
            answer = refusal(error.status, str(error))
        entry |= {"accepted": bool(changes), "was": {key: self.values[key] for key in changes}, "now": changes}
        if not put_down(self._audit, entry):
            return refusal(503, "no audit file, no change")
        self._apply(changes)
        return answer

    def _allowed(self, role: Role | None, body: bytes) -> dict[str, float]:
        """The changes that are asked for; raises ``RefusedError`` when one of them is not to be made."""
        if role is None:
            raise RefusedError(401, "no valid token")
        if role == "operator":
            raise RefusedError(403, "not for operator")
        try:
            asked = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise RefusedError(400, "not JSON") from error
        if not isinstance(asked, dict) or not asked:
            raise RefusedError(400, "not a table of settings")
        for key, value in asked.items():
            self._check(role, key, value)
        return {key: float(value) for key, value in asked.items()}

    def _check(self, role: Role, key: str, value: Any) -> None:
        if key not in self.values:
            raise RefusedError(422, f"{key!r} is none of {', '.join(self.values)}")
        if not _is_number(value) or not self._least[key] <= value <= self._most(key):
            raise RefusedError(422, f"{key} goes from {self._least[key]:g} (fallbacks) to {self._most(key):g} A")
        if role != "installer" and value > self.values[key]:
            raise RefusedError(403, f"{key} is {self.values[key]:g} A, and a user can only lower it")

    def _apply(self, changes: dict[str, float]) -> None:
        self.values |= changes
        for key, amps in changes.items():
            if key == BUDGET:
                self._core.set_budget(amps)
            else:
                self._core.set_cap(key.removeprefix(CAP), amps)


def _is_number(value: Any) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool) and abs(value) < 1e6


def _shown(body: bytes) -> str:
    return body[:200].decode("utf-8", "replace")
