"""Device model of an OCPP 2.x station: what a controller reads, sets and asks reports of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from hilbench.site import Branch
from hilbench_emulators.smart_charging import Version
from hilbench_emulators.station.settings import StationSettings
from hilbench_emulators.station.variables2 import ALONE, Key, Variable, member_lists, variables


class DeviceModel:
    """The variables with their values; ``changed`` is what a controller has set, and what persists."""

    def __init__(self, settings: StationSettings, branch: Branch, version: Version = Version.V201) -> None:
        self._known = {variable.key: variable for variable in variables(settings, branch, version)}
        self._members = member_lists(settings, version)
        self.changed: dict[Key, str] = {}
        self.live: dict[Key, Callable[[], str]] = {}
        self.checks: dict[Key, Callable[[str], bool]] = {}

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
        if status == "Accepted" and self._known[_key(item)].secret:
            status = "Rejected"
        found = _named_in(item) | {"attribute_status": status}
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
        found = _named_in(item) | {"attribute_status": status}
        return found | ({"attribute_type": item["attribute_type"]} if "attribute_type" in item else {})

    def _usable(self, key: Key, value: str) -> bool:
        variable = self._known[key]
        if not variable.writable:
            return False
        if key in self.checks:
            return self.checks[key](value)
        if variable.data_type == "integer":
            number = value.isascii() and value.isdigit() and len(value) <= 9
            return number and int(value) <= (variable.most or int(value))
        if variable.data_type == "decimal":
            return re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value, re.ASCII) is not None
        if variable.data_type == "boolean":
            return value in ("true", "false")
        if variable.name in self._members:
            members = value.split(",") if value else []
            fits = len(members) == 1 if variable.name in ALONE else True
            return fits and all(name.strip() in self._members[variable.name] for name in members)
        return len(value) <= 2500

    def report(self) -> list[dict[str, Any]]:
        """ReportData of every variable (OCPP 2.0.1 B07, standard-text)."""
        return [self._reported(variable) for variable in self._known.values()]

    def select(self, wanted: list[dict[str, Any]] | None, criteria: list[str] | None) -> list[dict[str, Any]]:
        """ReportData of what GetReport names, all without names (OCPP 2.0.1 B08, standard-text).

        A component meets a criterion when its variable of that name is true; without the variable it is taken to be
        active, available and enabled, and to have no problem.
        """
        return [
            self._reported(variable)
            for variable in self._known.values()
            if (not wanted or any(_named(variable, item) for item in wanted))
            and (not criteria or any(self._meets(variable.component, name) for name in criteria))
        ]

    def _meets(self, component: str, criterion: str) -> bool:
        if (component, criterion) in self._known:
            return self.value(component, criterion) == "true"
        return criterion != "Problem"

    def monitored(self, item: dict[str, Any]) -> dict[str, Any]:
        """Result of SetVariableMonitoring: this station monitors nothing."""
        status = self._find(item, "Actual")
        return {
            "status": "UnsupportedMonitorType" if status == "Accepted" else status,
            **{key: item[key] for key in ("type", "severity")},
            **_named_in(item),
        }

    def _reported(self, variable: Variable) -> dict[str, Any]:
        component: dict[str, Any] = {"name": variable.component}
        if variable.evse:
            component["evse"] = {"id": 1}
        traits: dict[str, Any] = {"data_type": variable.data_type, "supports_monitoring": False}
        if variable.unit:
            traits["unit"] = variable.unit
        if variable.most is not None:
            traits["max_limit"] = variable.most
        mutability = "WriteOnly" if variable.secret else "ReadWrite" if variable.writable else "ReadOnly"
        attribute = {"type": "Actual", "mutability": mutability}
        if not variable.secret:
            attribute["value"] = self.value(*variable.key)
        return {
            "component": component,
            "variable": {"name": variable.name},
            "variable_attribute": [attribute],
            "variable_characteristics": traits,
        }


def _named(variable: Variable, item: dict[str, Any]) -> bool:
    name = (item.get("variable") or {}).get("name", variable.name)
    return variable.key == (item["component"]["name"], name)


def _named_in(item: dict[str, Any]) -> dict[str, Any]:
    """Component and variable of a request without a vendor's additions, which it may make what it likes."""
    return {name: _plain(item[name]) for name in ("component", "variable")}


def _plain(node: dict[str, Any]) -> dict[str, Any]:
    known = ((key, value) for key, value in node.items() if key in ("name", "instance", "evse", "id", "connector_id"))
    return {key: _plain(value) if isinstance(value, dict) else value for key, value in known}


def _key(item: dict[str, Any]) -> Key:
    return item["component"]["name"], item["variable"]["name"]
