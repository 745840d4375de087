"""Malformed Modbus replies: the driver says what is wrong, the controller leaves them out, and both go on polling."""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from typing import Any, NamedTuple, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench import clock
from hilbench.controller.meter_port import MeterPlace, MeterPort
from hilbench.controller.watch import MeterSample
from hilbench.drivers.modbus_meter import ModbusMeterDriver
from hilbench.errors import DeviceError, InputError
from hilbench.modbus_address import ModbusAddress
from hilbench.signals import Record, metered_current

PORT = 5020
LINES = ("L1", "L2")


class Reply(NamedTuple):
    """Bytes, and what becomes of the connection afterwards: ``keep``, ``close`` or ``reset``."""

    data: bytes
    then: str = "keep"


def framed(request: bytes, pdu: bytes, **header: int) -> bytes:
    """A reply to ``request`` with fields of its header changed."""
    transaction, _protocol, _length, unit = struct.unpack(">HHHB", request[:7])
    fields = {"transaction": transaction, "protocol": 0, "length": len(pdu) + 1, "unit": unit, **header}
    return struct.pack(">HHHB", *(fields[name] for name in ("transaction", "protocol", "length", "unit"))) + pdu


def block(request: bytes, value: float = 100.0, function: int = 4) -> bytes:
    """The registers that were asked for, each value the same."""
    registers: int = struct.unpack(">H", request[10:12])[0]
    return bytes([function, 2 * registers]) + struct.pack(">f", value) * (registers // 2)


def good(request: bytes, value: float = 100.0) -> Reply:
    """What a meter answers."""
    return Reply(framed(request, block(request, value)))


SILENT = "no usable answer within 1 s (check power, cable and unit number)"
CLOSED = "the connection was closed before the answer was complete (check power, cable and unit number)"
BAD: dict[str, tuple[Callable[[bytes], Reply], str]] = {
    "exception": (lambda r: Reply(framed(r, b"\x84\x02")), "0x0000..0x004B with exception 2 (is it a Eastron SDM630"),
    "exception 0": (lambda r: Reply(framed(r, b"\x84\x00")), "with exception 0"),
    "exception without code": (lambda r: Reply(framed(r, b"\x84")), SILENT),
    "no registers": (lambda r: Reply(framed(r, b"\x04\x00")), "0 registers in answer for 0x0000..0x004B (check the"),
    "few registers": (lambda r: Reply(framed(r, b"\x04\x04" + bytes(4))), "2 registers in answer"),
    "half a register": (lambda r: Reply(framed(r, b"\x04\x05" + bytes(5))), "2 registers in answer"),
    "count that lies": (lambda r: Reply(framed(r, b"\x04\xc8" + bytes(4))), SILENT),
    "no function": (lambda r: Reply(framed(r, b"")), SILENT),
    "unknown function": (lambda r: Reply(framed(r, b"\x55\x01\x02")), SILENT),
    "answer to a write": (lambda r: Reply(framed(r, b"\x06" + bytes(4))), "answers function 6, asked for 4 (check the"),
    "wrong unit": (lambda r: Reply(framed(r, block(r), unit=99)), SILENT),
    "wrong transaction": (lambda r: Reply(framed(r, block(r), transaction=9_999)), SILENT),
    "wrong protocol": (lambda r: Reply(framed(r, block(r), protocol=0x1234)), SILENT),
    "length 0": (lambda r: Reply(framed(r, block(r), length=0)), SILENT),
    "length without end": (lambda r: Reply(framed(r, block(r), length=65_535)), SILENT),
    "garbage": (lambda _r: Reply(bytes(range(256))), SILENT),
    "ones": (lambda _r: Reply(b"\xff" * 300), SILENT),
    "zeros": (lambda _r: Reply(bytes(300)), SILENT),
    "a web server": (lambda _r: Reply(b"HTTP/1.1 400 Bad Request\r\n\r\n", "close"), CLOSED),
    "nothing": (lambda _r: Reply(b""), SILENT),
    "half an answer": (lambda r: Reply(good(r).data[:20]), SILENT),
    "closed at once": (lambda _r: Reply(b"", "close"), CLOSED),
    "closed within": (lambda r: Reply(good(r).data[:20], "close"), CLOSED),
    "reset within": (lambda r: Reply(good(r).data[:20], "reset"), CLOSED),
}
"""How a meter answers, and what the driver says to it."""
NOT_FINITE = {
    "NaN": (math.nan, "register 0x0000 (voltage_l1 [V]) reads nan (look at the meter's display"),
    "infinite": (math.inf, "register 0x0000 (voltage_l1 [V]) reads inf (look at the meter's display"),
}


class Meter(asyncio.Protocol):
    """One connection of a meter; ``answer`` gets each request with its number, over all connections from 1 on."""

    def __init__(self, answer: Callable[[int, bytes], Reply], numbers: Iterator[int]) -> None:
        self._answer, self._numbers = answer, numbers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Answer a request."""
        reply = self._answer(next(self._numbers), data)
        self._transport.write(reply.data)
        if reply.then != "keep":
            (self._transport.close if reply.then == "close" else self._transport.abort)()


async def with_meter(answer: Callable[[int, bytes], Reply], body: Callable[[], Awaitable[Any]]) -> Any:
    """Run ``body`` beside a meter."""
    numbers = count(1)
    server = await asyncio.get_running_loop().create_server(lambda: Meter(answer, numbers), "127.0.0.1", PORT)
    async with server:
        return await body()


async def driven(record: Record) -> list[str]:
    """What six readings of the driver say, one a second."""
    return await readings(ModbusMeterDriver("service", f"tcp://127.0.0.1:{PORT}", lines=LINES, record=record), 6)


async def readings(driver: ModbusMeterDriver, times: int) -> list[str]:
    """What so many readings say, one a second; the driver is stopped after them."""
    said = []
    for _ in range(times):
        try:
            said.append(f"{(await driver.read()).currents['L1']:g}")
        except DeviceError as error:
            said.append(str(error))
        await asyncio.sleep(1)
    await driver.stop()
    return said


def driver_says(wrong: Callable[[bytes], Reply], record: Record) -> list[str]:
    """The readings when the third and the fourth answer are wrong."""

    def answer(number: int, request: bytes) -> Reply:
        return wrong(request) if number in (3, 4) else good(request, 100.0 + number)

    found: list[str] = clock.run(with_meter(answer, lambda: driven(record)))
    return found


@pytest.mark.parametrize(("wrong", "expected"), BAD.values(), ids=BAD.keys())
def test_the_driver_says_what_is_wrong_and_goes_on(
    wrong: Callable[[bytes], Reply], expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A device error that names meter, address and cause; what was read before stays, and the next answer counts."""
    record = Record()
    said = driver_says(wrong, record)
    assert said[:2] + said[4:] == ["101", "102", "105", "106"]
    assert all(text.startswith(f"meter service at tcp://127.0.0.1:{PORT} unit 1: ") for text in said[2:4])
    assert all(expected in text for text in said[2:4]), said[2]
    assert list(record.signals[metered_current("service", "L1")].rows()[1]) == [101.0, 102.0, 105.0, 106.0]
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(("value", "expected"), NOT_FINITE.values(), ids=NOT_FINITE.keys())
def test_the_driver_records_finite_values_only(value: float, expected: str) -> None:
    """A value that is none is a device error with its register, and not in the record."""
    record = Record()
    said = driver_says(lambda request: good(request, value), record)
    assert expected in said[2]
    assert list(record.signals[metered_current("service", "L2")].rows()[1]) == [101.0, 102.0, 105.0, 106.0]


def test_the_driver_says_that_nobody_is_there() -> None:
    """No connection is a device error with the address, and the next try is a new one."""

    async def body() -> list[str]:
        return await driven(Record())

    (said,) = set(clock.run(body()))
    assert said == f"meter service at tcp://127.0.0.1:{PORT} unit 1: no connection (check address, port and network)"


def test_the_driver_polls_on_after_a_bad_answer() -> None:
    """A reading that fails is an event of the record; the samples before and after it stand on the grid."""
    record = Record()

    async def body() -> None:
        driver = ModbusMeterDriver(
            "service", f"tcp://127.0.0.1:{PORT}", lines=LINES, record=record, interval_s=1.0, timeout_s=0.5
        )
        await driver.start()
        await asyncio.sleep(6.5)
        await driver.stop()

    wrong = BAD["closed within"][0]
    clock.run(with_meter(lambda n, request: wrong(request) if n in (3, 4) else good(request, 100.0 + n), body))
    assert [event.kind for event in record.events] == ["meter.error"] * 2
    assert all("the connection was closed" in event.data["error"] for event in record.events)
    times, values = record.signals[metered_current("service", "L1")].rows()
    assert list(values) == [101.0, 102.0, 105.0, 106.0, 107.0]
    assert list(times) == pytest.approx([0.0, 1.0, 4.0, 5.0, 6.0], abs=1e-6)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "127.0.0.1:502",
        "http://meter",
        "tcp://",
        "tcp://meter:x",
        "tcp://meter:99999",
        "tcp://m eter:502",
        "rtu://meter:1",
        "rtu+tcp://:1",
        "serial://",
        "serial://ttyUSB0",
        "serial:///dev/ttyUSB0?baudrate=fast",
        "serial:///dev/ttyUSB0?baudrate=1",
        "serial:///dev/ttyUSB0?parity=X",
        "serial:///dev/ttyUSB0?stopbits=3",
    ],
)
def test_an_address_that_is_none_is_an_input_error(address: str) -> None:
    """Before anything is dialled."""
    with pytest.raises(InputError, match=r"meter service: address: .* \("):
        ModbusMeterDriver("service", address)


