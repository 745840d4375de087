"""The control pilot: its circuit and waveform, what its duty cycle says, its order of events, proximity, J3068."""

from hilbench_emulators.pilot.circuit import Cable as Cable
from hilbench_emulators.pilot.circuit import Circuit as Circuit
from hilbench_emulators.pilot.circuit import Ev as Ev
from hilbench_emulators.pilot.circuit import Evse as Evse
from hilbench_emulators.pilot.circuit import Load as Load
from hilbench_emulators.pilot.duty import LARGEST_A as LARGEST_A
from hilbench_emulators.pilot.duty import PROFILES as PROFILES
from hilbench_emulators.pilot.duty import DutyRules as DutyRules
from hilbench_emulators.pilot.duty import current_of_duty as current_of_duty
from hilbench_emulators.pilot.duty import duty_of_current as duty_of_current
from hilbench_emulators.pilot.duty import meaning_of_duty as meaning_of_duty
from hilbench_emulators.pilot.duty import rules as rules
from hilbench_emulators.pilot.render import Digitiser as Digitiser
from hilbench_emulators.pilot.render import render as render
from hilbench_emulators.pilot.render import voltage as voltage
from hilbench_emulators.pilot.wire import Change as Change
from hilbench_emulators.pilot.wire import PilotHistory as PilotHistory
from hilbench_emulators.pilot.wire import PilotWire as PilotWire
from hilbench_emulators.pilot.wire import Script as Script
from hilbench_emulators.pilot.wire import steady as steady
