"""What the laws are compared by, and the verdict: where ours is beaten, by whom, and what that law pays for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

from benches.law_loop import Outcome, Scene, mean

OURS = "hilbench"

Results = dict[str, list[Outcome]]
"""Outcomes of the phases by law."""

CRITERIA: dict[str, tuple[Callable[[Outcome], float], float]] = {
    "s above the limit": (lambda one: one.above_s, 1.0),
    "A.s": (lambda one: one.ampere_s, 12.0),
    "restarts": (lambda one: one.restarts, 0.0),
    "energy not delivered [%]": (lambda one: 100.0 * (1.0 - one.useful_kwh / one.feasible_kwh), 0.5),
}
"""What is compared, smaller is better, and what counts as equal: one step of the loop, and 12 A for so long."""


@dataclass(frozen=True)
class Found:
    """All laws in a scene, or in all of them: means by law, and which laws leave an overload to the breaker."""

    title: str
    means: dict[str, Outcome]
    unclear: frozenset[str] = frozenset()

    def compared(self, criterion: str) -> dict[str, float]:
        """The figures by law; the energy of a law that leaves an overload to the breaker is not compared."""
        left_out = self.unclear if criterion.startswith("energy") else frozenset()
        value, _equal = CRITERIA[criterion]
        return {name: value(one) for name, one in self.means.items() if name not in left_out}


def never_clears(scene: Scene, one: Outcome) -> bool:
    """True when an overload ended only because the building's load fell."""
    rises = [(t, amps) for t, amps in scene.base if amps > scene.base[0][1]]
    falls = [t for t, amps in scene.base if amps == scene.base[0][1] and t > 0.0]
    return one.clear_s >= falls[0] - rises[0][0] - 0.5


def found_in(scene: Scene, results: Results) -> Found:
    """What is judged of a scene."""
    means = {name: mean(phases) for name, phases in results.items()}
    return Found(scene.name, means, frozenset(name for name, one in means.items() if never_clears(scene, one)))


def together(scenes: list[Found]) -> Found:
    """All scenes as one: means over them; who leaves one overload to the breaker has left one."""
    names = scenes[0].means
    means = {name: mean([scene.means[name] for scene in scenes]) for name in names}
    return Found("all six, mean", means, frozenset().union(*(scene.unclear for scene in scenes)))


def better(found: Found, name: str, other: str) -> list[str]:
    """In which criteria law ``name`` is better than ``other`` by more than what counts as equal."""
    one, two = found.means[name], found.means[other]
    return [criterion for criterion, (value, equal) in CRITERIA.items() if value(one) < value(two) - equal]


def losses(found: Found) -> list[str]:
    """Where ours is not best or equal, in words, and in what the best law is worse than ours."""
    said = []
    for criterion, (_value, equal) in CRITERIA.items():
        figures = found.compared(criterion)
        best = min(figures, key=figures.__getitem__)
        mine = CRITERIA[criterion][0](found.means[OURS])
        if mine > figures[best] + equal:
            price = ", ".join(worse_by(found, best)) or "nothing"
            said.append(f"{found.title}: {criterion} {mine:.1f}, {best} {figures[best]:.1f}; it pays with {price}")
    return said


def worse_by(found: Found, name: str) -> list[str]:
    """In what law ``name`` is worse than ours, with both figures."""
    values = {criterion: CRITERIA[criterion][0] for criterion in better(found, OURS, name)}
    one, mine = found.means[name], found.means[OURS]
    return [f"{criterion} {value(one):.1f} instead of {value(mine):.1f}" for criterion, value in values.items()]


def dominators(found: Found) -> list[str]:
    """Laws that are as good as ours in everything, within what counts as equal, and better in something."""
    others = [name for name in found.means if name != OURS]
    return [name for name in others if better(found, name, OURS) and not better(found, OURS, name)]


def row(found: Found, name: str, phases: list[Outcome]) -> str:
    """One line of the table; ``phases`` are what the worst in brackets is of."""
    m, worst = found.means[name], {f.name: max(getattr(one, f.name) for one in phases) for f in fields(Outcome)}
    clear = "never" if name in found.unclear else f"{m.clear_s:.1f} ({worst['clear_s']:.1f})"
    return (
        f"| {name:23} | {found.title:19} | {clear:>13} | {m.above_s:6.1f} | {m.above_113_s:6.1f} | {m.ampere_s:7.1f} "
        f"| {m.restarts:4.1f} ({worst['restarts']:.0f}) | {m.delivered_kwh:6.3f} / {m.feasible_kwh:5.3f} "
        f"= {m.useful_kwh / m.feasible_kwh:6.1%} |"
    )


HEAD = (
    f"| {'law':23} | {'scene':19} | {'clear [s]':>13} | s > I  | >113 % | A.s     | restarts "
    f"| kWh / feasible; useful  |"
)
