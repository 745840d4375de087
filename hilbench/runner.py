"""Running procedures: one bench each, in worker processes on the virtual clock, one after the other on a real one.

A job is plain data and goes to its process as such; what comes back is the result that was already written to disk.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from hilbench import clock, midway
from hilbench.bench import Bench
from hilbench.errors import HilbenchError
from hilbench.evidence.folder import ProcedureFolder, run_folder_of
from hilbench.interrupts import Interrupt
from hilbench.measuring import Measure
from hilbench.procedures import Procedure, select
from hilbench.rig import Rig, load_rig
from hilbench.rig_quirks import with_quirk
from hilbench.signals import (
    Event,
    Record,
    base_current,
    dc_current,
    dc_offered,
    dc_requested,
    line_current,
    metered_current,
    node_power,
    offered_current,
    state_of_charge,
    station_power,
)
from hilbench.verdict import Plot, ProcedureResult, Verdict, conclude
from hilbench_emulators.quirks import chosen

FLUSH_VIRTUAL_S = 900.0
FLUSH_REAL_S = 1.0
WARM_UP_S = 120.0
"""Bench time before a day begins: the stations boot and the controller finds them."""

START_GRID_S, START_PHASE_S = 30.0, 0.75
"""A procedure begins on this grid of UTC, so that meter samples, leases and reports of stations have the same phase to
its stimuli on every clock; three quarters of a second off it, where nothing else happens."""

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Job:
    """One procedure, once: what to run, on which rig, and where to write it.

    ``kill_midway`` kills the controller in its middle, and judges only what may open a breaker (see ``midway``).
    ``defect`` gives the reference controller a deliberate mistake, ``policy`` another policy; ``load``, ``sessions``
    and ``day`` replace the rig's own inputs. ``quirks`` are misbehaviours of its devices, as ``ID:name=value``;
    ``requirements`` are profiles beside the rig's own, which can only tighten.
    """

    rig: str
    procedure: str
    seed: int
    folder: Path | None
    mode: str = "virtual"
    repeat: int = 1
    defect: str | None = None
    policy: str | None = None
    quirks: tuple[str, ...] = ()
    kill_midway: bool = False
    load: Path | None = None
    sessions: Path | None = None
    day: date | None = None
    requirements: tuple[str, ...] = ()


def prepared_rig(job: Job) -> Rig:
    """The job's rig with its inputs replaced; raises ``InputError``."""
    rig = load_rig(job.rig)
    rig = rig.with_inputs(
        load=job.load, sessions=job.sessions, defect=job.defect, policy=job.policy, requirements=job.requirements
    )
    for text in job.quirks:
        rig = with_quirk(rig, chosen(text))
    return rig


def effective_mode(rig: Rig, mode: str) -> str:
    """The clock that a rig needs: anything real in it makes ``virtual`` mean ``real``."""
    clock.parse_mode(mode)
    return "real" if mode == "virtual" and rig.real_parts else mode


def epoch_of(job: Job, rig: Rig, procedure: Procedure) -> datetime | None:
    """UTC at bench time 0: the rig's, today on a real clock, or shortly before midnight of the day to be played."""
    if effective_mode(rig, job.mode) == "real":
        return None
    if procedure.base != "building":
        return rig.run.epoch
    zone = rig.zone
    day = job.day or rig.run.epoch.astimezone(zone).date()
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return midnight.astimezone(UTC) - timedelta(seconds=WARM_UP_S)


def execute(job: Job, progress: Progress | None = None, interrupt: Interrupt | None = None) -> dict[str, Any]:
    """Run one job on its own loop and return its result as plain data; raises only for unusable input.

    A signal that ``interrupt`` tells of ends it early and in good order: the stations become safe, the result says
    INCOMPLETE.
    """
    rig = prepared_rig(job)
    (procedure,) = select([job.procedure])
    mode, epoch, heard = effective_mode(rig, job.mode), epoch_of(job, rig, procedure), interrupt or Interrupt()
    kill_t = None
    if job.kill_midway and not procedure.needs & midway.OWN:
        whole = clock.run(perform(replace(job, folder=None), rig, procedure, progress, heard), mode, epoch)
        kill_t = whole["duration_s"] / 2.0
    return clock.run(perform(job, rig, procedure, progress, heard, kill_t), mode, epoch)


