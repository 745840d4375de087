"""What the reference controller remembers over a restart, and what it does with a file that is damaged."""

from __future__ import annotations

import asyncio
import logging
import math
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hilbench import clock
from hilbench.controller.core import Core
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.state import Memory, Snapshot, StateFile, keep, recall, remember
from hilbench.controller.stations import most_drawn
from tests.controller_toy import Toy, site, toy

ZERO = 1_700_000_000.0
"""UTC [s] of time 0 of the cores in these tests."""
NOBODY = Memory(0.0, 0.0, None, None, None, None, "")


MANY = {f"s{k}": NOBODY for k in range(500)}


def ours(path: Path, content: Snapshot = MANY, written: float = ZERO) -> None:
    """A sound file."""
    file = StateFile(path)
    file.write(content, written)
    file.close()


def restarted(core: Core, away_s: float, path: Path, t: float) -> Toy:
    """A new controller that reads, ``away_s`` later, what the one at ``t`` wrote."""
    ours(path, {role: remember(station, ZERO) for role, station in core.stations.items()}, ZERO + t)
    fresh = Toy(core.site)
    fresh.t = t + away_s
    fresh.core = Core(core.site, fresh.settings, fresh.t)
    again = StateFile(path)
    for role, (memory, written) in again.stations.items():
        recall(fresh.core.stations[role], memory, written, fresh.t, ZERO, fresh.settings.lease_s)
    again.close()
    return fresh


def crowded() -> Toy:
    """Three cars where one can have its minimum: one charges, two wait for their turns."""
    made = toy(3, 10.0)
    made.run(200)
    return made


def test_turns_go_on_where_they_were(tmp_path: Path) -> None:
    """After a restart the same car charges, and the one that waited longest comes next."""
    before = crowded()
    order = before.core.order(before.t)
    after = restarted(before.core, 5.0, tmp_path / "state", before.t)
    for role in ("s2", "s1", "s0"):  # they come back in another order
        after.core.online(role, after.t)
        after.core.status(role, after.t, "SuspendedEVSE")
    assert after.core.order(after.t) == order


def test_without_a_file_turns_go_by_who_comes_first(tmp_path: Path) -> None:
    """The same restart without memory has another order: the test above can fail."""
    before = crowded()
    after = Core(before.site, ControllerSettings(), before.t)
    for k, role in enumerate(("s2", "s1", "s0")):
        after.online(role, before.t + k)
        after.status(role, before.t + k, "SuspendedEVSE")
    assert after.order(before.t + 5.0) != before.core.order(before.t)


def test_a_car_that_left_meanwhile_has_no_turn(tmp_path: Path) -> None:
    """A station that comes back empty forgets the turn and the wait of the car that was there."""
    before = crowded()
    after = restarted(before.core, 60.0, tmp_path / "state", before.t)
    after.core.online("s0", after.t)
    after.core.status("s0", after.t, "Available")
    station = after.core.stations["s0"]
    assert (station.turn_t, station.waiting_t, station.lines) == (-math.inf, math.inf, ())


def test_turns_of_yesterday_mean_nothing(tmp_path: Path) -> None:
    """After a day, waits start anew and no line is taken for known."""
    after = restarted(crowded().core, 86_400.0, tmp_path / "state", 205.0)
    assert all(not s.remembered and math.isinf(s.turn_t) and s.lines == () for s in after.core.stations.values())


def test_a_lease_that_stands_counts_as_drawn_until_it_ends(tmp_path: Path) -> None:
    """A new controller reckons with what its predecessor granted, until that lease runs out and the fallback holds."""
    before = toy(1)
    before.run(300)
    granted = before.granted["s0"]
    after = restarted(before.core, 1.0, tmp_path / "state", before.t)
    station = after.core.stations["s0"]
    assert granted >= 16.0
    assert after.core._claimed(station, after.t) == pytest.approx(granted)
    after.core.decide(after.t + after.settings.lease_s + 2.0)
    assert station.granted_a == 0.0


def test_lines_are_known_again_at_once_when_nobody_can_have_swapped_cars(tmp_path: Path) -> None:
    """A single-phase car in a three-phase station loads one line after a short outage, and all after a long one."""
    before = Toy(site(1, wiring="three-phase"))
    before.connect()
    before.run(5)
    before.plug("s0", phases=1)
    before.run(120)
    loaded = {}
    for away in (5.0, 600.0):
        after = restarted(before.core, away, tmp_path / f"state-{away}", before.t)
        after.core.decide(after.t)
        loaded[away] = len(after.core.tree.rows_of(0))
    assert loaded == {5.0: 1, 600.0: 3}


def test_a_clock_that_was_set_back_gives_no_time_in_the_future(tmp_path: Path) -> None:
    """Leases are at most their length ahead, turns and waits not at all."""
    before = crowded()
    after = restarted(before.core, -100.0, tmp_path / "state", before.t)
    for station in after.core.stations.values():
        assert station.turn_t <= after.t
        assert min(station.waiting_t, after.t) <= after.t
        assert station.lease_until <= after.t + after.settings.lease_s


def alter(path: Path, *statements: str) -> None:
    """Execute SQL behind the controller's back."""
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def garbage(path: Path) -> None:
    """Not a database."""
    path.write_bytes(b"\x00\xffnothing" * 1000)


def foreign(path: Path) -> None:
    """Somebody else's database."""
    alter(path, "CREATE TABLE precious (x)")


def newer(path: Path) -> None:
    """Ours, of a version to come."""
    ours(path)
    alter(path, "PRAGMA user_version = 99")


def torn(path: Path) -> None:
    """Ours, with a page of zeros in the middle."""
    ours(path)
    data = path.read_bytes()
    path.write_bytes(data[:4096] + bytes(8192) + data[12288:])


