"""What an OCPP 2.x station does on a connection: deliver its events."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from websockets.asyncio.client import ClientConnection

from hilbench_emulators.station.handlers2 import Handlers21, Handlers201
from hilbench_emulators.station.tokens import info_of
from hilbench_emulators.station.uplink import Uplink

if TYPE_CHECKING:
    from hilbench_emulators.station.ocpp2 import AcStation2


_BACKOFF = ("WaitMinimum", "RandomRange", "RepeatTimes")


class Uplink2(Uplink):
    """See :class:`Uplink`."""

    _station: AcStation2

    def __init__(self, station: AcStation2, url: str | Callable[[], str], rng: np.random.Generator) -> None:
        self.version = station.version
        super().__init__(station, url, rng)

    def wait_s(self, attempt: int, chance: float) -> float:
        """See :class:`Uplink`: RetryBackOffWaitMinimum doubled up to RetryBackOffRepeatTimes, plus a random part of
        RetryBackOffRandomRange (OCPP-J 2.0.1 section 5.3 with errata 2025-04, standard-text).
        """
        device = self._station.device
        least, spread, repeats = (device.seconds("OCPPCommCtrlr", f"RetryBackOff{name}") for name in _BACKOFF)
        return least * float(2 ** min(attempt, int(repeats))) + spread * chance

    def handlers(self, connection: ClientConnection) -> Any:
        """See :class:`Uplink`."""
        return (Handlers201 if self.version == "2.0.1" else Handlers21)(self._station, connection)

    def request(self, entry: dict[str, Any]) -> Any:
        """See :class:`Uplink`."""
        return self.messages.TransactionEvent(**entry)

    def delivered(self, entry: dict[str, Any], answer: Any) -> None:
        """A driver who is not accepted ends his transaction (OCPP 2.0.1 E05, standard-text)."""
        info, token = answer.id_token_info, entry.get("id_token")
        if info and token:
            self._station.learn(token["id_token"], info_of(info))
        same = entry["transaction_info"]["transaction_id"] == self._station.transaction_id
        if info and info["status"] != "Accepted" and same and self._station.stops_invalid:
            self._station.end("DeAuthorized")
