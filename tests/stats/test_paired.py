"""Two versions on the same cases."""

from collections import Counter
from itertools import combinations, product
from math import ceil
from operator import mul

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from assay.errors import InsufficientDataError
from assay.stats.paired import (
    Trials,
    bonett_price,
    exact_drop,
    mcnemar_drop,
    mcnemar_midp,
    mean_change,
    minimum_detectable_effect,
    n_paired,
    smallest_drop,
)

COUNTS = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(0, 500))


def test_refuses_no_cases() -> None:
    """Versions that share no case cannot be compared, nor can a change be planned for."""
    with pytest.raises(InsufficientDataError, match="0 cases"):
        bonett_price(0, 0, 0)
    with pytest.raises(InsufficientDataError, match="add cases"):
        minimum_detectable_effect(0, 0.1)


def test_refuses_impossible_counts() -> None:
    """More discordant cases than cases, or a negative count, are mistakes upstream."""
    for gained, lost, n in ((5, 6, 10), (-1, 2, 10)):
        with pytest.raises(ValueError, match="expected counts"):
            bonett_price(gained, lost, n)
    with pytest.raises(ValueError, match="expected counts"):
        mcnemar_midp(-1, 3)


@pytest.mark.parametrize(("discordant", "delta"), [(0.05, 0.1), (0.1, 0), (1.2, 0.1), (0.1, float("nan"))])
def test_refuses_a_change_that_cannot_happen(discordant: float, delta: float) -> None:
    """The pass rate moves by at most the share of cases that flip."""
    with pytest.raises(ValueError, match="0 < delta <= discordant"):
        n_paired(discordant, delta)


@pytest.mark.parametrize("power", [0, 1, -0.1, 1.5, float("nan")])
def test_refuses_a_power_that_no_sample_has(power: float) -> None:
    """A chance of finding something lies between never and always."""
    with pytest.raises(ValueError, match="power is"):
        n_paired(0.1, 0.05, power=power)


def test_worked_example() -> None:
    """TV-4.4, by hand: 19/152 and 8/152 differ by .072368; half-width 1.96·sqrt((.177632 - .005237)/152) = .066006."""
    found = bonett_price(18, 7, 150)
    assert (found.estimate, found.low, found.high) == pytest.approx((0.0733333, 0.006362, 0.138375), abs=5e-7)
    assert mcnemar_midp(18, 7) == pytest.approx(0.0289593, abs=5e-8)
    assert (found.n, found.level, found.method) == (150, 0.95, "Bonett-Price")


def test_drift_example() -> None:
    """TV-2.4: 8 wrong to right, 21 right to wrong of 200 is a drop of .065 in [.011068, .117645], mirrored in sign."""
    found = bonett_price(8, 21, 200)
    assert (found.estimate, found.low, found.high) == pytest.approx((-0.065, -0.117645, -0.011068), abs=5e-7)


@pytest.mark.parametrize(
    ("discordant", "delta", "cases"),
    [(0.05, 0.02, 979), (0.1, 0.03, 870), (0.1, 0.05, 312), (0.1, 0.1, 77), (0.2, 0.02, 3923), (0.3, 0.1, 234)],
)
def test_cases_needed(discordant: float, delta: float, cases: int) -> None:
    """The table of STATISTICS 4.3, rounded up."""
    assert abs(ceil(n_paired(discordant, delta)) - cases) <= 1


@pytest.mark.parametrize(
    ("n", "discordant", "effect"),
    [(50, 0.2, 0.173), (100, 0.1, 0.088), (200, 0.1, 0.062), (300, 0.2, 0.072), (1000, 0.1, 0.028)],
)
def test_smallest_change(n: int, discordant: float, effect: float) -> None:
    """The detectable effects of STATISTICS 4.3, said in points."""
    found = minimum_detectable_effect(n, discordant)
    assert found.effect == pytest.approx(effect, abs=5.1e-4)
    assert found.statement.startswith(f"{n} cases find a change of {100 * found.effect:.1f} points with 80% power")


@pytest.mark.parametrize(
    ("n", "advice"), [(50, "only from 15 points"), (30, "only from 24 points"), (15, "only from 45 points")]
)
def test_says_so_when_nothing_can_be_found(n: int, advice: str) -> None:
    """Few cases at 10 % discordance find nothing; the statement says from where on they would, and to add cases."""
    found = minimum_detectable_effect(n, 0.1)
    assert found.effect is None
    assert advice in found.statement


def test_says_so_when_not_even_everything_suffices() -> None:
    """Two cases cannot prove that every case flipped."""
    assert "not even a change of every case" in minimum_detectable_effect(2, 0.5).statement


