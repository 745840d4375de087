"""The electrical site as data: a service, a tree of feeders, and stations on branch circuits.

Currents are RMS amperes in line conductors, positive into the site. Lines are ``L1`` (single-phase), ``L1 L2``
(split-phase) or ``L1 L2 L3`` (three-phase). A station's ``connection`` names the conductors of its terminals in
order, which is how phase rotation is written: ``L2-L3-L1`` feeds the car's first phase from L2.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

Wiring = Literal["single-phase", "split-phase", "three-phase"]
LINES: dict[str, tuple[str, ...]] = {
    "single-phase": ("L1",),
    "split-phase": ("L1", "L2"),
    "three-phase": ("L1", "L2", "L3"),
}
_ANGLE_DEG = {
    "single-phase": {"L1": 0.0},
    "split-phase": {"L1": 0.0, "L2": 180.0},
    "three-phase": {"L1": 0.0, "L2": -120.0, "L3": 120.0},
}
CONTINUOUS = 0.8
"""Share of an OCPD's rating that a continuous load may use (NEC 210.20(A): OCPD >= 125 % of it; recalled text)."""
MINIMUM_CURRENT_A = 6.0
"""Least current that a pilot can offer (IEC 61851-1 Table A.8, SAE J1772; 10 % duty)."""
DC_MINIMUM_A = 5.0
"""Least current per line [A] of a DC station: the 6 A at 350 V with which a LEAF ends (recorded: 102.0 of its logs),
with what modules lose at part load, and whole amperes of CHAdeMO (policy-default)."""

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A finite number of a file; neither ``"6"`` nor ``true`` is one."""
Integer = Annotated[int, Field(strict=True)]
Amperes = Annotated[Number, Field(ge=0, le=100_000)]
Seconds = Annotated[Number, Field(gt=0, le=86_400)]
Rating = Annotated[Number, Field(gt=0, le=100_000)]
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,47}$"
Name = Annotated[str, Field(pattern=NAME)]


def beside_file(value: Path, info: ValidationInfo) -> Path:
    """A path of a file, relative to that file's folder where the validation's context knows it."""
    folder = (info.context or {}).get("folder")
    return value if folder is None else Path(folder) / value


RelativePath = Annotated[Path, AfterValidator(beside_file)]


def _name_or_curve(value: str, info: ValidationInfo) -> str:
    return str(beside_file(Path(value), info)) if value.endswith(".csv") else value


Ocpd = Annotated[str, Field(max_length=400), AfterValidator(_name_or_curve)]
"""An overcurrent protective device by its name, or the CSV file of its curve, relative to the file that names it."""


class Model(BaseModel):
    """Base of all file models: unknown keys are errors, instances are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Service(Model):
    """The supply: main OCPD rating [A], nominal voltage [V] and wiring.

    ``voltage_v`` is line to line for split-phase (240) and three-phase (208, 400, 480), line to neutral for
    single-phase (230). ``ocpd`` is the main device (``UL 489``, ``IEC 60898-1 C``, ``IEC 60947-2``, ``gG``, or the CSV
    file of its curve); empty: the breaker that is usual at this frequency.
    """

    rating_a: Rating
    voltage_v: Annotated[Number, Field(ge=100, le=700)]
    wiring: Wiring
    frequency_hz: Annotated[Number, Field(ge=45, le=65)] = 60.0
    ocpd: Ocpd = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """Names of the line conductors."""
        return LINES[self.wiring]

    @property
    def line_to_neutral_v(self) -> float:
        """Voltage from a line to neutral [V]."""
        return self.voltage_v / {"single-phase": 1.0, "split-phase": 2.0, "three-phase": math.sqrt(3)}[self.wiring]

    def phasor(self, line: str) -> complex:
        """Unit phasor of the voltage from ``line`` to neutral."""
        return cmath.rect(1.0, math.radians(_ANGLE_DEG[self.wiring][line]))


class Feeder(Model):
    """A feeder or sub-panel: OCPD rating [A] per line, its budget, or a transformer's rating.

    ``worst_base_a`` is the largest current [A per line] of what it feeds beside stations, by itself and below it; where
    feeders below it declare more together, that counts. ``ocpd`` is as in :class:`Service`.
    """

    id: Name
    parent: Name = "service"
    rating_a: Rating | None = None
    transformer_kva: Annotated[Number, Field(gt=0, le=100_000)] | None = None
    budget_a: Amperes | None = None
    worst_base_a: Amperes = 0.0
    ocpd: Ocpd = ""
    title: str = ""


