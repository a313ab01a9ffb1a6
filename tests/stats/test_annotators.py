"""The people behind the labels."""

import time
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from assay.errors import DataError, InsufficientDataError
from assay.records.label import Label
from assay.stats import annotators
from assay.stats.annotators import ceiling, human_ceiling, majority, percentile_bounds, resampled

TV_17 = {
    "h1": "01100101001011111011100111010000010011010110100111100000110111010010101000100011",
    "h2": "01001100101111101011100111011100110011011111010111100001101111010011001010100011",
    "h3": "01111111101101110110100111111110011011100110010111100000110101000111110110100011",
}
JUDGE = "11100111011010111010100111011000011011010110010111100000000111010010011000100011"


def label(item: str, annotator: str, outcome: str) -> Label:
    """Return one person's word on one item."""
    return Label.model_validate(
        {
            "item_id": item,
            "annotator": annotator,
            "outcome": outcome,
            "split": "heldout",
            "sampling_frame": "suite",
            "stratum": "all",
            "inclusion_probability": 1.0,
            "rubric_version": "1",
            "labelled_at": datetime(2026, 11, 2, tzinfo=UTC),
        }
    )


def outcomes(digits: str) -> dict[str, str]:
    """Return pass for 1 and fail for 0, by item id."""
    return {f"item-{index:02}": "pass" if digit == "1" else "fail" for index, digit in enumerate(digits)}


def panel(columns: dict[str, str]) -> list[Label]:
    """Return one label per person and digit."""
    return [label(item, who, word) for who, digits in columns.items() for item, word in outcomes(digits).items()]


def test_refuses_a_vote_cast_twice() -> None:
    """The same person twice on one item would count double."""
    with pytest.raises(DataError, match="ada labelled item one twice"):
        majority([label("one", "ada", "pass"), label("one", "ada", "pass")])


def test_refuses_outcomes_of_both_questions() -> None:
    """An item is either passed and failed or compared, never both."""
    with pytest.raises(DataError, match="both questions"):
        majority([label("one", "ada", "pass"), label("one", "ben", "tie")])


def test_even_splits_are_dropped_and_listed() -> None:
    """2:1 has a leader, 1:1 and 1:1:1 have none, and order of the rows does not matter."""
    rows = [
        *(label("led", who, word) for who, word in [("ada", "a"), ("ben", "b"), ("cem", "a")]),
        *(label("even", who, word) for who, word in [("ada", "a"), ("ben", "b")]),
        *(label("threefold", who, word) for who, word in [("ada", "a"), ("ben", "b"), ("cem", "tie")]),
    ]
    found = majority(rows)
    assert found == majority(rows[::-1])
    assert (found.outcomes, found.split) == ({"led": "a"}, ["even", "threefold"])
    assert found.votes == {"even": 2, "led": 3, "threefold": 3}


def test_worked_example_of_a_majority() -> None:
    """TV-1.7: against the majority of three people the judge has the table [[28, 5], [11, 36]]."""
    people, judge = majority(panel(TV_17)).outcomes, outcomes(JUDGE)
    cells = [(people[item], judge[item]) for item in judge]
    assert [cells.count(cell) for cell in [("fail", "fail"), ("fail", "pass"), ("pass", "fail"), ("pass", "pass")]] == [
        28,
        5,
        11,
        36,
    ]


def test_worked_example_of_the_ceiling() -> None:
    """TV-1.7: people agree at .3897, the judge with them at .4979; a flawless one would reach sqrt(.3897) = .6243."""
    found = human_ceiling(panel(TV_17), outcomes(JUDGE), rng=np.random.default_rng(0))
    assert (found.kappa_human, found.kappa_judge) == pytest.approx((0.3897059, 0.4978841), abs=5e-8)
    assert found.perfect == pytest.approx(0.6243, abs=5e-5)
    assert found.difference.estimate == pytest.approx(0.1082, abs=5e-5)
    assert (found.difference.low, found.difference.high) == pytest.approx((-0.026, 0.230), abs=0.012)
    assert (found.n, found.raters) == (80, 3)


def mean_kappa(pairs: Sequence[tuple[str, str]]) -> float:
    """Return the mean of scikit-learn's kappa over pairs of columns, on the items that both rated."""
    kept = [[(a, b) for a, b in zip(one, other, strict=True) if " " not in (a, b)] for one, other in pairs]
    return float(np.mean([cohen_kappa_score(*zip(*both, strict=True)) for both in kept]))


