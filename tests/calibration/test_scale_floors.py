"""Floors of judges with a scale of their own: which figure each policy demands, and from which bound on it is met."""

from typing import Any

import numpy as np
import pytest

from assay.calibration.certificate import Figure, Trivial
from assay.calibration.policy import NominalPolicy, PreferencePolicy, ScalePolicy, ScorePolicy, answered, scale_floors
from assay.calibration.scale import Ratings, class_figures, one_figures, people_figures, preference_figures, signs

NAMES = ("accuracy", "kappa", "macro-f1", "agrees-with-one", "spearman", "kappa-quadratic", "mae", "kappa-over-human")
RIVALS = [Trivial(name="constant", accuracy=0.5, n=60, beaten_by=0.1)]
LABELS = NominalPolicy(min_labels=50, min_rarer=20, kappa=0.4)
SCORES = ScorePolicy(min_labels=50, spearman=0.5)
SHARES = PreferencePolicy(min_labels=50, agreement=0.6)


def held(policy: ScalePolicy, **lows: float) -> dict[str, bool]:
    """Return which floors are met where every bound is far on the right side, but for these."""
    figures = [
        Figure(name=name, estimate=0.9, low=lows.get(name, 0.89), high=lows.get(f"{name}-high", 0.91), n=60, method="m")
        for name in NAMES
    ]
    return {one.figure: one.met for one in scale_floors(policy, {"labelled items": (50, 50)}, figures, RIVALS)}


@pytest.mark.parametrize(
    ("policy", "demanded"),
    [
        (LABELS, ["labelled items", "kappa", "accuracy"]),
        (LABELS.model_copy(update={"macro_f1": 0.3}), ["labelled items", "kappa", "macro-f1", "accuracy"]),
        (SHARES, ["labelled items", "agrees-with-one"]),
        (SHARES.model_copy(update={"spearman": 0.3}), ["labelled items", "agrees-with-one", "spearman"]),
        (SCORES, ["labelled items", "spearman"]),
        (
            SCORES.model_copy(update={"kappa": 0.3, "max_mae": 1.0}),
            ["labelled items", "spearman", "kappa-quadratic", "mae"],
        ),
        (SCORES.model_copy(update={"like_people": True}), ["labelled items", "spearman", "kappa-over-human"]),
        (LABELS.model_copy(update={"max_flips": 0.1}), ["labelled items", "kappa", "flips", "accuracy"]),
        (SHARES.model_copy(update={"max_injected": 0.1}), ["labelled items", "agrees-with-one", "injected"]),
    ],
)
def test_a_policy_demands_what_it_names(policy: ScalePolicy, demanded: list[str]) -> None:
    """What a policy does not demand is no floor; what it demands is one, in its order."""
    assert list(held(policy)) == demanded


@pytest.mark.parametrize(
    ("policy", "name", "bound"),
    [
        (LABELS, "kappa", 0.4),
        (LABELS.model_copy(update={"macro_f1": 0.3}), "macro-f1", 0.3),
        (SHARES, "agrees-with-one", 0.6),
        (SHARES.model_copy(update={"spearman": 0.3}), "spearman", 0.3),
        (SCORES, "spearman", 0.5),
        (SCORES.model_copy(update={"kappa": 0.3}), "kappa-quadratic", 0.3),
    ],
)
def test_a_scale_s_bound_at_its_floor_meets_it(policy: ScalePolicy, name: str, bound: float) -> None:
    """The lower bound may be the floor itself and not less, and no other floor moves with it."""
    assert all(held(policy, **{name: bound}).values())
    below = held(policy, **{name: bound - 1e-9})
    assert [figure for figure, is_met in below.items() if not is_met] == [name]


def test_an_error_may_reach_its_roof() -> None:
    """The upper bound of the mean error may be the roof itself and not more."""
    policy = SCORES.model_copy(update={"max_mae": 1.5})
    assert held(policy, **{"mae-high": 1.5})["mae"]
    assert not held(policy, **{"mae-high": 1.5 + 1e-9})["mae"]


@pytest.mark.parametrize(("unscored", "found", "met"), [(0, "0.0 %", True), (5, "5.0 %", True), (6, "6.0 %", False)])
def test_a_judge_may_be_silent_on_one_of_twenty(unscored: int, found: str, *, met: bool) -> None:
    """Of a hundred items that people decided five may be without a verdict."""
    floor = answered(unscored, 100 - unscored)
    assert (floor.demand, floor.found, floor.met) == ("at most 5 %", found, met)


