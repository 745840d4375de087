"""Every step of the acceptance catalogue as a test: the same code and the same limits as ``hilbench run``.

``pytest --pyargs hilbench.acceptance --rig RIG`` runs all of them, ``-k 7.1`` one. What a rig lacks is skipped by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hilbench.procedures import Procedure, catalogue

if TYPE_CHECKING:
    from hilbench.bench import Bench
    from hilbench.measuring import Measure


def _cases() -> list[Any]:
    return [
        pytest.param(
            procedure,
            id=f"{procedure.id}-{procedure.key}",
            marks=[pytest.mark.procedure(procedure.id), pytest.mark.needs(*sorted(procedure.needs))],
        )
        for procedure in catalogue()
    ]


@pytest.mark.parametrize("procedure", _cases())
async def test_procedure(bench: Bench, measure: Measure, procedure: Procedure) -> None:
    """The controller of the rig keeps every limit of this step."""
    await procedure.run(bench, measure)
