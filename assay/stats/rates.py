"""One rate and its interval: the building stone of every other number."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from assay.errors import InsufficientDataError


@dataclass(frozen=True, kw_only=True)
class Interval:
    """An estimate with two-sided bounds, and how they were made."""

    estimate: float
    low: float
    high: float
    n: int
    """Independent units that carry the estimate."""
    level: float
    """Confidence level, such as 0.95."""
    method: str
    """The estimator and its interval, such as `wilson`."""


@dataclass(frozen=True, kw_only=True)
class UnscoredBounds:
    """A pass rate when some verdicts are missing: as scored, and at both extremes.

    The truth lies between `worst.low` and `best.high` whatever the missing verdicts would have been.
    """

    scored: Interval
    """Among the scored items alone."""
    worst: Interval
    """Every unscored item counted as a fail."""
    best: Interval
    """Every unscored item counted as a pass."""
    unscored_share: float


def z_quantile(level: float) -> float:
    """Return the normal quantile of a two-sided interval at `level`; 1.96 for 0.95.

    Raises:
        ValueError: `level` is not strictly between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"level is {level!r}; it must lie strictly between 0 and 1, such as 0.95")
    return float(norm.ppf((1 + level) / 2))


def wilson(successes: int, n: int, *, level: float = 0.95) -> Interval:
    """Return a rate with its Wilson score interval.

    Args:
        successes: Items that have the property, 0 to n.
        n: All items, counted once each.
        level: Confidence level of the two-sided interval.

    Raises:
        InsufficientDataError: `n` is 0; an empty sample has no rate.
        ValueError: The counts contradict each other.

    Source:
        Wilson (1927), Probable inference, the law of succession, and statistical inference.
    """
    if n == 0:
        raise InsufficientDataError("a rate was asked of 0 items, and an empty sample has none; add at least one item")
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} items; expected 0 <= successes <= n")
    low, high = wilson_bounds(successes / n, n, z_quantile(level))
    return Interval(estimate=successes / n, low=low, high=high, n=n, level=level, method="wilson")


def wilson_bounds(rate: float, n: float, z: float) -> tuple[float, float]:
    """Return the Wilson bounds of a rate over `n` items; `n` may be an effective size, so a fraction.

    The bounds never exclude the rate itself: at 0 and 1 they touch it exactly, without rounding.
    """
    shrink = 1 + z * z / n
    centre = (rate + z * z / (2 * n)) / shrink
    half = z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / shrink
    return max(0.0, min(centre - half, rate)), min(1.0, max(centre + half, rate))


def effective(weights: ArrayLike, is_event: ArrayLike) -> tuple[float, float]:
    """Return how many events of how many items would say as much unweighed; nothing of nothing where no weight is.

    Args:
        weights: Of each item, at least 0, shape (n,).
        is_event: Of each item, same order.

    Source:
        Kish (1965), Survey sampling: the effective size of a sample of unequal weights.
    """
    mine, events = np.asarray(weights, dtype=float), np.asarray(is_event, dtype=bool)
    total = float(mine.sum())
    if not total:
        return 0.0, 0.0
    size = total**2 / float((mine**2).sum())
    return size * float(mine[events].sum()) / total, size


def unscored_bounds(passes: int, fails: int, unscored: int, *, level: float = 0.95) -> UnscoredBounds:
    """Return a pass rate with what the missing verdicts could at most have changed.

    Args:
        passes: Items with the verdict pass.
        fails: Items with the verdict fail.
        unscored: Items whose scorer gave no verdict; neither a pass nor a fail.
        level: Confidence level of each interval.

    Raises:
        InsufficientDataError: No item was scored.
        ValueError: A count is negative.
    """
    if min(passes, fails, unscored) < 0:
        raise ValueError(f"counts are {passes}, {fails}, {unscored}; none may be negative")
    scored = wilson(passes, passes + fails, level=level)
    n = passes + fails + unscored
    return UnscoredBounds(
        scored=scored,
        worst=wilson(passes, n, level=level),
        best=wilson(passes + unscored, n, level=level),
        unscored_share=unscored / n,
    )
