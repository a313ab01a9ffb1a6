"""Many categories at once: which drops are real, when some must look bad by luck alone?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control

from assay.errors import DataError
from assay.stats.paired import Trials, bonett_price, exact_drop, mcnemar_midp_drop, mean_change
from assay.stats.rates import Interval

MIN_CASES = 30
"""A smaller slice is for reading, not for alarms (STATISTICS 4.5)."""


@dataclass(frozen=True, kw_only=True)
class SliceCounts:
    """One category in a paired comparison."""

    name: str
    n: int
    gained: int
    lost: int
    trials: Sequence[Trials] = ()
    """Of each case, where there are several; then it is they that are compared."""

    def change(self, level: float) -> Interval:
        """Return the paired change."""
        if self.trials:
            step = 1 / max(min(one.of, one.of_before) for one in self.trials)
            return mean_change([one.difference for one in self.trials], step=step, level=level)
        return bonett_price(self.gained, self.lost, self.n, level=level)

    @property
    def p_value(self) -> float:
        """Return the one-sided p-value against a drop: mid-p of one trial, exact of several."""
        return exact_drop(self.trials) if self.trials else mcnemar_midp_drop(self.gained, self.lost)


@dataclass(frozen=True, kw_only=True)
class SliceFinding:
    """What the comparison says of one category."""

    name: str
    change: Interval
    """At the level asked for; of a flagged slice at the FCR-adjusted level, which is higher."""
    p_value: float
    """One-sided, against a drop."""
    adjusted: float | None
    """After Benjamini-Hochberg over all slices large enough to raise an alarm; None for the others."""
    flagged: bool
    """A drop at the false discovery rate asked for."""


def benjamini_hochberg(p_values: Sequence[float]) -> NDArray[np.float64]:
    """Return adjusted p-values, shape (m,): those below q form a list with a false discovery rate of at most q.

    Raises:
        DataError: A p-value is missing or outside [0, 1].

    Source:
        Benjamini & Hochberg (1995).
    """
    values = np.asarray(p_values, dtype=float)
    if not ((values >= 0) & (values <= 1)).all():
        raise DataError(f"a p-value is {values[~((values >= 0) & (values <= 1))][0]}; expected a number from 0 to 1")
    return np.asarray(false_discovery_control(values)) if len(values) else values


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


def find_drops(slices: Sequence[SliceCounts], *, q: float = 0.1, level: float = 0.95) -> list[SliceFinding]:
    """Return one finding a slice, in the order given.

    A flagged slice was selected because it looks bad, so its interval at `level` would miss the truth too often. With R
    of m slices flagged, theirs are at level 1 - R (1 - level) / m: the share of them that miss is then at most
    1 - `level` on average.

    Args:
        slices: Paired counts of each category; names differ.
        q: False discovery rate among the flagged slices.
        level: Confidence level of the interval of a slice that is not flagged.

    Raises:
        InsufficientDataError: A slice has no case.
        DataError: Two slices share a name.

    Source:
        STATISTICS 4.5 and 7.3; Benjamini & Yekutieli (2005), False discovery rate-adjusted multiple confidence
        intervals.
    """
    names = [one.name for one in slices]
    if len(set(names)) < len(names):
        twice = next(name for name, count in Counter(names).items() if count > 1)
        raise DataError(f"the slice {twice!r} occurs twice; expected every category once: merge its counts")
    changes = [one.change(level) for one in slices]
    p_values = [one.p_value for one in slices]
    large = [index for index, one in enumerate(slices) if one.n >= MIN_CASES]
    adjusted = dict(zip(large, benjamini_hochberg([p_values[index] for index in large]).tolist(), strict=True))
    flagged = {index for index, value in adjusted.items() if value <= q}
    wider = fcr_level(len(flagged), len(large), q=1 - level) if flagged else level
    for index in flagged:
        changes[index] = slices[index].change(wider)
    return [
        SliceFinding(
            name=name,
            change=changes[index],
            p_value=p_values[index],
            adjusted=adjusted.get(index),
            flagged=index in flagged,
        )
        for index, name in enumerate(names)
    ]
