"""The cases of a night: which group each is in, and since when it fails."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

import pytest

from assay.records.history import KEPT, CaseNight
from assay.records.response import MadeCall, Response
from assay.records.verdict import IDENTICAL
from assay.report.cases import ALONE, GROUPS, Filed, Group, Since, group_of, of_accepted, reported, story
from assay.report.category_rates import both_rates, category_rates
from assay.report.findings import NOTHING_SCORES, CaseOutcome, Outcomes
from assay.stats.rates import wilson
from tests.cast import broken, case, case_night, response, verdict

ONE = case(1)
TONIGHT = "2026-12-31"


def nights(marks: str, **changes: list[str]) -> list[CaseNight]:
    """Return a history: `-` is a night on which the case failed, `+` one it passed, `.` one without an outcome."""
    fields = {"-": {"failed": [ONE.case_id]}, "+": {}, ".": {"unscored": [ONE.case_id]}}
    return [case_night(f"2026-{at // 28 + 1:02}-{at % 28 + 1:02}", [ONE], **fields[m]) for at, m in enumerate(marks)]


def filed(history: Sequence[CaseNight], outcome: CaseOutcome = "fail") -> Filed:
    """Return a night of one case after this history."""
    return Filed(
        night=TONIGHT,
        cases=[ONE],
        severities={"refunds": "high"},
        responses={"target": [response(ONE)], "baseline": []},
        verdicts=[verdict(ONE.case_id, "fail")],
        target=Outcomes({ONE.case_id: outcome}, Counter()),
        baseline=Outcomes({ONE.case_id: "wire"}, Counter()),
        history=history,
    )


def since(history: Sequence[CaseNight]) -> Since:
    (found,) = reported(filed(history))
    assert found.since
    return found.since


def test_a_date_that_was_run_often_is_one_night_of_a_failure() -> None:
    """The last run of each date says whether the case failed on it, once; runs of tonight's own date say nothing."""
    dates = ("2026-12-28", "2026-12-29", "2026-12-30", TONIGHT)
    outcomes = {"2026-12-28": ([ONE.case_id], []), TONIGHT: ([], [])}
    history = [
        case_night(date, [ONE], run=f"run-{number}", failed=failed)
        for date in dates
        for number, failed in enumerate(outcomes.get(date, ([], [ONE.case_id])))
    ]
    assert (since(history).night, since(history).nights) == ("2026-12-29", 3)


@pytest.mark.parametrize(
    ("marks", "night", "count"),
    [
        ("", TONIGHT, 1),
        ("+", TONIGHT, 1),
        ("---", "2026-01-01", 4),
        ("-+--", "2026-01-03", 3),
        ("-.-.", "2026-01-01", 3),
        ("-+.", TONIGHT, 1),
        ("..", TONIGHT, 1),
    ],
)
def test_a_failure_stands_since_its_first_night_in_a_row(marks: str, night: str, count: int) -> None:
    """A pass ends the row; a night without an outcome neither ends it nor counts."""
    found = since(nights(marks))
    assert (found.night, found.nights, found.is_oldest) == (night, count, False)


def test_another_revision_is_another_case() -> None:
    """A case that was changed, or was not in the set, fails anew."""
    changed = case_night("2026-01-02", [case(1, turns=["Something else?"])], failed=[ONE.case_id])
    assert since([*nights("-"), changed]).nights == 1
    assert since([*nights("-"), case_night("2026-01-02", [], failed=[ONE.case_id])]).nights == 1


def test_a_full_history_may_not_reach_the_beginning() -> None:
    """What failed in the oldest night that is kept perhaps failed before, and says so."""
    assert since(nights("-" * (KEPT - 1))).words == f"since 2026-01-01 or earlier ({KEPT} nights)"
    assert not since(nights("+" + "-" * (KEPT - 2))).is_oldest


