"""What a judge is worth, figure by figure, on the items that people and the judge have both decided."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assay.calibration import selection
from assay.calibration.certificate import Figure, Slice, Trivial
from assay.calibration.ratings import Rated
from assay.errors import InsufficientDataError
from assay.records.verdict import Outcome
from assay.stats import agreement, annotators, baselines, pairs
from assay.stats.alternative import EPSILON, AlternativeTest, alternative_test
from assay.stats.difference import newcombe
from assay.stats.paired import bonett_price
from assay.stats.raters import Metric, alpha_interval, count_ballots
from assay.stats.rates import Interval, wilson

MIN_SLICE = 10
"""Items below which a slice is for reading, not for naming as the lowest."""
PASS_FAIL = ("fail", "pass")
PAIRWISE = ("a", "tie", "b")
MANY = 3
"""Annotators from whom on there is more to say of them than a kappa."""
Kind = Literal["slice", "category"]
BOUNDED = {"tpr", "tnr", "youden", "accuracy", "kappa"}
"""Figures of single answers whose lower bound counts an item without a verdict as a wrong one."""
BY_VERDICT = "the items were drawn by the judge's verdict, so this is not the share of all answers"


def pass_fail_figures(found: Rated, rng: np.random.Generator, *, epsilon: float = EPSILON) -> list[Figure]:
    """Return TPR, TNR, Youden's J, accuracy, kappa, AC1, the pass rate, and how people agree.

    An item without a verdict is in no estimate and raises no bound: the lower ones hold if each of them were wrong.

    Raises:
        InsufficientDataError: A human label never occurs, or the items were drawn so that nothing can be told.
    """
    told = [*_rates(found, rng), *_unscored(found), *_people(found, rng, epsilon)]
    if not found.unscored:
        return told
    worst = {figure.name: figure.low for figure in _rates(_silent_as_wrong(found), rng)}
    return [
        figure.model_copy(update={"low": min(figure.low, low)})
        if figure.name in BOUNDED and figure.low is not None and (low := worst.get(figure.name)) is not None
        else figure
        for figure in told
    ]


def _silent_as_wrong(found: Rated) -> Rated:
    """Return the items with those that the judge gave no verdict on as ones that it has wrong."""
    other: dict[str, Outcome] = {"pass": "fail", "fail": "pass"}
    wrong = [
        found.judge[0].model_copy(update={"item_id": item.item_id, "outcome": other[human]})
        for item, human in zip(found.unscored, found.unscored_human, strict=True)
    ]
    return found._replace(
        items=[*found.items, *found.unscored],
        human=[*found.human, *found.unscored_human],
        judge=[*found.judge, *wrong],
        unscored=[],
        unscored_human=[],
    )


def _rates(found: Rated, rng: np.random.Generator) -> list[Figure]:
    human = [outcome == "pass" for outcome in found.human]
    judge = [verdict.outcome == "pass" for verdict in found.judge]
    both = agreement.binary_agreement(human, judge)
    table = agreement.cross_table(human, judge, classes=2)
    accuracy = interval("accuracy", both.accuracy)
    if selection.is_uneven(found):
        accuracy = accuracy.model_copy(update={"note": BY_VERDICT})
        return [*_corrected(found, rng), accuracy]
    return [
        interval("tpr", both.tpr),
        interval("tnr", both.tnr),
        _youden(table),
        accuracy,
        kappa_figure("kappa", both.kappa, both.n, table, "none"),
        point("ac1", both.ac1, both.n, "Gwet AC1"),
        point("human-pass-rate", both.prevalence, both.n, "share of labels"),
    ]


def pairwise_figures(found: Rated, rng: np.random.Generator, *, epsilon: float = EPSILON) -> list[Figure]:
    """Return accuracy, linear-weighted kappa, conflicts, the lean to the longer response, and how people agree."""
    judge = [verdict.outcome for verdict in found.judge]
    both = pairs.three_way(found.human, judge)
    scale = [PAIRWISE.index(outcome) for outcome in found.human], [PAIRWISE.index(outcome) for outcome in judge]
    table = agreement.cross_table(*scale, classes=3)
    agreed = sum(left == right for left, right in zip(found.human, judge, strict=True))
    silent = _unscored(found)
    accuracy = interval("accuracy", wilson(agreed, both.n))
    return [
        accuracy.model_copy(update={"low": silent[0].low}) if silent else accuracy,
        *silent,
        kappa_figure("kappa-linear", both.kappa_linear, both.n, table, "linear"),
        *_position(found),
        point("decided", both.decided_share, both.n, "share both decided"),
        *_longer(found),
        *_people(found, rng, epsilon),
    ]


def confusion(found: Rated, classes: Sequence[str]) -> list[list[int]]:
    """Count items by both outcomes, rows human, columns judge."""
    cells = list(zip(found.human, (str(verdict.outcome) for verdict in found.judge), strict=True))
    return [[cells.count((human, judge)) for judge in classes] for human in classes]


def slices(found: Rated) -> list[Slice]:
    """Return the agreement by kind of fault and by category: the lowest first, parts too small for a claim last."""
    scale: tuple[str, ...] = PAIRWISE if found.items[0].question == "pairwise" else PASS_FAIL
    human = np.array([scale.index(outcome) for outcome in found.human])
    judge = np.array([scale.index(verdict.outcome) for verdict in found.judge])
    kinds: list[tuple[Kind, list[str]]] = [
        ("slice", [item.slice for item in found.items]),
        ("category", [item.category for item in found.items]),
    ]
    # Of two outcomes kappa is the same with linear weights as without any.
    return parts(kinds, human, judge, classes=len(scale), weights="linear")


def parts(
    kinds: Sequence[tuple[Kind, Sequence[str]]],
    human: NDArray[np.int64],
    judge: NDArray[np.int64],
    *,
    classes: int,
    weights: agreement.Weights,
) -> list[Slice]:
    """Return agreement and kappa on each part of the items: the lowest first, parts too small for a claim last.

    Args:
        kinds: By kind of part: the name of each item's part.
        human: Class numbers, shape (items,).
        judge: The same, same order.
        classes: How many classes there are.
        weights: Those of kappa.
    """
    rows = []
    for kind, names in kinds:
        groups: dict[str, list[int]] = {}
        for index, name in enumerate(names):
            groups.setdefault(name, []).append(index)
        for name, where in groups.items():
            table = agreement.cross_table(human[where], judge[where], classes=classes)
            share, kappa = wilson(int(table.trace()), len(where)), kappa_of(table, weights)
            bounds = {"kappa": kappa.estimate, "kappa_low": kappa.low, "kappa_high": kappa.high}
            whole = {"n": len(where), "agree": int(table.trace()), "low": share.low, "high": share.high, **bounds}
            rows.append(Slice.model_validate({"kind": kind, "name": name, **whole}))
    return sorted(rows, key=lambda row: (row.n < MIN_SLICE, row.agree / row.n, row.kind, row.name))


def trivial(found: Rated) -> list[Trivial]:
    """Return what judges without a thought score on the same items."""
    truth = {item.item_id: human for item, human in zip(found.items, found.human, strict=True)}
    agreed = [human == verdict.outcome for human, verdict in zip(found.human, found.judge, strict=True)]
    return [
        rival(one.name, one.accuracy.estimate, agreed, one.right)
        for one in baselines.trivial_judges(found.items, truth)
    ]


def rival(name: str, accuracy: float, agreed: Sequence[bool], right: Sequence[bool]) -> Trivial:
    """Return a judge without a thought, with the lower bound of how much more the judge has right.

    Args:
        name: Its name.
        accuracy: Its own.
        agreed: By item, whether the judge is right.
        right: Whether it is right itself, same order.
    """
    gained, lost = (
        sum(one > other for one, other in zip(*both, strict=True)) for both in ((agreed, right), (right, agreed))
    )
    least = bonett_price(gained, lost, len(agreed)).low
    return Trivial(name=name, accuracy=accuracy, n=len(agreed), beaten_by=least)


def interval(name: str, found: Interval) -> Figure:
    """Return a figure with its interval."""
    return Figure(name=name, estimate=found.estimate, low=found.low, high=found.high, n=found.n, method=found.method)


def _youden(table: agreement.Table) -> Figure:
    """Return TPR - FPR: a difference of two independent rates, so it has Newcombe's interval."""
    (tn, fp), (fn, tp) = table.astype(int).tolist()
    return interval("youden", newcombe(tp, tp + fn, fp, fp + tn))


