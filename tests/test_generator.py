"""Signal generators of two dialects, which reach +-10 V and no pilot's +-12 V."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from hilbench import clock
from hilbench.drivers.generator import Pulse, SignalGenerator, pilot_pulse
from hilbench.drivers.scope import Channel, Setup, Trigger
from hilbench.errors import DeviceError, InputError
from hilbench_emulators.function_generator import FunctionGenerator, RigolDg800, SiglentSdg1000x
from hilbench_emulators.oscilloscope_rigol import RigolDs1000z
from hilbench_emulators.scpi_server import Habits
from tests.scopes import WAYS, looking, served

each_kind = pytest.mark.parametrize("kind", [RigolDg800, SiglentSdg1000x])
each_way = pytest.mark.parametrize("way", WAYS)


def with_generator(
    instrument: Any, way: str, body: Callable[[SignalGenerator], Awaitable[Any]], habits: Habits | None = None
) -> Any:
    """What ``body`` gives with a driver of ``instrument``."""

    async def all_of_it() -> Any:
        async with served(instrument, way, habits) as (_server, address):
            device = SignalGenerator("cp", address, timeout_s=0.3, backend="@py")
            await device.start()
            try:
                return await body(device)
            finally:
                await device.stop()

    return clock.run(all_of_it(), WAYS[way])


@each_kind
@each_way
def test_a_pulse_is_set_read_back_and_switched(kind: type[FunctionGenerator], way: str) -> None:
    """1 kHz at 26.6 % between +-10 V, in both dialects and ways."""
    instrument = kind()

    async def body(device: SignalGenerator) -> list[bool]:
        await device.pulse(pilot_pulse(26.6))
        states = [await device.is_on()]
        for on in (True, False):
            await device.output(on)
            states.append(await device.is_on())
        return states

    assert with_generator(instrument, way, body) == [False, True, False]
    output = instrument.outputs[1]
    assert output.frequency_hz == 1000.0
    assert output.duty_pct == pytest.approx(26.6)
    assert (output.high_v, output.low_v) == (10.0, -10.0)


@each_kind
def test_a_pilots_twelve_volts_are_out_of_reach(kind: type[FunctionGenerator]) -> None:
    """The driver refuses before it sends anything, and says what to put between."""
    instrument = kind()

    async def body(device: SignalGenerator) -> None:
        await device.pulse(Pulse(1_000.0, 40.0, 12.0, -12.0))

    with pytest.raises(InputError, match=r"reaches \+-10 V \(put an amplifier or an EVSE board between"):
        with_generator(instrument, "memory", body)
    assert instrument.outputs[1] == kind().outputs[1]


@each_kind
def test_the_instrument_itself_refuses_what_it_cannot_give(kind: type[FunctionGenerator]) -> None:
    """Sent past the driver, 12 V end in the error queue and change nothing."""
    instrument = kind()
    line = ":SOUR1:APPL:PULS 1000,24,0,0" if kind is RigolDg800 else "C1:BSWV WVTP,PULSE,FRQ,1000,HLEV,12,LLEV,-12"
    instrument.receive(line, 0.0)
    assert b"-222" in instrument.receive("SYST:ERR?", 0.0)
    assert instrument.outputs[1] == kind().outputs[1]


@pytest.mark.parametrize(
    "wanted", [Pulse(1e3, 0.0, 1, -1), Pulse(1e3, 100.0, 1, -1), Pulse(0.0, 50, 1, -1), Pulse(1e3, 50, -1, 1)]
)
def test_what_is_no_pulse_is_an_input_error(wanted: Pulse) -> None:
    """Duty of 0 or 100 %, no frequency, levels the wrong way round."""

    async def body(device: SignalGenerator) -> None:
        await device.pulse(wanted)

    with pytest.raises(InputError, match="instrument cp: pulse: "):
        with_generator(RigolDg800(), "memory", body)


@each_kind
def test_an_oscilloscope_sees_what_the_generator_drives(kind: type[FunctionGenerator]) -> None:
    """Generator and oscilloscope, both over SCPI, in virtual time: the duty that was set is the one on the wire."""
    instrument = kind()
    scope = RigolDs1000z({1: partial(instrument.probe, 1)})

    async def body(device: SignalGenerator) -> Any:
        await device.pulse(pilot_pulse(40.0))
        await device.output(True)
        async with served(scope, "memory") as (_server, address), looking(address) as looker:
            await looker.set_up(Setup({1: Channel(-12.0, 12.0)}, 0.012, 1e6, Trigger(1, 0.0)))
            return (await looker.single()).records[1].values

    values = with_generator(instrument, "memory", body)
    assert (values > 0.0).mean() == pytest.approx(0.4, abs=0.001)
    assert values.max() == pytest.approx(10.0, abs=0.13)


@each_kind
def test_an_output_that_is_off_is_at_zero(kind: type[FunctionGenerator]) -> None:
    """Nothing on the wire before it is switched on."""
    assert not kind().probe(1, 0.0, 1e-6, 2000).any()


def test_a_wave_that_does_not_stick_is_a_device_error() -> None:
    """What is read back differs from what was set: it says both."""

    class Stubborn(RigolDg800):
        def receive(self, line: str, t: float) -> bytes:
            return b"" if "DCYC " in line else super().receive(line, t)

    async def body(device: SignalGenerator) -> None:
        await device.pulse(pilot_pulse(40.0))

    with pytest.raises(DeviceError, match=r"gives Pulse\(.*duty_pct=50.0.*duty_pct=40.0.*was set"):
        with_generator(Stubborn(), "memory", body)


def test_an_output_that_stays_on_is_a_device_error() -> None:
    """Off is read back, not believed."""

    class Stuck(SiglentSdg1000x):
        def receive(self, line: str, t: float) -> bytes:
            return b"" if line.endswith("OUTP OFF") else super().receive(line, t)

    async def body(device: SignalGenerator) -> None:
        await device.output(True)
        await device.output(False)

    with pytest.raises(DeviceError, match=r"output 1: stays on \(look at the instrument\)"):
        with_generator(Stuck(), "memory", body)


def test_an_oscilloscope_is_no_generator() -> None:
    """The identity decides."""

    async def body(_device: SignalGenerator) -> None:
        return None

    with pytest.raises(DeviceError, match="no signal generator of Rigol DG, Siglent SDG"):
        with_generator(RigolDs1000z({}), "memory", body)


def test_a_generator_that_was_not_started_says_so() -> None:
    """Before anything is sent."""
    with pytest.raises(DeviceError, match="has not been started"):
        clock.run(SignalGenerator("cp", "tcp://127.0.0.1:1").is_on())
