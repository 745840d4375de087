"""The pilot wire as part of a rig: oscilloscopes on pilots, boards, and the procedures that use them."""

from __future__ import annotations

import asyncio
import json
import math
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from hilbench import clock
from hilbench.bench import Bench
from hilbench.errors import InputError
from hilbench.measuring import Measure
from hilbench.measuring.pilots import Look
from hilbench.metrics import pilot_watch
from hilbench.metrics.pilot import measure
from hilbench.records import read_record
from hilbench.rig import find_rig, load_rig
from hilbench.runner import Job, execute
from hilbench.signals import profile_limit
from hilbench_emulators.openevse import EmulatedOpenEvse
from hilbench_emulators.pilot import timing
from hilbench_emulators.pilot.timing import Pulse
from hilbench_emulators.plant import Plant
from tests.live import free_ports

DIALECTS = ("rigol", "siglent", "keysight", "tektronix")


def rig_file(folder: Path, *changes: tuple[str, str]) -> str:
    """The rig of the pilot wire with changes in its text."""
    text = find_rig("pilot-2").read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "pilot.toml"
    path.write_text(text)
    return str(path)


def result(rig: str, procedure: str) -> dict[str, Any]:
    """What ``procedure`` found."""
    return execute(Job(rig, procedure, 1, None))


def worst(found: dict[str, Any], metric: str) -> dict[str, Any]:
    """The worst measurement of ``metric``."""
    return max((one for one in found["measurements"] if one["metric"] == metric), key=lambda one: float(one["value"]))


@pytest.mark.parametrize("procedure", ["3.5", "3.6", "12.1", "12.3", "12.3b", "12.4", "12.5", "12.6"])
def test_a_good_station_board_and_car_pass(procedure: str) -> None:
    """The emulated station, board and car keep what the procedures of the pilot ask for."""
    found = result("pilot-2", procedure)
    assert found["verdict"] == "PASS", (found["error"], found["measurements"])


def test_an_openevse_opens_its_relay_too_late() -> None:
    """Its firmware waits 250 ms before it believes in state B, and the limit is 100 ms; all else of 12.2 is in time."""
    found = result("pilot-2", "12.2")
    failed = {one["metric"] for one in found["measurements"] if one["verdict"] == "FAIL"}
    assert failed == {"contactor_open_time"}
    assert worst(found, "contactor_open_time")["value"] == pytest.approx(0.25, abs=0.02)
    assert {one["metric"] for one in found["measurements"]} == {
        "contactor_open_time",
        "contactor_close_time",
        "contactor_forced_time",
    }


