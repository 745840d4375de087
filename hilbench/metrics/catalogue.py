"""The metrics that procedures measure and requirement profiles limit: each name is defined here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Direction = Literal["lower", "higher"]


@dataclass(frozen=True)
class Metric:
    """A quantity: its unit (``1`` for a ratio), which ``direction`` is better, and how it is measured."""

    name: str
    unit: str
    direction: Direction
    title: str
    definition: str


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "time_above_budget",
            "s",
            "lower",
            "time above budget",
            "longest uninterrupted time with a line current of a node above its budget plus tolerance",
        ),
        Metric(
            "ampere_seconds_above_budget",
            "A.s",
            "lower",
            "A.s above budget",
            "largest integral of line current minus budget over one stay above budget plus tolerance",
        ),
        Metric(
            "share_above_budget",
            "1",
            "lower",
            "share of time above budget",
            "time above budget plus tolerance as a share of the whole time",
        ),
        Metric(
            "time_above_rating",
            "s",
            "lower",
            "time above OCPD rating",
            "longest uninterrupted time with a line current above the rating of the OCPD or transformer",
        ),
        Metric(
            "ampere_seconds_above_rating",
            "A.s",
            "lower",
            "A.s above OCPD rating",
            "largest integral of line current minus rating over one stay above the rating",
        ),
        Metric(
            "peak_ratio",
            "1",
            "lower",
            "peak current / OCPD rating",
            "largest line current of a node as a multiple of its rating, motor inrush below 1 s left out",
        ),
        Metric(
            "breaker_fraction",
            "1",
            "lower",
            "thermal fraction of breaker",
            "largest heat of the slowest permitted thermal element as a share of its trip value",
        ),
        Metric(
            "dead_time",
            "s",
            "lower",
            "dead time",
            "from the stimulus until the cars' current has made 5 % of its change",
        ),
        Metric(
            "t90",
            "s",
            "lower",
            "t90 (open loop response time)",
            "from the stimulus until the cars' current has made 90 % of its change",
        ),
        Metric(
            "settling_time",
            "s",
            "lower",
            "settling time",
            "from the stimulus until the cars' current stays within 5 % of the change, at least 1 A, of its end value",
        ),
        Metric(
            "overshoot_a",
            "A",
            "lower",
            "overshoot",
            "how far the cars' current goes past its end value after a step, in the direction of the step",
        ),
        Metric(
            "recovery_time",
            "s",
            "lower",
            "recovery time",
            "from the moment headroom is back until the cars draw 85 % of what they may",
        ),
        Metric(
            "recovery_overshoot",
            "A",
            "lower",
            "excess during recovery",
            "largest line current above budget while the cars come back, 0 when the budget is kept",
        ),
        Metric(
            "resume_time",
            "s",
            "lower",
            "resume time",
            "from the return of a device or link until the cars draw 90 % of what they drew before it was lost",
        ),
        Metric(
            "false_shed",
            "A",
            "lower",
            "false shed",
            "largest fall of the offered current, all stations together, within 60 s of an inrush below 1 s",
        ),
        Metric(
            "reversals_per_hour",
            "1/h",
            "lower",
            "reversals per hour",
            "changes of direction of the offered current of one station, counted beyond the hysteresis",
        ),
        Metric(
            "utilisation",
            "1",
            "higher",
            "utilisation of the budget",
            "mean, for the worst car, of the larger of what it draws of its wish and how full its fullest limit is",
        ),
        Metric(
            "jain_index",
            "1",
            "higher",
            "Jain fairness index",
            "(sum x)^2 / (n sum x^2) of the charge [A.h] given to equal cars of equal priority while all want it",
        ),
        Metric(
            "minimum_offer_a",
            "A",
            "higher",
            "least offer",
            "smallest current other than zero that any station offers",
        ),
        Metric(
            "starvation_time",
            "s",
            "lower",
            "starvation",
            "longest uninterrupted time in which a car that wants current gets less than 6 A",
        ),
        Metric(
            "energy_satisfaction",
            "1",
            "higher",
            "energy delivered / requested",
            "sum over sessions of min(delivered, requested) as a share of the sum of the requested energy",
        ),
        Metric(
            "fallback_entry_time",
            "s",
            "lower",
            "fallback entry",
            "from the loss until every station concerned stays at or below its fallback current plus tolerance",
        ),
        Metric(
            "fallback_level",
            "A",
            "lower",
            "fallback level",
            "largest current that a station concerned draws from the latest permitted entry until the end of the loss",
        ),
        Metric(
            "fallback_exit_time",
            "s",
            "higher",
            "fallback exit",
            "from the return of valid data until a station first draws more than its fallback current plus tolerance",
        ),
        Metric(
            "boot_peak",
            "A",
            "lower",
            "peak during boot",
            "largest current that a station offers from its power return until the controller's first limit",
        ),
        Metric(
            "peak_import_kw",
            "kW",
            "lower",
            "peak import",
            "largest mean over 15 min of the power that the service takes from the grid",
        ),
        Metric(
            "export_excess_kw",
            "kW",
            "lower",
            "export above its limit",
            "largest mean over 10 s of the power that the service gives to the grid, less the limit of the rig, or 0",
        ),
        Metric(
            "least_soc",
            "1",
            "higher",
            "least charge left by a discharge",
            "lowest state of charge of a car that discharges, 1 where none does",
        ),
        Metric(
            "energy_at_departure",
            "1",
            "higher",
            "energy at departure / asked for",
            "of the energy that a driver asked for until departure the share that the car then has more, worst car",
        ),
        Metric(
            "limit_entry_time",
            "s",
            "lower",
            "grid limit reached",
            "from the latest start of a limit of the grid until the import is at or below it plus tolerance",
        ),
        Metric(
            "time_above_limit",
            "s",
            "lower",
            "time above grid limit",
            "longest uninterrupted time with the import above a limit of the grid plus tolerance, once it was below",
        ),
        Metric(
            "limit_use",
            "1",
            "higher",
            "use of the grid limit",
            "mean import as a share of the limit of the grid that holds",
        ),
        Metric(
            "rebound_ratio",
            "1",
            "lower",
            "peak after / before a grid limit",
            "highest mean over 60 s of the import after the end of a limit as a multiple of that of as long before it",
        ),
        Metric(
            "rebound_ramp",
            "1",
            "lower",
            "steepest minute after a grid limit",
            "of all that the import rises to after a limit, beyond what it was at its end, the most gained in 60 s",
        ),
        Metric(
            "limit_recovery_time",
            "s",
            "lower",
            "recovery after a grid limit",
            "from the end of a limit of the grid until the cars draw 90 % of what they drew before it",
        ),
        Metric(
            "unbalance_kva",
            "kVA",
            "lower",
            "unbalance of the lines",
            "largest mean over 60 s of what one line of the service carries more than another, at nominal voltage",
        ),
        Metric(
            "cost_ratio",
            "1",
            "lower",
            "cost / charging on arrival",
            "what charging costs by the rig's tariff, as a share of the same energy taken on arrival within the budget",
        ),
        Metric(
            "pilot_duty_error",
            "%",
            "lower",
            "duty cycle error",
            "points between the duty cycle that the station sends, without what the RC of the cable adds, and that of "
            "the commanded limit",
        ),
        Metric("pilot_frequency_error", "%", "lower", "pilot frequency error", "frequency of the pilot, against 1 kHz"),
        Metric(
            "pilot_level_error",
            "V",
            "lower",
            "pilot level error",
            "how far a level of the pilot is outside the window of its state, 0 inside",
        ),
        Metric(
            "pilot_change_spacing",
            "s",
            "higher",
            "spacing of pilot changes",
            "least time from a change of the duty cycle to its next raise",
        ),
        Metric(
            "pilot_gaps", "1", "lower", "gaps in the PWM", "how often the PWM was away while the car went on charging"
        ),
        Metric(
            "pilot_command_time",
            "s",
            "lower",
            "command to new duty",
            "from a command to the first cycle of the PWM with another duty cycle",
        ),
        Metric(
            "pwm_off_time",
            "s",
            "lower",
            "car stops after PWM off",
            "from the last cycle of the PWM until a car that was charging has left state C or D",
        ),
        Metric("state_f_time", "s", "higher", "state F lasts", "how long a station that showed state F kept to it"),
        Metric(
            "unplug_open_time",
            "s",
            "lower",
            "contactor opens after unplugging",
            "from state A at the pilot of a car that was charging until the contactor is open",
        ),
        Metric(
            "ev_reaction_time",
            "s",
            "lower",
            "EV reaction time",
            "from the first look that saw the pilot lower until the car draws no more than it says, 1 A of grace",
        ),
        Metric(
            "contactor_close_time",
            "s",
            "lower",
            "contactor closes",
            "from state C at the pilot until the contactor is closed",
        ),
        Metric(
            "contactor_open_time",
            "s",
            "lower",
            "contactor opens",
            "from the car's return to state B at the pilot until the contactor is open",
        ),
        Metric(
            "contactor_forced_time",
            "s",
            "lower",
            "contactor opens under load",
            "from the end of the PWM, which the car ignores, until the contactor is open",
        ),
        Metric(
            "fault_open_time",
            "s",
            "lower",
            "contactor opens at a fault",
            "from a fault of the pilot (short to earth, diode) while charging until the contactor is open",
        ),
        Metric(
            "wake_up_time",
            "s",
            "lower",
            "wake-up",
            "from the first PWM for a car that stays in state B until the pilot goes to F, or away, to wake it",
        ),
        Metric(
            "wake_up_pulse",
            "s",
            "higher",
            "wake-up pulse",
            "how long the pilot is in F, or away, to wake a car that stays in state B",
        ),
    )
}
"""All metrics by name."""
