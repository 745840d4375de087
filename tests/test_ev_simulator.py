"""Relay-type EV simulator: what it switches, what it reports, and what the driver makes of both."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench import clock
from hilbench.devices import Device
from hilbench.drivers.ev_simulator import EvSimulatorDriver, Seen, understood
from hilbench.errors import DeviceError, InputError
from hilbench_emulators.ev_simulator import PROXIMITY_OHM, EmulatedEvSimulator, Relays
from hilbench_emulators.openevse import EmulatedOpenEvse

Body = Callable[[EmulatedOpenEvse, EmulatedEvSimulator, EvSimulatorDriver], Awaitable[None]]


def run(body: Body, *, extended: bool = True) -> None:
    """A simulator plugged into an emulated board, and its driver, in virtual time."""

    async def whole() -> None:
        station = EmulatedOpenEvse()
        await station.start()
        simulator = EmulatedEvSimulator(station, extended=extended)
        await simulator.start()
        driver = EvSimulatorDriver("ev", f"tcp://127.0.0.1:{simulator.port}")
        await driver.start()
        await asyncio.sleep(2.0)
        try:
            await body(station, simulator, driver)
        finally:
            await driver.stop()
            await simulator.stop()
            await station.stop()

    clock.run(whole())


REAL = (
    b'{ state: "B", state_changes: 1000, low_count: 11744, high_count: 4256, min_volts: -11.923, max_volts: 8.961 }',
    Seen(0.0, "B", 26.6, 1000.0, -11.923, 8.961),
)
"""A line in the format of the public board's ``printf`` (read-code)."""


def test_a_line_of_the_public_board_is_understood() -> None:
    """Duty cycle and frequency from its counts; no diode, no proximity resistor."""
    assert understood(0.0, REAL[0]) == REAL[1]


@pytest.mark.parametrize("cut", [0, 1, 9, 50, -1])
def test_half_a_line_is_none(cut: int) -> None:
    """Also one without its last sign."""
    assert understood(0.0, REAL[0][:cut]) is None


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(REAL[0]) - 1), st.binary(max_size=3), st.binary(max_size=80))
def test_broken_lines_never_raise(at: int, patch: bytes, noise: bytes) -> None:
    """A patched line is understood or not."""
    for line in (REAL[0][:at] + patch + REAL[0][at + len(patch) :], noise):
        seen = understood(0.0, line)
        assert seen is None or seen.state in "ABCDE"


def test_a_simulated_car_charges_and_leaves() -> None:
    """The board goes to B and C, the simulator sees the pilot that the board drives."""

    async def body(station: EmulatedOpenEvse, _simulator: EmulatedEvSimulator, driver: EvSimulatorDriver) -> None:
        assert isinstance(driver, Device)
        for state, volts in (("B", 8.98), ("C", 6.0)):
            seen = await driver.set_state(state)
            assert (seen.state, seen.high_v, seen.low_v) == (state, volts, -12.0)
            assert seen.duty_pct == pytest.approx(26.6)
        assert station.core.relay_closed
        await driver.make_safe()
        assert driver.is_safe()
        assert not station.core.relay_closed
        assert (await driver.read()).duty_pct is None

    run(body)


def test_short_diode_and_proximity_are_switched_and_read_back() -> None:
    """The board sees the short and the missing diode; each proximity resistor is confirmed."""

    async def body(station: EmulatedOpenEvse, simulator: EmulatedEvSimulator, driver: EvSimulatorDriver) -> None:
        await driver.set_state("C")
        assert (await driver.set_state("E")).high_v == 0.0
        assert not station.core.relay_closed
        await driver.set_state("A")
        assert (await driver.set_diode(False)).diode is False
        await driver.set_state("B")
        await asyncio.sleep(1.0)
        assert station.core.state == 0x05
        for ohm in PROXIMITY_OHM.values():
            assert (await driver.set_proximity(ohm)).proximity_ohm == (ohm or 0)
            assert simulator.proximity_ohm == ohm

    run(body)


