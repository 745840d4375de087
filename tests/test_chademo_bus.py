"""CHAdeMO on a bus: in memory in virtual time, over python-can in faster than real time, and logs of it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hilbench import clock
from hilbench.canlogs import read_log
from hilbench.canlogs.report import sessions
from hilbench.errors import DeviceError, InputError
from hilbench_emulators.chademo import Car, CarModel, Charger, Session, SimplePack
from hilbench_emulators.chademo.bus import CanPort, FrameLog, MemoryBus, Port
from hilbench_emulators.chademo.models import V09, V10, V20
from hilbench_emulators.chademo.player import Connector, Player
from hilbench_emulators.chademo.plug import Start, Stop
from tests.chademo_play import QUICK

SPEED = "x10"
MODEL = CarModel(max_current_a=40, enable_s=1.0)


async def play(
    ports: tuple[Port, Port],
    seconds: float,
    stop_t: float,
    log: FrameLog | None = None,
    sides: tuple[Car, Charger] | None = None,
) -> tuple[Car, Charger]:
    """A session on two ports; frames that the charger sends and hears go to the log."""
    car_side, charger_side = sides or (Car(MODEL, SimplePack(soc_pct=50.0)), Charger(QUICK))
    plug = Connector()
    car = Player(car_side, ports[0], plug)
    charger = Player(charger_side, ports[1], plug, log)
    charger.give(Start())
    asyncio.get_running_loop().call_later(stop_t, charger.give, Stop())
    await asyncio.sleep(seconds)
    car.close()
    charger.close()
    return car_side, charger_side


@pytest.mark.parametrize("charger_protocol", [V10, V20])
@pytest.mark.parametrize("car_protocol", [V09, V10, V20])
def test_a_session_in_virtual_time_is_that_of_the_pure_machines(car_protocol: int, charger_protocol: int) -> None:
    """Over a bus in memory, through encode and decode, the same frames go by at the same times; both sides end."""
    car_model, charger_model = replace(MODEL, protocol=car_protocol), replace(QUICK, protocol=charger_protocol)

    async def run() -> tuple[list[tuple[float, int, bytes]], Car, Charger]:
        bus = MemoryBus()
        heard: list[tuple[float, int, bytes]] = []
        bus.port().listen(lambda can_id, data: heard.append((clock.time(), can_id, data)))
        car, charger = Car(car_model, SimplePack(soc_pct=50.0)), Charger(charger_model)
        await play((bus.port(), bus.port()), 30.0, 12.0, sides=(car, charger))
        return heard, car, charger

    heard, car, charger = clock.run(run())
    pure = Session(Car(car_model, SimplePack(soc_pct=50.0)), Charger(charger_model))
    pure.at(12.0, "charger", Stop())
    pure.run(30.0)
    assert (car.reason, charger.reason) == ("the charger stops", "stopped by the user")
    assert (car.reason, charger.reason) == (pure.car.reason, pure.charger.reason)
    assert charger.phase.name == "DONE"
    expected = pure.recorded()
    assert [frame[1:] for frame in heard] == [frame[1:] for frame in expected]
    assert max(abs(a[0] - b[0]) for a, b in zip(heard, expected, strict=True)) < 1e-6


def test_a_port_does_not_hear_itself() -> None:
    """A frame reaches the others only, and later in the same instant; one that has left sends nothing."""

    async def run() -> list[str]:
        bus = MemoryBus()
        ports = [bus.port() for _ in range(3)]
        heard: list[str] = []
        for index, port in enumerate(ports):
            port.listen(lambda can_id, data, index=index: heard.append(f"{index} {can_id:X} {data.hex()}"))  # type: ignore[misc]
        ports[1].send(0x102, b"\x01")
        assert not heard
        await asyncio.sleep(0.0)
        ports[1].close()
        ports[1].send(0x103, b"\x02")
        await asyncio.sleep(0.0)
        return heard

    assert clock.run(run()) == ["0 102 01", "2 102 01"]


def test_a_silenced_bus_ends_the_session() -> None:
    """The car's port is closed while charging: the charger gives up after a second."""

    async def run() -> Charger:
        bus, plug = MemoryBus(), Connector()
        car = Player(Car(MODEL), bus.port(), plug)
        charger = Player(Charger(QUICK), bus.port(), plug)
        charger.give(Start())
        await asyncio.sleep(8.0)
        assert car.side.phase.name == charger.side.phase.name == "CHARGING"
        car.port.close()
        await asyncio.sleep(1.2)
        assert isinstance(charger.side, Charger)
        return charger.side

    assert clock.run(run()).reason == "the car was silent for 1 s"


