"""Electrical rules that a rig's site must keep before anything is plugged in.

Sites of 60 Hz are read by the NEC, sites of 50 Hz by IEC 60364. A finding names its clause and how sure the bench is
of it; ``error`` means that the site as described cannot be kept safe by any controller.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from typing import Any, Literal

from hilbench.errors import Problem
from hilbench.rig_building import BuildingEntry
from hilbench.rig_controllers import ExternalController
from hilbench.rig_errors import Location, file_location, where
from hilbench.rig_findings import POLICY as POLICY
from hilbench.rig_findings import Finding as Finding
from hilbench.rig_findings import Rule as Rule
from hilbench.rig_lint_v2g import can_discharge, discharge_rules
from hilbench.rig_models import Rig
from hilbench.site import Branch, Feeder, Node

_TOLERANCE_A = 1e-6
_VOLTAGES = {
    "single-phase": (100, 110, 120, 200, 220, 230, 240),
    "split-phase": (200, 208, 240),
    "three-phase": (200, 208, 220, 230, 240, 380, 400, 415, 480, 600),
}
"""Nominal voltages by wiring [V] (ANSI C84.1, IEC 60038 table 1; recalled)."""


NEC_CONTINUOUS = Rule("NEC 210.20(A), 215.3, 220.70", "NFPA 70-2023", "recalled")
NEC_BRANCH = Rule("NEC 625.41, 210.20(A)", "NFPA 70-2023", "recalled")
IEC_OVERLOAD = Rule("IEC 60364-4-43, 433.1", "IEC 60364-4-43:2008", "recalled")
FALLBACKS = Rule("fail-safe values carry the load calculation", "Technical Safety BC on CEC 8-106", "secondary")
PILOT_FLOOR = Rule("IEC 61851-1 Table A.8", "IEC 61851-1:2017, SAE J1772", "recalled")
VOLTAGE = Rule("SAE J1772 AC Level 2, IEC 61851-1", "SAE J1772", "recalled")


def lint(rig: Rig) -> list[Finding]:
    """All findings, errors first, else in the order of the file's tables."""
    electrical = (_budgets, _tree, _fallbacks, _queueing, _stations, _voltages, _balance)
    rules = (*electrical, _building, _timing, _reach, _passwords, *discharge_rules)
    found = [finding for rule in rules for finding in rule(rig)]
    return sorted(found, key=lambda finding: finding.severity != "error")


def located(findings: Iterable[Finding], data: Mapping[str, Any], text: str) -> list[tuple[str, Problem, Rule]]:
    """Severity, problem with key path and line in the file (``data`` and ``text``), and rule of each finding, once."""
    found: dict[tuple[str, Problem, Rule], None] = {}
    for finding in findings:
        place = where(text, file_location(finding.location, data))
        found[finding.severity, Problem(place, finding.what, finding.remedy), finding.rule] = None
    return list(found)


def _is_nec(rig: Rig) -> bool:
    return rig.site.service.frequency_hz > 55


def _node_location(rig: Rig, node_id: str, key: str) -> Location:
    if node_id == "service":
        return ("site", key)
    return ("feeder", next(i for i, feeder in enumerate(rig.feeders) if feeder.id == node_id), key)


def _feeder(rig: Rig, node_id: str) -> Feeder | None:
    return next((feeder for feeder in rig.feeders if feeder.id == node_id), None)


def _ocpd_a(rig: Rig, node: Node) -> float | None:
    """Rating of the node's OCPD [A]; None for a transformer without one of its own."""
    feeder = _feeder(rig, node.id)
    return rig.site.service.rating_a if feeder is None else feeder.rating_a


def _budgets(rig: Rig) -> Iterator[Finding]:
    factor, rule = (1.25, NEC_CONTINUOUS) if _is_nec(rig) else (1.0, IEC_OVERLOAD)
    for node in rig.electrical.nodes:
        location = _node_location(rig, node.id, "budget_a")
        ocpd = _ocpd_a(rig, node)
        if ocpd is not None and factor * node.limit_a > ocpd + _TOLERANCE_A:
            what = f"budget {node.limit_a:g} A x {factor:g} is more than the {ocpd:g} A of the OCPD"
            yield Finding("error", location, what, f"at most {ocpd / factor:g} A", rule)
        elif node.limit_a > node.rating_a + _TOLERANCE_A:
            what = f"budget {node.limit_a:g} A is more than the {node.rating_a:.0f} A that the transformer bears"
            yield Finding("error", location, what, f"at most {node.rating_a:.0f} A", IEC_OVERLOAD)


