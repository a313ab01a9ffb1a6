"""Trials: what is steady and what is not, on the cases of which no trial was lost."""

from collections.abc import Sequence

import pytest

from assay.judges import prompt
from assay.records.response import Response
from assay.records.verdict import Verdict
from assay.report.trials import Steadiness, steadiness
from assay.stats import trials as stats
from tests.cast import broken, case, response, verdict

BY_HAND = ["111", "110", "100", "000"] * 10


def played(words: Sequence[str]) -> tuple[list[Response], list[Verdict]]:
    """Return answers and verdicts, one word a case and a letter a trial: 1 passes, 0 fails, w and j are lost."""
    responses, verdicts = [], []
    for number, word in enumerate(words):
        for trial, letter in enumerate(word):
            lost = broken(case(number)).model_copy(update={"trial": trial})
            responses.append(lost if letter == "w" else response(case(number), trial=trial))
            said = {"1": "pass", "0": "fail"}.get(letter, "unscored")
            verdicts.append(verdict(case(number).case_id, said, trial=trial))
            verdicts.append(verdict(case(number).case_id, "pass", trial=trial, scorer="check:1-icontains-any"))
    return responses, verdicts


def found_in(words: Sequence[str]) -> Steadiness:
    found = steadiness([case(number) for number in range(len(words))], *played(words), prompt.load_all())
    assert found
    return found


def test_one_trial_a_case_says_nothing_of_trials() -> None:
    """Where each case was asked once, or nobody was, there is no such section."""
    assert steadiness([case(0), case(1)], *played(["1", "0"]), prompt.load_all()) is None
    assert steadiness([case(0)], [], [], []) is None


@pytest.mark.parametrize("letter", ["w", "j"])
def test_a_case_with_a_lost_trial_is_left_out(letter: str) -> None:
    """A trial lost on the wire or at the judge is neither a pass nor a fail: its case is counted as left out."""
    found, whole = found_in([*BY_HAND, f"1{letter}1", f"{letter}00"]), found_in(BY_HAND)
    assert (found.left_out, whole.left_out) == (2, 0)
    assert found.model_copy(update={"left_out": 0}) == whole


def test_a_trial_that_was_not_asked_leaves_its_case_out() -> None:
    """A case with two answers where the others have three is left out too."""
    found = found_in([*BY_HAND, "11"])
    assert (found.k, found.cases, found.left_out) == (3, 40, 1)


def test_trials_by_hand() -> None:
    """Of 111, 110, 100 and 000: pass^1 = 6/12, pass^2 = (1 + 1/3)/4, pass^3 = 1/4, pass@3 = 3/4; one always passes."""
    found = found_in(BY_HAND)
    assert [one.estimate for one in found.all_of] == pytest.approx([6 / 12, 1 / 3, 1 / 4])
    assert found.any_of
    assert found.any_of.estimate == pytest.approx(3 / 4)
    assert (found.always, found.sometimes, found.never, found.cases) == (10, 20, 10, 40)
    assert found.note == ""


def test_intervals_count_cases() -> None:
    """The pass rate over all trials has the clustered interval over 40 cases, not Wilson's over 120 rows."""
    found = found_in(BY_HAND).all_of[0]
    clustered = stats.pass_rate([[letter == "1" for letter in word] for word in BY_HAND])
    assert (found.low, found.high, found.n) == (clustered.low, clustered.high, 40)
    assert "CR1 by case" in found.method


def test_few_cases_carry_a_caution() -> None:
    """Below thirty cases the reader is told that the interval is too narrow; with one case there is none, and why."""
    assert "fewer than 30" in found_in(BY_HAND[:8]).note
    alone = found_in(["110", "1w1"])
    assert (alone.all_of, alone.any_of, alone.cases) == ([], None, 1)
    assert "an interval needs at least two" in alone.note


def test_the_least_predictable_case_comes_first() -> None:
    """Unsteady cases are listed by how near they are to every other time, then by name; steady ones are not."""
    found = found_in(["1110", "1100", "1111", "0000", "1000", "0011"])
    assert [(one.case_id[-1], one.passed) for one in found.flaky] == [("1", 2), ("5", 2), ("0", 3), ("4", 1)]


def test_what_more_would_buy_is_said() -> None:
    """Where cases always pass or always fail trials buy nothing, where all are coins they buy as much as cases."""
    fixed, coins = found_in(["111", "000"] * 20), found_in(["110", "100", "101", "010", "011", "001"] * 10)
    assert fixed.worth.startswith(
        "the standard error of the pass rate is 8.0 points; twice as many trials would make it 8.0"
    )
    assert "twice as many trials would make it" in coins.worth
    halves = [part.split()[-1] for part in coins.worth.replace(",", "").split("twice")[1:]]
    assert halves[0] == halves[1]
    assert found_in(["110"] * 3).worth == ""