def unscored_as_wrong(agreed: int, items: int, unscored: int) -> list[Figure]:
    """Return the accuracy if every item without a verdict were a wrong one, beside that of the answered items."""
    return [interval("accuracy-unscored-wrong", wilson(agreed, items + unscored))] if unscored else []


def kappa_figure(name: str, estimate: float, n: int, table: agreement.Table, weights: agreement.Weights) -> Figure:
    """Return kappa with its interval; where all agree it has a standard error of 0, and Wilson's bound stands in.

    At least Wilson's lower bound of the agreement would be seen again, which is so much above chance.
    """
    rarer = int(table.sum() - table.sum(axis=1).max())
    if table.trace() == n >= agreement.MIN_ITEMS and rarer >= agreement.MIN_RARER:
        chance = agreement.cohen(table, weights=weights).expected
        low = (wilson(n, n).low - chance) / (1 - chance)
        return Figure(name=name, estimate=1, low=low, high=1, n=n, method="all agree: from Wilson's bound")
    try:
        return interval(name, agreement.kappa_interval(table, weights=weights))
    except InsufficientDataError as refusal:
        return Figure(name=name, estimate=estimate, low=None, high=None, n=n, method="point only", note=str(refusal))


def kappa_of(table: agreement.Table, weights: agreement.Weights, name: str = "kappa") -> Figure:
    """Return kappa of a table with its interval as far as it has one, or why it has no value."""
    try:
        estimate = agreement.cohen(table, weights=weights).estimate
    except InsufficientDataError as refusal:
        return refused(name, refusal)
    return kappa_figure(name, estimate, int(table.sum()), table, weights)


