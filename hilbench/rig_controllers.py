"""``[controller]``: the system under test, ours or somebody else's, and what it promises."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from hilbench.rig_values import Address, parse_address
from hilbench.site import Model, RelativePath, Seconds

_WEB_PORTS = {"ws": 80, "wss": 443}


def _ocpp_url(value: str) -> str:
    parse_address(value, ("ws", "wss"), _WEB_PORTS)
    if urlsplit(value).query or urlsplit(value).fragment:
        raise ValueError(f"{value!r} carries a query or a fragment; a station appends its identity to the path")
    return value.rstrip("/")


OcppUrl = Annotated[str, AfterValidator(_ocpp_url)]


class ExternalController(Model):
    """``[controller] kind = "external"``: somebody else's controller, which the stations dial at ``ocpp``.

    With ``command`` the bench starts, kills and restarts it; with ``pid_file`` it may suspend it. One that does not
    look at the meter (``measures = false``) is not asked to answer the building. The time-outs [s]
    are what its documentation promises, and what the procedures then wait for and judge: how long a station may keep
    its last limit without a controller (``fallback_timeout_s``), how long the controller may trust a silent meter
    (``stale_timeout_s``), and one whose values stand still (``frozen_timeout_s``). Defaults: 60 s (policy-default).
    ``rotation_s`` is how long a turn lasts when not all cars can have 6 A; 15 min as in Tinkerforge's charge manager
    (read-code).
    """

    kind: Literal["external"]
    ocpp: OcppUrl
    command: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    pid_file: RelativePath | None = None
    measures: Annotated[bool, Field(strict=True)] = True
    fallback_timeout_s: Seconds = 60.0
    stale_timeout_s: Seconds = 60.0
    frozen_timeout_s: Seconds = 60.0
    rotation_s: Seconds = 900.0

    @property
    def title(self) -> str:
        """Which controller it is, in a few words."""
        return f"external controller at {self.ocpp}"

    @property
    def address(self) -> Address:
        """Host and port that the stations dial."""
        return parse_address(self.ocpp, ("ws", "wss"), _WEB_PORTS)


class ReferenceController(Model):
    """``[controller] kind = "reference"``: the controller that comes with the bench.

    ``defect`` starts it with one deliberate mistake (see ``hilbench selftest``); all other keys are its settings.
    """

    model_config = Model.model_config | {"extra": "allow"}

    kind: Literal["reference"] = "reference"
    ocpp: OcppUrl = "ws://127.0.0.1:9000/ocpp"
    defect: str | None = None

    @property
    def address(self) -> Address:
        """Host and port on which its CSMS listens."""
        return parse_address(self.ocpp, ("ws", "wss"), _WEB_PORTS)

    @property
    def title(self) -> str:
        """Which controller it is, in a few words."""
        policy = self.settings.get("policy", "dynamic")
        return f"reference controller, {policy}" + (f", defect {self.defect}" if self.defect else "")

    @property
    def measures(self) -> bool:
        """False for static sharing, which looks at no meter."""
        return self.settings.get("policy") != "static"

    @property
    def settings(self) -> dict[str, Any]:
        """Keys of the file that are settings of the controller itself."""
        return dict(self.model_extra or {})

    @property
    def fallback_timeout_s(self) -> float:
        """How long a station keeps its last limit without a controller [s]: the lease."""
        return float(self.settings.get("lease_s", 30.0))

    @property
    def stale_timeout_s(self) -> float:
        """How long it trusts a silent meter [s]."""
        return float(self.settings.get("stale_s", 10.0))

    @property
    def frozen_timeout_s(self) -> float:
        """How long it trusts a meter whose values stand still [s]."""
        return float(self.settings.get("frozen_s", 10.0))

    @property
    def rotation_s(self) -> float:
        """How long a turn lasts when not all cars can have the least current [s]."""
        return float(self.settings.get("rotation_s", 900.0))

    @property
    def exports(self) -> bool:
        """It takes negative power for what it is."""
        return bool(self.settings.get("allow_export", False)) or self.settings.get("policy") == "v2g"


ControllerEntry = Annotated[ReferenceController | ExternalController, Field(discriminator="kind")]
