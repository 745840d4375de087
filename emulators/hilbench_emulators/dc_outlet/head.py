"""What a DC outlet needs of the session behind it, whichever the connector is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hilbench_emulators.dc.outlet_law import Limit
from hilbench_emulators.dc.power_module import Bank


@dataclass(frozen=True, slots=True)
class Flow:
    """What flows at an outlet and what was said about it: voltage [V], currents [A] into the car.

    ``offered_a`` is what the charger's latest message allows, ``requested_a`` what the car's latest one asks for, both
    below 0 where the car gives. ``charging``: power may flow.
    """

    voltage_v: float = 0.0
    current_a: float = 0.0
    offered_a: float = 0.0
    requested_a: float = 0.0
    charging: bool = False

    @property
    def power_w(self) -> float:
        """DC power [W] into the car."""
        return self.voltage_v * self.current_a


class Head(Protocol):
    """One session. Its times are seconds since it began; ``ended`` says why it is over, None before."""

    @property
    def ended(self) -> str | None: ...  # noqa: D102
    @property
    def due_s(self) -> float:
        """When something happens next by itself."""
        ...

    @property
    def soc(self) -> float:
        """State of charge of the car, 0..1."""
        ...

    @property
    def wish_w(self) -> float:
        """DC power [W] that the car would take if it were offered everything."""
        ...

    def run(self, t_s: float) -> Flow:
        """Go on to ``t_s`` [s]; what flows then."""
        ...

    def limit(self, limit: Limit) -> None:
        """A limit on the grid side from now on."""
        ...

    def serve(self, bank: Bank) -> None:
        """The modules behind it are these from now on."""
        ...

    def silence_car(self) -> None:
        """The car says nothing any more."""
        ...

    def close(self) -> None:
        """Nobody looks at it any more."""
        ...

    def stop(self) -> None:
        """The station ends the session, in order."""
        ...