def test_a_station_that_offers_too_little_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A duty cycle 2.8 points low, as of one OpenEVSE kit (openevse_esp32#588), fails 3.5 by just that."""
    set_pilot = Plant.set_pilot

    def low(self: Plant, role: str, duty_pct: float | None) -> None:
        set_pilot(self, role, duty_pct - 2.8 if duty_pct is not None and 12.0 < duty_pct < 100.0 else duty_pct)

    monkeypatch.setattr(Plant, "set_pilot", low)
    found = result("pilot-2", "3.5")
    assert found["verdict"] == "FAIL"
    assert worst(found, "pilot_duty_error")["value"] == pytest.approx(2.8, abs=0.01)


def test_a_car_that_follows_late_is_found(tmp_path: Path) -> None:
    """A car that begins to follow after 6.5 s fails 12.5."""
    late = tmp_path / "late.toml"
    model = resources.files("hilbench_emulators") / "vehicle_data" / "model-3.toml"
    late.write_text(model.read_text().replace("dead_time_s = 1.0", "dead_time_s = 6.5"))
    found = result(rig_file(tmp_path, ('"model-3"', '"late.toml"')), "12.5")
    assert found["verdict"] == "FAIL", found["error"]
    assert 5.0 < worst(found, "ev_reaction_time")["value"] < 12.0


WAKES = 'wake_up = "everest"'


def test_a_slow_contactor_is_found(tmp_path: Path) -> None:
    """One that opens half a second late and closes 4 s late fails 12.6 by just that, and keeps the budget."""
    found = result(rig_file(tmp_path, (WAKES, 'quirks = ["slow-contactor"]')), "12.6")
    failed = {one["metric"] for one in found["measurements"] if one["verdict"] == "FAIL"}
    assert failed == {"contactor_open_time", "contactor_close_time"}, found["error"]
    assert worst(found, "contactor_open_time")["value"] == pytest.approx(0.5, abs=0.01)
    assert worst(found, "contactor_close_time")["value"] == pytest.approx(4.0, abs=0.01)


def test_a_station_that_does_not_look_for_the_diode_is_found(tmp_path: Path) -> None:
    """It fails 12.3b, by nothing but the diode."""
    found = result(rig_file(tmp_path, (WAKES, 'quirks = ["no-diode-check"]')), "12.3b")
    failed = [one for one in found["measurements"] if one["verdict"] == "FAIL"]
    assert [(one["metric"], one["value"]) for one in failed] == [("fault_open_time", "inf")], found["error"]
    assert "no diode" in failed[0]["note"]


@pytest.mark.parametrize(
    ("name", "verdict", "wait_s", "pulse_s"),
    [
        ("none", "FAIL", math.inf, None),
        ("warp", "PASS", 90.0, 4.0),
    ],
)
def test_how_stations_wake_cars(tmp_path: Path, name: str, verdict: str, wait_s: float, pulse_s: float | None) -> None:
    """12.4 finds the pulse of each known wake-up, by state F or by an open pilot, and that there is none."""
    found = result(rig_file(tmp_path, (WAKES, f'wake_up = "{name}"')), "12.4")
    assert (found["verdict"], found["error"]) == (verdict, "")
    assert float(worst(found, "wake_up_time")["value"]) == pytest.approx(wait_s, abs=0.6)
    if pulse_s is not None:
        assert worst(found, "wake_up_pulse")["value"] == pytest.approx(pulse_s, abs=0.6)


def test_a_pulse_that_is_too_short_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """State F for a second wakes nobody who needs four."""
    monkeypatch.setattr(timing, "WAKE_UPS", {"everest": (Pulse(30.0, "F", 1.0, 0.75),)})
    found = result("pilot-2", "12.4")
    assert {one["metric"] for one in found["measurements"] if one["verdict"] == "FAIL"} == {"wake_up_pulse"}


def test_an_openevse_wakes_nobody() -> None:
    """Its firmware has no wake-up: 12.4b says so."""
    found = result("pilot-2", "12.4b")
    assert [(one["metric"], one["verdict"]) for one in found["measurements"]] == [("wake_up_time", "FAIL")]


def test_a_board_that_wakes_cars_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """12.4b passes with a board that goes to -12 V for 4 s once a car has been in state B for 30 s of PWM."""
    start, looks_s = EmulatedOpenEvse.start, 0.1

    async def wakes(board: EmulatedOpenEvse) -> None:
        waited_s = 0.0
        while True:
            await asyncio.sleep(looks_s)
            asleep = board.core.vehicle.state == "B" and board.pilot.level == "PWM"
            waited_s = waited_s + looks_s if asleep else 0.0
            if waited_s >= 30.0:
                board.core.disable()
                await asyncio.sleep(4.0)
                board.core.enable()
                board.load("B")
                waited_s = -math.inf

    async def started(self: EmulatedOpenEvse) -> None:
        await start(self)
        tasks.append(asyncio.get_running_loop().create_task(wakes(self)))

    tasks: list[asyncio.Task[None]] = []
    monkeypatch.setattr(EmulatedOpenEvse, "start", started)
    found = result("pilot-2", "12.4b")
    assert found["verdict"] == "PASS", (found["error"], found["measurements"])
    assert worst(found, "wake_up_time")["value"] == pytest.approx(30.0, abs=0.7)


def three_cars(folder: Path) -> str:
    """The rig with two more stations behind a service of 40 A, without boards."""
    text = find_rig("pilot-2").read_text()
    a, rest = text.index("[board.evse]"), text.index("[building]")
    text = text[:a] + text[rest:]
    station = text[text.index("[[station]]") : text.index("[controller]")]
    more = "".join(station.replace('role = "A"', f'role = "{role}"') for role in "BC")
    text = text.replace("[controller]", f"{more}[controller]", 1).replace("A = 1, evse = 2", "A = 1")
    path = folder / "three.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(("defect", "verdict"), [(None, "PASS"), ("ignores-meter", "FAIL")])
def test_what_a_paused_car_leaves_comes_back_to_it(tmp_path: Path, defect: str | None, verdict: str) -> None:
    """Beside two others that may take it, the budget is kept; a controller that ignores the building fails 12.6."""
    found = execute(Job(three_cars(tmp_path), "12.6", 1, None, defect=defect))
    assert (found["verdict"], found["error"]) == (verdict, "")
    failed = {one["metric"] for one in found["measurements"] if one["verdict"] == "FAIL"}
    assert failed <= {"time_above_budget", "time_above_rating"}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_full_path_over_visa(dialect: str, tmp_path: Path) -> None:
    """Controller, OCPP, station, pilot, oscilloscope, SCPI through PyVISA on a real socket, and a verdict."""
    pytest.importorskip("pyvisa_py")
    ports = free_ports(5)
    numbers = ("9000", "5020", "5555", "8023", "8024")
    changes = [(f":{old}", f":{new}") for old, new in zip(numbers, ports, strict=True)]
    socket = f"TCPIP::127.0.0.1::{ports[2]}::SOCKET"
    changes.append(("probe_ratio = 10", "probe_ratio = 10\ntimeout_s = 40.0"))  # 2 s of the machine's time
    changes += [(f"tcp://127.0.0.1:{ports[2]}", socket), ("emulated:rigol", f"emulated:{dialect}")]
    rig = load_rig(rig_file(tmp_path, *changes))

    async def see() -> list[Any]:
        async with Bench(rig, log_folder=tmp_path) as bench:
            measure, looks = Measure(bench, "3.5"), []
            await bench.plug_in("A")
            await bench.settled(quiet_s=8.0)
            for left_a in (bench.room_a, 10.0):
                bench.base_load.step(bench.room_a - left_a)
                await bench.settled(quiet_s=15.0)
                seen = await bench.pilots.probes["A"].look()
                looks.append(Look("A", bench.record.signals[profile_limit("A")].value_at(seen.t), seen))
            assert abs(looks[0].commanded_a - looks[1].commanded_a) > 5.0
            return [measure(metric, looks=looks) for metric in ("pilot_duty_error", "pilot_frequency_error")]

    found = clock.run(see(), "x20")
    assert [(one.verdict.value, one.value < 0.01) for one in found] == [("PASS", True), ("PASS", True)]


def test_when_a_record_was_taken_is_known() -> None:
    """The pilot goes from A to B within what the times of two looks around it say."""

    async def see() -> tuple[float, list[Any]]:
        async with Bench(load_rig("pilot-2")) as bench:
            probe = bench.pilots.probes["A"]
            before = await probe.look()
            await bench.plug_in("A")
            now = clock.time()
            return now, [before, await probe.look()]

    now, (before, after) = clock.run(see(), "virtual")
    assert (before.pilot.state[0], after.pilot.state[0]) == ("A", "B")
    assert before.t - before.uncertainty_s <= now <= after.t + after.uncertainty_s
    assert max(before.uncertainty_s, after.uncertainty_s) < 0.1


def test_the_records_that_decided_are_kept(tmp_path: Path) -> None:
    """Each measurement of 12.1 names its record, and whoever measures that again finds what was written beside it."""
    found = execute(Job("pilot-2", "12.1", 1, tmp_path))
    index = json.loads((tmp_path / "records" / "index.json").read_text())["records"]
    kept = {one["name"]: one for one in index}
    named = [name for one in found["measurements"] for name in one["records"]]
    assert set(named) == set(kept)
    assert len(named) == len(found["measurements"]) == 3
    for one in kept.values():
        again = measure(read_record(tmp_path / "records" / one["file"]))
        assert again.source_duty_pct.value == one["about"]["source_duty_pct"]["value"]
        assert again.frequency_hz.uncertainty == one["about"]["frequency_hz"]["uncertainty"]


def test_a_long_watch_keeps_the_records_around_changes_only() -> None:
    """Of forty looks the first, the last and those on both sides of two changes: a car that comes and goes."""

    async def see() -> list[Any]:
        async with Bench(load_rig("pilot-2")) as bench:
            watching = asyncio.create_task(bench.pilots.probes["A"].watch(8.0, 0.2))
            await asyncio.sleep(3.0)
            await bench.plug_in("A")
            await asyncio.sleep(0.5)
            await bench.unplug("A")
            return await watching

    seen = clock.run(see(), "virtual")
    states = [one.pilot.state for one in seen]
    kept = [at for at, one in enumerate(seen) if one.record is not None]
    ends = {0, len(seen) - 1}
    changed = {at for at in range(1, len(seen)) if states[at] != states[at - 1]}
    assert len(changed) >= 2
    assert ends | changed | {at - 1 for at in changed} == set(kept)
    assert len(kept) < len(seen) / 3


WRONG = {
    "no such pilot": (("A = 1", "X = 1"), "instrument.scope.pilot.X", "there is no station or EVSE board 'X'"),
    "one channel twice": (("evse = 2", "evse = 1"), "instrument.scope", "two pilots on one channel"),
    "address of another": (("8024", "8023"), "board.ev.address", "is that of board.evse"),
    "an emulated scope on a real board": (('"emulated:openevse"', '"openevse"'), "instrument.scope", "is real"),
    "no address": (("tcp://127.0.0.1:5555", "COM1"), "instrument.scope", "does not start with tcp://"),
    "plugged in nowhere": (('evse = "evse" ', 'evse = "wall" '), "board.ev.evse", "no EVSE board or station 'wall'"),
    "plugged into a station": (('evse = "evse" ', 'evse = "A" '), "board.ev.evse", "an emulated board only"),
    "no such quirk": (("probe_ratio = 10", 'quirks = ["loud"]'), "instrument.scope.quirks", "there is no quirk 'loud'"),
}


@pytest.mark.parametrize(("change", "where", "what"), WRONG.values(), ids=WRONG.keys())
def test_what_does_not_fit_is_told(tmp_path: Path, change: tuple[str, str], where: str, what: str) -> None:
    """Each mistake in the tables of the pilot side has its place and its reason."""
    with pytest.raises(InputError) as raised:
        load_rig(rig_file(tmp_path, change))
    told = [(problem.where, problem.what) for problem in raised.value.problems]
    assert any(where in place.replace('"', "") and what in said for place, said in told), told


def test_a_rig_with_a_real_board_takes_real_time(tmp_path: Path) -> None:
    """Real boards and instruments are named among the real parts."""
    text = find_rig("pilot-2").read_text().replace('"emulated:', '"').replace('"rigol"', '"oscilloscope"')
    text = text.replace('device = "ac"', 'device = "emulated:ac"').replace('device = "ct"', 'device = "emulated:ct"')
    path = tmp_path / "real.toml"
    path.write_text(text)
    assert load_rig(str(path)).real_parts == ("instrument.scope", "board.evse", "board.ev")


# rows of looks

SLEEPS = [(0.0, "B1"), (1.0, "B2"), (2.0, "B2"), (3.0, "F"), (5.0, "F"), (6.0, "B1"), (7.0, "B2")]


def test_a_wake_up_is_a_pulse_after_pwm() -> None:
    """It counts from the PWM to where the car is gone, and ends where it is seen again; each between two looks."""
    assert pilot_watch.wake_up(SLEEPS) == (2.0, 3.0, 2.0)
    assert pilot_watch.wake_up(SLEEPS[:5])[:2] == (2.0, math.inf)
    assert pilot_watch.wake_up([(t, "A2" if state == "F" else state) for t, state in SLEEPS]) == (2.0, 3.0, 2.0)


@pytest.mark.parametrize("rows", [[], SLEEPS[:3], [(t, "B1") for t, _state in SLEEPS], [(0.0, "F"), (1.0, "B2")]])
def test_without_a_pulse_there_is_no_wake_up(rows: list[tuple[float, str]]) -> None:
    """No PWM, no end of it, and state F before the PWM are none."""
    assert pilot_watch.wake_up(rows) == (math.inf, math.inf, 0.0)


LOOKS = [(0.0, 50.0), (1.0, 50.05), (2.0, 40.0), (3.0, 40.0), (6.0, 45.0), (12.0, 55.0), (13.0, 30.0)]


def test_a_raise_counts_from_the_change_before_it() -> None:
    """Reductions may come at any time; noise is no change."""
    assert [t for t, _was, _now in pilot_watch.changes(LOOKS)] == [2.0, 6.0, 12.0, 13.0]
    closest = pilot_watch.closest_raise(LOOKS)
    assert closest == ((2.0, 50.05, 40.0), (6.0, 40.0, 45.0))
    assert pilot_watch.closest_raise(LOOKS[:4]) is None


@pytest.mark.parametrize(
    ("pwm", "count"), [("11111", 0), ("00111", 0), ("11000", 0), ("11011", 1), ("0101001", 2), ("", 0)]
)
def test_a_gap_has_pwm_on_both_sides(pwm: str, count: int) -> None:
    """Before the first and after the last PWM nothing is missing."""
    assert len(pilot_watch.gaps([one == "1" for one in pwm])) == count
