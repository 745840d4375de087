"""JUnit XML: one test case per procedure and repeat, its measurements as properties."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from hilbench.evidence.files import canonical, number
from hilbench.evidence.overview import reason
from hilbench.evidence.reader import ProcedureEvidence, RunEvidence
from hilbench.evidence.words import describe, replay_command, weakest

_KEYS = ("metric", "value", "unit", "uncertainty", "op", "verdict", "note")
_CLAUSE_KEYS = ("profile", "source", "confidence", "guard")
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(run: RunEvidence) -> str:
    """The run as JUnit XML (xunit2): INCONCLUSIVE is a failure of type ``inconclusive``, NOT_RUN is skipped.

    A run that did not reach its end has one more test case, an error, so that nobody's pipeline takes it for a pass.
    """
    counts = run.counts()
    failures = counts.get("FAIL", 0) + counts.get("INCONCLUSIVE", 0)
    end = _end(run)
    errors = counts.get("ERROR", 0) + counts.get("INCOMPLETE", 0) + bool(end)
    seconds = sum(number(item.get("duration_s")) or 0.0 for item in run.procedures)
    attributes = (
        f'tests="{len(run.procedures) + bool(end)}" failures="{failures}" errors="{errors}" '
        f'skipped="{counts.get("NOT_RUN", 0)}" time="{seconds:.3f}"'
    )
    suite = f"<testsuite name={_quoted('hilbench ' + run.path.name)} {attributes}{_timestamp(run)}>"
    cases = "".join(_case(run, item) for item in run.procedures) + end
    properties = _properties([("status", run.status), ("verdict", run.verdict), ("seed", run.head.get("seed", ""))])
    head = f'<?xml version="1.0" encoding="utf-8"?>\n<testsuites {attributes}>\n'
    return f"{head}{suite}\n{properties}{cases}</testsuite>\n</testsuites>\n"


def _end(run: RunEvidence) -> str:
    if run.status == "FINISHED":
        return ""
    why = f"the run ended as {run.status}{': ' if run.head.get('reason') else ''}{run.head.get('reason', '')}"
    error = _element("error", run.status.lower(), why, [why])
    return f'<testcase classname="hilbench" name="the run reaches its end" time="0.000">{error}</testcase>\n'


def _timestamp(run: RunEvidence) -> str:
    started = run.head.get("started_utc")
    return f" timestamp={_quoted(started)}" if started else ""


def _case(run: RunEvidence, procedure: ProcedureEvidence) -> str:
    name = f"{procedure.id} {procedure.title}" + (f" r{procedure.repeat:03d}" if procedure.repeat > 1 else "")
    seconds = number(procedure.get("duration_s")) or 0.0
    head = f'<testcase classname={_quoted("hilbench." + procedure.key)} name={_quoted(name)} time="{seconds:.3f}">'
    return f"{head}\n{_properties(_facts(procedure))}{_outcome(run, procedure)}</testcase>\n"


def _facts(procedure: ProcedureEvidence) -> Iterator[tuple[str, Any]]:
    yield "verdict", procedure.verdict
    if weak := weakest(procedure.verdict, procedure.measurements):
        yield "weakest_limit", weak
    if procedure.get("seed") is not None:
        yield "seed", procedure.get("seed")
    hashes = procedure.get("hashes", {})
    for key in ("signals_sha256", "events_sha256"):
        if hashes.get(key):
            yield key, hashes[key]
    if hashes.get("traces_sha256"):
        yield "traces_sha256", traces_sha256(hashes["traces_sha256"])
    yield from measured(procedure.measurements)


def traces_sha256(traces: Mapping[str, str]) -> str:
    """One sha256 over those of all connections: equal when every one of them is."""
    return hashlib.sha256(canonical(traces).encode()).hexdigest()


def measured(measurements: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Measurements, as ``Measurement.to_dict`` gives them, as properties ``measurement.N.KEY``; empty ones left out.

    N counts from 1 within a test case. KEY is ``metric``, ``value``, ``unit``, ``uncertainty`` (expanded, k = 2),
    ``op``, ``limit``, ``verdict`` or ``note``; of the clause ``clause`` (its id), ``profile``, ``source``,
    ``confidence`` and ``guard``.
    """
    for index, item in enumerate(measurements, 1):
        facts = {key: item.get(key) for key in _KEYS} | {"limit": item.get("limit_value")}
        clause = item.get("clause") or {}
        facts |= {"clause": clause.get("id")} | {key: clause.get(key) for key in _CLAUSE_KEYS}
        for key, value in facts.items():
            if value not in (None, ""):
                yield f"measurement.{index}.{key}", value


def _outcome(run: RunEvidence, procedure: ProcedureEvidence) -> str:
    verdict, why = procedure.verdict, reason(procedure)
    if verdict in ("FAIL", "INCONCLUSIVE"):
        bad = [item for item in procedure.measurements if item.get("verdict") in ("FAIL", "INCONCLUSIVE", "ERROR")]
        lines = [describe(item) for item in bad] or [why]
        return _element("failure", verdict.lower(), lines[0], [*lines, f"replay: {replay_command(run, procedure)}"])
    if verdict == "NOT_RUN":
        return f"<skipped message={_quoted(why or 'not run')}/>"
    if verdict in ("ERROR", "INCOMPLETE"):
        return _element("error", verdict.lower(), why, [why, f"replay: {replay_command(run, procedure)}"])
    return ""


def _element(tag: str, kind: str, message: str, lines: list[str]) -> str:
    return f"<{tag} type={_quoted(kind)} message={_quoted(message)}>{escape(_clean(chr(10).join(lines)))}</{tag}>"


def _properties(items: Any) -> str:
    rows = "".join(f"<property name={_quoted(name)} value={_quoted(value)}/>\n" for name, value in items)
    return f"<properties>\n{rows}</properties>\n"


def _clean(value: Any) -> str:
    return _NO_XML.sub("\ufffd", str(value))


def _quoted(value: Any) -> str:
    return quoteattr(_clean(value))
