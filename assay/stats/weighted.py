"""A mean on another mix than that of the cases: what a set's rate, or its change, is on production's categories."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from assay.errors import DataError, InsufficientDataError
from assay.stats.rates import Interval, z_quantile

FEW = 10
"""Cases of a category below which its own part of the error is hardly known (STATISTICS 8.2)."""
UNEVEN = 2.0
"""Design effect from which the mix is so far from the set's that it has to be said."""


@dataclass(frozen=True, kw_only=True)
class PostStratified(Interval):
    """A mean weighted by the shares of categories."""

    se: float
    deff: float
    """Kish's design effect: how many times the cases that the weights cost."""
    caution: str
    """One sentence where the mix is far from the set's, or a category has few cases; empty otherwise."""

    @property
    def n_effective(self) -> float:
        """Return how many cases of the mix itself would be worth as much."""
        return self.n / self.deff


@dataclass(frozen=True, kw_only=True)
class Stratum:
    """The values of one category's cases."""

    values: Sequence[float]
    families: Sequence[Hashable] = ()
    """Of each value its family, which counts as one; empty where each is its own."""


def post_stratified(
    strata: Mapping[str, Stratum], weights: Mapping[str, float], *, level: float = 0.95
) -> PostStratified:
    """Return the mean over categories, each with its share of the mix.

    Args:
        strata: Values by category, such as 1 for a pass and 0 for a fail, or differences of two versions.
        weights: Share of each category in the mix, or any numbers in proportion to it; a category that is not in it
            counts for nothing.
        level: Confidence level of the two-sided interval.

    Raises:
        DataError: A weight is no number from 0 on, or all are 0.
        InsufficientDataError: A category of the mix has fewer than two cases, so that nobody knows what happens there.

    Source:
        Post-stratification, SE squared = sum of W squared s squared / n, over families the variance of a ratio of their
        sums (Cochran 1977, 5A.9 and 6.4); Kish (1965) for the design effect; STATISTICS 8.2.
    """
    whole = sum(weights.values())
    if not all(np.isfinite(weight) and weight >= 0 for weight in weights.values()) or whole <= 0:
        raise DataError(f"the weights are {dict(weights)}; expected numbers from 0 on, of which one is above 0")
    shares = {name: weight / whole for name, weight in weights.items() if weight}
    without = [name for name in shares if name not in strata or len(strata[name].values) < 2]  # noqa: PLR2004
    if without:
        raise InsufficientDataError(
            f"the category {without[0]!r} has a weight and fewer than two common cases, so nobody knows what happens "
            "there: add cases, or give its weight to another category"
        )
    mean = sum(share * float(np.mean(strata[name].values)) for name, share in shares.items())
    se = sqrt(sum(share**2 * _variance(strata[name]) for name, share in shares.items()))
    sizes = {name: len(strata[name].values) for name in shares}
    n = sum(sizes.values())
    deff = n * sum(share**2 / sizes[name] for name, share in shares.items())
    half = z_quantile(level) * se
    return PostStratified(
        estimate=mean,
        low=mean - half,
        high=mean + half,
        n=n,
        level=level,
        method="post-stratified",
        se=se,
        deff=deff,
        caution=_caution(deff, [name for name, size in sizes.items() if size < FEW]),
    )


def _variance(stratum: Stratum) -> float:
    """Return the variance of a category's mean, over families."""
    values = np.asarray(stratum.values, dtype=float)
    _, places = np.unique([str(one) for one in stratum.families] or range(len(values)), return_inverse=True)
    sums = np.bincount(places, values - values.mean())
    if len(sums) < 2:  # noqa: PLR2004 - a spread needs two
        raise InsufficientDataError("a category of the mix has cases of one family only: add cases of another one")
    return float((sums**2).sum()) / len(values) ** 2 * len(sums) / (len(sums) - 1)


def _caution(deff: float, few: Sequence[str]) -> str:
    if few:
        return f"{few[0]} has fewer than {FEW} cases, so its part of the error is hardly known: add cases"
    if deff > UNEVEN:
        return f"the mix is far from the set's: its cases are worth {1 / deff:.0%} of their number"
    return ""
