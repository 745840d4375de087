"""What an oscilloscope is asked for, and what every dialect must be able to say: no I/O here."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilbench.drivers.scpi_reply import Bytes, ReplyError
from hilbench.errors import InputError
from hilbench.waveform import Accuracy


@dataclass(frozen=True)
class Channel:
    """A channel whose screen must show ``low_v`` to ``high_v`` [V], through a probe of 1:``probe``."""

    low_v: float
    high_v: float
    probe: float = 1.0

    @property
    def centre_v(self) -> float:
        """Middle of the screen [V]."""
        return (self.low_v + self.high_v) / 2.0


@dataclass(frozen=True)
class Trigger:
    """An edge of ``channel`` through ``level_v`` [V]."""

    channel: int
    level_v: float
    rising: bool = True


@dataclass(frozen=True)
class Setup:
    """A record of at least ``duration_s`` [s] at no less than ``rate_hz`` [samples/s], the trigger in its middle.

    Without a ``trigger`` it is taken at once. Raises ``InputError`` where it cannot be meant.
    """

    channels: Mapping[int, Channel]
    duration_s: float
    rate_hz: float
    trigger: Trigger | None = None

    def __post_init__(self) -> None:
        if not self.channels:
            raise InputError("oscilloscope", "no channel to record")
        for number, channel in self.channels.items():
            if not channel.low_v < channel.high_v or not channel.probe > 0.0:
                raise InputError("oscilloscope", f"channel {number}: {channel} shows nothing")
        if not (0.0 < self.duration_s < math.inf and 0.0 < self.rate_hz < math.inf):
            raise InputError("oscilloscope", f"{self.duration_s} s at {self.rate_hz} samples/s are no record")
        if self.trigger and self.trigger.channel not in self.channels:
            raise InputError("oscilloscope", f"triggers on channel {self.trigger.channel}, which is not recorded")


@dataclass(frozen=True)
class Plan:
    """How a dialect fits a :class:`Setup`: time per division [s] and points of the memory."""

    time_per_division_s: float
    points: int


@dataclass(frozen=True)
class Scale:
    """What codes mean: volts are ``code * gain_v + offset_v``; ``points`` samples every ``dt_s`` from ``t0_s`` on."""

    points: int
    dt_s: float
    t0_s: float
    gain_v: float
    offset_v: float


class Dialect(ABC):
    """How one family is spoken to; every method is pure. Commands come without line ends."""

    family: str
    divisions_x: int
    divisions_y: int = 8
    depths: tuple[int, ...]
    most_per_read: int = 1 << 24
    """Points that one query returns at most."""
    middle_code: float = 0.0
    codes: int = 256
    step: int = 1
    """The code in the middle of the screen, how many there are, and how far those of the converter are apart."""
    dtype: str = "i1"
    error_query: str = "SYST:ERR?"
    accuracy = Accuracy(gain=0.03 / math.sqrt(3.0), clock=25e-6 / math.sqrt(3.0))
    """3 % of DC gain and 25 ppm of the clock as limits of a bench oscilloscope (recalled), taken as rectangular."""

    @staticmethod
    @abstractmethod
    def speaks(maker: str, model: str) -> bool:
        """Whether an instrument of ``maker`` and ``model``, in capitals, is of this family."""

    @abstractmethod
    def set_up(self, setup: Setup, plan: Plan) -> list[str]:
        """Commands that make the settings, and stop the instrument's showing headers."""

    @abstractmethod
    def screen(self, channel: int) -> list[str]:
        """Queries for the settings of a channel as they came to be."""

    @abstractmethod
    def screen_of(self, answers: Sequence[str]) -> tuple[float, float]:
        """Volts per division and volts in the middle of the screen."""

    @abstractmethod
    def arm(self) -> list[str]:
        """Commands for one acquisition."""

    state: str
    """Query for the state of the acquisition."""

    @abstractmethod
    def is_done(self, answer: str) -> bool:
        """Whether ``state`` says that the acquisition is over."""

    force: str
    """Command that triggers now."""
    halt: str
    """Command that ends an acquisition."""

    @abstractmethod
    def describe(self, channel: int, plan: Plan) -> tuple[list[str], list[str]]:
        """Commands that choose the channel's record, and the queries for its scale."""

    @abstractmethod
    def scale_of(self, answers: Sequence[str]) -> Scale:
        """The scale from the answers to ``describe``; raises ``ReplyError``."""

    @abstractmethod
    def fetch(self, channel: int, start: int, count: int) -> list[str]:
        """Commands and, last, the query for ``count`` codes from ``start`` on."""

    def volts(self, block: Bytes, scale: Scale) -> NDArray[np.float32]:
        """The codes of a block in volts."""
        kind = np.dtype(self.dtype)
        codes = np.frombuffer(block, kind)
        if kind.itemsize == 1:  # a table is faster than arithmetic
            every = np.arange(256).astype(np.uint8).view(kind)
            table = (every * scale.gain_v + scale.offset_v).astype(np.float32)
            return table[codes.view(np.uint8)]
        volts: NDArray[np.float32] = codes.astype(np.float32)
        volts *= np.float32(scale.gain_v)
        volts += np.float32(scale.offset_v)
        return volts

    def plan(self, setup: Setup) -> Plan:
        """Time per division and memory for a setup; raises ``InputError`` with what is possible."""
        time_per_division_s = ceiling_125(setup.duration_s / self.divisions_x)
        span_s = time_per_division_s * self.divisions_x
        wanted = setup.rate_hz * span_s * (1.0 - 1e-9)
        points = next((depth for depth in self.depths if depth >= wanted), None)
        if points is None:
            what = f"{span_s:g} s at {setup.rate_hz:g} samples/s do not fit into {self.depths[-1]} points"
            raise InputError(f"{self.family} oscilloscope", f"{what}: choose a lower rate or a shorter record")
        return Plan(time_per_division_s, points)

    def check_screen(self, channel: Channel, screen: tuple[float, float]) -> None:
        """Raise ``ReplyError`` when a channel is not set as asked: within 2 % of the height, or up to 3 times it."""
        height_v, wanted_v = screen[0] * self.divisions_y, channel.high_v - channel.low_v
        if not 0.98 * wanted_v < height_v < 3.0 * wanted_v:
            raise ReplyError(f"shows {height_v:g} V from bottom to top, {wanted_v:g} V were asked for")
        if abs(screen[1] - channel.centre_v) > 0.1 * wanted_v:
            raise ReplyError(f"shows {screen[1]:g} V in the middle, {channel.centre_v:g} V were asked for")

    def check(self, scale: Scale, plan: Plan, screen: tuple[float, float]) -> None:
        """Raise ``ReplyError`` for a scale that does not fit the settings: fields in another order, another record.

        Time of the whole record and its middle within 5 %, converter range 0.9 to 1.7 of the screen's, its middle
        within half a division [chosen: the range is 1 to 1.28 of the screen in the families known here].
        """
        division_v, centre_v = screen
        span_s = plan.time_per_division_s * self.divisions_x
        range_v = abs(scale.gain_v) * self.codes / (division_v * self.divisions_y)
        middle_v = self.middle_code * scale.gain_v + scale.offset_v
        if scale.points != plan.points:
            raise ReplyError(f"a record of {scale.points} points, {plan.points} were set")
        if not 0.95 < scale.points * scale.dt_s / span_s < 1.05:
            raise ReplyError(f"{scale.points} points of {scale.dt_s:g} s, {span_s:g} s were set")
        if abs(scale.t0_s + span_s / 2.0) > 0.05 * span_s:
            raise ReplyError(f"a record from {scale.t0_s:g} s on, the trigger was set into the middle of {span_s:g} s")
        if not 0.9 < range_v < 1.7:
            raise ReplyError(f"codes of {scale.gain_v:g} V do not fit {division_v:g} V per division")
        if abs(middle_v - centre_v) > 0.5 * division_v:
            raise ReplyError(f"{middle_v:g} V in the middle of the screen, {centre_v:g} V were set")


def ceiling_125(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten that is not below ``value``."""
    decade = 10.0 ** math.floor(math.log10(value) + 1e-9)
    return next(step * decade for step in (1.0, 2.0, 5.0, 10.0) if step * decade >= value * (1.0 - 1e-9))


def ten_fields(answer: str, minimum: int = 10) -> list[str]:
    """The fields of a preamble that is separated by commas; raises ``ReplyError`` for too few."""
    fields = answer.split(",")
    if len(fields) < minimum:
        raise ReplyError(f"a preamble of {len(fields)} fields, {minimum} expected")
    return fields
