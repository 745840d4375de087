"""Hostile frames to the bare layer, to a whole station and to the reference controller, of all three OCPP versions.

Each target is a process of its own on loopback. Behind every frame goes a probe, so what comes back in between belongs
to the frame. Wrong is: no answer to what must have one, more than one, another message id, a code that the version does
not have, InternalError, an answer without bound, a connection closed for nothing or without saying why, two minutes
of silence, a target that ended, that printed a traceback, or whose memory grew by more than 32 MB. Frames that break
WebSocket itself must close their connection by the right code. After it the station must serve an honest session, and
the controller must drive honest stations.

A station and the controller also call: the bench lies in one answer of ten. The same seed sends the same frames, up to
the ids of the target's own calls. A station's record of events is left out: it is evidence, and grows by design.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.protocol import State

from benches import fuzz_honest
from benches.fuzz_attack import BATCH, BROKEN, Attack, break_websocket
from benches.fuzz_frames import hostile
from benches.fuzz_judge import alarms
from benches.fuzz_replies import Replies
from benches.fuzz_targets import HANDLED, Target, controller, run_station, serve_layer, started
from hilbench import clock
from hilbench.controller.csms2 import _NOTES, Session21, Session201
from hilbench.controller.csms16 import Session16
from hilbench.ocppj import VERSIONS, messages
from hilbench_emulators.station.handlers2 import Handlers21, Handlers201
from hilbench_emulators.station.handlers16 import Handlers16

GROWTH_KB = 32_768
WARM_UP = 10
"""A tenth of the frames goes before memory is looked at."""
HEARTBEAT: tuple[str, Any] = ("Heartbeat", {})
_VARIABLE = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
PROBES: dict[str, tuple[str, Any]] = {
    "1.6": ("GetConfiguration", {"key": ["HeartbeatInterval"]}),
    "2.0.1": ("GetVariables", {"getVariableData": [_VARIABLE]}),
    "2.1": ("GetVariables", {"getVariableData": [_VARIABLE]}),
}
STATIONS: dict[str, Any] = {"1.6": Handlers16, "2.0.1": Handlers201, "2.1": Handlers21}
SESSIONS: dict[str, Any] = {"1.6": Session16, "2.0.1": Session201, "2.1": Session21}
NOT_ALONE = ("Reset",)
"""Comes in storms of its own."""


def answered(kind: Any) -> list[str]:
    """The actions that a class has handlers for."""
    found = (getattr(getattr(kind, name, None), "_on_action", None) for name in dir(kind))
    return sorted({str(action) for action in found if action} - {*NOT_ALONE})


def _layer(version: str, seed: int) -> Attack:
    sends = ["NotifyPeriodicEventStream"] if version == "2.1" else []
    return Attack(version, hostile(seed, version, HANDLED, "", sends), HEARTBEAT, Replies(version, seed))


def _station(version: str, seed: int) -> Attack:
    frames = hostile(seed, version, answered(STATIONS[version]), "station")
    return Attack(version, frames, PROBES[version], Replies(version, seed))


def _csms(version: str, seed: int) -> Attack:
    known = [action for action in _NOTES if version == "2.1" or action != "NotifyPriorityCharging"]
    actions = answered(SESSIONS[version]) + ([] if version == "1.6" else known)
    return Attack(version, hostile(seed, version, actions, "csms"), HEARTBEAT, Replies(version, seed))


async def _dialling(attack: Attack, url: str, count: int) -> None:
    """Send ``count`` frames to a server, over as many connections as it takes."""
    attack.add(count)
    spoken = [messages(attack.version).subprotocol]
    while attack.left:
        async with connect(url, subprotocols=spoken, compression=None, proxy=None, ping_interval=None) as link:
            await attack.run(link)


async def _broken(url: str, rounds: int) -> list[str]:
    faults = []
    for what in [*BROKEN] * rounds:
        async with connect(url, subprotocols=[messages("1.6").subprotocol], proxy=None, ping_interval=None) as link:
            faults.append(await break_websocket(link, what))
    return [f"broken WebSocket: {one}" for one in faults if one]


async def attack_server(target: Target, attacks: list[Attack], options: argparse.Namespace, share: int) -> list[str]:
    """The layer or the controller."""
    url = f"ws://127.0.0.1:{target.served.port}/ocpp"
    count = -(-share // len(attacks))

    async def all_of(frames: int) -> None:
        await asyncio.gather(*(_dialling(a, f"{url}/{n}", frames) for a, n in zip(attacks, "ABC", strict=True)))

    await all_of(count // WARM_UP)
    before = target.served.rss_kb()
    faults = await _broken(f"{url}/D", options.rounds)
    await all_of(count - count // WARM_UP)
    return faults + verdict(target, attacks, before)


async def fuzz_layer(options: argparse.Namespace, share: int) -> list[str]:
    """The bare layer."""
    async with started([sys.executable, __file__, "--child", "layer"]) as target:
        faults = await attack_server(target, [_layer(v, options.seed) for v in VERSIONS], options, share)
    return faults + _late(target)


async def fuzz_csms(options: argparse.Namespace, share: int) -> list[str]:
    """The reference controller."""
    async with controller() as target:
        faults = await attack_server(target, [_csms(v, options.seed) for v in VERSIONS], options, share)
        faults += await fuzz_honest.at_controller(target.served.port)
        found = alarms(target.log.read_text(errors="replace"))
    return faults + found + _late(target)


async def fuzz_station(options: argparse.Namespace, share: int) -> list[str]:
    """Three stations, one after the other's start, all at once."""
    parts = await asyncio.gather(*(_one_station(v, options, -(-share // len(VERSIONS))) for v in VERSIONS))
    return [fault for part in parts for fault in part]


async def _one_station(version: str, options: argparse.Namespace, count: int) -> list[str]:
    links: asyncio.Queue[ServerConnection] = asyncio.Queue()

    async def accept(link: ServerConnection) -> None:
        await links.put(link)
        await link.wait_closed()

    spoken = [messages(version).subprotocol]
    async with serve(accept, "127.0.0.1", 0, subprotocols=spoken, compression=None, ping_interval=None) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/ocpp"
        child = [sys.executable, __file__, "--child", "station", "--version", version, "--url", url]
        async with started(child, 0) as target:
            faults = await _besiege(target, links, _station(version, options.seed), count, options.rounds)
            found = alarms(target.log.read_text(errors="replace"))
    return faults + [f"{version}: {line}" for line in found] + _late(target)


async def _besiege(
    target: Target, links: asyncio.Queue[ServerConnection], attack: Attack, count: int, rounds: int
) -> list[str]:
    await target.ask("plug")
    await _accepting(attack, links, count // WARM_UP)
    before = target.served.rss_kb()
    attack.replies.hostile = False
    await _accepting(attack, links, BATCH)
    faults = [await break_websocket(await fuzz_honest.latest(links), what) for what in [*BROKEN] * rounds]
    attack.replies.hostile = True
    await _accepting(attack, links, count - count // WARM_UP)
    found = [f"{attack.version}: broken WebSocket: {one}" for one in faults if one]
    found += verdict(target, [attack], before)
    honest = await fuzz_honest.session(attack, links, target)
    return found + ([honest] if honest else [])


async def _accepting(attack: Attack, links: asyncio.Queue[ServerConnection], count: int) -> None:
    """Send ``count`` frames to the station that dials, over as many connections as it takes."""
    attack.add(count)
    while attack.left:
        try:
            link = await fuzz_honest.latest(links)
        except TimeoutError:
            attack.faults.append(f"{attack.version}: the station does not come back")
            return
        await attack.run(link)
        if link.state is State.OPEN:
            links.put_nowait(link)


def verdict(target: Target, attacks: list[Attack], before: int) -> list[str]:
    """Print what came of it; the faults."""
    for one in attacks:
        print(f"{one.version}: {one.outcomes.total()} frames: {_told(one.outcomes)}")
        print(f"  of kinds {_told(one.kinds)}; its own calls {_told(one.own)}; closed {_told(one.closed)}")
        print(f"  lied to in {one.replies.lied}, not answered {one.replies.silent}")
    if target.process.returncode is not None:
        return [fault for one in attacks for fault in one.faults] + [f"it ended with {target.process.returncode}"]
    growth = target.served.rss_kb() - before
    print(
        f"  {target.served.cpu_s():.0f} s of CPU; memory after the first tenth {before} kB, {growth:+} kB till the end"
    )
    late = [f"memory grew by {growth} kB"] if growth > GROWTH_KB else []
    return [fault for one in attacks for fault in one.faults] + late


def _told(counter: Any) -> str:
    return ", ".join(f"{name} {number}" for name, number in counter.most_common()) or "none"


def _late(target: Target) -> list[str]:
    code = target.process.returncode
    return [] if code == 0 else [f"the target ended with {code}"]


TARGETS: dict[str, Callable[[argparse.Namespace, int], Coroutine[Any, Any, list[str]]]] = {
    "layer": fuzz_layer,
    "station": fuzz_station,
    "csms": fuzz_csms,
}


async def fuzz(options: argparse.Namespace) -> list[str]:
    """Every target, one after the other."""
    wanted = options.target or list(TARGETS)
    faults = []
    for name in wanted:
        print(f"-- {name}", flush=True)
        start = clock.time()
        faults += [f"{name}: {one}" for one in await TARGETS[name](options, -(-options.frames // len(wanted)))]
        print(f"  {clock.time() - start:.0f} s", flush=True)
    return faults


def main() -> int:
    """1 on any fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", action="append", choices=[*TARGETS], help="repeatable (default: all)")
    parser.add_argument("--frames", type=int, default=30_000, help="in all (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of broken WebSocket frames (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child", choices=["layer", "station"], help=argparse.SUPPRESS)
    parser.add_argument("--version", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        clock.run(serve_layer() if options.child == "layer" else run_station(options.version, options.url), "real")
        return 0
    faults = clock.run(fuzz(options), "real")
    alike: dict[str, list[str]] = {}
    for line in faults:
        alike.setdefault(line.partition(" to ")[0][:200], []).append(line)
    for lines in list(alike.values())[:20]:
        print(f"FAULT, {len(lines)} times: {lines[0][:1200]}")
    print(f"{len(faults)} faults; ignored is legitimate for types 3, 4 and in 1.6 unknown ones, in 2.1 for 5 and 6")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
