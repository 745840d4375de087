"""What a DC outlet's session leaves in the record: voltage, current, what was offered and requested, charge."""

from __future__ import annotations

from hilbench.signals import (
    Record,
    Signal,
    dc_current,
    dc_offered,
    dc_requested,
    dc_voltage,
    state_of_charge,
)
from hilbench_emulators.dc_outlet.head import Flow

_CHARGE_S = 10.0
"""State of charge is straight for so long, as good as."""


class DcTraces:
    """Signals of one outlet; what stands still costs no samples."""

    def __init__(self, record: Record, role: str) -> None:
        self._record, self._role = record, role
        self._voltage = record.signal(dc_voltage(role), "V", "linear")
        self._current = record.signal(dc_current(role), "A", "linear")
        self._offered = record.signal(dc_offered(role), "A")
        self._requested = record.signal(dc_requested(role), "A")
        self._t = 0.0
        self._soc_t = -_CHARGE_S

    def note(self, t: float, flow: Flow, soc: float | None) -> None:
        """It is so at ``t``."""
        _straight(self._voltage, self._t, t, round(flow.voltage_v, 2))
        _straight(self._current, self._t, t, round(flow.current_a, 3))
        for signal, value in ((self._offered, flow.offered_a), (self._requested, flow.requested_a)):
            if signal.last() != round(value, 3):
                signal.append(t, round(value, 3))
        if soc is not None and t >= self._soc_t + _CHARGE_S:
            self._soc_t = t
            self._record.signal(state_of_charge(self._role), "1", "linear").append(t, soc)
        self._t = t


def _straight(signal: Signal, before_t: float, t: float, value: float) -> None:
    """A value that changed since ``before_t`` did so evenly, or jumped where that is the same instant."""
    last = signal.last()
    if last == value:
        return
    if last is not None:
        signal.append(before_t, last)
    signal.append(t, value)
