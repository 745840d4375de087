"""Limits of the grid on the bench: the VTN of a rig, and procedures 9.1, 9.1b, 9.2 and 9.4."""

from __future__ import annotations

import socket
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hilbench import clock
from hilbench.bench import Bench
from hilbench.errors import DeviceError, InputError
from hilbench.procedures import coordinated_day
from hilbench.rig import load_rig, rig_files
from hilbench.runner import Job, execute
from hilbench.signals import node_power
from tests.rigs import trio, trio_with_vtn


def conduct(folder: Path, procedure: str, defect: str | None = None) -> dict[str, Any]:
    """The result of a procedure on three stations with a VTN."""
    return execute(Job(str(trio_with_vtn(folder)), procedure, 1, None, defect=defect))


def failed(result: dict[str, Any]) -> set[str]:
    """Metrics that were not met."""
    return {found["metric"] for found in result["measurements"] if found["verdict"] == "FAIL"}


@pytest.mark.parametrize("procedure", ["9.1", "9.1b", "9.2"])
def test_the_good_controller_keeps_limits_of_the_grid(tmp_path: Path, procedure: str) -> None:
    """In time, in every order, without VTN and after a restart; and their ends make no peak."""
    result = conduct(tmp_path, procedure)
    assert (result["verdict"], result["error"]) == ("PASS", "")


@pytest.mark.parametrize(
    ("procedure", "defect", "metric"),
    [
        ("9.1", "ignores-grid-limit", "limit_entry_time"),
        ("9.1", "ends-limits-at-once", "rebound_ramp"),
        ("9.1b", "ignores-grid-limit", "time_above_limit"),
        ("9.1b", "ends-limits-at-once", "time_above_limit"),
        ("9.2", "ignores-grid-limit", "time_above_limit"),
    ],
)
def test_a_mistake_fails(tmp_path: Path, procedure: str, defect: str, metric: str) -> None:
    """One that does not listen is above the limit; one that lets all back at once rises too steeply."""
    result = conduct(tmp_path, procedure, defect)
    assert result["verdict"] == "FAIL"
    assert metric in failed(result)


def test_without_a_vtn_there_is_nothing_to_run(tmp_path: Path) -> None:
    """NOT_RUN says what is missing; a test that publishes all the same is told."""
    rig = trio(tmp_path)
    result = execute(Job(str(rig), "9.1", 1, None))
    assert (result["verdict"], result["notes"]) == ("NOT_RUN", ["the rig has no grid.vtn"])

    async def main() -> None:
        async with Bench(load_rig(rig)) as bench:
            with pytest.raises(DeviceError, match=r"add \[grid\.vtn\]"):
                bench.grid.limit(5.0, 60.0)
            with pytest.raises(DeviceError, match=r"add \[grid\.vtn\]"):
                await bench.faults.vtn_outage()

    clock.run(main(), epoch=load_rig(rig).run.epoch)


def test_what_the_bench_publishes_reaches_the_site(tmp_path: Path) -> None:
    """A limit is kept, a changed one too, and one that is taken back is none; the record says when."""
    rig = load_rig(trio_with_vtn(tmp_path))

    async def main() -> tuple[list[float], list[str]]:
        async with Bench(rig) as bench:
            await bench.plug_in()
            await bench.run_for(300.0)
            limit = bench.grid.limit(6.0, 7200.0)
            seen = []
            for act in (None, lambda: bench.grid.change(limit, 4.0), lambda: bench.grid.cancel(limit)):
                if act is not None:
                    act()
                await bench.run_for(1200.0)
                seen.append((bench.record.signals[node_power("service")].last() or 0.0) / 1000.0)
            return seen, [event.kind for event in bench.record.events_of("stimulus")]

    (low, lower, free), kinds = clock.run(main(), epoch=rig.run.epoch)
    assert 4.5 < low <= 6.0
    assert lower <= 4.0
    assert free > 8.0
    assert kinds == ["stimulus.limit", "stimulus.limit_changed", "stimulus.limit_cancelled"]


