"""``hilbench run``: the main job."""

from __future__ import annotations

import json
import math
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from hilbench.campaign import Notify, run_jobs
from hilbench.cli import ERROR, FAILED, INCONCLUSIVE, NOTHING_RUN, PASSED, SIGNALLED
from hilbench.cli.quirk_names import complete_quirk
from hilbench.cli.requirements import complete as complete_profile
from hilbench.clock import machine_now
from hilbench.errors import HilbenchError
from hilbench.evidence.environment import environment, input_files, site_facts
from hilbench.evidence.folder import RunFolder
from hilbench.evidence.masking import masked, masked_rig
from hilbench.evidence.repeats import claim, spreads
from hilbench.evidence.words import metric_title, weakest
from hilbench.interrupts import Aborted, Interrupt, listening
from hilbench.nature import fitting
from hilbench.preflight import check_inputs
from hilbench.procedures import Procedure, select
from hilbench.reference import POLICIES
from hilbench.requirements import load_requirements
from hilbench.rig import DEFAULT_RIG, Rig
from hilbench.rig_lock import RigLock
from hilbench.runner import Job, effective_mode, prepared_rig
from hilbench_emulators.quirks import chosen

EXIT = {"FAIL": FAILED, "ERROR": ERROR, "INCONCLUSIVE": INCONCLUSIVE, "NOT_RUN": NOTHING_RUN, "PASS": PASSED}
"""Exit code by verdict, the one that decides first: a FAIL is a finding about the controller, whatever else failed."""
SIGNS = {"<=": "≤", ">=": "≥", "==": "="}
COLOUR = {
    "PASS": "green",
    "FAIL": "bold red",
    "INCONCLUSIVE": "yellow",
    "ERROR": "bold magenta",
    "NOT_RUN": "dim",
    "INCOMPLETE": "bold magenta",
}


def _day(_context: click.Context, _parameter: click.Parameter, value: datetime | None) -> date | None:
    return value.date() if value else None


