"""The load calculation of a site, clause by clause: what its stations add without and with load management.

60 Hz sites are calculated by the NEC of 2023 or 2026, 50 Hz sites by IEC 60364. All currents are per line conductor and
summed as phasors at unity power factor; the largest line counts. An energy management system (EMS, from 2026 power
control system, PCS) lets its setting stand for the loads that it monitors; the setting is continuous. The clauses'
wording is behind a paywall: every row says how sure the bench is of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from hilbench.site import CONTINUOUS, Branch, Model, Name, Node, Number, Site

Edition = Literal["nec-2023", "nec-2026", "iec-60364"]
EDITIONS: tuple[Edition, ...] = ("nec-2023", "nec-2026", "iec-60364")
UNKNOWN_EVSE_VA = 7200.0
"""Least load of a station in the NEC of 2023 (220.57); in 2026 only where its nameplate is not known (secondary)."""
DEVICE_KW = 4.2
"""What section 14a EnWG leaves a controllable device (BK6-22-300, 4.5.2; regulation text quoted by many)."""
SIMULTANEITY = (1.0, 1.0, 0.80, 0.75, 0.70, 0.65, 0.60, 0.55, 0.50)
"""GZF by number of devices, from 9 on 0.45 (BK6-22-300, table in 4.5.3; recalled)."""
MANY_DEVICES = 0.45

_EDITIONS_CLAUSES: dict[Edition, dict[str, str]] = {
    "nec-2023": {
        "branch": "625.41, 210.20(A)",
        "evse": "220.57",
        "sum": "220.40, 625.42",
        "ocpd": "215.3, 230.42(A)",
        "setting": "220.70, 625.42(A), 750.30",
        "least": "750.30(C)",
    },
    "nec-2026": {
        "branch": "625.41, 210.20(A)",
        "evse": "120.57",
        "sum": "120.40, 625.42",
        "ocpd": "215.3, 230.42(A)",
        "setting": "120.7, 625.42(A), 130.30",
        "least": "120.7, 130.50",
    },
    "iec-60364": {
        "branch": "4-43 433.1",
        "evse": "7-722 722.311",
        "sum": "1 311",
        "ocpd": "4-43 433.1",
        "setting": "7-722 722.311",
        "least": "7-722 722.311",
    },
}


class OtherLoad(Model):
    """A load that is no station: ``va`` spread evenly over all lines of ``node``.

    ``monitored``: the meter that the controller acts on sees it.
    """

    name: Annotated[str, Field(min_length=1, max_length=100)]
    va: Annotated[Number, Field(ge=0, le=100_000_000)]
    node: Name = "service"
    continuous: Annotated[bool, Field(strict=True)] = False
    monitored: Annotated[bool, Field(strict=True)] = True


class LoadsEntry(Model):
    """``[loads]`` of a rig: what ``hilbench site loads`` needs beside the site.

    ``full_rated`` names nodes whose OCPD and assembly are listed for 100 % of their rating. ``dimming`` adds the least
    power that the grid operator must leave (section 14a EnWG). Without ``other``, the building is ``worst_base_a``,
    and so is what feeders have beside stations.
    """

    edition: Edition | None = None
    other: tuple[OtherLoad, ...] = ()
    full_rated: tuple[Name, ...] = ()
    dimming: Literal["14a"] | None = None


@dataclass(frozen=True)
class Row:
    """One line of the sheet: ``value`` in ``unit``, how it came about, and whether it keeps its bound (None: none)."""

    node: str
    clause: str
    what: str
    how: str
    value: float
    unit: str
    confidence: str
    keeps: bool | None = None


@dataclass(frozen=True)
class Sheet:
    """A finished calculation. ``managed`` says whether it needs load management to be permitted at all."""

    edition: Edition
    rows: tuple[Row, ...]
    managed: bool

    @property
    def permitted(self) -> bool:
        """True when every bound is kept with the setting in force."""
        return all(row.keeps is not False for row in self.rows)


def calculate(site: Site, loads: LoadsEntry, edition: Edition | None = None) -> Sheet:
    """The sheet of ``site``; ``edition`` overrides what the file says (default: by the frequency)."""
    chosen = edition or loads.edition or ("nec-2023" if site.service.frequency_hz > 55 else "iec-60364")
    work = _Calculation(site, loads, chosen)
    rows = [*work.branches(), *(row for node in site.nodes for row in work.node(node)), *work.dimming()]
    return Sheet(chosen, tuple(rows), work.managed)


def least_power_kw(devices: int) -> float:
    """Least power [kW] left to ``devices`` steered through an EMS: 4.2 + (n - 1) GZF(n) 4.2 (section 14a EnWG)."""
    if devices < 1:
        return 0.0
    factor = SIMULTANEITY[devices] if devices < len(SIMULTANEITY) else MANY_DEVICES
    return DEVICE_KW + (devices - 1) * factor * DEVICE_KW


def continuous_kw(site: Site) -> float:
    """What the service bears continuously [kW]: 80 % of its rating; 200 A at 240 V make 38.4 kW, not 48."""
    return CONTINUOUS * site.all_lines_kw(site.service.rating_a)


class _Calculation:
    """The rows of one site by one edition; ``managed`` becomes true at the first node that needs it."""

    def __init__(self, site: Site, loads: LoadsEntry, edition: Edition) -> None:
        self.site, self.loads, self.edition = site, loads, edition
        self.clauses = _EDITIONS_CLAUSES[edition]
        self.nec = edition != "iec-60364"
        self.book = "NEC" if self.nec else "IEC 60364"
        self.managed = False

    def row(self, node: str, clause: str, what: str, how: str, value: float, keeps: bool | None = None) -> Row:
        confidence = "secondary" if clause in ("evse", "setting", "least") else "recalled"
        return Row(node, f"{self.book} {self.clauses[clause]}", what, how, value, "A", confidence, keeps)

    def factor(self, node: Node) -> float:
        """What a continuous load is multiplied by before it is held against an OCPD; transformers bear it as it is."""
        own = {"service": self.site.service.rating_a} | {feeder.id: feeder.rating_a for feeder in self.site.feeders}
        fused = own[node.id] == node.rating_a and node.id not in self.loads.full_rated
        return 1.25 if self.nec and fused else 1.0

    def branches(self) -> Iterator[Row]:
        """Each kind of branch circuit once."""
        factor = 1.25 if self.nec else 1.0
        kinds: dict[tuple[float, float], list[str]] = {}
        for branch in self.site.branches:
            kinds.setdefault((branch.max_a, branch.branch_a), []).append(branch.role)
        for (most, ocpd), roles in kinds.items():
            what = f"branch circuit of {roles[0]}" + (f" and {len(roles) - 1} like it" if roles[1:] else "")
            how = f"{factor:g} x {most:g} A on {ocpd:g} A"
            yield self.row("branch", "branch", what, how, factor * most, factor * most <= ocpd + 1e-6)

    def evse_va(self, branch: Branch) -> float:
        """Load of one station [VA]."""
        own = self.nameplate_va(branch)
        return max(own, UNKNOWN_EVSE_VA) if self.edition == "nec-2023" else own

    def nameplate_va(self, branch: Branch) -> float:
        """What its nameplate says [VA]."""
        phases = 1 if branch.line_to_line else len(branch.lines)
        return branch.max_a * phases * self.site.voltage_v(branch)

    def stations_a(self, node: str, per_station: dict[str, float]) -> float:
        """Largest line current below ``node`` when stations draw ``per_station`` [A]."""
        sums = dict.fromkeys(self.site.lines, 0j)
        for branch in self.site.below(node):
            for line, unit in self.site.unit_currents(branch).items():
                sums[line] += unit * per_station[branch.role]
        return max(abs(total) for total in sums.values())

    def other_a(self, node: str, *, continuous: bool | None = None, monitored: bool | None = None) -> float:
        """Line current of the loads that are no stations, below ``node`` [A]."""
        if not self.loads.other:
            return self.site.base_a(node) if continuous is not True and monitored is not False else 0.0
        picked = [
            one.va
            for one in self.loads.other
            if node in self.site.path(one.node)
            and continuous in (None, one.continuous)
            and monitored in (None, one.monitored)
        ]
        return sum(picked) / (len(self.site.lines) * self.site.service.line_to_neutral_v)

    def node(self, node: Node) -> Iterator[Row]:
        """Without load management, then with its setting."""
        below = self.site.below(node.id)
        if below:
            yield from self.unmanaged(node, below)
            yield from self.setting(node)

    def unmanaged(self, node: Node, below: tuple[Branch, ...]) -> Iterator[Row]:
        asked = {b.role: b.max_a * self.evse_va(b) / self.nameplate_va(b) for b in self.site.branches}
        evse, factor = self.stations_a(node.id, asked), self.factor(node)
        kva = sum(self.evse_va(branch) for branch in below) / 1000.0
        steady, rest = self.other_a(node.id, continuous=True), self.other_a(node.id, continuous=False)
        yield self.row(node.id, "evse", "stations at their rating", f"{len(below)} x, {kva:.2f} kVA", evse)
        total = evse + steady + rest
        how = f"{evse:.1f} + {steady:.1f} continuous + {rest:.1f} other"
        yield self.row(node.id, "sum", "load without management", how, total)
        ocpd = factor * (evse + steady) + rest
        fits = ocpd <= node.rating_a + 1e-6
        self.managed = self.managed or not fits
        how = f"{factor:g} x ({evse:.1f} + {steady:.1f}) + {rest:.1f}; there are {node.rating_a:.4g} A: " + (
            "enough" if fits else "only with load management"
        )
        yield self.row(node.id, "ocpd", "OCPD without management", how, ocpd)

    def setting(self, node: Node) -> Iterator[Row]:
        """What counts with the setting in force, and whether it can be kept at all."""
        factor, setting = self.factor(node), node.limit_a
        steady = self.other_a(node.id, continuous=True, monitored=False)
        rest = self.other_a(node.id, continuous=False, monitored=False)
        ocpd = factor * (setting + steady) + rest
        how = f"{factor:g} x ({setting:g} + {steady:.1f} not monitored) + {rest:.1f} on {node.rating_a:.4g} A"
        keeps = ocpd <= node.rating_a + 1e-6
        yield self.row(node.id, "setting", f"setting of {setting:g} A, continuous", how, ocpd, keeps)
        least = self.stations_a(node.id, {b.role: b.fallback_a for b in self.site.branches})
        seen = self.other_a(node.id, monitored=True)
        how = f"{seen:.1f} monitored and not controlled + {least:.1f} of stations at their least, of {setting:g} A"
        yield self.row(
            node.id, "least", "load that no control can lower", how, seen + least, seen + least <= setting + 1e-6
        )

    def dimming(self) -> Iterator[Row]:
        if self.loads.dimming is None:
            return
        devices = [b for b in self.site.branches if self.nameplate_va(b) > DEVICE_KW * 1000.0]
        value = least_power_kw(len(devices))
        how = f"{len(devices)} devices above {DEVICE_KW:g} kW: {DEVICE_KW:g} + (n - 1) x GZF x {DEVICE_KW:g}"
        yield Row("service", "EnWG 14a, BK6-22-300", "least power when dimmed", how, value, "kW", "recalled")
