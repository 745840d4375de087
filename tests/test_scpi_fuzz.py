"""Broken SCPI replies: a clear device error in bounded time, and in step again. ``benches/scpi_fuzz.py`` has more."""

from __future__ import annotations

import random

import pytest

from benches.scpi_fuzz import MUTATIONS, fuzz, replies
from hilbench import clock
from hilbench.drivers import scpi
from hilbench.drivers.scope import Oscilloscope
from hilbench.drivers.scope_dialect import Dialect
from hilbench.errors import DeviceError, InputError
from hilbench_emulators.oscilloscope_keysight import KeysightDsox
from tests.scopes import PILOT, looking, pilot, served


def test_ten_thousand_broken_replies_are_read_refused_or_too_short() -> None:
    """Every answer that a driver reads, broken on its own: a finite value, a refusal with its reason, or a time-out."""
    found = replies(10_000, 5)
    assert found.total() == 10_000
    assert min(found["read"], found["refused"], found["timed out"]) > 500


def test_a_thousand_broken_conversations_do_no_harm() -> None:
    """Every mutation of one reply in a conversation, over all dialects: refused, or taken for what it says."""
    found = clock.run(fuzz(1_000, 7))
    assert found.total() == 1_000
    assert {name for name, _said in found} >= {mutation.__name__ for mutation in MUTATIONS} - {""}
    assert sum(count for (_name, said), count in found.items() if said == "refused") > 250


def test_the_fuzz_finds_a_driver_that_stays_out_of_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without getting in step before an acquisition, one answer too many spoils the next record."""

    async def never(self: scpi.ScpiInstrument) -> None:
        return None

    monkeypatch.setattr(scpi.ScpiInstrument, "get_in_step", never)
    with pytest.raises((AssertionError, DeviceError)):
        clock.run(fuzz(1_000, 7))


def test_the_fuzz_finds_a_driver_that_believes_every_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the check of the scale against the settings, a broken preamble ends in something else than an error."""
    monkeypatch.setattr(Dialect, "check", lambda *_arguments: None)
    with pytest.raises((AssertionError, InputError, ValueError)):
        clock.run(fuzz(3_000, 7))


def test_broken_replies_over_a_real_socket() -> None:
    """The same over PyVISA: bytes of noise where an answer should be, and a right record afterwards."""
    rng = random.Random(3)

    class Noisy(KeysightDsox):
        broken = False

        def receive(self, line: str, t: float) -> bytes:
            said = super().receive(line, t)
            if said and self.broken and rng.random() < 0.2:
                return rng.choice(MUTATIONS)(rng, said)
            return said

    instrument = Noisy({1: pilot})

    async def attempt(device: Oscilloscope) -> str:
        await device.set_up(PILOT)
        try:
            instrument.broken = True
            await device.single()
            return "taken"
        except DeviceError as error:
            return str(error)
        finally:
            instrument.broken = False

    async def body() -> list[str]:
        async with served(instrument, "visa") as (_server, address), looking(address, 0.05) as device:
            said = [await attempt(device) for _ in range(25)]
            await device.set_up(PILOT)
            values = (await device.single()).records[1].values
            assert {round(float(value)) for value in values} == {6, -12}
            return said

    said = clock.run(body(), "real")
    assert any(text.startswith("instrument scope") for text in said)
