"""Damaged EXI messages: each is refused with an ExiError or gives a message that encodes again, in bounded time.

    python -m benches.exi_fuzz [--count 20000] [--seed 1]

Messages of all schemas are drawn from the tables and then flipped, cut, repeated or overwritten; beside them, random
bytes behind a true beginning. The slowest one is told: it must stay below 10 microseconds a byte and 5 ms.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from hilbench.ccs import exi
from hilbench.ccs.exi import ExiError, Schema
from tests.ccs_samples import messages
from tests.test_exi import mutant

EVERY = list(HealthCheck)
DRAWN = 60
"""Messages of a schema that are damaged."""
SLOWEST_S_PER_BYTE, FIXED_S = 10e-6, 5e-3


def drawn(schema: Schema) -> list[bytes]:
    """Encoded messages of a schema."""
    found: list[bytes] = []

    @settings(max_examples=DRAWN, deadline=None, phases=[Phase.generate], database=None, suppress_health_check=EVERY)
    @given(messages(schema))
    def collect(message: tuple[str, dict[str, Any]]) -> None:
        found.append(exi.encode(schema, *message))

    collect()
    return found


def damaged(samples: list[bytes], rng: random.Random) -> bytes:
    """A mutant of a mutant now and then, or noise behind the first bytes of a message."""
    data = rng.choice(samples)
    if rng.random() < 0.1:
        return data[: rng.randrange(1, 12)] + rng.randbytes(rng.randrange(2000))
    for _ in range(rng.randrange(1, 4)):
        data = mutant(data, rng) or b"\x80"
    return data


def outcome(schema: Schema, data: bytes) -> str:
    """What became of bytes; anything but a message and an ExiError ends the run."""
    try:
        found = exi.decode(schema, data)
    except ExiError:
        return "refused"
    again = exi.encode(schema, found.name, found.body)
    if exi.decode(schema, again) != found:
        raise SystemExit(f"{schema.title}: {data.hex()} is not the same after another round")
    return "message"


def main() -> int:
    """Run; 1 when the slowest was too slow."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng, outcomes, slowest, late = random.Random(asked.seed), Counter[str](), 0.0, 0
    schemas = list(exi.SCHEMAS.values())
    for schema in schemas:
        samples = drawn(schema)
        for _ in range(asked.count // len(schemas)):
            data = damaged(samples, rng)
            begin = time.process_time()
            outcomes[outcome(schema, data)] += 1
            taken = time.process_time() - begin
            slowest = max(slowest, taken)
            late += taken > FIXED_S + SLOWEST_S_PER_BYTE * len(data)
    print(f"{sum(outcomes.values())} inputs: {dict(outcomes)}; slowest {1e3 * slowest:.2f} ms of CPU, {late} too slow")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
