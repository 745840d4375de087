"""CAN logs of every kind give the same frames; what is odd about a file is said; nothing breaks on rubbish."""

from __future__ import annotations

import gzip
import io
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.canlogs import Log, read_log
from hilbench.canlogs.reading import _COLOUR, _SHAPES, _one, _Read
from hilbench.errors import InputError
from tests.can_samples import FORMS, recorded, spaced

COARSE = {"TRC 1.1": 1e-4, "an adapter's table": 1e-4, "a counter from 0 ms": 1e-3}
COARSE["a counter that is full after 60 s"] = 1e-3
"""Forms that round times more than to the microsecond."""


def read(text: str | bytes) -> Log:
    """A log from its content."""
    return read_log("a log", text.encode() if isinstance(text, str) else text)


def frames(log: Log) -> list[tuple[float, int, bytes]]:
    """All frames of a log of one recording."""
    (recording,) = log.recordings
    return [(frame.t, frame.id, frame.data) for frame in recording]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_frames(form: str) -> None:
    """Ids and bytes are exact, times to the resolution of the form."""
    expected = recorded()
    log = read(FORMS[form](expected))
    found = frames(log)
    assert log.timed
    assert [frame[1:] for frame in found] == [frame[1:] for frame in expected]
    tolerance = COARSE.get(form, 2e-3 if "differences" in form else 2e-6)
    assert max(abs(a[0] - b[0]) for a, b in zip(found, expected, strict=True)) <= tolerance


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("ending", ["blf", "asc", "log", "csv", "trc"])
def test_what_python_can_writes_is_read(ending: str, packed: bool, tmp_path: Any) -> None:
    """Its writers of five formats, as they are and in gzip."""
    can: Any = pytest.importorskip("can", reason="the extra can is not installed")
    expected = recorded()[:500]
    path = tmp_path / f"a.{ending}"
    with can.Logger(str(path)) as writer:
        for t, can_id, data in expected:
            writer(can.Message(1.75e9 + t, can_id, False, data=data, channel="1", is_rx=True))
    content = path.read_bytes()
    found = frames(read(gzip.compress(content) if packed else content))
    assert [frame[1:] for frame in found] == [frame[1:] for frame in expected]
    assert max(abs(a[0] - b[0]) for a, b in zip(found, expected, strict=True)) <= 1e-3


BYTES = "02 9A 01 0C 00 C1 49 00"


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        (f" 0    00000102         8  {BYTES.replace(' ', '  ')}       1.234500 R", 1.2345),
        (
            f"Timestamp: 1436509052.249713    ID: 0102    S Rx      DL:  8    {BYTES.lower()}     Channel: can0",
            1436509052.249713,
        ),
        (f"22:49:58:1257 Rx 1 0x102 s 8 {BYTES}", 82198.1257),
        (f"1436509052.249713 1R11 102 {BYTES.lower()}", 1436509052.249713),
        (f"[2025-01-02 10:00:00.123]  can0  102   [8]  {BYTES}", 1735812000.123),
        (f"   0.500000 CANFD   1 Rx        102                    0 0 8  8 {BYTES} 120000 130 200040 0", 0.5),
        ("t1028029A010C00C149001F40", 8.0),
        ("t1028029A010C00C14900", None),
        ("ID: 102 Data: 2 9A 1 C 0 C1 49 0", None),
        ("12.5 102 8 2 9A 1 C 0 C1 49 0", 12.5),
        ("id=0x102, data=0x02,0x9A,0x01,0x0C,0x00,0xC1,0x49,0x00", None),
        ('{"t": 3.25, "id": "0x102", "data": "029A010C00C14900"}', 3.25),
        (f"\x1b[32m (000.010012)  can0  102   [8]  {BYTES}\x1b[0m", 0.010012),
        (f"1,5;0x102;8;{BYTES}", None),
    ],
)
def test_lines_as_people_paste_them(line: str, seconds: float | None) -> None:
    """Kvaser, python-can, BUSMASTER, OVMS, a terminal, Vector's CAN FD form, slcan, Arduino, JSON, colours."""
    read_back = _Read("", [])
    shapes = dict(_SHAPES)
    assert _one(_COLOUR.sub("", line), shapes, read_back)
    (row,) = read_back.rows
    assert (row.id, row.data) == (0x102, bytes.fromhex(BYTES))
    assert (row.stamp is None) is (seconds is None)
    assert row.stamp is None or row.stamp.value * (row.stamp.unit_s or 1.0) == pytest.approx(seconds, abs=1e-6)


