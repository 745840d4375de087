"""Overcurrent protective devices by name, and one judgement for all of them.

``UL 489``, ``IEC 60898-1 B`` (C, D) and ``gG`` are known by the gates of their standards, ``IEC 60947-2`` by its
conventional currents alone; for anything else a user has the curve.
"""

from __future__ import annotations

import math
from bisect import bisect_left

from hilbench.metrics import breaker, curve
from hilbench.metrics.breaker import IEC_60898_MAGNETIC, Breaker, BreakerVerdict
from hilbench.metrics.curve import Curve
from hilbench.metrics.polyline import Polyline

Device = Breaker | Curve
NAMES = ("UL 489", *(f"IEC 60898-1 {letter}" for letter in IEC_60898_MAGNETIC), "IEC 60947-2", "gG")
"""Devices that are known without a curve."""

GG_GATES = (
    # rating [A]; current that does not melt it in 10 s, melts it in 5 s, does not in 0.1 s, melts it in 0.1 s [A]
    (16, 33, 65, 85, 150),
    (20, 42, 85, 110, 200),
    (25, 52, 110, 150, 260),
    (32, 75, 150, 200, 350),
    (40, 95, 190, 260, 450),
    (50, 125, 250, 350, 610),
    (63, 160, 320, 450, 820),
    (80, 215, 425, 610, 1100),
    (100, 290, 580, 820, 1450),
    (125, 355, 715, 1100, 1910),
    (160, 460, 950, 1450, 2590),
    (200, 610, 1250, 1910, 3420),
    (250, 750, 1650, 2590, 4500),
    (315, 1050, 2200, 3420, 6000),
    (400, 1420, 2840, 4500, 8060),
    (500, 1780, 3800, 6000, 10_600),
    (630, 2200, 5100, 8060, 14_140),
    (800, 3060, 7000, 10_600, 19_000),
    (1000, 4000, 9500, 14_140, 24_000),
    (1250, 5000, 13_000, 19_000, 35_000),
)
"""IEC 60269-1, gates of gG fuse-links (recalled).

Published mean melting curves of NH fuses lie within them, give or take an eighth of the current.
"""
GG_HOLDS, GG_MELTS = 1.25, 1.6
"""IEC 60269-1: conventional non-fusing and fusing current [x of rating] from 16 A on (recalled)."""
GG_HOURS = ((63, 1.0), (160, 2.0), (400, 3.0), (math.inf, 4.0))
"""IEC 60269-1: conventional time [h] up to a rating [A] (recalled)."""
IEC_60947_HOLDS, IEC_60947_TRIPS = 1.05, 1.30
"""IEC 60947-2: conventional non-tripping and tripping current [x of setting] (vendor-doc, se.com)."""
IEC_60947_HOURS = ((63, 1.0), (math.inf, 2.0))
"""IEC 60947-2: conventional time [h] up to a rating [A] (recalled)."""


def gg_fuse(rating_a: float) -> Curve:
    """A gG fuse between its gates; raises ``ValueError`` for a rating that the standard does not list."""
    at = bisect_left(GG_GATES, (rating_a,))
    if at == len(GG_GATES) or GG_GATES[at][0] != rating_a:
        raise ValueError(f"no gG fuse has {rating_a:g} A; there are {', '.join(str(gate[0]) for gate in GG_GATES)} A")
    holds_10, melts_5, holds_01, melts_01 = (amps / rating_a for amps in GG_GATES[at][1:])
    hours_s = _conventional_s(rating_a, GG_HOURS)
    fast = ((GG_HOLDS, hours_s), (holds_10, 10.0), (holds_01, 0.1))
    return Curve("gG fuse", rating_a, fast, ((GG_MELTS, hours_s), (melts_5, 5.0), (melts_01, 0.1)))


def iec_60947_2(rating_a: float) -> Curve:
    """A breaker of IEC 60947-2 at its setting: nothing is promised but the conventional currents and their time."""
    hours_s = _conventional_s(rating_a, IEC_60947_HOURS)
    return Curve("IEC 60947-2 breaker", rating_a, ((IEC_60947_HOLDS, hours_s),), ((IEC_60947_TRIPS, hours_s),))


def _conventional_s(rating_a: float, hours: tuple[tuple[float, float], ...]) -> float:
    return 3600.0 * next(h for largest, h in hours if rating_a <= largest)


def known_device(name: str, rating_a: float) -> Device:
    """The device of one of :data:`NAMES`; raises ``ValueError`` for another name or a rating that it does not have."""
    if name not in NAMES:
        raise ValueError(f"{name!r} is not one of {', '.join(NAMES)}")
    standard, _, letter = name.rpartition(" ")
    if standard == "IEC 60898-1":
        return breaker.iec_60898(rating_a, letter)
    if name == "UL 489":
        return breaker.ul_489(rating_a)
    return gg_fuse(rating_a) if name == "gG" else iec_60947_2(rating_a)


def title(device: Device) -> str:
    """The device in words, as a sentence goes on with it."""
    return "breaker" if isinstance(device, Breaker) else device.title


def holds_a(device: Device) -> float:
    """What the slowest device bears for ever [A]."""
    return device.rating_a * (device.slow.k if isinstance(device, Breaker) else device.slow[0][0])


def assess(line: Polyline, device: Device, preload_a: float | None = None) -> BreakerVerdict:
    """Judge the current ``line`` [A] in one pole; ``preload_a`` flowed before and counts in a thermal memory alone."""
    return breaker.assess(line, device, preload_a) if isinstance(device, Breaker) else curve.assess(line, device)
