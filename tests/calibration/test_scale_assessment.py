"""What a judge is worth by a scale alone: labels, scores in steps, scores as fine as one likes, and preferences."""

from typing import Any

import numpy as np
import pytest

from assay.calibration.assessment import Assessment, assess_scale
from assay.calibration.certificate import Figure, Trivial
from assay.calibration.policy import (
    NominalPolicy,
    PairwisePolicy,
    PreferencePolicy,
    ScalePolicy,
    ScorePolicy,
    counted,
    pairwise_floors,
)
from assay.calibration.ratings import join
from assay.calibration.scale import NONE, Ratings
from tests.cast import item, label, verdict

LABELS = NominalPolicy(min_labels=30, min_rarer=20, kappa=0.1)
SCORES = ScorePolicy(min_labels=30, spearman=0.1)
SHARES = PreferencePolicy(min_labels=30, agreement=0.1)
N = 60


def assessed(policy: ScalePolicy, human: list[list[int]], judge: list[int], **changes: Any) -> Assessment:
    """Return what a judge of three classes is worth; numbers are their places."""
    people = tuple("abcd"[: len(human)])
    fields: dict[str, Any] = {"classes": ("x", "y", "z"), "values": None, "people": people} | changes
    found = Ratings(human=np.array(human), judge=np.array(judge), **fields)
    return assess_scale(found, ["refunds", "escalation"] * (N // 2), policy, rng=np.random.default_rng(1))


def labels(*counts: int) -> list[int]:
    """Return so many items of each class, mixed."""
    return [place for place, count in enumerate(counts) for _ in range(count)]


def floors(of: Assessment) -> dict[str, tuple[str, bool]]:
    return {floor.figure: (floor.found, floor.met) for floor in of.floors}


@pytest.mark.parametrize(("counts", "rarer", "met"), [((40, 15, 5), "20", True), ((41, 14, 5), "19", False)])
def test_labels_need_enough_outside_the_commonest(counts: tuple[int, ...], rarer: str, *, met: bool) -> None:
    """Twenty items outside the commonest class of people are enough and nineteen are not."""
    truth = labels(*counts)
    found = assessed(LABELS, [truth], truth)
    assert floors(found)["outside the commonest class"] == (rarer, met)
    assert floors(found)["labelled items"] == ("60", True)
    assert found.confusion == np.diag(counts).tolist()


def test_the_constant_rival_says_the_commonest_class() -> None:
    """Of 60 items 30 are y: who says so always has half of them right, and the judge is held against that."""
    truth = labels(20, 30, 10)
    found = assessed(LABELS, [truth], truth)
    (rival,) = found.trivial
    assert (rival.name, rival.accuracy, rival.n) == ("constant", 0.5, N)
    assert (rival.beaten_by or 0) > 0.3
    assert "constant, 0.500" in next(floor.demand for floor in found.floors if floor.figure == "accuracy")


def test_items_without_a_verdict_are_wrong_ones_beside() -> None:
    """Six of 60 labelled items have no verdict: they are in no table, and with them as wrong 54 of 60 are right."""
    truth = labels(30, 20, 10)
    judge = [NONE if at % 10 == 0 else place for at, place in enumerate(truth)]
    found = assessed(LABELS, [truth], judge)
    figures = {one.name: one for one in found.figures}
    assert figures["accuracy-unscored-wrong"].estimate == pytest.approx(0.9)
    assert (figures["accuracy"].estimate, figures["accuracy"].n) == (1.0, 54)
    assert sum(map(sum, found.confusion)) == 54
    assert floors(found)["without a verdict"] == ("10.0 %", False)
    assert sum(part.n for part in found.slices) == 54


def test_parts_are_categories_of_what_was_counted() -> None:
    """Each category has its own agreement; the judge errs on the second alone."""
    truth = labels(30, 20, 10)
    judge = [(place + 1) % 3 if at % 2 else place for at, place in enumerate(truth)]
    found = assessed(LABELS, [truth], judge)
    assert [(part.name, part.n, part.agree) for part in found.slices] == [("escalation", 30, 0), ("refunds", 30, 30)]


def test_classes_are_told_of_labels_alone() -> None:
    """Precision and recall by class belong to labels; scores have an error and an order in their place."""
    truth = labels(30, 20, 10)
    values = np.array([1.0, 2.0, 3.0])
    by_label, by_score = assessed(LABELS, [truth], truth), assessed(SCORES, [truth], truth, values=values)
    assert [row.name for row in by_label.by_class] == ["x", "y", "z"]
    assert by_score.by_class == []
    names = {one.name for one in by_score.figures}
    assert {"spearman", "mae", "kappa-quadratic"} <= names
    assert not {"spearman", "mae"} & {one.name for one in by_label.figures}


def test_scores_without_steps_are_counted_by_nobody() -> None:
    """Of scores as fine as 4.37 there is no table, no part and no rival; floors and how many are labelled are there."""
    truth = labels(30, 20, 10)
    silent = [NONE if at < 6 else place for at, place in enumerate(truth)]
    found = assessed(SCORES, [truth], silent, values=np.array([1.0, 2.0, 3.0]), has_steps=False)
    assert (found.confusion, found.slices, found.trivial, found.by_class, found.by_annotator) == ([], [], [], [], [])
    assert floors(found)["labelled items"] == ("54", True)
    assert floors(found)["without a verdict"] == ("10.0 %", False)
    assert {"spearman", "mae"} <= {one.name for one in found.figures}


def test_preferences_are_counted_by_side() -> None:
    """Shares of .9, .5 and .1 are a, tie and b: the table counts sides, whatever the judge's own share."""
    truth = labels(30, 20, 10)
    values = np.array([0.9, 0.5, 0.1])
    found = assessed(SHARES, [truth], [0] * 30 + [1] * 20 + [1] * 10, values=values)
    assert found.confusion == [[30, 0, 0], [0, 20, 0], [0, 10, 0]]
    figures = {one.name: one.estimate for one in found.figures}
    assert figures["decided"] == pytest.approx(30 / 60)
    assert figures["brier"] == pytest.approx(10 * 0.4**2 / 60)
    assert found.by_class == []


def test_several_annotators_have_a_word_together_and_each_their_own() -> None:
    """Where two of three say y the item is y; each annotator has a row, and so has their agreement."""
    truth = labels(30, 20, 10)
    odd = [(place + 1) % 3 for place in truth]
    found = assessed(LABELS, [truth, truth, odd], truth)
    assert found.confusion == np.diag([30, 20, 10]).tolist()
    assert [(row.annotator, row.n, row.agree) for row in found.by_annotator] == [
        *(("a", N, N), ("b", N, N), ("c", N, 0)),
    ]
    assert {"alpha-human", "agrees-with-one", "kappa-over-human"} <= {one.name for one in found.figures}


@pytest.mark.parametrize(("policy", "values"), [(LABELS, None), (SCORES, [1.0, 2.0, 3.0]), (SHARES, [0.9, 0.5, 0.1])])
def test_a_figure_is_told_once(policy: ScalePolicy, values: list[float] | None) -> None:
    """What a policy's own figures tell already is not among those of how people agree."""
    truth = labels(30, 20, 10)
    odd = [(place + 1) % 3 for place in truth]
    found = assessed(policy, [truth, truth, odd], truth, values=None if values is None else np.array(values))
    names = [one.name for one in found.figures]
    assert sorted(names) == sorted(set(names))
    assert {"kappa-over-human", "alpha-human"} <= set(names)


PAIRS = PairwisePolicy(min_labels=50, accuracy=0.6, kappa=0.2, max_conflict=0.25)


def pair_floors(low: float = 0.7, conflict: float = 0.1, **lows: float) -> dict[str, bool]:
    """Return which floors of a judge of pairs are met with these bounds."""
    items = [item(number, "x", "pairwise", "y") for number in range(50)]
    said = [label(one.item_id, "a") for one in items]
    words = [verdict(one.item_id, "a", subject="anchor", as_is="a", swapped="a") for one in items]
    figures = [
        Figure(name=name, estimate=0.9, low=lows.get(name, low), high=conflict, n=50, method="m")
        for name in ("accuracy", "kappa-linear", "conflict", "kappa-over-human")
    ]
    rivals = [Trivial(name="longer", accuracy=0.5, n=50, beaten_by=lows.get("beaten", 0.1))]
    found = pairwise_floors(PAIRS, counted(join("better", items, said, words)), figures, rivals)
    told: dict[str, bool] = {}
    for floor in found:
        told[f"{floor.figure}+" if floor.figure in told else floor.figure] = floor.met
    return told


@pytest.mark.parametrize(
    ("at", "beyond", "name"),
    [
        ({"accuracy": 0.6}, {"accuracy": 0.6 - 1e-9}, "accuracy"),
        ({"kappa-linear": 0.2}, {"kappa-linear": 0.2 - 1e-9}, "kappa-linear"),
        ({"conflict": 0.25}, {"conflict": 0.25 + 1e-9}, "conflict"),
        ({"beaten": 1e-9}, {"beaten": 0.0}, "accuracy+"),
    ],
)
def test_a_judge_of_pairs_at_its_floors(at: dict[str, float], beyond: dict[str, float], name: str) -> None:
    """Each bound may be the demand itself, and not beyond; the rival without a thought has to be beaten at all."""
    assert set(pair_floors()) == {
        "labelled items",
        "without a verdict",
        "accuracy",
        "kappa-linear",
        "conflict",
        "accuracy+",
    }
    assert all(pair_floors(**at).values())
    assert [figure for figure, met in pair_floors(**beyond).items() if not met] == [name]
