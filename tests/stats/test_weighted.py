"""A mean on production's mix: weights of categories, what they cost, and what nobody can know."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import DataError, InsufficientDataError
from assay.stats.trials import pass_rate
from assay.stats.weighted import Stratum, post_stratified

SIZES, PASSED = (120, 80, 60, 40), (108, 60, 51, 18)
WEIGHTS = {"a": 0.55, "b": 0.25, "c": 0.15, "d": 0.05}
STRATA = {
    name: Stratum(values=[1.0] * passed + [0.0] * (size - passed))
    for name, size, passed in zip("abcd", SIZES, PASSED, strict=True)
}
"""TV-8.1."""
VALUES = st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=2, max_size=20)


@pytest.mark.parametrize("weights", [{}, {"a": 0.0}, {"a": -1.0, "b": 2.0}, {"a": float("nan")}, {"a": float("inf")}])
def test_refuses_what_is_no_mix(weights: dict[str, float]) -> None:
    """Weights are numbers from 0 on, and one of them is above 0."""
    with pytest.raises(DataError, match="weights"):
        post_stratified(STRATA, weights)


@pytest.mark.parametrize("strata", [STRATA, STRATA | {"e": Stratum(values=[1.0])}])
def test_refuses_a_category_of_which_nobody_knows_anything(strata: dict[str, Stratum]) -> None:
    """A category with a weight and fewer than two cases is named; without a weight it is not missed."""
    with pytest.raises(InsufficientDataError, match="'e'"):
        post_stratified(strata, WEIGHTS | {"e": 0.1})
    assert post_stratified(strata, WEIGHTS | {"e": 0.0}).n == 300


def test_refuses_one_family() -> None:
    """Cases of one family alone say nothing of others."""
    with pytest.raises(InsufficientDataError, match="family"):
        post_stratified({"a": Stratum(values=[1.0, 0.0, 1.0], families=["f"] * 3)}, {"a": 1.0})


def test_worked_example() -> None:
    """TV-8.1: .55·.9 + .25·.75 + .15·.85 + .05·.45 = .8325; deff 300·(.55²/120 + ...) = 1.121875, so 267.41 cases."""
    found = post_stratified(STRATA, WEIGHTS)
    assert found.estimate == pytest.approx(0.8325)
    assert found.se == pytest.approx(0.0210145, abs=1e-7)
    assert (found.low, found.high) == pytest.approx((0.791312, 0.873688), abs=1e-6)
    assert found.deff == pytest.approx(1.121875)
    assert found.n_effective == pytest.approx(267.41, abs=0.005)
    assert found.caution == ""


def test_weights_are_in_proportion() -> None:
    """Hundred times the weights are the same mix."""
    percent = {name: 100 * weight for name, weight in WEIGHTS.items()}
    assert vars(post_stratified(STRATA, percent)) == pytest.approx(vars(post_stratified(STRATA, WEIGHTS)))


def test_cautions() -> None:
    """A category of few cases is said to be one, and a mix that is far from the set's to cost more than half of it."""
    few = {"a": STRATA["a"], "b": Stratum(values=[0.0, 1.0] * 4)}
    assert "fewer than 10" in post_stratified(few, {"a": 1, "b": 1}).caution
    assert "far from" in post_stratified(STRATA, {"d": 0.9, "a": 0.1}).caution


@given(VALUES, VALUES)
def test_on_the_set_s_own_mix_it_is_the_plain_mean(one: list[float], other: list[float]) -> None:
    """Weights as large as the categories give the mean of all values, at a design effect of 1."""
    strata = {"a": Stratum(values=one), "b": Stratum(values=other)}
    found = post_stratified(strata, {"a": len(one), "b": len(other)})
    assert found.estimate == pytest.approx(np.mean([*one, *other]), abs=1e-12)
    assert found.deff == pytest.approx(1)


def test_families_are_the_unit() -> None:
    """One category in families has the standard error of trials clustered by case (CR1, an independent code)."""
    rng = np.random.default_rng(5)
    rows = [rng.random(size) < rng.random() for size in rng.integers(1, 6, 40)]
    values = np.concatenate(rows).astype(float).tolist()
    names = [f"f{at}" for at, row in enumerate(rows) for _ in row]
    found = post_stratified({"a": Stratum(values=values, families=names)}, {"a": 1.0})
    assert found.se == pytest.approx(pass_rate(rows).se)
