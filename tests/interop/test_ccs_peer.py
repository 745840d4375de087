"""Our car at a station of the package ``iso15118``, and its car at ours: whole sessions.

Optional, like :mod:`tests.interop.test_exi_peer`; the environment needs ``aiofile`` as well. Its state machines run
with our codec in the place of its own, which needs a tenth of a second and more per message;
HILBENCH_INTEROP_JAVA=1 takes its own. Our clock runs at a tenth of its speed, so that a busy machine breaks none of our
time-outs.
"""

from __future__ import annotations

import asyncio
import json
import os
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import hilbench
from hilbench import clock
from hilbench.cli import main
from hilbench.errors import DeviceError
from hilbench_emulators.ccs import Evcc, Fixed, Limits, Secc, Station, Vehicle
from hilbench_emulators.ccs import events as ev
from hilbench_emulators.ccs.link import End, SeccServer, connect
from hilbench_emulators.dc.cars import load_car
from tests.ccs_pairs import AC20, DC20, DIN, ISO2_AC, ISO2_DC, Way
from tests.ccs_session import Said, pcap, segments

PYTHON = os.environ.get("HILBENCH_INTEROP_PYTHON", "")
pytestmark = pytest.mark.skipif(not PYTHON, reason="HILBENCH_INTEROP_PYTHON names no Python that has iso15118")
HOST, SLOWLY = "::1", "x0.1"
JAVA = bool(os.environ.get("HILBENCH_INTEROP_JAVA"))
ROOT = {} if JAVA else {"HILBENCH_ROOT": str(Path(hilbench.__file__).parents[1])}
CAR = replace(load_car("id-3-58"), below_minimum="waits", gives_up_s=float("inf"))
NAMES = {"din": "DIN_SPEC_70121", "iso2": "ISO_15118_2"}


def arguments(way: Way) -> tuple[str, str, str]:
    """What the other car calls a way of charging."""
    power = way.service.power.upper()
    protocol = NAMES.get(way.protocol.generation, f"ISO_15118_20_{power}")
    return protocol, power + "_BPT" * way.service.giving, "AC_three_phase_core" if way.ac else "DC_extended"


CHANGE_AT, LOWER_A = 4, 7.0
"""Responses of the loop before the limit changes, and the limit from then on."""


def limits(way: Way, amps: float) -> Limits:
    """What our station offers."""
    return Limits(amps, amps * 690.0, low_a=-16.0) if way.ac else Limits(amps, 50_000.0, low_a=-50.0, low_w=-9000.0)


async def their_car(way: Way) -> tuple[str | None, list[str]]:
    """Their car at our station, whose limit changes within the loop: how our side ended, and what theirs said."""
    station = Secc(Station(services=(way.service,), cable_check_s=0.0), Fixed(limits(way, 32.0)))
    answered = 0

    def watch(_t_s: float, output: ev.Output) -> None:
        nonlocal answered
        if isinstance(output, ev.Send) and output.name == f"{way.loop}Res":
            answered += 1
            if answered == CHANGE_AT:
                asyncio.get_running_loop().call_soon(server.tell, ev.NewLimit(limits(way, LOWER_A)))

    async with SeccServer(lambda: station, HOST, watch=watch) as server:
        script = Path(__file__).with_name("ccs_car_peer.py")
        command = (PYTHON, str(script), str(server.port), *arguments(way))
        process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=DEVNULL, env=os.environ | ROOT)
        said, _ = await process.communicate()
    return station.closed, said.decode().splitlines()


@pytest.mark.parametrize("way", [DIN, ISO2_DC, ISO2_AC, DC20[0], DC20[1], DC20[2], AC20[0]], ids=str)
def test_their_car_charges_at_our_station(way: Way) -> None:
    """Loops with a change of the limit, which is in the next response that their car reads, and a regular end."""
    closed, said = clock.run(their_car(way), SLOWLY)
    assert closed == "", f"{closed}; the car: {said[-1]}"
    if not JAVA:
        heard = [way.limit(json.loads(line)) for line in said if line.startswith("{")]
        assert heard[CHANGE_AT - 1] > way.limit_of(LOWER_A) >= heard[CHANGE_AT]
        assert set(heard[CHANGE_AT:]) == {way.limit_of(LOWER_A)}


async def until(condition: Callable[[], bool]) -> None:
    """Look every 2 ms of our clock."""
    while not condition():
        await asyncio.sleep(0.002)


