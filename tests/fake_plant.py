"""A plant with one car that follows its pilot, for tests of stations."""
# ruff: noqa: D102, ARG002 - a fake that does what the protocol says

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hilbench import clock
from hilbench_emulators.pilot import Change, Circuit, PilotHistory, PilotWire

FOLLOW_S = 2.0


@dataclass
class FakeReading:
    """Truth at the station."""

    currents: dict[str, float]
    voltage_v: float
    power_w: float
    energy_wh: float
    soc: float | None = None
    exported_wh: float = 0.0


@dataclass
class FakePlant:
    """Two seconds after a change of the pilot the car draws what it may, up to ``max_a``, on L1."""

    max_a: float = 32.0
    ignores_at: float | None = None
    duty: float | None = 0.0
    closed: bool = False
    current_a: float = 0.0
    log: list[tuple[float, str, Any]] = field(default_factory=list)
    on_state: Callable[[str], None] | None = None
    on_current: Callable[[], None] | None = None
    on_pilot: Callable[[], None] | None = None
    wire: PilotHistory = field(default_factory=lambda: PilotHistory(Change(0.0, "C", 50.0)))
    _energy: float = 0.0
    _since: float = 0.0

    def plug_in(
        self,
        role: str,
        vehicle: Any,
        *,
        energy_kwh: Any = None,
        soc: Any = None,
        on_state: Callable[[str], None],
        on_current: Callable[[], None] | None = None,
    ) -> None:
        self.on_state, self.on_current = on_state, on_current
        on_state("B")
        self._follow_later()

    def unplug(self, role: str) -> None:
        self.on_state = None
        self._draw(0.0)

    def set_pilot(self, role: str, duty_pct: float | None) -> None:
        self.duty = duty_pct
        self.log.append((clock.time(), "pilot", duty_pct))
        self._follow_later()

    def drive(self, role: str, current_a: float, power_factor: float, over_s: float) -> None:
        """Only DC stations drive."""

    def wish(self, role: str, current_a: float) -> None:
        """Only DC stations wish."""

    def set_supply(self, role: str, on: bool) -> None:
        """No test of a station alone looks at its pilot."""

    def disconnect_pilot(self, role: str, open_: bool) -> None:
        """Nor wakes its car."""

    def pilot_wire(self, role: str) -> PilotWire:
        return self.wire

    def watch_pilot(self, role: str, on_change: Callable[[], None]) -> None:
        self.on_pilot = on_change

    def set_circuit(self, circuit: Circuit) -> None:
        """What the station sees of the car, which is always there and asks."""
        self.wire.update(clock.time(), circuit=circuit)
        assert self.on_pilot is not None
        self.on_pilot()

    def order(self, role: str, current_a: float | None) -> None:
        self.log.append((clock.time(), "order", current_a))

    def set_contactor(self, role: str, closed: bool) -> None:
        self.closed = closed
        self.log.append((clock.time(), "contactor", closed))
        if closed:
            self._follow_later()
        else:
            self._draw(0.0)

    def station_reading(self, role: str) -> FakeReading:
        self._draw(self.current_a)
        return FakeReading({"L1": self.current_a}, 230.0, 230.0 * self.current_a, self._energy)

    def _follow_later(self) -> None:
        asyncio.get_running_loop().call_later(FOLLOW_S, self._follow)

    def _follow(self) -> None:
        if self.on_state is None:
            return
        offer = 0.0 if not self.duty else 0.6 * self.duty
        self.on_state("C" if offer or self.ignores_at is not None else "B")
        self._draw((self.ignores_at or min(offer, self.max_a)) if self.closed else 0.0)

    def _draw(self, amperes: float) -> None:
        now = clock.time() if asyncio._get_running_loop() else 0.0
        self._energy += 230.0 * self.current_a * (now - self._since) / 3600
        self._since = now
        changed, self.current_a = amperes != self.current_a, amperes
        if changed and self.on_current is not None:
            self.on_current()
