"""A real station in a rig: what it was told, the tap in its connection, and a probe on its pilot.

The real ones are played by emulated ones behind the bench's back: the bench reaches them by their protocols only.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hilbench import clock
from hilbench.bench import Bench
from hilbench.commanded import Commanded
from hilbench.errors import InputError
from hilbench.measuring import Measure
from hilbench.modbus_address import modbus_address
from hilbench.nature import fitting
from hilbench.ocpp_tap import OcppTap
from hilbench.procedures import Procedure, car_pauses, catalogue, pilot_duty, wake_up
from hilbench.rig import Rig, find_rig, load_rig
from hilbench.signals import Record, profile_limit
from hilbench.site import Branch, Service, Site
from hilbench.verdict import Measurement
from hilbench_emulators.ev_simulator import EmulatedEvSimulator
from hilbench_emulators.oscilloscope_rigol import RigolDs1000z
from hilbench_emulators.pilot import voltage
from hilbench_emulators.pilot.evse_watch import EvseTiming
from hilbench_emulators.plant import Plant
from hilbench_emulators.scpi_server import ScpiServer
from hilbench_emulators.smart_charging import Version
from hilbench_emulators.station.ocpp16 import AcStation16
from hilbench_emulators.station.quirks import pilot_timing
from hilbench_emulators.station.settings import PILOT, StationSettings
from tests import station_bench
from tests.live import free_ports
from tests.station_bench import stamp

BRANCH = Branch(role="A", branch_a=40, max_a=32, connection="L1-L2-L3")
SITE = Site(name="one", service=Service(rating_a=63, voltage_v=400, wiring="three-phase"), branches=(BRANCH,))
UTC = 1_717_516_800.0


# what it was told


def profile16(limit: float, unit: str = "A", **more: Any) -> dict[str, Any]:
    """A default profile of OCPP 1.6 as it is on the wire."""
    schedule = {"chargingRateUnit": unit, "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}]}
    return {
        "chargingProfileId": 1,
        "stackLevel": 1,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": schedule,
        **more,
    }


class Talk:
    """Frames between a station and its controller."""

    def __init__(self, version: Version = Version.V16) -> None:
        self.told = Commanded(version, BRANCH, 230.0)
        self._number = 0

    def ask(self, action: str, payload: dict[str, Any], answer: dict[str, Any], *, station: bool = False) -> float:
        """A call of the controller, or of the station, and its answer; the limit after it."""
        self._number += 1
        asker, other = ("station", "controller") if station else ("controller", "station")
        self.told.hear(UTC, asker, json.dumps([2, str(self._number), action, payload]))  # type: ignore[arg-type]
        self.told.hear(UTC, other, json.dumps([3, str(self._number), answer]))  # type: ignore[arg-type]
        return self.told.limit_a(UTC)

    def set(self, profile: dict[str, Any], status: str = "Accepted") -> float:
        """A profile of OCPP 1.6 for the first connector."""
        return self.ask("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile}, {"status": status})


def started(talk: Talk, number: int = 7) -> float:
    """A transaction of OCPP 1.6 begins."""
    payload = {"connectorId": 1, "idTag": "T", "meterStart": 0, "timestamp": "2024-06-04T16:00:00Z"}
    answer = {"transactionId": number, "idTagInfo": {"status": "Accepted"}}
    return talk.ask("StartTransaction", payload, answer, station=True)


def test_what_is_accepted_counts() -> None:
    """Nothing commanded is the nameplate; an accepted limit counts, in watts too, a rejected one does not."""
    talk = Talk()
    started(talk)
    assert talk.told.limit_a(UTC) == 32.0
    assert talk.set(profile16(16.0)) == 16.0
    assert talk.set(profile16(10.0), "Rejected") == 16.0
    assert talk.set(profile16(6900.0, "W", chargingProfileId=2, stackLevel=2)) == pytest.approx(10.0)
    assert talk.set(profile16(99.0, chargingProfileId=3, stackLevel=3)) == 32.0


def test_what_is_cleared_counts_no_more() -> None:
    """By id, and by purpose."""
    talk = Talk()
    started(talk)
    talk.set(profile16(16.0))
    assert talk.ask("ClearChargingProfile", {"id": 1}, {"status": "Unknown"}) == 16.0
    assert talk.ask("ClearChargingProfile", {"id": 1}, {"status": "Accepted"}) == 32.0
    talk.set(profile16(12.0))
    wanted = {"connectorId": 1, "chargingProfilePurpose": "TxDefaultProfile"}
    assert talk.ask("ClearChargingProfile", wanted, {"status": "Accepted"}) == 32.0


def test_a_profile_of_a_transaction_ends_with_it() -> None:
    """Before the default one while it runs; one that came with the remote start waits for it."""
    talk = Talk()
    tx = profile16(8.0, chargingProfilePurpose="TxProfile", stackLevel=0, chargingProfileId=5)
    talk.ask("RemoteStartTransaction", {"idTag": "T", "connectorId": 1, "chargingProfile": tx}, {"status": "Accepted"})
    assert started(talk) == 8.0
    assert talk.set({**tx, "transactionId": 7, "chargingSchedule": profile16(9.0)["chargingSchedule"]}) == 9.0
    stop = {"transactionId": 7, "meterStop": 1, "timestamp": "2024-06-04T16:00:00Z"}
    talk.ask("StopTransaction", stop, {}, station=True)
    assert started(talk, 8) == 32.0


def test_requests_without_an_answer_are_given_up() -> None:
    """However many there are, the newest is still known when its answer comes."""
    talk = Talk()
    for number in range(3000):
        talk.told.hear(UTC, "controller", json.dumps([2, f"lost-{number}", "Reset", {"type": "Soft"}]))
    assert talk.set(profile16(16.0)) == 16.0


@pytest.mark.parametrize(
    "text", ["", "[", "{}", "[2]", "[3,1]", '[3,"x",{}]', '[2,"1","SetChargingProfile",3]', "[9,9,9]"]
)
def test_what_is_no_frame_changes_nothing(text: str) -> None:
    """Nonsense of either side is passed over."""
    talk = Talk()
    talk.told.hear(UTC, "station", text)
    talk.told.hear(UTC, "controller", text)
    assert talk.told.limit_a(UTC) == 32.0


def test_an_accepted_profile_that_is_not_valid_is_named() -> None:
    """A station may accept what makes no sense: then the limit is not known, and that is said."""
    talk = Talk()
    talk.set(profile16(16.0, chargingProfileKind="Absolute", chargingProfilePurpose="TxProfile"))
    assert "not valid" in talk.told.unread[0]


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_the_tap_knows_the_limit_of_the_station_behind_it(version: str) -> None:
    """Through the bench an emulated station of each version gets its profiles; what it goes by is what the tap says."""
    (listen,) = free_ports(1)
    known: list[tuple[float, float]] = []

    async def body(b: station_bench.Bench) -> list[tuple[float, float]]:
        told = Commanded(Version(version), b.branch, 230.0)
        urls = [f"ws://127.0.0.1:{b.link.port}/ocpp"]
        at = ("127.0.0.1", listen)
        tap = OcppTap(
            at, "cp-1", version, lambda: urls[0], lambda who, text: told.hear(clock.now().timestamp(), who, text)
        )
        await tap.start()
        b.station._uplink._url = lambda: f"ws://127.0.0.1:{listen}"
        b.link.cut("reset")
        b.link.restore()
        await asyncio.sleep(60)
        assert (tap.problem, told.accepted) == ("", True)
        await b.station.plug_in(object())
        await asyncio.sleep(10)
        for limit in (16.0, 6.0, 0.0, 23.5):
            await _limit(b, limit)
            await asyncio.sleep(5)
            known.append((told.limit_a(clock.now().timestamp()), b.station.limit_a))
        await b.station.unplug()
        await asyncio.sleep(5)
        await b.station.plug_in(object())
        await asyncio.sleep(10)
        known.append((told.limit_a(clock.now().timestamp()), b.station.limit_a))
        assert told.unread == []
        await tap.stop()
        await tap.stop()
        return known

    station_bench.Bench(version).run(body)
    assert [ours for ours, _theirs in known] == [theirs for _ours, theirs in known]
    assert [theirs for _ours, theirs in known] == [16.0, 6.0, 0.0, 23.5, 32.0]


async def _limit(b: station_bench.Bench, limit: float) -> None:
    """A TxProfile from the central system."""
    schedule: dict[str, Any] = {
        "charging_rate_unit": "A",
        "charging_schedule_period": [{"start_period": 0, "limit": limit}],
        "start_schedule": stamp(),
    }
    common = {"stack_level": 1, "charging_profile_purpose": "TxProfile", "charging_profile_kind": "Absolute"}
    if b.version == "1.6":
        wanted = {**common, "charging_profile_id": 1, "charging_schedule": schedule}
        wanted["transaction_id"] = b.station.transaction_id
        answer = await b.ask("SetChargingProfile", connector_id=1, cs_charging_profiles=wanted)
    else:
        wanted = {**common, "id": 1, "charging_schedule": [{"id": 1, **schedule}]}
        wanted["transaction_id"] = b.station.transaction_id
        answer = await b.ask("SetChargingProfile", evse_id=1, charging_profile=wanted)
    assert answer.status == "Accepted"


# the rig

WRONG = {
    "no car": (('evse = "A"', 'evse = "B"'), "station[0]", "has no car"),
    "nowhere to dial": (('listen = "ws://0.0.0.0:9100"', ""), "listen", "must dial the bench"),
    "no place": (("ws://0.0.0.0:9100", "tcp://0.0.0.0:9100"), "listen", "does not start with ws://"),
    "the controller's port": ((":9100", ":9000"), "listen", "is also that of controller.ocpp"),
    "traits": (('ocpp = "1.6"', 'ocpp = "1.6"\npersonality = "zaptec"'), "personality", "is for emulated stations"),
    "emulated": (('device = "ocpp"', 'device = "emulated:ac"'), "listen", "only a real station"),
}


def rig_file(folder: Path, *changes: tuple[str, str]) -> str:
    """The rig of a real station with changes in its text."""
    text = find_rig("scope-station").read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "station.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(("change", "where", "what"), WRONG.values(), ids=WRONG.keys())
def test_what_does_not_fit_is_told(tmp_path: Path, change: tuple[str, str], where: str, what: str) -> None:
    """Each mistake in the tables of a real station has its place and its reason."""
    with pytest.raises(InputError) as raised:
        load_rig(rig_file(tmp_path, change))
    told = [(problem.where, problem.what) for problem in raised.value.problems]
    assert any(where in place and what in said for place, said in told), told


def test_a_real_station_takes_real_time() -> None:
    """All three are real, and nobody else may use them meanwhile."""
    rig = load_rig("scope-station")
    assert rig.real_parts == ("station 'A'", "instrument.scope", "board.ev")
    assert rig.station("A").dialled == ("0.0.0.0", 9100)
    assert "ws://0.0.0.0:9100" in rig.real_addresses


# the whole path


@dataclass
class Socket:
    """The connector of the station that plays the real one, for an EV simulator: its car obeys the simulator."""

    plant: Plant
    station: AcStation16
    tasks: set[asyncio.Task[None]]

    @property
    def pilot(self) -> Any:
        """What stands on the wire."""
        duty = self.plant.pilot_wire("A").at(clock.time()).duty_pct
        level = "PWM" if 0.0 < duty < 100.0 else "P12" if duty else "N12"
        return type("Drive", (), {"level": level, "duty_pct": duty if level == "PWM" else None})

    def load(self, state: str, *, diode: bool = True) -> None:  # noqa: ARG002 - this one keeps its diode
        """See ``Outlet`` of the simulator."""
        self.tasks.add(asyncio.get_running_loop().create_task(self._load(state)))

    async def _load(self, state: str) -> None:
        if state == "A":
            await self.station.unplug()
            return
        if self.plant.pilot_state("A") == "A":
            await self.station.plug_in("model-3", energy_kwh=30.0)
        self.plant.pause("A", state == "B")


@asynccontextmanager
async def hardware(
    listen: int, scope: int, ev: int, *, short_pct: float = 0.0, pilot: EvseTiming = PILOT
) -> AsyncIterator[None]:
    """A station whose pilot is ``short_pct`` points short of what it means, a scope on it, and a simulator in it."""
    record = Record()
    plant = Plant(SITE, record)
    set_pilot = plant.set_pilot

    def short(role: str, duty_pct: float | None) -> None:
        set_pilot(role, duty_pct - short_pct if duty_pct is not None and 0.0 < duty_pct < 100.0 else duty_pct)

    plant.set_pilot = short  # type: ignore[method-assign]
    station = AcStation16(
        BRANCH,
        plant,
        url=f"ws://127.0.0.1:{listen}",
        identity="A",
        record=record,
        settings=StationSettings(pilot=pilot),
    )
    socket = Socket(plant, station, set())
    simulator = EmulatedEvSimulator(socket, "ev", modbus_address(f"tcp://127.0.0.1:{ev}"))
    looks = RigolDs1000z({1: partial(voltage, plant.pilot_wire("A"))})
    server = ScpiServer("scope", looks, host="127.0.0.1", port=scope)
    devices: list[Any] = [station, simulator, server]
    for device in devices:
        await device.start()
    try:
        yield
    finally:
        for device in reversed(devices):
            await device.stop()
        await asyncio.gather(*socket.tasks, return_exceptions=True)
        plant.stop()


def real_rig(folder: Path, ports: list[int]) -> Rig:
    """The shipped rig with the addresses of this machine; the last two ports are controller and meter."""
    dialled, scope, ev, controller, meter = ports
    changes = [
        ("0.0.0.0:9100", f"127.0.0.1:{dialled}"),
        ("TCPIP::192.168.1.20::5555::SOCKET", f"tcp://127.0.0.1:{scope}"),
        ("probe_ratio = 10\n", "probe_ratio = 10\ntimeout_s = 40.0\n"),
        ("serial:///dev/ttyUSB0", f"tcp://127.0.0.1:{ev}"),
        ("127.0.0.1:9000", f"127.0.0.1:{controller}"),
        ('device = "emulated:ct"', f'device = "emulated:ct"\naddress = "tcp://127.0.0.1:{meter}"'),
    ]
    return load_rig(rig_file(folder, *changes))


def conduct(folder: Path, procedures: list[Procedure], **built: Any) -> tuple[Bench, list[Measurement]]:
    """What ``procedures`` find at a station that the bench knows by its sockets alone, twenty times as fast as real."""
    ports = free_ports(5)
    rig = real_rig(folder, ports)

    async def run() -> tuple[Bench, list[Measurement]]:
        found: list[Measurement] = []
        async with hardware(*ports[:3], **built):
            async with Bench(rig, log_folder=folder, guardian_folder=folder) as bench:
                for procedure in procedures:
                    assert procedure.needs <= bench.capabilities()
                    measure = Measure(bench, procedure.id)
                    await procedure.run(bench, measure)
                    found += measure.results
            assert bench.unsafe == []
        return bench, found

    return clock.run(run(), "x20")


@pytest.mark.parametrize(("short_pct", "verdict"), [(0.0, "PASS"), (1.5, "FAIL")])
def test_the_pilot_of_a_real_station_is_held_against_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_pct: float, verdict: str
) -> None:
    """3.5 over controller, tap, EV simulator and scope: a station 1.5 points short fails by just that."""
    monkeypatch.setattr(pilot_duty, "LEVELS", 2)
    bench, results = conduct(tmp_path, [pilot_duty.PROCEDURE], short_pct=short_pct)
    assert len(set(bench.record.signals[profile_limit("A")].rows()[1])) >= 3
    found = {one.metric: one for one in results}
    assert found["pilot_duty_error"].verdict.value == verdict, found
    assert found["pilot_duty_error"].value == pytest.approx(short_pct, abs=0.02)


def test_a_real_station_wakes_its_car_and_bears_its_pauses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """12.4 and 12.6 by the pilot alone: nobody sees the contactor of a real station."""
    monkeypatch.setattr(car_pauses, "TOGGLES", 1)
    pilot = pilot_timing((), "everest")
    _bench, results = conduct(tmp_path, [wake_up.PROCEDURE, car_pauses.PROCEDURE], pilot=pilot)
    found = {one.metric: one for one in results}
    assert {one.verdict.value for one in results} == {"PASS"}, found
    assert set(found) == {
        *("wake_up_time", "wake_up_pulse", "pilot_level_error", "time_above_budget", "time_above_rating")
    }
    assert found["wake_up_time"].value == pytest.approx(30.0, abs=2.0)


def test_a_rig_with_a_real_station_leaves_out_what_needs_a_car_of_the_bench() -> None:
    """What only the bench's own car or station can show is not asked of a real one."""
    kept, left = fitting(catalogue(), load_rig("scope-station"))
    assert {"3.5", "3.6", "12.4", "12.6"} <= {one.id for one in kept}
    assert {"12.3b", "12.5", "7.1", "2.4"} <= {told.split()[0] for told in left}
