"""Fleets of emulated stations on the virtual clock: commands, scripts, traffic, and an end in good order."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from hilbench import clock
from hilbench.controller.csms import Csms
from hilbench.errors import InputError
from hilbench.fleet import Fleet, Plan, identities
from hilbench.fleet_member import Row
from hilbench.fleet_script import Command, perform, read_script
from hilbench.fleet_stay import Stay
from hilbench.fleet_traffic import MessageLog, Traffic
from hilbench.ocppj import VERSIONS
from tests.central import Heard, central

PORT = 9000
PAIR = identities("CP", 2)


class Eyes:
    """Whoever watches, with everything that was shown and said."""

    def __init__(self) -> None:
        self.rows: list[list[Row]] = []
        self.said: list[str] = []

    def show(self, fleet: Fleet) -> None:
        """See ``hilbench.fleet_stay.View``."""
        self.rows.append(list(fleet.rows()))

    def say(self, text: str) -> None:
        """See ``hilbench.fleet_stay.View``."""
        self.said.append(text)


def plan(ocpp: str = "1.6", names: tuple[str, ...] = PAIR, phases: int = 1) -> Plan:
    """Stations before the central system of :func:`play`."""
    return Plan(url=f"ws://127.0.0.1:{PORT}", identities=names, ocpp=ocpp, phases=phases)


def play(test: Callable[[Fleet, Csms, Heard], Awaitable[None]], what: Plan | None = None) -> Fleet:
    """Run ``test`` with a running fleet and its central system; returns the fleet, which has stopped."""

    async def main() -> Fleet:
        fleet = Fleet(what or plan())
        async with central(fleet.plan.identities, PORT) as (csms, heard):
            await fleet.start()
            await fleet.until_accepted(30)
            try:
                await test(fleet, csms, heard)
            finally:
                await fleet.stop()
        return fleet

    return clock.run(main())


async def do(fleet: Fleet, verb: str, station: str = "CP1", argument: str = "") -> list[str]:
    """Perform a command; returns the complaints."""
    return await perform(fleet, Command(0.0, verb, (station,), argument))


def row(fleet: Fleet, name: str = "CP1") -> Row:
    """What a station does now."""
    return fleet.members[name].row()


@pytest.mark.parametrize("ocpp", VERSIONS)
@pytest.mark.parametrize("phases", [1, 2, 3])
def test_a_station_lets_its_car_draw_what_the_controller_allows(ocpp: str, phases: int) -> None:
    """In each version and wiring: accepted, a transaction, and the fallback of 8 A, then the 14 A that it is given."""

    async def test(fleet: Fleet, csms: Csms, _heard: Heard) -> None:
        assert await do(fleet, "plug", argument="zoe-ze50") == []
        await asyncio.sleep(30)
        now = row(fleet)
        assert (now.link, now.status, now.limit_a, now.offered_a) == ("online", "Charging", 8.0, 8.0)
        assert now.transaction
        csms.want("CP1", 14.0)
        await asyncio.sleep(20)
        assert row(fleet).offered_a == 14.0
        assert 9 < row(fleet).drawn_a <= 14.5

    report = play(test, plan(ocpp, phases=phases)).reports()[0]
    assert (report["accepted"], report["transactions"]) == (True, 1)
    assert report["energy_kwh"] > 0.005


@pytest.mark.parametrize("ocpp", VERSIONS)
def test_the_end_tells_the_controller_of_every_transaction(ocpp: str) -> None:
    """A fleet that stops unplugs its cars, and the controller hears it before the links go."""
    heard_of: list[Heard] = []

    async def test(fleet: Fleet, _csms: Csms, heard: Heard) -> None:
        heard_of.append(heard)
        for name in PAIR:
            await do(fleet, "plug", name)
        await asyncio.sleep(20)

    fleet = play(test, plan(ocpp))
    assert {name: status for name, status in heard_of[0].statuses} == dict.fromkeys(PAIR, "Available")  # noqa: C416
    assert all(member.station.pending == 0 for member in fleet.members.values())
    assert [row.drawn_a for row in fleet.rows()] == [0.0, 0.0]


@pytest.mark.parametrize("ocpp", VERSIONS)
def test_the_end_tells_the_controller_that_the_outlet_is_free(ocpp: str) -> None:
    """A car whose transaction is over already is unplugged at the end, and the controller hears that too."""
    heard_of: list[Heard] = []

    async def test(fleet: Fleet, _csms: Csms, heard: Heard) -> None:
        heard_of.append(heard)
        await do(fleet, "plug")
        await asyncio.sleep(20)
        fleet.members["CP1"].station.end("Remote")
        await asyncio.sleep(20)
        assert heard.statuses[-1] != ("CP1", "Available")

    play(test, plan(ocpp))
    assert heard_of[0].statuses[-1] == ("CP1", "Available")


def test_a_dropped_link_stays_down_for_its_time() -> None:
    """Cut for 60 s: no connection meanwhile, charging goes on, then it is back by itself; the other never went."""

    async def test(fleet: Fleet, _csms: Csms, heard: Heard) -> None:
        await do(fleet, "plug")
        await asyncio.sleep(20)
        await do(fleet, "drop", argument="60")
        await asyncio.sleep(59)
        assert (row(fleet).link, row(fleet).status) == ("cut", "Charging")
        await asyncio.sleep(3)
        assert row(fleet).link == "online"
        assert heard.offline == ["CP1"]

    play(test)


def test_a_link_without_time_waits_for_reconnect() -> None:
    """It stays cut until it is joined."""

    async def test(fleet: Fleet, _csms: Csms, _heard: Heard) -> None:
        await do(fleet, "drop")
        await asyncio.sleep(1000)
        assert row(fleet).link == "cut"
        await do(fleet, "reconnect")
        await asyncio.sleep(1)
        assert row(fleet).link == "online"

    play(test)


def test_a_fault_trips_the_station_until_the_car_leaves() -> None:
    """A car that draws twice the maximum opens the contactor; unplugged and plugged again, it charges."""

    async def test(fleet: Fleet, _csms: Csms, _heard: Heard) -> None:
        await do(fleet, "plug")
        await asyncio.sleep(20)
        await do(fleet, "fault")
        await asyncio.sleep(15)
        assert (row(fleet).status, row(fleet).drawn_a) == ("Faulted", 0.0)
        await do(fleet, "unplug")
        await do(fleet, "plug")
        await asyncio.sleep(20)
        assert row(fleet).status == "Charging"

    play(test)


def test_a_power_cycle_boots_again() -> None:
    """Five seconds without supply, then a new connection and a new transaction of the car that stayed."""

    async def test(fleet: Fleet, _csms: Csms, _heard: Heard) -> None:
        await do(fleet, "plug")
        await asyncio.sleep(10)
        await do(fleet, "cycle")
        await asyncio.sleep(30)
        assert row(fleet).link == "online"
        assert len(list(fleet.record.events_of("station.online", "CP1"))) == 2

    assert play(test).reports()[0]["transactions"] == 2


def test_the_end_of_a_fleet_in_a_power_cycle_is_good_too() -> None:
    """A supply that would come back later stays off."""

    async def test(fleet: Fleet, _csms: Csms, _heard: Heard) -> None:
        await do(fleet, "cycle", argument="100")
        await asyncio.sleep(1)

    assert next(play(test).rows()).link == "connecting"


def test_what_cannot_be_done_is_said() -> None:
    """Each complaint names the station; nothing else happens."""

    async def test(fleet: Fleet, _csms: Csms, _heard: Heard) -> None:
        assert await do(fleet, "fault") == ["station CP1: there is no car that could draw too much; plug one in"]
        assert await do(fleet, "start") == ["station CP1: there is no car to charge; plug one in"]
        await do(fleet, "plug")
        assert await do(fleet, "plug") == ["station CP1: a car is connected already; unplug it first"]
        assert await do(fleet, "unplug") == []
        assert await do(fleet, "unplug") == []

    play(test)


def test_a_station_that_is_unknown_is_never_accepted_and_says_why() -> None:
    """The report gives the reason; the known one is accepted."""

    async def main() -> Fleet:
        fleet = Fleet(plan(names=("CP1", "STRANGER")))
        async with central(["CP1"], PORT):
            await Stay(fleet, [], span_s=20).run(Eyes())
        return fleet

    first, second = clock.run(main()).reports()
    assert (first["accepted"], second["accepted"]) == (True, False)
    assert second["reason"] == "HTTP 404 Not Found: unknown station"


def test_a_stay_plays_its_script_and_ends_with_quit() -> None:
    """Times count from acceptance; the fleet is off when the stay returns."""

    async def main() -> tuple[Eyes, float, Fleet]:
        fleet, eyes = Fleet(plan()), Eyes()
        script = [Command(0, "plug", ("CP1",)), Command(20, "fault", ("CP2",)), Command(30, "quit", ())]
        async with central(PAIR, PORT):
            await Stay(fleet, script).run(eyes)
        return eyes, clock.time(), fleet

    eyes, ended, fleet = clock.run(main())
    assert 30 < ended < 35
    assert eyes.said == ["station CP2: there is no car that could draw too much; plug one in"]
    assert any(rows[0].drawn_a > 7 for rows in eyes.rows)
    assert [(one["transactions"], one["accepted"]) for one in fleet.reports()] == [(1, True), (0, True)]


def test_a_stay_plugs_cars_when_stations_are_accepted() -> None:
    """Also in one that is accepted later; it ends after its time."""

    async def main() -> Fleet:
        fleet = Fleet(plan())
        stay = asyncio.create_task(Stay(fleet, [], plug=True, span_s=120).run(Eyes()))
        await asyncio.sleep(15)
        async with central(PAIR, PORT):
            await stay
        return fleet

    fleet = clock.run(main())
    assert [one["transactions"] for one in fleet.reports()] == [1, 1]


def test_a_stay_ends_when_its_watcher_fails() -> None:
    """The fleet is stopped in good order and the error comes out."""

    class Blind(Eyes):
        def show(self, fleet: Fleet) -> None:
            """Fail on the way."""
            super().show(fleet)
            if clock.time() > 3:
                raise BrokenPipeError

    async def main() -> None:
        async with central(PAIR, PORT):
            await Stay(Fleet(plan()), []).run(Blind())

    with pytest.raises(BrokenPipeError):
        clock.run(main())


def test_equal_seeds_give_equal_traces() -> None:
    """Two fleets on the virtual clock say the same to the bit."""

    async def test(fleet: Fleet, _csms: Csms, _heard: Heard) -> None:
        await do(fleet, "plug")
        await asyncio.sleep(30)

    first, second = ([m.station.trace_sha256() for m in play(test).members.values()] for _ in range(2))
    assert first == second


# -- traffic


def test_traffic_counts_and_names_what_was_refused() -> None:
    """An answer is named by its question; refusals of both sides are kept apart."""
    traffic = Traffic()
    traffic.see("out", '[2,"1","Authorize",{}]')
    traffic.see("in", '[3,"1",{"idTagInfo":{"status":"Rejected"}}]')
    assert traffic.last == "< Authorize: Rejected"
    traffic.see("in", '[2,"1","SetChargingProfile",{}]')
    traffic.see("out", '[4,"1","ProtocolError","",{}]')
    traffic.see("in", "nonsense")
    assert (traffic.sent, traffic.received, traffic.last) == (2, 3, "< not an OCPP-J message")
    assert traffic.refused_there == ["Authorize: Rejected"]
    assert traffic.refused_here == ["SetChargingProfile: ProtocolError"]


@pytest.mark.parametrize(
    "text", ["", "[]", "[2]", "{}", "[3,1,2]", '[3,"1",null]', '[3,"1",{"idTagInfo":5}]', "[[[", "null"]
)
def test_traffic_bears_any_frame(text: str) -> None:
    """Whatever a peer sends, it is counted."""
    traffic = Traffic()
    traffic.see("in", text)
    assert traffic.received == 1


def test_the_log_has_time_station_direction_and_frame() -> None:
    """A line of JSON for each frame; what is no JSON stands as text."""
    file = io.StringIO()

    async def main() -> None:
        await asyncio.sleep(1.5)
        MessageLog(file).write("CP1", "in", '[3,"1",{}]')
        MessageLog(file).write("CP1", "out", "nonsense")

    clock.run(main())
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert lines[0] == {"time": "2024-06-04T16:00:01.500Z", "station": "CP1", "direction": "in", "frame": [3, "1", {}]}
    assert lines[1]["frame"] == "nonsense"


# -- scripts

LINES = """
# an evening
0 plug CP1 leaf-40
45 drop CP1 10   # ten seconds
30 unplug        # all
50.5 plug all
60 quit
"""
TABLES = """
[[step]]
at = 0
do = "plug"
station = "CP1"
argument = "leaf-40"
[[step]]
at = 60
do = "quit"
"""


def test_a_script_of_lines_is_read_in_order_of_time(tmp_path: Path) -> None:
    """Comments and blank lines do not count; without a station a command is for all."""
    (tmp_path / "s.txt").write_text(LINES)
    assert read_script(tmp_path / "s.txt", PAIR) == [
        Command(0, "plug", ("CP1",), "leaf-40"),
        Command(30, "unplug", PAIR),
        Command(45, "drop", ("CP1",), "10"),
        Command(50.5, "plug", PAIR),
        Command(60, "quit", ()),
    ]


def test_a_script_of_tables_is_read_too(tmp_path: Path) -> None:
    """A TOML file says the same in [[step]] tables."""
    (tmp_path / "s.toml").write_text(TABLES)
    assert read_script(tmp_path / "s.toml", PAIR) == [Command(0, "plug", ("CP1",), "leaf-40"), Command(60, "quit", ())]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("s.txt", "0\n", "line 1: is not TIME COMMAND"),
        ("s.txt", "\nsoon plug\n", "line 2: 'soon' is not a time from 0 to 1e7 s"),
        ("s.txt", "nan plug\n", "'nan' is not a time"),
        ("s.txt", "-1 plug\n", "'-1' is not a time"),
        ("s.txt", "0 plugg\n", "there is no command 'plugg' (did you mean plug?)"),
        ("s.txt", "0 plug CP9 leaf-40\n", "'CP9' is no station (there are CP1, CP2"),
        ("s.txt", "0 unplug CP9\n", "'CP9' is no station"),
        ("s.txt", "0 plug CP1 lef-40\n", "line 1: no such car (did you mean leaf-40?)"),
        ("s.txt", "0 drop CP1 ten\n", "'ten' is not a number of seconds, nor a station"),
        ("s.txt", "0 drop CP1 10 20\n", "'10' is no station"),
        ("s.toml", "[[step]]\nat = 0\n", "step[0]: is not TIME COMMAND"),
        ("s.toml", "[[step]]\nat = 0\ndo = 'plug'\nwhom = 1\n", "step[0].whom: is not a key"),
        ("s.toml", "step = 3\n", "is not a list of [[step]] tables"),
        ("s.toml", "[[step", "s.toml"),
        ("s.txt", "\udcff", "is not UTF-8 text"),
    ],
)
def test_a_bad_script_is_named_with_its_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    """Every wrong line of it, with what would be right."""
    (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError) as raised:
        read_script(tmp_path / name, PAIR)
    assert message in str(raised.value)
