"""The procedures of DC charging: good stations and cars pass, one that misbehaves fails where it must."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hilbench import dc_side
from hilbench.controller.building import BuildingEstimate
from hilbench.nature import facts
from hilbench.procedures import dc_recorded, select
from hilbench.rig import load_rig, rig_files
from hilbench.runner import Job, execute
from hilbench_emulators.chademo.models import CAR_ZE0, CHARGER_ZE0
from hilbench_emulators.dc import cars
from hilbench_emulators.dc.cabinet import Cabinet
from hilbench_emulators.dc_outlet.begin import RECORDED
from hilbench_emulators.dc_outlet.ccs_head import CcsHead
from hilbench_emulators.dc_outlet.chademo_head import ChademoHead
from hilbench_emulators.dc_outlet.outlet import DcOutlet

SITE = """
[site]
name = "small-dc"
service = { rating_a = 200, voltage_v = 400, wiring = "three-phase", frequency_hz = 50 }
budget_a = 160
worst_base_a = 60

[station_defaults]
device = "emulated:dc"
connection = "L1-L2-L3"
branch_a = 125
max_a = 100
fallback_a = 12

[controller]
kind = "reference"
ocpp = "ws://127.0.0.1:9000/ocpp"

[meter.service]
device = "emulated:ct"
node = "service"
address = "tcp://127.0.0.1:5020"
rated_a = 200
interval_s = 1.0
"""
CCS = '{ connector = "ccs", modules = 2, below = "hold" }'
CHADEMO = '{ connector = "chademo", modules = 2, below = "hold", least_w = 2500 }'
SHARED = '{ connector = "ccs", modules = 2, below = "hold", cabinet = "one" }'


def rig(folder: Path, *outlets: tuple[str, str], quirk: str = "", below: str = "hold", ocpp: str = "2.0.1") -> str:
    """A rig with these outlets (role, ``dc``); ``quirk`` is that of the first station."""
    text = SITE
    for index, (role, dc) in enumerate(outlets):
        quirks = f'quirks = ["{quirk}"]' if quirk and index == 0 else ""
        changed = dc.replace('below = "hold"', f'below = "{below}"')
        text += f'\n[[station]]\nrole = "{role}"\nocpp = "{ocpp}"\ndc = {changed}\n{quirks}\n'
    path = folder / "rig.toml"
    path.write_text(text)
    return str(path)


def conduct(name: str, procedure: str) -> dict[str, Any]:
    """The result of a procedure."""
    return execute(Job(name, procedure, 1, None))


def failed(result: dict[str, Any]) -> set[str]:
    """Metrics that failed."""
    return {one["metric"] for one in result["measurements"] if one["verdict"] == "FAIL"}


@pytest.mark.parametrize("procedure", ["13.1", "13.2", "13.3", "13.4", "13.8"])
def test_good_stations_pass(tmp_path: Path, procedure: str) -> None:
    """A CCS and a CHAdeMO station side by side."""
    result = conduct(rig(tmp_path, ("ccs", CCS), ("chademo", CHADEMO)), procedure)
    assert result["verdict"] == "PASS", result


def test_a_cabinet_passes(tmp_path: Path) -> None:
    """Both cars of one cabinet get what they are entitled to."""
    assert conduct(rig(tmp_path, ("left", SHARED), ("right", SHARED)), "13.5")["verdict"] == "PASS"


@pytest.mark.parametrize(
    ("procedure", "outlet", "quirk", "below", "metric"),
    [
        ("13.1", ("ccs", CCS), "ignores-lowered-limit", "hold", "dc_request_time"),
        ("13.2", ("ccs", CCS), "ends-at-zero", "standby", "dc_sessions_lost"),
        ("13.3", ("ccs", CCS), "zero-locks-up", "standby", "dc_resume_time"),
        ("13.3", ("ccs", CCS), "zero-is-no-limit", "hold", "dc_excess_a"),
        ("13.3", ("chademo", CHADEMO), "zero-is-no-limit", "hold", "dc_excess_a"),
        ("13.4", ("chademo", CHADEMO), "aborts-on-reduction", "hold", "dc_sessions_lost"),
        ("13.9", ("chademo", CHADEMO), "slow-frames", "standby", "dc_request_time"),
    ],
)
def test_a_misbehaviour_fails(
    tmp_path: Path, procedure: str, outlet: tuple[str, str], quirk: str, below: str, metric: str
) -> None:
    """The procedure that shows it has a metric that it cannot pass."""
    role, dc = outlet
    recorded = dc.replace("least_w", 'recorded = "ze0-v2x", least_w') if procedure == "13.9" else dc
    assert metric in failed(conduct(rig(tmp_path, (role, recorded), quirk=quirk, below=below), procedure))


def test_a_cabinet_that_delivers_less_fails(tmp_path: Path) -> None:
    """One outlet of 400 V gets less than its part."""
    path = Path(rig(tmp_path, ("left", SHARED), ("right", SHARED), quirk="delivers-less-and-resets"))
    path.write_text(path.read_text().replace("fallback_a = 12", 'fallback_a = 12\nvehicle = "id-3-58"', 1))
    assert "dc_cabinet_share" in failed(conduct(str(path), "13.5"))


def test_a_cabinet_that_gives_more_than_its_modules_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four modules where the rig says two: both cars are glad, and their sum is too much."""
    built = dc_side._cabinet

    def larger(outlets: list[Any]) -> Cabinet:
        cabinet = built(outlets)
        return Cabinet(cabinet.module, 2 * cabinet.modules, cabinet.policy, (2, 2))

    monkeypatch.setattr(dc_side, "_cabinet", larger)
    small = SHARED.replace("modules = 2", "modules = 1")
    assert failed(conduct(rig(tmp_path, ("left", small), ("right", small)), "13.5")) == {"dc_cabinet_load"}


