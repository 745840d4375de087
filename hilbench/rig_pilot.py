"""``[instrument.NAME]`` and ``[board.NAME]``: what looks at the control pilot, what drives it, and what loads it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from hilbench.modbus_address import modbus_address
from hilbench.rig_values import Address, parse_address
from hilbench.safe_plan import SafeStep
from hilbench.site import Integer, Model, Name, Number, Seconds
from hilbench.visa_address import visa_socket
from hilbench.waveform import Accuracy

ScopeDevice = Literal[
    "oscilloscope",
    "emulated:rigol",
    "emulated:rigol-dho",
    "emulated:siglent",
    "emulated:keysight",
    "emulated:tektronix",
]
"""A real oscilloscope says itself which dialect it speaks."""
BoardDevice = Literal["openevse", "ev-simulator", "emulated:openevse", "emulated:ev-simulator"]
BOARD_SAFE_S = 10.0
"""An OpenEVSE opens its relay 3 s after it was told; the rest is for a line that must be opened again."""
ScopeChannel = Annotated[Integer, Field(ge=1, le=8)]


class Calibration(Model):
    """``calibration`` of an instrument: standard uncertainties (k = 1), its certificate, and until when that counts.

    ``gain`` and ``clock`` are relative, ``offset_v`` is in volts at the probe.
    """

    gain: Annotated[Number, Field(ge=0, le=0.5)] = 0.0
    offset_v: Annotated[Number, Field(ge=0, le=10)] = 0.0
    clock: Annotated[Number, Field(ge=0, le=0.1)] = 0.0
    certificate: Annotated[str, Field(max_length=200)] = ""
    due: date | None = None

    @property
    def accuracy(self) -> Accuracy:
        """As records carry it."""
        return Accuracy(self.gain, self.offset_v, self.clock)


class InstrumentEntry(Model):
    """``[instrument.NAME]``: an oscilloscope, and which of its channels hangs on which pilot.

    ``pilot`` maps a station's role, or a board's name, to a channel. ``address`` is a VISA resource name or
    ``tcp://HOST:PORT``; an emulated one serves SCPI there (a resource must then be a SOCKET, and is read through
    PyVISA in real time). ``probe_ratio`` is the attenuation of its probes. Without a
    ``calibration`` the figures of its family count, which are typical ones.
    """

    device: ScopeDevice
    address: Annotated[str, Field(min_length=1, max_length=200)] = "tcp://127.0.0.1:5555"
    pilot: Annotated[dict[Name, ScopeChannel], Field(min_length=1)]
    probe_ratio: Annotated[Number, Field(ge=0.1, le=1000)] = 10.0
    timeout_s: Seconds = 2.0
    quirks: tuple[str, ...] = ()
    calibration: Calibration | None = None

    @model_validator(mode="after")
    def _fits(self) -> InstrumentEntry:
        if len(set(self.pilot.values())) < len(self.pilot):
            raise ValueError("has two pilots on one channel; give each its own")
        if self.emulated:
            _place(self.address)
        elif self.quirks:
            raise ValueError("a real instrument has its own quirks; remove them")
        return self

    @property
    def emulated(self) -> bool:
        """Played by the bench."""
        return self.device.startswith("emulated:")

    @property
    def place(self) -> Address:
        """Host and port at which an emulated one serves."""
        return _place(self.address)


def _place(address: str) -> Address:
    """Of ``tcp://HOST:PORT`` or ``TCPIP::HOST::PORT::SOCKET``; raises ``ValueError`` for anything else."""
    socket = visa_socket(address)
    return parse_address("tcp://{}:{}".format(*socket) if socket else address, ("tcp",))


class BoardEntry(Model):
    """``[board.NAME]``: an EVSE board (``openevse``) or an EV simulator, plugged into the pilot of board ``evse``.

    ``address`` is ``tcp://HOST:PORT`` (a serial device server, an emulator) or ``serial:///dev/ttyUSB0``.
    """

    device: BoardDevice
    address: Annotated[str, Field(min_length=1, max_length=200)]
    evse: Name | None = None
    quirks: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> BoardEntry:
        modbus_address(self.address)
        if self.simulates_ev and self.evse is None:
            raise ValueError("an EV simulator is plugged in somewhere; give evse, the name of a board or a station")
        if not self.simulates_ev and self.evse is not None:
            raise ValueError("evse is for EV simulators; remove it")
        if self.quirks and self.device != "emulated:openevse":
            raise ValueError("quirks are for an emulated OpenEVSE; remove them")
        return self

    @property
    def emulated(self) -> bool:
        """Played by the bench."""
        return self.device.startswith("emulated:")

    def safe_step(self, name: str) -> SafeStep:
        """How the real board is made safe by its own driver, and read back."""
        return SafeStep(f"board.{name}", self.device, self.address, timeout_s=BOARD_SAFE_S)

    @property
    def real(self) -> bool:
        """A device of its own, or an emulated one on a serial line of this machine: both live in real time."""
        return not self.emulated or modbus_address(self.address).kind == "serial"

    @property
    def simulates_ev(self) -> bool:
        """It loads a pilot; others drive one."""
        return self.device.endswith("ev-simulator")
