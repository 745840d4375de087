"""Whole sessions between the programs here and a peer of other make that judges every message in strict mode.

The peer is the npm package ``ocpp-rpc``, installed as ``package-lock.json`` says into a folder of the test run.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from hilbench import clock
from hilbench.ocppj import VERSIONS, dial, messages
from tests.central import Heard, central
from tests.live import PATIENCE_S, Program, free_ports, hilbench, program, until

HERE = Path(__file__).resolve().parent
INSTALL = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1")
LIMIT_A, HORIZON_S = 8, 600
"""What ``server.js`` asks for."""
TOLERANCE = 0.05
"""A car may draw so much more than it is offered: its reading of the pilot is not exact (policy-default)."""


@pytest.fixture(scope="session")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the peer's programs run; with HILBENCH_INTEROP=1 it must be possible to make one."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            pytest.skip(f"the peer needs {tool}, which is not installed")
    folder = tmp_path_factory.mktemp("peer")
    for file in [*HERE.glob("*.js"), *HERE.glob("*.json")]:
        shutil.copy(file, folder)
    why = _install(folder)
    if why and os.environ.get("HILBENCH_INTEROP") == "1":
        pytest.fail(why)
    if why:
        pytest.skip(why)
    return folder


def _install(folder: Path) -> str:
    """Install the peer; why that failed, or nothing."""
    try:
        done = subprocess.run(INSTALL, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        return "the peer could not be installed within 120 s"
    return f"the peer could not be installed: {(done.stderr.splitlines() or ['?'])[0]}" if done.returncode else ""


def test_the_lock_is_whole_and_names_no_registry() -> None:
    """Every package is pinned by a digest, and is fetched from wherever the machine has its registry."""
    packages = json.loads((HERE / "package-lock.json").read_text())["packages"]
    fetched = {name: entry for name, entry in packages.items() if name}
    assert fetched["node_modules/ocpp-rpc"]["version"] == "2.2.1"
    assert all("integrity" in entry and "resolved" not in entry for entry in fetched.values())


class Told:
    """What a program of the peer has told until now."""

    def __init__(self, running: Program) -> None:
        lines = running.output.splitlines(keepends=True)
        self.events = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]

    def of(self, event: str) -> list[dict[str, Any]]:
        """Those of one kind."""
        return [one for one in self.events if one["event"] == event]

    def has(self, stage: str) -> bool:
        """A stage has been reached."""
        return any(one["stage"] == stage for one in self.of("stage"))

    def frames(self, sent: bool) -> list[Any]:
        """Frames that the peer has sent, or that it has got."""
        return [json.loads(one["text"]) for one in self.of("frame") if one["sent"] is sent]

    def calls(self, *, since: str = "", until: str = "") -> list[tuple[str, dict[str, Any]]]:
        """Action and payload of the calls that the peer got, between two stages where they are named."""
        first, end = self._index(since, 0), self._index(until, len(self.events))
        heard = [one["text"] for one in self.events[first:end] if one["event"] == "frame" and not one["sent"]]
        frames = [json.loads(text) for text in heard]
        return [(frame[2], frame[3]) for frame in frames if frame[0] == 2]

    def _index(self, stage: str, otherwise: int) -> int:
        return next((at for at, one in enumerate(self.events) if one.get("stage") == stage), otherwise)

    def answer(self, method: str) -> dict[str, Any]:
        """The answer to the only call of that kind that the peer made."""
        (found,) = (one["answer"] for one in self.of("answer") if one["method"] == method)
        return dict(found)

    def faultless(self) -> None:
        """Fails unless every message of either side was as the schemas have it, and none was answered with an error."""
        assert not self.of("violation")
        assert not self.of("failed")
        for sent in (True, False):
            frames = self.frames(sent)
            assert frames
            errors = [frame for frame in frames if frame[0] not in (2, 3)]
            assert all(frame[2] == "NotImplemented" and OPTIONAL in frame[3] for frame in errors), errors
            ids = [frame[1] for frame in frames if frame[0] == 2]
            assert len(set(ids)) == len(ids)


OPTIONAL = "Unable to handle 'Get"
"""What a central system asks a station that need not know the answer: its configuration, and what is in force."""


def reached(running: Program, stage: str, *others: Program) -> Told:
    """What was told when the stage was reached; fails as soon as any of the programs ends before."""

    def over() -> bool:
        told = Told(running)
        ended = any(one.process.poll() is not None for one in (running, *others))
        return told.has(stage) or bool(told.of("failed")) or ended

    until(over, f"stage {stage!r}")
    told = Told(running)
    assert told.has(stage), "\n".join(one.output for one in (running, *others))
    return told


def currents(calls: list[tuple[str, dict[str, Any]]]) -> list[float]:
    """Current.Import of the calls [A], in order."""
    values = [value for _, payload in calls for value in payload.get("meterValue", ())]
    samples = [sample for value in values for sample in value["sampledValue"]]
    return [float(one["value"]) for one in samples if one["measurand"] == "Current.Import"]


# -- our station, the peer's central system


@contextmanager
def central_system(peer: Path, name: str) -> Iterator[tuple[Program, str]]:
    """The peer's central system, and its address."""
    with program(["node", "server.js"], peer, name) as server:
        until(lambda: Told(server).of("listening") or server.process.poll() is not None, "the peer's server")
        (listening,) = Told(server).of("listening")
        yield server, f"ws://127.0.0.1:{listening['port']}/ocpp"


