"""What a session's loop said over time: the station's offer, the car's request, and what flowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from hilbench.ccs.session import Entry
from hilbench.ccs.story import LOOPS, numbers, stem

AMPERES: Mapping[str, tuple[str, ...]] = {
    "offer": ("EVSEMaximumCurrentLimit", "EVSEMaximumChargeCurrent", "EVSEMaxCurrent"),
    "request": ("EVTargetCurrent",),
    "output": ("EVSEPresentCurrent",),
}
"""Quantities of DC, and of AC in ISO 15118-2."""
WATTS: Mapping[str, tuple[str, ...]] = {
    "offer": ("EVSETargetActivePower", "EVSEMaximumChargePower"),
    "output": ("EVPresentActivePower",),
}
"""Quantities of AC in ISO 15118-20, where the car meters."""
POWER = ("EVSEMaximumPowerLimit", "EVSEMaximumChargePower")


@dataclass(frozen=True)
class Course:
    """Curves in one unit: samples (seconds since the first message, value) by name, and changes of the offer."""

    unit: str
    curves: dict[str, list[tuple[float, float]]]
    changes: list[tuple[float, str]] = field(default_factory=list)


def course(entries: Iterable[Entry]) -> Course:
    """The loop's curves; of DC a power limit counts as the current that it leaves at the present voltage."""
    found = list(entries)
    begin_s = found[0].time_s if found else 0.0
    loop = [entry for entry in found if stem(entry) in LOOPS and not entry.problem]
    unit, wanted = ("W", WATTS) if any(stem(entry) == "AC_ChargeLoop" for entry in loop) else ("A", AMPERES)
    curves: dict[str, list[tuple[float, float]]] = {name: [] for name in wanted}
    for entry in loop:
        values = {name: value for name, value, _unit in numbers(entry.body)}
        for curve, value in _values(values, wanted).items():
            curves[curve].append((entry.time_s - begin_s, value))
    kept = {name: samples for name, samples in curves.items() if samples}
    return Course(unit, kept, _changes(kept.get("offer", []), unit))


def _values(values: Mapping[str, Any], wanted: Mapping[str, tuple[str, ...]]) -> dict[str, float]:
    found = {curve: next((values[name] for name in names if name in values), None) for curve, names in wanted.items()}
    told = {curve: float(value) for curve, value in found.items() if value is not None}
    volts, power = values.get("EVSEPresentVoltage"), next((values[name] for name in POWER if name in values), None)
    if wanted is AMPERES and volts and power is not None:
        told["offer"] = min(told.get("offer", float("inf")), power / volts)
    return told


def _changes(offer: list[tuple[float, float]], unit: str) -> list[tuple[float, str]]:
    """When the offer moved by more than a hundredth and one from a message to the next: less comes of the voltage."""
    return [
        (t, f"{before:.4g} to {value:.4g} {unit}")
        for (_t, before), (t, value) in pairwise(offer)
        if abs(value - before) > 1.0 + 0.01 * abs(before)
    ]
