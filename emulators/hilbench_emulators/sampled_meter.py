"""What every emulated meter does, however it is read: sample, average, be late, and fail on demand."""

from __future__ import annotations

import asyncio
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Protocol

import numpy as np

from hilbench import clock
from hilbench.devices import MeterFault
from hilbench.errors import InputError, Problem
from hilbench.signals import Record, Source, metered_current
from hilbench.site import Site
from hilbench_emulators.metering import MeterCore, MeterSettings, Reading, WiringFault

_FAULTS: tuple[MeterFault, ...] = ("dead", "frozen", "nan", "zero", "reversed", "swapped")
_ENERGY = ("import_energy", "export_energy")


class Truth(Protocol):
    """What the meter asks of the plant."""

    site: Site

    def reading(self, node_id: str) -> Reading:
        """Currents, voltages and power at a node now."""
        ...


class SampledMeter(ABC):
    """A meter at ``node_id`` that samples on the UTC grid.

    What it shows is recorded as ``metered_current(name, line)``, each change of fault as an event ``meter.fault``.
    ``rng`` places the CTs inside their class and makes their noise; ``flicker`` is the standard deviation of noise
    that values by name have anyway. Raises ``InputError`` for settings that are out of range.
    """

    speaks = False
    """True where it tells its values by itself: frozen, it goes on to tell the last ones."""

    def __init__(
        self,
        plant: Truth,
        node_id: str,
        *,
        model: str,
        record: Record,
        rng: np.random.Generator,
        settings: MeterSettings | None = None,
        name: str | None = None,
        flicker: Mapping[str, float] | None = None,
    ) -> None:
        self.name = name or node_id
        self.settings = settings or MeterSettings()
        self._plant, self._node_id = plant, node_id
        service = plant.site.service
        ct = self.settings.ct(plant.site.node(node_id).rating_a)
        self._core = MeterCore(service, ct, self.settings.averaging_s, rng)
        self._rng, self._flicker = rng, dict(flicker or {})
        self._record = record
        source = Source(f"emulated:{model}")
        self._signals = [record.signal(metered_current(self.name, line), "A", source=source) for line in service.lines]
        self._fault: MeterFault | None = None
        self._shown: dict[str, float] = {}
        self._sampling: asyncio.Task[None] | None = None

    @abstractmethod
    def show(self, values: dict[str, float]) -> None:
        """Let whoever reads the meter see ``values`` from now on."""

    def first_sample(self) -> None:
        """Be ready to be read."""
        self._sample()
        self._publish(self._values())

    def begin(self) -> None:
        """Go on sampling."""
        self._sampling = asyncio.get_running_loop().create_task(self._run(), name=f"meter {self.name}")

    async def end(self) -> None:
        """Sample no more."""
        if self._sampling is not None:
            self._sampling.cancel()
            await asyncio.gather(self._sampling, return_exceptions=True)
            self._sampling = None

    def set_fault(self, fault: MeterFault | None, **parameters: object) -> None:
        """Start ``fault``, in place of any other, or end it with None.

        ``dead`` takes requests and never answers; ``frozen`` answers with the values of now for ever; ``nan`` makes
        every value NaN; ``zero`` makes every current and power 0; ``reversed`` mounts the CTs of ``lines`` (default
        all) backwards; ``swapped`` exchanges the CTs of two ``lines`` (default the first two). All but ``dead`` and
        ``frozen`` show from the next sample on. Raises ``InputError`` for a fault, a parameter or a line unknown.
        """
        wiring = self._wiring(fault, parameters)
        self._fault = fault
        self._core.wiring = wiring
        lines = sorted(wiring.reversed_lines) or list(wiring.swapped_lines)
        self._record.event(clock.time(), "meter.fault", self.name, fault=fault, **({"lines": lines} if lines else {}))

    def _wiring(self, fault: MeterFault | None, parameters: dict[str, object]) -> WiringFault:
        """The wiring that a fault leaves; raises ``InputError`` for what it does not know."""
        where = f"meter {self.name}"
        if fault is not None and fault not in _FAULTS:
            raise InputError(where, Problem("fault", f"no fault {fault!r}", f"use one of {', '.join(_FAULTS)}"))
        known = {"lines"} if fault in ("reversed", "swapped") else set()
        unknown = [Problem(key, f"no parameter of fault {fault!r}") for key in parameters if key not in known]
        if unknown:
            raise InputError(where, unknown)
        if fault == "reversed":
            return WiringFault(reversed_lines=frozenset(self._lines(parameters.get("lines", self._core.lines))))
        if fault == "swapped":
            lines = self._lines(parameters.get("lines", self._core.lines[:2]))
            if len(lines) != 2:
                raise InputError(where, Problem("lines", f"{len(lines)} given", "exchange the CTs of two lines"))
            return WiringFault(swapped_lines=lines)
        return WiringFault()

    def _lines(self, value: object) -> tuple[str, ...]:
        names = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Iterable) else (value,)
        lines = tuple(name for name in self._core.lines if name in names)
        if not names or len(lines) != len(names):
            remedy = f"use {' '.join(self._core.lines)}, each once"
            raise InputError(f"meter {self.name}", Problem("lines", f"{value!r} names no lines of the site", remedy))
        return lines

    async def _run(self) -> None:
        """Sample and publish on the grid; with an averaging window also once a second in between."""
        interval = self.settings.interval_s
        pieces = max(1, round(interval)) if self.settings.averaging_s else 1
        while True:
            due = clock.next_multiple(interval, self.settings.phase_s)
            for piece in range(pieces, 0, -1):
                await clock.sleep_until(due - (piece - 1) * interval / pieces)
                self._sample()
            values = self._values()
            if self.settings.latency_s:
                asyncio.get_running_loop().call_later(self.settings.latency_s, self._arrive, values)
            else:
                self._publish(values)

    def _sample(self) -> None:
        self._core.sample(clock.time(), self._plant.reading(self._node_id))

    def _values(self) -> dict[str, float]:
        values = self._core.values()
        for name, deviation in self._flicker.items():
            if name in values:
                values[name] += deviation * float(self._rng.standard_normal())
        return values

    def _arrive(self, values: dict[str, float]) -> None:
        """Publish what was measured a latency ago, unless the meter has been stopped since."""
        if self._sampling is not None:
            self._publish(values)

    def _publish(self, values: dict[str, float]) -> None:
        """Show and record ``values``, as far as the fault lets them."""
        if self._fault == "frozen" and self.speaks:
            self.show(self._shown)
        if self._fault in ("dead", "frozen"):
            return
        if self._fault == "nan":
            values = dict.fromkeys(values, math.nan)
        elif self._fault == "zero":
            values = {name: value if _survives(name) else 0.0 for name, value in values.items()}
        self._shown = values
        self.show(values)
        if self._fault != "nan":
            for number, signal in enumerate(self._signals, 1):
                signal.append(clock.time(), values[f"current_l{number}"])


def _survives(name: str) -> bool:
    """Whether a value outlives a meter that has lost its currents: voltages, frequency, counters."""
    return name.startswith(("voltage", "average_voltage", "frequency")) or name in _ENERGY
