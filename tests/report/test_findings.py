"""Findings: one outcome a case, errors on neither side, and only drops that chance cannot make."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from assay.errors import InsufficientDataError
from assay.judges import prompt
from assay.records.case import Case
from assay.records.response import Response
from assay.records.verdict import Verdict
from assay.report import findings
from assay.report.comparison import Comparison, compare
from assay.report.findings import CaseOutcome, Outcomes
from tests.cast import broken, case, response, verdict

CASES = [case(number) for number in range(40)]


def scored(of: Case, judge: str = "pass", check: str = "pass", **changes: Any) -> list[Verdict]:
    """Return the two verdicts that a case of the cast gets: its check's and its judge's."""
    return [
        verdict(of.case_id, check, scorer="check:1-icontains-any", **changes),
        verdict(of.case_id, judge, **changes),
    ]


def fold(
    responses: list[Response], verdicts: list[Verdict], cases: list[Case] = CASES, *, checks_only: bool = False
) -> Outcomes:
    judges = [judge for judge in prompt.load_all() if judge.declared.requires == ("reference",)]
    return findings.outcomes("target", cases, responses, verdicts, judges, checks_only=checks_only)


def night(*, wire: int = 0, judge: int = 0) -> Outcomes:
    """Return 40 cases, every fourth failing, and beside them cases lost on the wire and at the judge."""
    responses, verdicts = [response(one) for one in CASES], []
    for number, one in enumerate(CASES):
        verdicts += scored(one, "fail" if number % 4 == 0 else "pass")
    lost, silent = [case(100 + number) for number in range(wire)], [case(200 + number) for number in range(judge)]
    responses += [broken(one) for one in lost] + [response(one) for one in silent]
    verdicts += [row for one in silent for row in scored(one, "unscored")]
    return fold(responses, verdicts, [*CASES, *lost, *silent])


def outcomes(**by_case: CaseOutcome) -> Outcomes:
    return Outcomes(dict(by_case), Counter())


def compared(cells: dict[str, tuple[int, int, int, int]]) -> Comparison:
    """Compare versions by category with so many cases: both pass, target only, baseline only, neither."""
    kinds: tuple[tuple[CaseOutcome, CaseOutcome], ...] = (
        ("pass", "pass"),
        ("pass", "fail"),
        ("fail", "pass"),
        ("fail", "fail"),
    )
    rows = [
        (name, kind) for name, counts in cells.items() for kind, n in zip(kinds, counts, strict=True) for _ in range(n)
    ]
    ids = [f"c{number}" for number in range(len(rows))]
    mine = outcomes(**{key: kind[0] for key, (_, kind) in zip(ids, rows, strict=True)})
    theirs = outcomes(**{key: kind[1] for key, (_, kind) in zip(ids, rows, strict=True)})
    categories = {key: name for key, (name, _) in zip(ids, rows, strict=True)}
    return compare("all", categories, mine, theirs)


@pytest.mark.parametrize(
    ("changes", "is_blocking"),
    [
        ({}, True),
        ({"blocks": False}, False),
        ({"question": "pairwise"}, False),
        ({"scope": "traces"}, False),
    ],
)
def test_a_judge_blocks_where_it_says_so_of_single_answers_to_cases(
    changes: dict[str, Any], *, is_blocking: bool
) -> None:
    """One that only tells, one of pairs, and one of production's traces fail no case."""
    of = prompt.load("correctness")
    of = replace(of, declared=of.declared.model_copy(update=changes))
    assert findings.blocking_of([of]) == ([of] if is_blocking else [])


@pytest.mark.parametrize("wire", [0, 1, 7])
@pytest.mark.parametrize("judge", [0, 1, 7])
def test_errors_move_no_rate(wire: int, judge: int) -> None:
    """However many calls fail on the wire or at the judge, both rates stay as they are and the parts sum to planned."""
    categories = dict.fromkeys(night(wire=wire, judge=judge).by_case, "refunds")
    mine, theirs = night(wire=wire, judge=judge), night(judge=judge)
    assert compare("all", categories, mine, theirs).model_dump() == (
        compare("all", categories, night(), night()).model_dump()
    )
    parts = findings.account(mine)
    assert (parts.passed, parts.product_failed, parts.judge_failed, parts.wire_failed) == (30, 10, judge, wire)
    assert parts.planned == 40 + wire + judge
    assert parts.reasons == {name: n for name, n in (("judge: error", judge), ("wire: timeout", wire)) if n}


