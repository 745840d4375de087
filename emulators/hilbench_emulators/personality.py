"""Makes of charging stations as data: where one differs from what OCPP asks for, and who has seen it.

One TOML file per personality in ``personalities``; a user's own is given by its path. Everything that a file does not
say is as in ``standard``: the text of the protocol and the defaults of :mod:`hilbench_emulators.smart_charging`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import Field, ValidationError, create_model

from hilbench.errors import InputError, Problem
from hilbench.site import Integer, Model, Number
from hilbench.tomlfile import in_words
from hilbench_emulators.shipped import read_shipped, shipped
from hilbench_emulators.smart_charging.model import Purpose
from hilbench_emulators.smart_charging.options import Options

_FOLDER = Path(__file__).parent / "personalities"
_NO_DATA = ("zone", "delay")
"""Options that no file can say: they are code."""
Seconds = Annotated[Number, Field(ge=0, le=86_400)]
Amperes = Annotated[Number, Field(ge=0, le=1000)]
_TYPES = get_type_hints(Options)
_TUNABLE: dict[str, Any] = {
    field.name: (_TYPES[field.name], None) for field in fields(Options) if field.name not in _NO_DATA
}
SmartCharging: type[Model] = create_model("SmartCharging", __base__=Model, **_TUNABLE)
"""``[smart_charging]``: options of the smart charging core that differ; keys as in ``Options``."""


class Behaviour(Model):
    """``[behaviour]``: what becomes of profiles between their acceptance and the pilot.

    Refused though they fit: ``refused_limits_a`` (any period with that limit [A]), ``refused_stack_levels``,
    ``refused_for_station`` (purposes on connector or EVSE 0).

    Read wrongly: ``ignored`` purposes are accepted and have no effect, ``ignores_duration`` lets schedules last for
    ever, ``last_period_only`` skips to their end, ``station_share`` is the part of a station maximum that the outlet
    gets, ``least_of_tx_and_default`` lets a TxProfile only lower, ``ignores_default_offline`` drops TxDefaultProfiles
    without a connection.

    Forgotten: ``forgets`` all profiles at ``reconnect``, ``reboot`` or ``resume`` (after a pause by a limit below
    6 A). ``power_up_a`` holds from power-up to the first accepted profile.

    Applied wrongly: ``start_window_s`` of full current at each transaction start, ``clamp_min_a`` and ``clamp_max_a``
    bound every limit, ``delay_s`` and ``ramp_a_per_s`` (0: at once) slow every change, ``failsafe_s`` without a new
    profile leads to ``failsafe_a``.
    """

    refused_limits_a: tuple[Amperes, ...] = ()
    refused_stack_levels: tuple[Integer, ...] = ()
    refused_for_station: frozenset[Purpose] = frozenset()
    ignored: frozenset[Purpose] = frozenset()
    ignores_duration: bool = False
    last_period_only: bool = False
    station_share: Annotated[Number, Field(gt=0, le=1)] = 1.0
    least_of_tx_and_default: bool = False
    ignores_default_offline: bool = False
    forgets: frozenset[Literal["reconnect", "reboot", "resume"]] = frozenset()
    power_up_a: Amperes | None = None
    start_window_s: Seconds = 0.0
    clamp_min_a: Amperes = 0.0
    clamp_max_a: Amperes | None = None
    delay_s: Seconds = 0.0
    ramp_a_per_s: Amperes = 0.0
    failsafe_s: Seconds | None = None
    failsafe_a: Amperes = 6.0


class Reporting(Model):
    """``[reporting]``: what it tells, and when.

    ``interval_s`` is kept whatever is configured; ``current_unit`` mA has no unit in OCPP 1.6 and is labelled A there;
    ``phases = "sum"`` gives one current without a phase, and ``dc_sides = "outlet"`` lets a DC station say nothing of
    its grid side; ``zero_power`` always reports 0 W; without ``milliseconds``
    timestamps are in whole seconds. ``reconnect_s`` is a fixed wait before each new connection.
    """

    interval_s: Annotated[Number, Field(ge=1, le=86_400)] | None = None
    current_unit: Literal["A", "mA"] = "A"
    power_unit: Literal["W", "kW"] = "W"
    phases: Literal["each", "sum"] = "each"
    dc_sides: Literal["both", "outlet"] = "both"
    zero_power: bool = False
    milliseconds: bool = True
    reconnect_s: Annotated[Number, Field(gt=0, le=86_400)] | None = None


class Personality(Model):
    """A make of station; ``confidence`` says how its source knows: measured, read-issue, standard-text, chosen."""

    id: str
    title: Annotated[str, Field(min_length=1)]
    sources: Annotated[tuple[str, ...], Field(min_length=1)]
    confidence: Literal["measured", "read-issue", "standard-text", "chosen"]
    smart_charging: SmartCharging = Field(default_factory=SmartCharging)  # pyright: ignore[reportInvalidTypeForm] - made from Options
    behaviour: Behaviour = Behaviour()
    reporting: Reporting = Reporting()

    def options(self, base: Options) -> Options:
        """``base`` with what this make does differently."""
        own: Model = self.smart_charging
        return replace(base, **{key: getattr(own, key) for key in own.model_fields_set})


def names() -> list[str]:
    """Ids of the shipped personalities."""
    return shipped(_FOLDER)


@lru_cache(maxsize=256)
def load_personality(name_or_path: str) -> Personality:
    """A shipped personality by its id, or one from a TOML file; raises ``InputError`` with every wrong key."""
    path, data = read_shipped(_FOLDER, name_or_path, "personality")
    try:
        return Personality.model_validate({"id": path.stem, **data})
    except ValidationError as error:
        raise InputError(str(path), list(_problems(error))) from None


def _problems(error: ValidationError) -> Iterator[Problem]:
    for details in error.errors():
        what, remedy = in_words(details)
        if details["type"] == "extra_forbidden":
            *tables, key = (str(part) for part in details["loc"])
            close = difflib.get_close_matches(key, _keys(tables[0] if tables else ""), 1)
            remedy = f"did you mean {close[0]}?" if close else remedy
        yield Problem(".".join(map(str, details["loc"])), what, remedy)


def _keys(table: str) -> list[str]:
    kinds: dict[str, type[Model]] = {
        "": Personality,
        "smart_charging": SmartCharging,
        "behaviour": Behaviour,
        "reporting": Reporting,
    }
    return list(kinds[table].model_fields)


STANDARD = load_personality("standard")
"""A station that does what the text of OCPP says."""
