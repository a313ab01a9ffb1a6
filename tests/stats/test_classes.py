"""Several classes: precision and recall of each, and their means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from assay.errors import InsufficientDataError
from assay.stats.agreement import cross_table
from assay.stats.classes import by_class, macro_averages, macro_intervals

LABELS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)
BY_HAND = np.array([[4, 1, 0], [2, 2, 0], [0, 1, 0]], dtype=float)


def test_no_item_has_no_average() -> None:
    """An empty table is refused, not 0."""
    with pytest.raises(InsufficientDataError, match="counts 0 items"):
        macro_averages(np.zeros((3, 3)))


def test_a_few_items_have_no_interval() -> None:
    """Below fifty items it says how many more to label."""
    with pytest.raises(InsufficientDataError, match="label 40 more"):
        macro_intervals(BY_HAND, rng=np.random.default_rng(1))


def test_no_error_has_no_interval() -> None:
    """Where all agree each resample is alike, and a point is no interval."""
    with pytest.raises(InsufficientDataError, match="no interval exists"):
        macro_intervals(np.diag([30.0, 20.0, 10.0]), rng=np.random.default_rng(1))


def test_by_hand() -> None:
    """The third class is never given by the judge: no precision, recall 0 of 1, F1 0; means (4/6 + 2/4 + 0) / 3."""
    first, second, third = by_class(BY_HAND)
    assert first.precision is not None
    assert first.recall is not None
    assert (first.precision.estimate, first.recall.estimate) == (4 / 6, 4 / 5)
    assert second.f1 == pytest.approx(2 * 2 / (4 + 4))
    assert third.precision is None
    assert third.recall is not None
    assert (third.recall.estimate, third.f1) == (0, 0)
    found = macro_averages(BY_HAND)
    assert found.precision == pytest.approx((4 / 6 + 2 / 4 + 0) / 3)
    assert found.recall == pytest.approx((4 / 5 + 2 / 4 + 0) / 3)
    assert found.f1 == pytest.approx((8 / 11 + 4 / 8 + 0) / 3)
    assert (found.n, found.classes) == (10, 3)


@given(labels=LABELS)
def test_equals_scikit_learn(labels: list[tuple[int, int]]) -> None:
    """Means and every class are those of scikit-learn on the labels themselves, a class that nobody gave left out."""
    human, judge = zip(*labels, strict=True)
    table = cross_table(human, judge, classes=4)
    found = macro_averages(table)
    expected = precision_recall_fscore_support(human, judge, average="macro", zero_division=0)[:3]
    assert (found.precision, found.recall, found.f1) == pytest.approx(expected)
    each = precision_recall_fscore_support(human, judge, labels=range(4), zero_division=0)
    for number, one in enumerate(by_class(table)):
        values = [one.precision.estimate if one.precision else 0, one.recall.estimate if one.recall else 0, one.f1 or 0]
        assert values == pytest.approx([column[number] for column in each[:3]])


def test_the_bounds_are_those_of_scikit_learn_over_resamples() -> None:
    """Of each of the three means they are the quantiles over the very resamples of items that were drawn."""
    table = np.array([[20, 6, 0], [1, 18, 2], [4, 0, 9]], dtype=float)
    found = macro_intervals(table, rng=np.random.default_rng(7), draws=9)
    human, judge = np.nonzero(table)
    times = table[human, judge]
    drawn = np.random.default_rng(7).multinomial(60, times / 60, size=9)
    each = [
        precision_recall_fscore_support(human, judge, average="macro", sample_weight=weights, zero_division=0)[:3]
        for weights in drawn
    ]
    low, high = np.quantile(each, [0.025, 0.975], axis=0)
    assert [one.low for one in found] == pytest.approx(low)
    assert [one.high for one in found] == pytest.approx(high)


def test_the_interval_covers() -> None:
    """Of 200 samples of 100 items the 95 % interval of macro F1 holds the truth at least 180 times."""
    shares = np.array([[0.5, 0.03, 0.02], [0.05, 0.2, 0.03], [0.01, 0.03, 0.13]])
    truth, hits = macro_averages(shares * 1e6).f1, 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        table = rng.multinomial(100, shares.ravel()).reshape(3, 3).astype(float)
        found = macro_intervals(table, rng=rng, draws=300)[2]
        hits += found.low <= truth <= found.high
    assert hits >= 180
