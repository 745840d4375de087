"""Stations that the bench makes misbehave: deaf to their limits, wrong about the time, without memory after a boot."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest

from hilbench import clock
from tests.station_bench import Bench, stamp

VERSIONS = ["1.6", "2.0.1", "2.1"]
HOUR_S = 3600.0


async def limit(b: Bench, amps: float, kind: str, **more: Any) -> None:
    """A TxDefaultProfile in the words of the bench's version."""
    schedule = {"charging_rate_unit": "A", "charging_schedule_period": [{"start_period": 0, "limit": amps}], **more}
    common = {"stack_level": 0, "charging_profile_purpose": "TxDefaultProfile", "charging_profile_kind": kind}
    if b.version == "1.6":
        profile = {"charging_profile_id": 1, **common, "charging_schedule": schedule}
        answer = await b.ask("SetChargingProfile", connector_id=0, cs_charging_profiles=profile)
    else:
        profile = {"id": 1, **common, "charging_schedule": [{"id": 1, **schedule}]}
        answer = await b.ask("SetChargingProfile", evse_id=0, charging_profile=profile)
    assert answer.status == "Accepted"


async def charging(b: Bench) -> None:
    """A car stands there, and some time has passed."""
    await b.station.plug_in(object())
    await asyncio.sleep(30)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_deaf_station_accepts_and_offers_what_it_likes(version: str) -> None:
    """A limit of 10 A is accepted, 20 A are offered; once healed it is 10 A."""

    async def body(b: Bench) -> tuple[float, float]:
        await charging(b)
        b.station.deafen(20.0)
        await limit(b, 10.0, "Relative")
        await asyncio.sleep(30)
        deaf = b.station.offered_a
        b.station.deafen(None)
        await asyncio.sleep(30)
        return deaf, b.station.offered_a

    assert Bench(version).run(body) == (20.0, 10.0)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("kind", "offered"), [("Relative", 10.0), ("Absolute", 32.0)])
def test_only_a_limit_with_a_date_is_lost_when_the_clock_goes_back(version: str, kind: str, offered: float) -> None:
    """An hour back, a limit that began by date has not begun; one of the transaction goes on."""

    async def body(b: Bench) -> float:
        await charging(b)
        await limit(b, 10.0, kind, **({"start_schedule": stamp()} if kind == "Absolute" else {}))
        await asyncio.sleep(30)
        assert b.station.offered_a == 10.0
        b.station.jump_clock(-HOUR_S)
        await asyncio.sleep(30)
        return float(b.station.offered_a)

    assert Bench(version).run(body) == offered


def test_a_clock_that_jumped_is_put_right_by_a_heartbeat() -> None:
    """Its stamps are an hour ahead; with the answer to a Heartbeat they are of now."""

    async def body(b: Bench) -> tuple[float, float]:
        def off_s() -> float:
            return (datetime.fromisoformat(b.station.timestamp()) - clock.now()).total_seconds()

        b.station.jump_clock(HOUR_S)
        wrong = off_s()
        await b.ask("TriggerMessage", requested_message="Heartbeat")
        await asyncio.sleep(1)
        return wrong, off_s()

    wrong, right = Bench("1.6").run(body)
    assert wrong == pytest.approx(HOUR_S, abs=0.01)
    assert right == pytest.approx(0.0, abs=0.01)


def test_a_station_that_forgets_does_so_once() -> None:
    """After the first loss of power its limit is gone, after the next one the new limit stands."""

    async def body(b: Bench) -> list[float]:
        seen = []
        b.station.forget_limits()
        for _ in range(2):
            await limit(b, 10.0, "Relative")
            await b.station.power_cycle(5.0)
            await asyncio.sleep(30)
            seen.append(float(b.station.limit_a))
        return seen

    assert Bench("1.6").run(body) == [32.0, 10.0]
