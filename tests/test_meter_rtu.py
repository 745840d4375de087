"""Modbus RTU: frames with their CRC over TCP in virtual time and over a pseudo-terminal in real time."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pymodbus.framer import FramerRTU

from hilbench import clock
from hilbench.controller.meter_port import MeterPlace, MeterPort
from hilbench.controller.watch import MeterSample
from hilbench.drivers.modbus_meter import ModbusMeterDriver
from hilbench.errors import DeviceError, InputError
from hilbench.modbus_address import ModbusAddress, modbus_address
from hilbench.rig import load_rig
from hilbench.signals import Record
from hilbench_emulators.meter import ModbusMeter
from tests.test_bad_modbus import Meter, Reply, readings
from tests.test_meter import IDEAL, LINES, Truth

RTU = ModbusAddress("rtu+tcp", "127.0.0.1", 5020)
RIG = Path(__file__).parent.parent / "rigs" / "workplace-10.toml"


def emulated(address: ModbusAddress = RTU, registers: str = "sdm630") -> ModbusMeter:
    """A meter that shows 10, 20 and 30 A."""
    rng = np.random.default_rng(1)
    return ModbusMeter(
        Truth(), "service", record=Record(), rng=rng, settings=IDEAL, address=address, registers=registers
    )


def crc(frame: bytes) -> bytes:
    """CRC-16 of a frame, bit by bit as in Modbus over serial line 6.2.2: low byte first."""
    value = 0xFFFF
    for byte in frame:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return struct.pack("<H", value)


def test_frames_carry_unit_and_crc_and_nothing_else() -> None:
    """The request for current L1 is answered by unit, function, bytes, 10 A as a float, and the CRC."""
    assert crc(bytes.fromhex("010300000001")) == bytes.fromhex("840A")

    async def body() -> list[bytes]:
        meter = emulated()
        await meter.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", 5020)
        answers = []
        request = bytes.fromhex("010400060002")
        for sent in (request + b"\x00\x00", request + crc(request)):
            writer.write(sent)
            try:
                async with asyncio.timeout(1.0):
                    answers.append(await reader.read(100))
            except TimeoutError:
                answers.append(b"")
        writer.close()
        await meter.stop()
        return answers

    frame = bytes.fromhex("01040441200000")
    assert clock.run(body()) == [b"", frame + crc(frame)]


@pytest.mark.parametrize("registers", ["sdm630", "em340"])
def test_controller_and_driver_read_rtu_frames_in_virtual_time(registers: str) -> None:
    """The same values as over Modbus TCP, at every poll."""
    samples: list[MeterSample] = []

    async def body() -> None:
        meter = emulated(registers=registers)
        await meter.start()
        port = MeterPort(MeterPlace(RTU, registers=registers), LINES, 1.0, samples.append)
        polling = asyncio.create_task(port.run(lambda: None))
        await asyncio.sleep(5.0)
        polling.cancel()
        await asyncio.wait([polling])
        driver = ModbusMeterDriver("service", str(RTU), registers=registers, lines=LINES)
        reading = await driver.read()
        assert reading.currents == pytest.approx({"L1": 10.0, "L2": 20.0, "L3": 30.0})
        await driver.stop()
        await meter.stop()

    clock.run(body())
    assert len(samples) >= 4
    assert samples[-1].currents == pytest.approx({"L1": 10.0, "L2": 20.0, "L3": 30.0})


# -- a serial line


def test_a_driver_reads_a_serial_line_in_real_time(tmp_path: Path) -> None:
    """Through a pseudo-terminal and back, again after the driver was closed; the line is gone with the meter."""
    line = modbus_address(f"serial://{tmp_path}/meter?baudrate=19200&stopbits=2")
    assert (line.baudrate, line.parity, line.stopbits, line.place) == (19_200, "N", 2, (f"{tmp_path}/meter", 0))
    (tmp_path / "meter").symlink_to("/dev/pts/99999")  # left by a run that was killed

    async def body() -> None:
        meter = emulated(line)
        await meter.start()
        for _ in range(2):
            driver = ModbusMeterDriver("service", str(line), lines=LINES, timeout_s=5.0)
            assert (await driver.read()).currents == pytest.approx({"L1": 10.0, "L2": 20.0, "L3": 30.0})
            await driver.stop()
        await meter.stop()

    clock.run(body(), "real")
    assert not (tmp_path / "meter").is_symlink()


def test_a_line_without_parity_is_told(tmp_path: Path) -> None:
    """The driver cannot set what the line does not have: a device error, not a traceback; the rig says so before."""
    line = f"serial://{tmp_path}/meter"

    async def body() -> None:
        meter = emulated(modbus_address(line))
        await meter.start()
        with pytest.raises(DeviceError, match=r"no connection \(check address"):
            await ModbusMeterDriver("service", f"{line}?parity=E", lines=LINES).read()
        await meter.stop()

    clock.run(body(), "real")
    (tmp_path / "rig.toml").write_text(RIG.read_text().replace("tcp://127.0.0.1:5020", f"{line}?parity=E"))
    with pytest.raises(InputError, match=r"meter.service.address \(line 69\): .* has no parity \(write parity=N"):
        load_rig(tmp_path / "rig.toml")


def test_the_controller_polls_a_serial_line_in_real_time(tmp_path: Path) -> None:
    """Samples come at the interval that was asked for."""
    line = modbus_address(f"serial://{tmp_path}/meter")
    samples: list[MeterSample] = []

    async def body() -> None:
        meter = emulated(line)
        await meter.start()
        enough = asyncio.Event()

        def take(sample: MeterSample) -> None:
            samples.append(sample)
            if len(samples) > 1:
                enough.set()

        port = MeterPort(MeterPlace(line), LINES, 1.0, take)
        polling = asyncio.create_task(port.run(lambda: None))
        await asyncio.wait_for(enough.wait(), 300.0)
        polling.cancel()
        await asyncio.wait([polling])
        await meter.stop()

    clock.run(body(), "x10")
    assert samples[1].currents == pytest.approx({"L1": 10.0, "L2": 20.0, "L3": 30.0})


def test_a_path_that_is_taken_is_told_and_left_alone(tmp_path: Path) -> None:
    """A meter does not start over somebody's file, and frees its port again."""
    (tmp_path / "meter").write_text("mine")

    async def body() -> None:
        meter = emulated(modbus_address(f"serial://{tmp_path}/meter"))
        with pytest.raises(DeviceError, match=r"meter service: serial line .*: File exists \(choose another path"):
            await meter.start()

    clock.run(body(), "real")
    assert (tmp_path / "meter").read_text() == "mine"


