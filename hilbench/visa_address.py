"""VISA resource names, as far as the bench looks into them."""

from __future__ import annotations

import re

_SOCKET = re.compile(r"TCPIP\d*::(?P<host>[^\s:]+)::(?P<port>\d{1,5})::SOCKET", re.IGNORECASE)


def visa_socket(resource: str) -> tuple[str, int] | None:
    """Host and port of a raw socket, ``TCPIP::HOST::PORT::SOCKET``; None for any other resource."""
    found = _SOCKET.fullmatch(resource)
    return (found["host"], int(found["port"])) if found else None
