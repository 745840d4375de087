"""The first part of the report: outcome, meaning, the table of verdicts, what was not run, and the clauses."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from hilbench.evidence.files import number
from hilbench.evidence.markup import (
    WORD,
    badge,
    definitions,
    esc,
    paragraphs,
    quantity,
    rounded,
    section,
    table,
)
from hilbench.evidence.reader import ProcedureEvidence, RunEvidence
from hilbench.evidence.repeats import Spread, claim, spreads
from hilbench.evidence.scales import span_text
from hilbench.evidence.tested import key_facts
from hilbench.evidence.words import (
    CONFIDENCE,
    RULES,
    VERDICTS,
    WEAK,
    describe,
    headline,
    limit_used,
    meaning,
    metric_title,
    tightest,
    weakest,
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
    """The verdict of the whole run, one sentence, and what was tested with what."""
    kind = run.verdict.lower().replace("_", "-")
    stamp = esc(WORD.get(run.verdict, run.verdict))
    lead = f'<p class="lead">{esc(headline(run))}</p><p class="mute">{" · ".join(key_facts(run.head))}</p>'
    return f'<div class="hero {kind}"><div class="stamp">{stamp}</div><div>{lead}</div></div>'


def meaning_section(run: RunEvidence) -> str:
    """What this means, in plain words."""
    first, *rest = meaning(run)
    body = paragraphs([first, rest[0]]) + _failures(run) + paragraphs(rest[1:])
    return section("meaning", "What this means", body)


def _failures(run: RunEvidence) -> str:
    """One line per limit that was broken, with a link to what happened."""
    lines = []
    for key, group in groups_of(run).items():
        shown = worst_repeat(group)
        bad = [item for item in shown.measurements if item.get("verdict") == "FAIL"]
        link = f'<a href="#{esc(key)}">{esc(shown.id)} {esc(shown.title)}</a>'
        lines += [f"<li>{link}: {esc(describe(item))}</li>" for item in bad]
    return f"<ul>{''.join(lines)}</ul>" if lines else ""


def verdict_section(groups: Groups) -> str:
    """One row per procedure: verdict and the measurement that came closest to its limit."""
    rows = [_verdict_row(key, group) for key, group in groups.items()]
    lead = (
        "<p class='mute'>Each test with the measurement that used most of its limit, or that broke it; all others are "
        "further down.</p>"
    )
    columns = ("Test", "Closest to its limit", "Value ± U (k = 2)", "Limit", "Limit used", "Clause, source", "Verdict")
    words = definitions({WORD.get(word, word): esc(text) for word, text in VERDICTS.items()})
    legend = f'<h4>What the verdicts mean</h4><div class="words">{words}</div>'
    return section("verdicts", "Verdicts", lead + table(columns, rows) + legend) if rows else ""


def _verdict_row(key: str, group: list[ProcedureEvidence]) -> tuple[str, ...]:
    shown = worst_repeat(group)
    name = f'<a href="#{esc(key)}">{esc(shown.id)} {esc(shown.title)}</a>'
    if len(group) > 1:
        name += f"<small>{len(group)} repeats, the worst is shown: {_tally(group)}</small>"
    item = tightest(shown.measurements)
    if item is None:
        return (name, f"<small>{esc(reason(shown))}</small>", "", "", "", "", badge(shown.verdict))
    note = f"<small>{esc(item['note'])}</small>" if item.get("note") else ""
    title = esc(metric_title(str(item.get("metric")))) + note
    figures = (value_cell(item), limit_cell(item), used_bar(item), clause_cell(item))
    return (name, title, *figures, badge(shown.verdict) + rests_on(shown))


def rests_on(procedure: ProcedureEvidence) -> str:
    """Beside the PASS of a procedure: how sure the least sure of its limits is, where that needs checking."""
    word = weakest(procedure.verdict, procedure.measurements)
    return f' <span class="tag weak" title="{esc(CONFIDENCE[word])}">{esc(word)}</span>' if word else ""


def clause_cell(item: Mapping[str, Any]) -> str:
    """The clause that a measurement was judged by: its id, how sure its limit is, and its source."""
    clause = item.get("clause") or {}
    if not clause:
        return ""
    name = esc(clause.get("id", ""))
    link = f'<a href="#clause-{name}">{name}</a>'
    return f"{link} {confidence_tag(clause)}<small>{esc(clause.get('source', ''))}</small>"


def _tally(group: Iterable[ProcedureEvidence]) -> str:
    verdicts = [item.verdict for item in group]
    return ", ".join(f"{verdicts.count(verdict)} {WORD.get(verdict, verdict)}" for verdict in sorted(set(verdicts)))


def reason(procedure: ProcedureEvidence) -> str:
    """Why there is no verdict of a measurement: notes, the error, or that the end is missing."""
    if procedure.verdict == "INCOMPLETE":
        return recorded_until(procedure)
    texts = [procedure.get("error"), *procedure.get("notes", [])]
    return "; ".join(str(text) for text in texts if text)


def recorded_until(procedure: ProcedureEvidence) -> str:
    """How a procedure without an end was stopped, as far as that is known, and how far its record goes."""
    last, how = procedure.last_instant, str(procedure.get("error") or "cut off before its end")
    if last is None:
        return f"{how}, with nothing readable"
    rows = f"{len(procedure.signals)} signals and {len(procedure.events)} events"
    return f"{how}: {rows} are readable, up to {span_text(last)} of bench time"


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
    rows = [_spread_row(one) for one in spreads([item.measurements for item in group])]
    title = f"<h4>{esc(group[0].id)} {esc(group[0].title)}: {_tally(group)}</h4>"
    clean = all(item.verdict == "PASS" for item in group)
    said = f"<p>{esc(zero_failures(len(group)))}</p>" if clean else ""
    return title + said + table(_SPREAD_COLUMNS, rows, "num")


_SPREAD_COLUMNS = (
    "Worst of each repeat",
    "Repeats",
    "Median (95 % interval)",
    '<span title="95 % of these repeats are at least as good">95 %</span>',
    '<span title="with 95 % confidence 95 % of all repeats are at least as good (order statistic)">95 % / 95 %</span>',
    "Worst",
    "Limit",
    "Shown",
)


def _spread_row(one: Spread) -> tuple[str, ...]:
    def cell(value: float) -> str:
        return "–" if math.isnan(value) else quantity(value, one.unit)

    median = f"{cell(one.median)}<small>{cell(one.median_low)} to {cell(one.median_high)}</small>"
    limit = limit_cell({"limit_value": one.limit, "op": one.op, "unit": one.unit})
    figures = (median, cell(one.tail), cell(one.bound), cell(one.worst))
    return (esc(metric_title(one.metric)), str(one.n), *figures, limit, esc(claim(one)))


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
