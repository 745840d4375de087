"""Mutants of the reference core: one setting each, changed to what somebody might choose who does not know better.

Rows: id, what it does wrong, the procedure that must catch it, the changes. Settings whose mutants change nothing that
a procedure looks at: ``settle_s`` (also 1 and 60), ``raise_step_a`` (0.5 and 80), ``quick_hold_s`` (0 and 45),
``margin_a`` of 0, ``rotation_s`` of 10, ``sample_s`` of 300, ``verify_a`` of 100, ``readback_s`` of 0, ``ping_s`` of
600 and ``call_timeout_s`` of 60: other rules of the core take their place.
"""

from __future__ import annotations

Row = tuple[str, str, str, dict[str, float]]
SOURCE = "mutant of the reference core"
ROWS: tuple[Row, ...] = (
    ("believes-old-values", "takes a value of ten minutes ago for one of now", "4.4", {"stale_s": 600.0}),
    ("slow-to-see-frozen", "takes a minute to notice repeated values", "4.4b", {"frozen_s": 60.0}),
    ("trusts-at-once", "leaves its fallback with the first good value", "4.4", {"recover_s": 0.0}),
    ("stays-in-fallback", "leaves its fallback five minutes after the data are back", "4.4", {"recover_s": 300.0}),
    ("leases-of-ten-minutes", "lets limits hold for ten minutes without a renewal", "4.1", {"lease_s": 600.0}),
    ("expects-at-once", "takes cars that have not followed yet for load of the building", "7.1", {"follow_s": 0.1}),
    ("raises-at-once", "gives headroom away as soon as it is there", "7.3", {"raise_hold_s": 0.0, "quick_hold_s": 0.0}),
    ("raises-by-too-little", "raises by one per cent of the budget at a time", "7.2", {"raise_share": 0.01}),
    ("pauses-for-an-hour", "lets a car that was paused wait for an hour", "2.3", {"resume_hold_s": 3600.0}),
    ("turns-of-a-day", "lets those charge who have a turn until tomorrow", "2.3", {"rotation_s": 100_000.0}),
    ("wastes-the-budget", "keeps 25 A free", "2.5", {"margin_a": 25.0}),
    ("twelve-or-nothing", "offers 12 A or nothing", "2.3", {"minimum_a": 12.0}),
    ("reads-every-20-s", "reads a meter of 1 s every 20 s", "7.1", {"meter_poll_s": 20.0}),
    ("reads-every-5-s", "reads a meter of 1 s every 5 s", "7.1", {"meter_poll_s": 5.0}),
    ("averages-over-20-s", "looks at the mean of the last 20 s", "7.1", {"filter_s": 20.0}),
    ("delays-at-random", "delays every start by up to half an hour", "2.5", {"random_delay_s": 1800.0}),
)