@pytest.mark.parametrize(
    ("judge", "check", "expected"),
    [
        ("pass", "pass", "pass"),
        ("fail", "pass", "fail"),
        ("pass", "fail", "fail"),
        ("unscored", "pass", "judge"),
        ("unscored", "fail", "judge"),
    ],
)
@pytest.mark.parametrize("trial", [0, 1, 2])
def test_a_case_passes_when_all_its_scorers_pass_in_all_trials(
    judge: str, check: str, expected: str, trial: int
) -> None:
    """One fail of one scorer in one of three trials fails the case, one silence leaves it without an outcome."""
    of = CASES[0]
    responses = [response(of, trial=number) for number in range(3)]
    verdicts = [
        row for number in range(3) for row in scored(of, *((judge, check) if number == trial else ()), trial=number)
    ]
    assert fold(responses, verdicts, [of]).by_case == {of.case_id: expected}


@pytest.mark.parametrize("gone", [0, 1, 2, 3])
def test_a_verdict_that_is_missing_is_not_a_pass(gone: int) -> None:
    """Without any one of its planned verdicts a case has no outcome, although all the others are passes."""
    of = CASES[0]
    verdicts = [row for trial in (0, 1) for row in scored(of, trial=trial)]
    del verdicts[gone]
    found = fold([response(of), response(of, trial=1)], verdicts, [of])
    assert (found.by_case[of.case_id], found.reasons) == ("judge", {"judge: no verdict on file": 1})


def test_one_broken_trial_leaves_no_outcome() -> None:
    """A case whose second trial failed on the wire has no outcome, whatever the first one was; nor has one unasked."""
    of, unasked = CASES[0], CASES[1]
    failed = broken(of).model_copy(update={"trial": 1})
    found = fold([response(of), failed], scored(of), [of, unasked])
    assert found.by_case == {of.case_id: "wire", unasked.case_id: "wire"}
    assert found.reasons == {"wire: timeout": 1, "wire: no response on file": 1}


@pytest.mark.parametrize(
    ("faults", "judge", "is_format"),
    [
        (("format", "format"), "pass", True),
        (("format", ""), "pass", True),
        (("format", "answer"), "pass", False),
        (("answer", "answer"), "pass", False),
        (("format", "format"), "fail", False),
        (("", ""), "fail", False),
    ],
)
def test_a_format_fault_is_told_from_a_wrong_answer(faults: tuple[str, str], judge: str, *, is_format: bool) -> None:
    """A failed case is one of format when all that failed are checks of that fault; with both it is a wrong answer."""
    of = CASES[0]
    rows = [verdict(of.case_id, judge), verdict(of.case_id, judge, trial=1)]
    for trial, fault in enumerate(faults):
        said = {"scorer": "check:1-icontains-any", "trial": trial, "fault": fault}
        rows.append(verdict(of.case_id, "fail" if fault else "pass", **said))
    parts = findings.account(fold([response(of), response(of, trial=1)], rows, [of]))
    assert (parts.product_failed, parts.format_failed, parts.answer_failed) == (1, is_format, not is_format)


def test_all_parts_sum_to_the_planned_cases() -> None:
    """Passed, wrong answers, format faults, judge and wire are all planned cases; the rate is of those answered."""
    words = ["pass"] * 6 + ["answer"] * 2 + ["format"] * 3 + ["wire"] * 4 + ["judge"] * 5
    cases, responses, verdicts = CASES[: len(words)], [], []
    for of, word in zip(cases, words, strict=True):
        responses.append(broken(of) if word == "wire" else response(of))
        said = "fail" if word in {"answer", "format"} else "pass"
        fault = word if said == "fail" else ""
        verdicts.append(verdict(of.case_id, said, scorer="check:1-icontains-any", fault=fault))
        verdicts.append(verdict(of.case_id, "unscored" if word == "judge" else "pass"))
    parts = findings.account(fold(responses, verdicts, cases))
    counts = (parts.passed, parts.answer_failed, parts.format_failed, parts.judge_failed, parts.wire_failed)
    assert counts == (6, 2, 3, 5, 4)
    assert sum(counts) == parts.planned == 20
    assert parts.lost == 9
    assert parts.answered
    assert (parts.answered.estimate, parts.answered.n) == (6 / 11, 11)


