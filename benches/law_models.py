"""Seven published control laws as small classes, re-implemented from descriptions of what they do.

They are **not the products**: each is what its documentation, source and issue threads say about one thing, how the
offer follows the meter, on one phase. What a product does besides (staleness, phases, solar, tariffs) is left out.
Figures come from the files and issues that each class names; confidence read-code or read-issue unless it says
otherwise. Only what they say about direction counts.

A law that steers one charger in its product decides here on the sum of all cars, which is shared out equally: kinder
than three of them side by side, each of which would take the same headroom.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

MINIMUM_A = 6.0
"""Least current that a pilot can offer (IEC 61851-1 Table A.8)."""
STATION_A = 32.0
"""Most that a station of the bench offers."""

Offers = list[float]
"""Current offered to each car [A]; below 6 A the car is paused."""


@dataclass(frozen=True)
class View:
    """What a law sees once a second: ``meter_a`` is the newest sample [A], ``fresh`` when it was taken just now,
    ``drawn_a`` what each charger itself measures now [A].
    """

    t: float
    limit_a: float
    meter_a: float
    fresh: bool
    drawn_a: tuple[float, ...]

    @property
    def headroom_a(self) -> float:
        """What the newest sample leaves below the limit; negative in an overload."""
        return self.limit_a - self.meter_a


class Law(Protocol):
    """A control law: called once a second, it answers with what it offers from now on."""

    def step(self, view: View) -> Offers:
        """The offers from now on."""
        ...


def equal_shares(total_a: float, count: int) -> Offers:
    """``total_a`` shared among as many of ``count`` cars as can have the minimum; the others get nothing."""
    served = min(count, math.floor(total_a / MINIMUM_A + 1e-9))
    return [min(total_a / served, STATION_A) if k < served else 0.0 for k in range(count)]


def every(view: View, seconds: float) -> bool:
    """True at whole multiples of ``seconds``."""
    return view.t % seconds == 0.0


class Clamp:
    """OpenEVSE shaper as released in v5.0.2: measured power above the limit is set equal to it.

    So the offer rises by headroom and is never reduced (OpenEVSE/openevse_esp32_firmware#762 and current_shaper.cpp).
    """

    def __init__(self, offers: Sequence[float]) -> None:
        self._total, self._count = sum(offers), len(offers)

    def step(self, view: View) -> Offers:
        """See ``Law``."""
        if view.fresh:
            seen_a = min(view.meter_a, view.limit_a)
            self._total = min(self._total + view.limit_a - seen_a, STATION_A * self._count)
        return equal_shares(self._total, self._count)


class UnityGain:
    """OpenEVSE shaper after that: the whole mismatch of each sample is added to the offer.

    Below the minimum it pauses for 300 s (its min_pause). With a sample or a car one step late the correction is made
    twice (OpenEVSE/openevse_esp32_firmware#901 and pull request 920: 6 to 16 A around 10 A).
    """

    PAUSE_S = 300.0

    def __init__(self, offers: Sequence[float]) -> None:
        self._total, self._count, self._paused_until = sum(offers), len(offers), -math.inf

    def step(self, view: View) -> Offers:
        """See ``Law``."""
        if view.fresh and view.t >= self._paused_until:
            self._total = min(self._total + view.headroom_a, STATION_A * self._count)
            if self._total < MINIMUM_A:
                self._total, self._paused_until = 0.0, view.t + self.PAUSE_S
        return equal_shares(self._total, self._count)


class LoadJuggler:
    """LeoAlioth/Dynamic_OCPP_EVSE, renamed Load Juggler: a loop of 2 s, limits sent every 15 s.

    Ramps of +0.1 and -0.2 A/s in overload as well, dead band 0.3 A, smoothing with 0.3 per cycle, a pause of 3 minutes.
    Smoothed is what the building draws (meter less cars), so that the cars' own changes are not smoothed.
    """

    CYCLE_S, SEND_S, PAUSE_S = 2.0, 15.0, 180.0
    UP_A_PER_S, DOWN_A_PER_S, DEAD_BAND_A, SMOOTHING = 0.1, 0.2, 0.3, 0.3

    def __init__(self, offers: Sequence[float]) -> None:
        self._total, self._count, self._sent = sum(offers), len(offers), list(offers)
        self._base, self._paused_until = math.nan, -math.inf

    def step(self, view: View) -> Offers:
        """See ``Law``."""
        if every(view, self.CYCLE_S):
            self._cycle(view)
        if every(view, self.SEND_S):
            self._send(view)
        return list(self._sent)

    def _cycle(self, view: View) -> None:
        base = view.meter_a - sum(view.drawn_a)
        self._base = base if math.isnan(self._base) else self._base + self.SMOOTHING * (base - self._base)
        aim = min(max(view.limit_a - self._base, 0.0), STATION_A * self._count)
        down, up = self.DOWN_A_PER_S * self.CYCLE_S, self.UP_A_PER_S * self.CYCLE_S
        self._total += min(max(aim - self._total, -down), up)

    def _send(self, view: View) -> None:
        if view.t < self._paused_until:
            return
        wanted = equal_shares(self._total, self._count)
        if self._sent[0] >= MINIMUM_A > wanted[0]:
            self._paused_until = view.t + self.PAUSE_S
        if max(abs(a - b) for a, b in zip(wanted, self._sent, strict=True)) > self.DEAD_BAND_A:
            self._sent = wanted


class Evcc:
    """evcc: every 30 s one loadpoint (core/site.go), its current capped to the measured headroom.

    The cap is what the loadpoint draws plus headroom (core/circuit/circuit.go), first come first served, no current
    kept for what was granted and is not drawn yet (evcc-io/evcc#19166); below the minimum it is switched off.
    """

    TICK_S = 30.0

    def __init__(self, offers: Sequence[float]) -> None:
        self._offers = list(offers)

    def step(self, view: View) -> Offers:
        """See ``Law``."""
        if every(view, self.TICK_S):
            turn = int(view.t / self.TICK_S) % len(self._offers)
            capped = min(view.drawn_a[turn] + view.headroom_a, STATION_A)
            self._offers[turn] = capped if capped >= MINIMUM_A else 0.0
        return list(self._offers)


class HassLoadBalancer:
    """dirkgroenen/hass-evse-load-balancer: a risk of tripping that grows with overload, once a second.

    Full after 60 s up to 13 %, 30 s up to 40 %, 10 s up to 100 %, at once above; 20 s between writes, decreases
    included; increases 15 minutes after the last write. That the risk is forgotten below the limit is assumed.
    """

    BANDS = ((0.13, 60.0), (0.40, 30.0), (1.00, 10.0), (math.inf, 1.0))
    WRITE_S, RAISE_S, LEAST_RAISE_A = 20.0, 900.0, 1.0

    def __init__(self, offers: Sequence[float]) -> None:
        self._total, self._count = sum(offers), len(offers)
        self._risk, self._written = 0.0, -math.inf

    def step(self, view: View) -> Offers:
        """See ``Law``."""
        over = view.meter_a / view.limit_a - 1.0
        self._risk = self._risk + 1.0 / next(s for band, s in self.BANDS if over <= band) if over > 0 else 0.0
        waited = view.t - self._written
        must = self._risk > 0.999 and waited >= self.WRITE_S
        if must or (waited >= self.RAISE_S and view.headroom_a >= self.LEAST_RAISE_A):
            self._total = min(max(self._total + view.headroom_a, 0.0), STATION_A * self._count)
            self._written, self._risk = view.t, 0.0
        return equal_shares(self._total, self._count)


class Warp:
    """Tinkerforge WARP charge manager (current_allocator.cpp): runs every 10 s, after 5 s above 120 % of the limit.

    From the mean of 10 s it takes 93.75 % of an excess away and gives 50 % of headroom, at most half the limit; what
    counts is the least result of 4 minutes. A car that is off needs 150 % of the minimum to be switched on.
    """

    RUN_S, SOON_S, WINDOW_S, LEAST_OF_S = 10.0, 5.0, 10.0, 240.0
    TRIGGER, DOWN, UP, RAISE_SHARE, ENABLE = 1.2, 0.9375, 0.5, 0.5, 1.5

    def __init__(self, offers: Sequence[float]) -> None:
        self._offers = list(offers)
        self._samples: deque[tuple[float, float]] = deque()
        self._results: deque[tuple[float, float]] = deque()
        self._ran = -math.inf

    def step(self, view: View) -> Offers:
        """See ``Law``."""
        _remember(self._samples, view.t, view.meter_a, self.WINDOW_S)
        urgent = view.meter_a > self.TRIGGER * view.limit_a
        if view.t - self._ran >= (self.SOON_S if urgent else self.RUN_S):
            self._ran = view.t
            measured = view.meter_a if urgent else sum(amps for _t, amps in self._samples) / len(self._samples)
            self._run(view.t, view.limit_a - measured, view.limit_a)
        return list(self._offers)

    def _run(self, t: float, room_a: float, limit_a: float) -> None:
        change = self.DOWN * room_a if room_a < 0 else min(self.UP * room_a, self.RAISE_SHARE * limit_a)
        _remember(self._results, t, max(sum(self._offers) + change, 0.0), self.LEAST_OF_S)
        total = min(amps for _t, amps in self._results)
        running = sum(offer >= MINIMUM_A for offer in self._offers)
        running = min(running, math.floor(total / MINIMUM_A + 1e-9))
        while running < len(self._offers) and total - MINIMUM_A * running >= self.ENABLE * MINIMUM_A:
            running += 1
        shared = equal_shares(total, running) if running else []
        self._offers = shared + [0.0] * (len(self._offers) - running)


class SmartEvse:
    """SmartEVSE 3.5 in mode Smart: every 2 s, whether or not the meter has a new sample.

    Down by all of an excess, up by a quarter of headroom; short of the minimum three times in a row, or above twice
    the limit, all stop for 60 s (SmartEVSE/SmartEVSE-3#123: stops and restarts on a meter of 10 s). That it starts
    again with all of the headroom is recalled, not checked.
    """

    CYCLE_S, RETRY_S, UP, SHORT_TIMES = 2.0, 60.0, 0.25, 2

    def __init__(self, offers: Sequence[float]) -> None:
        self._total, self._count = sum(offers), len(offers)
        self._short, self._retry = 0, -math.inf

    def step(self, view: View) -> Offers:
        """See ``Law``."""
        if every(view, self.CYCLE_S):
            if self._total:
                self._balance(view)
            elif view.t >= self._retry and view.headroom_a >= MINIMUM_A:
                self._total, self._short = min(view.headroom_a, STATION_A * self._count), 0
        return equal_shares(self._total, self._count)

    def _balance(self, view: View) -> None:
        room, least = view.headroom_a, MINIMUM_A * self._count
        wanted = self._total + (room if room < 0 else self.UP * room)
        self._short = self._short + 1 if wanted < least and room < 0 else 0
        self._total = min(max(wanted, least), STATION_A * self._count)
        if self._short > self.SHORT_TIMES or view.meter_a > 2.0 * view.limit_a:
            self._total, self._retry = 0.0, view.t + self.RETRY_S


def _remember(window: deque[tuple[float, float]], t: float, amps: float, seconds: float) -> None:
    window.append((t, amps))
    while window[0][0] <= t - seconds:
        window.popleft()


LAWS: dict[str, Callable[[Offers], Law]] = {
    "OpenEVSE v5 clamp": Clamp,
    "Load Juggler": LoadJuggler,
    "evcc": Evcc,
    "hass-evse-load-balancer": HassLoadBalancer,
    "WARP": Warp,
    "OpenEVSE unity gain": UnityGain,
    "SmartEVSE Smart": SmartEvse,
}
"""By name; each is made with what it offers when it takes over [A per car]."""
