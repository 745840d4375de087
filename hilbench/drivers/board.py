"""What the drivers of pilot boards share: a line that is opened when it is needed, and errors that name the board."""

from __future__ import annotations

from abc import ABC, abstractmethod

from hilbench.drivers.line import Line, line_address
from hilbench.errors import DeviceError

_SHOWN = 40


class Board(ABC):
    """A board ``name`` at ``address``, with answers due within ``timeout_s``; a serial port has ``baudrate``.

    Raises ``InputError`` for an address that is none.
    """

    def __init__(self, name: str, address: str, baudrate: int, timeout_s: float) -> None:
        self.name = name
        self.address = line_address(name, address, baudrate)
        self.timeout_s = timeout_s
        self._line: Line | None = None
        self._why = ""
        self._noise = b""

    @abstractmethod
    def _received(self, data: bytes) -> None:
        """Bytes have come."""

    async def _connected(self) -> Line:
        """The line, opened again if it was lost; raises ``DeviceError``."""
        if self._line is None:
            line = Line(self.who, self.address, self._received, self._lost)
            await line.open(self.timeout_s)
            self._line, self._why, self._noise = line, "", b""
        return self._line

    def release(self) -> None:
        """Close the line and leave the board as it is; ``stop`` is for the end of a run."""
        self._disconnect()

    def _disconnect(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _lost(self, why: str) -> None:
        self._line, self._why = None, why

    @property
    def who(self) -> str:
        """Its name and where it is."""
        return f"board {self.name} at {self.address}"

    def _silence(self, what: str, remedy: str) -> DeviceError:
        """Nothing usable came: says what came instead."""
        if self._why:
            return self._error(f"{what}: {self._why}", "check plug, cable and power")
        if self._noise:
            came = self._noise[-_SHOWN:]
            return self._error(f"{what}; what came is not understood: {came!r}", f"{remedy}, or another speed?")
        return self._error(what, remedy)

    def _error(self, what: str, remedy: str) -> DeviceError:
        return DeviceError(f"{self.who}: {what} ({remedy})")
