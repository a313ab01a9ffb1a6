"""Scores: order and distance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr, ttest_1samp

from assay.errors import InsufficientDataError
from assay.stats.scores import mean_interval, spearman, spearman_interval

TWO = np.array([[11, 4, 1, 0, 0], [3, 14, 5, 1, 0], [0, 6, 20, 7, 1], [0, 1, 5, 16, 4], [0, 0, 1, 3, 9]])
"""TV-1.2."""


def scores(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores of both sides that a table counts."""
    human, judge = np.nonzero(table)
    times = table[human, judge]
    return np.repeat(human + 1, times), np.repeat(judge + 1, times)


@pytest.mark.parametrize(
    ("human", "judge", "sentence"),
    [
        ([1, 2], [1, 2], "label 1 more"),
        ([3, 3, 3, 3], [1, 2, 3, 4], "people gave the score 3 to all 4"),
        ([1, 2, 3, 4], [2, 2, 2, 2], "the judge gave the score 2 to all 4"),
    ],
)
def test_no_order_has_no_correlation(human: list[int], judge: list[int], sentence: str) -> None:
    """Two items, or a side that says one score throughout, are refused: 0/0 is not 0."""
    with pytest.raises(InsufficientDataError, match=sentence):
        spearman(human, judge)


def test_sides_of_unequal_length_are_a_mistake() -> None:
    """Scores that do not belong together are never cut to fit."""
    with pytest.raises(ValueError, match="equal shapes"):
        spearman([1, 2, 3], [1, 2])


def test_a_few_items_and_one_order_have_no_interval() -> None:
    """Below fifty items it says how many more to label; where both orders are one each resample is alike."""
    with pytest.raises(InsufficientDataError, match="label 46 more"):
        spearman_interval([1, 2, 3, 5], [1, 2, 3, 4], rng=np.random.default_rng(1))
    with pytest.raises(InsufficientDataError, match="no interval exists"):
        spearman_interval(range(60), range(60), rng=np.random.default_rng(1))


def test_by_hand() -> None:
    """Ranks 1 2.5 2.5 4 and 1 2 3 4: covariance 4.5, variances 4.5 and 5, so 4.5 / sqrt(22.5)."""
    assert spearman([1, 2, 2, 3], [10, 20, 30, 40]) == pytest.approx(4.5 / 22.5**0.5)


@given(seed=st.integers(0, 1_000), steps=st.sampled_from([2, 5, 1_000]))
def test_each_resample_is_scipy_s(seed: int, steps: int) -> None:
    """The bounds are the quantiles of scipy's correlation over the very resamples that were drawn."""
    rng = np.random.default_rng(seed)
    human = rng.integers(0, steps, 60)
    judge = human + rng.integers(0, steps + 1, 60)
    found = spearman_interval(human, judge, rng=np.random.default_rng(seed), draws=5)
    pairs, times = np.unique(np.stack([human, judge]), axis=1, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(60, times / 60, size=5)
    each = [spearmanr(*np.repeat(pairs, weights, axis=1)).statistic for weights in drawn]
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(each, [0.025, 0.975])))
    assert found.estimate == pytest.approx(spearmanr(human, judge).statistic)


def test_the_interval_covers() -> None:
    """Of 200 samples of 100 items from TV-1.2 the 95 % interval holds the truth at least 175 times."""
    truth, hits = spearman(*scores(TWO * 500)), 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        drawn = rng.multinomial(100, TWO.ravel() / TWO.sum()).reshape(5, 5)
        found = spearman_interval(*scores(drawn), rng=rng, draws=300)
        hits += found.low <= truth <= found.high
    assert hits >= 175


def test_a_mean_has_the_interval_of_a_t_test() -> None:
    """It is scipy's, and numbers without a spread have none."""
    errors = np.abs(np.subtract(*scores(TWO)))
    found, expected = mean_interval(errors, what="error"), ttest_1samp(errors, 0).confidence_interval()
    assert (found.estimate, found.low, found.high) == pytest.approx((errors.mean(), expected.low, expected.high))
    with pytest.raises(InsufficientDataError, match="no interval exists"):
        mean_interval([1, 1, 1], what="error")
