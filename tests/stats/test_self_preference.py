"""Does a judge favour answers of its own model?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep

from assay.errors import DataError, InsufficientDataError
from assay.stats.preference import self_preference, self_preference_of_pairs

ITEMS = st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=60)
OUTCOMES = st.sampled_from(["a", "b", "tie"])


def answers(*counts: tuple[bool, bool, bool, int]) -> list[np.ndarray]:
    """Return the columns human, judge and own, each row so many times."""
    rows = [row for *row, times in counts for _ in range(times)]
    return [np.array(column) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize(
    ("counts", "match"),
    [
        (
            [(True, True, True, 9), (True, True, False, 9), (False, True, False, 9)],
            "label own answers that people fail",
        ),
        ([(True, True, True, 9), (False, True, True, 9), (True, True, False, 9)], "answers of others that people fail"),
        ([(True, True, True, 9), (False, True, True, 9)], "passed 0 and failed 0 answers of others"),
        ([(False, True, True, 9), (False, True, False, 9)], "label own answers that people pass"),
    ],
)
def test_refuses_a_group_of_one_kind(counts: list[tuple[bool, bool, bool, int]], match: str) -> None:
    """Own answers and others both need human passes and fails, or one of the rates has no items."""
    with pytest.raises(InsufficientDataError, match=match):
        self_preference(*answers(*counts))


def test_refuses_columns_that_do_not_fit() -> None:
    """Three columns of equal length, or rows would be compared that do not belong together."""
    for columns in (([True], [True, False], [True]), ([[True]], [[True]], [[True]]), ([True], [True], True)):
        with pytest.raises(ValueError, match="expected equal shapes"):
            self_preference(*columns)
    with pytest.raises(ValueError, match="must be equal"):
        self_preference_of_pairs(["a", "b"], ["a"])


@pytest.mark.parametrize("judge", [[1, 0], [np.nan, 1.0], ["pass", "fail"]])
def test_refuses_what_is_no_flag(judge: list[object]) -> None:
    """A verdict is True or False; NaN would pass for True."""
    with pytest.raises(DataError, match="leave unscored items out"):
        self_preference([True, False], np.array(judge), [True, False])


def test_refuses_what_is_no_preference() -> None:
    """An unscored pair is left out, never counted as a tie."""
    for human, judge in ((["a", "unscored"], ["a", "b"]), (["a", "b"], ["a", "unscored"])):
        with pytest.raises(DataError, match="leave unscored pairs out"):
            self_preference_of_pairs(human, judge)


@pytest.mark.parametrize(
    ("human", "match"), [(["a", "tie"], "other answer"), (["b", "tie"], "own answer"), ([], "own answer")]
)
def test_refuses_pairs_that_people_decide_one_way(human: list[str], match: str) -> None:
    """Where people never prefer one of the sides there is nothing to compare the judge's loyalty with."""
    with pytest.raises(InsufficientDataError, match=match):
        self_preference_of_pairs(human, ["a"] * len(human))


def test_worked_example() -> None:
    """TV-2.3: of 100 good answers each the judge passes 88 of its own and 71 of others: .17 [.058290, .277702]."""
    found = self_preference(
        *answers(
            (True, True, True, 88),
            (True, False, True, 12),
            (True, True, False, 71),
            (True, False, False, 29),
            (False, False, True, 30),
            (False, True, True, 20),
            (False, False, False, 45),
            (False, True, False, 5),
        )
    )
    assert (found.tpr.estimate, found.tpr.low, found.tpr.high) == pytest.approx((0.17, 0.058290, 0.277702), abs=5e-7)
    assert found.tnr.estimate == pytest.approx(30 / 50 - 45 / 50)
    assert (found.tnr.low, found.tnr.high) == pytest.approx(
        confint_proportions_2indep(30, 50, 45, 50, method="newcomb", compare="diff")
    )
    assert (found.own, found.other, found.tpr.n, found.tnr.n) == (150, 150, 200, 100)


def test_worked_example_of_pairs() -> None:
    """TV-2.3 with pairs: of 100 that people give to either side the judge follows 88 and 71; ties are left out."""
    human = ["a"] * 100 + ["b"] * 100 + ["tie"] * 40
    judge = ["a"] * 88 + ["tie"] * 12 + ["b"] * 71 + ["a"] * 20 + ["tie"] * 9 + ["a"] * 40
    found = self_preference_of_pairs(human, judge)
    assert (found.estimate, found.low, found.high) == pytest.approx((0.17, 0.058290, 0.277702), abs=5e-7)
    assert found.n == 200


@given(ITEMS)
def test_equals_counting_and_swaps_sign(items: list[tuple[bool, bool, bool]]) -> None:
    """Both differences are those of rates counted one by one, and calling own what was other negates them."""
    kinds = {(human, own) for human, _, own in items}
    columns = [np.array(column) for column in zip(*items, strict=True)]
    if len(kinds) < 4:
        with pytest.raises(InsufficientDataError):
            self_preference(*columns)
        return
    found = self_preference(*columns)

    def share(human: bool, own: bool) -> float:  # noqa: FBT001
        right = [verdict == human for truth, verdict, mine in items if (truth, mine) == (human, own)]
        return sum(right) / len(right)

    assert found.tpr.estimate == pytest.approx(share(human=True, own=True) - share(human=True, own=False))
    assert found.tnr.estimate == pytest.approx(share(human=False, own=True) - share(human=False, own=False))
    back = self_preference(columns[0], columns[1], ~columns[2])
    assert (back.tpr.low, back.tnr.high) == pytest.approx((-found.tpr.high, -found.tnr.low), abs=1e-12)


@given(st.lists(st.tuples(OUTCOMES, OUTCOMES), min_size=1, max_size=60))
def test_pairs_equal_counting(pairs: list[tuple[str, str]]) -> None:
    """The shares are those of pairs counted one by one, and it refuses exactly where people lean one way only."""
    human, judge = map(list, zip(*pairs, strict=True))
    followed = {side: [said == side for truth, said in pairs if truth == side] for side in "ab"}
    if not (followed["a"] and followed["b"]):
        with pytest.raises(InsufficientDataError):
            self_preference_of_pairs(human, judge)
        return
    found = self_preference_of_pairs(human, judge)
    assert found.estimate == pytest.approx(np.mean(followed["a"]) - np.mean(followed["b"]))
    assert found.low <= found.estimate <= found.high


def test_winning_more_often_is_no_self_preference() -> None:
    """A judge that always agrees with people shows none, though its own answers pass far more often."""
    human, own = np.array([True] * 90 + [False] * 10 + [True] * 30 + [False] * 70), np.arange(200) < 100
    found = self_preference(human, human, own)
    assert (found.tpr.estimate, found.tnr.estimate) == (0, 0)


def test_covers_as_often_as_it_says() -> None:
    """Own answers at TPR .9 and TNR .7, others at .8 and .85, 150 each: 1,000 seeded runs cover within four errors."""
    rng = np.random.default_rng(71)
    own = np.arange(300) < 150
    held = np.zeros(2)
    for _ in range(1_000):
        human = rng.random(300) < 0.6
        right = rng.random(300) < np.where(human, np.where(own, 0.9, 0.8), np.where(own, 0.7, 0.85))
        found = self_preference(human, human == right, own)
        held += [found.tpr.low <= 0.1 <= found.tpr.high, found.tnr.low <= -0.15 <= found.tnr.high]
    assert np.abs(held / 1_000 - 0.95).max() < 4 * np.sqrt(0.95 * 0.05 / 1_000)
