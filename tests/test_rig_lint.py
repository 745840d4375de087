"""Electrical rules: what a site must keep before anything is plugged in, each with its clause."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.rig import Rig, load_rig, parse_rig, rig_files
from hilbench.rig_lint import Finding, lint

NEC: dict[str, Any] = {"rating_a": 100, "voltage_v": 240, "wiring": "split-phase", "frequency_hz": 60}
WYE: dict[str, Any] = {"rating_a": 100, "voltage_v": 208, "wiring": "three-phase", "frequency_hz": 60}
IEC: dict[str, Any] = {"rating_a": 63, "voltage_v": 400, "wiring": "three-phase", "frequency_hz": 50}


def station(role: str = "A", **keys: Any) -> dict[str, Any]:
    """A sound 32 A station between two lines."""
    return {"role": role, "branch_a": 40, "max_a": 32, "connection": "L1-L2", "fallback_a": 6, **keys}


def make(service: dict[str, Any], *stations: dict[str, Any], **tables: Any) -> Rig:
    """A rig; ``site`` adds keys to its table."""
    site = {"name": "s", "service": service, **tables.pop("site", {})}
    return parse_rig({"site": site, "station": list(stations or [station()]), "meter": {"service": {}}, **tables})


def found(rig: Rig) -> list[Finding]:
    """All findings."""
    return lint(rig)


def only(rig: Rig) -> Finding:
    """The single finding."""
    (one,) = lint(rig)
    return one


def test_a_sound_site_has_no_findings() -> None:
    """One station behind a service with its 80 % budget."""
    assert found(make(NEC)) == []


@pytest.mark.parametrize("name", rig_files())
def test_shipped_rigs_keep_the_electrical_rules(name: str) -> None:
    """No shipped rig has an error; warnings are deliberate."""
    assert [finding for finding in lint(load_rig(name)) if finding.severity == "error"] == []


@pytest.mark.parametrize(("budget", "errors"), [(80.0, 0), (80.001, 1), (100.0, 1)])
def test_a_continuous_load_takes_80_percent_of_its_breaker(budget: float, errors: int) -> None:
    """NEC 210.20(A): 100 A carry a setpoint of 80 A and not a milliampere more."""
    rig = make(NEC, site={"budget_a": budget})
    assert len(found(rig)) == errors
    if errors:
        assert only(rig).location == ("site", "budget_a")
        assert only(rig).remedy == "at most 80 A"
        assert "210.20(A)" in only(rig).rule.clause


@pytest.mark.parametrize(("budget", "errors"), [(63.0, 0), (63.1, 1)])
def test_50_hz_sites_may_use_their_whole_breaker(budget: float, errors: int) -> None:
    """IEC 60364 asks for no derating of a continuous load."""
    rig = make(IEC, station(connection="L1-L2-L3"), site={"budget_a": budget})
    assert len(found(rig)) == errors
    assert all("IEC 60364" in finding.rule.clause for finding in found(rig))


def test_every_feeder_keeps_the_rule_of_its_own_breaker() -> None:
    """A panel of 50 A with a setpoint of 45 A is named with its table."""
    rig = make(NEC, station(feeder="panel"), feeder=[{"id": "panel", "rating_a": 50, "budget_a": 45}])
    assert (only(rig).location, only(rig).remedy) == (("feeder", 0, "budget_a"), "at most 40 A")


def test_a_transformer_bears_its_kva() -> None:
    """36 kVA at 208 V are 99.9 A: a setpoint of 110 A is too much for it, whatever the breaker."""
    rig = make({**WYE, "rating_a": 400}, station(), feeder=[{"id": "t", "transformer_kva": 36, "budget_a": 110}])
    finding = only(rig)
    assert "100 A that the transformer bears" in finding.what
    assert finding.location == ("feeder", 0, "budget_a")


@pytest.mark.parametrize(
    ("service", "connection", "max_a", "branch_a", "fits"),
    [
        (NEC, "L1-L2", 32, 40, True),
        (NEC, "L1-L2", 32, 39.9, False),
        (NEC, "L1-L2", 48, 60, True),
        (NEC, "L1-L2", 48, 50, False),
        (IEC, "L1-L2-L3", 32, 32, True),
        (IEC, "L1-L2-L3", 32, 31, False),
    ],
)
def test_a_branch_circuit_carries_its_station(
    service: dict[str, Any], connection: str, max_a: float, branch_a: float, fits: bool
) -> None:
    """NEC 625.41: the breaker is at least 125 % of the nameplate; IEC 60364-4-43: at least the nameplate."""
    rig = make(service, station(connection=connection, max_a=max_a, branch_a=branch_a))
    locations = [finding.location for finding in found(rig) if finding.severity == "error"]
    assert locations == ([] if fits else [("station", 0, "branch_a")])


@pytest.mark.parametrize(("fallback", "fits"), [(6, True), (6.001, False), (0, True)])
def test_fallbacks_and_the_worst_building_fit_into_the_budget(fallback: float, fits: bool) -> None:
    """Ten stations of 6 A beside 20 A of building are 80 A: just what the budget allows."""
    stations = [station(f"S{n}", fallback_a=fallback) for n in range(10)]
    rig = make(NEC, *stations, site={"worst_base_a": 20})
    errors = [finding for finding in found(rig) if finding.severity == "error"]
    assert len(errors) == (0 if fits else 1)
    if not fits:
        assert "fallbacks add up to 60.01 A per line" in errors[0].what
        assert "leaves 60 A" in errors[0].what
        assert errors[0].rule.confidence == "secondary"


def test_fallbacks_must_fit_into_every_feeder() -> None:
    """Three fallbacks of 8 A do not fit behind a panel of 20 A budget, though the service has room."""
    stations = [station(f"S{n}", fallback_a=8, feeder="panel") for n in range(3)]
    rig = make(NEC, *stations, feeder=[{"id": "panel", "rating_a": 50, "budget_a": 20}])
    errors = [finding for finding in found(rig) if finding.severity == "error"]
    assert [finding.location for finding in errors] == [("feeder", 0, "budget_a")]


def test_fallbacks_between_lines_of_208_v_add_up_as_phasors() -> None:
    """One of 10 A on each pair of lines is 17.32 A per line: it fits into 17.4 A and not into 17.3."""
    stations = [
        station(pair, connection=pair, fallback_a=10, branch_a=20, max_a=16) for pair in ("L1-L2", "L2-L3", "L3-L1")
    ]
    errors = {
        budget: [f.what for f in found(make(WYE, *stations, site={"budget_a": budget})) if f.severity == "error"]
        for budget in (17.3, 17.4)
    }
    assert errors[17.4] == []
    assert "fallbacks add up to 17.32 A" in errors[17.3][0]


def test_more_cars_than_6_a_each_are_a_warning() -> None:
    """Eleven cars at 6 A need 66 A of 60: they can be served by queueing, so it is no error."""
    stations = [station(f"S{n}", fallback_a=0) for n in range(11)]
    finding = only(make(NEC, *stations, site={"worst_base_a": 20}))
    assert (finding.severity, finding.remedy) == ("warning", "cars will queue")
    assert "11 stations at 6 A need 66 A per line of 60 A" in finding.what


@pytest.mark.parametrize(
    ("keys", "where", "what"),
    [
        ({"max_a": 5, "fallback_a": 0}, "max_a", "nameplate 5 A is below the 6 A"),
        ({"fallback_a": 5.9}, "fallback_a", "fallback 5.9 A cannot be offered"),
        ({"fallback_a": 33}, "fallback_a", "fallback 33 A is above the nameplate"),
    ],
)
def test_a_pilot_offers_6_a_or_nothing(keys: dict[str, Any], where: str, what: str) -> None:
    """Nameplate and fallback must be currents that a pilot can say."""
    finding = only(make(NEC, station(**keys)))
    assert (finding.severity, finding.location) == ("error", ("station", 0, where))
    assert what in finding.what


@pytest.mark.parametrize(
    ("keys", "where", "what"),
    [
        ({"max_a": 3}, "max_a", "nameplate 3 A is below the 5 A with which cars charge there"),
        ({"fallback_a": 3}, "fallback_a", "fallback 3 A is below the 5 A that cars need"),
        ({"least_a": 9, "fallback_a": 6}, "fallback_a", "fallback 6 A is below the 9 A that cars need"),
        ({"fallback_a": 5}, "", ""),
    ],
)
def test_a_dc_station_has_a_least_current_of_its_own(keys: dict[str, Any], where: str, what: str) -> None:
    """5 A of the grid, or what the rig says; 5 A are a fallback there."""
    entry = station(connection="L1-L2-L3", device="emulated:dc", dc={"connector": "ccs"}, vehicle="ioniq-5")
    findings = found(make(IEC, entry | {"fallback_a": 0} | keys))
    assert [finding.location for finding in findings] == ([("station", 0, where)] if where else [])
    assert all(what in finding.what for finding in findings)


@pytest.mark.parametrize(
    ("service", "connection", "severity", "what"),
    [
        ({**NEC, "voltage_v": 277}, "L1-L2", "warning", "277 V is not a usual voltage of a split-phase service"),
        ({**WYE, "voltage_v": 240}, "L1-L2", None, ""),
        ({**WYE, "voltage_v": 480}, "L1-L2", "error", "L1-L2 puts 480 V on one phase of a car"),
        ({**WYE, "voltage_v": 480}, "L1-N", "warning", "L1-N puts 277 V on one phase of a car"),
        ({**WYE, "voltage_v": 400}, "L1-L2", "error", "L1-L2 puts 400 V on one phase of a car"),
        (WYE, "L1-L2", None, ""),
    ],
)
def test_a_car_gets_a_voltage_that_it_takes(
    service: dict[str, Any], connection: str, severity: str | None, what: str
) -> None:
    """208 and 240 V between lines are for cars, 400 and 480 V are not; 277 V to neutral is rare."""
    findings = found(make(service, station(connection=connection)))
    worst = findings[0] if findings else None
    assert (worst.severity if worst else None) == severity
    assert what in (worst.what if worst else "")


@pytest.mark.parametrize(
    ("connections", "warned"),
    [
        (("L1-L2-L3",) * 3, True),
        (("L1-L2-L3", "L2-L3-L1", "L3-L1-L2"), False),
        (("L1-N",) * 3, True),
        (("L1-L2-L3",) * 2, False),
    ],
)
def test_three_phase_stations_are_rotated(connections: tuple[str, ...], warned: bool) -> None:
    """Without rotation every single-phase car loads L1."""
    stations = [station(f"S{n}", connection=name, fallback_a=0) for n, name in enumerate(connections)]
    findings = found(make({**IEC, "rating_a": 200}, *stations))
    said = [finding for finding in findings if "stations are connected" in finding.what]
    assert len(said) == warned
    assert all(finding.severity == "warning" and "L1" in finding.what for finding in said)


def test_a_feeder_above_the_one_that_feeds_it_is_doubted() -> None:
    """A 100 A panel behind a 60 A panel, and a setpoint that can never be used."""
    feeders = [{"id": "up", "rating_a": 60}, {"id": "down", "parent": "up", "rating_a": 100}]
    findings = found(make(NEC, station(feeder="down"), feeder=feeders))
    assert [(finding.severity, finding.location) for finding in findings] == [
        ("warning", ("feeder", 1, "rating_a")),
        ("warning", ("feeder", 1, "budget_a")),
    ]


@pytest.mark.parametrize(
    ("building", "warned"),
    [
        ({"model": "constant", "peak_a": 20}, False),
        ({"model": "constant", "peak_a": 21}, True),
        ({"model": "constant", "peak_kw": 4.56}, False),  # 4.56 kW / (2 x 120 V x 0.95) = 20 A
        ({"model": "constant", "peak_kw": 4.8}, True),
    ],
)
def test_the_building_stays_below_the_declared_worst_case(building: dict[str, Any], warned: bool) -> None:
    """A peak above worst_base_a makes every sum of the site wrong."""
    findings = found(make(NEC, site={"worst_base_a": 20}, building=building))
    assert [finding.location for finding in findings] == [("site", "worst_base_a")] * warned


@pytest.mark.parametrize(("interval", "severity"), [(1, None), (5, None), (6, "warning"), (10, "error"), (15, "error")])
def test_a_meter_is_faster_than_the_controllers_patience(interval: float, severity: str | None) -> None:
    """Samples older than 10 s are not trusted: they must come sooner, and better twice as often."""
    rig = parse_rig(
        {
            "site": {"name": "s", "service": NEC},
            "station": [station()],
            "meter": {"service": {"interval_s": interval}},
        }
    )
    assert [finding.severity for finding in found(rig)] == ([severity] if severity else [])


def test_an_external_controller_must_be_reachable_and_restartable() -> None:
    """One that the bench cannot stop is told, and one elsewhere that cannot reach a meter on this machine."""
    rig = make(NEC, controller={"kind": "external", "ocpp": "ws://10.0.0.9:9000"})
    assert [finding.location for finding in found(rig)] == [("controller",), ("meter", "service", "address")]
    here = make(NEC, controller={"kind": "external", "ocpp": "ws://localhost:9000", "command": ["lms"]})
    assert found(here) == []


def test_errors_come_first() -> None:
    """What cannot be kept safe is read before what is only doubtful."""
    rig = make(NEC, station(feeder="p", branch_a=30), feeder=[{"id": "p", "rating_a": 200}])
    severities = [finding.severity for finding in found(rig)]
    assert severities == sorted(severities)
    assert severities[0] == "error"
    assert "warning" in severities


@given(
    count=st.integers(1, 12),
    fallback=st.sampled_from([0.0, 6.0, 8.0, 16.0]),
    base=st.floats(0, 80),
    connections=st.lists(st.sampled_from(["L1-L2", "L2-L3", "L3-L1", "L1-N", "L1-L2-L3"]), min_size=12, max_size=12),
)
@settings(deadline=None)
def test_a_site_without_errors_is_safe_on_its_fallbacks(
    count: int, fallback: float, base: float, connections: list[str]
) -> None:
    """Whatever passes has room for all fallbacks and the worst building on every line; whatever fails has not."""
    stations = [station(f"S{n}", connection=connections[n], fallback_a=fallback) for n in range(count)]
    rig = make(WYE, *stations, site={"worst_base_a": base})
    worst = rig.electrical.line_sum_a("service", lambda _branch: fallback) + base
    errors = [finding for finding in found(rig) if finding.severity == "error"]
    assert bool(errors) == (worst > 80.0 + 1e-6)


# -- cars that discharge


def linked(role: str = "A", **keys: Any) -> dict[str, Any]:
    """A station of OCPP 2.1 with a link, and a car that can discharge."""
    made = station(role, connection="L1-L2-L3", ocpp="2.1", iso15118=True, vehicle="generic-v2g", branch_a=32)
    return made | {"fallback_a": 0} | keys


def test_cars_that_discharge_let_the_budget_be_below_the_building() -> None:
    """A budget that only they can keep is a warning where the connection bears the building, else an error."""
    site = {"budget_a": 50, "worst_base_a": 60}
    findings = found(make(IEC, linked(), site=site))
    assert {finding.severity for finding in findings} == {"warning"}
    assert "only cars that discharge can keep the budget at the worst base load" in {one.remedy for one in findings}
    assert "error" in {one.severity for one in found(make(IEC, linked(), site=site | {"worst_base_a": 70}))}
    assert "error" in {one.severity for one in found(make(IEC, linked(iso15118=False), site=site))}


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ({"ocpp": "1.6", "vehicle": "model-3"}, "OCPP 1.6 has no message for what a car says over its link"),
        ({"iso15118": False}, "car 'generic-v2g' can discharge, and never may here"),
        ({"ocpp": "2.0.1"}, "car 'generic-v2g' can discharge, and never may here"),
    ],
)
def test_a_link_that_leads_nowhere_is_said(keys: dict[str, Any], what: str) -> None:
    """Station, link, version and car must fit, or the car never discharges."""
    finding = only(make(IEC, linked(**keys)))
    assert (finding.severity, finding.what) == ("warning", what)


def test_an_export_limit_wants_an_exporter_and_a_service_that_bears_it() -> None:
    """Both contradictions are said, a limit of nothing among them is none."""
    site = {"export_limit_kw": 5}
    assert only(make(IEC, linked(vehicle="model-3"), site=site)).location == ("site", "export_limit_kw")
    assert "44 kW" in only(make(IEC, linked(), site={"export_limit_kw": 60})).what
    assert found(make(IEC, linked(), site={"export_limit_kw": 0})) == []


def test_cars_that_discharge_together_must_not_load_a_feeder_too_much() -> None:
    """Three cars of 16 A behind 40 A: without anybody who takes it the feeder carries 48 A."""
    rotated = ("L1-L2-L3", "L2-L3-L1", "L3-L1-L2")
    stations = [linked(role, feeder="row", connection=lines) for role, lines in zip("ABC", rotated, strict=True)]
    for entry in stations:
        entry["max_a"] = 16
    finding = only(make(IEC, *stations, feeder=[{"id": "row", "rating_a": 40, "budget_a": 40}]))
    assert (finding.severity, finding.location) == ("warning", ("feeder", 0, "rating_a"))
    assert "48 A per line into a feeder of 40 A" in finding.what
