"""The rate behind a judge that scores or compares."""

import statistics

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest, norm
from scipy.stats import t as student

from assay.errors import DataError, InsufficientDataError
from assay.stats.ppi import PredictionPowered, ppi, ppi_change

HUMAN = np.repeat([1, 1, 0, 0], [118, 12, 14, 56])
JUDGE = np.repeat([1, 0, 1, 0], [118, 12, 14, 56])
REST = np.repeat([1, 0], [1242, 558])
SEEDS = st.integers(0, 2**32 - 1)


def run_of_scores(
    seed: int, *, n: int = 60, rest: int = 300, rate: float = 0.8
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return labels, scores of the labelled items, and scores of the others; the judge is right on the whole."""
    rng = np.random.default_rng(seed)
    passed = rng.random(n + rest) < rate
    scores = np.where(passed, rng.beta(6, 2, n + rest), rng.beta(2, 3, n + rest))
    return passed[:n].astype(float), scores[:n], scores[n:]


def run_of_differences(
    rng: np.random.Generator, rates: tuple[float, float], tpr: tuple[float, float], tnr: tuple[float, float]
) -> PredictionPowered:
    """Return A minus B on 1,000 cases, 200 of them labelled, through a judge with its own TPR and TNR on each."""
    truth = rng.random((1000, 2)) < rates
    verdict = np.where(truth, rng.random((1000, 2)) < tpr, rng.random((1000, 2)) >= tnr)
    human, judge = (column[:, 0].astype(int) - column[:, 1] for column in (truth, verdict))
    return ppi_change(human[:200], judge[:200], np.ones(200), judge)


def test_refuses_too_few_labels_or_nothing_to_add() -> None:
    """Below 50 labels there is no estimate, and with all but one item labelled the judge has nothing to add."""
    human, judge, rest = run_of_scores(1)
    with pytest.raises(InsufficientDataError, match="label 1 more"):
        ppi(human[:49], judge[:49], rest)
    for left in (rest[:0], rest[:1]):
        with pytest.raises(InsufficientDataError, match="report the labels alone"):
            ppi(human, judge, left)
    with pytest.raises(InsufficientDataError, match="label 1 more"):
        ppi_change(human[:9], judge[:9], np.ones(9), rest)


@pytest.mark.parametrize("bad", [float("nan"), 1.2, -0.2, -1.2, float("inf")])
def test_refuses_scores_off_their_scale(bad: float) -> None:
    """NaN is no score, nor is anything outside the scale, in any of the three columns."""
    for column in range(3):
        columns = [np.append(values, 0.5) for values in run_of_scores(2)]
        columns[column][-1] = bad
        with pytest.raises(DataError, match="from 0 to 1: leave unscored items out"):
            ppi(*columns)
        if bad != -0.2:
            with pytest.raises(DataError, match="from -1 to 1: leave unscored items out"):
                ppi_change(columns[0], columns[1], np.ones(len(columns[0])), columns[2])


def test_refuses_columns_that_do_not_belong_together() -> None:
    """Labels and scores of different items, a table of them, or a weight that is no share, are mistakes upstream."""
    human, judge, rest = run_of_scores(3)
    with pytest.raises(ValueError, match="must be equal"):
        ppi(human, judge[1:], rest)
    with pytest.raises(ValueError, match="a column"):
        ppi(human, judge, rest[:, None])
    for lam in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="a share from 0 to 1"):
            ppi(human, judge, rest, lam=lam)
    with pytest.raises(ValueError, match="level"):
        ppi(human, judge, rest, level=1.0)
    with pytest.raises(ValueError, match="level"):
        ppi_change(human, judge, np.ones(60), rest, level=1.0)


def test_a_difference_without_spread_is_still_only_n() -> None:
    """Sixty labelled cases on which the systems never differ do not prove that they never would: by hand, +-.042.

    Half a case gained and half a case lost: t(59) = 2.001, sqrt(1 / 60 / 62 * (1 - 60 / 360)) = .01497.
    """
    found = ppi_change(np.zeros(60), np.zeros(60), np.ones(60), np.zeros(360))
    assert (found.estimate, found.high) == pytest.approx((0, 2.000995 * 0.0149669), abs=1e-6)
    assert found.low == -found.high


def test_refuses_a_fixed_weight_that_leaves_the_scale() -> None:
    """A judge sterner on the labelled items puts PPI at .5 + 1 - .25 = 1.25, and a fixed weight says nothing there."""
    human, judge = np.ones(60), np.tile([0.0, 0.5], 30)
    with pytest.raises(InsufficientDataError, match=r"at 1\.2500"):
        ppi(human, judge, np.tile([0.25, 0.75], 100), lam=1)
    with pytest.raises(InsufficientDataError, match=r"at 1\.5000"):
        ppi(human, np.zeros(60), np.full(100, 0.5), lam=1)


def test_worked_example() -> None:
    """TV-3.1: λ = .1618090 / (1.111111 · .2151386) = .6769039, and λ · .69 + .65 - λ · .66 = .6703071."""
    found = ppi(HUMAN, JUDGE, REST)
    assert (found.lam, found.estimate, found.se) == pytest.approx((0.6769039, 0.6703071, 0.0248814), abs=5e-8)
    assert found.effective_n == pytest.approx(356.97, abs=5e-3)
    assert (found.low, found.high) == pytest.approx((0.619954, 0.717034), abs=5e-7)
    assert (found.n, found.judged, found.clipped) == (200, 2000, False)
    assert found.method == "PPI++, Wilson at effective n"


def test_worked_example_of_the_whole_judge() -> None:
    """TV-3.1, weight 1: .69 + .65 - .66 = .68, SE² = .2140190/1800 + .1305528/200 = .0277788²."""
    found = ppi(HUMAN, JUDGE, REST, lam=1)
    assert (found.estimate, found.se) == pytest.approx((0.68, 0.0277788), abs=5e-8)
    assert (found.lam, found.method) == (1.0, "PPI, lambda 1, Wilson at effective n")
    assert norm.interval(0.95, found.estimate, found.se) == pytest.approx((0.625555, 0.734445), abs=5e-7)


def test_labels_alone() -> None:
    """TV-3.1, weight 0: the labels' own .65; a spread with n - 1 below makes 200 labels count as 199."""
    found = ppi(HUMAN, JUDGE, REST, lam=0)
    assert (found.estimate, found.effective_n) == pytest.approx((0.65, 199))


@pytest.mark.parametrize(("scores", "others"), [(1.0, 1.0), (0.1, 0.1), (0.0, 1.0)])
def test_a_constant_judge_leaves_the_labels_alone(scores: float, others: float) -> None:
    """Scores that never vary on the labelled items explain nothing: the weight is 0 and the labels stand alone."""
    found = ppi(HUMAN, np.full(200, scores), np.full(1800, others))
    assert (found.lam, found.estimate) == pytest.approx((0.0, 0.65))


def test_a_judge_that_is_wrong_throughout_leaves_the_labels_alone() -> None:
    """A negative covariance would turn the judge round; the weight stops at 0 instead."""
    found = ppi(HUMAN, 1 - HUMAN, 1 - REST)
    assert (found.lam, found.estimate) == pytest.approx((0.0, 0.65))


@pytest.mark.parametrize("label", [0.0, 0.5, 1.0])
def test_labels_that_all_agree_are_still_only_n(label: float) -> None:
    """Sixty labels of one value have an SE of 0 and yet no more certainty than Wilson gives 60 items."""
    rng = np.random.default_rng(4)
    found = ppi(np.full(60, label), rng.random(60), rng.random(900))
    wilson = binomtest(int(60 * label), 60).proportion_ci(method="wilson")
    assert (found.low, found.estimate, found.high) == pytest.approx((wilson.low, label, wilson.high))
    assert (found.effective_n, found.clipped) == (60, False)


def test_an_estimate_beyond_the_scale_is_cut_and_counts_n() -> None:
    """Labels .95, scores that follow them, other items all at the top: 1 is a cut-off, with Wilson's bounds of 60."""
    human = np.repeat([1.0, 0.0], [57, 3])
    found = ppi(human, np.where(human, 0.8, 0.2), np.tile([0.99, 1.0], 300))
    assert found.clipped
    assert (found.estimate, found.high, found.effective_n) == (1, 1, 60)
    assert found.low == pytest.approx(binomtest(60, 60).proportion_ci(method="wilson").low)


def test_a_faultless_judge_counts_every_item_once() -> None:
    """Where the judge gives the labels themselves, all N items count, and never more."""
    found = ppi(HUMAN, HUMAN, REST, lam=1)
    assert found.estimate == pytest.approx(0.69)
    assert found.effective_n == pytest.approx(1800, rel=1e-3)
    half = ppi(np.tile([0.4, 0.6], 100), np.tile([0.4, 0.6], 100), np.tile([0.4, 0.6], 900), lam=1)
    assert half.effective_n == 2000


@given(SEEDS, st.floats(0.55, 0.95))
def test_equals_an_implementation_of_its_own(seed: int, rate: float) -> None:
    """Weight, estimate and SE are the standard library's moments, and the weight is what a search finds best."""
    human, judge, rest = run_of_scores(seed, rate=rate)
    assume(np.ptp(human) > 0)
    found = ppi(human, judge, rest)
    spread: float = statistics.variance([*judge.tolist(), *rest.tolist()])
    labels: float = statistics.variance(human.tolist())

    def variance(lam: float) -> float:
        along: float = lam * statistics.covariance(human.tolist(), judge.tolist())
        return lam**2 * spread / len(rest) + (labels - 2 * along + lam**2 * spread) / len(human)

    best = minimize_scalar(variance, bounds=(0, 1), method="bounded", options={"xatol": 1e-10}).x
    assert found.lam == pytest.approx(best, abs=1e-5)
    left = [y - found.lam * f for y, f in zip(human, judge, strict=True)]
    theta = found.lam * statistics.fmean(rest) + statistics.fmean(left)
    error = found.lam**2 * statistics.variance(rest) / len(rest) + statistics.variance(left) / len(left)
    assert (found.estimate, found.se) == pytest.approx((min(theta, 1), error**0.5), abs=1e-9)
    if theta < 1:
        worth = min(theta * (1 - theta) / error, 360)
        assert found.effective_n == pytest.approx(worth)


@given(SEEDS)
def test_mirrored_scores_mirror_the_interval(seed: int) -> None:
    """Counting fails for passes turns the estimate and swaps the bounds; the order of items changes nothing."""
    human, judge, rest = run_of_scores(seed)
    found, turned = ppi(human, judge, rest), ppi(1 - human, 1 - judge, 1 - rest)
    assert (found.low, found.estimate, found.high) == pytest.approx(
        (1 - turned.high, 1 - turned.estimate, 1 - turned.low)
    )
    assert found.low <= found.estimate <= found.high
    order = np.random.default_rng(seed).permutation(len(human))
    assert ppi(human[order], judge[order], rest[::-1]).estimate == pytest.approx(found.estimate)


@given(SEEDS)
def test_difference_equals_its_parts_and_swaps_sign(seed: int) -> None:
    """Estimate and error are the weighted moments of y - lambda f, computed in another way; B minus A mirrors them."""
    rng = np.random.default_rng(seed)
    human, judge, everyone = rng.integers(-1, 2, 80), rng.integers(-1, 2, 80), rng.integers(-1, 2, 280)
    chance = rng.choice([0.1, 0.5], 80)
    found, back = (ppi_change(sign * human, sign * judge, chance, sign * everyone) for sign in (1, -1))
    weights = [1 / one / sum(1 / other for other in chance) for one in chance]
    left = [y - found.lam * f for y, f in zip(human, judge, strict=True)]
    centre = sum(w * one for w, one in zip(weights, left, strict=True))
    theta = found.lam * statistics.fmean(everyone) + centre
    size = 1 / sum(w * w for w in weights)
    error = sum(w * w * (one - centre) ** 2 for w, one in zip(weights, left, strict=True)) * 80 / 79
    error = ((error + (1 + theta**2) / size / (size + 2)) * (1 - 80 / 280)) ** 0.5
    half = student.ppf(0.975, size - 1) * error
    assert (found.low, found.estimate, found.high) == pytest.approx((theta - half, theta, theta + half))
    assert (found.low, found.estimate, found.high) == pytest.approx((-back.high, -back.estimate, -back.low))
    assert (found.n, found.judged) == (80, 280)


def test_a_difference_beyond_the_scale_is_cut() -> None:
    """A judge that saw half of it on the labelled cases and all of it elsewhere would put the difference above 1."""
    human, judge = np.tile([1.0, 0.8], 30), np.tile([0.6, 0.4], 30)
    found = ppi_change(human, judge, np.ones(60), np.ones(100))
    assert (found.estimate, found.high, found.clipped) == (1, 1, True)


@pytest.mark.parametrize(("rate", "n"), [(0.77, 100), (0.946, 50)])
def test_covers_as_often_as_it_says(rate: float, n: int) -> None:
    """STATISTICS 3.4, 2,000 judged by score: 400 seeded runs cover .92 to .98, also near the end of the scale."""
    held = 0
    for seed in range(400):
        found = ppi(*run_of_scores(seed, n=n, rest=2000 - n, rate=rate))
        held += found.low <= rate <= found.high
    assert 0.92 <= held / 400 <= 0.98


@pytest.mark.parametrize(
    ("rates", "tpr", "tnr"),
    [((0.8, 0.7), (0.8, 0.8), (0.7, 0.7)), ((0.75, 0.75), (0.9, 0.9), (0.85, 0.65))],
    ids=["ten points", "none, judge laxer on B"],
)
def test_difference_covers_as_often_as_it_says(
    rates: tuple[float, float], tpr: tuple[float, float], tnr: tuple[float, float]
) -> None:
    """STATISTICS 3.6: 400 seeded runs cover .92 to .98, also where the judge sees a difference that is none."""
    rng = np.random.default_rng(36)
    found = [run_of_differences(rng, rates, tpr, tnr) for _ in range(400)]
    held = np.mean([one.low <= rates[0] - rates[1] <= one.high for one in found])
    assert 0.92 <= held <= 0.98
