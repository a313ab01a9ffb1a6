"""Several trials of each case: how often does the product pass, does it ever, and does it every time?

The trials of one case are no independent evidence of the product, so every interval counts cases, not trials.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from assay.errors import DataError, InsufficientDataError
from assay.stats.rates import Interval, wilson_bounds, z_quantile

Trials = NDArray[np.bool_] | Sequence[Sequence[bool]] | Sequence[NDArray[np.bool_]]
"""Cases by trials, True = pass: an array of shape (cases, trials), or one row a case where their lengths differ."""
MIN_CASES = 30
"""With fewer cases no simple interval of clustered trials holds its level (STATISTICS 4.2)."""


@dataclass(frozen=True, kw_only=True)
class TrialRate(Interval):
    """A rate over the trials of many cases; `n` counts the cases."""

    trials: int
    """Trials of all cases together."""
    se: float
    """Clustered by case (CR1)."""
    deff: float | None
    """How many times the variance exceeds that of as many independent units; None where all units are alike."""
    caution: str
    """One sentence when the interval is narrower than its level says; empty otherwise."""


def pass_rate(trials: Trials, *, level: float = 0.95) -> TrialRate:
    """Return the share of all trials that pass.

    Args:
        trials: Cases by trials; a case with more trials weighs more.
        level: Confidence level of the two-sided interval.

    Raises:
        InsufficientDataError: Fewer than two cases, or a case without a trial.
        DataError: A trial is not True or False.

    Source:
        STATISTICS 4.2; Miller (2024), Adding error bars to evals, clustered standard errors with CR1 and t(G - 1).
    """
    rows = _rows(trials, 1)
    values = np.concatenate([np.asarray(row, dtype=float) for row in rows])
    cases = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    return _rate(values, cases, trials=len(values), level=level, name="pass rate")


def pass_hat_k(trials: Trials, k: int, *, level: float = 0.95) -> TrialRate:
    """Return pass^k: the chance that k trials of a case all pass, averaged over cases.

    Args:
        trials: Cases by trials, at least k of each case; every case weighs the same.
        k: Trials that must all pass, at least 1.
        level: Confidence level of the two-sided interval.

    Raises:
        InsufficientDataError: Fewer than two cases, or a case with fewer than k trials.
        DataError: A trial is not True or False.

    Source:
        Yao et al. (2024), tau-bench: the unbiased C(c, k) / C(n, k), c passes of n trials.
    """
    return _of_k(trials, k, level, "pass^", lambda n, c: comb(c, k) / comb(n, k))


def pass_at_k(trials: Trials, k: int, *, level: float = 0.95) -> TrialRate:
    """Return pass@k: the chance that at least one of k trials of a case passes, averaged over cases.

    Args:
        trials: As for `pass_hat_k`.
        k: Trials of which one must pass, at least 1.
        level: Confidence level of the two-sided interval.

    Raises:
        InsufficientDataError: As for `pass_hat_k`.
        DataError: As for `pass_hat_k`.

    Source:
        Chen et al. (2021), Evaluating large language models trained on code, eq. 1: 1 - C(n - c, k) / C(n, k).
    """
    return _of_k(trials, k, level, "pass@", lambda n, c: 1 - comb(n - c, k) / comb(n, k))


def _of_k(trials: Trials, k: int, level: float, name: str, chance: Callable[[int, int], float]) -> TrialRate:
    if k < 1:
        raise ValueError(f"k is {k}; expected at least 1")
    rows = _rows(trials, k)
    values = np.array([chance(len(row), int(row.sum())) for row in rows])
    return _rate(values, np.arange(len(rows)), trials=sum(map(len, rows)), level=level, name=f"{name}{k}")


def _rows(trials: Trials, least: int) -> list[NDArray[np.bool_]]:
    """Return one array of trials a case."""
    rows = [np.asarray(row) for row in trials]
    for index, row in enumerate(rows):
        if row.ndim != 1 or (row.size and row.dtype != np.bool_):
            raise DataError(
                f"case {index} has trials of shape {row.shape} and type {row.dtype}; expected a row of True and False: "
                "leave unscored trials out"
            )
        if len(row) < least:
            raise InsufficientDataError(f"case {index} has {len(row)} trials; {least} are needed: run more of it")
    if len(rows) < 2:  # noqa: PLR2004 - a spread needs two
        raise InsufficientDataError(f"{len(rows)} cases have trials; an interval needs at least two: add cases")
    return [row.astype(np.bool_) for row in rows]


def _rate(values: NDArray[np.float64], cases: NDArray[np.intp], *, trials: int, level: float, name: str) -> TrialRate:
    """Return a mean with its CR1 and t interval.

    Where all cases are alike that interval is a point and says nothing; Wilson's stands in, and `method` says so.
    """
    z, n, groups = z_quantile(level), len(values), int(cases[-1]) + 1
    rate = float(values.mean())
    sums = np.bincount(cases, values - rate)
    se = float(np.sqrt((sums**2).sum()) / n) * sqrt(groups / (groups - 1))
    naive = float(values.std(ddof=1)) / sqrt(n)
    half = float(student.ppf((1 + level) / 2, groups - 1)) * se
    low, high, method = max(0.0, rate - half), min(1.0, rate + half), "CR1 by case, t"
    is_flat = se <= np.finfo(float).eps * groups
    if is_flat:
        low, high = wilson_bounds(min(max(rate, 0.0), 1.0), groups, z)
        method = "Wilson over cases"
    few = f"{groups} cases, fewer than {MIN_CASES}: the interval holds the truth less often than {level:.0%}; add cases"
    return TrialRate(
        estimate=rate,
        low=low,
        high=high,
        n=groups,
        level=level,
        method=f"{name}, {method}",
        trials=trials,
        se=se,
        deff=None if is_flat else (se / naive) ** 2,
        caution=few if groups < MIN_CASES else "",
    )
