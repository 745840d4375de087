"""Looking at everything that a run will read before anything starts, so that a wrong file costs no time."""

from __future__ import annotations

from collections.abc import Sequence

from hilbench import clock
from hilbench.procedures import Procedure
from hilbench.reference import check_settings
from hilbench.runner import Job, effective_mode, epoch_of, prepared_rig
from hilbench.signals import Record
from hilbench.world import build_world
from hilbench_emulators.timestamps import day_bounds


def check_inputs(job: Job, wanted: Sequence[Procedure]) -> None:
    """Read what ``wanted`` procedures will read on the rig of ``job``, and start nothing; raises ``InputError``.

    On a real clock the day is that of the run, so that files are read then.
    """
    rig = prepared_rig(job)
    check_settings(rig)
    if job.day is not None:
        day_bounds(job.day, rig.zone)
    plays = next((procedure for procedure in wanted if procedure.base == "building"), None)
    if plays is None or (effective_mode(rig, job.mode) == "real" and job.day is None):
        return

    async def build() -> None:
        build_world(rig, Record(), seed=job.seed, quiet_base_a=None, day=job.day)

    clock.run(build(), "virtual", epoch_of(job, rig, plays))
