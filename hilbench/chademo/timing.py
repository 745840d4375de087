"""CHAdeMO's times: what the standard asks, when our car or charger gives up, who watches, and where it is from.

``limit_s`` is the standard's figure as public implementations quote it; ``gives_up_s`` is when the emulated watcher
acts, which is later where real cars and chargers are known to be patient. Sources: osexpert/ccs32clara-chademo
(comments in chademoCharger.cpp), damienmaguire/Stm32-vcu (chademo.cpp), dalathegreat/Battery-Emulator (CHADEMO-*.cpp);
"recorded" are sessions of a LEAF ZE1 (F1atline/Nissan-Leaf-ZE1-CHAdeMO-CAN-Logs) and of a LEAF ZE0
(rand12345/chademo-rs CanLogs).
"""

from __future__ import annotations

from dataclasses import dataclass

PERIOD_S = 0.1
"""Both sides send every frame this often (ccs32clara-chademo, read-code)."""
PERIOD_TOLERANCE_S = 0.01
"""Either way of :data:`PERIOD_S` (ccs32clara-chademo, read-code)."""


@dataclass(frozen=True)
class TimeLimit:
    """One wait: who watches it, from what to what; None: no figure is known."""

    key: str
    watcher: str
    what: str
    limit_s: float | None
    gives_up_s: float
    source: str
    confidence: str


_CLARA = "osexpert/ccs32clara-chademo chademoCharger.cpp"

LIMITS = (
    TimeLimit("enabled", "charger", "d1 on to k on and 102.5.0 = 1", 8.0, 8.0, _CLARA, "read-code"),
    TimeLimit("d2", "car", "k on and 102.5.0 = 1 to d2 on", 20.0, 20.0, _CLARA, "read-code"),
    TimeLimit("contactor", "charger", "d2 on to 102.5.3 = 0 (from 1.0 on)", 4.0, 4.0, _CLARA, "read-code"),
    TimeLimit("request", "charger", "contactor closed to a request over 0 A", 4.0, 4.0, _CLARA, "read-code"),
    TimeLimit(
        "charging",
        "car",
        "a request over 0 A to 109.5.0 = 1 and 109.5.5 = 0",
        0.5,
        1.0,
        f"{_CLARA}; a recorded ZE0 waited 0.52 s and charged: gives up at 1 s (policy-default)",
        "read-code",
    ),
    TimeLimit(
        "request_zero",
        "charger",
        "109.5.5 = 1 to 102.5.0 = 0 and request 0 A; then it ramps down by itself",
        None,
        0.5,
        "recorded: 0.276 s and 0.205 s; gives up at 0.5 s (policy-default)",
        "policy-default",
    ),
    TimeLimit("falling", "car", "k off to output at most 5 A", 0.5, 2.5, _CLARA, "read-code"),
    TimeLimit(
        "contactor_open",
        "charger",
        "109.5.0 = 0 to 102.5.3 = 1 (from 1.0 on)",
        4.0,
        10.0,
        f"{_CLARA}: 4 s for the car, 10 s for the charger",
        "read-code",
    ),
    TimeLimit(
        "weld_quarter",
        "car",
        "contactor open to output at most 25 % of the battery's voltage",
        1.0,
        1.0,
        "dalathegreat/Battery-Emulator CHADEMO-BATTERY.cpp and ccs32clara-chademo",
        "read-code",
    ),
    TimeLimit(
        "weld_end",
        "car",
        "contactor open to output at most 10 V",
        2.0,
        2.0,
        "dalathegreat/Battery-Emulator CHADEMO-BATTERY.cpp and ccs32clara-chademo",
        "read-code",
    ),
    TimeLimit(
        "car_silent",
        "charger",
        "the last 102 to the next",
        None,
        1.0,
        "damienmaguire/Stm32-vcu chademo.cpp and ccs32clara-chademo use 1 s; IEEE 2030.1.1 asks for an immediate stop"
        " (furdog/chademo RTM)",
        "read-code",
    ),
    TimeLimit(
        "charger_silent",
        "car",
        "the last 109 to the next",
        None,
        1.0,
        "damienmaguire/Stm32-vcu chademo.cpp and ccs32clara-chademo use 1 s",
        "read-code",
    ),
    TimeLimit(
        "current_deviation",
        "car",
        "output off the request by 10 A or more, for as long",
        5.0,
        5.0,
        "IEEE 2030.1.1-2021 as quoted in rand12345/chademo-rs; a recorded car bore 15 A for 39 s",
        "secondary",
    ),
    TimeLimit(
        "voltage_deviation",
        "car",
        "output off the battery's own measurement by 10 V or more, for as long",
        None,
        5.0,
        "as for the current (policy-default)",
        "policy-default",
    ),
    TimeLimit(
        "insulation",
        "charger",
        "locked to the insulation test passed",
        None,
        10.0,
        "recorded: 5 s and 1 s; gives up at 10 s (policy-default)",
        "policy-default",
    ),
)
"""Waits that end a session when they last too long."""

D2_TO_D1_OFF_S = 0.5
"""Charger: d2 off to d1 off (ccs32clara-chademo, read-code; recorded 0.64 s and 0.69 s to unlocked)."""
WAIT_09_S = 2.0
"""Charger with a car of 0.9, which does not tell its contactor: wait after d2 (ccs32clara-chademo, read-code)."""
UNLOCK_V = 10.0
"""Charger: unlocks at this output or less (ccs32clara-chademo: energised is over 10 V, read-code)."""
D2_V = 20.0
"""Charger: d2 goes on only when the output is below (ccs32clara-chademo, read-code)."""
LOW_A = 5.0
"""Charger: charging is over at this output or less (ccs32clara-chademo, read-code)."""
DEVIATION_A = 10.0
"""Car: smallest deviation of current that counts (IEEE 2030.1.1-2021 as quoted in rand12345/chademo-rs, secondary)."""
DEVIATION_V = 10.0
"""Car: smallest deviation of voltage that counts (policy-default)."""


def limit(key: str) -> TimeLimit:
    """A wait by its key; raises ``KeyError`` for one that is not in the table."""
    return _BY_KEY[key]


_BY_KEY = {row.key: row for row in LIMITS}
