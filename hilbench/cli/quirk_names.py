"""Completion of the names of misbehaviours in the shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def complete_quirk(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem | str]:
    """Ids and names that begin so."""
    from hilbench_emulators.quirks import quirks as known

    return [name for one in known().values() for name in (one.id, one.name) if name.startswith(begun)]
