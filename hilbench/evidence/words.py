"""The record in plain words: what a verdict means, how far a value is from its limit, how sure a limit is."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hilbench.evidence.files import number
from hilbench.evidence.markup import rounded, unit_text
from hilbench.evidence.reader import SEVERITY, ProcedureEvidence, RunEvidence
from hilbench.metrics.catalogue import METRICS

CONFIDENCE = {
    "standard-text": "read in the text of the standard",
    "regulation-text": "read in the text of the regulation",
    "vendor-doc": "read in a manufacturer's document",
    "read-code": "read in published source code",
    "secondary": "from a source that quotes the original",
    "recalled": "from memory: check it against the original before relying on it",
    "policy-default": "a default of this bench, not a requirement of any authority",
}
WEAK = ("recalled", "policy-default")
VERDICTS = {
    "PASS": "every limit of the test was kept, as its decision rule says",
    "FAIL": "at least one limit was missed; a finding about the controller",
    "INCONCLUSIVE": "too close to a limit for the measurement uncertainty; not a pass: measure more finely or repeat",
    "ERROR": "the test could not be carried out; says nothing about the controller, and is no pass",
    "NOT_RUN": "the test was left out or not reached, for the reason given; no pass",
    "INCOMPLETE": "the test was stopped or killed in the middle; what it recorded until then is kept; no pass",
    "ABORTED": "somebody stopped the run before its end; no pass",
    "INFORMATIVE": "a value that no clause limits",
}
RULES = {
    "U": "guarded: passes only when the value keeps the limit by its uncertainty U, fails only when it misses it by U",
    "none": "simple: the value alone is compared with the limit",
}


def headline(run: RunEvidence) -> str:
    """The outcome in one sentence."""
    ran = [item for item in run.procedures if item.verdict != "NOT_RUN"]
    passed = sum(item.verdict == "PASS" for item in ran)
    if not ran:
        return "Nothing was tested." if run.status == "FINISHED" else "The run ended before anything was tested."
    stopped = {"ABORTED": "The run was stopped before its end", "INCOMPLETE": "The run was cut off before its end"}
    lead = f"{stopped[run.status]}: " if run.status in stopped else ""
    return f"{lead}{passed} of {len(ran)} {_plural('test', len(ran))} passed{_others(run)}."


def _others(run: RunEvidence) -> str:
    said = {"FAIL": "failed", "ERROR": "ended in an error", "INCONCLUSIVE": "inconclusive", "NOT_RUN": "not run"}
    said["INCOMPLETE"] = "cut off"
    counts = run.counts()
    return "".join(f", {counts[verdict]} {word}" for verdict, word in said.items() if counts.get(verdict))


def _plural(word: str, count: int) -> str:
    return word if count == 1 else word + "s"


def meaning(run: RunEvidence) -> list[str]:
    """Paragraphs for a reader who knows neither the bench nor the words of the field."""
    return [text for text in (_scene(run), _outcome(run), _cut_short(run), _reach(run)) if text]


def _scene(run: RunEvidence) -> str:
    site = run.head.get("site")
    name = site.get("name", "the site") if isinstance(site, Mapping) else site or "the site"
    return (
        f"A load-management controller shares the electricity that a building leaves over among charging cars at {name}"
        ", so that the main breaker never has to open. The bench played the building, the cars, the charging stations "
        "and the meter, disturbed them on purpose, recorded the current in every conductor, and compared what happened "
        "with written limits."
    )


def _outcome(run: RunEvidence) -> str:
    texts = {
        "PASS": "Every limit that was checked was kept, as the decision rule of each says.",
        "FAIL": "At least one limit was broken. As tested, this controller can let a current or a time grow beyond "
        "what the requirement allows:",
        "INCONCLUSIVE": "No limit was clearly broken, but at least one value lies so close to its limit that the "
        "measurement uncertainty does not allow a decision. This is not a pass.",
        "ERROR": "At least one test could not be carried out to its end, so it says nothing about the controller. "
        "This is not a pass.",
        "INCOMPLETE": "The run was cut off before its end. What was recorded until then is shown; it is not a pass.",
        "ABORTED": "The run was stopped before its end. What was recorded until then is shown; it is not a pass.",
        "NOT_RUN": "No test was carried out.",
    }
    return texts.get(run.verdict, texts["ERROR"])


def _cut_short(run: RunEvidence) -> str:
    if run.status == "FINISHED" or run.verdict in ("ABORTED", "INCOMPLETE"):
        return ""
    ended = {"INCOMPLETE": "was cut off", "ABORTED": "was stopped before its end"}.get(run.status, "ended in an error")
    return f"The run itself {ended}: tests that are missing here were never reached."


def _reach(run: RunEvidence) -> str:
    weak = {
        clause.get("confidence")
        for procedure in run.procedures
        for item in procedure.measurements
        if (clause := item.get("clause") or {}).get("confidence") in WEAK
    }
    said = []
    if weak:
        said.append(
            "Some limits are defaults of the bench or quoted from memory, and marked so: they are no authority's "
            "requirement."
        )
    said.append("The result holds for the tests, the settings and the version named here, and for nothing else.")
    return " ".join(said)


def weakest(verdict: str, measurements: Iterable[Mapping[str, Any]]) -> str:
    """How sure the least sure limit is on which a PASS rests, where somebody has to check it; else empty."""
    sure = {clause.get("confidence") for item in measurements if (clause := item.get("clause") or {})}
    return next((word for word in WEAK if word in sure), "") if verdict == "PASS" else ""


def describe(item: Mapping[str, Any]) -> str:
    """A measurement and its distance from the limit as one line of text."""
    return f"{metric_title(str(item.get('metric')))}: {distance(item)}"


def distance(item: Mapping[str, Any]) -> str:
    """A value, its limit, and by how much it was missed, as a sentence."""
    value, limit, spread = (number(item.get(key)) for key in ("value", "limit_value", "uncertainty"))
    unit = unit_text(str(item.get("unit", "")))
    if value is None or math.isnan(value):
        return f"no value could be measured. {item.get('note', '')}"
    shown = f"{rounded(value, spread or 0.0)} {unit}".strip() if math.isfinite(value) else "it never came about"
    if limit is None or math.isnan(limit):
        return f"{shown}. {item.get('note', '')}"
    bound = {"<=": "at most ", ">=": "at least "}.get(str(item.get("op")), "")
    said = f"{shown}; the limit is {bound}{rounded(limit)} {unit}".strip()
    by = miss(item)
    if item.get("verdict") == "FAIL" and by is not None and math.isfinite(by):
        said += f"; missed by {rounded(by)} {unit}".rstrip()
    note = f" ({item['note']})" if item.get("note") else ""
    return said + note + "."


def metric_title(metric: str) -> str:
    """A metric's name in words."""
    known = METRICS.get(metric)
    return known.title if known else metric.replace("_", " ")


