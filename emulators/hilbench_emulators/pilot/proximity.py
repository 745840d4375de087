"""The proximity contact: the plug's state in Type 1, the cable's current in Type 2, and decoders that disagree."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Literal

from hilbench.errors import InputError, Problem
from hilbench_emulators.pilot.rows import Confidence

Plug = Literal["open", "pressed", "latched"]


@dataclass(frozen=True)
class Type1:
    """SAE J1772: the car pulls up to 5 V and down to PE, the connector puts 150 ohm, with S3 pressed 330 ohm more.

    Values: SAE J1772 (recalled), 150 and 480 ohm also in an OpenEV article (secondary).
    """

    supply_v: float = 5.0
    pull_up_ohm: float = 330.0
    pull_down_ohm: float = 2700.0
    latched_ohm: float = 150.0
    button_ohm: float = 330.0

    def volts(self, plug: Plug) -> float:
        """Voltage [V] at the car's proximity contact."""
        below = 1.0 / (1.0 / self.pull_down_ohm + self._connector_s(plug))
        return self.supply_v * below / (below + self.pull_up_ohm)

    def _connector_s(self, plug: Plug) -> float:
        if plug == "open":
            return 0.0
        return 1.0 / (self.latched_ohm + (self.button_ohm if plug == "pressed" else 0.0))

    def plug(self, volts: float) -> Plug:
        """What a car makes of a voltage: the nearest of the three (policy-default)."""
        plugs: tuple[Plug, ...] = ("open", "pressed", "latched")
        return min(plugs, key=lambda plug: abs(self.volts(plug) - volts))


CABLES_OHM: Mapping[int, float] = MappingProxyType({13: 1500.0, 20: 680.0, 32: 220.0, 63: 100.0})
"""Resistor of a Type 2 cable by its current [A]; 100 ohm also means 70 A with one phase (IEC 61851-1 Annex B)."""


def cable_ohm(current_a: int, error: float = 0.0) -> float:
    """Resistor of a cable for ``current_a``, off by the share ``error``; raises ``InputError`` for other cables."""
    if current_a not in CABLES_OHM:
        choices = ", ".join(map(str, CABLES_OHM))
        raise InputError("proximity", Problem("current_a", f"no cable for {current_a} A", f"there are {choices} A"))
    return CABLES_OHM[current_a] * (1.0 + error)


@dataclass(frozen=True)
class Window:
    """``low_ohm`` up to, but not including, ``high_ohm`` is a cable for ``current_a``."""

    current_a: int
    low_ohm: float
    high_ohm: float


@dataclass(frozen=True)
class Decoder:
    """How a station reads a cable; what lies in no window is no cable that may be used."""

    name: str
    windows: tuple[Window, ...]
    source: str
    confidence: Confidence

    def current_a(self, ohm: float) -> int:
        """Current [A] of the cable with ``ohm``; 0 where the station refuses it."""
        return next((w.current_a for w in self.windows if w.low_ohm <= ohm < w.high_ohm), 0)


def _decoder(name: str, source: str, confidence: Confidence, *bounds: tuple[float, float]) -> Decoder:
    windows = tuple(Window(amps, *span) for amps, span in zip((63, 32, 20, 13), bounds, strict=True))
    return Decoder(name, windows, source, confidence)


def _divider_ohm(counts: float) -> float:
    """Resistor that gives ``counts`` of 1023 below a pull-up of 1 kohm."""
    return 1000.0 * counts / (1023.0 - counts)


def _midpoints(*counts: float) -> list[float]:
    return [(low + high) / 2.0 for low, high in pairwise(counts)]


def _openevse() -> Decoder:
    """The nearest of 93, 185, 415 and 615 counts, up to about 800."""
    ends = [0.0, *map(_divider_ohm, _midpoints(93.0, 185.0, 415.0, 615.0)), _divider_ohm(800.0)]
    spans = list(pairwise(ends))
    return _decoder("openevse", "OpenEVSE, 1 kohm pull-up, off by default", "read-code", *spans)


DECODERS: Mapping[str, Decoder] = MappingProxyType(
    {
        decoder.name: decoder
        for decoder in (
            _decoder(
                "everest",
                "EVerest YetiSimulator",
                "read-code",
                (80.0, 140.0),
                (140.0, 308.0),
                (308.0, 936.0),
                (936.0, 2460.0),
            ),
            _decoder(
                "phoenix-contact",
                "Phoenix Contact 106377_en_04",
                "vendor-doc",
                (75.0, 150.0),
                (150.0, 330.0),
                (330.0, 1000.0),
                (1000.0, 2200.0),
            ),
            _decoder(
                "warp",
                "Tinkerforge WARP, evse-v2-bricklet",
                "read-code",
                (0.0, 150.0),
                (150.0, 330.0),
                (330.0, 1000.0),
                (1000.0, math.inf),
            ),
            _openevse(),
            _decoder(
                "iec",
                "IEC 61851-1 Annex B, recommended",
                "recalled",
                (80.0, 140.0),
                (164.0, 308.0),
                (400.0, 936.0),
                (1100.0, 2460.0),
            ),
        )
    }
)


def decoder(name: str) -> Decoder:
    """The decoder called ``name``; raises ``InputError`` listing them."""
    if name not in DECODERS:
        raise InputError("proximity", f"no decoder {name!r}; there are {', '.join(DECODERS)}")
    return DECODERS[name]


def disagreements(ohm: float) -> dict[str, int]:
    """What each decoder makes of a resistor, where not all say the same; else nothing."""
    found = {name: one.current_a(ohm) for name, one in DECODERS.items()}
    return found if len(set(found.values())) > 1 else {}