@given(st.integers(1, 5000), st.floats(0.01, 1))
def test_effect_and_size_are_inverse(n: int, discordant: float) -> None:
    """The smallest detectable change needs the cases it was computed from; where there is none, more are needed."""
    found = minimum_detectable_effect(n, discordant)
    if found.effect is None:
        assert n_paired(discordant, discordant) > n
    else:
        assert n_paired(discordant, found.effect) == pytest.approx(n, rel=1e-3)


@given(COUNTS)
def test_swapping_the_versions_negates(counts: tuple[int, int, int]) -> None:
    """Change and bounds mirror, the two-sided p-value stays, the estimate is inside, exact one-sided values overlap."""
    gained, lost, agree = counts
    n = gained + lost + agree + 1
    found, back = bonett_price(gained, lost, n), bonett_price(lost, gained, n)
    assert (found.low, found.estimate, found.high) == pytest.approx((-back.high, -back.estimate, -back.low), abs=1e-12)
    assert found.low <= found.estimate <= found.high
    assert mcnemar_midp(gained, lost) == mcnemar_midp(lost, gained)
    both = mcnemar_drop(gained, lost) + mcnemar_drop(lost, gained)
    assert both == pytest.approx(1 + binom.pmf(gained, gained + lost, 0.5))


@given(st.integers(0, 60), st.integers(0, 60))
def test_midp_lies_below_the_exact_test(gained: int, lost: int) -> None:
    """Mid-p is scipy's exact p-value less the probability of what was seen, and so never above it."""
    exact = binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    assert mcnemar_midp(gained, lost) <= exact + 1e-12
    if gained + lost:
        assert mcnemar_drop(gained, lost) == pytest.approx(
            binomtest(gained, gained + lost, alternative="less").pvalue, abs=1e-12
        )


def test_covers_as_often_as_it_says() -> None:
    """Shares .93, .05, .01, .01 and n = 100: measured .961; it never falls below .95 less four standard errors."""
    drawn = np.random.default_rng(8).multinomial(100, [0.05, 0.01, 0.94], size=2000)
    found = [bonett_price(int(gained), int(lost), 100) for gained, lost, _ in drawn]
    held = np.mean([one.low <= 0.04 <= one.high for one in found])
    assert 0.95 - 4 * np.sqrt(0.95 * 0.05 / 2000) < held < 0.99


@pytest.mark.parametrize(("n", "drop"), [(30, 0.24), (15, 0.446), (3, None)])
def test_smallest_drop_is_the_published_one(n: int, drop: float | None) -> None:
    """STATISTICS 4.3: 30 cases find a drop from 24 points on if nothing else flips, 15 from 44.6, and 3 none at all."""
    assert smallest_drop(n) == (None if drop is None else pytest.approx(drop, abs=0.006))


def of_cases(*counts: tuple[int, int, int, int]) -> list[Trials]:
    """Return cases by passes and trials, now and before."""
    return [Trials(passing(now, of), passing(before, of_before)) for now, of, before, of_before in counts]


def passing(passed: int, of: int) -> tuple[bool, ...]:
    """Return so many trials of which so many pass."""
    return tuple(trial < passed for trial in range(of))


def test_with_one_trial_it_is_mcnemar_and_bonett_price() -> None:
    """3 gained and 9 lost of 40, one trial each: the exact binomial tail, and the very interval of the counts."""
    cases = of_cases(*[(1, 1, 0, 1)] * 3, *[(0, 1, 1, 1)] * 9, *[(1, 1, 1, 1)] * 28)
    assert exact_drop(cases) == pytest.approx(binom.cdf(3, 12, 0.5))
    found, expected = mean_change([one.difference for one in cases]), bonett_price(3, 9, 40)
    assert (found.low, found.estimate, found.high) == pytest.approx((expected.low, expected.estimate, expected.high))


def test_several_trials_by_hand() -> None:
    """A case that passed 2 of 2 before and 0 of 2 now may have changed places: one in two, and two such one in four."""
    assert exact_drop(of_cases((0, 2, 2, 2))) == pytest.approx(1 / 2)
    assert exact_drop(of_cases((0, 2, 2, 2), (0, 2, 2, 2))) == pytest.approx(1 / 4)
    # A whole case lost outweighs half a case gained: of the four ways two are at most as low.
    assert exact_drop(of_cases((0, 2, 2, 2), (1, 2, 0, 2))) == pytest.approx(1 / 2)
    assert exact_drop(of_cases((3, 3, 1, 1), (0, 2, 0, 2))) == 1


