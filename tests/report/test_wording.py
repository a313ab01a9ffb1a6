"""Wording: the first sentence says what, where and how sure; the others what was answered and what it cost."""

from collections import Counter
from typing import Any, get_args

import pytest
import sample_report as sample

from assay.report import wording
from assay.report.cases import Filed
from assay.report.comparison import Comparison, SliceRow
from assay.report.findings import Accounting, Outcomes, Rate
from assay.report.gate import Word
from tests.cast import case, response


def accounting(**changes: int) -> Accounting:
    fields = {"planned": 250, "passed": 200, "product_failed": 40, "format_failed": 9, "judge_failed": 4}
    return Accounting(reasons={"wire: x": 6}, **(fields | {"wire_failed": 6} | changes))


TARGET = accounting()
LOST = "6 on the wire, 4 at the judge."
REASON = "the reason"


def rate(estimate: float, low: float, high: float, n: int = 240) -> Rate:
    return Rate(estimate=estimate, low=low, high=high, n=n, method="m")


def row(category: str, *, is_worse: bool = False) -> SliceRow:
    return SliceRow(
        category=category,
        n=40,
        target=rate(0.6, 0.44, 0.74, 40),
        baseline=rate(0.9, 0.77, 0.96, 40),
        change=rate(-0.3, -0.45, -0.123456789, 40),
        gained=1,
        lost=13,
        adjusted_p=0.001,
        is_worse=is_worse,
    )


def comparison(*rows: SliceRow, **changes: Any) -> Comparison:
    fields = {
        "scorers": "all",
        "target": rate(0.845, 0.7921, 0.8869),
        "baseline": rate(0.9004, 0.85, 0.93),
        "change": rate(-0.0556, -0.0914, -0.0206),
        "gained": 5,
        "lost": 18,
        "p_value": 0.01,
        "detectable": "240 cases find a change of 5.0 points",
        "slices": list(rows),
        "is_worse": True,
        "alpha": 0.025,
    }
    return Comparison.model_validate(fields | changes)


def test_of_several_trials_it_says_that_all_pass() -> None:
    """The rate of cases that pass every trial is not taken for the mean over trials."""
    assert "answered cases pass in all 3 trials; " in wording.answered(TARGET, 3)
    assert "answered cases pass; " in wording.answered(TARGET)


@pytest.mark.parametrize("word", get_args(Word))
@pytest.mark.parametrize("basis", [None, comparison(row("refunds", is_worse=True))])
def test_every_word_makes_a_headline(word: Word, basis: Comparison | None) -> None:
    """Whatever the word, the headline opens with it and ends with whose the failures are, each with its count."""
    said = wording.sentence(word, REASON, TARGET, basis)
    assert said.startswith(word.upper())
    failed = "the product failed 40 (31 by a wrong answer, 9 by format alone), the judge 4, the wire 6."
    assert said.endswith(f" Of 250 planned cases {failed}")


def test_a_regression_names_its_category_first() -> None:
    """The first sentence names the category that got worse, with counts and rates, and no other."""
    said = wording.sentence("regression", REASON, TARGET, comparison(row("refunds", is_worse=True), row("negation")))
    assert said.split(". ")[0] == (
        "REGRESSION in refunds: 13 of 40 cases newly fail, 1 is fixed (90.0 % to 60.0 %; -30.0 points, -45.0 to -12.3)"
    )
    assert "negation" not in said


def test_a_regression_over_all_says_so() -> None:
    """Where no category is to blame the sentence says that the drop is over all cases."""
    said = wording.sentence("regression", REASON, TARGET, comparison(row("refunds")))
    assert said.startswith("REGRESSION over all cases. Overall 84.5 %")


def test_the_level_has_one_decimal_an_interval_and_its_n() -> None:
    """A pass states the rate with interval and n, the baseline and the change in points with its interval."""
    assert wording.sentence("pass", REASON, TARGET, comparison()).startswith(
        "PASS: 84.5 % (79.2 to 88.7) of 240 cases pass, was 90.0 % (change -5.6 points, -9.1 to -2.1). "
    )


