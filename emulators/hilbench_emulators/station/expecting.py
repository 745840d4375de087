"""Remote start before the car is there: the outlet waits for it, and not for ever."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

from hilbench import clock
from hilbench_emulators.station.driver import DriverStation


@dataclass(frozen=True)
class Expected:
    """An authorised driver without a car yet: token as the version writes it, and what came with the request."""

    token: Any
    profile: dict[str, Any] | None = None
    remote_start_id: int | None = None


class ExpectingStation(DriverStation):
    """``expected`` is who may plug in without another word; it does not outlive a reboot."""

    expected: Expected | None
    _transaction: Any
    _inoperative_next: bool

    @abstractmethod
    def connection_timeout_s(self) -> float:
        """How long to wait for the car [s]; 0: without end (policy-default, the standard does not say)."""

    @abstractmethod
    def begin_expected(self, driver: Expected) -> None:
        """The car has come."""

    @abstractmethod
    def expected_in_vain(self) -> None:
        """It has not come in time."""

    @property
    def occupied(self) -> bool:
        """See :class:`DriverStation`."""
        return self.expected is not None or super().occupied

    def reset_drivers(self) -> None:
        """See :class:`DriverStation`."""
        super().reset_drivers()
        self.expected = None

    def expect(self, driver: Expected) -> None:
        """Wait for the car of an authorised driver (1.6 section 9.1.3, 2.0.1 F02 and E03; standard-text)."""
        self.expected = driver
        wait_s = self.connection_timeout_s() or math.inf
        self._at("connection", clock.time() + wait_s, self._waited_in_vain)
        self.poke()

    def expect_nobody(self) -> None:
        """Who was expected is no longer."""
        self.expected = None
        self._at("connection", math.inf, self._waited_in_vain)
        self.poke()

    def present_tag(self) -> None:
        """See :class:`AcStation`: who is expected has nothing to present."""
        if self.expected is None:
            super().present_tag()
            return
        driver = self.expected
        self.expect_nobody()
        self.begin_expected(driver)

    def change_availability(self, operative: bool) -> str:
        """Answer to ChangeAvailability."""
        if not operative and self._transaction is not None:
            self._inoperative_next = True
            return "Scheduled"
        self._operative, self._inoperative_next = operative, False
        if not operative:
            self.expect_nobody()
        self.save()
        self.poke()
        return "Accepted"

    def _waited_in_vain(self) -> None:
        self.event("session.timeout")
        self.expect_nobody()
        self.expected_in_vain()
