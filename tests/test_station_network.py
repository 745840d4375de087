"""Passwords, security profiles and network profiles change how a station dials, and it falls back where they fail."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hilbench import clock, ocppj
from hilbench.certificates import Authority
from tests.station_bench import Bench

OLD, NEW = "old password 1234", "new password 5678"
families = pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])


async def write(b: Bench, component: str, name: str, value: str) -> str:
    """Set one variable of 2.x."""
    item = {"component": {"name": component}, "variable": {"name": name}, "attribute_value": value}
    answer = await b.ask("SetVariables", set_variable_data=[item])
    return str(answer.set_variable_result[0]["attribute_status"])


async def read(b: Bench, component: str, name: str) -> tuple[str, Any]:
    """Status and value of one variable of 2.x."""
    item = {"component": {"name": component}, "variable": {"name": name}}
    found = (await b.ask("GetVariables", get_variable_data=[item])).get_variable_result[0]
    return found["attribute_status"], found.get("attribute_value")


async def set_password(b: Bench, password: str) -> str:
    """AuthorizationKey or BasicAuthPassword."""
    if b.version == "1.6":
        return str((await b.ask("ChangeConfiguration", key="AuthorizationKey", value=password)).status)
    return await write(b, "SecurityCtrlr", "BasicAuthPassword", password)


async def profile16(b: Bench, profile: int) -> str:
    """Set SecurityProfile."""
    return str((await b.ask("ChangeConfiguration", key="SecurityProfile", value=str(profile))).status)


def credentials(b: Bench) -> list[str | None]:
    """The password of each connection, in order."""
    return [None if found is None else found[1] for found in b.credentials]


@families
def test_a_new_password_is_used_at_once_and_kept_but_cannot_be_read(version: str) -> None:
    """Too short: Rejected; a good one: the station dials anew with it, also after a power cycle; never told."""
    bench = Bench(version, security_profile=1, password=OLD)

    async def body(b: Bench) -> None:
        assert await set_password(b, "short") == "Rejected"
        assert await set_password(b, NEW) == "Accepted"
        await asyncio.sleep(10)
        await b.station.power_cycle(5)
        await asyncio.sleep(20)
        if b.version == "1.6":
            every = await b.ask("GetConfiguration")
            asked = await b.ask("GetConfiguration", key=["AuthorizationKey"])
            assert asked.unknown_key == ["AuthorizationKey"]
            assert "AuthorizationKey" not in [entry["key"] for entry in every.configuration_key]
        else:
            assert await read(b, "SecurityCtrlr", "BasicAuthPassword") == ("Rejected", None)

    bench.run(body)
    assert credentials(bench) == [OLD, NEW, NEW]


def test_a_raised_profile_dials_with_the_password() -> None:
    """1.6: no password, no profile 1; with one the station dials anew; profiles cannot be lowered."""
    bench = Bench("1.6")

    async def body(b: Bench) -> None:
        assert await profile16(b, 1) == "Rejected"
        assert await set_password(b, NEW) == "Accepted"
        await asyncio.sleep(10)
        assert credentials(b) == [None]
        assert await profile16(b, 2) == "Rejected"
        assert await profile16(b, 1) == "Accepted"
        await asyncio.sleep(10)
        assert await profile16(b, 0) == "Rejected"

    bench.run(body)
    assert credentials(bench) == [None, NEW]


def test_a_raised_profile_that_leads_nowhere_is_taken_back(pem: str) -> None:
    """1.6: a server without TLS: after three attempts in profile 2 the station is back in profile 1, and says so."""
    bench = Bench("1.6", security_profile=1, password=OLD)

    async def body(b: Bench) -> str:
        root = "CentralSystemRootCertificate"
        assert (await b.ask("InstallCertificate", certificate_type=root, certificate=pem)).status == "Accepted"
        assert await profile16(b, 2) == "Accepted"
        await asyncio.sleep(2)
        assert not b.station.connected
        await asyncio.sleep(120)
        assert b.station.connected
        answer = await b.ask("GetConfiguration", key=["SecurityProfile"])
        return str(answer.configuration_key[0]["value"])

    assert bench.run(body) == "1"
    assert credentials(bench) == [OLD, OLD]


@pytest.fixture
def pem(tmp_path: Any) -> str:
    """A CA's certificate."""
    return Authority(tmp_path).pair.certificate.read_text()


