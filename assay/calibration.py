"""Calibration: a judge's verdicts beside people's labels, as the figures and floors of a certificate."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from assay.certificate import Figure, Floor, Slice, Trivial
from assay.errors import DataError, InsufficientDataError
from assay.records import Item, Label, Outcome, Record, Verdict
from assay.stats import agreement, annotators, baselines, pairs
from assay.stats.difference import newcombe
from assay.stats.rates import Interval, wilson

MIN_SLICE = 10
"""Items below which a slice is for reading, not for naming as the lowest."""
PASS_FAIL = ("fail", "pass")
PAIRWISE = ("a", "tie", "b")
MAX_UNSCORED = 0.05
"""Share of held-out items without a verdict beyond which no certificate holds: a judge could pick the easy ones."""


class PassFailPolicy(Record):
    """Floors of a pass/fail judge; those of rates are on the lower bounds of their 95 % intervals."""

    min_labels: int
    min_rarer: int
    tpr: float
    tnr: float
    youden: float


class PairwisePolicy(Record):
    """Floors of a pairwise judge; `max_conflict` is on the upper bound of the share of pairs that the order decided."""

    min_labels: int
    accuracy: float
    kappa: float
    max_conflict: float


class Rated(NamedTuple):
    """Held-out items of one question with what people and the judge said, in the same order."""

    items: list[Item]
    human: list[str]
    judge: list[Verdict]
    labels: list[Label]
    """All of them, so also of items on which people were evenly split: how far people agree must not be flattered."""
    said: dict[str, Outcome]
    """The judge's outcome by item, whether people were decided or not."""
    unscored: list[Item]
    """Items that people decided and the judge gave no verdict on."""
    undecided: int


def rated(question: str, items: Iterable[Item], labels: Iterable[Label], verdicts: Iterable[Verdict]) -> Rated:
    """Join held-out labels with the anchors' verdicts; what either side left open is counted, not guessed.

    Raises:
        InsufficientDataError: No held-out item has both.
        DataError: An item is in both splits: the judge was tuned on what it is to be tested with.
    """
    asked = {item.item_id: item for item in items if item.question == question}
    about = [label for label in labels if label.item_id in asked]
    heldout = [label for label in about if label.split == "heldout"]
    leaked = {label.item_id for label in about if label.split == "tune"} & {label.item_id for label in heldout}
    if leaked:
        raise DataError(
            f"data/labels: {min(leaked)} and {len(leaked) - 1} more items are in both splits, expected tune or heldout "
            "for all labels of an item: decide for one split each"
        )
    human = annotators.majority(heldout)
    said = {verdict.item_id: verdict for verdict in verdicts if verdict.item_id in asked and verdict.status == "ok"}
    both = [item_id for item_id in human.outcomes if item_id in said]
    if not both:
        raise InsufficientDataError(
            f"no held-out {question} item has both a label and a verdict: label some, or run `assay nightly` first"
        )
    return Rated(
        items=[asked[item_id] for item_id in both],
        human=[human.outcomes[item_id] for item_id in both],
        judge=[said[item_id] for item_id in both],
        labels=heldout,
        said={item_id: verdict.outcome for item_id, verdict in said.items()},
        unscored=[asked[item_id] for item_id in human.outcomes if item_id not in said],
        undecided=len(human.split),
    )


def only_natural(found: Rated, items: Iterable[Item]) -> Rated:
    """Keep what a product really said: constructed items tell where a judge is blind, not how often it errs."""
    keep = [index for index, item in enumerate(found.items) if item.slice == "natural"]
    if not keep:
        raise InsufficientDataError("no held-out item was drawn from a product's responses: label some that were")
    natural = {item.item_id for item in items if item.slice == "natural"}
    return found._replace(
        items=[found.items[index] for index in keep],
        human=[found.human[index] for index in keep],
        judge=[found.judge[index] for index in keep],
        labels=[label for label in found.labels if label.item_id in natural],
        unscored=[item for item in found.unscored if item.slice == "natural"],
    )


