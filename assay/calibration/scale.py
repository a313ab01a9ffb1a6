"""How far a judge agrees with people on a scale beyond pass and fail: labels of several classes, scores, preferences.

The same functions serve a judge of the project, whose declaration has the scale, and anybody's flat file.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.calibration import selection
from assay.calibration.certificate import AnnotatorFigure, ClassFigure, Figure
from assay.calibration.figures import (
    BY_VERDICT,
    MANY,
    PAIRWISE,
    PASS_FAIL,
    alternative_figure,
    attempt,
    ceiling_figure,
    interval,
    kappa_of,
    point,
    refused,
)
from assay.calibration.ratings import Rated
from assay.errors import InsufficientDataError
from assay.judges.declaration import Declaration
from assay.stats import agreement, annotators
from assay.stats.alternative import alternative_test
from assay.stats.classes import by_class, macro_averages, macro_intervals
from assay.stats.each_annotator import NONE, each_annotator, settle
from assay.stats.raters import alpha_interval, count_ballots
from assay.stats.rates import Interval, wilson
from assay.stats.scores import mean_interval, spearman, spearman_interval

KAPPA, EXACT = "kappa-scale", "accuracy-scale"
"""What a certificate calls figures that its question of pass and fail has under shorter names."""
NO_WORD = InsufficientDataError("no item has a label of people in the judge's own scale: label some with it")
NO_STEPS = InsufficientDataError(
    "the scores are no whole or half numbers, so they have no steps to agree on: round them to steps for a kappa"
)
PANEL_STEPS = 21
"""Classes up to which the agreement of a panel is worked out: its cost grows with their square."""
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Ratings(NamedTuple):
    """What people and a judge said of the same items on one scale, as places in it."""

    classes: tuple[str, ...]
    values: Floats | None
    """What the classes are as numbers, in order; None for names."""
    people: tuple[str, ...]
    human: Integers
    """Shape (people, items); -1 where a person said nothing."""
    judge: Integers
    """Shape (items,); -1 where the judge gave no verdict."""
    weights: agreement.Weights = "none"
    """Those of kappa."""
    has_steps: bool = True
    """Whether equal scores can be expected; numbers as fine as 4.37 have none."""

    def settled(self) -> Integers:
        """Return what people say of each item: the commonest class, or the lower median of scores; -1 for none."""
        return settle(self.human, classes=len(self.classes), is_ordered=self.values is not None)

    def is_settled(self) -> NDArray[np.bool_]:
        """Tell of each item whether people have a word on it; scores always have a mean and a median."""
        return np.asarray(self.settled() != NONE if self.values is None else (self.human != NONE).any(axis=0))

    def means(self) -> Floats:
        """Return the mean score of people on each item, NaN where there is none."""
        given = self.human != NONE
        total, count = np.where(given, self._value(self.human), 0).sum(axis=0), given.sum(axis=0)
        return np.asarray(np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0))

    def said(self) -> Floats:
        """Return the judge's score of each item, NaN where there is none."""
        return np.where(self.judge != NONE, self._value(self.judge), np.nan)

    def only(self, kept: NDArray[np.bool_]) -> "Ratings":
        """Return some of the items."""
        return self._replace(human=self.human[:, kept], judge=self.judge[kept])

    def _value(self, places: Integers) -> Floats:
        return (np.arange(len(self.classes), dtype=float) if self.values is None else self.values)[places]


def ratings_of(found: Rated, declared: Declaration | None) -> Ratings:
    """Return what people and a judge said of the items, on the judge's own scale where it has one."""
    question = declared.question if declared else found.items[0].question
    own = declared if declared and question in ("labels", "score") else None
    scale: tuple[str, ...] = own.verdicts if own else PAIRWISE if question == "pairwise" else PASS_FAIL
    words = found.words if own else found.said
    place = {word: number for number, word in enumerate(scale)}
    votes: dict[str, dict[str, int]] = {}
    for label in found.labels:
        word = label.label if own else label.outcome
        if word in place:
            votes.setdefault(label.item_id, {})[label.annotator] = place[word]
    items = [item_id for item_id in votes if words.get(item_id) in place]
    people = tuple(sorted({who for item_id in items for who in votes[item_id]}))
    table = [[votes[item_id].get(who, NONE) for item_id in items] for who in people]
    return Ratings(
        classes=scale,
        values=np.array([float(word) for word in scale]) if question == "score" else None,
        people=people,
        human=np.array(table, dtype=np.int64).reshape(len(people), len(items)),
        judge=np.array([place[words[item_id]] for item_id in items], dtype=np.int64),
        weights={"score": "quadratic", "pairwise": "linear"}.get(question, "none"),  # type: ignore[arg-type]
    )


