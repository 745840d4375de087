"""What stations report, as numbers: of both versions, and of stations that report nonsense."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilbench.controller.readings import Counted, counted, reported_currents


def entry(*samples: dict[str, Any]) -> list[dict[str, Any]]:
    """One MeterValue."""
    return [{"timestamp": "2024-06-04T12:00:00Z", "sampled_value": list(samples)}]


def amps(value: Any, phase: str = "L1", way: str = "Import", **more: Any) -> dict[str, Any]:
    """A current."""
    return {"measurand": f"Current.{way}", "value": value, "phase": phase, **more}


def test_currents_are_by_phase() -> None:
    """Text of 1.6 and numbers of 2.x alike."""
    assert reported_currents(entry(amps("6.1"), amps(7.2, "L2"))) == {"L1": 6.1, "L2": 7.2}


def test_a_current_without_a_phase_is_of_none() -> None:
    """It may be of any, or the sum of all."""
    assert reported_currents(entry({"measurand": "Current.Import", "value": "27.3"})) == {"": 27.3}


def test_what_flows_back_is_negative() -> None:
    """A phase that exports has an import of nothing, in whichever order they come."""
    out, nothing = amps(9.5, way="Export"), amps(0.0)
    assert reported_currents(entry(nothing, out)) == reported_currents(entry(out, nothing)) == {"L1": -9.5}


def test_the_newest_entry_counts() -> None:
    """Of several entries the last with a current."""
    assert reported_currents(entry(amps(1.0)) + entry(amps(2.0)) + entry()) == {"L1": 2.0}


def test_a_multiplier_is_a_power_of_ten() -> None:
    """6100 with multiplier -3 are 6.1 A."""
    assert reported_currents(entry(amps(6100, unit_of_measure={"unit": "A", "multiplier": -3}))) == pytest.approx(
        {"L1": 6.1}
    )


def test_energy_is_import_less_export() -> None:
    """In Wh, whichever unit it came in; without a measurand it is the import register."""
    taken = {"value": "12.5", "unit": "kWh"}
    given_back = {"measurand": "Energy.Active.Export.Register", "value": 500, "unit_of_measure": {"unit": "Wh"}}
    charge = {"measurand": "SoC", "value": 61, "unit_of_measure": {"unit": "Percent"}}
    assert counted(entry(taken, given_back, charge)) == Counted(12_000.0, 0.61)


def test_nothing_is_nothing() -> None:
    """Entries without energy or charge say nothing."""
    assert counted(entry(amps(6.0))) == Counted()


ANY = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.integers(-(10**400), 10**400),
    lambda inner: st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=4,
)


@given(st.sampled_from(["Current.Import", "Current.Export", "Energy.Active.Import.Register", "SoC"]), ANY, ANY)
def test_nonsense_is_left_out(measurand: str, value: Any, phase: Any) -> None:
    """Whatever a value or a phase is, what is handed on is finite."""
    sample = {"measurand": measurand, "value": value, "phase": phase}
    assert all(abs(one) < 1e309 for one in reported_currents(entry(sample)).values())
    found = counted(entry(sample))
    assert found.soc is None or 0.0 <= found.soc <= 1.0
