"""Records as runs keep them: a numpy archive with samples, times, and what is known of the instrument."""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from hilbench.errors import InputError
from hilbench.records.asked import Asked
from hilbench.records.numpy_file import DAMAGE
from hilbench.waveform import Accuracy, Waveform

_SCALARS = ("dt_s", "t0_s", "lsb", "gain", "offset", "clock")


def npz_bytes(record: Waveform) -> bytes:
    """The record as a compressed archive: the same bytes for the same record."""
    known = record.accuracy
    file = io.BytesIO()
    np.savez_compressed(
        file,
        values=record.values,
        unit=np.str_(record.unit),
        dt_s=record.dt_s,
        t0_s=record.t0_s,
        lsb=record.lsb,
        gain=known.gain,
        offset=known.offset,
        clock=known.clock,
    )
    return file.getvalue()


def read_npz(path: Path, asked: Asked) -> Waveform:
    """Read what :func:`npz_bytes` wrote; of what may be told only volts per unit count."""
    content = io.BytesIO(path.read_bytes())  # numpy leaves a damaged file open
    try:
        with np.load(content, allow_pickle=False) as archive:
            values, unit = archive["values"], str(archive["unit"])
            dt_s, t0_s, lsb, *known = (float(archive[name]) for name in _SCALARS)
    except (*DAMAGE, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise InputError(str(path), f"is no readable record of a run: {error}") from error
    if values.dtype not in (np.float32, np.float64):
        raise InputError(str(path), f"is no readable record of a run: its samples are {values.dtype}")
    record = asked.record(path, values, dt_s, t0_s, lsb)
    return replace(record, unit=unit, accuracy=Accuracy(*known))
