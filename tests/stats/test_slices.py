"""Many categories at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from assay.errors import DataError, InsufficientDataError
from assay.stats.slices import SliceCounts, benjamini_hochberg, fcr_level, find_drops


@pytest.mark.parametrize("bad", [float("nan"), -0.1, 1.5])
def test_refuses_what_is_no_p_value(bad: float) -> None:
    """A missing p-value would silently shorten the list."""
    with pytest.raises(DataError, match="from 0 to 1"):
        benjamini_hochberg([0.5, bad])


def test_refuses_a_category_twice() -> None:
    """Counts of one category in two rows would be tested as two."""
    twice = [SliceCounts(name="allergens", n=40, gained=1, lost=2)] * 2
    with pytest.raises(DataError, match="merge its counts"):
        find_drops(twice)


def test_refuses_an_empty_category() -> None:
    """A category without cases has no change."""
    with pytest.raises(InsufficientDataError):
        find_drops([SliceCounts(name="allergens", n=0, gained=0, lost=0)])


def test_refuses_a_selection_beyond_the_family() -> None:
    """Three of two cannot have been selected."""
    for selected, tested in ((3, 2), (0, 2)):
        with pytest.raises(ValueError, match="selected"):
            fcr_level(selected, tested)


def test_worked_example() -> None:
    """TV-1.9, by hand: .021·5/3 = .035, .04·5/4 = .05, and so on down."""
    assert benjamini_hochberg([0.001, 0.012, 0.021, 0.04, 0.3]) == pytest.approx([0.005, 0.03, 0.035, 0.05, 0.3])
    assert benjamini_hochberg([]).tolist() == []


def test_level_widens_with_the_family() -> None:
    """3 selected of 50 at q = .1 are read at level 1 - 3·.1/50 = .994; all selected, at 1 - q."""
    assert fcr_level(3, 50) == pytest.approx(0.994)
    assert fcr_level(50, 50) == pytest.approx(0.9)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_equals_statsmodels(p_values: list[float]) -> None:
    """The adjusted values are those of statsmodels."""
    assert benjamini_hochberg(p_values) == pytest.approx(multipletests(p_values, method="fdr_bh")[1], abs=1e-12)


def test_a_small_slice_is_read_not_flagged() -> None:
    """29 cases that were all lost do not alarm and do not cost the others power; with 30 they do alarm."""
    small = SliceCounts(name="small", n=29, gained=0, lost=29)
    large = SliceCounts(name="large", n=30, gained=0, lost=10)
    found = find_drops([small, large])
    assert [(one.name, one.flagged) for one in found] == [("small", False), ("large", True)]
    assert found[0].adjusted is None
    assert found[1].adjusted == found[1].p_value


def test_a_gain_is_never_flagged() -> None:
    """The question is one-sided: an improvement, however large, is no drop."""
    (found,) = find_drops([SliceCounts(name="negation", n=60, gained=30, lost=0)])
    assert not found.flagged
    assert found.p_value > 0.99
    assert found.change.low > 0


def test_false_flags_stay_rare() -> None:
    """20 slices of 60 cases, nothing changed, 10 % discordant: 300 seeded runs flag anything in fewer than 16 %."""
    rng = np.random.default_rng(6)
    runs = 0
    for _ in range(300):
        drawn = rng.multinomial(60, [0.05, 0.05, 0.9], size=20)
        counts = [
            SliceCounts(name=str(index), n=60, gained=int(gained), lost=int(lost))
            for index, (gained, lost, _) in enumerate(drawn)
        ]
        runs += any(one.flagged for one in find_drops(counts))
    assert runs / 300 < 0.16
