"""Ways of cars and stations to misbehave in a CCS session, each seen at real ones; all off unless asked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quirks:
    """Ways of cars (sources are secondary unless said otherwise).

    - ``ignores_lowered_limit``: goes by the highest limit of the session (EVerest pull request 1167).
    - ``whole_amperes``: asks for whole amperes only (EVerest ``hack_fix_hlc_integer_current_requests``; read-code).
    - ``stops_at_zero``: ends at once when it is offered nothing (evcc pull request 32023; EVerest's manual).
    - ``locks_at_zero``: never takes anything again after that, and stays (evcc pull request 32023).
    - ``stays_after_shutdown``: goes on in its loop after the station has ended (ccs32clara, doc/bug_analysis.md).
    - ``target_v``: the voltage [V] that it asks for, whatever its battery has (ISO 15118-20, V2G20-2183).
    - ``first_a``, ``first_v``: current [A], which may be negative, and voltage [V] of its first request (EVerest
      ``hack_skoda_enyaq``; read-code).
    - ``negative_limits``: its limits of discharging are negative numbers (EVerest pull request 1473).
    - ``told_above_v``: the highest voltage that it tells the station is only so much [V] above its battery's at the
      start of its loop (ccs32clara, doc/bug_analysis.md).
    - ``loses_request``: this request of its loop is lost and not sent again, as with a TCP that repeats nothing (same
      place); counted from 1.
    - ``wants_schedules``: a station without schedules is no valid one (EXIficient beside libcbv2g; measured).
    """

    ignores_lowered_limit: bool = False
    whole_amperes: bool = False
    stops_at_zero: bool = False
    locks_at_zero: bool = False
    stays_after_shutdown: bool = False
    target_v: float | None = None
    first_a: float | None = None
    first_v: float | None = None
    negative_limits: bool = False
    told_above_v: float | None = None
    loses_request: int | None = None
    wants_schedules: bool = False


@dataclass(frozen=True, slots=True)
class StationQuirks:
    """Ways of stations (secondary unless said otherwise).

    - ``delivers_a``: never gives more [A], whatever it offers; ``resets_after_s`` [s] of asking it for more it breaks
      the connection without a word (ccs32clara-chademo issue 54).
    - ``overshoot``: without load its voltage is so many times the target (pyPLC, doc/charger_test_results.md).
    - ``welding_unanswered``: does not answer WeldingDetectionReq (same place).
    - ``no_schedules``: its ChargeParameterDiscoveryRes of DIN 70121 and ISO 15118-2 has an empty SASchedules (measured:
      one public codec takes it, another does not).
    - ``ends_above_maximum_s``: ends a session in which the outlet has been above the car's highest voltage for so long
      [s] (ccs32clara, doc/bug_analysis.md).
    """

    delivers_a: float | None = None
    resets_after_s: float | None = None
    overshoot: float = 1.0
    welding_unanswered: bool = False
    no_schedules: bool = False
    ends_above_maximum_s: float | None = None