def test_checks_alone_are_named() -> None:
    """A level that no judge stands behind says that checks alone gave it."""
    said = wording.sentence("uncalibrated", REASON, TARGET, comparison(scorers="checks"))
    assert said.startswith("UNCALIBRATED: the reason. So far by checks alone, 84.5 %")


def test_nothing_compared_says_what_failed() -> None:
    """Without a comparison the headline has the reason and where the cases were lost."""
    assert wording.sentence("incomplete", REASON, TARGET, None).startswith(
        "INCOMPLETE: the reason. Nothing can be compared. Of 250 planned"
    )


def test_without_a_failure_there_is_no_kind_of_failure() -> None:
    """Where the product failed nothing the headline does not tell how."""
    clean = accounting(passed=240, product_failed=0, format_failed=0)
    assert wording.sentence("pass", REASON, clean, None).endswith("the product failed 0, the judge 4, the wire 6.")


def failing(*categories: str, **changes: Any) -> wording.Failures:
    fields = {"has_baseline": True, "is_judge_believed": True, "cut": 0}
    return wording.Failures(list(categories), **(fields | changes))


@pytest.mark.parametrize(
    ("cases", "said"),
    [
        (failing(), "no case newly fails"),
        (failing("refunds"), "1 case newly fails, in refunds"),
        (failing("refunds", "refunds"), "2 cases newly fail, all in refunds"),
        (failing("refunds", "tone", "tone"), "3 cases newly fail, most in tone (2)"),
        (failing("tone", is_judge_believed=False), "1 case newly fails by all scorers, in tone"),
        (failing("tone", "tone", has_baseline=False), "there is no baseline yet; 2 cases fail, all in tone"),
    ],
)
@pytest.mark.parametrize("word", ["uncalibrated", "judge-changed", "set-changed", "inconclusive", "incomplete"])
def test_the_first_sentence_counts_what_fails(word: Word, cases: wording.Failures, said: str) -> None:
    """A night without a clear word still says in its first sentence how many cases fail, and where most of them do."""
    for basis in (None, comparison()):
        whole = wording.sentence(word, REASON, TARGET, basis, cases)
        assert whole.partition(". ")[0] == f"{word.upper()}: {REASON}; {said}"


def test_a_regression_that_no_category_proves_counts_its_cases() -> None:
    """Where categories are too small for one to be shown to be worse, the sentence still says where most fail."""
    cases = failing("refunds", "tone", "tone")
    said = wording.sentence("regression", REASON, TARGET, comparison(row("refunds")), cases)
    assert said.partition(". ")[0] == "REGRESSION over all cases: 3 cases newly fail, most in tone (2)"


def test_cases_of_the_first_sentence_are_those_of_the_lists() -> None:
    """With a baseline only newly failing cases count, without one all that fail; every cut answer counts."""
    cases = [case(number, "tone") for number in range(3)]
    target, baseline = (
        {one.case_id: said for one, said in zip(cases, outcomes, strict=True)}
        for outcomes in (("fail", "fail", "pass"), ("pass", "fail", "pass"))
    )
    filed = Filed(
        night="2026-11-02",
        cases=cases,
        severities={"tone": "low"},
        responses={"target": [response(one, finish_reason="length") for one in cases[1:]], "baseline": []},
        verdicts=[],
        target=Outcomes(target, Counter()),
        baseline=Outcomes(baseline, Counter()),
        history=[],
    )
    for has_baseline, count in ((True, 1), (False, 2)):
        found = wording.failures(filed, has_baseline=has_baseline, is_judge_believed=True)
        assert (found.categories, found.cut) == (["tone"] * count, 2)


