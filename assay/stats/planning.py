"""What more would buy: how the error of a rate falls with cases and with trials, and how many find a change.

A rate varies for two reasons: cases differ in difficulty, and one case does not come out alike each time. More trials
help against the second alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from assay.errors import InsufficientDataError
from assay.stats.rates import z_quantile


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The two parts of the variance of one trial of one case."""

    between: float
    """Variance of the cases' own pass rates."""
    within: float
    """Mean variance of a trial about its case's pass rate."""

    def se(self, *, cases: int, trials: int) -> float:
        """Return the standard error of the pass rate over so many cases of so many trials each.

        Raises:
            ValueError: One of them is below 1.

        Source:
            Miller (2024), Adding error bars to evals; STATISTICS 4.2.
        """
        if min(cases, trials) < 1:
            raise ValueError(f"{cases} cases of {trials} trials; expected at least one of each")
        return sqrt((self.between + self.within / trials) / cases)


def spread(trials: Sequence[Sequence[bool]] | NDArray[np.bool_]) -> Spread:
    """Return both parts of the variance, from several trials of each case.

    Args:
        trials: Cases by trials, True = pass, shape (cases, trials); the same number of trials for each case.

    The part between cases is what the variance of the cases' shares leaves when that of their trials is taken out,
    and 0 where it leaves nothing.

    Raises:
        InsufficientDataError: Fewer than two cases, or a single trial a case.
    """
    passed = np.asarray(trials, dtype=float)
    cases, k = passed.shape if passed.ndim == 2 else (0, 0)  # noqa: PLR2004 - cases by trials
    if cases < 2 or k < 2:  # noqa: PLR2004 - a variance takes two
        raise InsufficientDataError(
            f"{cases} cases of {k} trials tell nothing of how trials and cases vary; expected two of each: add trials"
        )
    shares = passed.mean(axis=1)
    within = float((shares * (1 - shares)).mean()) * k / (k - 1)
    return Spread(between=max(0.0, float(shares.var(ddof=1)) - within / k), within=within)


def cases_for(
    delta: float,
    *,
    between: float,
    within: tuple[float, float],
    trials: tuple[int, int],
    power: float = 0.8,
    level: float = 0.95,
) -> float:
    """Return how many cases a paired comparison of two versions takes to find a change; round it up.

    Args:
        delta: The change of the mean worth finding, above 0.
        between: Variance of the cases' differences of means, omega squared.
        within: Mean variance of a trial about its case's mean, of either version.
        trials: Trials of each case, of either version.
        power: Chance of finding the change.
        level: 1 minus the two-sided false-alarm rate.

    Raises:
        ValueError: A change of 0, a negative variance, no trial, or a power that is no share.

    Source:
        Miller (2024), equation 9: (z_a + z_b)^2 (omega^2 + s_A^2 / K_A + s_B^2 / K_B) / delta^2; STATISTICS 4.3.
    """
    if not (delta > 0 and min(between, *within) >= 0 and min(trials) >= 1 and 0 < power < 1):
        raise ValueError(
            f"delta {delta}, between {between}, within {within}, trials {trials}, power {power}; expected a change "
            "above 0, variances of at least 0, at least one trial and a power strictly between 0 and 1"
        )
    variance = between + sum(part / k for part, k in zip(within, trials, strict=True))
    return float((z_quantile(level) + norm.ppf(power)) ** 2 * variance / delta**2)