@pytest.mark.parametrize(("role", "dc", "head"), [("ccs", CCS, CcsHead), ("chademo", CHADEMO, ChademoHead)])
def test_an_output_that_outlives_its_car_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: str, dc: str, head: type
) -> None:
    """A station that goes on as if its car still spoke is caught by 13.8."""
    monkeypatch.setattr(head, "silence_car", lambda _self: None)
    assert failed(conduct(rig(tmp_path, (role, dc)), "13.8")) == {"dc_silence_time"}


def test_a_station_that_keeps_its_old_limit_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No lower limit reaches the loop: neither the answer, the request nor the output has a time, nor has the grid."""
    allow = DcOutlet.allow
    highest: dict[str, float] = {}

    def deaf(self: DcOutlet, current_a: float, order_a: float | None = None, able: bool = True) -> None:
        highest[self.role] = max(current_a, highest.get(self.role, 0.0))
        allow(self, highest[self.role], order_a, able)

    monkeypatch.setattr(DcOutlet, "allow", deaf)
    found = failed(conduct(rig(tmp_path, ("ccs", CCS)), "13.1"))
    assert found == {"dc_offer_time", "dc_request_time", "dc_output_time", "dc_grid_time"}


def test_the_recorded_limit_change() -> None:
    """15 A to 0 to 15 A: the request falls within 100 ms, the output rises to 8 A and has ended 0.6 s later."""
    result = conduct("chademo-v2x", "13.9")
    found = {one["metric"]: one for one in result["measurements"]}
    assert result["verdict"] == "PASS"
    assert found["dc_request_time"]["value"] == pytest.approx(0.07, abs=0.03)
    assert found["dc_zero_time"]["value"] == pytest.approx(0.5, abs=0.09)
    assert "from 8 A at most" in found["dc_zero_time"]["note"]


def test_the_recorded_limit_change_whenever_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only at the phase of the frames that the log had."""
    for later_s in (0.0, 0.025, 0.05):
        monkeypatch.setattr(dc_recorded, "RISES_S", 0.505 + later_s)
        assert conduct("chademo-v2x", "13.9")["verdict"] == "PASS"


def test_a_charger_that_falls_late_is_not_as_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a dead time of 0.6 s instead of 0.33 s the output has not ended in time."""
    slow = replace(CHARGER_ZE0, slew=replace(CHARGER_ZE0.slew, dead_down_s=0.6))
    monkeypatch.setitem(RECORDED, "ze0-v2x", (CAR_ZE0, slow))
    assert failed(conduct("chademo-v2x", "13.9")) == {"dc_zero_time"}


def test_a_recorded_car_that_requests_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was learnt of a session that never came to its loop."""
    monkeypatch.setattr(DcOutlet, "_begin", lambda _self: None)
    result = conduct("chademo-v2x", "13.9")
    assert result["verdict"] == "ERROR"
    assert "requested nothing within 90 s" in result["error"]


def test_a_set_point_below_zero() -> None:
    """Under a controller that lets cars discharge it is followed; one that does not is not asked."""
    good = execute(Job("chademo-v2x", "13.6", 1, None, policy="v2g"))
    assert good["verdict"] == "PASS", good
    assert conduct("chademo-v2x", "13.6")["verdict"] == "NOT_RUN"


def test_a_set_point_that_nobody_follows(tmp_path: Path) -> None:
    """A car that is empty down to its reserve gives nothing: the procedure says so."""
    text = Path(rig_files()["chademo-v2x"]).read_text().replace('recorded = "ze0-v2x"', "log = false")
    car = Path(cars.__file__).parent / "car_data" / "leaf-40.toml"
    (tmp_path / "empty.toml").write_text(car.read_text().replace("reserve_percent = 10.0", "reserve_percent = 90.0"))
    path = tmp_path / "rig.toml"
    path.write_text(text.replace('vehicle = "leaf-40"', 'vehicle = "empty.toml"'))
    assert "dc_give_time" in failed(execute(Job(str(path), "13.6", 1, None, policy="v2g")))


def test_discharge_without_leave(tmp_path: Path) -> None:
    """Nothing is fed where nobody allows it; a station that takes a limit of 0 for an order to discharge fails."""
    assert conduct("chademo-v2x", "13.7")["verdict"] == "PASS"
    text = rig_files()["chademo-v2x"].read_text().replace("vehicle =", 'quirks = ["zero-is-discharge"]\nvehicle =')
    path = tmp_path / "rig.toml"
    path.write_text(text)
    assert "dc_unallowed_w" in failed(conduct(str(path), "13.7"))


def test_what_a_rig_must_have() -> None:
    """Procedures of DC are for rigs with DC stations, and each part of them for what it needs."""
    without = facts(load_rig("workplace-10"))
    mixed = facts(load_rig(rig_files()["mixed-dc"]))
    for procedure in select(["13.1", "13.2", "13.3", "13.4", "13.5", "13.8"]):
        wanted = {need for need in procedure.needs if need.startswith("dc")}
        assert wanted <= mixed
        assert not wanted <= without


def test_a_session_with_room_for_its_least_survives_a_step() -> None:
    """Beside a step of the building that leaves it its least, the car of the recorded session goes on charging."""
    assert execute(Job("chademo-v2x", "7.1", 1, None))["verdict"] == "PASS"


def test_hasty_controllers_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that goes by what it knew before the station's report takes the car's draw for the building, and fails."""
    monkeypatch.setattr(BuildingEstimate, "agreed_since", lambda _self, _t: True)
    assert execute(Job("chademo-v2x", "7.1", 1, None))["verdict"] == "FAIL"
