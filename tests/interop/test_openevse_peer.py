"""The emulated OpenEVSE before a driver of other make: the PyPI package ``python-openevse`` (MIT), on a serial port.

It is optional: ``pip install python-openevse==0.6``. No emulator and no build of the firmware is on PyPI or npm, so
that the bench's own driver has no peer of other make (searched by name and purpose in both lists).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hilbench import clock
from hilbench.drivers.openevse import OpenEvseDriver
from hilbench.modbus_address import modbus_address
from hilbench_emulators.openevse import EmulatedOpenEvse
from hilbench_emulators.openevse_settings import Settings
from tests.live import beside


def settled(path: str) -> None:
    """Wait until the board has seen that no car is there."""

    async def body() -> None:
        driver = OpenEvseDriver("own", f"serial://{path}", timeout_s=10.0)
        while (await driver.status()).state != "A":
            await asyncio.sleep(0.05)
        await driver.stop()

    clock.run(body(), "real")


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Any]:
    """The other driver at an emulated board."""
    openevse = pytest.importorskip("openevse", reason="python-openevse is not installed")

    @asynccontextmanager
    async def serving() -> AsyncIterator[None]:
        board = EmulatedOpenEvse(address=modbus_address(f"serial://{tmp_path}/board"), settings=Settings(boot_s=0.0))
        await board.start()
        yield
        await board.stop()

    with beside(serving):
        settled(str(tmp_path / "board"))
        one = openevse.SerialOpenEVSE(str(tmp_path / "board"))
        one.s.timeout = 10.0  # the machine may be busy
        yield one
        one.s.close()


def test_a_driver_of_other_make_reads_everything(peer: Any) -> None:
    """Every question that it can ask is answered with what it expects."""
    assert peer.version() == {"firmware": "8.2.3", "protocol": "5.2.1"}
    assert peer.status() == "not connected"
    assert peer.current_capacity_range() == (6, 80)
    assert peer.charging_current_and_voltage() == {"amps": 0.0, "volts": 240.0}
    assert peer.fault_counters() == {"GFI self test": 0, "Ground": 0, "Stuck relay": 0}
    assert peer.temperature()["mcp9808temp"] == 25.0
    assert (peer.time_limit(), peer.charge_limit(), peer.accumulated_wh()) == (0, 0, 0)
    assert peer.ammeter_settings() == (220, 0)


def test_a_driver_of_other_make_sets_what_it_can(peer: Any) -> None:
    """Current, checks, service level, clock, and what it shows."""
    assert peer.current_capacity(10) == 10
    assert peer.current_capacity() == 10
    assert peer.diode_check(False) is False
    assert peer.diode_check() is False
    assert peer.service_level(1) == 1
    assert peer.service_level() == 1
    assert peer.accumulated_wh(42) == 42
    assert peer.accumulated_wh() == 42
    assert peer.display_text(0, 0, "hello") is True
    assert peer.timer() is True


def test_a_driver_of_other_make_hears_refusals(peer: Any) -> None:
    """It raises its own error for ``$NK``: a current above the maximum, a limit without a car."""
    import openevse

    for name, value in (("current_capacity", 81), ("time_limit", 30), ("charge_limit", 5)):
        with pytest.raises(openevse.EvseError):
            getattr(peer, name)(value)
