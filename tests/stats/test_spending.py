"""Spending: one chance of a false alarm for all looks, most of it for the first."""

import pytest

from assay.stats.spending import spent


def test_a_look_before_the_first_is_refused() -> None:
    """There is no look 0."""
    with pytest.raises(ValueError, match="look is 0"):
        spent(0.05, 0)


def test_the_levels_of_all_looks_sum_to_the_whole() -> None:
    """By hand: 2/3, 1/6, 1/18 of the whole; what is left after n looks is a third of 1/n."""
    assert [spent(0.9, look) for look in (1, 2, 3)] == pytest.approx([0.6, 0.15, 0.05])
    assert 1 - sum(spent(1, look) for look in range(1, 1001)) == pytest.approx(1 / 3000)


def test_another_version_s_first_look_is_a_single_comparison() -> None:
    """It has the whole level; all looks after it share a third more."""
    assert spent(0.9, 1, is_new=True) == 0.9
    assert sum(spent(1, look, is_new=True) for look in range(2, 1001)) == pytest.approx(1 / 3, abs=0.001)
