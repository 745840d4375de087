"""JUnit XML of a run: properties that a machine reads, the same as those of a pytest session."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from hilbench.evidence.junit import junit_xml, measured, traces_sha256
from hilbench.evidence.reader import load_run
from tests.evidence_samples import measurement, small_run


def _case(path: Path) -> ET.Element:
    found = ET.fromstring(junit_xml(load_run(path))).find(".//testcase[@classname='hilbench.7.1-step']")
    assert found is not None
    return found


def test_a_measurement_is_a_group_of_properties(tmp_path: Path) -> None:
    """Metric, value, unit, uncertainty, limit, verdict, clause, profile and source are there one by one."""
    wanted = measurement()
    case = _case(small_run(tmp_path, wanted))
    facts = {item.attrib["name"]: item.attrib["value"] for item in case.iter("property")}
    clause = wanted.clause
    assert clause is not None
    assert facts["measurement.1.metric"] == wanted.metric
    assert float(facts["measurement.1.value"]) == wanted.value
    assert float(facts["measurement.1.limit"]) == wanted.limit_value
    assert facts["measurement.1.verdict"] == str(wanted.verdict)
    assert (facts["measurement.1.clause"], facts["measurement.1.profile"]) == (clause.id, clause.profile)
    assert {"seed", "signals_sha256", "events_sha256", "traces_sha256"} <= facts.keys()


def test_measurements_are_numbered_from_one() -> None:
    """Two of the same metric stay apart."""
    names = [name for name, _value in measured([measurement().to_dict()] * 2)]
    assert names[0] == "measurement.1.metric"
    assert "measurement.2.metric" in names
    assert len(set(names)) == len(names)


def test_what_is_empty_is_left_out() -> None:
    """No note gives no property, and a value of zero gives one."""
    facts = dict(measured([{"metric": "overshoot", "value": 0.0, "unit": "A", "note": "", "clause": None}]))
    assert facts == {"measurement.1.metric": "overshoot", "measurement.1.value": 0.0, "measurement.1.unit": "A"}


def test_one_hash_stands_for_all_traces() -> None:
    """It does not depend on the order of the stations, and changes with any of them."""
    assert traces_sha256({"A": "1", "B": "2"}) == traces_sha256({"B": "2", "A": "1"})
    assert traces_sha256({"A": "1", "B": "2"}) != traces_sha256({"A": "1", "B": "3"})
