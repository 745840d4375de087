"""Values that several tables of a rig share: addresses, and files that must be there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ValidationInfo

from hilbench.site import beside_file
from hilbench.tomlfile import is_file

Address = tuple[str, int]


def parse_address(text: str, schemes: tuple[str, ...], default_ports: dict[str, int] | None = None) -> Address:
    """Host and port of a URL such as ``tcp://127.0.0.1:5020``; raises ``ValueError`` saying what is wrong."""
    example = f"use {schemes[0]}://HOST:PORT"
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError(f"{text!r} is no URL; {example}") from None
    if parts.scheme not in schemes:
        raise ValueError(f"{text!r} does not start with {' or '.join(f'{s}://' for s in schemes)}; {example}")
    if not parts.hostname or any(c.isspace() for c in text):
        raise ValueError(f"{text!r} names no host; {example}")
    try:
        port = parts.port
    except ValueError:
        raise ValueError(f"{text!r} has a port that is not between 1 and 65535; {example}") from None
    port = port if port is not None else (default_ports or {}).get(parts.scheme)
    if not port:
        raise ValueError(f"{text!r} names no port; {example}")
    return parts.hostname, port


def one_line(path: Path, longest: int, what: str) -> str:
    """The text of a file that holds ``what`` alone; raises ``ValueError`` for anything but one line so long."""
    try:
        text = path.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if not 1 <= len(text) <= longest or not text.isprintable():
        raise ValueError(f"{path} holds no {what} of 1 to {longest} characters in one line")
    return text


def _existing(value: Path) -> Path:
    if not is_file(value):
        raise ValueError(f"there is no file {value}; paths are relative to the rig file")
    return value


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(f"{value!r} is no time zone; use an IANA name such as America/Los_Angeles or UTC") from error
    return value


def _name_or_file(value: str, info: ValidationInfo) -> str:
    path, mark, choice = value.partition(".json#")
    if mark:
        return f"{beside_file(Path(f'{path}.json'), info)}#{choice}"
    return str(beside_file(Path(value), info)) if value.endswith(".toml") else value


InputFile = Annotated[Path, AfterValidator(beside_file), AfterValidator(_existing)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
DataName = Annotated[str, AfterValidator(_name_or_file)]
"""Name of a shipped car, personality or meter map, or the path of a TOML file relative to the rig file; of a DC
car also ``FILE.json#CAR``, in the shape of open-ev-data."""
