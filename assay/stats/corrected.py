"""The pass rate behind a judge that errs: which estimator holds depends on how the labels were sampled.

Labels drawn from the very run that is reported, at random or at random within the judge's verdict: `double_sampling`.
Labels from a frozen calibration set with another mix of passes and fails: `rogan_gladen`, if TPR and TNR transfer.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from assay.errors import InsufficientDataError
from assay.stats.rates import Interval, z_quantile

MIN_LABELS = 50
"""Labels below which no corrected rate is published (STATISTICS 3.2)."""


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Human-labelled items by the judge's verdict and the human's label; pass is positive."""

    tp: int
    fp: int
    """Judge pass, human fail."""
    fn: int
    """Judge fail, human pass."""
    tn: int

    @property
    def n(self) -> int:
        """Return the number of labelled items."""
        return self.tp + self.fp + self.fn + self.tn


@dataclass(frozen=True, kw_only=True)
class DoubleSampling:
    """A corrected pass rate, with the judge's rates corrected for which items were labelled."""

    pass_rate: Interval
    tpr: Interval | None
    """None where no human pass was seen."""
    tnr: Interval | None
    """None where no human fail was seen."""
    judged: int
    draws: int


@dataclass(frozen=True, kw_only=True)
class Transferred(Interval):
    """A pass rate corrected by rates measured elsewhere: it holds only if TPR and TNR transfer."""

    clipped: bool
    """The correction left [0, 1] and was cut off: the rates do not fit this run."""
    youden: float
    """TPR + TNR - 1 of the calibration set."""


def double_sampling(
    labelled: Confusion,
    *,
    judge_pass: int,
    judged: int,
    rng: np.random.Generator,
    draws: int = 20_000,
    level: float = 0.95,
) -> DoubleSampling:
    """Return the pass rate that people would give to all judged items, from labels on a part of them.

    Args:
        labelled: Counts of the labelled part, sampled at random from the judged items or within their verdicts.
        judge_pass: Judge passes among all judged items, the labelled ones included.
        judged: All judged items.
        rng: Source of the posterior draws.
        draws: How many; 20,000 keeps the bounds within .0005.
        level: Level of the two-sided intervals.

    The bounds are quantiles of Jeffreys draws, widened to hold the estimate where that lies on a boundary.

    Raises:
        InsufficientDataError: Fewer than 50 labels, or a verdict that occurs without any labelled item.
        ValueError: More items are labelled than judged.

    Source:
        Tenenbein (1970); corrected TPR and TNR after Begg & Greenes (1983).
    """
    _require_part(labelled, judge_pass, judged)
    weight = judge_pass / judged
    passed = _share(labelled.tp, labelled.fp)
    failed = _share(labelled.fn, labelled.tn)
    estimate = weight * passed + (1 - weight) * failed
    share = _jeffreys(rng, judge_pass, judged - judge_pass, draws)
    hit = share * _jeffreys(rng, labelled.tp, labelled.fp, draws)
    miss = (1 - share) * _jeffreys(rng, labelled.fn, labelled.tn, draws)
    theta = hit + miss

    def interval(point: float, drawn: NDArray[np.float64], name: str) -> Interval:
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
        low, high = min(float(low), point), max(float(high), point)
        return Interval(estimate=point, low=low, high=high, n=labelled.n, level=level, method=name)

    return DoubleSampling(
        pass_rate=interval(estimate, theta, "double sampling, Jeffreys draws"),
        tpr=interval(weight * passed / estimate, hit / theta, "corrected TPR, Jeffreys draws") if estimate else None,
        tnr=interval(
            (1 - weight) * (1 - failed) / (1 - estimate),
            (1 - share - miss) / (1 - theta),
            "corrected TNR, Jeffreys draws",
        )
        if estimate < 1
        else None,
        judged=judged,
        draws=draws,
    )


