"""Many repeats together: order statistics, what they show of a limit, and when they show nothing."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hilbench.cli import main
from hilbench.evidence.repeats import ENOUGH, claim, spreads


def repeat(value: float | None, metric: str = "t90", limit: float = 10.0) -> list[dict[str, Any]]:
    """The measurements of one repeat."""
    op, unit = (">=", "1") if metric == "jain_index" else ("<=", "s")
    return [{"metric": metric, "value": value, "unit": unit, "op": op, "limit_value": limit, "verdict": "PASS"}]


def ranked(n: int, metric: str = "t90", limit: float = 10.0) -> list[list[dict[str, Any]]]:
    """``n`` repeats whose values are 1 to n, shuffled."""
    return [repeat(float(value), metric, limit) for value in np.random.default_rng(3).permutation(n) + 1]


@pytest.mark.parametrize(("n", "rank"), [(59, 59), (93, 92), (100, 99), (200, 196), (300, 292)])
def test_the_bound_is_the_order_statistic(n: int, rank: int) -> None:
    """Of 100 repeats the 99th bounds the 95 % quantile with 95 % confidence; of 93 one may be worse."""
    (one,) = spreads(ranked(n))
    assert one.bound == rank
    assert (one.n, one.worst, one.tail) == (n, n, math.ceil(0.95 * n))


def test_with_more_as_better_the_other_end_counts() -> None:
    """The bad end of a fairness index is its low one."""
    (one,) = spreads(ranked(100, "jain_index", 0.95))
    assert (one.bound, one.tail, one.worst) == (2.0, 6.0, 1.0)
    assert one.shown is True
    (bad,) = spreads(ranked(100, "jain_index", 2.5))
    assert claim(bad) == "not shown that 95 % keep it"


def test_58_repeats_claim_nothing() -> None:
    """However good they are; 59 do."""
    (few,), (enough,) = spreads(ranked(58, limit=99.0)), spreads(ranked(59, limit=99.0))
    assert ENOUGH == 59
    assert math.isnan(few.bound)
    assert claim(few) == "indicative: below 59 repeats"
    assert claim(enough) == "95 % keep it"


def test_a_repeat_without_a_value_takes_the_claim_away() -> None:
    """It is counted, never left out."""
    (one,) = spreads([*ranked(100, limit=999.0), repeat(None, limit=999.0)])
    assert (one.n, one.missing) == (100, 1)
    assert math.isnan(one.bound)
    assert claim(one) == "no value in 1 of 101"
    assert claim(spreads([repeat(None), repeat(None)])[0]) == "no value in 2 of 2"


def test_what_never_happened_is_the_worst() -> None:
    """One repeat of 60 in which it never came about leaves 59 of 60 good, and no bound but never."""
    (one,) = spreads([*ranked(59, limit=99.0), repeat(math.inf, limit=99.0)])
    assert (one.worst, one.bound) == (math.inf, math.inf)
    assert claim(one) == "not shown that 95 % keep it"


def test_of_one_repeat_the_worst_line_counts() -> None:
    """Values of the lines of one repeat are not independent: they are one."""
    (one,) = spreads([repeat(1.0) + repeat(3.0) + repeat(2.0) for _ in range(60)])
    assert (one.n, one.median, one.worst) == (60, 3.0, 3.0)


def test_the_interval_of_the_median_holds_it() -> None:
    """It narrows with more repeats, and the same repeats give the same interval."""
    few, many = spreads(ranked(60))[0], spreads(ranked(600))[0]
    assert few.median_low < few.median < few.median_high
    assert (many.median_high - many.median_low) / 600 < (few.median_high - few.median_low) / 60
    assert spreads(ranked(60))[0] == few


def test_a_repeated_run_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three repeats draw three phases and are told as an indication, in the terminal and in the report."""
    monkeypatch.setenv("COLUMNS", "160")
    words = ["run", "--only", "7.1", "--repeat", "3", "--jobs", "1", "--out", str(tmp_path)]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "worst of each repeat" in said
    assert "indicative" in said
    report = (tmp_path / "0001" / "report.html").read_text("utf-8")
    assert "indicative: below 59 repeats" in report
    starts = set()
    for path in sorted((tmp_path / "0001" / "procedures").glob("*/events.jsonl")):
        events = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        starts.add(round(next(e["t"] for e in events if e["kind"].startswith("stimulus")) % 1.0, 6))
    assert len(starts) == 3
