"""CHAdeMO's two sides as pure state machines, a session that couples them, and a shell that puts them on a CAN bus."""

from hilbench_emulators.chademo.car import Car as Car
from hilbench_emulators.chademo.charger import Charger as Charger
from hilbench_emulators.chademo.models import CarModel as CarModel
from hilbench_emulators.chademo.models import ChargerModel as ChargerModel
from hilbench_emulators.chademo.pack import Pack as Pack
from hilbench_emulators.chademo.pack import SimplePack as SimplePack
from hilbench_emulators.chademo.session import Session as Session