def test_an_unknown_meter_lists_the_known_ones() -> None:
    """A model without a table of registers cannot be read."""
    with pytest.raises(InputError, match=r"no such meter map .*sdm630"):
        ModbusMeterDriver("service", "tcp://meter:502", registers="sdm")


# -- the meter port of the controller


def samples(wrong: Callable[[bytes], Reply], polls: int = 12) -> list[MeterSample]:
    """What the controller sees when the meter is wrong from the fourth to the sixth request."""
    found: list[MeterSample] = []
    tries: list[float] = []

    async def body() -> None:
        port = MeterPort(MeterPlace(ModbusAddress("tcp", "127.0.0.1", PORT)), LINES, 1.0, found.append)
        polling = asyncio.create_task(port.run(lambda: tries.append(clock.time())))
        await asyncio.sleep(polls)
        assert not polling.done()
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)

    def answer(number: int, request: bytes) -> Reply:
        return wrong(request) if 4 <= number <= 6 else good(request, 100.0 + number)

    clock.run(with_meter(answer, body))
    assert len(tries) == polls
    return found


@pytest.mark.parametrize("wrong", [wrong for wrong, _said in BAD.values()], ids=BAD.keys())
def test_the_controller_leaves_a_bad_answer_out_and_polls_on(wrong: Callable[[bytes], Reply]) -> None:
    """Nothing wrong becomes a sample; those before stand, and the first good answer after it is one again."""
    found = samples(wrong)
    seen = [sample.currents["L1"] for sample in found]
    assert seen == [101.0, 102.0, 103.0, *(100.0 + n for n in range(7, 13))]
    assert [sample.number for sample in found] == list(range(1, 10))
    assert [round(sample.t, 3) for sample in found] == [0.5, 1.5, 2.5, *(n + 0.5 for n in range(6, 12))]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_the_controller_hands_on_what_is_not_finite_to_be_judged(value: float) -> None:
    """A meter that says NaN answers: its watch decides, as NaN is no silence."""
    seen = [sample.currents["L1"] for sample in samples(lambda request: good(request, value))]
    assert len(seen) == 12
    assert not any(map(math.isfinite, seen[3:5]))
    assert all(map(math.isfinite, seen[:3] + seen[6:]))


@given(reply=st.binary(max_size=300), then=st.sampled_from(["keep", "close", "reset"]))
@settings(max_examples=100, deadline=None)
def test_no_bytes_at_all_stop_a_poll(reply: bytes, then: str) -> None:
    """Whatever a meter sends, driver and controller read its next good answers."""
    said = driver_says(lambda _request: Reply(reply, then), Record())
    assert said[:2] + said[4:] == ["101", "102", "105", "106"]
    assert all("meter service at" in text for text in said[2:4])
    seen = [sample.currents["L1"] for sample in samples(lambda _request: Reply(reply, then))]
    assert seen == [101.0, 102.0, 103.0, *(100.0 + n for n in range(7, 13))]


@given(header=st.binary(min_size=7, max_size=7), pdu=st.binary(max_size=40))
@settings(max_examples=100, deadline=None)
def test_no_pdu_at_all_stops_a_poll(header: bytes, pdu: bytes) -> None:
    """The same for a well-framed reply of any content."""

    def wrong(request: bytes) -> Reply:
        return Reply(framed(request, pdu, unit=header[6] if header[0] > 250 else request[6]))

    assert driver_says(wrong, Record())[4:] == ["105", "106"]
    assert len(samples(wrong)) == 9
