"""The people behind the labels: their majority, and the agreement among them that no judge can be asked to exceed."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from assay.errors import DataError, InsufficientDataError
from assay.records import Label
from assay.stats.rates import Interval

MIN_COMMON = 30
"""Items that two raters must share before their kappa enters the mean."""
MAX_UNDEFINED = 0.05
"""Share of bootstrap draws that may lack a kappa before the interval is refused."""


@dataclass(frozen=True, kw_only=True)
class Majority:
    """One outcome an item, where people lean to one side."""

    outcomes: dict[str, str]
    """By item id, in order of the id."""
    votes: dict[str, int]
    """How many annotators rated the item."""
    split: list[str]
    """Items on which the leading outcomes drew level: dropped here, to be adjudicated."""


@dataclass(frozen=True, kw_only=True)
class Ceiling:
    """How well people agree with one another, and the judge with people, on the same items."""

    n: int
    """Items rated by at least two people and the judge."""
    raters: int
    kappa_human: float
    """Mean over pairs of people."""
    kappa_judge: float
    """Mean over people of the judge's kappa with each."""
    difference: Interval
    """kappa_judge - kappa_human; wholly below 0 means that the judge is no stand-in for a person."""
    perfect: float | None
    """What a flawless judge would reach beside raters who err independently; None if people agree less than chance."""


def majority(labels: Iterable[Label]) -> Majority:
    """Return the leading outcome of each item; items without a leader are dropped and listed.

    Args:
        labels: One row per (item, annotator) of one question, in any order.

    Raises:
        DataError: An annotator labelled an item twice, or an item has outcomes of both questions.
    """
    ballots = {item: Counter(votes.values()) for item, votes in sorted(_ballots(labels).items())}
    split = [item for item, counts in ballots.items() if list(counts.values()).count(max(counts.values())) > 1]
    return Majority(
        outcomes={item: counts.most_common(1)[0][0] for item, counts in ballots.items() if item not in set(split)},
        votes={item: counts.total() for item, counts in ballots.items()},
        split=split,
    )


def human_ceiling(
    labels: Iterable[Label],
    judge: Mapping[str, str],
    *,
    rng: np.random.Generator,
    draws: int = 2_000,
    level: float = 0.95,
) -> Ceiling:
    """Return the human-human and the judge-human kappa on the same items, with a bootstrap of their difference.

    Args:
        labels: One row per (item, annotator); not everybody need have rated everything.
        judge: The judge's outcome by item id; an unscored item is left out.
        rng: Source of the bootstrap over items.
        draws: How many resamples.
        level: Level of the percentile interval of the difference.

    Raises:
        InsufficientDataError: No two people share 30 items that the judge scored, or they all gave one outcome.
        DataError: As for `majority`.

    Source:
        STATISTICS 1.4: independent errors and equal margins limit a perfect judge to sqrt(kappa_human).
    """
    ballots = {item: votes for item, votes in _ballots(labels).items() if item in judge and len(votes) > 1}
    people = sorted({annotator for votes in ballots.values() for annotator in votes})
    ratings, classes = _matrix(ballots, people, judge)
    once = np.ones((1, len(ballots)))
    pairs = [pair for pair in combinations(range(len(people)), 2) if _common(ratings, *pair) >= MIN_COMMON]
    if not pairs:
        raise InsufficientDataError(
            f"no two of {len(people)} annotators share {MIN_COMMON} items that the judge scored; "
            "have a second person label the same items"
        )
    beside = [(rater, len(people)) for rater in sorted({rater for pair in pairs for rater in pair})]
    human = float(_mean_kappa(ratings, pairs, classes, once)[0])
    ours = float(_mean_kappa(ratings, beside, classes, once)[0])
    if np.isnan(human) or np.isnan(ours):
        raise InsufficientDataError("two raters gave one and the same outcome throughout; add items of another kind")
    counts = rng.multinomial(len(ballots), np.full(len(ballots), 1 / len(ballots)), size=draws).astype(float)
    drawn = _mean_kappa(ratings, beside, classes, counts) - _mean_kappa(ratings, pairs, classes, counts)
    low, high = _bounds(drawn, level)
    return Ceiling(
        n=len(ballots),
        raters=len(beside),
        kappa_human=human,
        kappa_judge=ours,
        difference=Interval(
            estimate=ours - human, low=low, high=high, n=len(ballots), level=level, method="bootstrap over items"
        ),
        perfect=sqrt(human) if human >= 0 else None,
    )


def _ballots(labels: Iterable[Label]) -> dict[str, dict[str, str]]:
    """Return the outcomes by item and annotator; refuse a vote cast twice."""
    ballots: dict[str, dict[str, str]] = defaultdict(dict)
    for label in labels:
        votes = ballots[label.item_id]
        if label.annotator in votes:
            raise DataError(
                f"{label.annotator} labelled item {label.item_id} twice; expected one row per pair: drop one"
            )
        votes[label.annotator] = label.outcome
        if len({outcome in ("pass", "fail") for outcome in votes.values()}) > 1:
            raise DataError(
                f"item {label.item_id} has outcomes of both questions; expected pass/fail or a/b/tie: mend it"
            )
    return dict(ballots)


def _matrix(
    ballots: Mapping[str, Mapping[str, str]], people: list[str], judge: Mapping[str, str]
) -> tuple[NDArray[np.int64], int]:
    """Return class numbers by rater and item, the judge last and -1 where missing, and the number of classes."""
    outcomes = sorted({*judge.values(), *(outcome for votes in ballots.values() for outcome in votes.values())})
    number = {outcome: index for index, outcome in enumerate(outcomes)}
    rows = [[number[votes[person]] if person in votes else -1 for votes in ballots.values()] for person in people]
    rows.append([number[judge[item]] for item in ballots])
    return np.array(rows, dtype=np.int64), len(outcomes)


def _common(ratings: NDArray[np.int64], first: int, second: int) -> int:
    return int(((ratings[first] >= 0) & (ratings[second] >= 0)).sum())


def _mean_kappa(
    ratings: NDArray[np.int64], pairs: list[tuple[int, int]], classes: int, counts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean kappa of the pairs for each resample; `counts` has shape (draws, items)."""
    total = np.zeros(len(counts))
    for first, second in pairs:
        both = (ratings[first] >= 0) & (ratings[second] >= 0)
        cells = np.eye(classes * classes)[ratings[first][both] * classes + ratings[second][both]]
        table = (counts[:, both] @ cells).reshape(-1, classes, classes)
        table /= table.sum(axis=(1, 2), keepdims=True)
        expected = (table.sum(axis=1) * table.sum(axis=2)).sum(axis=1)
        room = np.where(expected < 1 - 1e-12, 1 - expected, np.nan)
        total += (np.trace(table, axis1=1, axis2=2) - expected) / room
    return total / len(pairs)


def _bounds(drawn: NDArray[np.float64], level: float) -> tuple[float, float]:
    """Return the percentile bounds of the draws that have a kappa."""
    defined = drawn[~np.isnan(drawn)]
    if len(defined) < (1 - MAX_UNDEFINED) * len(drawn):
        raise InsufficientDataError(
            f"{len(drawn) - len(defined)} of {len(drawn)} resamples held one outcome only; add items of the rarer kind"
        )
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
