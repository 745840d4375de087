"""The emulated site meter that nobody asks: a charging station reports it as its main meter, location Inlet.

In OCPP 1.6 connector 0 is the station's main power meter (section 7.24 with 4.7; standard-text, recalled), in 2.x the
EVSE with id 0. A station that has a meter of the grid connection reports it there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from hilbench.signals import Record
from hilbench_emulators.metering import MeterSettings
from hilbench_emulators.sampled_meter import SampledMeter, Truth
from hilbench_emulators.station.metering import Figure, main_meter

_DIGIT_V = 0.1


class Teller(Protocol):
    """A station that can report a main meter."""

    def tell_main_meter(self, read: Sequence[Figure]) -> None:
        """Send it, if there is a connection."""


class OcppMeter(SampledMeter):
    """A meter that ``station`` reports at every sample; what it cannot send is lost.

    ``dead`` reports nothing, ``frozen`` the same values with new timestamps for ever, ``nan`` text that is no number in
    OCPP 1.6 and nothing in 2.x, where a value must be a number. Everything else as in :class:`SampledMeter`.
    """

    speaks = True

    def __init__(
        self,
        plant: Truth,
        station: Teller,
        *,
        record: Record,
        rng: np.random.Generator,
        settings: MeterSettings | None = None,
        name: str = "service",
    ) -> None:
        lines = len(plant.site.lines)
        flicker = {f"voltage_l{k}": 2.0 * _DIGIT_V for k in range(1, lines + 1)}  # as of any meter of few digits
        super().__init__(
            plant,
            "service",
            model="ocpp-main-meter",
            record=record,
            rng=rng,
            settings=settings,
            name=name,
            flicker=flicker,
        )
        self._station, self._count = station, lines

    async def start(self) -> None:
        """Go on sampling; the first reports are lost, as no station is there yet."""
        if self._sampling is None:
            self.first_sample()
            self.begin()

    async def stop(self) -> None:
        """Sample no more."""
        await self.end()

    def show(self, values: dict[str, float]) -> None:
        """See :class:`SampledMeter`."""
        self._station.tell_main_meter(main_meter(values, self._count))
