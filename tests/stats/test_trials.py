"""Several trials of each case: pass^k, pass@k, and intervals that count cases."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import DataError, InsufficientDataError
from assay.stats.trials import Trials, pass_at_k, pass_hat_k, pass_rate

ROWS = "1111 1011 0000 1101 0100 1111 1110 0010"
"""TV-4.2: 8 cases of 4 trials."""
TRIALS = np.array([[digit == "1" for digit in row] for row in ROWS.split()])
CASES = st.lists(st.lists(st.booleans(), min_size=3, max_size=6), min_size=2, max_size=8)


@pytest.mark.parametrize("trials", [np.zeros((0, 4), dtype=bool), [[True, False, True]]])
def test_refuses_fewer_than_two_cases(trials: Any) -> None:
    """One case says nothing of others, however often it is tried."""
    with pytest.raises(InsufficientDataError, match="at least two"):
        pass_hat_k(trials, 1)


def test_refuses_a_case_with_too_few_trials() -> None:
    """What five trials would have done cannot be known from four, and the message says of which case."""
    for measure in (pass_hat_k, pass_at_k):
        with pytest.raises(InsufficientDataError, match="case 1 has 2 trials; 3 are needed"):
            measure([[True] * 4, [True] * 2], 3)
    with pytest.raises(InsufficientDataError, match="case 0 has 0 trials"):
        pass_rate([[], [True]])


@pytest.mark.parametrize(
    "trials", [[[1.0, float("nan")], [1.0, 0.0]], [[1, 0], [0, 1]], np.ones((2, 2, 2), dtype=bool)]
)
def test_refuses_what_is_no_row_of_passes_and_fails(trials: Any) -> None:
    """A missing verdict, a score or a third dimension is no trial that passed or failed."""
    with pytest.raises(DataError, match="leave unscored trials out"):
        pass_at_k(trials, 1)


@pytest.mark.parametrize("k", [0, -1])
def test_refuses_a_k_below_one(k: int) -> None:
    """Of no trials nothing can be said."""
    with pytest.raises(ValueError, match="at least 1"):
        pass_hat_k(TRIALS, k)


def test_worked_example_of_the_pass_rate() -> None:
    """TV-4.2: 19 of 32; clustered standard error .1331076, naive .0882100, so a deff of 2.2770; t(7) interval."""
    found = pass_rate(TRIALS)
    assert (found.estimate, found.se, found.deff) == pytest.approx((0.59375, 0.1331076, 2.2770), abs=5e-5)
    assert (found.low, found.high) == pytest.approx((0.279001, 0.908499), abs=1e-6)
    assert (found.n, found.trials, found.method) == (8, 32, "pass rate, CR1 by case, t")


def test_worked_example_of_pass_hat_k_and_pass_at_k() -> None:
    """Passes are 4 3 0 3 1 4 3 1; pass^2 = (6+3+0+3+0+6+3+0)/6/8 = .4375, pass@2 = 1 - (6+3+3)/6/8 = .75."""
    assert pass_hat_k(TRIALS, 2).estimate == pytest.approx(0.4375)
    assert pass_at_k(TRIALS, 2).estimate == pytest.approx(0.75)
    assert pass_hat_k(TRIALS, 4).estimate == pytest.approx(2 / 8)
    assert pass_at_k(TRIALS, 4).estimate == pytest.approx(7 / 8)


def test_one_trial_is_the_pass_rate() -> None:
    """With equal trials pass^1, pass@1 and the pass rate are one number with one interval."""
    numbers = [
        (one.estimate, one.low, one.high) for one in (pass_rate(TRIALS), pass_hat_k(TRIALS, 1), pass_at_k(TRIALS, 1))
    ]
    assert numbers[0] == pytest.approx(numbers[1])
    assert numbers[1] == pytest.approx(numbers[2])


@given(CASES, st.integers(1, 3))
def test_equals_the_count_over_all_subsets(trials: Trials, k: int) -> None:
    """Both are the mean over cases of the share of k-subsets of trials in which all, or any, pass."""
    for measure, rule in ((pass_hat_k, all), (pass_at_k, any)):
        shares = [np.mean([rule(subset) for subset in combinations(row, k)]) for row in trials]
        found = measure(trials, k)
        assert found.estimate == pytest.approx(np.mean(shares), abs=1e-12)
        assert found.se == pytest.approx(np.std(shares, ddof=1) / np.sqrt(len(shares)), abs=1e-12)


@given(CASES)
def test_equals_statsmodels(trials: Any) -> None:
    """The standard error is statsmodels' cluster-robust one, for cases of unequal length too; bounds stay in [0, 1]."""
    values = np.concatenate([np.asarray(row, dtype=float) for row in trials])
    groups = np.repeat(np.arange(len(trials)), [len(row) for row in trials])
    theirs = sm.OLS(values, np.ones(len(values))).fit(cov_type="cluster", cov_kwds={"groups": groups})
    found = pass_rate(trials)
    assert found.se == pytest.approx(float(theirs.bse[0]), abs=1e-9)
    assert 0 <= found.low <= found.estimate <= found.high <= 1


def test_cases_that_are_all_alike_are_not_certainty() -> None:
    """Forty cases that pass every time leave room below 1: Wilson's interval over cases, and `method` says so."""
    found = pass_hat_k(np.ones((40, 4), dtype=bool), 4)
    assert found.low == pytest.approx(40 / (40 + 1.959964**2), abs=1e-6)
    assert (found.high, found.deff, found.caution) == (1, None, "")
    assert found.method == "pass^4, Wilson over cases"


def test_few_cases_are_said_to_be_few() -> None:
    """Below 30 cases the interval is given with a sentence of caution, from 30 on without."""
    assert "8 cases, fewer than 30" in pass_rate(TRIALS).caution
    assert pass_rate(np.tile(TRIALS, (4, 1))).caution == ""


@pytest.mark.parametrize("measure", [pass_hat_k, pass_at_k])
def test_covers_as_often_as_it_says(measure: Any) -> None:
    """60 cases of 4 trials, p ~ Beta(2, 2): .95 of 1,500 seeded runs hold the truth, within four standard errors."""
    rng, runs = np.random.default_rng(7), 1_500
    both = 2 * 3 / (4 * 5)
    truth = both if measure is pass_hat_k else 1 - both
    chances = rng.beta(2, 2, size=(runs, 60, 1))
    trials = rng.random((runs, 60, 4)) < chances
    held = np.mean([found.low <= truth <= found.high for found in (measure(one, 2) for one in trials)])
    assert abs(held - 0.95) < 4 * np.sqrt(0.95 * 0.05 / runs)
