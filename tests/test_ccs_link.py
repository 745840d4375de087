"""CCS sessions over TCP and TLS, real and in memory, and SDP: the same machines, the same limits."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from hilbench import clock
from hilbench.ccs import sdp
from hilbench.certificates import Authority
from hilbench.errors import DeviceError
from hilbench_emulators.ccs import Evcc, Limits, Secc
from hilbench_emulators.ccs import events as ev
from hilbench_emulators.ccs.link import SeccServer, answer_sdp, connect, find_station, run_evcc
from tests.ccs_pairs import AC20, DC20, DIN, ISO2_AC, ISO2_DC, WAYS, Way, secc, vehicle

HOST = "::1"
SLOWLY = "x0.2"
"""Real sockets, on a clock on which the 0.25 s of a loop are 1.25 s of a busy machine."""


class Record:
    """Watches the messages of a station."""

    def __init__(self) -> None:
        self.limits: list[float] = []
        self.way = DIN
        self.looped = asyncio.Event()

    def __call__(self, _t_s: float, output: ev.Output) -> None:
        """Keep the limits of the loop."""
        if isinstance(output, ev.Send) and output.name == f"{self.way.loop}Res":
            self.limits.append(self.way.limit(output.body))
            self.looped.set()

    async def next(self) -> None:
        """Wait for the next response of the loop."""
        self.looped.clear()
        await self.looped.wait()


async def session(way: Way, server_tls: ssl.SSLContext | None, car_tls: ssl.SSLContext | None) -> None:
    """Charge, lower the limit, stop: the limit is in the next response, and both ends close regularly."""
    record = Record()
    record.way = way
    stations: list[Secc] = []

    def make() -> Secc:
        stations.append(secc(way, cable_check_s=0.0))
        return stations[-1]

    async with SeccServer(make, HOST, tls=server_tls, watch=record) as server:
        end = await connect(Evcc(vehicle(way, period_s=0.02)), HOST, server.port, tls=car_tls, name="localhost")
        await record.next()
        responses = len(record.limits)
        server.tell(ev.NewLimit(Limits(10.0)))
        await record.next()
        assert {way.limit_of(10.0)} == set(record.limits[responses:])
        server.tell(ev.Wish("stop"))
        assert await end.ended == ""
    assert [station.closed for station in stations] == [""]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_session_over_tcp_in_virtual_time(way: Way) -> None:
    """Every service, in memory."""
    clock.run(session(way, None, None))


@pytest.mark.parametrize("way", [DIN, ISO2_DC, ISO2_AC, DC20[3], AC20[1]], ids=str)
def test_a_session_over_real_tcp(way: Way) -> None:
    """On the loopback of IPv6."""
    clock.run(session(way, None, None), SLOWLY)


@pytest.mark.parametrize("mode", ["virtual", SLOWLY])
def test_a_session_over_tls(mode: str, tmp_path: Path) -> None:
    """With a certificate of the station that the car trusts."""
    authority = Authority(tmp_path)
    pair = authority.server("localhost")
    server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_tls.load_cert_chain(pair.certificate, pair.key)
    car_tls = ssl.create_default_context(cafile=str(authority.pair.certificate))
    clock.run(session(DC20[0], server_tls, car_tls), mode)


def test_a_car_does_not_trust_a_stranger(tmp_path: Path) -> None:
    """A certificate of an unknown authority is refused, and the plug stays free for a car that trusts it."""
    authority = Authority(tmp_path)
    pair = authority.server("localhost")
    server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_tls.load_cert_chain(pair.certificate, pair.key)

    async def main() -> None:
        async with SeccServer(lambda: secc(DIN), HOST, tls=server_tls) as server:
            with pytest.raises(DeviceError, match="no connection to"):
                await connect(Evcc(vehicle(DIN)), HOST, server.port, tls=ssl.create_default_context(), name="localhost")
            assert server.session is None
            trusting = ssl.create_default_context(cafile=str(authority.pair.certificate))
            end = await connect(Evcc(vehicle(DIN)), HOST, server.port, tls=trusting, name="localhost")
            await asyncio.sleep(10.0)
            assert not end.ended.done()

    clock.run(main())


def test_two_cars_cannot_have_one_plug() -> None:
    """The second is turned away, the first goes on; after it another may come."""

    async def main() -> None:
        async with SeccServer(lambda: secc(DIN), HOST) as server:
            first = await connect(Evcc(vehicle(DIN)), HOST, server.port)
            await asyncio.sleep(1.0)
            assert await run_evcc(Evcc(vehicle(DIN)), HOST, server.port) == "the station closed the connection"
            assert server.turned_away == 1
            server.tell(ev.Wish("stop"))
            assert not first.ended.done()
            first.abort()
            await first.ended
            again = await connect(Evcc(vehicle(DIN)), HOST, server.port)
            await asyncio.sleep(10.0)
            assert not again.ended.done()

    clock.run(main())


def test_bytes_that_are_no_message_end_a_session_in_words() -> None:
    """A station that is sent nonsense closes, and says why."""

    async def main() -> None:
        async with SeccServer(lambda: secc(DIN), HOST) as server:
            reader, writer = await asyncio.open_connection(HOST, server.port)
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            assert await reader.read() == b""
            assert server.session is not None
            assert "a V2GTP header begins with 01 fe" in await server.session.ended
            writer.close()

    clock.run(main())


def test_a_car_finds_its_station_by_sdp() -> None:
    """The answer has the address, port and security of the server; other security gets no answer."""

    async def main() -> None:
        async with SeccServer(lambda: secc(DIN), HOST) as server:
            transport, port = await answer_sdp(server, 0)
            found = await find_station(HOST, port)
            assert (str(found.address), found.port, found.security) == (HOST, server.port, sdp.NO_TLS)
            with pytest.raises(DeviceError, match="no station answered SDP"):
                await find_station(HOST, port, security=sdp.TLS, tries=1)
            transport.close()

    clock.run(main(), SLOWLY)


def test_nobody_at_the_address_is_said_in_words() -> None:
    """Both the car and a station without its port raise DeviceError."""

    async def main() -> None:
        with pytest.raises(DeviceError, match="no connection to"):
            await run_evcc(Evcc(vehicle(DIN)), HOST, 1)
        async with SeccServer(lambda: secc(DIN), HOST) as server:
            with pytest.raises(DeviceError, match="cannot listen"):
                await SeccServer(lambda: secc(DIN), HOST, server.port).start()

    clock.run(main(), SLOWLY)
