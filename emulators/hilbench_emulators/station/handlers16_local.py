"""Local authorisation list, cache and reservations: what an OCPP 1.6 station answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ocpp.v16.enums import Action

from hilbench.ocppj import call_result, on
from hilbench_emulators.station.handlers_base import HandlersBase
from hilbench_emulators.station.managed import moment_or
from hilbench_emulators.station.tokens import Reservation

if TYPE_CHECKING:
    from hilbench_emulators.station.ocpp16 import AcStation16


class LocalHandlers16(HandlersBase):
    """OCPP 1.6 sections 5.2, 5.4, 5.10, 5.13 and 5.15."""

    _station: AcStation16

    @on(Action.send_local_list)
    def on_send_local_list(
        self, list_version: int, update_type: str, local_authorization_list: list[dict[str, Any]] | None = None
    ) -> Any:
        """Replace or change the list."""
        if not self._station.switch("list"):
            return call_result.SendLocalList(status="NotSupported")
        entries = [(entry["id_tag"], entry.get("id_tag_info")) for entry in local_authorization_list or ()]
        status = self._station.update_list(update_type == "Full", list_version, entries)
        return call_result.SendLocalList(status=status)

    @on(Action.get_local_list_version)
    def on_get_local_list_version(self) -> Any:
        """Its version, -1 where lists are switched off."""
        version = self._station.tokens.version if self._station.switch("list") else -1
        return call_result.GetLocalListVersion(list_version=version)

    @on(Action.clear_cache)
    def on_clear_cache(self) -> Any:
        """Forget who was authorised; rejected where the cache is switched off."""
        return call_result.ClearCache(status="Accepted" if self._station.clear_cache() else "Rejected")

    @on(Action.reserve_now)
    def on_reserve_now(
        self, connector_id: int, expiry_date: str, id_tag: str, reservation_id: int, parent_id_tag: str | None = None
    ) -> Any:
        """Keep the outlet for one driver; connector 0 cannot be reserved (ReserveConnectorZeroSupported)."""
        if connector_id != 1:
            return call_result.ReserveNow(status="Rejected")
        wanted = Reservation(reservation_id, id_tag, moment_or(expiry_date, 0.0), parent_id_tag)
        return call_result.ReserveNow(status=self._station.reserve(wanted))

    @on(Action.cancel_reservation)
    def on_cancel_reservation(self, reservation_id: int) -> Any:
        """Give it up."""
        found = self._station.cancel_reservation(reservation_id)
        return call_result.CancelReservation(status="Accepted" if found else "Rejected")
