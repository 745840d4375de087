"""What ``hilbench station`` shows while it runs and at its end: a live table, or a line per change."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hilbench import clock
from hilbench.fleet import Fleet
from hilbench.fleet_member import Row

KEYS = "up/down/1-9 select   p plug   u unplug   a start   f fault   d drop   r reconnect   q quit"
_COLOURS = {
    "online": "green",
    "Charging": "green",
    "Faulted": "bold red",
    "Unavailable": "yellow",
    "SuspendedEVSE": "yellow",
    "cut": "red",
}
_LINES = 25
"""Stations that a terminal shows at once, around the selected one."""


def _colour(word: str) -> str:
    return _COLOURS.get(word, "red" if word.startswith("offline") else "")


def table(rows: Sequence[Row], selected: int) -> Table:
    """The stations; the selected one has a mark."""
    found = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "station", "link", "status", "transaction"):
        found.add_column(name, no_wrap=True, max_width=44)
    for name in ("limit A", "offered A", "drawn A", "kWh"):
        found.add_column(name, justify="right", no_wrap=True)
    found.add_column("last message", no_wrap=True)
    first = max(0, min(selected - _LINES // 2, len(rows) - _LINES))
    for index, row in list(enumerate(rows))[first : first + _LINES]:
        figures = [f"{value:.1f}" for value in (row.limit_a, row.offered_a, row.drawn_a)]
        found.add_row(
            Text(">" if index == selected else " "),
            Text(row.identity, "bold" if index == selected else ""),
            Text(row.link, _colour(row.link)),
            Text(row.status, _colour(row.status)),
            Text(row.transaction),
            *map(Text, [*figures, f"{row.energy_kwh:.3f}", row.last]),
        )
    return found


def line(row: Row) -> str:
    """A station as one line."""
    running = f", transaction {row.transaction}" if row.transaction else ""
    figures = f"limit {row.limit_a:.1f} A, offered {row.offered_a:.1f} A, drawn {row.drawn_a:.1f} A"
    return f"{row.identity}: {row.link}, {row.status}{running}, {figures}, {row.energy_kwh:.3f} kWh"


class Lines:
    """One line for each change, as soon as the current stands still."""

    def __init__(self, *, err: bool) -> None:
        self._err = err
        self._shown: dict[str, tuple[Any, ...]] = {}
        self._before: dict[str, float] = {}

    def show(self, fleet: Fleet) -> None:
        """Look at all stations."""
        for row in fleet.rows():
            still = abs(self._before.get(row.identity, row.drawn_a) - row.drawn_a) < 0.1
            self._before[row.identity] = row.drawn_a
            if still and self._shown.get(row.identity) != row.settled:
                self._shown[row.identity] = row.settled
                self.say(line(row))

    def say(self, text: str) -> None:
        """A line of its own."""
        click.echo(f"{clock.time():8.1f} s  {text}", err=self._err)


class Screen:
    """A live table with the keys below; ``selected`` is the index of the station that keys act on."""

    def __init__(self, live: Live) -> None:
        self.selected = 0
        self._live = live
        self._said: deque[str] = deque(maxlen=3)

    def show(self, fleet: Fleet) -> None:
        """Draw everything again."""
        said = [Text(text, "yellow") for text in self._said]
        self._live.update(Group(table(list(fleet.rows()), self.selected), *said, Text(KEYS, "dim")), refresh=True)

    def say(self, text: str) -> None:
        """A line below the table, until others push it out."""
        self._said.append(text)


def report(console: Console, reports: Sequence[dict[str, Any]]) -> None:
    """What came of each station."""
    found = Table(box=None, pad_edge=False, header_style="bold")
    found.add_column("station", no_wrap=True)
    for name in ("sent", "received", "transactions", "kWh", "limit A"):
        found.add_column(name, justify="right", no_wrap=True)
    found.add_column("refusals", overflow="fold")
    for one in reports:
        figures = [str(one[key]) for key in ("sent", "received", "transactions")]
        refusals = [f"by the station: {text}" for text in one["refused_by_station"]]
        refusals += [f"by the controller: {text}" for text in one["refused_by_controller"]]
        if one["reason"]:
            refusals.insert(0, f"{'failed' if one['accepted'] else 'never accepted'}: {one['reason']}")
        cells = [one["identity"], *figures, f"{one['energy_kwh']:.3f}", f"{one['limit_a']:.1f}", _few(refusals)]
        found.add_row(*map(Text, cells))
    console.print(found)


def _few(texts: list[str]) -> str:
    shown = texts[:5] + ([f"and {len(texts) - 5} more"] if len(texts) > 5 else [])
    return "\n".join(shown)
