"""Certificates and network profiles: what an OCPP 2.x station answers (OCPP 2.0.1 blocks A, B and M)."""

from __future__ import annotations

from typing import Any

from hilbench.ocppj import after, on
from hilbench_emulators.station.handlers2_base import HandlersBase2, accepted

_OWN = "ChargingStationCertificate"


class SecurityHandlers2(HandlersBase2):
    """What concerns who the station and its controller are."""

    @on("InstallCertificate")
    def on_install_certificate(self, certificate_type: str, certificate: str, **_more: Any) -> Any:
        """Keep it, if it is one."""
        return self._results.InstallCertificate(status=self._station.install_certificate(certificate_type, certificate))

    @on("DeleteCertificate")
    def on_delete_certificate(self, certificate_hash_data: dict[str, Any], **_more: Any) -> Any:
        """Forget it."""
        return self._results.DeleteCertificate(status=self._station.delete_certificate(certificate_hash_data))

    @on("GetInstalledCertificateIds")
    def on_get_installed_certificate_ids(self, certificate_type: list[str] | None = None, **_more: Any) -> Any:
        """Hashes of all of some kinds."""
        held = self._station.certificates.listed(tuple(certificate_type or ()))
        found = [{"certificate_type": use, "certificate_hash_data": data} for use, data in held]
        return self._results.GetInstalledCertificateIds(
            status="Accepted" if found else "NotFound", certificate_hash_data_chain=found or None
        )

    @on("CertificateSigned")
    def on_certificate_signed(self, certificate_chain: str, certificate_type: str = _OWN, **_more: Any) -> Any:
        """Use it from now on, if it is for the key that was asked for."""
        good = certificate_type == _OWN and self._station.certificate_signed(certificate_chain)
        return self._results.CertificateSigned(status=accepted(good))

    @after("CertificateSigned")
    def after_certificate_signed(self, **_more: Any) -> None:
        """Connect with it."""
        self._station.renew_credentials()

    @on("SetNetworkProfile")
    def on_set_network_profile(self, configuration_slot: int, connection_data: dict[str, Any], **_more: Any) -> Any:
        """Keep it for the next boot, or say why not (B09, standard-text)."""
        why = self._station.set_network(configuration_slot, connection_data)
        info = {"reason_code": why} if why else None
        return self._results.SetNetworkProfile(status=accepted(not why), status_info=info)
