"""Renderings of a run: one self-contained HTML page and a JUnit file, both made from the folder alone."""

from __future__ import annotations

import hashlib
from importlib import resources

from hilbench.evidence.chapters import chapters
from hilbench.evidence.closing import (
    certainty_section,
    claims_section,
    definitions_section,
    formal_section,
    integrity_section,
)
from hilbench.evidence.files import canonical, write_atomic
from hilbench.evidence.junit import junit_xml
from hilbench.evidence.markup import esc
from hilbench.evidence.overview import (
    clause_section,
    groups_of,
    hero,
    meaning_section,
    not_run_section,
    repeats_section,
    verdict_section,
)
from hilbench.evidence.reader import RunEvidence
from hilbench.evidence.safe_state import guardian_section
from hilbench.evidence.svg import DARK, STYLE
from hilbench.evidence.tested import performed, rig_section, tested_section


def render(run: RunEvidence) -> None:
    """Write report.html and junit.xml into the run's folder."""
    write_atomic(run.path / "junit.xml", junit_xml(run))
    write_atomic(run.path / "report.html", report_html(run))


def identity(run: RunEvidence) -> str:
    """Run number and the first digits of the sha256 of everything that run.json says."""
    return f"{run.path.name}-{hashlib.sha256(canonical(run.document()).encode()).hexdigest()[:12]}"


def report_html(run: RunEvidence) -> str:
    """The whole report as one page: no outside resource, no script."""
    name, groups = identity(run), groups_of(run)
    told = chapters(run, groups)
    body = [
        hero(run),
        meaning_section(run),
        guardian_section(run),
        verdict_section(groups),
        not_run_section(run),
        tested_section(run),
        f'<section id="tests"><h2>The tests, one by one</h2>{told}</section>' if told else "",
        repeats_section(groups),
        clause_section(run),
        definitions_section(run),
        certainty_section(run),
        claims_section(run),
        formal_section(run, name),
        integrity_section(),
        rig_section(run),
    ]
    return _page(run, name, "".join(body))


def _page(run: RunEvidence, name: str, body: str) -> str:
    site = run.head.get("site")
    place = site.get("title") or site.get("name") if isinstance(site, dict) else site
    title = f"Load management test{f' of {place}' if place else ''}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{esc(run.verdict)}: {esc(title)}</title><style>{_css()}{STYLE}</style></head><body><main>"
        f'<header><div class="top"><span>hilbench test record</span><span>{esc(name)}</span></div>'
        f"<h1>{esc(title)}</h1><p class='mute'>Run {esc(run.path.name)} {performed(run.head)}</p></header>"
        f"{body}<footer>End of the report {esc(name)}</footer></main></body></html>\n"
    )


def _css() -> str:
    text = resources.files("hilbench.evidence").joinpath("report.css").read_text("utf-8")
    return text.replace("DARKCURVES", ";".join(f"--hb-c{index}:{colour}" for index, colour in enumerate(DARK)))
