"""A 54-station day with 5-minute control through real OCPP 1.6 messages, against ACN-Sim without any protocol.

Ours: the garage rig in virtual time, its controller deciding, renewing limits and being told currents every 5 minutes,
every message validated against its schema. Peer (``--peer PYTHON``, an environment with ``setuptools<81`` and
``acnportal==0.3.3``): the same sessions in ACN-Sim with earliest-deadline-first scheduling, see ``acnsim_peer.py``.
Sessions are the rig's own model, or a CSV. The wire alone (MeterValues to somebody who does nothing) says how much of
it all the protocol is.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from ocpp.routing import on
from ocpp.v16 import call, call_result
from websockets.asyncio.server import ServerConnection

from hilbench import clock
from hilbench.ocppj import ChargePoint16, dial, listen
from hilbench.rig import load_rig, rig_files
from hilbench.runner import Job, execute
from hilbench_emulators.session_model import draw_sessions
from hilbench_emulators.sessions import Session, read_sessions

SLOW = """policy = "dynamic"
meter_poll_s = 300
idle_poll_s = 300
stale_s = 900
frozen_s = 3600
lease_s = 600
sample_s = 300
ping_s = 86400
heartbeat_s = 86400"""

SAMPLE = {
    "timestamp": "2019-03-12T16:00:15Z",
    "sampled_value": [{"value": "16.0", "measurand": "Current.Import", "phase": f"L{n}", "unit": "A"} for n in (1, 2)],
}


def slow_rig(folder: Path) -> Path:
    """The garage rig with a meter and a controller that look every 15 s and every 5 minutes."""
    text = rig_files()["garage-54"].read_text(encoding="utf-8")
    path = folder / "garage-5min.toml"
    path.write_text(text.replace("interval_s = 5.0", "interval_s = 15.0").replace('policy = "dynamic"', SLOW))
    return path


def sessions_of(rig: Path, csv: Path | None, day: date) -> list[Session]:
    """What both play: the file's sessions of the day, or drawn ones."""
    loaded = load_rig(str(rig))
    if csv is not None:
        return read_sessions(csv, timezone=loaded.site.timezone, day=day)
    roles = [station.role for station in loaded.stations]
    return draw_sessions(roles, day, timezone=loaded.site.timezone, seed=1, model="workplace")


def ours(rig: Path, csv: Path | None, day: date) -> tuple[float, str]:
    """CPU seconds of the whole procedure, metrics included, and its verdict."""
    start = time.process_time()
    result = execute(Job(rig=str(rig), procedure="7.4", seed=1, folder=None, sessions=csv, day=day))
    return time.process_time() - start, str(result["verdict"])


class Deaf(ChargePoint16):
    """A central system that takes note of nothing."""

    @on("MeterValues")  # type: ignore[untyped-decorator, no-untyped-call]  # the package has no types
    def on_meter_values(self, **_payload: object) -> call_result.MeterValues:
        """Very well."""
        return call_result.MeterValues()


def wire(count: int) -> float:
    """CPU seconds of ``count`` MeterValues and their answers over WebSocket, validated at both ends."""

    async def serve(connection: ServerConnection, identity: str) -> None:
        await Deaf(identity, connection).start()

    async def main() -> float:
        async with listen("127.0.0.1", 9000, serve, ping_interval_s=None):
            connection = await dial("ws://127.0.0.1:9000", "A", ping_interval_s=None)
            station = ChargePoint16("A", connection)
            receiving = asyncio.create_task(station.start())
            start = time.process_time()
            for _ in range(count):
                await station.call(call.MeterValues(connector_id=1, meter_value=[SAMPLE], transaction_id=1))
            taken = time.process_time() - start
            await connection.close()
            await receiving
        return taken

    return clock.run(main())


def peer(python: str, sessions: Sequence[Session], midnight: datetime) -> float:
    """CPU seconds of ACN-Sim's simulation alone."""
    rows = [
        f"{(one.arrival - midnight).total_seconds() / 60:.0f},{(one.departure - midnight).total_seconds() / 60:.0f},"
        f"{one.station},{one.energy_kwh}"
        for one in sessions
    ]
    script = Path(__file__).with_name("acnsim_peer.py")
    done = subprocess.run([python, script], input="\n".join(rows), capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)["cpu_s"])


def main() -> int:
    """Print the figures; 1 when ours takes more than the peer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", metavar="PYTHON", help="interpreter of an environment with acnportal")
    parser.add_argument("--sessions", type=Path, help="CSV of sessions instead of the rig's model")
    parser.add_argument("--day", type=date.fromisoformat, default=date(2019, 3, 12))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        rig = slow_rig(Path(scratch))
        sessions = sessions_of(rig, options.sessions, options.day)
        own, verdict = ours(rig, options.sessions, options.day)
        midnight = datetime.combine(options.day, datetime.min.time(), load_rig(str(rig)).zone)
    print(f"{len(sessions)} sessions; ours: {own:.2f} CPU s, verdict {verdict}")
    if not options.peer:
        print("no --peer: nothing to compare with")
        return 0
    other = peer(options.peer, sessions, midnight)
    print(f"ACN-Sim, earliest deadline first: {other:.2f} CPU s; ratio {own / other:.2f} (<= 1 wanted)")
    thousand = wire(1000)
    print(f"the wire alone: {thousand:.3f} CPU s for 1000 calls; {1000 * other / thousand:.0f} are worth ACN-Sim's day")
    return int(own > other)


if __name__ == "__main__":
    sys.exit(main())
