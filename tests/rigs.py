"""Small rigs for tests: three equal cars behind a 60 A service, so that a procedure takes a second."""

from __future__ import annotations

from pathlib import Path

TRIO = """
[site]
name = "trio"
service = { rating_a = 60, voltage_v = 240, wiring = "split-phase", frequency_hz = 60 }
budget_a = 48
worst_base_a = 20
timezone = "America/Los_Angeles"
requirements = ["generic-v0"]

[station_defaults]
branch_a = 40
max_a = 32
connection = "L1-L2"
fallback_a = 6
device = "emulated:ac"
ocpp = "1.6"
vehicle = "model-3"

[[station]]
role = "A"

[[station]]
role = "B"

[[station]]
role = "C"

[controller]
kind = "reference"
ocpp = "ws://127.0.0.1:9000/ocpp"
policy = "dynamic"

[meter.service]
device = "emulated:ct"
node = "service"
address = "tcp://127.0.0.1:5020"
class = "1"
interval_s = 1.0

[building]
model = "workplace"
peak_a = 20

[sessions]
model = "workplace"

[run]
epoch = 2024-06-04T16:00:00Z
"""


def trio(folder: Path, *changes: tuple[str, str]) -> Path:
    """The rig file ``trio.toml`` in ``folder``, with each ``(old, new)`` of ``changes`` replaced in its text."""
    text = TRIO
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "trio.toml"
    path.write_text(text, encoding="utf-8")
    return path


VTN = """
[grid.vtn]
client_secret_file = "vtn.secret"

[controller.openadr]
url = "http://127.0.0.1:3900"
client_id = "ven"
client_secret_file = "vtn.secret"
full_kw = 11.5
"""
"""A VTN of the bench, and that the reference controller asks it."""


def trio_with_vtn(folder: Path, *changes: tuple[str, str]) -> Path:
    """As :func:`trio`, with a VTN that the controller asks."""
    (folder / "vtn.secret").write_text("sesame\n", encoding="utf-8")
    path = trio(folder)
    text = path.read_text(encoding="utf-8") + VTN
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return path
