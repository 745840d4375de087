"""CHAdeMO's frames: nothing is lost, and the DBC file says the same as the code."""

from __future__ import annotations

import random
from dataclasses import fields
from enum import IntFlag
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilbench.chademo import (
    CarDischarge,
    CarFault,
    CarState,
    CarStatus,
    CarTimes,
    ChargerDischarge,
    ChargerStatus,
    Control,
    Opaque,
    decode,
    encode,
    sender,
)
from hilbench.chademo.flags import protocol_word, words
from hilbench.chademo.frames import CAR_IDS, CHARGER_IDS, CLASSES
from hilbench.chademo.timing import LIMITS, limit

FLAGS: dict[tuple[int, str], tuple[str, type[IntFlag]]] = {
    (0x102, "faults"): ("fault_", CarFault),
    (0x102, "status"): ("", CarStatus),
    (0x109, "status"): ("", ChargerStatus),
    (0x110, "control"): ("control_", Control),
    (0x118, "control"): ("control_", Control),
}
SCALED = {
    "capacity_100wh": ("capacity_kwh", 0.1),
    "energy_100wh": ("energy_kwh", 0.1),
    "max_time_10s": ("max_time_s", 10),
    "remaining_10s": ("remaining_s", 10),
}
IDS = sorted(CAR_IDS | CHARGER_IDS)


@given(st.sampled_from(IDS), st.binary(min_size=0, max_size=8))
def test_every_frame_comes_back_byte_for_byte(can_id: int, data: bytes) -> None:
    """Bits without a meaning and frames that are too short survive too."""
    assert encode(decode(can_id, data)) == (can_id, data)


@pytest.mark.parametrize(
    ("can_id", "data", "expected"),
    [
        (0x102, "029A010C00C14900", CarState(2, 410, 12, 0, 0xC1, 73)),
        (0x101, "00FF3C0000DE0000", CarTimes(255, 60, 0, 222)),
        (0x200, "FD000000FA0043B2", CarDischarge(2, 250, 67, 178)),
        (0x208, "FFF401F00000FA00", ChargerDischarge(0, 500, 15, 250)),
        (0x202, "0101010000000000", Opaque(0x202, bytes.fromhex("0101010000000000"))),
    ],
)
def test_recorded_frames_mean_what_they_meant(can_id: int, data: str, expected: Any) -> None:
    """Frames of a LEAF at a V2X charger (rand12345/chademo-rs CanLogs) give the known figures."""
    assert decode(can_id, bytes.fromhex(data)) == expected


def test_a_number_too_large_is_refused_by_name() -> None:
    """256 A do not fit 102.3; the error says which field and what does."""
    with pytest.raises(ValueError, match=r"CarState.request_a = 256 does not fit; 0 to 255 do"):
        encode(CarState(request_a=256))


def test_spare_bits_cannot_hide_in_fields() -> None:
    """``rest`` only takes bits that no field has."""
    with pytest.raises(ValueError, match="rest"):
        encode(CarState(rest=1))


def test_the_id_tells_the_sender() -> None:
    """Car, charger, or neither."""
    assert [sender(can_id) for can_id in (0x102, 0x109, 0x700, 0x508)] == ["car", "charger", "car", None]


def test_bits_have_words_and_unknown_ones_numbers() -> None:
    """0xE1 of the car: enabled, legacy dynamic, discharge, and a bit 5 that nobody knows."""
    assert words(CarStatus, 0xE1) == ["enabled", "legacy dynamic", "discharge", "bit 5"]
    assert protocol_word(2) == "1.0 to 1.2"
    assert protocol_word(9) == "number 9, not known"


def test_every_time_limit_has_its_source() -> None:
    """Keys are unique, nobody gives up before the standard's time, sources and confidence are there."""
    assert len({row.key for row in LIMITS}) == len(LIMITS)
    assert all(row.gives_up_s >= (row.limit_s or 0.0) and row.source and row.confidence for row in LIMITS)
    assert limit("contactor").gives_up_s == 4.0


def _database() -> Any:
    cantools: Any = pytest.importorskip("cantools", reason="the extra can is not installed")
    return cantools.database.load_string((files("hilbench.chademo") / "chademo.dbc").read_text(encoding="utf-8"), "dbc")


def _as_signals(frame: Any) -> dict[str, float]:
    """Our fields under the names and in the units of the DBC file."""
    found: dict[str, float] = {}
    for one in fields(frame):
        value = getattr(frame, one.name)
        if (frame.ID, one.name) in FLAGS:
            prefix, kind = FLAGS[frame.ID, one.name]
            names = {flag.value: prefix + str(flag.name).lower() for flag in kind}
            found |= {names.get(1 << bit, f"{one.name}_bit{bit}"): value >> bit & 1 for bit in range(8)}
        elif one.name != "rest":
            name, scale = SCALED.get(one.name, (one.name, 1))
            found[name] = value * scale
    return found


@pytest.mark.parametrize("kind", CLASSES)
def test_the_dbc_file_says_the_same(kind: Any) -> None:
    """For random frames cantools finds the same figures in our DBC file, and writes the same bytes."""
    message = _database().get_message_by_frame_id(kind.ID)
    assert message.name == kind.__name__
    spare = sum(((1 << size) - 1) << start for start, size in kind.BITS) ^ (1 << 64) - 1
    rng = random.Random(kind.ID)
    for _ in range(300):
        data = ((rng.getrandbits(64) & ~spare) | (kind.INVERTED & spare)).to_bytes(8, "little")
        frame = decode(kind.ID, data)
        found = message.decode(data, decode_choices=False)
        assert found == pytest.approx(_as_signals(frame))
        assert message.encode(found) == data == encode(frame)[1]


def test_the_dbc_file_holds_all_ids() -> None:
    """Each id that we know is in it, from its sender."""
    found = {message.frame_id: message.senders for message in _database().messages}
    assert found == {can_id: [str(sender(can_id)).capitalize()] for can_id in IDS}