async def reached(car: Evcc, port: int, watch: Callable[[float, ev.Output], None]) -> End:
    """Our car connected; their station says its port a little before it listens."""
    for _ in range(100):
        try:
            return await connect(car, HOST, port, watch=watch)
        except DeviceError:
            await asyncio.sleep(0.01)
    return await connect(car, HOST, port, watch=watch)


class Relay:
    """Stands between a car and the station behind ``port``, and puts down what they say as it comes."""

    def __init__(self, port: int) -> None:
        self.said: list[Said] = []
        self._port = port
        self._carrying: asyncio.Task[None] | None = None

    async def serve(self) -> int:
        """The port for the car."""
        self._server = await asyncio.start_server(self._take, HOST, 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def over(self) -> None:
        """Both have closed."""
        assert self._carrying
        await self._carrying
        self._server.close()
        await self._server.wait_closed()
        await asyncio.sleep(0)  # its socket is closed a turn later

    async def _take(self, *car: Any) -> None:
        self._carrying = asyncio.current_task()
        station = await asyncio.open_connection(HOST, self._port)
        await asyncio.gather(self._carry(car[0], station[1], True), self._carry(station[0], car[1], False))

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, of_car: bool) -> None:
        while data := await source.read(65_536):
            self.said.append(Said(1000.0 + clock.time(), of_car, data))
            sink.write(data)
        sink.close()
        await sink.wait_closed()


async def their_station(way: Way, record: list[str], wire: list[Said] | None = None) -> tuple[str, Limits]:
    """Our car at their station, whose limit changes: how our session ended, and what the next response offers.

    ``wire`` takes what both have said.
    """
    script = str(Path(__file__).with_name("ccs_station_peer.py"))
    command = (PYTHON, script, *(["ac"] if way.ac else []))
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=os.environ | ROOT
    )
    assert process.stdout
    assert process.stdin
    port = b""
    while not port.strip().isdigit():
        port = await process.stdout.readline()
        assert port, "their station has not started"
    car = Evcc(Vehicle(CAR, protocols=(way.protocol,), service=way.service, period_s=0.01))
    request = f"{way.loop}Req"

    def watch(_t_s: float, output: ev.Output) -> None:
        if isinstance(output, ev.Send):
            record.append(output.name)

    def asked(times: int) -> Callable[[], bool]:
        return lambda: record.count(request) >= times or end.ended.done()

    relay = None if wire is None else Relay(int(port))
    end = await reached(car, int(port) if relay is None else await relay.serve(), watch)
    await until(asked(CHANGE_AT))
    process.stdin.write(b"%d\n" % LOWER_A)
    await process.stdout.readline()  # it holds from here on
    await until(asked(record.count(request) + 2))  # the request after this one was answered
    offered = car.drive.offered
    end.tell(ev.Wish("stop"))
    ended = await end.ended
    process.stdin.close()
    process.kill()
    await process.wait()
    if wire is not None and relay is not None:
        await relay.over()
        wire += relay.said
    assert offered is not None, ended
    return ended, offered


@pytest.mark.parametrize("way", [DIN, ISO2_DC, ISO2_AC, DC20[0], DC20[1], DC20[2], AC20[0]], ids=str)
def test_our_car_charges_at_their_station(way: Way) -> None:
    """The first request after a change of the limit is answered with it; our car leaves regularly."""
    ended, offered = clock.run(their_station(way, []), SLOWLY)
    assert ended == ""
    if way is ISO2_AC:
        assert offered.max_w == pytest.approx(LOWER_A * 690.0, rel=0.01)
    elif not way.ac:  # their outlet gives no set point in ISO 15118-20 AC
        assert offered.max_a == LOWER_A


@pytest.mark.parametrize("way", [DIN, ISO2_DC, DC20[1]], ids=str)
def test_a_capture_of_their_session_tells_it(way: Way, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``hilbench ccs decode`` of the capture has every message of it and nothing else."""
    wire: list[Said] = []
    sent: list[str] = []
    ended, _offered = clock.run(their_station(way, sent, wire), SLOWLY)
    assert ended == ""
    (tmp_path / "session.pcap").write_bytes(pcap(segments(wire)))
    assert main(["ccs", "decode", str(tmp_path / "session.pcap"), "--json"]) == 0
    names = [one["name"] for one in json.loads(capsys.readouterr().out)["messages"]]
    assert [name for name in names if name.endswith("Req")] == sent
    assert len(names) == 2 * len(sent)
