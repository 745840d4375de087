"""Firmware, diagnostics and messages of vendors: what an OCPP 1.6 station answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ocpp.v16.enums import Action

from hilbench.ocppj import after, call_result, on
from hilbench_emulators.station.handlers_base import HandlersBase
from hilbench_emulators.station.managed import Update, moment_or

if TYPE_CHECKING:
    from hilbench_emulators.station.ocpp16 import AcStation16


class ManagementHandlers16(HandlersBase):
    """OCPP 1.6 sections 5.6, 5.9 and 5.19."""

    _station: AcStation16

    @on(Action.update_firmware)
    def on_update_firmware(self, location: str, retrieve_date: str, **_more: Any) -> Any:  # noqa: ARG002
        """There is no way to refuse."""
        return call_result.UpdateFirmware()

    @after(Action.update_firmware)
    def after_update_firmware(self, location: str, retrieve_date: str, **_more: Any) -> None:
        """Fetch it when it is time."""
        self._station.update_firmware(Update(location, moment_or(retrieve_date, 0.0)))

    @on(Action.get_diagnostics)
    def on_get_diagnostics(self, location: str, **_more: Any) -> Any:  # noqa: ARG002
        """The name that the file will have."""
        return call_result.GetDiagnostics(file_name=f"{self._station.identity}-diagnostics.log")

    @after(Action.get_diagnostics)
    def after_get_diagnostics(self, location: str, **_more: Any) -> None:
        """Upload it."""
        self._station.upload_log(location, None)

    @on(Action.data_transfer)
    def on_data_transfer(self, vendor_id: str, message_id: str | None = None, data: str | None = None) -> Any:
        """What the station's hook says; without one no vendor is known."""
        status, text = self._station.data_transfer(vendor_id, message_id, data)
        return call_result.DataTransfer(status=status, data=text)
