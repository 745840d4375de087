"""What survives a restart of the controller: turns, limits and leases, which lines cars use, and which stations keep
their fallback; in a SQLite file.

Every write is one transaction that is on the disk before it counts (``synchronous=FULL`` and a write-ahead log), so
that a file is readable after a kill or a power cut at any moment. Times in the file are UTC, in seconds since 1970.
"""

from __future__ import annotations

import asyncio
import logging
import math
import sqlite3
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from hilbench import clock
from hilbench.controller.stations import StationState

LOGGER = logging.getLogger(__name__)
APPLICATION_ID = 0x68696C62
"""Marks the file as one of ours ("hilb"), in the place that SQLite has for it (``PRAGMA application_id``)."""
SCHEMA_VERSION = 3
WRITE_EVERY_S = 1.0
LINES_LAST_S = 120.0
"""So long after the last write the car is taken to be the one that was there: nobody swaps cars faster (policy)."""
TURNS_LAST_S = 3600.0
"""And so long the order in which cars take turns is kept (policy)."""
LOCKED_S = 0.2
"""So long a write waits for another reader or writer of the file."""
_NOT_OURS = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""Damaged, no database, or without the tables that it should have."""
_NOTES = "CREATE TABLE note (key TEXT PRIMARY KEY, written REAL NOT NULL, text TEXT NOT NULL);"
_SCHEMA = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
CREATE TABLE station (
  role TEXT PRIMARY KEY, written REAL NOT NULL, granted_a REAL NOT NULL, target_a REAL NOT NULL,
  lease_until REAL, turn REAL, waiting REAL, paused REAL, lines TEXT NOT NULL,
  keeps INTEGER
);
{_NOTES}
"""
_FROM_1 = "BEGIN; ALTER TABLE station ADD COLUMN keeps INTEGER; COMMIT;"
"""Version 1 did not know which stations keep their fallback."""
_FROM_2 = f"BEGIN; {_NOTES} PRAGMA user_version = 3; COMMIT;"
"""Version 2 had no notes."""
_SELECT = "SELECT role, written, granted_a, target_a, lease_until, turn, waiting, paused, lines, keeps FROM station"


class Memory(NamedTuple):
    """One station as it is remembered; times in UTC [s since 1970], None for never, limits in A.

    ``keeps`` is 1 where its fallback holds it without a lease, 0 where it does not, None where that is not known.
    """

    granted_a: float
    target_a: float
    lease_until: float | None
    turn: float | None
    waiting: float | None
    paused: float | None
    lines: str
    keeps: int | None = None


Snapshot = dict[str, Memory]
"""All stations by role."""


def remember(station: StationState, zero_utc_s: float) -> Memory:
    """What to keep of ``station``; ``zero_utc_s`` is the UTC of time 0 of the core."""

    def utc(t: float) -> float | None:
        return round(zero_utc_s + t, 3) if math.isfinite(t) else None

    return Memory(
        granted_a=station.granted_a,
        target_a=station.target_a,
        lease_until=utc(station.lease_until),
        turn=utc(station.turn_t),
        waiting=utc(station.waiting_t),
        paused=utc(station.paused_t),
        lines=",".join(station.lines),
        keeps=_keeps(station),
    )


def _keeps(station: StationState) -> int | None:
    trust = station.trust
    return 0 if trust.strays_alone else None if trust.keeps_fallback is None else int(trust.keeps_fallback)


def recall(station: StationState, memory: Memory, written: float, t: float, zero_utc_s: float, lease_s: float) -> None:
    """Bring ``memory``, ``written`` [UTC s], into a fresh ``station`` at core time ``t``.

    A limit counts as what may be drawn until its lease runs out. Times that a clock set back put into the future are
    those of now; what is too old to mean the same car is left out. Whether a station keeps its fallback is never too
    old: it is seen again when the station is.
    """

    def core(moment: float | None, never: float, latest: float = t) -> float:
        return never if moment is None else min(moment - zero_utc_s, latest)

    if memory.keeps is not None:
        station.trust.keeps_fallback, station.trust.strays_alone = bool(memory.keeps), not memory.keeps
    age = zero_utc_s + t - written
    if memory.lease_until is not None:
        station.granted_a, station.before_a, station.granted_t = memory.granted_a, _bounds(memory.granted_a), t
        station.lease_until = core(memory.lease_until, -math.inf, t + lease_s)
    if age <= TURNS_LAST_S:
        station.turn_t, station.waiting_t = core(memory.turn, -math.inf), core(memory.waiting, math.inf)
        station.paused_t = core(memory.paused, -math.inf)
        station.target_a, station.remembered = memory.target_a, True
    if age <= LINES_LAST_S:
        station.lines = tuple(line for line in memory.lines.split(",") if line in station.branch.lines)


def _bounds(granted_a: float) -> tuple[float, float]:
    """What may be drawn under a limit; below nothing for an order to discharge."""
    return min(granted_a, 0.0), max(granted_a, 0.0)


