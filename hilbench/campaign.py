"""Many jobs: spread over worker processes on the virtual clock, one after the other on a real one.

A signal (Ctrl-C, SIGTERM, SIGHUP) ends a campaign in good order: the bench that runs is first taken to its safe state,
its evidence so far is written, and :class:`Aborted` tells the caller which signal it was.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import wait as wait_for_end
from typing import Any

from hilbench.errors import DeviceError
from hilbench.interrupts import Aborted, Interrupt, listening
from hilbench.runner import Job, effective_mode, execute, prepared_rig

Result = dict[str, Any]
Notify = Callable[[Job, float], None]
ENDING_S = 10.0
"""What a worker gets of the machine's time to end its procedure in good order."""


def run_jobs(
    jobs: Sequence[Job], workers: int, notify: Notify | None = None, interrupt: Interrupt | None = None
) -> Iterator[tuple[Job, Result]]:
    """Run ``jobs`` and yield each with its result as it ends; raises :class:`Aborted` on a signal.

    ``notify`` is called with a job and the bench time it has reached, from time to time. ``interrupt`` is the caller's
    when it listens for signals itself.
    """
    real = any(effective_mode(prepared_rig(job), job.mode) != "virtual" for job in jobs)
    with listening(interrupt) as heard:
        if real or workers <= 1:
            yield from _run_here(jobs, notify, heard)
        else:
            yield from _run_in_pool(jobs, workers, notify, heard)
        heard.check()


def _run_here(jobs: Sequence[Job], notify: Notify | None, interrupt: Interrupt) -> Iterator[tuple[Job, Result]]:
    for job in jobs:
        interrupt.check()
        yield job, execute(job, partial(notify, job) if notify else None, interrupt)


_progress_queue: Any = None
_interrupt = Interrupt()


def _initialise(queue: Any) -> None:
    """In a worker: the terminal's signals are for the parent; its SIGTERM ends the work, its own end the worker."""
    global _progress_queue
    _progress_queue = queue
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, _frame: _interrupt.arrived(number))
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for ever for its next job."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for_end([parent.sentinel])
        os._exit(1)


def _work(index: int, job: Job) -> Result | None:
    """In a worker: one job; None when the end came before it."""
    if _interrupt.number is not None:
        return None
    return execute(job, lambda t: _progress_queue.put((index, t)), _interrupt)


def _run_in_pool(
    jobs: Sequence[Job], workers: int, notify: Notify | None, interrupt: Interrupt
) -> Iterator[tuple[Job, Result]]:
    context = multiprocessing.get_context("spawn")
    queue = context.SimpleQueue()
    pool = ProcessPoolExecutor(min(workers, len(jobs)), context, _initialise, (queue,))
    futures: dict[Future[Result | None], Job] = {}
    try:
        with _held_back(signal.SIGINT, signal.SIGHUP):
            futures |= {pool.submit(_work, index, job): job for index, job in enumerate(jobs)}
        yield from _collect(futures, jobs, queue, notify, interrupt)
    except BrokenProcessPool:
        raise DeviceError(
            "a worker process was killed from outside, often for want of memory; evidence up to then is kept "
            "(--jobs 1 needs least)"
        ) from None
    except Aborted:
        yield from _end_workers(pool, futures)
        raise
    finally:
        if not all(future.done() for future in futures):
            _kill_workers(pool)
        pool.shutdown(cancel_futures=True)


@contextmanager
def _held_back(*numbers: signal.Signals) -> Iterator[None]:
    """Signals wait until after; processes that start meanwhile never see them, not even before they can say so."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _collect(
    futures: dict[Future[Result | None], Job],
    jobs: Sequence[Job],
    queue: Any,
    notify: Notify | None,
    interrupt: Interrupt,
) -> Iterator[tuple[Job, Result]]:
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
        while not queue.empty():
            index, t = queue.get()
            if notify:
                notify(jobs[index], t)
        for future in done:
            job, result = futures.pop(future), future.result()
            if result is not None:
                yield job, result
        interrupt.check()


def _end_workers(pool: ProcessPoolExecutor, futures: dict[Future[Result | None], Job]) -> Iterator[tuple[Job, Result]]:
    """Let the workers write what they have, and yield that too."""
    running = {future for future in futures if not future.cancel()}
    for process in _processes(pool):
        process.terminate()
    for future in wait(running, timeout=ENDING_S).done:
        result = future.result() if future.exception() is None else None
        if result is not None:
            yield futures[future], result


def _kill_workers(pool: ProcessPoolExecutor) -> None:
    """Nothing waits for a worker that still works when the campaign has ended."""
    for process in _processes(pool):
        process.kill()


def _processes(pool: ProcessPoolExecutor) -> list[Any]:
    return list((getattr(pool, "_processes", None) or {}).values())


__all__ = ["Aborted", "Interrupt", "Notify", "Result", "listening", "run_jobs"]
