"""Values of simple types as bits (EXI 1.0 section 7.1, standard-text recalled).

An attribute's value stands alone. As the content of an element it has a frame: one bit before it (0: characters
follow) and one behind it (0: the element ends); a 1 in either place would announce what the schema does not declare.
Where nothing but this element may come, its event code is one more bit 0; a reader can take it along (``lead`` 1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from hilbench.ccs.exi.bits import Reader, Writer, packed
from hilbench.ccs.exi.errors import ExiError
from hilbench.ccs.exi.notation import Simple

Read = Callable[[Reader], Any]
Write = Callable[[Writer, int, int, Any], None]
"""Writes an event code, given by its width and itself, and the value that follows it."""
SMALL_RANGE = 4096
"""Whole numbers of at most so many values have a fixed width (EXI 1.0 section 7.1.5, standard-text recalled)."""
UNDECLARED = "an event that the schema does not declare"


class Codec(NamedTuple):
    """How something is read after its event code, and how it is written behind it."""

    read: Read
    write: Write


def codec(spec: Simple, frame: int, lead: int = 0) -> Codec:
    """The codec of a simple type: an attribute's (``frame`` 0) or an element's (1)."""
    match spec.kind:
        case "boolean":
            return _listed((False, True), frame, lead)
        case "word":
            return _listed(spec.words, frame, lead)
        case "text":
            return _text(spec.most, frame, lead)
        case "bytes":
            return _bytes(spec.most, frame, lead)
    low, high = spec.low, spec.high
    if low is not None and high is not None and high - low < SMALL_RANGE:
        return _listed(range(low, high + 1), frame, lead)
    return _unsigned(low, high, frame, lead) if low is not None and low >= 0 else _signed(low, high, frame, lead)


def _listed(values: tuple[Any, ...] | range, frame: int, lead: int) -> Codec:
    """One of so many values, as its number in the list."""
    width = (len(values) - 1).bit_length() + 2 * frame
    read_width = width + lead
    by_bits = {number << frame: value for number, value in enumerate(values)}
    bits_of = {value: bits for bits, value in by_bits.items()}
    truth = isinstance(values[0], bool)

    def read(reader: Reader) -> Any:
        bits = reader.bits(read_width)
        try:
            return by_bits[bits]
        except KeyError:
            raise ExiError(f"{bits:0{read_width}b} stands for no value of this type", reader.position - width) from None

    def write(writer: Writer, code_width: int, code: int, value: Any) -> None:
        try:
            bits = bits_of[value]
        except (KeyError, TypeError):
            raise _refused(writer, value, _choices(values)) from None
        if isinstance(value, bool) is not truth:
            raise _refused(writer, value, _choices(values))
        writer.bits(code_width + width, code << width | bits)

    return Codec(read, write)


def _choices(values: tuple[Any, ...] | range) -> str:
    return f"a number of {values[0]} to {values[-1]}" if isinstance(values, range) else f"one of {_words(values)}"


def _words(values: tuple[Any, ...]) -> str:
    return ", ".join(map(str, values))


def shown(value: Any) -> str:
    """A value in an error message, cut to a length that can be read."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _refused(writer: Writer, value: Any, wanted: str) -> ExiError:
    return ExiError(f"{shown(value)} is not {wanted}", writer.position)


def _zeros(reader: Reader, count: int) -> None:
    if reader.bits(count):
        raise ExiError(UNDECLARED, reader.position - count)


def _check(value: Any, low: int | None, high: int | None, writer: Writer) -> None:
    """Raise ExiError unless it is a number of the range."""
    if type(value) is not int or (low is not None and value < low) or (high is not None and value > high):
        raise _refused(writer, value, f"a whole number of {low} to {high}" if high is not None else "a whole number")


def _within(value: int, low: int | None, high: int | None, reader: Reader) -> int:
    if (high is not None and value > high) or (low is not None and value < low):
        raise ExiError(f"{value} is not within {low} to {high}", reader.position)
    return value