class StateFile:
    """The file at ``path``. Whatever stands there, it opens: what is damaged or not ours is kept under another name.

    Where the file cannot be written the controller works without one; a warning says so.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._last: Snapshot = {}
        self.stations: dict[str, tuple[Memory, float]] = {}
        self.notes: dict[str, str] = {}
        self._connection = self._opened()

    def _opened(self) -> sqlite3.Connection | None:
        try:
            return self._read_or_set_aside()
        except (sqlite3.Error, _ForeignFileError, OSError) as error:
            LOGGER.warning("state file %s: %s; nothing will survive a restart", self._path, error)
            return None

    def _read_or_set_aside(self) -> sqlite3.Connection:
        try:
            return self._read()
        except _ForeignFileError as error:
            LOGGER.warning("state file %s: %s; kept as %s", self._path, error, _set_aside(self._path))
        return self._read()

    def _read(self) -> sqlite3.Connection:
        """Open the file and take what it holds; raises ``_ForeignFileError`` where it is damaged or another's."""
        connection = sqlite3.connect(self._path, timeout=LOCKED_S, check_same_thread=False)
        try:
            _prepare(connection)
            self.stations = self._stations(connection.execute(_SELECT).fetchall())
            self.notes = {str(key): str(text) for key, text in connection.execute("SELECT key, text FROM note")}
        except sqlite3.Error as error:
            connection.close()
            if getattr(error, "sqlite_errorcode", None) in _NOT_OURS:
                raise _ForeignFileError(str(error)) from error
            raise
        except _ForeignFileError:
            connection.close()
            raise
        return connection

    def _stations(self, rows: list[tuple[Any, ...]]) -> dict[str, tuple[Memory, float]]:
        for row in rows:
            if not _sound(row):
                LOGGER.warning("state file %s: the entry of station %s makes no sense", self._path, row[0])
        return {row[0]: (Memory(*row[2:]), row[1]) for row in rows if _sound(row)}

    def write(self, snapshot: Snapshot, now: float) -> None:
        """Bring what differs from the last write to the disk, at UTC ``now`` [s]; raises ``sqlite3.Error``."""
        with self._lock:
            if self._connection is None:
                return
            changed = [(role, now, *memory) for role, memory in snapshot.items() if memory != self._last.get(role)]
            with self._connection:
                self._connection.executemany("REPLACE INTO station VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", changed)
            self._last = snapshot

    def note(self, key: str, text: str, now: float) -> None:
        """Keep a text under ``key``, at UTC ``now`` [s]; raises ``sqlite3.Error``."""
        with self._lock:
            if self._connection is not None:
                with self._connection:
                    self._connection.execute("REPLACE INTO note VALUES (?, ?, ?)", (key, now, text))

    def close(self) -> None:
        """Let go of the file, once a write that is under way has ended."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None


async def keep(file: StateFile, snapshot: Callable[[], Snapshot]) -> None:
    """Write what changed, at most once in ``WRITE_EVERY_S``, until cancelled; a slow disk delays no decision."""
    last: Snapshot | None = None
    failed = False
    try:
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            now = snapshot()
            if now == last:
                continue
            last, failed = (now, False) if await _written(file, now, failed) else (last, True)
    finally:
        _try_write(file, snapshot(), clock.now().timestamp(), failed)
        file.close()


async def _written(file: StateFile, snapshot: Snapshot, failed: bool) -> bool:
    arguments = (file, snapshot, clock.now().timestamp(), failed)
    return _try_write(*arguments) if clock.is_virtual() else await asyncio.to_thread(_try_write, *arguments)


def _try_write(file: StateFile, snapshot: Snapshot, now: float, failed: bool) -> bool:
    """False when it could not be written; that is said once, not every second."""
    try:
        file.write(snapshot, now)
    except sqlite3.Error as error:
        if not failed:
            LOGGER.warning("state file: %s", error)
        return False
    return True


class _ForeignFileError(Exception):
    """Not this version's state, or no longer."""


def _prepare(connection: sqlite3.Connection) -> None:
    """Make the tables in an empty file; raise for one that is damaged or somebody else's."""

    def ask(question: str) -> Any:
        return connection.execute(question).fetchone()[0]

    if ask("PRAGMA quick_check(1)") != "ok":
        raise _ForeignFileError("damaged")
    mark = (ask("PRAGMA application_id"), ask("PRAGMA user_version"))
    if mark == (0, 0) and ask("SELECT count(*) FROM sqlite_master") == 0:
        connection.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
    elif mark == (APPLICATION_ID, 1):
        connection.executescript(_FROM_1 + _FROM_2)
    elif mark == (APPLICATION_ID, 2):
        connection.executescript(_FROM_2)
    elif mark != (APPLICATION_ID, SCHEMA_VERSION):
        raise _ForeignFileError(f"not the state of this version (application {mark[0]:#x}, version {mark[1]})")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def _set_aside(path: Path) -> Path:
    """Rename the file with its log and index; returns its new name."""
    kept = next(name for n in count(1) if not (name := path.with_name(f"{path.name}.bad-{n}")).exists())
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(kept.with_name(kept.name + suffix))
    return kept


def _sound(row: tuple[Any, ...]) -> bool:
    """True for a row of ``station`` whose values can be used as they are."""
    _role, written, granted, target, *times, lines, keeps = row
    limits = _number(granted) and _number(target)
    moments = _number(written) and all(t is None or _number(t) for t in times)
    return limits and moments and isinstance(lines, str) and keeps in (None, 0, 1)


def _number(value: Any) -> bool:
    return isinstance(value, float | int) and math.isfinite(value)
