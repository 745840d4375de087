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
from typing import Any, TypeVar

from hilbench.errors import DeviceError
from hilbench.interrupts import Aborted, Interrupt, listening
from hilbench.runner import Job, Progress, effective_mode, execute, prepared_rig

T = TypeVar("T")
R = TypeVar("R")
Result = dict[str, Any]
Notify = Callable[[Job, float], None]
Work = Callable[[T, Progress | None, Interrupt | None], R | None]
"""What a worker does with a task; the function of a module. None: the end came before there was a result."""
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
    yield from run_tasks(execute, jobs, 1 if real else workers, notify, interrupt)


def run_tasks(
    work: Work[T, R],
    tasks: Sequence[T],
    workers: int,
    notify: Callable[[T, float], None] | None = None,
    interrupt: Interrupt | None = None,
) -> Iterator[tuple[T, R]]:
    """Do ``work`` with every task, in worker processes when there are several; else as :func:`run_jobs`."""
    with listening(interrupt) as heard:
        if workers <= 1 or len(tasks) <= 1:
            yield from _run_here(work, tasks, notify, heard)
        else:
            yield from _run_in_pool(work, tasks, workers, notify, heard)
        heard.check()


def _run_here(
    work: Work[T, R], tasks: Sequence[T], notify: Callable[[T, float], None] | None, interrupt: Interrupt
) -> Iterator[tuple[T, R]]:
    for task in tasks:
        interrupt.check()
        result = work(task, partial(notify, task) if notify else None, interrupt)
        if result is not None:
            yield task, result


_progress_queue: Any = None
_interrupt = Interrupt()


def _initialise(queue: Any) -> None:
    """In a worker: the terminal's signals are for the parent; its SIGTERM ends the work, its own end the worker."""
    global _progress_queue
    _progress_queue = queue
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, _frame: _interrupt.arrived(number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for ever for its next job."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for_end([parent.sentinel])
        os._exit(1)


def _do(work: Work[T, R], index: int, task: T) -> R | None:
    """In a worker: one task; None when the end came before it."""
    if _interrupt.number is not None:
        return None
    return work(task, lambda t: _progress_queue.put((index, t)), _interrupt)


def _run_in_pool(
    work: Work[T, R],
    tasks: Sequence[T],
    workers: int,
    notify: Callable[[T, float], None] | None,
    interrupt: Interrupt,
) -> Iterator[tuple[T, R]]:
    context = multiprocessing.get_context("spawn")
    queue = context.SimpleQueue()
    pool = ProcessPoolExecutor(min(workers, len(tasks)), context, _initialise, (queue,))
    futures: dict[Future[R | None], T] = {}
    try:
        with _held_back(signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
            for index, task in enumerate(tasks):
                future: Future[R | None] = pool.submit(_do, work, index, task)
                futures[future] = task
        try:
            yield from _collect(futures, tasks, queue, notify, interrupt)
        except Aborted:
            yield from _end_workers(pool, futures)
            raise
    except BrokenProcessPool:
        _kill_workers(pool)
        raise DeviceError(
            "a worker process was killed from outside, often for want of memory; evidence up to then is kept "
            "(--jobs 1 needs least)"
        ) from None
    except BaseException:
        _kill_workers(pool)
        raise
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _held_back(*numbers: signal.Signals) -> Iterator[None]:
    """Signals wait until after; processes that start meanwhile hold them back until they say otherwise."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _collect(
    futures: dict[Future[R | None], T],
    tasks: Sequence[T],
    queue: Any,
    notify: Callable[[T, float], None] | None,
    interrupt: Interrupt,
) -> Iterator[tuple[T, R]]:
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
        while not queue.empty():
            index, t = queue.get()
            if notify:
                notify(tasks[index], t)
        for future in done:
            task, result = futures.pop(future), future.result()
            if result is not None:
                yield task, result
        interrupt.check()


def _end_workers(pool: ProcessPoolExecutor, futures: dict[Future[R | None], T]) -> Iterator[tuple[T, R]]:
    """Let the workers write what they have, and yield that too."""
    running = {future for future in futures if not future.cancel()}
    for process in _processes(pool):
        process.terminate()
    for future in wait(running, timeout=ENDING_S).done:
        result = future.result() if future.exception() is None else None
        if result is not None:
            yield futures[future], result


def _kill_workers(pool: ProcessPoolExecutor) -> None:
    """Nothing waits for workers of a campaign that has ended early: one may wait for ever for a lock of another."""
    for process in _processes(pool):
        process.kill()


def _processes(pool: ProcessPoolExecutor) -> list[Any]:
    return list((getattr(pool, "_processes", None) or {}).values())


__all__ = ["Aborted", "Interrupt", "Notify", "Result", "listening", "run_jobs", "run_tasks"]
