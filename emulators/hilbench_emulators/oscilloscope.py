"""The inside of an emulated oscilloscope: channels, time base, trigger, converter. What it is told, the dialects know.

Its probes are functions of time. They are asked for the past only, when somebody looks, so that an oscilloscope that
nobody reads costs nothing. Times are bench time [s].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Probe = Callable[[float, float, int], NDArray[np.floating]]
"""``probe(t0_s, dt_s, count)``: volts at ``count`` instants from ``t0_s`` on."""

_SEARCH_STEP_S, _FINER = 1e-6, 64
"""The trigger looks at the signal this often [chosen: a pilot's pulse has 30 us or more], then so much closer."""
_SEARCH_MOST, _SEARCH_PIECE = 1 << 20, 1 << 14
"""Samples that it looks at in one go, what is older is passed over; and how many it asks for at once."""


@dataclass(frozen=True)
class Converter:
    """``codes`` of them over ``divisions`` divisions; ``middle`` is the code in the middle of the screen.

    ``step`` codes apart are the codes of a converter with fewer bits than its words.
    """

    codes: int = 256
    per_division: float = 25.0
    middle: int = 127
    signed: bool = False
    step: int = 1

    def convert(self, volts: NDArray[np.floating], division_v: float, centre_v: float) -> NDArray[np.int32]:
        """Volts as codes, cut off at both ends."""
        codes = np.rint((volts - centre_v) / division_v * (self.per_division / self.step)) * self.step + self.middle
        low = -self.codes // 2 if self.signed else 0
        limited: NDArray[np.int32] = np.clip(codes, low, low + self.codes - self.step).astype(np.int32)
        return limited


@dataclass
class ChannelState:
    """Settings of one channel: volts per division, volts in the middle of the screen, attenuation of its probe."""

    division_v: float = 1.0
    centre_v: float = 0.0
    probe: float = 1.0
    on: bool = False


@dataclass
class TriggerState:
    """Settings of the edge trigger."""

    source: int = 1
    level_v: float = 0.0
    rising: bool = True
    mode: str = "AUTO"


@dataclass
class ScopeState:
    """Everything that can be set, and what was recorded.

    ``running`` ends when an acquisition is complete. ``armed_at`` is None outside a single acquisition, ``trigger_at``
    is the instant of the last trigger [s].
    """

    channels: dict[int, ChannelState]
    division_s: float = 1e-3
    points: int = 1_000
    trigger: TriggerState = field(default_factory=TriggerState)
    running: bool = True
    armed_at: float | None = None
    trigger_at: float | None = None
    searched_to: float = 0.0


class Scope:
    """An oscilloscope with ``probes`` by channel, ``divisions`` across its screen, and a ``converter``."""

    def __init__(self, probes: Mapping[int, Probe], divisions: int, converter: Converter) -> None:
        self.divisions, self.converter = divisions, converter
        self._probes = dict(probes)
        self._records: dict[int, NDArray[np.int32]] = {}
        self.reset()

    def reset(self) -> None:
        """The settings after ``*RST``."""
        self.state = ScopeState({number: ChannelState() for number in (1, 2, 3, 4)})
        self._records.clear()

    @property
    def span_s(self) -> float:
        """Time across the screen, which is that of a record [s]."""
        return self.state.division_s * self.divisions

    @property
    def dt_s(self) -> float:
        """Time between samples [s]."""
        return self.span_s / self.state.points

    def arm(self, t: float) -> None:
        """Begin one acquisition at ``t``: half the span is filled before a trigger counts."""
        state = self.state
        state.armed_at, state.trigger_at, state.running = t, None, True
        state.searched_to = t + self.span_s / 2.0
        self._records.clear()

    def run(self) -> None:
        """Acquire over and over."""
        self.state.running, self.state.armed_at, self.state.trigger_at = True, None, None
        self._records.clear()

    def stop(self, t: float) -> None:
        """End; a free-running oscilloscope keeps the last full span."""
        self.advance(t)
        state = self.state
        if state.running and state.armed_at is None:
            state.trigger_at = t - self.span_s / 2.0
        state.running, state.armed_at = False, None

    def force(self, t: float) -> None:
        """Trigger now, or as soon as the first half is filled."""
        self.advance(t)
        state = self.state
        if state.armed_at is not None and state.trigger_at is None:
            state.trigger_at = max(t, state.armed_at + self.span_s / 2.0)
            self.advance(t)

    def advance(self, t: float) -> None:
        """Look for the trigger up to ``t``, and end an acquisition that is complete."""
        state = self.state
        if state.armed_at is None:
            return
        if state.trigger_at is None:
            state.trigger_at = self._edge(t)
        if state.trigger_at is not None and t >= state.trigger_at + self.span_s / 2.0:
            state.running, state.armed_at = False, None

    def status(self, t: float) -> str:
        """``stop``, ``wait`` for a trigger, ``triggered``, ``fill`` the first half, or ``run`` freely."""
        self.advance(t)
        state = self.state
        if not state.running:
            return "stop"
        if state.armed_at is None:
            return "run"
        if state.trigger_at is not None:
            return "triggered"
        return "fill" if t < state.armed_at + self.span_s / 2.0 else "wait"

    def record(self, channel: int) -> NDArray[np.int32]:
        """Codes of a channel in the last record; none when there is no record or the channel is off."""
        state = self.state
        if state.trigger_at is None or state.running or not state.channels[channel].on:
            return np.empty(0, np.int32)
        if channel not in self._records:
            volts = self._volts(channel, state.trigger_at - self.span_s / 2.0, self.dt_s, state.points)
            settings = state.channels[channel]
            self._records[channel] = self.converter.convert(volts, settings.division_v, settings.centre_v)
        return self._records[channel]

    def _volts(self, channel: int, t0_s: float, dt_s: float, count: int) -> NDArray[np.floating]:
        probe = self._probes.get(channel)
        return np.zeros(count) if probe is None else probe(t0_s, dt_s, count)

    def _edge(self, t: float) -> float | None:
        """The first edge of the trigger since it was looked for last; None when there is none up to ``t``."""
        state = self.state
        count = int((t - state.searched_to) / _SEARCH_STEP_S) + 1
        if count > _SEARCH_MOST:
            state.searched_to, count = t - (_SEARCH_MOST - 1) * _SEARCH_STEP_S, _SEARCH_MOST
        while count > 1:
            found = self._first_edge(state.searched_to, _SEARCH_STEP_S, min(count, _SEARCH_PIECE))
            if found is not None:
                exact = self._first_edge(found - _SEARCH_STEP_S, _SEARCH_STEP_S / _FINER, _FINER + 1)
                return found if exact is None else exact
            state.searched_to += (min(count, _SEARCH_PIECE) - 1) * _SEARCH_STEP_S
            count -= _SEARCH_PIECE - 1
        return None

    def _first_edge(self, start: float, step: float, count: int) -> float | None:
        trigger = self.state.trigger
        above = self._volts(trigger.source, start, step, count) >= trigger.level_v
        edges = np.flatnonzero(above[1:] & ~above[:-1] if trigger.rising else ~above[1:] & above[:-1])
        return float(start + (edges[0] + 1) * step) if len(edges) else None
