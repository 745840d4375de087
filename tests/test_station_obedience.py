"""Each make of station, behind a feeder that no meter watches: it obeys, or it is found out, counted and reported."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from hilbench import clock
from hilbench.bench import Bench
from hilbench.controller.settings import ControllerSettings
from hilbench.rig import Rig, load_rig
from hilbench_emulators.personality import names
from hilbench_emulators.station.base import AcStation
from tests.rigs import trio
from tests.test_controller_status import get

BUDGET_A = 44.0
PORT = 9180
RULES = ControllerSettings()
GRACE_S = RULES.reaction_s + RULES.lease_s
"""One reaction time and one lease: what comes after that is within the budget."""
IGNORES = "draws more than its limit"
ALONE = "without a lease it does not stay"
GONE = "its fallback is gone"


class Make(NamedTuple):
    """What is said of a make in the scene, and for how long [s] the feeder may be over its budget after the grace.

    ``away_s`` is that for the first time without a link: nobody can know then what a station does alone.
    """

    said: frozenset[str] = frozenset()
    over_s: float = 0.0
    away_s: float = 0.0


FOUND = frozenset({IGNORES})
MAKES: dict[str, Make] = dict.fromkeys(names(), Make()) | {
    "forgets-on-reconnect": Make(frozenset({GONE})),
    "never-pauses": Make(FOUND | {ALONE}, away_s=200.0),
    "offline-unlimited": Make(FOUND | {ALONE}, away_s=200.0),
    "shiv3": Make(frozenset({GONE, ALONE})),
    "slow-to-follow": Make(FOUND, over_s=10.0),
    "solidstudio-vcp": Make(FOUND),
    "start-window": Make(FOUND),
}
"""All others obey, some after being told in another way, or report so that it cannot be seen that they do."""


def rig_of(folder: Path, make: str, version: str) -> Rig:
    """Station A of a make, B and C standard, all behind a feeder of 44 A; the service has room for everybody."""
    changes = (
        ("rating_a = 60", "rating_a = 400"),
        ("budget_a = 48", "budget_a = 320"),
        ("[station_defaults]", f'[[feeder]]\nid = "f"\nrating_a = 60\nbudget_a = {BUDGET_A}\n\n[station_defaults]'),
        ('ocpp = "1.6"', f'ocpp = "{version}"\nfeeder = "f"'),
        ('role = "A"', f'role = "A"\npersonality = "{make}"'),
        ('policy = "dynamic"', f'policy = "dynamic"\nstatus_port = {PORT}'),
    )
    return load_rig(str(trio(folder, *changes)))


@contextmanager
def listening() -> Iterator[list[Any]]:
    """What the controller logs as warnings."""
    found: list[Any] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record)

    logger, ear = logging.getLogger("hilbench.controller"), Ear(logging.WARNING)
    logger.addHandler(ear)
    try:
        yield found
    finally:
        logger.removeHandler(ear)


class Scene:
    """A car at A alone, cars at B and C that want a share, A's link cut, joined, and cut once more."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.over: dict[str, float] = {}
        self.status: dict[str, Any] = {}

    async def play(self) -> None:
        """All of it."""
        bench = self.bench
        await bench.run_for(60)
        await bench.plug_in("A")
        await self._look("alone", 200)
        await bench.plug_in(["B", "C"])
        await self._look("shared", 300)
        self.status = json.loads((await get("/status", PORT))[2])["stations"]
        station = bench.stations["A"]
        assert isinstance(station, AcStation)
        station.cut_line()
        await self._look("away", 200)
        station.join_line()
        await self._look("back", 300)
        station.cut_line()
        await self._look("away again", 200)

    async def _look(self, name: str, seconds: float) -> None:
        """Seconds above the budget after the grace."""
        begins = clock.time() + GRACE_S
        await self.bench.run_for(seconds)
        times, amps = self.bench.record.signals["current/f/L1"].rows()
        grid = np.arange(begins, clock.time(), 0.5)
        held = amps[np.searchsorted(times, grid, side="right") - 1]
        self.over[name] = 0.5 * float(np.count_nonzero(held > BUDGET_A))


