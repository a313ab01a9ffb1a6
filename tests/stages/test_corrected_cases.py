"""Corrected cases: what was asked decides whose answer it is, and today's case scores the answers of both versions."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from assay.commands.accept import accept
from assay.commands.cases import case as story_of
from assay.commands.cases import cases as listed
from assay.project import run_id
from assay.project.run_id import new_run
from assay.project.tables.evalset import CASES
from assay.project.tables.labels import ITEMS, LABELS
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.verdicts import VERDICTS
from assay.records.case import Case, Expectation
from assay.report.content import Report
from assay.stages import execute, judge, publish
from assay.stages.night import gather
from tests.cast import Project, case
from tests.endpoint import Body, Reply, Served, completion, serving

GOOD, BAD = "Yes, within 14 days.", "No, never."
X = "refunds-000"
"""The case that somebody corrects."""
SHORT = [Expectation(check="contains", values=["14"])]
WRONG = [Expectation(check="contains", values=["30"])]
OPPOSITE = [Expectation(check="not-contains", values=["14"])]


def shown(body: Body, name: str) -> str:
    """Return the text between two delimiters of a judge's prompt."""
    content: str = body["messages"][-1]["content"]
    return content.partition(f"<{name}>\n")[2].partition(f"\n</{name}>")[0]


def by_reference(body: Body) -> Reply:
    """Pass an answer that is the reference, fail any other, and prefer A."""
    is_pair = "<response_a>" in body["messages"][-1]["content"]
    word = "A" if is_pair else "pass" if shown(body, "response") == shown(body, "reference") else "fail"
    return completion(json.dumps({"verdict": word}), "judge-1")


