"""13.8 A car falls silent in the charging loop."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure
from hilbench.procedures.dc_cars import charging

PATIENCE_S = {"iso20": 0.5, "iso2": 60.0, "din": 60.0, "chademo": 1.0}
"""How long a station waits for the next message (-20: 0.5 s in the loop, iso15118 timeouts.py; -2 and DIN: 60 s,
V2G_SECC_Sequence_Timeout; CHAdeMO: 1 s in two public projects; read-code)."""


async def run(bench: Bench, measure: Measure) -> None:
    """The car of each DC station in turn says nothing any more: its output must end."""
    for role in await charging(bench):
        await bench.align()
        dc = bench.rig.station(role).dc
        patience_s = PATIENCE_S["chademo" if dc is None or dc.connector == "chademo" else dc.protocol]
        silent = bench.faults.silence_car(role)
        await bench.run_for(patience_s + 10.0)
        measure("dc_silence_time", since=silent, roles=[role], told=False, patience_s=patience_s)
        await bench.unplug(role)


PROCEDURE = Procedure(
    id="13.8",
    key="dc-silence",
    title="silent car in the loop",
    purpose="A DC station whose car falls silent ends its output in the time of its protocol.",
    run=run,
    needs=frozenset({"dc", "station.fault"}),
)
