"""A log for machines: one JSON object per line."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

from hilbench import clock
from hilbench.errors import ClockError, InputError

_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; anything else was given as ``extra``."""


class JsonLines(logging.Formatter):
    """Time (UTC, of the running loop where there is one), level, logger, message, and the fields given as ``extra``."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line = {
            "time": _moment(record).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "fields": {name: value for name, value in vars(record).items() if name not in _USUAL},
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def _moment(record: logging.LogRecord) -> datetime:
    try:
        return clock.now()
    except (RuntimeError, ClockError):
        return datetime.fromtimestamp(record.created, UTC)


def log_to(path: Path) -> None:
    """Append what is logged from now on to the file at ``path``; raises ``InputError`` when that cannot be opened."""
    try:
        handler = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        raise InputError(str(path), str(error)) from error
    handler.setFormatter(JsonLines())
    logging.getLogger().addHandler(handler)
