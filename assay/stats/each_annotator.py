"""One class an item from several people, and each of them beside the judge and beside the others.

Ratings are class numbers by annotator and item, shape (people, items); -1 where there is no rating.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.errors import InsufficientDataError
from assay.stats.agreement import Weights, cohen, cross_table
from assay.stats.raters import count_ballots

Integers = NDArray[np.int64]
NONE = -1


@dataclass(frozen=True, kw_only=True)
class Beside:
    """How far two sides say the same of the items that both rated."""

    n: int
    agree: int
    kappa: float | None
    """None where both gave one and the same class throughout, or share no item."""


@dataclass(frozen=True, kw_only=True)
class EachAnnotator:
    """One annotator."""

    judge: Beside
    """With the judge."""
    others: Beside
    """With what the others say of the item together, as `settle` has it."""


def settle(human: Integers, *, classes: int, is_ordered: bool) -> Integers:
    """Return what people say of each item, shape (items,): -1 where nobody rated it or no class leads.

    Args:
        human: Ratings.
        classes: How many classes there are.
        is_ordered: Whether the classes are steps of a scale: then their lower median counts, else the commonest one.
    """
    ballots = count_ballots(human, classes=classes)
    total, most = ballots.sum(axis=1), ballots.max(axis=1)
    if not is_ordered:
        leads = (ballots == most[:, None]).sum(axis=1) == 1
        return np.where(leads, ballots.argmax(axis=1), NONE)
    half = (total + 1) // 2
    return np.where(total > 0, (ballots.cumsum(axis=1) >= half[:, None]).argmax(axis=1), NONE)


def beside(left: Integers, right: Integers, *, classes: int, weights: Weights) -> Beside:
    """Return the agreement of two raters on the items that both rated.

    Args:
        left: Class numbers, shape (items,).
        right: The same, same order.
        classes: How many classes there are.
        weights: Those of kappa.
    """
    both = (left != NONE) & (right != NONE)
    n, agree = int(both.sum()), int((left[both] == right[both]).sum())
    try:
        kappa = cohen(cross_table(left[both], right[both], classes=classes), weights=weights).estimate
    except InsufficientDataError:
        kappa = None
    return Beside(n=n, agree=agree, kappa=kappa)


def each_annotator(
    human: Integers, judge: Integers, *, classes: int, weights: Weights, is_ordered: bool
) -> list[EachAnnotator]:
    """Return every annotator beside the judge and beside the others, in their order.

    Args:
        human: Ratings.
        judge: Class numbers, shape (items,); -1 where the judge gave none.
        classes: How many classes there are.
        weights: Those of kappa.
        is_ordered: As for `settle`.
    """
    rows = []
    for row, own in enumerate(human):
        others = settle(np.delete(human, row, axis=0), classes=classes, is_ordered=is_ordered)
        rows.append(
            EachAnnotator(
                judge=beside(own, judge, classes=classes, weights=weights),
                others=beside(own, others, classes=classes, weights=weights),
            )
        )
    return rows
