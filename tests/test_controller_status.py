"""The reference controller tells over HTTP what it does and why, on any clock, and does nothing else there."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hilbench import clock
from hilbench.bench import Bench
from hilbench.cli import main as command_line
from hilbench.controller.status import Activity, Status, metrics
from hilbench.controller.web import LONGEST_BODY, PATIENCE_S, Request, serve
from hilbench.errors import DeviceError
from hilbench.rig import load_rig
from tests.controller_toy import Toy, site, toy
from tests.live import free_ports, hilbench, program
from tests.rigs import trio

PORT = 9180
GET = "GET {} HTTP/1.1\r\nHost: 127.0.0.1:9180\r\n\r\n"


async def raw(data: bytes, port: int = PORT) -> bytes:
    """Everything that comes back for ``data``."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    answer = await reader.read()
    writer.close()
    return answer


def parsed(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    assert int(headers["content-length"]) == len(body) or not body
    return int(first.split()[1]), headers, body


async def get(path: str, port: int = PORT) -> tuple[int, dict[str, str], bytes]:
    """A GET as a browser sends it."""
    return parsed(await raw(GET.format(path).encode(), port))


def serving(made: Toy, body: Callable[[], Awaitable[Any]]) -> Any:
    """What ``body`` returns while the status of a toy's controller is served in virtual time."""

    async def run() -> Any:
        async with AsyncExitStack() as stack:
            await serve(PORT, Status(made.core, activity(made), lambda: made.t).handle, stack)
            return await body()

    return clock.run(run())


def activity(made: Toy) -> Activity:
    """Something done, something read."""
    return Activity(decisions=7, accepted=3, sample=made.sample())


def busy() -> Toy:
    """Three cars on 40 A."""
    made = toy(3, 40.0, base_a=10.0)
    made.run(300)
    return made


# what it tells


def test_a_controller_in_virtual_time_is_asked_over_its_port(tmp_path: Path) -> None:
    """On a bench in virtual time status, reason and metrics come from the port that the rig names."""
    port = f'policy = "dynamic"\nstatus_port = {PORT}'
    rig = load_rig(str(trio(tmp_path, ('policy = "dynamic"', port))))

    async def run() -> tuple[Any, Any, str]:
        async with Bench(rig) as bench:
            await bench.plug_in("B")
            await bench.settled()
            answers = [(await get(path))[2] for path in ("/status", "/why/B", "/metrics")]
        return json.loads(answers[0]), json.loads(answers[1]), answers[2].decode()

    status, reason, figures = clock.run(run(), epoch=rig.run.epoch)
    assert status["stations"]["B"]["reported_a"] > 10.0
    assert status["safe_state"] == ""
    assert status["meter"]["age_s"] <= 2.0
    assert status["decisions"] > 30
    assert (reason["role"], reason["limit_a"]) == ("B", status["stations"]["B"]["limit_a"])
    assert reason["words"][0].startswith("B: limit ")
    assert 'hilbench_controller_station_wants{role="B"} 1.0' in figures


def test_status_has_what_the_core_knows() -> None:
    """Limits, draws and the building of the answer are those of the core."""
    made = busy()
    code, headers, body = serving(made, lambda: get("/status"))
    found = json.loads(body)
    assert (code, headers["content-type"]) == (200, "application/json")
    assert found["limits"] == [{"node": "service", "line": "L1", "limit_a": 40.0}]
    assert found["stations"]["s1"]["granted_a"] == made.core.stations["s1"].granted_a
    assert (found["decisions"], found["limits_accepted"]) == (7, 3)
    assert found["meter"]["current_a"]["L1"] == pytest.approx(made.measured()["L1"])
    assert found["time"] == clock.DEFAULT_EPOCH.isoformat()


def test_a_reason_names_the_constraint_and_who_shares_it() -> None:
    """Over HTTP the same as from ``why``: node, line, room and the others, and words for a person."""
    found = json.loads(serving(busy(), lambda: get("/why/s1"))[2])
    assert (found["kind"], found["constraint"]["node"], found["constraint"]["line"]) == ("full", "service", "L1")
    assert [share["role"] for share in found["constraint"]["by"]] == ["s0", "s1", "s2"]
    assert "because a line has no more to give" in found["words"][1]


LINE = re.compile(r'^(?P<name>[a-z_]+)(\{[a-z]+="(?:[^"\\\n]|\\["\\n])*"\})? (NaN|[+-]Inf|-?\d[\d.e+-]*)$')


def test_metrics_are_in_the_prometheus_format() -> None:
    """Every sample is well formed and follows the HELP and TYPE of its family, which comes once."""
    made = busy()
    _code, headers, body = serving(made, lambda: get("/metrics"))
    assert headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families: list[str] = []
    for line in body.decode().removesuffix("\n").split("\n"):
        if line.startswith("# HELP"):
            families.append(line.split()[2])
        elif line.startswith("# TYPE"):
            assert line.split()[2:] in ([families[-1], "gauge"], [families[-1], "counter"])
        else:
            sample = LINE.match(line)
            assert sample is not None, line
            assert sample["name"] == families[-1]
    assert len(families) == len(set(families)) >= 12
    assert 'hilbench_controller_budget_amperes{node="service"} 40.0' in body.decode()
    assert "hilbench_controller_decisions_total 7.0" in body.decode()


def test_before_anything_is_known_there_are_answers_too() -> None:
    """Without a sample or a station the age is infinite, the building not a number, and nothing fails."""
    made = Toy(site(1))
    lines = list(metrics(made.core, Activity(), 0.0))
    assert "hilbench_controller_meter_age_seconds +Inf" in lines
    assert 'hilbench_controller_building_current_amperes{line="L1"} NaN' in lines
    assert "hilbench_controller_safe_state 1.0" in lines
    answer = Status(made.core, Activity(), lambda: 0.0).handle(Request("GET", "/why/s0", {}))
    assert json.loads(answer.body)["kind"] == "link-lost"


# what it does not do


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (GET.format("/"), 404),
        (GET.format("/why/nobody"), 404),
        (GET.format("/why/"), 404),
        (GET.format("/status/../settings"), 404),
        ("POST /status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}", 405),
        ("DELETE /why/s0 HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        ("HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        ("GET /status HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403),
        ("GET /status HTTP/1.0\r\n\r\n", 403),
        ("GET /status HTTP/1.1\r\n\r\n", 400),
        ("nonsense\r\n\r\n", 400),
        ("GET /status HTTP/1.1\r\nHost: localhost\r\nX: " + "x" * 20_000 + "\r\n\r\n", 431),
        (f"POST /status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n{'x' * 9999}", 413),
    ],
)
def test_anything_else_is_refused_and_changes_nothing(request_: str, code: int) -> None:
    """Other paths, methods, hosts, and what is no HTTP get the code for it, and the next request its answer."""
    made = busy()
    before = made.targets()

    async def body() -> tuple[int, int]:
        refused = parsed(await raw(request_.encode()))[0]
        return refused, (await get("/status"))[0]

    assert serving(made, body) == (code, 200)
    assert made.targets() == before


def test_a_client_that_says_nothing_is_dropped() -> None:
    """After some seconds the connection is closed without an answer."""

    async def body() -> tuple[bytes, float]:
        began = clock.time()
        return await raw(b"GET /status HTTP/1.1\r\nHost: loc"), clock.time() - began

    assert serving(busy(), body) == (b"", PATIENCE_S)
    assert LONGEST_BODY < 10_000


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    """Two on one port: the second says which setting it is about."""

    async def twice() -> None:
        async with AsyncExitStack() as stack:
            for _ in range(2):
                await serve(PORT, Status(toy(1).core, Activity(), lambda: 0.0).handle, stack)

    with pytest.raises(DeviceError, match=f"status_port {PORT}"):
        clock.run(twice())


# as a process


def test_why_asks_a_running_controller_and_its_log_is_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`hilbench why` prints words, knows no station that is not there, and --log-json has one object per line."""
    ocpp, meter, port = free_ports(3)
    changes = (("127.0.0.1:9000", f"127.0.0.1:{ocpp}"), ("127.0.0.1:5020", f"127.0.0.1:{meter}"))
    rig = trio(tmp_path, *changes, ('policy = "dynamic"', f'policy = "dynamic"\nstatus_port = {port}'))
    with program(hilbench("controller", rig, "--log-json", tmp_path / "log"), tmp_path, "controller") as other:
        other.saw("listening")
        assert command_line(["why", "A", "--url", f"http://127.0.0.1:{port}"]) == 0
        assert "because its link is lost" in capsys.readouterr().out
        assert command_line(["why", "Z", "--url", f"http://127.0.0.1:{port}"]) == 2
    assert command_line(["why", "A", "--url", f"http://127.0.0.1:{port}"]) == 4
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert {"time", "level", "logger", "message", "fields"} == set(lines[0])
    assert datetime.fromisoformat(lines[0]["time"]).utcoffset() == timedelta(0)
    assert any("listening" in line["message"] for line in lines)
