"""The first part of the report: outcome, meaning, what was tested, the table of verdicts, and what was not run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from hilbench.evidence.files import number
from hilbench.evidence.markup import (
    badge,
    definitions,
    esc,
    moment,
    paragraphs,
    prose,
    quantity,
    rounded,
    section,
    table,
)
from hilbench.evidence.reader import ProcedureEvidence, RunEvidence
from hilbench.evidence.words import (
    CONFIDENCE,
    RULES,
    WEAK,
    describe,
    headline,
    limit_used,
    meaning,
    metric_title,
    replay_command,
    tightest,
    worst_repeat,
    zero_failures,
)

Groups = dict[str, list[ProcedureEvidence]]


def groups_of(run: RunEvidence) -> Groups:
    """Procedures by key, repeats together."""
    found: Groups = {}
    for procedure in run.procedures:
        found.setdefault(procedure.key, []).append(procedure)
    return found


def hero(run: RunEvidence) -> str:
    """The verdict of the whole run and one sentence."""
    kind = run.verdict.lower().replace("_", "-")
    stamp = esc(run.verdict.replace("_", " "))
    return f'<div class="hero {kind}"><div class="stamp">{stamp}</div><p class="lead">{esc(headline(run))}</p></div>'


def meaning_section(run: RunEvidence) -> str:
    """What this means, in plain words."""
    first, *rest = meaning(run)
    return section("meaning", "What this means", paragraphs([first, rest[0]]) + _failures(run) + paragraphs(rest[1:]))


def _failures(run: RunEvidence) -> str:
    """One line per limit that was broken, with a link to what happened."""
    lines = []
    for key, group in groups_of(run).items():
        shown = worst_repeat(group)
        bad = [item for item in shown.measurements if item.get("verdict") == "FAIL"]
        link = f'<a href="#{esc(key)}">{esc(shown.id)} {esc(shown.title)}</a>'
        lines += [f"<li>{link}: {esc(describe(item))}</li>" for item in bad]
    return f"<ul>{''.join(lines)}</ul>" if lines else ""


def tested_section(run: RunEvidence) -> str:
    """What was tested, with what, and how to do it again."""
    head = run.head
    items = {
        "Site": _site(_mapping(head.get("site"))),
        "Supply": prose(_mapping(head.get("site")).get("service", "")),
        "Rig file": prose(head.get("rig", "")),
        "Controller": prose(head.get("controller", "")),
        "Time base": _time(_mapping(head.get("time"))),
        "Seed": prose(head.get("seed", "")),
        "Repeats": prose(head.get("repeats", "")),
        "Inputs": prose(head.get("inputs", "")),
        "Performed": performed(head),
        "Requirements": prose(_profiles(head.get("requirements"))),
        "Versions": prose(head.get("versions", "")),
        "Machine": prose(head.get("machine", "")),
    }
    items |= {key.replace("_", " ").capitalize(): prose(value) for key, value in head.items() if key not in _KNOWN}
    again = f"<h4>Run it again</h4><pre><code>{esc(replay_command(run))}</code></pre>"
    return section("tested", "What was tested", definitions(items) + again)


def performed(head: Mapping[str, Any]) -> str:
    """When the run began and ended, as far as it is known."""
    return " to ".join(moment(head[key]) for key in ("started_utc", "ended_utc") if head.get(key))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {"name": value} if value else {}


_KNOWN = {"site", "rig", "controller", "time", "seed", "repeats", "inputs", "started_utc", "ended_utc", "requirements"}
_KNOWN |= {"versions", "machine", "plan", "schema_version", "run", "status", "command", "replay", "identification"}


def _site(site: Mapping[str, Any]) -> str:
    stations = site.get("stations")
    count = len(stations) if isinstance(stations, list) else stations
    parts = [esc(site.get("title") or site.get("name", ""))]
    parts += [f"{esc(count)} stations"] if count else []
    parts += [f"budget {prose(site['budget_a'])} A per line"] if site.get("budget_a") is not None else []
    parts += [esc(site["timezone"])] if site.get("timezone") else []
    return ", ".join(part for part in parts if part)


def _time(time: Mapping[str, Any]) -> str:
    mode = str(time.get("mode", time.get("name", "")))
    said = {
        "virtual": "virtual: time is computed and jumps from event to event; all protocols run as they are",
        "real": "real time",
    }
    rest = {key: value for key, value in time.items() if key not in ("mode", "name")}
    return "; ".join(part for part in (esc(said.get(mode, mode)), prose(rest)) if part)


def _profiles(value: Any) -> Any:
    if not isinstance(value, list):
        return value or ""
    return [f"{one.get('id')} {one.get('edition', '')}".strip() if isinstance(one, Mapping) else one for one in value]


def verdict_section(groups: Groups) -> str:
    """One row per procedure: verdict and the measurement that came closest to its limit."""
    rows = [_verdict_row(key, group) for key, group in groups.items()]
    lead = (
        "<p class='mute'>Each test with the measurement that used most of its limit; all others are further down.</p>"
    )
    columns = ("Test", "Closest to its limit", "Value ± U (k = 2)", "Limit", "Limit used", "Verdict")
    return section("verdicts", "Verdicts", lead + table(columns, rows))


def _verdict_row(key: str, group: list[ProcedureEvidence]) -> tuple[str, ...]:
    shown = worst_repeat(group)
    name = f'<a href="#{esc(key)}">{esc(shown.id)} {esc(shown.title)}</a>'
    if len(group) > 1:
        name += f"<small>{len(group)} repeats, the worst is shown: {_tally(group)}</small>"
    item = tightest(shown.measurements)
    if item is None:
        return (name, f"<small>{esc(reason(shown))}</small>", "", "", "", badge(shown.verdict))
    note = f"<small>{esc(item['note'])}</small>" if item.get("note") else ""
    title = esc(metric_title(str(item.get("metric")))) + note
    return (name, title, value_cell(item), limit_cell(item), used_bar(item), badge(shown.verdict))


def _tally(group: Iterable[ProcedureEvidence]) -> str:
    verdicts = [item.verdict for item in group]
    return ", ".join(f"{verdicts.count(verdict)} {verdict.replace('_', ' ')}" for verdict in sorted(set(verdicts)))


def reason(procedure: ProcedureEvidence) -> str:
    """Why there is no verdict of a measurement: notes, the error, or that the end is missing."""
    if procedure.verdict == "INCOMPLETE":
        return "cut off before its end"
    texts = [procedure.get("error"), *procedure.get("notes", [])]
    return "; ".join(str(text) for text in texts if text)


def value_cell(item: Mapping[str, Any]) -> str:
    """Value and expanded uncertainty of a measurement."""
    return quantity(item.get("value"), str(item.get("unit", "")), item.get("uncertainty"))


def limit_cell(item: Mapping[str, Any]) -> str:
    """The limit that a measurement was compared with."""
    limit = number(item.get("limit_value"))
    if limit is None or math.isnan(limit):
        return "–"
    sign = {"<=": "≤", ">=": "≥", "==": "="}.get(str(item.get("op")), "")
    return f"<span class='nw'>{sign} {quantity(limit, str(item.get('unit', '')))}</span>"


def used_bar(item: Mapping[str, Any]) -> str:
    """How much of the limit is used, as a number and a bar that is full at the limit."""
    used = limit_used(item)
    if used is None:
        return ""
    share = min(used, 1.0) * 100
    percent = f"{100 * used:.0f} %" if used < 10 else f"{rounded(used)} times" if math.isfinite(used) else "beyond"
    kind = str(item.get("verdict", "")).lower()
    return f'<span class="bar {esc(kind)}" aria-hidden="true"><i style="width:{share:.0f}%"></i></span>{percent}'


def not_run_section(run: RunEvidence) -> str:
    """What was planned or exists in the catalogue and was not run, with the reason."""
    missing = [item for item in run.procedures if item.verdict == "NOT_RUN"]
    rows = [(f"{esc(item.id)} {esc(item.title)}", esc(reason(item) or "no reason recorded")) for item in missing]
    lead = "<p>These tests say nothing about the controller, neither good nor bad.</p>"
    return section("not-run", "Not run", lead + table(("Test", "Reason"), rows)) if rows else ""


def repeats_section(groups: Groups) -> str:
    """For repeated procedures: how each measurement spread, and what the number of repeats shows."""
    parts = [_spread(group) for group in groups.values() if len(group) > 1]
    return section("repeats", "Repeats", "".join(parts))


def _spread(group: list[ProcedureEvidence]) -> str:
    values: dict[tuple[str, str, str], list[float]] = {}
    for procedure in group:
        for item in procedure.measurements:
            value = number(item.get("value"))
            if value is not None and not math.isnan(value):
                key = (str(item.get("metric")), str(item.get("unit", "")), limit_cell(item))
                values.setdefault(key, []).append(value)
    rows = [
        (esc(metric_title(metric)), str(len(found)), *(quantity(v, unit) for v in _summary(found)), limit)
        for (metric, unit, limit), found in values.items()
    ]
    title = f"<h4>{esc(group[0].id)} {esc(group[0].title)}: {_tally(group)}</h4>"
    clean = all(item.verdict == "PASS" for item in group)
    said = f"<p>{esc(zero_failures(len(group)))}</p>" if clean else ""
    return title + said + table(("Measurement", "Values", "Least", "Median", "Greatest", "Limit"), rows, "num")


def _summary(values: list[float]) -> tuple[float, float, float]:
    ordered = sorted(values)
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return ordered[0], median, ordered[-1]


def clause_section(run: RunEvidence) -> str:
    """Every clause that decided something: text, source, confidence, decision rule."""
    clauses: dict[str, Mapping[str, Any]] = {}
    for procedure in run.procedures:
        for item in procedure.measurements:
            clause = item.get("clause")
            if isinstance(clause, Mapping):
                clauses.setdefault(str(clause.get("id")), clause)
    rows = [
        (
            f'<span id="clause-{esc(name)}">{esc(name)}</span>'
            f"<small>{esc(clause.get('profile', ''))} {esc(clause.get('edition', ''))}</small>",
            esc(clause.get("text", "")),
            esc(clause.get("source", "")),
            confidence_tag(clause),
            rule_cell(clause),
        )
        for name, clause in sorted(clauses.items())
    ]
    columns = ("Clause", "What it asks", "Source", "Confidence", "Decision rule")
    return section("requirements", "Where the limits come from", table(columns, rows) if rows else "")


def rule_cell(clause: Mapping[str, Any]) -> str:
    """The decision rule in short, with the whole rule on hover."""
    rule = str(clause.get("guard", ""))
    said = {"U": "guarded by U", "none": "simple"}.get(rule, rule)
    return f'<span title="{esc(RULES.get(rule, ""))}">{esc(said)}</span>'


def confidence_tag(clause: Mapping[str, Any]) -> str:
    """The confidence of a clause, set off when it is weak, with its meaning on hover."""
    word = str(clause.get("confidence", ""))
    kind = "tag weak" if word in WEAK else "tag"
    return f'<span class="{kind}" title="{esc(CONFIDENCE.get(word, ""))}">{esc(word)}</span>' if word else ""
