"""Agreement of two raters on a table."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score, matthews_corrcoef
from statsmodels.stats.inter_rater import cohens_kappa

from assay.errors import DataError, InsufficientDataError
from assay.stats.agreement import Weights, binary_agreement, cohen, cross_table, gwet, kappa_interval

TV_11 = [[56, 14], [12, 118]]
TV_12 = [[11, 4, 1, 0, 0], [3, 14, 5, 1, 0], [0, 6, 20, 7, 1], [0, 1, 5, 16, 4], [0, 0, 1, 3, 9]]
WEIGHTS = st.sampled_from(["none", "linear", "quadratic"])
RATINGS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=80)


def unfold(table: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the two columns of labels that a table counts."""
    cells = np.repeat(np.arange(np.size(table)), np.ravel(table))
    return cells // len(table), cells % len(table)


def test_refuses_labels_that_are_no_class() -> None:
    """NaN is a missing verdict, not a label, and a class number beyond the last is a mistake."""
    for bad in ([0.0, float("nan")], [0, 2], [0, -1], [0, 0.5]):
        with pytest.raises(DataError, match="leave unscored items out"):
            cross_table([0, 1], bad, classes=2)


def test_refuses_columns_of_different_length() -> None:
    """Labels that cannot be matched item by item are never compared."""
    with pytest.raises(ValueError, match="equal shapes"):
        cross_table([0, 1, 1], [0, 1], classes=2)


@pytest.mark.parametrize("table", [[[1, 2, 3], [4, 5, 6]], [[1]], [[1, -1], [0, 2]], [[1, float("nan")], [0, 2]]])
def test_refuses_what_is_no_table(table: list[list[float]]) -> None:
    """A table is square, of at least two classes, with counts of 0 or more."""
    with pytest.raises(DataError):
        cohen(table)


def test_refuses_an_empty_table() -> None:
    """Raters that share no item have no agreement."""
    with pytest.raises(InsufficientDataError, match="0 items"):
        gwet([[0, 0], [0, 0]])


@pytest.mark.parametrize("table", [[[40, 0], [0, 0]], [[0, 0], [0, 7]]])
def test_refuses_kappa_of_a_single_label(table: list[list[int]]) -> None:
    """One and the same label throughout makes kappa 0/0, which is neither 0 nor 1."""
    with pytest.raises(InsufficientDataError, match="0/0"):
        cohen(table)


@pytest.mark.parametrize(
    ("table", "advice"),
    [
        ([[15, 5], [4, 25]], "label 1 more"),
        ([[5, 4], [6, 80]], "label 1 more items of the rarer kind"),
        ([[0, 50], [0, 50]], "standard error of 0"),
        ([[50, 0], [0, 50]], "standard error of 0"),
    ],
)
def test_refuses_an_interval_that_would_not_hold(table: list[list[int]], advice: str) -> None:
    """Few items, few fails, a constant or a perfect judge: the point stands, the interval is refused with advice."""
    assert np.isfinite(cohen(table).estimate)
    with pytest.raises(InsufficientDataError, match=advice):
        kappa_interval(table)


def test_worked_example() -> None:
    """TV-1.1, by hand: 174 of 200 agree, chance .35·.34 + .65·.66 = .548, kappa = (.87 - .548) / .452 = .7123894."""
    found = cohen(TV_11)
    assert (found.observed, found.expected) == pytest.approx((0.87, 0.548), abs=1e-12)
    assert (found.estimate, found.se) == pytest.approx((0.7123894, 0.0523590), abs=5e-8)
    interval = kappa_interval(TV_11)
    assert (interval.low, interval.high) == pytest.approx((0.593887, 0.800638), abs=1e-6)
    assert (interval.n, interval.level, interval.method) == (200, 0.95, "kappa, weights none, Fisher z")


def test_worked_example_of_a_judge() -> None:
    """TV-1.1 as labels: TPR 118/130, TNR 56/70 with Wilson, AC1, PABAK and MCC beside kappa."""
    found = binary_agreement(*unfold(TV_11))
    assert (found.tpr.estimate, found.tpr.low, found.tpr.high) == pytest.approx(
        (0.907692, 0.845575, 0.946406), abs=1e-6
    )
    assert (found.tnr.estimate, found.tnr.low, found.tnr.high) == pytest.approx((0.8, 0.691834, 0.876953), abs=1e-6)
    assert (found.kappa, found.ac1, found.pabak, found.mcc) == pytest.approx(
        (0.7123894, 0.7627954, 0.74, 0.7125638), abs=5e-8
    )
    assert (found.n, found.prevalence, found.accuracy.estimate) == (200, 0.65, 0.87)
    assert gwet(TV_11).se == pytest.approx(0.0454024, abs=5e-8)


