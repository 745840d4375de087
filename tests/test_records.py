"""Records from files: what each kind says and what it must be told, and clear errors for the rest."""

from __future__ import annotations

import contextlib
import io
import pickle
import shutil
import subprocess
import wave
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hilbench.errors import InputError
from hilbench.records import READERS, read_record
from hilbench.waveform import Waveform

VOLTS = np.round(np.linspace(-12.0, 12.0, 240), 3)
STEP_S = 1e-6


def same(record: Waveform, t0_s: float = 0.0) -> None:
    """It holds the volts and times of this module."""
    np.testing.assert_allclose(record.values, VOLTS, atol=1e-6)
    assert record.dt_s == pytest.approx(STEP_S, rel=1e-6)
    assert record.t0_s == pytest.approx(t0_s, abs=1e-9)


def csv(tmp_path: Path, header: str, rows: list[str], newline: str = "\n") -> Path:
    """A CSV file."""
    path = tmp_path / "scope.csv"
    path.write_bytes(newline.join([*([header] if header else []), *rows, ""]).encode())
    return path


def rows(form: str, t0_s: float = 0.0) -> list[str]:
    """A line per sample."""
    return [form.format(k=k, t=t0_s + k * STEP_S, v=v) for k, v in enumerate(VOLTS)]


@pytest.mark.parametrize(
    ("header", "form", "t0_s"),
    [
        ("", "{t:.6e},{v}", 0.0),
        ("time,CH1", "{t:.6e},{v}", -1.2e-4),
        ("Source;CH1\nx;y", "{t:.6e};{v}", 0.0),
        ("Model,MSO\n\nTIME,CH1", '"{t:.6e}","{v}"', 0.0),
        ("t\tv", "{t:.6e}\t{v}", 0.0),
        ("s,Volt", "{t:.6e}, {v},", 0.0),
        ("X,CH1,Start,Increment,\nSequence,Volt,-1.2e-04,1.0e-06,", "{k},{v},", -1.2e-4),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_csv_file_is_read(header: str, form: str, t0_s: float, newline: str, tmp_path: Path) -> None:
    """With header or without, commas, semicolons or tabs, quoted, and Rigol's sample numbers."""
    same(read_record(csv(tmp_path, header, rows(form, t0_s), newline)), t0_s)


def test_a_decimal_comma_is_read(tmp_path: Path) -> None:
    """As spreadsheets of half of Europe write it."""
    lines = [line.replace(".", ",") for line in rows("{t:.6e};{v}")]
    same(read_record(csv(tmp_path, "Zeit;Spannung", lines)))


@pytest.mark.parametrize(
    ("header", "per_s", "per_v"),
    [
        ("Time,Channel A\n(ms),(V)\n", 1e3, 1.0),
        ("Time,Channel A\n(us),(mV)\n", 1e6, 1e3),
        ("Time (ms),CH1 (V)", 1e3, 1.0),
        ("t [µs],CP [mV]", 1e6, 1e3),
        ("time_ms,pilot_V", 1e3, 1.0),
        ("Horizontal Units,s\nVertical Units,CH1:mV\nTIME,CH1", 1.0, 1e3),
    ],
)
def test_units_are_those_that_the_header_names(header: str, per_s: float, per_v: float, tmp_path: Path) -> None:
    """In a title or in a line of their own; a unit of time says nothing of volts."""
    lines = [f"{k * STEP_S * per_s:.9g},{v * per_v:.9g}" for k, v in enumerate(VOLTS)]
    same(read_record(csv(tmp_path, header, lines)))


def test_a_header_may_stand_beside_the_numbers(tmp_path: Path) -> None:
    """As older oscilloscopes of Tektronix write it: name, value and nothing before time and level."""
    beside = ["Record Length,2500,", "Sample Interval,1e-06,", "Vertical Units,V,"]
    lines = [f"{beside[k] if k < 3 else ',,'},{k * STEP_S:.9f},{v}," for k, v in enumerate(VOLTS)]
    same(read_record(csv(tmp_path, "", lines)))


def test_one_column_needs_the_time_between_samples(tmp_path: Path) -> None:
    """Without it the error says what to give."""
    path = csv(tmp_path, "volts", rows("{v}"))
    same(read_record(path, dt_s=STEP_S))
    with pytest.raises(InputError, match="give the time between samples"):
        read_record(path)


def test_a_channel_is_named_or_numbered(tmp_path: Path) -> None:
    """Of two channels one must be chosen; the error lists them."""
    path = csv(tmp_path, "time,CH1,CH2", rows("{t:.6e},0,{v}"))
    same(read_record(path, channel="CH2"))
    same(read_record(path, channel="2"))
    with pytest.raises(InputError, match=r"channels 1 \(CH1\), 2 \(CH2\)"):
        read_record(path)
    with pytest.raises(InputError, match="no channel '3'"):
        read_record(path, channel="3")


def test_a_probe_is_taken_into_account(tmp_path: Path) -> None:
    """A record of a 1:10 probe, in tenths of a volt."""
    lines = [f"{k * STEP_S:.6e},{v / 10:.6f}" for k, v in enumerate(VOLTS)]
    same(read_record(csv(tmp_path, "", lines), volts_per_unit=10.0))


@pytest.mark.parametrize(
    ("header", "lines", "says"),
    [
        ("just words", ["and more"], "no line of numbers"),
        ("", ["0,1", "1e-6,2", "2e-6"], "not all lines hold 2 numbers"),
        ("", ["0,1", "1e-6,two", "2e-6,3"], "not all lines hold 2 numbers"),
        ("", ["0,1", "1e-6,2", "5e-6,3"], "not evenly spaced"),
        ("", ["0,1", "0,2", "0,3"], "do not rise"),
        ("", ["0,1"], "fewer than two samples"),
    ],
)
def test_a_broken_csv_file_is_refused(header: str, lines: list[str], says: str, tmp_path: Path) -> None:
    """The error says what is wrong with it."""
    with pytest.raises(InputError, match=says):
        read_record(csv(tmp_path, header, lines))


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int16])
def test_a_numpy_row_is_read(kind: type, tmp_path: Path) -> None:
    """Floats as they are, whole numbers with their scale."""
    path = tmp_path / "a.npy"
    np.save(path, np.round(VOLTS * 1000).astype(kind))
    same(read_record(path, dt_s=STEP_S, volts_per_unit=1e-3))


