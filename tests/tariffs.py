"""A real demand-charge tariff, shortened: PG&E B-19S of 2020 as LBNL elecprice has it (figures; read-code)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_WINTER, _SUMMER = (0, 1, 2, 3, 4, 9, 10, 11), (5, 6, 7, 8)


def _schedule(winter: list[int], summer: list[int]) -> list[list[int]]:
    return [summer if month in _SUMMER else winter for month in range(12)]


def _day(off: int, peak: int) -> list[int]:
    """Peak from 16 to 21 o'clock."""
    return [peak if 16 <= hour < 21 else off for hour in range(24)]


def b19s(**changes: Any) -> dict[str, Any]:
    """The tariff as a URDB object, with changes."""
    return {
        "name": "B-19S",
        "fixedchargefirstmeter": 23.655,
        "fixedchargeunits": "$/day",
        "flatdemandunit": "kW",
        "flatdemandstructure": [[{"rate": 2.47}], [{"rate": 8.91}], [{"rate": 2.46}], [{"rate": 8.91}]],
        "flatdemandmonths": [3 if month in _SUMMER else 1 for month in range(12)],
        "demandratestructure": [[{"rate": 0}], [{"rate": 0.45}], [{"rate": 0.03}], [{"rate": 0.52}]],
        "demandweekdayschedule": _schedule(_day(0, 1), _day(2, 3)),
        "demandweekendschedule": _schedule(_day(0, 1), _day(2, 3)),
        "energyratestructure": [
            [{"unit": "kWh", "rate": rate}] for rate in (0.0799, 0.1157, 0.158, 0.1191, 0.1796, 0.3634)
        ],
        "energyweekdayschedule": _schedule(_day(1, 2), _day(3, 5)),
        "energyweekendschedule": _schedule(_day(1, 2), _day(3, 5)),
    } | changes


def write(path: Path, **changes: Any) -> Path:
    """The tariff as a file."""
    path.write_text(json.dumps(b19s(**changes)), encoding="utf-8")
    return path