def test_missing_ratings_are_left_out_pair_by_pair() -> None:
    """When one person skipped half of the items, every mean equals scikit-learn's on what each pair shares."""
    third = TV_17["h3"][:40] + " " * 40
    rows = [row for row in panel(TV_17) if not (row.annotator == "h3" and row.item_id >= "item-40")]
    found = human_ceiling(rows, outcomes(JUDGE), rng=np.random.default_rng(0), draws=200)
    one, two = TV_17["h1"], TV_17["h2"]
    assert found.kappa_human == pytest.approx(mean_kappa([(one, two), (one, third), (two, third)]))
    assert found.kappa_judge == pytest.approx(mean_kappa([(one, JUDGE), (two, JUDGE), (third, JUDGE)]))


def test_items_of_one_person_do_not_count() -> None:
    """An item that a single person rated says nothing of agreement among people, and so is left out of both."""
    rows = [row for row in panel(TV_17) if row.annotator == "h1" or row.item_id < "item-60"]
    found = human_ceiling(rows, outcomes(JUDGE), rng=np.random.default_rng(0), draws=50)
    assert found.n == 60
    assert found.kappa_judge == pytest.approx(mean_kappa([(TV_17[who][:60], JUDGE[:60]) for who in TV_17]))


def test_refuses_a_ceiling_without_shared_items() -> None:
    """One person alone has nobody to agree with, and 29 shared items are too few."""
    for columns, judge in (({"h1": TV_17["h1"]}, JUDGE), (TV_17, JUDGE[:29]), (TV_17, "")):
        with pytest.raises(InsufficientDataError, match="second person"):
            human_ceiling(panel(columns), outcomes(judge), rng=np.random.default_rng(0))


def test_refuses_a_ceiling_of_one_outcome() -> None:
    """People who passed everything neither agree nor disagree beyond chance; two fails are too few to resample."""
    alike = {"h1": "1" * 40, "h2": "1" * 40}
    with pytest.raises(InsufficientDataError, match="another kind"):
        human_ceiling(panel(alike), outcomes("1" * 40), rng=np.random.default_rng(0))
    nearly = {"h1": "1" * 39 + "0", "h2": "1" * 39 + "0"}
    with pytest.raises(InsufficientDataError, match="rarer kind"):
        human_ceiling(panel(nearly), outcomes("1" * 39 + "0"), rng=np.random.default_rng(0))


def test_people_below_chance_give_no_ceiling() -> None:
    """A negative agreement has no square root; None says so."""
    columns = {"h1": "10" * 20, "h2": "01" * 20}
    assert human_ceiling(panel(columns), outcomes("10" * 20), rng=np.random.default_rng(0), draws=50).perfect is None


@pytest.mark.parametrize("draws", [0, -1])
def test_refuses_no_draws(draws: int) -> None:
    """A bootstrap without a resample has no bounds."""
    with pytest.raises(ValueError, match="at least 1"):
        human_ceiling(panel(TV_17), outcomes(JUDGE), rng=np.random.default_rng(0), draws=draws)


def test_refuses_a_level_that_is_none() -> None:
    """A level of 95 instead of 0.95 is a mistake of the caller."""
    with pytest.raises(ValueError, match=r"such as 0\.95"):
        percentile_bounds(np.arange(10.0), 95)


def test_refuses_a_judge_who_answers_another_question() -> None:
    """People who pass or fail and a judge who prefers A have nothing to agree on."""
    with pytest.raises(DataError, match="answers to one question"):
        annotators.panel(panel(TV_17), dict.fromkeys(outcomes(JUDGE), "a"))


def test_a_panel_keeps_the_natural_order() -> None:
    """Class numbers follow a, tie, b, so that a tie lies between; -1 stands where a person gave no rating."""
    rows = [
        *(label("one", who, word) for who, word in [("ben", "tie"), ("ada", "b")]),
        *(label("two", who, word) for who, word in [("ada", "a"), ("cem", "a")]),
        label("alone", "ada", "a"),
        *(label("unjudged", who, word) for who, word in [("ada", "a"), ("cem", "a")]),
    ]
    found = annotators.panel(rows, {"one": "b", "two": "tie", "alone": "a"})
    assert (found.items, found.people, found.outcomes) == (["one", "two"], ["ada", "ben", "cem"], ("a", "tie", "b"))
    assert found.human.tolist() == [[2, 0], [1, -1], [-1, 0]]
    assert found.judge.tolist() == [2, 1]


