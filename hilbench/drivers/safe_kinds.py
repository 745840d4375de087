"""What makes boards and instruments safe: one function for each kind, as ``hilbench.safe_plan`` wants them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hilbench.drivers.chargebyte import ChargebyteDriver
from hilbench.drivers.ev_simulator import EvSimulatorDriver
from hilbench.drivers.generator import SignalGenerator
from hilbench.drivers.openevse import OpenEvseDriver


async def openevse(address: str, _options: Mapping[str, Any]) -> str:
    """An OpenEVSE sleeps, and its relay is open; raises ``DeviceError``."""
    return await _board_safe(OpenEvseDriver("openevse", address))


async def ev_simulator(address: str, _options: Mapping[str, Any]) -> str:
    """An EV simulator is unplugged; raises ``DeviceError``."""
    return await _board_safe(EvSimulatorDriver("ev-simulator", address))


async def chargebyte(address: str, _options: Mapping[str, Any]) -> str:
    """A chargebyte safety controller has no PWM and open contactors; raises ``DeviceError``."""
    return await _board_safe(ChargebyteDriver("chargebyte", address))


async def generator(address: str, options: Mapping[str, Any]) -> str:
    """Output ``channel`` of a signal generator is off; raises ``DeviceError``."""
    found = SignalGenerator("generator", address, **options)
    try:
        await found.start()
        await found.output(False)
        return f"output {found.channel} off"
    finally:
        await found.stop()


async def _board_safe(board: OpenEvseDriver | EvSimulatorDriver | ChargebyteDriver) -> str:
    """Each driver reads back by itself and raises otherwise."""
    try:
        await board.make_safe()
        return board.SAFE
    finally:
        board.release()
