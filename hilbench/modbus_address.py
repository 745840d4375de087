"""Addresses of Modbus devices: TCP, RTU frames over TCP (a serial device server), or a serial line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

Kind = Literal["tcp", "rtu+tcp", "serial"]
FORMS = "tcp://HOST:PORT, rtu+tcp://HOST:PORT or serial:///dev/ttyUSB0?baudrate=9600&parity=N"
_PARITIES = ("N", "E", "O")


@dataclass(frozen=True)
class ModbusAddress:
    """Where a device answers, and in which frames: ``host`` and ``port``, or a serial ``device``.

    A serial line has 8 data bits; ``baudrate``, ``parity`` (N, E, O) and ``stopbits`` (1, 2) are as the device says.
    """

    kind: Kind
    host: str = ""
    port: int = 0
    device: str = ""
    baudrate: int = 9600
    parity: str = "N"
    stopbits: int = 1

    @property
    def place(self) -> tuple[str, int]:
        """What no two devices share: host and port, or a serial line."""
        return (self.host or self.device, self.port)

    def __str__(self) -> str:
        if self.kind != "serial":
            return f"{self.kind}://{self.host}:{self.port}"
        return f"serial://{self.device}?baudrate={self.baudrate}&parity={self.parity}&stopbits={self.stopbits}"


def modbus_address(text: str, default_port: int | None = None) -> ModbusAddress:
    """The address in ``text``; raises ``ValueError`` saying what is wrong and, after a semicolon, what to write."""
    if any(character.isspace() for character in text):
        raise ValueError(f"{text!r} has a space in it; use {FORMS}")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(f"{text!r} has a port that is not between 1 and 65535; use tcp://HOST:PORT") from None
    if parts.scheme == "serial":
        return _serial(text, parts.netloc, parts.path, parts.query)
    if parts.scheme not in ("tcp", "rtu+tcp"):
        raise ValueError(f"{text!r} does not start with tcp://, rtu+tcp:// or serial://; use {FORMS}")
    if not parts.hostname:
        raise ValueError(f"{text!r} names no host; use {parts.scheme}://HOST:PORT")
    port = port or default_port
    if not port:
        raise ValueError(f"{text!r} names no port; use {parts.scheme}://HOST:PORT")
    return ModbusAddress("tcp" if parts.scheme == "tcp" else "rtu+tcp", parts.hostname, port)


def _serial(text: str, host: str, device: str, query: str) -> ModbusAddress:
    if host or len(device) < 2:
        raise ValueError(f"{text!r} names no device of this machine; use serial:///dev/ttyUSB0")
    options = dict(parse_qsl(query, keep_blank_values=True))
    unknown = sorted(set(options) - {"baudrate", "parity", "stopbits"})
    if unknown:
        raise ValueError(f"{text!r} sets {unknown[0]!r}; a serial line has baudrate, parity and stopbits")
    baudrate, parity, stopbits = (
        options.get("baudrate", "9600"),
        options.get("parity", "N"),
        options.get("stopbits", "1"),
    )
    if not baudrate.isdecimal() or not 300 <= int(baudrate[:9]) <= 1_000_000:
        raise ValueError(f"baudrate {baudrate!r} of {text!r} is none; use 9600, 19200, 38400 or 115200")
    if parity not in _PARITIES:
        raise ValueError(f"parity {parity!r} of {text!r} is none; use one of {', '.join(_PARITIES)}")
    if stopbits not in ("1", "2"):
        raise ValueError(f"stopbits {stopbits!r} of {text!r} is none; use 1 or 2")
    return ModbusAddress("serial", device=device, baudrate=int(baudrate), parity=parity, stopbits=int(stopbits))
