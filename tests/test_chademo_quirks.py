"""Each CHAdeMO misbehaviour does what it says, and a session without it does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from hilbench.chademo import CarState, CarStatus, ChargerState
from hilbench.errors import InputError
from hilbench_emulators.chademo import Car, CarModel, Charger, Session, SimplePack
from hilbench_emulators.chademo.models import CAR_ZE0
from hilbench_emulators.chademo.plug import Available
from hilbench_emulators.chademo.quirks import QUIRKS, quirk, with_quirks
from tests.chademo_play import QUICK, first, of

CAR = CarModel(max_current_a=100)
V2H = replace(CAR_ZE0, enable_s=1.0)


def _played(
    *quirk_ids: str, car: CarModel = CAR, seconds: float = 20.0, offers: tuple[tuple[float, float], ...] = ()
) -> Session:
    charger = replace(QUICK, max_discharge_a=15 if car.discharges else 0)
    models = with_quirks(car, charger, quirk_ids)
    found = Session(Car(models[0], SimplePack(soc_pct=40.0)), Charger(models[1]))
    for t, available_a in offers:
        found.at(t, "charger", Available(available_a))
    found.run(seconds)
    return found


def _delivers_less(*quirk_ids: str) -> bool:
    found = _played(*quirk_ids)
    most = max(frame.current_a for _t, frame in of(found, ChargerState))
    return found.car.reason == "fault: current deviation" and most == 60


def _aborts(*quirk_ids: str) -> bool:
    found = _played(*quirk_ids, offers=((9.5, 30.0),))
    return found.car.reason == "the available current fell during the ramp"


def _inrush(*quirk_ids: str) -> bool:
    found = _played(*quirk_ids, seconds=12.0)
    currents = [frame.current_a for _t, frame in of(found, ChargerState)]
    return any(b - a >= 15 for a, b in pairwise(currents))


def _late(*quirk_ids: str) -> bool:
    found = _played(*quirk_ids, offers=((9.0, 0.0),))
    offered_t, offered = first(found, ChargerState, lambda _frame: True, after=9.0)
    return any(frame.current_a > offered.current_a for t, frame in of(found, ChargerState) if t > offered_t)


def _slow(*quirk_ids: str) -> bool:
    times = [t for t, _frame in of(_played(*quirk_ids), CarState)]
    return all(b - a == pytest.approx(0.225) for a, b in pairwise(times))


def _jitter(*quirk_ids: str) -> bool:
    times = [t for t, _frame in of(_played(*quirk_ids), ChargerState)]
    gaps = [b - a for a, b in pairwise(times)]
    mean = sum(gaps) / len(gaps)
    return 0.14 < max(gaps) <= 0.1661 and mean == pytest.approx(0.1, abs=0.001)


def _early(*quirk_ids: str) -> bool:
    found = _played(*quirk_ids)
    asked_t, _ = first(found, CarState, lambda frame: frame.request_a > 0)
    return any(frame.current_a == 3 for t, frame in of(found, ChargerState) if t < asked_t)


def _idle(*quirk_ids: str) -> bool:
    found = _played(*quirk_ids, car=V2H, seconds=400.0, offers=((10.0, 0.0),))
    return found.car.reason == "nothing flowed for too long" and found.t > 360.0


def _target_changes(*quirk_ids: str) -> bool:
    found = _played(*quirk_ids)
    told = {bool(frame.status & CarStatus.CONTACTOR_OPEN): frame.target_voltage_v for _t, frame in of(found, CarState)}
    return told[False] == told[True] - 20 and found.charger.charges


SHOWS: dict[str, Callable[..., bool]] = {
    "delivers-less": _delivers_less,
    "aborts-on-reduction": _aborts,
    "inrush": _inrush,
    "late-output": _late,
    "slow-frames": _slow,
    "jitter": _jitter,
    "early-current": _early,
    "idle-drop-out": _idle,
    "target-voltage-changes": _target_changes,
}


@pytest.mark.parametrize("quirk_id", SHOWS)
def test_the_misbehaviour_shows_only_when_asked_for(quirk_id: str) -> None:
    """With it the session has the mark of it, without it has not."""
    assert SHOWS[quirk_id](quirk_id)
    assert not SHOWS[quirk_id]()


def test_every_misbehaviour_has_a_test_and_a_source() -> None:
    """The catalogue and this file hold the same."""
    assert SHOWS.keys() == {one.id for one in QUIRKS}
    assert all(one.source and one.confidence and one.what for one in QUIRKS)


def test_an_unknown_misbehaviour_is_refused() -> None:
    """The error lists those that there are."""
    with pytest.raises(InputError, match=r"'nothing' is not known.*inrush"):
        quirk("nothing")