@pytest.mark.parametrize("across", [False, True])
def test_numpy_times_and_volts_are_read(across: bool, tmp_path: Path) -> None:
    """As two rows or two columns."""
    path, table = tmp_path / "a.npy", np.stack([1e-3 + STEP_S * np.arange(len(VOLTS)), VOLTS])
    np.save(path, table.T if across else table)
    same(read_record(path), 1e-3)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (np.zeros((3, 4, 5)), "shape"),
        (np.zeros((3, 5)), "shape"),
        (np.array(["a", "b"]), "no real numbers"),
        (np.array([1j, 2j]), "no real numbers"),
    ],
)
def test_an_unfit_numpy_array_is_refused(data: np.ndarray, says: str, tmp_path: Path) -> None:
    """Three dimensions, three rows, words, complex numbers."""
    np.save(tmp_path / "a.npy", data)
    with pytest.raises(InputError, match=says):
        read_record(tmp_path / "a.npy", dt_s=STEP_S)


def test_a_pickle_is_not_run(tmp_path: Path) -> None:
    """Objects in a .npy file could run code: they are refused unread."""
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    (tmp_path / "b.npy").write_bytes(pickle.dumps([1, 2]))
    for name in ("a.npy", "b.npy"):
        with pytest.raises(InputError, match=r"no readable \.npy"):
            read_record(tmp_path / name, dt_s=STEP_S)


def wav(path: Path, data: bytes, width: int, channels: int = 1) -> Path:
    """A WAV file of 1 MHz."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(1_000_000)
        file.writeframes(data)
    return path


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_a_wav_file_is_read(width: int, tmp_path: Path) -> None:
    """8 bits (unsigned), 16, 24 and 32, with the voltage of full scale; its step is known."""
    whole = np.round(VOLTS / 15.0 * 2 ** (8 * width - 1)).astype(np.int64)
    data = (whole + 128).astype(np.uint8).tobytes() if width == 1 else b"".join(
        int(v).to_bytes(width, "little", signed=True) for v in whole
    )  # fmt: skip
    record = read_record(wav(tmp_path / "a.wav", data, width), volts_per_unit=15.0)
    np.testing.assert_allclose(record.values, VOLTS, atol=0.51 * record.lsb + 1e-12)
    assert record.lsb == pytest.approx(15.0 * 2.0 ** (1 - 8 * width))


def test_a_wav_file_says_nothing_of_volts(tmp_path: Path) -> None:
    """Full scale must be told, and the channel of two."""
    path = wav(tmp_path / "a.wav", np.stack([VOLTS, VOLTS], axis=1).astype("<i2").tobytes(), 2, 2)
    with pytest.raises(InputError, match="voltage of full scale"):
        read_record(path)
    with pytest.raises(InputError, match="channel 1"):
        read_record(path, volts_per_unit=1.0)


def session(path: Path, metadata: str, chunks: dict[str, bytes]) -> Path:
    """A sigrok session."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("version", "2")
        archive.writestr("metadata", metadata)
        for name, data in chunks.items():
            archive.writestr(name, data)
    return path


