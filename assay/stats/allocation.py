"""Which items to label next, and how many: verdicts that are rare get more than their share.

A stratum is what the judge said (its verdict, or verdict and category); labels are drawn at random within it, and the
estimate that fits them is `double_sampling`, never a plain average of the labels.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assay.errors import InsufficientDataError
from assay.stats.rates import z_quantile
from assay.stats.sampled import MIN_LABELS

Allocation = Literal["sqrt", "random"]

EXACT = 9
"""Decimals to which two remainders must differ to count as different; what lies below is rounding of the machine."""


@dataclass(frozen=True, kw_only=True)
class LabelsNeeded:
    """How many labels a corrected pass rate takes for a given half-width."""

    labels: int
    """Labels in all, those already there included; never below 50."""
    by_formula: int
    """What the formula alone asks for; below 50 it is too optimistic."""
    half_width: float
    """The half-width asked for, as a share."""
    judged: int
    level: float
    allocation: Allocation
    method: str


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What is known of the two verdicts, pass and fail in this order, before any further label is drawn."""

    judged: NDArray[np.float64]
    spread: NDArray[np.float64]
    """Variance of a human label within each verdict."""
    apart: float
    """How far the human pass rates of the two verdicts lie apart."""
    usable: float | None
    """Of all labels the share that counts, towards the rate of these very items; None for the rate of all items of
    which these are a random part, towards which every label counts."""

    def half_width(self, labels: int, allocation: Allocation, z: float) -> float:
        """Return the half-width of the estimate after `labels` labels in all."""
        total = self.judged.sum()
        weight = self.judged / total
        drawn = _quotas(self.judged, np.zeros(2), labels) if allocation == "sqrt" else labels * weight
        if self.usable is not None:
            counted = self.usable * drawn
            left = 1 - np.divide(counted, self.judged, out=np.ones(2), where=self.judged > 0)
            part = weight**2 * self.spread * np.maximum(left, 0.0)  # of all items a rounding may leave less than none
            return z * sqrt(np.divide(part, counted, out=np.zeros(2), where=counted > 0).sum())
        within = np.divide(weight**2 * self.spread, drawn, out=np.zeros(2), where=drawn > 0)
        return z * sqrt(within.sum() + self.apart**2 * weight.prod() / total)


def sqrt_allocation(judged: Mapping[str, int], labels: int, *, labelled: Mapping[str, int] = {}) -> dict[str, int]:
    """Return how many items to draw at random for labelling in each stratum, besides those labelled already.

    Args:
        judged: Judged items of each stratum.
        labels: Labels that may be had in all, those already there included.
        labelled: Items already labelled in each stratum, drawn at random within it; a stratum left out has none.

    Each stratum's share of all labels goes with the square root of its size. Where it has fewer items, or more labels
    already, than its share, the others divide the difference. Every stratum with an item gets at least one label; no
    item is drawn twice, so `labels` beyond all that was judged draws everything. Whole numbers by largest remainder,
    and of equal remainders the stratum named first.

    Raises:
        InsufficientDataError: Nothing was judged, or the labels do not suffice for one in each stratum.
        ValueError: The counts contradict each other, or fewer labels may be had than are there.

    Source:
        STATISTICS 3.3: at 200 labels an error of .0125 against .0150 of random ones, and no pilot is needed.
    """
    names = list(judged)
    sizes = np.array([judged[name] for name in names], dtype=float)
    have = np.array([labelled.get(name, 0) for name in names], dtype=float)
    _require_counts(judged, labelled)
    least = np.maximum(have, np.minimum(sizes, 1))
    if labels < have.sum():
        raise ValueError(
            f"labels is {labels}, and {have.sum():.0f} items are labelled already; expected at least those"
        )
    if labels < least.sum():
        raise InsufficientDataError(
            f"{labels} labels are to be had for {len(names)} strata; expected at least {least.sum():.0f}, so that none "
            f"stays unknown: allow {least.sum() - labels:.0f} more"
        )
    quotas = _quotas(sizes, least, labels)
    return dict(zip(names, (_whole(quotas) - have).astype(int).tolist(), strict=True))