@pytest.mark.parametrize("ocpp", VERSIONS)
def test_the_peer_is_strict_in_every_version(peer: Path, ocpp: str) -> None:
    """A field that no schema knows is answered with CALLERROR and told as a violation."""

    async def offend(url: str) -> Any:
        connection = await dial(url, "CP1", version=ocpp)
        await connection.send(json.dumps([2, "1", "Heartbeat", {"nonsense": 1}]))
        answer = json.loads(await connection.recv())
        await connection.close()
        return answer

    with central_system(peer, f"strict-{ocpp}") as (server, url):
        answer = clock.run(offend(url), "real")
        assert answer[:3] == [4, "1", "PropertyConstraintViolation"]
        (violation,) = until(lambda: Told(server).of("violation"), "a violation")
        assert (violation["sent"], violation["method"]) == (False, "Heartbeat")
        with pytest.raises(AssertionError):
            Told(server).faultless()


@contextmanager
def station_before_the_peer(peer: Path, folder: Path, ocpp: str) -> Iterator[tuple[Program, Program]]:
    """The peer's central system, and one station of ours that charges a car before it."""
    (folder / "script.txt").write_text("0 plug CP1\n")
    with central_system(peer, f"server-{ocpp}") as (server, url):
        options = ["--ocpp", ocpp, "--max-a", "20", "--script", "script.txt"]
        with program(hilbench("station", url, *options), folder, f"station-{ocpp}") as station:
            yield server, station


