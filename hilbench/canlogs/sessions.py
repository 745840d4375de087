"""Which frames of a log are CHAdeMO, and where one session ends and the next begins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hilbench.canlogs.byte_order import HIGHEST_V, in_order
from hilbench.canlogs.reading import CanFrame, Log
from hilbench.chademo import CarState, CarStatus, ChargerState, ChargerStatus, Frame, Opaque, decode, sender
from hilbench.errors import InputError, Problem

MAIN = (0x100, 0x101, 0x102, 0x108, 0x109)
"""Ids that every session has."""
EPTW = (0x508, 0x509)
"""Ids of two-wheelers (xquake3/CHAdeMO-LIb, read-code): not decoded here."""
BREAK_S = 5.0
"""Silence of both sides that may part two sessions (policy-default)."""
_LIKELY = 0.5
"""At least that part of 102 or of 109 must be possible for a log to be taken for CHAdeMO (policy-default)."""


@dataclass(frozen=True, slots=True)
class Said:
    """A decoded frame: when [s from the begin of the session], by which id, what."""

    t: float
    id: int
    frame: Frame


@dataclass(frozen=True)
class Part:
    """The frames of one session; ``begin_s`` is its place in its recording."""

    recording: int
    begin_s: float
    said: tuple[Said, ...]
    foreign: int
    unlikely: int
    misshapen: int


def parts(log: Log, channel: str | None = None) -> tuple[list[Part], list[str]]:
    """The sessions of a log, and notes; raises ``InputError`` where there is no CHAdeMO in it."""
    notes: list[str] = []
    found: list[Part] = []
    for number, recording in enumerate(log.recordings):
        frames, turned = in_order(_of_channel(log.source, recording, channel, notes))
        if turned:
            notes.append("the bytes of the frames stand in reverse order in this log and were turned round")
        own = [frame for frame in frames if sender(frame.id) and not frame.extended]
        if any(frame.id in MAIN for frame in own):
            found += [_part(number, group, len(frames) - len(own)) for group in _groups(own)]
    _refuse(log, found)
    return found, notes


def _refuse(log: Log, found: list[Part]) -> None:
    frames = [frame for recording in log.recordings for frame in recording]
    if not found:
        common = Counter(frame.id for frame in frames).most_common(8)
        ids = ", ".join(f"{can_id:X}" for can_id, _count in common)
        what = f"holds {len(frames)} frames, none of CHAdeMO (100, 101, 102, 108, 109); its ids are {ids}"
        if any(frame.id in EPTW for frame in frames):
            what += "; 508 and 509 are CHAdeMO of two-wheelers, which is not decoded"
        raise InputError(log.source, what)
    states = [said.frame for part in found for said in part.said if isinstance(said.frame, CarState | ChargerState)]
    sides = [[likely(frame) for frame in states if isinstance(frame, kind)] for kind in (CarState, ChargerState)]
    if all(sum(side) < _LIKELY * len(side) for side in sides if side) and states:
        unlikely = sum(part.unlikely for part in found)
        many = f"{unlikely} of {len(states)} frames of 102 and 109"
        what = f"has the ids of CHAdeMO, but {many} say what no car or charger says"
        raise InputError(log.source, Problem("", what, "another bus uses these ids too; is it the right channel?"))


def _of_channel(source: str, frames: Sequence[CanFrame], channel: str | None, notes: list[str]) -> Sequence[CanFrame]:
    """Frames of the channel that was asked for, or of the one that CHAdeMO is on where several use its ids."""
    names = {frame.channel for frame in frames}
    rivals = sorted({frame.channel for frame in frames if frame.id in MAIN})
    if channel is not None:
        if channel not in names:
            known = ", ".join(sorted(names - {""})) or "no names of channels"
            raise InputError(source, f"has no channel {channel!r}; it has {known}")
        return [frame for frame in frames if frame.channel == channel]
    if len(rivals) < 2:
        return frames
    best = max(rivals, key=lambda name: _score(frames, name))
    if _score(frames, best) < _score(frames, None):
        return frames  # no channel has all of it: both sides were recorded apart
    notes.append(f"channels {', '.join(rivals)} use ids of CHAdeMO; {best} is taken (--channel)")
    return [frame for frame in frames if frame.channel == best]


def _score(frames: Sequence[CanFrame], channel: str | None) -> int:
    """How many of the main ids are there with something possible in them."""
    own = [f for f in frames if f.id in MAIN and channel in (None, f.channel)]
    return len({f.id for f in in_order(own)[0] if likely(decode(f.id, f.data))})


def likely(frame: Frame) -> bool:
    """Whether a car or a charger may say that: a known protocol, and a voltage of up to 1000 V."""
    match frame:
        case CarState():
            return frame.protocol <= 4 and frame.target_voltage_v <= 1000
        case ChargerState():
            return frame.protocol <= 4 and frame.voltage_v <= HIGHEST_V
        case Opaque():
            return frame.id not in MAIN
        case _:
            return True


def _groups(frames: list[CanFrame]) -> list[list[CanFrame]]:
    """Parted at long silences after which the car begins anew."""
    groups = [[frames[0]]] if frames else []
    for index in range(1, len(frames)):
        if frames[index].t - frames[index - 1].t >= BREAK_S and _anew(frames, index):
            groups.append([])
        groups[-1].append(frames[index])
    return groups


def _anew(frames: list[CanFrame], index: int) -> bool:
    """What follows is a begin: the first 102 is not enabled and the first 109 not charging."""
    for frame in frames[index : index + 30]:
        said = decode(frame.id, frame.data)
        if isinstance(said, CarState) and said.status & CarStatus.ENABLED:
            return False
        if isinstance(said, ChargerState) and said.status & ChargerStatus.CHARGING:
            return False
    return True


def _part(recording: int, frames: list[CanFrame], foreign: int) -> Part:
    begin = frames[0].t
    said = tuple(Said(frame.t - begin, frame.id, decode(frame.id, frame.data)) for frame in frames)
    states = [one for one in said if isinstance(one.frame, CarState | ChargerState)]
    misshapen = sum(one.id in MAIN and isinstance(one.frame, Opaque) for one in said)
    return Part(recording, begin, said, foreign, sum(not likely(one.frame) for one in states), misshapen)
