"""The car's battery as CHAdeMO sees it: any object with five methods, of which :class:`SimplePack` is the least."""

from __future__ import annotations

from typing import Protocol


class Pack(Protocol):
    """A battery whose state is a function of time and of the current that flows; t in seconds, never backwards."""

    def flow(self, t: float, current_a: float) -> None:
        """From ``t`` on ``current_a`` flows in, negative out."""
        ...

    def voltage_v(self, t: float) -> float:
        """Voltage at the terminals."""
        ...

    def wanted_a(self, t: float) -> float:
        """The most that it takes now; 0 when it is full."""
        ...

    def given_a(self, t: float) -> float:
        """The most that it gives now; 0 when it has come down to its reserve."""
        ...

    def soc_pct(self, t: float) -> float:
        """State of charge."""
        ...


class SimplePack:
    """A straight open-circuit voltage behind a resistance, full at ``full_pct``.

    Defaults are a LEAF of 24 kWh: 96 cells of 3.4 V to 4.1 V (recalled), 0.14 ohm (from recorded sessions).
    """

    def __init__(
        self,
        soc_pct: float = 50.0,
        capacity_wh: float = 22_200.0,
        empty_v: float = 326.0,
        full_v: float = 394.0,
        resistance_ohm: float = 0.14,
        max_a: float = 125.0,
        full_pct: float = 100.0,
    ) -> None:
        self.capacity_wh, self.max_a, self.full_pct = capacity_wh, max_a, full_pct
        self.empty_v, self.full_v, self.resistance_ohm = empty_v, full_v, resistance_ohm
        self._soc_pct, self._t, self._current_a = soc_pct, 0.0, 0.0

    def flow(self, t: float, current_a: float) -> None:
        """See :class:`Pack`."""
        self._to(t)
        self._current_a = current_a

    def voltage_v(self, t: float) -> float:
        """See :class:`Pack`."""
        self._to(t)
        return self._open_v() + self._current_a * self.resistance_ohm

    def wanted_a(self, t: float) -> float:
        """See :class:`Pack`."""
        self._to(t)
        if self._soc_pct >= self.full_pct:
            return 0.0
        return max(min(self.max_a, (self.full_v - self._open_v()) / self.resistance_ohm), 0.0)

    def given_a(self, t: float) -> float:
        """See :class:`Pack`; it has no reserve."""
        self._to(t)
        return self.max_a if self._soc_pct > 0.0 else 0.0

    def soc_pct(self, t: float) -> float:
        """See :class:`Pack`."""
        self._to(t)
        return self._soc_pct

    def _open_v(self) -> float:
        return self.empty_v + (self.full_v - self.empty_v) * self._soc_pct / 100.0

    def _to(self, t: float) -> None:
        hours = (t - self._t) / 3600.0
        self._t = t
        if self._current_a:
            gained_pct = 100.0 * self._current_a * self._open_v() * hours / self.capacity_wh
            self._soc_pct = min(max(self._soc_pct + gained_pct, 0.0), 100.0)
