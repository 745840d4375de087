"""Time-outs and performance times of V2G messages as one table.

A time-out is how long a side waits before it ends the session; a performance time is how long the other side may take.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from hilbench_emulators.dc.sourced import Confidence

Generation = Literal["din", "iso2", "iso20"]
OLD, ALL = ("din", "iso2"), ("din", "iso2", "iso20")
_READ = "iso15118 0.31.2, shared/messages/{timeouts,din_spec/timeouts,iso15118_2/timeouts,iso15118_20/timeouts}.py"
_TABLE_109 = "ISO 15118-2 Table 109, through hupe1980/iso15118 timers.rs"
_TABLE_111 = "ISO 15118-2 Table 111, through hupe1980/iso15118 timers.rs"


class Timing(NamedTuple):
    """A time [s] of the generations that it holds for, and how sure it is."""

    name: str
    value_s: float
    generations: tuple[str, ...]
    kind: Literal["time-out", "performance"]
    source: str
    confidence: Confidence


TIMINGS = (
    Timing("SDP response", 0.25, ALL, "time-out", _READ, "read-code"),
    Timing("message", 2.0, ALL, "time-out", _READ, "read-code"),
    Timing("ServiceDetailReq", 5.0, ("iso2", "iso20"), "time-out", _READ, "read-code"),
    Timing("PowerDeliveryReq", 5.0, ("iso2",), "time-out", _READ, "read-code"),
    Timing("CurrentDemandReq", 0.25, OLD, "time-out", _READ, "read-code"),
    Timing("DC_ChargeLoopReq", 0.5, ("iso20",), "time-out", _READ, "read-code"),
    Timing("AC_ChargeLoopReq", 0.5, ("iso20",), "time-out", _READ, "read-code"),
    Timing("communication set-up", 20.0, ALL, "time-out", _READ, "read-code"),
    Timing("ready to charge", 150.0, ("din",), "time-out", _READ, "read-code"),
    Timing("ongoing", 60.0, ALL, "time-out", _READ, "read-code"),
    Timing("cable check", 40.0, ALL, "time-out", _READ, "read-code"),
    Timing("pre-charge", 7.0, OLD, "time-out", _READ, "read-code"),
    Timing("pre-charge", 10.0, ("iso20",), "time-out", _READ, "read-code"),
    Timing("sequence", 60.0, ALL, "time-out", _READ, "read-code"),
    Timing("sequence in the loop", 60.0, OLD, "time-out", _READ, "read-code"),
    Timing("sequence in the loop", 0.5, ("iso20",), "time-out", _READ, "read-code"),
    Timing("ongoing, of the station", 55.0, ALL, "performance", _TABLE_109, "secondary"),
    Timing("cable check, of the station", 38.0, ALL, "performance", _TABLE_109, "secondary"),
    Timing("pre-charge, of the station", 5.0, ALL, "performance", _TABLE_109, "secondary"),
    Timing("communication set-up, of the station", 18.0, ALL, "performance", _TABLE_111, "secondary"),
    Timing("sequence, of the car", 40.0, ALL, "performance", _TABLE_109, "secondary"),
    Timing("response", 1.5, ALL, "performance", _TABLE_109, "secondary"),
    Timing("PowerDeliveryRes", 4.5, ("iso2",), "performance", _TABLE_109, "secondary"),
    Timing("CurrentDemandRes", 0.025, OLD, "performance", _TABLE_109, "secondary"),
)
"""Where a message has no line of its own, "message" and "response" hold."""

_VALUES = {(timing.name, generation): timing.value_s for timing in TIMINGS for generation in timing.generations}


def seconds(name: str, generation: Generation) -> float:
    """A time [s] by its name; raises ``KeyError``."""
    return _VALUES[name, generation]


def message_s(request: str, generation: Generation) -> float:
    """How long [s] a car waits for the response to a request."""
    return _VALUES.get((request, generation), _VALUES["message", generation])
