"""The protective device of a node: named in the rig, from a CSV file, and in the verdicts of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hilbench.cli import main
from hilbench.errors import InputError
from hilbench.metrics.breaker import Breaker
from hilbench.metrics.curve import Curve
from hilbench.ocpd_file import COLUMNS, device_at, read_curve
from hilbench.rig import Rig, find_rig, load_rig, parse_rig
from hilbench.searching.judge import poles
from hilbench.tomlfile import read_toml

GOOD = "multiple,fast_s,slow_s\n1.05,3600,\n1.3,100,7200\n2,10,300\n10,0.01,0.1\n"


def curve_file(folder: Path, text: str = GOOD) -> Path:
    """A curve file."""
    path = folder / "mccb.csv"
    path.write_text(text, encoding="utf-8")
    return path


def site_with(folder: Path, service: str = "", feeder: str = "") -> Path:
    """The shipped workplace with an OCPD at the service, and all stations on a feeder of 100 A with another."""
    text = find_rig("workplace-10").read_text("utf-8")
    text = text.replace('wiring = "split-phase"', f'wiring = "split-phase"{service}')
    if feeder:
        text = text.replace("[station_defaults]", f"{feeder}\n[station_defaults]\nfeeder = 'row'")
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def row(ocpd: str, rating: str = "rating_a = 100") -> str:
    """A feeder for all stations."""
    return f'[[feeder]]\nid = "row"\n{rating}\nbudget_a = 80\nocpd = "{ocpd}"\n'


def test_a_curve_is_read(tmp_path: Path) -> None:
    """Empty cells are where a device never opens."""
    curve = read_curve(curve_file(tmp_path), 100.0)
    assert curve.fast == ((1.05, 3600.0), (1.3, 100.0), (2.0, 10.0), (10.0, 0.01))
    assert curve.slow == ((1.3, 7200.0), (2.0, 300.0), (10.0, 0.1))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: the columns are nothing (write multiple,fast_s,slow_s)"),
        ("amps,s\n1,2\n", "line 1: the columns are amps,s"),
        (f"{','.join(COLUMNS)}\n", "need at least one time each"),
        (f"{','.join(COLUMNS)}\n1.3,10,\n", "need at least one time each"),
        (GOOD + "20,x,1\n", "line 6: 20,x,1 is not three numbers"),
        (GOOD + "20,1\n", "line 6: 20,1 is not three numbers"),
        (GOOD + "9,0.01,0.1\n", "line 6: the multiple must be a number above that of the line before"),
        (GOOD + "20,0,0.1\n", "line 6: a time must be above 0 s and finite"),
        (GOOD + "20,inf,inf\n", "line 6: a time must be above 0 s and finite"),
        (GOOD + "20,0.01,0.001\n", "line 6: the slowest device opens before the fastest"),
        (GOOD + "20,,0.1\n", "line 6: the slowest device opens before the fastest"),
        (GOOD + "20,0.01,0.2\n", "line 6: slow_s is not as short as in the line before"),
        (GOOD + "20,0.01,\n", "line 6: slow_s is not as short as in the line before"),
    ],
)
def test_a_curve_that_cannot_be_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """With file, line and what to do."""
    path = curve_file(tmp_path, text)
    with pytest.raises(InputError) as error:
        read_curve(path, 100.0)
    assert str(path) in str(error.value)
    assert said in str(error.value)


def test_a_curve_that_is_not_there_is_said(tmp_path: Path) -> None:
    """A missing file, and one that is no text."""
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_curve(tmp_path / "nowhere.csv", 100.0)
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot be read"):
        read_curve(tmp_path / "x.csv", 100.0)


def test_a_rig_names_its_devices(tmp_path: Path) -> None:
    """A fuse at the service, a curve beside the rig file at a feeder; the usual breaker where nothing is named."""
    curve_file(tmp_path)
    site = load_rig(site_with(tmp_path, ', ocpd = "gG"', row("mccb.csv"))).electrical
    fuse, own, usual = device_at(site, "service"), device_at(site, "row"), device_at(load_rig().electrical, "service")
    assert isinstance(fuse, Curve)
    assert isinstance(own, Curve)
    assert isinstance(usual, Breaker)
    assert (fuse.title, own.title, usual.standard) == ("gG fuse", "device of mccb.csv", "UL 489")


@pytest.mark.parametrize(
    ("service", "feeder", "said"),
    [
        (', ocpd = "NH00"', "", "site.service.ocpd (line 6): 'NH00' is not one of UL 489, IEC 60898-1 B"),
        ("", row("nowhere.csv"), "nowhere.csv, cannot be read"),
        ("", row("gG", "rating_a = 90"), "no gG fuse has 90 A; there are 16"),
        ("", row("IEC 60898-1 C", "rating_a = 150"), "IEC 60898-1 ends at 125 A"),
        ("", row("gG", "transformer_kva = 75"), "'row' has an OCPD and no rating of it"),
    ],
)
def test_a_device_that_cannot_be_is_refused(tmp_path: Path, service: str, feeder: str, said: str) -> None:
    """With its place in the rig, before anything starts."""
    with pytest.raises(InputError) as error:
        load_rig(site_with(tmp_path, service, feeder))
    assert said in str(error.value)


def measured(folder: Path, rig: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """7.1 on a rig: its result."""
    main(["run", str(rig), "--only", "7.1", "--json", "--jobs", "1", "--out", str(folder / "runs")])
    return dict(json.loads(capsys.readouterr().out))


def test_a_run_judges_the_device_of_every_node(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A fuse bears the step, a device that opens above 0.8 of the rating does not; the record says which it was."""
    touchy = "multiple,fast_s,slow_s\n0.5,1,2\n"
    curve_file(tmp_path, touchy)
    result = measured(tmp_path, site_with(tmp_path, ', ocpd = "gG"', row("mccb.csv")), capsys)
    found = [one for one in result["results"][0]["measurements"] if one["metric"] == "breaker_fraction"]
    assert found[0]["verdict"] == "FAIL"
    assert "row L1: the device of mccb.csv must trip" in found[0]["note"]
    head = json.loads((Path(result["run"]) / "run.json").read_text("utf-8"))
    assert [node["ocpd"] for node in head["site"]["nodes"]] == ["gG", "mccb.csv"]
    assert head["inputs"]["OCPD of row"]["bytes"] == len(touchy)
    assert "<small>mccb.csv</small>" in (Path(result["run"]) / "report.html").read_text("utf-8")


def test_a_fuse_at_the_service_is_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a breaker of UL 489 might already open on, a gG fuse of the same rating cannot."""
    result = measured(tmp_path, site_with(tmp_path, ', ocpd = "gG"'), capsys)
    found = [one for one in result["results"][0]["measurements"] if one["metric"] == "breaker_fraction"]
    assert {one["verdict"] for one in found} == {"PASS"}
    assert all("the gG fuse cannot trip" in one["note"] for one in found)


def test_the_search_judges_by_the_named_device(tmp_path: Path) -> None:
    """The poles of a node are those of its device."""

    rig: Rig = load_rig(site_with(tmp_path, ', ocpd = "gG"'))
    assert {pole.device.rating_a for pole in poles(rig) if pole.node == "service"} == {100.0}
    assert all(isinstance(pole.device, Curve) == (pole.node == "service") for pole in poles(rig))


def test_a_rig_without_devices_is_as_before() -> None:
    """No key, no change: the parsed rig names nothing."""
    data, text = read_toml(find_rig("workplace-10"))
    assert parse_rig(data, text).electrical.ocpd_of("service") == (100, "")
