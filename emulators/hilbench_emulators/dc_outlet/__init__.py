"""The outlet of a DC station: a car's session over CCS or CHAdeMO, the power modules behind it, what they draw.

An OCPP station gives it a limit on the grid side; from there it goes the way that it goes in the field: the next answer
of the charging loop, the car's request, the ramp of the modules, the grid.
"""

from hilbench_emulators.dc_outlet.settings import DcSettings as DcSettings
from hilbench_emulators.dc_outlet.shared import OneOutlet as OneOutlet
from hilbench_emulators.dc_outlet.shared import SharedCabinet as SharedCabinet
