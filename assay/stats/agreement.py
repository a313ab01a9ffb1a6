"""Do two raters agree beyond chance? Always read together with TPR, TNR and the prevalence.

A table counts items: rows are the human's labels, columns the judge's, both in the same order of classes.
"""

from dataclasses import dataclass
from math import atanh, sqrt, tanh
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.errors import DataError, InsufficientDataError
from assay.stats.rates import Interval, wilson, z_quantile

Weights = Literal["none", "linear", "quadratic"]
Table = NDArray[np.float64]

MIN_ITEMS = 50
"""Below this no interval of kappa holds its level (STATISTICS 1.1)."""
MIN_RARER = 10
"""Human labels needed outside the commonest class; with two classes, in the rarer one."""


@dataclass(frozen=True, kw_only=True)
class Coefficient:
    """A chance-corrected agreement with its large-sample standard error."""

    estimator: str
    estimate: float
    se: float
    """Not the one for testing zero agreement: it holds at the estimate."""
    observed: float
    """Weighted share of agreement."""
    expected: float
    """What chance alone would give."""
    n: int


@dataclass(frozen=True, kw_only=True)
class BinaryAgreement:
    """A pass/fail judge beside the human labels: what it gets right, on each kind of item."""

    n: int
    prevalence: float
    """Share of human passes."""
    accuracy: Interval
    tpr: Interval
    """Share of human passes that the judge passes."""
    tnr: Interval
    """Share of human fails that the judge fails."""
    kappa: float
    ac1: float
    pabak: float
    mcc: float | None
    """Matthews correlation; None for a judge that gave one and the same verdict throughout (0/0)."""


def cross_table(human: ArrayLike, judge: ArrayLike, *, classes: int) -> Table:
    """Count items by both labels.

    Args:
        human: Class numbers from 0 to classes - 1, shape (n,).
        judge: The same of the rater under test, same order of items.
        classes: How many classes there are, at least 2.

    Raises:
        ValueError: The shapes differ.
        DataError: A label is no class number; NaN is none either.
    """
    left, right = np.asarray(human), np.asarray(judge)
    if left.shape != right.shape or left.ndim != 1:
        raise ValueError(f"human has shape {left.shape}, judge {right.shape}; expected equal shapes (n,)")
    for name, labels in (("human", left), ("judge", right)):
        if not np.isin(labels, np.arange(classes)).all():
            found = labels[~np.isin(labels, np.arange(classes))][0]
            raise DataError(
                f"a label of {name} is {found}; expected a class from 0 to {classes - 1}; leave unscored items out"
            )
    cells = left.astype(int) * classes + right.astype(int)
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes).astype(float)


def cohen(table: ArrayLike, *, weights: Weights = "none") -> Coefficient:
    """Return Cohen's kappa with its non-null standard error.

    Args:
        table: Counts, shape (k, k), rows human, columns judge.
        weights: `linear` or `quadratic` for k ordered classes.

    Raises:
        InsufficientDataError: Both raters used one and the same class throughout: kappa is 0/0 there.
        DataError: The table is no square table of counts.

    Source:
        Cohen (1960, 1968); standard error of Fleiss, Cohen & Everitt (1969).
    """
    counts = _counts(table)
    n = counts.sum()
    shares, weight = counts / n, weight_table(len(counts), weights)
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    observed = float((weight * shares).sum())
    expected = float((weight * np.outer(rows, columns)).sum())
    if np.isclose(expected, 1, rtol=0, atol=1e-12):
        raise InsufficientDataError(
            f"both raters gave all {n:.0f} items one and the same label: kappa is 0/0 there; add items of another kind"
        )
    kappa = (observed - expected) / (1 - expected)
    spread = weight - ((weight @ columns)[:, None] + (weight.T @ rows)[None, :]) * (1 - kappa)
    variance = (shares * spread**2).sum() - (kappa - expected * (1 - kappa)) ** 2
    return Coefficient(
        estimator=f"kappa, weights {weights}",
        estimate=kappa,
        se=sqrt(max(float(variance), 0.0) / n) / (1 - expected),
        observed=observed,
        expected=expected,
        n=int(n),
    )


