"""Two independent rates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep

from assay.errors import InsufficientDataError
from assay.stats.difference import newcombe

COUNTS = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize("counts", [(0, 0, 3, 9), (3, 9, 0, 0)])
def test_refuses_an_empty_side(counts: tuple[int, int, int, int]) -> None:
    """A window without traffic has no rate, so it has no difference either."""
    with pytest.raises(InsufficientDataError, match="both need at least one"):
        newcombe(*counts)


def test_refuses_impossible_counts_and_dispersion() -> None:
    """Ten events of nine, or a variance below the binomial one, are mistakes upstream."""
    with pytest.raises(ValueError, match="0 <= events <= n"):
        newcombe(10, 9, 1, 9)
    for dispersion in (0.5, float("nan")):
        with pytest.raises(ValueError, match="at least 1"):
            newcombe(1, 9, 1, 9, dispersion=dispersion)


def test_worked_example() -> None:
    """TV-2.3: 88/100 vs 71/100; Wilson bounds .802005 and .789818 give .17 - sqrt(.0780² + .0798²) = .058290."""
    found = newcombe(88, 100, 71, 100)
    assert (found.estimate, found.low, found.high) == pytest.approx((0.17, 0.058290, 0.277702), abs=1e-6)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [((840, 20_000, 3_200, 80_000), (-0.00103, 0.00516)), ((5_880, 140_000, 22_400, 560_000), (0.00084, 0.00318))],
)
def test_escalation_example(counts: tuple[int, int, int, int], expected: tuple[float, float]) -> None:
    """TV-7.1: escalations up from 4.0 to 4.2 % are noise on one day and a difference after seven."""
    found = newcombe(*counts)
    assert (found.estimate, found.low, found.high) == pytest.approx((0.002, *expected), abs=5.1e-6)


@given(COUNTS, COUNTS)
def test_equals_statsmodels_and_swaps_sign(first: tuple[int, int], base: tuple[int, int]) -> None:
    """The bounds are statsmodels', and swapping the samples negates and swaps them."""
    found, back = newcombe(*first, *base), newcombe(*base, *first)
    assert (found.low, found.high) == pytest.approx(
        confint_proportions_2indep(*first, *base, method="newcomb", compare="diff"), abs=1e-9
    )
    assert (found.low, found.high) == pytest.approx((-back.high, -back.low), abs=1e-12)


def test_dispersion_counts_as_fewer_items() -> None:
    """A variance four times the binomial one gives the interval of a quarter of the items, and the method says so."""
    wide, small = newcombe(88, 400, 71, 400, dispersion=4), newcombe(22, 100, 17, 100)
    assert wide.high - wide.low == pytest.approx(small.high - small.low, rel=0.02)
    assert "dispersion 4.00" in wide.method


def test_covers_as_often_as_it_says() -> None:
    """At .2 against .15, 150 items each, 2,000 seeded runs cover within four standard errors of 95 %."""
    rng = np.random.default_rng(5)
    drawn = zip(rng.binomial(150, 0.2, 2000), rng.binomial(150, 0.15, 2000), strict=True)
    found = [newcombe(int(a), 150, int(b), 150) for a, b in drawn]
    held = np.mean([one.low <= 0.05 <= one.high for one in found])
    assert abs(held - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 2000)
