"""What happens to a fleet and when: commands, from a file of lines or of TOML, or from keys."""

from __future__ import annotations

import asyncio
import difflib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilbench import clock
from hilbench.errors import DeviceError, InputError, Problem
from hilbench.fleet import Fleet
from hilbench.fleet_member import Member
from hilbench.tomlfile import read_toml
from hilbench_emulators.vehicles import load_vehicle

VERBS = {
    "plug": "[CAR]      connect a car, present its tag",
    "unplug": "           take the car away",
    "start": "           present the tag again",
    "fault": "           the car draws too much; again: it no longer does",
    "drop": "[SECONDS]  cut the line to the controller",
    "reconnect": "           join the line again",
    "cycle": "[SECONDS]  power cycle (5 s)",
    "quit": "           end",
}
_SHAPE = "TIME COMMAND [STATION] [ARGUMENT], such as: 30 unplug CP1"
_KEYS = {"at", "do", "station", "argument"}
ALL = "all"


@dataclass(frozen=True)
class Command:
    """What to do at ``t`` [s] with some stations; ``argument`` is a car or a number of seconds."""

    t: float
    verb: str
    stations: tuple[str, ...]
    argument: str = ""


async def perform(fleet: Fleet, command: Command) -> list[str]:
    """Do it with each station; returns what could not be done, in words."""
    failed = []
    for name in command.stations:
        try:
            await _perform(fleet.members[name], command, fleet.plan.vehicle)
        except (DeviceError, InputError) as error:
            failed.append(str(error))
    return failed


async def _perform(member: Member, command: Command, vehicle: str) -> None:
    seconds = float(command.argument) if command.argument and command.verb in ("drop", "cycle") else None
    match command.verb:
        case "plug":
            await member.plug(command.argument or vehicle)
        case "unplug":
            await member.unplug()
        case "start":
            member.start_charging()
        case "fault":
            member.fault()
        case "drop":
            member.drop(seconds)
        case "reconnect":
            member.reconnect()
        case "cycle":
            member.cycle(5.0 if seconds is None else seconds)
        case _:
            pass


async def play(fleet: Fleet, script: Sequence[Command], told: Callable[[str], None]) -> bool:
    """Perform ``script`` from now on, its times as seconds from now; True when it ended with ``quit``."""
    began = clock.time()
    for command in script:
        await clock.sleep_until(began + command.t)
        if command.verb == "quit":
            return True
        for problem in await perform(fleet, command):
            told(problem)
    return False


async def keep_plugged(fleet: Fleet, told: Callable[[str], None]) -> None:
    """Plug the plan's car into each station when it is accepted for the first time."""
    waiting = list(fleet.members.values())
    while waiting:
        ready = [member for member in waiting if member.station.connected]
        waiting = [member for member in waiting if member not in ready]
        for member in ready:
            for problem in await perform(fleet, Command(0.0, "plug", (member.identity,))):
                told(problem)
        await asyncio.sleep(0.1)


# -- reading


def read_script(path: Path, stations: Sequence[str]) -> list[Command]:
    """The commands of a file in order of time; raises ``InputError`` with every line that is wrong."""
    rows = _toml_rows(path) if path.suffix == ".toml" else _line_rows(path)
    problems, commands = list[Problem](), list[Command]()
    for where, words in rows:
        try:
            commands.append(_command(words, stations))
        except InputError as error:
            problems += [Problem(where, str(problem)) for problem in error.problems]
        except ValueError as error:
            problems.append(Problem(where, str(error)))
    if problems:
        raise InputError(str(path), problems)
    return sorted(commands, key=lambda command: command.t)


def _line_rows(path: Path) -> list[tuple[str, list[str]]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise InputError(str(path), "is not UTF-8 text") from None
    except (OSError, ValueError) as error:
        raise InputError(str(path), f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    rows = [(f"line {number}", line.split("#")[0].split()) for number, line in enumerate(lines, 1)]
    return [(where, words) for where, words in rows if words]


def _toml_rows(path: Path) -> list[tuple[str, list[str]]]:
    """Rows of ``[[step]]`` tables: ``at``, ``do``, ``station``, ``argument``."""
    data, _text = read_toml(path)
    steps = data.pop("step", [])
    if data or not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise InputError(str(path), "is not a list of [[step]] tables with at, do, station and argument")
    for index, step in enumerate(steps):
        if odd := set(step) - _KEYS:
            raise InputError(str(path), Problem(f"step[{index}].{min(odd)}", "is not a key", ", ".join(sorted(_KEYS))))
    return [(f"step[{index}]", _words(step)) for index, step in enumerate(steps)]


def _words(step: dict[str, Any]) -> list[str]:
    return [str(step[key]) for key in ("at", "do", "station", "argument") if key in step]


def _command(words: Sequence[str], stations: Sequence[str]) -> Command:
    if len(words) < 2:
        raise ValueError(f"is not {_SHAPE}")
    t, verb, rest = _seconds(words[0], "a time"), words[1], list(words[2:])
    if verb not in VERBS:
        close = difflib.get_close_matches(verb, VERBS, 1)
        raise ValueError(f"there is no command {verb!r} ({f'did you mean {close[0]}?' if close else ', '.join(VERBS)})")
    chosen = tuple(stations)
    if rest and (rest[0] == ALL or rest[0] in stations):
        name = rest.pop(0)
        chosen = chosen if name == ALL else (name,)
    argument = _argument(verb, rest, stations)
    return Command(t, verb, () if verb == "quit" else chosen, argument)


def _argument(verb: str, rest: list[str], stations: Sequence[str]) -> str:
    takes = verb in ("plug", "drop", "cycle")
    if len(rest) > 1 or (rest and not takes):
        known = ", ".join(stations[:5]) + (", …" if len(stations) > 5 else "")
        raise ValueError(f"{rest[0]!r} is no station (there are {known}; all stands for every one)")
    if not rest:
        return ""
    if verb == "plug":
        load_vehicle(rest[0])
    else:
        _seconds(rest[0], "a number of seconds, nor a station")
    return rest[0]


def _seconds(text: str, what: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 <= found <= 1e7:
        raise ValueError(f"{text!r} is not {what} from 0 to 1e7 s")
    return found
