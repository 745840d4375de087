"""What DC stations report, on two sides: at the inlet the lines of the site, at the outlet DC. Pure.

OCPP's location of a value that names none is the outlet (standard-text), so a current of no phase is one of DC there,
hundreds of amperes that are in no line of the site; one with a phase is that of a line wherever it is said to be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from hilbench.controller.readings import amount, reported_currents

WORST_EFFICIENCY = 0.90
"""Of a DC station, from a tenth of its power up, with a power factor near 1 (0.93 to 0.96 at full load and lower at
part load; recalled). What modules lose below that is in ``LOST_SHARE``."""
LOST_SHARE = 0.015
"""Of the station's rating: what its modules lose and shift even at little load (policy-default)."""
STANDBY_A = 1.0
"""The most of that without any output [A per line] (policy-default)."""
VOLTAGE_SPREAD = 1.10
"""Power stands for the less current the higher the voltage is: up to so often the nominal one (EN 50160, recalled)."""
_LINES = ("L1", "L2", "L3")
Samples = Sequence[Mapping[str, Any]]


class DcReport(NamedTuple):
    """What a DC station said of what it takes: ``currents`` [A] of its terminals, or a power [W] of one side.

    Powers are negative where it feeds in. None for what was not said; all None: nothing can be learned from it.
    """

    currents: dict[str, float] | None = None
    inlet_w: float | None = None
    outlet_w: float | None = None


def dc_report(meter_value: Samples) -> DcReport:
    """The best that there is in the newest entry that has it: currents of lines, power of the inlet, of the outlet."""
    lines = reported_currents(_kept(meter_value, _of_line))
    if lines:
        return DcReport(currents=lines)
    inlet_w = _power_w(_kept(meter_value, at_inlet))
    if inlet_w is not None:
        return DcReport(inlet_w=inlet_w)
    blurred = reported_currents(_kept(meter_value, at_inlet))
    if blurred:
        return DcReport(currents=blurred)
    return DcReport(outlet_w=_power_w(_kept(meter_value, _at_outlet)))


def outlet_values(meter_value: Samples) -> list[dict[str, Any]]:
    """The same without what was measured at the inlet: energy counts where the car gets it."""
    return _kept(meter_value, lambda sample: not at_inlet(sample))


def grid_bounds_a(dc_a: float, rated_a: float) -> tuple[float, float]:
    """Least and greatest current per line of a station that is ``rated_a``, whose DC power makes ``dc_a`` [A] there.

    ``dc_a`` is by nominal voltage and without any loss. Negative: it feeds in, and losses make that less.
    """
    lost_a = min(LOST_SHARE * rated_a, STANDBY_A + abs(dc_a))
    if dc_a < 0.0:
        return dc_a * VOLTAGE_SPREAD, dc_a * WORST_EFFICIENCY + lost_a
    return dc_a / VOLTAGE_SPREAD, dc_a / WORST_EFFICIENCY + lost_a


def at_inlet(sample: Mapping[str, Any]) -> bool:
    """Measured on the grid's side."""
    return str(sample.get("location", "")) == "Inlet"


def _at_outlet(sample: Mapping[str, Any]) -> bool:
    return str(sample.get("location", "Outlet")) == "Outlet"


def _of_line(sample: Mapping[str, Any]) -> bool:
    return str(sample.get("phase", ""))[:2] in _LINES and (at_inlet(sample) or _at_outlet(sample))


def _kept(meter_value: Samples, wanted: Callable[[Mapping[str, Any]], bool]) -> list[dict[str, Any]]:
    return [
        {**entry, "sampled_value": [sample for sample in entry.get("sampled_value", ()) if wanted(sample)]}
        for entry in meter_value
    ]


def _power_w(meter_value: Samples) -> float | None:
    """Power of the newest entry that has any: the total where it is said, else the sum of what phases say."""
    for entry in reversed(meter_value):
        said = {kind: list(_powers(entry, kind)) for kind in ("Import", "Export")}
        if any(said.values()):
            return _total(said["Import"]) - _total(said["Export"])
    return None


def _powers(entry: Mapping[str, Any], kind: str) -> Iterator[tuple[str, float]]:
    for sample in entry.get("sampled_value", ()):
        value = amount(sample)
        if sample.get("measurand") == f"Power.Active.{kind}" and abs(value) < 1e9:
            yield str(sample.get("phase", "")), value


def _total(said: Sequence[tuple[str, float]]) -> float:
    whole = [watts for phase, watts in said if not phase]
    return whole[-1] if whole else sum(watts for _phase, watts in said)