def pass_fail_figures(found: Rated, rng: np.random.Generator) -> list[Figure]:
    """Return TPR, TNR, Youden's J, kappa, AC1, the pass rate and the human ceiling."""
    human = [outcome == "pass" for outcome in found.human]
    judge = [verdict.outcome == "pass" for verdict in found.judge]
    both = agreement.binary_agreement(human, judge)
    table = agreement.cross_table(human, judge, classes=2)
    point = {"n": both.n, "low": None, "high": None}
    return [
        _interval("tpr", both.tpr),
        _interval("tnr", both.tnr),
        _youden(table),
        _interval("accuracy", both.accuracy),
        _kappa("kappa", both.kappa, both.n, table, "none"),
        Figure(name="ac1", estimate=both.ac1, method="Gwet AC1", **point),
        Figure(name="human-pass-rate", estimate=both.prevalence, method="share of labels", **point),
        _ceiling(found, rng),
    ]


def pairwise_figures(found: Rated, rng: np.random.Generator) -> list[Figure]:
    """Return accuracy, linear-weighted kappa, conflict rate and direction, and the human ceiling."""
    judge = [verdict.outcome for verdict in found.judge]
    both = pairs.three_way(found.human, judge)
    as_is = [str(verdict.as_is) for verdict in found.judge]
    swapped = [str(verdict.swapped) for verdict in found.judge]
    position = pairs.position_bias(as_is, swapped)
    scale = [PAIRWISE.index(outcome) for outcome in found.human], [PAIRWISE.index(outcome) for outcome in judge]
    table = agreement.cross_table(*scale, classes=3)
    agreed = sum(left == right for left, right in zip(found.human, judge, strict=True))
    return [
        _interval("accuracy", wilson(agreed, both.n)),
        _kappa("kappa-linear", both.kappa_linear, both.n, table, "linear"),
        _interval("conflict", position.conflict),
        _interval("direction", position.direction),
        Figure(name="decided", estimate=both.decided_share, low=None, high=None, n=both.n, method="share both decided"),
        _ceiling(found, rng),
    ]


def confusion(found: Rated, classes: Sequence[str]) -> list[list[int]]:
    """Count items by both outcomes, rows human, columns judge."""
    cells = list(zip(found.human, (str(verdict.outcome) for verdict in found.judge), strict=True))
    return [[cells.count((human, judge)) for judge in classes] for human in classes]


def slices(found: Rated) -> list[Slice]:
    """Return the agreement by kind of fault and by category: the lowest first, parts too small for a claim last."""
    groups: dict[tuple[Literal["slice", "category"], str], list[bool]] = {}
    for item, human, verdict in zip(found.items, found.human, found.judge, strict=True):
        groups.setdefault(("slice", item.slice), []).append(human == verdict.outcome)
        groups.setdefault(("category", item.category), []).append(human == verdict.outcome)
    rows = []
    for (kind, name), agreed in groups.items():
        share = wilson(sum(agreed), len(agreed))
        rows.append(Slice(kind=kind, name=name, n=len(agreed), agree=sum(agreed), low=share.low, high=share.high))
    return sorted(rows, key=lambda row: (row.n < MIN_SLICE, row.agree / row.n, row.kind, row.name))


def trivial(found: Rated) -> list[Trivial]:
    """Return what judges without a thought score on the same items."""
    truth = {item.item_id: human for item, human in zip(found.items, found.human, strict=True)}
    judged = baselines.trivial_judges(found.items, truth)
    return [Trivial(name=judge.name, accuracy=judge.accuracy.estimate, n=judge.n) for judge in judged]


def pass_fail_floors(
    policy: PassFailPolicy, found: Rated, figures: Sequence[Figure], rivals: Sequence[Trivial]
) -> list[Floor]:
    """Hold a pass/fail judge against its policy."""
    rarer = min(found.human.count(outcome) for outcome in PASS_FAIL)
    named = {figure.name: figure for figure in figures}
    return [
        *_counts(
            {"labelled items": (len(found.items), policy.min_labels), "of the rarer label": (rarer, policy.min_rarer)}
        ),
        _answers(found),
        *(
            _floor(named[name], floor)
            for name, floor in (("tpr", policy.tpr), ("tnr", policy.tnr), ("youden", policy.youden))
        ),
        _beats(named["accuracy"], rivals),
    ]