def test_what_was_shown_counts_where_the_judge_was_not_believed() -> None:
    """In a night whose judge had no certificate the row that was shown decides, not that of the checks alone."""
    row = nights(".")[0]
    assert since([row.model_copy(update={"shown_failed": [ONE.case_id], "shown_unscored": []})]).nights == 2
    passed = row.model_copy(update={"shown_failed": [], "shown_unscored": []})
    assert since([*nights("-"), passed.model_copy(update={"night": "2026-01-02"})]).nights == 1


def test_tonight_and_later_nights_are_not_looked_at() -> None:
    """Published again, tonight counts once, and a row of a later date says nothing of tonight."""
    rows = [case_night(night, [ONE], failed=[ONE.case_id]) for night in (TONIGHT, "2027-01-01")]
    assert since(rows).nights == 1


@pytest.mark.parametrize("outcome", ["pass", "wire", "judge", "unscorable"])
def test_only_a_failing_case_has_a_since(outcome: CaseOutcome) -> None:
    """A case that passes, or has no outcome, does not fail since any night."""
    (found,) = reported(filed(nights("---"), outcome))
    assert found.since is None
    assert found.outcome == ("pass" if outcome == "pass" else "unscored")


def test_every_pair_of_outcomes_has_a_group() -> None:
    """A fail is in one of three groups whatever the baseline gave, and what has no outcome is in its own."""
    everything = get_args(CaseOutcome)
    assert {group_of("fail", theirs) for theirs in everything} == {"newly-failing", "standing", "failing"}
    assert {group_of("pass", theirs) for theirs in everything} == {"fixed", "passed"}
    for mine in ("wire", "judge", "unscorable"):
        assert {group_of(mine, theirs) for theirs in everything} == {"unscored"}  # type: ignore[arg-type]
    assert len(GROUPS) + len(ALONE) == 5


def test_rates_by_category_need_no_baseline() -> None:
    """Each category has passes, fails, cases without an outcome and Wilson's interval; one that nothing scored none."""
    outcomes: dict[str, CaseOutcome] = {f"a{n}": "pass" if n else "fail" for n in range(4)}
    outcomes |= {"a4": "wire", "b0": "fail", "b1": "wire", "c0": "judge"}
    found = category_rates("all", {name: name[0] for name in outcomes}, Outcomes(outcomes, Counter()))
    assert found
    assert [(row.category, row.passed, row.failed, row.without) for row in found.rows] == [
        *(("b", 0, 1, 1), ("a", 3, 1, 1), ("c", 0, 0, 1))
    ]
    rate, expected = found.rows[1].rate, wilson(3, 4)
    assert rate
    assert (rate.estimate, rate.low, rate.high, rate.n) == (0.75, expected.low, expected.high, 4)
    assert found.rows[2].rate is None
    assert (found.overall.passed, found.overall.failed, found.overall.without) == (3, 2, 3)
    assert category_rates("all", {"c0": "c"}, Outcomes({"c0": "judge"}, Counter())) is None


def test_rates_are_told_as_far_as_there_are_any() -> None:
    """Of all scorers and of checks alone those are left out that gave no case an outcome."""
    scored = Outcomes({ONE.case_id: "pass"}, Counter())
    nothing = Outcomes({ONE.case_id: "judge"}, Counter())
    told = {
        names: [rates.scorers for rates in both_rates([ONE], *pair)]
        for names, pair in {
            "both": (scored, scored),
            "all": (scored, nothing),
            "checks": (nothing, scored),
            "none": (nothing, nothing),
        }.items()
    }
    assert told == {"both": ["all", "checks"], "all": ["all"], "checks": ["checks"], "none": []}


@pytest.mark.parametrize(("groups", "count"), [(["failing"], 1), (["standing", "passed"], 0), ([], 0)])
def test_only_cases_of_the_groups_asked_for_are_told(groups: list[Group], count: int) -> None:
    """A case that fails beside a baseline without an outcome is among the failing ones, and in no other list."""
    assert len(reported(filed(nights("---")), groups=groups)) == count


