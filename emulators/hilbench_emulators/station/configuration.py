"""Configuration keys of an OCPP 1.6 station (OCPP 1.6 edition 2 section 9; standard-text)."""

from __future__ import annotations

from typing import Any

from hilbench_emulators.smart_charging import Unit, Version
from hilbench_emulators.station.certificates import MOST
from hilbench_emulators.station.metering import MEASURANDS
from hilbench_emulators.station.settings import StationSettings
from hilbench_emulators.station.tokens import LONGEST_LIST

DEFAULT_SAMPLED = ",".join(MEASURANDS[:5])
_LISTS = ("MeterValuesSampledData", "MeterValuesAlignedData", "StopTxnSampledData", "StopTxnAlignedData")
_POSITIVE = {
    "ClockAlignedDataInterval",
    "HeartbeatInterval",
    "MeterValueSampleInterval",
    "ConnectionTimeOut",
    "WebSocketPingInterval",
}
SECRET = "AuthorizationKey"
"""Key that can be written and not read (OCPP-J 1.6 section 6.2, standard-text)."""
_PROFILES = ("Core", "FirmwareManagement", "LocalAuthListManagement", "Reservation", "SmartCharging", "RemoteTrigger")


class Configuration:
    """Keys with their values as strings; only some can be changed."""

    def __init__(self, settings: StationSettings) -> None:
        options = settings.options(Version.V16)
        units = [name for unit, name in ((Unit.A, "Current"), (Unit.W, "Power")) if unit in options.units]
        self._read_only = {
            "NumberOfConnectors": "1",
            "AuthorizeRemoteTxRequests": "false",
            "SupportedFeatureProfiles": ",".join(_PROFILES),
            "ChargeProfileMaxStackLevel": str(options.max_stack),
            "ChargingScheduleAllowedChargingRateUnit": ",".join(units),
            "ChargingScheduleMaxPeriods": str(options.max_periods),
            "MaxChargingProfilesInstalled": str(options.max_profiles),
            "ConnectorSwitch3to1PhaseSupported": "false",
            **{f"{key}MaxLength": str(len(MEASURANDS)) for key in _LISTS},
            "LocalAuthListMaxLength": str(LONGEST_LIST),
            "SendLocalListMaxLength": str(LONGEST_LIST),
            "ReserveConnectorZeroSupported": "false",
            "CertificateStoreMaxLength": str(MOST),
            "AdditionalRootCertificateCheck": "false",
            "StopTransactionOnEVSideDisconnect": "true",
            "UnlockConnectorOnEVSideDisconnect": "true",
        }
        self.changed: dict[str, str] = {}
        self._defaults = {
            "HeartbeatInterval": str(settings.heartbeat_s),
            "MeterValueSampleInterval": str(settings.sample_interval_s),
            "ClockAlignedDataInterval": "0",
            "MeterValuesSampledData": DEFAULT_SAMPLED,
            "MeterValuesAlignedData": "Energy.Active.Import.Register",
            "StopTxnSampledData": "",
            "StopTxnAlignedData": "",
            "LocalAuthListEnabled": "true",
            "AuthorizationCacheEnabled": "true",
            "LocalPreAuthorize": "false",
            "LocalAuthorizeOffline": "true",
            "AllowOfflineTxForUnknownId": "true",
            "StopTransactionOnInvalidId": "true",
            "WebSocketPingInterval": f"{settings.ping_interval_s:g}",
            "ConnectionTimeOut": "60",
            "SecurityProfile": str(settings.security_profile),
            "CpoName": "",
        }

    def value(self, key: str) -> str:
        """The value of a known key; raises ``KeyError``."""
        return {**self._defaults, **self.changed, **self._read_only}[key]

    def on(self, key: str) -> bool:
        """The value of a key that is a switch."""
        return self.value(key) == "true"

    def seconds(self, key: str) -> float:
        """The value of a key that is a number."""
        return float(self.value(key))

    def listed(self, keys: list[str] | None) -> tuple[list[dict[str, Any]], list[str]]:
        """Entries for ``keys`` (or all), and the keys that are not known."""
        known = {**self._defaults, **self.changed, **self._read_only}
        known.pop(SECRET, None)
        wanted = list(known) if not keys else [key for key in keys if key in known]
        entries = [{"key": key, "readonly": key in self._read_only, "value": known[key]} for key in wanted]
        return entries, [key for key in keys or () if key not in known]

    def change(self, key: str, value: str) -> str:
        """Set ``key``; returns the status of the answer. What is rejected changes nothing."""
        if key in self._read_only:
            return "Rejected"
        if key not in self._defaults and key != SECRET:
            return "NotSupported"
        if not _usable(key, value):
            return "Rejected"
        self.changed[key] = value
        return "Accepted"


def _usable(key: str, value: str) -> bool:
    if key in _POSITIVE:
        return value.isascii() and value.isdigit() and len(value) <= 9
    if key in _LISTS:
        return not value or all(name.strip() in MEASURANDS for name in value.split(","))
    if key == "CpoName":
        return len(value) <= 50
    if key == SECRET:
        return 16 <= len(value) <= 40 and value.isascii() and value.isprintable()
    return value in ("true", "false")
