"""Has a judge drifted between two calibrations?"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from statsmodels.stats.contingency_tables import mcnemar

from assay.errors import DataError, InsufficientDataError
from assay.stats.drift import Drift, aa_flip_rate, judge_drift
from assay.stats.paired import bonett_price
from assay.stats.rates import Interval, wilson

SEEDS = st.integers(0, 2**32 - 1)
STEADY = wilson(8, 200)
BEFORE = np.repeat([1, 1, 0, 0], [150, 21, 8, 21])
AFTER = np.repeat([1, 0, 1, 0], [150, 21, 8, 21])


def asked_again(rng: np.random.Generator, right: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where a judge that is right on 90 % is right when asked again; it flips 4 % each way."""
    return np.where(right, rng.random(len(right)) >= 0.04 / 0.9, rng.random(len(right)) < 0.4)


def two_calibrations(rng: np.random.Generator, n: int, *, drop: float) -> Drift:
    """Return what is found of a judge that was right on 90 % of n items and is right on `drop` fewer now."""
    truth, right = rng.random(n) < 0.7, rng.random(n) < 0.9
    aa_flips = aa_flip_rate(truth == right, truth == asked_again(rng, right))
    now = asked_again(rng, right) & (rng.random(n) >= drop / 0.9)
    return judge_drift(truth, truth == right, truth == now, aa_flips=aa_flips)


def test_refuses_no_items() -> None:
    """Without an item that was judged twice there is neither a flip rate nor drift."""
    with pytest.raises(InsufficientDataError, match="first and second hold 0 items"):
        aa_flip_rate([], [])
    with pytest.raises(InsufficientDataError, match="hold 0 items; drift needs items judged twice"):
        judge_drift([], [], [], aa_flips=STEADY)


@pytest.mark.parametrize("bad", [float("nan"), 2, None, "pass"])
def test_refuses_what_is_neither_pass_nor_fail(bad: object) -> None:
    """A verdict that the judge did not give is neither right nor wrong, so it cannot have changed."""
    column = np.array([1, 0, bad], dtype=object)
    with pytest.raises(DataError, match="leave unscored items out"):
        aa_flip_rate(column, [1, 0, 1])
    with pytest.raises(DataError, match=f"a value of after is {bad}"):
        judge_drift([1, 0, 1], [1, 0, 1], column, aa_flips=STEADY)


def test_refuses_columns_of_different_items() -> None:
    """Two calibrations on different items are no pairs."""
    with pytest.raises(ValueError, match="equal shapes"):
        aa_flip_rate([1, 0], [1])
    with pytest.raises(ValueError, match="equal shapes"):
        judge_drift([[1, 0]], [[1, 0]], [[1, 0]], aa_flips=STEADY)


def test_worked_example() -> None:
    """TV-2.4: 21 right to wrong against 8 wrong to right of 200 is -.065, p = 2 · P(X <= 8 of 29) = .0241195."""
    found = judge_drift(np.ones(200), BEFORE, AFTER, aa_flips=STEADY)
    accuracy = found.overall.accuracy
    assert (accuracy.low, accuracy.estimate, accuracy.high) == pytest.approx((-0.117645, -0.065, -0.011068), abs=5e-7)
    assert found.overall.p_value == pytest.approx(0.0241195, abs=5e-8)
    assert (found.overall.gained, found.overall.lost, found.overall.flips) == (8, 21, wilson(29, 200))
    assert found.drifted
    assert found.statement == (
        "the judge drifted: on all items it is right 6.5 points less often than before, p = 0.024, "
        "21 newly wrong and 8 newly right of 200"
    )


def test_an_unsteady_judge_is_not_called_drifted() -> None:
    """The same 14.5 % of changed verdicts prove nothing of a judge that changes as many when nobody touched it."""
    found = judge_drift(np.ones(200), BEFORE, AFTER, aa_flips=wilson(29, 200))
    assert found.overall.p_value < 0.05
    assert not found.drifted
    assert "no drift is claimed: 14.5% of the verdicts changed, 14.5% do when the unchanged judge is" in found.statement


def test_a_laxer_judge_has_drifted_though_its_accuracy_stands() -> None:
    """It gains 12 human passes and loses 12 human fails: p is 1 overall, and by Holm 2 · 2 · .5^12 on either kind."""
    human = np.repeat([1, 0], [100, 100])
    before, after = human.copy(), human.copy()
    before[:12], after[100:112] = 0, 1
    found = judge_drift(human, before, after, aa_flips=STEADY)
    assert found.on_pass is not None
    assert found.on_fail is not None
    assert (found.on_pass.gained, found.on_fail.lost) == (12, 12)
    assert (found.on_pass.p_value, found.on_fail.p_value) == pytest.approx((0.5**10, 0.5**10))
    assert (found.overall.p_value, found.overall.drifted, found.drifted) == (1.0, False, True)
    assert "on human-pass items it is right 12.0 points more often" in found.statement
    assert "on human-fail items it is right 12.0 points less often" in found.statement