def played(rig: Rig) -> tuple[Scene, list[Any]]:
    """The scene as it went in virtual time, and what was said."""

    async def run() -> Scene:
        async with Bench(rig) as bench:
            scene = Scene(bench)
            await scene.play()
            return scene

    with listening() as found:
        return clock.run(run(), epoch=rig.run.epoch), found


def said_of_a(records: list[Any]) -> set[str]:
    """Which of the known findings were logged, each with its station."""
    findings = (IGNORES, ALONE, GONE)
    about = [record for record in records if getattr(record, "station", "") == "A"]
    return {finding for finding in findings for record in about if finding in record.getMessage()}


@pytest.mark.parametrize("make", names())
def test_every_make_obeys_or_is_found_out(tmp_path: Path, make: str) -> None:
    """After one reaction time and a lease the feeder is within its budget, and what is said of the make is true."""
    expected = MAKES[make]
    scene, records = played(rig_of(tmp_path, make, "1.6"))
    assert said_of_a(records) == expected.said
    assert not any(IGNORES in record.getMessage() for record in records if getattr(record, "station", "") in ("B", "C"))
    away, again = scene.over.pop("away"), scene.over.pop("away again")
    assert sum(scene.over.values()) <= expected.over_s, scene.over
    assert away <= expected.away_s
    assert again == 0.0


@pytest.mark.parametrize(
    ("version", "make"),
    [
        ("2.0.1", "eveys"),
        ("2.0.1", "shiv3"),
        ("2.0.1", "microocpp"),
        ("2.1", "evbox-stack"),
        ("2.1", "solidstudio-vcp"),
    ],
)
def test_makes_that_take_limits_otherwise_do_so_in_every_version(tmp_path: Path, make: str, version: str) -> None:
    """The same ways, questions and findings in OCPP 2.x."""
    scene, records = played(rig_of(tmp_path, make, version))
    assert said_of_a(records) == MAKES[make].said
    assert set(scene.over.values()) == {0.0}


IGNORES_DEFAULT = """
title = "default profiles have no effect, those of a transaction have"
sources = ["bench: nobody has reported it"]
confidence = "chosen"

[behaviour]
ignored = ["TxDefaultProfile"]
"""


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_station_that_ignores_defaults_is_steered_by_its_transactions(tmp_path: Path, version: str) -> None:
    """Found out once; then the limit comes as TxProfile too, it obeys, is believed again and shares with the others."""
    make = tmp_path / "ignores-default.toml"
    make.write_text(IGNORES_DEFAULT)
    scene, records = played(rig_of(tmp_path, str(make), version))
    assert said_of_a(records) == FOUND | {ALONE}
    assert scene.status["A"]["obeys"]
    assert scene.status["A"]["granted_a"] >= 13.0
    assert (scene.over["alone"], scene.over["shared"], scene.over["away again"]) == (0.0, 0.0, 0.0)


def test_the_status_tells_of_a_station_that_ignores_its_limits(tmp_path: Path) -> None:
    """It is counted with the 32 A that it draws, in words; the other two are not accused."""
    scene, _records = played(rig_of(tmp_path, "solidstudio-vcp", "1.6"))
    a, b, c = (scene.status[role] for role in "ABC")
    assert (a["obeys"], a["flaw"], a["found_out"]) == (False, "it draws more than its limit", 1)
    assert a["may_draw_a"] == pytest.approx(32.0, abs=0.5)
    assert b["obeys"]
    assert c["obeys"]


def test_without_looking_nobody_is_found_in_time(tmp_path: Path) -> None:
    """The scene can fail: where no reading is asked for and 1000 s are allowed to react, the budget is passed."""
    changed = rig_of(tmp_path, "slow-to-follow", "1.6")
    controller = changed.controller.model_copy(update={"reaction_s": 1000.0, "verify_a": 0.0})
    scene, _records = played(changed.model_copy(update={"controller": controller}))
    assert sum(scene.over.values()) > MAKES["slow-to-follow"].over_s
