"""The procedures of DC charging: good stations and cars pass, one that misbehaves fails where it must."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hilbench.nature import facts
from hilbench.procedures import select
from hilbench.rig import load_rig, rig_files
from hilbench.runner import Job, execute
from hilbench_emulators.dc import cars

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


def test_the_recorded_limit_change() -> None:
    """15 A to 0 to 15 A: the request falls within 100 ms, nothing flows 0.6 s later; the verdict names both."""
    result = conduct("chademo-v2x", "13.9")
    values = {one["metric"]: one["value"] for one in result["measurements"]}
    assert result["verdict"] == "PASS"
    assert values["dc_request_time"] == pytest.approx(0.07, abs=0.03)
    assert values["dc_zero_time"] == pytest.approx(0.58, abs=0.02)


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
