"""hilbench.evidence.render: the page that a stranger reads, whole, offline, and safe with whatever was recorded."""

from __future__ import annotations

import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.evidence.environment import environment, input_files, site_facts
from hilbench.evidence.files import canonical
from hilbench.evidence.folder import RunFolder
from hilbench.evidence.reader import load_run
from hilbench.evidence.render import render
from hilbench.evidence.schemas import folder_violations
from hilbench.rig import load_rig
from hilbench.signals import Record
from hilbench.verdict import Plot, Verdict
from tests.evidence_samples import EPOCH, META, measurement, record, result, small_run

VOID = {"meta", "br", "hr", "img", "link", "input"}
LOADING = {
    "script",
    "link",
    "img",
    "iframe",
    "object",
    "embed",
    "audio",
    "video",
    "source",
    "base",
    "form",
    "image",
    "use",
}
HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>'",
    "]]></style><b>&amp;",
    "Ünïcödé 充电站 🔌 \u202e",
    "nul\x00 esc\x1b surrogate\ud800",
    "x" * 3000,
    "line\nbreak\ttab",
)


class Page(HTMLParser):
    """Parses a page, complains of tags that do not close in order, and keeps tags, attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.said: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag opens."""
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag opens and closes at once."""
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        """A tag closes: the one that opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text between tags."""
        self.said.append(data)

    @property
    def text(self) -> str:
        """Everything that a reader sees, and the style."""
        return " ".join(" ".join(self.said).split())


def page_of(path: Path) -> tuple[str, Page]:
    """Source and parsed page of a run folder."""
    source = (path / "report.html").read_text("utf-8")
    return source, Page(source)


def assert_sound(source: str, page: Page) -> None:
    """Nothing is loaded, nothing runs, every link stays on the page and every picture is well-formed XML."""
    assert not page.tags & LOADING
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    links = [value or "" for name, value in page.attributes if name in ("href", "src", "xlink:href", "action")]
    assert [link for link in links if not link.startswith("#")] == []
    style = source[source.index("<style>") : source.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    for picture in re.findall(r"<svg.*?</svg>", source, re.DOTALL):
        ElementTree.fromstring(picture)


def test_the_page_says_what_was_tested_and_how_it_went(tmp_path: Path) -> None:
    """Headline, verdict, clause, source, confidence, value with uncertainty and limit are all on the page."""
    path = small_run(tmp_path, measurement(Verdict.FAIL, 46.8), measurement())
    source, page = page_of(path)
    assert_sound(source, page)
    for said in (
        "Load management test of testville",
        "FAIL",
        "0 of 1 test passed, 1 failed, 1 not run.",
        "step <up>",
        "c-time_above_budget",
        "made up & tested",
        "policy-default",
        "as the test says",
        "46.80 ± 0.82 s",
        "≤ 30 s",
        "guarded by U",
        "the rig has no controller.suspend",
        "hilbench run 'rig one.toml' --only 7.1 --seed 7",
        "This is not an accredited report.",
        "What this report does not claim",
        "sha256sum -c MANIFEST.sha256",
        "ab" * 32,
    ):
        assert said in page.text, said


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (Verdict.PASS, "Every limit that was checked was kept"),
        (Verdict.FAIL, "At least one limit was broken"),
        (Verdict.INCONCLUSIVE, "This is not a pass"),
        (Verdict.ERROR, "it says nothing about the controller"),
    ],
)
def test_each_verdict_is_explained(tmp_path: Path, verdict: Verdict, said: str) -> None:
    """The stamp shows the verdict and a sentence says what it means; only PASS is green."""
    source, page = page_of(small_run(tmp_path, measurement(verdict)))
    assert f"<title>{verdict.value}:" in source
    assert f'<div class="hero {verdict.value.lower()}">' in source
    assert said in page.text
    assert ('class="hero pass"' in source) == (verdict is Verdict.PASS)


@pytest.mark.parametrize(
    ("status", "said"), [("ABORTED", "was stopped before its end"), ("ERROR", "not be carried out")]
)
def test_a_run_that_was_ended_says_so_first(tmp_path: Path, status: str, said: str) -> None:
    """The headline of an aborted run is not that its tests passed."""
    source, page = page_of(small_run(tmp_path, status=status))
    assert f'<div class="stamp">{status}</div>' in source
    assert said in page.text


def test_a_fail_of_an_aborted_run_stays_a_fail(tmp_path: Path) -> None:
    """What was found before the stop is a finding, and the page also says that the run was stopped."""
    _source, page = page_of(small_run(tmp_path, measurement(Verdict.FAIL, 46.8), status="ABORTED"))
    assert load_run(tmp_path / "0001").verdict == "FAIL"
    assert "The run was stopped before its end: 0 of 1 test passed, 1 failed" in page.text


def test_a_failure_tells_its_story(tmp_path: Path) -> None:
    """By how much, since when, after what, what the meter told and what the controller had answered, and the replay."""
    run = RunFolder.create(tmp_path, META)
    folder = run.procedure("7.1-step", about={"id": "7.1", "title": "step"})
    made = record()
    reported = made.signal("meter/service/L1", "A")
    for t, value in ((0.0, 70.0), (12.0, 100.5), (47.0, 75.0)):
        reported.append(t, value)
    folder.follow(made, EPOCH)
    failed = measurement(Verdict.FAIL, 35.8, signals=("current/service/L1",))
    plots = (
        Plot("Current", "A", ("current/service/L1",), (("budget", 80.0),), ((10.0, "step"),)),
        Plot("Meter", "A", ("meter/service/L1",)),
    )
    folder.finish(result(failed, plots=plots))
    run.finish("FINISHED")
    _source, page = page_of(run.path)
    assert "35.80 s; the limit is at most 30 s; missed by 5.8 s" in page.text
    assert "The current of service L1 was above the budget (80 A) for 35.8 s, from 10.0 s" in page.text
    assert "(2024-06-04T16:00:10.000Z) to 45.8 s, at most 100.5 A." in page.text
    assert "What had happened before, at 10.0 s: load +30.5 A." in page.text
    assert "The meter reported 100.5 A at 12.0 s, 2.0 s after it began." in page.text
    assert "1.0 -9.0 A at most 16 A (TxDefaultProfile)" in page.text
    assert "44.0 +34.0 A at most 6.125 A (TxDefaultProfile)" in page.text


def test_a_silent_controller_is_called_silent(tmp_path: Path) -> None:
    """Without a command in time the page says that there was none."""
    run = RunFolder.create(tmp_path, META)
    folder = run.procedure("7.1-step")
    made = Record()
    for t, value in ((0.0, 70.0), (10.0, 70.0), (10.0, 100.0), (60.0, 100.0)):
        made.signal("current/service/L1", "A", "linear").append(t, value)
    folder.follow(made, EPOCH)
    folder.finish(result(measurement(Verdict.FAIL, 50.0, signals=("current/service/L1",))))
    run.finish("FINISHED")
    _source, page = page_of(run.path)
    assert "Until then no station had accepted any limit from the controller." in page.text


def _hostile_run(out: Path, texts: tuple[str, ...]) -> Path:
    """A run in which every text that a user, a rig or a station can choose is hostile."""
    a, b, c, d = (texts * 4)[:4]
    meta: dict[str, Any] = {
        "site": {"name": a, "timezone": b, "nodes": [{"id": c, "title": d, "limit_a": 80.0}], "stations": [a, b]},
        "controller": c,
        "time": {"mode": d},
        "command": ["hilbench", a],
        "plan": [{"key": "9-later", "id": "9", "title": b, "reason": c}],
        "inputs": {a: {"file": b}},
        "requirements": [{"id": c, "edition": d}],
        "identification": {"customer": a},
        "other": {b: c},
    }
    run = RunFolder.create(out, meta)
    run.add_file("rig.toml", a + "\n" + b)
    folder = run.procedure("7.1-x", about={"id": "7.1", "title": a, "purpose": b, "stimulus": c})
    made = Record()
    for name in dict.fromkeys((*texts, *(f"{index}/{a}" for index in range(12)))):
        made.signal(name, b, "linear").append(0.0, 1.0)
        made.signal(name, b, "linear").append(60.0, 90.0)
    made.event(1.0, f"stimulus.{a}", b, **{"x": c, d: a})
    made.event(2.0, "command.profile", a, limit_a=6.0, purpose=b)
    made.event(3.0, "fault.link", a, how=b)
    folder.follow(made, EPOCH)
    judged = measurement(Verdict.FAIL, 46.8, note=a, signals=(a,))
    plots = (
        Plot(a, b, (a,), ((c, 80.0),), ((1.0, d), (3.0, a))),
        Plot(b, c, tuple(made.signals), ((d, 80.0),)),
    )
    finished = {"purpose": b, "stimulus": c} | result(judged, measurement(note=b), error=c, notes=(d,), plots=plots)
    tables = [{"title": a, "columns": [b, c], "rows": [[d, a]]}, {**_SESSIONS, "rows": [[a, b, c, "3", "2"]]}]
    folder.finish({**finished, "tables": tables}, {a: "ab" * 32})
    run.finish("ABORTED", reason=a)
    return run.path


_SESSIONS: dict[str, Any] = {
    "title": "Sessions",
    "columns": ["station", "arrival", "departure", "requested kWh", "delivered kWh"],
}


def _check_hostile(path: Path) -> None:
    source, page = page_of(path)
    assert_sound(source, page)
    assert not page.tags & {"b1", "evil", "marquee"}
    ElementTree.fromstring((path / "junit.xml").read_bytes())
    assert folder_violations(path) == []


@pytest.mark.parametrize("text", HOSTILE, ids=["script", "attribute", "style", "unicode", "control", "long", "breaks"])
def test_hostile_texts_are_only_text(tmp_path: Path, text: str) -> None:
    """Names with tags, quotes, control characters or of great length neither break the page nor run in it."""
    _check_hostile(_hostile_run(tmp_path, (text,)))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(alphabet=st.characters(codec=None), max_size=20), min_size=1, max_size=4))
def test_any_text_is_only_text(texts: list[str]) -> None:
    """Whatever the texts of a record are, page, pictures and JUnit file stay well-formed."""
    with TemporaryDirectory() as folder:
        _check_hostile(_hostile_run(Path(folder), tuple(texts)))


def test_a_long_name_is_shortened_in_a_map_and_kept_on_hover(tmp_path: Path) -> None:
    """In the picture of many stations a long name does not push the map away."""
    source, _page = page_of(_hostile_run(tmp_path, ("station-" + "y" * 60,)))
    assert "station-yyyyyyyyy…</text>" in source
    assert "<title>station-" + "y" * 60 in source


def test_rendering_again_gives_the_same_bytes(tmp_path: Path) -> None:
    """Page and JUnit file depend on nothing but the folder."""
    path = small_run(tmp_path, measurement(Verdict.FAIL, 46.8))
    before = {name: (path / name).read_bytes() for name in ("report.html", "junit.xml")}
    render(load_run(path))
    assert {name: (path / name).read_bytes() for name in before} == before


def test_run_json_is_canonical_and_as_its_schema_says(tmp_path: Path) -> None:
    """Sorted keys, one spelling for one value; also with infinite values, and while the run is still going."""
    never = measurement(Verdict.FAIL, math.inf, math.nan)
    for path in (small_run(tmp_path, never), small_run(tmp_path, status=None), small_run(tmp_path, status="ABORTED")):
        text = (path / "run.json").read_text()
        assert text == canonical(json.loads(text))
        assert folder_violations(path) == []


def test_a_violation_of_the_schema_is_found(tmp_path: Path) -> None:
    """The check can fail: a measurement without a value is named with its place."""
    path = small_run(tmp_path)
    file = path / "procedures/7.1-step/result.json"
    document = json.loads(file.read_text())
    del document["measurements"][0]["value"]
    file.write_text(json.dumps(document))
    (text,) = folder_violations(path)
    assert text.startswith("procedures/7.1-step/result.json: /measurements/0:")


def test_what_the_run_was_made_with_is_on_the_page(tmp_path: Path) -> None:
    """Site tree, rig file and its sha256, versions, machine and dates are shown, and fit the schema."""
    rig = load_rig("garage-54")
    run = RunFolder.create(
        tmp_path, {"site": site_facts(rig.electrical), "inputs": input_files({"rig": rig.path}), **environment()}
    )
    run.add_file("rig.toml", rig.path.read_text("utf-8"))
    folder = run.procedure("7.1-step")
    folder.finish(result(measurement()))
    run.finish("FINISHED", ended_utc=EPOCH)
    _source, page = page_of(run.path)
    head = json.loads((run.path / "run.json").read_text())
    for said in (
        "garage-54, 54 stations, 1200 A service, budget 960 A per line",
        "Garage transformer",
        head["inputs"]["rig"]["sha256"],
        f"hilbench {head['versions']['hilbench']}",
        head["machine"]["architecture"],
        "to 2024-06-04 16:00:00 UTC",
        "[[station]]",
    ):
        assert said in page.text, said
    assert folder_violations(run.path) == []


def test_a_missing_input_is_named_not_raised(tmp_path: Path) -> None:
    """A file that vanished after it was read is in the record with the reason."""
    assert input_files({"rig": tmp_path / "gone.toml", "load": None}) == {
        "rig": {"file": "gone.toml", "error": "No such file or directory"}
    }


def test_repeats_show_the_worst_and_how_all_spread(tmp_path: Path) -> None:
    """Three repeats: the failing one is told, the table has median, 95 %, worst and what that shows."""
    run = RunFolder.create(tmp_path, META)
    for repeat, (verdict, value) in enumerate(((Verdict.PASS, 3.0), (Verdict.FAIL, 46.0), (Verdict.PASS, 5.0)), 1):
        run.procedure("7.1-step", repeat).finish(result(measurement(verdict, value, 0.0), seed=repeat))
    run.finish("FINISHED")
    _source, page = page_of(run.path)
    assert "3 repeats, the worst is shown: 1 FAIL, 2 PASS" in page.text
    assert "time above budget 3 5 s 3 s to 46 s 46 s – 46 s ≤ 30 s indicative: below 59 repeats" in page.text
    assert "--only 7.1 --seed 2" in page.text


def test_the_report_of_a_cut_off_procedure_shows_what_there_is(tmp_path: Path) -> None:
    """Without a result the page has the plots of all recorded signals with the site's limits, and says CUT OFF."""
    path = small_run(tmp_path, status=None)
    render(load_run(path))
    source, page = page_of(path)
    assert_sound(source, page)
    assert "CUT OFF" in page.text
    assert "2 signals and 3 events are readable, up to 46 s of bench time" in page.text
    assert "service: current per line" in page.text
    assert "budget 80" in page.text
    assert "rating 100" in page.text


