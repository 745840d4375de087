"""The time that a fleet spends before its controller, from start to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, Protocol

from hilbench.fleet import Fleet
from hilbench.fleet_script import Command, keep_plugged, play

LOOK_S = 0.25
"""How often whoever watches is shown the fleet."""
ACCEPTANCE_S = 30.0
"""A script waits so long for the stations to be accepted."""


class View(Protocol):
    """Whoever watches a fleet."""

    def show(self, fleet: Fleet) -> None:
        """Time has passed: look at it."""
        ...

    def say(self, text: str) -> None:
        """Something could not be done."""
        ...


class Stay:
    """Ends after ``span_s``, with ``quit`` of the script or when :meth:`leave` is called; always in good order."""

    def __init__(
        self, fleet: Fleet, script: Sequence[Command], *, plug: bool = False, span_s: float | None = None
    ) -> None:
        self._fleet = fleet
        self._script = script
        self._plug = plug
        self._span_s = span_s
        self._over = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def leave(self) -> None:
        """Come to an end; to be called on the loop."""
        self._over.set()

    def leave_soon(self) -> None:
        """Come to an end; may be called in the middle of anything."""
        self._loop.call_soon_threadsafe(self._over.set)

    async def run(self, view: View) -> None:
        """All of it; when it returns or raises, every station is off."""
        works = [self._watch(view), self._act(view)]
        tasks = [self._spawn(work) for work in [*works, *([keep_plugged(self._fleet, view.say)] if self._plug else [])]]
        try:
            await self._fleet.start()
            async with asyncio.timeout(self._span_s):
                await self._over.wait()
        except TimeoutError:
            pass
        finally:
            for task in tasks[1:]:
                task.cancel()
            await self._fleet.stop()
            tasks[0].cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task whose failure ends the stay."""
        task = asyncio.create_task(work)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self.leave()

    async def _watch(self, view: View) -> None:
        while True:
            view.show(self._fleet)
            await asyncio.sleep(LOOK_S)

    async def _act(self, view: View) -> None:
        if self._script:
            await self._fleet.until_accepted(ACCEPTANCE_S)
            if await play(self._fleet, self._script, view.say):
                self.leave()
