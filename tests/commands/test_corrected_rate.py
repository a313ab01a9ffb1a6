"""The corrected rate of a flat file: what a judge's pass rate over all rows really is, by labels on some of them."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from assay.cli.main import app
from assay.commands.corrected_rate import CorrectedRate, corrected
from tests.layout import ROOT

SHARED = ROOT.parent / "shared/cases/check"
in_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the files are not beside the repository")


def told(judge: list[str | None], *people: list[str | None]) -> CorrectedRate | None:
    """Return what is told of these rows."""
    return corrected(judge, {str(at): words for at, words in enumerate(people)}, np.random.default_rng(1))  # type: ignore[arg-type]


def test_where_every_verdict_is_labelled_people_say_it() -> None:
    """Without a row that has a verdict and no label there is nothing to correct; a row without a verdict is none."""
    assert told(["pass", "fail", None], ["pass", "pass", None]) is None
    assert told([], []) is None


def test_few_labels_are_counted() -> None:
    """With fewer than fifty labels no rate is told, and how many are missing is."""
    found = told(["pass"] * 100, ["pass"] * 49 + [None] * 51)
    assert found
    assert (found.rate, found.labels, found.of) == (None, 49, 100)
    assert "label 1 more" in found.note


def test_a_judge_that_never_errs_is_right() -> None:
    """Where people say what the judge says of every labelled row, the rate is the judge's, and it is nearly sure."""
    words = ["pass", "fail"] * 200
    found = told(list(words), [*words[:200], *[None] * 200])
    assert found
    assert found.rate
    assert found.rate.estimate == pytest.approx(0.5, abs=0.005)
    assert found.rate.high - found.rate.low < 0.04
    assert found.raw.estimate == 0.5


def test_the_interval_holds_the_truth() -> None:
    """In nineteen of twenty worlds the share that people would pass lies in the interval, the judge's own in none."""
    rng, holds, judges = np.random.default_rng(3), 0, 0
    for _ in range(60):
        right = rng.random(800) < 0.5
        said = np.where(right, rng.random(800) < 0.7, rng.random(800) < 0.05)
        labelled = rng.random(800) < 0.25
        judge = ["pass" if one else "fail" for one in said]
        human = [("pass" if one else "fail") if seen else None for one, seen in zip(right, labelled, strict=True)]
        found = told(judge, human)  # type: ignore[arg-type]
        assert found
        assert found.rate
        holds += found.rate.low <= right.mean() <= found.rate.high
        judges += found.raw.low <= right.mean() <= found.raw.high
    assert holds >= 54
    assert judges == 0


def test_a_split_row_counts_by_its_share() -> None:
    """Of two annotators who disagree on every labelled row people pass half of them."""
    found = told(["pass"] * 200, ["pass"] * 100 + [None] * 100, ["fail"] * 100 + [None] * 100)
    assert found
    assert found.rate
    assert found.rate.estimate == pytest.approx(0.5)
    assert found.labels == 100


def test_half_the_width_takes_more_labels_than_there_are() -> None:
    """How many labels half the width takes is told, more than twice as many; none where the interval is closed."""
    rng = np.random.default_rng(4)
    human = ["pass" if one else "fail" for one in rng.random(400) < 0.8]
    found = told(["pass", "fail"] * 2000, [*human, *[None] * 3600])
    assert found
    assert 800 < found.halved < 4000


@in_shared
@pytest.mark.parametrize(
    ("name", "rate", "low", "high"), [("xpart", 0.534, 0.497, 0.570), ("sparse", 0.703, 0.658, 0.747)]
)
def test_published_files(name: str, rate: float, low: float, high: float) -> None:
    """The rate is the published one within .003; its interval lies in the published one, which is of all rows alike."""
    command = ["check", str(SHARED / f"{name}.csv"), "--judge", "judge", "--human", "human", "--json"]
    found = json.loads(CliRunner().invoke(app, command).output)["corrected"]["rate"]
    assert found["estimate"] == pytest.approx(rate, abs=0.003)
    assert low - 0.006 <= found["low"] <= low + 0.012
    assert high - 0.012 <= found["high"] <= high + 0.006
