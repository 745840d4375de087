"""What an AC station leaves to the classes of each OCPP version."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hilbench_emulators.station.clocked import Clocked
from hilbench_emulators.station.metering import Figure
from hilbench_emulators.station.uplink import Uplink
from hilbench_emulators.station.ways import Way


class Contract(Clocked):
    """The methods that :class:`AcStation` calls, and whose docstrings hold for all versions."""

    _uplink: Uplink

    @abstractmethod
    def new_uplink(self, url: str | Callable[[], str], rng: np.random.Generator) -> Uplink:
        """The link to the controller, not running."""

    @abstractmethod
    def reset_state(self, voltage_v: float) -> None:
        """Forget all that does not persist: the supply has just come."""

    @abstractmethod
    def saved(self) -> dict[str, Any]:
        """What a reboot keeps, as JSON data."""

    @abstractmethod
    def restore(self, data: dict[str, Any]) -> None:
        """Take back what :meth:`saved` gave."""

    @abstractmethod
    def present_tag(self) -> None:
        """A driver who has plugged in identifies himself."""

    @abstractmethod
    def end(self, reason: str) -> None:
        """End the running transaction, if any, for an OCPP reason."""

    @abstractmethod
    def tell_status(self) -> None:
        """Report what the outlet shows, if it has changed."""

    @abstractmethod
    def status_message(self) -> Any:
        """What the outlet shows now, as a request."""

    @abstractmethod
    def tell_main_meter(self, read: Sequence[Figure]) -> None:
        """Report what the meter of the supply shows as that of connector or EVSE 0; lost without a connection."""

    @abstractmethod
    def boot_message(self, reason: str = "") -> Any:
        """What it says of itself, as a request; ``reason`` empty: as it was started."""

    @abstractmethod
    def ping_interval_s(self) -> float:
        """Seconds between pings of the next connection, 0 for none."""

    @abstractmethod
    def heartbeat_told(self, interval_s: int) -> None:
        """The controller has said how often it wants a heartbeat."""

    @property
    @abstractmethod
    def status(self) -> str:
        """What the outlet shows, in the words of its OCPP version."""

    @property
    @abstractmethod
    def transaction_id(self) -> int | str | None:
        """Id of the running transaction, None without one that has an id."""

    @property
    @abstractmethod
    def waiting(self) -> list[dict[str, Any]]:
        """Messages about transactions that the controller still has to hear, the oldest first."""

    @property
    def pending(self) -> int:
        """How many of them there are, with what is being said beside them and a look that may lead to more."""
        poke = self._timers.get("poke")
        return len(self.waiting) + self._uplink.talking + (poke is not None and not poke.cancelled())

    @property
    @abstractmethod
    def charging_allowed(self) -> bool:
        """There is a transaction and nothing forbids to charge."""

    @abstractmethod
    def ways(self) -> list[Way]:
        """How the controller may be reached, the best first; never empty."""

    @abstractmethod
    def arrived(self, way: Way, ways: list[Way]) -> list[Way]:
        """One of ``ways`` has led to the controller; those that remain."""

    @abstractmethod
    def connection_attempts(self) -> int:
        """How often one way is tried before the next."""
