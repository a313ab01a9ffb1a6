"""May the judge stand in for one of the annotators? The alternative annotator test, guarded against a lazy judge.

The test asks whether the judge agrees with the other annotators about as often as the one left out. Where nearly all
items pass, a judge that says `pass` without reading does, and so each class of items has a say of its own here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import false_discovery_control
from scipy.stats import t as student

from assay.errors import DataError, InsufficientDataError
from assay.stats.agreement import MIN_RARER, Weights, weight_table
from assay.stats.raters import count_ballots

MIN_ANNOTATORS = 3
"""With fewer, the others are a single person, whose errors would be the measure."""
MIN_ITEMS = 30
"""Items that an annotator must share with another one to take part (Calderon et al., section 4)."""
WINNING = 0.5
"""Share of the annotators whom the judge must be able to replace."""
NO_CLASS = -1
EPSILON = 0.1
"""How much better people may be and the judge still pass."""
CLOSE = 9
"""Digits by which two sums of weights are told apart."""
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """The judge against one annotator, measured by agreement with all the others."""

    annotator: int
    """Row of the ratings."""
    n: int
    """Items that this annotator and at least one other rated."""
    advantage: float
    """Share of items on which the annotator agrees better with the others, less the share on which the judge does."""
    judge_holds: float
    """Share of items on which the judge agrees with the others at least as well as the annotator."""
    p_value: float
    """One-sided, against an advantage of epsilon or more."""
    adjusted: float
    """After Benjamini-Yekutieli over the annotators."""
    replaceable: bool


@dataclass(frozen=True, kw_only=True)
class ClassAdvantage:
    """The same within the items on which the others lean to one class, over all annotators."""

    outcome: str
    n: int
    """Such items."""
    advantage: float
    """Mean advantage of people over the judge, each rating of an item counted once."""
    contradicts: bool
    """It exceeds epsilon: here the judge is no stand-in, whatever the other classes say."""


@dataclass(frozen=True, kw_only=True)
class AlternativeTest:
    """Whether the judge may stand in for an annotator, and why not."""

    n: int
    """Items with ratings of at least two people."""
    epsilon: float
    """How much better people may be and the judge still pass, for it costs less."""
    q: float
    """False discovery rate of the tests over annotators."""
    winning_rate: float
    """Share of annotators whom the judge can replace."""
    judge_holds: float
    """The average advantage probability rho: the mean of `judge_holds` over annotators."""
    annotators: list[LeftOut]
    classes: list[ClassAdvantage]
    """One for each class that the others lean to on any item, in the order of the outcomes."""
    passed: bool
    reason: str
    """One sentence if not passed; empty otherwise."""


def alternative_test(
    human: ArrayLike,
    judge: ArrayLike,
    *,
    outcomes: Sequence[str] = ("fail", "pass"),
    epsilon: float = EPSILON,
    q: float = 0.05,
    weights: Weights = "none",
) -> AlternativeTest:
    """Return whether the judge may replace an annotator, overall and within each class.

    It passes if it can replace half of the annotators and no class that occurs has a mean advantage of people above
    epsilon. The class of an item is what most of the *other* annotators said, so that nobody's own word decides
    where it counts.

    Measured (600 runs a cell, 3 annotators with 10 % errors, prevalence .9, n = 100 / 200 / 400, the plain test in
    brackets): a judge that always says pass .00 / .00 / .00 (.72 / .96 / 1.00); one that lets half of the fails pass
    .05 / .03 / .00 (.99 / 1.00 / 1.00); one as good as the people .52 / .87 / .95 (.72 / .97 / 1.00), where a fifth of
    the runs of 100 is refused for want of fails. At prevalence .5 the guard costs that judge nothing.

    Args:
        human: Class numbers by annotator and item, shape (annotators, items); -1 where there is no rating.
        judge: Class numbers, shape (items,).
        outcomes: What the class numbers stand for.
        epsilon: .1 by default; the authors' .2 lets a judge with twice the errors of people pass three times of four.
        q: False discovery rate.
        weights: `none` counts the others who say the same; `quadratic` takes the squared distance from the others,
            for outcomes that are steps of a scale (the authors' RMSE).

    Raises:
        InsufficientDataError: Fewer than three annotators share 30 items with others, or fewer than 10 items lie
            outside the commonest class, so that a judge that never looks could not be told from one that does.
        DataError: A rating is no class number, or the judge has none.
        ValueError: The shapes differ, or `epsilon` or `q` is no share.

    Source:
        Calderon, Reichart & Dror (2025), The alternative annotator test for LLM-as-a-judge; STATISTICS 1.5.
    """
    people, machine, ballots = _checked(human, judge, len(outcomes))
    if not (0 <= epsilon < 1 and 0 < q < 1):
        raise ValueError(f"epsilon is {epsilon!r}, q {q!r}; expected 0 <= epsilon < 1 and 0 < q < 1")
    rivals = [
        _Rival(row, people[row], machine, ballots, weight_table(len(outcomes), weights))
        for row in range(len(people))
        if ((people[row] >= 0) & (ballots.sum(axis=1) > 1)).sum() >= MIN_ITEMS
    ]
    if len(rivals) < MIN_ANNOTATORS:
        raise InsufficientDataError(
            f"{len(rivals)} of {len(people)} annotators share {MIN_ITEMS} items with others; the test needs "
            f"{MIN_ANNOTATORS}: have {MIN_ANNOTATORS - len(rivals)} more people label the same items"
        )
    classes = _by_class(rivals, outcomes, epsilon)
    _require_variety(classes)
    adjusted = benjamini_yekutieli([rival.p_value(epsilon) for rival in rivals])
    annotators = [rival.left_out(epsilon, float(p), q) for rival, p in zip(rivals, adjusted, strict=True)]
    winning_rate = float(np.mean([one.replaceable for one in annotators]))
    reason = _reason(winning_rate, classes, epsilon)
    return AlternativeTest(
        n=int((ballots.sum(axis=1) > 1).sum()),
        epsilon=epsilon,
        q=q,
        winning_rate=winning_rate,
        judge_holds=float(np.mean([one.judge_holds for one in annotators])),
        annotators=annotators,
        classes=classes,
        passed=not reason,
        reason=reason,
    )


def benjamini_yekutieli(p_values: Sequence[float]) -> Floats:
    """Return adjusted p-values, shape (m,): a false discovery rate that holds under any dependence.

    Raises:
        ValueError: A p-value is missing or outside [0, 1].

    Source:
        Benjamini & Yekutieli (2001), The control of the false discovery rate in multiple testing under dependency.
    """
    return np.asarray(false_discovery_control(p_values, method="by"))


class _Rival:
    """One annotator left out, beside the judge, on the items that somebody else rated too."""

    def __init__(self, row: int, own: Integers, judge: Integers, ballots: Integers, weights: Floats) -> None:
        rated = np.flatnonzero((own >= 0) & (ballots.sum(axis=1) > 1))
        others = ballots[rated]
        index = np.arange(len(rated))
        others[index, own[rated]] -= 1
        likeness = np.round(others @ weights, CLOSE)
        lead = likeness[index, own[rated]] - likeness[index, judge[rated]]
        leaders = (others == others.max(axis=1, keepdims=True)).sum(axis=1)
        self.row, self.items = row, rated
        self.advantage = np.sign(lead)
        """Shape (items,): 1 where the person agrees with more of the others than the judge, -1 with fewer."""
        self.classes = np.where(leaders == 1, others.argmax(axis=1), NO_CLASS)

    def p_value(self, epsilon: float) -> float:
        """Return the one-sided t-test's p-value.

        Where the advantage is the same on all items a t-test says nothing. No item then favours the person, or all
        do; were epsilon of all items to favour the person, none of n would with a chance of (1 - epsilon)^n.
        """
        n, spread = len(self.items), float(self.advantage.std(ddof=1))
        if spread == 0:
            return float((1 - epsilon) ** n) if self.advantage[0] <= 0 else 1.0
        return float(student.cdf((self.advantage.mean() - epsilon) / (spread / sqrt(n)), n - 1))

    def left_out(self, epsilon: float, adjusted: float, q: float) -> LeftOut:
        return LeftOut(
            annotator=self.row,
            n=len(self.items),
            advantage=float(self.advantage.mean()),
            judge_holds=float((self.advantage <= 0).mean()),
            p_value=self.p_value(epsilon),
            adjusted=adjusted,
            replaceable=adjusted <= q,
        )


def _checked(human: ArrayLike, judge: ArrayLike, classes: int) -> tuple[Integers, Integers, Integers]:
    """Return the class numbers of people and judge and the ballots of people, or refuse them."""
    people, machine = np.asarray(human), np.asarray(judge)
    if people.ndim != 2 or machine.shape != people.shape[1:]:  # noqa: PLR2004 - annotators by items
        raise ValueError(f"human has shape {people.shape}, judge {machine.shape}; expected (annotators, n) and (n,)")
    if not np.isin(machine, np.arange(classes)).all():
        found = machine[~np.isin(machine, np.arange(classes))][0]
        raise DataError(
            f"a rating of judge is {found}; expected a class from 0 to {classes - 1}; leave unscored items out"
        )
    ballots = count_ballots(people, classes=classes)
    return people.astype(np.int64), machine.astype(np.int64), ballots


def _by_class(rivals: Sequence[_Rival], outcomes: Sequence[str], epsilon: float) -> list[ClassAdvantage]:
    advantage = np.concatenate([rival.advantage for rival in rivals])
    classes = np.concatenate([rival.classes for rival in rivals])
    items = np.concatenate([rival.items for rival in rivals])
    return [
        ClassAdvantage(
            outcome=outcome,
            n=len(np.unique(items[classes == number])),
            advantage=float(advantage[classes == number].mean()),
            contradicts=bool(advantage[classes == number].mean() > epsilon),
        )
        for number, outcome in enumerate(outcomes)
        if (classes == number).any()
    ]


def _require_variety(classes: Sequence[ClassAdvantage]) -> None:
    """Refuse items among which a constant judge would do as well as a good one."""
    if not classes:
        raise InsufficientDataError(
            "the people lean to no outcome on any item, so there is nothing to measure a judge by; expected items on "
            "which some agree: mend the rubric, or have more people label them"
        )
    commonest = max(classes, key=lambda one: one.n)
    rarer = sum(one.n for one in classes) - commonest.n
    if rarer < MIN_RARER:
        word = commonest.outcome
        raise InsufficientDataError(
            f"people lean to another outcome than {word} on {rarer} items; the test needs {MIN_RARER}, or a judge that "
            f"always says {word} would pass: label {MIN_RARER - rarer} more items that are no {word}"
        )


def _reason(winning_rate: float, classes: Sequence[ClassAdvantage], epsilon: float) -> str:
    if winning_rate < WINNING:
        return (
            f"the judge can replace {winning_rate:.0%} of the annotators at epsilon {epsilon}; expected {WINNING:.0%}"
        )
    against = [one for one in classes if one.contradicts]
    if not against:
        return ""
    worst = max(against, key=lambda one: one.advantage)
    return (
        f"on the {worst.n} items that people call {worst.outcome} they agree with one another more often than the "
        f"judge with them, by {worst.advantage:.3f}; expected at most epsilon {epsilon}"
    )