def test_both_answers_of_a_case_are_told() -> None:
    """Text and calls of either version, and what the case asks; of a version without an answer there are none."""
    of = case(1, inputs={"plan": "gold", "limit": 3}, contexts=["The terms."], references=["Also right."])
    calls = {version: [MadeCall(name=version, arguments="{}")] for version in ("target", "baseline")}
    answers = {version: [response(of, f"By {version}.", tool_calls=calls[version])] for version in calls}
    night = replace(filed([]), cases=[of], baseline=Outcomes({of.case_id: "pass"}, Counter()))
    both, alone, lost = (
        reported(replace(night, responses=answers | changes))[0] for changes in ({}, {"baseline": []}, {"target": []})
    )
    assert (both.baseline_text, both.target_text) == ("By baseline.", "By target.")
    assert (both.baseline_calls, both.target_calls) == (calls["baseline"], calls["target"])
    assert (alone.baseline_text, alone.baseline_calls, alone.target_text) == ("", [], "By target.")
    assert (lost.target_text, lost.target_calls, lost.baseline_text) == ("", [], "By baseline.")
    assert (both.inputs, both.contexts) == ({"plan": "gold", "limit": "3"}, ["The terms."])
    assert (both.turns, both.reference, both.references) == (of.turns, of.reference, ["Also right."])
    assert (both.severity, both.layer, both.outcome, both.group) == ("high", "unit", "fail", "newly-failing")


def test_what_got_worse_stands_first_then_what_is_severe() -> None:
    """Then the alphabet of categories, and of cases in each."""
    severities = {"calm": "low", "early": "high", "late": "high", "worse": "low"}
    cases = [case(number, name) for name in ("calm", "late", "worse", "early") for number in (2, 1)]
    night = replace(
        filed([]),
        cases=cases,
        severities=severities,
        target=Outcomes(dict.fromkeys((one.case_id for one in cases), "fail"), Counter()),
        baseline=Outcomes(dict.fromkeys((one.case_id for one in cases), "wire"), Counter()),
    )
    assert [one.case_id for one in reported(night, worse={"worse"})] == [
        f"{name}-{number:03}" for name in ("worse", "early", "late", "calm") for number in (1, 2)
    ]


def test_a_story_is_all_that_was_filed_of_one_case() -> None:
    """Every answer of either version, why one is missing, every verdict; and nothing of another case."""
    two = case(2)
    answers = {
        "target": [response(ONE, "Mine."), broken(ONE).model_copy(update={"trial": 1}), response(two)],
        "baseline": [response(ONE, "Before."), response(two)],
    }
    said = [verdict(ONE.case_id, "fail", rationale="Wrong."), verdict(two.case_id, "pass")]
    both: dict[str, CaseOutcome] = {ONE.case_id: "fail", two.case_id: "pass"}
    night = replace(
        filed([]),
        cases=[ONE, two],
        responses=answers,
        verdicts=said,
        target=Outcomes(both, Counter()),
        baseline=Outcomes(both, Counter()),
    )
    (one, *_) = reported(night)
    told = story(night, one)
    assert (told.night, told.case, told.expectations) == (TONIGHT, one, ONE.expectations)
    assert [(row.version, row.trial, row.status, row.text, row.error) for row in told.answers] == [
        ("target", 0, "ok", "Mine.", ""),
        ("target", 1, "error", "", "timeout. no answer within 30 s"),
        ("baseline", 0, "ok", "Before.", ""),
    ]
    assert [(row.scorer, row.outcome, row.rationale) for row in told.verdicts] == [("correctness", "fail", "Wrong.")]


def test_what_decides_about_a_case() -> None:
    """Verdicts on a case are those of its own by judges that decide; of a case that nobody scored there are none."""
    said = [verdict(ONE.case_id, "fail", scorer=scorer) for scorer in ("tone", "correctness")]
    of = replace(
        filed([]),
        verdicts=[*said, verdict(ONE.case_id, "pass", subject="anchor"), verdict("other", "pass")],
        charted=frozenset({"tone"}),
    )
    assert [row.scorer for row in of.deciding(ONE.case_id)] == ["correctness"]
    assert of.deciding("nobody") == []


