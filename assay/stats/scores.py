"""Does a judge that gives scores order the items as people do, and how far are its scores from theirs?"""

from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import spearmanr, t

from assay.errors import InsufficientDataError
from assay.stats.agreement import MIN_ITEMS
from assay.stats.annotators import percentile_bounds, resampled
from assay.stats.rates import Interval

Floats = NDArray[np.float64]


def spearman(human: ArrayLike, judge: ArrayLike) -> float:
    """Return Spearman's rank correlation, ties by their mean rank.

    Args:
        human: Scores of people, shape (n,).
        judge: Scores of the judge, same order of items.

    Raises:
        InsufficientDataError: Fewer than three items, or one side gave one and the same score throughout.
        ValueError: The shapes differ.

    Source:
        Spearman (1904), by scipy.
    """
    left, right = _scores(human, judge)
    if len(left) < 3:  # noqa: PLR2004 - two items always lie on a line
        raise InsufficientDataError(
            f"Spearman's correlation has {len(left)} items; it needs at least 3: label {3 - len(left)} more"
        )
    for name, side in (("people", left), ("the judge", right)):
        if np.ptp(side) == 0:
            raise InsufficientDataError(
                f"{name} gave the score {side[0]:g} to all {len(side)} items: Spearman's correlation is 0/0 there; add "
                "items of another score"
            )
    return float(spearmanr(left, right).statistic)


def spearman_interval(
    human: ArrayLike, judge: ArrayLike, *, rng: np.random.Generator, draws: int = 2_000, level: float = 0.95
) -> Interval:
    """Return Spearman's rank correlation with a percentile interval of a bootstrap over items.

    Args:
        human: As for `spearman`.
        judge: As for `spearman`.
        rng: Source of the bootstrap.
        draws: How many resamples.
        level: Level of the two-sided interval.

    Raises:
        InsufficientDataError: As for `spearman`; fewer than 50 items; or both orders are the same, where each resample
            is alike.

    Source:
        Efron (1979), Bootstrap methods, over items as for a panel's agreement (STATISTICS 1.3).
    """
    left, right = _scores(human, judge)
    estimate, n = spearman(left, right), len(left)
    if n < MIN_ITEMS:
        raise InsufficientDataError(
            f"Spearman's correlation has {n} items; an interval needs at least {MIN_ITEMS}: label {MIN_ITEMS - n} more"
        )
    if abs(estimate) > 1 - 1e-12:
        raise InsufficientDataError(
            f"Spearman's correlation is {estimate:.0f} on {n} items, so no interval exists; add items on which judge "
            "and people can differ"
        )
    pairs, times = np.unique(np.stack([left, right]), axis=1, return_counts=True)
    drawn = [_rank_correlations(pairs, weights) for weights in resampled(times, draws=draws, rng=rng)]
    low, high = percentile_bounds(
        np.concatenate(drawn), level, lacking="held one score only; add items of another score"
    )
    return Interval(
        estimate=estimate, low=low, high=high, n=n, level=level, method="Spearman's rho, bootstrap over items"
    )


def mean_interval(values: ArrayLike, *, what: str, level: float = 0.95) -> Interval:
    """Return the mean of one number an item with its t interval.

    Args:
        values: Shape (n,).
        what: The numbers, for the method and a message.
        level: Level of the two-sided interval.

    Raises:
        InsufficientDataError: Fewer than two items, or all numbers are one and the same.

    Source:
        Student (1908); STATISTICS 4.2.
    """
    found = np.asarray(values, dtype=float)
    n = len(found)
    if n < 2 or np.ptp(found) == 0:  # noqa: PLR2004 - a spread needs two
        raise InsufficientDataError(
            f"the {what} is the same on all {n} items, so no interval exists; add items on which it can differ"
        )
    half = float(t.ppf((1 + level) / 2, n - 1) * found.std(ddof=1) / sqrt(n))
    estimate = float(found.mean())
    return Interval(
        estimate=estimate, low=estimate - half, high=estimate + half, n=n, level=level, method=f"mean {what}, t"
    )


def _scores(human: ArrayLike, judge: ArrayLike) -> tuple[Floats, Floats]:
    left, right = np.asarray(human, dtype=float), np.asarray(judge, dtype=float)
    if left.shape != right.shape or left.ndim != 1:
        raise ValueError(f"human has shape {left.shape}, judge {right.shape}; expected equal shapes (n,)")
    return left, right


def _rank_correlations(pairs: Floats, weights: Floats) -> Floats:
    """Return the rank correlation of each resample of distinct pairs, NaN where one side is constant."""
    left, right = (_mean_ranks(side, weights) for side in pairs)
    n = weights.sum(axis=1, keepdims=True)
    left, right = (side - (weights * side).sum(axis=1, keepdims=True) / n for side in (left, right))
    spread = (weights * left**2).sum(axis=1) * (weights * right**2).sum(axis=1)
    return np.asarray((weights * left * right).sum(axis=1) / np.sqrt(np.where(spread > 0, spread, np.nan)))


def _mean_ranks(side: Floats, weights: Floats) -> Floats:
    """Return the mean rank of each pair's score among the items of each resample, shape (draws, pairs)."""
    order = np.argsort(side, kind="stable")
    starts = np.flatnonzero(np.diff(side[order], prepend=np.nan) != 0)
    counts = np.add.reduceat(weights[:, order], starts, axis=1)
    place = np.searchsorted(side[order][starts], side)
    return np.asarray((counts.cumsum(axis=1) - (counts - 1) / 2)[:, place])
