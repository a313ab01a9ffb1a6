"""Pairwise verdicts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import DataError, InsufficientDataError
from assay.stats.pairs import position_bias, three_way, win_rate

AB = ["a"] * 92 + ["b"] * 60 + ["a"] * 33 + ["b"] * 15
BA = ["a"] * 92 + ["b"] * 60 + ["b"] * 33 + ["a"] * 15
OUTCOMES = st.sampled_from(["a", "b", "tie"])
MIRROR = {"a": "b", "b": "a", "tie": "tie"}


@pytest.mark.parametrize("measure", [position_bias, win_rate, three_way])
def test_refuses_what_is_no_verdict(measure: object) -> None:
    """An unscored pair is left out by the caller, never counted as a tie; no pairs at all is refused as well."""
    assert callable(measure)
    with pytest.raises(DataError, match="leave unscored pairs out"):
        measure(["a", "unscored"], ["a", "a"])
    with pytest.raises(ValueError, match="must be equal"):
        measure(["a", "b"], ["a"])
    with pytest.raises(InsufficientDataError):
        measure([], [])


def test_refuses_a_win_rate_of_one_pair() -> None:
    """One pair has no spread, so no interval."""
    with pytest.raises(InsufficientDataError, match="at least two"):
        win_rate(["a"], ["a"])


def test_worked_example_of_position_bias() -> None:
    """TV-2.1: 48 of 200 pairs flip; 33 to the first, 15 to the second; direction 18/200 = .09."""
    found = position_bias(AB, BA)
    assert (found.first, found.second, found.n) == (33, 15, 200)
    conflict, direction = found.conflict, found.direction
    assert (conflict.estimate, conflict.low, conflict.high) == pytest.approx((0.24, 0.186066, 0.303733), abs=5e-7)
    assert (direction.estimate, direction.low, direction.high) == pytest.approx((0.09, 0.021609, 0.156609), abs=5e-7)
    assert found.p_value == pytest.approx(0.0132833, abs=5e-8)


def test_worked_example_of_a_win_rate() -> None:
    """TV-2.1, by hand: (92 + 48/2) / 200 = .58, while one order alone says 125/200 or 107/200."""
    found = win_rate(AB, BA)
    assert (found.estimate, found.se) == pytest.approx((0.58, 0.0303745), abs=5e-8)
    assert (found.low, found.high) == pytest.approx((0.520467, 0.639533), abs=5e-7)
    assert (found.first_order, found.second_order) == (0.625, 0.535)


def test_a_clean_sweep_is_not_certainty() -> None:
    """Thirty wins of thirty have no spread; Wilson's interval stands in and the method says so."""
    found = win_rate(["a"] * 30, ["a"] * 30)
    assert found.low == pytest.approx(0.886487, abs=1e-6)
    assert (found.high, found.se, found.method) == (1, 0, "mean of both orders, Wilson")


def test_all_ties_leave_the_winner_open() -> None:
    """Half a win each time says neither that A wins nor that it loses."""
    found = win_rate(["tie"] * 31, ["tie"] * 31)
    assert found.estimate == 0.5
    assert found.low < 0.35
    assert found.high > 0.65


@given(st.lists(st.tuples(OUTCOMES, OUTCOMES), min_size=2, max_size=60))
def test_swapping_the_sides_negates(pairs: list[tuple[str, str]]) -> None:
    """Calling A what was B mirrors the win rate and leaves the conflict; permuting the pairs changes nothing."""
    ab, ba = map(list, zip(*pairs, strict=True))
    swapped = [MIRROR[one] for one in ab], [MIRROR[one] for one in ba]
    found, mirrored = win_rate(ab, ba), win_rate(*swapped)
    assert found.estimate == pytest.approx(1 - mirrored.estimate)
    assert (found.low, found.high) == pytest.approx((1 - mirrored.high, 1 - mirrored.low), abs=1e-9)
    assert found.low <= found.estimate <= found.high
    assert (
        position_bias(ab, ba).conflict == position_bias(*swapped).conflict == position_bias(ab[::-1], ba[::-1]).conflict
    )
    assert position_bias(ab, ba).conflict.estimate == np.mean([one != other for one, other in pairs])


@given(st.lists(OUTCOMES, min_size=1, max_size=60))
def test_an_order_blind_judge_has_no_bias(outcomes: list[str]) -> None:
    """The same verdict in both orders is no conflict, leans nowhere, and the sign test finds nothing."""
    found = position_bias(outcomes, outcomes)
    assert (found.conflict.estimate, found.direction.estimate, found.p_value) == (0, 0, 1)


def test_worked_example_with_ties() -> None:
    """TV-1.10: 144 of 200 agree with ties kept; dropping ties keeps 131 items and flatters kappa from .66 to .86."""
    table = np.array([[62, 14, 4], [11, 22, 9], [5, 13, 60]])
    cells = np.repeat(np.arange(9), table.ravel())
    names = np.array(["a", "tie", "b"])
    found = three_way(names[cells // 3].tolist(), names[cells % 3].tolist())
    assert (found.observed, found.decided_share) == pytest.approx((0.72, 0.655))
    assert (found.kappa, found.kappa_linear, found.ac1) == pytest.approx((0.5693633, 0.6572815, 0.5852735), abs=5e-8)
    assert (found.decided_observed, found.decided_kappa) == pytest.approx((0.9312977, 0.8625714), abs=5e-8)


@pytest.mark.parametrize(
    ("human", "judge", "expected"),
    [
        (["a", "tie"], ["tie", "b"], (None, None)),
        (["a", "a", "tie"], ["a", "a", "a"], (1.0, None)),
        (["a", "a", "tie"], ["b", "b", "a"], (0.0, 0.0)),
    ],
)
def test_decided_items_without_a_kappa(
    human: list[str], judge: list[str], expected: tuple[float | None, float | None]
) -> None:
    """Nothing decided by both, or always for the same side, leaves None, not a number that stands in."""
    found = three_way(human, judge)
    assert (found.decided_observed, found.decided_kappa) == expected
