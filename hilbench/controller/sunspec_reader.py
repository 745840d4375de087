"""How the controller reads a SunSpec meter: it looks for the model once, then reads all of it at each poll."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hilbench.controller.registers import Ask, Span
from hilbench.sunspec import MeterModel, Place, find

HOLDING = 3


class SunSpecReader:
    """Reads a SunSpec meter for a site with ``lines``; raises ``InputError`` when ``pysunspec2`` is not installed."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self._lines = lines
        self._model = MeterModel(Place(203, 0, 0))
        self._known = False

    async def block(self, ask: Ask) -> list[int]:
        """See :class:`~hilbench.controller.registers.Reader`; empty also while no meter model is found."""
        if not self._known:

            async def two(address: int, count: int) -> list[int]:
                return await ask(Span(HOLDING, address, count))

            place = await find(two)
            if place is None:
                return []
            self._model, self._known = MeterModel(place), True
        place = self._model.place
        registers = await ask(Span(HOLDING, place.address, place.count))
        self._known = registers[:2] == [place.model, place.count - 2]  # else the device has another list by now
        return registers if self._known else []

    async def counter(self, ask: Ask) -> list[int]:  # noqa: ARG002 - every reader is asked
        """See :class:`~hilbench.controller.registers.Reader`: the energy is in the block."""
        return []

    def values(self, quantity: str, block: Sequence[int]) -> dict[str, float]:
        """See :class:`~hilbench.controller.registers.Reader`."""
        found = self._model.values(block)
        return {line: found.get(f"{quantity}_l{k}", math.nan) for k, line in enumerate(self._lines, 1)}
