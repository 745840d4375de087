"""CCS sessions: a station (SECC) and a car (EVCC) for DIN 70121, ISO 15118-2 and ISO 15118-20, AC and DC.

Both sides are pure machines, ``advance(t_s, event)`` to outputs; a shell on TCP, TLS or a virtual loop drives them::

    station = Secc(Station(), Fixed(Limits(max_a=200.0, max_w=50_000.0)))
    car = Evcc(Vehicle(load_car("ioniq-5")))
    async with SeccServer(lambda: station, "::1") as server:
        ended = await run_evcc(car, "::1", server.port)

    server.tell(NewLimit(Limits(max_a=20.0)))      # is in the very next response of the charging loop

Inside, currents and powers are positive into the car; ``figures.SIGNS`` says which fields differ outside. External
payment only: contracts and their certificates are not covered, nor is the signalling on the control pilot, nor SLAC.
"""

from hilbench_emulators.ccs import evcc_20 as _evcc_20
from hilbench_emulators.ccs import evcc_old as _evcc_old
from hilbench_emulators.ccs import secc_20 as _secc_20
from hilbench_emulators.ccs import secc_old as _secc_old
from hilbench_emulators.ccs.drive import OnBoard as OnBoard
from hilbench_emulators.ccs.drive import Vehicle as Vehicle
from hilbench_emulators.ccs.evcc import Evcc as Evcc
from hilbench_emulators.ccs.figures import Limits as Limits
from hilbench_emulators.ccs.quirks import Quirks as Quirks
from hilbench_emulators.ccs.quirks import StationQuirks as StationQuirks
from hilbench_emulators.ccs.secc import Secc as Secc
from hilbench_emulators.ccs.secc import Station as Station
from hilbench_emulators.ccs.services import Service as Service
from hilbench_emulators.ccs.supply import Fixed as Fixed
from hilbench_emulators.ccs.supply import Modules as Modules

_TABLES = (_evcc_old, _evcc_20, _secc_old, _secc_20)  # importing them is what fills the tables of the machines