def test_it_is_the_same_on_real_sockets(tmp_path: Path) -> None:
    """The VTN of the rig listens at its address, and a controller in a process of its own keeps its limit."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f'[grid.vtn]\naddress = "http://127.0.0.1:{port}"'
    path = trio_with_vtn(
        tmp_path,
        ("127.0.0.1:3900", f"127.0.0.1:{port}"),
        ("[grid.vtn]", address),
        ("127.0.0.1:9000", "127.0.0.1:19007"),
        ("127.0.0.1:5020", "127.0.0.1:15027"),
        ("full_kw = 11.5", "full_kw = 11.5\npoll_s = 10\nanswer_s = 100"),
    )
    rig = load_rig(path)

    async def main() -> float:
        async with Bench(rig, log_folder=tmp_path) as bench:
            await bench.plug_in()
            await bench.run_for(200.0)
            bench.grid.limit(5.0, 3600.0)
            await bench.run_for(120.0)
            return (bench.record.signals[node_power("service")].last() or 0.0) / 1000.0

    assert 2.0 < clock.run(main(), "x10") <= 5.4


PROBLEMS = {
    ('secret_file = "vtn.secret"', 'secret_file = "none.secret"'): "there is no file",
    ("[grid.vtn]", '[grid.vtn]\ndevice = "emulated:openadr2"'): "there is no kind of VTN 'emulated:openadr2'",
    ("[grid.vtn]", '[grid.vtn]\naddress = "http://127.0.0.1:9000"'): "is also controller.ocpp",
    ("[grid.vtn]", '[grid.vtn]\naddress = "http://127.0.0.1:3900/x"'): "more than host and port",
    ("[grid.vtn]", '[grid.vtn]\naddress = "ftp://127.0.0.1:3900"'): "does not start with http://",
    ("[controller.openadr]", "[controller.other]"): "nobody would ask this VTN",
    ("[site]", '[site]\ntariff = "vtn.secret"'): "is no JSON that can be read",
}


@pytest.mark.parametrize("change", PROBLEMS)
def test_what_is_wrong_with_a_vtn_is_said(tmp_path: Path, change: tuple[str, str]) -> None:
    """A bad device, address, secret or tariff is an error of the rig."""
    with pytest.raises(InputError, match=PROBLEMS[change]):
        load_rig(trio_with_vtn(tmp_path, change))


@pytest.mark.parametrize("text", ["", "two\nlines\n", "x" * 300])
def test_a_secret_is_one_line(tmp_path: Path, text: str) -> None:
    """A file without a secret, or with more than one, is an error of the rig."""
    path = trio_with_vtn(tmp_path)
    (tmp_path / "vtn.secret").write_text(text)
    with pytest.raises(InputError, match="holds no secret of 1 to 256 characters in one line"):
        load_rig(path)


SESSIONS = """arrival,departure,station,energy_kwh,max_power_kw
2024-06-05T00:10:00,2024-06-05T05:30:00,B,9,
2024-06-05T00:20:00,2024-06-05T05:30:00,E,9,
2024-06-05T00:30:00,2024-06-05T05:30:00,F,7,
"""


def day(folder: Path, policy: str) -> dict[str, Any]:
    """The result of 9.4 on the shipped rig, for the first six hours of a day with three cars that tell their needs."""
    (folder / "sessions.csv").write_text(SESSIONS, encoding="utf-8")
    return execute(
        Job("tariff-10", "9.4", 1, None, policy=policy, sessions=folder / "sessions.csv", day=date(2024, 6, 5))
    )


def test_a_plan_pays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Coordinated charging passes the day, at half of the cost; sharing what there is costs as much as on arrival."""
    monkeypatch.setattr(coordinated_day, "DAY_S", 6 * 3600.0)
    planned, shared = day(tmp_path, "coordinated"), day(tmp_path, "dynamic")
    assert (planned["verdict"], planned["error"]) == ("PASS", "")
    found = {one["metric"]: one["value"] for one in planned["measurements"]}
    assert found["energy_at_departure"] > 0.95
    assert found["cost_ratio"] < 0.7
    assert failed(shared) == {"cost_ratio"}


def test_the_shipped_rig_has_all_that_a_plan_needs() -> None:
    """Three versions of OCPP, links to the cars of the newer ones, a tariff for bench and controller, and a VTN."""
    rig = load_rig("tariff-10")
    assert {(entry.ocpp, entry.iso15118) for entry in rig.stations} == {("1.6", False), ("2.0.1", True), ("2.1", True)}
    assert rig.site.tariff == rig_files()["tariff-10"].parent.resolve() / "tariff-10.json"
    assert "grid.vtn" in rig.roles
