"""What a station says it can do, and in which ways it can be given a limit. Pure.

Answers may be missing, malformed or untrue, so they only order the ways: those that fit what it said come first, and
the others are still tried before a station is given up. No station maximum is ever installed: it would stay for ever,
one make halves it (SAP simulator, measured), and the lint of a rig sees to it that a branch bears its station.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from hilbench.site import MINIMUM_CURRENT_A

Unit = Literal["A", "W"]

KEYS16 = (
    "SupportedFeatureProfiles", "ChargeProfileMaxStackLevel", "ChargingScheduleAllowedChargingRateUnit",
    "ChargingScheduleMaxPeriods", "MaxChargingProfilesInstalled", "NumberOfConnectors",
)  # fmt: skip
"""Keys of OCPP 1.6 (edition 2 section 9; standard-text)."""
VARIABLES2 = ("Enabled", "Available", "RateUnit", "PeriodsPerSchedule", "ProfileStackLevel", "Entries")
"""Variables of SmartChargingCtrlr (OCPP 2.0.1 Part 2 appendix, standard-text); ``Entries`` has an instance."""
ENTRIES = "ChargingProfiles"


class Abilities(NamedTuple):
    """What a station said; None where it did not, or not so that it could be understood.

    ``smart_charging`` and ``triggers``: it has that feature. ``max_stack`` is its highest stack level, ``max_periods``
    of one schedule, ``max_profiles`` in all.
    """

    smart_charging: bool | None = None
    triggers: bool | None = None
    units: frozenset[Unit] | None = None
    max_stack: int | None = None
    max_periods: int | None = None
    max_profiles: int | None = None
    connectors: int | None = None


class Way(NamedTuple):
    """A way to give a limit: in ``unit``, for ``outlet`` (0: the whole station), with the fallback at ``stack``.

    ``form``: a ``lease`` is a profile one level above the fallback that ends by its duration; ``periods`` are one
    profile whose second period is the fallback, for stations that take only one or none with a duration.
    """

    unit: Unit
    outlet: int
    stack: int
    form: Literal["lease", "periods"]


_PLACES: tuple[tuple[Unit, int, int], ...] = (
    ("A", 0, 0), ("A", 1, 0), ("W", 0, 0), ("A", 0, 1), ("A", 1, 1), ("W", 1, 0), ("W", 0, 1), ("W", 1, 1),
)  # fmt: skip
"""First what OCPP gives for it, then what single makes want (eveys: no default for the station; MicroOcpp: watts only;
EVBox: no stack level 0), then two of these at once. A DC station is asked in watts first (see ``ways``)."""
WAYS = tuple(Way(*place, form) for form in (("lease", "periods")) for place in _PLACES)


def ways(abilities: Abilities, dc: bool = False) -> tuple[Way, ...]:
    """All ways in the order in which they are tried; in watts first for ``dc``, where both units will do.

    OCPP's amperes are those of a phase, and it has watts for DC (1.6 section 7.12 and 2.0.1 ChargingRateUnitEnumType;
    standard-text): a station that took them for those of its cable would give a car several times the power.
    """

    def rank(way: Way) -> tuple[bool, bool, bool]:
        return not _fits(way, abilities), dc and way.form != "lease", dc and way.unit != "W"

    return tuple(sorted(WAYS, key=rank))


def _fits(way: Way, abilities: Abilities) -> bool:
    lease = way.form == "lease"
    return (
        (abilities.units is None or way.unit in abilities.units)
        and _within(way.stack + lease, abilities.max_stack)
        and _within(1 + (not lease), abilities.max_periods)
        and _within(1 + lease, abilities.max_profiles)
    )


def _within(wanted: int, most: int | None) -> bool:
    return most is None or wanted <= most


def variants(limit_a: float, supply: Supply) -> Iterator[float]:
    """A limit, and what says the same to a station that refuses it (ABB 1.8.0: neither 0 nor 6 A, evcc#15493).

    A tenth more than the least current is within what any car draws beyond its limit; any limit below 6 A is a pause.
    With DC it is none: half of what cars need is the least that is likely to be taken for one.
    """
    yield limit_a
    if abs(limit_a - supply.least_a) < 0.05:
        yield round(limit_a + 0.1, 1)
    elif abs(limit_a) < 0.05:
        yield round(supply.least_a / 2.0, 1) if supply.dc else 5.0


class Supply(NamedTuple):
    """Nominal voltage of one phase [V], and how many phases a station's terminals have; and what its cars need.

    ``least_a`` [A per phase, on the grid's side] is the least with which they charge, ``dc`` that it is with DC.
    """

    volts: float
    phases: int
    least_a: float = MINIMUM_CURRENT_A
    dc: bool = False


def rate(way: Way, limit_a: float, supply: Supply) -> dict[str, Any]:
    """Limit of a period in the unit of ``way``.

    Watts are a station's total (I = P / (V x numberPhases); OCPP 1.6 errata 3.34, 2.0.1 K01.FR.50, standard-text); up
    to the next tenth, because a hair below 6 A is a pause. Those of a DC station are of the grid's side, and name no
    phases (2.0.1 ChargingSchedulePeriodType, standard-text).
    """
    if limit_a < 0.0:
        return _order(way, limit_a, supply)
    if way.unit == "A":
        return {"limit": round(limit_a, 1)}
    watts = round(limit_a, 1) * supply.volts * supply.phases
    phases = {} if supply.dc else {"number_phases": supply.phases}
    return {"limit": math.ceil(watts * 10.0 - 1e-6) / 10.0, **phases}


def _order(way: Way, current_a: float, supply: Supply) -> dict[str, Any]:
    """A set point that discharges (OCPP 2.1 K01.FR.111 and Q02, CentralSetpoint; standard-text)."""
    factor = 1.0 if way.unit == "A" else supply.volts * supply.phases
    return {"operation_mode": "CentralSetpoint", "setpoint": round(current_a * factor, 1)}


# what stations answer


def from_configuration(entries: Any) -> Abilities:
    """Of the ``configuration_key`` of a GetConfiguration answer of OCPP 1.6."""
    found = {entry["key"]: str(entry.get("value") or "") for entry in _tables(entries) if "key" in entry}
    features = _words(found.get("SupportedFeatureProfiles"))
    units = {"Current": "A", "Power": "W", "A": "A", "W": "W"}
    return Abilities(
        smart_charging="SmartCharging" in features if features else None,
        triggers="RemoteTrigger" in features if features else None,
        units=_units(found.get("ChargingScheduleAllowedChargingRateUnit"), units),
        max_stack=_number(found.get("ChargeProfileMaxStackLevel"), 0),
        max_periods=_number(found.get("ChargingScheduleMaxPeriods"), 1),
        max_profiles=_number(found.get("MaxChargingProfilesInstalled"), 1),
        connectors=_number(found.get("NumberOfConnectors"), 1),
    )


def from_variables(results: Any) -> Abilities:
    """Of the ``get_variable_result`` of a GetVariables answer of OCPP 2.x about ``SmartChargingCtrlr``."""
    found: dict[str, str] = {}
    for result in _tables(results):
        variable = result.get("variable")
        if isinstance(variable, Mapping) and result.get("attribute_status") == "Accepted":
            found[str(variable.get("name"))] = str(result.get("attribute_value") or "")
    flags = [found[name].lower() == "true" for name in ("Enabled", "Available") if found.get(name)]
    return Abilities(
        smart_charging=all(flags) if flags else None,
        units=_units(found.get("RateUnit"), {"A": "A", "W": "W"}),
        max_stack=_number(found.get("ProfileStackLevel"), 0),
        max_periods=_number(found.get("PeriodsPerSchedule"), 1),
        max_profiles=_number(found.get("Entries"), 1),
    )


def variables_wanted() -> list[dict[str, Any]]:
    """``get_variable_data`` that asks for ``VARIABLES2``; of Entries the limit counts, not how many there are."""
    wanted: list[dict[str, Any]] = []
    for name in VARIABLES2:
        item: dict[str, Any] = {"component": {"name": "SmartChargingCtrlr"}, "variable": {"name": name}}
        if name == "Entries":
            item = {**item, "attribute_type": "MaxSet", "variable": {"name": name, "instance": ENTRIES}}
        wanted.append(item)
    return wanted


def _tables(found: Any) -> Iterator[Mapping[str, Any]]:
    return (one for one in (found if isinstance(found, list) else ()) if isinstance(one, Mapping))


def _words(text: str | None) -> list[str]:
    return [word.strip() for word in (text or "").split(",") if word.strip()]


def _units(text: str | None, names: Mapping[str, str]) -> frozenset[Any] | None:
    """Units that are named; None where none is, so that a station is not left without any."""
    return frozenset(names[word] for word in _words(text) if word in names) or None


def _number(text: str | None, least: int) -> int | None:
    try:
        found = int(text or "")
    except ValueError:
        return None
    return found if found >= least else None


def in_words(abilities: Abilities) -> str:
    """What was said, for a log: only what is known."""
    said = (f"{name} {_said(value)}" for name, value in abilities._asdict().items() if value is not None)
    return ", ".join(said) or "nothing"


def _said(value: bool | int | Iterable[str]) -> str:
    return str(value).lower() if isinstance(value, int) else "/".join(sorted(value))
