"""What ``hilbench dc`` prints and draws."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from hilbench.cli.braille import Floats, curve, framed, printable
from hilbench.errors import InputError, Problem
from hilbench.signs import INSIDE, SIGNS
from hilbench_emulators.dc.battery import Cells
from hilbench_emulators.dc.cars import Car, car_names, load_car
from hilbench_emulators.dc.charging import TICK_S, Charging, advance, look
from hilbench_emulators.dc.open_ev_data import listed
from hilbench_emulators.dc.outlet_law import Limit, limited_dc_w
from hilbench_emulators.dc.power_module import Bank
from hilbench_emulators.dc.request import Offer, Request
from hilbench_emulators.dc_outlet.quirks import QUIRKS, quirk

WIDTH, HEIGHT = 60, 10
_LONGEST_S = 24 * 3600.0


def _table(*heads: str, right: Sequence[str] = ()) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for head in heads:
        table.add_column(head, justify="right" if head in right else "left", overflow="fold")
    return table


def _print(table: Table) -> None:
    Console(highlight=False, markup=False).print(table)


def cars(file: str | None, find: str) -> None:
    """A line for each car."""
    if file is None:
        table = _table("name", "car", "inlet", "kWh", "kW", "gives", right=("kWh", "kW"))
        for one in map(load_car, car_names()):
            gives = "no" if one.discharge is None else f"{one.discharge.max_a:g} A"
            most_kw = max(one.curve_w.y) / 1000.0
            table.add_row(one.name, one.title, one.port, f"{_kwh(one):.1f}", f"{most_kw:.0f}", gives)
        _print(table)
        return
    table = _table("id", "car", "kWh", "kW", right=("kWh", "kW"))
    found = [row for row in listed(Path(file)) if find.casefold() in row.label.casefold()]
    for row in found:
        table.add_row(row.id, row.label, f"{row.usable_kwh:g}", f"{row.most_kw:g}")
    _print(table)
    click.echo(f"{len(found)} cars with a DC inlet")


def _kwh(one: Car) -> float:
    return one.battery.stored_j(1.0) / 3.6e6


def car(one: Car, sources: bool) -> None:
    """Its figures and its curve."""
    click.echo(f"{one.title} ({one.name}), {one.port}")
    battery = one.battery
    gives = "only charges"
    if one.discharge is not None:
        gives = f"gives up to {one.discharge.max_a:g} A down to {100 * one.discharge.reserve_soc:g} %"
    click.echo(f"{_kwh(one):.1f} kWh, {battery.cells} cells in series, {battery.resistance_ohm:.3f} ohm, {gives}")
    click.echo(
        f"at most {one.max_a:g} A and {one.max_v:g} V; its request grows by {one.up_a_per_s:g} A/s and shrinks by "
        f"{one.down_a_per_s:g} A/s"
    )
    click.echo(f"with less than {one.min_a:g} A or {one.min_w:g} W it {_below(one)}")
    x = np.linspace(0.0, 100.0, 201)
    y = np.array([one.curve_w.at(soc / 100.0) / 1000.0 for soc in x])
    click.echo("power [kW] by state of charge")
    _draw(x, y, ("0 %", "100 %"))
    if sources:
        table = _table("figure", "confidence", "source")
        for name, (confidence, source) in one.sources.items():
            table.add_row(name, confidence, source)
        _print(table)


def _below(one: Car) -> str:
    return {
        "waits": "waits",
        "ends": f"ends the session after {one.gives_up_s:g} s",
        "takes-minimum": "takes so much all the same",
    }[one.below_minimum]


def charge(one: Car, modules: Bank, first: float, last: float, limit_kw: float | None) -> None:
    """A charge at a steady limit."""
    limit = Limit(None if limit_kw is None else 1000.0 * limit_kw)
    charging, t, grid_j, peak_w = Charging(Request(), Cells(first), Offer(0.0)), 0.0, 0.0, 0.0
    times, powers = [0.0], [0.0]
    while look(one, charging)[1].soc < last:
        request, cells = look(one, charging)
        if request.ended or t > _LONGEST_S:
            raise InputError(one.name, Problem("", f"ends at {100 * cells.soc:.1f} %: {request.ended or 'no power'}"))
        dc_w, volts = limited_dc_w(modules, limit), one.battery.voltage_v(cells.soc, request.current_a)
        charging = advance(one, charging, Offer(modules.most_a(volts, dc_w), dc_w, modules.module.max_v), TICK_S)
        grid_w = modules.ac_w(request.current_a * volts)
        t, grid_j, peak_w = t + TICK_S, grid_j + grid_w * TICK_S, max(peak_w, grid_w)
        times.append(t)
        powers.append(grid_w / 1000.0)
    taken = charging.cells.taken_j / 3.6e6
    click.echo(f"{one.title}, {100 * first:g} to {100 * last:g} %: {t / 60.0:.1f} min")
    lost = 1.0 - taken * 3.6e6 / grid_j
    click.echo(
        f"at the outlet {taken:.1f} kWh, from the grid {grid_j / 3.6e6:.1f} kWh (lost {lost:.1%}), at most "
        f"{peak_w / 1000.0:.1f} kW"
    )
    click.echo("power from the grid [kW]")
    _draw(np.array(times), np.array(powers), ("0 min", f"{t / 60.0:.1f} min"))


def _draw(x: Floats, y: Floats, span: tuple[str, str]) -> None:
    bounds = (0.0, float(y.max()) or 1.0)
    plot = curve(x, y, (float(x[0]), float(x[-1])), bounds, (WIDTH, HEIGHT))
    click.echo(printable(framed(plot, bounds, span)))


def quirks(names: Sequence[str]) -> None:
    """Each with what it does, the procedure that shows it and how that ends, and where it was seen."""
    table = _table("id", "who", "connector", "what it does", "shows in", "source")
    shown = list(map(quirk, names)) if names else list(QUIRKS.values())
    for one in shown:
        seen = f"{one.source} ({one.confidence})"
        ends = f"{one.procedure} {one.copes}"
        table.add_row(one.id, one.side, ", ".join(one.connectors), one.what, ends, seen)
    _print(table)
    for one in shown if names else ():
        click.echo(f"{one.id}: {one.procedure} {one.copes}, for {one.shown.because}")


def signs() -> None:
    """The table, and the convention inside."""
    click.echo(f"Inside: {INSIDE}. A car that gives 10 A or 10 kW has outside:")
    table = _table("protocol", "field", "giving 10", "confidence", "source")
    for one in SIGNS:
        table.add_row(one.protocol, one.field, one.giving_10, one.confidence, one.source)
    _print(table)
