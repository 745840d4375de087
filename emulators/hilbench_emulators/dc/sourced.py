"""TOML files of which every figure says where it is from, and how sure that is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import ValidationError, model_validator

from hilbench.errors import InputError, Problem
from hilbench.site import Model
from hilbench.tomlfile import in_words
from hilbench_emulators.shipped import read_shipped

Confidence = Literal["measured", "standard-text", "vendor-doc", "read-code", "secondary", "recalled", "policy-default"]
Source = tuple[Confidence, str]
"""How sure a figure is, and where it is from."""


class Sourced(Model):
    """A file with a ``title`` and figures; ``source`` says of each of them ``[confidence, where it is from]``."""

    name: str
    title: str
    source: dict[str, Source]

    @model_validator(mode="after")
    def _every_figure_has_one(self) -> Sourced:
        figures = self.model_fields_set - {"name", "title", "source"}
        without, unknown = sorted(figures - set(self.source)), sorted(set(self.source) - figures)
        if without:
            raise ValueError(f"no source for {', '.join(without)}; add it to [source]")
        if unknown:
            raise ValueError(f"[source] speaks of {', '.join(unknown)}, which the file does not set; remove it")
        return self


File = TypeVar("File", bound=Sourced)


def read_sourced(kind: type[File], folder: Path, name_or_path: str, what: str) -> File:
    """A file of ``folder`` by its name, or one by its path; raises ``InputError`` with every wrong key."""
    path, data = read_shipped(folder, name_or_path, what)
    return checked(kind, str(path), {"name": path.stem, **data})


def checked(kind: type[File], where: str, data: dict[str, Any]) -> File:
    """``data`` as ``kind``; raises ``InputError``, naming ``where`` it is from."""
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        problems = [Problem(".".join(map(str, d["loc"])), *in_words(d)) for d in error.errors()]
        raise InputError(where, problems) from None