METADATA = "[global]\nsigrok version=0.5.2\n\n[device 1]\nsamplerate=1 MHz\ntotal analog=1\nanalog1=CP\n"


def test_a_sigrok_session_is_read_in_the_order_of_its_chunks(tmp_path: Path) -> None:
    """Chunk 10 comes after chunk 9."""
    parts = np.array_split(VOLTS.astype("<f4"), 12)
    chunks = {f"analog-1-1-{k}": part.tobytes() for k, part in reversed(list(enumerate(parts, 1)))}
    same(read_record(session(tmp_path / "a.sr", METADATA, chunks)))


@pytest.mark.parametrize(
    ("metadata", "chunks", "says"),
    [
        ("[device 1]\nsamplerate=1 MHz\nprobe1=D0\n", {"logic-1-1": b"\0\1"}, "no analog channel"),
        (METADATA, {}, "0 bytes in 0 parts"),
        (METADATA, {"analog-1-1-1": b"abc"}, "3 bytes"),
        (METADATA.replace("1 MHz", "fast"), {"analog-1-1-1": b"\0" * 8}, "'fast' is none"),
        ("[global]\n", {}, "name no device"),
        ("nonsense", {}, "metadata cannot be read"),
    ],
)
def test_a_broken_session_is_refused(metadata: str, chunks: dict[str, bytes], says: str, tmp_path: Path) -> None:
    """The error says what is wrong with it."""
    with pytest.raises(InputError, match=says):
        read_record(session(tmp_path / "a.sr", metadata, chunks))


@pytest.mark.skipif(shutil.which("sigrok-cli") is None, reason="sigrok-cli is not installed (Debian package)")
def test_a_session_written_by_sigrok_is_read(tmp_path: Path) -> None:
    """A record that sigrok-cli saved has the rate and the samples that it took."""
    path = tmp_path / "demo.sr"
    options = ["-d", "demo:logic_channels=0:analog_channels=1", "-c", "samplerate=100k", "--samples", "5000"]
    subprocess.run(["sigrok-cli", *options, "-o", str(path)], check=True, capture_output=True, timeout=60)
    record = read_record(path)
    assert record.dt_s == pytest.approx(1e-5)
    assert len(record.values) == 5000
    assert np.ptp(record.values) > 1.0


def test_a_missing_file_and_an_unknown_kind_are_refused(tmp_path: Path) -> None:
    """The second error lists the kinds that are known."""
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_record(tmp_path / "a.csv")
    with pytest.raises(InputError, match=r"\.bin is unknown \(known: \.csv"):
        read_record(tmp_path / "a.bin")


def whole_files(tmp_path: Path) -> dict[str, bytes]:
    """A good file of each kind."""
    saved = io.BytesIO()
    np.save(saved, np.stack([STEP_S * np.arange(len(VOLTS)), VOLTS]))
    return {
        ".csv": csv(tmp_path, "t,v", rows("{t:.6e},{v}")).read_bytes(),
        ".npy": saved.getvalue(),
        ".wav": wav(tmp_path / "w.wav", VOLTS.astype("<i2").tobytes(), 2).read_bytes(),
        ".sr": session(tmp_path / "s.sr", METADATA, {"analog-1-1-1": VOLTS.astype("<f4").tobytes()}).read_bytes(),
    }


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ending=st.sampled_from([".csv", ".npy", ".wav", ".sr"]),
    cut=st.floats(0, 1),
    place=st.floats(0, 1),
    junk=st.binary(max_size=20),
)
def test_any_damage_is_a_record_or_a_clear_error(
    ending: str, cut: float, place: float, junk: bytes, tmp_path: Path
) -> None:
    """Files cut short or overwritten anywhere are read or refused; nothing else comes out."""
    good = whole_files(tmp_path)[ending]
    at = int(place * len(good))
    (tmp_path / f"bad{ending}").write_bytes((good[:at] + junk + good[at + len(junk) :])[: int(cut * len(good))])
    with contextlib.suppress(InputError):
        assert len(read_record(tmp_path / f"bad{ending}", volts_per_unit=1.0).values) >= 2


def test_every_reader_is_tried_above() -> None:
    """A new kind of file needs its tests; those of ``.npz``, which runs keep, are with the evidence."""
    assert set(READERS) == {".csv", ".txt", ".npy", ".npz", ".wav", ".sr"}
