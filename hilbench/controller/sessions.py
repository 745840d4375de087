"""Sessions that a pause would end, and that therefore come before all others. Pure.

A pilot pauses an AC car at any moment. DC has no such thing: at nothing in the loop some cars end the session, which
then cannot be taken up again (EVerest's charge loop without energy, 5 s; read-code), others stay in a state that only a
replug ends (evcc#32023). So a DC session that runs keeps its least current as long as any limit leaves room for it
beside the building: AC cars wait, take turns among themselves, and so do DC cars that have not begun. Of the sessions
the one that began last goes first. No limit is exceeded for any of them for longer than it takes to be sure: where the
room is gone for ``settle_s``, the time that cars have to follow, and what sessions draw has been reported since and the
meter read twice (or for two of ``sample_s`` more), the session ends. Until then it has its least.
"""

from __future__ import annotations

from hilbench.controller.stations import StationState


def must_go_on(station: StationState, t: float) -> bool:
    """A DC session runs there, or is being set up, that a limit of 0 would end.

    Not that of a car that can give back: it passes through nothing whenever the direction changes (policy).
    """
    if station.branch.kind == "ac" or not station.steered or station.able_a > 0.0:
        return False
    runs = station.status == "Charging" or t < station.welcome_until
    return runs and station.granted_a >= station.least_a
