"""Records of oscilloscopes and loggers from files: CSV, numpy, WAV, sigrok sessions, and those that runs keep.

What a file does not say, its reader is told: ``dt_s`` where there is no time, ``volts_per_unit`` where the numbers are
no volts (``full_scale_v`` of a WAV file is the same thing), ``channel`` where there are several.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hilbench.errors import InputError, Problem
from hilbench.records.asked import Asked
from hilbench.records.csv_file import read_csv
from hilbench.records.npz_file import read_npz
from hilbench.records.numpy_file import read_npy
from hilbench.records.sigrok_file import read_sigrok
from hilbench.records.wav_file import read_wav
from hilbench.waveform import Waveform

__all__ = ["READERS", "Asked", "read_record"]

READERS: dict[str, Callable[[Path, Asked], Waveform]] = {
    ".csv": read_csv,
    ".txt": read_csv,
    ".npy": read_npy,
    ".npz": read_npz,
    ".wav": read_wav,
    ".sr": read_sigrok,
}
"""Reader of each ending."""


def read_record(
    path: Path, *, dt_s: float | None = None, channel: str | None = None, volts_per_unit: float | None = None
) -> Waveform:
    """Read a record; ``channel`` is a name or a number from 1.

    Raises ``InputError`` for a file that is missing, of an unknown kind or damaged, and for what it does not say.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            str(path), Problem("", f"{path.suffix or 'no ending'} is unknown", f"known: {', '.join(READERS)}")
        )
    try:
        return reader(path, Asked(dt_s, channel, volts_per_unit))
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror or error}") from error
    except MemoryError as error:
        raise InputError(str(path), "is too large for the memory") from error