def pairwise_floors(
    policy: PairwisePolicy, found: Rated, figures: Sequence[Figure], rivals: Sequence[Trivial]
) -> list[Floor]:
    """Hold a pairwise judge against its policy."""
    named = {figure.name: figure for figure in figures}
    conflict = named["conflict"]
    return [
        *_counts({"labelled items": (len(found.items), policy.min_labels)}),
        _answers(found),
        _floor(named["accuracy"], policy.accuracy),
        _floor(named["kappa-linear"], policy.kappa),
        Floor(
            figure="conflict",
            demand=f"upper bound at most {policy.max_conflict:.2f}",
            found="none" if conflict.high is None else f"{conflict.high:.3f}",
            met=conflict.high is not None and conflict.high <= policy.max_conflict,
        ),
        _beats(named["accuracy"], rivals),
    ]


def _interval(name: str, found: Interval) -> Figure:
    return Figure(name=name, estimate=found.estimate, low=found.low, high=found.high, n=found.n, method=found.method)


def _youden(table: agreement.Table) -> Figure:
    """Return TPR - FPR: a difference of two independent rates, so it has Newcombe's interval."""
    (tn, fp), (fn, tp) = table.astype(int).tolist()
    return _interval("youden", newcombe(tp, tp + fn, fp, fp + tn))


def _kappa(name: str, estimate: float, n: int, table: agreement.Table, weights: agreement.Weights) -> Figure:
    """Return kappa with its interval; where all agree it has a standard error of 0, and Wilson's bound stands in.

    At least Wilson's lower bound of the agreement would be seen again, which is so much above chance.
    """
    rarer = int(table.sum() - table.sum(axis=1).max())
    if table.trace() == n >= agreement.MIN_ITEMS and rarer >= agreement.MIN_RARER:
        chance = agreement.cohen(table, weights=weights).expected
        low = (wilson(n, n).low - chance) / (1 - chance)
        return Figure(name=name, estimate=1, low=low, high=1, n=n, method="all agree: from Wilson's bound")
    try:
        return _interval(name, agreement.kappa_interval(table, weights=weights))
    except InsufficientDataError as refusal:
        return Figure(name=name, estimate=estimate, low=None, high=None, n=n, method="point only", note=str(refusal))


def _ceiling(found: Rated, rng: np.random.Generator) -> Figure:
    """Return how much better or worse the judge agrees with people than they with one another."""
    try:
        ceiling = annotators.human_ceiling(found.labels, found.said, rng=rng)
    except InsufficientDataError as refusal:
        return Figure(
            name="kappa-over-human", estimate=None, low=None, high=None, n=0, method="none", note=str(refusal)
        )
    people, ours = ceiling.kappa_human, ceiling.kappa_judge
    note = f"people agree with one another at kappa {people:.3f}, the judge with them at {ours:.3f}"
    return _interval("kappa-over-human", ceiling.difference).model_copy(update={"note": note})


def _counts(wanted: Mapping[str, tuple[int, int]]) -> list[Floor]:
    return [
        Floor(figure=name, demand=f"at least {least}", found=str(there), met=there >= least)
        for name, (there, least) in wanted.items()
    ]


def _answers(found: Rated) -> Floor:
    """Demand a verdict on nearly every item that people decided."""
    share = len(found.unscored) / (len(found.unscored) + len(found.items))
    return Floor(
        figure="without a verdict",
        demand=f"at most {100 * MAX_UNSCORED:.0f} %",
        found=f"{100 * share:.1f} %",
        met=share <= MAX_UNSCORED,
    )


def _floor(figure: Figure, least: float) -> Floor:
    found = "none" if figure.low is None else f"{figure.low:.3f}"
    met = figure.low is not None and figure.low >= least
    return Floor(figure=figure.name, demand=f"lower bound at least {least:.2f}", found=found, met=met)


def _beats(accuracy: Figure, rivals: Sequence[Trivial]) -> Floor:
    best = max(rivals, key=lambda rival: rival.accuracy)
    return Floor(
        figure="accuracy",
        demand=f"above the best judge without a thought ({best.name}, {best.accuracy:.3f})",
        found=f"{accuracy.estimate:.3f}",
        met=accuracy.estimate is not None and accuracy.estimate > best.accuracy,
    )