def test_a_procedure_that_never_began_is_not_cut_off(tmp_path: Path) -> None:
    """An empty folder is a test that the run did not reach."""
    run = RunFolder.create(tmp_path, {})
    run.procedure("7.1-step")
    assert [item.verdict for item in load_run(run.path).procedures] == ["NOT_RUN"]


def test_a_procedure_that_was_stopped_says_by_what(tmp_path: Path) -> None:
    """With the stop in its result, the page names it and how far the record goes, and calls it no error."""
    run = RunFolder.create(tmp_path, META)
    folder = run.procedure("7.1-step")
    folder.follow(record(), EPOCH)
    folder.finish({"verdict": "INCOMPLETE", "error": "aborted by SIGTERM before its end"})
    run.finish("ABORTED", reason="SIGTERM")
    _source, page = page_of(run.path)
    assert "Aborted by SIGTERM before its end: 2 signals and 3 events are readable, up to 60 s" in page.text
    assert "ended in an error" not in page.text
    assert "Ended by SIGTERM" in page.text


def test_a_failure_without_an_excursion_says_when_it_was_looked_at(tmp_path: Path) -> None:
    """What never came about was waited for in a window, and the commands of that window are listed, renewals not."""
    never = measurement(Verdict.FAIL, math.inf, 0.1, window=(10.0, 50.0))
    source, page = page_of(small_run(tmp_path, never))
    assert_sound(source, page)
    assert "It was looked at from 10.0 s" in page.text
    assert "What stations accepted from the controller" in page.text
