"""Ways in which a station's outlet is known to differ from a good one: data, and what each changes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from hilbench.errors import InputError, Problem
from hilbench_emulators.pilot.evse_watch import EvseTiming
from hilbench_emulators.pilot.timing import wake_up
from hilbench_emulators.station.settings import PILOT

QUIRKS = {
    "slow-contactor": "the contactor opens 0.5 s and closes 4 s after it should begin to (policy-default)",
    "no-diode-check": "it charges a car without a diode in its pilot",
}


def pilot_timing(quirks: Collection[str], wakes: str = "none") -> EvseTiming:
    """What a station with ``quirks`` makes of its pilot; ``wakes`` is the name of its wake-up for sleeping cars.

    Raises ``InputError`` for unknown names.
    """
    unknown = sorted(set(quirks) - QUIRKS.keys())
    if unknown:
        raise InputError("station", Problem("quirks", f"no quirk {unknown[0]!r}", f"there are {', '.join(QUIRKS)}"))
    timing = replace(PILOT, wake_up=wake_up(wakes))
    if "slow-contactor" in quirks:
        timing = replace(timing, open_s=0.5, energise_s=4.0)
    return replace(timing, checks_diode=False) if "no-diode-check" in quirks else timing
