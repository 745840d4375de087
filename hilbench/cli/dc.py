"""``hilbench dc``: cars, power modules and misbehaviours that DC stations of a rig can have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hilbench.cli.params import Between

if TYPE_CHECKING:
    from hilbench_emulators.dc.cars import Car


@click.group()
def dc() -> None:
    """DC charging: cars and their curves, misbehaviours, and which way numbers count."""


@dc.command()
@click.argument("file", required=False, metavar="[FILE.json]")
@click.option("--find", default="", metavar="TEXT", help="Only cars with this in their name.")
def cars(file: str | None, find: str) -> None:
    """List the shipped DC cars, or those in FILE, which has the shape of open-ev-data.

    A rig names a car of a file by its path and id: vehicle = "FILE.json#ID".
    """
    from hilbench.cli import dc_show

    dc_show.cars(file, find)


@dc.command()
@click.argument("car", metavar="CAR")
@click.option("--sources", is_flag=True, help="Say of every figure where it is from, and how sure it is.")
def car(car: str, sources: bool) -> None:
    """Show CAR: its figures, and what power it takes at which state of charge.

    CAR is the name of a shipped car, the path of a TOML file, or FILE.json#CAR.

    \b
    hilbench dc car ioniq-5
    hilbench dc car "open-ev-data.json#Kia EV6 Long Range AWD"
    """
    from hilbench.cli import dc_show
    from hilbench_emulators.dc.garage import find_car

    dc_show.car(find_car(car), sources)


@dc.command()
@click.argument("car", metavar="CAR")
@click.option("--from", "first", type=Between(0, 99), default=10.0, show_default=True, help="State of charge, %.")
@click.option("--to", "last", type=Between(1, 100), default=80.0, show_default=True, help="State of charge, %.")
@click.option("--limit", "limit_kw", type=Between(0.5, 2000), metavar="KW", help="Limit on the grid side.")
@click.option("--module", default="generic-30", show_default=True, help="Kind of power modules.")
@click.option("--modules", type=click.IntRange(1, 64), default=4, show_default=True, help="How many there are.")
def charge(car: str, first: float, last: float, limit_kw: float | None, module: str, modules: int) -> None:
    """Charge CAR from one state of charge to another: how long it takes, and what it takes from the grid.

    \b
    hilbench dc charge id-3-58
    hilbench dc charge id-3-58 --limit 50 --modules 2
    """
    from hilbench.cli import dc_show
    from hilbench_emulators.dc.garage import find_car
    from hilbench_emulators.dc.power_module import Bank, load_module

    if first >= last:
        raise click.UsageError("--from must be below --to")
    found: Car = find_car(car)
    dc_show.charge(found, Bank(load_module(module), modules), first / 100.0, last / 100.0, limit_kw)


@dc.command()
@click.argument("names", nargs=-1)
def quirks(names: tuple[str, ...]) -> None:
    """List the misbehaviours of DC stations and cars that a rig can have, or those called NAMES.

    A rig gives them to a station: quirks = ["ignores-lowered-limit"].
    """
    from hilbench.cli import dc_show

    dc_show.quirks(names)


@dc.command()
def signs() -> None:
    """Which way numbers count in each protocol where a car gives power back."""
    from hilbench.cli import dc_show

    dc_show.signs()
