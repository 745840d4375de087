"""How many CHAdeMO sessions fit into a second of one core, and how fast logs of them are told.

    python -m benches.chademo_sessions [--sessions 20]

A session is a minute at the charger: 1.0 against 1.0, start, a change of the offer, stop, everything down. It runs
pure, then over a bus in memory in virtual time with every frame encoded and decoded. Rates are by CPU time, so that
what else runs on the machine does not count. Frames: decode and encode of each frame of a V2H session. Logs: from
the bytes of a candump log to the whole report.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable

from hilbench import clock
from hilbench.canlogs import read_log
from hilbench.canlogs.report import sessions
from hilbench.chademo import decode, encode
from hilbench_emulators.chademo import Car, CarModel, Charger, Session, SimplePack
from hilbench_emulators.chademo.bus import MemoryBus
from hilbench_emulators.chademo.player import Connector, Player
from hilbench_emulators.chademo.plug import Available, Start, Stop

MINUTE_S = 60.0


def main() -> None:
    """Print the rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=20)
    count = parser.parse_args().sessions
    rate = _rate(_pure, count)
    print(f"pure:         {rate:8.1f} sessions of {MINUTE_S:g} s per CPU second ({rate * MINUTE_S:.0f} s of bus time)")
    rate = _rate(_bus, count)
    print(f"over a bus:   {rate:8.1f} sessions of {MINUTE_S:g} s per CPU second ({rate * MINUTE_S:.0f} s of bus time)")
    recorded = _recorded()
    rate = _rate(lambda: [encode(decode(can_id, data)) for _t, can_id, data in recorded], count) * len(recorded)
    print(f"frames:       {rate:8.0f} decoded and encoded per CPU second")
    text = "".join(f"({t:.6f}) can0 {can_id:03X}#{data.hex()}\n" for t, can_id, data in recorded).encode()
    rate = _rate(lambda: sessions(read_log("log", text)), count) * len(recorded)
    print(f"logs:         {rate:8.0f} frames read and told per CPU second")


def _rate(play: Callable[[], object], count: int) -> float:
    play()
    begin = time.process_time()
    for _ in range(count):
        play()
    return count / (time.process_time() - begin)


def _sides() -> tuple[Car, Charger]:
    return Car(CarModel(), SimplePack(soc_pct=50.0)), Charger()


def _session(keep: bool) -> Session:
    session = Session(*_sides(), keep=keep)
    session.at(30.0, "charger", Available(30.0))
    session.at(50.0, "charger", Stop())
    session.run(MINUTE_S)
    assert session.over
    return session


def _pure() -> None:
    _session(keep=False)


def _recorded() -> list[tuple[float, int, bytes]]:
    return _session(keep=True).recorded()


def _bus() -> None:
    async def run() -> None:
        bus, plug = MemoryBus(), Connector()
        car, charger = _sides()
        Player(car, bus.port(), plug)
        player = Player(charger, bus.port(), plug)
        player.give(Start())
        loop = asyncio.get_running_loop()
        loop.call_later(30.0, player.give, Available(30.0))
        loop.call_later(50.0, player.give, Stop())
        await asyncio.sleep(MINUTE_S)
        assert charger.reason

    clock.run(run())


if __name__ == "__main__":
    main()