class Branch(Model):
    """A station's place in the site: its branch circuit, nameplate, conductors and fallback.

    ``priority`` is its class (higher ones are filled first), ``weight`` its share beside others of its class, and
    ``guaranteed_a`` what it gets before anybody gets more than the least current.

    ``kind`` is what its cars get. All currents here are those on the grid side, of a DC station too. ``least_a`` [A] is
    the least current with which its cars charge (default: see :attr:`minimum_a`).
    """

    role: Name
    feeder: Name = "service"
    branch_a: Rating
    max_a: Rating
    connection: str
    fallback_a: Amperes = 0.0
    priority: Annotated[Integer, Field(ge=0, le=9)] = 0
    weight: Annotated[Number, Field(gt=0, le=100)] = 1.0
    guaranteed_a: Amperes = 0.0
    kind: Literal["ac", "dc"] = "ac"
    least_a: Rating | None = None

    @property
    def minimum_a(self) -> float:
        """The least current [A] with which cars charge: the pilot's for AC, :data:`DC_MINIMUM_A` for DC."""
        if self.least_a is not None:
            return self.least_a
        return MINIMUM_CURRENT_A if self.kind == "ac" else DC_MINIMUM_A

    @field_validator("connection")
    @classmethod
    def _known_connection(cls, value: str) -> str:
        parts = value.split("-")
        lines = [part for part in parts if part in ("L1", "L2", "L3")]
        good = len(set(lines)) == len(lines) and (
            (len(parts) == 2 and len(lines) == 1 and parts[1] == "N") or (len(parts) in (2, 3) and lines == parts)
        )
        if not good:
            raise ValueError("use L1-N (line to neutral), L1-L2 (line to line) or L1-L2-L3 in the order of rotation")
        return value

    @property
    def lines(self) -> tuple[str, ...]:
        """Line conductors of the station's terminals, in order."""
        return tuple(part for part in self.connection.split("-") if part != "N")

    @property
    def line_to_line(self) -> bool:
        """True for a single-phase load between two lines."""
        return len(self.lines) == 2


class Node(Model):
    """A node of the resolved tree: ``limit_a`` is the budget [A], ``rating_a`` what its OCPD or transformer bears."""

    id: str
    parent: str | None
    rating_a: float
    limit_a: float
    title: str = ""


