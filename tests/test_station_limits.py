"""The recorded limit is the one that the station acts on, and the recorded offer the one on its pilot."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hilbench.site import Branch
from hilbench_emulators.personality import load_personality
from hilbench_emulators.station.core import duty_of, offerable_a
from tests.station_bench import Bench, stamp


async def limit(b: Bench, amps: float) -> None:
    """A TxDefaultProfile of 1.6 from now on."""
    schedule = {
        "charging_rate_unit": "A",
        "charging_schedule_period": [{"start_period": 0, "limit": amps}],
        "start_schedule": stamp(),
    }
    profile = {
        "charging_profile_id": 1,
        "stack_level": 0,
        "charging_profile_purpose": "TxDefaultProfile",
        "charging_profile_kind": "Absolute",
        "charging_schedule": schedule,
    }
    answer = await b.ask("SetChargingProfile", connector_id=0, cs_charging_profiles=profile)
    assert answer.status == "Accepted"


@pytest.mark.parametrize(
    ("name", "asked", "told"),
    [
        ("standard", 10.0, 10.0),
        ("standard", 4.0, 4.0),
        ("clamps-18a", 30.0, 18.0),
        ("never-pauses", 4.0, 9.0),
        ("solidstudio-vcp", 10.0, 32.0),
    ],
)
def test_the_limit_is_what_the_make_acts_on(name: str, asked: float, told: float) -> None:
    """Ignored, clamped or raised: the limit says so, and the pilot offers it, or nothing where that is below 6 A."""
    bench = Bench("1.6", personality=load_personality(name))

    async def body(b: Bench) -> tuple[float, float]:
        await b.station.plug_in(object())
        await asyncio.sleep(10)
        await limit(b, asked)
        await asyncio.sleep(60)
        return b.station.limit_a, b.station.offered_a

    seen = bench.run(body)
    assert seen == (told, told if told >= 6 else 0)
    assert list(bench.record.signals["limit/A1"].rows()[1])[-1] == told


def test_a_safe_station_says_its_fallback() -> None:
    """After make_safe the limit is the fallback of 8 A, whatever the profile says."""
    bench = Bench("1.6")

    async def body(b: Bench) -> list[float]:
        await b.station.plug_in(object())
        await asyncio.sleep(10)
        await limit(b, 20)
        await b.station.make_safe()
        return [b.station.limit_a, b.station.offered_a]

    assert bench.run(body) == [8, 8]


def test_the_offer_is_what_a_duty_cycle_can_say() -> None:
    """A limit of 52 A, for which there is no duty cycle, is recorded as the 51 A that the pilot offers."""
    branch = Branch(role="A1", branch_a=80, max_a=64, connection="L1-N", fallback_a=8)
    bench = Bench("1.6", branch)

    async def body(b: Bench) -> Any:
        await b.station.plug_in(object())
        await limit(b, 52)
        await asyncio.sleep(20)
        return b.station.limit_a, b.station.offered_a

    assert bench.run(body) == (52, 51)
    assert [offerable_a(amps) for amps in (5.9, 6, 51.5, 52.5, 90)] == [0, 6, 51, 52.5, 80]
    assert [duty_of(amps) for amps in (5.9, 6, 51.5, 52.5, 90)] == pytest.approx([None, 10, 85, 85, 96])
