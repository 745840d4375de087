"""The metrics of DC charging; see :mod:`hilbench.metrics.catalogue`."""

from __future__ import annotations

from hilbench.metrics.metric import Metric

DC_METRICS = (
    Metric(
        "dc_offer_time",
        "s",
        "lower",
        "limit in the charging loop",
        "from a new limit of a DC station until a message to its car offers no more than that leaves",
    ),
    Metric(
        "dc_request_time",
        "s",
        "lower",
        "request follows the offer",
        "from the message with a lower offer until the car's request is within it and its tolerance",
    ),
    Metric(
        "dc_output_time",
        "s",
        "lower",
        "output follows the offer",
        "from the message with a lower offer until the current at the outlet is within it and its tolerance",
    ),
    Metric(
        "dc_zero_time",
        "s",
        "lower",
        "output ends at an offer of 0",
        "from the message that offers nothing until nothing flows at the outlet",
    ),
    Metric(
        "dc_grid_time",
        "s",
        "lower",
        "DC station within its limit",
        "from a lower limit of a DC station until every line current is within it and its tolerance, for good",
    ),
    Metric(
        "dc_excess_a",
        "A",
        "lower",
        "excess over a small limit",
        "largest line current above a limit that leaves less than a car's least",
    ),
    Metric(
        "dc_sessions_lost", "1", "lower", "sessions lost", "how many sessions of DC cars ended, for whatever reason"
    ),
    Metric(
        "dc_resume_time",
        "s",
        "lower",
        "DC car resumes",
        "from the end of a small limit until the outlet gives 6 A, or half of what it gave before if that is less; "
        "2.5 A above what it held meanwhile",
    ),
    Metric(
        "dc_cabinet_share",
        "1",
        "higher",
        "share of a cabinet",
        "mean power of an outlet, as a share of the least of its station's limit, its car's wish and half the modules",
    ),
    Metric(
        "dc_cabinet_load",
        "1",
        "lower",
        "load of a cabinet",
        "largest power of all outlets of a cabinet together, as a share of what its modules are rated for",
    ),
    Metric(
        "dc_wrong_way_w",
        "W",
        "lower",
        "fed where it is to take",
        "most power that a DC station feeds into the grid while its limit is above zero and nobody asks it to give",
    ),
    Metric(
        "dc_give_time",
        "s",
        "lower",
        "DC car gives",
        "from a set point below zero until the station feeds 90 % of it into the grid",
    ),
    Metric(
        "dc_give_excess",
        "1",
        "lower",
        "DC car gives too much",
        "how much more than its set point a station feeds into the grid, as a share of it",
    ),
    Metric(
        "dc_silence_time",
        "s",
        "lower",
        "output ends at silence",
        "from the last message of a car in its charging loop until nothing flows at the outlet",
    ),
    Metric("dc_unallowed_w", "W", "lower", "fed without leave", "most power that a DC station feeds without leave to"),
)
"""In the order of the procedures."""
