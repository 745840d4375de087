"""Certificates and credentials of a station, which its controller installs and renews."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import asdict, replace
from typing import Any

from hilbench_emulators.station.certificates import Certificates, module, readable
from hilbench_emulators.station.managed import ManagedStation
from hilbench_emulators.station.ways import Way


class SecuredStation(ManagedStation):
    """``certificates`` persist."""

    certificates: Certificates
    root_use: str
    """What the version calls a CA of controllers."""
    bad_own: str
    """Its security event for an own certificate that is no good."""

    @property
    @abstractmethod
    def password(self) -> str:
        """Of Basic authentication, as it stands now."""

    @abstractmethod
    def organisation(self) -> str:
        """Whom it says it belongs to."""

    @abstractmethod
    def sign_message(self, csr: str) -> Any:
        """SignCertificate."""

    def reset_drivers(self) -> None:
        """See :class:`DriverStation`."""
        super().reset_drivers()
        self.certificates = Certificates()

    def saved(self) -> dict[str, Any]:
        """See :class:`AcStation`."""
        return super().saved() | {"certificates": asdict(self.certificates)}

    def restore(self, data: dict[str, Any]) -> None:
        """See :class:`AcStation`."""
        super().restore(data)
        self.certificates = Certificates(**data["certificates"])

    def way(self, slot: int, url: str, security_profile: int) -> Way:
        """With the credentials of now."""
        held = self.certificates
        return Way(slot, url, security_profile, self.password, held.roots(self.root_use), held.own, held.key)

    def can_use(self, security_profile: int) -> bool:
        """It has what the profile needs: a password, a CA, a certificate of its own (2.0.1 A05, standard-text)."""
        password = bool(self.password) or security_profile not in (1, 2)
        root = security_profile < 2 or self.settings.ca_file is not None or bool(self.certificates.roots(self.root_use))
        own = security_profile < 3 or self.settings.certificate is not None or bool(self.certificates.own)
        return password and root and own

    def renew_credentials(self) -> None:
        """Dial anew where password or own certificate are no longer those of the connection."""
        ways, held = self._uplink.ways, self.certificates
        new = [replace(way, password=self.password, own=held.own, key=held.key) for way in ways]
        if [way.shown for way in new] != [way.shown for way in ways]:
            self._uplink.redial(new)

    @property
    def can_sign(self) -> bool:
        """Keys can be made (see :meth:`Certificates.request`)."""
        return module("x509") is not None

    def install_certificate(self, use: str, pem: str) -> str:
        """Answer to InstallCertificate."""
        status = self.certificates.install(use, pem, self._utc())
        self.save()
        return status

    def delete_certificate(self, wanted: dict[str, Any]) -> str:
        """Answer to DeleteCertificate."""
        status = self.certificates.delete(wanted)
        self.save()
        return status

    def certificate_readable(self, pem: str) -> bool:
        """Whether a certificate is one, and valid now."""
        return readable(pem, self._utc())

    def certificate_request(self) -> Any | None:
        """SignCertificate for a new key, None where no key can be made."""
        csr = self.certificates.request(self.identity, self.organisation())
        self.save()
        return self.sign_message(csr) if csr else None

    def certificate_signed(self, chain: str) -> bool:
        """Answer to CertificateSigned; what is refused is a security event (2.0.1 A02, standard-text)."""
        good = self.certificates.signed(chain, self._utc())
        if not good:
            self.security_event(self.bad_own)
        self.save()
        return good