@pytest.mark.parametrize(
    "line", ["add 10 20 30", "102 8", "version 1.02 of 2025-01-02 10:00:00", "t102", "0x102: 01 02"]
)
def test_prose_is_no_frame(line: str) -> None:
    """Words and numbers that only look a little like one."""
    assert not _one(line, dict(_SHAPES), _Read("", []))


def test_frames_without_times_are_counted() -> None:
    """candump without -t: 100 ms for each round, and the log says that it does."""
    expected = recorded()
    log = read("".join(f"  can0  {can_id:03X}   [8]  {spaced(data)}\n" for _t, can_id, data in expected))
    assert not log.timed
    assert "no time stamps" in log.notes[0]
    assert abs(frames(log)[-1][0] - expected[-1][0]) < 0.5


def test_the_unit_of_bare_numbers_comes_from_the_rhythm() -> None:
    """SavvyCAN counts microseconds without saying so."""
    log = read(FORMS["SavvyCAN"](recorded()))
    assert any("taken for µs" in note for note in log.notes)


def test_the_newest_first_has_a_unit_too() -> None:
    """Milliseconds since 1970 in falling order."""
    lines = [f"{1_750_000_000_000 + round(t * 1e3)} {i:03X} {spaced(d)}" for t, i, d in recorded()]
    log = read("\n".join(reversed(lines)))
    assert any("taken for ms" in note for note in log.notes)
    assert frames(log)[-1][0] == pytest.approx(recorded()[-1][0], abs=2e-3)


def test_a_length_below_eight_is_kept() -> None:
    """Seven bytes behind a 7, beside unpadded ones."""
    (_t, can_id, data), *_rest = frames(read("1.5 1D6 7 00 30 A8 57 57 0F D3\n1.6 1D6 7 0 30 A8 57 57 F D3\n"))
    assert (can_id, data) == (0x1D6, bytes.fromhex("0030A857570FD3"))


@pytest.mark.parametrize(
    "line",
    ['{"id": 258}', '{"id": "x", "data": [1]}', '{"id": 258, "data": [1, 300]}', '{"id": true, "data": "01"}', "{"],
)
def test_json_without_a_frame_is_none(line: str) -> None:
    """Missing or impossible fields."""
    with pytest.raises(InputError):
        read(line)


def test_two_recordings_in_a_file_are_parted() -> None:
    """Time that starts again begins another recording, each from 0 s on."""
    text = FORMS["candump log"](recorded())
    log = read(text + text)
    assert len(log.recordings) == 2
    assert log.recordings[0] == log.recordings[1]
    assert any("goes back" in note for note in log.notes)


def test_a_little_disorder_is_put_right() -> None:
    """Two neighbours exchanged: sorted, and said."""
    expected = list(recorded()[:100])
    at = next(index for index in range(50, 60) if expected[index][0] < expected[index + 1][0])
    mixed = [*expected[:at], expected[at + 1], expected[at], *expected[at + 2 :]]
    log = read(FORMS["candump log"](mixed))
    assert frames(log)[at][1:] == expected[at][1:]
    assert any("1 frames were out of order" in note for note in log.notes)


def test_the_echo_of_another_channel_counts_once() -> None:
    """The same bus on can0 and can1, 1 ms apart."""
    text = "".join(
        f"({t:.6f}) can0 {i:03X}#{d.hex()}\n({t + 0.001:.6f}) can1 {i:03X}#{d.hex()}\n" for t, i, d in recorded()[::2]
    )
    assert read(text).frames == len(recorded()[::2])


