"""What does a judge of several classes get right, class by class, and on the mean of the classes?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_fscore_support

from assay.errors import InsufficientDataError
from assay.stats.agreement import MIN_ITEMS, Table
from assay.stats.annotators import percentile_bounds, resampled
from assay.stats.rates import Interval, wilson

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class OfClass:
    """One class: how often the judge is right when it says so, and where people say so."""

    precision: Interval | None
    """None for a class that the judge never gave."""
    recall: Interval | None
    """None for a class that people never gave."""
    f1: float | None
    """None for a class that nobody gave."""


@dataclass(frozen=True, kw_only=True)
class MacroAverages:
    """Means over the classes that people or the judge gave, each class counted once however rare it is."""

    n: int
    precision: float
    """A class that the judge never gave counts 0, as in scikit-learn."""
    recall: float
    """A class that people never gave counts 0, as in scikit-learn."""
    f1: float
    classes: int


def by_class(table: Table) -> list[OfClass]:
    """Return precision and recall of each class with Wilson's intervals.

    Args:
        table: Counts, shape (k, k), rows human, columns judge.
    """
    given, said, right = table.sum(axis=1), table.sum(axis=0), table.diagonal()
    return [
        OfClass(
            precision=wilson(int(right[row]), int(said[row])) if said[row] else None,
            recall=wilson(int(right[row]), int(given[row])) if given[row] else None,
            f1=float(2 * right[row] / (said[row] + given[row])) if said[row] + given[row] else None,
        )
        for row in range(len(table))
    ]


def macro_averages(table: Table) -> MacroAverages:
    """Return macro precision, recall and F1.

    Args:
        table: As for `by_class`.

    Raises:
        InsufficientDataError: The table counts no item.

    Source:
        scikit-learn, `precision_recall_fscore_support` with the average `macro`.
    """
    human, judge = np.nonzero(table)
    if not len(human):
        raise InsufficientDataError("the table counts 0 items; an average needs labels of people and judge: label some")
    precision, recall, f1, _ = precision_recall_fscore_support(
        human, judge, average="macro", sample_weight=table[human, judge], zero_division=0
    )
    return MacroAverages(
        n=int(table.sum()),
        precision=float(precision),
        recall=float(recall),
        f1=float(f1),
        classes=len({*human.tolist(), *judge.tolist()}),
    )


def macro_intervals(
    table: Table, *, rng: np.random.Generator, draws: int = 2_000, level: float = 0.95
) -> tuple[Interval, Interval, Interval]:
    """Return macro precision, recall and F1 with percentile intervals of a bootstrap over items.

    Args:
        table: As for `by_class`.
        rng: Source of the bootstrap.
        draws: How many resamples.
        level: Level of the two-sided intervals.

    Raises:
        InsufficientDataError: Fewer than 50 items, or no error at all, where each resample is alike.

    Source:
        Efron (1979), Bootstrap methods, over items as for a panel's agreement (STATISTICS 1.3).
    """
    found = macro_averages(table)
    if found.n < MIN_ITEMS:
        raise InsufficientDataError(
            f"macro averages have {found.n} items; an interval needs at least {MIN_ITEMS}: label "
            f"{MIN_ITEMS - found.n} more"
        )
    if table.trace() == found.n:
        raise InsufficientDataError(
            f"macro averages are 1, as judge and people agree on all {found.n} items, so no interval exists; "
            "add items on which they can differ"
        )
    cells = np.nonzero(table)
    times = table[cells].astype(np.int64)
    drawn = np.concatenate(
        [_averages(_tables(weights, cells, len(table))) for weights in resampled(times, draws=draws, rng=rng)], axis=1
    )
    bounds = [percentile_bounds(column, level) for column in drawn]
    first, second, third = (
        Interval(
            estimate=estimate, low=low, high=high, n=found.n, level=level, method=f"macro {name}, bootstrap over items"
        )
        for (low, high), (name, estimate) in zip(
            bounds, (("precision", found.precision), ("recall", found.recall), ("F1", found.f1)), strict=True
        )
    )
    return first, second, third


def _tables(weights: Floats, cells: tuple[NDArray[np.intp], ...], k: int) -> Floats:
    rows, columns = cells
    tables = np.zeros((len(weights), k, k))
    tables[:, rows, columns] = weights
    return tables


def _averages(tables: Floats) -> Floats:
    """Return macro precision, recall and F1 of each table, shape (3, tables); a class that nobody gave is left out."""
    right, given, said = tables.diagonal(axis1=1, axis2=2), tables.sum(axis=2), tables.sum(axis=1)
    occurs = given + said > 0

    def mean(top: Floats, bottom: Floats) -> Floats:
        ratios = np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)
        return np.asarray(ratios.mean(axis=1, where=occurs))

    return np.stack([mean(right, said), mean(right, given), mean(2 * right, given + said)])
