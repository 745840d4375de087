"""The catalogue of misbehaviours that people have reported: each is data, and can be put into a rig by its id.

One TOML file per kind of culprit; those of DC are in :mod:`hilbench_emulators.dc_outlet.quirks`. ``use`` says how an
entry is played, with ``$name`` for its parameters:

- ``vehicle``: every car is the one of that name, with top-level keys replaced (``model-3+dead_time_s=$dead_time_s``);
- ``personality``: every station is of that make, with keys replaced (``standard+behaviour.start_window_s=$window_s``);
- ``meter``: keys of the site meter are replaced (``interval_s=$interval_s+latency_s=2.0``);
- ``station``: a quirk of emulated stations by its id; ``dc``: one of DC stations or of their cars;
- ``controller``: the reference controller has that defect;
- ``procedure``: the procedure plays it by itself, in every run.

``naive`` is the defect of the reference controller that is the naive law for this entry: in ``procedure`` on ``rig`` it
must fail where the reference controller passes. Entries with ``device`` are judged without a controller's mistake: the
device ``fails`` the procedure by itself, or charger and controller cope and it passes.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from string import Template, ascii_lowercase
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from hilbench.errors import InputError, Problem
from hilbench.site import Model, Number
from hilbench.tomlfile import in_words, read_toml
from hilbench_emulators.dc_outlet.quirk import DcQuirk
from hilbench_emulators.dc_outlet.quirks import QUIRKS as DC_QUIRKS

FAMILIES = ("cars", "pilot", "stations", "meters", "controllers")
By = Literal["vehicle", "personality", "meter", "station", "dc", "controller", "procedure"]
Who = Literal["car", "station", "meter", "controller", "board", "DC car", "DC station"]
_FOLDER = Path(__file__).parent
Text = Annotated[str, Field(min_length=1)]
_AT_FULL_CURRENT = frozenset(("delivers-less", "late-output", "low-maximum-voltage", "ends-at-zero"))
"""These show on pair-dc, and not on mixed-dc, whose stations hold a session and share their modules."""


class Parameter(Model):
    """A figure of an entry: its ``default`` as reported, its ``unit``, and what it means."""

    default: Number
    unit: str
    meaning: Text


class Quirk(Model):
    """One entry; ``single`` ones are played by the first station or car alone.

    ``figure`` is what was reported, ``good`` what a good controller does, ``hidden`` why no procedure of load
    management can show it (empty: ``procedure`` does).
    """

    id: Annotated[str, Field(pattern=r"^[A-Z][0-9]{1,2}[a-z]?$")]
    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    title: Text
    who: Who
    source: Text
    confidence: Text = "read-issue"
    figure: Text
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    by: By
    use: str = ""
    single: bool = False
    procedure: str = ""
    rig: str = "workplace-10"
    naive: str = ""
    device: Literal["", "fails", "copes"] = ""
    good: Text
    hidden: str = ""

    @model_validator(mode="after")
    def _shown_or_hidden(self) -> Quirk:
        if bool(self.hidden) == bool(self.procedure and (self.naive or self.device)):
            raise ValueError("needs a procedure and who fails there, or the reason why it is hidden")
        if not self.use and self.by != "procedure":
            raise ValueError(f"played by {self.by!r}, needs use")
        return self

    def played(self, values: Mapping[str, float]) -> str:
        """``use`` with its figures."""
        figures = {name: values.get(name, one.default) for name, one in self.parameters.items()}
        return Template(self.use).substitute({name: f"{value:g}" for name, value in figures.items()})


class Chosen(Model):
    """An entry with the figures that were asked for."""

    quirk: Quirk
    values: dict[str, float] = Field(default_factory=dict)

    def __str__(self) -> str:
        said = ",".join(f"{name}={value:g}" for name, value in self.values.items())
        return f"{self.quirk.id}:{said}" if said else self.quirk.id


@cache
def quirks() -> dict[str, Quirk]:
    """The catalogue by id; raises ``InputError`` for a damaged file of it."""
    found: dict[str, Quirk] = {}
    for family in FAMILIES:
        path = _FOLDER / f"{family}.toml"
        data, _text = read_toml(path)
        try:
            entries = TypeAdapter(tuple[Quirk, ...]).validate_python(data.get("quirk", ()))
        except ValidationError as error:
            problems = [Problem(".".join(map(str, d["loc"])), *in_words(d)) for d in error.errors()]
            raise InputError(str(path), problems) from None
        found.update({entry.id: entry for entry in entries})
    return found | {entry.id: entry for entry in _of_dc()}


def _of_dc() -> list[Quirk]:
    """The misbehaviours of DC stations and cars, numbered as their catalogue is: D4a and D4b are one report."""
    reports = Counter(one.shown.number for one in DC_QUIRKS.values())
    letters = {number: iter(ascii_lowercase) for number in reports}
    found = []
    for one in DC_QUIRKS.values():
        number = one.shown.number
        letter = next(letters[number]) if reports[number] > 1 else ""
        found.append(_dc(one, f"D{number}{letter}"))
    return found


def _dc(one: DcQuirk, id_: str) -> Quirk:
    return Quirk(
        id=id_,
        name=one.id,
        title=one.what,
        who="DC car" if one.side == "car" else "DC station",
        source=one.source,
        confidence=one.confidence,
        figure=one.what,
        by="dc",
        use=one.id,
        procedure=one.shown.procedure,
        rig="pair-dc" if one.id in _AT_FULL_CURRENT else "mixed-dc",
        device=one.shown.copes,
        good=one.shown.because,
    )


def quirk(name: str) -> Quirk:
    """An entry by its id or name; raises ``InputError`` with those that are near."""
    known = quirks()
    for entry in known.values():
        if name in (entry.id, entry.name):
            return entry
    near = difflib.get_close_matches(name, [*known, *(entry.name for entry in known.values())])
    remedy = f"did you mean {' or '.join(near)}?" if near else "see hilbench quirks list"
    raise InputError("quirk", Problem(repr(name), "no such quirk", remedy))


def chosen(text: str) -> Chosen:
    """``ID`` or ``ID:name=value,name=value``; raises ``InputError``."""
    name, colon, rest = text.partition(":")
    entry = quirk(name)
    values: dict[str, float] = {}
    for part in rest.split(",") if colon else ():
        key, _, figure = part.partition("=")
        if key not in entry.parameters:
            known = ", ".join(f"{one} [{p.unit}]" for one, p in entry.parameters.items()) or "none"
            raise InputError("quirk", Problem(text, f"{entry.id} has no parameter {key!r}", f"it has {known}"))
        try:
            values[key] = float(figure)
        except ValueError:
            raise InputError("quirk", Problem(text, f"{figure!r} is no number", f"write {key}=NUMBER")) from None
    return Chosen(quirk=entry, values=values)
