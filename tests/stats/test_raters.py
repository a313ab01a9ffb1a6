"""Many raters at once."""

import time
import tracemalloc
from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import fleiss_kappa

from assay.errors import DataError, InsufficientDataError
from assay.stats.agreement import cohen
from assay.stats.raters import (
    Metric,
    alpha_interval,
    count_ballots,
    expected_kappas,
    fleiss,
    fleiss_interval,
    krippendorff,
)

TV_14 = [
    [0, 0, 0, 0, 14],
    [0, 2, 6, 4, 2],
    [0, 0, 3, 5, 6],
    [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0],
    [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0],
    [0, 2, 2, 3, 7],
]
TV_15 = ["123321412···", "1233224125·3", "·3332342251·", "12332441251·"]
TV_17 = [
    "01100101001011111011100111010000010011010110100111100000110111010010101000100011",
    "01001100101111101011100111011100110011011111010111100001101111010011001010100011",
    "01111111101101110110100111111110011011100110010111100000110101000111110110100011",
]
RATINGS = st.integers(2, 5).flatmap(
    lambda raters: st.lists(st.lists(st.integers(-1, 3), min_size=raters, max_size=raters), min_size=2, max_size=25)
)


def digits(rows: list[str], lowest: int) -> np.ndarray:
    """Return class numbers; a dot is a missing rating."""
    return np.array([[-1 if digit == "·" else int(digit) - lowest for digit in row] for row in rows])


@pytest.mark.parametrize("rating", [np.nan, 3, -2, 0.5])
def test_refuses_what_is_no_rating(rating: float) -> None:
    """A missing rating is -1; NaN, half a class and a class that does not exist are mistakes upstream."""
    with pytest.raises(DataError, match="expected a class from 0 to 2, or -1"):
        count_ballots(np.array([[0, 1], [rating, 2]]), classes=3)
    with pytest.raises(DataError, match="raters, items"):
        count_ballots([0, 1, 2], classes=3)


@pytest.mark.parametrize("ballots", [[1, 2], [[3], [3]], [[1, np.nan]], [[3, -1]], [[1.5, 1.5]]])
def test_refuses_what_are_no_ballots(ballots: list[float]) -> None:
    """Ballots are whole counts of at least two classes."""
    with pytest.raises(DataError, match="expected"):
        krippendorff(np.array(ballots))


def test_refuses_a_panel_of_one() -> None:
    """Items with one rating each say nothing of agreement, nor do no items at all."""
    for ballots in ([[1, 0], [0, 1]], np.zeros((0, 2))):
        with pytest.raises(InsufficientDataError, match="second person"):
            krippendorff(ballots)


@pytest.mark.parametrize("measure", [fleiss, krippendorff])
def test_refuses_ratings_of_one_class(measure: object) -> None:
    """People who said one and the same throughout neither agree nor disagree beyond chance: 0/0."""
    assert callable(measure)
    with pytest.raises(InsufficientDataError, match="another kind"):
        measure([[3, 0]] * 60)


@pytest.mark.parametrize("uneven", [[2, 0], [1, 0], [0, 0]])
def test_fleiss_refuses_uneven_panels(uneven: list[int]) -> None:
    """Fleiss' kappa has no place for a missing rating; the message names the one that does."""
    for measure in (fleiss, lambda ballots: fleiss_interval(ballots, rng=np.random.default_rng(0))):
        with pytest.raises(InsufficientDataError, match="take Krippendorff's alpha"):
            measure([[2, 1], [0, 3], uneven])


@pytest.mark.parametrize(
    ("ballots", "match"),
    [
        ([[2, 1]] * 20 + [[0, 3]] * 29, "label 1 more"),
        ([[2, 1]] * 9 + [[3, 0]] * 91, "label 1 more items of the rarer kind"),
        ([[0, 3]] * 50 + [[3, 0]] * 50, "on which the raters can differ"),
    ],
)
def test_refuses_an_interval_that_resamples_cannot_carry(ballots: list[list[int]], match: str) -> None:
    """Below 50 items, with 9 outside the commonest class, or without any disagreement, no interval holds its level."""
    for measure in (alpha_interval, fleiss_interval):
        with pytest.raises(InsufficientDataError, match=match):
            measure(ballots, rng=np.random.default_rng(0))