def test_the_report_after_a_command_is_of_a_whole_window() -> None:
    """A window in which a relay switched shows the voltages of both states; the driver leaves it out."""

    async def body(_station: EmulatedOpenEvse, _simulator: EmulatedEvSimulator, driver: EvSimulatorDriver) -> None:
        await driver.read()
        await asyncio.sleep(0.1)
        switching = asyncio.create_task(driver.set_state("C"))
        mixed = await driver.read()
        assert (mixed.state, mixed.high_v) == ("C", 12.0)
        assert (await switching).high_v == 6.0

    run(body)


def test_the_public_board_has_no_other_relays() -> None:
    """It ignores what it does not know, and the driver says so."""

    async def body(_station: EmulatedOpenEvse, _simulator: EmulatedEvSimulator, driver: EvSimulatorDriver) -> None:
        await driver.set_state("B")
        for act in (driver.set_state("E"), driver.set_diode(False), driver.set_proximity(220)):
            with pytest.raises(DeviceError, match=r"board ev at .*: does not switch .* \(is it the extended board\?\)"):
                await act
        assert (await driver.read()).state == "B"

    run(body, extended=False)


def test_small_letters_and_a_parity_bit_are_taken() -> None:
    """As on the public board; anything else is nothing."""
    relays = Relays()
    assert relays.obey("c", extended=False)
    assert relays.state == "C"
    assert not any(relays.obey(letter, extended=False) for letter in "eE+-0123xyz\r\n")
    assert relays == Relays("C")


def test_wrong_arguments_are_told() -> None:
    """Before anything is sent."""
    driver = EvSimulatorDriver("ev", "tcp://127.0.0.1:1")
    for act in (driver.set_state("F"), driver.set_state(""), driver.set_state("AB"), driver.set_proximity(221)):
        with pytest.raises(InputError, match="board ev: "):
            asyncio.run(act)


@pytest.mark.parametrize("how", ["silent", "noise", "flipped", "half"])
def test_garbage_is_an_error_in_time_and_the_board_works_again(how: str) -> None:
    """No report within the time-out; one flipped bit may leave a line readable, as it has no checksum."""

    async def body(_station: EmulatedOpenEvse, simulator: EmulatedEvSimulator, driver: EvSimulatorDriver) -> None:
        simulator.line.ruin(how)
        await asyncio.sleep(0.1)
        started = clock.time()
        (found,) = await asyncio.gather(driver.read(), return_exceptions=True)
        if isinstance(found, Seen):
            assert how == "flipped"
        else:
            assert isinstance(found, DeviceError)
            assert str(found).startswith("board ev at tcp://127.0.0.1:")
            assert "no report within 2 s" in str(found)
            assert clock.time() - started == pytest.approx(2.0, abs=0.01)
        simulator.line.ruin(None)
        await driver.read()
        assert (await driver.read()).state == "A"

    run(body)


def test_a_pulled_plug_is_told_and_put_back() -> None:
    """The connection is lost during a wait; the next request opens it again."""

    async def body(_station: EmulatedOpenEvse, simulator: EmulatedEvSimulator, driver: EvSimulatorDriver) -> None:
        await driver.read()
        asyncio.get_running_loop().call_later(0.1, simulator.line.hang_up)
        with pytest.raises(DeviceError, match=r"no report within 2 s: .* \(check plug, cable and power\)"):
            await driver.read()
        assert (await driver.read()).state == "A"

    run(body)


def test_an_outlet_is_let_go_with_the_simulator() -> None:
    """Without power its relays fall."""

    async def whole() -> Any:
        station = EmulatedOpenEvse()
        await station.start()
        simulator = EmulatedEvSimulator(station)
        await simulator.start()
        driver = EvSimulatorDriver("ev", f"tcp://127.0.0.1:{simulator.port}")
        await driver.set_state("C")
        driver.release()
        await asyncio.sleep(5.0)
        charged = station.core.relay_closed
        await simulator.stop()
        await asyncio.sleep(1.0)
        await station.stop()
        return charged, station.core.vehicle.state

    assert clock.run(whole()) == (True, "A")
