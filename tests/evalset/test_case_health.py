"""Case health: each rule on nights made by hand, at its edge and beyond it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from assay.evalset.health import Kind, Rules, admitted_since, outcomes, proposals, recorded
from assay.records.category import Category
from assay.records.history import KEPT, CaseNight, unfolded
from tests.cast import AT, case, case_night

ONE, OTHER = case(1), case(2)
RULES = Rules()
QUOTA = Category(
    category="refunds", definition="d", examples=["e"], severity="low", quota=2, owner="payments", layer="unit"
)


def nights(said: str, *, targets: int = 3, other: str = "", judges: int = 1) -> list[CaseNight]:
    """Return one night a letter: + the case passed, - it failed, ? it had no outcome; `other` is of the other case.

    The versions of the target take their turns in blocks of equal length.
    """
    return [
        case_night(
            f"2026-{1 + at // 28:02}-{1 + at % 28:02}",
            [ONE, OTHER],
            target=f"support@{at * targets // len(said)}",
            judge=f"judge-{at * judges // len(said)}",
            failed=[
                name for name, word in ((ONE.case_id, said), (OTHER.case_id, other or "+-" * 99)) if word[at] == "-"
            ],
            unscored=[ONE.case_id] if said[at] == "?" else [],
        )
        for at in range(len(said))
    ]


def kinds(history: Sequence[CaseNight], rules: Rules = RULES) -> list[Kind]:
    """Return what is proposed for the case."""
    found = proposals([ONE, OTHER], [QUOTA], history, {}, rules, AT)
    return [one.kind for one in found if one.case_id == ONE.case_id]


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (nights("+" * 30), ["saturated"]),
        (nights("-" + "+" * 30), ["saturated"]),
        (nights("?" + "+" * 30), ["saturated"]),
        (nights("+" * 29), []),
        (nights("+" * 29 + "?"), []),
        (nights("+" * 29 + "-"), []),
        (nights("+" * 30, targets=2), ["never-discriminates"]),
        (nights("+" * 30, targets=1), []),
    ],
)
def test_saturated(history: Sequence[CaseNight], expected: list[Kind]) -> None:
    """Thirty passes in a row by three versions are needed, not counting nights without an outcome."""
    assert kinds(history) == expected


@pytest.mark.parametrize(
    "fields",
    [
        *({"nights": 29}, {"nights": KEPT + 1}, {"versions": 1}),
        *({"flips": 0}, {"flips": 1}, {"days": 29}),
    ],
)
def test_a_rule_that_could_not_be_held_is_refused(fields: dict[str, Any]) -> None:
    """Fewer nights than tell anything, more than are kept, one version, a share that is none, less than a month."""
    with pytest.raises(ValidationError):
        Rules.model_validate(fields)


def test_the_rules_of_a_project_that_says_nothing() -> None:
    """A month of nights, three versions, one flip in ten and a year; the least and the most may be said."""
    assert Rules().model_dump() == {"nights": 30, "versions": 3, "flips": 0.1, "days": 365}
    assert [Rules(nights=nights, versions=2, days=30).nights for nights in (30, KEPT)] == [30, KEPT]


def test_flaky_by_hand() -> None:
    """Of 19 pairs ten flip: 53 %, Wilson 32 to 73 %, wholly above 10 %."""
    history = nights("+-" * 5 + "+" * 10, targets=1)
    (found,) = proposals([ONE], [QUOTA], history, {}, RULES, AT)
    assert found.reason == (
        "flipped in 10 of 19 pairs of nights with the same target and judge (53 %, 95 % interval 32 to 73 %)"
    )


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (nights("+-+" + "+" * 17, targets=1), []),
        (nights("+-" * 10, targets=20), []),
        (nights("+-" * 10, targets=1, judges=20), []),
        (nights("+?" * 10, targets=1), []),
        (nights("+-" * 10, targets=1), ["flaky"]),
    ],
)
def test_flaky_needs_the_same_target_and_judge(history: Sequence[CaseNight], expected: list[Kind]) -> None:
    """One odd night in twenty is too little to tell; flips between versions or judges, or to no outcome, are none."""
    assert kinds(history) == expected


def test_another_revision_is_another_case() -> None:
    """Nights at an earlier revision say nothing of the case as it is."""
    edited = case(1, turns=["Another question?"])
    assert proposals([edited], [QUOTA], nights("+" * 30), {}, RULES, AT) == []
    assert outcomes(edited, unfolded(nights("+" * 30))) == []


@pytest.mark.parametrize(("days", "is_stale"), [(365, False), (366, True)])
def test_stale(days: int, is_stale: bool) -> None:  # noqa: FBT001 - a row of a table
    """A case is stale on the day after a year, with its date as the reason."""
    found = proposals([ONE], [QUOTA], [], {ONE.case_id: AT - timedelta(days=days)}, RULES, AT)
    assert [one.reason for one in found] == (["as it is since 2025-10-31, 366 days ago"] if is_stale else [])


def test_never_discriminates_by_hand() -> None:
    """A case that always failed, by two versions and the baseline, tells nothing while the other one does."""
    assert kinds(nights("-" * 30, targets=2)) == ["never-discriminates"]
    assert kinds(nights("-" * 30, targets=1)) == []
    assert kinds(nights("-" * 30, targets=2, other="+" * 30)) == []
    apart = [row.model_copy(update={"differing": [ONE.case_id]}) for row in nights("-" * 30, targets=2)]
    assert kinds(apart) == []


def test_a_proposal_says_what_the_quota_would_say() -> None:
    """Of two cases under a quota of two, retiring one leaves it one short, and the proposal says so."""
    (found,) = [
        one for one in proposals([ONE, OTHER], [QUOTA], nights("+" * 30), {}, RULES, AT) if one.case_id == ONE.case_id
    ]
    assert found.after == "1 of 2, 1 below quota: write another one first"
    assert found.reason == "passed in each of the last 30 nights with an outcome, by 3 versions of the target"
    assert (found.category, found.owner) == ("refunds", "payments")


def test_a_quota_is_the_category_s_own() -> None:
    """Whatever stands before it in the taxonomy; a category that is not there has none, and nothing falls below it."""
    other = QUOTA.model_copy(update={"category": "escalation", "quota": 9})
    after = {}
    for name, taxonomy in (("own", [other, QUOTA]), ("none", [other])):
        found = proposals([ONE, case(1, "escalation")], taxonomy, nights("+" * 30), {}, RULES, AT)
        after[name] = next(one.after for one in found if one.case_id == ONE.case_id)
    assert after == {"own": "0 of 2, 2 below quota: write another one first", "none": "0 of 0"}


@pytest.mark.parametrize(("word", "said"), [("-", "failed"), ("+", "passed")])
def test_a_silent_case_says_what_always_came_of_it(word: str, said: str) -> None:
    """The reason has the outcome, the nights and how many versions there were."""
    found = proposals([ONE, OTHER], [QUOTA], nights(word * 31, targets=2), {}, RULES, AT)
    (reason,) = [one.reason for one in found if (one.case_id, one.kind) == (ONE.case_id, "never-discriminates")]
    assert reason == (
        f"{said} in each of the last 30 nights with an outcome, by 2 versions of the target and by the baseline, "
        "while other cases told versions apart"
    )


def test_since_is_the_last_change_that_counts() -> None:
    """A new owner leaves the date of a case as it is; a new word in the question moves it."""
    later, last = AT + timedelta(days=1), AT + timedelta(days=2)
    words = [(ONE, AT), (case(1, owner="ben"), later)]
    assert admitted_since(iter(words)) == {ONE.case_id: AT}
    assert admitted_since(iter([*words, (case(1, turns=["Other?"]), last)])) == {ONE.case_id: last}


def test_history_keeps_each_night_once() -> None:
    """A night that is published again takes the place of its row, so equal content gives an equal history."""
    first = recorded(recorded([], case_night("2026-11-01", [ONE])), case_night("2026-11-02", [ONE]))
    again = recorded(first, case_night("2026-11-02", [ONE], failed=[ONE.case_id]))
    assert [(row.night, row.failed) for row in again] == [("2026-11-01", []), ("2026-11-02", [ONE.case_id])]
    assert recorded(again, case_night("2026-11-02", [ONE])) == first


def test_each_run_of_a_date_has_its_row() -> None:
    """A second run of a date stands beside the first, also beside one of before runs had ids; neither loses its set."""
    history = recorded([], case_night("2026-11-01", [ONE]))
    for run, failed in (("run-1", []), ("run-2", [ONE.case_id]), ("run-1", [ONE.case_id])):
        history = recorded(history, case_night("2026-11-01", [ONE], run=run, failed=failed))
    rows = [(row.run, row.failed, bool(row.revisions)) for row in history]
    assert rows == [("", [], True), ("run-1", [ONE.case_id], False), ("run-2", [ONE.case_id], False)]


def test_a_date_that_was_run_often_counts_once_by_its_last_run() -> None:
    """Sixty runs on twenty dates are twenty nights; an earlier run's failure is not that night's outcome."""
    dates = [f"2026-11-{day:02}" for day in range(1, 21)]
    runs = [
        case_night(date, [ONE], run=f"{date}-{number}", target=f"support@{number}", failed=failed)
        for date in dates
        for number, failed in ((1, [ONE.case_id]), (2, []), (3, []))
    ]
    assert kinds(runs) == []
    more = [case_night(f"2026-12-{day:02}", [ONE], run="run", target=f"support@{day}") for day in range(1, 11)]
    assert kinds([*runs, *more]) == ["saturated"]


def test_history_names_a_set_once_and_forgets_the_oldest() -> None:
    """Ninety nights are kept; revisions stand in the first row of a set and come back for all of them."""
    history: list[CaseNight] = []
    for at in range(KEPT + 10):
        cases = [ONE] if at < 50 else [ONE, OTHER]
        history = recorded(history, case_night(f"night-{at:03}", cases))
    assert (len(history), history[0].night) == (KEPT, "night-010")
    assert [row.night for row in history if row.revisions] == ["night-010", "night-050"]
    assert [len(row.revisions) for row in unfolded(history)] == [1] * 40 + [2] * 50


@pytest.mark.parametrize("apart", [range(30), (0,), (29,), (), (-1,)])
def test_one_night_apart_from_the_baseline_tells_something(apart: Sequence[int]) -> None:
    """A case that differed from the baseline in one of its last thirty nights is not silent; one of before is."""
    rows = nights("-" * 31, targets=2)
    rows = [
        row.model_copy(update={"differing": [ONE.case_id]}) if at - 1 in apart else row for at, row in enumerate(rows)
    ]
    assert kinds(rows) == ([] if set(apart) & set(range(30)) else ["never-discriminates"])
