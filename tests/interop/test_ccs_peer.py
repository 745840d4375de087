"""Our car at a station of the package ``iso15118``, and its car at ours: whole sessions, with its own EXI.

Optional, like :mod:`tests.interop.test_exi_peer`; the environment needs ``aiofile`` as well. The other side's codec
takes a tenth of a second and more per message, so our clock runs at a tenth of its speed and its time-outs are met.
"""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE
from dataclasses import replace
from pathlib import Path

import pytest

from hilbench import clock
from hilbench_emulators.ccs import Evcc, Fixed, Limits, Secc, Station, Vehicle
from hilbench_emulators.ccs import events as ev
from hilbench_emulators.ccs.link import SeccServer, connect
from hilbench_emulators.dc.cars import load_car
from tests.ccs_pairs import AC20, DC20, DIN, ISO2_AC, ISO2_DC, Way

PYTHON = os.environ.get("HILBENCH_INTEROP_PYTHON", "")
pytestmark = pytest.mark.skipif(not PYTHON, reason="HILBENCH_INTEROP_PYTHON names no Python that has iso15118")
HOST, SLOWLY = "::1", "x0.1"
CAR = replace(load_car("id-3-58"), below_minimum="waits", gives_up_s=float("inf"))
NAMES = {"din": "DIN_SPEC_70121", "iso2": "ISO_15118_2"}


def arguments(way: Way) -> tuple[str, str, str]:
    """What the other car calls a way of charging."""
    power = way.service.power.upper()
    protocol = NAMES.get(way.protocol.generation, f"ISO_15118_20_{power}")
    return protocol, power + "_BPT" * way.service.giving, "AC_three_phase_core" if way.ac else "DC_extended"


async def their_car(way: Way, record: list[ev.Output]) -> tuple[str | None, str]:
    """Their car at our station: how our side ended, and what theirs said."""
    limits = Limits(32.0, 22_000.0, low_a=-16.0) if way.ac else Limits(200.0, 50_000.0, low_a=-50.0, low_w=-9000.0)
    station = Secc(Station(services=(way.service,), cable_check_s=0.0), Fixed(limits))
    async with SeccServer(lambda: station, HOST, watch=lambda _t, output: record.append(output)) as server:
        script = Path(__file__).with_name("ccs_car_peer.py")
        command = (PYTHON, str(script), str(server.port), *arguments(way))
        process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=DEVNULL)
        said, _ = await process.communicate()
    return station.closed, said.decode().splitlines()[-1]


@pytest.mark.parametrize("way", [DIN, ISO2_DC, ISO2_AC, DC20[0], DC20[2], AC20[0]], ids=str)
def test_their_car_charges_at_our_station(way: Way) -> None:
    """Ten loops and a regular end."""
    record: list[ev.Output] = []
    closed, said = clock.run(their_car(way, record), SLOWLY)
    loops = [output for output in record if isinstance(output, ev.Send) and output.name == f"{way.loop}Res"]
    assert closed == "", f"{closed}; the car: {said}"
    assert len(loops) >= 5


async def their_station(way: Way, record: list[ev.Output]) -> tuple[str, float]:
    """Our car at their station, whose limit changes: how our session ended, and the limit [A] that it heard."""
    script = str(Path(__file__).with_name("ccs_station_peer.py"))
    process = await asyncio.create_subprocess_exec(PYTHON, script, stdin=PIPE, stdout=PIPE, stderr=DEVNULL)
    assert process.stdout
    assert process.stdin
    port = b""
    while not port.strip().isdigit():
        port = await process.stdout.readline()
        assert port, "their station has not started"
    car = Evcc(Vehicle(CAR, protocols=(way.protocol,), service=way.service, period_s=0.01))
    looped = asyncio.Event()

    def watch(_t_s: float, output: ev.Output) -> None:
        record.append(output)
        asked = [sent for sent in record if isinstance(sent, ev.Send) and sent.name == f"{way.loop}Req"]
        if len(asked) == 5:
            looped.set()

    end = await connect(car, HOST, int(port), watch=watch)
    end.ended.add_done_callback(lambda _ended: looped.set())
    await looped.wait()
    process.stdin.write(b"7\n")
    await asyncio.sleep(0.2)
    offered = car.drive.offered
    end.tell(ev.Wish("stop"))
    ended = await end.ended
    process.stdin.close()
    process.kill()
    await process.wait()
    assert offered is not None, ended
    return ended, offered.max_a


@pytest.mark.parametrize("way", [DIN, ISO2_DC, ISO2_AC, DC20[0], DC20[2], AC20[0]], ids=str)
def test_our_car_charges_at_their_station(way: Way) -> None:
    """It hears of a changed limit in its loop, and leaves regularly."""
    record: list[ev.Output] = []
    ended, most_a = clock.run(their_station(way, record), SLOWLY)
    assert ended == ""
    assert way.ac or most_a == 7.0