def test_a_run_that_lost_everything_has_no_rate() -> None:
    """Where no case has an outcome there is no pass rate, not one of 0."""
    assert findings.account(outcomes(a="wire", b="judge")).answered is None


def test_checks_alone_ignore_the_judge_and_what_no_check_decides() -> None:
    """By checks alone a judge's fail does not count, and a case without a check is not planned."""
    free = case(90, expectations=[])
    responses = [response(CASES[0]), response(free)]
    found = fold(
        responses, [*scored(CASES[0], "fail"), verdict(free.case_id, "pass")], [CASES[0], free], checks_only=True
    )
    assert found.by_case == {CASES[0].case_id: "pass"}


def test_the_other_version_s_verdicts_are_not_read() -> None:
    """A verdict on the baseline, on a pair or on an anchor never decides a case of the target."""
    of = CASES[0]
    others = [row for subject in ("baseline", "pair", "anchor") for row in scored(of, "fail", subject=subject)]
    assert fold([response(of)], [*scored(of), *others], [of]).by_case[of.case_id] == "pass"


def test_comparison_by_hand() -> None:
    """STATISTICS TV-4.4: 101 both, 18 target only, 7 baseline only, 24 neither."""
    found = compared({"refunds": (101, 18, 7, 24)})
    assert found.change.estimate == pytest.approx(11 / 150)
    assert (found.change.low, found.change.high) == pytest.approx((0.006362, 0.138375), abs=5e-7)
    assert found.p_value == pytest.approx(0.0289593, abs=5e-8)
    assert (found.gained, found.lost, found.change.n) == (18, 7, 150)
    assert (found.target.estimate, found.baseline.estimate) == pytest.approx((119 / 150, 108 / 150))
    assert found.worse == []


def test_a_planted_drop_is_flagged_and_nothing_else() -> None:
    """Twelve of 40 cases newly fail in one category of six, one in each of the others: only the one is named."""
    usual = (34, 1, 1, 4)
    found = compared({"negation": (24, 0, 12, 4)} | dict.fromkeys(("a", "b", "c", "d", "e"), usual))
    assert found.worse == ["negation"]
    assert [row.category for row in found.slices] == ["negation", "a", "b", "c", "d", "e"]


@pytest.mark.parametrize(("n", "flagged"), [(4, []), (7, ["negation"]), (29, ["negation"])])
def test_a_small_category_that_newly_fails_is_flagged(n: int, flagged: list[str]) -> None:
    """Every case of a category newly fails: with 4 that may be luck (2 x 1/16), with 7 it is none (2 x 1/128)."""
    found = compared({"negation": (0, 0, n, 0), "refunds": (400, 30, 0, 0)})
    assert found.worse == flagged
    assert found.slices[0].adjusted_p == pytest.approx(2 * 0.5**n)


def test_a_change_that_is_likely_luck_is_no_regression() -> None:
    """3 gained and 5 lost of 100 is a drop by the estimate, and none beyond chance."""
    found = compared({"refunds": (92, 3, 5, 0)})
    assert (found.change.estimate < 0, found.worse, found.is_worse) == (True, [], False)


