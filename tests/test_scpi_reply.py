"""Replies read piece by piece: blocks by their length, lines by their end, numbers whatever stands around them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilbench import clock
from hilbench.drivers.scpi import identity
from hilbench.drivers.scpi_reply import (
    LINE,
    LONGEST_LINE,
    Bytes,
    Reply,
    ReplyError,
    block,
    drive,
    drive_async,
    from_memory,
    number,
    text,
    until,
    whole,
    word,
)
from hilbench.drivers.scpi_wire import VisaWire

PREFIXES = st.sampled_from([b"", b"C1:WF ALL,", b"C1:WF DAT2,", b"DAT2,", b":CURVE ", b"\n", b"\r\n"])


def wrapped(data: bytes, digits: int = 0) -> bytes:
    """A block of ``data``."""
    length = str(len(data)).zfill(digits)
    return f"#{len(length)}{length}".encode() + data


@given(st.binary(max_size=300), PREFIXES, st.integers(0, 9), st.sampled_from([b"\n", b"\r\n"]))
def test_a_block_is_read_by_its_length(data: bytes, prefix: bytes, digits: int, end: bytes) -> None:
    """Whatever its bytes are, line feeds and marks too, and what comes after it is left alone."""
    read = from_memory(prefix + wrapped(data, digits) + end + b'0,"No error"\n')
    if data:
        assert drive(block(len(data)), read) == data
        assert drive(text(), read) == '0,"No error"'


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"#0abc\n", "a block with '0' for the digits"),
        (b"#A12\n", "a block with 'A' for the digits"),
        (b"#3-12\n", "a block with the length '-12'"),
        (b"#13abc\n", "a block of 3 bytes, 4 asked for"),
        (b"#9999999999", "a block of 999999999 bytes, 4 asked for"),
        (b"#14abcdX", "a block that goes on with 'X' after its 4 bytes"),
        (b'-113,"Undefined header"\n', "no block but"),
        (b"x" * 80, "no block but"),
    ],
)
def test_what_is_no_block_is_told(said: bytes, why: str) -> None:
    """Each with the reason."""
    with pytest.raises(ReplyError, match=why):
        drive(block(4), from_memory(said))


@given(st.binary(max_size=80))
def test_any_bytes_are_a_block_an_error_or_too_few(data: bytes) -> None:
    """Nothing else ever comes of bytes."""
    for reply in (block(3), text(), until("ACME")):
        try:
            drive(reply, from_memory(data))
        except (ReplyError, TimeoutError):
            continue


def test_a_dead_reader_is_a_time_out() -> None:
    """What is not there is not made up."""
    with pytest.raises(TimeoutError):
        drive(block(4), from_memory(b"#14abc"))
    with pytest.raises(TimeoutError):
        drive(text(), from_memory(b"no end"))


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("5.00E+00", 5.0),
        ("C1:VDIV 5.00E+00V", 5.0),
        ("TDIV 1.00E-03S", 1e-3),
        ("SARA 500.0KSa", 5e5),
        ("1.00GSa/s", 1e9),
        ("7Mpts", 7e6),
        ("SANU 70Kpts", 7e4),
        (":WFMOUTPRE:XINCR 4.0E-8", 4e-8),
        ("+1", 1.0),
        ("-.5", -0.5),
        ("200mV", 0.2),
        ("1000HZ", 1000.0),
        ("40%", 40.0),
    ],
)
def test_numbers_are_read_with_header_prefix_and_unit(said: str, value: float) -> None:
    """As the families send them."""
    assert number(said) == pytest.approx(value)


@pytest.mark.parametrize(
    "said", ["", " ", "nan", "inf", "9.9E37", "9.91E+37", "1e999", "1.2.3", "V", "1,2", "0x10", "--1", "1 V 2k3"]
)
def test_what_is_no_finite_number_is_refused(said: str) -> None:
    """SCPI's infinity and not-a-number too."""
    with pytest.raises(ReplyError, match="no number"):
        number(said)


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e37, max_value=1e37))
def test_any_finite_number_survives(value: float) -> None:
    """Written with an exponent, as instruments do."""
    assert number(f"C1:OFST {value:.9E}V") == pytest.approx(value)


@given(st.text("0123456789.+-eEkMVSa :,", max_size=12))
def test_any_text_is_a_finite_number_or_refused(said: str) -> None:
    """Nothing else comes of it."""
    try:
        assert math.isfinite(number(said))
    except ReplyError:
        return