def test_of_other_numbers_of_trials_the_larger_p_value_holds() -> None:
    """2 of 3 now and 1 of 1 before: changed places one in two, but by trials the failure is a new one in 3 of 4."""
    assert exact_drop(of_cases((2, 3, 1, 1))) == pytest.approx(3 / 4)
    assert exact_drop(of_cases((0, 3, 1, 1))) == pytest.approx(1 / 2)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(0, 3), st.integers(0, 3)), max_size=4))
def test_the_exact_p_value_is_the_share_of_all_ways(rows: list[tuple[int, int, int, int]]) -> None:
    """Every way in which versions change places is counted; and of unequal trials every way to say which are new."""
    cases = of_cases(*[(min(a, now), now, min(b, before), before) for now, before, a, b in rows])
    moved = [round(6 * one.difference) for one in cases]
    turned = [sum(map(mul, signs, map(abs, moved))) for signs in product((1, -1), repeat=len(moved))]
    expected = sum(total <= sum(moved) for total in turned) / len(turned)
    if any(len(one.now) != len(one.before) for one in cases):
        expected = max(expected, _by_spreads(cases))
    assert exact_drop(cases) == pytest.approx(expected)


def _by_spreads(cases: list[Trials]) -> float:
    sums, ways = Counter({0: 1}), 1
    for one in cases:
        mine = Counter(sum(chosen) for chosen in combinations(one.now + one.before, len(one.now)))
        ways *= mine.total()
        sums = _convolved(sums, mine)
    seen = sum(sum(one.now) for one in cases)
    return sum(count for total, count in sums.items() if total <= seen) / ways


def test_a_version_s_own_wording_is_no_regression() -> None:
    """Three trials of a version share a wording, and what the judge makes of it: of 400 comparisons 2.5 % alarm."""
    rng, alarms = np.random.default_rng(9), 0
    for _ in range(400):
        people = rng.random(300) < 0.85
        said = [np.where(people, rng.random(300) < 0.9, rng.random(300) < 0.2) for _ in range(2)]
        cases = of_cases(*((3 * int(x), 3, 3 * int(y), 3) for x, y in zip(*said, strict=True)))
        alarms += exact_drop(cases) <= 0.025
    assert alarms <= 19


def test_a_family_changes_places_as_one() -> None:
    """Four cases of one family that are lost together are one chance in two, and two such families one in four."""
    lost = Trials((False, False), (True, True), "a")
    assert exact_drop([lost] * 4) == pytest.approx(1 / 2)
    assert exact_drop([lost] * 4 + [lost._replace(family="b")] * 4) == pytest.approx(1 / 4)
    # By hand: its trials have 2, 1 and 0 passes: the new one is the last in 1 of 3, the versions changed in 1 of 2.
    mixed = [Trials((False,), (True, True), "c"), Trials((False,), (True, False), "c")]
    assert exact_drop(mixed) == pytest.approx(1 / 2)


def test_a_family_counts_once_in_the_interval() -> None:
    """Cases that are lost four at a time have twice the half-width, but for the two cases that are added."""
    alone = mean_change([-1.0] * 40 + [0.0] * 360)
    together = mean_change([-1.0] * 40 + [0.0] * 360, families=[at // 4 for at in range(400)])
    assert (together.high - together.low) / (alone.high - alone.low) == pytest.approx(2, abs=0.06)
    assert together.estimate == alone.estimate == pytest.approx(-0.1)


def _convolved(one: Counter[int], other: Counter[int]) -> Counter[int]:
    found: Counter[int] = Counter()
    for first, times in one.items():
        for second, count in other.items():
            found[first + second] += times * count
    return found


@pytest.mark.parametrize(("now", "before"), [(3, 3), (3, 1), (1, 3)])
def test_an_unchanged_unsteady_product_is_no_regression(now: int, before: int) -> None:
    """300 cases right nine times of ten, trials as many or fewer: at most one of 25 in 400 comparisons alarms."""
    rng = np.random.default_rng([now, before])
    alarms = 0
    for _ in range(400):
        a, b = rng.binomial(now, 0.9, 300), rng.binomial(before, 0.9, 300)
        cases = of_cases(*((int(x), now, int(y), before) for x, y in zip(a, b, strict=True)))
        alarms += mean_change([one.difference for one in cases], step=1 / min(now, before)).high < 0
    assert alarms <= 16


@pytest.mark.parametrize("families", [["a"], ["a", "b", "c"]])
def test_each_case_has_its_family(families: list[str]) -> None:
    """Where there are other numbers of families than of cases nothing is counted."""
    with pytest.raises(ValueError, match="zip"):
        mean_change([1.0, -1.0], families=families)
