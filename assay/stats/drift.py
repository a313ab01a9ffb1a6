"""Has a judge drifted between two calibrations on the same items with the same human labels?

A judge that is asked twice never answers all alike. So first the unchanged judge is asked twice (A/A), and drift is
claimed only where more verdicts changed than that, and more of them in one direction than chance allows.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest

from assay.errors import DataError, InsufficientDataError
from assay.stats.paired import bonett_price, minimum_detectable_effect, smallest_drop
from assay.stats.rates import Interval, wilson

Labels = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Change:
    """How often the judge is right on one kind of items, before and after."""

    gained: int
    """Items judged wrong before and right after."""
    lost: int
    """Items judged right before and wrong after."""
    accuracy: Interval
    """Change of the share judged right, after minus before, with Bonett-Price's interval."""
    flips: Interval
    """Share of items whose verdict changed, with Wilson's interval."""
    p_value: float
    """Exact two-sided McNemar test of gained against lost; on the two kinds of items adjusted by Holm."""
    drifted: bool
    """The test rejects, and more verdicts changed than the unchanged judge changes by itself."""


@dataclass(frozen=True, kw_only=True)
class Drift:
    """What became of a judge between two calibrations."""

    overall: Change
    on_pass: Change | None
    """On items that people pass; None where there is none."""
    on_fail: Change | None
    """On items that people fail; None where there is none."""
    aa_flips: Interval
    """Share of verdicts that the unchanged judge changes when asked again."""
    drifted: bool
    """Overall, or on one kind of items: a judge that grew laxer gains on passes what it loses on fails."""
    statement: str


@dataclass(frozen=True, kw_only=True)
class _Counts:
    """Items that the judge got right anew, and those that it got wrong anew."""

    gained: int
    lost: int
    n: int

    @classmethod
    def of(cls, was_right: Labels, is_right: Labels) -> Self:
        """Count the items of two columns."""
        return cls(gained=int((~was_right & is_right).sum()), lost=int((was_right & ~is_right).sum()), n=len(was_right))

    @property
    def p_value(self) -> float:
        """Return the exact two-sided p-value of McNemar's test; 1 where no verdict changed."""
        flips = self.gained + self.lost
        return float(binomtest(self.gained, flips).pvalue) if flips else 1.0


def aa_flip_rate(first: ArrayLike, second: ArrayLike, *, level: float = 0.95) -> Interval:
    """Return how often one unchanged judge contradicts itself when asked twice, with Wilson's interval.

    Args:
        first: Its verdicts, True = pass, shape (n,).
        second: Its verdicts on the same items when asked again, same order.
        level: Confidence level of the interval.

    Raises:
        InsufficientDataError: There is no item.
        DataError: A verdict is neither pass nor fail.
        ValueError: The columns differ in shape.

    Source:
        STATISTICS 2.4.
    """
    once, again = _columns(first=first, second=second)
    return wilson(int((once != again).sum()), len(once), level=level)