@pytest.mark.parametrize("spoil", [garbage, foreign, newer, torn])
def test_a_file_that_cannot_be_used_is_kept_aside(
    spoil: Callable[[Path], None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is renamed as it was, a warning says so, and a new file works at once."""
    path = tmp_path / "state"
    spoil(path)
    content = path.read_bytes()
    with caplog.at_level(logging.WARNING):
        file = StateFile(path)
    assert file.stations == {}
    file.write({"s0": NOBODY}, ZERO)
    file.close()
    assert (tmp_path / "state.bad-1").read_bytes() == content
    assert "kept as" in caplog.text
    again = StateFile(path)
    assert again.stations == {"s0": (NOBODY, ZERO)}
    again.close()


def test_a_row_that_makes_no_sense_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A limit or a time that is a text costs that station its memory, not the others theirs."""
    path = tmp_path / "state"
    ours(path, {"s0": NOBODY, "s1": NOBODY, "s2": NOBODY})
    alter(path, "UPDATE station SET granted_a = 'much' WHERE role = 's1'")
    alter(path, "UPDATE station SET turn = 'soon' WHERE role = 's2'")
    again = StateFile(path)
    again.close()
    assert set(again.stations) == {"s0"}
    assert all(f"station {role} makes no sense" in caplog.text for role in ("s1", "s2"))


def test_a_place_that_cannot_be_written_costs_the_memory_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Without its folder the controller starts all the same, and says that nothing will survive."""
    ours(tmp_path / "no" / "state")
    assert "nothing will survive" in caplog.text


def test_changes_are_written_within_a_second_or_so_and_at_the_end(tmp_path: Path) -> None:
    """The keeper writes what changed by its next second, and once more when it is stopped."""
    path = tmp_path / "state"
    now = {"limit": 8.0}

    async def main() -> float:
        file = StateFile(path)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(keep(file, lambda: {"s0": NOBODY._replace(granted_a=now["limit"])}))
            await asyncio.sleep(1.5)
            seen = sqlite3.connect(path)
            (found,) = seen.execute("SELECT granted_a FROM station").fetchone()
            seen.close()
            now["limit"] = 9.0
            task.cancel()
        return float(found)

    assert clock.run(main()) == 8.0
    again = StateFile(path)
    assert again.stations["s0"][0].granted_a == 9.0
    again.close()


WRITER = """
import sys
from pathlib import Path
from hilbench.controller.state import Memory, StateFile
file = StateFile(Path(sys.argv[1]))
for k in range(1_000_000):
    file.write({f"s{n}": Memory(float(k), 0.0, None, None, None, None, "") for n in range(20)}, 0.0)
    print(k, flush=True)
"""


@pytest.mark.parametrize("after", [0, 1, 7, 30])
def test_a_kill_in_the_middle_of_writes_leaves_whole_ones(after: int, tmp_path: Path) -> None:
    """After kill -9 all stations are of one and the same write, and it is none before the last that was reported."""
    path = tmp_path / "state"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(after):
            writer.stdout.readline()
        said = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().split()
    file = StateFile(path)
    file.close()
    written = {memory.granted_a for memory, _written in file.stations.values()}
    assert len(file.stations) == 20
    assert len(written) == 1
    assert written.pop() >= max([said, *map(int, rest)])
    assert list(tmp_path.glob("*.bad-*")) == []


@pytest.mark.parametrize(("keeps", "amps"), [(True, 6.0), (False, 32.0), (None, 32.0)])
def test_who_keeps_the_fallback_is_known_after_a_restart(tmp_path: Path, keeps: bool | None, amps: float) -> None:
    """Where unknown stations count with their nameplate, one that was seen to keep its fallback counts with that."""
    rules = ControllerSettings(unknown_a="max")
    core = Core(site(1, fallback_a=6.0), rules, 0.0)
    core.stations["s0"].trust.keeps_fallback = keeps
    ours(tmp_path / "state", {"s0": remember(core.stations["s0"], ZERO)})
    fresh = Core(core.site, rules, 9000.0)
    again = StateFile(tmp_path / "state")
    memory, written = again.stations["s0"]
    recall(fresh.stations["s0"], memory, written, 9000.0, ZERO, rules.lease_s)
    again.close()
    assert most_drawn(fresh.stations["s0"], rules, 9000.0) == amps


def test_a_station_that_strayed_alone_is_not_trusted_with_its_fallback_again(tmp_path: Path) -> None:
    """Also after a restart it counts with its nameplate while it is away."""
    core = Core(site(1, fallback_a=6.0), ControllerSettings(), 0.0)
    core.stations["s0"].trust.keeps_fallback = core.stations["s0"].trust.strays_alone = True
    after = restarted(core, 5000.0, tmp_path / "state", 0.0)
    assert most_drawn(after.core.stations["s0"], after.settings, after.t) == 32.0


def test_a_file_of_version_1_is_taken_on(tmp_path: Path) -> None:
    """What it has counts, and it is written as one of this version from then on."""
    path = tmp_path / "state"
    ours(path, {"s0": Memory(8.0, 8.0, None, None, None, None, "L1")})
    connection = sqlite3.connect(path)
    connection.executescript("ALTER TABLE station DROP COLUMN keeps; DROP TABLE note; PRAGMA user_version = 1;")
    connection.close()
    ours(path, {"s1": Memory(9.0, 9.0, None, None, None, None, "", 0)})
    file = StateFile(path)
    found = {role: memory for role, (memory, _written) in file.stations.items()}
    file.close()
    assert found["s0"] == Memory(8.0, 8.0, None, None, None, None, "L1", None)
    assert found["s1"].keeps == 0
    assert [one.name for one in tmp_path.glob("*.bad-*")] == []
