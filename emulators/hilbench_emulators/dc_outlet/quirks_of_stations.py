"""Real misbehaviours of DC stations."""

from __future__ import annotations

from hilbench_emulators.dc_outlet.quirk import BOTH, OLD, DcQuirk, Shown, of_chademo

_EVEREST = "EVerest/EVerest"
_PYPLC = "uhi22/pyPLC doc/charger_test_results.md"

STATION_QUIRKS = (
    DcQuirk(
        "zero-is-no-limit",
        "station",
        BOTH,
        "takes a limit of 0 for none and gives all it has",
        {"station": {"zero_is_no_limit": True}},
        f"{_EVEREST} pull request 1509: of a bidirectional supply, with a car that is not",
        "secondary",
        Shown(4, "13.3", "fails", "it gives the most where nothing is allowed"),
    ),
    DcQuirk(
        "zero-is-discharge",
        "station",
        BOTH,
        "takes a limit of 0 for an order to give: a car that can discharges with all that its modules take",
        {"station": {"zero_is_discharge": True}},
        f"{_EVEREST} pull request 1509: of a bidirectional supply",
        "secondary",
        Shown(4, "13.3", "fails", "power flows where none is allowed; needs a station and a car that give"),
        ("iso20",),
    ),
    DcQuirk(
        "cable-rating",
        "station",
        BOTH,
        "never takes more than the 32 A that it reads from an AC cable",
        {"station": {"cable_a": 32.0}},
        f"{_EVEREST} issue 2291: 21 kW of 270 kW",
        "secondary",
        Shown(5, "13.1", "copes", "it takes less than it may, and the controller gives the rest to others"),
    ),
    of_chademo(
        "delivers-less",
        Shown(6, "13.4", "fails", "the session is lost 5 s after the car has asked for 70 A"),
    ),
    DcQuirk(
        "delivers-less-and-resets",
        "station",
        ("ccs",),
        "gives 60 A whatever it offers, and breaks the connection after 6 min of being asked for more",
        {"ccs-station": {"delivers_a": 60.0, "resets_after_s": 360.0}},
        "osexpert/ccs32clara-chademo issue 54: 60 A of 150 A, reset after 6 min",
        "secondary",
        Shown(6, "13.5", "fails", "its car gets less than its part of a cabinet; the session is lost after 6 min"),
    ),
    of_chademo(
        "inrush",
        Shown(8, "13.4", "copes", "20 A too much for one frame: 0.1 s of less than a module's share"),
    ),
    of_chademo(
        "late-output",
        Shown(9, "13.1", "fails", "0.33 s late and at 40 A/s where 1 s and 100 A/s are allowed: too slow from 45 A on"),
    ),
    of_chademo(
        "jitter",
        Shown(11, "13.1", "copes", "the limit is in the next frame, up to 66 ms later"),
    ),
    DcQuirk(
        "unequal-maxima",
        "station",
        BOTH,
        "takes a limit above 16 A per line, its most for giving, for an order to give as much (the figure is "
        "policy-default)",
        {"station": {"mirrors_above_a": 16.0}},
        "V2G-liberty/addon-v2g-liberty issue 276",
        "secondary",
        Shown(14, "13.6", "fails", "the car gives where it should charge; needs a station and a car that give"),
        ("iso20",),
    ),
    of_chademo(
        "early-current",
        Shown(15, "13.4", "copes", "3 A before the first request"),
    ),
    DcQuirk(
        "overshoots-without-load",
        "station",
        ("ccs",),
        "without load its voltage is 400 V where 230 V are wanted, 1.74 times as much: the car never closes its "
        "contactor and gives up after 7 s (10 s in ISO 15118-20)",
        {"ccs-station": {"overshoot": 400.0 / 230.0}},
        f"{_PYPLC}, Compleo Cito BM 500",
        "secondary",
        Shown(19, "13.1", "fails", "the session ends before it charges: there is nothing to take a step with"),
    ),
    DcQuirk(
        "welding-unanswered",
        "station",
        ("ccs",),
        "does not answer WeldingDetectionReq: the car leaves after its time-out of 2 s",
        {"ccs-station": {"welding_unanswered": True}},
        f"{_PYPLC}, ABB Terra 53 and Terra HPC",
        "secondary",
        Shown(19, "13.3", "copes", 'with below = "end" nothing flows any more, and the car opens its contactor'),
    ),
    DcQuirk(
        "empty-schedules",
        "station",
        ("ccs",),
        "its ChargeParameterDiscoveryRes has an empty SASchedules",
        {"ccs-station": {"no_schedules": True}},
        "a recorded response that EXIficient rejects and EVerest libcbv2g accepts",
        "measured",
        Shown(20, "13.4", "copes", "a lenient car goes by the limits of the loop"),
        OLD,
    ),
)
