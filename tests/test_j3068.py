"""LIN frames, and what two sides of J3068 tell each other with them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilbench.errors import DeviceError, InputError
from hilbench_emulators.pilot.j3068 import (
    FOUR_QUADRANT,
    Car,
    PhaseCurrents,
    Station,
    agreed,
    pack_currents,
    pack_versions,
    unpack_currents,
    unpack_versions,
)
from hilbench_emulators.pilot.lin import Frame, bits, checksum, decode, frame_id_of, protected_id

FRAMES = st.builds(Frame, st.integers(0, 0x3F), st.binary(min_size=1, max_size=8))


@pytest.mark.parametrize(
    ("frame_id", "pid"),
    [(0x00, 0x80), (0x01, 0xC1), (0x02, 0x42), (0x03, 0x03), (0x3C, 0x3C), (0x3D, 0x7D), (0x3F, 0xBF)],
)
def test_identifiers_have_their_parity(frame_id: int, pid: int) -> None:
    """Known protected identifiers of LIN 2.x (recalled)."""
    assert protected_id(frame_id) == pid
    assert frame_id_of(pid) == frame_id


@given(st.integers(0, 0x3F), st.integers(0, 7))
def test_any_wrong_bit_of_an_identifier_is_found_or_is_another_one(frame_id: int, bit: int) -> None:
    """A flipped parity bit is always found; a flipped identifier bit never gives the same parity."""
    broken = protected_id(frame_id) ^ 1 << bit
    with pytest.raises(DeviceError, match="parity"):
        frame_id_of(broken)


def test_the_checksum_of_the_specifications_example() -> None:
    """4A 55 93 E5 gives E6 (LIN 2.1, recalled); with the identifier in it, another."""
    assert checksum(bytes.fromhex("4A5593E5")) == 0xE6
    assert checksum(bytes.fromhex("4A5593E5"), 0x4A) != 0xE6


@given(FRAMES)
def test_a_frame_is_read_as_it_was_sent(frame: Frame) -> None:
    """Encoding and decoding give the frame back, for both checksums."""
    assert decode(frame.encode()) == frame


@given(FRAMES, st.data())
def test_a_broken_byte_is_found(frame: Frame, data: st.DataObject) -> None:
    """Any one byte that is another gives a device error, but for 00 and FF, which weigh the same in the sum."""
    raw = bytearray(frame.encode())
    index = data.draw(st.integers(0, len(raw) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda value: value % 255 != raw[index] % 255))
    raw[index] = other
    with pytest.raises(DeviceError):
        decode(bytes(raw))


@given(st.binary(max_size=14))
def test_garbage_gives_a_device_error_or_a_frame(raw: bytes) -> None:
    """Whatever comes, there is no other error."""
    with contextlib.suppress(DeviceError):
        assert decode(raw).encode() == raw


def test_a_frame_on_the_wire_is_break_sync_and_bytes() -> None:
    """13 dominant bits and a delimiter, then each byte with start and stop bit, low bit first."""
    sent = list(bits(Frame(1, b"\x80")))
    assert sent[:14] == [False] * 13 + [True]
    assert sent[14:24] == [False, True, False, True, False, True, False, True, False, True]
    assert len(sent) == 14 + 10 * 4
    assert sent[34:44] == [False] * 8 + [True, True]


def test_what_cannot_be_framed_is_refused() -> None:
    """Identifiers above 63, empty or long data, bad versions, bad currents."""
    for make in (
        lambda: Frame(64, b"1"),
        lambda: Frame(1, b""),
        lambda: Frame(1, bytes(9)),
        lambda: pack_versions(1, []),
        lambda: pack_versions(1, [0]),
        lambda: pack_versions(1, [256]),
        lambda: pack_versions(1, range(1, 10)),
        lambda: PhaseCurrents(-1.0),
        lambda: PhaseCurrents(7000.0),
    ):
        with pytest.raises(InputError):
            make()


@given(st.lists(st.integers(1, 255), min_size=1, max_size=8))
def test_versions_are_read_as_they_were_sent(versions: list[int]) -> None:
    """A list goes through a frame unchanged."""
    assert unpack_versions(pack_versions(5, versions)) == tuple(versions)


@given(st.lists(st.floats(0.0, 160.0), min_size=4, max_size=4))
def test_an_offer_is_never_read_as_more(values: list[float]) -> None:
    """Steps of 0.1 A are rounded down."""
    read = unpack_currents(pack_currents(5, PhaseCurrents(*values)))
    assert all(-0.1 < got - meant <= 1e-6 for got, meant in zip(read.values, values, strict=True))


@pytest.mark.parametrize(
    ("ours", "theirs", "version"),
    [((1, 2), (2, 3), 2), ((1, 252), (252, 1), FOUR_QUADRANT), ((1,), (2,), None), ((1,), (), None)],
)
def test_the_highest_common_version_is_agreed(
    ours: tuple[int, ...], theirs: tuple[int, ...], version: int | None
) -> None:
    """None without a common one."""
    assert agreed(ours, theirs) == version


def exchange(station: Station, car: Car) -> None:
    """One round over the wire: the station's frames, then the car's."""
    for frame in station.frames():
        car.hear(decode(frame.encode()))
    for frame in car.frames():
        station.hear(decode(frame.encode()))


def test_limits_hold_per_phase_once_a_version_is_agreed() -> None:
    """Before agreement 0 A; then each phase has its own limit, and the car's wish is kept within it."""
    station = Station((1, 252), limits=PhaseCurrents(63.0, 32.0, 16.0, 16.0))
    car = Car((1,), wanted=PhaseCurrents(40.0, 40.0, 10.0, 0.0))
    exchange(station, car)
    assert car.may_draw() == PhaseCurrents(0.0)
    exchange(station, car)
    assert station.version == car.version == 1
    assert car.may_draw().values == pytest.approx((40.0, 32.0, 10.0, 0.0))
    assert station.granted().values == pytest.approx((40.0, 32.0, 10.0, 0.0))


def test_without_a_common_version_nothing_flows() -> None:
    """However often they speak."""
    station, car = Station((2,), limits=PhaseCurrents(63.0)), Car((1,), wanted=PhaseCurrents(40.0))
    for _ in range(3):
        exchange(station, car)
    assert (station.version, car.may_draw(), station.granted()) == (None, PhaseCurrents(0.0), PhaseCurrents(0.0))


def test_limits_without_agreement_are_no_permission() -> None:
    """A station that sends its limits too early gets no car to draw."""
    car = Car((1,), wanted=PhaseCurrents(40.0))
    car.hear(pack_currents(0x12, PhaseCurrents(63.0)))
    assert car.may_draw() == PhaseCurrents(0.0)
    car.hear(pack_versions(0x10, (1,)))
    assert car.may_draw() == PhaseCurrents(40.0)


def test_frames_of_the_wrong_side_or_size_are_device_errors() -> None:
    """A car hears no car, an empty list of versions is none, and currents have eight bytes."""
    car = Car((1,))
    with pytest.raises(DeviceError, match="station does not send"):
        car.hear(car.frames()[0])
    with pytest.raises(DeviceError, match="car does not send"):
        Station((1,)).hear(Frame(0x12, bytes(8)))
    with pytest.raises(DeviceError, match="empty"):
        car.hear(Frame(0x10, bytes(8)))
    with pytest.raises(DeviceError, match="8 bytes"):
        car.hear(Frame(0x12, bytes(7)))