def _tree(rig: Rig) -> Iterator[Finding]:
    nodes = {node.id: node for node in rig.electrical.nodes}
    for node in nodes.values():
        if node.parent is None:
            continue
        parent = nodes[node.parent]
        if node.rating_a > parent.rating_a + _TOLERANCE_A:
            what = f"rating {node.rating_a:.0f} A is above the {parent.rating_a:.0f} A of {parent.id!r} that feeds it"
            location = _node_location(rig, node.id, "rating_a")
            yield Finding("warning", location, what, "check the one-line diagram", POLICY)
        if node.limit_a > parent.limit_a + _TOLERANCE_A:
            what = f"budget {node.limit_a:g} A is above the {parent.limit_a:g} A of {parent.id!r} and can never be used"
            yield Finding("warning", _node_location(rig, node.id, "budget_a"), what, "lower it", POLICY)


def _continuous_a(rig: Rig, node: Node) -> float:
    """What a node may carry for hours [A per line]."""
    return node.rating_a / (1.25 if _is_nec(rig) else 1.0)


def _fallbacks(rig: Rig) -> Iterator[Finding]:
    for node in rig.electrical.nodes:
        base, total = rig.electrical.base_a(node.id), rig.electrical.fallback_sum_a(node.id)
        room = node.limit_a - base
        if total > room + _TOLERANCE_A:
            what = (
                f"fallbacks add up to {total:.4g} A per line, but budget {node.limit_a:g} A less worst base load "
                f"{base:g} A leaves {room:.4g} A"
            )
            remedy = "lower fallback_a (0 pauses) or put fewer stations here"
            severity: Literal["error", "warning"] = "error"
            if total + base <= _continuous_a(rig, node) + _TOLERANCE_A and can_discharge(rig):
                severity, remedy = "warning", "only cars that discharge can keep the budget at the worst base load"
            yield Finding(severity, _node_location(rig, node.id, "budget_a"), what, remedy, FALLBACKS)


def _queueing(rig: Rig) -> Iterator[Finding]:
    for node in rig.electrical.nodes:
        below = rig.electrical.below(node.id)
        need = rig.electrical.line_sum_a(node.id, lambda branch: branch.minimum_a)
        room = node.limit_a - rig.electrical.base_a(node.id)
        if need > room + _TOLERANCE_A:
            least = " or ".join(f"{amps:g}" for amps in sorted({one.minimum_a for one in below}))
            what = f"{len(below)} stations at {least} A need {need:.4g} A per line of {room:.4g} A: not all can charge"
            what += " at once"
            yield Finding("warning", _node_location(rig, node.id, "budget_a"), what, "cars will queue", PILOT_FLOOR)


def _stations(rig: Rig) -> Iterator[Finding]:
    for index, entry in enumerate(rig.stations):
        yield from _pilot_range(entry, index)
        yield from _branch_circuit(entry, index, _is_nec(rig))


def _pilot_range(entry: Branch, index: int) -> Iterator[Finding]:
    least, rule = entry.minimum_a, PILOT_FLOOR if entry.kind == "ac" else POLICY
    if entry.max_a < least:
        floor = "that a pilot can offer" if entry.kind == "ac" else "with which cars charge there"
        what = f"nameplate {entry.max_a:g} A is below the {least:g} A {floor}"
        yield Finding("error", ("station", index, "max_a"), what, f"at least {least:g} A", rule)
    if 0 < entry.fallback_a < least:
        short = "cannot be offered on a pilot" if entry.kind == "ac" else f"is below the {least:g} A that cars need"
        what = f"fallback {entry.fallback_a:g} A {short}"
        yield Finding("error", ("station", index, "fallback_a"), what, f"0 (pause) or at least {least:g} A", rule)
    if entry.fallback_a > entry.max_a:
        what = f"fallback {entry.fallback_a:g} A is above the nameplate of {entry.max_a:g} A"
        yield Finding("error", ("station", index, "fallback_a"), what, f"at most {entry.max_a:g} A", POLICY)


def _branch_circuit(entry: Branch, index: int, nec: bool) -> Iterator[Finding]:
    factor, rule = (1.25, NEC_BRANCH) if nec else (1.0, IEC_OVERLOAD)
    if entry.branch_a + _TOLERANCE_A < factor * entry.max_a:
        what = f"branch OCPD {entry.branch_a:g} A is less than {factor:g} x the station's {entry.max_a:g} A"
        remedy = f"at least {factor * entry.max_a:g} A, or max_a at most {entry.branch_a / factor:g} A"
        yield Finding("error", ("station", index, "branch_a"), what, remedy, rule)