def test_an_answer_that_was_just_accepted_has_tonight_s_verdicts() -> None:
    """What was said of the accepted answer is said of the baseline, first trial alone; what is stale is left out."""
    two = case(2)
    tonight = [response(ONE), response(two)]
    said = [
        verdict(ONE.case_id, "pass"),
        verdict(ONE.case_id, "fail", trial=1),
        verdict(ONE.case_id, "fail", subject="baseline"),
        verdict(ONE.case_id, "a", subject="pair"),
        verdict(ONE.case_id, "tie", subject="pair", fingerprint=IDENTICAL),
        verdict(two.case_id, "fail", subject="baseline"),
    ]
    found = of_accepted(said, tonight, [response(ONE), response(two, "Another answer.")])
    assert found == [*said[:2], *said[4:], verdict(ONE.case_id, "pass", subject="baseline")]


@pytest.mark.parametrize(
    ("outcomes", "shown"),
    [
        ("pass pass pass", 0),
        ("pass fail fail", 1),
        ("pass unscored pass", 1),
        ("fail pass error", 2),
        ("tone pass pass", 0),
    ],
)
def test_the_trial_that_tells_most_is_shown(outcomes: str, shown: int) -> None:
    """Of several trials the first without an answer is shown, else the first that did not pass, else the first."""
    words = outcomes.split()
    answers = [broken(ONE) if word == "error" else response(ONE) for word in words]
    trials = [answer.model_copy(update={"trial": at}) for at, answer in enumerate(answers)]
    verdicts = [verdict(ONE.case_id, word, trial=at) for at, word in enumerate(words) if word not in ("error", "tone")]
    verdicts += [verdict(ONE.case_id, "fail", trial=at, scorer="tone") for at in range(3)]
    of = replace(
        filed([]), responses={"target": trials, "baseline": []}, verdicts=verdicts, charted=frozenset({"tone"})
    )
    assert {name: row.trial for name, row in of.shown["target"].items()} == {ONE.case_id: shown}


@pytest.mark.parametrize(
    ("outcome", "answer", "said", "why"),
    [
        ("wire", broken(ONE), [], ["no response: timeout. no answer within 30 s"]),
        ("wire", None, [], ["no response: none on file."]),
        ("unscorable", response(ONE), [], [NOTHING_SCORES]),
        ("judge", response(ONE), [], ["a scorer gave no verdict: none on file"]),
        ("judge", response(ONE), [("unscored", {"detail": "no answer"})], ["correctness: unscored. no answer"]),
        ("pass", response(ONE), [("pass", {"rationale": "Right."})], []),
        (
            "fail",
            response(ONE),
            [("fail", {"rationale": "Wrong.", "detail": "P = 0.1"})],
            ["correctness: fail. Wrong."],
        ),
        (
            "fail",
            response(ONE),
            [("fail", {"label": "poor", "fault": "format"})],
            ["correctness: fail (poor). format:"],
        ),
        ("fail", response(ONE), [("fail", {"subject": "baseline"}), ("fail", {"scorer": "tone"})], []),
        (
            "fail",
            response(ONE),
            [("pass", {}), ("fail", {"trial": 1, "rationale": "Wrong."})],
            ["trial 2, correctness: fail. Wrong."],
        ),
    ],
)
def test_why_a_case_did_not_pass(
    outcome: CaseOutcome, answer: Response | None, said: list[tuple[str, dict[str, Any]]], why: list[str]
) -> None:
    """No response, nothing that scores, no verdict, or each of the target's that is no pass; a pass has no reason."""
    of = replace(
        filed([], outcome),
        responses={"target": [answer] if answer else [], "baseline": []},
        verdicts=[verdict(ONE.case_id, word, **changes) for word, changes in said],
        charted=frozenset({"tone"}),
    )
    assert [found.why for found in reported(of)] == [why]
