"""The line to a pilot board: TCP (a serial device server, an emulator), or a serial port through pyserial."""

from __future__ import annotations

import asyncio
import os
import termios
from collections.abc import Callable

import serial

from hilbench import clock
from hilbench.errors import DeviceError, InputError, Problem
from hilbench.modbus_address import ModbusAddress, modbus_address

FORMS = "tcp://HOST:PORT or serial:///dev/ttyUSB0?baudrate=115200"
_MOST = 4096


def line_address(board: str, text: str, baudrate: int) -> ModbusAddress:
    """Where a board is, in text; a serial port without a speed has ``baudrate``. Raises ``InputError``."""
    scheme = text.partition(":")[0]
    if scheme not in ("tcp", "serial"):
        raise InputError(f"board {board}", Problem("address", f"{text!r} is no line to a board", f"use {FORMS}"))
    if scheme == "serial" and "baudrate=" not in text:
        text += f"{'&' if '?' in text else '?'}baudrate={baudrate}"
    try:
        return modbus_address(text)
    except ValueError as error:
        what, _, remedy = str(error).partition("; ")
        raise InputError(f"board {board}", Problem("address", what, remedy)) from None


class Line:
    """An open line at ``address``; ``received`` gets bytes as they come, ``lost`` why it ended, unless it was closed.

    ``who`` begins every error.
    """

    def __init__(
        self, who: str, address: ModbusAddress, received: Callable[[bytes], None], lost: Callable[[str], None]
    ) -> None:
        self.who, self.address = who, address
        self._received, self._lost = received, lost
        self._transport: asyncio.Transport | None = None
        self._port: serial.Serial | None = None

    async def open(self, timeout_s: float) -> None:
        """Open it; raises ``DeviceError`` when that is not possible within ``timeout_s``."""
        if self.address.kind == "serial":
            self._open_port()
        else:
            await self._dial(timeout_s)

    def write(self, data: bytes) -> None:
        """Send ``data``; raises ``DeviceError`` when the line does not take it."""
        if self._transport is not None:
            self._transport.write(data)
        elif self._port is not None:
            try:
                written = self._port.write(data)
            except (OSError, serial.SerialException) as error:
                self._end(str(error))
                raise self._error(f"nothing can be written: {error}", "check plug and cable") from None
            if written != len(data):
                raise self._error("takes no more bytes", "is anything at the other end?")

    def close(self) -> None:
        """Let go of it; may be called twice."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
        port, self._port = self._port, None
        if port is not None:
            asyncio.get_running_loop().remove_reader(port.fileno())
            port.close()

    async def _dial(self, timeout_s: float) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout_s):
                where = (self.address.host, self.address.port)
                self._transport, _ = await loop.create_connection(lambda: _Ear(self._hear, self._end), *where)
        except (OSError, TimeoutError) as error:
            what = f"no connection: {getattr(error, 'strerror', None) or error or 'no answer'}"
            raise self._error(what, "check address, port and network") from None

    def _open_port(self) -> None:
        if clock.is_virtual():
            raise self._error("a serial port needs real time", "use --time real, or tcp://HOST:PORT")
        address = self.address
        try:
            port = serial.Serial(
                address.device,
                baudrate=address.baudrate,
                parity=address.parity,
                stopbits=address.stopbits,
                timeout=0,
                write_timeout=0,
                exclusive=True,
            )
            port.reset_input_buffer()
        except (OSError, ValueError, serial.SerialException, termios.error) as error:
            raise self._error(f"cannot be opened: {_reason(error)}", "check path, rights and other programs") from None
        self._port = port
        asyncio.get_running_loop().add_reader(port.fileno(), self._read_port, port)

    def _read_port(self, port: serial.Serial) -> None:
        try:
            data = os.read(port.fileno(), _MOST)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(error.strerror or str(error))
            return
        if data:
            self._hear(data)
        else:
            self._end("the serial port is gone")

    def _hear(self, data: bytes) -> None:
        if self._transport is not None or self._port is not None:
            self._received(data)

    def _end(self, why: str) -> None:
        if self._transport is not None or self._port is not None:
            self.close()
            self._lost(why)

    def _error(self, what: str, remedy: str) -> DeviceError:
        return DeviceError(f"{self.who}: {what} ({remedy})")


class _Ear(asyncio.Protocol):
    """Bytes and end of a TCP connection."""

    def __init__(self, hear: Callable[[bytes], None], end: Callable[[str], None]) -> None:
        self._hear, self._end = hear, end

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        self._hear(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        self._end(str(exc) if exc else "the connection was closed")


def _reason(error: Exception) -> str:
    """What pyserial or the system says, without what pyserial says of itself."""
    return str(error).rpartition("] ")[2] or type(error).__name__
