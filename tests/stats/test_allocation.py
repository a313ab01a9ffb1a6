"""Which items to label next, and how many."""

from fractions import Fraction
from math import sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from assay.errors import InsufficientDataError
from assay.stats.allocation import Allocation, labels_for, sqrt_allocation

STRATUM = st.integers(0, 300).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size)))
CALIBRATION: dict[str, Any] = {"judge_pass": 1730, "judged": 2000, "passed": 0.855 / 0.865, "failed": 1 / 3}


def rates(rate: float, tpr: float, tnr: float) -> tuple[float, float, float]:
    """Return the judge's pass rate, and the human pass rate among its passes and among its fails."""
    share = rate * tpr + (1 - rate) * (1 - tnr)
    return share, rate * tpr / share, rate * (1 - tpr) / (1 - share)


def errors(draws: dict[str, int], runs: int = 3000) -> float:
    """Return the root mean square error of double sampling, judge .95/.9 at a pass rate of .9, 2,000 judged."""
    rng = np.random.default_rng(33)
    share, passed, failed = rates(0.9, 0.95, 0.9)
    seen = rng.binomial(2000, share, runs) / 2000
    top = rng.binomial(draws["pass"], passed, runs) / draws["pass"]
    low = rng.binomial(draws["fail"], failed, runs) / draws["fail"]
    return float(np.sqrt(np.mean((seen * top + (1 - seen) * low - 0.9) ** 2)))


def test_refuses_nothing_judged_or_too_few_labels() -> None:
    """Labels for no item, or fewer than one for each stratum that has items, cannot be planned."""
    for judged in ({}, {"pass": 0, "fail": 0}):
        with pytest.raises(InsufficientDataError, match="judge some first"):
            sqrt_allocation(judged, 60)
    with pytest.raises(InsufficientDataError, match="allow 1 more"):
        sqrt_allocation({"pass": 90, "tie": 0, "fail": 9}, 1)
    with pytest.raises(InsufficientDataError, match="allow 1 more"):
        sqrt_allocation({"pass": 90, "fail": 9}, 60, labelled={"pass": 60})


@pytest.mark.parametrize("labelled", [{"pass": 91}, {"pass": -1}, {"other": 1}, {"pass": 60, "fail": 9}])
def test_refuses_labels_that_contradict(labelled: dict[str, int]) -> None:
    """More labels than items, than may be had, or of a stratum that was never judged, are mistakes upstream."""
    with pytest.raises(ValueError, match="expected"):
        sqrt_allocation({"pass": 90, "fail": 9}, 60, labelled=labelled)


@pytest.mark.parametrize(
    "changed",
    [
        {"half_width": 0.0},
        {"half_width": float("nan")},
        {"passed": 1.1},
        {"failed": float("nan")},
        {"judge_pass": 2001},
    ],
)
def test_refuses_a_plan_that_contradicts_itself(changed: dict[str, float]) -> None:
    """A half-width or a guess that is no share, and more passes than items, are the caller's mistakes."""
    with pytest.raises(ValueError, match="expected"):
        labels_for(**{"half_width": 0.03, **CALIBRATION, **changed})


def test_refuses_a_half_width_out_of_reach() -> None:
    """The verdicts alone leave 1.96 · sqrt(.6551² · .116775 / 2000) = .0098, so no number of labels gives .005."""
    with pytest.raises(InsufficientDataError, match="judge more items"):
        labels_for(0.005, **CALIBRATION)
    with pytest.raises(InsufficientDataError, match="needs 50 labelled"):
        labels_for(0.1, judge_pass=40, judged=49, passed=0.9, failed=0.2)


def test_worked_example() -> None:
    """Roots 41.593 and 16.432 of 1,730 passes and 270 fails divide 200 labels as 143.36 and 56.64: 143 and 57."""
    assert sqrt_allocation({"pass": 1730, "fail": 270}, 200) == {"pass": 143, "fail": 57}


def test_what_is_labelled_already_counts() -> None:
    """Of 200 in all, 40 passes and 60 fails are there: the fails have 3 too many, so 100 passes are drawn, not 103."""
    draws = sqrt_allocation({"pass": 1730, "fail": 270}, 200, labelled={"pass": 40, "fail": 60})
    assert draws == {"pass": 100, "fail": 0}


def test_what_does_not_fit_goes_to_the_others() -> None:
    """Four fails cannot take the 13 labels of their share; the other strata divide them, an empty one gets none."""
    draws = sqrt_allocation({"pass": 1600, "tie": 100, "fail": 4, "unseen": 0}, 194)
    assert draws == {"pass": 152, "tie": 38, "fail": 4, "unseen": 0}
    assert sqrt_allocation({"pass": 1999, "fail": 1}, 50) == {"pass": 49, "fail": 1}
    assert sqrt_allocation({"pass": 20, "fail": 10}, 500) == {"pass": 20, "fail": 10}


def test_equal_remainders_go_to_the_first_named() -> None:
    """Ten labels for three equal strata are 3 1/3 each: the tenth goes to the first; so with 2 2/3, 6 2/3, 2 2/3."""
    assert sqrt_allocation({"a": 9, "tie": 9, "b": 9}, 10) == {"a": 4, "tie": 3, "b": 3}
    assert sqrt_allocation({"a": 4, "tie": 25, "b": 4}, 12) == {"a": 3, "tie": 7, "b": 2}


