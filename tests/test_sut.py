"""The controller as a process: in the loop, of its own, or somebody else's."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from hilbench import clock
from hilbench.errors import DeviceError
from hilbench.sut import ExternalController, LoopController, ProcessController

PORT = 9310
ECHO = f"""
import asyncio
async def serve(reader, writer):
    while data := await reader.read(100):
        writer.write(data)
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", {PORT})
    await server.serve_forever()
asyncio.run(main())
"""


async def echo() -> None:
    """A controller that answers what it hears."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", PORT)
    try:
        await server.serve_forever()
    finally:
        server.close()


async def answered(timeout_s: float = 2.0) -> bool:
    """True when something at PORT echoes within the time-out."""
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    writer.write(b"x")
    try:
        return await asyncio.wait_for(reader.read(1), timeout_s) == b"x"
    except (TimeoutError, OSError):
        return False
    finally:
        writer.transport.abort()


def test_a_suspended_loop_controller_accepts_and_does_not_answer() -> None:
    """A controller in the loop that is suspended keeps its port open, answers nothing, and goes on when resumed."""

    async def main() -> tuple[bool, bool, bool]:
        controller = LoopController(echo, ("127.0.0.1", PORT))
        await controller.start()
        before = await answered()
        await controller.suspend()
        during = await answered()
        await controller.resume()
        after = await answered()
        await controller.stop()
        return before, during, after

    assert clock.run(main()) == (True, False, True)


def test_a_killed_loop_controller_resets_its_connections() -> None:
    """Killing a controller in the loop resets connections and frees the port, and it can be started again."""

    async def main() -> tuple[bool, bool]:
        controller = LoopController(echo, ("127.0.0.1", PORT))
        await controller.start()
        reader, _writer = await asyncio.open_connection("127.0.0.1", PORT)
        await controller.kill()
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", PORT)
        await controller.restart()
        alive = await answered()
        await controller.stop()
        return True, alive

    assert clock.run(main()) == (True, True)


def test_a_loop_controller_that_ends_at_once_is_named() -> None:
    """A controller that fails at its start is a DeviceError with its reason, not a hang."""

    async def broken() -> None:
        raise ValueError("no licence")

    async def main() -> None:
        await LoopController(broken, ("127.0.0.1", PORT)).start()

    with pytest.raises(DeviceError, match="no licence"):
        clock.run(main())


def test_a_process_is_stopped_continued_and_killed(tmp_path: Path) -> None:
    """A controller process obeys SIGSTOP, SIGCONT and SIGKILL, and starts again."""

    async def main() -> list[bool]:
        controller = ProcessController([sys.executable, "-c", ECHO], ("127.0.0.1", PORT), tmp_path / "log")
        await controller.start()
        seen = [await answered()]
        await controller.suspend()
        seen.append(await answered(0.3))
        await controller.resume()
        seen.append(await answered())
        await controller.kill()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", PORT)
        await controller.restart()
        seen.append(await answered())
        await controller.stop()
        return seen

    assert clock.run(main(), "real") == [True, False, True, True]


def test_a_process_that_ends_is_reported_with_its_log(tmp_path: Path) -> None:
    """A controller process that dies at its start is a DeviceError with the last lines of its log."""

    async def main() -> None:
        command = [sys.executable, "-c", "raise SystemExit('meter password missing')"]
        await ProcessController(command, ("127.0.0.1", PORT), tmp_path / "log").start()

    with pytest.raises(DeviceError, match="meter password missing"):
        clock.run(main(), "real")


def test_a_command_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """A command that cannot be started is named with the system's reason."""

    async def main() -> None:
        await ProcessController(["no-such-lms"], ("127.0.0.1", PORT), tmp_path / "log").start()

    with pytest.raises(DeviceError, match="no-such-lms"):
        clock.run(main(), "real")


def test_an_external_controller_offers_only_what_the_rig_allows(tmp_path: Path) -> None:
    """Without a pid file nothing can be done to an external controller; with one it can be suspended, never killed."""
    pid_file = tmp_path / "pid"
    pid_file.write_text(str(os.getpid()))
    assert ExternalController(("127.0.0.1", PORT)).capabilities() == frozenset()
    external = ExternalController(("127.0.0.1", PORT), pid_file)
    assert external.capabilities() == {"suspend"}
    with pytest.raises(DeviceError, match="does not kill"):
        clock.run(external.kill())


def test_a_stale_pid_file_is_an_error(tmp_path: Path) -> None:
    """A pid file without a living process is a DeviceError that names the file."""
    pid_file = tmp_path / "pid"
    pid_file.write_text("not a number")
    with pytest.raises(DeviceError, match="pid"):
        clock.run(ExternalController(("127.0.0.1", PORT), pid_file).suspend())


def test_nobody_listening_is_an_error_with_a_remedy() -> None:
    """An external controller that is not there is a DeviceError that says where it was looked for."""
    with pytest.raises(DeviceError, match=f"127.0.0.1:{PORT}: nobody listens"):
        clock.run(ExternalController(("127.0.0.1", PORT)).start())
