"""What a station offers now: from the profiles, by what its make does to them, to the outlet."""

from __future__ import annotations

import math
from typing import Any

from hilbench import clock
from hilbench.signals import Signal
from hilbench.site import Branch
from hilbench_emulators.dc_outlet.outlet import DcOutlet
from hilbench_emulators.smart_charging import Profile
from hilbench_emulators.station.character import Shaper
from hilbench_emulators.station.charging import Charging
from hilbench_emulators.station.contract import Contract
from hilbench_emulators.station.outlet import Outlet
from hilbench_emulators.station.uplink import Uplink


class Limited(Contract):
    """Evaluates once for everything that happens in one instant, and at each change of the profiles."""

    charging: Charging
    limit_a: float
    _branch: Branch
    _outlet: Outlet | DcOutlet
    _shaper: Shaper
    _signal: Signal
    _override_a: float
    _deaf_a: float | None
    _store: dict[str, Any]
    _uplink: Uplink

    @property
    def connected(self) -> bool:
        """The controller has accepted it and the link stands."""
        return self._uplink.connected

    def save(self) -> None:
        """Keep what persists."""
        self._store.update(self.saved())

    def poke(self) -> None:
        """Look at everything again, once, later in this instant."""
        if "poke" not in self._timers or self._timers["poke"].cancelled():
            self._at("poke", clock.time(), self._poked)

    def _poked(self) -> None:
        self._timers.pop("poke", None)
        self._refresh()

    def deafen(self, limit_a: float | None) -> None:
        """Go on accepting every profile, but offer ``limit_a`` whatever they say; None: do as they say again.

        Below 0 it orders a car that may discharge to give so much.
        """
        self._deaf_a = limit_a
        self.poke()

    def _clock_moved(self, by_s: float) -> None:
        self.charging.store.clock_moved(by_s)
        self._shaper.clock_moved(by_s)

    def _refresh(self) -> None:
        """Evaluate the profiles, tell the outlet, set the timer for their next change, report a changed status."""
        if not self._outlet.powered:
            return
        utc = self._utc()
        offered, change = self._shaped(utc)
        self.limit_a = min(self._shaper.acts_on_a, self._override_a)
        if self._signal.last() != self.limit_a:
            self._signal.append(clock.time(), self.limit_a)
        offered = min(offered, self._override_a)
        self._outlet.allow(offered, self.order_a(offered), self.charging_allowed and self._override_a > 0.0)
        change = min(change, self.charging.next_change(utc))
        self._at("limit", clock.time() + change - utc if change < math.inf else math.inf, self._refresh)
        self.tell_status()

    def order_a(self, offered_a: float) -> float | None:  # noqa: ARG002 - for those that give orders
        """What to order the car over a link [A per phase] where up to ``offered_a`` may charge; None: nothing."""
        return None

    def _shaped(self, utc: float) -> tuple[float, float]:
        """What this make of station offers now, and when that changes without a profile changing."""
        offered, again = self._shaper.shape(utc, self._wanted_a(), self.charging_allowed)
        if self._shaper.resumes(offered) and self.charging.forget_on("resume"):
            return self._shaped(utc)
        return offered, again

    def _wanted_a(self) -> float:
        """What the profiles say that may flow, before this make of station does with it what it does."""
        followed_a = self.charging.followed_a(self._utc(), online=self.connected)
        return self._or_nameplate(followed_a if self._deaf_a is None else max(self._deaf_a, 0.0))

    def _or_nameplate(self, limit_a: float | None) -> float:
        return self._branch.max_a if limit_a is None else limit_a

    def installed(self, profile: Profile) -> None:
        """A profile from the controller counts from now on."""
        self._shaper.told(self._utc())
        self.event("command.profile", **self.charging.describe(profile, self._utc()))
        self.save()
        self._refresh()
