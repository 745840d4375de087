"""Somebody else's controller: found at its address, run as a command, held by a pid file, or told why it is not."""

from __future__ import annotations

import asyncio
import errno
import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hilbench import clock
from hilbench.bench import Bench
from hilbench.errors import DeviceError
from hilbench.rig import load_rig
from tests.live import free_ports, hilbench, program, until
from tests.rigs import trio

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")

SERVER = """
import asyncio, ssl, sys

answer, port, certificate = sys.argv[1].encode(), int(sys.argv[2]), sys.argv[3:]

async def serve(reader, writer):
    if answer:
        await reader.readuntil(b"\\r\\n\\r\\n")
        writer.write(b"HTTP/1.1 " + answer + b"\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n")
        await writer.drain()
    writer.close()

async def main():
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
    server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=context)
    print("listening", flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


class Site:
    """The small rig with an external controller, and where that and the meter are."""

    def __init__(self, folder: Path, extra: str = "", scheme: str = "ws", path: str = "/ocpp") -> None:
        self.ocpp, self.meter = free_ports(2)
        entry = f'kind = "external"\nfallback_timeout_s = 30\nstale_timeout_s = 10\n{extra}'
        self.rig = trio(
            folder,
            ("ws://127.0.0.1:9000/ocpp", f"{scheme}://127.0.0.1:{self.ocpp}{path}"),
            (":5020", f":{self.meter}"),
            ('kind = "reference"', entry),
            ('policy = "dynamic"\n', ""),
        )


def run_json(folder: Path, rig: Path, *arguments: str, time: str = "x40") -> tuple[int, dict[str, Any], str]:
    """`hilbench run RIG --json` many times as fast as real: exit code, result of the only procedure, its errors."""
    command = hilbench("run", rig, "--time", time, "--json", *arguments)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    (result,) = json.loads(done.stdout)["results"]
    return done.returncode, result, str(result["error"])


def test_a_controller_in_another_process_is_tested_as_the_readme_says(tmp_path: Path) -> None:
    """`hilbench controller` in one process, `hilbench run` in another: the stations find it and it gets a verdict."""
    site = Site(tmp_path)
    with program(hilbench("controller", site.rig, "--time", "x40"), tmp_path, "controller") as other:
        other.saw("listening")
        code, result, error = run_json(tmp_path, site.rig, "--only", "7.2")
        assert error == ""
        assert (code, result["verdict"]) == (0, "PASS"), result["measurements"]
        measured = {m["metric"]: m["value"] for m in result["measurements"]}
        assert 0.0 < measured["recovery_time"] < 120.0
        assert other.process.poll() is None, "the bench does not end what it did not start"


def test_what_the_bench_cannot_do_to_a_controller_is_not_run(tmp_path: Path) -> None:
    """Without a command or a pid file, a procedure that stops the controller is NOT_RUN and says why: code 5."""
    site = Site(tmp_path)
    with program(hilbench("controller", site.rig, "--time", "x40"), tmp_path, "controller") as other:
        other.saw("listening")
        code, result, _error = run_json(tmp_path, site.rig, "--only", "4.1")
    assert (code, result["verdict"], result["notes"]) == (5, "NOT_RUN", ["the rig has no controller.suspend"])


def test_nobody_there_is_an_error_at_once(tmp_path: Path) -> None:
    """Without a controller the run ends with code 4, and says where it was looked for and what to do."""
    site = Site(tmp_path)
    code, result, error = run_json(tmp_path, site.rig, "--only", "7.2")
    assert (code, result["verdict"]) == (4, "ERROR")
    assert f"127.0.0.1:{site.ocpp}: nobody listens" in error
    assert "start it" in error
    assert "controller.ocpp" in error


@pytest.mark.parametrize(
    ("answer", "words"),
    [("404 Not Found", "HTTP 404"), ("401 Unauthorized", "HTTP 401"), ("", "did not receive a valid HTTP response")],
    ids=["unknown path", "unknown station", "hangs up"],
)
def test_a_controller_that_refuses_is_quoted(tmp_path: Path, answer: str, words: str) -> None:
    """Stations that are turned away are an ERROR with what they were told and what to compare."""
    site = Site(tmp_path)
    with program([sys.executable, "-c", SERVER, answer, str(site.ocpp)], tmp_path) as server:
        server.saw("listening")
        code, _result, error = run_json(tmp_path, site.rig, "--only", "7.2")
    assert code == 4
    assert "stations A, B, C: " in error
    assert words in error
    assert "controller.ocpp" in error
    assert "identities" in error


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_a_certificate_that_cannot_be_trusted_is_named(tmp_path: Path) -> None:
    """A wss:// controller with a certificate of its own making is an ERROR that says so."""
    site = Site(tmp_path, scheme="wss")
    files = ["-keyout", "key.pem", "-out", "cert.pem"]
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", *files]
    subprocess.run(make, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    with program([sys.executable, "-c", SERVER, "", str(site.ocpp), "cert.pem", "key.pem"], tmp_path) as server:
        server.saw("listening")
        code, _result, error = run_json(tmp_path, site.rig, "--only", "7.2", time="x10")
    assert code == 4
    assert "certificate verify failed" in error


def test_a_meter_port_that_is_taken_is_named(tmp_path: Path) -> None:
    """A port that somebody else listens at is an ERROR with the address."""
    site = Site(tmp_path)
    with program([sys.executable, "-c", SERVER, "", str(site.meter)], tmp_path) as server:
        server.saw("listening")
        code, _result, error = run_json(tmp_path, site.rig, "--only", "7.2")
    assert code == 4
    assert f"cannot listen at 127.0.0.1:{site.meter}" in error


def in_operation(rig: Path, work: Any) -> Any:
    """What ``work(bench)`` answers on a running bench, forty times as fast as real."""

    async def main() -> Any:
        async with Bench(load_rig(rig), log_folder=rig.parent) as bench:
            return await work(bench)

    return clock.run(main(), "x40")


async def offline_and_back(bench: Bench) -> tuple[bool, bool]:
    """Kill the controller, then start it again: whether all stations lost it, and whether all found it."""
    await bench.faults.kill_controller()
    lost = await _becomes(bench, connected=False)
    await bench.faults.restart_controller()
    return lost, await _becomes(bench, connected=True)


async def _becomes(bench: Bench, *, connected: bool) -> bool:
    deadline = clock.time() + 200.0
    while any(station.connected is not connected for station in bench.stations.values()):
        if clock.time() > deadline:
            return False
        await asyncio.sleep(1.0)
    return True


def test_a_command_is_started_killed_and_restarted(tmp_path: Path) -> None:
    """With `command` the bench starts the controller, can do everything to it, and ends it with all that it started."""
    command = json.dumps(
        ["sh", "-c", f"{' '.join(hilbench('controller', tmp_path / 'trio.toml', '--time', 'x40'))}; :"]
    )
    site = Site(tmp_path, f"command = {command}")

    async def work(bench: Bench) -> Any:
        return bench.faults.capabilities(), await offline_and_back(bench)

    capabilities, seen = in_operation(site.rig, work)
    assert {"controller.kill", "controller.restart", "controller.suspend"} <= capabilities
    assert seen == (True, True)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", site.ocpp)) == errno.ECONNREFUSED


def test_a_command_where_another_controller_listens_is_refused(tmp_path: Path) -> None:
    """A controller that is left over from before would be tested in the place of the new one: that is an error."""
    site = Site(tmp_path, 'command = ["sleep", "60"]')
    with program([sys.executable, "-c", SERVER, "", str(site.ocpp)], tmp_path) as server:
        server.saw("listening")
        with pytest.raises(DeviceError, match="listens there already"):
            in_operation(site.rig, offline_and_back)


def test_a_pid_file_lets_the_bench_suspend_and_never_leaves_it_so(tmp_path: Path) -> None:
    """With `pid_file` the controller can be suspended, not killed; the bench resumes it before it goes."""
    pid_file = tmp_path / "controller.pid"
    site = Site(tmp_path, f'pid_file = "{pid_file}"')
    with program(hilbench("controller", site.rig, "--time", "x40"), tmp_path, "controller") as other:
        other.saw("listening")
        pid_file.write_text(f"{other.process.pid}\n")

        async def work(bench: Bench) -> Any:
            await bench.faults.suspend_controller()
            until(lambda: state(other.process.pid) == "T", "the controller to stop", 5.0)
            return {name for name in bench.faults.capabilities() if "controller" in name}

        assert in_operation(site.rig, work) == {"controller.suspend"}
        until(lambda: state(other.process.pid) != "T", "the controller to go on", 5.0)


@pytest.mark.parametrize("content", ["0", "-1", "1", "", "4194304999"])
def test_a_pid_that_is_none_signals_nobody(tmp_path: Path, content: str) -> None:
    """A pid file with 0 or less (a group, the bench's own among them), or no process, is an error with its path."""
    pid_file = tmp_path / "controller.pid"
    pid_file.write_text(content)
    site = Site(tmp_path, f'pid_file = "{pid_file}"')
    with program(hilbench("controller", site.rig, "--time", "x40"), tmp_path, "controller") as other:
        other.saw("listening")

        async def work(bench: Bench) -> None:
            await bench.faults.suspend_controller()

        with pytest.raises(DeviceError, match=r"controller\.pid"):
            in_operation(site.rig, work)


def state(pid: int) -> str:
    """State letter of a process: T is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
