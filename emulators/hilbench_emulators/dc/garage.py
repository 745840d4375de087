"""A DC car wherever it is: shipped, in a user's TOML file, or one of many in a file in the shape of open-ev-data."""

from __future__ import annotations

from pathlib import Path

from hilbench_emulators.dc.cars import Car, load_car
from hilbench_emulators.dc.open_ev_data import load_open_ev_car


def find_car(name: str) -> Car:
    """The car of a name, of a path that ends in ``.toml``, or of ``FILE.json#CAR``.

    Raises ``InputError`` for one that is not there, and with every wrong key.
    """
    path, mark, choice = name.partition(".json#")
    return load_open_ev_car(Path(f"{path}.json"), choice) if mark else load_car(name)