@pytest.mark.parametrize("word", get_args(Word))
@pytest.mark.parametrize(("cut", "said"), [(0, " the wire 6."), (1, " 1 answer was"), (12, " 12 answers were")])
def test_cut_answers_are_told(word: Word, cut: int, said: str) -> None:
    """Whatever the word, the headline ends with how many answers were cut, and with nothing where none was."""
    whole = wording.sentence(word, REASON, TARGET, comparison(), failing(cut=cut))
    assert whole.endswith(f"{said} cut at the token limit." if cut else said)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {},
            f"83.3 % (78.1 to 87.5) of 240 answered cases pass; 10 of 250 planned (4.0 %) were lost: {LOST}",
        ),
        (
            {"planned": 10, "passed": 0, "product_failed": 0, "format_failed": 0},
            f"None of 10 planned cases has an outcome: {LOST}",
        ),
        (
            dict.fromkeys(("planned", "passed", "product_failed", "format_failed", "judge_failed", "wire_failed"), 0),
            "No case was planned.",
        ),
    ],
)
def test_the_rate_of_the_answered_has_the_errors_beside_it(changes: dict[str, int], said: str) -> None:
    """The rate is that of the cases with an outcome; next to it stand how many have none, and where they were lost."""
    assert wording.answered(accounting(**changes)) == said


def test_a_control_room_s_rows_add_up_and_are_alike() -> None:
    """All rows have the same two columns; the parts of the planned cases sum to their number; each stage has a row."""
    rows = wording.coverage(TARGET, [sample.spent(), sample.spent("judge", cost_usd=None)])
    assert {tuple(row) for row in rows} == {("what", "value")}
    counts = {row["what"]: int(row["value"]) for row in rows[:6]}
    assert counts.pop("cases, planned") == sum(counts.values()) == 250
    assert counts["cases, the product failed: format alone"] == 9
    said = "1,254 calls (2 failed), 1,961 requests, 463,495 tokens"
    assert rows[6:] == [
        {"what": "used by execute of run 2026-11-02", "value": f"{said}, $1.23"},
        {"what": "used by judge of run 2026-11-02", "value": f"{said}, no price declared"},
    ]


def test_a_ledger_is_two_lines() -> None:
    """What a run used is its sum and its stages; a stage without a price has no dollars; no ledger is no line."""
    assert wording.used([]) == []
    assert wording.used([sample.spent(), sample.spent("judge", cost_usd=None)]) == [
        "run 2026-11-02 used 2,508 calls (4 failed), 3,922 requests, 926,990 tokens, $1.23",
        "by stage: execute 1,961 requests, $1.23; judge 1,961 requests",
    ]


@pytest.mark.parametrize(("usd", "said"), [(0.00493, "$0.0049"), (0.99994, "$0.9999"), (1234.5, "$1,234.50")])
def test_money_below_a_dollar_has_four_decimals(usd: float, said: str) -> None:
    """A cent of a cent is still seen."""
    assert wording.money(usd) == said


def test_policies_other_than_the_default_end_a_headline() -> None:
    """Each judge's policy by the judge's name, as one sentence; nothing where all are the default."""
    assert wording.policies({}) == ""
    assert wording.policies({"tone": "strict", "depth": "pilot"}) == (
        " Depth is certified by the pilot policy, tone is certified by the strict policy."
    )


@pytest.mark.parametrize(
    ("by_judge", "undecided", "said"),
    [
        ({}, 3, ""),
        ({"tone": []}, 3, ""),
        ({"tone": ["a"]}, 0, " tone is certified except for a; there its word does not count."),
        (
            {"tone": ["a", "b"], "depth": ["c"], "else": []},
            2,
            " depth is certified except for c; tone is certified except for a, b; 2 cases there are decided by nobody.",
        ),
    ],
)
def test_what_a_judge_is_not_certified_for_is_named(by_judge: dict[str, list[str]], undecided: int, said: str) -> None:
    """Judges by name with their categories, and how many cases are decided by nobody for that."""
    assert wording.exceptions(by_judge, undecided) == said