@pytest.mark.parametrize("shares", [(0, 0.9, 0.9), (0.5, 1.1, 0.9), (0.5, 0.9, np.nan), (0.5, 1, 0)])
def test_refuses_raters_who_cannot_be(shares: tuple[float, float, float]) -> None:
    """Shares lie between 0 and 1, and raters who pass everything have no kappa."""
    with pytest.raises(ValueError, match="both outcomes"):
        expected_kappas(prevalence=shares[0], tpr=shares[1], tnr=shares[2])


def test_worked_example_of_fleiss() -> None:
    """TV-1.4: mean agreement .3780220 and chance .2127551 give .1652669 / .7872449 = .2099307; alpha is .2155741."""
    found, alpha = fleiss(TV_14), krippendorff(TV_14)
    assert found.estimate == pytest.approx(0.2099307, abs=5e-8)
    assert (found.observed, found.expected) == pytest.approx((1 - 0.3780220, 0.7872449), abs=5e-8)
    assert alpha.estimate == pytest.approx(0.2155741, abs=5e-8)
    assert (found.n, found.ratings) == (10, 140)


@pytest.mark.parametrize(
    ("metric", "expected"), [("nominal", 0.7434211), ("ordinal", 0.8153875), ("interval", 0.8491071)]
)
def test_worked_example_of_alpha(metric: Metric, expected: float) -> None:
    """TV-1.5, nominal by hand: 8 of 40 coincidences differ, 1216 of 1560 by chance: 1 - .2 / .7794872 = .7434211."""
    found = krippendorff(count_ballots(digits(TV_15, 1), classes=5), metric=metric)
    assert found.estimate == pytest.approx(expected, abs=5e-8)
    assert (found.n, found.ratings) == (11, 40)


def test_worked_example_of_three_people() -> None:
    """TV-1.7: on 80 items of three people alpha is .3902629 and Fleiss' kappa .3877117, and intervals hold both."""
    ballots = count_ballots(digits(TV_17, 0), classes=2)
    alpha, kappa = (measure(ballots, rng=np.random.default_rng(0)) for measure in (alpha_interval, fleiss_interval))
    assert (alpha.estimate, kappa.estimate) == pytest.approx((0.3902629, 0.3877117), abs=5e-8)
    assert all(found.low < found.estimate < found.high for found in (alpha, kappa))
    assert (alpha.n, alpha.method) == (80, "Krippendorff's alpha, nominal, bootstrap over items")


@pytest.mark.parametrize(
    ("prevalence", "tpr", "tnr", "human", "judge"), [(0.5, 0.9, 0.9, 0.64, 0.80), (0.8, 0.95, 0.80, 0.5625, 0.75)]
)
def test_worked_example_of_the_closed_form(
    prevalence: float, tpr: float, tnr: float, human: float, judge: float
) -> None:
    """TV-1.6: where people pass as many as deserve it, kappa is (tpr + tnr - 1)², and a flawless judge has its root."""
    found = expected_kappas(prevalence=prevalence, tpr=tpr, tnr=tnr)
    assert (found.human, found.judge) == pytest.approx((human, judge), abs=1e-12)
    assert found.judge == pytest.approx(np.sqrt(found.human))


@given(st.floats(0.02, 0.98), st.floats(0.02, 0.98), st.floats(0.02, 0.98))
def test_closed_form_equals_kappa_of_the_expected_tables(prevalence: float, tpr: float, tnr: float) -> None:
    """Both kappas are Cohen's on the tables that independent errors give on average."""
    good, bad = np.array([1 - tpr, tpr]), np.array([tnr, 1 - tnr])
    people = prevalence * np.outer(good, good) + (1 - prevalence) * np.outer(bad, bad)
    flawless = np.stack([(1 - prevalence) * bad, prevalence * good])
    found = expected_kappas(prevalence=prevalence, tpr=tpr, tnr=tnr)
    assert found.human == pytest.approx(cohen(1000 * people).estimate, abs=1e-9)
    assert found.judge == pytest.approx(cohen(1000 * flawless).estimate, abs=1e-9)


