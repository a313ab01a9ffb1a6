"""The people behind the labels: their majority, and the agreement among them that no judge can be asked to exceed."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from assay.errors import DataError, InsufficientDataError
from assay.records.label import Label
from assay.stats.rates import Interval, z_quantile

MIN_COMMON = 30
"""Items that two raters must share before their kappa enters the mean."""
MAX_UNDEFINED = 0.05
"""Share of bootstrap draws that may lack a value before the interval is refused."""
CELLS = 1_000_000
"""Weights of resamples held at a time: 8 MB, however many items and draws there are."""
SCALES = (("fail", "pass"), ("a", "tie", "b"))
"""The outcomes of either question in their natural order."""


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
class Panel:
    """The words of people and of the judge on the same items, as class numbers."""

    items: list[str]
    """Items that at least two people and the judge rated."""
    people: list[str]
    outcomes: tuple[str, ...]
    """What the class numbers stand for, in their natural order."""
    human: NDArray[np.int64]
    """Shape (people, items); -1 where a person did not rate the item."""
    judge: NDArray[np.int64]
    """Shape (items,)."""


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


def shares(labels: Iterable[Label]) -> dict[str, float]:
    """Return of each item what people say of it: the share of its annotators who pass it, split ones included.

    Args:
        labels: One row per (item, annotator) of one question of pass and fail, in any order.

    Raises:
        DataError: As for `majority`.
    """
    ballots = sorted(_ballots(labels).items())
    return {item: list(votes.values()).count("pass") / len(votes) for item, votes in ballots}


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
    found = panel(labels, judge)
    return ceiling(found.human, found.judge, classes=len(found.outcomes), rng=rng, draws=draws, level=level)


def ceiling(
    human: NDArray[np.int64],
    judge: NDArray[np.int64],
    *,
    classes: int,
    values: NDArray[np.float64] | None = None,
    rng: np.random.Generator,
    draws: int = 2_000,
    level: float = 0.95,
) -> Ceiling:
    """Return what `human_ceiling` returns, of class numbers.

    Args:
        human: Class numbers by annotator and item, shape (people, items); -1 where there is no rating.
        judge: Class numbers, shape (items,); an item that at most one person rated is left out.
        classes: How many classes there are.
        values: What the classes are as numbers; then kappa has quadratic weights.
        rng: As for `human_ceiling`.
        draws: As for `human_ceiling`.
        level: As for `human_ceiling`.

    Raises:
        InsufficientDataError: As for `human_ceiling`.
    """
    shared = (human >= 0).sum(axis=0) > 1
    human, n, raters = human[:, shared], int(shared.sum()), len(human)
    ratings, times = np.unique(np.vstack([human, judge[shared]]), axis=1, return_counts=True)
    mean_kappa = partial(_mean_kappa, ratings, classes=classes, values=values)
    pairs = [pair for pair in combinations(range(raters), 2) if _common(human, *pair) >= MIN_COMMON]
    if not pairs:
        raise InsufficientDataError(
            f"no two of {raters} annotators share {MIN_COMMON} items that the judge scored; "
            "have a second person label the same items"
        )
    beside = [(rater, raters) for rater in sorted({rater for pair in pairs for rater in pair})]
    people, ours = (float(mean_kappa(who, counts=times[None].astype(float))[0]) for who in (pairs, beside))
    if np.isnan(people) or np.isnan(ours):
        raise InsufficientDataError("two raters gave one and the same outcome throughout; add items of another kind")
    drawn = [
        mean_kappa(beside, counts=counts) - mean_kappa(pairs, counts=counts)
        for counts in resampled(times, draws=draws, rng=rng)
    ]
    low, high = percentile_bounds(np.concatenate(drawn), level)
    return Ceiling(
        n=n,
        raters=len(beside),
        kappa_human=people,
        kappa_judge=ours,
        difference=Interval(
            estimate=ours - people, low=low, high=high, n=n, level=level, method="bootstrap over items"
        ),
        perfect=sqrt(people) if people >= 0 else None,
    )


def panel(labels: Iterable[Label], judge: Mapping[str, str]) -> Panel:
    """Return the class numbers of people and judge on the items that two people or more and the judge rated.

    Args:
        labels: One row per (item, annotator) of one question; not everybody need have rated everything.
        judge: The judge's outcome by item id; an unscored item is left out.

    Raises:
        DataError: As for `majority`; or items, or the judge's outcomes on them, that belong to different questions.
    """
    ballots = {item: votes for item, votes in _ballots(labels).items() if item in judge and len(votes) > 1}
    people = sorted({annotator for votes in ballots.values() for annotator in votes})
    outcomes = _scale(
        {*(judge[item] for item in ballots), *(outcome for votes in ballots.values() for outcome in votes.values())}
    )
    number = {outcome: index for index, outcome in enumerate(outcomes)}
    human = [[number[votes[who]] if who in votes else -1 for votes in ballots.values()] for who in people]
    return Panel(
        items=list(ballots),
        people=people,
        outcomes=outcomes,
        human=np.array(human, dtype=np.int64).reshape(len(people), len(ballots)),
        judge=np.array([number[judge[item]] for item in ballots], dtype=np.int64),
    )


def resampled(times: NDArray[np.int64], *, draws: int, rng: np.random.Generator) -> Iterator[NDArray[np.float64]]:
    """Yield how often each kind of item occurs in bootstrap resamples, in chunks of shape (some draws, kinds).

    Items that carry the same ratings are interchangeable, so one multinomial draw over the distinct kinds has the very
    distribution of drawing the items themselves with replacement, at a cost that does not grow with their number.

    Args:
        times: How many items of each kind there are, shape (kinds,).
        draws: How many resamples in all.
        rng: Source of the draws.

    Raises:
        ValueError: `draws` is below 1.

    Source:
        Efron (1979), Bootstrap methods; one row of a chunk is one resample.
    """
    if draws < 1:
        raise ValueError(f"draws is {draws}; expected at least 1")
    n, chunk = int(times.sum()), max(1, CELLS // len(times))
    for start in range(0, draws, chunk):
        yield rng.multinomial(n, times / n, size=min(chunk, draws - start)).astype(float)


def percentile_bounds(
    drawn: NDArray[np.float64],
    level: float,
    *,
    lacking: str = "held one outcome only; add items of the rarer kind",
) -> tuple[float, float]:
    """Return the percentile bounds of the resamples whose value is defined.

    Args:
        drawn: One value a resample, NaN where it has none, shape (draws,).
        level: Level of the two-sided interval.
        lacking: What is wrong with a resample without a value, and what to do about it.

    Raises:
        InsufficientDataError: More than 5 % of the resamples have no value.
        ValueError: `level` is not strictly between 0 and 1.
    """
    z_quantile(level)
    defined = drawn[~np.isnan(drawn)]
    if len(defined) < (1 - MAX_UNDEFINED) * len(drawn):
        raise InsufficientDataError(f"{len(drawn) - len(defined)} of {len(drawn)} resamples {lacking}")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


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


def _scale(found: set[str]) -> tuple[str, ...]:
    """Return the outcomes of the one question that all that was found belongs to."""
    for scale in SCALES:
        if found <= set(scale):
            return scale
    raise DataError(
        f"people and judge gave the outcomes {', '.join(sorted(found))}; expected pass and fail, or a, b and tie: "
        "compare answers to one question"
    )


def _common(ratings: NDArray[np.int64], first: int, second: int) -> int:
    return int(((ratings[first] >= 0) & (ratings[second] >= 0)).sum())


def _mean_kappa(
    ratings: NDArray[np.int64],
    pairs: list[tuple[int, int]],
    *,
    classes: int,
    counts: NDArray[np.float64],
    values: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    """Return the mean kappa of the pairs for each resample; `counts` has shape (draws, items)."""
    total = np.zeros(len(counts))
    for first, second in pairs:
        both = (ratings[first] >= 0) & (ratings[second] >= 0)
        left, right, times = ratings[first][both], ratings[second][both], counts[:, both]
        if values is None:
            observed, expected = _shares(left, right, times, classes)
        else:
            observed, expected = _squares(values[left], values[right], times)
        total += (observed - expected) / np.where(expected < 1 - 1e-12, 1 - expected, np.nan)
    return total / len(pairs)


def _shares(
    left: NDArray[np.int64], right: NDArray[np.int64], times: NDArray[np.float64], classes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the share of items on which two raters agree, and what chance would give, for each resample."""
    cells = np.eye(classes * classes)[left * classes + right]
    table = (times @ cells).reshape(-1, classes, classes)
    table /= table.sum(axis=(1, 2), keepdims=True)
    return np.trace(table, axis1=1, axis2=2), (table.sum(axis=1) * table.sum(axis=2)).sum(axis=1)


def _squares(
    left: NDArray[np.float64], right: NDArray[np.float64], times: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the same with quadratic weights, which only the first two moments of the scores enter."""
    widest = max(float(np.ptp(np.concatenate([left, right]))) ** 2, 1.0) if len(left) else 1.0
    n = times.sum(axis=1)
    apart = times @ (left - right) ** 2 / n
    by_chance = (times @ left**2 + times @ right**2) / n - 2 * (times @ left) * (times @ right) / n**2
    return 1 - apart / widest, 1 - by_chance / widest