def scale_figures(found: Rated, declared: Declaration, rng: np.random.Generator) -> list[Figure]:
    """Return how far a judge of labels or scores agrees with people on its own scale; nothing for any other judge.

    Several people's word on an item is their commonest label, or the lower median of their scores; an item whose
    commonest labels draw level is left out.
    """
    if declared.question not in ("labels", "score"):
        return []
    ratings = ratings_of(found, declared)
    if not len(ratings.judge):
        return [refused(KAPPA, NO_WORD)]
    figures = (nominal_figures if ratings.values is None else score_figures)(ratings, rng, kappa=KAPPA, exact=EXACT)
    if not selection.is_uneven(found):
        return figures
    return [_note(figure, "; ".join(filter(None, (figure.note, BY_VERDICT)))) for figure in figures]


def nominal_figures(
    found: Ratings, rng: np.random.Generator, *, kappa: str = "kappa", exact: str = "accuracy"
) -> list[Figure]:
    """Return accuracy, kappa, and macro precision, recall and F1 of a judge of labels.

    Args:
        found: The ratings.
        rng: Source of the bootstrap.
        kappa: What kappa is called.
        exact: What the accuracy is called.

    Source:
        Cohen (1960), A coefficient of agreement for nominal scales.
    """
    table = _table(found)
    return [
        interval(exact, wilson(int(table.trace()), int(table.sum()))),
        kappa_of(table, "none", kappa),
        *macro_figures(found, rng),
    ]


def macro_figures(found: Ratings, rng: np.random.Generator) -> list[Figure]:
    """Return macro precision, recall and F1 over the classes that occur."""
    table = _table(found)
    names = ("macro-precision", "macro-recall", "macro-f1")
    try:
        return [interval(name, one) for name, one in zip(names, macro_intervals(table, rng=rng), strict=True)]
    except InsufficientDataError as refusal:
        means = macro_averages(table)
        estimates = (means.precision, means.recall, means.f1)
        return [
            _note(point(name, estimate, means.n, "point only"), str(refusal))
            for name, estimate in zip(names, estimates, strict=True)
        ]


def score_figures(
    found: Ratings, rng: np.random.Generator, *, kappa: str = "kappa-quadratic", exact: str = "accuracy"
) -> list[Figure]:
    """Return kappa, Spearman's correlation, mean absolute error, and how often the scores are equal or one apart.

    Kappa and the shares are on the lower median of people's scores, the others on their mean.

    Args:
        found: The ratings.
        rng: Source of the bootstrap.
        kappa: What the kappa of quadratic weights is called.
        exact: What the share of equal scores is called.

    Source:
        Cohen (1968), Weighted kappa; Spearman (1904).
    """
    mean, said = found.means(), found.said()
    both = ~np.isnan(mean) & ~np.isnan(said)
    errors = np.abs(mean[both] - said[both])
    return [
        *_in_steps(found, kappa, exact),
        _spearman(mean[both], said[both], rng),
        _mean("mae", errors, "absolute error", most=float(np.ptp(found.values)) if found.values is not None else None),
    ]


def preference_figures(found: Ratings, rng: np.random.Generator) -> list[Figure]:
    """Return how far a judge agrees with people whose preferences are shares: of each pair, those who prefer A.

    Source:
        Brier (1950), Verification of forecasts expressed in terms of probability.
    """
    mean, said = found.means(), found.said()
    both = ~np.isnan(mean) & ~np.isnan(said)
    mean, said = mean[both], said[both]
    alike = np.sign(mean - 0.5) * np.sign(said - 0.5)  # 0 where one of them has a tie
    decided = alike != 0
    return [
        _mean("agrees-with-one", said * mean + (1 - said) * (1 - mean), "agreement with an annotator", most=1),
        attempt("accuracy", lambda: wilson(int((alike > 0).sum()), int(decided.sum()))),
        point("decided", float(decided.mean()), len(decided), "share both decided"),
        _spearman(mean, said, rng),
        _mean("brier", (said - mean) ** 2, "squared error", most=1),
    ]


def one_figures(found: Ratings) -> list[Figure]:
    """Return how often the judge says what an annotator says who is picked at random, items without a majority too."""
    shared = ((found.human != NONE).sum(axis=0) > 1) & (found.judge != NONE)
    if not shared.any():
        return []
    some = found.only(shared)
    ballots = count_ballots(some.human, classes=len(some.classes))
    votes = ballots.sum(axis=1)
    agree = ballots[np.arange(len(votes)), some.judge] / votes
    people = (ballots * (ballots - 1)).sum(axis=1) / (votes * (votes - 1))
    note = f"two annotators of an item say the same in {people.mean():.1%}"
    return [_note(_mean("agrees-with-one", agree, "agreement with an annotator", most=1), note)]