@pytest.fixture(scope="module")
def sessions(peer: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    """What the peer's central system told of a session in each version; all at once, for cars take their time."""
    folder = tmp_path_factory.mktemp("stations")
    with ExitStack() as stack:
        pairs = {one: stack.enter_context(station_before_the_peer(peer, folder, one)) for one in VERSIONS}
        return {ocpp: whole_session(*pair) for ocpp, pair in pairs.items()}


def whole_session(server: Program, station: Program) -> Told:
    """Everything until the transaction is over, the car unplugged and the station gone."""
    reached(server, "stopped", station)
    station.send(signal.SIGTERM)
    assert station.ended() == 128 + signal.SIGTERM, station.output
    until(lambda: Told(server).of("closed") or server.process.poll() is not None, "the end of the connection")
    return Told(server)


@pytest.mark.parametrize("ocpp", VERSIONS)
def test_our_station_follows_a_central_system_of_other_make(sessions: dict[str, Told], ocpp: str) -> None:
    """From boot to stop: its profile is taken, told back and followed by the car, and no message breaks a schema."""
    told = sessions[ocpp]
    told.faultless()
    assert [one["protocol"] for one in told.of("connected")] == [messages(ocpp).subprotocol]
    assert told.answer("SetChargingProfile")["status"] == "Accepted"
    periods = [{"startPeriod": 0, "limit": LIMIT_A}]
    assert composite(ocpp, told.answer("GetCompositeSchedule")) == (HORIZON_S, "A", periods)
    before, after = currents(told.calls(until="limited")), currents(told.calls(since="limited"))
    assert max(before) > 2 * LIMIT_A
    assert 6 < after[-1] <= LIMIT_A * (1 + TOLERANCE)
    first, *_, (_, last) = told.calls()
    assert first[0] == "BootNotification"
    assert last.get("connectorStatus", last.get("status")) == "Available"
    assert session_of(ocpp, told.calls()) == ["start", "measured", "stop"]


def composite(ocpp: str, answer: Mapping[str, Any]) -> tuple[int, str, list[dict[str, Any]]]:
    """Duration [s], unit and periods of an accepted composite schedule."""
    assert answer["status"] == "Accepted"
    schedule = answer["chargingSchedule" if ocpp == "1.6" else "schedule"]
    periods = [{key: one[key] for key in ("startPeriod", "limit")} for one in schedule["chargingSchedulePeriod"]]
    return schedule["duration"], schedule["chargingRateUnit"], periods


def session_of(ocpp: str, calls: list[tuple[str, dict[str, Any]]]) -> list[str]:
    """What the transaction was made of, in order, repetitions left out."""
    if ocpp == "1.6":
        words = {"StartTransaction": "start", "MeterValues": "measured", "StopTransaction": "stop"}
        found = [words[action] for action, _ in calls if action in words]
    else:
        events = [payload for action, payload in calls if action == "TransactionEvent"]
        found = [_event(payload) for payload in events if payload["eventType"] != "Updated" or "meterValue" in payload]
    return [one for index, one in enumerate(found) if index == 0 or found[index - 1] != one]


def _event(payload: dict[str, Any]) -> str:
    return {"Started": "start", "Updated": "measured", "Ended": "stop"}[payload["eventType"]]


# -- our central system, the peer's station


async def when(true: Callable[[], Any]) -> None:
    """Returns as soon as ``true`` is; ends in ``TimeoutError`` when that takes too long."""
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            await asyncio.sleep(0.02)


def controlled(peer: Path, ocpp: str, limit_a: float) -> tuple[Told, Heard]:
    """What the peer's station and our central system heard of each other; the limit comes after the first current."""
    port = free_ports(1)[0]
    arguments = [f"ws://127.0.0.1:{port}/ocpp", "CP1", messages(ocpp).subprotocol, f"{limit_a:g}"]

    async def main() -> tuple[Told, Heard]:
        async with central(["CP1"], port) as (csms, heard):
            with program(["node", "station.js", *arguments], peer, f"station-{ocpp}") as station:
                await when(lambda: heard.peak_a > limit_a or station.process.poll() is not None)
                csms.want("CP1", limit_a)
                await when(lambda: station.process.poll() is not None)
                assert station.ended() == 0, station.output
                return Told(station), heard

    return clock.run(main(), "real")


@pytest.mark.parametrize("ocpp", VERSIONS)
def test_our_central_system_serves_a_station_of_other_make(peer: Path, ocpp: str) -> None:
    """It boots, charges, gets the fallback and then a limit, and stops; no message breaks a schema."""
    told, heard = controlled(peer, ocpp, 13.0)
    told.faultless()
    limits = told.of("stage")[-1]["limits"]
    assert (limits[0], limits[-1]) == (8.0, 13.0)
    assert ("CP1", 13.0) in heard.confirmed
    assert heard.reports[-1] == ("CP1", {"L1": 13.0})
    seen = [status for role, status in heard.statuses if role == "CP1"]
    assert [one for index, one in enumerate(seen) if index == 0 or seen[index - 1] != one][-3:] == [
        *("Charging", "Finishing", "Available"),
    ]