def judge_drift(
    human: ArrayLike, before: ArrayLike, after: ArrayLike, *, aa_flips: Interval, level: float = 0.95
) -> Drift:
    """Return whether a judge is right more or less often than at an earlier calibration.

    Args:
        human: Labels, True = pass, shape (n,).
        before: The judge's verdicts on the same items at the earlier calibration.
        after: The judge's verdicts on them now.
        aa_flips: From `aa_flip_rate`.
        level: Confidence level of the intervals; 1 minus it is the chance of a false claim, once for the whole and once
            for both kinds of items together.

    The share of changed verdicts is what must exceed `aa_flips`: the net change of accuracy is always the smaller, and
    a real drop of 5 points hides behind a judge that flips 8 % of its verdicts by itself.

    Raises:
        InsufficientDataError: There is no item.
        DataError: A label or verdict is neither pass nor fail.
        ValueError: The columns differ in shape.

    Source:
        STATISTICS 2.4; McNemar (1947); Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    truth, old, new = _columns(human=human, before=before, after=after)
    was_right, is_right = old == truth, new == truth
    overall = _change(_Counts.of(was_right, is_right), aa_flips, level)
    kinds = {name: part for name, part in (("human-pass", truth), ("human-fail", ~truth)) if part.any()}
    counts = [_Counts.of(was_right[part], is_right[part]) for part in kinds.values()]
    adjusted = _holm([one.p_value for one in counts])
    apart = {
        name: _change(one, aa_flips, level, p_value=p_value)
        for name, one, p_value in zip(kinds, counts, adjusted, strict=True)
    }
    drifted = {name: one for name, one in {"all": overall, **(apart if len(apart) > 1 else {})}.items() if one.drifted}
    return Drift(
        overall=overall,
        on_pass=apart.get("human-pass"),
        on_fail=apart.get("human-fail"),
        aa_flips=aa_flips,
        drifted=bool(drifted),
        statement="; ".join(_claim(name, one) for name, one in drifted.items()) or _no_claim(overall, aa_flips),
    )


def _change(counts: _Counts, aa_flips: Interval, level: float, *, p_value: float | None = None) -> Change:
    """Return what the counts say; `p_value` is the adjusted one, where there is one."""
    flips = wilson(counts.gained + counts.lost, counts.n, level=level)
    p_value = counts.p_value if p_value is None else p_value
    return Change(
        gained=counts.gained,
        lost=counts.lost,
        accuracy=bonett_price(counts.gained, counts.lost, counts.n, level=level),
        flips=flips,
        p_value=p_value,
        drifted=p_value <= 1 - level and flips.estimate > aa_flips.estimate,
    )


def _holm(p_values: list[float]) -> list[float]:
    """Return the p-values adjusted for being one or two."""
    if len(p_values) == 1:
        return p_values
    least, most = min(p_values), max(p_values)
    return [min(1.0, 2 * least) if value == least else max(min(1.0, 2 * least), most) for value in p_values]


def _claim(name: str, change: Change) -> str:
    """Say what drifted, by how much and how surely."""
    way = "more" if change.accuracy.estimate > 0 else "less"
    return (
        f"the judge drifted: on {name} items it is right {100 * abs(change.accuracy.estimate):.1f} points {way} often "
        f"than before, p = {change.p_value:.3f}, {change.lost} newly wrong and {change.gained} newly right of "
        f"{change.accuracy.n}"
    )


def _no_claim(overall: Change, aa_flips: Interval) -> str:
    """Say why nothing is claimed, and from which change on these items would have shown one."""
    discordant, n = max(overall.flips.estimate, aa_flips.estimate), overall.accuracy.n
    effect = (minimum_detectable_effect(n, discordant).effect if discordant else None) or smallest_drop(n)
    reach = f"show a change from {100 * effect:.1f} points on with 80% power" if effect else "cannot show any change"
    return (
        f"no drift is claimed: {overall.flips.estimate:.1%} of the verdicts changed, {aa_flips.estimate:.1%} do when "
        f"the unchanged judge is asked twice, and accuracy moved by {100 * overall.accuracy.estimate:+.1f} points, "
        f"p = {overall.p_value:.3f}; {n} items {reach}"
    )


def _columns(**columns: ArrayLike) -> list[Labels]:
    """Return columns of pass and fail of one length, or refuse them."""
    found = {name: np.asarray(values) for name, values in columns.items()}
    shapes = {values.shape for values in found.values()}
    if len(shapes) > 1 or any(values.ndim != 1 for values in found.values()):
        told = ", ".join(f"{name} has shape {values.shape}" for name, values in found.items())
        raise ValueError(f"{told}; expected equal shapes (n,)")
    if shapes == {(0,)}:
        raise InsufficientDataError(f"{' and '.join(found)} hold 0 items; drift needs items judged twice: add some")
    for name, values in found.items():
        outside = ~np.isin(values, [0, 1])
        if outside.any():
            raise DataError(
                f"a value of {name} is {values[outside][0]}; expected True = pass or False = fail: "
                "leave unscored items out"
            )
    return [values.astype(np.bool_) for values in found.values()]
