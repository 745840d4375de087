"""Reading a TOML file that a person wrote: every way in which it can be unreadable, and words for what does not fit."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hilbench.errors import InputError, Problem

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_SYNTAX = "strings need quotes, tables one header each; see https://toml.io"

_IN_WORDS = {
    "extra_forbidden": ("is not a key of this table", "correct its spelling or remove it"),
    "missing": ("is missing", "add it"),
    "union_tag_not_found": ("does not say its kind", 'add kind = "..."'),
    "tuple_type": ("must be a list", "write [...], or a header with two brackets such as [[station]] for each table"),
    "model_type": ("must be a table", "write { key = value }, or a header such as [site]"),
    "model_attributes_type": ("must be a table", "write { key = value }, or a header such as [site]"),
    "string_type": ("must be text", "put it in quotes"),
    "too_short": ("is empty", "give at least one"),
    "string_too_short": ("is empty", "write a name"),
    "datetime_type": ("must be a date and time", "write it like 2024-06-04T16:00:00Z, without quotes"),
    "timezone_aware": ("must say its offset from UTC", "write it like 2024-06-04T16:00:00Z, without quotes"),
    "date_type": ("must be a date", "write it like 2024-06-04, without quotes"),
    "dict_type": ("must be a table", "write { key = value }, or a header such as [meter.service]"),
    "string_pattern_mismatch": (
        "is no name that can be used here",
        "1 to 48 letters, digits, '_', '-' and '.', beginning with a letter or digit",
    ),
}
"""Words for the kinds of pydantic's errors whose own say nothing to the author of a file."""
_NO_VALUE = ("is missing", "is empty", "is not a key of this table")


def read_toml(path: Path, source: str | None = None) -> tuple[dict[str, Any], str]:
    """The tables and the text of a TOML file; a byte order mark is no error.

    Raises ``InputError``, naming ``source`` (default: the path): a file that cannot be read or is not UTF-8, a syntax
    error with its line and column, a number or a nesting beyond any use.
    """
    source = source or str(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return tomllib.loads(text), text
    except UnicodeDecodeError as error:
        raise InputError(source, Problem(f"byte {error.start}", "is not UTF-8", "save the file as UTF-8")) from None
    except tomllib.TOMLDecodeError as error:
        message, _, place = str(error).partition(" (at ")
        where = place.rstrip(")") or "end of file"
        raise InputError(source, Problem(where, f"TOML syntax: {_lower(message)}", _SYNTAX)) from None
    except RecursionError:
        raise InputError(source, Problem("", "lists or tables are nested too deeply", "flatten them")) from None
    except OSError as error:
        remedy = "check the path and its permissions"
        raise InputError(source, Problem("", f"cannot be read: {error.strerror or error}", remedy)) from None
    except ValueError as error:  # an integer of thousands of digits
        raise InputError(source, Problem("", f"a value cannot be read: {_lower(str(error))}", "correct it")) from None


def in_words(details: ErrorDetails) -> tuple[str, str]:
    """What is wrong, and what to do about it, of one error of a pydantic validation."""
    kind, value = details["type"], details.get("input")
    if kind in _IN_WORDS:
        what, remedy = _IN_WORDS[kind]
    else:
        what, _, remedy = details["msg"].removeprefix("Value error, ").partition("; ")
        what = what.partition(", unable to parse")[0].replace("Input should", "must").replace("String should", "must")
    if kind.endswith(("_type", "_parsing")) and isinstance(value, str) and not remedy:
        remedy = "write it without quotes"
    return what + _shown(what, value), remedy


def _shown(what: str, value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # an integer of thousands of digits
        return ""
    if isinstance(value, dict | list) or text in what or what in _NO_VALUE:
        return ""
    return f", not {text}" if len(text) <= 60 else f", not {text[:57]}..."


def is_file(path: Path) -> bool:
    """True for a file; a path that no file can have is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """True for a folder; a path that nothing can have is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]
