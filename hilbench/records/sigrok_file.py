"""Session files of sigrok (.sr): a ZIP archive of metadata and float samples of analog channels.

Layout read from libsigrok's session_file.c by its output (read-code): ``metadata`` is an INI file with ``samplerate``
and ``analogN = NAME``; samples are little-endian 32-bit floats in ``analog-1-N-CHUNK``.
"""

from __future__ import annotations

import configparser
import re
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np

from hilbench.errors import InputError, Problem
from hilbench.records.asked import Asked
from hilbench.waveform import Waveform

_PREFIXES = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9}
_LARGEST_BYTES = 4 << 30
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    KeyError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
)
"""What ``zipfile`` raises for damaged archives."""


def read_sigrok(path: Path, asked: Asked) -> Waveform:
    """Read one analog channel of a session."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(path, archive, asked)
    except _DAMAGE as error:
        raise InputError(str(path), f"is no readable sigrok session: {error}") from error


def _read(path: Path, archive: zipfile.ZipFile, asked: Asked) -> Waveform:
    device = _device(path, archive)
    numbers = sorted(int(found[1]) for key in device if (found := re.fullmatch(r"analog(\d+)", key)))
    if not numbers:
        remedy = "record the pilot with an analog channel: levels and states are not in logic samples"
        raise InputError(str(path), Problem("", "has no analog channel", remedy))
    number = numbers[asked.pick(path, [device[f"analog{n}"] for n in numbers])]
    values = np.frombuffer(_samples(path, archive, number), dtype="<f4").astype(np.float32, copy=False)
    return asked.record(path, values, asked.dt_s or 1.0 / _rate_hz(path, device))


def _device(path: Path, archive: zipfile.ZipFile) -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(archive.read("metadata").decode("utf-8", "replace"))
    except configparser.Error as error:
        raise InputError(str(path), f"its metadata cannot be read: {error}") from error
    device = next((name for name in parser.sections() if name.startswith("device")), None)
    if device is None:
        raise InputError(str(path), "its metadata name no device")
    return dict(parser[device])


def _rate_hz(path: Path, device: dict[str, str]) -> float:
    found = re.fullmatch(r"\s*([\d.]+)\s*([kKmMgG]?)\s*(?:Hz)?\s*", device.get("samplerate", ""))
    rate = (
        float(found[1]) * _PREFIXES[found[2].lower()] if found and found[1].count(".") < 2 and found[1] != "." else 0.0
    )
    if rate <= 0.0:
        raise InputError(str(path), Problem("samplerate", f"{device.get('samplerate')!r} is none", "give the rate"))
    return rate


def _samples(path: Path, archive: zipfile.ZipFile, number: int) -> bytes:
    """All chunks of a channel in their order."""
    chunks = {}
    for info in archive.infolist():
        found = re.fullmatch(rf"analog-1-{number}(?:-(\d+))?", info.filename)
        if found:
            chunks[int(found[1] or 0)] = info
    size = sum(info.file_size for info in chunks.values())
    if not chunks or size % 4 or size > _LARGEST_BYTES:
        raise InputError(str(path), f"channel {number} has {size} bytes in {len(chunks)} parts, no row of floats")
    return b"".join(archive.read(chunks[key]) for key in sorted(chunks))
