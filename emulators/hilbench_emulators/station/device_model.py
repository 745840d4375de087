"""Device model of an OCPP 2.x station: components and variables that a load manager reads and sets.

Names, units and data types are those of OCPP 2.0.1 Part 2 appendices (standard-text); which variables there are is the
choice of this station.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from hilbench.site import Branch
from hilbench_emulators.smart_charging import Options, Version
from hilbench_emulators.station.settings import StationSettings

MEASURANDS = (
    "Current.Import",
    "Voltage",
    "Power.Active.Import",
    "Energy.Active.Import.Register",
    "Current.Offered",
    "SoC",
)
_MEMBER_LISTS = {"TxUpdatedMeasurands": MEASURANDS, "TxEndedMeasurands": MEASURANDS, "Measurands": MEASURANDS}
Key = tuple[str, str]
"""Component and variable."""


@dataclass(frozen=True)
class Variable:
    """One variable with its actual value; ``evse``: it belongs to the outlet and not to the whole station."""

    component: str
    name: str
    value: str
    data_type: str = "string"
    writable: bool = False
    unit: str = ""
    evse: bool = False
    most: float | None = None

    @property
    def key(self) -> Key:
        """What names it."""
        return self.component, self.name


def _variables(settings: StationSettings, options: Options, branch: Branch) -> Iterator[Variable]:
    def number(component: str, name: str, value: float, unit: str = "", writable: bool = False) -> Variable:
        return Variable(component, name, f"{value:g}", "integer", writable, unit)

    def flag(component: str, name: str, value: bool, writable: bool = False) -> Variable:
        return Variable(component, name, str(value).lower(), "boolean", writable)

    yield flag("SmartChargingCtrlr", "Enabled", value=True)
    yield flag("SmartChargingCtrlr", "Available", value=True)
    yield flag("SmartChargingCtrlr", "ACPhaseSwitchingSupported", value=False)
    yield flag("SmartChargingCtrlr", "Phases3to1", value=False)
    yield number("SmartChargingCtrlr", "ProfileStackLevel", options.max_stack)
    yield Variable("SmartChargingCtrlr", "RateUnit", ",".join(sorted(options.units)), "MemberList")
    yield number("SmartChargingCtrlr", "PeriodsPerSchedule", options.max_periods)
    yield replace(number("SmartChargingCtrlr", "Entries", 0), most=options.max_profiles)
    yield Variable("SmartChargingCtrlr", "LimitChangeSignificance", "1", "decimal", writable=True, unit="Percent")
    yield number("SampledDataCtrlr", "TxUpdatedInterval", settings.sample_interval_s, "s", writable=True)
    yield Variable("SampledDataCtrlr", "TxUpdatedMeasurands", ",".join(MEASURANDS[:5]), "MemberList", writable=True)
    yield Variable(
        "SampledDataCtrlr", "TxEndedMeasurands", "Energy.Active.Import.Register", "MemberList", writable=True
    )
    yield number("AlignedDataCtrlr", "Interval", 0, "s", writable=True)
    yield Variable("AlignedDataCtrlr", "Measurands", "Energy.Active.Import.Register", "MemberList", writable=True)
    yield number("OCPPCommCtrlr", "HeartbeatInterval", settings.heartbeat_s, "s", writable=True)
    yield number("OCPPCommCtrlr", "WebSocketPingInterval", settings.ping_interval_s, "s", writable=True)
    yield number("OCPPCommCtrlr", "MessageTimeout", settings.message_timeout_s, "s")
    yield number("OCPPCommCtrlr", "RetryBackOffWaitMinimum", settings.backoff_min_s, "s")
    yield number("OCPPCommCtrlr", "MessageAttempts", settings.transaction_attempts)
    yield number("OCPPCommCtrlr", "MessageAttemptInterval", settings.transaction_retry_s, "s")
    yield Variable("TxCtrlr", "TxStartPoint", "Authorized,EVConnected", "MemberList")
    yield Variable("TxCtrlr", "TxStopPoint", "EVConnected", "MemberList")
    yield number("TxCtrlr", "EVConnectionTimeOut", 60, "s", writable=True)
    yield flag("AuthCtrlr", "Enabled", value=True, writable=True)
    yield flag("AuthCtrlr", "AuthorizeRemoteStart", value=False, writable=True)
    yield flag("AuthCtrlr", "OfflineTxForUnknownIdEnabled", value=True, writable=True)
    yield Variable("SecurityCtrlr", "OrganizationName", settings.vendor)
    yield number("SecurityCtrlr", "SecurityProfile", 0)
    yield Variable("ChargingStation", "Model", settings.model)
    yield Variable("ChargingStation", "VendorName", settings.vendor)
    yield number("ChargingStation", "SupplyPhases", len(branch.lines))
    yield replace(number("EVSE", "Power", 0, "W"), evse=True, most=branch.max_a * 230.0 * len(branch.lines))
    yield replace(number("EVSE", "SupplyPhases", len(branch.lines)), evse=True)
    yield replace(Variable("EVSE", "AvailabilityState", "Available", "OptionList"), evse=True)


class DeviceModel:
    """The variables with their values; ``changed`` is what a controller has set, and what persists."""

    def __init__(self, settings: StationSettings, branch: Branch) -> None:
        options = settings.options(Version.V201)
        self._known = {variable.key: variable for variable in _variables(settings, options, branch)}
        self.changed: dict[Key, str] = {}
        self.live: dict[Key, Callable[[], str]] = {}

    def value(self, component: str, name: str) -> str:
        """Actual value of a known variable; raises ``KeyError``."""
        key = component, name
        if key in self.live:
            return self.live[key]()
        return self.changed.get(key, self._known[key].value)

    def seconds(self, component: str, name: str) -> float:
        """The value of a variable that is a number."""
        return float(self.value(component, name))

    def get(self, wanted: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Results of GetVariables (OCPP 2.0.1 B06, standard-text)."""
        return [self._got(item) for item in wanted]

    def _got(self, item: dict[str, Any]) -> dict[str, Any]:
        attribute = item.get("attribute_type", "Actual")
        status = self._find(item, attribute)
        found = {"component": item["component"], "variable": item["variable"], "attribute_status": status}
        if "attribute_type" in item:
            found["attribute_type"] = attribute
        if status == "Accepted":
            found["attribute_value"] = self._attribute(_key(item), attribute)
        return found

    def _attribute(self, key: Key, attribute: str) -> str:
        most = self._known[key].most
        return f"{most:g}" if attribute == "MaxSet" and most is not None else self.value(*key)

    def _find(self, item: dict[str, Any], attribute: str) -> str:
        key = _key(item)
        if key not in self._known:
            known = {component for component, _name in self._known}
            return "UnknownVariable" if key[0] in known else "UnknownComponent"
        supported = attribute == "Actual" or (attribute == "MaxSet" and self._known[key].most is not None)
        return "Accepted" if supported else "NotSupportedAttributeType"

    def set(self, wanted: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Results of SetVariables (OCPP 2.0.1 B05, standard-text); what is rejected changes nothing."""
        return [self._set(item) for item in wanted]

    def _set(self, item: dict[str, Any]) -> dict[str, Any]:
        status = self._find(item, item.get("attribute_type", "Actual"))
        key, value = _key(item), str(item["attribute_value"])
        if status == "Accepted":
            status = "Accepted" if self._usable(key, value) else "Rejected"
        if status == "Accepted":
            self.changed[key] = value
        found = {"component": item["component"], "variable": item["variable"], "attribute_status": status}
        return found | ({"attribute_type": item["attribute_type"]} if "attribute_type" in item else {})

    def _usable(self, key: Key, value: str) -> bool:
        variable = self._known[key]
        if not variable.writable:
            return False
        if variable.data_type == "integer":
            return value.isascii() and value.isdigit() and len(value) <= 9
        if variable.data_type == "boolean":
            return value in ("true", "false")
        if variable.name in _MEMBER_LISTS:
            return all(name.strip() in _MEMBER_LISTS[variable.name] for name in value.split(","))
        return len(value) <= 2500

    def report(self) -> list[dict[str, Any]]:
        """ReportData of every variable (OCPP 2.0.1 B07, standard-text)."""
        return [self._reported(variable) for variable in self._known.values()]

    def _reported(self, variable: Variable) -> dict[str, Any]:
        component: dict[str, Any] = {"name": variable.component}
        if variable.evse:
            component["evse"] = {"id": 1}
        traits: dict[str, Any] = {"data_type": variable.data_type, "supports_monitoring": False}
        if variable.unit:
            traits["unit"] = variable.unit
        if variable.most is not None:
            traits["max_limit"] = variable.most
        mutability = "ReadWrite" if variable.writable else "ReadOnly"
        attribute = {"type": "Actual", "value": self.value(*variable.key), "mutability": mutability}
        return {
            "component": component,
            "variable": {"name": variable.name},
            "variable_attribute": [attribute],
            "variable_characteristics": traits,
        }


def _key(item: dict[str, Any]) -> Key:
    return item["component"]["name"], item["variable"]["name"]