def _unsigned(low: int | None, high: int | None, frame: int, lead: int) -> Codec:
    before = frame + lead

    def read(reader: Reader) -> int:
        _zeros(reader, before)
        value = _within(reader.unsigned(), low, high, reader)
        _zeros(reader, frame)
        return value

    def write(writer: Writer, code_width: int, code: int, value: Any) -> None:
        _check(value, low, high, writer)
        width, bits = packed(value)
        writer.bits(code_width + width + 2 * frame, (code << frame + width | bits) << frame)

    return Codec(read, write)


def _signed(low: int | None, high: int | None, frame: int, lead: int) -> Codec:
    """A sign bit and the magnitude; of a negative number, the magnitude less one."""
    before = frame + 1
    read_before = before + lead

    def read(reader: Reader) -> int:
        sign = reader.bits(read_before)
        if sign > 1:
            raise ExiError(UNDECLARED, reader.position - 2)
        value = _within(~reader.unsigned() if sign else reader.unsigned(), low, high, reader)
        _zeros(reader, frame)
        return value

    def write(writer: Writer, code_width: int, code: int, value: Any) -> None:
        _check(value, low, high, writer)
        width, bits = packed(~value if value < 0 else value)
        signed = code << before | (value < 0)
        writer.bits(code_width + before + width + frame, (signed << width | bits) << frame)

    return Codec(read, write)


def _length(reader: Reader, most: int | None, what: str, less: int = 0) -> int:
    """The announced length of text or bytes."""
    length = reader.unsigned() - less
    if most is not None and length > most:
        raise ExiError(f"{length} {what} where at most {most} are allowed", reader.position)
    return length


def _bytes(most: int | None, frame: int, lead: int) -> Codec:
    before = frame + lead

    def read(reader: Reader) -> bytes:
        _zeros(reader, before)
        data = reader.octets(_length(reader, most, "bytes"))
        _zeros(reader, frame)
        return data

    def write(writer: Writer, code_width: int, code: int, value: Any) -> None:
        if not isinstance(value, bytes) or (most is not None and len(value) > most):
            raise _refused(writer, value, "bytes" if most is None else f"at most {most} bytes")
        writer.bits(code_width + frame, code << frame)
        writer.unsigned(len(value))
        writer.octets(value)
        writer.bits(frame, 0)

    return Codec(read, write)


def _text(most: int | None, frame: int, lead: int) -> Codec:
    """Characters; the length is two more, since 0 and 1 refer to text that was sent before, which no V2G stack does."""
    before = frame + lead

    def read(reader: Reader) -> str:
        _zeros(reader, before)
        length = _length(reader, most, "characters", less=2)
        if length < 0:
            raise ExiError("a reference to earlier text, which V2G messages do not use", reader.position)
        text = _characters(reader, length)
        _zeros(reader, frame)
        return text

    def write(writer: Writer, code_width: int, code: int, value: Any) -> None:
        if not isinstance(value, str) or (most is not None and len(value) > most):
            raise _refused(writer, value, "text" if most is None else f"text of at most {most} characters")
        writer.bits(code_width + frame, code << frame)
        writer.unsigned(len(value) + 2)
        _put_characters(writer, value)
        writer.bits(frame, 0)

    return Codec(read, write)


def _characters(reader: Reader, length: int) -> str:
    """So many characters, each the Unsigned Integer of its code point: one byte when it is ASCII."""
    begin = reader.position
    data = reader.octets(length)
    if data.isascii():
        return data.decode("ascii")
    reader.seek(begin)
    return "".join(_character(reader) for _ in range(length))


def _character(reader: Reader) -> str:
    point = reader.unsigned()
    if point > 0x10FFFF or 0xD800 <= point < 0xE000:
        raise ExiError(f"{point:#x} is not a character", reader.position)
    return chr(point)


def _put_characters(writer: Writer, text: str) -> None:
    if text.isascii():
        writer.octets(text.encode("ascii"))
        return
    for character in text:
        if 0xD800 <= ord(character) < 0xE000:
            raise _refused(writer, text, "text: half of a surrogate pair")
        writer.unsigned(ord(character))
