"""Load calculations: golden examples of the codes, and that each bound can be broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from hilbench.cli import cli
from hilbench.errors import InputError
from hilbench.loads import LoadsEntry, OtherLoad, Sheet, calculate, continuous_kw, least_power_kw
from hilbench.rig import load_rig, rig_files
from hilbench.site import Branch, Feeder, Service, Site

HOUSE = OtherLoad(name="house, Article 120 Parts III to VII", va=17_040.0)
"""NEC 2026 Annex D.15: 29 040 VA in all, of which the station is 12 000 VA (quoted in ecmag.com; secondary)."""


def dwelling(budget_a: float = 80.0, rating_a: float = 100.0) -> Site:
    """The dwelling of Annex D.15: a station of 0 to 50 A behind a service of 100 A."""
    station = Branch(role="ev", branch_a=70, max_a=50, connection="L1-L2", fallback_a=0)
    service = Service(rating_a=rating_a, voltage_v=240, wiring="split-phase")
    return Site(name="D.15", service=service, budget_a=budget_a, branches=(station,))


def value(sheet: Sheet, what: str, node: str = "service") -> float:
    """The figure of the row that starts with ``what``."""
    return next(row.value for row in sheet.rows if row.node == node and row.what.startswith(what))


def test_annex_d_15_needs_121_a_without_and_100_a_with_a_power_control_system() -> None:
    """29 040 VA are 121 A at 240 V; with a setting of 80 A, continuous, the service of 100 A is enough."""
    sheet = calculate(dwelling(), LoadsEntry(edition="nec-2026", other=(HOUSE,)))
    assert value(sheet, "load without management") == pytest.approx(121.0)
    assert value(sheet, "setting of 80 A") == pytest.approx(100.0)
    assert value(sheet, "load that no control can lower") == pytest.approx(71.0)
    assert sheet.managed
    assert sheet.permitted


def test_three_30_a_stations_on_100_a_are_capped_at_80_a() -> None:
    """Three stations of 30 A would need 112.5 A; at a cap of 80 A the circuit of 100 A is enough, at 81 A it is not."""
    stations = tuple(Branch(role=f"S{n}", branch_a=40, max_a=30, connection="L1-L2", feeder="ev") for n in range(3))
    service = Service(rating_a=400, voltage_v=240, wiring="split-phase")

    def sheet(cap_a: float) -> Sheet:
        feeder = Feeder(id="ev", rating_a=100, budget_a=cap_a)
        return calculate(Site(name="x", service=service, feeders=(feeder,), branches=stations), LoadsEntry())

    assert value(sheet(80.0), "OCPD without management", "ev") == pytest.approx(112.5)
    assert sheet(80.0).permitted
    assert not sheet(81.0).permitted


def test_200_a_at_240_v_bear_38_4_kw() -> None:
    """80 % of 200 A at 240 V is 38.4 kW; 48 kW is all of it."""
    assert continuous_kw(dwelling(rating_a=200.0)) == pytest.approx(38.4)


@pytest.mark.parametrize(
    ("devices", "power_kw"), [(0, 0), (1, 4.2), (2, 7.56), (3, 10.5), (5, 15.12), (8, 18.9), (9, 19.32), (10, 21.21)]
)
def test_what_section_14a_leaves(devices: int, power_kw: float) -> None:
    """4.2 kW for the first device, and 4.2 kW times the simultaneity factor for each of the others."""
    expected = {10: 4.2 + 9 * 0.45 * 4.2, 9: 4.2 + 8 * 0.45 * 4.2}.get(devices, power_kw)
    assert least_power_kw(devices) == pytest.approx(expected)
    assert least_power_kw(devices) == pytest.approx(power_kw)


@pytest.mark.parametrize(("edition", "amps"), [("nec-2023", 30.0), ("nec-2026", 16.0)])
def test_a_small_station_counts_7200_va_in_2023_only(edition: str, amps: float) -> None:
    """16 A at 240 V is 3840 VA: 2023 takes the larger of 7200 VA and the nameplate, 2026 the nameplate."""
    station = Branch(role="ev", branch_a=20, max_a=16, connection="L1-L2")
    site = Site(name="x", service=Service(rating_a=100, voltage_v=240, wiring="split-phase"), branches=(station,))
    sheet = calculate(site, LoadsEntry.model_validate({"edition": edition}))
    assert value(sheet, "stations at their rating") == pytest.approx(amps)


def test_a_load_that_is_not_monitored_comes_on_top_of_the_setting() -> None:
    """The setting stands only for what the meter sees."""
    hidden = HOUSE.model_copy(update={"va": 2400.0, "monitored": False})
    sheet = calculate(dwelling(), LoadsEntry(other=(HOUSE, hidden)))
    assert value(sheet, "setting of 80 A") == pytest.approx(110.0)
    assert not sheet.permitted


def test_a_setting_below_what_nobody_can_lower_is_not_kept() -> None:
    """71 A of house do not fit below a setting of 70 A."""
    sheet = calculate(dwelling(budget_a=70.0), LoadsEntry(other=(HOUSE,)))
    assert [row.what for row in sheet.rows if row.keeps is False] == ["load that no control can lower"]


def test_an_ocpd_listed_for_all_of_its_rating_needs_no_125_percent() -> None:
    """At a node that is listed for 100 % a setting of 100 A on 100 A is kept."""
    assert calculate(dwelling(budget_a=100.0), LoadsEntry(full_rated=("service",))).permitted
    assert not calculate(dwelling(budget_a=100.0), LoadsEntry()).permitted


def test_a_branch_circuit_that_is_too_small_is_found() -> None:
    """50 A of station need 62.5 A of branch circuit."""
    site = dwelling()
    small = site.model_copy(update={"branches": (site.branches[0].model_copy(update={"branch_a": 60.0}),)})
    assert next(row for row in calculate(small, LoadsEntry()).rows if row.node == "branch").keeps is False


def test_a_transformer_bears_its_rating_continuously() -> None:
    """At 150 kVA and 208 V a setting of 416 A is kept, one of 417 A is not."""
    service = Service(rating_a=1200, voltage_v=208, wiring="three-phase")
    station = Branch(role="ev", branch_a=40, max_a=32, connection="L1-L2", feeder="t")

    def sheet(setting_a: float) -> Sheet:
        feeder = Feeder(id="t", transformer_kva=150, budget_a=setting_a)
        return calculate(Site(name="x", service=service, feeders=(feeder,), branches=(station,)), LoadsEntry())

    assert sheet(416.0).permitted
    assert not sheet(417.0).permitted


PEAK_ABOVE = ("v2g-6",)
"""Its budget is what the contract gives, below the building's peak: only cars that discharge can keep it."""


