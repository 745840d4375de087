"""DC charging as pure models: the battery, what a car asks for, what a charger's power modules take and may give.

One exchange of a charging loop, every 0.25 s for CCS and every 0.1 s for CHAdeMO, ``dt`` [s] after the last::

    modules = bank(cabinet, split, 0)
    volts = car.battery.voltage_v(cells.soc, present_a)
    offer, outlet = next_offer(modules, volts, Limit(w=20_000.0), policy, outlet, dt)    # the charger's answer
    request = next_request(car, request, cells.soc, offer, dt)                           # the car's next message
    aim_a, outlet = next_setpoint(modules, volts, offer, policy, outlet, request.current_a, dt)
    later_a = ramped(present_a, aim_a, module.up_a_per_s, module.down_a_per_s, dt)
    cells = advance(car.battery, cells, present_a, later_a, dt)
    grid_w = modules.ac_w(volts * later_a)

Each state is a frozen value that the caller keeps. :mod:`hilbench_emulators.dc.charging` is the same without the
modules, for a charger that gives what it is asked for.
"""

from hilbench_emulators.dc.battery import Battery as Battery
from hilbench_emulators.dc.battery import Cells as Cells
from hilbench_emulators.dc.battery import advance as advance
from hilbench_emulators.dc.cabinet import Cabinet as Cabinet
from hilbench_emulators.dc.cabinet import Split as Split
from hilbench_emulators.dc.cabinet import advance_split as advance_split
from hilbench_emulators.dc.cabinet import bank as bank
from hilbench_emulators.dc.cabinet import cabinet_ac_w as cabinet_ac_w
from hilbench_emulators.dc.cars import Car as Car
from hilbench_emulators.dc.cars import car_names as car_names
from hilbench_emulators.dc.cars import load_car as load_car
from hilbench_emulators.dc.open_ev_data import load_open_ev_car as load_open_ev_car
from hilbench_emulators.dc.outlet_law import Limit as Limit
from hilbench_emulators.dc.outlet_law import Outlet as Outlet
from hilbench_emulators.dc.outlet_law import Policy as Policy
from hilbench_emulators.dc.outlet_law import giving_offer as giving_offer
from hilbench_emulators.dc.outlet_law import next_offer as next_offer
from hilbench_emulators.dc.outlet_law import next_setpoint as next_setpoint
from hilbench_emulators.dc.piecewise import Piecewise as Piecewise
from hilbench_emulators.dc.piecewise import ramped as ramped
from hilbench_emulators.dc.power_module import Bank as Bank
from hilbench_emulators.dc.power_module import Module as Module
from hilbench_emulators.dc.power_module import load_module as load_module
from hilbench_emulators.dc.power_module import module_names as module_names
from hilbench_emulators.dc.request import Offer as Offer
from hilbench_emulators.dc.request import Request as Request
from hilbench_emulators.dc.request import next_request as next_request
