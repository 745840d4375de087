"""``hilbench pilot render``: make a record of a pilot, good or broken, as an oscilloscope would have taken it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from hilbench.cli.params import Between
from hilbench.errors import InputError

if TYPE_CHECKING:
    from hilbench.waveform import Waveform
    from hilbench_emulators.pilot import Script

STATES = ("A1", "A2", "B1", "B2", "C1", "C2", "D1", "D2", "E", "F")
LONGEST = 100_000_000


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--state", type=click.Choice(STATES), default="C2", show_default=True, help="What is on the wire.")
@click.option("--current", type=Between(6, 80), metavar="A", help="Current that the duty cycle offers.")
@click.option("--duty", type=Between(0, 100), metavar="PCT", help="Duty cycle  [default: 40]")
@click.option("--capacity", type=Between(0.3, 100), metavar="NF", default=1.8, show_default=True, help="In all [nF].")
@click.option("--illegal", metavar="NAME", help="A broken circuit or signal instead; see --list.")
@click.option("--list", "listing", is_flag=True, help="List the broken circuits and stop.")
@click.option("--for", "span", type=Between(1e-4, 100), default=0.01, show_default=True, help="Seconds of record.")
@click.option(
    "--rate", type=Between(1e3, 1e9), default=1e6, show_default=True, metavar="HZ", help="Samples per second."
)
@click.option("--bits", type=click.IntRange(0, 24), default=12, show_default=True, help="Of the converter; 0: none.")
@click.option("--noise", type=Between(0, 10), default=0.1, show_default=True, metavar="V", help="Standard deviation.")
@click.option("--seed", type=int, default=1, show_default=True)
def render(file: Path | None, listing: bool, **options: Any) -> None:
    """Render a pilot into FILE: .csv (time and volts) or .npy (volts).

    \b
    hilbench pilot render c16.csv --current 16
    hilbench pilot render broken.csv --illegal no-diode
    hilbench pilot measure c16.csv --limit 16
    """
    if listing:
        _list()
        return
    if file is None:
        raise click.UsageError("give a FILE to write, or --list")
    if file.suffix.lower() not in (".csv", ".npy"):
        raise InputError(str(file), f"{file.suffix or 'no ending'} is not written; use .csv or .npy")
    if options["current"] is not None and options["duty"] is not None:
        raise click.UsageError("--current and --duty say the same thing; give one of them")
    record = _rendered(**options)
    _write(file, record)
    click.echo(f"{file}: {len(record.values)} samples, {1.0 / record.dt_s:g} per second, {record.duration_s:g} s")


def _list() -> None:
    from hilbench_emulators.pilot.illegal import ILLEGAL

    for name, one in ILLEGAL.items():
        click.echo(f"{name:24} {one.what}")


def _rendered(*, span: float, rate: float, bits: int, noise: float, seed: int, **about: Any) -> Waveform:
    from hilbench_emulators.pilot import Digitiser, render

    count = round(span * rate)
    if not 2 <= count <= LONGEST:
        raise click.UsageError(f"{span:g} s at {rate:g} samples/s are {count} samples; 2 to {LONGEST} can be written")
    return render(_wire(**about), Digitiser(rate_hz=rate, bits=bits, noise_v=noise), count, t0_s=1.0, seed=seed)


def _wire(*, state: str, current: float | None, duty: float | None, capacity: float, illegal: str | None) -> Script:
    from hilbench_emulators.pilot import Circuit, duty_of_current, steady
    from hilbench_emulators.pilot.circuit import LOAD_OF
    from hilbench_emulators.pilot.illegal import illegal as broken

    if illegal is not None:
        return broken(illegal).wire()
    circuit = Circuit().with_capacity(capacity * 1e-9)
    sent = duty_of_current(current) if current is not None else duty if duty is not None else 40.0
    load = LOAD_OF.get(state[0], "B")
    return steady(load, 0.0 if state == "F" else sent if state.endswith("2") else 100.0, circuit)


def _write(file: Path, record: Waveform) -> None:
    try:
        if file.suffix.lower() == ".npy":
            np.save(file, record.values)
            return
        table = np.column_stack([np.arange(len(record.values)) * record.dt_s, record.values])
        np.savetxt(file, table, fmt=("%.9g", "%.5f"), delimiter=",", header="time_s,pilot_V", comments="")
    except OSError as error:
        raise InputError(str(file), f"cannot be written: {error.strerror or error}") from error