def test_resampling_kinds_is_resampling_items() -> None:
    """The counts of each kind have the mean, variance and covariance of a multinomial, whatever the chunks."""
    times = np.array([500_000, 300_000, 200_000])
    drawn = np.concatenate(list(resampled(times, draws=20_000, rng=np.random.default_rng(3))))
    shares = times / 1_000_000
    expected = 1_000_000 * (np.diag(shares) - np.outer(shares, shares))
    assert drawn.shape == (20_000, 3)
    assert (drawn.sum(axis=1) == 1_000_000).all()
    assert drawn.mean(axis=0) == pytest.approx(times, abs=4 * np.sqrt(expected.diagonal().max() / 20_000))
    assert np.cov(drawn.T) == pytest.approx(expected, abs=4 * expected.max() * np.sqrt(2 / 20_000))


def test_resamples_come_in_chunks() -> None:
    """A million weights are held at a time, and the chunks make up the draws asked for."""
    chunks = resampled(np.ones(1_000, dtype=np.int64), draws=2_500, rng=np.random.default_rng(3))
    assert [chunk.shape for chunk in chunks] == [(1_000, 1_000), (1_000, 1_000), (500, 1_000)]


def binary_kappa(one: np.ndarray, other: np.ndarray) -> float:
    """Return Cohen's kappa of two columns of passes, spelled out."""
    p, q = one.mean(), other.mean()
    chance = p * q + (1 - p) * (1 - q)
    return float((np.mean(one == other) - chance) / (1 - chance))


def test_the_interval_is_that_of_resampled_items() -> None:
    """Drawing the 80 items one by one gives the same bounds, within what 2,000 draws leave open."""
    found = human_ceiling(panel(TV_17), outcomes(JUDGE), rng=np.random.default_rng(0)).difference
    rng = np.random.default_rng(1)
    columns = np.array([[digit == "1" for digit in row] for row in (*TV_17.values(), JUDGE)])
    drawn = []
    for _ in range(2_000):
        *people, judge = columns[:, rng.integers(0, 80, 80)]
        human = np.mean([binary_kappa(people[i], people[j]) for i, j in ((0, 1), (0, 2), (1, 2))])
        drawn.append(np.mean([binary_kappa(person, judge) for person in people]) - human)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.015)


def test_cost_does_not_grow_with_draws_times_items() -> None:
    """2,000 draws over 20,000 items would be a table of 320 MB; kinds of items take 30 MB and 1 s (measured: 0.1 s)."""
    rng = np.random.default_rng(5)
    said = (rng.random(20_000) < 0.7) ^ (rng.random((4, 20_000)) < 0.1)
    first, second, third, judge = ("".join(map(str, row)) for row in said.astype(int))
    rows = panel({"h1": first, "h2": second, "h3": third})
    start = time.process_time()
    assert human_ceiling(rows, outcomes(judge), rng=rng).n == 20_000
    assert time.process_time() - start < 1
    tracemalloc.start()
    human_ceiling(rows, outcomes(judge), rng=rng)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30e6


def test_scores_have_a_ceiling_of_quadratic_weights() -> None:
    """Both means are scikit-learn's over the items that the pair shares, halves of a point and holes and all."""
    rng = np.random.default_rng(9)
    truth = rng.integers(0, 5, 150)
    human = np.array([np.clip(truth + rng.integers(-1, 2, 150), 0, 4) for _ in range(3)])
    human[2, :60] = -1
    judge = np.clip(truth + rng.integers(-1, 2, 150), 0, 4)
    found = ceiling(human, judge, classes=5, values=np.arange(5) / 2, rng=rng, draws=200)

    def kappa(one: np.ndarray, other: np.ndarray) -> float:
        both = (one >= 0) & (other >= 0)
        return float(cohen_kappa_score(one[both], other[both], weights="quadratic", labels=range(5)))

    pairs = [kappa(human[i], human[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert found.kappa_human == pytest.approx(np.mean(pairs))
    assert found.kappa_judge == pytest.approx(np.mean([kappa(row, judge) for row in human]))
    assert found.difference.low < found.difference.estimate < found.difference.high