def network(url: str, profile: int = 0, **more: Any) -> dict[str, Any]:
    """Connection data of SetNetworkProfile."""
    return {
        "ocpp_version": "OCPP20",
        "ocpp_transport": "JSON",
        "ocpp_csms_url": url,
        "message_timeout": 30,
        "security_profile": profile,
        "ocpp_interface": "Wired0",
    } | more


@pytest.mark.parametrize(
    ("slot", "data", "why"),
    [
        (1, network("ws://b/ocpp"), "InvalidSlot"),
        (9, network("ws://b/ocpp"), "InvalidSlot"),
        (2, network("http://b/ocpp"), "InvalidURL"),
        (2, network("ws://b/ocpp", 2), "InvalidURL"),
        (2, network("ws://b/ocpp", ocpp_transport="SOAP"), "UnsupportedVersion"),
        (2, network("ws://b/ocpp", ocpp_version="OCPP16"), "UnsupportedVersion"),
        (2, network("ws://b/ocpp", 1), "InvalidConfiguration"),
        (2, network("wss://b/ocpp", 3), "InvalidConfiguration"),
    ],
)
def test_a_network_profile_that_cannot_work_is_refused(slot: int, data: dict[str, Any], why: str) -> None:
    """The slot in use, other addresses than a profile needs, what the station has no credentials for."""
    bench = Bench("2.0.1")

    async def body(b: Bench) -> None:
        answer = await b.ask("SetNetworkProfile", configuration_slot=slot, connection_data=data)
        assert (answer.status, answer.status_info["reason_code"]) == ("Rejected", why)
        assert await write(b, "OCPPCommCtrlr", "NetworkConfigurationPriority", "2,1") == "Rejected"

    bench.run(body)


def test_a_network_profile_counts_after_the_next_boot() -> None:
    """Slot 2 leads to another address, with a higher profile: dialled after Reset, and slot 1 is given up."""
    bench = Bench("2.0.1", password=OLD)
    there: list[float] = []

    async def other(connection: Any, identity: str) -> None:
        there.append(clock.time())
        await bench.handler(connection, identity)

    async def body(b: Bench) -> None:
        async with ocppj.listen("127.0.0.1", 0, other, versions=("2.0.1",)) as port:
            data = network(f"ws://127.0.0.1:{port}/other", 1)
            assert (await b.ask("SetNetworkProfile", configuration_slot=2, connection_data=data)).status == "Accepted"
            for bad in ("", "7", "2,x"):
                assert await write(b, "OCPPCommCtrlr", "NetworkConfigurationPriority", bad) == "Rejected"
            assert await write(b, "OCPPCommCtrlr", "NetworkConfigurationPriority", "2,1") == "Accepted"
            b.link.cut("reset")
            b.link.restore()
            await asyncio.sleep(10)
            assert not there
            await b.ask("Reset", type="Immediate")
            await asyncio.sleep(20)
            assert len(there) == 1
            assert await read(b, "OCPPCommCtrlr", "ActiveNetworkProfile") == ("Accepted", "2")
            assert await read(b, "SecurityCtrlr", "SecurityProfile") == ("Accepted", "1")
            assert await read(b, "OCPPCommCtrlr", "NetworkConfigurationPriority") == ("Accepted", "2")
            lower = await b.ask(
                "SetNetworkProfile", configuration_slot=3, connection_data=data | {"security_profile": 0}
            )
            assert lower.status_info["reason_code"] == "NoSecurityDowngrade"

    bench.run(body)
    assert credentials(bench)[-1] == OLD


def test_after_its_attempts_a_dead_address_is_left_for_the_next_slot() -> None:
    """Slot 2 does not answer: after NetworkProfileConnectionAttempts the station is back at slot 1."""
    bench = Bench("2.1")

    async def body(b: Bench) -> None:
        data = network("ws://127.0.0.1:9/nobody")
        assert (await b.ask("SetNetworkProfile", configuration_slot=2, connection_data=data)).status == "Accepted"
        assert await write(b, "OCPPCommCtrlr", "NetworkConfigurationPriority", "2,1") == "Accepted"
        assert await write(b, "OCPPCommCtrlr", "NetworkProfileConnectionAttempts", "2") == "Accepted"
        await b.station.power_cycle(1)
        await asyncio.sleep(60)
        assert b.station.connected
        assert await read(b, "OCPPCommCtrlr", "ActiveNetworkProfile") == ("Accepted", "1")

    bench.run(body)
    assert len(bench.dials) == 2
