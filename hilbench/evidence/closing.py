"""The last part of the report: how sure the numbers are, the items of a formal report, and how to check the files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from hilbench.evidence.files import number
from hilbench.evidence.markup import esc, moment, paragraphs, prose, quantity, section, table, unit_text
from hilbench.evidence.reader import RunEvidence
from hilbench.evidence.tested import performed
from hilbench.evidence.words import CONFIDENCE, metric_definition, metric_title
from hilbench.metrics.catalogue import METRICS


def certainty_section(run: RunEvidence) -> str:
    """Fidelity of the sources, uncertainty, decision rule and the words of confidence."""
    rows = [
        (esc(device), esc(fidelity), quantity(spread, unit) if spread else "–", esc(calibration or "–"), str(count))
        for (device, fidelity, unit, spread, calibration), count in _sources(run).items()
    ]
    texts = [
        "A value is followed by its expanded uncertainty U (coverage factor k = 2, about 95 %). Emulated sources are "
        "the truth of a model: they have no measurement error of their own, and what they show about a real device is "
        "as good as the model. Instruments carry the uncertainty and the calibration that the rig file states.",
        _time_base(run),
        "Decision rule (after ILAC-G8): a clause marked guarded passes only when the value keeps its limit by U, fails "
        "only when it misses it by U, and is INCONCLUSIVE between; a clause marked simple compares the value alone. "
        "INCONCLUSIVE never counts as a pass.",
    ]
    marks = [(f'<span class="tag">{esc(word)}</span>', esc(text)) for word, text in CONFIDENCE.items()]
    body = paragraphs(texts)
    body += table(("Source of signals", "Fidelity", "U of one sample", "Calibration", "Signals"), rows) if rows else ""
    return section("certainty", "How sure are these numbers", body + table(("Confidence of a limit", "means"), marks))


def definitions_section(run: RunEvidence) -> str:
    """How every number of this report is measured, and its unit: a printed page has no hover texts."""
    used = {str(item.get("metric")) for procedure in run.procedures for item in procedure.measurements}
    rows = [
        (esc(metric_title(name)), esc(unit_text(METRICS[name].unit) or "ratio"), esc(metric_definition(name)))
        for name in METRICS
        if name in used
    ]
    if not rows:
        return ""
    return section("definitions", "How each number is measured", table(("Measurement", "Unit", "Is"), rows))


def claims_section(run: RunEvidence) -> str:
    """What a reader must not take from this report."""
    time = run.head.get("time")
    texts = [
        "Emulated cars, stations and meters are models, fitted to published measurements. Real ones differ, and fail "
        "in ways that nobody has modelled.",
        "A test passes for its stimulus, its seed and its settings. Between them lies everything that was not tried.",
        "The thermal memory of a breaker is computed from the tolerance band of its standard; no breaker was tripped.",
        "Nothing is said about the safety of devices and wiring, about selectivity, about security of the network, or "
        "about conformity with any standard that a source names: it names where a figure comes from.",
        "Limits marked policy-default are choices of this bench. An authority, a network operator or a manufacturer "
        "may ask for more.",
    ]
    if isinstance(time, Mapping) and time.get("mode") == "virtual":
        texts.append("In virtual time a controller computes in no time: its speed on real hardware was not tested.")
    body = "<ul>" + "".join(f"<li>{esc(text)}</li>" for text in texts) + "</ul>"
    return section("claims", "What this report does not claim", body)


def _sources(run: RunEvidence) -> Counter[tuple[str, str, str, float, str]]:
    found: Counter[tuple[str, str, str, float, str]] = Counter()
    for procedure in run.procedures:
        for entry in procedure.signals.values():
            source = entry.source
            spread = number(source.get("uncertainty")) or 0.0
            unit = entry.unit if spread else ""
            device, fidelity = str(source.get("device", "")), str(source.get("fidelity", ""))
            found[device, fidelity, unit, spread, str(source.get("calibration", ""))] += 1
    return found


def _time_base(run: RunEvidence) -> str:
    time = run.head.get("time")
    mode = str(time.get("mode", "")) if isinstance(time, Mapping) else str(time or "")
    if mode == "virtual":
        return (
            "Time base: virtual. Bench seconds are computed, free of the jitter of the computer, and repeat exactly "
            "for the same seed; the computing time of the controller itself counts as zero."
        )
    if mode:
        return (
            f"Time base: {mode}. Bench seconds come from the monotonic clock of the computer that ran the bench; "
            "its scheduling adds milliseconds to every instant."
        )
    return ""


def formal_section(run: RunEvidence, identity: str) -> str:
    """The items that ISO/IEC 17025:2017 7.8.2.1 lists for a test report, as far as a program can state them."""
    told = run.head.get("identification")
    given: Mapping[str, object] = told if isinstance(told, Mapping) else {}

    def stated(key: str) -> str:
        return prose(given[key]) if given.get(key) else "<span class='mute'>not stated; to be filled in</span>"

    seeds, repeats = prose(run.head.get("seed", "not stated")), prose(run.head.get("repeats", 1))
    rows = [
        ("a title", "Test report: EV load management, acceptance tests"),
        ("b laboratory", stated("laboratory")),
        ("c place of the tests", stated("location")),
        ("d identification", f"<code>{esc(identity)}</code>, on the first and the last line of this report"),
        ("e customer", stated("customer")),
        ("f method", "procedures of hilbench, limits from the requirement profiles named above"),
        ("g item tested", prose(run.head.get("controller", "")) or stated("item")),
        ("h date of receipt", stated("received")),
        ("i dates of the tests", performed(run.head) or stated("performed")),
        ("j date of issue", moment(run.head.get("ended_utc", "")) or stated("issued")),
        ("k sampling", f"seed {seeds}, repeats {repeats}"),
        ("l validity", "the results relate only to the item and the settings that were tested"),
        ("m results", "with units and uncertainty in the tests above"),
        ("n deviations", esc(_deviations(run))),
        ("o authorised by", stated("authorised_by")),
        ("p results of others", stated("external_results") if given.get("external_results") else "none"),
    ]
    warning = (
        "<p><b>This is not an accredited report.</b> It follows the list of contents of ISO/IEC 17025:2017, 7.8.2.1, "
        "so that nothing is forgotten. Whoever holds no accreditation for these tests must not present it as the work "
        "of an accredited laboratory, and must not use an accreditation mark with it. Pass it on only as a whole.</p>"
    )
    return section("record", "Items of the record", warning + table(("Item", "Here"), rows))


def _deviations(run: RunEvidence) -> str:
    counts = run.counts()
    said = [f"{counts[verdict]} {word}" for verdict, word in _DEVIATIONS if counts.get(verdict)]
    if run.status != "FINISHED":
        said.insert(0, f"the run ended as {run.status}")
    return ", ".join(said) or "none"


_DEVIATIONS = (("NOT_RUN", "not run"), ("INCOMPLETE", "cut off"), ("ERROR", "ended in an error"))


def integrity_section() -> str:
    """How to check that the folder is as it was written."""
    body = (
        "<p>This page is made from the files beside it: <code>run.json</code> (everything but the curves), "
        "<code>procedures/*/signals/*.csv</code> (every recorded sample), <code>procedures/*/events.jsonl</code>, "
        "<code>procedures/*/records/*.npz</code> (records of instruments, where measurements rest on them). "
        "The manifest holds the sha256 of each file.</p>"
        "<pre><code>sha256sum -c MANIFEST.sha256\nhilbench report --verify .</code></pre>"
    )
    return section("integrity", "Check this record", body)
