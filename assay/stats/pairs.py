"""Pairwise verdicts: does the order of showing decide, who wins, and do judge and human agree with ties in play?"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from assay.errors import DataError, InsufficientDataError
from assay.stats.agreement import cohen, cross_table, gwet
from assay.stats.paired import bonett_price
from assay.stats.rates import Interval, wilson, wilson_bounds, z_quantile

SCALE = {"a": 0, "tie": 1, "b": 2}
"""The outcomes in their natural order, so that a tie is half a step from either side."""


@dataclass(frozen=True, kw_only=True)
class PositionBias:
    """What showing every pair in both orders revealed."""

    n: int
    first: int
    """Pairs whose two verdicts lean to whichever response was shown first."""
    second: int
    """Pairs whose two verdicts lean to whichever was shown second."""
    conflict: Interval
    """Share of pairs on which the two orders disagree, with Wilson's interval."""
    direction: Interval
    """(first - second) / n, with Bonett-Price's interval: above 0 the judge favours what it reads first."""
    p_value: float
    """Exact two-sided sign test of first against second."""


@dataclass(frozen=True, kw_only=True)
class WinRate(Interval):
    """The share of pairs that A wins, a tie as half, averaged over both orders."""

    se: float
    first_order: float
    """The same from the order AB alone: what a single order would have claimed."""
    second_order: float
    """The same from the order BA alone."""


@dataclass(frozen=True, kw_only=True)
class ThreeWay:
    """Agreement on A, tie and B."""

    n: int
    observed: float
    """Share of items with one and the same outcome."""
    kappa: float
    kappa_linear: float
    """The default: A against B costs twice as much as A against a tie."""
    ac1: float
    decided_share: float
    """Share of items that both called for A or B. The two figures below hold for these alone, and flatter."""
    decided_observed: float | None
    """None where no item was decided by both."""
    decided_kappa: float | None
    """None where undefined: nothing decided, or always for the same side."""


def position_bias(ab: Sequence[str], ba: Sequence[str], *, level: float = 0.95) -> PositionBias:
    """Return how far the order of showing decided the verdicts.

    Args:
        ab: Outcomes `a`, `b` or `tie` with A shown first, one a pair.
        ba: Outcomes with B shown first, in the same frame: `a` still means response A.
        level: Confidence level of the intervals.

    Raises:
        InsufficientDataError: There is no pair.
        DataError: An outcome is none of the three; leave out pairs that lack a verdict in either order.

    Source:
        STATISTICS 2.1; Wang et al. (2023), Zheng et al. (2023).
    """
    # A shown first and A chosen is a lean of one to the front; in BA the same verdict is one to the back.
    lean = _numbers(ba, "ba") - _numbers(ab, "ab", same_as=len(ba))
    first, second, n = int((lean > 0).sum()), int((lean < 0).sum()), len(lean)
    return PositionBias(
        n=n,
        first=first,
        second=second,
        conflict=wilson(first + second, n, level=level),
        direction=bonett_price(first, second, n, level=level),
        p_value=float(binomtest(first, first + second).pvalue) if first + second else 1.0,
    )


def win_rate(ab: Sequence[str], ba: Sequence[str], *, level: float = 0.95) -> WinRate:
    """Return how often A wins, each pair scored by the mean of its two orders.

    Args:
        ab: As for `position_bias`.
        ba: As for `position_bias`.
        level: Confidence level of the interval.

    Where all pairs scored alike the normal interval is a point and so says nothing; Wilson's stands in, and `method`
    says so.

    Raises:
        InsufficientDataError: Fewer than two pairs.
        DataError: As for `position_bias`.

    Source:
        STATISTICS 2.1.
    """
    first, second = 1 - _numbers(ab, "ab", same_as=len(ba)) / 2, 1 - _numbers(ba, "ba") / 2
    scores, n = (first + second) / 2, len(first)
    if n < 2:  # noqa: PLR2004 - a spread needs two
        raise InsufficientDataError(f"{n} pairs were judged in both orders; a win rate needs at least two")
    rate, se = float(scores.mean()), float(scores.std(ddof=1)) / sqrt(n)
    half = z_quantile(level) * se
    low, high, method = max(0.0, rate - half), min(1.0, rate + half), "mean of both orders, normal"
    if se == 0:
        low, high = wilson_bounds(rate, n, z_quantile(level))
        method = "mean of both orders, Wilson"
    return WinRate(
        estimate=rate,
        low=low,
        high=high,
        n=n,
        level=level,
        method=method,
        se=se,
        first_order=float(first.mean()),
        second_order=float(second.mean()),
    )


def three_way(human: Sequence[str], judge: Sequence[str]) -> ThreeWay:
    """Return the agreement of two raters on A, tie and B, with ties kept.

    Args:
        human: Outcomes `a`, `b` or `tie`, one an item.
        judge: The same of the judge, same order.

    Raises:
        InsufficientDataError: No item, or one and the same outcome throughout.
        DataError: An outcome is none of the three.

    Source:
        STATISTICS 1.6.
    """
    left, right = _numbers(human, "human", same_as=len(judge)), _numbers(judge, "judge")
    table = cross_table(left, right, classes=3)
    plain = cohen(table)
    decided = table[::2, ::2]
    both = decided.sum()
    defined = both and decided.diagonal().max() < both
    return ThreeWay(
        n=plain.n,
        observed=plain.observed,
        kappa=plain.estimate,
        kappa_linear=cohen(table, weights="linear").estimate,
        ac1=gwet(table).estimate,
        decided_share=float(both) / plain.n,
        decided_observed=float(decided.trace() / both) if both else None,
        decided_kappa=cohen(decided).estimate if defined else None,
    )


def _numbers(outcomes: Sequence[str], name: str, *, same_as: int | None = None) -> NDArray[np.float64]:
    """Return 0 for A, 1 for a tie, 2 for B."""
    if same_as is not None and len(outcomes) != same_as:
        raise ValueError(f"{name} has {len(outcomes)} outcomes, the other side {same_as}; they must be equal")
    if not len(outcomes):
        raise InsufficientDataError(f"{name} holds 0 outcomes; judge at least one pair")
    for outcome in outcomes:
        if outcome not in SCALE:
            raise DataError(f"an outcome of {name} is {outcome!r}; expected a, b or tie; leave unscored pairs out")
    return np.array([SCALE[outcome] for outcome in outcomes], dtype=float)
