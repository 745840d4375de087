"""Measurement uncertainty after the GUM: standard uncertainties are combined, results are expanded with k = 2."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

COVERAGE = 2.0
"""Coverage factor k of every expanded uncertainty U (about 95 %; GUM)."""

CT_RATIO_ERROR_PCT = {
    # class: (share of rated current, greatest ratio error [%]) of IEC 61869-2 (vendor-doc)
    "0.5": ((0.05, 1.5), (0.2, 0.75), (1.0, 0.5), (1.2, 0.5)),
    "0.5S": ((0.01, 1.5), (0.05, 0.75), (0.2, 0.5), (1.0, 0.5), (1.2, 0.5)),
    "1": ((0.05, 3.0), (0.2, 1.5), (1.0, 1.0), (1.2, 1.0)),
    "3": ((0.5, 3.0), (1.2, 3.0)),
    "5": ((0.5, 5.0), (1.2, 5.0)),
}


def ct_ratio_error_pct(accuracy_class: str, share: float) -> float:
    """Greatest ratio error [%] of a CT at ``share`` of its rated current, straight between the points of the standard.

    ``nan`` outside them, where the standard promises nothing. Raises ``ValueError`` for an unknown class.
    """
    if accuracy_class not in CT_RATIO_ERROR_PCT:
        raise ValueError(f"CT class {accuracy_class!r} is not one of {', '.join(CT_RATIO_ERROR_PCT)}")
    shares, errors = zip(*CT_RATIO_ERROR_PCT[accuracy_class], strict=True)
    return float(np.interp(share, shares, errors, left=math.nan, right=math.nan))


@dataclass(frozen=True)
class Part:
    """One line of an uncertainty budget: where it comes from, its standard uncertainty in the unit of the result, and
    how that was found."""

    source: str
    standard: float
    how: str


def expanded(*parts: Part) -> float:
    """Expanded uncertainty of a result whose ``parts`` are independent."""
    return COVERAGE * combined(*(part.standard for part in parts))


def rectangular(half_width: float) -> float:
    """Standard uncertainty of a value that lies anywhere within +- ``half_width``."""
    return half_width / math.sqrt(3.0)


def combined(*standard: float) -> float:
    """Standard uncertainty of a sum of independent contributions."""
    return math.hypot(*standard)


def time_uncertainty(sampling_s: float, clock_s: float = 0.0, edges: int = 2) -> float:
    """Expanded uncertainty [s] of a time between ``edges`` edges, each seen anywhere within one sampling interval.

    ``clock_s`` is the half width of the clock offset between the two ends. Two edges and 1 s give 0.82 s.
    """
    return expanded(*time_parts(sampling_s, clock_s, edges))


def time_parts(sampling_s: float, clock_s: float = 0.0, edges: int = 2) -> tuple[Part, ...]:
    """The budget [s] of :func:`time_uncertainty`."""
    edge = combined(*[sampling_s / math.sqrt(12.0)] * edges)
    return (
        Part("sampling", edge, f"{edges} edges, each anywhere within {sampling_s:g} s"),
        Part("clocks", rectangular(clock_s), f"rectangular, within {clock_s:g} s"),
    )


def current_uncertainty(current_a: float, *error_pct: float, absolute_a: float = 0.0) -> float:
    """Expanded uncertainty [A] of a reading from the greatest errors [%] of the chain, and ``absolute_a`` on top.

    A class 1 CT at rated current with a 0.5 % meter gives 1.3 %.
    """
    chain = {str(at): error for at, error in enumerate(error_pct)}
    return expanded(*current_parts(current_a, chain, absolute_a))


def current_parts(current_a: float, error_pct: Mapping[str, float], absolute_a: float = 0.0) -> tuple[Part, ...]:
    """The budget [A] of :func:`current_uncertainty`, with the links of the chain by name (``CT``, ``meter``)."""
    chain = (
        Part(name, rectangular(error / 100.0 * abs(current_a)), f"rectangular, within {error:g} % of the current")
        for name, error in error_pct.items()
    )
    return (*chain, Part("zero and resolution", rectangular(absolute_a), f"rectangular, within {absolute_a:g} A"))


def charge_uncertainty(duration_s: float, peak_excess_a: float, time_u_s: float, current_u_a: float) -> float:
    """Expanded uncertainty [A.s] of ampere-seconds above a limit.

    A current error lasts as long as the excursion (it is one systematic error, not noise); a time error counts with
    the highest excess that it can move. Both from expanded uncertainties.
    """
    return combined(duration_s * current_u_a, peak_excess_a * time_u_s)


def ratio_uncertainty(value: float, numerator_rel: float, denominator_rel: float) -> float:
    """Expanded uncertainty of a ratio from the relative expanded uncertainties of its two parts."""
    return abs(value) * combined(numerator_rel, denominator_rel)
