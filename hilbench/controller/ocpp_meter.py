"""The meter port for a site meter that a charging station reports: MeterValues of connector 0, or of EVSE 0."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hilbench import clock
from hilbench.controller.readings import amount
from hilbench.controller.watch import MeterSample

_QUANTITIES = {"Current.Import": "current", "Voltage": "voltage", "Power.Active.Import": "power"}
Values = dict[str, dict[str, float]]


@dataclass(frozen=True)
class OcppPlace:
    """A site meter that the station with ``role`` reports."""

    role: str


class OcppPort:
    """Keeps the newest report, and hands it on at the same grid as polls; silence is left to the watch.

    A voltage that is not reported counts as ``nominal_v``, a power as 0: neither says anything then. A current that is
    not reported is no number.
    """

    def __init__(
        self, lines: tuple[str, ...], nominal_v: float, poll_s: float, on_sample: Callable[[MeterSample], None]
    ) -> None:
        self._lines, self._nominal_v, self._on_sample = lines, nominal_v, on_sample
        self.every_s, self._offset_s = poll_s, 0.5 * poll_s
        self._number = 0
        self._newest: MeterSample | None = None

    async def run(self, after_poll: Callable[[], None]) -> None:
        """Hand on until cancelled; ``after_poll`` is called each time, with news or without."""
        while True:
            await clock.sleep_until(clock.next_multiple(self.every_s, self._offset_s))
            if self._newest is not None:
                self._on_sample(self._newest)
                self._newest = None
            after_poll()

    def take(self, meter_value: Sequence[Mapping[str, Any]]) -> None:
        """A report: what its newest entry with a current says."""
        for entry in reversed(meter_value):
            found = _values(entry, self._lines)
            if found["current"]:
                self._number += 1
                self._newest = self._sample(found)
                return

    def _sample(self, found: Values) -> MeterSample:
        amps, volts, watts = found["current"], found["voltage"], found["power"]
        return MeterSample(
            t=clock.time(),
            number=self._number,
            currents={line: amps.get(line, math.nan) for line in self._lines},
            voltages={line: volts.get(line, self._nominal_v) for line in self._lines},
            powers={line: watts.get(line, 0.0) for line in self._lines},
            raw=tuple(_bits(amount) for name in found for amount in found[name].values()),
        )


def _values(entry: Mapping[str, Any], lines: tuple[str, ...]) -> Values:
    """What an entry says by quantity and line; without a phase it is of the only line, or of none."""
    found: Values = {"current": {}, "voltage": {}, "power": {}, "energy": {}}
    for sample in entry.get("sampled_value", ()):
        measurand = str(sample.get("measurand", ""))
        phase = str(sample.get("phase", "") or (lines[0] if len(lines) == 1 else ""))
        line = phase.removesuffix("-N")
        if measurand in _QUANTITIES and line in lines:
            found[_QUANTITIES[measurand]][line] = amount(sample)
        elif measurand == "Energy.Active.Import.Register" and "phase" not in sample:
            found["energy"][""] = amount(sample)
    return found


def _bits(amount: float) -> int:
    """A whole number for each value that is another one, to see them stand."""
    return round(amount * 1000.0) if math.isfinite(amount) else -1