def test_versions_of_other_numbers_of_trials_are_compared_by_means() -> None:
    """Nine of ten trials pass in both: with three trials a case as with one nothing has dropped, and it is said."""
    names = [f"c{number:03}" for number in range(100)]
    mine = Outcomes(
        {name: "pass" if number % 10 > 2 else "fail" for number, name in enumerate(names)},
        Counter(),
        trials={name: (True, True, number % 10 > 2) for number, name in enumerate(names)},
    )
    theirs = Outcomes({name: "pass" if number % 10 else "fail" for number, name in enumerate(names)}, Counter())
    found = compare("all", dict.fromkeys(names, "x"), mine, theirs)
    assert (found.target.estimate, found.baseline.estimate) == pytest.approx((0.9, 0.9))
    assert found.change.estimate == pytest.approx(0)
    assert (found.worse, found.trials) == ([], "the mean over 3 trials a case, against 1 of the baseline")


def test_a_drop_spread_over_all_is_overall() -> None:
    """Three cases lost in each of eleven small categories are flagged in none and proved over all."""
    found = compared({f"small-{number}": (15, 0, 3, 2) for number in range(11)})
    assert not any(row.is_worse for row in found.slices)
    assert found.worse == ["overall"]


def test_no_case_in_common_is_refused() -> None:
    """Versions that never both have an outcome cannot be compared, and the refusal says what to do."""
    with pytest.raises(InsufficientDataError, match="mend the endpoint, or run `assay accept`"):
        compare("all", {"a": "x", "b": "x"}, outcomes(a="pass", b="wire"), outcomes(a="judge", b="pass"))


def pair(number: int, as_is: str, swapped: str, **changes: Any) -> Verdict:
    outcome = as_is if as_is == swapped else "tie"
    fields = {"subject": "pair", "scorer": "preference", "as_is": as_is, "swapped": swapped}
    return verdict(f"refunds-{number:03}", outcome, **(fields | changes))


def test_preference_counts_what_the_judge_said() -> None:
    """Five wins, two losses, one tie, two conflicts and two identical pairs: 7.5 of 12 won, 2 of 10 in conflict."""
    words = [("a", "a")] * 5 + [("b", "b")] * 2 + [("tie", "tie"), ("a", "b"), ("b", "a")]
    rows = [pair(number, *word) for number, word in enumerate(words)]
    rows += [pair(20 + number, "tie", "tie", fingerprint="identical") for number in range(2)]
    rows += [verdict("refunds-030", "unscored", subject="pair", scorer="preference")]
    rows += [pair(number, "b", "b", trial=1) for number in range(12)]
    found = findings.preference("preference", rows)
    assert found
    assert (found.wins, found.ties, found.losses, found.unscored, found.identical) == (5, 5, 2, 1, 2)
    assert (found.win_rate.estimate, found.win_rate.n) == (7.5 / 12, 12)
    assert (found.conflict.estimate, found.conflict.n) == (0.2, 10)


@pytest.mark.parametrize("asked", [0, 1])
def test_preference_needs_two_pairs_that_somebody_judged(asked: int) -> None:
    """Identical pairs alone are no preference, and neither is a single judged one."""
    same = [pair(20 + number, "tie", "tie", fingerprint="identical") for number in range(30)]
    assert findings.preference("preference", [*same, *[pair(number, "a", "a") for number in range(asked)]]) is None
    two = findings.preference("preference", [*same, *[pair(number, "a", "a") for number in range(2)]])
    assert two
    assert (two.wins, two.conflict.n, two.identical) == (2, 2, len(same))


def test_a_category_that_a_certificate_leaves_out_is_left_to_the_checks() -> None:
    """There the judge's word counts for nothing, for or against; where no check decides either, nobody does."""
    bare = case(900).model_copy(update={"expectations": []})
    rows = [*scored(CASES[0], "fail", "pass"), *scored(CASES[1], "pass", "fail"), verdict(bare.case_id, "pass")]
    answered = [response(one) for one in (CASES[0], CASES[1], bare)]
    judges = [judge for judge in prompt.load_all() if judge.declared.requires == ("reference",)]
    found = findings.outcomes(
        "target",
        [CASES[0], CASES[1], bare],
        answered,
        rows,
        judges,
        checks_only=False,
        excepted={judges[0].name: [bare.category]},
    )
    assert list(found.by_case.values()) == ["pass", "fail", "unscorable"]
    accounted = findings.account(found)
    assert (accounted.excepted, accounted.unscorable) == (1, 1)
