"""Records of the pilot as evidence: kept in the folder, bounded, read back to the last bit, and drawn."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.errors import InputError
from hilbench.evidence.folder import ProcedureFolder
from hilbench.evidence.manifest import check_manifest, write_manifest
from hilbench.evidence.pilot_plot import record_svg
from hilbench.evidence.pilot_strip import MOST_PARTS, Part, joined, parts_of, strip_svg
from hilbench.evidence.reader import load_run
from hilbench.evidence.render import render
from hilbench.evidence.schemas import folder_violations
from hilbench.metrics.pilot import measure
from hilbench.metrics.pilot_facts import facts
from hilbench.records import read_record
from hilbench.records.npz_file import npz_bytes
from hilbench.signals import MOST_SAMPLES, MOST_SNAPSHOTS, Record, commanded_current, pilot_duty, pilot_high
from hilbench.verdict import Verdict
from hilbench.waveform import Accuracy, Snapshot, Waveform
from tests.evidence_samples import EPOCH, measurement, result, small_run
from tests.pilot_waves import Circuit, Scope, pwm

NONE = math.nan


def wave(duty: float = 16 / 0.6, t0_s: float = 4.0) -> Waveform:
    """10 ms of C2 with its instrument."""
    taken = Scope().take(pwm(duty, 1e-2, begin_s=-3e-4), Circuit(), np.random.default_rng(1))
    return Waveform(taken.values, taken.dt_s, t0_s, lsb=taken.lsb, accuracy=Accuracy(0.01, 0.02, 1e-5))


def about(record: Waveform, **more: Any) -> dict[str, Any]:
    """What is read from it."""
    return {"t": 4.005, "commanded_a": 16.0, **facts(measure(record)), **more}


def texts(svg: str) -> str:
    """What a picture says; fails when it is no XML."""
    return " ".join(" ".join(ElementTree.fromstring(svg).itertext()).split())


# -- kept


def test_a_record_is_read_back_to_the_last_bit(tmp_path: Path) -> None:
    """Samples, times, converter and calibration, in the same bytes each time."""
    record = wave()
    (tmp_path / "a.npz").write_bytes(npz_bytes(record))
    again = read_record(tmp_path / "a.npz")
    assert npz_bytes(again) == npz_bytes(record)
    assert np.array_equal(again.values, record.values)
    assert (again.dt_s, again.t0_s, again.lsb, again.accuracy) == (
        record.dt_s, record.t0_s, record.lsb, record.accuracy,
    )  # fmt: skip


def archive(path: Path, **changes: Any) -> Path:
    """A record's archive with some entries replaced."""
    known = {"values": np.zeros(9), "unit": "V", "dt_s": 1e-6, "t0_s": 0.0, "lsb": 0.0}
    entries = {**known, "gain": 0.0, "offset": 0.0, "clock": 0.0, **changes}
    np.savez(path, **{name: value for name, value in entries.items() if value is not None})
    return path


DAMAGED: list[dict[str, Any]] = [
    {"values": None}, {"dt_s": None}, {"dt_s": np.zeros(3)}, {"dt_s": -1.0}, {"dt_s": np.nan}, {"lsb": "x"},
    {"values": np.zeros((2, 2))}, {"values": np.array(["a", "b"])}, {"values": np.zeros(1)}, {"t0_s": np.inf},
    {"values": np.zeros(9, dtype=np.complex128)},
]  # fmt: skip


@pytest.mark.parametrize("changes", DAMAGED, ids=str)
def test_a_damaged_archive_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    """What is missing or of a wrong kind is an input error, whatever numpy makes of it."""
    path = archive(tmp_path / "x.npz", **changes)
    with pytest.raises(InputError):
        read_record(path)


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 10_000), value=st.integers(0, 255), cut=st.integers(0, 10_000))
def test_no_damage_ends_in_anything_else(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int, cut: int
) -> None:
    """A changed byte or a lost end gives a record or an input error."""
    content = bytearray(npz_bytes(Waveform(np.linspace(0, 9, 50), 1e-6)))
    content[place % len(content)] = value
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    path.write_bytes(content[: len(content) - cut % len(content)] if cut % 2 else content)
    try:
        read_record(path)
    except InputError as error:
        assert error.source == str(path)  # noqa: PT017 - most damage is none that shows


