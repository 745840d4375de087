"""Who may charge, as a station knows by itself: local authorisation list, cache, and one reservation. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

Info = dict[str, Any]
"""``{"status", "expiry", "group"}`` of a token; the last two may be None."""
LONGEST_LIST = 500
"""Entries of the local list."""
LONGEST_CACHE = 100
"""Entries of the cache; the oldest leaves."""
ACCEPTED: Info = {"status": "Accepted", "expiry": None, "group": None}
INVALID: Info = {"status": "Invalid", "expiry": None, "group": None}


def info_of(raw: dict[str, Any]) -> Info:
    """From ``id_tag_info`` (1.6) or ``id_token_info`` (2.x)."""
    group = raw.get("group_id_token") or {}
    return {
        "status": raw["status"],
        "expiry": raw.get("expiry_date") or raw.get("cache_expiry_date_time"),
        "group": raw.get("parent_id_tag") or group.get("id_token"),
    }


def moment_of(text: str) -> float:
    """UTC [s] of a date of OCPP; raises ``ValueError``."""
    told = datetime.fromisoformat(text)
    return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()


@dataclass
class Tokens:
    """``version`` of the local list, its entries, and the cache, by token."""

    version: int = 0
    listed: dict[str, Info] = field(default_factory=dict)
    cached: dict[str, Info] = field(default_factory=dict)

    def update(self, full: bool, version: int, entries: Sequence[tuple[str, Info | None]]) -> str:
        """Status of SendLocalList (1.6 section 5.15, 2.0.1 D01; standard-text); what fails changes nothing.

        An entry without info leaves the list; a full update cannot have one.
        """
        names = [name for name, _info in entries]
        if not full and version <= self.version:
            return "VersionMismatch"
        if version < 0 or len(set(names)) < len(names) or (full and any(info is None for _name, info in entries)):
            return "Failed"
        new = {} if full else dict(self.listed)
        for name, info in entries:
            new.pop(name, None)
            new |= {} if info is None else {name: info}
        if len(new) > LONGEST_LIST:
            return "Failed"
        self.listed, self.version = new, version
        return "Accepted"

    def learn(self, token: str, info: Info) -> None:
        """Keep what a controller has said of a token that is not listed (1.6 section 3.5.1, 2.0.1 C10)."""
        self.cached.pop(token, None)
        self.cached[token] = info
        if len(self.cached) > LONGEST_CACHE:
            del self.cached[next(iter(self.cached))]

    def local(self, token: str, utc: float, *, listed: bool, cached: bool) -> Info | None:
        """What is known at ``utc``: the list comes before the cache (1.6 section 3.5.3, standard-text)."""
        found = self.listed.get(token) if listed else None
        if found is None and cached:
            found = self.cached.get(token)
        if found is not None and found["status"] == "Accepted" and found["expiry"] and moment_of(found["expiry"]) < utc:
            return found | {"status": "Expired"}
        return found

    def to_json(self) -> dict[str, Any]:
        """What persists."""
        return asdict(self)


@dataclass(frozen=True)
class Reservation:
    """Of the only outlet until ``expires`` (UTC [s]) for a token or its group."""

    id: int
    token: str
    expires: float
    group: str | None = None

    def admits(self, token: str, group: str | None) -> bool:
        """Whether the driver may use the outlet (1.6 section 5.13, 2.0.1 H03; standard-text)."""
        return token == self.token or (group is not None and group == self.group)
