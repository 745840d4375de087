"""Local authorisation list, cache and reservations: what an OCPP 2.x station answers."""

from __future__ import annotations

from typing import Any

from hilbench.ocppj import on
from hilbench_emulators.station.handlers2_base import HandlersBase2, accepted
from hilbench_emulators.station.managed import moment_or
from hilbench_emulators.station.tokens import Reservation


class LocalHandlers2(HandlersBase2):
    """OCPP 2.0.1 blocks C (cache), D and H."""

    @on("SendLocalList")
    def on_send_local_list(
        self,
        version_number: int,
        update_type: str,
        local_authorization_list: list[dict[str, Any]] | None = None,
        **_more: Any,
    ) -> Any:
        """Replace or change the list."""
        if not self._station.switch("list") or version_number <= 0:
            return self._results.SendLocalList(status="Failed")
        listed = local_authorization_list or ()
        entries = [(entry["id_token"]["id_token"], entry.get("id_token_info")) for entry in listed]
        status = self._station.update_list(update_type == "Full", version_number, entries)
        return self._results.SendLocalList(status=status)

    @on("GetLocalListVersion")
    def on_get_local_list_version(self, **_more: Any) -> Any:
        """Its version, 0 where lists are switched off (OCPP 2.0.1 D02, standard-text)."""
        version = self._station.tokens.version if self._station.switch("list") else 0
        return self._results.GetLocalListVersion(version_number=version)

    @on("ClearCache")
    def on_clear_cache(self, **_more: Any) -> Any:
        """Forget who was authorised; rejected where the cache is switched off."""
        return self._results.ClearCache(status=accepted(self._station.clear_cache()))

    @on("ReserveNow")
    def on_reserve_now(
        self,
        id: int,  # noqa: A002 - the name on the wire
        expiry_date_time: str,
        id_token: dict[str, Any],
        evse_id: int = 1,
        group_id_token: dict[str, Any] | None = None,
        **_more: Any,
    ) -> Any:
        """Keep the outlet for one driver; where no outlet is named there is only this one."""
        if evse_id != 1:
            return self._results.ReserveNow(status="Rejected")
        group = None if group_id_token is None else group_id_token["id_token"]
        wanted = Reservation(id, id_token["id_token"], moment_or(expiry_date_time, 0.0), group)
        return self._results.ReserveNow(status=self._station.reserve(wanted))

    @on("CancelReservation")
    def on_cancel_reservation(self, reservation_id: int, **_more: Any) -> Any:
        """Give it up."""
        return self._results.CancelReservation(status=accepted(self._station.cancel_reservation(reservation_id)))
