"""What limits may depend on, as far as a rig tells it: the figures of its service, of its meter and its time-outs."""

from __future__ import annotations

from hilbench.requirements import Requirements
from hilbench.rig_models import Rig


def site_context(rig: Rig, requirements: Requirements) -> dict[str, float]:
    """Quantities of ``hilbench.requirements.CONTEXT`` of the rig; what a measurement is about comes on top."""
    site = rig.electrical
    root = site.nodes[0]
    return {
        "rating_a": root.rating_a,
        "budget_a": root.limit_a,
        "import_limit_kw": site.all_lines_kw(root.limit_a) if site.contract_kw is None else site.contract_kw,
        "tolerance_a": requirements.tolerance_a(root.limit_a),
        "timeout_s": rig.fallback_timeout_s,
        "meter_interval_s": rig.site_meter.interval_s,
        "stations": float(len(rig.stations)),
        "fallback_a": max((branch.fallback_a for branch in site.branches), default=0.0),
    }
