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

import pytest

import hilbench
from hilbench import clock
from hilbench_emulators.ccs import Evcc, Fixed, Limits, Secc, Station, Vehicle
from hilbench_emulators.ccs import events as ev
from hilbench_emulators.ccs.link import SeccServer, connect
from hilbench_emulators.dc.cars import load_car
from tests.ccs_pairs import AC20, DC20, DIN, ISO2_AC, ISO2_DC, Way

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


async def their_station(way: Way, record: list[str]) -> tuple[str, Limits]:
    """Our car at their station, whose limit changes: how our session ended, and what the next response offers."""
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

    end = await connect(car, HOST, int(port), watch=watch)
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
