"""The OpenADR port against the emulated VTN, over HTTP on the virtual loop and once on real sockets."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import orjson
import pytest

from hilbench import clock
from hilbench.controller.signals.settings import SignalSettings
from hilbench.controller.signals.ven import Ven, backoff_s
from hilbench.errors import InputError
from hilbench_emulators.grid import vtn_core
from hilbench_emulators.grid.http import Answer, Request
from hilbench_emulators.grid.vtn import Vtn
from hilbench_emulators.grid.vtn_core import Store
from tests.openadr_samples import EVENING, FEEDER_CAP, event

T0 = EVENING.timestamp()
AT_ONCE: dict[str, Any] = {"full_kw": 100.0, "release_spread_s": 0.0, "release_s": 0.001}
"""Settings whose ramp is over within a tick."""


@dataclass
class Site:
    """A VTN, a port that polls it, and what the port said: limits by bench time, and notes."""

    vtn: Vtn
    ven: Ven
    limits: list[tuple[float, float | None]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def limit_kw(self) -> float | None:
        """The limit that holds now."""
        return self.limits[-1][1] if self.limits else None

    def said(self, words: str) -> int:
        """How many notes have ``words``."""
        return sum(words in note for note in self.notes)


Story = Callable[[Site], Awaitable[None]]


def run(story: Story, mode: str = "virtual", **settings: Any) -> Site:
    """Play ``story`` from 23:00 on, with a port that polls from the start; the site as it is afterwards."""

    async def main() -> Site:
        vtn = Vtn()
        await vtn.up()
        limits: list[tuple[float, float | None]] = []
        notes: list[str] = []
        chosen = SignalSettings(**(AT_ONCE | settings))
        ven = Ven(
            vtn.url, "ven", "secret", chosen, lambda kw: limits.append((round(clock.time(), 2), kw)), notes.append
        )
        site = Site(vtn, ven, limits, notes)
        running = asyncio.create_task(ven.run())
        try:
            async with asyncio.timeout(100_000):
                await story(site)
        finally:
            running.cancel()
            await asyncio.wait([running])
            await vtn.down()
        return site

    return clock.run(main(), mode, EVENING)


def test_the_feeder_cap_becomes_limits_at_its_times() -> None:
    """Published before the first poll; each limit at its very time, raises within a tick."""

    async def story(site: Site) -> None:
        site.vtn.publish(FEEDER_CAP)
        await asyncio.sleep(6000)

    site = run(story)
    assert site.limits == [(0.0, 60.0), (900.0, 30.0), (1805.0, 45.0), (5405.0, None)]
    assert site.notes == []


def test_an_update_and_a_cancellation_in_the_middle_count_from_the_next_poll() -> None:
    """A poll every 30 s; a cancelled event has no limit any more."""

    async def story(site: Site) -> None:
        name = site.vtn.publish(event(T0, 3600, 60))
        await asyncio.sleep(100)
        site.vtn.change(name, intervals=event(T0, 3600, 40)["intervals"])
        await asyncio.sleep(100)
        site.vtn.cancel(name)
        await asyncio.sleep(100)

    assert run(story).limits == [(0.0, 60.0), (120.0, 40.0), (215.0, None)]


def test_an_event_of_higher_priority_holds_while_it_lasts() -> None:
    """Also when it allows more; then the other one holds again."""

    async def story(site: Site) -> None:
        site.vtn.publish(event(T0, 3600, 40, priority=2))
        site.vtn.publish(event(T0 + 600, 600, 70, priority=0))
        site.vtn.publish(event(T0 + 600, 600, 80, priority=0))
        await asyncio.sleep(4000)

    assert run(story).limits == [(0.0, 40.0), (605.0, 70.0), (1200.0, 40.0), (3605.0, None)]


def test_the_end_of_an_event_is_not_the_same_instant_for_all_and_not_a_step() -> None:
    """Each site waits for a while of its own and rises along the slope: 100 kW in 600 s."""

    async def story(site: Site) -> None:
        site.vtn.publish(event(T0, 600, 40))
        await asyncio.sleep(2000)

    starts = set()
    for seed in range(4):
        limits = run(story, seed=seed, release_spread_s=300.0, release_s=600.0).limits
        assert limits[-1][1] is None
        rise = [(t, kw) for t, kw in limits[1:] if kw is not None]
        assert 600 < rise[0][0] <= 905
        assert all(kw <= 40 + (t - rise[0][0] + 5) / 6 + 0.01 for t, kw in rise)
        assert limits[-1][0] - rise[0][0] >= 350
        starts.add(rise[0][0])
    assert len(starts) == 4


def test_known_events_run_to_their_end_while_the_vtn_is_away() -> None:
    """Their limits hold, change and end in time; what comes meanwhile counts once the VTN is back."""

    async def story(site: Site) -> None:
        site.vtn.publish(event(T0, 600, 60, 30))
        await asyncio.sleep(100)
        await site.vtn.down()
        await asyncio.sleep(2000)
        assert site.ven.away
        site.vtn.publish(event(T0 + 2000, 3600, 50))
        await site.vtn.up()
        await asyncio.sleep(120)
        assert not site.ven.away

    site = run(story)
    assert site.limits[:3] == [(0.0, 60.0), (600.0, 30.0), (1205.0, None)]
    assert site.limits[3][1] == 50.0
    assert (site.said("the VTN is away"), site.said("the VTN answers again"), len(site.notes)) == (1, 1, 2)


def test_the_wait_between_failed_polls_grows_to_its_most() -> None:
    """5, 10, 20, 40, 80, then 120 s, each drawn between half and whole; however long it lasts."""
    settings = SignalSettings(full_kw=100.0)
    assert [backoff_s(n, 1.0, settings) for n in (1, 2, 3, 4, 5, 6, 10_000)] == [5, 10, 20, 40, 80, 120, 120]
    assert backoff_s(2, 0.0, settings) == 5


def test_a_vtn_that_fails_is_asked_less_and_less_until_it_answers() -> None:
    """Each outage starts with the short waits anew."""

    async def story(site: Site) -> None:
        for _ in range(2):
            site.vtn.garbage = b""
            await asyncio.sleep(400)
            site.vtn.garbage = None
            await asyncio.sleep(400)

    asked = [t for t, method, _target in run(story).vtn.asked if method == "GET"]
    waits = [[later - t for t, later in pairwise(asked) if start <= t < start + 400] for start in (0, 800)]
    for outage in waits:
        short = [wait for wait in outage if wait < 29]
        assert all(most / 2 <= wait <= most for wait, most in zip(short[:3], (5, 10, 20), strict=True))
        assert max(outage) > 30


@pytest.mark.parametrize(
    ("garbage", "words"),
    [
        (b'[{"id": "a"', "no JSON"),
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b'{"title": "x"}', "events are no list"),
        (b"[" * 100_000, "no JSON"),
    ],
)
def test_an_answer_that_is_no_list_of_events_changes_nothing(garbage: bytes, words: str) -> None:
    """The known events hold on, and the note says what came; afterwards all is well again."""

    async def story(site: Site) -> None:
        site.vtn.publish(event(T0, 3600, 60))
        await asyncio.sleep(40)
        site.vtn.garbage = garbage
        await asyncio.sleep(300)
        assert (site.limit_kw(), site.ven.away) == (60.0, True)
        site.vtn.garbage = None
        await asyncio.sleep(125)

    site = run(story)
    assert site.limits == [(0.0, 60.0)]
    assert (site.said(words), site.ven.away) == (1, False)


def test_a_wrong_event_is_noted_once_and_costs_no_other() -> None:
    """As long as it stays in the list; a payload type that is not used is noted too."""

    async def story(site: Site) -> None:
        site.vtn.publish({"id": "bad", "intervals": 5})
        site.vtn.publish(event(T0, 3600, 0.3, kind="PRICE", id="dear"))
        site.vtn.publish(event(T0, 3600, 60))
        await asyncio.sleep(200)

    site = run(story)
    assert site.limits == [(0.0, 60.0)]
    assert site.notes == [
        "event bad is refused: intervals is no list with something in it",
        "event dear: PRICE is ignored",
    ]


def tokens_asked(site: Site) -> list[float]:
    """When the port asked for tokens."""
    return [t for t, method, _target in site.vtn.asked if method == "POST"]


def test_a_token_is_renewed_before_it_ends() -> None:
    """At the first poll after nine tenths of its 100 s: no request is refused."""

    async def story(site: Site) -> None:
        site.vtn.store.token_s = 100.0
        await asyncio.sleep(299)

    site = run(story)
    assert tokens_asked(site) == [0.0, 90.0, 180.0, 270.0]
    assert len(site.vtn.asked) == 4 + 10


@pytest.mark.parametrize(("life_s", "tokens"), [(None, 1), ("3600", 1), (True, 1), (0, 5), (-5, 5)])
def test_a_token_of_odd_life_is_used_all_the_same(life_s: object, tokens: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No number: until it is refused; none at all: one for every poll."""

    def odd(_store: Store, _request: Request, _t: float) -> Answer:
        return Answer(200, orjson.dumps({"access_token": "x", "expires_in": life_s}))

    async def story(site: Site) -> None:
        site.vtn.store.tokens["x"] = 1000.0
        site.vtn.publish(event(T0, 3600, 60))
        await asyncio.sleep(149)

    monkeypatch.setattr(vtn_core, "_token", odd)
    site = run(story)
    assert (len(tokens_asked(site)), site.limits) == (tokens, [(0.0, 60.0)])