def rogan_gladen(calibration: Confusion, *, judge_pass: int, judged: int, level: float = 0.95) -> Transferred:
    """Return the pass rate of a run from the judge's verdicts on it and its TPR and TNR measured elsewhere.

    Args:
        calibration: Counts on a frozen labelled set, whatever its mix of passes and fails.
        judge_pass: Judge passes in the run.
        judged: All judged items of the run.
        level: Confidence level of the Lang-Reiczigel interval.

    Raises:
        InsufficientDataError: No run, fewer than 50 labels, a human label that never occurs, or a judge no better
            than chance (TPR + TNR <= 1), from whom nothing can be corrected.

    Source:
        Rogan & Gladen (1978); interval of Lang & Reiczigel (2014).
    """
    positives, negatives = calibration.tp + calibration.fn, calibration.tn + calibration.fp
    _require_rates(positives, negatives, judged)
    if not 0 <= judge_pass <= judged:
        raise ValueError(f"the judge passed {judge_pass} of {judged} items; expected 0 <= judge_pass <= judged")
    z2 = z_quantile(level) ** 2
    youden = calibration.tp / positives + calibration.tn / negatives - 1
    tpr, tnr = (calibration.tp + 1) / (positives + 2), (calibration.tn + 1) / (negatives + 2)
    slope = tpr + tnr - 1
    if min(youden, slope) <= 0:
        raise InsufficientDataError(
            f"the judge's TPR + TNR is {youden + 1:.3f}; a correction needs more than 1, which is better than chance: "
            "improve the judge and calibrate it again"
        )
    raw = (judge_pass / judged + calibration.tn / negatives - 1) / youden
    size, rate = judged + z2, (judge_pass + z2 / 2) / (judged + z2)
    theta = (rate + tnr - 1) / slope
    false_part, true_part = tnr * (1 - tnr) / (negatives + 2), tpr * (1 - tpr) / (positives + 2)
    centre = theta + 2 * z2 * (theta * true_part - (1 - theta) * false_part)
    half = sqrt(z2 * (rate * (1 - rate) / size + (1 - theta) ** 2 * false_part + theta**2 * true_part)) / slope
    return Transferred(
        estimate=min(max(raw, 0.0), 1.0),
        low=min(max(centre - half, 0.0), 1.0),
        high=max(min(centre + half, 1.0), 0.0),
        n=calibration.n,
        level=level,
        method="Rogan-Gladen, Lang-Reiczigel interval",
        clipped=not 0 <= raw <= 1,
        youden=youden,
    )


def _require_part(labelled: Confusion, judge_pass: int, judged: int) -> None:
    """Refuse counts that contradict each other, and labels that say nothing of one of the verdicts."""
    strata = {"pass": (labelled.tp + labelled.fp, judge_pass), "fail": (labelled.fn + labelled.tn, judged - judge_pass)}
    if min(labelled.tp, labelled.fp, labelled.fn, labelled.tn) < 0:
        raise ValueError(f"the labelled counts are {labelled}; none may be negative")
    for verdict, (seen, total) in strata.items():
        if not 0 <= seen <= total:
            raise ValueError(f"{seen} items with the verdict {verdict} are labelled of {total} judged; expected a part")
    if labelled.n < MIN_LABELS:
        raise InsufficientDataError(
            f"{labelled.n} judged items are labelled; a corrected pass rate needs {MIN_LABELS}: "
            f"label {MIN_LABELS - labelled.n} more"
        )
    for verdict, (seen, total) in strata.items():
        if total and not seen:
            raise InsufficientDataError(
                f"none of the {total} items with the verdict {verdict} is labelled, so nothing is known of them; "
                f"label some of them, drawn at random"
            )


def _require_rates(positives: int, negatives: int, judged: int) -> None:
    if judged == 0:
        raise InsufficientDataError("the run has 0 judged items; a pass rate needs at least one")
    if positives + negatives < MIN_LABELS or not (positives and negatives):
        raise InsufficientDataError(
            f"the calibration set has {positives} human passes and {negatives} human fails; a correction needs both "
            f"and {MIN_LABELS} in all: label more, about as many fails as passes"
        )


def _share(successes: int, failures: int) -> float:
    """Return a share; 0 for a stratum that holds no judged item, where its weight is 0 too."""
    total = successes + failures
    return successes / total if total else 0.0


def _jeffreys(rng: np.random.Generator, successes: int, failures: int, draws: int) -> NDArray[np.float64]:
    return rng.beta(successes + 0.5, failures + 0.5, draws)
