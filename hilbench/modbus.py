"""The Modbus client that meter ports and drivers share: TCP, RTU over TCP, or a serial line."""

from __future__ import annotations

import logging
import termios

from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from hilbench.modbus_address import ModbusAddress

logging.getLogger("pymodbus").addHandler(logging.NullHandler())  # whoever calls is told by an exception
ModbusClient = AsyncModbusTcpClient | AsyncModbusSerialClient


def modbus_client(address: ModbusAddress, timeout_s: float) -> ModbusClient:
    """A client, not connected, that tries once; a reply that nobody can decode counts as none.

    pymodbus raises for such a reply where only the event loop hears it, which prints a traceback and, on a real
    socket, ends the connection without a word to whoever waits.
    """
    client = _client(address, timeout_s)
    take = client.ctx.callback_data

    def take_what_can_be_read(data: bytes, addr: tuple[str, int] | None = None) -> int:
        try:
            return take(data, addr=addr)
        except ModbusException:
            return len(data)

    client.ctx.callback_data = take_what_can_be_read  # type: ignore[method-assign]
    return client


async def connect(client: ModbusClient) -> bool:
    """Connect; False when that is not possible, also for a serial line that cannot have these settings."""
    try:
        return await client.connect()
    except (OSError, termios.error):
        return False


def _client(address: ModbusAddress, timeout_s: float) -> ModbusClient:
    if address.kind == "serial":
        return AsyncModbusSerialClient(
            address.device,
            baudrate=address.baudrate,
            parity=address.parity,
            stopbits=address.stopbits,
            timeout=timeout_s,
            retries=0,
            reconnect_delay=0,
        )
    framer = FramerType.SOCKET if address.kind == "tcp" else FramerType.RTU
    return AsyncModbusTcpClient(
        address.host, port=address.port, framer=framer, timeout=timeout_s, retries=0, reconnect_delay=0
    )
