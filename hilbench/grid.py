"""What the grid says to the site, as a test says it: limits and series of prices, published by the rig's VTN.

Every call leaves an event to measure since. Times are bench seconds, powers kW.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

from hilbench import clock
from hilbench.errors import DeviceError
from hilbench.signals import Event, Record
from hilbench_emulators.grid.vtn import Vtn

LIMIT = "IMPORT_CAPACITY_LIMIT"
PROGRAM = "hilbench"


@dataclass(frozen=True)
class GridLimit:
    """A limit of the site's import [kW] from ``start`` (drawn by the site up to ``spread_s`` later) to ``end``."""

    name: str
    limit_kw: float
    start: float
    end: float
    spread_s: float
    published: Event

    @property
    def latest_start(self) -> float:
        """From when on it must hold, whatever was drawn."""
        return self.start + self.spread_s

    @property
    def latest_end(self) -> float:
        """When it is over, whatever was drawn."""
        return self.end + self.spread_s

    @property
    def notice_s(self) -> float:
        """How long before its latest start it was published; 0 when it began at once."""
        return max(self.latest_start - self.published.t, 0.0)


class Grid:
    """The grid's side of the rig; every method raises ``DeviceError`` on a rig that has no VTN."""

    def __init__(self, vtn: Vtn | None, record: Record) -> None:
        self._vtn = vtn
        self._record = record
        self.limits: list[GridLimit] = []

    @property
    def vtn(self) -> Vtn:
        """The VTN itself."""
        if self._vtn is None:
            raise DeviceError("the rig has no VTN that the bench plays: add [grid.vtn]")
        return self._vtn

    def limit(
        self,
        limit_kw: float,
        duration_s: float,
        *,
        in_s: float = 0.0,
        priority: int | None = None,
        spread_s: float = 0.0,
    ) -> GridLimit:
        """Publish a limit that begins ``in_s`` from now; ``priority`` 0 is the highest, ``spread_s`` randomises it."""
        start = clock.time() + in_s
        raw = _event(start, duration_s, LIMIT, [limit_kw], units="KW")
        raw |= {} if priority is None else {"priority": priority}
        raw["intervalPeriod"] |= {"randomizeStart": _length(spread_s)} if spread_s else {}
        name = self.vtn.publish(raw)
        said = self._note("stimulus.limit", name, limit_kw=limit_kw, in_s=in_s, for_s=duration_s, priority=priority)
        published = GridLimit(name, limit_kw, start, start + duration_s, spread_s, said)
        self.limits.append(published)
        return published

    def series(
        self, kind: str, values: Sequence[float], step_s: float, *, start: float | None = None, units: str = ""
    ) -> Event:
        """Publish ``values`` of a payload type (PRICE, GHG, ...) that follow each other from ``start`` (now) on."""
        begins = clock.time() if start is None else start
        name = self.vtn.publish(_event(begins, step_s, kind, values, units=units))
        return self._note("stimulus.signal", name, signal=kind, steps=len(values), step_s=step_s)

    def publish(self, event: Mapping[str, Any]) -> Event:
        """Publish an event as it is, right or wrong; its id is the subject."""
        return self._note("stimulus.event", self.vtn.publish(event), payload=dict(event))

    def change(self, limit: GridLimit, limit_kw: float) -> Event:
        """Let a limit be another one from now on."""
        raw = _event(limit.start, limit.end - limit.start, LIMIT, [limit_kw], units="KW")
        self.vtn.change(limit.name, intervals=raw["intervals"])
        return self._note("stimulus.limit_changed", limit.name, limit_kw=limit_kw)

    def cancel(self, limit: GridLimit) -> Event:
        """Take a limit back."""
        self.vtn.cancel(limit.name)
        return self._note("stimulus.limit_cancelled", limit.name, limit_kw=limit.limit_kw)

    def _note(self, kind: str, subject: str, **data: Any) -> Event:
        return self._record.event(clock.time(), kind, subject, **data)


def _event(start: float, step_s: float, kind: str, values: Sequence[float], units: str) -> dict[str, Any]:
    """An OpenADR 3 event whose intervals follow each other from ``start`` (bench seconds) on."""
    intervals = [{"id": n, "payloads": [{"type": kind, "values": [value]}]} for n, value in enumerate(values)]
    begins = (clock.current().epoch + timedelta(seconds=start)).astimezone(UTC).isoformat()
    found: dict[str, Any] = {
        "programID": PROGRAM,
        "intervalPeriod": {"start": begins.replace("+00:00", "Z"), "duration": _length(step_s)},
        "intervals": intervals,
    }
    return found | ({"payloadDescriptors": [{"payloadType": kind, "units": units}]} if units else {})


def _length(seconds: float) -> str:
    return f"PT{round(seconds, 3):.15g}S"


__all__ = ["Grid", "GridLimit"]
