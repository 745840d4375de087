"""A charging session in words: a line a message, and what the session was as a whole."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any

from hilbench.ccs.session import Entry

PERCENT = ("SOC", "SoC")
QUIET = ("Header", "Signature", "SAProvisioningCertificateChain", "ContractSignatureCertChain", "Certificate")
USUAL = {
    "EVErrorCode NO_ERROR",
    "EVSENotification None",
    "NotificationMaxDelay 0",
    "EVSECurrentLimitAchieved no",
    "EVSEVoltageLimitAchieved no",
    "EVSEPowerLimitAchieved no",
    "BulkChargingComplete no",
    "ChargingComplete no",
    "MeterInfoRequested no",
    "ReceiptRequired no",
    "RCD no",
}
"""What goes without saying in a line."""
WORDS = {
    "ResponseCode": "",
    "EVSEStatusCode": "",
    "EVSEProcessing": "",
    "EVProcessing": "",
    "ChargeProgress": "",
    "EVReady": "ready",
    "EVErrorCode": "error",
    "EVRESSSOC": "SoC",
    "PresentSOC": "SoC",
    "EVTargetCurrent": "wants",
    "EVTargetVoltage": "at",
    "EVMaximumVoltageLimit": "car's limit",
    "EVMaximumCurrentLimit": "car's limit",
    "EVMaximumPowerLimit": "car's limit",
    "EVSEMaximumVoltageLimit": "station's limit",
    "EVSEMaximumCurrentLimit": "station's limit",
    "EVSEMaximumPowerLimit": "station's limit",
    "EVSEPresentVoltage": "present",
    "EVSEPresentCurrent": "present",
    "EVPresentVoltage": "present",
    "RemainingTimeToFullSoC": "full in",
    "RemainingTimeToBulkSoC": "bulk in",
    "ProtocolNamespace": "",
    "VersionNumberMajor": "version",
    "VersionNumberMinor": "minor",
}
"""Plain words for the names in a line; what is not here keeps its name."""
LOOPS = ("CurrentDemand", "ChargingStatus", "DC_ChargeLoop", "AC_ChargeLoop")
"""Exchanges that repeat while energy flows."""
UNITS = {"Voltage": "V", "Current": "A", "Power": "W", "Energy": "Wh", "CurrentLimit": "A", "PowerLimit": "W"}
"""Units by what a name says, for ISO 15118-20, which sends none, and DIN 70121, which need not."""


def quantity(name: str, value: Any) -> tuple[float, str] | None:
    """Number and unit of a PhysicalValue or a RationalNumber; None for anything else."""
    if not isinstance(value, Mapping) or "Value" not in value:
        return None
    exponent = value.get("Multiplier", value.get("Exponent"))
    if not isinstance(exponent, int):
        return None
    return value["Value"] * 10.0**exponent, value.get("Unit") or _unit(name)


def _unit(name: str) -> str:
    return next((unit for word, unit in UNITS.items() if word in name), "")


def facts(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and values of a body in the order of the wire, what they are nested in left out; no header, no keys."""
    for name, value in body.items():
        if name in QUIET:
            continue
        if isinstance(value, list):
            yield from _list_facts(name, value)
        elif isinstance(value, Mapping) and quantity(name, value) is None:
            yield from facts(value)
        else:
            yield name, shown(name, value)


def _list_facts(name: str, values: list[Any]) -> Iterator[tuple[str, str]]:
    if len(values) > 3:
        yield name, f"{len(values)} entries"
        return
    for value in values:
        yield from facts({name: value})


def shown(name: str, value: Any) -> str:
    """One value as a word."""
    found = quantity(name, value)
    if found is not None:
        return _rounded(*found)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, bytes):
        return value.hex() if len(value) <= 32 else f"{value[:8].hex()}... of {len(value)} bytes"
    return f"{value} %" if isinstance(value, int) and any(word in name for word in PERCENT) else str(value)


def _rounded(value: float, unit: str) -> str:
    if unit in ("W", "Wh", "VA") and abs(value) >= 1000.0:
        value, unit = value / 1000.0, f"k{unit}"
    return f"{value:.6g} {unit}".rstrip()


def line(entry: Entry, begin_s: float) -> str:
    """A message in a line: seconds since the first, who speaks, which message, what it says."""
    said = f"NOT READABLE: {entry.problem}" if entry.problem else words(entry.body)
    return f"{entry.time_s - begin_s:9.3f}  {entry.side:4}  {entry.name or entry.schema:27} {said}".rstrip()


def words(body: Mapping[str, Any]) -> str:
    """What a message says, without what goes without saying."""
    told = [(WORDS.get(name, name), value) for name, value in facts(body) if f"{name} {value}" not in USUAL]
    groups = [(word, [value for _word, value in group]) for word, group in groupby(told, key=itemgetter(0))]
    return ", ".join(f"{word} {' '.join(values)}" if word else ", ".join(values) for word, values in groups)


def stem(entry: Entry) -> str:
    """What a request and its response are called together."""
    return entry.name[:-3] if entry.side else ""