def test_what_is_kept_is_bounded() -> None:
    """One name for one record, no more than so many of them, and no longer than so many samples."""
    record = Record()
    shots = [Snapshot("A", wave(t0_s=float(k))) for k in range(MOST_SNAPSHOTS + 1)]
    names = [record.keep(shot) for shot in [*shots, shots[0]]]
    assert names[0] == names[-1] == "A-001"
    assert names[MOST_SNAPSHOTS] == ""
    assert len(record.snapshots) == len({*names} - {""}) == MOST_SNAPSHOTS
    long = Record()
    name = long.keep(Snapshot("A", Waveform(np.zeros(MOST_SAMPLES + 5), 1e-6)))
    assert len(long.snapshots[name].record.values) == MOST_SAMPLES


def followed(folder: ProcedureFolder) -> Record:
    """A record of a board that was told 10 A, then 16 A, and looked at twice."""
    made = Record()
    folder.follow(made, EPOCH)
    told = made.signal(commanded_current("evse"), "A")
    duty, high = made.signal(pilot_duty("evse"), "%"), made.signal(pilot_high("evse"), "V")
    for t, amps in ((1.0, 10.0), (3.0, 16.0)):
        told.append(t, amps)
        duty.append(t + 1.0, amps / 0.6)
        high.append(t + 1.0, 6.0)
    return made


def run_with_records(out: Path, verdict: Verdict = Verdict.FAIL, *, damage: bool = False) -> Path:
    """A run whose only measurement rests on a record."""
    path = small_run(out, status=None)
    folder = ProcedureFolder.create(path / "procedures" / "12.1-duty", {"key": "12.1-duty", "repeat": 1})
    made = followed(folder)
    name = made.keep(Snapshot("evse", wave(), about(wave())))
    folder.flush()
    judged = measurement(verdict, 2.8, 0.002, metric="pilot_duty_error", unit="%", limit_value=0.5, records=(name,))
    folder.finish(result(judged, id="12.1", title="duty", plots=()))
    if damage:
        (folder.path / "records" / f"{name}.npz").write_bytes(b"PK")
    render(load_run(path))
    return path


def test_the_report_shows_the_record_that_decided(tmp_path: Path) -> None:
    """Volts against microseconds with duty, uncertainty, command and verdict, and the strip with the command."""
    path = run_with_records(tmp_path)
    page = (path / "report.html").read_text()
    figures = [texts(svg) for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]
    (plot,) = [text for text in figures if "evse-001.npz" in text]
    for said in ("time in the record [µs]", "state C2", "commanded 16 A = 26.667 %", "FAIL: duty cycle error 2.8000 ±"):
        assert said in plot, said
    assert re.search(r"duty 26\.\d+ ± 0\.00\d+ % at -3\.00 V", plot)
    (strip,) = [text for text in figures if "Pilot of evse over time" in text]
    assert "dashed: the duty cycle of what was commanded" in strip
    assert folder_violations(path) == []


def test_records_are_in_the_manifest(tmp_path: Path) -> None:
    """A changed record is found."""
    path = run_with_records(tmp_path)
    write_manifest(path)
    (kept,) = path.glob("procedures/*/records/*.npz")
    kept.write_bytes(npz_bytes(wave(50.0)))
    assert check_manifest(path).changed == (kept.relative_to(path).as_posix(),)


def test_a_damaged_record_does_not_keep_the_report_from_being_made(tmp_path: Path) -> None:
    """It is named as damaged."""
    page = (run_with_records(tmp_path, damage=True) / "report.html").read_text()
    assert "evse-001.npz: is no readable record of a run" in page
    assert "Pilot of evse over time" in page


# -- drawn


def test_a_steady_wave_is_drawn_large() -> None:
    """Of 10 ms the first two or three periods, of an unsteady record all of it."""
    record = wave()
    few = texts(record_svg("x", record, about(record)))
    assert re.search(r"samples \d+ to \d{4} of 10000", few)
    assert "samples 0 to 10000 of 10000" in texts(record_svg("x", record, about(record, steady=False)))


@pytest.mark.parametrize("level", [12.0, 0.0, -12.0, math.nan, 1e30])
def test_any_level_can_be_drawn(level: float) -> None:
    """A still line, none at all, or one far beyond the picture."""
    assert "time in the record" in texts(record_svg("x", Waveform(np.full(500, level), 1e-6), {}))


HOSTILE = st.one_of(
    st.none(), st.text(max_size=8), st.floats(), st.booleans(), st.lists(st.floats(), max_size=2),
    st.fixed_dictionaries({"value": st.one_of(st.floats(), st.text(max_size=3)), "uncertainty": st.floats()}),
)  # fmt: skip
KEYS = (*facts(measure(wave())), "commanded_a", "t")


