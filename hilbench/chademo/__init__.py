"""CHAdeMO on CAN: frames, bits, times, and a DBC file that says the same. Emulators and the log reader share it."""

from hilbench.chademo.flags import CarFault as CarFault
from hilbench.chademo.flags import CarStatus as CarStatus
from hilbench.chademo.flags import ChargerStatus as ChargerStatus
from hilbench.chademo.flags import Control as Control
from hilbench.chademo.frames import CarControl as CarControl
from hilbench.chademo.frames import CarDischarge as CarDischarge
from hilbench.chademo.frames import CarEnergy as CarEnergy
from hilbench.chademo.frames import CarLimits as CarLimits
from hilbench.chademo.frames import CarState as CarState
from hilbench.chademo.frames import CarTimes as CarTimes
from hilbench.chademo.frames import ChargerControl as ChargerControl
from hilbench.chademo.frames import ChargerDischarge as ChargerDischarge
from hilbench.chademo.frames import ChargerEnergy as ChargerEnergy
from hilbench.chademo.frames import ChargerLimits as ChargerLimits
from hilbench.chademo.frames import ChargerState as ChargerState
from hilbench.chademo.frames import Frame as Frame
from hilbench.chademo.frames import Opaque as Opaque
from hilbench.chademo.frames import decode as decode
from hilbench.chademo.frames import encode as encode
from hilbench.chademo.frames import sender as sender
