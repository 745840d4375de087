"""The pilot side of a rig: its oscilloscopes and boards, emulated or real, and the probes that they make.

An emulated device serves its protocol at the address where a real one would be found, and the same driver reads it; in
virtual time that connection stays in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hilbench import clock
from hilbench.devices import Device
from hilbench.drivers.ev_simulator import EvSimulatorDriver
from hilbench.drivers.openevse import OpenEvseDriver
from hilbench.drivers.scope import Oscilloscope
from hilbench.modbus_address import modbus_address
from hilbench.probes import PilotProbe, SharedScope
from hilbench.rig import BoardEntry, InstrumentEntry, Rig
from hilbench.signals import Record, Source
from hilbench_emulators.board_wire import BoardWire
from hilbench_emulators.ev_simulator import EmulatedEvSimulator
from hilbench_emulators.openevse import EmulatedOpenEvse
from hilbench_emulators.openevse_settings import Settings
from hilbench_emulators.oscilloscope_dialect import OscilloscopeDialect
from hilbench_emulators.oscilloscope_keysight import KeysightDsox
from hilbench_emulators.oscilloscope_rigol import RigolDho800, RigolDs1000z
from hilbench_emulators.oscilloscope_siglent import SiglentSds
from hilbench_emulators.oscilloscope_tektronix import TektronixTbs
from hilbench_emulators.pilot import PilotWire, voltage
from hilbench_emulators.plant import Plant
from hilbench_emulators.scpi_server import ScpiServer

SCOPES: dict[str, type[OscilloscopeDialect]] = {
    "emulated:rigol": RigolDs1000z,
    "emulated:rigol-dho": RigolDho800,
    "emulated:siglent": SiglentSds,
    "emulated:keysight": KeysightDsox,
    "emulated:tektronix": TektronixTbs,
}
NOISE_V = 0.05
"""Standard deviation of what an emulated probe adds to the pilot (policy-default)."""
BOOT_S = 1.0
"""A board that resets when its port is opened answers the third question at the latest: it boots in 1.5 s."""
Probe = Callable[[float, float, int], NDArray[np.floating]]


@dataclass(frozen=True)
class EmulatedBoard:
    """An emulated board as safe state sees it: commanded through its driver, and read back."""

    role: str
    driver: OpenEvseDriver | EvSimulatorDriver

    async def make_safe(self) -> None:
        """Relay open, or unplugged; raises ``DeviceError``."""
        await self.driver.make_safe()

    def is_safe(self, tolerance_a: float = 1.0) -> bool:  # noqa: ARG002 - as for stations
        """What the driver read back."""
        return self.driver.is_safe()

    def read_back(self) -> str:
        """What that means at such a board."""
        return self.driver.SAFE


@dataclass
class PilotSide:
    """Everything on the pilots of a rig, not started. ``evses`` and ``evs`` are drivers by the names of the boards."""

    probes: dict[str, PilotProbe] = field(default_factory=dict)
    evses: dict[str, OpenEvseDriver] = field(default_factory=dict)
    evs: dict[str, EvSimulatorDriver] = field(default_factory=dict)
    plugged: dict[str, str] = field(default_factory=dict)
    devices: list[Device] = field(default_factory=list)
    """In the order in which they start."""

    @property
    def drivers(self) -> dict[str, OpenEvseDriver | EvSimulatorDriver]:
        """Those of all boards, by name."""
        return {**self.evses, **self.evs}

    def emulated(self, rig: Rig) -> list[EmulatedBoard]:
        """The boards that the bench plays; real ones are in the rig's safe plan."""
        boards = rig.boards
        return [EmulatedBoard(f"board.{name}", one) for name, one in self.drivers.items() if boards[name].emulated]

    def release(self, rig: Rig) -> None:
        """Let go of the lines to real boards, so that the plan for their safe state can open them."""
        for name, driver in self.drivers.items():
            if not rig.boards[name].emulated:
                driver.release()

    def ev_at(self, name: str) -> EvSimulatorDriver | None:
        """The EV simulator that is plugged into station or board ``name``."""
        return next((self.evs[ev] for ev, evse in self.plugged.items() if evse == name), None)


def pilot_side(rig: Rig, plant: Plant, record: Record, seed: int) -> PilotSide:
    """Make the instruments and boards that ``rig`` names."""
    side = PilotSide()
    wires: dict[str, BoardWire] = {}
    for name, entry in rig.boards.items():
        if not entry.simulates_ev:
            _evse(side, wires, name, entry, record, seed)
    for name, entry in rig.boards.items():
        if entry.simulates_ev:
            _ev(side, wires, name, entry, seed)
    for name, instrument in rig.instruments.items():
        looked_at = {of: wires.get(of) or _station_wire(plant, rig, of) for of in instrument.pilot}
        _scope(side, name, instrument, looked_at, record, seed)
    return side


def _station_wire(plant: Plant, rig: Rig, role: str) -> PilotWire | None:
    known = any(entry.role == role for entry in rig.stations)
    return plant.pilot_wire(role) if known else None


def _evse(
    side: PilotSide, wires: dict[str, BoardWire], name: str, entry: BoardEntry, record: Record, seed: int
) -> None:
    if entry.emulated:
        settings = Settings(quirks=frozenset(entry.quirks))
        board = EmulatedOpenEvse(name, modbus_address(entry.address), settings=settings, seed=seed, record=record)
        wires[name] = BoardWire(board)
        side.devices.append(board)
    side.evses[name] = OpenEvseDriver(name, entry.address, timeout_s=BOOT_S, record=record)
    side.devices.append(side.evses[name])


def _ev(side: PilotSide, wires: Mapping[str, BoardWire], name: str, entry: BoardEntry, seed: int) -> None:
    evse = entry.evse or ""
    if entry.emulated:
        side.devices.append(EmulatedEvSimulator(wires[evse], name, modbus_address(entry.address), seed=seed))
    side.evs[name], side.plugged[name] = EvSimulatorDriver(name, entry.address), evse
    side.devices.append(side.evs[name])


def _scope(
    side: PilotSide,
    name: str,
    entry: InstrumentEntry,
    wires: Mapping[str, PilotWire | None],
    record: Record,
    seed: int,
) -> None:
    address = entry.address
    if entry.emulated:
        host, port = entry.place
        address = f"tcp://{host}:{port}" if clock.is_virtual() else address
        looks = {entry.pilot[of]: _probe(wire, seed + entry.pilot[of]) for of, wire in wires.items() if wire}
        made = SCOPES[entry.device](looks, frozenset(entry.quirks))
        side.devices.append(ScpiServer(name, made, host=host, port=port))
    known = entry.calibration
    scope = Oscilloscope(name, address, timeout_s=entry.timeout_s, accuracy=known.accuracy if known else None)
    side.devices.append(scope)
    shared = SharedScope(scope, entry.pilot, entry.probe_ratio)
    certificate = known.certificate if known else ""
    source = Source(f"instrument {name}", "emulated" if entry.emulated else "instrument", calibration=certificate)
    side.probes |= {of: PilotProbe(of, shared, record, source) for of in entry.pilot}


def _probe(wire: PilotWire, seed: int) -> Probe:
    """What the tip of a probe sees: the pilot and some noise, the same again for the same times."""

    def look(t0_s: float, dt_s: float, count: int) -> NDArray[np.floating]:
        noise = np.random.default_rng([seed, abs(round(t0_s * 1e6))]).standard_normal(count)
        return voltage(wire, t0_s, dt_s, count, seed) + NOISE_V * noise

    return look
