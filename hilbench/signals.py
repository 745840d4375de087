"""Signals and events: the one thing that is recorded, and the only input of the metrics.

A signal is a function of time that is constant (``step``) or straight (``linear``) between its samples.
What happens at one instant is settled before it counts: of several samples at the same time a ``step`` signal
keeps the last, a ``linear`` signal the first and the last (the values just before and just after a jump), so that
the order of callbacks within an instant never reaches a metric.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hilbench.waveform import Snapshot

Array = NDArray[np.float64]
Kind = Literal["step", "linear"]


@dataclass(frozen=True)
class Source:
    """Where samples come from, so that a verdict knows how far to trust them.

    ``uncertainty`` is the expanded uncertainty (k = 2) of one sample in the signal's unit; ``fidelity`` says whether
    the device is emulated (the value is the truth of the model) or an instrument; ``calibration`` identifies the
    instrument's certificate.
    """

    device: str
    fidelity: Literal["emulated", "instrument"] = "emulated"
    uncertainty: float = 0.0
    calibration: str = ""


EMULATED = Source("emulated")


class Signal:
    """One recorded quantity: times in seconds since the epoch of the run, values in ``unit``."""

    def __init__(self, name: str, unit: str, kind: Kind = "step", source: Source = EMULATED) -> None:
        self.name = name
        self.unit = unit
        self.kind: Kind = kind
        self.source = source
        self._t = array("d")
        self._v = array("d")

    def __len__(self) -> int:
        return len(self._t)

    def append(self, t: float, value: float) -> None:
        """Record ``value`` at ``t``; raises ``ValueError`` when time runs backwards."""
        times, values = self._t, self._v
        if times and t <= times[-1]:
            if t < times[-1]:
                raise ValueError(f"signal {self.name}: sample at {t} after one at {times[-1]}")
            if self.kind == "step" or (len(times) > 1 and times[-2] == t):
                values[-1] = value
                return
            if values[-1] == value:
                return
        times.append(t)
        values.append(value)

    def rows(self, start: int = 0, stop: int | None = None) -> tuple[Array, Array]:
        """Copies of the raw samples ``[start:stop]`` as (times, values)."""
        return np.array(self._t[start:stop]), np.array(self._v[start:stop])

    def settled(self) -> int:
        """How many samples can no longer change: all but those at the latest instant."""
        count = len(self._t)
        if not count:
            return 0
        last = self._t[-1]
        while count and self._t[count - 1] == last:
            count -= 1
        return count

    def last(self) -> float | None:
        """The newest value, or None before the first sample."""
        return self._v[-1] if self._v else None

    def polyline(self, start: float | None = None, stop: float | None = None) -> tuple[Array, Array]:
        """Corner points (times, values) of the function between ``start`` and ``stop``, jumps as two equal times.

        The ends are interpolated (``step``: held), and held beyond the first and the last sample. Raises
        ``ValueError`` when the signal has no samples.
        """
        t, v = self.rows()
        if not len(t):
            raise ValueError(f"signal {self.name} has no samples")
        if self.kind == "step" and len(t) > 1:
            t, v = np.repeat(t, 2)[1:], np.repeat(v, 2)[:-1]
        first = float(t[0]) if start is None else start
        return clip(t, v, first, max(first, float(t[-1])) if stop is None else stop)

    def value_at(self, t: float) -> float:
        """The settled value at ``t`` (after any jump at ``t``)."""
        times, values = self.rows()
        index = int(np.searchsorted(times, t, side="right"))
        if index == 0:
            return float(values[0])
        if self.kind == "step" or index == len(times):
            return float(values[index - 1])
        return float(np.interp(t, times[index - 1 : index + 1], values[index - 1 : index + 1]))


def clip(t: Array, v: Array, start: float, stop: float) -> tuple[Array, Array]:
    """The polyline (t, v) restricted to [start, stop]: right-hand value at ``start``, left-hand value at ``stop``."""
    first = int(np.searchsorted(t, start, side="right"))
    last = int(np.searchsorted(t, stop, side="left"))
    head = _interpolate(t, v, first, start)
    tail = _interpolate(t, v, last, stop)
    inner = slice(first, max(first, last))
    return (
        np.concatenate(([start], t[inner], [stop])),
        np.concatenate(([head], v[inner], [tail])),
    )


def _interpolate(t: Array, v: Array, index: int, at: float) -> float:
    if index == 0:
        return float(v[0])
    if index == len(t):
        return float(v[-1])
    t0, t1, v0, v1 = map(float, (t[index - 1], t[index], v[index - 1], v[index]))  # numpy warns of infinite ones
    return v0 if t1 == t0 else v0 + (v1 - v0) * (float(at) - t0) / (t1 - t0)


@dataclass(frozen=True)
class Event:
    """Something that happened: ``kind`` in dotted lower case (``stimulus.step``), ``subject`` a role or node."""

    t: float
    kind: str
    subject: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


MOST_SNAPSHOTS, MOST_SAMPLES = 40, 100_000
"""Records of an instrument that are kept of one procedure, and samples of each (policy-default)."""


class Record:
    """What one procedure recorded, in memory: signals, events, snapshots; the evidence floor writes it as it grows."""

    def __init__(self) -> None:
        self.signals: dict[str, Signal] = {}
        self.events: list[Event] = []
        self.snapshots: dict[str, Snapshot] = {}

    def signal(self, name: str, unit: str, kind: Kind = "step", source: Source = EMULATED) -> Signal:
        """The signal called ``name``, created on first use; raises ``ValueError`` when unit or kind differ."""
        found = self.signals.get(name)
        if found is None:
            found = self.signals[name] = Signal(name, unit, kind, source)
        elif (found.unit, found.kind) != (unit, kind):
            raise ValueError(f"signal {name} is {found.unit}/{found.kind}, not {unit}/{kind}")
        return found

    def event(self, t: float, kind: str, subject: str = "", **data: Any) -> Event:
        """Append an event and return it, so that a metric can be asked ``since`` it."""
        event = Event(t, kind, subject, data)
        self.events.append(event)
        return event

    def keep(self, shot: Snapshot) -> str:
        """Keep what a measurement rests on; returns its name, the same again for the same record.

        After :data:`MOST_SNAPSHOTS` nothing more is kept, and the name is empty; of a record longer than
        :data:`MOST_SAMPLES` only its begin is.
        """
        for name, kept in self.snapshots.items():
            if (kept.of, kept.record.t0_s) == (shot.of, shot.record.t0_s):
                return name
        if len(self.snapshots) >= MOST_SNAPSHOTS:
            return ""
        name = f"{shot.of}-{len(self.snapshots) + 1:03d}"
        begin = replace(shot.record, values=shot.record.values[:MOST_SAMPLES])
        self.snapshots[name] = replace(shot, record=begin)
        return name

    def events_of(self, kind: str, subject: str | None = None) -> Iterator[Event]:
        """Events whose kind is ``kind`` or starts with ``kind.``, of one subject or of all."""
        for event in self.events:
            if (event.kind == kind or event.kind.startswith(kind + ".")) and subject in (None, event.subject):
                yield event


def line_current(node: str, line: str) -> str:
    """Signal name of the true RMS current [A] in one line conductor of a site node or station (``linear``)."""
    return f"current/{node}/{line}"


def base_current(line: str, node: str = "service") -> str:
    """Signal name of the building's own current [A] in one line of the service, or of a feeder (``linear``)."""
    return f"base/{line}" if node == "service" else f"base/{node}/{line}"


