"""Rates from labels that were drawn with several chances: of these very items, part by part."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InsufficientDataError
from assay.stats.sampled import Part, of_parts

SEEDS = st.integers(0, 2**32 - 1)


def part(passed: tuple[int, int], failed: tuple[int, int], judged: tuple[float, float] | None, size: float = 0) -> Part:
    """Return a part by how many people pass, and fail, of what the judge passes, and of what it fails."""
    words = [np.repeat([1.0, 0.0], counts) for counts in (passed, failed)]
    return Part(human_of_passed=words[0], human_of_failed=words[1], judged=judged, size=size)


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def test_too_few_labels_are_refused() -> None:
    """Forty-nine labels carry no rate, in however many parts."""
    with pytest.raises(InsufficientDataError, match="label 1 more"):
        of_parts([part((20, 4), (0, 0), (100, 0)), part((0, 0), (5, 20), (0, 100))], rng=rng())


def test_a_large_part_without_a_label_is_refused() -> None:
    """Of 300 items that the judge fails none is labelled: nobody knows anything of them."""
    with pytest.raises(InsufficientDataError, match="none of the 300 items with the verdict fail"):
        of_parts([part((50, 10), (0, 0), (500, 300))], rng=rng())
    with pytest.raises(InsufficientDataError, match="none of the 300 items"):
        of_parts([part((50, 10), (0, 0), (500, 0)), part((0, 0), (0, 0), (300, 0))], rng=rng())


def test_a_small_part_without_a_label_stands_with_its_neighbour() -> None:
    """By hand: 20 items that no label stands for count like the 500 after them: 520 x 50/60 + 200 x 10/40 of 720."""
    parts = [part((0, 0), (0, 0), (20, 0)), part((50, 10), (0, 0), (500, 0)), part((0, 0), (10, 30), (0, 200))]
    assert of_parts(parts, rng=rng()).pass_rate.estimate == pytest.approx((520 * 50 / 60 + 50) / 720)


def test_what_is_labelled_is_known() -> None:
    """With every item labelled the rate is that of the labels, and there is nothing left to be unsure of."""
    found = of_parts([part((70, 10), (5, 15), (80, 20))], rng=rng())
    assert (found.pass_rate.low, found.pass_rate.estimate, found.pass_rate.high) == pytest.approx((0.75, 0.75, 0.75))
    assert found.tpr
    assert (found.tpr.low, found.tpr.estimate, found.tpr.high) == pytest.approx((70 / 75,) * 3)


def test_parts_are_weighed_by_their_size() -> None:
    """By hand: a tenth of 800 and half of 200 are labelled; .9 x 800 and .3 x 200 pass, not what the labels pool to."""
    found = of_parts([part((72, 8), (0, 0), (800, 0)), part((0, 0), (30, 70), (0, 200))], rng=rng())
    assert found.pass_rate.estimate == pytest.approx(0.78)
    assert found.tnr
    assert found.tnr.estimate == pytest.approx(140 / 220)


def test_votes_that_are_split_count_as_shares() -> None:
    """Sixty items that one of two people pass say .5, and more surely so than sixty that somebody passes or fails."""
    halves = Part(human_of_passed=np.full(60, 0.5), human_of_failed=np.array([]), judged=(600, 0))
    narrow, wide = (of_parts([one], rng=rng()).pass_rate for one in (halves, part((30, 30), (0, 0), (600, 0))))
    assert (narrow.estimate, wide.estimate) == (0.5, 0.5)
    assert narrow.high - narrow.low < 0.5 * (wide.high - wide.low)


@given(SEEDS)
def test_an_estimate_lies_between_its_bounds(seed: int) -> None:
    """Whatever the counts, bounds hold the estimate, stay within 0 and 1, and one part less sure is no narrower."""
    draw = np.random.default_rng(seed)
    labelled = [tuple(draw.integers(13, 40, 2).tolist()) for _ in range(2)]
    judged = (sum(labelled[0]) + int(draw.integers(0, 500)), sum(labelled[1]) + int(draw.integers(0, 500)))
    these = of_parts([part(labelled[0], labelled[1], judged)], rng=rng(), draws=2000)
    every = of_parts([part(labelled[0], labelled[1], judged)], is_finite=False, rng=rng(), draws=2000)
    for found in (these, every):
        for one in (found.pass_rate, found.tpr, found.tnr):
            assert one
            assert 0 <= one.low <= one.estimate <= one.high <= 1
    assert these.pass_rate.high - these.pass_rate.low <= 1.15 * (every.pass_rate.high - every.pass_rate.low)
