"""What a controller has told a real station: its limit, from the OCPP frames that pass between the two. Pure.

The station itself is not asked: of what it accepted this works out by the text of OCPP what it must offer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from hilbench.ocppj import to_snake
from hilbench.ocppj.frames import decode
from hilbench.site import Branch
from hilbench_emulators.smart_charging import Version
from hilbench_emulators.station.charging import OUTLET, Charging, purpose_of
from hilbench_emulators.station.settings import StationSettings

Sender = Literal["station", "controller"]
_PLENTY = StationSettings(max_profiles=10_000, max_stack_level=10_000, max_periods=10_000)
"""A station may have room for more than the emulated ones; what it accepted counts."""
_CALL, _RESULT = 2, 3
_MOST_OPEN = 1000
"""Requests without an answer that are remembered; the oldest is given up."""


class Commanded:
    """The limit of the first outlet of a station on ``branch``; times are UTC seconds since 1970.

    ``accepted`` says that the controller has accepted the station, ``unread`` holds what the station accepted although
    it is not understood here: then the limit is not to be trusted.
    """

    def __init__(self, version: Version, branch: Branch, voltage_v: float) -> None:
        self.accepted = False
        self.unread: list[str] = []
        self._most_a = branch.max_a
        self._charging = Charging(version, branch, voltage_v, _PLENTY)
        self._open: dict[tuple[Sender, str], tuple[str, dict[str, Any]]] = {}

    def limit_a(self, utc: float) -> float:
        """What it may offer [A per phase], its nameplate where nothing was commanded."""
        followed_a = self._charging.followed_a(utc, online=True)
        return self._most_a if followed_a is None else min(followed_a, self._most_a)

    def next_change(self, utc: float) -> float:
        """The first instant after ``utc`` at which the limit may differ without another frame."""
        return self._charging.next_change(utc)

    def hear(self, utc: float, sender: Sender, text: str) -> None:
        """A frame of ``sender``; what is no frame of OCPP-J is not heard."""
        try:
            kind, unique_id, *rest = decode(text)
            if kind == _CALL:
                self._open[sender, str(unique_id)] = (str(rest[0]), to_snake(rest[1]))
                if len(self._open) > _MOST_OPEN:
                    self._open.pop(next(iter(self._open)))
            elif kind == _RESULT:
                asker: Sender = "controller" if sender == "station" else "station"
                asked = self._open.pop((asker, str(unique_id)), None)
                if asked is not None:
                    self._answered(utc, *asked, to_snake(rest[0]))
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            self.unread.append(f"{type(error).__name__}: {text[:120]}")

    def _answered(self, utc: float, action: str, asked: dict[str, Any], answer: dict[str, Any]) -> None:
        act = _ACTIONS.get(action)
        if action in ("BootNotification", "Heartbeat", "StatusNotification"):
            self.accepted = answer.get("status", "Accepted") == "Accepted"
        elif act is not None and answer.get("status", "Accepted") == "Accepted":
            act(self, utc, asked, answer)

    def _set(self, utc: float, asked: dict[str, Any], _answer: dict[str, Any]) -> None:
        evse = asked.get("evse_id", asked.get("connector_id", 0))
        self._install(evse, asked.get("charging_profile") or asked["cs_charging_profiles"], utc)

    def _start_asked(self, utc: float, asked: dict[str, Any], _answer: dict[str, Any]) -> None:
        if asked.get("charging_profile"):
            self._install(OUTLET, asked["charging_profile"], utc, starting=True)

    def _install(self, evse: int, raw: dict[str, Any], utc: float, *, starting: bool = False) -> None:
        if evse > OUTLET:
            return
        answer, _profile = self._charging.install(evse, raw, utc, starting=starting)
        if not answer.accepted:
            self.unread.append(
                f"the station accepted a profile that is not valid: {answer.status} {answer.description}"
            )

    def _cleared(self, _utc: float, asked: dict[str, Any], _answer: dict[str, Any]) -> None:
        wanted = asked.get("charging_profile_criteria") or asked
        name = wanted.get("charging_profile_purpose")
        self._charging.store.clear(
            asked.get("charging_profile_id", asked.get("id")),
            wanted.get("evse_id", wanted.get("connector_id")),
            None if name is None else purpose_of(name),
            wanted.get("stack_level"),
        )

    def _started(self, utc: float, asked: dict[str, Any], answer: dict[str, Any]) -> None:
        if asked["connector_id"] == OUTLET:
            self._charging.store.begin_transaction(OUTLET, answer["transaction_id"], utc)

    def _stopped(self, _utc: float, asked: dict[str, Any], _answer: dict[str, Any]) -> None:
        if self._charging.store.outlets[OUTLET].transaction_id == asked["transaction_id"]:
            self._charging.store.end_transaction(OUTLET)

    def _transaction(self, utc: float, asked: dict[str, Any], _answer: dict[str, Any]) -> None:
        told = asked["transaction_info"]["transaction_id"]
        if asked["event_type"] == "Started" and asked.get("evse", {}).get("id", OUTLET) == OUTLET:
            self._charging.store.begin_transaction(OUTLET, told, utc)
        elif asked["event_type"] == "Ended":
            self._stopped(utc, {"transaction_id": told}, {})


_Act = Callable[[Commanded, float, dict[str, Any], dict[str, Any]], None]
_ACTIONS: dict[str, _Act] = {
    "SetChargingProfile": Commanded._set,
    "ClearChargingProfile": Commanded._cleared,
    "RemoteStartTransaction": Commanded._start_asked,
    "RequestStartTransaction": Commanded._start_asked,
    "StartTransaction": Commanded._started,
    "StopTransaction": Commanded._stopped,
    "TransactionEvent": Commanded._transaction,
}
"""What changes the limit once it was answered; an answer without a status is a good one."""