@click.command()
@click.argument("rig", default=DEFAULT_RIG)
@click.option(
    "--only", multiple=True, metavar="ID", help="Run only these procedures: ids or names, with commas or repeated."
)
@click.option("--seed", default=1, type=click.IntRange(0), show_default=True, help="Seed of everything random.")
@click.option(
    "--repeat", default=1, show_default=True, type=click.IntRange(1), help="Repeat with seeds SEED, SEED+1, …"
)
@click.option(
    "--time", "mode", default="virtual", show_default=True, metavar="virtual|real|xK", help="Clock to run on."
)
@click.option("--load", type=click.Path(path_type=Path), help="CSV of the building's load, instead of the rig's own.")
@click.option("--sessions", type=click.Path(path_type=Path), help="CSV or ACN-Data JSON of charging sessions.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), callback=_day, help="Play this day only (procedure 7.4).")
@click.option("--out", default=Path("runs"), type=click.Path(path_type=Path), show_default=True, help="Where runs go.")
@click.option("--jobs", default=0, help="Worker processes on the virtual clock (default: one per core).")
@click.option("--defect", help="Give the reference controller a deliberate mistake (see hilbench selftest --list).")
@click.option(
    "--quirk", "quirks", multiple=True, metavar="ID[:NAME=VALUE,…]", shell_complete=complete_quirk,
    help="Let devices of the rig misbehave (see hilbench quirks list); may be repeated.",
)  # fmt: skip
@click.option(
    "--requirements", multiple=True, metavar="PROFILE", shell_complete=complete_profile,
    help="Judge by this profile too, a shipped one or a TOML file: limits can only get tighter. May be repeated.",
)  # fmt: skip
@click.option(
    "--kill-midway", is_flag=True, help="Kill the controller in the middle of each procedure; judge only the breaker."
)
@click.option("--policy", type=click.Choice(POLICIES), help="Another policy of the reference controller.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on standard output.")
def run(
    rig: str,
    only: tuple[str, ...],
    seed: int,
    repeat: int,
    mode: str,
    load: Path | None,
    sessions: Path | None,
    day: date | None,
    out: Path,
    jobs: int,
    defect: str | None,
    quirks: tuple[str, ...],
    requirements: tuple[str, ...],
    kill_midway: bool,
    policy: str | None,
    as_json: bool,
) -> None:
    """Run the acceptance procedures on RIG and write the evidence.

    RIG is the name of a shipped rig (see `hilbench rig list`) or a TOML file.

    \b
    hilbench run                                     the default site, all procedures
    hilbench run my-site.toml --only 7.1 --repeat 59 one procedure, 59 times
    hilbench run --quirk M3 --quirk Q2:dead_time_s=8 a slow meter, and cars that follow late
    hilbench run garage-54 --sessions s.csv --load b.csv --day 2019-03-12

    Procedures that make no sense for a rig, such as one for cars that discharge, are left out and named at the end.
    The exit code is 0 only when every procedure passed: 1 a FAIL, 3 INCONCLUSIVE, 4 an ERROR, 5 something was not run,
    2 unusable input, 128 + signal when aborted.
    """
    wanted = select(only or (("7.4",) if day else ()))
    template = Job(
        rig=rig, procedure=wanted[0].id, seed=seed, folder=None, mode=mode, defect=defect, policy=policy,
        quirks=quirks, kill_midway=kill_midway, load=load, sessions=sessions, day=day,
        requirements=requirements,
    )  # fmt: skip
    loaded = prepared_rig(template)
    clocks = effective_mode(loaded, mode)
    left: list[str] = []
    if not only:
        wanted, left = fitting((one for one in wanted if clocks == "virtual" or one.short), loaded)
    check_inputs(template, wanted)
    console = Console(stderr=as_json)
    with listening() as interrupt, RigLock(loaded.real_addresses, loaded.name):
        folder = RunFolder.create(out, _meta(loaded, template, clocks, wanted, repeat))
        folder.add_file("rig.toml", masked_rig(loaded.path.read_text("utf-8")))
        plan = list(_planned(template, folder, wanted, repeat))
        _headline(console, loaded, clocks, seed, quirks)
        results, aborted = _perform(console, folder, plan, jobs or os.cpu_count() or 1, interrupt)
    _report(console, folder, results, as_json, aborted)
    if left:
        console.print(f"[dim]not for this rig: {escape('; '.join(left))}[/]")
    sys.exit(SIGNALLED + aborted if aborted else exit_code([result["verdict"] for result in results]))


def _planned(template: Job, folder: RunFolder, wanted: Iterable[Procedure], repeat: int) -> Iterator[Job]:
    """The template for every procedure and repeat, each with its own seed and place in the folder."""
    for procedure in wanted:
        for number in range(repeat):
            seed = template.seed + number
            place = _procedure_folder(folder, procedure, seed, number + 1)
            yield replace(template, procedure=procedure.id, seed=seed, repeat=number + 1, folder=place)


def exit_code(verdicts: Sequence[str]) -> int:
    """0 only when every procedure passed; a procedure that was not run is no pass."""
    return next((code for verdict, code in EXIT.items() if verdict in verdicts), NOTHING_RUN)


def _procedure_folder(folder: RunFolder, procedure: Procedure, seed: int, repeat: int) -> Path:
    about = {"id": procedure.id, "title": procedure.title, "purpose": procedure.purpose, "seed": seed}
    return folder.procedure(f"{procedure.id}-{procedure.key}", repeat, about).path


def _meta(rig: Rig, job: Job, clocks: str, wanted: tuple[Procedure, ...], repeat: int) -> dict[str, Any]:
    replay = ["hilbench", "run", job.rig, "--seed", str(job.seed), "--time", job.mode]
    replay += ["--load", str(job.load)] if job.load else []
    replay += ["--sessions", str(job.sessions)] if job.sessions else []
    replay += ["--day", str(job.day)] if job.day else []
    replay += ["--defect", job.defect] if job.defect else []
    replay += [word for text in job.quirks for word in ("--quirk", text)]
    replay += [word for name in job.requirements for word in ("--requirements", name)]
    replay += ["--kill-midway"] if job.kill_midway else []
    replay += ["--policy", job.policy] if job.policy else []
    replay += ["--repeat", str(repeat)] if repeat > 1 else []
    replay += [word for p in wanted for word in ("--only", p.id)] if len(wanted) < len(select(())) else []
    return {
        "site": site_facts(rig.electrical),
        "rig": {"name": rig.name, "resolved": masked(rig.model_dump(mode="json", by_alias=True))},
        "controller": rig.controller_title,
        "time": {"mode": clocks},
        "seed": job.seed,
        "repeats": repeat,
        **({"misbehaviours": [f"{text}: {chosen(text).quirk.title}" for text in job.quirks]} if job.quirks else {}),
        "inputs": input_files(
            {
                "rig": rig.path,
                "building load": rig.building.csv if rig.building else None,
                "sessions": rig.sessions.file if rig.sessions else None,
                **{f"OCPD of {node.id}": _curve(rig, node.id) for node in rig.electrical.nodes},
                **{f"requirements {Path(name).stem}": Path(name) for name in rig.site.requirements if _is_file(name)},
            }
        ),
        "plan": [
            {"key": f"{procedure.id}-{procedure.key}", "id": procedure.id, "title": procedure.title, "repeat": number}
            for procedure in wanted
            for number in range(1, repeat + 1)
        ],
        "command": replay,
        "requirements": [
            {"id": profile.id, "edition": profile.edition, "title": profile.title}
            for profile in load_requirements(rig.site.requirements).profiles
        ],
        **environment(),
    }


def _curve(rig: Rig, node_id: str) -> Path | None:
    """The file of a node's OCPD, where it has one."""
    name = rig.electrical.ocpd_of(node_id)[1]
    return Path(name) if name.endswith(".csv") else None


def _is_file(profile: str) -> bool:
    return profile.endswith(".toml")


def _headline(console: Console, rig: Rig, clocks: str, seed: int, quirks: tuple[str, ...]) -> None:
    service, budget = rig.site.service, rig.electrical.nodes[0].limit_a
    time = "virtual time" if clocks == "virtual" else f"{clocks} time"
    played = f"   with {', '.join(quirks)}" if quirks else ""
    console.print(
        f"[bold]{rig.name}[/]   {len(rig.stations)} stations, {service.rating_a:g} A service, budget {budget:g} A   "
        f"{rig.controller_title}   {time}, seed {seed}{escape(played)}"
    )


def _perform(
    console: Console, folder: RunFolder, plan: list[Job], workers: int, interrupt: Interrupt
) -> tuple[list[dict[str, Any]], int | None]:
    """Run the plan and write the end of the record; results in the order of the plan, and the signal that ended it."""
    results: list[dict[str, Any]] = []
    try:
        with _progress(console, len(plan), interrupt) as (notify, advance):
            # the longest first, so that no core waits for it at the end
            for job, result in run_jobs(sorted(plan, key=_is_short), workers, notify, interrupt):
                results.append(result)
                advance(job)
    except Aborted:
        pass  # written down below, like a signal that comes later
    except HilbenchError as error:
        folder.finish("ERROR", reason=str(error), ended_utc=machine_now())
        raise
    order = {(job.procedure, job.repeat): index for index, job in enumerate(plan)}
    results.sort(key=lambda result: order[(result["id"], result["repeat"])])
    return results, _conclude(folder, interrupt)


def _conclude(folder: RunFolder, interrupt: Interrupt) -> int | None:
    """Write the end of the record, and write it again when a signal comes meanwhile; returns its number."""
    if interrupt.number is None:
        folder.finish("FINISHED", ended_utc=machine_now())
    aborted = interrupt.number
    if aborted is not None:
        folder.finish("ABORTED", reason=interrupt.name, ended_utc=machine_now())
    return aborted


def _is_short(job: Job) -> bool:
    return select([job.procedure])[0].short


@contextmanager
def _progress(console: Console, total: int, interrupt: Interrupt) -> Iterator[tuple[Notify, Any]]:
    columns = (TextColumn("{task.description:<34}"), BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        overall = bars.add_task("procedures", total=total)

        def notify(job: Job, t: float) -> None:
            hours, seconds = divmod(int(t), 3600)
            clock_text = f"{hours:02d}:{seconds // 60:02d}:{seconds % 60:02d}"
            doing = f"{interrupt.name}: making the site safe" if interrupt.name else "of site time"
            bars.update(overall, description=f"{job.procedure} at {clock_text} {doing}")

        yield notify, lambda _job: bars.advance(overall)


def _report(
    console: Console, folder: RunFolder, results: list[dict[str, Any]], as_json: bool, aborted: int | None
) -> None:
    if as_json:
        status = "ABORTED" if aborted else "FINISHED"
        click.echo(json.dumps({"run": str(folder.path), "status": status, "results": results}, default=str))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("", "procedure", "worst of what was measured", "verdict"):
        table.add_column(heading, no_wrap=heading in ("", "verdict"))
    for result in results:
        colour = COLOUR[result["verdict"]]
        name = result["title"] + (f" (seed {result['seed']})" if result["repeat"] > 1 else "")
        weak = weakest(result["verdict"], result["measurements"])
        said = f"[{colour}]{result['verdict']}[/]" + (f"\n[dim]{weak}[/]" if weak else "")
        table.add_row(result["id"], name, summary(result), said)
    console.print(table)
    _print_repeats(console, results)
    passed = sum(result["verdict"] == "PASS" for result in results)
    hours = sum(result["duration_s"] for result in results) / 3600.0
    report = folder.path / "report.html"
    if aborted:
        console.print(f"[bold magenta]ABORTED[/] by {signal.Signals(aborted).name}; evidence up to then is kept")
    console.print(f"{len(results)} procedures, {passed} PASS, {hours:.1f} h of site time      report: {report}")


def _print_repeats(console: Console, results: list[dict[str, Any]]) -> None:
    """Where procedures were repeated: the worst of each repeat, and what that shows of the limit."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        groups.setdefault(result["id"], []).append(result)
    many = {name: group for name, group in groups.items() if len(group) > 1}
    if not many:
        return
    console.print()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("", "worst of each repeat", "repeats", "median", "95 %", "95 %/95 %", "limit", "shown"):
        table.add_column(heading, no_wrap=heading in ("", "limit"))
    for name, group in many.items():
        for one in spreads([result["measurements"] for result in group]):
            if one.op:
                figures = ("-" if math.isnan(v) else f"{v:.3g}" for v in (one.median, one.tail, one.bound))
                limit = f"{SIGNS[one.op]} {one.limit:.3g}{'' if one.unit == '1' else ' ' + one.unit}"
                table.add_row(name, metric_title(one.metric), str(one.n), *figures, limit, claim(one).split(":")[0])
    console.print(table)
    console.print()


def summary(result: dict[str, Any], most: int = 3) -> str:
    """What a person wants to see of a result: its error, or its measurements closest to (or beyond) their limits."""
    if result.get("error"):
        return str(result["error"])
    if result["verdict"] == "NOT_RUN":
        return "; ".join(result.get("notes", []))
    seen: dict[str, dict[str, Any]] = {}
    for m in worst_first(result):
        seen.setdefault(m["metric"], m)
    return "\n".join(brief(m) for m in list(seen.values())[:most])


def worst_first(result: dict[str, Any]) -> list[dict[str, Any]]:
    """The measurements that were judged, those closest to (or beyond) their limits first."""
    severity = {"FAIL": 0, "ERROR": 0, "INCONCLUSIVE": 1, "PASS": 2}
    judged = [m for m in result["measurements"] if m.get("clause")]
    return sorted(judged, key=lambda m: (severity.get(m["verdict"], 3), -_use(m)))


def _use(measurement: dict[str, Any]) -> float:
    """How much of its limit a measurement uses."""
    value, limit = measurement.get("value"), measurement.get("limit_value")
    if value is None or not limit:
        return 0.0
    return float(value) / float(limit) if measurement.get("op") == "<=" else float(limit) / max(float(value), 1e-9)


def _value_text(value: Any, unit: str) -> str:
    if value is None:
        return "none"
    if unit == "s" and math.isinf(float(value)):
        return "never"
    return f"{float(value):.3g} {unit}".removesuffix(" 1")


def brief(m: dict[str, Any]) -> str:
    """A measurement with its limit in a few words."""
    sign = SIGNS.get(str(m.get("op")), "")
    value = _value_text(m["value"], str(m["unit"]))
    name = metric_title(str(m["metric"]))
    note = f", {m['note']}" if m.get("note") and m["verdict"] != "PASS" else ""
    return f"{name} {value} ({sign} {float(m['limit_value'] or 0):.3g}){note}"
