"""Records saved by numpy: one row of volts, or two rows (or columns) of times and volts."""

from __future__ import annotations

import math
import mmap
import tokenize
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilbench.errors import InputError, Problem
from hilbench.records.asked import Asked, even_times
from hilbench.waveform import Waveform

DAMAGE = (ValueError, EOFError, SyntaxError, TypeError, KeyError, OverflowError, RecursionError, tokenize.TokenError)
"""What ``numpy.load`` raises for damaged files, whose header it reads as Python."""


def read_npy(path: Path, asked: Asked) -> Waveform:
    """Read a ``.npy`` file; pickled objects are refused, for loading them runs their code."""
    try:
        loaded = _mapped(path)
    except DAMAGE as error:
        raise InputError(str(path), f"is no readable .npy file: {error}") from error
    if loaded.dtype.kind not in "fiu":
        raise InputError(str(path), "holds no real numbers")
    values: NDArray[np.floating] = loaded if loaded.dtype in (np.float32, np.float64) else loaded.astype(np.float64)
    if values.ndim == 1:
        return asked.record(path, values, asked.step_s(path))
    if values.ndim == 2 and 2 in values.shape:
        times, volts = values if values.shape[0] == 2 else values.T
        t0_s, dt_s = even_times(path, np.asarray(times, dtype=np.float64))
        return asked.record(path, np.ascontiguousarray(volts), dt_s, t0_s)
    raise InputError(
        str(path), Problem("", f"has the shape {values.shape}", "save (samples,) or (2, samples): times, volts")
    )


def _mapped(path: Path) -> NDArray[Any]:
    """The array where it is in the file, for copying a long record takes most of the time of reading it.

    What is written to it does not reach the file; whoever cuts the file short while it is in use ends the process.
    """
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, by_columns, dtype = header(file)
        held = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        flat = np.frombuffer(held, dtype, count=math.prod(shape), offset=file.tell())
    return flat.reshape(shape, order="F" if by_columns else "C")
