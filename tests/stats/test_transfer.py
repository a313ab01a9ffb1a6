"""Transfer: the people's change behind a judge's, and how wrong the judge may be before it holds no longer."""

from dataclasses import replace

import numpy as np
import pytest

from assay.stats.rates import Interval
from assay.stats.transfer import Carried, Seen, carried


def exactly(value: float) -> Interval:
    """Return a figure without any doubt."""
    return Interval(estimate=value, low=value, high=value, n=100, level=0.95, method="exact")


def told(change: float, tpr: float, tnr: float, before: float, tolerated: float = 0.05, **other: float) -> Carried:
    """Return what follows where everything is known exactly."""
    seen = Seen(
        change=exactly(change),
        sure=exactly(other.get("sure", 0.0)),
        passed_before=before,
        open_now=other.get("open_now", 1.0),
        open_before=other.get("open_before", 1.0),
    )
    rng = np.random.default_rng(1)
    return carried(seen, exactly(tpr), exactly(tnr), tolerated=tolerated, rng=rng, draws=1000)


def test_a_change_is_the_judge_s_over_its_j() -> None:
    """By hand: J = .9 + .8 - 1 = .7, so that 3.5 points that the judge sees are 5 of people's."""
    found = told(-0.035, 0.9, 0.8, 0.83)
    assert (found.change.estimate, found.change.low, found.change.high) == pytest.approx((-0.05, -0.05, -0.05))


def test_the_tipping_point_by_hand() -> None:
    """90 of 100 pass by people before; now 85 would be the tolerated drop: the judge would say 3.5 points less.

    It says the same as before. Of the 15 that people fail it would have to pass 3.5 of 100 more: .035 / .15.
    """
    before = 0.9 * 0.9 + 0.1 * 0.2
    assert told(0.0, 0.9, 0.8, before).laxer == pytest.approx(0.035 / 0.15)
    # A drop of 3.5 points that it sees may be none: of the 90 that people pass it would have to fail 3.5 of 100 more.
    assert told(-0.035, 0.9, 0.8, before).stricter == pytest.approx(0.035 / 0.9)
    assert told(-0.035, 0.9, 0.8, before).laxer == pytest.approx(0, abs=1e-9)


def test_what_checks_decide_is_taken_as_it_is() -> None:
    """Four points that checks lost are four, and leave one of the five tolerated to the judge."""
    found = told(0.0, 0.9, 0.8, 0.5, sure=-0.04, open_now=0.6, open_before=0.6)
    assert found.change.estimate == pytest.approx(-0.04)
    passing = (0.5 - 0.6 * 0.2) / 0.7
    assert found.laxer == pytest.approx(0.01 * 0.7 / (0.6 - passing + 0.01))


def test_cases_that_a_check_fails_now_are_not_the_judge_s() -> None:
    """Where a check fails cases that people fail, the judge passes fewer of them, and nothing has changed."""
    # 80 pass by people; of the 20 others the judge passed 4, and a check now fails all 20.
    found = told(-0.04, 1.0, 0.8, 0.84, open_now=0.8, open_before=1.0)
    assert found.change.estimate == pytest.approx(0)


def test_doubt_about_the_judge_widens_the_change() -> None:
    """The bounds are wider than those of a judge whose rates are known, and hold the estimate."""
    seen = Seen(
        change=replace(exactly(-0.02), low=-0.04, high=0.0),
        sure=exactly(0),
        passed_before=0.8,
        open_now=1,
        open_before=1,
    )
    rates = [replace(exactly(0.9), low=0.8, high=0.96), replace(exactly(0.8), low=0.65, high=0.9)]
    rng = np.random.default_rng(2)
    known = carried(seen, exactly(0.9), exactly(0.8), tolerated=0.05, rng=rng, draws=4000).change
    doubted = carried(seen, *rates, tolerated=0.05, rng=rng, draws=4000).change
    assert doubted.low < known.low < known.estimate < known.high
    assert known.low == pytest.approx(-0.04 / 0.7, abs=0.002)


def test_a_judge_that_tells_nothing_excludes_nothing() -> None:
    """With J at 0 every drop is possible, and no laxness is allowed for."""
    found = told(-0.001, 0.5, 0.5, 0.5)
    assert (found.change.low, found.laxer) == (-1, 0)
