"""An emulated station that sees what is wrong with the car's side of its pilot, in the real plant, over OCPP."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import Any

import pytest

from hilbench import clock
from hilbench.signals import contactor
from hilbench.site import Branch, Service, Site
from hilbench_emulators.pilot import Cable, Circuit, Ev
from hilbench_emulators.pilot.evse_watch import EvseTiming
from hilbench_emulators.pilot.timing import wake_up
from hilbench_emulators.station.settings import PILOT
from tests.station_bench import Bench

BRANCH = Branch(role="A1", branch_a=40, max_a=32, connection="L1-N", fallback_a=8)
SITE = Site(name="one", service=Service(rating_a=100, voltage_v=230, wiring="single-phase"), branches=(BRANCH,))
NO_DIODE = Circuit(ev=Ev(diode="shorted"))
SHORT = Circuit(cable=Cable(short_ohm=0.1))
BROKEN = Circuit(cable=Cable(broken=True))
FAULTS = [("diode", NO_DIODE, PILOT.diode_s), ("short", SHORT, PILOT.short_s)]
VERSIONS = ["1.6", "2.0.1", "2.1"]


def station(version: str, timing: EvseTiming = PILOT) -> Bench:
    """A station in a real plant."""
    bench = Bench(version, BRANCH, pilot=timing)
    bench.site = SITE
    return bench


async def charging(b: Bench) -> None:
    """A car charges."""
    await b.station.plug_in("leaf-40", energy_kwh=20.0)
    await asyncio.sleep(30)
    assert closed(b) == 1.0


def closed(b: Bench) -> float | None:
    """Whether the contactor is."""
    return b.record.signals[contactor("A1")].last()


def opened_at(b: Bench) -> float:
    """When the contactor moved last."""
    t, _values = b.record.signals[contactor("A1")].rows()
    return float(t[-1])


def state(b: Bench) -> str:
    """What is on the wire now."""
    return b.real.pilot_wire("A1").at(clock.time()).state


def told(b: Bench) -> list[tuple[str, ...]]:
    """Every status that the station has sent since it boots, with what its version says of an error."""
    if b.version == "1.6":
        return [(m["status"], m["error_code"], m.get("vendor_error_code", "")) for m in b.sent("StatusNotification")]
    return [(m["connector_status"],) for m in b.sent("StatusNotification")]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("name", "circuit", "after_s"), FAULTS)
def test_a_fault_ends_the_charge_and_is_reported(version: str, name: str, circuit: Circuit, after_s: float) -> None:
    """Contactor open and state F when the fault has stood for its time, x1 after 0.3 s, Faulted to the controller."""

    async def body(b: Bench) -> None:
        await charging(b)
        begun = clock.time()
        b.real.set_circuit("A1", circuit)
        await asyncio.sleep(after_s + 0.05)
        wire = b.real.pilot_wire("A1").at(clock.time())
        assert opened_at(b) - begun == pytest.approx(after_s, abs=1e-6)
        assert closed(b) == 0.0
        assert wire.duty_pct == 0.0
        await asyncio.sleep(PILOT.fault_s)
        assert b.real.pilot_wire("A1").at(clock.time()).duty_pct == 100.0
        await asyncio.sleep(1.0)
        assert told(b)[-1] == {"1.6": ("Faulted", "OtherError", "CX014")}.get(version, ("Faulted",))
        assert max(b.real.station_reading("A1").currents.values()) == 0.0
        assert b.station.status == "Faulted"
        if version != "1.6":
            (event,) = b.sent("NotifyEvent")[-1]["event_data"]
            assert (event["component"]["name"], event["variable"]["name"]) == ("CPPWMController", "Problem")
            assert (event["actual_value"], event["cleared"], event["tech_code"]) == ("true", False, "CX014")
            assert name in event["tech_info"]

    station(version).run(body)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("name", "circuit", "after_s"), FAULTS)
def test_it_charges_again_when_the_fault_is_gone(version: str, name: str, circuit: Circuit, after_s: float) -> None:
    """Half a minute of x1 after the fault it tries again, and the controller hears that nothing is wrong any more."""

    async def body(b: Bench) -> None:
        await charging(b)
        b.real.set_circuit("A1", circuit)
        await asyncio.sleep(10.0)
        b.real.set_circuit("A1", Circuit())
        await asyncio.sleep(10.0)
        assert (closed(b), told(b)[-1][0]) == (0.0, "Faulted")
        await asyncio.sleep(30.0)
        assert closed(b) == 1.0
        assert told(b)[-1][0] == {"1.6": "Charging"}.get(version, "Occupied")
        if version != "1.6":
            assert b.sent("NotifyEvent")[-1]["event_data"][0]["cleared"] is True

    station(version).run(body)


@pytest.mark.parametrize(("name", "circuit", "after_s"), FAULTS)
def test_a_fault_that_stays_keeps_the_contactor_open(name: str, circuit: Circuit, after_s: float) -> None:
    """It may try again and again: no current flows while the fault is there."""

    async def body(b: Bench) -> None:
        await charging(b)
        b.real.set_circuit("A1", circuit)
        await asyncio.sleep(after_s)
        since = clock.time()
        await asyncio.sleep(200.0)
        t, values = b.record.signals[contactor("A1")].rows()
        assert not values[t > since].any()
        assert closed(b) == 0.0

    station("1.6").run(body)


def test_a_short_that_stays_is_told_once() -> None:
    """It can be seen without PWM: the station does not take it for gone."""

    async def body(b: Bench) -> None:
        await charging(b)
        b.real.set_circuit("A1", SHORT)
        await asyncio.sleep(200.0)
        assert [one[0] for one in told(b)].count("Faulted") == 1
        assert len(list(b.record.events_of("station.pilot"))) == 1

    station("1.6").run(body)


def test_one_fault_at_a_time() -> None:
    """A short right after the diode has failed is no second fault."""

    async def body(b: Bench) -> None:
        await charging(b)
        b.real.set_circuit("A1", NO_DIODE)
        await asyncio.sleep(0.05)
        b.real.set_circuit("A1", replace(NO_DIODE, cable=SHORT.cable))
        await asyncio.sleep(5.0)
        assert [event.data["fault"] for event in b.record.events_of("station.pilot")] == ["diode"]

    station("1.6").run(body)


def test_a_new_car_is_not_blamed_for_the_one_before() -> None:
    """Unplugging ends a fault at once."""

    async def body(b: Bench) -> None:
        await charging(b)
        b.real.set_circuit("A1", NO_DIODE)
        await asyncio.sleep(5.0)
        await b.station.unplug()
        b.real.set_circuit("A1", Circuit())
        await asyncio.sleep(1.0)
        assert told(b)[-1][0] == "Available"
        await charging(b)

    station("1.6").run(body)


def test_a_glitch_is_no_fault() -> None:
    """A short that is gone after 0.4 s leaves the charge alone."""

    async def body(b: Bench) -> None:
        await charging(b)
        before = len(told(b))
        b.real.set_circuit("A1", SHORT)
        await asyncio.sleep(0.4)
        b.real.set_circuit("A1", Circuit())
        await asyncio.sleep(20.0)
        assert (closed(b), len(told(b))) == (1.0, before)

    station("1.6").run(body)


def test_a_broken_pilot_opens_the_contactor() -> None:
    """Without a pilot there is no car to be seen: the contactor opens at once, and the PWM ends."""

    async def body(b: Bench) -> None:
        await charging(b)
        begun = clock.time()
        b.real.set_circuit("A1", BROKEN)
        await asyncio.sleep(0.1)
        assert opened_at(b) == pytest.approx(begun, abs=1e-6)
        b.real.set_circuit("A1", Circuit())
        await asyncio.sleep(30.0)
        assert closed(b) == 1.0

    station("1.6").run(body)


def test_a_station_without_the_check_charges_without_a_diode() -> None:
    """What a station does not check it does not find."""

    async def body(b: Bench) -> None:
        await charging(b)
        b.real.set_circuit("A1", NO_DIODE)
        await asyncio.sleep(60.0)
        assert closed(b) == 1.0

    station("1.6", replace(PILOT, checks_diode=False)).run(body)


@pytest.mark.parametrize("name", ["none", "everest", "phoenix-contact", "warp"])
def test_a_sleeping_car_is_woken(name: str) -> None:
    """A car that stays in B2 sees the pulses of its station: 30 s after the PWM EVerest goes to F for 4 s."""
    pulses = wake_up(name)

    async def body(b: Bench) -> list[tuple[float, str]]:
        await b.station.plug_in("leaf-40")
        b.real.pause("A1", True)
        await asyncio.sleep(20.0)
        assert state(b) == "B2"
        began = next(c.t for c in b.real.pilot_wire("A1").since(-math.inf) if c.state == "B2")
        seen: list[tuple[float, str]] = []
        for _ in range(int(began + 250.0 - clock.time())):
            await asyncio.sleep(1.0)
            change = b.real.pilot_wire("A1").at(clock.time())
            now = "open" if change.circuit.cable.broken else change.state
            if not seen or seen[-1][1] != now:
                seen.append((clock.time() - began, now))
        return seen

    seen: Any = station("1.6", replace(PILOT, wake_up=pulses)).run(body)
    done = [(t, what) for t, what in seen if what in ("F", "open")]
    assert [what for _t, what in done] == [pulse.kind for pulse in pulses]
    if done:
        assert done[0][0] == pytest.approx(pulses[0].wait_s, abs=1.1)
    assert seen[-1][1] == "B2"


def test_a_car_that_has_charged_is_left_in_peace() -> None:
    """It has enough: the station does not wake it."""

    async def body(b: Bench) -> None:
        await charging(b)
        b.real.pause("A1", True)
        await asyncio.sleep(55.0)
        assert {change.state for change in b.real.pilot_wire("A1").since(clock.time() - 50.0)} <= {"C2", "B2"}

    station("1.6", replace(PILOT, wake_up=wake_up("everest"))).run(body)


def test_a_pause_of_the_car_opens_and_closes() -> None:
    """A car that has enough goes to B with less than 1 A, and charges again when it wants; the PWM stays."""

    async def body(b: Bench) -> None:
        await charging(b)
        b.real.pause("A1", True)
        await asyncio.sleep(10.0)
        assert (closed(b), state(b)) == (0.0, "B2")
        b.real.pause("A1", False)
        await asyncio.sleep(10.0)
        assert (closed(b), state(b)) == (1.0, "C2")
        assert max(b.real.station_reading("A1").currents.values()) > 25.0

    station("1.6").run(body)
