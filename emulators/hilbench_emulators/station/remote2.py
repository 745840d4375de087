"""Remote start of an OCPP 2.x station, with or without a car (OCPP 2.0.1 F01 to F03, standard-text)."""

from __future__ import annotations

from typing import Any

from hilbench_emulators.station.charging import OUTLET
from hilbench_emulators.station.expecting import Expected
from hilbench_emulators.station.transacting2 import Token, Transacting2


class Remote2(Transacting2):
    """What RequestStartTransaction begins."""

    def remote_start(self, token: Token, remote_start_id: int, raw: dict[str, Any] | None) -> tuple[bool, str | None]:
        """Charge, or wait for the car; whether nothing forbids it, and the id of the transaction that it is in.

        Without smart charging the profile is ignored (OCPP 2.0.1 K05.FR.04, standard-text).
        """
        if not self.charging.store.options.smart_charging:
            raw = None
        if self.held or self._outlet.faulted or not self.admits(token["id_token"]) or not self._awaits_remote():
            return False, None
        if raw is not None and not self.charging.would_install(OUTLET, raw, self._utc()):
            return False, None
        driver = Expected(token, raw, remote_start_id)
        if self._outlet.plugged:
            return True, self._begin_remote(driver, "RemoteStart")
        if self.device.value("TxCtrlr", "TxStartPoint") == "Authorized":
            self._install_first(driver)
            self._begin(token, "RemoteStart", remote_start_id)
        self.expect(driver)
        return True, self.transaction_id

    def begin_expected(self, driver: Expected) -> None:
        """See :class:`ExpectingStation`; a transaction that waits for the car goes on."""
        running = self._transaction
        if running is None:
            self._begin_remote(driver, "CablePluggedIn")
            return
        self._opened(running)
        self.transaction_event("Updated", "CablePluggedIn")
        self._refresh()

    def expected_in_vain(self) -> None:
        """See :class:`ExpectingStation` (OCPP 2.0.1 E03 and F02, standard-text)."""
        self.end("Timeout")

    def connection_timeout_s(self) -> float:
        """See :class:`ExpectingStation`."""
        return self.device.seconds("TxCtrlr", "EVConnectionTimeOut")

    def _begin_remote(self, driver: Expected, trigger: str) -> str | None:
        if not self._awaits_driver():
            return None
        self._install_first(driver)
        return self.authorised(driver.token, trigger, driver.remote_start_id)

    def _install_first(self, driver: Expected) -> None:
        if driver.profile is not None and self._transaction is None:
            self.install(OUTLET, driver.profile, starting=True)
        elif driver.profile is not None:
            self.install(OUTLET, driver.profile | {"transaction_id": self.transaction_id})

    def _awaits_remote(self) -> bool:
        if self._outlet.plugged:
            return self._awaits_driver()
        return self._operative and self._transaction is None and self.expected is None