def summary(entries: Iterable[Entry]) -> dict[str, Any]:
    """A session as numbers: what was agreed, phases, ranges of all quantities, times of the loop."""
    all_entries = list(entries)
    said = [entry for entry in all_entries if entry.name]
    return {
        "protocols": sorted({entry.schema for entry in said if entry.name[:3] != "SDP"}),
        "messages": len(said),
        "problems": len(all_entries) - len(said),
        "duration_s": round(all_entries[-1].time_s - all_entries[0].time_s, 6) if all_entries else 0.0,
        "identities": _identities(said),
        "responses": _responses(said),
        "phases": _phases(said),
        "ranges": _ranges(said),
        "loop": _loop(said),
    }


def _identities(said: list[Entry]) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = {}
    for entry in said:
        session = entry.body.get("Header", {}).get("SessionID", b"")
        for name, value in (("SessionID", session), *entry.body.items()):
            if name in ("SessionID", "EVCCID", "EVSEID") and value:
                found.setdefault(name, {})[shown(name, value)] = None
    return {name: list(values) for name, values in found.items()}


def _responses(said: list[Entry]) -> dict[str, int]:
    """How often each response code came that is not a plain OK."""
    codes = [entry.body["ResponseCode"] for entry in said if "ResponseCode" in entry.body]
    return {code: codes.count(code) for code in dict.fromkeys(codes) if code != "OK"}


def _phases(said: list[Entry]) -> dict[str, dict[str, float]]:
    """Seconds from the first to the last message of each kind, and how many."""
    kinds: dict[str, list[float]] = {}
    for entry in said:
        if entry.side:
            kinds.setdefault(stem(entry), []).append(entry.time_s)
    return {kind: {"seconds": round(times[-1] - times[0], 6), "messages": len(times)} for kind, times in kinds.items()}


def _ranges(said: list[Entry]) -> dict[str, dict[str, Any]]:
    """Least and most of each quantity and each percentage, with the first and the last."""
    found: dict[str, tuple[list[float], str]] = {}
    for entry in said:
        for name, value, unit in numbers(entry.body):
            found.setdefault(name, ([], unit))[0].append(value)
    return {
        name: {"least": min(values), "most": max(values), "first": values[0], "last": values[-1], "unit": unit}
        for name, (values, unit) in found.items()
    }


def numbers(body: Mapping[str, Any]) -> Iterator[tuple[str, float, str]]:
    """Name, value and unit of each quantity and percentage of a message."""
    for name, value in body.items():
        number = quantity(name, value)
        if number is not None:
            yield name, *number
        elif isinstance(value, Mapping):
            yield from numbers(value)
        elif type(value) is int and any(word in name for word in PERCENT):
            yield name, float(value), "%"


def _loop(said: list[Entry]) -> dict[str, float]:
    """Of the exchanges that repeat: how many, their period, how long the station takes [s]."""
    loop = [entry for entry in said if stem(entry) in LOOPS]
    asked = [entry.time_s for entry in loop if entry.side == "EV"]
    answers = [b.time_s - a.time_s for a, b in pairwise(loop) if (a.side, b.side) == ("EV", "EVSE")]
    periods = [b - a for a, b in pairwise(asked)]
    times: dict[str, float] = {"requests": len(asked)}
    if periods and answers:
        times |= {"period_median_s": statistics.median(periods), "period_most_s": max(periods)}
        times |= {"answer_median_s": statistics.median(answers), "answer_most_s": max(answers)}
    return {name: round(value, 6) for name, value in times.items()}


GROUPS = {
    "limits of the car": ("EVMax", "EVMin"),
    "limits of the station": ("EVSEMax", "EVSEMin"),
    "requests": ("EVTarget",),
    "present values": ("EVSEPresent", "EVPresent"),
    "state of charge": ("EVRESSSOC", "PresentSOC"),
}


def summary_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """A summary in words."""
    problems = f", {found['problems']} not readable" if found["problems"] else ""
    yield f"protocol        {', '.join(found['protocols']) or 'none'}"
    yield f"messages        {found['messages']} in {found['duration_s']:.3f} s{problems}"
    for name, values in found["identities"].items():
        yield f"{name:15} {', '.join(values)}"
    for code, count in found["responses"].items():
        yield f"answered        {code}, {count} times"
    for kind, phase in found["phases"].items():
        if phase["messages"] > 2:
            yield f"{'phase':15} {kind}: {phase['seconds']:.3f} s, {phase['messages']} messages"
    for group, prefixes in GROUPS.items():
        yield from (
            f"{group}: {name} {_range(value)}" for name, value in found["ranges"].items() if name.startswith(prefixes)
        )
    if "period_median_s" in found["loop"]:
        yield _loop_line(found["loop"])


def _range(value: Mapping[str, Any]) -> str:
    least, most, first, last = (_rounded(value[key], value["unit"]) for key in ("least", "most", "first", "last"))
    return least if least == most else f"{least} to {most} (first {first}, last {last})"


def _loop_line(loop: Mapping[str, float]) -> str:
    period, answer = 1e3 * loop["period_median_s"], 1e3 * loop["answer_median_s"]
    return (
        f"loop: {loop['requests']:.0f} requests, every {period:.0f} ms (most {1e3 * loop['period_most_s']:.0f}), "
        f"answered after {answer:.1f} ms (most {1e3 * loop['answer_most_s']:.1f})"
    )