def test_whole_numbers_have_no_fraction() -> None:
    """12 000.5 points are none."""
    assert whole("1.2E4") == 12_000
    with pytest.raises(ReplyError, match="no whole number"):
        whole("12000.5")


def test_a_word_comes_without_header_and_quotes() -> None:
    """``SAST Stop`` is STOP."""
    assert [word(said) for said in ("SAST Stop", '"STOP"', "stop", "")] == ["STOP", "STOP", "STOP", ""]


def test_until_passes_over_what_is_late() -> None:
    """Old answers, the rest of a block, and as many markers as are due."""
    late = b"1\n" + bytes(range(256)) * 3 + b"\nACME,X\nOPC 1\nACME,X\nnext\n"
    read = from_memory(late)
    drive(until("ACME,X", 2), read)
    assert drive(text(), read) == "next"


def test_a_line_without_an_end_is_read_in_pieces() -> None:
    """A babbling instrument does not fill the memory: a line longer than any is no text."""
    with pytest.raises(ReplyError, match=f"{LONGEST_LINE} bytes without the end of a line"):
        drive(text(), from_memory(b"x" * (2 * LONGEST_LINE) + b"\n"))


@given(st.binary(min_size=1, max_size=60))
def test_the_same_reply_is_driven_blocking_and_awaiting(data: bytes) -> None:
    """Both drivers of a reply give the same."""
    said = b"C1:WF DAT2," + wrapped(data) + b"\n"
    read = from_memory(said)

    async def awaiting(need: int) -> Bytes:
        return read(need)

    assert clock.run(drive_async(block(len(data)), awaiting)) == drive(block(len(data)), from_memory(said))


@pytest.mark.parametrize("said", ["", "ACME", ",DS1", "ACME,", "HTTP/1.1 400 Bad Request"])
def test_what_is_no_identity_is_refused(said: str) -> None:
    """Maker and model at least."""
    with pytest.raises(ReplyError, match="no identity"):
        identity(said)


def test_an_identity_may_have_a_header_and_few_fields() -> None:
    """Siglent sends ``*IDN``; some have no serial number."""
    assert (
        str(identity("*IDN Siglent Technologies,SDS1104X-E,SDSMMX,7.1")) == "Siglent Technologies SDS1104X-E SDSMMX 7.1"
    )
    assert str(identity("ACME,X")) == "ACME X"


class MessageBus:
    """A resource of a bus that marks the end of a message, as far as the driver uses it."""

    read_termination = None

    def __init__(self, answers: dict[str, bytes]) -> None:
        self.answers, self.written, self.cleared = answers, list[str](), 0
        self._waiting = b""

    def write(self, message: str) -> None:
        """Keep the answer; a second query before it was read would interrupt it."""
        assert not self._waiting, "query interrupted"
        self.written.append(message)
        self._waiting = self.answers.get(message, b"")

    def read_bytes(self, count: int, chunk_size: int, break_on_termchar: bool) -> bytes:
        """The whole message."""
        assert break_on_termchar
        assert count > chunk_size
        said, self._waiting = self._waiting, b""
        return said

    def clear(self) -> None:
        """Device clear."""
        self.cleared += 1

    def close(self) -> None:
        """Nothing to close."""


def test_a_bus_with_messages_is_asked_one_by_one() -> None:
    """USB, GPIB and VXI-11: every query is answered before the next is sent, a missing line feed is no error."""
    bus = MessageBus({"*ESR?": b"0\n", "ALLEV?": b'0,"queue empty"', "CURVE?": b"#13\n\n\n\n"})
    wire = VisaWire("USB0::0x0699::0x0363::C1::INSTR", 1.0)
    wire._resource = bus

    async def body() -> tuple[str, bytes]:
        def both() -> Reply[str]:
            yield from text()
            return (yield from text())

        said = await wire.exchange(["HEADER OFF", "*ESR?", "ALLEV?"], both())
        data = bytes(await wire.exchange(["CURVE?"], block(3)))
        await wire.recover()
        await wire.close()
        return said, data

    assert clock.run(body(), "real") == ('0,"queue empty"', b"\n\n\n")
    assert bus.written == ["HEADER OFF", "*ESR?", "ALLEV?", "CURVE?"]
    assert bus.cleared == 1
    assert LINE == 0
