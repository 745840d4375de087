"""A DC charger's power stage: an output that follows orders late and at a limited rate. Pure; closed form in between.

Recorded chargers take a new order up and one down with different dead times: what was ordered before still comes, so
that the output rises for a while after the order to go to zero.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Slew:
    """Rates [A/s] and dead times [s] of an output: of orders from zero, of other orders up, and of orders down.

    Defaults: 20 A/s up (damienmaguire/Stm32-vcu, Battery-Emulator, read-code), 50 A/s down (recorded with a LEAF ZE1).
    """

    up_a_per_s: float = 20.0
    down_a_per_s: float = 50.0
    dead_on_s: float = 0.0
    dead_up_s: float = 0.0
    dead_down_s: float = 0.0


class Stage:
    """Output current [A]; negative flows out of the car."""

    def __init__(self, slew: Slew) -> None:
        self.slew = slew
        self._t = 0.0
        self._current_a = 0.0
        self._target_a = 0.0
        self._orders: list[tuple[float, float]] = []

    def order(self, t: float, target_a: float) -> None:
        """Head for ``target_a`` after its dead time.

        An order down voids those that would take effect after it; one up waits for those before it.
        """
        if target_a == self.ordered_a:
            return
        if abs(target_a) < abs(self.ordered_a):
            at = t + self.slew.dead_down_s
            self._orders = [order for order in self._orders if order[0] < at]
        else:
            at = t + (self.slew.dead_up_s if self.ordered_a else self.slew.dead_on_s)
            at = max(at, self._orders[-1][0]) if self._orders else at
        self._orders.append((at, target_a))

    def force(self, t: float, target_a: float = 0.0) -> None:
        """Head for ``target_a`` now, whatever was ordered: an emergency."""
        self.current_a(t)
        self._orders.clear()
        self._target_a = target_a

    def cut(self) -> None:
        """The way of the current is interrupted: nothing flows from now on."""
        self._orders.clear()
        self._current_a = self._target_a = 0.0

    @property
    def ordered_a(self) -> float:
        """What the last order was."""
        return self._orders[-1][1] if self._orders else self._target_a

    def current_a(self, t: float) -> float:
        """The output at ``t``, which never runs backwards."""
        while self._orders and self._orders[0][0] <= t:
            at, target_a = self._orders.pop(0)
            self._move(at)
            self._target_a = target_a
        self._move(t)
        return self._current_a

    def _move(self, t: float) -> None:
        seconds, self._t = max(t - self._t, 0.0), max(t, self._t)
        while seconds > 0.0 and self._current_a != self._target_a:
            seconds = self._leg(seconds)

    def _leg(self, seconds: float) -> float:
        """Move towards the target as far as zero or the target itself; seconds that are left."""
        now, target = self._current_a, self._target_a
        end = 0.0 if now * target < 0.0 else target
        rate = self.slew.up_a_per_s if abs(end) > abs(now) else self.slew.down_a_per_s
        needed = abs(end - now) / rate
        if needed <= seconds:
            self._current_a = end
            return seconds - needed
        self._current_a = now + (rate if end > now else -rate) * seconds
        return 0.0
