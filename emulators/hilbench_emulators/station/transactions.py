"""Transactions of a station and the messages about them, which outlive links and reboots."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hilbench_emulators.station.settings import StationSettings


@dataclass
class Transaction:
    """One transaction; ``id`` is the controller's and None until it has answered. ``since`` is UTC [s].

    ``data`` are the readings that StopTransaction will carry.
    """

    local_id: int
    id_tag: str
    since: float
    meter_start_wh: int
    id: int | None = None
    data: list[dict[str, Any]] = field(default_factory=list)


class Queue:
    """Transaction messages in order: ``{"action", "local_id", "payload"}``, each sent once its predecessor is done."""

    def __init__(self, settings: StationSettings) -> None:
        self._settings = settings
        self.entries: list[dict[str, Any]] = []
        self.ids: dict[int, int] = {}

    def put(self, action: str, local_id: int, payload: dict[str, Any]) -> None:
        """Append a message; of too many meter values the oldest goes."""
        self.entries.append({"action": action, "local_id": local_id, "payload": payload})
        values = [entry for entry in self.entries if entry["action"] == "MeterValues"]
        if len(values) > self._settings.queue_length:
            self.entries.remove(values[0])

    def payload(self, entry: dict[str, Any]) -> dict[str, Any]:
        """What to send now: with the controller's transaction id where it is known (-1 where it never answered)."""
        if entry["action"] == "StartTransaction":
            return dict(entry["payload"])
        return {**entry["payload"], "transaction_id": self.ids.get(entry["local_id"], -1)}

    def to_json(self) -> dict[str, Any]:
        """What a reboot keeps."""
        return {"entries": list(self.entries), "ids": [list(pair) for pair in self.ids.items()]}

    def from_json(self, data: dict[str, Any]) -> None:
        """Take back what :meth:`to_json` gave."""
        self.entries = list(data["entries"])
        self.ids = dict(data["ids"])
