"""The pass rate behind a judge that errs."""

import numpy as np
import pytest
from scipy.stats import beta

from assay.errors import InsufficientDataError
from assay.stats.corrected import Confusion, double_sampling, rogan_gladen

TV_31 = Confusion(tp=118, fn=12, fp=14, tn=56)


def test_refuses_too_few_labels() -> None:
    """Below 50 labels no corrected rate is published; the message counts what is missing."""
    with pytest.raises(InsufficientDataError, match="label 1 more"):
        double_sampling(Confusion(tp=40, fp=3, fn=2, tn=4), judge_pass=80, judged=100, rng=np.random.default_rng(1))


def test_refuses_a_verdict_nobody_looked_at() -> None:
    """A queue that reviews only judge-passes knows nothing of the fails, however long it is."""
    with pytest.raises(InsufficientDataError, match="verdict fail is labelled"):
        double_sampling(Confusion(tp=60, fp=3, fn=0, tn=0), judge_pass=80, judged=100, rng=np.random.default_rng(1))


def test_refuses_labels_that_are_no_part_of_the_run() -> None:
    """More labelled judge-fails than judge-fails cannot come from this run."""
    for labelled in (Confusion(tp=60, fp=3, fn=9, tn=20), Confusion(tp=60, fp=-3, fn=9, tn=0)):
        with pytest.raises(ValueError, match="labelled"):
            double_sampling(labelled, judge_pass=80, judged=100, rng=np.random.default_rng(1))


def test_worked_example() -> None:
    """TV-3.1, by hand: .687 · 118/132 + .313 · 12/68 = .6693717; the draws span [.6192, .7157]."""
    found = double_sampling(TV_31, judge_pass=1374, judged=2000, rng=np.random.default_rng(0)).pass_rate
    assert found.estimate == pytest.approx(0.6693717, abs=5e-8)
    assert (found.low, found.high) == pytest.approx((0.6192, 0.7157), abs=0.003)
    assert (found.n, found.level, found.method) == (200, 0.95, "double sampling, Jeffreys draws")


def test_worked_example_of_verification_bias() -> None:
    """TV-3.2, by hand: TPR = .87·.97 / (.87·.97 + .13·.25) = .9629165 and TNR = .0975 / .1236 = .7888350, not .9615."""
    found = double_sampling(
        Confusion(tp=97, fp=3, fn=25, tn=75), judge_pass=1740, judged=2000, rng=np.random.default_rng(0)
    )
    assert found.tpr is not None
    assert found.tnr is not None
    assert (found.tpr.estimate, found.tnr.estimate) == pytest.approx((0.9629165, 0.7888350), abs=5e-8)
    assert (found.tpr.low, found.tpr.high) == pytest.approx((0.9484, 0.9745), abs=0.003)
    # The vector gives three digits here: its bounds are quantiles of draws.
    assert (found.tnr.low, found.tnr.high) == pytest.approx((0.584, 0.930), abs=0.004)


def test_all_pass_keeps_its_estimate_inside() -> None:
    """A run in which judge and people pass everything has the rate 1, bounds that reach it, and no TNR."""
    found = double_sampling(
        Confusion(tp=60, fp=0, fn=0, tn=0), judge_pass=500, judged=500, rng=np.random.default_rng(2)
    )
    assert (found.pass_rate.estimate, found.pass_rate.high, found.tnr) == (1, 1, None)
    assert 0.9 < found.pass_rate.low < 1


def test_all_fail_has_no_tpr() -> None:
    """A run in which judge and people fail everything has the rate 0 and bounds that reach it."""
    found = double_sampling(Confusion(tp=0, fp=0, fn=0, tn=60), judge_pass=0, judged=500, rng=np.random.default_rng(2))
    assert (found.pass_rate.estimate, found.pass_rate.low, found.tpr) == (0, 0, None)


def test_everything_labelled_is_nearly_jeffreys() -> None:
    """With a label on every item the judge no longer matters: the bounds are those of the human labels alone."""
    labelled = Confusion(tp=600, fn=60, fp=70, tn=270)
    found = double_sampling(labelled, judge_pass=670, judged=1000, rng=np.random.default_rng(4)).pass_rate
    assert found.estimate == pytest.approx(0.66)
    assert (found.low, found.high) == pytest.approx(tuple(beta(660.5, 340.5).ppf([0.025, 0.975])), abs=0.004)


