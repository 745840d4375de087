"""A serial line of this machine that leads to a TCP port: a pseudo-terminal with a name, as from a USB adapter."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tty
from pathlib import Path

from hilbench import clock
from hilbench.errors import DeviceError

_PTY = "/dev/pts/"
_MOST = 4096


class SerialLine:
    """What is written to ``path`` goes to ``host``:``port``, and what comes from there can be read at ``path``.

    Bytes that nobody reads are lost, as on a wire; the speed of the line is that of the machine. ``start`` raises
    ``DeviceError`` when something else has that path, or in virtual time.
    """

    def __init__(self, path: str, host: str, port: int) -> None:
        self.path = Path(path)
        self._place = (host, port)
        self._ours = self._theirs = -1
        self._writer: asyncio.StreamWriter | None = None
        self._pump: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Make the line and connect it; real time only."""
        if clock.is_virtual():
            raise DeviceError(f"serial line {self.path}: needs real time (use --time real, or rtu+tcp://HOST:PORT)")
        reader, self._writer = await asyncio.open_connection(*self._place)
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        try:
            if self.path.is_symlink() and str(self.path.readlink()).startswith(_PTY):
                self.path.unlink()  # left by a run that was killed
            self.path.symlink_to(os.ttyname(self._theirs))
        except OSError as error:
            self._close()
            raise DeviceError(f"serial line {self.path}: {error.strerror} (choose another path)") from None
        loop = asyncio.get_running_loop()
        loop.add_reader(self._ours, self._send)
        self._pump = loop.create_task(self._receive(reader), name=f"serial line {self.path}")

    async def stop(self) -> None:
        """Disconnect, and take the path away."""
        if self._pump is None:
            return
        self._pump.cancel()
        await asyncio.gather(self._pump, return_exceptions=True)
        self._pump = None
        asyncio.get_running_loop().remove_reader(self._ours)
        with contextlib.suppress(OSError):
            self.path.unlink()
        self._close()

    def _close(self) -> None:
        os.close(self._ours)
        os.close(self._theirs)
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _send(self) -> None:
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._ours, _MOST)
            if self._writer is not None:
                self._writer.write(data)

    async def _receive(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(_MOST):
            with contextlib.suppress(BlockingIOError):
                os.write(self._ours, data)
