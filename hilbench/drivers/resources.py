"""What is connected: VISA resources and serial ports."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

from serial.tools import list_ports

from hilbench.errors import DeviceError


@dataclass(frozen=True)
class Resource:
    """An address that can be opened, and what the machine says of it."""

    address: str
    what: str = ""


def resources(backend: str = "") -> list[Resource]:
    """The VISA resources that the library ``backend`` finds, and the serial ports.

    Raw sockets are never among them. Raises ``DeviceError`` when there is no VISA library.
    """
    ports = [Resource(port.device, port.description if port.description != "n/a" else "") for port in _ports()]
    return [Resource(name) for name in _visa(backend)] + ports


def _visa(backend: str) -> list[str]:
    import pyvisa

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyvisa-py warns of psutil and zeroconf, which it could use (measured)
        try:
            return [*pyvisa.ResourceManager(backend).list_resources("?*")]
        except (OSError, ValueError, pyvisa.errors.Error) as error:
            what = " ".join(str(error).split())
            raise DeviceError(f"VISA library {backend or 'of this machine'}: {what} (pip install pyvisa-py)") from None


def _ports() -> list[list_ports.ListPortInfo]:  # type: ignore[name-defined]
    return sorted(list_ports.comports(), key=lambda port: port.device)