@pytest.mark.parametrize("answer", [b"[]", b"{}", b'{"access_token": 5}', b'{"access_token": "a\\nb"}'])
def test_an_answer_without_a_token_is_a_vtn_that_is_away(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that no header could carry."""

    async def story(_site: Site) -> None:
        await asyncio.sleep(40)

    monkeypatch.setattr(vtn_core, "_token", lambda _store, _request, _t: Answer(200, answer))
    assert run(story).notes == ["the VTN is away: token: no access_token; known events run on to their ends"]


def test_a_token_that_the_vtn_has_forgotten_is_renewed_at_once() -> None:
    """The poll that was refused is made again, and nothing is noted."""

    async def story(site: Site) -> None:
        await asyncio.sleep(40)
        site.vtn.forget_tokens()
        site.vtn.publish(event(T0, 3600, 60))
        await asyncio.sleep(30)

    site = run(story)
    assert tokens_asked(site) == [0.0, 60.0]
    assert (site.limits, site.notes) == ([(60.0, 60.0)], [])


def test_wrong_credentials_are_a_vtn_that_is_away() -> None:
    """The note says what the VTN answered."""

    async def story(site: Site) -> None:
        site.vtn.store.clients.clear()
        await asyncio.sleep(60)

    assert run(story).notes == ["the VTN is away: token: status 401; known events run on to their ends"]


def test_a_slow_answer_is_waited_for_only_so_long() -> None:
    """8 s for an answer are enough, 12 s are too many; limits are given in time meanwhile."""

    async def story(site: Site) -> None:
        site.vtn.publish(event(T0, 60, 60, 50))
        site.vtn.delay_s = 8.0
        await asyncio.sleep(50)
        assert site.limits == [(16.0, 60.0)]
        site.vtn.delay_s = 12.0  # from the poll at 84 s on: that of 46 s is under way
        await asyncio.sleep(50)

    site = run(story)
    assert site.limits == [(16.0, 60.0), (60.0, 50.0)]
    assert site.said("no answer within 10 s") == 1


def test_more_events_than_fit_on_a_page_are_all_fetched() -> None:
    """120 events are three pages; the lowest limit is on the last one."""

    async def story(site: Site) -> None:
        for number in range(120):
            site.vtn.publish(event(T0, 3600, 200 - number))
        await asyncio.sleep(1)

    site = run(story)
    assert site.limits == [(0.0, 81.0)]
    assert sum(method == "GET" for _t, method, _target in site.vtn.asked) == 3


@pytest.mark.parametrize("version", ["3.0", "3.1"])
def test_only_events_for_this_site_count(version: str) -> None:
    """3.1 is asked for our targets; 3.0 is asked for all and we choose. The shapes of targets differ."""

    def targets(name: str) -> list[Any]:
        return [name] if version == "3.1" else [{"type": "GROUP", "values": [name]}]

    async def story(site: Site) -> None:
        site.vtn.store.version = version  # type: ignore[assignment]
        site.vtn.publish(event(T0, 3600, 60, targets=targets("ours")))
        site.vtn.publish(event(T0, 3600, 50, targets=targets("theirs")))
        site.vtn.publish(event(T0, 3600, 40, programID="other"))
        await asyncio.sleep(1)

    site = run(story, version=version, targets=("ours",), program_id="site-dr")
    assert site.limits == [(0.0, 60.0)]
    assert ("targets=ours" in site.vtn.asked[-1][2]) == (version == "3.1")


def test_a_port_needs_an_address_that_can_be_one() -> None:
    """Anything but http and https with a host is refused with the address."""
    for url in ("", "vtn.example", "ftp://vtn.example", "http://"):
        with pytest.raises(InputError, match="no address of a VTN"):
            Ven(url, "ven", "secret", SignalSettings(full_kw=100.0), print)


def test_levels_are_shares_of_the_sites_import() -> None:
    """Of 100 kW: 75, 50 and 0; level 0 is no limit."""

    async def story(site: Site) -> None:
        site.vtn.publish(event(T0, 600, 0, 1, 2, 3, kind="SIMPLE"))
        await asyncio.sleep(2000)

    assert run(story).limits == [(600.0, 75.0), (1200.0, 50.0), (1800.0, 0.0)]


def test_two_runs_are_the_same() -> None:
    """With every draw, and an outage."""

    async def story(site: Site) -> None:
        raw = event(T0, 300, 60)
        raw["intervalPeriod"]["randomizeStart"] = "PT5M"
        site.vtn.publish(raw)
        await asyncio.sleep(100)
        await site.vtn.down()
        await asyncio.sleep(1000)

    first, second = (run(story, release_spread_s=300.0, release_s=600.0) for _ in range(2))
    assert first.limits == second.limits
    assert len(first.limits) > 10
    assert 0 < first.limits[0][0] < 300


def test_it_is_the_same_on_real_sockets() -> None:
    """Fetch, update, outage, return: on a real loop that runs 50 times as fast."""

    async def until(site: Site, limit_kw: float | None, away: bool) -> None:
        while (site.limit_kw(), site.ven.away) != (limit_kw, away):
            await asyncio.sleep(0.5)

    async def story(site: Site) -> None:
        name = site.vtn.publish(event(T0, 90_000, 60))
        await until(site, 60.0, away=False)
        await site.vtn.down()
        await until(site, 60.0, away=True)
        site.vtn.change(name, intervals=event(T0, 90_000, 40)["intervals"])
        await site.vtn.up()
        await until(site, 40.0, away=False)
        site.vtn.cancel(name)
        await until(site, None, away=False)

    site = run(story, mode="x50", poll_s=10.0, answer_s=100.0)
    assert [kw for _t, kw in site.limits] == [60.0, 40.0, None]
    assert math.isfinite(site.limits[-1][0])