@pytest.mark.parametrize(
    ("weights", "kappa", "se", "ac"),
    [
        ("none", 0.5186739, 0.0595634, 0.5343323),
        ("linear", 0.6908621, 0.0439846, 0.7477417),
        ("quadratic", 0.8268041, 0.0329106, 0.8821303),
    ],
)
def test_ordinal_example(weights: Weights, kappa: float, se: float, ac: float) -> None:
    """TV-1.2: five ordered grades, with each weighting."""
    found = cohen(TV_12, weights=weights)
    assert (found.estimate, found.se, gwet(TV_12, weights=weights).estimate) == pytest.approx((kappa, se, ac), abs=5e-8)


@pytest.mark.parametrize(
    ("table", "kappa", "ac1", "mcc"),
    [([[40, 9], [6, 45]], 0.69952, 0.70075, 0.70079), ([[5, 9], [6, 80]], 0.31569, 0.80800, 0.31869)],
)
def test_the_paradox_shows_in_tnr(table: list[list[int]], kappa: float, ac1: float, mcc: float) -> None:
    """TV-1.3: both judges agree on .85, kappa and AC1 quarrel, and the table tells the cause as a TNR."""
    found = binary_agreement(*unfold(table))
    assert (found.kappa, found.ac1, found.mcc) == pytest.approx((kappa, ac1, mcc), abs=5e-6)
    assert found.pabak == pytest.approx(0.70)
    assert found.tnr.estimate == table[0][0] / sum(table[0])


def test_a_constant_judge_is_measured_not_crashed_on() -> None:
    """Always pass: TPR 1, TNR 0, kappa 0, and no correlation, since 0/0 is none."""
    found = binary_agreement([True] * 80 + [False] * 20, [True] * 100)
    assert (found.tpr.estimate, found.tnr.estimate, found.kappa, found.mcc) == (1, 0, 0, None)


def test_refuses_rates_without_the_items_for_them() -> None:
    """When people passed everything there is no TNR, and the message asks for fails."""
    with pytest.raises(InsufficientDataError, match="label items that people fail"):
        binary_agreement([True] * 9, [True] * 9)
    with pytest.raises(InsufficientDataError, match="label items that people pass"):
        binary_agreement([False] * 9, [True] * 9)


@given(RATINGS, WEIGHTS)
def test_equals_reference_implementation(ratings: list[tuple[int, int]], weights: Weights) -> None:
    """Wherever kappa exists it equals scikit-learn's, its error statsmodels', and it does not care who is the judge."""
    human, judge = np.array(ratings).T
    assume(len(set(human) | set(judge)) > 1)
    table = cross_table(human, judge, classes=4)
    found = cohen(table, weights=weights)
    oracle = cohen_kappa_score(
        human, judge, labels=range(4), weights=None if weights == "none" else weights, replace_undefined_by=np.nan
    )
    assert found.estimate == pytest.approx(oracle, abs=1e-9)
    assert cohen(table.T, weights=weights).estimate == pytest.approx(found.estimate, abs=1e-9)
    with np.errstate(all="ignore"):
        theirs = cohens_kappa(table, wt=None if weights == "none" else weights, return_results=True)
    assert found.se**2 == pytest.approx(theirs.var_kappa, abs=1e-9)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=60))
def test_mcc_equals_scikit_learn(ratings: list[tuple[bool, bool]]) -> None:
    """Wherever the correlation exists it equals scikit-learn's, which says 0 where ours says None."""
    human, judge = zip(*ratings, strict=True)
    assume(len(set(human)) > 1)
    assert (binary_agreement(human, judge).mcc or 0.0) == pytest.approx(matthews_corrcoef(human, judge), abs=1e-9)


def test_interval_covers_as_often_as_it_says() -> None:
    """Prevalence .8, TPR .95, TNR .8, n = 200 (kappa .75): measured coverage .956, and 600 runs stay within .92-.98."""
    rng = np.random.default_rng(3)
    shares = np.array([0.2 * 0.8, 0.2 * 0.2, 0.8 * 0.05, 0.8 * 0.95])
    truth = cohen(shares.reshape(2, 2) * 1e6).estimate
    found = [kappa_interval(table.reshape(2, 2)) for table in rng.multinomial(200, shares, size=600)]
    assert 0.92 <= np.mean([one.low <= truth <= one.high for one in found]) <= 0.98
