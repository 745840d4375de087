"""The variables of an OCPP 2.x station as delivered.

Names, units and data types are those of OCPP 2.0.1 Part 2 appendices (standard-text); which variables there are is the
choice of this station.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from hilbench.site import Branch
from hilbench_emulators.smart_charging import Version
from hilbench_emulators.station.metering import EXPORTS, MEASURANDS
from hilbench_emulators.station.needs2 import bidirectional_transfer, charging_transfer
from hilbench_emulators.station.settings import StationSettings
from hilbench_emulators.station.tokens import LONGEST_LIST

_MEASURAND_LISTS = ("TxStartedMeasurands", "TxUpdatedMeasurands", "TxEndedMeasurands", "Measurands")
ALONE = ("TxStartPoint", "TxStopPoint")
"""Member lists of which this station takes one member."""
Key = tuple[str, str]
"""Component and variable."""


def two_way(settings: StationSettings, version: Version) -> bool:
    """Whether cars may discharge at such a station."""
    return settings.iso15118 and version is Version.V21


def member_lists(settings: StationSettings, version: Version) -> dict[str, tuple[str, ...]]:
    """What may be in each list by the name of its variable."""
    measurands = MEASURANDS + (EXPORTS if two_way(settings, version) else ())
    points = ("PowerPathClosed", "EVConnected", "Authorized")
    return {**dict.fromkeys(_MEASURAND_LISTS, measurands), "TxStartPoint": points, "TxStopPoint": points}


@dataclass(frozen=True)
class Variable:
    """One variable with its actual value; ``evse``: it belongs to the outlet and not to the whole station;
    ``secret``: it can be written and not read."""

    component: str
    name: str
    value: str
    data_type: str = "string"
    writable: bool = False
    unit: str = ""
    evse: bool = False
    most: float | None = None
    secret: bool = False

    @property
    def key(self) -> Key:
        """What names it."""
        return self.component, self.name


def _number(component: str, name: str, value: float, unit: str = "", writable: bool = False) -> Variable:
    return Variable(component, name, f"{value:g}", "integer", writable, unit)


def _flag(component: str, name: str, value: bool, writable: bool = False) -> Variable:
    return Variable(component, name, str(value).lower(), "boolean", writable)


def variables(settings: StationSettings, branch: Branch, version: Version) -> Iterator[Variable]:
    """All of them."""
    yield from _smart(settings)
    yield from _metering(settings, two_way(settings, version))
    yield from _communication(settings)
    yield from _drivers()
    yield from _station(settings, branch)
    if settings.iso15118:
        yield from _linked()
    if two_way(settings, version):
        yield from _bidirectional(settings, branch, version)


def _smart(settings: StationSettings) -> Iterator[Variable]:
    options = settings.options(Version.V201)
    yield _flag("SmartChargingCtrlr", "Enabled", value=True)
    yield _flag("SmartChargingCtrlr", "Available", value=True)
    yield _flag("SmartChargingCtrlr", "ACPhaseSwitchingSupported", value=False)
    yield _flag("SmartChargingCtrlr", "Phases3to1", value=False)
    yield _number("SmartChargingCtrlr", "ProfileStackLevel", options.max_stack)
    yield Variable("SmartChargingCtrlr", "RateUnit", ",".join(sorted(options.units)), "MemberList")
    yield _number("SmartChargingCtrlr", "PeriodsPerSchedule", options.max_periods)
    yield replace(_number("SmartChargingCtrlr", "Entries", 0), most=options.max_profiles)
    yield Variable("SmartChargingCtrlr", "LimitChangeSignificance", "1", "decimal", writable=True, unit="Percent")
    yield _flag("SmartChargingCtrlr", "NotifyChargingLimitWithSchedules", value=False, writable=True)


def _metering(settings: StationSettings, exports: bool) -> Iterator[Variable]:
    energy, all_but_soc = "Energy.Active.Import.Register", ",".join(MEASURANDS[:5])
    if exports:
        energy, all_but_soc = f"{energy},Energy.Active.Export.Register", ",".join((*MEASURANDS, *EXPORTS))
    for component in ("SampledDataCtrlr", "AlignedDataCtrlr"):
        yield _flag(component, "Available", value=True)
        yield _flag(component, "Enabled", value=True, writable=True)
        yield _number(component, "TxEndedInterval", 0, "s", writable=True)
    yield _number("SampledDataCtrlr", "TxUpdatedInterval", settings.sample_interval_s, "s", writable=True)
    yield _measurands("SampledDataCtrlr", "TxUpdatedMeasurands", all_but_soc)
    yield _measurands("SampledDataCtrlr", "TxStartedMeasurands", all_but_soc)
    yield _measurands("SampledDataCtrlr", "TxEndedMeasurands", energy)
    yield _number("AlignedDataCtrlr", "Interval", 0, "s", writable=True)
    yield _flag("AlignedDataCtrlr", "SendDuringIdle", value=False, writable=True)
    yield _measurands("AlignedDataCtrlr", "Measurands", energy)
    yield _measurands("AlignedDataCtrlr", "TxEndedMeasurands", energy)


def _measurands(component: str, name: str, value: str) -> Variable:
    return Variable(component, name, value, "MemberList", writable=True)


def _communication(settings: StationSettings) -> Iterator[Variable]:
    yield _number("OCPPCommCtrlr", "HeartbeatInterval", settings.heartbeat_s, "s", writable=True)
    yield _number("OCPPCommCtrlr", "WebSocketPingInterval", settings.ping_interval_s, "s", writable=True)
    yield _number("OCPPCommCtrlr", "MessageTimeout", settings.message_timeout_s, "s")
    yield _number("OCPPCommCtrlr", "RetryBackOffWaitMinimum", settings.backoff_min_s, "s", writable=True)
    yield _number("OCPPCommCtrlr", "RetryBackOffRandomRange", settings.backoff_range_s, "s", writable=True)
    yield replace(
        _number("OCPPCommCtrlr", "RetryBackOffRepeatTimes", settings.backoff_repeats, "", writable=True), most=16
    )
    yield Variable("OCPPCommCtrlr", "NetworkConfigurationPriority", "1", "SequenceList", writable=True)
    yield _number("OCPPCommCtrlr", "ActiveNetworkProfile", 1)
    attempts = settings.connection_attempts
    yield replace(_number("OCPPCommCtrlr", "NetworkProfileConnectionAttempts", attempts, writable=True), most=100)
    yield _number("OCPPCommCtrlr", "MessageAttempts", settings.transaction_attempts)
    yield _number("OCPPCommCtrlr", "MessageAttemptInterval", settings.transaction_retry_s, "s")


def _drivers() -> Iterator[Variable]:
    yield Variable("TxCtrlr", "TxStartPoint", "PowerPathClosed", "MemberList", writable=True)
    yield Variable("TxCtrlr", "TxStopPoint", "PowerPathClosed", "MemberList", writable=True)
    yield _flag("TxCtrlr", "StopTxOnInvalidId", value=True, writable=True)
    yield _flag("TxCtrlr", "StopTxOnEVSideDisconnect", value=True)
    yield _number("TxCtrlr", "EVConnectionTimeOut", 60, "s", writable=True)
    yield _flag("AuthCtrlr", "Enabled", value=True)
    yield _flag("AuthCtrlr", "AuthorizeRemoteStart", value=False)
    yield _flag("AuthCtrlr", "LocalPreAuthorize", value=False, writable=True)
    yield _flag("AuthCtrlr", "LocalAuthorizeOffline", value=True, writable=True)
    yield _flag("AuthCacheCtrlr", "Enabled", value=True, writable=True)
    yield _flag("AuthCacheCtrlr", "Available", value=True)
    yield _flag("LocalAuthListCtrlr", "Enabled", value=True, writable=True)
    yield _flag("LocalAuthListCtrlr", "Available", value=True)
    yield replace(_number("LocalAuthListCtrlr", "Entries", 0), most=LONGEST_LIST)
    yield _number("LocalAuthListCtrlr", "ItemsPerMessage", LONGEST_LIST)
    yield _flag("ReservationCtrlr", "Enabled", value=True)
    yield _flag("ReservationCtrlr", "Available", value=True)
    yield _flag("AuthCtrlr", "OfflineTxForUnknownIdEnabled", value=True, writable=True)


def _station(settings: StationSettings, branch: Branch) -> Iterator[Variable]:
    yield Variable("SecurityCtrlr", "OrganizationName", settings.vendor, writable=True)
    yield _number("SecurityCtrlr", "SecurityProfile", settings.security_profile)
    yield Variable("SecurityCtrlr", "BasicAuthPassword", settings.password, writable=True, secret=True)
    yield Variable("ChargingStation", "Model", settings.model)
    yield Variable("ChargingStation", "VendorName", settings.vendor)
    yield _number("ChargingStation", "SupplyPhases", len(branch.lines))
    yield replace(_number("EVSE", "Power", 0, "W"), evse=True, most=branch.max_a * 230.0 * len(branch.lines))
    yield replace(_number("EVSE", "SupplyPhases", len(branch.lines)), evse=True)
    yield replace(Variable("EVSE", "AvailabilityState", "Available", "OptionList"), evse=True)
    yield replace(_flag("CPPWMController", "Problem", value=False), evse=True)


def _linked() -> Iterator[Variable]:
    """What a station with a link to the car has beyond others (OCPP 2.1 Q01.FR.36 of the car, standard-text).

    The link is not played message by message: of a car's certificate there is none.
    """
    yield _flag("ISO15118Ctrlr", "Enabled", value=True)
    for name, value in (("VehicleId", ""), ("VehicleCertificate", ""), ("ProtocolAgreed", "")):
        yield replace(Variable("ConnectedEV", name, value), evse=True)
    yield replace(Variable("ConnectedEV", "ProtocolSupportedByEV", ""), evse=True)
    yield replace(_flag("ConnectedEV", "Available", value=False), evse=True)


def _bidirectional(settings: StationSettings, branch: Branch, version: Version) -> Iterator[Variable]:
    """What OCPP 2.1 asks of a station at which cars may discharge (Q01.FR.30 to FR.32, appendix; standard-text)."""
    modes = sorted(settings.operation_modes(version))
    transfers = (charging_transfer(branch), bidirectional_transfer(branch))
    yield replace(_flag("V2XChargingCtrlr", "Enabled", value=True, writable=True), evse=True)
    for name, members in (("SupportedOperationModes", modes), ("SupportedEnergyTransferModes", transfers)):
        yield replace(Variable("V2XChargingCtrlr", name, ",".join(members), "MemberList"), evse=True)