def test_same_seed_same_bounds() -> None:
    """Randomness comes from the argument alone."""
    once, again = (
        double_sampling(TV_31, judge_pass=1374, judged=2000, rng=np.random.default_rng(9), draws=500) for _ in range(2)
    )
    assert once == again


def test_double_sampling_covers_as_often_as_it_says() -> None:
    """Pass rate .85, judge .95/.9, 200 labels of 2,000: 400 seeded runs of 2,000 draws cover .92 to .98."""
    rng = np.random.default_rng(17)
    held = 0
    for _ in range(400):
        truth = rng.random(2000) < 0.85
        verdict = np.where(truth, rng.random(2000) < 0.95, rng.random(2000) < 0.1)
        y, f = truth[:200], verdict[:200]
        labelled = Confusion(
            tp=int((y & f).sum()), fp=int((~y & f).sum()), fn=int((y & ~f).sum()), tn=int((~y & ~f).sum())
        )
        found = double_sampling(labelled, judge_pass=int(verdict.sum()), judged=2000, rng=rng, draws=2000).pass_rate
        held += found.low <= 0.85 <= found.high
    assert 0.92 <= held / 400 <= 0.98


def test_refuses_a_judge_no_better_than_chance() -> None:
    """TPR + TNR of 1 or less corrects nothing, and the message says to improve the judge."""
    for tp, tn in ((50, 50), (30, 40)):
        with pytest.raises(InsufficientDataError, match="better than chance"):
            rogan_gladen(Confusion(tp=tp, fn=100 - tp, fp=100 - tn, tn=tn), judge_pass=50, judged=100)


@pytest.mark.parametrize(
    ("calibration", "judged"),
    [
        (Confusion(tp=90, fn=10, fp=0, tn=0), 100),
        (Confusion(tp=20, fn=2, fp=2, tn=20), 100),
        (Confusion(tp=90, fn=10, fp=10, tn=90), 0),
    ],
)
def test_refuses_a_transfer_without_data(calibration: Confusion, judged: int) -> None:
    """No human fails, too few labels, or no run: nothing can be carried over."""
    with pytest.raises(InsufficientDataError):
        rogan_gladen(calibration, judge_pass=0, judged=judged)


def test_worked_example_of_a_transfer() -> None:
    """TV-3.1: (.69 + .8 - 1) / (.907692 + .8 - 1) = .6923913, Lang-Reiczigel [.6200137, .7649604]."""
    found = rogan_gladen(TV_31, judge_pass=1242, judged=1800)
    assert (found.estimate, found.low, found.high) == pytest.approx((0.6923913, 0.6200137, 0.7649604), abs=5e-8)
    assert found.youden == pytest.approx(0.7076923)
    assert not found.clipped


def test_a_rate_that_left_the_scale_is_flagged() -> None:
    """Fewer judge-passes than its false ones alone would give: 0 is a cut-off, not a measurement."""
    found = rogan_gladen(TV_31, judge_pass=20, judged=1800)
    assert found.clipped
    assert 0 == found.estimate <= found.low <= found.high


def test_rogan_gladen_covers_under_label_shift() -> None:
    """Calibrated at 50 % passes, run at 85 %, judge .95/.9, 200 labels: measured .956, 1,000 seeded runs .93 to .98."""
    rng = np.random.default_rng(23)
    held = 0
    for _ in range(1000):
        positives = int(rng.binomial(200, 0.5))
        tp, tn = int(rng.binomial(positives, 0.95)), int(rng.binomial(200 - positives, 0.9))
        calibration = Confusion(tp=tp, fn=positives - tp, tn=tn, fp=200 - positives - tn)
        found = rogan_gladen(calibration, judge_pass=int(rng.binomial(2000, 0.85 * 0.95 + 0.15 * 0.1)), judged=2000)
        held += found.low <= 0.85 <= found.high
    assert 0.93 <= held / 1000 <= 0.98
