"""What stands in which list of the page, in which order, and how long its texts are."""

from typing import Any, get_args

import pytest
import sample_report as sample

from assay.records.optional import Failure
from assay.records.parts import PARTS
from assay.report import page
from assay.report.cases import ReportedCase
from assay.report.files import FileViews
from assay.report.gate import Word


def failing(count: int, group: str = "newly-failing", category: str = "allergens") -> list[ReportedCase]:
    return [sample.changed(f"{category}-{number:03}", group=group) for number in range(count)]


CASES: dict[str, Any] = {
    "newly_failing": failing(3),
    "failing": failing(2, "failing", "escalation"),
    "standing": failing(1, "standing", "order-status"),
    "unscored": failing(4, "unscored", "policy-facts"),
    "fixed": failing(5, "fixed", "out-of-scope"),
}


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, "3 newly failing, 1 standing"),
        ({"baseline": None}, "2 failing"),
        ({"failures": [Failure(part=PARTS["standing"], note="lost")]}, ""),
        ({"failures": [Failure(part=PARTS["fixed"], note="lost")]}, "3 newly failing, 1 standing"),
    ],
)
def test_the_number_of_failing_cases_is_beside_the_link(changes: dict[str, Any], counts: str) -> None:
    """Newly failing and standing with a baseline, all that fail without one, and nothing where a list was lost."""
    assert page._case_counts(sample.report(**CASES | changes)) == counts


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({}, {"newly-failing": 3, "failing": 2, "standing": 1, "unscored": 4, "fixed": 5}),
        ({"failing": []}, {"newly-failing": 3, "standing": 1, "unscored": 4, "fixed": 5}),
        ({"baseline": None}, {"failing": 2, "unscored": 4}),
    ],
)
def test_each_list_has_its_cases_and_its_number(changes: dict[str, Any], kinds: dict[str, int]) -> None:
    """Without a baseline nothing is newly failing; what it has no outcome for has a list where there is any."""
    lists = page._case_lists(sample.report(**CASES | changes))
    assert {one.kind: one.count for one in lists} == kinds
    assert [one.title.rpartition(" ")[2] for one in lists] == [f"({count})" for count in kinds.values()]
    opened = [any(view.is_open for part in one.categories for view in part.views) for one in lists]
    assert opened == [True] + [False] * (len(kinds) - 1)


def test_a_lost_list_says_so_in_place_of_none() -> None:
    """A list that could not be made has no number, and its note stands where `no case` would."""
    lost = Failure(part=PARTS["standing"], note="could not be computed")
    found = {one.kind: one for one in page._case_lists(sample.report(failures=[lost], standing=[], fixed=[]))}
    assert found["standing"].title == "Standing failures"
    assert found["standing"].none.endswith("could not be computed.")
    assert (found["fixed"].title, found["fixed"].none) == ("Fixed (0)", "No case was fixed.")


def test_cases_stand_by_category_and_the_first_are_open() -> None:
    """Of one list each category has its cases, in their order; so many are unfolded over all categories."""
    cases = [*failing(2), *failing(3, category="escalation")]
    first, second = page._by_category(cases, 0, 3, FileViews())
    assert [view.is_open for view in (*first.views, *second.views)] == [True] * 3 + [False] * 2
    assert (first.category, second.category, first.severity) == ("allergens", "escalation", "critical")
    assert [view.case.case_id for view in second.views] == [f"escalation-{number:03}" for number in range(3)]


@pytest.mark.parametrize(("before", "whole"), [(page.WHOLE_CASES - 2, 2), (page.WHOLE_CASES, 0), (0, 3)])
def test_beyond_so_many_cases_texts_are_short(before: int, whole: int) -> None:
    """What the lists above have counts too: the first two hundred cases of the page are whole."""
    (found,) = page._by_category(failing(3), before, 0, FileViews())
    lengths = [view.max_characters == page.SHORT_CHARACTERS for view in found.views]
    assert lengths == [False] * whole + [True] * (3 - whole)
    assert [view.max_lines == page.SHORT_LINES for view in found.views] == lengths


@pytest.mark.parametrize(("standing", "order"), [("valid", ["all", "checks"]), ("expired", ["checks", "all"])])
def test_what_may_be_believed_comes_first(standing: str, order: list[str]) -> None:
    """Comparisons and rates by all scorers lead where their judges are certified; else checks do, which always may."""
    judges = [judge.model_copy(update={"standing": standing}) for judge in sample.report().judges]
    report = sample.report(judges=judges)
    compared = page._comparisons(report)
    assert [one.comparison.scorers for one in compared] == order
    assert {one.comparison.scorers: one.standing for one in compared} == {"all": standing, "checks": "valid"}
    rated = page._rates(report.model_copy(update={"rates": report.rates[::-1]}))
    assert [(rates.scorers, worth) for rates, worth in rated] == [
        (name, standing if name == "all" else "valid") for name in order
    ]


def test_the_weakest_part_of_a_judge_is_a_large_one() -> None:
    """Of parts with enough items the one with the least agreement is named; kinds of faults are apart."""
    found = {view.judge.name: view for view in page._judges(sample.report())}["correctness"]
    held = sample.certificate()
    large = [part for part in held.slices if part.n >= page.MIN_ITEMS]
    assert found.weakest == min(large, key=lambda part: part.agree / part.n)
    assert {part.n for part in held.slices} - {part.n for part in large}
    assert [part.kind for part in found.faults] == ["slice"] * sum(part.kind == "slice" for part in held.slices)
    alone = page._judge(sample.report().judges[0].model_copy(update={"certificate": None}))
    assert (alone.weakest, alone.faults, alone.classes) == (None, (), ())


def test_only_a_pass_is_green_and_only_a_regression_red() -> None:
    """Every other word of the gate is an open question; each has a sign, for whoever sees no colour."""
    tones = {word: tone for word, (_, tone) in page.BADGES.items()}
    assert tones == dict.fromkeys(get_args(Word), "open") | {"pass": "good", "regression": "bad"}
    assert all(sign for sign, _ in page.BADGES.values())


def test_signals_that_ask_for_action_come_first() -> None:
    """Alerts, then those to watch; of single categories the quiet ones are apart."""
    states = ("quiet", "alert", "watch")
    rows = [sample.signal(state=state, segment=segment) for segment in ("all", "refunds") for state in states]
    shown, apart = page._signals(rows)
    assert [(row.state, row.segment) for row in shown] == [
        *(("alert", "all"), ("alert", "refunds"), ("watch", "all"), ("watch", "refunds"), ("quiet", "all")),
    ]
    assert [(row.state, row.segment) for row in apart] == [("quiet", "refunds")]
