"""The emulated VTN, asked by hand over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from hilbench import clock
from hilbench_emulators.grid.vtn import Vtn
from tests.openadr_samples import EVENING, event

T0 = EVENING.timestamp()
FORM = b"grant_type=client_credentials&client_id=ven&client_secret=secret"
Ask = Callable[..., Awaitable[tuple[int, Any]]]


def served(story: Callable[[Vtn, Ask], Awaitable[None]]) -> None:
    """Play ``story`` with a VTN and a way to ask it on one connection; a token comes with every request."""

    async def main() -> None:
        vtn = Vtn()
        await vtn.up()
        reader, writer = await asyncio.open_connection(vtn.host, vtn.port)

        async def ask(method: str, target: str, body: bytes = b"", token: str = "") -> tuple[int, Any]:
            head = f"{method} {target} HTTP/1.1\r\nHost: vtn\r\nAuthorization: Bearer {token or known[0]}\r\n"
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
            length = next(int(line.split(":")[1]) for line in lines if line.startswith("content-length:"))
            return int(lines[0].split()[1]), orjson.loads(await reader.readexactly(length))

        known = ["none"]
        known[0] = (await ask("POST", "/auth/token", FORM))[1]["access_token"]
        await story(vtn, ask)
        writer.close()
        await vtn.down()

    clock.run(main(), epoch=EVENING)


def test_a_token_is_needed_and_ends() -> None:
    """Without one, with a wrong one, and after its life."""

    async def story(vtn: Vtn, ask: Ask) -> None:
        assert (await ask("GET", "/events"))[0] == 200
        assert (await ask("GET", "/events", token="wrong"))[0] == 401
        await asyncio.sleep(vtn.store.token_s)
        status, problem = await ask("GET", "/events")
        assert (status, problem["status"]) == (401, 401)

    served(story)


@pytest.mark.parametrize(
    ("form", "status"),
    [
        (FORM, 200),
        (b"", 400),
        (FORM.replace(b"credentials", b"credential"), 400),
        (FORM.replace(b"secret=secret", b"secret=other"), 401),
        (b"grant_type=client_credentials&client_id=stranger", 401),
    ],
)
def test_a_token_costs_the_right_credentials(form: bytes, status: int) -> None:
    """RFC 6749: a wrong grant is 400, a wrong client 401."""

    async def story(_vtn: Vtn, ask: Ask) -> None:
        assert (await ask("POST", "/auth/token", form))[0] == status

    served(story)


def test_lists_are_in_pages_and_by_program_and_targets() -> None:
    """Skip and limit, at most 50 at once; an event without targets is for all."""

    async def story(vtn: Vtn, ask: Ask) -> None:
        program = vtn.program("dr")
        for number in range(60):
            vtn.publish(event(T0, 900, number, programID=program if number % 2 else "other"))
        vtn.publish(event(T0, 900, 99, programID="third", targets=["a", "b"]))
        assert len((await ask("GET", "/events"))[1]) == 50
        page = (await ask("GET", f"/events?programID={program}&skip=2&limit=3"))[1]
        assert [item["intervals"][0]["payloads"][0]["values"][0] for item in page] == [5, 7, 9]
        assert [len((await ask("GET", f"/events?programID=third&targets={t}"))[1]) for t in "abc"] == [1, 1, 0]
        assert len((await ask("GET", "/events?programID=other&targets=a"))[1]) == 30
        assert (await ask("GET", "/programs"))[1][0]["programName"] == "dr"
        assert [(await ask("GET", f"/events?{q}"))[0] for q in ("limit=51", "skip=-1", "skip=x")] == [400] * 3

    served(story)


def test_an_event_is_stamped_changed_and_deleted() -> None:
    """A change moves the time of modification, not of creation."""

    async def story(vtn: Vtn, ask: Ask) -> None:
        name = vtn.publish(event(T0, 900, 60))
        await asyncio.sleep(60)
        vtn.change(name, priority=1)
        found = (await ask("GET", f"/events/{name}"))[1]
        stamps = [found[key] for key in ("createdDateTime", "modificationDateTime", "priority", "objectType")]
        assert stamps == ["2026-07-15T23:00:00.000Z", "2026-07-15T23:01:00.000Z", 1, "EVENT"]
        vtn.cancel(name)
        assert (await ask("GET", f"/events/{name}"))[0] == 404

    served(story)


def test_a_report_on_an_event_is_kept() -> None:
    """Any other is refused."""

    async def story(vtn: Vtn, ask: Ask) -> None:
        name = vtn.publish(event(T0, 900, 60))
        status, report = await ask("POST", "/reports", orjson.dumps({"eventID": name, "resources": []}))
        assert (status, report, report["eventID"]) == (201, vtn.store.reports[0], name)
        assert [(await ask("POST", "/reports", body))[0] for body in (b"{", b"[]", b'{"eventID": "x"}')] == [400] * 3

    served(story)


def test_what_is_not_supported_is_said_to_be_so() -> None:
    """501 for what the standard has, 404 for the rest; the connection stays of use."""

    async def story(_vtn: Vtn, ask: Ask) -> None:
        asked = [("GET", "/subscriptions"), ("POST", "/subscriptions"), ("POST", "/events"), ("GET", "/nothing")]
        assert [(await ask(method, target))[0] for method, target in asked] == [501, 501, 501, 404]
        assert (await ask("GET", "/auth/token"))[0] == 405

    served(story)


def test_the_versions_ask_for_targets_in_their_own_ways() -> None:
    """3.0 has targetType and targetValues, 3.1 has targets: the other one is refused."""

    async def story(vtn: Vtn, ask: Ask) -> None:
        vtn.publish(event(T0, 900, 60, targets=["a"]))
        assert (await ask("GET", "/events?targetType=GROUP&targetValues=a"))[0] == 400
        vtn.store.version = "3.0"
        vtn.change("event-2", targets=[{"type": "GROUP", "values": ["a"]}])
        assert (await ask("GET", "/events?targets=a"))[0] == 400
        lists = [(await ask("GET", f"/events?targetType=GROUP&targetValues={value}"))[1] for value in "ab"]
        assert [len(found) for found in lists] == [1, 0]

    served(story)


def test_who_speaks_no_http_is_hung_up_on() -> None:
    """And the VTN goes on for others."""

    async def story(vtn: Vtn, ask: Ask) -> None:
        reader, writer = await asyncio.open_connection(vtn.host, vtn.port)
        writer.write(b"\x16\x03\x01 hello\r\n\r\n")
        assert await reader.read() == b""
        writer.close()
        assert (await ask("GET", "/events"))[0] == 200

    served(story)


def test_down_resets_and_refuses_until_it_is_up() -> None:
    """At the same port; events stay."""

    async def story(vtn: Vtn, ask: Ask) -> None:
        vtn.publish(event(T0, 900, 60))
        port = vtn.port
        await vtn.down()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await ask("GET", "/events")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(vtn.host, port)
        await vtn.up()
        assert (vtn.port, len(vtn.store.events)) == (port, 1)
        _reader, writer = await asyncio.open_connection(vtn.host, port)
        writer.close()

    served(story)
