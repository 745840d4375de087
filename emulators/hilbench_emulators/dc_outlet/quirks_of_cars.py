"""Real misbehaviours of DC cars."""

from __future__ import annotations

import math

from hilbench_emulators.dc_outlet.quirk import BOTH, OLD, DcQuirk, Shown, of_chademo

_EVEREST = "EVerest/EVerest"
_CLARA = "uhi22/ccs32clara doc/bug_analysis.md"

CAR_QUIRKS = (
    DcQuirk(
        "ignores-lowered-limit",
        "car",
        ("ccs",),
        "goes by the highest offer of the session; the station holds it to the limit after 5 s",
        {"ccs": {"ignores_lowered_limit": True}},
        f"{_EVEREST} pull request 1167 and DC_ENFORCE_TARGET_LIMITS_INTERVAL_MS",
        "secondary",
        Shown(1, "13.1", "fails", "its request never follows; the charger clamps it after 5 s and keeps the grid"),
    ),
    DcQuirk(
        "zero-locks-up",
        "car",
        ("ccs",),
        "takes nothing for the rest of the session once it was offered nothing",
        {"ccs": {"locks_at_zero": True}, "car": {"below_minimum": "waits", "gives_up_s": math.inf}},
        "evcc-io/evcc pull request 32023: cars of the VW group; 1 kW is never gone below there",
        "secondary",
        Shown(2, "13.3", "fails", 'it does not take up the lifted limit; a station with below = "hold" copes'),
    ),
    DcQuirk(
        "ends-at-zero",
        "car",
        BOTH,
        "ends the session after 5 s without power, and begins no other before it is plugged in again",
        {"car": {"below_minimum": "ends", "gives_up_s": 5.0}, "station": {"one_session": True}},
        f"{_EVEREST} hlc_charge_loop_without_energy_timeout_s",
        "read-code",
        Shown(3, "13.3", "fails", 'the session is lost; a station with below = "hold" copes'),
    ),
    of_chademo(
        "aborts-on-reduction",
        Shown(7, "13.4", "fails", "the session is lost when the budget falls while the request rises"),
    ),
    of_chademo(
        "slow-frames",
        Shown(10, "13.1", "copes", "its request is up to 0.225 s late, the charger is not; for 13.9 it is too slow"),
    ),
    DcQuirk(
        "wrong-first-request",
        "car",
        ("ccs",),
        "first asks for -5 A at 250 V, below its battery's voltage (the figures are policy-default: EVerest leaves out "
        "what is below 0 A or 300 V)",
        {"ccs": {"first_a": -5.0, "first_v": 250.0}},
        f"{_EVEREST} hack_skoda_enyaq",
        "read-code",
        Shown(12, "13.4", "copes", "the charger gives nothing to a negative request, and the next one is sound"),
    ),
    DcQuirk(
        "zero-target-voltage",
        "car",
        ("ccs",),
        "asks for 0 V in the whole loop",
        {"ccs": {"target_v": 0.0}},
        "ISO 15118-20 V2G20-2183, in a comment of a public stack",
        "secondary",
        Shown(12, "13.4", "copes", "the charger goes by the battery's voltage"),
    ),
    DcQuirk(
        "whole-amperes",
        "car",
        ("ccs",),
        "asks for whole amperes only, and so loses up to 1 A of every limit",
        {"ccs": {"whole_amperes": True}},
        f"{_EVEREST} hack_fix_hlc_integer_current_requests",
        "read-code",
        Shown(13, "13.2", "copes", "it takes less than it may, never more"),
    ),
    DcQuirk(
        "negative-limits",
        "car",
        ("ccs",),
        "its limits of discharging are negative numbers",
        {"ccs": {"negative_limits": True}},
        f"{_EVEREST} pull request 1473",
        "secondary",
        Shown(14, "13.6", "copes", "the charger goes by their size"),
        ("iso20",),
    ),
    of_chademo(
        "idle-drop-out",
        Shown(16, "13.6", "copes", "only where nothing flows for 6 min is the session lost; 1 A each minute keeps it"),
    ),
    of_chademo(
        "target-voltage-changes",
        Shown(17, "13.4", "copes", "the charger goes by the target that it judged before it began"),
    ),
    DcQuirk(
        "stays-after-shutdown",
        "car",
        ("ccs",),
        "goes on in its loop after the station has ended, until it is refused 10 s later",
        {"ccs": {"stays_after_shutdown": True}},
        f"{_CLARA}, 2023-12-08, at a Tesla Supercharger; the 10 s are policy-default",
        "secondary",
        Shown(18, "13.3", "copes", 'with below = "end" nothing flows from the shutdown on'),
    ),
    DcQuirk(
        "no-retransmission",
        "car",
        ("ccs",),
        "does not repeat a lost TCP segment: the 40th request of its loop is lost, 10 s into it (policy-default)",
        {"ccs": {"loses_request": 40}},
        f"{_CLARA}, 2023-11-29, at ABB chargers: faults after a brief charge",
        "secondary",
        Shown(18, "13.4", "fails", "the session is lost; both sides end in their time-outs, and the outlet is dead"),
    ),
    DcQuirk(
        "low-maximum-voltage",
        "car",
        ("ccs",),
        "says a highest voltage only 5 V above its battery's, and the station ends it after 3 s above that",
        {"ccs": {"told_above_v": 5.0}, "ccs-station": {"ends_above_maximum_s": 3.0}},
        f"{_CLARA}, 2023-12-10: 398 V at 393 V, a few seconds, at Tritium chargers",
        "secondary",
        Shown(18, "13.4", "fails", "the session is lost once the current has lifted the voltage: 63 A in an ID.3"),
    ),
    DcQuirk(
        "refuses-empty-schedules",
        "car",
        ("ccs",),
        "takes a ChargeParameterDiscoveryRes with empty schedules for no message, and meets one",
        {"ccs": {"wants_schedules": True}, "ccs-station": {"no_schedules": True}},
        "a recorded response that EXIficient rejects and EVerest libcbv2g accepts",
        "measured",
        Shown(20, "13.1", "fails", "the session ends before it charges: there is nothing to take a step with"),
        OLD,
    ),
)
