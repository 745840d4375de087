"""What a run was made with: versions, machine, dates and input files, as run.json keeps them."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from hilbench.clock import machine_now
from hilbench.evidence.files import utc_text
from hilbench.site import Site

_PACKAGES = ("hilbench", "ocpp", "websockets", "pymodbus", "pydantic", "numpy")


def environment() -> dict[str, Any]:
    """Versions of the packages that take part, the Python and the machine; no names of hosts or people."""
    return {
        "versions": {
            "python": f"{platform.python_version()} ({platform.python_implementation()})",
            **{name: _version(name) for name in _PACKAGES},
        },
        "machine": {
            "system": f"{platform.system()} {platform.release()}",
            "architecture": platform.machine(),
            "processors": os.cpu_count(),
        },
        "started_utc": utc_text(machine_now()),
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _ocpd(site: Site, node_id: str) -> dict[str, str]:
    name = site.ocpd_of(node_id)[1]
    return {"ocpd": Path(name).name} if name else {}


def input_files(files: Mapping[str, Path | None]) -> dict[str, Any]:
    """Name, size and sha256 of each file that was given, by what it is used for; a file that cannot be read says so."""
    return {use: _described(path) for use, path in files.items() if path is not None}


def _described(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()
    except OSError as error:
        return {"file": path.name, "error": error.strerror or "not readable"}
    return {"file": path.name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def site_facts(site: Site) -> dict[str, Any]:
    """The site as run.json states it: supply, nodes with their limits [A per line], and the stations' roles."""
    supply = site.service
    return {
        "name": site.name,
        "timezone": site.timezone,
        "budget_a": site.nodes[0].limit_a,
        "service": {
            "wiring": supply.wiring,
            "rating_a": supply.rating_a,
            "voltage_v": supply.voltage_v,
            "frequency_hz": supply.frequency_hz,
        },
        "nodes": [{**node.model_dump(), **_ocpd(site, node.id)} for node in site.nodes],
        "stations": [branch.role for branch in site.branches],
    }
