"""What was tested, with what, on which machine, from which files, and how to do it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hilbench.evidence.markup import definitions, esc, moment, prose, section, table
from hilbench.evidence.reader import RunEvidence
from hilbench.evidence.words import replay_command

_MOST_OF_A_FILE = 60_000
_KNOWN = {"site", "rig", "controller", "time", "seed", "repeats", "inputs", "started_utc", "ended_utc", "requirements"}
_KNOWN |= {"versions", "machine", "plan", "schema_version", "run", "status", "command", "replay", "identification"}


def key_facts(head: Mapping[str, Any]) -> list[str]:
    """Controller, site, clock, seed and date in a few words each, as HTML."""
    time, site = _mapping(head.get("time")), _mapping(head.get("site"))
    facts = [
        prose(head.get("controller", "")),
        f"{_site(site)}" if site else "",
        f"{esc(time.get('mode', time.get('name', '')))} time" if time else "",
        f"seed {prose(head['seed'])}" if head.get("seed") is not None else "",
        moment(head.get("started_utc", "")),
    ]
    return [fact for fact in facts if fact]


def tested_section(run: RunEvidence) -> str:
    """What was tested, with what, and how to do it again."""
    head = run.head
    site, rig = _mapping(head.get("site")), _mapping(head.get("rig"))
    items = {
        "Controller": prose(head.get("controller", "")),
        "Site": _site(site),
        "Supply": _supply(site.get("service", "")),
        "Rig": prose(rig.get("name", "")),
        "Clock": _time(_mapping(head.get("time"))),
        "Seed": prose(head.get("seed", "")),
        "Repeats": prose(head.get("repeats", "")),
        "Performed": performed(head),
        "Ended by": prose(head.get("reason", "")),
        "Requirements": prose(_profiles(head.get("requirements"))),
        "Versions": prose(head.get("versions", "")),
        "Machine": prose(head.get("machine", "")),
    }
    rest = {key: value for key, value in head.items() if key not in _KNOWN | {"reason"}}
    items |= {key.replace("_", " ").capitalize(): prose(value) for key, value in rest.items()}
    again = f"<h4>Run it again</h4><pre><code>{esc(replay_command(run))}</code></pre>"
    parts = (definitions(items), _nodes(site), _inputs(head.get("inputs")), again)
    return section("tested", "What was tested", "".join(parts))


def performed(head: Mapping[str, Any]) -> str:
    """When the run began and ended, as far as it is known."""
    return " to ".join(moment(head[key]) for key in ("started_utc", "ended_utc") if head.get(key))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {"name": value} if value else {}


def _site(site: Mapping[str, Any]) -> str:
    stations = site.get("stations")
    count = len(stations) if isinstance(stations, list) else stations
    parts = [esc(site.get("title") or site.get("name", ""))]
    parts += [f"{esc(count)} {'station' if count == 1 else 'stations'}"] if count else []
    service = _mapping(site.get("service"))
    parts += [f"{prose(service['rating_a'])} A service"] if service.get("rating_a") else []
    parts += [f"budget {prose(site['budget_a'])} A per line"] if site.get("budget_a") is not None else []
    return ", ".join(part for part in parts if part)


def _supply(service: Any) -> str:
    if not isinstance(service, Mapping) or not {"voltage_v", "wiring"} <= set(service):
        return prose(service)
    return f"{prose(service['voltage_v'])} V {esc(service['wiring'])}, {prose(service.get('frequency_hz', '?'))} Hz"


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
    return [f"{one.get('id')} edition {one.get('edition', '?')}" if isinstance(one, Mapping) else one for one in value]


def _nodes(site: Mapping[str, Any]) -> str:
    """The tree of the site with its limits."""
    nodes = [node for node in site.get("nodes", []) if isinstance(node, Mapping)]
    if not nodes:
        return ""
    rows = [
        (
            f"{esc(node.get('title') or node.get('id', ''))}<small>{esc(node.get('id', ''))}</small>",
            esc(node.get("parent") or "the grid"),
            f"{prose(node.get('limit_a', '–'))} A",
            f"{prose(node.get('rating_a', '–'))} A"
            + (f"<small>{esc(node['ocpd'])}</small>" if node.get("ocpd") else ""),
        )
        for node in nodes
    ]
    columns = (
        "Node",
        "Fed from",
        "Budget per line: what the controller must keep",
        "Rating: what its protection bears",
    )
    return "<h4>The site</h4>" + table(columns, rows)


def _inputs(value: Any) -> str:
    """The files that were read, each with its sha256."""
    files = {use: one for use, one in _mapping(value).items() if isinstance(one, Mapping)}
    if not files:
        return f"<h4>Inputs</h4><p>{prose(value)}</p>" if value else ""
    rows = [
        (
            esc(use),
            esc(one.get("file", "")),
            f"{esc(one['bytes'])} bytes" if "bytes" in one else esc(one.get("error", "")),
            f"<code>{esc(one.get('sha256', ''))}</code>",
        )
        for use, one in files.items()
    ]
    return "<h4>Files that were read</h4>" + table(("as", "file", "size", "sha256"), rows)


def rig_section(run: RunEvidence) -> str:
    """The rig file as it was read, folded; on paper it is an appendix."""
    try:
        text = (run.path / "rig.toml").read_text("utf-8", "replace")
    except OSError:
        return ""
    shown = text if len(text) <= _MOST_OF_A_FILE else text[:_MOST_OF_A_FILE] + "\n… the rest is in rig.toml"
    folded = f"<details><summary>rig.toml, {len(text.splitlines())} lines</summary><pre><code>{esc(shown)}</code></pre>"
    return section("rig-file", "The rig file", folded + "</details>")
