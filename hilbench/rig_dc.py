"""``dc`` of a ``[[station]]``: connector, power modules, and what it does with small limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hilbench.rig_values import DataName
from hilbench.site import Integer, Model, Name, Number


class DcEntry(Model):
    """What is behind the outlet of an emulated DC station.

    ``modules`` of kind ``module`` (a name, or the path of a TOML file) give its power. ``protocol`` and ``control`` are
    those of CCS; a car that may discharge needs ``iso20``. With a limit that leaves less than ``least_w`` [W DC] it
    offers that much all the same (``hold``: beyond its limit), offers nothing and keeps the session (``standby``), or
    ends it (``end``); many cars end by themselves where they are offered nothing. A car that does not follow a lowered
    offer is held to it after ``clamp_after_s``.

    Two stations with the same ``cabinet`` share their modules, the sum of both; with ``shared = "static"`` each keeps
    its own. ``recorded`` makes CHAdeMO's charger and car those of a recorded session: ``ze0-v2x`` is a LEAF of 24 kWh
    at a V2X charger of 15 A. ``can`` lets CHAdeMO's two sides talk on a bus of python-can, as INTERFACE:CHANNEL
    (``socketcan:can0``, ``udp_multicast:239.74.163.2``), in real time. ``log`` keeps every CAN frame or CCS message in
    a file of the procedure's folder (some 10 MB an hour).
    """

    connector: Literal["ccs", "chademo"] = "ccs"
    protocol: Literal["din", "iso2", "iso20"] = "iso20"
    control: Literal["scheduled", "dynamic"] = "scheduled"
    module: DataName = "generic-30"
    modules: Annotated[Integer, Field(ge=1, le=64)] = 2
    below: Literal["hold", "standby", "end"] = "standby"
    least_w: Annotated[Number, Field(ge=0, le=50_000)] = 1_000.0
    clamp_after_s: Annotated[Number, Field(ge=0, le=60)] = 5.0
    cabinet: Name | None = None
    shared: Literal["dynamic", "static"] = "dynamic"
    recorded: Literal["", "ze0-v2x"] = ""
    can: Annotated[str, Field(pattern=r"^[a-z0-9_]+:\S+$", max_length=200)] | None = None
    log: Annotated[bool, Field(strict=True)] = False
