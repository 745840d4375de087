"""The building's own load: what the service carries beside the cars.

A load is amperes per line, straight between kinks, from one curve (a CSV file, see ``load_csv``; a model, see
``load_models``; a constant) plus the injections that a procedure adds. All of it has one power factor, so that the
RMS currents of its parts add.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hilbench.errors import InputError, Problem
from hilbench.site import Service
from hilbench_emulators.curves import Array, Curve, Polyline
from hilbench_emulators.injections import Injection

Phasors = NDArray[np.complex128]


class BaseLoad(Protocol):
    """What the plant asks of a building."""

    def currents(self, t: float, *, before: bool = False) -> Phasors:
        """Line-current phasors [A], shape (lines,), at bench time ``t``; ``before`` a jump there or after it."""
        ...

    def next_kink(self, t: float) -> float:
        """The first bench time after ``t`` where the currents stop being straight; infinity if none."""
        ...


@runtime_checkable
class ChangingLoad(BaseLoad, Protocol):
    """A building whose load may be changed while it runs; it calls ``on_change`` after each change."""

    on_change: Callable[[], None] | None


class BuildingLoad:
    """Currents of a building: a curve of amperes per line and injections on top.

    ``power_factor`` (0..1, lagging) is common to all; 0.95 is a policy-default. Raises ``InputError`` when it is
    out of range. A negative current is export.
    """

    def __init__(self, curve: Curve, service: Service, *, power_factor: float = 0.95) -> None:
        if not 0 < power_factor <= 1:
            raise InputError("building", Problem("power_factor", f"{power_factor} is not in 0..1"))
        self.curve = curve
        self.lines = service.lines
        self.on_change: Callable[[], None] | None = None
        self._phase: Phasors = np.array(
            [service.phasor(line) * cmath.rect(1.0, -math.acos(power_factor)) for line in self.lines]
        )
        self._injections: list[tuple[Injection, Polyline, Array]] = []

    def base_a(self, t: float, *, before: bool = False) -> Array:
        """Amperes per line, shape (lines,), with the injections, at bench time ``t``; negative for export."""
        total = self.curve.at(t, before=before)
        for _injection, curve, mask in self._injections:
            total = total + curve.at(t, before=before) * mask
        return total

    def currents(self, t: float, *, before: bool = False) -> Phasors:
        """See :class:`BaseLoad`."""
        phasors: Phasors = self.base_a(t, before=before) * self._phase
        return phasors

    def next_kink(self, t: float) -> float:
        """See :class:`BaseLoad`."""
        kink = self.curve.next_kink(t)
        for _injection, curve, _mask in self._injections:
            kink = min(kink, curve.next_kink(t))
        return kink

    def add(self, injection: Injection) -> Injection:
        """Put ``injection`` on top and return it; raises ``InputError`` when it names a line that is not there.

        ``on_change`` is called, so that a plant can look again.
        """
        lines = self.lines if injection.lines is None else injection.lines
        unknown = [line for line in lines if line not in self.lines]
        if unknown or not lines:
            has = " ".join(self.lines)
            missing = ", ".join(unknown) or "(none given)"
            raise InputError("injection", Problem("lines", f"no line {missing}", f"use {has}"))
        t, amps = zip(*injection.corners(), strict=True)
        mask = np.array([float(line in lines) for line in self.lines])
        self._injections.append((injection, Polyline(t, amps), mask))
        self._changed()
        return injection

    def remove(self, injection: Injection) -> None:
        """Take ``injection`` away at once; nothing happens when it is not there."""
        for index, (known, _curve, _mask) in enumerate(self._injections):
            if known is injection:
                del self._injections[index]
                self._changed()
                return

    def _changed(self) -> None:
        if self.on_change is not None:
            self.on_change()


def constant_load(service: Service, amps: float, *, power_factor: float = 0.95) -> BuildingLoad:
    """A building that draws ``amps`` in every line, for ever."""
    return BuildingLoad(Polyline([0.0], [[amps] * len(service.lines)]), service, power_factor=power_factor)


def line_shares(service: Service, shares: Mapping[str, float] | None) -> Array:
    """Share of the total power per line, shape (lines,): even, or as given.

    Raises ``InputError`` when a line is unknown or the shares do not add up to 1.
    """
    lines = service.lines
    if shares is None:
        return np.full(len(lines), 1.0 / len(lines))
    remedy = f"use {' '.join(lines)}"
    problems = [Problem(f"shares.{key}", "no such line", remedy) for key in shares if key not in lines]
    problems += [
        Problem(f"shares.{key}", f"{value} is not in 0..1") for key, value in shares.items() if not 0 <= value <= 1
    ]
    total = math.fsum(shares.values())
    if not problems and abs(total - 1.0) > 1e-6:
        problems.append(Problem("shares", f"they add up to {total:g}", "they must add up to 1"))
    if problems:
        raise InputError("building", problems)
    return np.array([shares.get(line, 0.0) for line in lines])


def amps_per_kw(service: Service, shares: Array, power_factor: float) -> Array:
    """Amperes per line, shape (lines,), for 1 kW of total power."""
    amps: Array = shares * 1000.0 / (service.line_to_neutral_v * power_factor)
    return amps