def people_figures(found: Ratings, rng: np.random.Generator, epsilon: float) -> list[Figure]:
    """Return how people agree with one another, and the judge beside them."""
    if len(found.people) < 2:  # noqa: PLR2004 - nobody to agree with
        return []
    if not found.has_steps:
        return [refused("kappa-over-human", NO_STEPS)]
    some, classes = found.only(found.judge != NONE), found.classes
    rows = [
        ceiling_figure(
            lambda: annotators.ceiling(some.human, some.judge, classes=len(classes), values=some.values, rng=rng)
        ),
        *(one_figures(found) if found.values is None else []),
    ]
    if len(found.people) < MANY:
        return rows
    if len(classes) <= PANEL_STEPS:
        ballots = count_ballots(some.human, classes=len(classes))
        rows.append(
            attempt(
                "alpha-human",
                lambda: alpha_interval(ballots, metric="nominal" if found.values is None else "interval", rng=rng),
            )
        )
    return [
        *rows,
        alternative_figure(
            lambda: alternative_test(some.human, some.judge, outcomes=classes, epsilon=epsilon, weights=found.weights)
        ),
    ]


def class_figures(found: Ratings) -> list[ClassFigure]:
    """Return precision and recall class by class, of names alone; a class that nobody gave is left out."""
    if found.values is not None or not found.judge.size:
        return []
    table = _table(found)
    return [
        ClassFigure(
            name=name,
            human=int(given),
            judge=int(said),
            f1=of.f1,
            **_bounds("precision", of.precision),
            **_bounds("recall", of.recall),
        )
        for name, given, said, of in zip(
            found.classes, table.sum(axis=1), table.sum(axis=0), by_class(table), strict=True
        )
        if given + said
    ]


def annotator_figures(found: Ratings) -> list[AnnotatorFigure]:
    """Return every annotator beside the judge and beside the others; nothing for scores without steps."""
    if not found.has_steps:
        return []
    rows = each_annotator(
        found.human,
        found.judge,
        classes=len(found.classes),
        weights=found.weights,
        is_ordered=found.values is not None,
    )
    return [
        AnnotatorFigure(
            annotator=who,
            n=one.judge.n,
            agree=one.judge.agree,
            kappa=one.judge.kappa,
            others_n=one.others.n,
            others_agree=one.others.agree,
            others_kappa=one.others.kappa,
        )
        for who, one in zip(found.people, rows, strict=True)
    ]


def signs(found: Ratings) -> Ratings:
    """Return which side preferences are on, as a, tie and b."""
    values = np.zeros(0) if found.values is None else found.values
    # The place of -1 is that of no preference.
    sides = np.append(1 - np.sign(values - 0.5), NONE).astype(np.int64)
    return Ratings(PAIRWISE, None, found.people, sides[found.human], sides[found.judge], weights="linear")


def _table(found: Ratings) -> agreement.Table:
    """Count the items on which people are settled and the judge gave a verdict, rows human, columns judge."""
    human = found.settled()
    both = (human != NONE) & (found.judge != NONE)
    return agreement.cross_table(human[both], found.judge[both], classes=len(found.classes))


def _in_steps(found: Ratings, kappa: str, exact: str) -> list[Figure]:
    """Return the figures of scores that have steps."""
    if not found.has_steps or found.values is None:
        return [refused(kappa, NO_STEPS)]
    table, values = _table(found), found.values
    n = int(table.sum())
    near = int(table[np.abs(values[:, None] - values[None, :]) <= 1].sum())
    linear = kappa_of(table, "linear", "kappa-linear")
    shares = [interval(exact, wilson(int(table.trace()), n)), interval("within-one", wilson(near, n))]
    return [kappa_of(table, "quadratic", kappa), linear, *shares]


def _spearman(human: Floats, judge: Floats, rng: np.random.Generator) -> Figure:
    try:
        return interval("spearman", spearman_interval(human, judge, rng=rng))
    except InsufficientDataError as refusal:
        return _or_point("spearman", lambda: spearman(human, judge), len(human), refusal)


def _or_point(name: str, make: Callable[[], float], n: int, refusal: InsufficientDataError) -> Figure:
    """Return the estimate alone where there is no interval, or why there is neither."""
    try:
        return _note(point(name, make(), n, "point only"), str(refusal))
    except InsufficientDataError as second:
        return refused(name, second)


def _mean(name: str, values: Floats, what: str, *, most: float | None) -> Figure:
    """Return a mean with its interval, which ends where the numbers do."""
    try:
        found = interval(name, mean_interval(values, what=what))
    except InsufficientDataError as refusal:
        return _or_point(name, lambda: float(values.mean()), len(values), refusal)
    low, high = max(0.0, found.low or 0.0), found.high
    return found.model_copy(update={"low": low, "high": high if most is None or high is None else min(most, high)})


def _note(figure: Figure, note: str) -> Figure:
    return figure.model_copy(update={"note": note})


def _bounds(name: str, found: Interval | None) -> dict[str, float | None]:
    values: Sequence[float | None] = (found.estimate, found.low, found.high) if found else (None, None, None)
    return dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))
