"""Many jobs: spread over worker processes on the virtual clock, one after the other on a real one.

A signal (Ctrl-C, SIGTERM, SIGHUP) ends a campaign in good order: a real bench is first taken to its safe state, the
evidence so far stays on disk, and :class:`Aborted` tells the caller which signal it was.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from types import FrameType
from typing import Any

from hilbench import clock
from hilbench.procedures import select
from hilbench.runner import Job, effective_mode, epoch_of, execute, perform, prepared_rig

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Result = dict[str, Any]
Notify = Callable[[Job, float], None]


class Aborted(BaseException):
    """A signal ended the campaign; not an ``Exception``, so that nothing on the way mistakes it for an error."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def run_jobs(jobs: Sequence[Job], workers: int, notify: Notify | None = None) -> Iterator[tuple[Job, Result]]:
    """Run ``jobs`` and yield each with its result as it ends; raises :class:`Aborted` on a signal.

    ``notify`` is called with a job and the bench time it has reached, from time to time.
    """
    if any(effective_mode(prepared_rig(job), job.mode) != "virtual" for job in jobs):
        for job in jobs:
            yield job, _run_on_real_clock(job, notify)
    elif workers <= 1:
        with _signals_raise():
            for job in jobs:
                yield job, execute(job, (lambda t, job=job: notify(job, t)) if notify else None)
    else:
        yield from _run_in_pool(jobs, workers, notify)


def _run_on_real_clock(job: Job, notify: Notify | None) -> Result:
    rig = prepared_rig(job)
    (procedure,) = select([job.procedure])
    mode = effective_mode(rig, job.mode)
    progress = (lambda t: notify(job, t)) if notify else None
    with asyncio.Runner(loop_factory=lambda: clock.new_loop(mode, epoch_of(job, rig, procedure))) as runner:
        return runner.run(_until_signal(perform(job, rig, procedure, progress)))


async def _until_signal(main: Any) -> Result:
    """Run ``main``; the first signal cancels it, and it ends in its own good order before ``Aborted`` is raised."""
    loop, task = asyncio.get_running_loop(), asyncio.create_task(main)
    caught: list[int] = []

    def stop(number: int) -> None:
        if not caught:
            caught.append(number)
            task.cancel()

    for number in SIGNALS:
        loop.add_signal_handler(number, stop, number)
    try:
        await asyncio.wait([task])
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
    if caught:
        raise Aborted(caught[0])
    result: Result = task.result()
    return result


@contextmanager
def _signals_raise() -> Iterator[None]:
    def stop(number: int, _frame: FrameType | None) -> None:
        raise Aborted(number)

    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_progress_queue: Any = None


def _initialise(queue: Any) -> None:
    global _progress_queue
    _progress_queue = queue
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the parent, which ends the workers


def _work(index: int, job: Job) -> Result:
    return execute(job, lambda t: _progress_queue.put((index, t)))


def _run_in_pool(jobs: Sequence[Job], workers: int, notify: Notify | None) -> Iterator[tuple[Job, Result]]:
    context = multiprocessing.get_context("spawn")
    queue = context.SimpleQueue()
    with _signals_raise():
        pool = ProcessPoolExecutor(min(workers, len(jobs)), context, _initialise, (queue,))
        try:
            futures = {pool.submit(_work, index, job): job for index, job in enumerate(jobs)}
            yield from _collect(futures, jobs, queue, notify)
        except BaseException:
            for process in list(pool._processes.values()):
                process.terminate()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def _collect(
    futures: dict[Future[Result], Job], jobs: Sequence[Job], queue: Any, notify: Notify | None
) -> Iterator[tuple[Job, Result]]:
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
        while not queue.empty():
            index, t = queue.get()
            if notify:
                notify(jobs[index], t)
        for future in done:
            yield futures[future], future.result()