def metric_definition(metric: str) -> str:
    """How the metric is measured, empty when the catalogue does not know it."""
    known = METRICS.get(metric)
    return known.definition if known else ""


def limit_used(measurement: Mapping[str, Any]) -> float | None:
    """How much of its limit a value uses, below 1 it keeps it; None where that makes no sense (``==``, zero)."""
    value, limit = number(measurement.get("value")), number(measurement.get("limit_value"))
    if value is None or limit is None or math.isnan(value) or not math.isfinite(limit) or limit <= 0 or value < 0:
        return None
    if measurement.get("op") == "<=":
        return value / limit
    if measurement.get("op") == ">=":
        return limit / value if value > 0 else math.inf
    return None


def miss(measurement: Mapping[str, Any]) -> float | None:
    """By how much a value is on the wrong side of its limit, in the limit's unit; None where it is not."""
    value, limit = number(measurement.get("value")), number(measurement.get("limit_value"))
    if value is None or limit is None or math.isnan(value) or math.isnan(limit):
        return None
    distance = {"<=": value - limit, ">=": limit - value, "==": abs(value - limit)}.get(str(measurement.get("op")), 0.0)
    return distance if distance > 0 else None


def tightest(measurements: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The measurement that decides a procedure: worst verdict, then most of its limit used."""
    judged = [item for item in measurements if item.get("clause")]
    return min(judged, key=lambda item: (severity(item.get("verdict")), -(limit_used(item) or 0.0)), default=None)


def severity(verdict: Any) -> int:
    """Rank in a list with the worst first."""
    return SEVERITY.index(verdict) if verdict in SEVERITY else len(SEVERITY)


def worst_repeat(group: Sequence[ProcedureEvidence]) -> ProcedureEvidence:
    """The repeat that a reader should see: worst verdict, then least margin, then the first."""

    def rank(item: ProcedureEvidence) -> tuple[int, float, int]:
        decisive = tightest(item.measurements)
        return severity(item.verdict), -(limit_used(decisive) or 0.0) if decisive else 0.0, item.repeat

    return min(group, key=rank)


def replay_command(run: RunEvidence, procedure: ProcedureEvidence | None = None) -> str:
    """The shell command that repeats the run, or one procedure of it."""
    base = run.head.get("replay") or run.head.get("command") or "hilbench run"
    words = [_quote(str(word)) for word in base] if isinstance(base, list) else [str(base)]
    text = " ".join(words)
    if procedure is None or words[1:2] == ["search"]:  # a replayed scenario has one procedure
        return text
    seed = procedure.get("seed", run.head.get("seed"))
    text = re.sub(r"\s--(only|seed|repeat|out)(=|\s+)('[^']*'|\S+)", "", text)
    return f"{text} --only {procedure.id}" + (f" --seed {seed}" if seed is not None else "")


def _quote(word: str) -> str:
    return word if re.fullmatch(r"[A-Za-z0-9_./:=+@%-]+", word) else "'" + word.replace("'", "'\\''") + "'"


def zero_failures(count: int) -> str:
    """What ``count`` repeats without a failure show at 95 % confidence: p = 0.05 ** (1 / n) (verification.md, 3)."""
    share = 0.05 ** (1.0 / count)
    return f"{count} repeats without a failure: with 95 % confidence at least {100 * share:.1f} % of all repeats pass."