def ratings(human: list[list[int]], judge: list[int], classes: tuple[str, ...], **changes: Any) -> Ratings:
    """Return the votes of people, by the place of their class; -1 is none."""
    people = tuple("abc"[: len(human)])
    fields: dict[str, Any] = {"classes": classes, "values": None, "people": people}
    return Ratings(human=np.array(human), judge=np.array(judge), **fields | changes)


def test_preferences_by_hand() -> None:
    """Of five pairs three have both sides: people .75, .25 and .5, the judge 1, 0 and .25; nobody stands for nobody."""
    values = np.array([0, 0.25, 0.5, 0.75, 1])
    found = ratings([[3, 1, 2, 3, -1]], [4, 0, 1, -1, 4], ("0", "0.25", "0.5", "0.75", "1"), values=values)
    figures = {one.name: one for one in preference_figures(found, np.random.default_rng(1))}
    estimates = {name: one.estimate for name, one in figures.items()}
    assert estimates["agrees-with-one"] == pytest.approx((0.75 + 0.75 + 0.5) / 3)
    assert estimates["brier"] == pytest.approx(3 * 0.25**2 / 3)
    assert estimates["decided"] == pytest.approx(2 / 3)
    assert (estimates["accuracy"], figures["accuracy"].n) == (1.0, 2)
    assert {figures[name].n for name in ("agrees-with-one", "brier", "decided")} == {3}


def test_sides_that_differ_are_no_agreement() -> None:
    """Of four pairs one is a tie of people, one of the judge; of the other two both prefer one side in one."""
    values = np.array([0, 0.5, 1])
    found = ratings([[2, 0, 1, 2]], [2, 2, 2, 1], ("0", "0.5", "1"), values=values)
    figures = {one.name: one for one in preference_figures(found, np.random.default_rng(1))}
    assert (figures["accuracy"].estimate, figures["accuracy"].n, figures["decided"].estimate) == (0.5, 2, 0.5)


def test_agreement_with_one_annotator_by_hand() -> None:
    """Of three items with two annotators the judge says what both, one and none say; on two of three they agree."""
    found = ratings([[0, 0, 1, 0], [0, 1, 1, -1]], [0, 0, 0, 0], ("x", "y"))
    (one,) = one_figures(found)
    assert (one.name, one.estimate, one.n) == ("agrees-with-one", 0.5, 3)
    assert one.note == "two annotators of an item say the same in 66.7%"
    silent = found._replace(judge=np.array([-1, -1, -1, 0]))
    assert one_figures(silent) == []


def test_a_class_that_nobody_gave_has_no_row() -> None:
    """Precision and recall by hand: a is given thrice and said twice, twice both; c nobody gives or says."""
    found = class_figures(ratings([[0, 0, 0, 1]], [0, 0, 1, 1], ("a", "b", "c")))
    rows = [(one.name, one.human, one.judge, one.precision, one.recall) for one in found]
    assert rows == [("a", 3, 2, 1.0, pytest.approx(2 / 3)), ("b", 1, 2, 0.5, 1.0)]
    assert class_figures(ratings([[0, 1]], [0, 1], ("1", "2"), values=np.array([1.0, 2.0]))) == []


def test_preferences_have_a_side() -> None:
    """Above one half is a, below is b, one half a tie, and no preference stays none."""
    values = np.array([0, 0.4, 0.5, 0.6, 1])
    found = signs(ratings([[0, 1, 2, 3, 4, -1]], [4, 3, 2, -1, 1, 0], ("0", "1", "2", "3", "4"), values=values))
    names = [[*found.classes, "none"][place] for place in found.human[0]]
    assert (names, found.weights, found.values) == (["b", "b", "tie", "a", "a", "none"], "linear", None)
    assert [[*found.classes, "none"][place] for place in found.judge] == ["a", "a", "tie", "none", "b", "b"]


@pytest.mark.parametrize(("steps", "is_told"), [(21, True), (22, False)])
def test_agreement_of_people_is_told_of_few_classes(steps: int, *, is_told: bool) -> None:
    """Krippendorff's alpha of three people is there up to 21 classes, and with two people not at all."""
    said = [[at % steps for at in range(60)]] * 3
    names = tuple(f"class {at}" for at in range(steps))
    figures = people_figures(ratings(said, said[0], names), np.random.default_rng(1), 0.1)
    assert ("alpha-human" in {one.name for one in figures}) == is_told
    assert {"kappa-over-human", "agrees-with-one", "alternative-test"} <= {one.name for one in figures}
    two = people_figures(ratings(said[:2], said[0], names), np.random.default_rng(1), 0.1)
    assert {one.name for one in two} == {"kappa-over-human", "agrees-with-one"}
    assert people_figures(ratings(said[:1], said[0], names), np.random.default_rng(1), 0.1) == []