@pytest.mark.parametrize("name", sorted(set(rig_files()) - set(PEAK_ABOVE)))
def test_every_shipped_rig_is_permitted(name: str) -> None:
    """What the bench ships keeps the rules that it prints."""
    result = CliRunner().invoke(cli, ["site", "loads", name], standalone_mode=False)
    assert result.return_value == 0, result.output
    assert "Permitted" in result.output


def test_dimming_is_a_row_of_its_own(tmp_path: Path) -> None:
    """A rig that says so gets the least power of section 14a, in words and in JSON."""
    path = tmp_path / "rig.toml"
    path.write_text(rig_files()["europe-3ph"].read_text(encoding="utf-8") + '\n[loads]\ndimming = "14a"\n')
    count = len(load_rig(str(path)).stations)
    result = CliRunner().invoke(cli, ["site", "loads", str(path), "--json"], standalone_mode=False)
    assert f'"value": {least_power_kw(count)}' in result.output


@pytest.mark.parametrize("line", ['other = [{ name = "x", va = 1, node = "servce" }]', 'full_rated = ["servce"]'])
def test_a_load_at_no_node_is_found(tmp_path: Path, line: str) -> None:
    """A node that is not there is an error with the name that was meant."""
    path = tmp_path / "rig.toml"
    path.write_text(rig_files()["home"].read_text(encoding="utf-8") + f"\n[loads]\n{line}\n")
    with pytest.raises(InputError, match=r"there is no feeder 'servce'.*service"):
        load_rig(str(path))