def _corrected(found: Rated, rng: np.random.Generator) -> list[Figure]:
    """Return the rates of a judge whose labels were drawn by its verdicts; J has the sum of both rates' bounds."""
    whole = selection.corrected(found, rng)
    if whole.tpr is None or whole.tnr is None:
        raise InsufficientDataError("people gave all labelled items one label; TPR and TNR need both: label more items")
    sums = [whole.tpr.estimate + whole.tnr.estimate - 1, whole.tpr.low + whole.tnr.low - 1]
    sums.append(whole.tpr.high + whole.tnr.high - 1)
    estimate, low, high = sums
    youden = Figure(name="youden", estimate=estimate, low=low, high=high, n=len(found.items), method="sum of bounds")
    rates = [interval("tpr", whole.tpr), interval("tnr", whole.tnr)]
    return [*rates, youden, interval("human-pass-rate", whole.pass_rate)]


def _unscored(found: Rated) -> list[Figure]:
    agreed = sum(human == verdict.outcome for human, verdict in zip(found.human, found.judge, strict=True))
    return unscored_as_wrong(agreed, len(found.items), len(found.unscored))


def _position(found: Rated) -> list[Figure]:
    """Return how far the order of showing decided; nobody can tell of a judge that saw one order alone."""
    orders = [(verdict.as_is, verdict.swapped) for verdict in found.judge]
    if any(None in both for both in orders):
        refusal = InsufficientDataError("the pairs were judged in one order: judge each of them in both")
        return [refused(name, refusal) for name in ("conflict", "direction")]
    position = pairs.position_bias([str(as_is) for as_is, _ in orders], [str(swapped) for _, swapped in orders])
    return [interval("conflict", position.conflict), interval("direction", position.direction)]


