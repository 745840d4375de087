"""What may be asked of a controller: sites that some controller could keep, whatever fails, for as long as it fails.

The rule is the one by which rigs are linted: on every node and line, what the stations draw without a controller and
the worst building load are no more than the budget. Currents are added as amounts, without the angles between them:
the safe side. A scenario that breaks the rule would blame the controller for physics: with meter and controller gone,
nobody could do anything about it.

Three things are excluded by it, each for its reason:

- a station that may come to draw its nameplate counts with it in the sum (``personalities.toml``), so that the budget
  has room for it once the controller knows;
- building load beyond ``worst_base_a`` is drawn only as far as the sum of these least currents leaves room
  (``beyond`` of a scenario says so);
- exchanged CTs cannot be seen in one meter's values, so they occur only where budget and worst building together stay
  below what the slowest permitted breaker carries for good. CTs mounted backwards show the same currents and may
  always occur.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from hilbench.metrics.ocpd import holds_a
from hilbench.ocpd_file import device_at
from hilbench.site import Branch, Model, Number, Site
from hilbench.tomlfile import read_toml

OVERDRAW = 1.03
"""Cars draw up to 2 % more than a small offer (Model 3: 6.13 A at 6 A; read-code, warp-charger current_ramp)."""


class Manner(Model):
    """How far a make of station can be held, and why."""

    least: Literal["fallback", "nameplate"] | Number
    why: str


@cache
def manners() -> Mapping[str, Manner]:
    """Every shipped personality with what it may draw at worst."""
    data, _text = read_toml(Path(__file__).parent / "personalities.toml")
    return {name: Manner.model_validate(entry) for name, entry in data.items()}


def least_a(branch: Branch, personality: str) -> float:
    """What a station may draw for good when nobody can tell it anything [A per phase]."""
    fallback = branch.fallback_a if branch.fallback_a >= branch.minimum_a else 0.0
    least = manners()[personality].least
    if least == "nameplate":
        return branch.max_a
    if least == "fallback":
        return OVERDRAW * fallback
    assert isinstance(least, float)
    return min(OVERDRAW * max(least, fallback), branch.max_a)


def is_unruly(personality: str) -> bool:
    """True for a make that may come to draw its nameplate."""
    return manners()[personality].least == "nameplate"


def line_sum_a(site: Site, node: str, amps: Mapping[str, float]) -> float:
    """Largest sum [A] over the lines of a node when each station (by role) draws ``amps``; angles are left out."""
    sums = dict.fromkeys(site.lines, 0.0)
    for branch in site.below(node):
        for line in branch.lines:
            sums[line] += amps[branch.role]
    return max(sums.values())


def room_a(site: Site, least: Mapping[str, float]) -> float:
    """What the building may draw [A per line] while every station draws its least and the budget is kept."""
    root = site.nodes[0]
    return root.limit_a - line_sum_a(site, root.id, least)


def unfair_nodes(site: Site, least: Mapping[str, float]) -> list[str]:
    """Nodes that nobody could keep within their budgets: empty for every scenario."""
    bases = {node.id: site.worst_base_a if node.parent is None else 0.0 for node in site.nodes}
    return [node.id for node in site.nodes if line_sum_a(site, node.id, least) + bases[node.id] > node.limit_a + 1e-6]


def bears_exchange(site: Site, base_a: float) -> bool:
    """True where budget and the most of the building, ``base_a``, do not trip the slowest breaker, however long."""
    return site.nodes[0].limit_a + base_a < 0.95 * holds_a(device_at(site, "service"))