@given(st.lists(STRATUM, min_size=1, max_size=5), st.integers(1, 800))
def test_whole_numbers_keep_to_the_square_roots(strata: list[tuple[int, int]], labels: int) -> None:
    """All labels are used, none twice, no stratum left out, each within one of c·√size for a c found by halving."""
    judged = {str(name): size for name, (size, _) in enumerate(strata)}
    labelled = {str(name): have for name, (_, have) in enumerate(strata)}
    least = {name: max(labelled[name], min(1, size)) for name, size in judged.items()}
    assume(sum(judged.values()) and sum(least.values()) <= labels)
    draws = sqrt_allocation(judged, labels, labelled=labelled)
    total = {name: labelled[name] + draws[name] for name in judged}
    assert min(draws.values()) >= 0
    assert sum(total.values()) == min(labels, sum(judged.values()))
    low, high = 0.0, 1e3
    for _ in range(80):
        c = (low + high) / 2
        quotas = {name: min(max(c * sqrt(size), least[name]), size) for name, size in judged.items()}
        low, high = (c, high) if sum(quotas.values()) < labels else (low, c)
    assert all(least[name] <= total[name] <= judged[name] for name in judged)
    assert all(abs(total[name] - quotas[name]) < 1 + 1e-6 for name in judged)


@given(st.lists(st.integers(1, 25), min_size=2, max_size=4), st.integers(2, 300))
def test_equals_exact_fractions(roots: list[int], labels: int) -> None:
    """For square sizes the shares are fractions: whole parts, and one more for the largest of what is left over."""
    shares = [Fraction(labels * root, sum(roots)) for root in roots]
    assume(all(1 <= share <= root**2 for share, root in zip(shares, roots, strict=True)))
    expected = [int(share) for share in shares]
    leftover = sorted(range(len(roots)), key=lambda index: expected[index] - shares[index])
    for index in leftover[: labels - sum(expected)]:
        expected[index] += 1
    draws = sqrt_allocation({str(name): root**2 for name, root in enumerate(roots)}, labels)
    assert list(draws.values()) == expected


@pytest.mark.parametrize(
    ("rate", "tpr", "tnr", "random", "root"),
    [
        (0.90, 0.95, 0.90, (191, 64), (126, 42)),
        (0.80, 0.95, 0.90, (290, 88), (245, 74)),
        (0.95, 0.95, 0.90, (126, 44), (66, 24)),
        (0.90, 0.80, 0.70, (347, 123), (300, 107)),
    ],
)
def test_labels_needed(rate: float, tpr: float, tnr: float, random: tuple[int, int], root: tuple[int, int]) -> None:
    """The table of STATISTICS 3.3 at half-widths .03 and .05, N = 2,000; what is published stops at 50."""
    share, passed, failed = rates(rate, tpr, tnr)
    ways: dict[Allocation, tuple[int, int]] = {"random": random, "sqrt": root}
    for way, expected in ways.items():
        for half_width, labels in zip((0.03, 0.05), expected, strict=True):
            found = labels_for(
                half_width,
                judge_pass=round(2000 * share),
                judged=2000,
                passed=passed,
                failed=failed,
                allocation=way,
            )
            assert (found.by_formula, found.labels) == (labels, max(labels, 50))
            assert (found.allocation, found.judged, found.method) == (way, 2000, "double sampling, delta method")


def test_one_verdict_throughout_is_a_plain_rate() -> None:
    """A judge that passes all 5,000 items adds nothing: .9 · .1 / (.03 / 1.959964)² = 384.1, so 385 labels."""
    found = labels_for(0.03, judge_pass=5000, judged=5000, passed=0.9, failed=0.0)
    assert found.by_formula == 385


@given(
    st.integers(50, 4000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0.02, 0.2),
)
def test_one_label_fewer_is_too_few(counts: tuple[int, int], passed: float, failed: float, half_width: float) -> None:
    """With random labels the number is the formula solved by hand, rounded up; more than N items it refuses."""
    share, total = counts[0] / counts[1], counts[1]
    room = (half_width / 1.959963984540054) ** 2 - (passed - failed) ** 2 * share * (1 - share) / total
    within = share * passed * (1 - passed) + (1 - share) * failed * (1 - failed)
    plan: dict[str, Any] = {"judge_pass": counts[0], "judged": total, "passed": passed, "failed": failed}
    if room <= 0 or within / room > total:
        with pytest.raises(InsufficientDataError, match="judge more items"):
            labels_for(half_width, **plan, allocation="random")
    else:
        found = labels_for(half_width, **plan, allocation="random")
        assert found.by_formula == pytest.approx(max(within / room, 1), abs=1 + 1e-6)
        assert found.by_formula >= within / room - 1e-6


def test_square_roots_save_labels() -> None:
    """STATISTICS 3.3, 200 labels: the errors are the formula's, .0125 by √ and .0150 by share, so a third fewer do."""
    share, root = errors({"pass": 173, "fail": 27}), errors(sqrt_allocation({"pass": 1730, "fail": 270}, 200))
    assert share == pytest.approx(0.0150, rel=4 / sqrt(2 * 3000))
    assert root == pytest.approx(0.0125, rel=4 / sqrt(2 * 3000))
    assert (share / root) ** 2 > 1.3


def test_labels_asked_for_reach_the_half_width() -> None:
    """The 126 labels of the plan leave an error of .03 / 1.96, within four standard errors of 3,000 seeded runs."""
    labels = labels_for(0.03, **CALIBRATION).labels
    found = errors(sqrt_allocation({"pass": 1730, "fail": 270}, labels))
    assert 1.959964 * found == pytest.approx(0.03, rel=4 / sqrt(2 * 3000))


def test_of_all_items_nothing_is_left_open() -> None:
    """Where every label of these very items would be needed, that many are told, whatever a rounding leaves."""
    found = labels_for(1e-9, judge_pass=310, judged=800, passed=0.93, failed=0.24, allocation="random", usable=1.0)
    assert found.labels == 800
