"""Many categories at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from assay.errors import DataError, InsufficientDataError
from assay.stats.paired import Trials, bonett_price, mean_change
from assay.stats.slices import SliceCounts, benjamini_hochberg, fcr_level, find_drops, holm


@pytest.mark.parametrize("bad", [float("nan"), -0.1, 1.5])
def test_refuses_what_is_no_p_value(bad: float) -> None:
    """A missing p-value would silently shorten the list."""
    with pytest.raises(DataError, match="from 0 to 1"):
        benjamini_hochberg([0.5, bad])
    with pytest.raises(DataError, match="from 0 to 1"):
        holm([0.5, bad])


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
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-12)


def test_a_small_slice_is_flagged_where_it_is_sure() -> None:
    """By hand: 20 of 20 lost have p = 2^-20, after Holm over three 3 x that; 3 of 3 have .125 and are never."""
    counts = [("twenty", 20, 20), ("three", 3, 3), ("large", 800, 10)]
    found = find_drops([SliceCounts(name=name, n=n, gained=0, lost=lost) for name, n, lost in counts])
    assert [(one.name, one.flagged) for one in found] == [("twenty", True), ("three", False), ("large", True)]
    assert found[0].adjusted == pytest.approx(3 * 0.5**20)
    assert found[1].adjusted == found[1].p_value == 0.125


def test_of_several_trials_shares_are_compared_by_their_step() -> None:
    """Forty cases, ten of which pass one trial of three less: the mean of the shares, added to by a third each way."""
    whole = (True, True, True)
    trials = [Trials((True, True, False), whole)] * 10 + [Trials(whole, whole)] * 30
    (found,) = find_drops([SliceCounts(name="x", n=40, gained=0, lost=10, trials=trials)])
    expected = mean_change([-1 / 3] * 10 + [0] * 30, step=1 / 3)
    assert found.change.estimate == pytest.approx(-1 / 12)
    assert (found.change.low, found.change.high) == pytest.approx((expected.low, expected.high))
    assert found.p_value == pytest.approx(0.5**10)


def test_what_was_proved_before_stands_at_one_in_ten() -> None:
    """A slice that is named stays flagged at p = .0625, not at .125, and its interval is that of the selected."""
    counts = [SliceCounts(name=name, n=40, gained=0, lost=lost) for name, lost in (("four", 4), ("three", 3), ("x", 4))]
    found = find_drops(counts, standing={"four", "three"})
    assert [one.flagged for one in found] == [True, False, False]
    assert found[0].change.level == pytest.approx(1 - 0.05 / 3)


def test_a_gain_is_never_flagged() -> None:
    """The question is one-sided: an improvement, however large, is no drop."""
    (found,) = find_drops([SliceCounts(name="negation", n=60, gained=30, lost=0)])
    assert not found.flagged
    assert found.p_value > 0.99
    assert found.change.low > 0


def test_the_interval_of_a_flagged_slice_is_wider() -> None:
    """One flagged of five: level 1 - 1·.05/5 = .99, z = 2.575829, by hand as Bonett and Price.

    40 cases, 1 gained, 12 lost: p+ = 2/42, p- = 13/42, difference -11/42 = -.261905; half width
    2.575829·sqrt((15/42 - (11/42)²)/42) = .213502; the others keep 1.959964.
    """
    bad = SliceCounts(name="bad", n=40, gained=1, lost=12)
    others = [SliceCounts(name=f"other-{at}", n=40, gained=1, lost=1) for at in range(4)]
    flagged, *calm = find_drops([bad, *others])
    assert [one.flagged for one in (flagged, *calm)] == [True, *[False] * 4]
    assert (flagged.change.level, flagged.change.estimate) == (pytest.approx(0.99), -11 / 40)
    assert (flagged.change.low, flagged.change.high) == pytest.approx((-0.475407, -0.048403), abs=1e-6)
    assert {one.change.level for one in calm} == {0.95}


def test_intervals_of_selected_slices_cover() -> None:
    """20 slices of 60 cases, four with a true drop of 15 points: over 400 seeded runs at most 5 % of the intervals of
    flagged slices miss the truth on average (two standard errors allowed), while those at 95 % miss more often."""  # noqa: D205, D209
    rng = np.random.default_rng(20)
    truth = [-0.15] * 4 + [0.0] * 16
    shares, plain = [], []
    for _ in range(400):
        drawn = [rng.multinomial(60, [0.05, 0.05 - drop, 0.9 + drop]) for drop in truth]
        slices = [
            SliceCounts(name=str(at), n=60, gained=int(gained), lost=int(lost))
            for at, (gained, lost, _) in enumerate(drawn)
        ]
        chosen = [at for at, one in enumerate(find_drops(slices)) if one.flagged]
        found, narrow = find_drops(slices), [bonett_price(one.gained, one.lost, one.n) for one in slices]
        wrong = [not found[at].change.low <= truth[at] <= found[at].change.high for at in chosen]
        shares.append(np.mean(wrong) if wrong else 0.0)
        plain.append(np.mean([not narrow[at].low <= truth[at] <= narrow[at].high for at in chosen] or [0.0]))
    assert np.mean(shares) <= 0.05 + 2 * np.std(shares) / np.sqrt(400)
    assert np.mean(plain) > np.mean(shares)


def test_false_flags_stay_rare() -> None:
    """20 slices of 60 cases, nothing changed, 10 % discordant: of 300 seeded runs 2.5 % flag anything, 5 % at most."""
    rng = np.random.default_rng(6)
    runs = 0
    for _ in range(300):
        drawn = rng.multinomial(60, [0.05, 0.05, 0.9], size=20)
        counts = [
            SliceCounts(name=str(index), n=60, gained=int(gained), lost=int(lost))
            for index, (gained, lost, _) in enumerate(drawn)
        ]
        runs += any(one.flagged for one in find_drops(counts))
    assert runs / 300 < 0.05
