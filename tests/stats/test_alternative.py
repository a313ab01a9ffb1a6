"""May the judge stand in for one of the annotators?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_1samp
from statsmodels.stats.multitest import multipletests

from assay.errors import DataError, InsufficientDataError
from assay.stats.alternative import AlternativeTest, alternative_test, benjamini_yekutieli

H1 = "01100101001011111011100111010000010011010110100111100000110111010010101000100011"
H2 = "01001100101111101011100111011100110011011111010111100001101111010011001010100011"
H3 = "01111111101101110110100111111110011011100110010111100000110101000111110110100011"
JUDGE = "11100111011010111010100111011000011011010110010111100000000111010010011000100011"
TV_17 = np.array([[int(digit) for digit in row] for row in (H1, H2, H3)])
L = np.array([int(digit) for digit in JUDGE])


def panel(
    rng: np.random.Generator, n: int, *, prevalence: float, people: float, judge: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Return three people who err with a chance of `people`, and a judge with its TPR and TNR."""
    truth = rng.random(n) < prevalence
    human = truth ^ (rng.random((3, n)) < people)
    return human.astype(int), np.where(truth, rng.random(n) < judge[0], rng.random(n) >= judge[1]).astype(int)


def test_refuses_fewer_than_three_people() -> None:
    """Two people leave one out and one to agree with; the message counts how many are missing."""
    with pytest.raises(InsufficientDataError, match="have 1 more people"):
        alternative_test(TV_17[:2], L)


def test_refuses_fewer_than_thirty_items() -> None:
    """Somebody who shares 29 items with others does not take part, however many that person rated alone."""
    human = np.hstack([TV_17, np.full((3, 40), -1)])
    human[2, 29:80] = -1
    human[2, 80:] = 1
    with pytest.raises(InsufficientDataError, match="2 of 3 annotators share 30 items"):
        alternative_test(human, np.concatenate([L, np.ones(40, dtype=int)]))


def test_refuses_items_of_one_kind() -> None:
    """Where people fail 9 items of 80, or none, always saying pass could not be told from judging."""
    mostly = np.ones((3, 80), dtype=int)
    for fails, match in ((9, "label 1 more items that are no pass"), (0, "label 10 more items that are no pass")):
        mostly[:, :fails] = 0
        with pytest.raises(InsufficientDataError, match=match):
            alternative_test(mostly, mostly[0])
        mostly[:] = 1


def test_refuses_people_who_never_lean() -> None:
    """Three people who say a, tie and b of each item leave nothing to measure a judge by."""
    human = np.tile([[0], [1], [2]], 40)
    with pytest.raises(InsufficientDataError, match="mend the rubric"):
        alternative_test(human, human[0], outcomes=("a", "tie", "b"))


@pytest.mark.parametrize("rating", [np.nan, 2, -2])
def test_refuses_what_is_no_rating(rating: float) -> None:
    """NaN and a class that does not exist are mistakes upstream, of people as of the judge."""
    human, judge = TV_17.astype(float), L.astype(float)
    human[1, 7] = judge[7] = rating
    with pytest.raises(DataError, match="a rating is"):
        alternative_test(human, L)
    with pytest.raises(DataError, match="leave unscored items out"):
        alternative_test(TV_17, judge)


def test_refuses_a_judge_without_a_verdict() -> None:
    """A person may skip an item, the judge may not: leave the item out."""
    with pytest.raises(DataError, match="leave unscored items out"):
        alternative_test(TV_17, np.where(np.arange(80) == 3, -1, L))


def test_refuses_shapes_and_shares_that_cannot_be() -> None:
    """One judge's column beside the rows of people, and an epsilon and a q that are shares."""
    deep = (TV_17.reshape(3, 4, 20), L.reshape(4, 20))
    for human, judge in ((TV_17, L[:-1]), (TV_17[0], L), (TV_17, TV_17), deep):
        with pytest.raises(ValueError, match="expected \\(annotators, n\\) and \\(n,\\)"):
            alternative_test(human, judge)
    for epsilon, q in ((-0.1, 0.05), (1, 0.05), (np.nan, 0.05), (0.1, 0), (0.1, np.nan)):
        with pytest.raises(ValueError, match="0 <= epsilon < 1"):
            alternative_test(TV_17, L, epsilon=epsilon, q=q)


def test_refuses_what_is_no_p_value() -> None:
    """A missing p-value is not a large one."""
    for p_values in ([0.1, np.nan], [0.1, 1.2]):
        with pytest.raises(ValueError, match="p-value|between 0 and 1"):
            benjamini_yekutieli(p_values)


