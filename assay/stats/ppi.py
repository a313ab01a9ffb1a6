"""The rate that people would give to all items, from a judge's scores on all of them and labels on a random part.

For a judge that scores or compares; with pass/fail verdicts, or labels drawn within verdicts, take `double_sampling`.
The better the scores follow the labels, the more of them counts (`lam`): all of it at 1, the labels alone at 0.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from assay.errors import DataError, InsufficientDataError
from assay.stats.rates import Interval, wilson_bounds, z_quantile
from assay.stats.sampled import MIN_LABELS

Scores = NDArray[np.float64]

MIN_UNLABELLED = 2
"""A spread needs two; where nearly everything is labelled, the labels' own rate is the better figure."""


@dataclass(frozen=True, kw_only=True)
class PredictionPowered(Interval):
    """An estimate from labels and a judge's scores; `n` counts the labels."""

    se: float
    lam: float
    """Share of the judge's scores that was used, 0 to 1; 0 means that the labels stand alone."""
    effective_n: float | None
    """Labels that would say as much without the judge; None for the t interval, which does not need it."""
    judged: int
    """All items that the judge scored, the labelled ones included."""
    clipped: bool
    """The estimate left its scale and was cut off at the end of it."""


@dataclass(frozen=True, kw_only=True)
class _Estimate:
    """What both estimators share, before an interval is put around it."""

    theta: float
    se: float
    lam: float
    n: int
    judged: int


def ppi(
    human: ArrayLike, judge: ArrayLike, unlabelled: ArrayLike, *, level: float = 0.95, lam: float | None = None
) -> PredictionPowered:
    """Return the mean human score of all judged items, with Wilson's interval at the effective number of labels.

    Args:
        human: Labels or human scores in [0, 1], shape (n,), of items drawn at random from all that were judged.
        judge: The judge's scores in [0, 1] of the same items, same order.
        unlabelled: The judge's scores in [0, 1] of all other items, shape (N - n,).
        level: Confidence level of the two-sided interval.
        lam: Weight of the judge, 0 to 1, fixed beforehand (1 is the first PPI); left out, the data choose it.

    The effective number is estimate · (1 - estimate) / SE², at most N. It is n where that says nothing: where SE is 0,
    since labels that all agree are still only n, and where the chosen weight takes the estimate to 0, 1 or beyond
    (`clipped`). A judge whose scores never vary has the weight 0, which leaves the labels alone.

    Raises:
        InsufficientDataError: Fewer than 50 labels, fewer than 2 other items, or a fixed `lam` that puts the estimate
            on a bound of the scale or beyond it.
        DataError: A score is missing or outside [0, 1].
        ValueError: The labelled columns differ in shape, or `lam` is no share.

    Source:
        Angelopoulos, Duchi & Zrnic (2023), PPI++: Efficient prediction-powered inference; STATISTICS 3.4. The interval
        follows Korn & Graubard (1998).
    """
    z = z_quantile(level)
    found = _estimate(human, judge, unlabelled, lowest=0.0, lam=lam)
    theta, size = min(max(found.theta, 0.0), 1.0), float(found.n)
    if 0 < theta < 1 and not _is_flat(found):
        size = min(theta * (1 - theta) / found.se**2, found.judged)
    elif lam is not None and (theta != found.theta or not _is_flat(found)):
        raise InsufficientDataError(
            f"the weight {lam:g} puts the estimate at {found.theta:.4f}; expected one inside (0, 1), since no other "
            "has an interval then: leave lam out, so that the data choose it, or label more items"
        )
    low, high = wilson_bounds(theta, size, z)
    return PredictionPowered(
        estimate=theta,
        low=low,
        high=high,
        n=found.n,
        level=level,
        method=f"{_name(lam)}, Wilson at effective n",
        se=found.se,
        lam=found.lam,
        effective_n=size,
        judged=found.judged,
        clipped=theta != found.theta,
    )