def metered_current(meter: str, line: str) -> str:
    """Signal name of the current [A] that a meter reports for one line (``step``)."""
    return f"meter/{meter}/{line}"


def offered_current(role: str) -> str:
    """Signal name of the current [A] that a station offers on its pilot, 0 without PWM (``step``)."""
    return f"offered/{role}"


def profile_limit(role: str) -> str:
    """Signal name of the limit [A] that a station goes by (``step``): what its make takes the profiles to allow."""
    return f"limit/{role}"


def contactor(role: str) -> str:
    """Signal name of the contactor of an emulated station (``step``): 1 while it is closed."""
    return f"contactor/{role}"


def commanded_current(name: str) -> str:
    """Signal name of the current [A] that a board was told to offer (``step``)."""
    return f"commanded/{name}"


def pilot_duty(name: str) -> str:
    """Signal name of the duty cycle [%] measured on the pilot of a station or board; 100 without PWM, 0 in state F."""
    return f"pilot/{name}/duty"


def pilot_high(name: str) -> str:
    """Signal name of the high level [V] measured on the pilot of a station or board."""
    return f"pilot/{name}/high"


def station_power(role: str) -> str:
    """Signal name of the active power [W] drawn at a station (``linear``), negative while its car discharges."""
    return f"power/{role}"


def station_energy(role: str) -> str:
    """Signal name of the energy [Wh] that a station's meter has counted into cars (``linear``)."""
    return f"energy/{role}"


def exported_energy(role: str) -> str:
    """Signal name of the energy [Wh] that a station's meter has counted out of cars that can discharge (``linear``)."""
    return f"exported/{role}"


def state_of_charge(role: str) -> str:
    """Signal name of the state of charge, 0..1, of a car that can discharge (``linear``)."""
    return f"soc/{role}"


def dc_voltage(role: str) -> str:
    """Voltage at a DC outlet [V]."""
    return f"dc/{role}/voltage"


def dc_current(role: str) -> str:
    """Current at a DC outlet into the car [A], negative out of it."""
    return f"dc/{role}/current"


def dc_offered(role: str) -> str:
    """What a DC charger's latest message allows its car [A], negative where it asks the car to give."""
    return f"dc/{role}/offered"


def dc_requested(role: str) -> str:
    """What a car's latest message asks its DC charger for [A], negative where it gives."""
    return f"dc/{role}/requested"


def node_power(node: str) -> str:
    """Signal name of the active power [W] through a node (``linear``), negative while the site exports.

    Only the service has one, and only where cars may discharge, or a grid or a tariff counts it.
    """
    return f"power/{node}"


def demanded_current(role: str) -> str:
    """Signal name of the current [A] per phase that the car at a station would draw unmanaged (``step``)."""
    return f"demand/{role}"
