"""SAE J3068 as far as it is public: what the two sides tell each other, framed as LIN. No conformance is claimed.

Public: LIN on the pilot keeps the voltage states; versions are negotiated from lists; limits are per phase; the car
may ask for a current; the station tells its voltage before there is agreement; 252 is the version of J3068/2
(secondary). Station commands and car responds, 19.2 kbit/s, names of signals (recalled).

Not public, and therefore not those of the standard: frame identifiers, layout and scaling of signals, order and
period of frames, time-outs, version numbers other than 252. What stands here for them is the bench's own, in
:class:`Layout`, so that both ends of a bench agree; a product will not understand it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hilbench.errors import DeviceError, InputError, Problem
from hilbench_emulators.pilot.lin import Frame

BIT_RATE = 19_200
"""Bits per second (recalled)."""
FOUR_QUADRANT = 252
"""Protocol version of J3068/2 (secondary)."""
_NO_VERSION = 0
_STEP_A = 0.1
_LARGEST = 0xFFFF
_PHASES = 4


@dataclass(frozen=True)
class Layout:
    """Identifiers of the frames: the bench's own, not those of the standard."""

    se_versions: int = 0x10
    ev_versions: int = 0x11
    se_limits: int = 0x12
    ev_request: int = 0x13


@dataclass(frozen=True)
class PhaseCurrents:
    """Currents [A] of L1, L2, L3 and N; raises ``InputError`` where one is negative or above 6553.5 A."""

    l1: float
    l2: float = 0.0
    l3: float = 0.0
    n: float = 0.0

    def __post_init__(self) -> None:
        for name, value in zip(("l1", "l2", "l3", "n"), self.values, strict=True):
            if not 0.0 <= value <= _LARGEST * _STEP_A:
                raise InputError("J3068", Problem(name, f"is {value} A", "give 0 to 6553.5 A"))

    @property
    def values(self) -> tuple[float, float, float, float]:
        """In the order L1, L2, L3, N."""
        return self.l1, self.l2, self.l3, self.n

    def at_most(self, other: PhaseCurrents) -> PhaseCurrents:
        """The smaller of both, phase by phase."""
        return PhaseCurrents(*map(min, self.values, other.values))


def pack_versions(frame_id: int, versions: Sequence[int]) -> Frame:
    """A list of versions; raises ``InputError`` for more than 8, none, or such that are no byte above 0."""
    if not 1 <= len(versions) <= 8 or not all(_NO_VERSION < version <= 0xFF for version in versions):
        raise InputError("J3068", Problem("versions", f"are {list(versions)}", "give one to eight of 1 to 255"))
    return Frame(frame_id, bytes(versions).ljust(8, bytes([_NO_VERSION])))


def unpack_versions(frame: Frame) -> tuple[int, ...]:
    """The versions in a frame; raises ``DeviceError`` when there is none."""
    versions = tuple(version for version in frame.data if version != _NO_VERSION)
    if not versions:
        raise DeviceError("J3068: a list of versions is empty")
    return versions


def agreed(ours: Sequence[int], theirs: Sequence[int]) -> int | None:
    """The highest version that both have; None where there is none."""
    return max(set(ours) & set(theirs), default=None)


def pack_currents(frame_id: int, currents: PhaseCurrents) -> Frame:
    """Currents in steps of 0.1 A, rounded down: an offer never says more than is meant."""
    codes = [int(value / _STEP_A + 1e-6) for value in currents.values]
    return Frame(frame_id, b"".join(code.to_bytes(2, "little") for code in codes))


def unpack_currents(frame: Frame) -> PhaseCurrents:
    """The currents in a frame; raises ``DeviceError`` for a frame of another length."""
    if len(frame.data) != 2 * _PHASES:
        raise DeviceError(f"J3068: a frame of currents has 8 bytes, not {len(frame.data)}")
    codes = [int.from_bytes(frame.data[k : k + 2], "little") for k in range(0, 2 * _PHASES, 2)]
    return PhaseCurrents(*(code * _STEP_A for code in codes))


@dataclass
class Side:
    """What either side knows: its own versions, the other's, and the version that both have."""

    versions: tuple[int, ...]
    layout: Layout = field(default_factory=Layout)
    theirs: tuple[int, ...] = ()

    @property
    def version(self) -> int | None:
        """The agreed version; None before the other's list, or without a common one."""
        return agreed(self.versions, self.theirs)


@dataclass
class Station(Side):
    """The station, which commands: it sends its limits once a version is agreed. Pure."""

    limits: PhaseCurrents = field(default_factory=lambda: PhaseCurrents(0.0))
    requested: PhaseCurrents | None = None

    def frames(self) -> list[Frame]:
        """What it sends in one round; limits of 0 A until there is agreement."""
        limits = self.limits if self.version is not None else PhaseCurrents(0.0)
        return [
            pack_versions(self.layout.se_versions, self.versions),
            pack_currents(self.layout.se_limits, limits),
        ]

    def hear(self, frame: Frame) -> None:
        """Take a frame of the car; raises ``DeviceError`` for one that is none of its."""
        if frame.frame_id == self.layout.ev_versions:
            self.theirs = unpack_versions(frame)
        elif frame.frame_id == self.layout.ev_request:
            self.requested = unpack_currents(frame)
        else:
            raise DeviceError(f"J3068: a car does not send frame {frame.frame_id:#04x}")

    def granted(self) -> PhaseCurrents:
        """What the car may draw: its request within the limits, all of them where it has not asked."""
        limits = self.limits if self.version is not None else PhaseCurrents(0.0)
        return limits if self.requested is None else limits.at_most(self.requested)


@dataclass
class Car(Side):
    """The car, which responds. Pure."""

    wanted: PhaseCurrents = field(default_factory=lambda: PhaseCurrents(0.0))
    limits: PhaseCurrents | None = None

    def frames(self) -> list[Frame]:
        """What it answers in one round."""
        return [
            pack_versions(self.layout.ev_versions, self.versions),
            pack_currents(self.layout.ev_request, self.wanted),
        ]

    def hear(self, frame: Frame) -> None:
        """Take a frame of the station; raises ``DeviceError`` for one that is none of its."""
        if frame.frame_id == self.layout.se_versions:
            self.theirs = unpack_versions(frame)
        elif frame.frame_id == self.layout.se_limits:
            self.limits = unpack_currents(frame)
        else:
            raise DeviceError(f"J3068: a station does not send frame {frame.frame_id:#04x}")

    def may_draw(self) -> PhaseCurrents:
        """What it may draw now: what it wants, within the limits; nothing without agreement or limits."""
        if self.version is None or self.limits is None:
            return PhaseCurrents(0.0)
        return self.wanted.at_most(self.limits)
