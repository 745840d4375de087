"""permessage-deflate (RFC 7692): granted to stations of OCPP 2.x that ask, never imposed."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.asyncio.client import connect

from hilbench import clock
from hilbench.controller.csms import Csms
from hilbench.controller.runtime import speak
from hilbench.controller.settings import ControllerSettings
from hilbench.ocppj import VERSIONS, dial, listen, messages
from hilbench.ocppj.peer import ChargePoint16


class Ear:
    """Hears of stations and does nothing."""

    def __getattr__(self, _name: str) -> Any:
        return lambda *_args: None


BOOT = '[2,"1","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"m","vendorName":"v"}}]'


async def _granted(port: int, version: str, ask: bool) -> tuple[list[str], str]:
    options: dict[str, Any] = {"subprotocols": [messages(version).subprotocol], "proxy": None}
    options["compression"] = "deflate" if ask else None
    async with connect(f"ws://127.0.0.1:{port}/ocpp/A", **options) as station:
        found = [str(extension.name) for extension in station.protocol.extensions]
        if version == "1.6":
            return found, ""
        await station.send(BOOT)
        while True:
            frame = str(await station.recv())
            if frame.startswith('[3,"1"'):
                return found, frame


@pytest.mark.parametrize("mode", ["virtual", "real"])
@pytest.mark.parametrize("ask", [True, False])
@pytest.mark.parametrize("version", VERSIONS)
def test_our_controller_compresses_for_those_of_2_x_that_ask(version: str, ask: bool, mode: str) -> None:
    """A client that asks in 2.x gets it and is answered through it; one of 1.6, or that does not ask, gets none."""

    async def main() -> tuple[list[str], str]:
        ear: Any = Ear()
        async with listen("127.0.0.1", 0, _nobody) as port:
            pass
        async with AsyncExitStack() as stack:
            csms = Csms(ControllerSettings(), {"A": "A"}, lambda _role: 8.0, ear, speak)
            await csms.serve("127.0.0.1", port, stack)
            return await _granted(port, version, ask)

    granted, answer = clock.run(main(), mode)
    assert granted == (["permessage-deflate"] if ask and version != "1.6" else [])
    assert version == "1.6" or '"status":"Accepted"' in answer


async def _nobody(_connection: Any, _identity: str) -> None:
    return


@pytest.mark.parametrize("ask", [True, False])
@pytest.mark.parametrize("grant", [True, False])
def test_both_sides_must_want_it(grant: bool, ask: bool) -> None:
    """``dial`` asks only when told to, ``listen`` grants only when told to, and the link stands either way."""

    async def main() -> list[str]:
        async with listen("127.0.0.1", 9000, _nobody, versions=("2.1",), compression=grant):
            connection = await dial("ws://127.0.0.1:9000", "A", version="2.1", compression=ask)
            names = [str(extension.name) for extension in connection.protocol.extensions]
            await connection.close()
            return names

    assert clock.run(main()) == (["permessage-deflate"] if ask and grant else [])


def test_compressed_messages_are_shorter_on_the_wire() -> None:
    """A long repetitive call takes less than a fifth of its bytes, and arrives whole."""
    heard: list[str] = []

    async def main() -> int:
        async def serve(connection: Any, _identity: str) -> None:
            heard.append(await connection.recv())

        async with listen("127.0.0.1", 9000, serve, versions=("2.1",), compression=True):
            connection = await dial("ws://127.0.0.1:9000", "A", version="2.1", compression=True)
            station = ChargePoint16("A", connection)
            await station._transmit([2, "1", "DataTransfer", {"vendorId": "v", "data": "kWh" * 1000}])
            size = connection.transport.get_write_buffer_size()
            await connection.close()
            return size

    assert 0 < clock.run(main()) < 600
    assert '"data":"' + "kWh" * 1000 in heard[0]
