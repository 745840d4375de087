"""Safe state: commanded, bounded, read back."""

from __future__ import annotations

import asyncio

from hilbench import clock
from hilbench.errors import DeviceError
from hilbench.safety import make_safe
from hilbench.signals import Record


class FakeStation:
    """A station that becomes safe after ``delay_s``, never (None), or fails when told."""

    def __init__(self, role: str, delay_s: float | None, error: Exception | None = None) -> None:
        self.role = role
        self._delay_s = delay_s
        self._error = error
        self._safe_at = float("inf")

    async def make_safe(self) -> None:
        """Take the order, or fail."""
        if self._error is not None:
            raise self._error
        if self._delay_s is not None:
            self._safe_at = clock.time() + self._delay_s

    def is_safe(self, tolerance_a: float = 1.0) -> bool:  # noqa: ARG002 - the protocol's
        """Read back."""
        return clock.time() >= self._safe_at

    def read_back(self) -> str:
        """In words."""
        return "0.0 A drawn"


def run(*stations: FakeStation) -> tuple[list[str], Record, float]:
    """Make them safe on a virtual loop; roles that failed, record, seconds it took."""
    record = Record()

    async def main() -> tuple[list[str], float]:
        failed = await make_safe(stations, record)
        return failed, clock.time()

    failed, took = clock.run(main())
    return failed, record, took


def test_every_station_is_commanded_and_read_back() -> None:
    """Stations that follow are confirmed, and the wait ends when the last one is."""
    failed, record, took = run(FakeStation("A", 1.0), FakeStation("B", 5.0))
    assert failed == []
    assert [e.subject for e in record.events_of("safe.commanded")] == ["A", "B"]
    confirmed = {e.subject: dict(e.data) for e in record.events_of("safe.confirmed")}
    assert confirmed == {"A": {"read": "0.0 A drawn"}, "B": {"read": "0.0 A drawn"}}
    assert 5.0 <= took < 5.2


def test_a_station_that_does_not_follow_is_named() -> None:
    """A station that ignores the command is reported after a bounded time, and the others are safe."""
    failed, record, took = run(FakeStation("A", None), FakeStation("B", 0.0))
    assert failed == ["A"]
    assert [e.subject for e in record.events_of("safe.failed")] == ["A"]
    assert took < 15.0


def test_an_error_in_one_device_does_not_stop_the_others() -> None:
    """A device that raises is recorded with its reason, and the others become safe."""
    failed, record, _took = run(FakeStation("A", 0.0, DeviceError("gone")), FakeStation("B", 0.0))
    assert failed == ["A"]
    assert next(iter(record.events_of("safe.failed"))).data["reason"] == "gone"
    assert [e.subject for e in record.events_of("safe.confirmed")] == ["B"]


def test_a_device_that_hangs_does_not_hang_the_bench() -> None:
    """A command that never returns is given up after its time-out."""

    class Hanging(FakeStation):
        async def make_safe(self) -> None:
            await asyncio.sleep(1e6)

    failed, _record, took = run(Hanging("A", None))
    assert failed == ["A"]
    assert took < 20.0
