"""Prices and greenhouse gas as the grid says them: read from events, put into a plan, and followed on the bench."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from hilbench import clock
from hilbench.bench import Bench
from hilbench.controller.planning.prices import Prices, signalled
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.signals.events import GHG, PRICE, Rules, limit_at, price_at, read_events
from hilbench.rig import load_rig
from hilbench.signals import station_energy
from tests.openadr_samples import EVENING, event
from tests.rigs import trio_with_vtn

T0 = EVENING.timestamp()
LEVELS = (100.0, 75.0, 50.0, 0.0)


def units(kind: str, name: str) -> dict[str, Any]:
    """The units of a payload type."""
    return {"payloadDescriptors": [{"payloadType": kind, "units": name}]}


def read(*raw: dict[str, Any], prices: bool = True) -> Any:
    """Events and refusals."""
    return read_events(raw, Rules(LEVELS, prices=prices))


def test_prices_follow_each_other_and_may_be_negative() -> None:
    """Each holds for its interval; before and after there is none, and no limit at all."""
    events, refusals = read(event(T0, 900, 0.3, -0.02, kind=PRICE))
    assert [price_at(events, T0 + t, PRICE) for t in (-1, 0, 899, 900, 1800)] == [None, 0.3, 0.3, -0.02, None]
    assert (limit_at(events, T0), refusals, events[0].ignored) == (None, (), ())


@pytest.mark.parametrize(
    ("kind", "name", "value", "per_kwh"),
    [(PRICE, "KWH", 0.3, 0.3), (PRICE, "MWH", 80.0, 0.08), (GHG, "GHG", 400.0, 0.4), (GHG, "KWH", 400.0, 0.4)],
)
def test_units_are_turned_to_kilowatt_hours(kind: str, name: str, value: float, per_kwh: float) -> None:
    """Prices per kWh or MWh, greenhouse gas in g/kWh."""
    events, _refusals = read(event(T0, 900, value, kind=kind, **units(kind, name)))
    assert price_at(events, T0, kind) == pytest.approx(per_kwh)


def test_a_unit_that_is_not_known_is_refused() -> None:
    """With the reason."""
    _events, (refusal,) = read(event(T0, 900, 0.3, kind=PRICE, **units(PRICE, "THERM")))
    assert refusal.reason == "PRICE is in THERM, not in KWH or MWH"


def test_the_highest_priority_says_the_price() -> None:
    """Of several events for one time."""
    events, _refusals = read(
        event(T0, 900, 0.3, kind=PRICE, id="a", priority=2), event(T0, 900, 0.5, kind=PRICE, id="b", priority=0)
    )
    assert price_at(events, T0, PRICE) == 0.5


def test_prices_that_do_not_count_are_named() -> None:
    """A site that does not ask for them ignores them and says so; a limit beside them counts either way."""
    raw = event(T0, 900, 0.3, kind=PRICE)
    raw["intervals"][0]["payloads"].append({"type": "IMPORT_CAPACITY_LIMIT", "values": [40]})
    for prices in (True, False):
        (found,), _refusals = read(raw, prices=prices)
        assert (found.ignored, len(found.prices)) == (((), 1) if prices else (("PRICE",), 0))
        assert limit_at([found], T0) == 40.0


def said(known: dict[tuple[str, int], float]) -> Any:
    """Signals by kind and hour."""
    return lambda t, kind: known.get((kind, int(t // 3600)))


def test_a_known_price_replaces_that_of_the_tariff() -> None:
    """Elsewhere the tariff's stays, and demand charges too; greenhouse gas comes on top."""
    tariff = Prices(np.array([0.2, 0.2, 0.4]), ())
    told = said({(PRICE, 1): 0.1, (GHG, 0): 0.5, (GHG, 1): 0.3, (GHG, 2): 0.4})
    assert signalled(tariff, told, 0.0, 0.0, 3600.0).energy == pytest.approx([0.2, 0.1, 0.4])
    assert signalled(tariff, told, 0.1, 0.0, 3600.0).energy == pytest.approx([0.25, 0.13, 0.44])


def test_what_is_not_known_is_not_free() -> None:
    """Without a tariff the mean of what is known counts."""
    nothing = Prices(np.zeros(3), ())
    found = signalled(nothing, said({(PRICE, 0): 0.1, (PRICE, 1): 0.3, (GHG, 0): 0.2}), 0.5, 0.0, 3600.0).energy
    assert found == pytest.approx([0.2, 0.4, 0.3])
    assert signalled(nothing, said({}), 0.5, 0.0, 3600.0).energy == pytest.approx([0.0, 0.0, 0.0])


def test_a_price_signal_needs_somebody_to_ask() -> None:
    """An error of the settings."""
    with pytest.raises(ValidationError, match="has nobody to ask"):
        ControllerSettings.model_validate({"plan": {"price_signal": True}})


PLANNED = (
    ('policy = "dynamic"', 'policy = "coordinated"'),
    ('ocpp = "1.6"', 'ocpp = "2.0.1"\niso15118 = true'),
    ("full_kw = 11.5", "full_kw = 11.5\n\n[controller.plan]\nprice_signal = true\nghg_weight = 0.1"),
)


@pytest.mark.parametrize(("kind", "dear"), [(PRICE, 0.5), (GHG, 500.0)])
def test_cars_are_charged_when_it_is_cheap(tmp_path: Path, kind: str, dear: float) -> None:
    """Two dear hours, then four cheap ones: nothing before but half a step of the plan, and all of it in time."""
    rig = load_rig(trio_with_vtn(tmp_path, *PLANNED))

    async def main() -> tuple[float, float]:
        async with Bench(rig) as bench:
            bench.grid.series(kind, [dear] * 2 + [dear / 5.0] * 4, 3600.0)
            await bench.run_for(60.0)
            await bench.plug_in("A", energy_kwh=8.0, departure=clock.now() + timedelta(hours=5))
            counted = bench.record.signals[station_energy("A")]
            await bench.run_for(2 * 3600.0 - 60.0)
            early = counted.last() or 0.0
            await bench.run_for(3 * 3600.0)
            return early / 1000.0, (counted.last() or 0.0) / 1000.0

    early, whole = clock.run(main(), epoch=rig.run.epoch)
    assert early < 7.68 * 0.125
    assert whole == pytest.approx(8.0, abs=0.4)
