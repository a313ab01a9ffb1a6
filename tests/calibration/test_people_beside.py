"""People beside the judge: how far annotators agree with one another, and the members of a panel."""

from typing import Any

import numpy as np
import pytest

from assay.calibration.certificate import Figure
from assay.calibration.figures import pairwise_figures, pass_fail_figures, rival
from assay.calibration.ratings import Rated, join, only_natural
from assay.stats.paired import bonett_price
from assay.stats.raters import Metric, alpha_interval, count_ballots
from tests.cast import item, label, verdict

PEOPLE = ("ada", "ben", "cem")
SIDES = ("a", "tie", "b")
N = 60


def said(people: int, seed: int = 3) -> np.ndarray:
    """Return what people say of items, as places among three outcomes: mostly the same, sometimes one step beside."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, N)
    return np.array([np.clip(truth + rng.choice([-1, 0, 0, 0, 1], N), 0, 2) for _ in range(people)])


def pairs(people: int) -> Rated:
    """Return pairs that so many people and a judge have compared."""
    items = [item(number, "x", "pairwise", "yy") for number in range(N)]
    table = said(people)
    labels = [
        label(one.item_id, SIDES[table[who, at]], PEOPLE[who]) for at, one in enumerate(items) for who in range(people)
    ]
    verdicts = [verdict(one.item_id, SIDES[table[0, at]], as_is="a", swapped="a") for at, one in enumerate(items)]
    return join("better", items, labels, verdicts)


def figures(found: Rated) -> dict[str, Figure]:
    """Return the figures of either question by name."""
    make = pairwise_figures if found.items[0].question == "pairwise" else pass_fail_figures
    return {one.name: one for one in make(found, np.random.default_rng(1))}


def alpha(numbers: np.ndarray, metric: Metric) -> float:
    """Return Krippendorff's alpha of three outcomes."""
    return alpha_interval(count_ballots(numbers, classes=3), metric=metric, rng=np.random.default_rng(1)).estimate


def test_two_annotators_have_a_kappa_and_no_alpha() -> None:
    """There is more to say of three and more: their alpha, and whether the judge could stand in for one of them."""
    assert not {"alpha-human", "alternative-test"} & set(figures(pairs(2)))
    assert {"alpha-human", "alternative-test", "kappa-over-human"} <= set(figures(pairs(3)))


def test_a_tie_lies_between_both_sides() -> None:
    """Annotators of pairs who are one step apart agree better than those who prefer the opposite: alpha is ordinal."""
    found = figures(pairs(3))["alpha-human"]
    assert found.estimate == pytest.approx(alpha(said(3), "ordinal"))
    assert found.estimate != pytest.approx(alpha(said(3), "nominal"), abs=0.02)


@pytest.mark.parametrize(
    ("of_item", "of_label", "is_counted"),
    [
        ({}, {}, True),
        ({"slice": "gross"}, {}, False),
        ({}, {"inclusion_probability": None}, False),
        ({"slice": "gross"}, {"inclusion_probability": None}, False),
    ],
)
def test_labels_on_what_no_product_said_tell_nothing_of_people(
    of_item: dict[str, Any], of_label: dict[str, Any], *, is_counted: bool
) -> None:
    """How people agree is told of drawn answers of a product alone: not of constructed ones, nor of a file's."""
    items = [item(number, f"Answer {number}.") for number in range(N)]
    items[0] = items[0].model_copy(update=of_item)
    labels = [label(one.item_id, "pass" if at % 2 else "fail", who) for at, one in enumerate(items) for who in PEOPLE]
    labels[:3] = [row.model_copy(update=of_label) for row in labels[:3]]
    verdicts = [verdict(one.item_id, "pass" if at % 2 else "fail") for at, one in enumerate(items)]
    found = only_natural(join("tone", items, labels, verdicts), items)
    assert len(found.items) == len(found.human) == len(found.judge) == N - (not is_counted)
    assert len(found.labels) == 3 * len(found.items)


def test_a_rival_is_held_against_the_judge_on_the_same_items() -> None:
    """Of 40 items the judge has 9 right that the rival has wrong, and one is the other way round."""
    agreed = [True] * 9 + [False] + [True] * 30
    right = [False] * 9 + [True] + [True] * 30
    found = rival("constant", 31 / 40, agreed, right)
    assert (found.name, found.accuracy, found.n) == ("constant", 31 / 40, 40)
    assert found.beaten_by == bonett_price(9, 1, 40).low
    with pytest.raises(ValueError, match="argument 2 is"):
        rival("constant", 0.5, agreed, right[:-1])


def answers(votes: list[list[str]]) -> Rated:
    """Return answers that people judge, and a judge with these votes of its panel; none is a judge alone."""
    items = [item(number, f"Answer {number}.") for number in range(len(votes))]
    words = ["pass" if number % 3 else "fail" for number in range(len(votes))]
    labels = [label(one.item_id, word) for one, word in zip(items, words, strict=True)]
    verdicts = [verdict(one.item_id, word, votes=of) for one, word, of in zip(items, words, votes, strict=True)]
    return join("tone", items, labels, verdicts)


def test_members_of_a_panel_have_an_alpha_of_their_own() -> None:
    """Of the verdicts that a panel gave, a silent member's vote left out; of a judge alone there is none."""
    rng = np.random.default_rng(2)
    votes = [[["pass", "fail", "unscored"][at] for at in rng.choice(3, 3, p=[0.6, 0.3, 0.1])] for _ in range(N)]
    numbers = np.array([[{"fail": 0, "pass": 1}.get(vote, -1) for vote in one] for one in votes]).T
    found = figures(answers([*votes, *[[]] * 10]))["alpha-panel"]
    expected = alpha_interval(count_ballots(numbers, classes=2), rng=np.random.default_rng(1))
    assert found.estimate == pytest.approx(expected.estimate)
    assert "alpha-panel" not in figures(answers([[]] * N))