class Site(Model):
    """A whole site. ``nodes`` is the resolved tree, root (``service``) first, every parent before its children."""

    name: str
    service: Service
    budget_a: Amperes | None = None
    worst_base_a: Amperes = 0.0
    feeders: tuple[Feeder, ...] = ()
    branches: tuple[Branch, ...] = ()
    timezone: str = "UTC"
    contract_kw: float | None = None
    export_limit_kw: float | None = None
    unbalance_a: float | None = None
    neutral_a: float | None = None

    @property
    def spread_a(self) -> float:
        """How far the lines of the service may differ [A]; infinite where nothing says so.

        The neutral of a split-phase service carries the difference of its lines, that of a three-phase one at most the
        difference of the greatest and the least.
        """
        limits = (self.unbalance_a, self.neutral_a)
        return min((limit for limit in limits if limit is not None), default=math.inf)

    @property
    def lines(self) -> tuple[str, ...]:
        """Line conductors of the site."""
        return self.service.lines

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """The tree, parents first; feeders whose parent is unknown or circular are left out (see ``lint``)."""
        budget = self.service.rating_a * CONTINUOUS if self.budget_a is None else self.budget_a
        found = {
            "service": Node(id="service", parent=None, rating_a=self.service.rating_a, limit_a=budget, title=self.name)
        }
        waiting = list(self.feeders)
        while ready := [f for f in waiting if f.parent in found and f.id not in found]:
            for feeder in ready:
                found[feeder.id] = self._node(feeder)
            waiting = [f for f in waiting if f not in ready]
        return tuple(found.values())

    def _node(self, feeder: Feeder) -> Node:
        candidates = [feeder.rating_a or math.inf]
        if feeder.transformer_kva is not None:
            candidates.append(self.transformer_a(feeder.transformer_kva))
        rating = min(candidates)
        limit = rating * CONTINUOUS if feeder.budget_a is None else feeder.budget_a
        return Node(id=feeder.id, parent=feeder.parent, rating_a=rating, limit_a=limit, title=feeder.title or feeder.id)

    def transformer_a(self, kva: float) -> float:
        """Rated line current [A] on the site's side of a transformer of ``kva``."""
        per_line = {"single-phase": 1.0, "split-phase": 1.0, "three-phase": math.sqrt(3)}[self.service.wiring]
        return kva * 1000.0 / (per_line * self.service.voltage_v)

    def node(self, node_id: str) -> Node:
        """The node called ``node_id``; raises ``KeyError``."""
        for node in self.nodes:
            if node.id == node_id:
                return node
        raise KeyError(node_id)

    def ocpd_of(self, node_id: str) -> tuple[float, str]:
        """Rating [A] and name of a node's OCPD, the name empty where nobody says; raises ``KeyError``."""
        if node_id == "service":
            return self.service.rating_a, self.service.ocpd
        feeder = next((one for one in self.feeders if one.id == node_id), None)
        return (feeder.rating_a or 0.0, feeder.ocpd) if feeder else (self.node(node_id).rating_a, "")

    def branch(self, role: str) -> Branch:
        """The branch of the station with ``role``; raises ``KeyError``."""
        for branch in self.branches:
            if branch.role == role:
                return branch
        raise KeyError(role)

    def base_a(self, node_id: str) -> float:
        """The largest current [A per line] that flows through a node beside stations, as declared."""
        if node_id == "service":
            return self.worst_base_a
        feeder = next(one for one in self.feeders if one.id == node_id)
        return max(feeder.worst_base_a, self.feeders_base_a(node_id))

    def feeders_base_a(self, node_id: str) -> float:
        """What the feeders that a node feeds declare together [A per line]."""
        return math.fsum(self.base_a(node.id) for node in self.nodes if node.parent == node_id)

    def own_base_a(self, node_id: str) -> float:
        """What a node itself feeds beside stations and feeders, at most [A per line]."""
        return self.base_a(node_id) - self.feeders_base_a(node_id)

    def path(self, node_id: str) -> Iterator[str]:
        """Ids from ``node_id`` up to ``service``."""
        parents = {node.id: node.parent for node in self.nodes}
        current: str | None = node_id
        while current is not None:
            yield current
            current = parents[current]

    def below(self, node_id: str) -> tuple[Branch, ...]:
        """Branches fed through ``node_id``."""
        known = {node.id for node in self.nodes}
        return tuple(b for b in self.branches if b.feeder in known and node_id in self.path(b.feeder))

    def tightest(self) -> tuple[str, ...]:
        """Roles of the stations that are fed from the feeder with the least budget."""
        fed = {branch.feeder for branch in self.branches}
        feeder = min((node for node in self.nodes if node.id in fed), key=lambda node: node.limit_a)
        return tuple(branch.role for branch in self.branches if branch.feeder == feeder.id)

    def carried_a(self, branch: Branch) -> float:
        """What a station may draw all day [A]: its rating, and at 60 Hz 80 % of its OCPD (NEC 210.20(A); recalled).

        By IEC 60364-4-43, 433.1 (recalled) an OCPD carries its rated current.
        """
        share = CONTINUOUS if self.service.frequency_hz > 55.0 else 1.0
        return min(branch.max_a, branch.branch_a * share)

    def voltage_v(self, branch: Branch) -> float:
        """Nominal voltage [V] across one phase of the station's terminals."""
        return self.service.voltage_v if branch.line_to_line else self.service.line_to_neutral_v

    def unit_currents(self, branch: Branch, phases: int = 3) -> dict[str, complex]:
        """Line-current phasors per ampere that a car with ``phases`` phases draws at unity power factor.

        A line-to-line load puts opposite currents into its two lines; a car with fewer phases than the station has
        uses the first ones.
        """
        lines = branch.lines
        if branch.line_to_line:
            first, second = (self.service.phasor(line) for line in lines)
            unit = (first - second) / abs(first - second)
            return {lines[0]: unit, lines[1]: -unit}
        return {line: self.service.phasor(line) for line in lines[:phases]}

    def line_sum_a(self, node_id: str, amps: Callable[[Branch], float]) -> float:
        """Largest line current [A] below a node when each station draws ``amps`` at unity power factor."""
        sums = dict.fromkeys(self.lines, 0j)
        for branch in self.below(node_id):
            for line, unit in self.unit_currents(branch).items():
                sums[line] = sums.get(line, 0j) + unit * amps(branch)
        return max((abs(value) for value in sums.values()), default=0.0)

    def fallback_sum_a(self, node_id: str) -> float:
        """Largest line current [A] below a node when every station draws its fallback at unity power factor."""
        return self.line_sum_a(node_id, lambda branch: branch.fallback_a)

    def all_lines_kw(self, amps: float) -> float:
        """Power of the service when every line carries ``amps`` at unity power factor [kW]."""
        return amps * len(self.lines) * self.service.line_to_neutral_v / 1000.0