def test_a_serial_line_needs_real_time(tmp_path: Path) -> None:
    """Said by the meter, and known to the rig, so that a run with it is one in real time."""

    async def body() -> None:
        with pytest.raises(DeviceError, match=r"needs real time \(use --time real, or rtu"):
            await emulated(modbus_address(f"serial://{tmp_path}/meter")).start()

    clock.run(body())
    (tmp_path / "rig.toml").write_text(RIG.read_text().replace("tcp://127.0.0.1:5020", f"serial://{tmp_path}/meter"))
    assert load_rig(tmp_path / "rig.toml").real_parts == ("meter.service",)


# -- bad frames


def framed(pdu: bytes, unit: int = 1) -> bytes:
    """A whole frame."""
    return bytes([unit]) + pdu + crc(bytes([unit]) + pdu)


def block(request: bytes, value: float) -> bytes:
    """The registers that were asked for, each value the same."""
    count: int = struct.unpack(">H", request[4:6])[0]
    return bytes([4, 2 * count]) + struct.pack(">f", value) * (count // 2)


SILENT = "no usable answer within 1 s (check power, cable and unit number)"
BAD: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "exception": (lambda _r: framed(b"\x84\x02"), "0x0000..0x004B with exception 2"),
    "wrong CRC": (lambda r: framed(block(r, 1.0))[:-1] + b"\x00", SILENT),
    "a bit flipped": (lambda r: framed(block(r, 1.0)).replace(b"\x3f\x80", b"\x3f\x00", 1), SILENT),
    "no CRC": (lambda r: framed(block(r, 1.0))[:-2], SILENT),
    "another unit": (lambda r: framed(block(r, 1.0), unit=9), SILENT),
    "few registers": (lambda _r: framed(b"\x04\x04" + bytes(4)), "2 registers in answer for 0x0000..0x004B"),
    "another function": (lambda _r: framed(b"\x03\x04" + bytes(4)), "answers function 3, asked for 4"),
    "half a frame": (lambda r: framed(block(r, 1.0))[:20], SILENT),
    "noise": (lambda _r: bytes(range(200, 256)), SILENT),
    "nothing": (lambda _r: b"", SILENT),
}


@pytest.mark.parametrize(("wrong", "expected"), BAD.values(), ids=BAD.keys())
def test_the_driver_says_what_is_wrong_with_a_frame_and_goes_on(
    wrong: Callable[[bytes], bytes], expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A device error that names meter, address and cause, and never the value of a frame whose CRC is wrong."""

    def answer(number: int, request: bytes) -> Reply:
        assert request[-2:] == crc(request[:-2])
        return Reply(wrong(request) if number in (2, 3) else framed(block(request, 100.0 + number)))

    async def body() -> list[str]:
        numbers = iter(range(1, 100))
        server = await asyncio.get_running_loop().create_server(lambda: Meter(answer, numbers), "127.0.0.1", 5020)
        async with server:
            return await readings(ModbusMeterDriver("service", str(RTU), lines=LINES), 5)

    said = clock.run(body())
    assert said[:1] + said[3:] == ["101", "104", "105"]
    assert all(text.startswith("meter service at rtu+tcp://127.0.0.1:5020 unit 1: ") for text in said[1:3])
    assert all(expected in text for text in said[1:3]), said[1]
    assert "Traceback" not in caplog.text


def test_both_ends_do_not_agree_on_a_wrong_crc() -> None:
    """The CRC of these tests is not the library's, and it is the same."""
    assert FramerRTU.compute_CRC(b"\x01\x04\x00\x06\x00\x02").to_bytes(2, "big") == crc(b"\x01\x04\x00\x06\x00\x02")
