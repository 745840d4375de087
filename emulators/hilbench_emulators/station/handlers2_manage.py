"""Firmware, logs, reports and what concerns customers and networks: what an OCPP 2.x station answers."""

from __future__ import annotations

from typing import Any

from hilbench.ocppj import after, on
from hilbench_emulators.station import reports2
from hilbench_emulators.station.handlers2_base import HandlersBase2, accepted, few
from hilbench_emulators.station.managed import Update, moment_or


class ManagementHandlers2(HandlersBase2):
    """OCPP 2.0.1 blocks B (reports, network), I, L, N and P."""

    @on("UpdateFirmware")
    def on_update_firmware(self, firmware: dict[str, Any], **_more: Any) -> Any:
        """Taken, instead of one that is under way (L01.FR.24, recalled), unless its signer's certificate is none."""
        if not self._trusts(firmware):
            self._station.security_event("InvalidFirmwareSigningCertificate")
            return self._results.UpdateFirmware(status="InvalidCertificate")
        busy = self._station.busy("firmware")
        return self._results.UpdateFirmware(status="AcceptedCanceled" if busy else "Accepted")

    @after("UpdateFirmware")
    def after_update_firmware(self, firmware: dict[str, Any], request_id: int, **_more: Any) -> None:
        """Fetch and install it when it is time."""
        if not self._trusts(firmware):
            return
        retrieve, install = (moment_or(firmware.get(f"{name}_date_time"), 0.0) for name in ("retrieve", "install"))
        signed = "signature" in firmware
        self._station.update_firmware(Update(firmware["location"], retrieve, install, request_id, signed))

    def _trusts(self, firmware: dict[str, Any]) -> bool:
        signer = firmware.get("signing_certificate")
        return signer is None or self._station.certificate_readable(signer)

    @on("GetLog")
    def on_get_log(self, log_type: str, **_more: Any) -> Any:
        """The name that the file will have."""
        status = "AcceptedCanceled" if self._station.busy("log") else "Accepted"
        return self._results.GetLog(status=status, filename=f"{self._station.identity}-{log_type}.log")

    @after("GetLog")
    def after_get_log(self, log: dict[str, Any], request_id: int, **_more: Any) -> None:
        """Upload it."""
        self._station.upload_log(log["remote_location"], request_id)

    @on("GetReport")
    def on_get_report(self, **asked: Any) -> Any:
        """Say whether there is anything to report (B08, standard-text)."""
        return self._results.GetReport(status="Accepted" if self._selected(**asked) else "EmptyResultSet")

    @after("GetReport")
    async def after_get_report(self, request_id: int, **asked: Any) -> None:
        """Report, in parts."""
        await self._report(request_id, self._selected(**asked))

    def _selected(
        self,
        component_variable: list[dict[str, Any]] | None = None,
        component_criteria: list[str] | None = None,
        **_more: Any,
    ) -> list[dict[str, Any]]:
        return self._station.device.select(component_variable, component_criteria)

    async def _report(self, request_id: int, data: list[dict[str, Any]]) -> None:
        for part in reports2.device_reports(request_id, data, self._station.timestamp()):
            await self.call(self._requests.NotifyReport(**part))

    @on("GetBaseReport")
    def on_get_base_report(self, report_base: str, **_more: Any) -> Any:
        """Full and configuration inventory are the same here; a summary is not made."""
        status = "NotSupported" if report_base == "SummaryInventory" else "Accepted"
        return self._results.GetBaseReport(status=status)

    @after("GetBaseReport")
    async def after_get_base_report(self, request_id: int, report_base: str, **_more: Any) -> None:
        """Report, in parts."""
        if report_base != "SummaryInventory":
            await self._report(request_id, self._station.device.report())

    @on("SetVariableMonitoring")
    def on_set_variable_monitoring(self, set_monitoring_data: list[dict[str, Any]], **_more: Any) -> Any:
        """No variable can be monitored (N04, standard-text)."""
        results = [self._station.device.monitored(item) for item in few(set_monitoring_data)]
        return self._results.SetVariableMonitoring(set_monitoring_result=results)

    @on("CustomerInformation")
    def on_customer_information(self, **asked: Any) -> Any:
        """It must name a customer and say what is wanted (N09, N10; standard-text)."""
        return self._results.CustomerInformation(status=accepted(_names_customer(**asked)))

    @after("CustomerInformation")
    async def after_customer_information(
        self, request_id: int, report: bool, clear: bool, id_token: dict[str, Any] | None = None, **more: Any
    ) -> None:
        """Tell what the cache and the list know of a token, then forget what is cached."""
        if not _names_customer(report=report, clear=clear, id_token=id_token, **more):
            return
        known = "" if id_token is None else self._station.forget_customer(id_token["id_token"], clear=clear)
        message = self._requests.NotifyCustomerInformation(
            data=known if report else "",
            seq_no=0,
            generated_at=self._station.timestamp(),
            request_id=request_id,
            tbc=False,
        )
        await self.call(message)

    @on("DataTransfer")
    def on_data_transfer(self, vendor_id: str, message_id: str | None = None, data: Any = None, **_more: Any) -> Any:
        """What the station's hook says; without one no vendor is known."""
        status, told = self._station.data_transfer(vendor_id, message_id, data)
        return self._results.DataTransfer(status=status, data=told)

    @on("CostUpdated")
    def on_cost_updated(self, total_cost: float, transaction_id: str, **_more: Any) -> Any:
        """Shown to the driver (I02, standard-text)."""
        self._station.event("session.cost", transaction_id=transaction_id, total=total_cost)
        return self._results.CostUpdated()


def _names_customer(report: bool, clear: bool, **more: Any) -> bool:
    named = (more.get(key) for key in ("customer_certificate", "id_token", "customer_identifier"))
    return (report or clear) and any(named)
