"""Where differing outcomes come from: a product's own variance, or a change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InsufficientDataError
from assay.stats.flips import flip_shares
from assay.stats.paired import Trials

SEVERAL = st.lists(st.booleans(), min_size=2, max_size=5).map(tuple)
CASES = st.lists(st.builds(Trials, SEVERAL, SEVERAL), min_size=2, max_size=12)


@pytest.mark.parametrize(
    "cases",
    [[], [Trials((True,), (False,))] * 9, [Trials((True, False), (False, True)), Trials((True,), (True, True))]],
)
def test_refuses_single_trials(cases: list[Trials]) -> None:
    """One trial of a version says nothing of how it varies, and one case nothing of others."""
    with pytest.raises(InsufficientDataError, match="several trials"):
        flip_shares(cases)


def test_worked_example() -> None:
    """By hand: 2 of 3 against 1 of 3 differ with 2/3·2/3 + 1/3·1/3 = 5/9, and trials of either with 2·2·1/6 = 2/3."""
    unsteady, steady = Trials((True, True, False), (True, False, False)), Trials((True, True), (False, False))
    found = flip_shares([unsteady, steady])
    assert found.differ == pytest.approx((5 / 9 + 1) / 2)
    assert found.own == pytest.approx((2 / 3) / 2)
    assert found.change
    assert found.change.estimate == pytest.approx((5 / 9 - 2 / 3 + 1) / 2)
    assert (found.n, found.steady) == (2, 1)


def test_a_steady_product_has_no_variance_of_its_own() -> None:
    """Where no case differs from itself all that differs is the change; where all are alike there is no interval."""
    found = flip_shares([Trials((True, True), (True, True))] * 5)
    assert (found.differ, found.own, found.change, found.steady) == (0, 0, None, 0)


@given(CASES)
def test_the_versions_are_alike(cases: list[Trials]) -> None:
    """Versions that change places have the same parts."""
    there, back = flip_shares(cases), flip_shares([one.turned for one in cases])
    assert (there.differ, there.own, there.steady) == pytest.approx((back.differ, back.own, back.steady))


@pytest.mark.parametrize("trials", [2, 3, 6])
def test_the_parts_are_unbiased(trials: int) -> None:
    """Over 3,000 cases with p uniform, own is the mean of 2p(1 - p) = 1/3, and the change the mean of (p - q)²."""
    rng = np.random.default_rng(trials)
    p = rng.random(3000)
    q = np.clip(p + np.where(rng.random(3000) < 0.3, 0.5, 0.0), 0, 1)
    now, before = (rng.random((3000, trials)) < chance[:, None] for chance in (q, p))
    found = flip_shares([Trials(tuple(a), tuple(b)) for a, b in zip(now.tolist(), before.tolist(), strict=True)])
    assert found.change
    assert found.change.low < np.mean((p - q) ** 2) < found.change.high
    assert found.own == pytest.approx(np.mean(p * (1 - p) + q * (1 - q)), abs=0.02)


def test_families_count_once() -> None:
    """Copies of a case in one family narrow no interval."""
    rng = np.random.default_rng(9)
    rows = [Trials(tuple(a), tuple(b)) for a, b in (rng.random((30, 2, 3)) < 0.5).tolist()]
    copies = [row._replace(family=f"f{at}") for at, row in enumerate(rows) for _ in range(4)]
    one, four = flip_shares(rows).change, flip_shares(copies).change
    assert one
    assert four
    assert (four.low, four.high) == pytest.approx((one.low, one.high))
