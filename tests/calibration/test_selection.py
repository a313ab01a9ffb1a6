"""How items were drawn decides what may be said of a judge."""

import numpy as np
import pytest

from assay.calibration import selection
from assay.calibration.figures import pass_fail_figures
from assay.calibration.ratings import Rated, join
from tests.cast import item, label, verdict


def drawn(cells: dict[tuple[str, str], int], chances: dict[str, float]) -> Rated:
    """Return items by (human, judge), each drawn with the chance that its verdict had."""
    items, labels, verdicts = [], [], []
    for (human, judge), count in cells.items():
        for _ in range(count):
            items.append(item(len(items), "Yes."))
            labels.append(label(items[-1].item_id, human, inclusion_probability=chances[judge]))
            verdicts.append(verdict(items[-1].item_id, judge, subject="anchor"))
    return join("pass-fail", items, labels, verdicts)


CELLS = {("pass", "pass"): 97, ("fail", "pass"): 3, ("pass", "fail"): 25, ("fail", "fail"): 75}
"""TV-3.2: 100 of 1,740 judge passes and 100 of 260 judge fails are labelled."""


def test_a_judge_that_says_else_of_what_it_drew_is_weighed() -> None:
    """By hand: 1 of 100 that stand for 1,000 is failed now; TPR = 960 / (960 + 10 + 62.5), TNR = 187.5 / 217.5."""
    found = drawn(CELLS, {"pass": 0.1, "fail": 0.4})
    words = [row.model_copy(update={"outcome": "fail"}) for row in found.judge[:1]]
    figures = {
        figure.name: figure
        for figure in pass_fail_figures(found._replace(judge=[*words, *found.judge[1:]]), np.random.default_rng(1))
    }
    assert figures["tpr"].estimate == pytest.approx(960 / (960 + 10 + 62.5))
    assert figures["tnr"].estimate == pytest.approx(187.5 / 217.5)
    low, high = figures["tpr"].low, figures["tpr"].high
    assert low is not None
    assert high is not None
    assert 0.88 < low < 0.92
    assert 0.94 < high < 0.97


def test_labels_drawn_by_verdict_are_corrected() -> None:
    """TV-3.2: the raw TPR .7951 and TNR .9615 become .9629 and .7888, and kappa, which has no such correction, goes."""
    found = drawn(CELLS, {"pass": 100 / 1740, "fail": 100 / 260})
    assert selection.is_uneven(found)
    figures = {figure.name: figure for figure in pass_fail_figures(found, np.random.default_rng(1))}
    assert figures["tpr"].estimate == pytest.approx(0.9629165, abs=5e-7)
    assert figures["tnr"].estimate == pytest.approx(0.7888350, abs=5e-7)
    assert figures["youden"].estimate == pytest.approx(0.7517515, abs=1e-6)
    assert figures["human-pass-rate"].estimate == pytest.approx(0.87 * 0.97 + 0.13 * 0.25)
    assert "kappa" not in figures
    assert "drawn by the judge's verdict" in figures["accuracy"].note


def test_where_every_item_has_a_verdict_bounds_are_those_of_the_correction() -> None:
    """Nothing is drawn a second time, so that no bound falls by chance."""
    found = drawn(CELLS, {"pass": 100 / 1740, "fail": 100 / 260})
    whole = selection.corrected(found, np.random.default_rng(1))
    figures = {figure.name: figure for figure in pass_fail_figures(found, np.random.default_rng(1))}
    assert whole.tpr
    assert whole.tnr
    assert (figures["tpr"].low, figures["tnr"].low) == (whole.tpr.low, whole.tnr.low)


def test_even_draws_stay_as_they_are() -> None:
    """Items that all had one chance carry the raw rates, also where two frames were drawn to different parts."""
    found = drawn(CELLS, {"pass": 0.2, "fail": 0.2})
    assert not selection.is_uneven(found)
    half = [row.model_copy(update={"sampling_frame": "other", "inclusion_probability": 0.9}) for row in found.labels]
    assert not selection.is_uneven(found._replace(labels=[*half[:50], *found.labels[50:]]))
    mixed = [row.model_copy(update={"inclusion_probability": 0.8}) for row in half[:1]]
    assert selection.is_uneven(found._replace(labels=[*mixed, *half[1:50], *found.labels[50:]]))


def test_one_frame_that_was_drawn_unevenly_is_enough() -> None:
    """Among frames of one chance each a single item with another one, or with an unknown one, makes all uneven."""
    found = drawn(CELLS, {"pass": 0.2, "fail": 0.2})
    for chance, is_uneven in ((0.2, False), (0.3, True), (None, True)):
        odd = found.labels[0].model_copy(update={"inclusion_probability": chance})
        frames = [row.model_copy(update={"sampling_frame": "other"}) for row in found.labels[100:]]
        assert selection.is_uneven(found._replace(labels=[odd, *found.labels[1:100], *frames])) == is_uneven
