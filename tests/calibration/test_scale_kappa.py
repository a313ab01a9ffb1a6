"""The judge's own scale: kappa of labels as they are and of scores by their distance, on what has a word in it."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from assay.calibration.certificate import Figure
from assay.calibration.ratings import join
from assay.calibration.scale import scale_figures
from assay.judges.declaration import Declaration
from tests.cast import item, label, verdict

GRADE = Declaration(question="labels", labels=("wrong", "partly", "right"), passing_labels=("right",))
SCORE = Declaration(question="score", range=(1, 5), pass_threshold=4)
PEOPLE = ["wrong"] * 6 + ["right"] * 4
JUDGE = ["wrong"] * 4 + ["partly"] * 2 + ["right"] * 3 + ["wrong"]


def figure(declared: Declaration, people: list[list[str]], judge: list[str]) -> Figure:
    """Return kappa where each of several people said this of an item, and the judge that."""
    items = [item(number, "Yes.") for number in range(len(people))]
    labels = [
        label(one.item_id, "pass" if number % 2 else "fail", f"ann-{who}", label=word)
        for number, (one, words) in enumerate(zip(items, people, strict=True))
        for who, word in enumerate(words)
    ]
    verdicts = [verdict(one.item_id, "pass", label=word) for one, word in zip(items, judge, strict=True)]
    found = scale_figures(join("tone", items, labels, verdicts), declared, np.random.default_rng(1))
    return next(one for one in found if one.name == "kappa-scale")


def test_worked_example_of_labels() -> None:
    """Ten items: 7 alike, expected .6*.5 + .4*.3 = .42, so kappa is (.7 - .42) / .58 = .4828; no interval of so few."""
    found = figure(GRADE, [[word] for word in PEOPLE], JUDGE)
    assert (found.name, found.n, found.low) == ("kappa-scale", 10, None)
    assert found.estimate == pytest.approx(0.28 / 0.58)


@pytest.mark.parametrize(
    ("people", "judge"),
    [(["right", "wrong"], "right"), ([""], "right"), (["superb"], "right"), (["right"], ""), (["right"], "superb")],
)
def test_what_has_no_word_in_the_scale_is_left_out(people: list[str], judge: str) -> None:
    """An item on which labels draw level, or without a label of the scale on either side, changes nothing."""
    found = figure(GRADE, [*([word] for word in PEOPLE), people], [*JUDGE, judge])
    assert (found.n, found.estimate) == (10, pytest.approx(0.28 / 0.58))


def test_the_commonest_label_is_people_s_word() -> None:
    """Two of three people make an item's label; the third one's does not."""
    people = [[word, word, "partly"] for word in PEOPLE]
    assert figure(GRADE, people, JUDGE) == figure(GRADE, [[word] for word in PEOPLE], JUDGE)


def test_scores_are_weighed_by_their_distance() -> None:
    """Of scores it is scikit-learn's quadratic kappa on the lower median, so 1 for 5 costs more than 4 for 5."""
    people = [["1"], ["2", "3"], ["5", "4", "4"], ["3"], ["1", "5"], ["5"], ["2"], ["4"]]
    judge = ["1", "2", "5", "4", "1", "5", "4", "4"]
    medians = [1, 2, 4, 3, 1, 5, 2, 4]
    found = figure(SCORE, people, judge)
    assert found.n == 8
    expected = cohen_kappa_score(medians, [int(word) for word in judge], weights="quadratic", labels=[1, 2, 3, 4, 5])
    assert found.estimate == pytest.approx(expected)


def test_without_a_word_of_the_scale_there_is_no_figure() -> None:
    """Where people said pass and fail alone the figure is none, and says what to do."""
    found = figure(GRADE, [[""]] * 3, ["right"] * 3)
    assert (found.estimate, found.n) == (None, 0)
    assert "label some with it" in found.note


def test_a_judge_of_pass_and_fail_has_no_scale() -> None:
    """There is nothing beyond pass and fail to agree on."""
    one = item(1, "Yes.")
    found = join("tone", [one], [label(one.item_id, "pass")], [verdict(one.item_id, "pass")])
    assert scale_figures(found, Declaration(), np.random.default_rng(1)) == []
