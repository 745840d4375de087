"""WAV files of sound cards and loggers: whole numbers of 8 to 32 bits, of which full scale must be told in volts."""

from __future__ import annotations

import struct
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hilbench.errors import InputError, Problem
from hilbench.records.asked import Asked
from hilbench.waveform import Waveform


def read_wav(path: Path, asked: Asked) -> Waveform:
    """Read one channel; ``volts_per_unit`` is the voltage of full scale."""
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError, RuntimeError, ValueError, struct.error) as error:  # what ``wave`` makes of damage
        raise InputError(str(path), f"is no readable WAV file of whole numbers: {error}".rstrip(": ")) from error
    if asked.volts_per_unit is None:
        raise InputError(str(path), Problem("", "says nothing about volts", "give the voltage of full scale"))
    if width not in (1, 2, 3, 4) or rate <= 0 or channels <= 0:
        raise InputError(str(path), f"{channels} channels of {8 * width} bits at {rate} Hz cannot be read")
    column = asked.pick(path, [f"channel {number}" for number in range(1, channels + 1)])
    whole = len(data) // (width * channels) * width * channels
    values = _units(data[:whole], width).reshape(-1, channels)[:, column]
    return asked.record(path, np.ascontiguousarray(values), 1.0 / rate, lsb=2.0 ** (1 - 8 * width))


def _units(data: bytes, width: int) -> NDArray[np.float64]:
    """Samples as a share of full scale; 8 bits are unsigned."""
    if width == 1:
        return (np.frombuffer(data, dtype=np.uint8).astype(np.float64) - 128.0) / 128.0
    if width == 3:
        padded = np.zeros((len(data) // 3, 4), dtype=np.uint8)
        padded[:, 1:] = np.frombuffer(data, dtype=np.uint8).reshape(-1, 3)
        return padded.view("<i4").ravel() / 2.0**31
    return np.frombuffer(data, dtype=f"<i{width}") / 2.0 ** (8 * width - 1)