def labels_for(
    half_width: float,
    *,
    judge_pass: int,
    judged: int,
    passed: float,
    failed: float,
    allocation: Allocation = "sqrt",
    usable: float | None = None,
    level: float = 0.95,
) -> LabelsNeeded:
    """Return how many labels a corrected pass rate takes to reach a half-width.

    Args:
        half_width: Wanted half of the interval's width, as a share such as 0.03.
        judge_pass: Judge passes among all judged items.
        judged: All judged items.
        passed: Guess of the share of judge passes that people pass, V, as from the last calibration.
        failed: Guess of the share of judge fails that people pass, F.
        usable: Share of all labels that counts, where the rate is of these very items; None where it is of all items
            of which these are a random part, and every label counts.
        allocation: `sqrt` as by `sqrt_allocation`, `random` for labels drawn regardless of the verdict.
        level: Confidence level of the two-sided interval.

    The variance is that of the delta method, P²V(1-V)/n₁ + Q²F(1-F)/n₀ + (V-F)²PQ/N with P the judge's pass rate and
    Q = 1 - P; under √-allocation n₁ and n₀ go with √P and √Q until a verdict runs out of items.

    Raises:
        InsufficientDataError: Nothing, or fewer than 50 items, were judged, or labels on all of them are too few.
        ValueError: The counts or guesses contradict each other.

    Source:
        Tenenbein (1970); STATISTICS 3.3, table of the labels needed.
    """
    if not 0 < half_width < 1:
        raise ValueError(f"half_width is {half_width!r}; expected a share strictly between 0 and 1, such as 0.03")
    if not (0 <= passed <= 1 and 0 <= failed <= 1):
        raise ValueError(f"the guesses are passed {passed!r} and failed {failed!r}; expected shares from 0 to 1")
    if not 0 <= judge_pass <= judged:
        raise ValueError(f"the judge passed {judge_pass} of {judged} items; expected 0 <= judge_pass <= judged")
    if judged < MIN_LABELS:
        raise InsufficientDataError(
            f"{judged} items are judged; a corrected pass rate needs {MIN_LABELS} labelled: judge more items"
        )
    z = z_quantile(level)
    plan = _Plan(
        judged=np.array([judge_pass, judged - judge_pass], dtype=float),
        spread=np.array([passed * (1 - passed), failed * (1 - failed)]),
        apart=passed - failed,
        usable=usable,
    )
    best = plan.half_width(judged, allocation, z)
    if best > half_width:
        raise InsufficientDataError(
            f"labels on all {judged} judged items leave a half-width of {best:.4f}; expected {half_width:.4f}: judge "
            "more items, or ask for less"
        )
    sizes = range(1, judged + 1)
    needed = sizes[bisect_left(sizes, True, key=lambda n: plan.half_width(n, allocation, z) <= half_width)]
    return LabelsNeeded(
        labels=max(needed, MIN_LABELS),
        by_formula=needed,
        half_width=half_width,
        judged=judged,
        level=level,
        allocation=allocation,
        method="double sampling, delta method",
    )


def _quotas(sizes: NDArray[np.float64], least: NDArray[np.float64], labels: float) -> NDArray[np.float64]:
    """Return c·√size for each stratum, held between `least` and `sizes`, with c such that `labels` are used up.

    The sum grows with c in straight lines that bend where a stratum leaves its lower or meets its upper bound.
    """
    roots = np.sqrt(sizes)
    some = roots > 0
    bends = np.sort(np.concatenate([[0.0], least[some] / roots[some], roots[some]]))
    sums = np.clip(bends[:, None] * roots, least, sizes).sum(axis=1)
    quotas: NDArray[np.float64] = np.clip(np.interp(labels, sums, bends) * roots, least, sizes)
    return quotas


def _whole(quotas: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return whole numbers with the same sum, by largest remainder."""
    whole = np.floor(quotas)
    remainders = np.round(quotas - whole, EXACT)
    missing = round(float(remainders.sum()))
    whole[np.argsort(-remainders, kind="stable")[:missing]] += 1
    return whole


def _require_counts(judged: Mapping[str, int], labelled: Mapping[str, int]) -> None:
    unknown = [name for name in labelled if name not in judged]
    if unknown:
        raise ValueError(f"{unknown[0]!r} has labels and no judged item; expected one of {', '.join(judged)}")
    for name, size in judged.items():
        if not 0 <= labelled.get(name, 0) <= size:
            raise ValueError(
                f"{labelled.get(name, 0)} items of {name!r} are labelled of {size} judged; expected a part"
            )
    if not sum(judged.values()):
        raise InsufficientDataError("0 items are judged, so there is nothing to label; judge some first")
