"""``hilbench instruments``: what is there, and whether it answers as it must."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from hilbench.cli import main
from hilbench.drivers.resources import resources
from hilbench.errors import DeviceError
from hilbench_emulators.function_generator import SiglentSdg1000x
from hilbench_emulators.oscilloscope_tektronix import TektronixTbs
from hilbench_emulators.scpi_server import ScpiServer
from tests.live import beside, free_ports
from tests.scopes import pilot

Capture = pytest.CaptureFixture[str]


@contextmanager
def instrument(kind: Any) -> Iterator[str]:
    """The address of an instrument that another thread serves."""
    (port,) = free_ports(1)

    @asynccontextmanager
    async def serving() -> AsyncIterator[None]:
        server = ScpiServer("bench", kind, port=port)
        await server.start()
        yield
        await server.stop()

    with beside(serving):
        yield f"TCPIP::127.0.0.1::{port}::SOCKET"


def test_the_list_has_no_warnings_and_speaks_of_sockets(capsys: Capture) -> None:
    """pyvisa-py warns of what it could use: neither the test nor the user sees that."""
    assert main(["instruments", "list", "--backend", "@py"]) == 0
    assert "Raw sockets announce themselves to nobody" in capsys.readouterr().out
    assert main(["instruments", "list", "--backend", "@py", "--json"]) == 0
    assert all(one["address"] for one in json.loads(capsys.readouterr().out))


def test_a_missing_library_is_an_error_with_a_remedy(capsys: Capture) -> None:
    """The exit code of a device, and what to install."""
    assert main(["instruments", "list", "--backend", "@nosuch"]) == 4
    assert "(pip install pyvisa-py)" in capsys.readouterr().err
    with pytest.raises(DeviceError, match="VISA library @nosuch"):
        resources("@nosuch")


def test_an_oscilloscope_is_checked_with_a_record(capsys: Capture) -> None:
    """Identity, dialect, a record of the pilot, and an empty error queue."""
    with instrument(TektronixTbs({2: pilot})) as address:
        assert main(["instruments", "check", address, "--backend", "@py", "--channel", "2", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert main(["instruments", "check", address, "--backend", "@py"]) == 0
    assert (found["dialect"], found["points"], found["rate_hz"]) == ("Tektronix TBS/MSO", 10_000, 1e6)
    assert (found["lowest_v"], found["highest_v"], found["errors"]) == (-12.0, 6.0, [])
    assert "Tektronix TBS/MSO" in capsys.readouterr().out


def test_a_generator_is_checked_without_changing_it(capsys: Capture) -> None:
    """Its output is read, and its reach stated."""
    generator = SiglentSdg1000x()
    with instrument(generator) as address:
        assert main(["instruments", "check", address, "--backend", "@py"]) == 0
    said = capsys.readouterr().out
    assert "+-10 V: a pilot's +-12 V needs an amplifier" in said
    assert generator.outputs == SiglentSdg1000x().outputs


def test_an_instrument_of_no_known_dialect_is_named(capsys: Capture) -> None:
    """It answers, and that is all that can be said."""

    class Other:
        def receive(self, line: str, t: float) -> bytes:  # noqa: ARG002 - the server's protocol
            return b"ACME,Toaster,7,1\n" if line == "*IDN?" else b""

    with instrument(Other()) as address:
        assert main(["instruments", "check", address, "--backend", "@py"]) == 0
    assert "none known here for a ACME Toaster" in capsys.readouterr().out


def test_wrong_addresses_and_silence_have_their_exit_codes(capsys: Capture) -> None:
    """2 for an address that is none, 4 where nobody answers; no traceback."""
    (port,) = free_ports(1)
    assert main(["instruments", "check", "scope"]) == 2
    assert (
        main(["instruments", "check", f"TCPIP::127.0.0.1::{port}::SOCKET", "--timeout", "0.2", "--backend", "@py"]) == 4
    )
    said = capsys.readouterr().err
    assert "neither VISA resource nor tcp://" in said
    assert "*IDN?: Connection refused (check power, network, address and port)" in said
    assert "Traceback" not in said
