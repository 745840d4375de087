"""Boards on serial lines of this machine: pseudo-terminals in real time, through pyserial."""

from __future__ import annotations

import asyncio
import os
import termios
import tty
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import serial

from hilbench import clock
from hilbench.drivers.chargebyte import ChargebyteDriver
from hilbench.drivers.ev_simulator import EvSimulatorDriver
from hilbench.drivers.openevse import OpenEvseDriver
from hilbench.errors import DeviceError
from hilbench.modbus_address import modbus_address
from hilbench_emulators.chargebyte import EmulatedChargebyte
from hilbench_emulators.ev_simulator import EmulatedEvSimulator
from hilbench_emulators.openevse import EmulatedOpenEvse
from hilbench_emulators.openevse_settings import Settings

QUICK = Settings(boot_s=0.0)


@asynccontextmanager
async def board(path: Path, **more: int) -> AsyncIterator[EmulatedOpenEvse]:
    """An OpenEVSE at a serial port of this path."""
    one = EmulatedOpenEvse(address=modbus_address(f"serial://{path}"), settings=QUICK, **more)  # type: ignore[arg-type]
    await one.start()
    try:
        yield one
    finally:
        await one.stop()


def driver(path: Path) -> OpenEvseDriver:
    """With patience: the machine may be busy."""
    return OpenEvseDriver("wallbox", f"serial://{path}", timeout_s=10.0)


@contextmanager
def bare() -> Iterator[tuple[int, str]]:
    """The board's end of a pseudo-terminal, and the path of the other."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    try:
        yield ours, os.ttyname(theirs)
    finally:
        os.close(theirs)
        os.close(ours)


def test_a_board_on_a_serial_port_is_driven(tmp_path: Path) -> None:
    """Twice in turn, and the emulated wire takes its time."""

    async def body() -> None:
        async with board(tmp_path / "openevse", baudrate=115_200) as emulated:
            for amps in (10, 12):
                one = driver(tmp_path / "openevse")
                await one.start()
                await one.set_current(amps)
                assert emulated.core.capacity_a == amps
                await one.stop()

    clock.run(body(), "real")
    assert not (tmp_path / "openevse").is_symlink()


def test_the_port_has_the_settings_of_its_address() -> None:
    """Speed and stop bits are those that were asked for; there is neither echo nor a translation of CR."""

    async def body(path: str) -> None:
        one = EvSimulatorDriver("ev", f"serial://{path}?baudrate=19200&stopbits=2", timeout_s=0.1)
        with pytest.raises(DeviceError, match=r"no report within 0\.1 s"):
            await one.start()
        attributes = termios.tcgetattr(one._line._port.fileno())  # type: ignore[union-attr]
        assert attributes[4] == attributes[5] == termios.B19200
        assert attributes[2] & termios.CSTOPB
        assert attributes[2] & termios.CSIZE == termios.CS8
        assert not attributes[0] & termios.ICRNL
        assert not attributes[3] & (termios.ECHO | termios.ICANON)
        await one.stop()

    with bare() as (_ours, path):
        clock.run(body(path), "real")


def test_two_programs_never_drive_one_board(tmp_path: Path) -> None:
    """The second one is refused while the first has the port."""

    async def body() -> None:
        async with board(tmp_path / "openevse"):
            first, second = driver(tmp_path / "openevse"), driver(tmp_path / "openevse")
            await first.start()
            with pytest.raises(DeviceError, match=r"board wallbox at serial://.*: cannot be opened: .*\(check path"):
                await second.start()
            await first.stop()
            await second.start()
            await second.stop()

    clock.run(body(), "real")


def test_a_port_that_is_not_there_or_none_is_told(tmp_path: Path) -> None:
    """Also a file that is no serial port."""
    (tmp_path / "file").write_text("")

    async def body(path: Path) -> None:
        with pytest.raises(DeviceError, match=r"board wallbox at serial://.*: cannot be opened: "):
            await driver(path).start()

    for name in ("nothing", "file"):
        clock.run(body(tmp_path / name), "real")


def test_an_adapter_that_is_pulled_is_told_and_found_again(tmp_path: Path) -> None:
    """The path is gone, then there again with the same board."""

    async def body() -> None:
        one = driver(tmp_path / "openevse")
        async with board(tmp_path / "openevse"):
            await one.start()
        with pytest.raises(DeviceError, match=r"cannot be opened|nothing can be written"):
            await one.status()
        async with board(tmp_path / "openevse"):
            assert (await one.status()).state in ("A", "unknown")
        await one.stop()

    clock.run(body(), "real")


def test_garbage_on_a_serial_port_is_an_error_in_time() -> None:
    """A stream of noise without end, and no answer in it."""

    async def body(ours: int, path: str) -> None:
        one = OpenEvseDriver("wallbox", f"serial://{path}", timeout_s=0.05, attempts=2)

        async def noise() -> None:
            while True:
                os.write(ours, bytes(range(256)))
                await asyncio.sleep(0.01)

        making = asyncio.create_task(noise())
        with pytest.raises(DeviceError, match=r"no usable answer to 'GV' within 2 x 0\.05 s; what came is not under"):
            await one.start()
        making.cancel()
        await asyncio.wait([making])
        await one.stop()

    with bare() as (ours, path):
        clock.run(body(ours, path), "real")


def test_a_line_that_takes_no_more_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port whose buffer is full does not hold the bench."""

    async def body(path: str) -> None:
        one = OpenEvseDriver("wallbox", f"serial://{path}", timeout_s=0.05)
        monkeypatch.setattr(serial.Serial, "write", lambda _port, data: len(data) - 1)
        with pytest.raises(DeviceError, match=r"takes no more bytes \(is anything at the other end"):
            await one.start()
        await one.stop()

    with bare() as (_ours, path):
        clock.run(body(path), "real")


def test_all_three_boards_speak_over_serial_ports(tmp_path: Path) -> None:
    """An EV simulator at an OpenEVSE, and a chargebyte controller."""

    async def body() -> None:
        async with board(tmp_path / "openevse") as station:
            simulator = EmulatedEvSimulator(station, address=modbus_address(f"serial://{tmp_path}/ev"))
            controller = EmulatedChargebyte(address=modbus_address(f"serial://{tmp_path}/som"))
            await simulator.start()
            await controller.start()
            ev = EvSimulatorDriver("ev", f"serial://{tmp_path}/ev", timeout_s=10.0)
            som = ChargebyteDriver("som", f"serial://{tmp_path}/som", timeout_s=10.0)
            assert (await ev.set_state("B")).state == "B"
            await som.start()
            assert (await som.set_pwm(10.0)).duty_pct == 10.0
            for one in (ev, som, simulator, controller):
                await one.stop()
            assert station.core.vehicle.state == "A"

    clock.run(body(), "real")


def test_a_path_or_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    """The board does not start over somebody's file or listener."""
    (tmp_path / "mine").write_text("mine")

    async def body() -> None:
        with pytest.raises(DeviceError, match=r"board openevse: serial line .*: File exists \(choose another path"):
            async with board(tmp_path / "mine"):
                pass
        first = EmulatedOpenEvse(settings=QUICK)
        await first.start()
        second = EmulatedOpenEvse(address=modbus_address(f"tcp://127.0.0.1:{first.port}"), settings=QUICK)
        with pytest.raises(DeviceError, match=r"board openevse: cannot listen at 127.0.0.1:\d+: .*\(choose another"):
            await second.start()
        await first.stop()

    clock.run(body(), "real")
    assert (tmp_path / "mine").read_text() == "mine"