def ppi_difference(
    human: ArrayLike, judge: ArrayLike, unlabelled: ArrayLike, *, level: float = 0.95, lam: float | None = None
) -> PredictionPowered:
    """Return the mean human difference of two systems, A minus B, over all cases that the judge compared.

    Args:
        human: Differences in [-1, 1], shape (n,), of cases drawn at random on which people labelled both outputs.
        judge: The judge's differences in [-1, 1] on the same cases, same order.
        unlabelled: The judge's differences in [-1, 1] on all other cases, shape (N - n,).
        level: Confidence level of the t interval, with n - 1 degrees of freedom.
        lam: As for `ppi`.

    Holds when the judge is laxer on one system: its errors are measured on the labelled cases and taken out.

    Raises:
        InsufficientDataError: Fewer than 50 labelled cases, fewer than 2 others, or labelled cases without any
            spread, around which no interval exists.
        DataError: A difference is missing or outside [-1, 1].
        ValueError: The labelled columns differ in shape, or `lam` is no share.

    Source:
        As for `ppi`; STATISTICS 3.6.
    """
    z_quantile(level)
    found = _estimate(human, judge, unlabelled, lowest=-1.0, lam=lam)
    if _is_flat(found):
        raise InsufficientDataError(
            f"the difference is {found.theta:.3f} on each of {found.n} labelled cases, and without spread it has no "
            "interval; label cases on which the systems differ, or compare verdicts by the Bonett-Price interval"
        )
    theta = min(max(found.theta, -1.0), 1.0)
    half = float(student.ppf((1 + level) / 2, found.n - 1)) * found.se
    return PredictionPowered(
        estimate=theta,
        low=max(-1.0, min(found.theta - half, theta)),
        high=min(1.0, max(found.theta + half, theta)),
        n=found.n,
        level=level,
        method=f"{_name(lam)} on paired differences, t",
        se=found.se,
        lam=found.lam,
        effective_n=None,
        judged=found.judged,
        clipped=theta != found.theta,
    )


def _estimate(
    human: ArrayLike, judge: ArrayLike, unlabelled: ArrayLike, *, lowest: float, lam: float | None
) -> _Estimate:
    """Return the estimate and its standard error, STATISTICS 3.4."""
    labels, scores = _scores("human", human, lowest), _scores("judge", judge, lowest)
    others = _scores("unlabelled", unlabelled, lowest)
    _require(labels, scores, others, lam)
    n, rest = len(labels), len(others)
    weight = _tuned(labels, scores, others) if lam is None else float(lam)
    left = labels - weight * scores
    variance = weight**2 * others.var(ddof=1) / rest + left.var(ddof=1) / n
    return _Estimate(
        theta=float(weight * others.mean() + left.mean()),
        se=sqrt(float(variance)),
        lam=weight,
        n=n,
        judged=n + rest,
    )


def _tuned(labels: Scores, scores: Scores, others: Scores) -> float:
    """Return the weight with the smallest variance, cut to [0, 1]; 0 for a judge whose scores never vary."""
    everything = np.concatenate([scores, others])
    if np.ptp(everything) == 0:
        return 0.0
    covariance = float(np.cov(labels, scores)[0, 1])
    return float(np.clip(covariance / ((1 + len(labels) / len(others)) * everything.var(ddof=1)), 0, 1))


def _scores(name: str, values: ArrayLike, lowest: float) -> Scores:
    """Return a column of scores, or refuse it."""
    scores = np.asarray(values, dtype=float)
    if scores.ndim != 1:
        raise ValueError(f"{name} has shape {scores.shape}; expected a column of shape (n,)")
    outside = ~((scores >= lowest) & (scores <= 1))
    if outside.any():
        raise DataError(
            f"a score of {name} is {scores[outside][0]}; expected a number from {lowest:.0f} to 1: "
            "leave unscored items out"
        )
    return scores


def _require(labels: Scores, scores: Scores, others: Scores, lam: float | None) -> None:
    if labels.shape != scores.shape:
        raise ValueError(f"human has shape {labels.shape}, judge {scores.shape}; they must be equal")
    if lam is not None and not 0 <= lam <= 1:
        raise ValueError(f"lam is {lam!r}; expected a share from 0 to 1")
    if len(labels) < MIN_LABELS:
        raise InsufficientDataError(
            f"{len(labels)} judged items are labelled; an estimate through a judge needs {MIN_LABELS}: "
            f"label {MIN_LABELS - len(labels)} more"
        )
    if len(others) < MIN_UNLABELLED:
        raise InsufficientDataError(
            f"{len(others)} judged items are without a label; the judge adds something from {MIN_UNLABELLED} on: "
            "judge more items, or report the labels alone"
        )


def _is_flat(found: _Estimate) -> bool:
    """Say whether nothing varies, to rounding."""
    return bool(found.se <= np.finfo(float).eps * found.n)


def _name(lam: float | None) -> str:
    return "PPI++" if lam is None else f"PPI, lambda {lam:g}"
