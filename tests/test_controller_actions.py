"""Boosts, needs and the grid operator's box over HTTP: who may, what is refused, and what it does."""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from hilbench import clock
from hilbench.controller.actions import Actions
from hilbench.controller.audit import Audit
from hilbench.controller.changes import Changes
from hilbench.controller.coordination import Coordination
from hilbench.controller.dimming import DimmingSettings
from hilbench.controller.operator_box import OperatorBox
from hilbench.controller.status import Activity, Status
from hilbench.controller.web import Request
from tests.controller_toy import Toy, site

USER, INSTALLER, OPERATOR = (f"{name}-token-0123456789" for name in ("user", "installer", "operator"))
TOKENS: dict[str, Any] = {USER: "user", INSTALLER: "installer", OPERATOR: "operator"}


class Place:
    """Three cars on 22 A, with everything that can be asked for."""

    def __init__(self, folder: Path) -> None:
        self.toy = Toy(site(3, 22.0, rating_a=60.0, fallback_a=6.0))
        self.toy.connect()
        self.toy.plug("s0", "s1", "s2")
        core, audit = self.toy.core, Audit(folder / "audit.jsonl")
        self.file = folder / "audit.jsonl"
        self.box = OperatorBox(DimmingSettings(), core.dim)
        self.coordination = Coordination(core, lambda _t: None)
        now = lambda: self.toy.t  # noqa: E731 - one use
        actions = Actions(core, now, TOKENS, audit, self.coordination, self.box)
        self.status = Status(core, Activity(), now, Changes(core, TOKENS, audit), actions)

    def post(self, token: str | None, path: str, body: Any = None, method: str = "POST") -> int:
        """The status code of an attempt."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        data = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
        return self.status.handle(Request(method, path, headers, data)).status

    def lines(self) -> list[dict[str, Any]]:
        """The audit file."""
        return [json.loads(line) for line in self.file.read_text().splitlines()]


def at_place(folder: Path, body: Callable[[Place], Awaitable[None]]) -> None:
    """Run ``body`` on a virtual loop with a place of its own."""

    async def main() -> None:
        await body(Place(folder))

    clock.run(main())


BOOST = {"station": "s2", "minutes": 5}
NEEDS = {"station": "s1", "energy_kwh": 12.5, "departure": "2024-06-04T18:00:00+02:00"}


def test_a_user_may_boost_a_station(tmp_path: Path) -> None:
    """It has what the others can spare for five minutes, and the file says so."""

    async def body(place: Place) -> None:
        place.toy.run(150)
        assert place.post(USER, "/boost", BOOST) == 200
        place.toy.run(200)
        assert place.toy.targets()["s2"] > place.toy.targets()["s0"] + 1.0
        place.toy.run(600)
        assert place.toy.targets()["s2"] < place.toy.targets()["s0"] + 0.5
        assert place.lines()[-1]["now"] == BOOST

    at_place(tmp_path, body)


def test_a_user_may_say_what_a_car_needs(tmp_path: Path) -> None:
    """Energy and departure are planned with from then on."""

    async def body(place: Place) -> None:
        assert place.post(USER, "/needs", NEEDS) == 200
        need = place.coordination.coordinator.needs["s1"]
        assert (need.energy_kwh, need.departure) == (12.5, 1_717_516_800.0)

    at_place(tmp_path, body)


def test_the_operator_limits_all_stations(tmp_path: Path) -> None:
    """After a heartbeat his limit holds until it is released; without one it is not taken."""

    async def body(place: Place) -> None:
        task = __import__("asyncio").create_task(place.box.run())
        assert place.post(OPERATOR, "/operator/limit", {"limit_kw": 3.0}) == 409
        assert place.post(OPERATOR, "/operator/heartbeat") == 200
        assert place.post(OPERATOR, "/operator/limit", {"limit_kw": 3.0, "duration_s": 600}) == 200
        await clock.sleep_until(clock.time() + 1.0)
        assert place.toy.core.power.stations_w == 3000.0
        assert place.post(OPERATOR, "/operator/limit", {"limit_kw": None}) == 200
        await clock.sleep_until(clock.time() + 1.0)
        assert math.isinf(place.toy.core.power.stations_w)
        await clock.sleep_until(clock.time() + 121.0)
        assert place.toy.core.power.stations_w == 4200.0
        task.cancel()

    at_place(tmp_path, body)


@pytest.mark.parametrize(
    ("token", "path", "body", "status"),
    [
        (None, "/boost", BOOST, 401),
        ("wrong", "/boost", BOOST, 401),
        (OPERATOR, "/boost", BOOST, 403),
        (USER, "/operator/heartbeat", {}, 403),
        (INSTALLER, "/operator/limit", {"limit_kw": 1.0}, 403),
        (OPERATOR, "/settings", {"budget_a": 20.0}, 403),
        (USER, "/boost", b"{", 400),
        (USER, "/boost", [], 400),
        (USER, "/boost", {"station": "s9", "minutes": 5}, 422),
        (USER, "/boost", {"station": "s1", "minutes": -5}, 422),
        (USER, "/boost", {"station": "s1", "minutes": True}, 422),
        (USER, "/needs", {**NEEDS, "energy_kwh": "much"}, 422),
        (USER, "/needs", {**NEEDS, "departure": "tomorrow"}, 422),
        (USER, "/needs", {**NEEDS, "departure": "2024-06-04T18:00:00"}, 422),
        (OPERATOR, "/operator/limit", {"limit_kw": -1.0}, 422),
        (OPERATOR, "/operator/limit", {"limit_kw": 1.0, "duration_s": "long"}, 422),
    ],
)
def test_what_is_not_to_be_done_is_refused_and_put_down(
    tmp_path: Path, token: str | None, path: str, body: Any, status: int
) -> None:
    """Each attempt has its own code and its line in the audit file, and changes nothing."""

    async def attempt(place: Place) -> None:
        assert place.post(token, path, body) == status
        assert place.lines()[-1]["accepted"] is False
        assert not place.coordination.coordinator.needs
        assert math.isinf(place.toy.core.power.stations_w)

    at_place(tmp_path, attempt)


def test_reading_is_no_way_to_act(tmp_path: Path) -> None:
    """GET is refused."""

    async def body(place: Place) -> None:
        assert place.post(USER, "/boost", BOOST, method="GET") == 405

    at_place(tmp_path, body)


def test_without_an_audit_file_nothing_is_done(tmp_path: Path) -> None:
    """A file that can no longer be written stops every action."""

    async def body(place: Place) -> None:
        place.file.unlink(missing_ok=True)
        place.file.mkdir()
        assert place.post(USER, "/boost", BOOST) == 503
        assert not place.toy.core.stations["s2"].boosted(place.toy.t)

    at_place(tmp_path, body)
