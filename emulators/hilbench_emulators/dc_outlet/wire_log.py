"""What went over the wire between a DC station and its cars, as ``hilbench can decode`` and ``ccs decode`` read it."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from hilbench import clock


class WireLog:
    """One file, begun with the first line: ``ROLE.can.log`` in candump's format, or ``ROLE.ccs.log``, a message a line.

    Nothing is written where ``folder`` is None.
    """

    def __init__(self, folder: Path | None, role: str) -> None:
        self._folder, self._role = folder, role
        self._file: TextIO | None = None

    @property
    def writes(self) -> bool:
        """There is somewhere to write."""
        return self._folder is not None

    def frame(self, t: float, can_id: int, data: bytes) -> None:
        """A CAN frame at bench time ``t`` [s]."""
        self._write(f"({clock.at(t).timestamp():.6f}) can0 {can_id:03X}#{data.hex().upper()}", "can")

    def message(self, t: float, of_car: bool, data: bytes) -> None:
        """A V2GTP message."""
        self._write(f"{clock.at(t).isoformat()} {'car' if of_car else 'station'} {data.hex()}", "ccs")

    def _write(self, line: str, kind: str) -> None:
        if self._folder is None:
            return
        if self._file is None:
            self._file = (self._folder / f"{self._role}.{kind}.log").open("a", encoding="ascii")
        self._file.write(f"{line}\n")

    def close(self) -> None:
        """Finish the file; what comes later is added to it."""
        if self._file is not None:
            self._file.close()
            self._file = None