def test_one_kind_of_items_is_tested_once() -> None:
    """Where people pass everything there is no other kind, nothing to adjust for, and one sentence."""
    found = judge_drift(np.zeros(200), 1 - BEFORE, 1 - AFTER, aa_flips=STEADY)
    assert found.on_pass is None
    assert found.on_fail == found.overall


@pytest.mark.parametrize(
    ("n", "aa_flips", "words"),
    [
        (200, wilson(16, 200), "200 items show a change from 5.6 points on"),
        (200, replace(STEADY, estimate=0.0), "200 items show a change from 3.9 points on"),
        (3, replace(STEADY, estimate=0.0), "3 items cannot show any change"),
    ],
)
def test_nothing_changed_is_said_with_what_could_have_been_seen(n: int, aa_flips: Interval, words: str) -> None:
    """No change is no proof of steadiness, so the statement names the drop that would have been found."""
    found = judge_drift(np.ones(n), np.ones(n), np.ones(n), aa_flips=aa_flips)
    assert (found.overall.p_value, found.drifted) == (1.0, False)
    assert "0.0% of the verdicts changed" in found.statement
    assert words in found.statement


@given(SEEDS, st.integers(1, 80))
def test_equals_implementations_of_others(seed: int, n: int) -> None:
    """The tests are statsmodels' exact McNemar, stepped down by Holm, and the changes count items of either kind."""
    rng = np.random.default_rng(seed)
    human, before, after = rng.random((3, n)) < rng.random((3, 1))
    found = judge_drift(human, before, after, aa_flips=STEADY)
    was, now = before == human, after == human

    def p_value(part: NDArray[np.bool_]) -> float:
        table = [[np.sum(part & (was == w) & (now == x)) for x in (True, False)] for w in (True, False)]
        return float(mcnemar(table, exact=True).pvalue)

    assert found.overall.p_value == pytest.approx(p_value(np.ones(n, bool)))
    assert found.overall.accuracy.estimate == pytest.approx(now.mean() - was.mean())
    parts = [part for part in (human, ~human) if part.any()]
    kinds = [kind for kind in (found.on_pass, found.on_fail) if kind is not None]
    plain = np.array([p_value(part) for part in parts])
    order = np.argsort(plain)
    holm = np.minimum(np.maximum.accumulate(plain[order] * np.arange(len(parts), 0, -1)), 1)
    assert np.array([kind.p_value for kind in kinds])[order] == pytest.approx(holm)
    assert sum(kind.accuracy.n for kind in kinds) == n


@given(SEEDS)
def test_going_back_is_the_opposite_change(seed: int) -> None:
    """Swapping the calibrations negates every change and leaves every p-value; the order of items does not matter."""
    rng = np.random.default_rng(seed)
    human, before, after = rng.random((3, 60)) < 0.7
    found, back = (judge_drift(human, *pair, aa_flips=STEADY) for pair in ((before, after), (after, before)))
    order = rng.permutation(60)
    assert found == judge_drift(human[order], before[order], after[order], aa_flips=STEADY)
    assert back.overall.accuracy == bonett_price(found.overall.lost, found.overall.gained, 60)
    assert back.overall.p_value == found.overall.p_value
    assert back.drifted == found.drifted


def test_an_unchanged_judge_is_seldom_called_drifted() -> None:
    """400 items, 4 % A/A flips each way: all three tests together claim drift in at most 5 % of 400 seeded runs."""
    rng = np.random.default_rng(24)
    assert np.mean([two_calibrations(rng, 400, drop=0.0).drifted for _ in range(400)]) <= 0.05


@pytest.mark.parametrize(("n", "drop", "power"), [(200, 0.05, 0.43), (400, 0.05, 0.78), (200, 0.1, 0.91)])
def test_finds_as_often_as_it_says(n: int, drop: float, power: float) -> None:
    """The power of STATISTICS 2.4, within four standard errors of 400 seeded runs."""
    rng = np.random.default_rng(42)
    found = np.mean([two_calibrations(rng, n, drop=drop).overall.drifted for _ in range(400)])
    assert found == pytest.approx(power, abs=4 * np.sqrt(power * (1 - power) / 400))
