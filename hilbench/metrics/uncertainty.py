"""Measurement uncertainty after the GUM: standard uncertainties are combined, results are expanded with k = 2."""

from __future__ import annotations

import math

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
    edge = sampling_s / math.sqrt(12.0)
    return COVERAGE * combined(*[edge] * edges, rectangular(clock_s))


def current_uncertainty(current_a: float, *error_pct: float, absolute_a: float = 0.0) -> float:
    """Expanded uncertainty [A] of a reading from the greatest errors [%] of the chain, and ``absolute_a`` on top.

    A class 1 CT at rated current with a 0.5 % meter gives 1.3 %.
    """
    relative = [rectangular(error / 100.0 * abs(current_a)) for error in error_pct]
    return COVERAGE * combined(*relative, rectangular(absolute_a))


def charge_uncertainty(duration_s: float, peak_excess_a: float, time_u_s: float, current_u_a: float) -> float:
    """Expanded uncertainty [A.s] of ampere-seconds above a limit.

    A current error lasts as long as the excursion (it is one systematic error, not noise); a time error counts with
    the highest excess that it can move. Both from expanded uncertainties.
    """
    return combined(duration_s * current_u_a, peak_excess_a * time_u_s)


def ratio_uncertainty(value: float, numerator_rel: float, denominator_rel: float) -> float:
    """Expanded uncertainty of a ratio from the relative expanded uncertainties of its two parts."""
    return abs(value) * combined(numerator_rel, denominator_rel)
