"""Network profiles of an OCPP 2.x station: which it dials, in which order (OCPP 2.0.1 B09, B10; standard-text)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from hilbench_emulators.station.device_model import DeviceModel
from hilbench_emulators.station.secured import SecuredStation
from hilbench_emulators.station.ways import Way

BUILT_IN = 1
"""Slot of the profile that the bench gives the station."""
_SLOTS = range(1, 6)
_VERSIONS = ("OCPP20", "OCPP201", "OCPP21")
PRIORITY = ("OCPPCommCtrlr", "NetworkConfigurationPriority")
PASSWORD = ("SecurityCtrlr", "BasicAuthPassword")


class Networked2(SecuredStation):
    """``networks`` are connection data by slot, ``reached`` the highest security profile that has led anywhere."""

    device: DeviceModel
    networks: dict[int, dict[str, Any]]
    reached: int
    root_use = "CSMSRootCertificate"
    bad_own = "InvalidChargingStationCertificate"

    def reset_networks(self) -> None:
        """Only the bench's profile is there."""
        self.networks, self.reached = {}, self.settings.security_profile
        self.device.live["SecurityCtrlr", "SecurityProfile"] = lambda: str(self.reached)
        self.device.live["OCPPCommCtrlr", "ActiveNetworkProfile"] = lambda: str(self._uplink.way.slot)
        self.device.checks[PRIORITY] = lambda text: bool(self._slots(text)) and set(self._slots(text)) <= self._filled()
        self.device.checks[PASSWORD] = lambda text: 16 <= len(text) <= 40 and text.isprintable()

    def saved(self) -> dict[str, Any]:
        """See :class:`AcStation`."""
        networks = [[slot, data] for slot, data in self.networks.items()]
        return super().saved() | {"networks": networks, "reached": self.reached}

    def restore(self, data: dict[str, Any]) -> None:
        """See :class:`AcStation`."""
        super().restore(data)
        self.networks, self.reached = dict(data["networks"]), data["reached"]

    @property
    def password(self) -> str:
        """See :class:`SecuredStation`."""
        return self.device.changed.get(PASSWORD, self.settings.password)

    def ways(self) -> list[Way]:
        """See :class:`Contract`: the profiles of NetworkConfigurationPriority, in its order."""
        return [self._way(slot) for slot in self._slots(self.device.value(*PRIORITY))]

    def _way(self, slot: int) -> Way:
        data = self.networks.get(slot)
        if data is None:
            return self.way(slot, "", self.settings.security_profile)
        return self.way(slot, data["ocpp_csms_url"], data["security_profile"])

    def arrived(self, way: Way, ways: list[Way]) -> list[Way]:
        """See :class:`Contract`; a higher security profile takes the lower ones out (2.0.1 A05, standard-text)."""
        if way.security_profile <= self.reached:
            return ways
        self.reached = way.security_profile
        kept = [one for one in ways if one.security_profile >= self.reached]
        self.device.changed[PRIORITY] = ",".join(str(one.slot) for one in kept)
        self.save()
        return kept

    def connection_attempts(self) -> int:
        """See :class:`Contract`."""
        return int(self.device.seconds("OCPPCommCtrlr", "NetworkProfileConnectionAttempts"))

    def set_network(self, slot: int, data: dict[str, Any]) -> str:
        """Keep a profile; a reason code where it is refused."""
        why = self._objection(slot, data)
        if not why:
            self.networks[slot] = data
            self.save()
        return why

    def _objection(self, slot: int, data: dict[str, Any]) -> str:
        url, profile = urlsplit(data["ocpp_csms_url"]), data["security_profile"]
        tls = profile >= 2
        if slot not in _SLOTS or slot in (BUILT_IN, self._uplink.way.slot):
            return "InvalidSlot"
        if data["ocpp_transport"] != "JSON" or data.get("ocpp_version", "OCPP20") not in _VERSIONS:
            return "UnsupportedVersion"
        if url.scheme != ("wss" if tls else "ws") or not url.netloc:
            return "InvalidURL"
        if profile < self.reached:
            return "NoSecurityDowngrade"
        return "" if 0 <= profile <= 3 and self.can_use(profile) else "InvalidConfiguration"

    def _filled(self) -> set[int]:
        return {BUILT_IN, *self.networks}

    def _slots(self, text: str) -> list[int]:
        parts = [part.strip() for part in text.split(",")]
        return [int(part) for part in parts] if all(part.isascii() and part.isdigit() for part in parts) else []
