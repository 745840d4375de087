"""The rules of OCPP smart charging and the tests that show them, out of ``charging_rules.txt``.

``python -m tests.charging_rules`` prints them; with words behind it only the rules that name one of them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_FILE = Path(__file__).with_suffix(".txt")


class Rule(NamedTuple):
    """What a rule says in one line, how well it is known, and the tests that fail when it is broken."""

    name: str
    says: str
    confidence: str
    tests: tuple[tuple[str, str], ...]


def _rule(line: str) -> Rule:
    name, says, confidence, tests = line.split(" | ")
    return Rule(name, says, confidence, tuple(tuple(test.split(":")) for test in tests.split()))  # type: ignore[misc]


RULES = [_rule(line) for line in _FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]

LISTED = {
    "1.6 ": "3.13 3.13.1 3.13.6 5.5 5.7 5.16 5.16.2 7.8 7.10 7.13",
    "1.6 err ": "3.7 3.8 3.34 3.37 3.42 3.43 3.44 3.45 3.57 3.79",
    "1.6 key ": "ChargeProfileMaxStackLevel ChargingScheduleAllowedChargingRateUnit ChargingScheduleMaxPeriods "
    "MaxChargingProfilesInstalled ConnectorSwitch3to1PhaseSupported",
    "1.6 TC_": "056 057 058_1 058_2 059 060 066 067 072 082",
    "K01.FR.": "03 05 06 09-17 19-22 26-57 70 71 81 90-95 97 100-103 110-115 120-126 140 141 143-147",
    "K05.FR.": "02-05",
    "K08.FR.": "02-09",
    "K09.FR.": "01 02 04-06",
    "K10.FR.": "01 03-09",
    "K11.FR.": "01-06",
    "K12.FR.": "01 02",
    "K13.FR.": "01-03",
    "K15.FR.": "22",
    "K21.FR.": "01-04 06 07",
    "K27.FR.": "01 02",
    "K28.FR.": "01-06 08-11 13-15",
    "TC_K_": "22 38 39 41",
}
"""Rules that must be in the table: those that the project promises to follow. There is no K01.FR.18, FR.23 to FR.25.

Not among them: what binds the CSMS alone; K14, which is of a Local Controller; K12.FR.03 to FR.05, which are K11.FR.03,
FR.05 and FR.06 again; K21.FR.05, FR.08 and K27.FR.03 to FR.05, notices that the station does not send.
"""


def listed() -> Iterator[str]:
    """Names of the rules in :data:`LISTED`."""
    for head, ends in LISTED.items():
        for end in ends.split():
            first, dash, last = end.partition("-")
            numbers = [f"{number:02}" for number in range(int(first), int(last) + 1)] if dash else [first]
            yield from (head + number for number in numbers)


def main(words: list[str]) -> None:
    """Print the rules."""
    for rule in RULES:
        if not words or any(word in rule.name for word in words):
            print(f"{rule.name:16} {rule.says}  [{rule.confidence}]")
            print("".join(f"{'':16}   {module}: {test}\n" for module, test in rule.tests), end="")


if __name__ == "__main__":
    main(sys.argv[1:])