def _longer(found: Rated) -> list[Figure]:
    """Return how much more often the judge prefers the longer response than people do, on pairs that both decided."""
    if not any(item.response_a or item.response_b for item in found.items):
        return []
    lean, n = [0, 0], 0
    for item, human, verdict in zip(found.items, found.human, found.judge, strict=True):
        longer = {1: "a", -1: "b"}.get(np.sign(len(item.response_a) - len(item.response_b)).item())
        if longer and {human, verdict.outcome} <= {"a", "b"}:
            n += 1
            if human != verdict.outcome:
                lean[verdict.outcome == longer] += 1
    try:
        return [interval("longer-over-human", bonett_price(lean[1], lean[0], n))]
    except InsufficientDataError as refusal:
        return [refused("longer-over-human", refusal)]


def _people(found: Rated, rng: np.random.Generator, epsilon: float) -> list[Figure]:
    """Return how people agree with one another, and the judge beside them; how members of a panel agree."""
    rows = [_ceiling(found, rng)]
    if len({label.annotator for label in found.labels}) >= MANY:
        rows += [_alpha(found, rng), _alternative(found, epsilon)]
    votes = [verdict.votes for verdict in found.judge if verdict.votes]
    if votes:
        scale = PAIRWISE if found.items[0].question == "pairwise" else PASS_FAIL
        numbers = np.array([[scale.index(vote) if vote in scale else -1 for vote in one] for one in votes]).T
        rows.append(attempt("alpha-panel", lambda: alpha_interval(count_ballots(numbers, classes=len(scale)), rng=rng)))
    return rows


def _alpha(found: Rated, rng: np.random.Generator) -> Figure:
    everyone = annotators.panel(found.labels, found.said)
    ballots = count_ballots(everyone.human, classes=len(everyone.outcomes))
    metric: Metric = "ordinal" if len(everyone.outcomes) > len(PASS_FAIL) else "nominal"
    return attempt("alpha-human", lambda: alpha_interval(ballots, metric=metric, rng=rng))


def _alternative(found: Rated, epsilon: float) -> Figure:
    everyone = annotators.panel(found.labels, found.said)
    return alternative_figure(
        lambda: alternative_test(everyone.human, everyone.judge, outcomes=everyone.outcomes, epsilon=epsilon)
    )


def alternative_figure(make: Callable[[], AlternativeTest]) -> Figure:
    """Return the share of annotators whom the judge could replace; it decides nothing by itself."""
    try:
        test = make()
    except InsufficientDataError as refusal:
        return refused("alternative-test", refusal)
    word = "passed" if test.passed else "not passed"
    note = f"{word} at epsilon {test.epsilon:g}{': ' if test.reason else ''}{test.reason}"
    return point("alternative-test", test.winning_rate, test.n, "Calderon et al.").model_copy(update={"note": note})


def _ceiling(found: Rated, rng: np.random.Generator) -> Figure:
    return ceiling_figure(lambda: annotators.human_ceiling(found.labels, found.said, rng=rng))


def ceiling_figure(make: Callable[[], annotators.Ceiling]) -> Figure:
    """Return how much better or worse the judge agrees with people than they with one another."""
    try:
        ceiling = make()
    except InsufficientDataError as refusal:
        return refused("kappa-over-human", refusal)
    people, ours = ceiling.kappa_human, ceiling.kappa_judge
    note = f"people agree with one another at kappa {people:.3f}, the judge with them at {ours:.3f}"
    return interval("kappa-over-human", ceiling.difference).model_copy(update={"note": note})


def attempt(name: str, make: Callable[[], Interval]) -> Figure:
    """Return a figure, or why there is none."""
    try:
        return interval(name, make())
    except InsufficientDataError as refusal:
        return refused(name, refusal)


def refused(name: str, refusal: InsufficientDataError) -> Figure:
    """Return a figure that there is not, with the reason."""
    return Figure(name=name, estimate=None, low=None, high=None, n=0, method="none", note=str(refusal))


def point(name: str, estimate: float, n: int, method: str) -> Figure:
    """Return a figure without an interval."""
    return Figure(name=name, estimate=estimate, low=None, high=None, n=n, method=method)
