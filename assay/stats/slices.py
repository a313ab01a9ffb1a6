"""Many categories at once: which drops are real, when some must look bad by luck alone?"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control

from assay.errors import DataError
from assay.stats.paired import Trials, bonett_price, exact_drop, mcnemar_drop, trials_change
from assay.stats.rates import Interval

ALPHA = 0.025
"""Chance of a single comparison of versions that are alike to call any category worse."""
STANDS = 0.1
"""A drop that was proved before stands while its own one-sided p-value is at most this."""


@dataclass(frozen=True, kw_only=True)
class SliceCounts:
    """One category in a paired comparison."""

    name: str
    n: int
    gained: int
    lost: int
    trials: Sequence[Trials] = ()
    """Of each case, where there are several or cases of one family; then it is they that are compared."""

    def change(self, level: float) -> Interval:
        """Return the paired change."""
        if self.trials:
            return trials_change(self.trials, level=level)
        return bonett_price(self.gained, self.lost, self.n, level=level)

    @cached_property
    def p_value(self) -> float:
        """Return the one-sided exact p-value against a drop; 1 where no case differs."""
        return exact_drop(self.trials) if self.trials else mcnemar_drop(self.gained, self.lost)


@dataclass(frozen=True, kw_only=True)
class SliceFinding:
    """What the comparison says of one category."""

    name: str
    change: Interval
    """At the level asked for; of a flagged slice at the FCR-adjusted level, which is higher."""
    p_value: float
    """One-sided, against a drop."""
    adjusted: float
    """After Holm, over all slices."""
    flagged: bool
    """A drop at the level asked for."""


def counted(name: str, cases: Sequence[Trials]) -> SliceCounts:
    """Return how many cases changed; with trials or families the cases themselves, which are compared then."""
    gained, lost = (sum(sign * one.difference > 0 for one in cases) for sign in (1, -1))
    is_once = all(len(one.now) == len(one.before) == 1 for one in cases)
    families = [one.family for one in cases if one.family]
    is_plain = is_once and len(set(families)) == len(families)
    return SliceCounts(name=name, n=len(cases), gained=gained, lost=lost, trials=() if is_plain else cases)


def holm(p_values: Sequence[float]) -> NDArray[np.float64]:
    """Return adjusted p-values, shape (m,): at most `alpha` of all families of true hypotheses have one at or below it.

    Raises:
        DataError: A p-value is missing or outside [0, 1].

    Source:
        Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    values = _checked(p_values)
    order = np.argsort(values, kind="stable")
    adjusted = np.empty_like(values)
    adjusted[order] = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    return np.asarray(np.minimum(adjusted, 1.0))


def benjamini_hochberg(p_values: Sequence[float]) -> NDArray[np.float64]:
    """Return adjusted p-values, shape (m,): those below q form a list with a false discovery rate of at most q.

    Raises:
        DataError: A p-value is missing or outside [0, 1].

    Source:
        Benjamini & Hochberg (1995).
    """
    values = _checked(p_values)
    return np.asarray(false_discovery_control(values)) if len(values) else values


def _checked(p_values: Sequence[float]) -> NDArray[np.float64]:
    values = np.asarray(p_values, dtype=float)
    if not ((values >= 0) & (values <= 1)).all():
        raise DataError(f"a p-value is {values[~((values >= 0) & (values <= 1))][0]}; expected a number from 0 to 1")
    return values


def fcr_level(selected: int, tested: int, *, q: float = 0.1) -> float:
    """Return the level at which the intervals of the selected few keep a false coverage rate of `q`.

    Raises:
        ValueError: Not 1 <= selected <= tested.

    Source:
        Benjamini & Yekutieli (2005), False discovery rate-adjusted multiple confidence intervals.
    """
    if not 1 <= selected <= tested:
        raise ValueError(f"{selected} of {tested} were selected; expected 1 <= selected <= tested")
    return 1 - selected * q / tested


def find_drops(
    slices: Sequence[SliceCounts], *, alpha: float = ALPHA, level: float = 0.95, standing: Collection[str] = ()
) -> list[SliceFinding]:
    """Return one finding a slice, in the order given.

    The tests are exact, so that a slice of any size may be flagged: with few cases there is little power, and that is
    all. A slice of one, two or three cases can hardly be.

    A flagged slice was selected because it looks bad, so its interval at `level` would miss the truth too often. With R
    of m slices flagged, theirs are at level 1 - R (1 - level) / m: the share of them that miss is then at most
    1 - `level` on average.

    Args:
        slices: Paired counts of each category; names differ.
        alpha: Chance that any slice is flagged where nothing dropped.
        level: Confidence level of the interval of a slice that is not flagged.
        standing: Names of slices whose drop an earlier look has proved; they stay flagged until a look speaks against.

    Raises:
        InsufficientDataError: A slice has no case.
        DataError: Two slices share a name.

    Source:
        DECISION 2; Benjamini & Yekutieli (2005), False discovery rate-adjusted multiple confidence intervals.
    """
    names = [one.name for one in slices]
    if len(set(names)) < len(names):
        twice = next(name for name, count in Counter(names).items() if count > 1)
        raise DataError(f"the slice {twice!r} occurs twice; expected every category once: merge its counts")
    changes = [one.change(level) for one in slices]
    p_values = [one.p_value for one in slices]
    adjusted = holm(p_values).tolist()
    flagged = {index for index, value in enumerate(adjusted) if value <= alpha}
    flagged |= {index for index, name in enumerate(names) if name in standing and p_values[index] <= STANDS}
    wider = fcr_level(len(flagged), len(slices), q=1 - level) if flagged else level
    for index in flagged:
        changes[index] = slices[index].change(wider)
    return [
        SliceFinding(
            name=name,
            change=changes[index],
            p_value=p_values[index],
            adjusted=adjusted[index],
            flagged=index in flagged,
        )
        for index, name in enumerate(names)
    ]
