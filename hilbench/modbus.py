"""The Modbus TCP client that meter ports and drivers share."""

from __future__ import annotations

import logging

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

logging.getLogger("pymodbus").addHandler(logging.NullHandler())  # whoever calls is told by an exception


def tcp_client(host: str, port: int, timeout_s: float) -> AsyncModbusTcpClient:
    """A client, not connected, that tries once; a reply that nobody can decode counts as none.

    pymodbus raises for such a reply where only the event loop hears it, which prints a traceback and, on a real
    socket, ends the connection without a word to whoever waits.
    """
    client = AsyncModbusTcpClient(host, port=port, timeout=timeout_s, retries=0, reconnect_delay=0)
    take = client.ctx.callback_data

    def take_what_can_be_read(data: bytes, addr: tuple[str, int] | None = None) -> int:
        try:
            return take(data, addr=addr)
        except ModbusException:
            return len(data)

    client.ctx.callback_data = take_what_can_be_read  # type: ignore[method-assign]
    return client
