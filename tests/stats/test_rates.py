"""One rate and its interval."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from assay.errors import InsufficientDataError
from assay.stats.rates import effective, unscored_bounds, wilson


def test_refuses_an_empty_sample() -> None:
    """Nothing was counted, so there is no rate, not even a cautious one."""
    with pytest.raises(InsufficientDataError, match="add at least one item"):
        wilson(0, 0)


@pytest.mark.parametrize(("successes", "n"), [(5, 4), (-1, 4)])
def test_refuses_counts_that_contradict_each_other(successes: int, n: int) -> None:
    """More successes than items, or fewer than none, are a mistake upstream."""
    with pytest.raises(ValueError, match="0 <= successes <= n"):
        wilson(successes, n)


@pytest.mark.parametrize("level", [0, 1, 95, float("nan")])
def test_refuses_a_level_that_is_no_probability(level: float) -> None:
    """A level of 95 is a percentage, and the message says what was meant."""
    with pytest.raises(ValueError, match="such as"):
        wilson(1, 2, level=level)


def test_worked_example() -> None:
    """TV-4.1, by hand: p = .94, z²/2n = .038415, so ([.94 + .038415] ± .076190) / 1.076829 = .837829 and .979385."""
    found = wilson(47, 50)
    assert (found.low, found.high) == pytest.approx((0.837829, 0.979385), abs=1e-6)
    assert (found.n, found.level, found.method) == (50, 0.95, "wilson")


def test_all_pass_is_not_certainty() -> None:
    """TV-4.1: 30 of 30 still leaves room down to .886487, and the upper bound is 1 exactly."""
    found = wilson(30, 30)
    assert found.low == pytest.approx(0.886487, abs=1e-6)
    assert found.high == 1


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_equals_scipy_and_holds_the_estimate(counts: tuple[int, int], level: float) -> None:
    """Wherever a rate exists the bounds are scipy's, and the estimate lies between them."""
    found = wilson(*counts, level=level)
    oracle = binomtest(*counts).proportion_ci(level, method="wilson")
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high), abs=1e-9)
    assert found.low <= found.estimate <= found.high


def test_covers_as_often_as_it_says() -> None:
    """At p = .85, n = 200 the exact coverage is .955; 2,000 seeded runs stay within four standard errors of it."""
    passes = np.random.default_rng(11).binomial(200, 0.85, 2000)
    held = np.mean([found.low <= 0.85 <= found.high for found in (wilson(int(x), 200) for x in passes)])
    assert abs(held - 0.955) < 4 * np.sqrt(0.955 * 0.045 / 2000)


def test_missing_verdicts_are_bounded_not_guessed() -> None:
    """80 passes, 10 fails, 10 unscored: 80/90 as scored, between 80/100 and 90/100 whatever the ten would have been."""
    found = unscored_bounds(80, 10, 10)
    assert [found.worst.estimate, found.scored.estimate, found.best.estimate] == [0.8, 80 / 90, 0.9]
    assert found.unscored_share == 0.1


def test_refuses_a_rate_of_nothing_but_missing_verdicts() -> None:
    """When no verdict was given there is no pass rate, however many items were judged."""
    with pytest.raises(InsufficientDataError):
        unscored_bounds(0, 0, 10)
    with pytest.raises(ValueError, match="negative"):
        unscored_bounds(3, 1, -1)


def test_weighed_items_say_as_much_as_fewer_alike() -> None:
    """By hand: weights 3, 1, 1, 1 sum to 6 and their squares to 12, so 3 items; the heavy one is half of them."""
    assert effective([3, 1, 1, 1], [True, False, False, False]) == pytest.approx((1.5, 3))
    assert effective([2, 2, 2, 2], [True, True, False, False]) == pytest.approx((2, 4))
    assert effective([], []) == effective([0, 0], [True, False]) == (0, 0)
