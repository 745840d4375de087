"""Cars that do not begin at 6 A: they are offered more for a while, and not for ever."""

from __future__ import annotations

from hilbench.controller.core import Core
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.stations import WELCOME_S
from hilbench.controller.watch import MeterSample
from hilbench.site import Branch, Service, Site

SITE = Site(
    name="w",
    service=Service(rating_a=100, voltage_v=240, wiring="split-phase"),
    budget_a=80,
    branches=(Branch(role="A", branch_a=40, max_a=32, connection="L1-L2", fallback_a=6),),
)


def offers(statuses: dict[int, str], drawn_a: float, until: int) -> list[float]:
    """The limit of the only station at each second; the car draws ``drawn_a`` once it is Charging, else nothing."""
    core, found, status = Core(SITE, ControllerSettings(), 0.0), [], "Available"
    core.online("A", 0.0)
    core.confirmed("A", 0.0, 6.0, float("inf"))
    for t in range(until):
        if t in statuses:
            status = statuses[t]
            core.status("A", t, status)
        amps = drawn_a if status == "Charging" else 0.0
        if t % 15 == 0:
            core.report("A", t, {"L1": amps})
        current = {"L1": 10.0 + amps + 0.01 * (t % 2), "L2": 10.0 + amps}
        volts = dict.fromkeys(current, 120.0)
        watts = {line: 120.0 * value for line, value in current.items()}
        core.meter(MeterSample(float(t), t, current, volts, watts, (t,)))
        for setpoint in core.decide(float(t)):
            core.confirmed("A", t, setpoint.limit_a, 30.0)
        core.confirmed("A", t, core.stations["A"].granted_a, 30.0)
        found.append(core.stations["A"].granted_a)
    return found


def test_a_car_that_does_not_begin_at_six_amperes_is_offered_more() -> None:
    """SuspendedEV right after plug-in: within half a minute it may have 14 A, so that a Zoe starts."""
    found = offers({0: "Available", 60: "Preparing", 61: "SuspendedEV"}, 0.0, 120)
    assert found[59] == 6.0
    assert max(found[60:95]) >= 14.0


def test_a_car_that_never_begins_keeps_nothing_reserved() -> None:
    """After the welcome it is back at the fallback of a station that nobody uses."""
    found = offers({0: "Available", 60: "Preparing", 61: "SuspendedEV"}, 0.0, 60 + int(WELCOME_S) + 30)
    assert max(found) > 14.0
    assert found[-1] == 6.0


def test_a_car_that_has_charged_and_is_full_is_not_welcomed_again() -> None:
    """SuspendedEV after Charging means that the battery is full: the current is free for others at once."""
    found = offers({0: "Available", 60: "Preparing", 61: "Charging", 200: "SuspendedEV"}, 12.0, 260)
    assert found[199] > 12.0
    assert found[205:] == [6.0] * len(found[205:])
