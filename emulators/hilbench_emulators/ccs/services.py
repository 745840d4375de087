"""What can be agreed on: protocols, and services within them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hilbench.ccs import exi
from hilbench_emulators.ccs.figures import Body
from hilbench_emulators.ccs.timeouts import Generation

Power = Literal["ac", "dc"]


@dataclass(frozen=True, slots=True)
class Service:
    """A way of charging: ``giving`` also from the car (BPT), ``dynamic`` where the station decides (both -20 only)."""

    power: Power = "dc"
    giving: bool = False
    dynamic: bool = False

    @property
    def id(self) -> int:
        """Its number in ISO 15118-20 (iso15118 0.31.2, shared/messages/enums.py; read-code)."""
        return (1 if self.power == "ac" else 2) + (4 if self.giving else 0)

    @property
    def parameter_set(self) -> int:
        """The number of its set of parameters at our stations (chosen)."""
        return 2 if self.dynamic else 1


@dataclass(frozen=True, slots=True)
class Protocol:
    """A protocol of supportedAppProtocol; ISO 15118-20 has one for AC and one for DC."""

    generation: Generation
    power: Power | None
    namespace: str
    version: tuple[int, int]


DIN = Protocol("din", "dc", exi.DIN.namespace, (2, 0))
ISO2 = Protocol("iso2", None, exi.ISO2.namespace, (2, 0))
ISO20_AC = Protocol("iso20", "ac", exi.ISO20_AC.namespace, (1, 0))
ISO20_DC = Protocol("iso20", "dc", exi.ISO20_DC.namespace, (1, 0))
PROTOCOLS = (DIN, ISO2, ISO20_AC, ISO20_DC)
"""All of them (versions: iso15118 0.31.2, evcc/comm_session_handler.py; read-code)."""


def offers(protocols: tuple[Protocol, ...]) -> Body:
    """A car's supportedAppProtocolReq, the best first."""
    return {
        "AppProtocol": [
            {
                "ProtocolNamespace": protocol.namespace,
                "VersionNumberMajor": protocol.version[0],
                "VersionNumberMinor": protocol.version[1],
                "SchemaID": number,
                "Priority": number,
            }
            for number, protocol in enumerate(protocols, start=1)
        ]
    }


def choose(known: tuple[Protocol, ...], request: Body) -> tuple[Protocol | None, Body]:
    """The protocol with the best priority that a station knows, and its answer; a minor version may differ."""
    by_name = {protocol.namespace: protocol for protocol in known}
    for offer in sorted(request["AppProtocol"], key=lambda offer: offer["Priority"]):
        protocol = by_name.get(offer["ProtocolNamespace"])
        if protocol is None or protocol.version[0] != offer["VersionNumberMajor"]:
            continue
        minor = "" if protocol.version[1] == offer["VersionNumberMinor"] else "WithMinorDeviation"
        return protocol, {"ResponseCode": f"OK_SuccessfulNegotiation{minor}", "SchemaID": offer["SchemaID"]}
    return None, {"ResponseCode": "Failed_NoNegotiation"}


def parameters(service: Service) -> Body:
    """The parameters of a service: the names of ISO 15118-20 (iso15118 0.31.2, shared/messages/enums.py; read-code).

    The highest connector, control as the service says, mobility needs from the car, no prices.
    """
    values = {
        "Connector": 2,
        "ControlMode": service.parameter_set,
        "MobilityNeedsMode": 1,
        "Pricing": 0,
    }
    if service.power == "ac":
        values["EVSENominalVoltage"] = 230
    if service.giving:
        values |= {"BPTChannel": 1, "GeneratorMode": 1}
        if service.power == "ac":
            values["GridCodeIslandingDetectionMethod"] = 1
    return {
        "ParameterSetID": service.parameter_set,
        "Parameter": [{"Name": name, "intValue": value} for name, value in values.items()],
    }


def control_mode(parameter_set: Body) -> int:
    """1 for Scheduled, 2 for Dynamic, 0 where it does not say."""
    found = [entry for entry in parameter_set["Parameter"] if entry["Name"] == "ControlMode"]
    return int(found[0].get("intValue", 0)) if found else 0
