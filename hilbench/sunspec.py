"""SunSpec meters, read through ``pysunspec2``: its models say where a value is and how it is scaled.

Its own Modbus client blocks on sockets and threads of its own, so only its model definitions and its decoding are
used; the registers come over the bench's asynchronous client. The package is imported when the first such meter is.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import struct
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hilbench.errors import InputError, Problem

Ask = Callable[[int, int], Awaitable[list[int]]]
"""Asks for holding registers: address and count; an empty list when the meter refuses."""
BASES = (40_000, 0, 50_000)
"""Where a SunSpec map may begin (SunSpec Device Information Model Specification; recalled), the usual place first."""
MARKER = [0x5375, 0x6E53]  # "SunS"
MODELS = {201: 1, 202: 2, 203: 3, 204: 3}
"""Meters with scaled integers and the phases of each: single-phase, split-phase, wye and delta."""
_END, _MOST_MODELS = 0xFFFF, 64
_TOTALS = {"total_power": "W", "frequency": "Hz"}
_ENERGIES = {"import_energy": "TotWhImp", "export_energy": "TotWhExp"}
_PAIRS = ("AB", "BC", "CA")
_LARGEST_EXPONENT = 10


def installed() -> bool:
    """Whether ``pysunspec2`` is there."""
    return importlib.util.find_spec("sunspec2") is not None


def _library() -> Any:
    try:
        return importlib.import_module("sunspec2.device")
    except ImportError:
        problem = Problem("map", "SunSpec needs pysunspec2, which is not installed", 'pip install "hilbench[sunspec]"')
        raise InputError("meter", problem) from None


@dataclass(frozen=True)
class Place:
    """A meter's model in a device: its number, the address of its ID, and its registers with ID and length."""

    model: int
    address: int
    count: int


async def find(ask: Ask) -> Place | None:
    """The first meter in the device's list of models; None when there is none."""
    for base in BASES:
        if await ask(base, 2) == MARKER:
            return await _walk(ask, base + 2)
    return None


async def _walk(ask: Ask, address: int) -> Place | None:
    for _ in range(_MOST_MODELS):
        head = await ask(address, 2)
        if len(head) < 2 or head[0] == _END:
            return None
        if head[0] in MODELS:
            return Place(head[0], address, head[1] + 2)
        address += head[1] + 2
    return None


class MeterModel:
    """Decodes the registers of a meter model; raises ``InputError`` when ``pysunspec2`` is not installed."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._model: Any = _library().Model(place.model)

    def values(self, registers: Sequence[int]) -> dict[str, float]:
        """Voltages, currents and powers of the model's phases, total power, frequency, energies; NaN for none.

        Where the model has no voltage to neutral it is taken from the line voltage, and a phase without power of its
        own has its share of the total.
        """
        self._model.set_mb(struct.pack(f">{len(registers)}H", *registers))
        values = {name: self._value(point) for name, point in _TOTALS.items()}
        # an accumulator that is 0 counts as not implemented: nothing has been counted
        values |= {name: _either(self._value(point), 0.0) / 1000.0 for name, point in _ENERGIES.items()}
        phases = MODELS[self.place.model]
        for k, (phase, pair) in enumerate(zip("ABC"[:phases], _PAIRS, strict=False), 1):
            values[f"current_l{k}"] = self._value(f"Aph{phase}")
            volts = self._first(f"PPVph{pair}", f"PhVph{pair}") / math.sqrt(3.0)
            values[f"voltage_l{k}"] = _either(self._value(f"PhVph{phase}"), volts)
            values[f"power_l{k}"] = _either(self._value(f"Wph{phase}"), values["total_power"] / phases)
        return values

    def _first(self, *names: str) -> float:
        return self._value(next((name for name in names if name in self._model.points), names[0]))

    def _value(self, name: str) -> float:
        point = self._model.points.get(name)
        if point is None or point.value is None or not self._scaled(point):
            return math.nan
        return float(point.cvalue)

    def _scaled(self, point: Any) -> bool:
        """False where its scale factor is none: pysunspec2 would then take the count for the value."""
        exponent = self._model.points[point.sf].value if point.sf else 0
        return exponent is not None and abs(exponent) <= _LARGEST_EXPONENT


def _either(value: float, other: float) -> float:
    return value if math.isfinite(value) else other
