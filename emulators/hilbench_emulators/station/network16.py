"""How an OCPP 1.6 station connects, by the keys of the security whitepaper (edition 2, standard-text)."""

from __future__ import annotations

from typing import Any

from hilbench.ocppj import call
from hilbench_emulators.station.configuration import Configuration
from hilbench_emulators.station.secured import SecuredStation
from hilbench_emulators.station.ways import Way


class Networked16(SecuredStation):
    """``former_profile`` is the security profile to fall back to until a raised one has led to the controller."""

    configuration: Configuration
    former_profile: int | None
    root_use = "CentralSystemRootCertificate"
    bad_own = "InvalidChargePointCertificate"

    def saved(self) -> dict[str, Any]:
        """See :class:`AcStation`."""
        return super().saved() | {"former_profile": self.former_profile}

    def restore(self, data: dict[str, Any]) -> None:
        """See :class:`AcStation`."""
        super().restore(data)
        self.former_profile = data["former_profile"]

    @property
    def password(self) -> str:
        """See :class:`SecuredStation`: the text of AuthorizationKey, as it was written (chosen; hex is not decoded)."""
        return self.configuration.changed.get("AuthorizationKey", self.settings.password)

    @property
    def security_profile(self) -> int:
        """The one that is wanted."""
        return int(self.configuration.value("SecurityProfile"))

    def organisation(self) -> str:
        """See :class:`SecuredStation`."""
        return self.configuration.value("CpoName") or self.settings.vendor

    def sign_message(self, csr: str) -> Any:
        """See :class:`SecuredStation`."""
        return call.SignCertificate(csr=csr)

    def ways(self) -> list[Way]:
        """See :class:`Contract`: the raised profile, then the former one."""
        profiles = [self.security_profile] + ([] if self.former_profile is None else [self.former_profile])
        return [self.way(1, "", profile) for profile in profiles]

    def arrived(self, way: Way, ways: list[Way]) -> list[Way]:
        """See :class:`Contract`: where it had to fall back, the key says so again."""
        if self.former_profile is None:
            return ways
        self.configuration.changed["SecurityProfile"] = str(way.security_profile)
        self.former_profile = None
        self.save()
        return [way]

    def connection_attempts(self) -> int:
        """See :class:`Contract`."""
        return self.settings.connection_attempts

    def change_key(self, key: str, value: str) -> str:
        """Status of ChangeConfiguration; a security profile can only be raised, to one that has what it needs."""
        if key != "SecurityProfile":
            return self.configuration.change(key, value)
        former = self.security_profile
        if value not in ("1", "2", "3") or int(value) <= former or not self.can_use(int(value)):
            return "Rejected"
        self.configuration.changed[key] = value
        self.former_profile = former
        return "Accepted"

    def key_changed(self, key: str) -> None:
        """Connect anew where the key says how."""
        if key == "SecurityProfile" and self.former_profile is not None:
            self._uplink.redial(self.ways())
        elif key == "AuthorizationKey":
            self.renew_credentials()