@pytest.fixture
def judging(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """Four cases that checks alone decide, no labels, no baseline, and a judge that goes by the reference."""
    CASES.write([case(number, reference="") for number in range(4)])
    for table in (ITEMS, LABELS, BASELINE):
        table.file().unlink()
    with serving(by_reference) as served:
        monkeypatch.setenv("OPENAI_BASE_URL", served.url)
        yield served


def correct(**changes: Any) -> Case:
    """Let a person change a part of X; return it."""
    first, *rest = CASES.read()
    changed = Case.model_validate(first.model_dump() | changes)
    CASES.write([changed, *rest])
    return changed


def ask(project: Project, moment: datetime, answers: Mapping[str, str]) -> None:
    """Run `execute` in a run of its own against a product that says GOOD, but for these answers."""
    rows = [{"case_id": one.case_id, "text": answers.get(one.case_id, GOOD)} for one in CASES.read()]
    (project.folder / "answers.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    with run_id.being(new_run(lambda: moment, bytes)):
        execute.run(moment)


def night(project: Project, moment: datetime, answers: Mapping[str, str] | None = None) -> Report:
    """Run a whole night; return its report."""
    ask(project, moment, answers or {})
    judge.run(moment)
    publish.run(moment)
    return publish.report(gather(), publish.Settings(), moment)


def accepted(project: Project, now: datetime, answers: Mapping[str, str] | None = None) -> datetime:
    """Run a night and accept it; return when the next one begins."""
    night(project, now, answers)
    accept(now)
    return now + timedelta(days=1)


def group(case_id: str = X) -> str:
    """Return which group a case is in, as `assay cases` has it."""
    (found,) = [one.group for one in listed().cases if one.case_id == case_id]
    return found


@pytest.mark.parametrize(
    ("expectations", "before", "tonight", "expected"),
    [
        (SHORT, GOOD, BAD, "newly-failing"),
        (SHORT, GOOD, GOOD, "passed"),
        (SHORT, BAD, GOOD, "fixed"),
        (WRONG, GOOD, BAD, "standing"),
        (OPPOSITE, GOOD, GOOD, "standing"),
        (OPPOSITE, GOOD, BAD, "fixed"),
    ],
)
def test_both_versions_are_scored_by_the_corrected_expectation(
    project: Project,
    judging: Served,
    now: datetime,
    expectations: list[Expectation],
    before: str,
    tonight: str,
    expected: str,
) -> None:
    """The accepted answer counts by today's expectation: X newly fails only where that answer passes by it."""
    later = accepted(project, now, {X: before})
    correct(expectations=expectations)
    report = night(project, later, {X: tonight})
    assert group() == expected
    assert report.provenance.without_baseline == 0
    assert report.checks
    outcomes = {"newly-failing": (0, 1), "fixed": (1, 0)}
    assert (report.checks.gained, report.checks.lost) == outcomes.get(expected, (0, 0))
    assert report.checks.change.n == 4


def test_a_case_in_another_category_is_compared(project: Project, judging: Served, now: datetime) -> None:
    """A case that moved asks what it asked, so its accepted answer stands beside tonight's in the new category."""
    later = accepted(project, now)
    correct(category="escalation")
    report = night(project, later, {X: BAD})
    assert [(one.case_id, one.category) for one in report.newly_failing] == [(X, "escalation")]


def test_another_question_has_no_accepted_answer(project: Project, judging: Served, now: datetime) -> None:
    """An answer to what a case asked before is none to it: X is counted as not compared, and the other three are."""
    later = accepted(project, now)
    correct(turns=["Is it within 30 days?"])
    report = night(project, later, {X: BAD})
    assert (group(), report.provenance.without_baseline) == ("failing", 1)
    assert [answer.version for answer in story_of(X).answers] == ["target"]
    assert report.checks
    assert report.checks.change.n == 3


@pytest.mark.parametrize(("is_corrected", "expected"), [(False, "newly-failing"), (True, "failing")])
def test_a_baseline_of_before_goes_by_the_whole_case(
    project: Project, judging: Served, now: datetime, *, is_corrected: bool, expected: str
) -> None:
    """Where nobody wrote down what was asked, an accepted answer counts for a case that is as it was, and no other."""
    later = accepted(project, now)
    BASELINE.write([row.model_copy(update={"request": ""}) for row in BASELINE.read()])
    if is_corrected:
        correct(expectations=SHORT)
    report = night(project, later, {X: BAD})
    assert (group(), report.provenance.without_baseline) == (expected, int(is_corrected))


def test_a_corrected_reference_is_judged_anew_for_both_versions(
    project: Project, judging: Served, now: datetime
) -> None:
    """Each version's answer and the pair, in both orders, are put to the judge with the new reference, and no other."""
    first, *rest = CASES.read()
    CASES.write([one.model_copy(update={"reference": GOOD}) for one in (first, *rest)])
    later = accepted(project, now)
    said = "Within two weeks."
    night(project, later, {X: said})
    assert group() == "newly-failing"
    judging.asked.clear()
    correct(reference=said)
    night(project, later + timedelta(days=1), {X: said})
    asked = [body for body in judging.asked if "Is this a probe?" not in body["messages"][-1]["content"]]
    assert {shown(body, "reference") for body in asked} == {said}
    orders = {(shown(body, "response_a"), shown(body, "response_b")) for body in asked} - {("", "")}
    assert orders == {(said, GOOD), (GOOD, said)}
    assert {shown(body, "response") for body in asked} - {""} == {said, GOOD}
    words = {row.subject: row.outcome for row in VERDICTS.read() if (row.item_id, row.scorer) == (X, "correctness")}
    assert words == {"target": "pass", "baseline": "fail"}


def test_until_a_night_has_scored_a_correction_no_verdict_stands(
    project: Project, judging: Served, now: datetime
) -> None:
    """Between the correction and the next night both answers are shown, and no verdict by the old expectation is."""
    night(project, accepted(project, now), {X: BAD})
    assert group() == "newly-failing"
    correct(expectations=OPPOSITE)
    story = story_of(X)
    assert (story.case.group, story.verdicts) == ("unscored", [])
    assert [(answer.version, answer.text) for answer in story.answers] == [("target", BAD), ("baseline", GOOD)]
    assert group("refunds-001") == "passed"


def test_accepted_after_a_correction_the_old_verdicts_are_nobody_s(
    project: Project, judging: Served, now: datetime
) -> None:
    """`assay accept` takes what was said of tonight's answers for the baseline, but for a case corrected since."""
    night(project, now)
    correct(expectations=WRONG)
    accept(now)
    assert (group(), group("refunds-001")) == ("unscored", "passed")
    night(project, now + timedelta(days=1))
    assert group() == "standing"


def test_verdicts_of_another_run_are_not_of_these_answers(project: Project, judging: Served, now: datetime) -> None:
    """A night that ended between the product and the judge shows its answers without the verdicts of the one before."""
    later = accepted(project, now)
    ask(project, later, {X: BAD})
    assert {row.text for row in RESPONSES.read()} == {GOOD, BAD}
    assert {one.group for one in listed().cases} == {"unscored"}
