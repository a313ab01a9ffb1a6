"""Corrected rates cover as often as they say, over the grids of STATISTICS 3.2 and 3.3."""

import numpy as np
import pytest

from assay.errors import InsufficientDataError
from assay.stats.allocation import sqrt_allocation
from assay.stats.corrected import Confusion, double_sampling, rogan_gladen

RUNS, JUDGED, DRAWS = 600, 2000, 500
JUDGES = [(0.95, 0.9), (0.8, 0.7)]


def confusion(truth: np.ndarray, verdict: np.ndarray) -> Confusion:
    """Count the four cells."""
    cells = (truth & verdict, ~truth & verdict, truth & ~verdict, ~truth & ~verdict)
    tp, fp, fn, tn = (int(cell.sum()) for cell in cells)
    return Confusion(tp=tp, fp=fp, fn=fn, tn=tn)


def run(rate: float, judge: tuple[float, float], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return what people would say of a run, and what the judge says."""
    truth = rng.random(JUDGED) < rate
    return truth, np.where(truth, rng.random(JUDGED) < judge[0], rng.random(JUDGED) >= judge[1])


@pytest.mark.parametrize("labels", [50, 100, 200, 400])
@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize("rate", [0.6, 0.85, 0.95])
def test_double_sampling_covers_over_the_grid(rate: float, judge: tuple[float, float], labels: int) -> None:
    """Labels on a random part of the run: in each of the 24 settings 92 to 98 % of the intervals hold the truth."""
    rng = np.random.default_rng([int(100 * rate), int(100 * judge[0]), labels])
    held = tried = 0
    for _ in range(RUNS):
        truth, verdict = run(rate, judge, rng)
        counts = {"judge_pass": int(verdict.sum()), "judged": JUDGED}
        try:
            found = double_sampling(confusion(truth[:labels], verdict[:labels]), **counts, rng=rng, draws=DRAWS)
        except InsufficientDataError:
            continue  # none of the judge's few fails was drawn: no number, so nothing to cover
        tried += 1
        held += found.pass_rate.low <= rate <= found.pass_rate.high
    assert tried > 0.9 * RUNS
    assert 0.92 <= held / tried <= 0.98


@pytest.mark.parametrize("labels", [100, 200, 400])
@pytest.mark.parametrize("judge", JUDGES)
def test_rogan_gladen_covers_under_label_shift(judge: tuple[float, float], labels: int) -> None:
    """A frozen set of half passes, a run of 85 % (3.5): 92 to 98 % of the Lang-Reiczigel intervals hold the truth."""
    rng = np.random.default_rng([labels, int(100 * judge[0])])
    held = tried = 0
    for _ in range(RUNS):
        positives = int(rng.binomial(labels, 0.5))
        tp, tn = int(rng.binomial(positives, judge[0])), int(rng.binomial(labels - positives, judge[1]))
        passes = int(rng.binomial(JUDGED, 0.85 * judge[0] + 0.15 * (1 - judge[1])))
        calibration = Confusion(tp=tp, fn=positives - tp, tn=tn, fp=labels - positives - tn)
        try:
            found = rogan_gladen(calibration, judge_pass=passes, judged=JUDGED)
        except InsufficientDataError:
            continue  # by luck the judge looks no better than chance
        tried += 1
        held += found.low <= 0.85 <= found.high
    assert tried > 0.9 * RUNS
    assert 0.92 <= held / tried <= 0.98


@pytest.mark.parametrize(("rate", "judge"), [(0.9, (0.95, 0.9)), (0.9, (0.8, 0.7)), (0.97, (0.95, 0.8))])
def test_labels_drawn_by_verdict_cover(rate: float, judge: tuple[float, float]) -> None:
    """200 labels by square-root allocation: pass rate, TPR and TNR each cover 92 to 98 %; a raw TNR is far off."""
    rng = np.random.default_rng([int(1000 * rate), int(100 * judge[0]), 7])
    held, raw = np.zeros(3), []
    for _ in range(RUNS):
        truth, verdict = run(rate, judge, rng)
        strata = {"pass": np.flatnonzero(verdict), "fail": np.flatnonzero(~verdict)}
        chosen = sqrt_allocation({name: len(rows) for name, rows in strata.items()}, 200)
        rows = np.concatenate([rng.choice(strata[name], count, replace=False) for name, count in chosen.items()])
        labelled = confusion(truth[rows], verdict[rows])
        found = double_sampling(labelled, judge_pass=int(verdict.sum()), judged=JUDGED, rng=rng, draws=DRAWS)
        assert found.tpr
        assert found.tnr
        bounds = (found.pass_rate, found.tpr, found.tnr)
        held += [one.low <= value <= one.high for one, value in zip(bounds, (rate, *judge), strict=True)]
        raw.append(labelled.tn / max(1, labelled.tn + labelled.fp))
    assert ((held / RUNS >= 0.92) & (held / RUNS <= 0.98)).all()
    assert np.mean(raw) > judge[1] + 0.02
