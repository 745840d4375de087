"""Bits in and out, and the numbers of EXI that have no fixed width (EXI 1.0 section 7.1, standard-text recalled)."""

from __future__ import annotations

from hilbench.ccs.exi.errors import ExiError

MASKS = tuple((1 << width) - 1 for width in range(129))
CHUNK = 32
"""Bytes taken at a time, so that a shift costs the same in a long message as in a short one."""
MOST_OCTETS = 64
"""Octets of one number: more than any serial number of a certificate (20 octets, RFC 5280 section 4.1.2.2, recalled)
takes at seven bits each, and few enough that no input makes a number that is slow to build."""


class Reader:
    """The bits of a message from the front to the back."""

    __slots__ = ("_at", "_data", "_have", "_word")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._have = 0
        self._word = 0

    @property
    def position(self) -> int:
        """Bits read so far."""
        return 8 * self._at - self._have

    @property
    def remaining(self) -> int:
        """Bits left, padding included."""
        return 8 * (len(self._data) - self._at) + self._have

    def bits(self, width: int) -> int:
        """The next ``width`` bits (at most 128), first bit highest; raises ExiError at the end of the message."""
        left = self._have - width
        if left < 0:
            left = self._refill(width)
        self._have = left
        return self._word >> left & MASKS[width]

    def _refill(self, width: int) -> int:
        chunk = self._data[self._at : self._at + CHUNK]
        have = self._have + 8 * len(chunk)
        if have < width:
            raise ExiError(f"the message ends where {width} more bits must follow", self.position)
        self._word = (self._word & ((1 << self._have) - 1)) << 8 * len(chunk) | int.from_bytes(chunk, "big")
        self._at += len(chunk)
        self._have = have
        return have - width

    def seek(self, position: int) -> None:
        """Go to a bit, counted from the front."""
        self._at, odd = divmod(position, 8)
        self._have = 0
        if odd:
            self.bits(odd)

    def octets(self, count: int) -> bytes:
        """The next ``count`` bytes, which need not begin at a byte of the message."""
        if 8 * count > self.remaining:
            raise ExiError(f"{count} bytes are announced, {self.remaining // 8} are left", self.position)
        begin = self.position
        end = begin + 8 * count
        whole = int.from_bytes(self._data[begin // 8 : (end + 7) // 8], "big") >> (-end % 8)
        self.seek(end)
        return (whole & ((1 << 8 * count) - 1)).to_bytes(count, "big")

    def unsigned(self) -> int:
        """An Unsigned Integer: groups of seven bits, lowest first, the eighth bit set while more follow."""
        octet = self.bits(8)
        if octet < 128:
            return octet
        value = octet & 127
        for shift in range(7, 7 * MOST_OCTETS, 7):
            octet = self.bits(8)
            value |= (octet & 127) << shift
            if octet < 128:
                return value
        raise ExiError(f"a number of more than {MOST_OCTETS} octets", self.position)


class Writer:
    """Bits of a message that grows."""

    __slots__ = ("_count", "_done", "_word")

    def __init__(self) -> None:
        self._done = bytearray()
        self._word = 0
        self._count = 0

    @property
    def position(self) -> int:
        """Bits written so far."""
        return 8 * len(self._done) + self._count

    def bits(self, width: int, value: int) -> None:
        """Append a value, which must fit, as ``width`` bits."""
        self._word = self._word << width | value
        self._count += width
        if self._count > 512:
            self._flush()

    def _flush(self) -> None:
        odd = self._count % 8
        self._done += (self._word >> odd).to_bytes(self._count // 8, "big")
        self._word &= MASKS[odd]
        self._count = odd

    def octets(self, data: bytes) -> None:
        """Append bytes at whatever bit it is."""
        self.bits(8 * len(data), int.from_bytes(data, "big"))

    def unsigned(self, value: int) -> None:
        """Append an Unsigned Integer."""
        self.bits(*packed(value))

    def finished(self) -> bytes:
        """The message, its last byte filled up with zeros."""
        self.bits(-self._count % 8, 0)
        self._flush()
        return bytes(self._done)


def packed(value: int) -> tuple[int, int]:
    """Width and bits of an Unsigned Integer."""
    if value < 128:
        return 8, value
    width, bits = 0, 0
    while value >= 128:
        bits = bits << 8 | 128 | value & 127
        value >>= 7
        width += 8
    return width + 8, bits << 8 | value
