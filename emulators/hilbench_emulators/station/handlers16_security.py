"""Certificates, logs and signed firmware: what an OCPP 1.6 station answers by the security whitepaper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ocpp.v16.enums import Action

from hilbench.ocppj import after, call_result, on
from hilbench_emulators.station.handlers_base import HandlersBase
from hilbench_emulators.station.managed import Update, moment_or

if TYPE_CHECKING:
    from hilbench_emulators.station.ocpp16 import AcStation16

_TRIGGERS = (
    *("BootNotification", "LogStatusNotification", "FirmwareStatusNotification", "Heartbeat", "MeterValues"),
    *("SignChargePointCertificate", "StatusNotification"),
)


class SecurityHandlers16(HandlersBase):
    """Improved security for OCPP 1.6-J, edition 2 (standard-text where not said otherwise)."""

    _station: AcStation16
    call: Any

    @on(Action.install_certificate)
    def on_install_certificate(self, certificate_type: str, certificate: str) -> Any:
        """Keep it, if it is one."""
        return call_result.InstallCertificate(status=self._station.install_certificate(certificate_type, certificate))

    @on(Action.delete_certificate)
    def on_delete_certificate(self, certificate_hash_data: dict[str, Any]) -> Any:
        """Forget it."""
        return call_result.DeleteCertificate(status=self._station.delete_certificate(certificate_hash_data))

    @on(Action.get_installed_certificate_ids)
    def on_get_installed_certificate_ids(self, certificate_type: str) -> Any:
        """Hashes of all of a kind."""
        found = [data for _use, data in self._station.certificates.listed((certificate_type,))]
        status = "Accepted" if found else "NotFound"
        return call_result.GetInstalledCertificateIds(status=status, certificate_hash_data=found or None)

    @on(Action.certificate_signed)
    def on_certificate_signed(self, certificate_chain: str) -> Any:
        """Use it from now on, if it is for the key that was asked for."""
        good = self._station.certificate_signed(certificate_chain)
        return call_result.CertificateSigned(status="Accepted" if good else "Rejected")

    @after(Action.certificate_signed)
    def after_certificate_signed(self, certificate_chain: str) -> None:  # noqa: ARG002
        """Connect with it."""
        self._station.renew_credentials()

    @on(Action.extended_trigger_message)
    def on_extended_trigger_message(self, requested_message: str, connector_id: int | None = None) -> Any:
        """Say whether it will be sent."""
        status = "Accepted" if self._sends(requested_message, connector_id) else "Rejected"
        return call_result.ExtendedTriggerMessage(status=status)

    def _sends(self, wanted: str, connector_id: int | None) -> bool:
        able = wanted != "SignChargePointCertificate" or self._station.can_sign
        return able and wanted in _TRIGGERS and connector_id in (None, 0, 1)

    @after(Action.extended_trigger_message)
    async def after_extended_trigger_message(self, requested_message: str, connector_id: int | None = None) -> None:
        """Send it."""
        if not self._sends(requested_message, connector_id):
            return
        if requested_message == "BootNotification":
            await self._station.register(self)
        else:
            await self.say(self._station.triggered_by_extension(requested_message))

    @on(Action.get_log)
    def on_get_log(self, log_type: str, **_more: Any) -> Any:
        """The name that the file will have."""
        status = "AcceptedCanceled" if self._station.busy("log") else "Accepted"
        return call_result.GetLog(status=status, filename=f"{self._station.identity}-{log_type}.log")

    @after(Action.get_log)
    def after_get_log(self, log: dict[str, Any], request_id: int, **_more: Any) -> None:
        """Upload it."""
        self._station.upload_log(log["remote_location"], request_id)

    @on(Action.signed_update_firmware)
    def on_signed_update_firmware(self, firmware: dict[str, Any], **_more: Any) -> Any:
        """Taken, unless the certificate of its signer is none."""
        if not self._trusts(firmware):
            self._station.security_event("InvalidFirmwareSigningCertificate")
            return call_result.SignedUpdateFirmware(status="InvalidCertificate")
        busy = self._station.busy("firmware")
        return call_result.SignedUpdateFirmware(status="AcceptedCanceled" if busy else "Accepted")

    def _trusts(self, firmware: dict[str, Any]) -> bool:
        return self._station.certificate_readable(firmware["signing_certificate"])

    @after(Action.signed_update_firmware)
    def after_signed_update_firmware(self, request_id: int, firmware: dict[str, Any], **_more: Any) -> None:
        """Fetch and install it when it is time; nothing is really fetched, so every signature is good."""
        if self._trusts(firmware):
            retrieve, install = (moment_or(firmware.get(f"{name}_date_time"), 0.0) for name in ("retrieve", "install"))
            self._station.update_firmware(Update(firmware["location"], retrieve, install, request_id, signed=True))
