"""What a rig says of cars that discharge, where that cannot come true or harms the site."""

from __future__ import annotations

from collections.abc import Iterator

from hilbench.errors import InputError
from hilbench.rig_findings import POLICY, Finding, Rule
from hilbench.rig_models import Rig, StationEntry
from hilbench_emulators.dc.garage import find_car
from hilbench_emulators.vehicles import load_vehicle

_TOLERANCE_A = 1e-6
DC_PHASE_V = 230.0
"""Power modules stand on 230/400 V (IEC 60038; standard-text)."""
BACKFEED = Rule("IEC 60364-8-82, NEC 705.12", "IEC 60364-8-82:2022, NFPA 70-2023", "recalled")


def _able_a(entry: StationEntry) -> float:
    """What the car of a station can give [A per line of the grid]; 0 where it cannot or is not known.

    Of a DC car it is what comes of its battery's nominal power in three lines, without losses.
    """
    try:
        if entry.kind == "dc":
            car = find_car(entry.vehicle)
            most_w = 0.0 if car.discharge is None else car.discharge.max_a * car.battery.open_v(0.5)
            return min(most_w / (DC_PHASE_V * len(entry.lines)), entry.max_a)
        discharge = load_vehicle(entry.vehicle).discharge
    except InputError:  # said where the tables are checked against each other
        return 0.0
    return 0.0 if discharge is None else min(discharge.max_a, entry.max_a)


def given_a(entry: StationEntry) -> float:
    """What current [A per line of the grid] the car of a station can and may give, 0 for one that only charges."""
    return _able_a(entry) if entry.two_way else 0.0


def can_discharge(rig: Rig) -> bool:
    """Some car of the rig may discharge."""
    return any(map(given_a, rig.stations))


def _stations(rig: Rig) -> Iterator[Finding]:
    for index, entry in enumerate(rig.stations):
        if entry.iso15118 and entry.ocpp == "1.6":
            what = "OCPP 1.6 has no message for what a car says over its link"
            yield Finding("warning", ("station", index, "iso15118"), what, 'use ocpp = "2.0.1" or "2.1"', POLICY)
        elif _able_a(entry) > 0.0 and not entry.two_way:
            what = f"car {entry.vehicle!r} can discharge, and never may here"
            remedy = 'set ocpp = "2.1" and iso15118 = true'
            yield Finding("warning", ("station", index, "vehicle"), what, remedy, POLICY)


def _export(rig: Rig) -> Iterator[Finding]:
    limit_kw = rig.site.export_limit_kw
    if limit_kw is None:
        return
    most_kw = rig.electrical.all_lines_kw(rig.site.service.rating_a)
    if not can_discharge(rig):
        what = "there is an export limit, and nothing in the rig that exports"
        remedy = "give stations iso15118, OCPP 2.1 and a car that can discharge"
        yield Finding("warning", ("site", "export_limit_kw"), what, remedy, POLICY)
    elif limit_kw > most_kw:
        what = f"export limit {limit_kw:g} kW is above the {most_kw:.0f} kW that the service carries"
        yield Finding("warning", ("site", "export_limit_kw"), what, f"at most {most_kw:.0f} kW", POLICY)


def _backfeed(rig: Rig) -> Iterator[Finding]:
    """Cars that discharge together, with nobody beside them who takes it."""
    for index, feeder in enumerate(rig.feeders):
        node = next((node for node in rig.electrical.nodes if node.id == feeder.id), None)
        if node is None:
            continue
        total_a = _sum_a(rig, feeder.id)
        if total_a > node.rating_a + _TOLERANCE_A:
            what = f"cars that discharge together put {total_a:.4g} A per line into a feeder of {node.rating_a:g} A"
            remedy = "only the controller keeps that below its rating: put fewer such cars here, or budget for it"
            yield Finding("warning", ("feeder", index, "rating_a"), what, remedy, BACKFEED)


def _sum_a(rig: Rig, node_id: str) -> float:
    """Largest line current [A] below a node when every car gives all that it can, at unity power factor."""
    sums, below = dict.fromkeys(rig.electrical.lines, 0j), {branch.role for branch in rig.electrical.below(node_id)}
    for entry in rig.stations:
        if entry.role in below:
            for line, unit in rig.electrical.unit_currents(entry.branch).items():
                sums[line] += unit * given_a(entry)
    return max(map(abs, sums.values()))


discharge_rules = (_stations, _export, _backfeed)
"""Rules about cars that discharge, in the order of the tables."""