@given(st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=2, max_size=30))
def test_fleiss_equals_statsmodels(rows: list[list[int]]) -> None:
    """Wherever two classes occur Fleiss' kappa is statsmodels'."""
    ballots = count_ballots(np.array(rows).T, classes=4)
    assume((ballots.sum(axis=0) > 0).sum() > 1)
    assert fleiss(ballots).estimate == pytest.approx(fleiss_kappa(ballots), abs=1e-12)


def spelled_out(rows: list[list[int]], metric: Metric) -> float:
    """Return alpha from its definition: all pairs of ratings within an item, and all pairs of ratings at large."""
    items = [kept for row in rows if len(kept := [rating for rating in row if rating >= 0]) > 1]
    pool = sorted(rating for item in items for rating in item)

    def apart(one: int, other: int) -> float:
        low, high = min(one, other), max(one, other)
        between = sum(low <= rating <= high for rating in pool) - (pool.count(low) + pool.count(high)) / 2
        return {"nominal": float(one != other), "interval": float((one - other) ** 2), "ordinal": between**2}[metric]

    within = sum(sum(apart(*pair) for pair in permutations(item, 2)) / (len(item) - 1) for item in items)
    at_large = sum(apart(*pair) for pair in permutations(pool, 2)) / (len(pool) - 1)
    return 1 - within / at_large if at_large else np.nan


@pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval"])
@given(rows=RATINGS)
def test_alpha_equals_its_definition(metric: Metric, rows: list[list[int]]) -> None:
    """With ratings missing at will alpha is that of all pairs, one by one, and it refuses exactly where that is 0/0."""
    ballots = count_ballots(np.array(rows).T, classes=4)
    if not np.isnan(expected := spelled_out(rows, metric)):
        assert krippendorff(ballots, metric=metric).estimate == pytest.approx(expected, abs=1e-9)
        assert krippendorff(ballots[::-1], metric=metric).estimate == pytest.approx(expected, abs=1e-9)
        return
    with pytest.raises(InsufficientDataError):
        krippendorff(ballots, metric=metric)


def test_same_seed_same_bounds() -> None:
    """Randomness comes from the argument alone, and the order of the items does not matter."""
    ballots = count_ballots(digits(TV_17, 0), classes=2)
    once, again = (alpha_interval(rows, rng=np.random.default_rng(9), draws=500) for rows in (ballots, ballots[::-1]))
    assert once == again


def test_alpha_covers_as_often_as_it_says() -> None:
    """Three people with 10 % errors, a fifth of the ratings missing, 80 items: 400 seeded runs cover .92 to .98."""
    rng = np.random.default_rng(31)
    truth = expected_kappas(prevalence=0.7, tpr=0.9, tnr=0.9).human
    held = 0
    for _ in range(400):
        ratings = ((rng.random(80) < 0.7) ^ (rng.random((3, 80)) < 0.1)).astype(int)
        ratings[rng.random((3, 80)) < 0.2] = -1
        found = alpha_interval(count_ballots(ratings, classes=2), rng=rng, draws=500)
        held += found.low <= truth <= found.high
    assert 0.92 <= held / 400 <= 0.98


def test_fleiss_covers_as_often_as_it_says() -> None:
    """Three people with 10 % errors, 80 items: 400 seeded runs cover .92 to .98."""
    rng = np.random.default_rng(32)
    truth = expected_kappas(prevalence=0.7, tpr=0.9, tnr=0.9).human
    held = 0
    for _ in range(400):
        ratings = ((rng.random(80) < 0.7) ^ (rng.random((3, 80)) < 0.1)).astype(int)
        found = fleiss_interval(count_ballots(ratings, classes=2), rng=rng, draws=500)
        held += found.low <= truth <= found.high
    assert 0.92 <= held / 400 <= 0.98


def test_a_hundred_thousand_items_are_resampled_in_seconds() -> None:
    """2,000 draws over 100,000 items of three raters take under 5 s (measured: 0.2) and under 100 MB."""
    ballots = count_ballots(np.random.default_rng(1).integers(0, 5, (3, 100_000)), classes=5)
    start = time.process_time()
    alpha_interval(ballots, metric="ordinal", rng=np.random.default_rng(2))
    assert time.process_time() - start < 5
    tracemalloc.start()
    alpha_interval(ballots, rng=np.random.default_rng(2))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6
