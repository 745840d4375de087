"""How far and how long currents were above budgets and ratings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from hilbench.measuring.window import Extractor, Reading, Window, clock_part
from hilbench.metrics import breaker, curve, exposure, ocpd, transformer
from hilbench.metrics.polyline import mean
from hilbench.metrics.uncertainty import COVERAGE, Part
from hilbench.ocpd_file import device_at
from hilbench.signals import Array, line_current
from hilbench.site import Node

PRELOAD_S = 60.0
AMBIENT_C = 20.0
"""Around a transformer, where nothing is known (yearly mean of IEC 60076-7's loading tables; recalled)."""
TRANSFORMER = {"cyclic": "bears that every day", "short-term": "bears that for half an hour", "overheated": "too hot"}
OUTCOMES = {"cannot-trip": "cannot trip", "indeterminate": "may trip", "must-trip": "must trip"}


def _node_context(window: Window, node: Node) -> dict[str, float]:
    tolerance = window.requirements.tolerance_a(node.limit_a)
    return {"rating_a": node.rating_a, "budget_a": node.limit_a, "tolerance_a": tolerance}


def against(
    level: Literal["budget", "rating"], pick: Literal["longest_s", "worst_ampere_seconds", "share_above"]
) -> Extractor:
    """Exposure of every line of every node above its budget (plus tolerance) or its rating."""

    def extract(window: Window) -> list[Reading]:
        found = []
        for node, line, current in window.currents():
            context = _node_context(window, node)
            limit, margin = (node.limit_a, context["tolerance_a"]) if level == "budget" else (node.rating_a, 0.0)
            result = exposure.exposure(current, limit, margin)
            u = window.time_u * (max(result.peak_a, 0.0) if pick == "worst_ampere_seconds" else 1.0)
            u = window.average_u if pick == "share_above" else u
            u = u if result.longest_s else 0.0
            found.append(
                Reading(getattr(result, pick), u, f"{node.id} {line}", (line_current(node.id, line),), context)
            )
        return found

    return extract


def peak_ratio(window: Window) -> list[Reading]:
    """Largest current of every line of every node as a share of its rating."""
    return [
        Reading(float(v.max()) / node.rating_a, 0.0, f"{node.id} {line}", (line_current(node.id, line),))
        for node, line, (_t, v) in window.currents()
    ]


def recovery_overshoot(window: Window) -> list[Reading]:
    """Largest excess above the budget of every line of every node."""
    return [
        Reading(
            max(float(v.max()) - node.limit_a, 0.0),
            0.0,
            f"{node.id} {line}",
            (line_current(node.id, line),),
            _node_context(window, node),
        )
        for node, line, (_t, v) in window.currents()
    ]


def breaker_fraction(window: Window) -> list[Reading]:
    """How far the OCPD of the service, and of each feeder that names one, is from opening, on every line.

    What flowed in the minute before flowed for ever; a device that is known by its curve has no such memory.
    """
    site, found = window.bench.site, []
    for node in site.nodes:
        if node.id == "service" or site.ocpd_of(node.id)[1]:
            device = device_at(site, node.id)
            found += [reading for line in site.lines for reading in _opening(window, node, line, device)]
    return found


def _opening(window: Window, node: Node, line: str, device: ocpd.Device) -> Iterator[Reading]:
    name = line_current(node.id, line)
    signal = window.bench.record.signals.get(name)
    if signal is not None and len(signal):
        current = signal.polyline(window.start, window.stop)
        before = signal.polyline(window.start - PRELOAD_S, window.start)
        judged = ocpd.assess(current, device, mean(before))
        place = line if node.id == "service" else f"{node.id} {line}"
        note = f"{place}: the {ocpd.title(device)} {OUTCOMES[judged.outcome]}"
        parts = _opening_parts(window, current[1], before[1], device)
        u = COVERAGE * sum(part.standard for part in parts)  # added: both hang on how late the loop was
        yield Reading(judged.fraction, u, note, (name,), parts=parts)


def transformer_hot_spot(window: Window) -> list[Reading]:
    """Hot spot [C] of each feeder's transformer at 20 C around it, after a long time at its first current."""
    site, found = window.bench.site, []
    for feeder in site.feeders:
        rated_a = None if feeder.transformer_kva is None else site.transformer_a(feeder.transformer_kva)
        lines = [window.line(line_current(feeder.id, line)) for line in site.lines]
        heats = [transformer.assess(line, rated_a, AMBIENT_C) for line in lines if line is not None and rated_a]
        if heats:
            worst = max(heats, key=lambda heat: float(heat.hot_spot_c.max()))
            note = f"{feeder.id}: {TRANSFORMER[worst.outcome]}; paper aged {worst.aged_s / 3600.0:.1f} h"
            signals = tuple(line_current(feeder.id, line) for line in site.lines)
            found.append(Reading(float(worst.hot_spot_c.max()), 0.0, note, signals))
    return found


def _opening_parts(window: Window, during: Array, before: Array, device: ocpd.Device) -> tuple[Part, ...]:
    """What a share of what opens a device is uncertain by, nothing on an exact clock.

    The heat grows at most as fast as the largest current lets it. What flowed in the minute before depends on when in
    the waiting of the procedure the stimulus came: by half of its range.
    """
    if not window.time_u:
        return ()
    most = float(np.abs(during).max())
    if not isinstance(device, breaker.Breaker):
        seconds = curve.operating_time(np.array([most / device.rating_a]), device.slow)
        return (clock_part(window.time_u / float(seconds[0])),)
    trip_a = ocpd.holds_a(device)
    low, high = float(np.abs(before).min()) / trip_a, float(np.abs(before).max()) / trip_a
    grown = window.time_u * (most / trip_a) ** 2 / device.slow.tau_s
    how = "half of the range of the minute before the stimulus"
    return clock_part(grown), Part("current before", (high**2 - low**2) / 2.0 / COVERAGE, how)
