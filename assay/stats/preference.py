"""Does a judge favour answers of its own model or family? Asked only where people have said which answers are good.

A judge that lets its own model win more often may simply be right; what counts is whether, among answers that people
judge alike, its own fare better. A difference shows that they do, not why: items on which its own are easier to judge
look the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.errors import DataError, InsufficientDataError
from assay.stats.difference import newcombe
from assay.stats.pairs import SCALE
from assay.stats.rates import Interval

Flags = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class SelfPreference:
    """How a judge treats its own answers beside those of others that people judge alike."""

    tpr: Interval
    """TPR on own answers less that on others: above 0, the judge passes its own good answers more often."""
    tnr: Interval
    """The same of TNR: below 0, the judge lets its own bad answers pass more often."""
    own: int
    """Answers of the judge's own model or family."""
    other: int


def self_preference(human: ArrayLike, judge: ArrayLike, own: ArrayLike, *, level: float = 0.95) -> SelfPreference:
    """Return by how much a pass/fail judge errs more in favour of its own answers.

    Args:
        human: True = pass, shape (n,); one answer an item, for answers to one prompt are no independent evidence.
        judge: True = pass, same order.
        own: True = written by the judge's own model or family, same order.
        level: Confidence level of the intervals.

    Raises:
        InsufficientDataError: Own answers or others without a human pass, or without a human fail.
        DataError: A value is not True or False.
        ValueError: The shapes differ.

    Source:
        Wataoka et al. (2024), Self-preference bias in LLM-as-a-judge, equal opportunity; interval of Newcombe (1998).
    """
    people, machine, mine = _flags(human=human, judge=judge, own=own)
    for name, group in (("own answers", mine), ("answers of others", ~mine)):
        passed, failed = int((people & group).sum()), int((~people & group).sum())
        if not (passed and failed):
            raise InsufficientDataError(
                f"people passed {passed} and failed {failed} {name}; a comparison of TPR and TNR needs both kinds: "
                f"label {name} that people {'fail' if passed else 'pass'}"
            )
    return SelfPreference(
        tpr=_difference(people & mine, people & ~mine, machine, level),
        tnr=_difference(~people & mine, ~people & ~mine, ~machine, level),
        own=int(mine.sum()),
        other=int((~mine).sum()),
    )


def self_preference_of_pairs(human: Sequence[str], judge: Sequence[str], *, level: float = 0.95) -> Interval:
    """Return P(judge prefers its own | people do) less P(judge prefers the other | people do), over pairs.

    Pairs that people call a tie have no better answer and are left out; a tie of the judge is a preference for neither.

    Args:
        human: Outcomes `a`, `b` or `tie`, where `a` is the answer of the judge's own model or family.
        judge: The same of the judge, each pair in both orders or in random order.
        level: Confidence level of the interval.

    Raises:
        InsufficientDataError: People never prefer the own answer, or never the other.
        DataError: An outcome is none of the three.
        ValueError: The lengths differ.

    Source:
        Wataoka et al. (2024); STATISTICS 2.3.
    """
    if len(human) != len(judge):
        raise ValueError(f"human has {len(human)} outcomes, judge {len(judge)}; they must be equal")
    for name, outcomes in (("human", human), ("judge", judge)):
        strange = next((outcome for outcome in outcomes if outcome not in SCALE), None)
        if strange is not None:
            raise DataError(f"an outcome of {name} is {strange!r}; expected a, b or tie; leave unscored pairs out")
    people, machine = np.array(human, dtype=object), np.array(judge, dtype=object)
    own, other = people == "a", people == "b"
    if not (own.any() and other.any()):
        raise InsufficientDataError(
            f"people prefer the judge's own answer in {own.sum()} pairs and the other in {other.sum()}; a comparison "
            f"needs both: label pairs in which people prefer the {'other' if own.any() else 'own'} answer"
        )
    return newcombe(
        int((machine[own] == "a").sum()),
        int(own.sum()),
        int((machine[other] == "b").sum()),
        int(other.sum()),
        level=level,
    )


def _flags(**columns: ArrayLike) -> list[Flags]:
    """Return the columns as arrays of one shape (n,), or refuse them."""
    found = {name: np.asarray(column) for name, column in columns.items()}
    shapes = {name: column.shape for name, column in found.items()}
    if len(set(shapes.values())) > 1 or found["human"].ndim != 1:
        raise ValueError(f"the shapes are {shapes}; expected equal shapes (n,)")
    for name, column in found.items():
        if column.size and column.dtype != np.bool_:
            raise DataError(f"{name} is of type {column.dtype}; expected True and False; leave unscored items out")
    return [column.astype(np.bool_) for column in found.values()]


def _difference(own: Flags, other: Flags, hit: Flags, level: float) -> Interval:
    """Return the share of hits among own items less that among the others."""
    return newcombe(int(hit[own].sum()), int(own.sum()), int(hit[other].sum()), int(other.sum()), level=level)