def test_other_lines_and_frames_are_counted() -> None:
    """Remote, error and CAN FD frames and prose stay out, and are mentioned."""
    text = FORMS["candump log"](recorded()[:10]) + (
        "(99.0) can0 123#R\n(99.1) can0 123##1112233\nadd 10 20 30 to it\nThe end.\n  can0  123   [8]  remote request\n"
    )
    log = read(text)
    assert log.frames == 10
    assert any(note.startswith("2 other lines") for note in log.notes)
    assert any(note.startswith("3 remote") for note in log.notes)


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "latin-1"])
def test_encodings_of_windows_are_read(codec: str) -> None:
    """A byte-order mark, UTF-16 of a redirected console, umlauts beside the frames; line ends of Windows."""
    text = "Gerät 1\r\n" + FORMS["candump output"](recorded()[:20]).replace("\n", "\r\n")
    assert read(text.encode(codec)).frames == 20


def test_extended_ids_are_not_taken_for_standard_ones() -> None:
    """00000102 in candump and 102x in ASC have 29 bits."""
    log = read("(1.0) can0 00000102#0102030405060708\n(1.1) can0 102#0102030405060708\n")
    assert [frame.extended for frame in log.recordings[0]] == [True, False]


@pytest.mark.parametrize(
    "content", [b"", b"nothing here\n", b"LOGG" + b"\x00" * 200, b"\x1f\x8b rubbish", b"\x00" * 99]
)
def test_a_file_without_frames_is_refused(content: bytes) -> None:
    """The error names the file and what can be read."""
    with pytest.raises(InputError, match="a log"):
        read(content)


def test_a_cut_file_gives_what_is_whole() -> None:
    """The last line breaks off in the middle of its bytes."""
    text = FORMS["candump log"](recorded()[:10])
    assert read(text[:-4]).frames == 9


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_no_file_breaks_the_reader(content: bytes) -> None:
    """Whatever the bytes are, there are frames or an error that is meant."""
    with suppress(InputError):
        assert read(content).frames


PIECES = st.sampled_from(
    ["102", "0x102", "00000102", "8", "[8]", "d", "Rx", "can0", "(1.5)", "(x)", "#", "102#", "02 9A 01 0C 00 C1 49 00",
     "029A010C00C14900", "12:00:01.5", "99:99:99", "base dec", "timestamps relative", ",", ";", "1)", "DT", "ID",
     "Data", "time",
     '{"id": 258, "data": [2, 154]}', "258", "2 154 1 0 0 200 3 0", "0x478640",
     "1e400", "-5.0", "2026-13-45 10:00:00", "\t", "R", "D1", "D2", "LEN", "²"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(PIECES, max_size=9).map(" ".join), max_size=6))
def test_no_lines_break_the_reader(lines: list[str]) -> None:
    """Pieces of logs in any order: frames with finite times, or an error that is meant."""
    try:
        log = read("\n".join(lines))
    except InputError:
        return
    assert all(0.0 <= frame.t < float("inf") for recording in log.recordings for frame in recording)


CELLS = st.sampled_from(
    ["102", "0x102", "00000102", "8", "9", "FF", "0", "", "1.5", "1e400", "9" * 400, "12:00:01", "x", '"', "FD", "-1",
     "029A010C00C14900", "ApoBDADBSQA=", "02 9A 01", "true", "1;2"]
)  # fmt: skip
HEADS = st.sampled_from(
    ["Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8",
     "timestamp,arbitration_id,extended,remote,error,dlc,data",
     "Time (ms),CAN ID,Data", "id,data,t", "Time,ID,DLC,B0,B1"]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(HEADS, st.lists(st.lists(CELLS, max_size=14).map(",".join), max_size=6))
def test_no_table_breaks_the_reader(head: str, rows: list[str]) -> None:
    """Any cells under the heads of known writers: frames with finite times, or an error that is meant."""
    try:
        log = read("\n".join([head, *rows]))
    except InputError:
        return
    for frame in (frame for recording in log.recordings for frame in recording):
        assert 0.0 <= frame.t < float("inf")
        assert 0 <= frame.id < 1 << 29
        assert len(frame.data) <= 8


def test_a_blf_without_a_whole_frame_is_refused() -> None:
    """Its head alone is no log."""
    can: Any = pytest.importorskip("can", reason="the extra can is not installed")
    buffer = io.BytesIO()
    writer = can.BLFWriter(buffer)
    for t, can_id, data in recorded()[:200]:
        writer(can.Message(1.75e9 + t, can_id, False, data=data, channel=0))
    writer.file.flush()
    with pytest.raises(InputError, match="BLF file without a frame"):
        read(buffer.getvalue()[:150])