async def perform(
    job: Job,
    rig: Rig,
    procedure: Procedure,
    progress: Progress | None,
    interrupt: Interrupt,
    kill_t: float | None = None,
) -> dict[str, Any]:
    """Run ``procedure`` on ``rig`` inside the running loop; evidence is on disk before this returns.

    At ``kill_t`` the controller is killed, where there is such a time.
    """
    record = Record()
    folder = ProcedureFolder(job.folder) if job.folder else None
    if folder:
        folder.follow(record)
    started = clock.now().isoformat(timespec="milliseconds")
    bench = Bench(
        rig,
        seed=job.seed,
        record=record,
        base=procedure.base,
        day=job.day,
        log_folder=job.folder,
        guardian_folder=run_folder_of(job.folder) if job.folder else None,
    )
    keeper = asyncio.create_task(_keep(folder, progress), name="evidence")
    course = await _judge(bench, procedure, interrupt, kill_t)
    keeper.cancel()
    await asyncio.wait([keeper])
    blank = ProcedureResult(procedure.id, procedure.title, Verdict.ERROR, (), started, clock.time(), job.seed)
    plain = {
        **_finish(blank, bench, course).to_dict(),
        "repeat": job.repeat,
        "defect": job.defect,
        "purpose": procedure.purpose,
        "stimulus": (procedure.run.__doc__ or "").strip(),
        "tables": [{"title": t.title, "columns": t.columns, "rows": t.rows} for t in bench.tables],
        "traces": bench.trace_hashes,
    }
    if course.aborted and not bench.unsafe and plain["verdict"] != Verdict.FAIL.value:
        plain["verdict"] = "INCOMPLETE"
    return folder.finish(plain) if folder else plain


@dataclass
class _Course:
    """How a procedure went: what it measured, what the rig lacks for it, and what ended it before its end."""

    measure: Measure | None = None
    missing: list[str] = field(default_factory=list)
    error: str = ""
    aborted: bool = False


async def _judge(bench: Bench, procedure: Procedure, interrupt: Interrupt, kill_t: float | None) -> _Course:
    """Start the bench, run the procedure, and make the site safe, whatever happens.

    A signal cancels only the first two: nothing interrupts the way to the safe state.
    """
    course = _Course()
    body = asyncio.create_task(_carry_out(bench, procedure, course, kill_t), name=f"procedure {procedure.id}")
    with interrupt.stops(body):
        try:
            await asyncio.wait([body])
        except asyncio.CancelledError:  # the loop itself gave up; what was recorded is still to be written
            body.cancel()
            await asyncio.wait([body])
    if body.cancelled():
        course.aborted, course.error = True, f"aborted by {interrupt.name or 'cancellation'} before its end"
        bench.mark("bench.aborted", "bench", by=interrupt.name)
    else:
        _note_error(bench, procedure, course, body.exception())
    try:
        await bench.__aexit__(None, None, None)
    except Exception as problem:
        _note_error(bench, procedure, course, problem)
    return course


async def _carry_out(bench: Bench, procedure: Procedure, course: _Course, kill_t: float | None) -> None:
    await bench.__aenter__()
    needs = procedure.needs if kill_t is None else procedure.needs | midway.NEEDS
    course.missing = sorted(needs - bench.capabilities())
    if not course.missing:
        course.measure = Measure(bench, procedure.id)
        await on_start_grid()
        if kill_t is None:
            await procedure.run(bench, course.measure)
        else:
            course.measure = await midway.run_and_kill(bench, procedure, course.measure, kill_t)


