"""Transactions of an OCPP 2.x station and the TransactionEvents about them, which outlive links and reboots."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hilbench_emulators.station.settings import StationSettings


@dataclass
class Transaction2:
    """One transaction; ``since`` is UTC [s], ``state`` the ChargingState that was reported last.

    ``token`` is None while nobody is authorised, ``reason`` why it ends, ``opened`` says that car and driver have both
    been there. ``mode`` is its operation mode where the station tells it (2.1). ``data`` are readings that its last
    event will carry.
    """

    id: str
    token: dict[str, Any] | None
    since: float
    meter_start_wh: int
    state: str = "EVConnected"
    reason: str = ""
    seq_no: int = 0
    opened: bool = False
    mode: str = ""
    data: list[dict[str, Any]] = field(default_factory=list)

    def event(
        self,
        kind: str,
        trigger: str,
        timestamp: str,
        *,
        offline: bool,
        id_token: dict[str, Any] | None = None,
        remote_start_id: int | None = None,
        reservation_id: int | None = None,
    ) -> dict[str, Any]:
        """The next TransactionEvent in snake_case (OCPP 2.0.1 E01 to E07, standard-text)."""
        entry: dict[str, Any] = {
            "event_type": kind,
            "timestamp": timestamp,
            "trigger_reason": trigger,
            "seq_no": self.seq_no,
            "transaction_info": self._info(kind, remote_start_id),
        }
        if kind == "Started":
            entry["evse"] = {"id": 1, "connector_id": 1}
        more = {"id_token": id_token, "reservation_id": reservation_id, "offline": offline or None}
        self.seq_no += 1
        return entry | {key: value for key, value in more.items() if value is not None}

    def _info(self, kind: str, remote_start_id: int | None) -> dict[str, Any]:
        info: dict[str, Any] = {"transaction_id": self.id, "charging_state": self.state}
        if self.mode:
            info["operation_mode"] = self.mode
        if kind == "Ended":
            info["stopped_reason"] = self.reason
        return info | ({} if remote_start_id is None else {"remote_start_id": remote_start_id})


class EventQueue:
    """TransactionEvents in order, each sent once its predecessor is done."""

    def __init__(self, settings: StationSettings) -> None:
        self._longest = settings.queue_length
        self.entries: list[dict[str, Any]] = []

    def waiting(self, transaction_id: str | None) -> bool:
        """Whether messages about a transaction, or about any, are not delivered yet."""
        ids = (entry["transaction_info"]["transaction_id"] for entry in self.entries)
        return any(transaction_id in (None, one) for one in ids)

    def put(self, entry: dict[str, Any]) -> None:
        """Append an event; of too many updates the oldest goes (OCPP 2.0.1 E04.FR.07, recalled)."""
        self.entries.append(entry)
        updates = [one for one in self.entries if one["event_type"] == "Updated"]
        if len(updates) > self._longest:
            self.entries.remove(updates[0])