def kappa_interval(table: ArrayLike, *, weights: Weights = "none", level: float = 0.95) -> Interval:
    """Return Cohen's kappa with its Fisher-z interval; `cohen` gives the point alone.

    Args:
        table: Counts, shape (k, k), rows human, columns judge.
        weights: As for `cohen`.
        level: Confidence level of the two-sided interval.

    Raises:
        InsufficientDataError: Fewer than 50 items, fewer than 10 human labels outside the commonest class, or an
            agreement so even (none, or all) that its standard error is 0; the text says what to add.

    Source:
        STATISTICS 1.1: measured coverage of Fisher-z .92-.96 from 50 items on, and of nothing below.
    """
    counts = _counts(table)
    n, rarer = int(counts.sum()), int(counts.sum() - counts.sum(axis=1).max())
    if n < MIN_ITEMS:
        raise InsufficientDataError(
            f"kappa has {n} items; an interval needs at least {MIN_ITEMS}: label {MIN_ITEMS - n} more"
        )
    if rarer < MIN_RARER:
        raise InsufficientDataError(
            f"kappa has {rarer} of {n} human labels outside the commonest class; an interval needs {MIN_RARER}: "
            f"label {MIN_RARER - rarer} more items of the rarer kind"
        )
    found = cohen(counts, weights=weights)
    room = 1 - found.estimate**2
    if found.se <= np.finfo(float).eps * n or room <= np.finfo(float).eps * n:
        raise InsufficientDataError(
            f"kappa is {found.estimate:.3f} with a standard error of 0 on {n} items, so no interval exists; "
            "add items on which the raters can differ"
        )
    half = z_quantile(level) * found.se / room
    centre = atanh(found.estimate)
    return Interval(
        estimate=found.estimate,
        low=tanh(centre - half),
        high=tanh(centre + half),
        n=n,
        level=level,
        method=f"{found.estimator}, Fisher z",
    )


def gwet(table: ArrayLike, *, weights: Weights = "none") -> Coefficient:
    """Return Gwet's AC1 (AC2 with weights), which does not fall when one class is rare.

    Args:
        table: Counts, shape (k, k).
        weights: As for `cohen`.

    Raises:
        DataError: The table is no square table of counts.
        InsufficientDataError: Fewer than two items: no standard error.

    Source:
        Gwet (2008), Computing inter-rater reliability and its variance in the presence of high agreement.
    """
    counts = _counts(table)
    n, k = counts.sum(), len(counts)
    if n < 2:  # noqa: PLR2004 - a spread needs two
        raise InsufficientDataError("AC1 was asked of a single item; label at least two")
    shares, weight = counts / n, weight_table(k, weights)
    pi = (shares.sum(axis=0) + shares.sum(axis=1)) / 2
    scale = weight.sum() / (k * (k - 1))
    observed, expected = float((weight * shares).sum()), float(scale * (pi * (1 - pi)).sum())
    ac = (observed - expected) / (1 - expected)
    spread = weight - 2 * (1 - ac) * scale * (1 - (pi[:, None] + pi[None, :]) / 2)
    variance = (shares * spread**2).sum() - (observed - 2 * (1 - ac) * expected) ** 2
    return Coefficient(
        estimator=f"{'AC1' if weights == 'none' else 'AC2'}, weights {weights}",
        estimate=ac,
        se=sqrt(max(float(variance), 0.0) / (n - 1)) / (1 - expected),
        observed=observed,
        expected=expected,
        n=int(n),
    )


def binary_agreement(human: ArrayLike, judge: ArrayLike, *, level: float = 0.95) -> BinaryAgreement:
    """Return everything that two columns of pass/fail labels say about a judge.

    Args:
        human: True = pass, shape (n,); drawn at random, not by the judge's verdict (else take the corrected rates).
        judge: True = pass, same order.
        level: Confidence level of the Wilson intervals.

    Raises:
        InsufficientDataError: One of the two human labels never occurs, so TPR or TNR has no items.

    Source:
        STATISTICS 1.1.
    """
    table = cross_table(human, judge, classes=2)
    tn, fp, fn, tp = (int(count) for count in table.ravel())
    n = tn + fp + fn + tp
    if not (tp + fn and tn + fp):
        raise InsufficientDataError(
            f"people passed {tp + fn} and failed {tn + fp} of {n} items; TPR and TNR need both kinds: "
            f"label items that people {'fail' if tp + fn else 'pass'}"
        )
    product = float(tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return BinaryAgreement(
        n=n,
        prevalence=(tp + fn) / n,
        accuracy=wilson(tp + tn, n, level=level),
        tpr=wilson(tp, tp + fn, level=level),
        tnr=wilson(tn, tn + fp, level=level),
        kappa=cohen(table).estimate,
        ac1=gwet(table).estimate,
        pabak=2 * (tp + tn) / n - 1,
        mcc=(tp * tn - fp * fn) / sqrt(product) if product else None,
    )


def _counts(table: ArrayLike) -> Table:
    """Return the table as numbers, or refuse it."""
    counts = np.asarray(table, dtype=float)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or counts.shape[0] < 2:  # noqa: PLR2004 - a square
        raise DataError(f"the table has shape {counts.shape}; expected (k, k) with k of at least 2")
    if not np.isfinite(counts).all() or (counts < 0).any():
        raise DataError("the table holds a negative or missing count; expected counts of items, 0 or more")
    if not counts.sum():
        raise InsufficientDataError("the table counts 0 items; agreement needs labels of both raters on the same items")
    return counts


def weight_table(k: int, kind: Weights) -> Table:
    """Return the agreement that each cell of `k` ordered classes earns: 1 on the diagonal, less further off it."""
    first, second = np.indices((k, k))
    distance: Table = np.abs(first - second) / (k - 1)
    if kind == "none":
        distance = (distance > 0).astype(float)
    return 1 - distance**2 if kind == "quadratic" else 1 - distance
