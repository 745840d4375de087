"""Probes on control pilots: a channel of an oscilloscope, and what was measured there in the course of a run."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from hilbench import clock
from hilbench.drivers.scope import Acquisition, Channel, Oscilloscope, Setup
from hilbench.metrics.pilot import Mode, Pilot, measure
from hilbench.metrics.pilot_watch import changes
from hilbench.signals import Record, Source, pilot_duty, pilot_high
from hilbench.waveform import Waveform

SCREEN_V = (-15.0, 15.0)
"""What a channel on a pilot must show: +-12.6 V and some of what should not be there."""


MOST_KEPT = 100
"""Records that one watch keeps in memory, some 10 ms of 1 MS/s each (policy-default)."""


@dataclass(frozen=True)
class Capture:
    """A record whose times are bench time [s], known to ``uncertainty_s``; and when the reading was complete."""

    record: Waveform
    uncertainty_s: float
    done_s: float


@dataclass(frozen=True)
class Seen:
    """What a capture showed: bench time of its middle [s], what that is uncertain by, the pilot, and the record.

    There is no ``record`` where it was let go of: of a long row only those on both sides of a change are kept.
    """

    t: float
    uncertainty_s: float
    pilot: Pilot
    record: Waveform | None = None


class SharedScope:
    """An oscilloscope whose channels are on several pilots; one acquisition at a time."""

    def __init__(self, scope: Oscilloscope, channels: Mapping[str, int], probe_ratio: float) -> None:
        self._scope, self._numbers = scope, dict(channels)
        self._channels = {number: Channel(*SCREEN_V, probe_ratio) for number in self._numbers.values()}
        self._set: Setup | None = None
        self._turn = asyncio.Lock()

    async def acquire(self, of: str, duration_s: float, rate_hz: float) -> Capture:
        """A record of the pilot ``of``, taken now; raises ``DeviceError``."""
        number = self._numbers[of]
        setup = Setup({number: self._channels[number]}, duration_s, rate_hz)
        async with self._turn:
            if setup != self._set:
                await self._scope.set_up(setup)
                self._set = setup
            return _timed(await self._scope.single(), number)


def _timed(taken: Acquisition, number: int) -> Capture:
    """The record in bench time: its trigger lies where both what was sent and what came back allow it."""
    record = taken.records[number]
    before_s, after_s = -record.t0_s, record.t0_s + record.duration_s
    first, last = taken.armed_s + before_s, taken.done_s - after_s
    middle, slack = (first + last) / 2.0, max(last - first, 0.0) / 2.0
    return Capture(replace(record, t0_s=middle + record.t0_s), slack, taken.done_s)


class PilotProbe:
    """The probe on the pilot ``of`` a station or a board. What it measures is in the record as signals too."""

    def __init__(self, of: str, scope: SharedScope, record: Record, source: Source) -> None:
        self.of, self._scope = of, scope
        self._duty = record.signal(pilot_duty(of), "%", source=source)
        self._high = record.signal(pilot_high(of), "V", source=source)

    async def capture(self, duration_s: float = 0.01, rate_hz: float = 1e6) -> Capture:
        """A record of at least ``duration_s`` [s] at ``rate_hz`` [samples/s] or more; raises ``DeviceError``."""
        return await self._scope.acquire(self.of, duration_s, rate_hz)

    async def look(self, duration_s: float = 0.01, rate_hz: float = 1e6, mode: Mode = "careful") -> Seen:
        """Take a record and measure it; raises ``DeviceError``."""
        taken = await self.capture(duration_s, rate_hz)
        found = measure(taken.record, mode)
        t = taken.record.t0_s + taken.record.duration_s / 2.0
        self._note(t, found)
        return Seen(t, taken.uncertainty_s + taken.record.duration_s / 2.0, found, taken.record)

    async def watch(self, seconds: float, every_s: float = 0.1) -> list[Seen]:
        """Look every ``every_s`` [s] for ``seconds`` [s], or as often as the oscilloscope can.

        Of the records only those of the first and the last look and around changes are kept, the first
        :data:`MOST_KEPT` of them.
        """
        seen: list[Seen] = []
        kept, until = 0, clock.time() + seconds
        while (begins := clock.time()) < until:
            seen.append(await self.look(mode="fast"))
            if len(seen) > 2 and (kept >= MOST_KEPT or _alike(*seen[-3:])):
                seen[-2] = replace(seen[-2], record=None)
            else:
                kept += 1
            await asyncio.sleep(max(begins + every_s - clock.time(), 0.0))
        return seen

    def _note(self, t: float, found: Pilot) -> None:
        duty = found.source_duty_pct.value if found.pwm else (0.0 if found.state == "F" else 100.0)
        if math.isfinite(duty):
            self._duty.append(t, duty)
        self._high.append(t, found.high_v.value)


def _alike(*row: Seen) -> bool:
    """True when the pilot did not change from the first to the last of them."""
    duties = [one.pilot.source_duty_pct.value if one.pilot.pwm else math.nan for one in row]
    same = len({one.pilot.state for one in row}) == 1
    return same and not changes(list(enumerate(duties)))
