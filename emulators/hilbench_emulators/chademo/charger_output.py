"""The charger's power output: insulation test, joining the battery, following orders, falling. Pure."""

from __future__ import annotations

import math

from hilbench_emulators.chademo.models import ChargerModel
from hilbench_emulators.dc.stage import Stage


class Output:
    """Current [A], negative out of the car, and voltage [V] between the power pins."""

    def __init__(self, model: ChargerModel) -> None:
        self._model = model
        self._stage = Stage(model.slew)
        self._battery_v: float | None = None
        self._joined_t = self._test_t = -math.inf
        self._fall_v, self._fall_t = 0.0, 0.0
        self._inrush_until_t = -math.inf
        self._dropped = False

    @property
    def test_s(self) -> float:
        """How long the insulation test lasts: up, hold, and down to 0 V."""
        model = self._model
        return model.test_v / model.test_v_per_s + model.test_hold_s + model.test_v / model.bleed_v_per_s

    def test(self, t: float) -> None:
        """Begin the insulation test."""
        self._test_t = t

    def join(self, t: float, battery_v: float | None) -> None:
        """The car's contactor closed onto this voltage, or opened (None)."""
        if battery_v is not None and self._battery_v is None:
            self._joined_t = t
        elif battery_v is None and self._battery_v is not None:
            self._fall_v, self._fall_t = self._battery_v, t
        self._battery_v = battery_v

    def voltage_v(self, t: float) -> float:
        """Voltage at ``t``: the battery's behind a closed contactor, else the output's own."""
        if self._battery_v is not None:
            joined = (t - self._joined_t) / self._model.join_s if self._model.join_s else 1.0
            return self._battery_v * min(joined, 1.0)
        return max(self._test_v(t), self._fall_v - self._model.bleed_v_per_s * (t - self._fall_t), 0.0)

    def _test_v(self, t: float) -> float:
        model, since = self._model, t - self._test_t
        top = model.test_v / model.test_v_per_s
        if since < top:
            return model.test_v_per_s * since
        return min(model.test_v, model.test_v - model.bleed_v_per_s * (since - top - model.test_hold_s))

    def current_a(self, t: float) -> float:
        """Current at ``t``."""
        current_a = self._stage.current_a(t)
        return current_a + self._model.inrush_a if t < self._inrush_until_t and current_a > 0.0 else current_a

    def follow(self, t: float, wanted_a: float, discharging: bool) -> None:
        """Head for ``wanted_a``; a charger that delivers less than it offers does so here."""
        most = self._model.delivers_a
        if most is not None and not discharging:
            wanted_a = min(wanted_a, most)
        if wanted_a > 0.0 and self._stage.ordered_a == 0.0 and self._inrush_until_t == -math.inf:
            self._inrush_until_t = t + self._model.slew.dead_up_s + self._model.inrush_s
        self._stage.order(t, wanted_a)

    def push(self, t: float, early_a: float) -> None:
        """Current that nobody asked for."""
        if early_a:
            self._stage.order(t, early_a)

    def drop(self, t: float) -> None:
        """To zero, at the rate of a stop and without dead time."""
        self._inrush_until_t = t
        if not self._dropped:
            self._dropped = True
            self._stage.force(t)

    def low_t(self, t: float, low_a: float) -> float:
        """When the output will be at ``low_a`` or less, once it was dropped."""
        excess_a = abs(self.current_a(t)) - low_a
        return t + max(excess_a, 0.0) / self._model.slew.down_a_per_s

    def safe_t(self, t: float, safe_v: float) -> float:
        """When the voltage will be at ``safe_v`` or less; never while a contactor holds it up."""
        if self._battery_v is not None:
            return math.inf
        return t + max(self.voltage_v(t) - safe_v, 0.0) / self._model.bleed_v_per_s
