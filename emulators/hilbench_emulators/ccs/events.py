"""What comes to a station's or a car's machine, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from hilbench.ccs import exi
from hilbench_emulators.ccs.figures import Limits
from hilbench_emulators.ccs.timeouts import Generation
from hilbench_emulators.dc.outlet_law import Limit


@dataclass(frozen=True, slots=True)
class Received:
    """A message of the other side; ``schema`` is a title such as ``exi.DIN.title``."""

    schema: str
    name: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Broken:
    """Bytes came that are no message."""

    reason: str


@dataclass(frozen=True, slots=True)
class Begin:
    """The connection is there; a car speaks first."""


@dataclass(frozen=True, slots=True)
class Timer:
    """The time that ``due_s`` named has come; too early or without need it does nothing."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The other side has closed the connection."""


@dataclass(frozen=True, slots=True)
class NewLimit:
    """A station's limit: of its outlet, or on the grid side for a supply of power modules."""

    limit: Limits | Limit


@dataclass(frozen=True, slots=True)
class Measured:
    """What flows at a station's outlet; without such an event the outlet gives exactly what it is set to."""

    voltage_v: float
    current_a: float


@dataclass(frozen=True, slots=True)
class Authorised:
    """A station's user is known, or refused."""

    accepted: bool


Want = Literal["stop", "emergency", "pause", "renegotiate", "service", "standby", "resume"]
"""``service``: another service (ISO 15118-20); ``standby`` and ``resume``: no power for a while, within the loop."""
URGENCY: dict[Want | None, int] = {None: 0, "resume": 1, "standby": 1, "renegotiate": 1, "service": 2, "pause": 2}
"""What is more urgent takes the place of what is less; :func:`urgency` has the rest."""


def urgency(want: Want | None) -> int:
    """How urgent a wish is: an emergency before a stop, a stop before what goes on."""
    return URGENCY.get(want, 4 if want == "emergency" else 3)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody at this side wants."""

    want: Want


Event = Received | Broken | Begin | Timer | Closed | NewLimit | Measured | Authorised | Wish


@dataclass(frozen=True, slots=True)
class Send:
    """A message for the other side."""

    schema: exi.Schema
    name: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection; ``reason`` is empty after a session that came to its regular end."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Setpoint:
    """What a station's outlet heads for: voltage [V], and current [A] into the car."""

    voltage_v: float
    current_a: float


@dataclass(frozen=True, slots=True)
class Contactor:
    """Close or open this side's contactor."""

    closed: bool


@dataclass(frozen=True, slots=True)
class Draw:
    """What AC power [W] a car takes, negative where it gives."""

    power_w: float


Output = Send | Close | Setpoint | Contactor | Draw

SCHEMAS: dict[Generation, exi.Schema] = {"din": exi.DIN, "iso2": exi.ISO2, "iso20": exi.ISO20}


def schema_of(generation: Generation, name: str) -> exi.Schema:
    """The schema that has a message."""
    if generation == "iso20" and name[:3] in ("AC_", "DC_"):
        return exi.ISO20_AC if name.startswith("AC_") else exi.ISO20_DC
    return SCHEMAS[generation]
