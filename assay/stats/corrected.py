"""The pass rate behind a judge that errs: which estimator holds depends on how the labels were sampled.

Labels drawn from the very run that is reported, at random or at random within the judge's verdict: `double_sampling`.
Labels from a frozen calibration set with another mix of passes and fails: `rogan_gladen`, if TPR and TNR transfer.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from assay.errors import InsufficientDataError
from assay.stats.rates import Interval, z_quantile
from assay.stats.sampled import MIN_LABELS, DoubleSampling, Part, of_parts


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Human-labelled items by the judge's verdict and the human's label; pass is positive."""

    tp: float
    fp: float
    """Judge pass, human fail."""
    fn: float
    """Judge fail, human pass."""
    tn: float
    labels: int | None = None
    """Labelled items, where the counts are fewer since they are weighed; None where each item is counted."""

    @property
    def n(self) -> int:
        """Return the number of labelled items."""
        return round(self.tp + self.fp + self.fn + self.tn) if self.labels is None else self.labels


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

    It speaks of all items of which the judged ones are a random part; `sampled.of_parts` speaks of these very items.

    Raises:
        InsufficientDataError: Fewer than 50 labels, or a verdict that occurs without any labelled item.
        ValueError: More items are labelled than judged.

    Source:
        Tenenbein (1970); corrected TPR and TNR after Begg & Greenes (1983).
    """
    _require_part(labelled, judge_pass, judged)
    part = Part(
        human_of_passed=np.repeat([1.0, 0.0], [round(labelled.tp), round(labelled.fp)]),
        human_of_failed=np.repeat([1.0, 0.0], [round(labelled.fn), round(labelled.tn)]),
        judged=(judge_pass, judged - judge_pass),
    )
    return of_parts([part], is_finite=False, rng=rng, draws=draws, level=level)


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
    _require_rates(positives, negatives, judged, calibration.n)
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
    """Refuse counts that contradict each other."""
    strata = {"pass": (labelled.tp + labelled.fp, judge_pass), "fail": (labelled.fn + labelled.tn, judged - judge_pass)}
    if min(labelled.tp, labelled.fp, labelled.fn, labelled.tn) < 0:
        raise ValueError(f"the labelled counts are {labelled}; none may be negative")
    for verdict, (seen, total) in strata.items():
        if not 0 <= seen <= total:
            raise ValueError(f"{seen} items with the verdict {verdict} are labelled of {total} judged; expected a part")


def _require_rates(positives: float, negatives: float, judged: int, labels: int) -> None:
    if judged == 0:
        raise InsufficientDataError("the run has 0 judged items; a pass rate needs at least one")
    if labels < MIN_LABELS or not (positives and negatives):
        raise InsufficientDataError(
            f"the calibration set has {positives:.0f} human passes and {negatives:.0f} human fails; a correction needs "
            f"both and {MIN_LABELS} in all: label more, about as many fails as passes"
        )
