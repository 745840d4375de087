"""Boards and instruments as steps of a plan: each is made safe over its own line and read back, or is an error."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from hilbench.safe_plan import SafeStep, attempt
from hilbench_emulators.chargebyte import EmulatedChargebyte
from hilbench_emulators.ev_simulator import EmulatedEvSimulator
from hilbench_emulators.function_generator import RigolDg800, SiglentSdg1000x
from hilbench_emulators.openevse import EmulatedOpenEvse
from hilbench_emulators.openevse_settings import Settings, Vehicle
from hilbench_emulators.scpi_server import ScpiServer
from tests.live import beside, until


def powered(*devices: Any) -> Callable[[], AbstractAsyncContextManager[None]]:
    """What serves ``devices``."""

    @asynccontextmanager
    async def serving() -> AsyncIterator[None]:
        for device in devices:
            await device.start()
        yield
        for device in reversed(devices):
            await device.stop()

    return serving


def step(kind: str, port: int, **options: Any) -> SafeStep:
    """A step for what listens at ``port``."""
    return SafeStep(f"safe.{kind}", kind, f"tcp://127.0.0.1:{port}", options, 8.0)


def test_an_openevse_under_load_opens_its_relay() -> None:
    """A car that charges and does not stop: the board sleeps, and counts as safe when its relay is open."""
    board = EmulatedOpenEvse(settings=Settings(boot_s=0.1))
    board.core.vehicle = Vehicle("C", current_a=12.0)
    with beside(powered(board)):
        until(lambda: board.core.relay_closed, "a charging car")
        assert attempt(step("openevse", board.port)).read == "relay open"
        assert not board.core.relay_closed


def test_an_openevse_that_goes_on_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A board that takes the command and does nothing is named, with what it says of its relay."""
    board = EmulatedOpenEvse(settings=Settings(boot_s=0.1))
    monkeypatch.setattr(board.core, "sleep", lambda: None)
    board.core.vehicle = Vehicle("C", current_a=12.0)
    with beside(powered(board)):
        until(lambda: board.core.relay_closed, "a charging car")
        assert "relay closed" in attempt(step("openevse", board.port)).reason


def test_an_ev_simulator_is_unplugged() -> None:
    """State C becomes A, and the station sees no car."""
    board = EmulatedOpenEvse(settings=Settings(boot_s=0.1))
    simulator = EmulatedEvSimulator(board)
    simulator.relays.state = "C"
    with beside(powered(board, simulator)):
        assert attempt(step("ev-simulator", simulator.port)).read == "state A"
        assert (simulator.relays.state, board.core.vehicle.state) == ("A", "A")


def test_a_chargebyte_opens_its_contactors() -> None:
    """It reports neither PWM nor a closed contactor."""
    controller = EmulatedChargebyte()
    with beside(powered(controller)):
        assert attempt(step("chargebyte", controller.port)).read == "no PWM, contactors open"
        assert not controller.core.pwm
        assert not any(controller.core.contactors)


@pytest.mark.parametrize("made", [RigolDg800, SiglentSdg1000x])
def test_a_generator_switches_its_output_off(made: type[RigolDg800 | SiglentSdg1000x]) -> None:
    """The output of the plan, and no other."""
    instrument = made()
    instrument.outputs = {number: replace(output, on=True) for number, output in instrument.outputs.items()}
    server = ScpiServer("generator", instrument)
    with beside(powered(server)):
        assert attempt(step("generator", server.port, channel=2)).read == "output 2 off"
        assert [output.on for output in instrument.outputs.values()] == [True, False]


@pytest.mark.parametrize("kind", ["openevse", "ev-simulator", "chargebyte", "generator"])
def test_a_device_that_is_not_there_is_an_error(kind: str) -> None:
    """Nobody at the port: tried until the time is out, and named."""
    assert "127.0.0.1:1" in attempt(SafeStep("a", kind, "tcp://127.0.0.1:1", {}, 1.0)).reason
