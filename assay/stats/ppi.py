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

MIN_CHANGED = 10
"""Labelled cases below which nothing is said of a change."""
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


def ppi_change(
    human: ArrayLike, judge: ArrayLike, chance: ArrayLike, everyone: ArrayLike, *, level: float = 0.95
) -> PredictionPowered:
    """Return the mean human difference of two versions over these very cases, from labels drawn with known chances.

    Args:
        human: Differences in [-1, 1], shape (n,), of the drawn cases on which people labelled both versions' answers.
        judge: The judge's differences on the same cases, same order.
        chance: Of each of them the chance that both answers were labelled, up to a factor.
        everyone: The judge's differences on all cases that could be drawn, those above included, shape (N,).
        level: Confidence level of the t interval at the effective number of labels.

    Half a case gained and half a case lost stand for what was not seen, so that equal differences have an interval too.

    Raises:
        InsufficientDataError: Fewer than 10 labelled cases.
        DataError: A difference is missing or outside [-1, 1].

    Source:
        Angelopoulos, Duchi & Zrnic (2023), PPI++, with Hajek weights and the correction for a finite population;
        the half cases after Agresti & Min (2005).
    """
    z_quantile(level)
    labels, scores = _scores("human", human, -1.0), _scores("judge", judge, -1.0)
    whole, weights = _scores("everyone", everyone, -1.0), 1 / np.asarray(chance, dtype=float)
    n, total = len(labels), len(whole)
    if n < MIN_CHANGED:
        raise InsufficientDataError(
            f"{n} changed cases are labelled in both versions; a change needs {MIN_CHANGED}: "
            f"label {MIN_CHANGED - n} more"
        )
    share = weights / weights.sum()
    spread = float(np.average((scores - share @ scores) ** 2, weights=share))
    covariance = float(np.average((scores - share @ scores) * (labels - share @ labels), weights=share))
    lam = float(np.clip(covariance / spread, 0, 1)) if spread else 0.0
    left = labels - lam * scores
    theta = float(lam * whole.mean() + share @ left)
    effective = 1 / float(share @ share)
    rest = max(0.0, 1 - n / total)
    unseen = (1 + theta**2) / effective
    variance = float(share**2 @ (left - share @ left) ** 2) * n / (n - 1) + unseen / (effective + 2)
    half = float(student.ppf((1 + level) / 2, max(effective - 1, 1))) * sqrt(variance * rest)
    return PredictionPowered(
        estimate=min(max(theta, -1.0), 1.0),
        low=max(-1.0, theta - half),
        high=min(1.0, theta + half),
        n=n,
        level=level,
        method="PPI++ on paired differences, weighed, t",
        se=sqrt(variance * rest),
        lam=lam,
        effective_n=effective,
        judged=total,
        clipped=not -1 <= theta <= 1,
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
