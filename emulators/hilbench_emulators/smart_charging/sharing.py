"""One maximum for several outlets."""

from __future__ import annotations

from collections.abc import Mapping


def share(cap_a: float, wants_a: Mapping[int, float], minimum_a: float = 6.0) -> dict[int, float]:
    """Amperes for each outlet so that the sum keeps within ``cap_a``.

    All get what they want while that fits. Else none gets more than a common level, and what a modest one leaves goes
    to the others. An outlet that would get less than ``minimum_a`` (6 A is the least that a pilot can say, IEC 61851-1)
    gets nothing; of several the one with the highest number is the first to go without.
    """
    active = {outlet: want for outlet, want in sorted(wants_a.items()) if want >= minimum_a}
    while active:
        level = _level(cap_a, list(active.values()))
        if level >= minimum_a:
            return {outlet: min(active.get(outlet, 0.0), level) for outlet in wants_a}
        active.popitem()
    return dict.fromkeys(wants_a, 0.0)


def _level(cap_a: float, wants_a: list[float]) -> float:
    """The most that each may have: infinity when all have what they want."""
    left_a, rest = max(0.0, cap_a), sorted(wants_a)
    if sum(rest) <= left_a:
        return float("inf")
    while rest[0] * len(rest) <= left_a:
        left_a -= rest.pop(0)
    return left_a / len(rest)