def _voltages(rig: Rig) -> Iterator[Finding]:
    service = rig.site.service
    usual = _VOLTAGES[service.wiring]
    if all(abs(service.voltage_v - volts) > 0.03 * volts for volts in usual):
        what = f"{service.voltage_v:g} V is not a usual voltage of a {service.wiring} service"
        remedy = f"line to line, usually {', '.join(map(str, usual))}"
        yield Finding("warning", ("site", "service", "voltage_v"), what, remedy, POLICY)
    for index, entry in enumerate(rig.stations):
        volts = rig.electrical.voltage_v(entry)
        location = ("station", index, "connection")
        if volts > 290:
            what = f"{entry.connection} puts {volts:.0f} V on one phase of a car, which takes 240 V"
            yield Finding("error", location, what, "connect line to neutral", VOLTAGE)
        elif volts > 255:
            what = f"{entry.connection} puts {volts:.0f} V on one phase of a car: few stations and cars take it"
            yield Finding("warning", location, what, "check the nameplates", VOLTAGE)


def _balance(rig: Rig) -> Iterator[Finding]:
    connections = {entry.connection for entry in rig.stations}
    if rig.site.service.wiring != "three-phase" or len(rig.stations) < 3 or len(connections) > 1:
        return
    first = rig.stations[0]
    what = f"all {len(rig.stations)} stations are connected {first.connection}"
    if len(first.lines) == 3:
        what += f": single-phase cars all load {first.lines[0]}"
        remedy = "rotate the phases: L1-L2-L3, L2-L3-L1, L3-L1-L2"
    else:
        remedy = "spread them over the lines"
    yield Finding("warning", ("station", 0, "connection"), what, remedy, POLICY)


def _building(rig: Rig) -> Iterator[Finding]:
    if rig.building is not None:
        worst = rig.electrical.own_base_a("service")
        yield from _peak(rig, rig.building, ("site", "worst_base_a"), worst, "the building's peak")
    for entry in rig.base_loads:
        place = _node_location(rig, entry.node, "worst_base_a")
        yield from _peak(rig, entry, place, rig.electrical.own_base_a(entry.node), f"the peak of {entry.node!r}")


def _peak(rig: Rig, building: BuildingEntry, place: Location, worst: float, name: str) -> Iterator[Finding]:
    peak, service = building.peak_a, rig.site.service
    if building.peak_kw is not None:
        peak = building.peak_kw * 1000 / (len(service.lines) * service.line_to_neutral_v * building.power_factor)
    if peak is not None and peak > worst + 0.01 * peak:
        what = f"{name} of {peak:.0f} A per line is above the worst base load of {worst:g} A"
        yield Finding("warning", place, what, "raise it, or lower the peak", POLICY)


def _timing(rig: Rig) -> Iterator[Finding]:
    for name, meter in rig.meters.items():
        age, stale = meter.interval_s + meter.latency_s, rig.stale_timeout_s
        location = ("meter", name, "interval_s")
        if age >= stale:
            what = f"a sample is up to {age:g} s old, and the controller drops it after {stale:g} s"
            remedy = "sample faster, or let the controller trust it longer"
            yield Finding("error", location, what, remedy, POLICY)
        elif 2 * meter.interval_s + meter.latency_s > stale:
            what = f"one lost sample of {meter.interval_s:g} s makes the meter stale after {stale:g} s"
            yield Finding("warning", location, what, "allow for two intervals and the latency", POLICY)


def _reach(rig: Rig) -> Iterator[Finding]:
    controller = rig.controller
    if not isinstance(controller, ExternalController):
        return
    if controller.command is None and controller.pid_file is None:
        what = "the bench cannot stop or restart this controller: the procedures that need it are not run"
        yield Finding("warning", ("controller",), what, "give command, or pid_file", POLICY)
    for name, meter in rig.meters.items():
        if _is_loopback(meter.endpoint[0]) and not _is_loopback(controller.address[0]):
            what = f"a controller at {controller.address[0]} cannot reach a meter that is served on {meter.endpoint[0]}"
            yield Finding("warning", ("meter", name, "address"), what, "serve it on tcp://0.0.0.0:PORT", POLICY)


def _passwords(rig: Rig) -> Iterator[Finding]:
    for index, entry in enumerate(rig.stations):
        if entry.password:
            what = "a password stands in the rig file, which is shown and passed on"
            yield Finding("warning", ("station", index, "password"), what, "put it into a password_file", POLICY)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
