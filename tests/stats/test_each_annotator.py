"""One word an item from several people, and each of them beside the judge and the others."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from assay.stats.each_annotator import beside, each_annotator, settle

HOLES = np.array([[0, 1, 2, -1, -1, 0], [0, 2, -1, -1, 1, 1], [1, 2, -1, -1, -1, 2]])


def test_the_commonest_class_leads() -> None:
    """By hand: two of three; nobody leads where all differ or nobody rated; a single vote is the word of all."""
    assert settle(HOLES, classes=3, is_ordered=False).tolist() == [0, 2, 2, -1, 1, -1]


def test_scores_have_a_lower_median() -> None:
    """By hand: 0 0 1 is 0, 1 2 2 is 2, 0 1 2 is 1, and of two the lower one."""
    assert settle(HOLES, classes=3, is_ordered=True).tolist() == [0, 2, 2, -1, 1, 1]
    assert settle(np.array([[0, 3], [4, 1]]), classes=5, is_ordered=True).tolist() == [0, 1]


def test_nothing_in_common_has_no_kappa() -> None:
    """Raters without a shared item, or of one class throughout, agree on counts alone."""
    assert beside(np.array([0, -1]), np.array([-1, 1]), classes=2, weights="none").kappa is None
    constant = beside(np.array([1, 1]), np.array([1, 1]), classes=2, weights="none")
    assert (constant.n, constant.agree, constant.kappa) == (2, 2, None)


@pytest.mark.parametrize("weights", ["none", "quadratic"])
def test_each_is_scikit_learn_s_kappa(weights: str) -> None:
    """On the items that both rated, with the judge and with the majority of the others."""
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 4, 120)
    human = np.array([np.clip(truth + rng.integers(-1, 2, 120), 0, 3) for _ in range(4)])
    human[rng.random(human.shape) < 0.3] = -1
    judge = np.where(rng.random(120) < 0.1, -1, truth)
    is_ordered, named = weights == "quadratic", None if weights == "none" else weights
    found = each_annotator(human, judge, classes=4, weights=weights, is_ordered=is_ordered)  # type: ignore[arg-type]
    for row, one in enumerate(found):
        others = settle(np.delete(human, row, axis=0), classes=4, is_ordered=is_ordered)
        for side, mine in ((judge, one.judge), (others, one.others)):
            both = (human[row] >= 0) & (side >= 0)
            assert (mine.n, mine.agree) == (both.sum(), (human[row] == side)[both].sum())
            expected = cohen_kappa_score(human[row][both], side[both], weights=named, labels=range(4))
            assert mine.kappa == pytest.approx(expected)