@settings(max_examples=80, deadline=None)
@given(said=st.dictionaries(st.sampled_from(KEYS), HOSTILE))
def test_whatever_an_index_says_gives_a_picture(said: dict[str, Any]) -> None:
    """No value of a damaged index breaks the drawing or gets out of its text."""
    texts(record_svg("x", wave(), said))


def test_looks_alike_are_one_part() -> None:
    """A part lasts from the first to the last look that saw it; noise is no change."""
    looks = [(0.0, "C2", 50.0), (1.0, "C2", 50.1), (2.0, "C2", 40.0), (3.0, "C1", NONE), (4.0, "C1", NONE)]
    assert [(part.begin_s, part.end_s) for part in joined(looks)] == [(0.0, 1.0), (2.0, 2.0), (3.0, 4.0)]


def test_states_are_told_from_the_signals_of_a_probe() -> None:
    """100 % is no PWM, 0 % is F, and a look without a duty is one without PWM."""
    record = Record()
    duty, high = record.signal(pilot_duty("A"), "%"), record.signal(pilot_high("A"), "V")
    for t, pct, volts in ((0.0, 100.0, 12.0), (1.0, 50.0, 9.0), (2.0, 50.0, 6.0), (3.0, None, 6.0), (4.0, 0.0, -12.0)):
        high.append(t, volts)
        if pct is not None:
            duty.append(t, pct)
    assert [part.state for part in parts_of(duty, high)] == ["A1", "B2", "C2", "C1", "F"]
    assert [part.state for part in parts_of(None, high)] == ["A1", "B1", "C1", "F"]


def test_a_strip_says_everything_in_words() -> None:
    """States with their times and duties for whoever cannot see it; a command below 6 A draws nothing."""
    parts = [Part(0.0, 2.0, "B1", NONE), Part(2.0, 9.0, "C2", 26.667)]
    svg = strip_svg("x", parts, [(1.0, NONE), (2.0, 26.667), (20.0, 50.0)])
    assert "0 s to 2 s: B1, no PWM; 2 s to 9 s: C2, 26.667 %" in texts(svg)
    assert svg.count('class="told"') == 1
    assert re.search(r'class="told" d="M[\d.]+ [\d.]+H[\d.]+"', svg)
    assert "nothing was seen" in texts(strip_svg("x", []))


def test_a_strip_without_end_is_bounded() -> None:
    """Of ten thousand parts the first are drawn, and it says so."""
    parts = [Part(k, k + 0.5, "C2", 20.0 + k % 7) for k in range(10_000)]
    svg = strip_svg("x", parts)
    assert len(svg) < 60 * MOST_PARTS
    assert f"the first {MOST_PARTS} of 10000 parts" in texts(svg)


def board_run(out: Path, *states: str, looked: bool = False) -> str:
    """The page of a run in which a board reported states, one every 5 s, and a contactor was timed from 6 s on."""
    path = small_run(out, status=None)
    folder = ProcedureFolder.create(path / "procedures" / "12.2-states", {"key": "12.2-states", "repeat": 1})
    made = Record()
    folder.follow(made, EPOCH)
    made.signal("current/service/L1", "A", "linear").append(0.0, 1.0)
    high = made.signal(pilot_high("evse"), "V")
    if looked:
        high.append(1.0, 9.0)
    for k, state in enumerate(states):
        made.event(5.0 * k, "openevse.state", "evse", state=state, offered_a=16)
    judged = measurement(Verdict.PASS, 0.25, 0.01, metric="contactor_close_time", window=(6.0, 9.0))
    folder.finish(result(judged, id="12.2", title="states", plots=()))
    render(load_run(path))
    return (path / "report.html").read_text()


def test_what_a_board_said_is_drawn_where_nobody_looked(tmp_path: Path) -> None:
    """Its states with the offer as a duty cycle, and when the contactor was timed."""
    pages = [
        board_run(tmp_path, "A", "B", "C", "sleeping"),
        board_run(tmp_path, "A", "A"),
        board_run(tmp_path, "A", "B", looked=True),
    ]
    drawn = [re.findall(r"<svg[^>]*What board evse.*?</svg>", page, re.DOTALL) for page in pages]
    assert [len(found) for found in drawn] == [1, 0, 0]
    said = texts(drawn[0][0])
    assert "0 s to 5 s: A, no PWM; 5 s to 10 s: B, 26.667 %; 10 s to 15 s: C, 26.667 %" in said
    assert "6 s: contactor closes 0.25 s" in said