@pytest.mark.parametrize("ending", FrameLog.ENDINGS)
def test_a_session_is_logged_and_told(ending: str, tmp_path: Path) -> None:
    """A log of every format, written by python-can, is read back and told as the session that it was."""
    pytest.importorskip("can", reason="the extra can is not installed")
    path = tmp_path / f"session{ending}"

    async def run() -> None:
        bus = MemoryBus()
        log = FrameLog(path)
        await play((bus.port(), bus.port()), 20.0, 10.0, log)
        log.close()

    clock.run(run())
    (found,), _notes = sessions(read_log(path.name, path.read_bytes()))
    assert found.ending.why.startswith("stop control")
    assert found.rhythms[0].mean_s == pytest.approx(0.1, abs=1e-3)


async def _over(interface: str, channel: str, **options: Any) -> tuple[Car, Charger]:
    with contextlib.ExitStack() as stack:
        ports = []
        for _ in range(2):
            port = CanPort(interface, channel, **options)
            stack.callback(port.close)
            ports.append(port)
        stack.pop_all()
        return await play((ports[0], ports[1]), 14.0, 8.0)


def test_a_session_over_python_cans_virtual_bus() -> None:
    """Two ports of one channel, read without threads, ten times as fast as real time: it charges and ends."""
    pytest.importorskip("can", reason="the extra can is not installed")
    car, charger = clock.run(_over("virtual", "chademo"), SPEED)
    assert (car.reason, charger.reason) == ("the charger stops", "stopped by the user")


def test_a_session_over_udp_multicast() -> None:
    """A bus with a file descriptor is read by the loop."""
    pytest.importorskip("can", reason="the extra can is not installed")
    pytest.importorskip("msgpack", reason="python-can's udp_multicast needs msgpack")
    try:
        car, charger = clock.run(_over("udp_multicast", "239.74.163.2"), "x2")
    except DeviceError as error:
        pytest.skip(f"no multicast here: {error}")
    assert (car.reason, charger.reason) == ("the charger stops", "stopped by the user")


def test_a_real_bus_in_virtual_time_is_refused() -> None:
    """The bench's clock would run away from it."""

    async def run() -> None:
        CanPort("virtual", "x")

    with pytest.raises(DeviceError, match="--time real"):
        clock.run(run())


def test_a_bus_that_is_not_there_is_named() -> None:
    """An interface that cannot be opened."""
    pytest.importorskip("can", reason="the extra can is not installed")

    async def run() -> None:
        CanPort("no-such-interface", "x")

    with pytest.raises(DeviceError, match="CAN bus no-such-interface:x: cannot be opened"):
        clock.run(run(), "real")


def test_a_bus_that_fails_is_named_at_the_next_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver reports an error while reading: reading ends, and sending says why."""
    can: Any = pytest.importorskip("can", reason="the extra can is not installed")

    async def run() -> None:
        port = CanPort("virtual", "failing")

        def broken(_self: Any, timeout: float) -> None:
            raise can.CanOperationError("cable pulled")

        monkeypatch.setattr("can.interfaces.virtual.VirtualBus.recv", broken)
        await asyncio.sleep(0.02)
        try:
            with pytest.raises(DeviceError, match="virtual:failing: cannot be read: cable pulled"):
                port.send(0x102, bytes(8))
        finally:
            port.close()

    clock.run(run(), "real")


def test_an_unknown_ending_is_refused(tmp_path: Path) -> None:
    """The error lists those that can be written; so does a folder that is not there."""
    with pytest.raises(InputError, match=r"\.db is not written .*\.blf"):
        FrameLog(tmp_path / "a.db")
    pytest.importorskip("can", reason="the extra can is not installed")
    with pytest.raises(InputError, match="cannot be written"):
        FrameLog(tmp_path / "no" / "a.log")


def test_without_python_can_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs and real buses need it; the error says how it is installed. So does a BLF file that is to be read."""
    monkeypatch.setitem(sys.modules, "can", None)
    with pytest.raises(InputError, match=r"python-can is not installed \(pip install 'hilbench\[can\]'\)"):
        FrameLog(tmp_path / "a.log")
    with pytest.raises(InputError, match=r"which python-can reads \(install hilbench\[can\]"):
        read_log("a.blf", b"LOGG" + bytes(200))


def test_a_car_that_sends_every_225_ms_still_charges_here() -> None:
    """Rotating frames over the bus (quirk slow-frames): our charger is patient."""

    async def run() -> Charger:
        bus, plug = MemoryBus(), Connector()
        Player(Car(replace(MODEL, period_s=0.225, rotates=True)), bus.port(), plug)
        charger = Player(Charger(QUICK), bus.port(), plug)
        charger.give(Start())
        await asyncio.sleep(12.0)
        assert isinstance(charger.side, Charger)
        return charger.side

    assert clock.run(run()).phase.name == "CHARGING"