def test_worked_example() -> None:
    """TV-1.8: against H1, .0125 - .1 over a standard error of .0333 gives t = -2.63, p = .005109; all are replaced."""
    found = alternative_test(TV_17, L)
    assert [one.p_value for one in found.annotators] == pytest.approx([0.005109, 0.000421, 0.0000318], abs=5e-7)
    assert (found.judge_holds, found.winning_rate) == (pytest.approx(0.95), 1)
    assert (found.n, found.epsilon, found.passed, found.reason) == (80, 0.1, True, "")
    assert [(one.outcome, one.n, one.contradicts) for one in found.classes] == [
        ("fail", 33, False),
        ("pass", 47, False),
    ]


def test_worked_example_of_a_failure() -> None:
    """TV-1.8: the first 25 verdicts turned round, one of three annotators is replaced: 1/3 is below 1/2."""
    turned = np.where(np.arange(80) < 25, 1 - L, L)
    found = alternative_test(TV_17, turned, epsilon=0.15)
    assert [one.p_value for one in found.annotators] == pytest.approx([0.046266, 0.067261, 0.006483], abs=5e-7)
    assert (found.judge_holds, found.winning_rate) == (pytest.approx(0.8625), pytest.approx(1 / 3))
    assert not found.passed
    assert "can replace 33% of the annotators at epsilon 0.15" in found.reason


def test_worked_example_of_the_adjustment() -> None:
    """TV-1.9: with five p-values the smallest is multiplied by 5 · (1 + 1/2 + 1/3 + 1/4 + 1/5) = 11.4167."""
    found = benjamini_yekutieli([0.001, 0.012, 0.021, 0.04, 0.3])
    assert found == pytest.approx([0.0114167, 0.0685, 0.0799167, 0.1141667, 0.685], abs=5e-8)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_adjustment_equals_statsmodels(p_values: list[float]) -> None:
    """The adjusted p-values are statsmodels'."""
    assert benjamini_yekutieli(p_values) == pytest.approx(multipletests(p_values, method="fdr_by")[1], abs=1e-12)