async def on_start_grid() -> None:
    """Wait for an instant at which a procedure may begin: see ``START_GRID_S``."""
    await clock.sleep_until(clock.next_multiple(START_GRID_S, START_PHASE_S))


def _note_error(bench: Bench, procedure: Procedure, course: _Course, problem: BaseException | None) -> None:
    """Keep the first error; one that is not the bench's own also with its traceback."""
    if problem is None:
        return
    known = isinstance(problem, HilbenchError)
    course.error = course.error or (str(problem) if known else f"{type(problem).__name__}: {problem}")
    if not known:
        trace = "".join(traceback.format_exception(problem))
        bench.record.event(clock.time(), "bench.error", procedure.id, trace=trace)


def _finish(blank: ProcedureResult, bench: Bench, course: _Course) -> ProcedureResult:
    if course.missing and not course.error and not bench.unsafe:
        return replace(blank, verdict=Verdict.NOT_RUN, notes=(f"the rig has no {', '.join(course.missing)}",))
    found = course.measure.results if course.measure else []
    error = course.error
    if bench.unsafe:
        error = "; ".join(filter(None, (error, f"no safe state read back from {', '.join(bench.unsafe)}")))
    failed = course.aborted and any(one.verdict is Verdict.FAIL for one in found)
    return replace(
        blank,
        verdict=Verdict.FAIL if failed else conclude(found, error),
        measurements=tuple(found),
        error=error,
        plots=tuple(default_plots(bench)),
    )


async def _keep(folder: ProcedureFolder | None, progress: Progress | None) -> None:
    period = FLUSH_VIRTUAL_S if clock.is_virtual() else FLUSH_REAL_S * clock.current().factor
    while True:
        await asyncio.sleep(period)
        if folder:
            folder.flush()
        if progress:
            progress(clock.time())


def default_plots(bench: Bench) -> list[Plot]:
    """What a reader needs to see of any run: site against its limits, stimulus, meter, and what each car got."""
    site, lines, branches = bench.site, bench.site.lines, bench.site.branches
    plots = [
        _plot(
            bench,
            f"{node.title}: current per line",
            [line_current(node.id, line) for line in lines],
            (("budget", node.limit_a), ("rating", node.rating_a)),
        )
        for node in site.nodes
    ]
    plots.append(_plot(bench, "Building load: the stimulus", [base_current(line) for line in lines]))
    plots.append(_plot(bench, "What the meter reported", [metered_current("service", line) for line in lines]))
    plots.append(_plot(bench, "Offered to each car", [offered_current(branch.role) for branch in branches]))
    plots.append(_plot(bench, "Drawn by each car", [line_current(b.role, b.lines[0]) for b in branches]))
    service, powers = node_power("service"), [station_power(b.role) for b in branches]
    if service in bench.record.signals:
        plots.append(_plot(bench, "Power of the service and of each car", [service, *powers], unit="W"))
    plots.append(_plot(bench, "State of charge of each car", [state_of_charge(b.role) for b in branches], unit="1"))
    for role in (branch.role for branch in branches if branch.kind == "dc"):
        outlet = [dc_offered(role), dc_requested(role), dc_current(role)]
        plots.append(_plot(bench, f"DC outlet of {role}: offered, requested, flowing", outlet))
    return [plot for plot in plots if plot.signals]


def _plot(
    bench: Bench, title: str, names: list[str], limits: tuple[tuple[str, float], ...] = (), unit: str = "A"
) -> Plot:
    marks = tuple((event.t, _mark_text(event)) for event in bench.record.events if _is_stimulus(event))[:40]
    return Plot(title, unit, tuple(name for name in names if name in bench.record.signals), limits, marks)


def _is_stimulus(event: Event) -> bool:
    return event.kind.split(".")[0] in ("stimulus", "fault", "heal")


def _mark_text(event: Event) -> str:
    family, kind = event.kind.split(".", 1)
    how = event.data.get("how") or event.data.get("fault") or ""
    return f"{kind} {how}".strip() if family != "heal" else f"{kind} healed"