def spelled_out(human: np.ndarray, judge: np.ndarray, epsilon: float) -> list[tuple[float, float, float]]:
    """Return advantage, share held and p-value of each annotator, item by item as in the paper."""
    found = []
    for j, own in enumerate(human):
        rows = []
        for i, word in enumerate(own):
            others = [row[i] for k, row in enumerate(human) if k != j and row[i] >= 0]
            if word >= 0 and others:
                person, machine = np.mean([o == word for o in others]), np.mean([o == judge[i] for o in others])
                rows.append((person >= machine, machine >= person))
        person, machine = np.array(rows, dtype=float).T
        p_value = ttest_1samp(person - machine, epsilon, alternative="less").pvalue
        found.append(((person - machine).mean(), machine.mean(), p_value))
    return found


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), classes=st.integers(2, 4), missing=st.sampled_from([0.0, 0.2]))
def test_equals_the_paper_item_by_item(seed: int, classes: int, missing: float) -> None:
    """With 2 to 4 classes and ratings missing, all figures of each annotator are those of the definition."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, 70)
    said = np.where(rng.random((5, 70)) < 0.7, truth, rng.integers(0, classes, (5, 70)))
    human, judge = said[:4].copy(), said[4]
    human[rng.random((4, 70)) < missing] = -1
    outcomes = ("a", "b", "c", "d")[:classes]
    found = alternative_test(human, judge, outcomes=outcomes)
    expected = spelled_out(human, judge, 0.1)
    figures = [(one.advantage, one.judge_holds, one.p_value) for one in found.annotators]
    assert np.array(figures) == pytest.approx(np.array(expected), abs=1e-9)
    rejected = multipletests([p for *_, p in expected], alpha=0.05, method="fdr_by")[0]
    assert found.winning_rate == pytest.approx(rejected.mean())
    assert found.passed == (not found.reason)
    shuffled = rng.permutation(70)
    again = alternative_test(human[:, shuffled], judge[shuffled], outcomes=outcomes)
    assert [one.p_value for one in again.annotators] == pytest.approx([one.p_value for one in found.annotators])
    assert again.classes == found.classes


def test_the_class_is_what_the_others_say() -> None:
    """Of 1, 1, 0 the pass counts for the one who failed; the two who passed see an even split, and so count nowhere."""
    human = np.ones((3, 60), dtype=int)
    human[:, :20] = 0
    human[2, 20:30] = 0
    found = alternative_test(human, np.ones(60, dtype=int))
    assert [(one.outcome, one.n, one.advantage) for one in found.classes] == [
        ("fail", 20, 1),
        ("pass", 40, pytest.approx(-10 / (30 * 3 + 10))),
    ]


@pytest.mark.parametrize(("n", "p_value", "passed"), [(30, 0.9**30, False), (80, 0.9**80, True)])
def test_perfect_agreement_is_not_certainty(n: int, p_value: float, passed: bool) -> None:  # noqa: FBT001
    """Where judge and people never differ a t-test is 0/0; the chance of no advantage in n items, .9^n, stands in."""
    human = np.tile(np.arange(n) % 2, (3, 1))
    found = alternative_test(human, human[0])
    assert [one.p_value for one in found.annotators] == pytest.approx([p_value] * 3)
    assert found.passed == passed


def test_a_judge_who_is_always_alone_is_never_passed() -> None:
    """Where the people always agree and the judge never does, no annotator can be replaced."""
    human = np.tile(np.arange(40) % 2, (3, 1))
    found = alternative_test(human, 1 - human[0])
    assert [one.p_value for one in found.annotators] == [1, 1, 1]
    assert found.judge_holds == 0


def run(rng: np.random.Generator, judge: tuple[float, float], runs: int) -> list[AlternativeTest]:
    """Return tests at prevalence .9 on 200 items."""
    return [alternative_test(*panel(rng, 200, prevalence=0.9, people=0.1, judge=judge)) for _ in range(runs)]


def test_a_judge_that_always_says_pass_does_not_pass() -> None:
    """At prevalence .9 the plain test passes it in 96 % of runs; the class of fails stops it in every one of 300."""
    found = run(np.random.default_rng(41), (1, 0), 300)
    assert np.mean([one.winning_rate >= 0.5 for one in found]) > 0.9
    assert not any(one.passed for one in found)
    assert all(one.reason for one in found)
    assert "items that people call fail" in found[0].reason


def test_a_judge_as_good_as_the_people_passes() -> None:
    """At prevalence .9 it passes .87 of runs (600 measured); 300 seeded ones are within four standard errors."""
    found = run(np.random.default_rng(42), (0.9, 0.9), 300)
    assert abs(np.mean([one.passed for one in found]) - 0.87) < 4 * np.sqrt(0.87 * 0.13 * (1 / 300 + 1 / 600))


def test_false_alarms_are_as_rare_as_they_say() -> None:
    """People err in 10 %, a judge in 22.5 %: the advantage is .125 · .8 = epsilon, and p <= .05 in 5 % of runs."""
    rng, runs = np.random.default_rng(43), 700
    found = [alternative_test(*panel(rng, 150, prevalence=0.5, people=0.1, judge=(0.775, 0.775))) for _ in range(runs)]
    alarms = np.mean([one.annotators[0].p_value <= 0.05 for one in found])
    assert abs(alarms - 0.05) < 4 * np.sqrt(0.05 * 0.95 / runs)


def test_scores_are_held_by_their_distance_from_the_others() -> None:
    """With quadratic weights the sign on each item is that of the squared distances to each of the others' scores."""
    rng = np.random.default_rng(11)
    truth = rng.integers(1, 4, 90)
    human = np.array([truth + rng.integers(-1, 2, 90) for _ in range(3)])
    judge = truth
    found = alternative_test(human, judge, outcomes=[str(step) for step in range(5)], weights="quadratic")
    for one in found.annotators:
        others, own = np.delete(human, one.annotator, axis=0), human[one.annotator]
        lead = np.sign(((others - judge) ** 2).sum(axis=0) - ((others - own) ** 2).sum(axis=0))
        assert one.advantage == pytest.approx(lead.mean())
        expected = ttest_1samp(lead, found.epsilon, alternative="less").pvalue
        assert one.p_value == pytest.approx(expected)


def test_a_wider_epsilon_forgives_more() -> None:
    """TV-1.8's poor judge replaces one of three at .15 and all at .6; the epsilon that was taken is told."""
    poor = L.copy()
    poor[:25] = 1 - poor[:25]
    rates = {epsilon: alternative_test(TV_17, poor, epsilon=epsilon) for epsilon in (0.15, 0.6)}
    assert {epsilon: test.epsilon for epsilon, test in rates.items()} == {0.15: 0.15, 0.6: 0.6}
    assert [test.winning_rate for test in rates.values()] == [pytest.approx(1 / 3), 1]
