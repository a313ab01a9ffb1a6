"""Every case of a night: what came of it, since when it fails, and what a reader has to see of it.

The report and the commands `assay cases` and `assay case` show what is made here, so the two never differ.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from pydantic import Field

from assay.records import named
from assay.records.attachment import Attachment
from assay.records.case import Case, Expectation, Layer, ToolCall
from assay.records.history import KEPT, CaseNight, last_runs
from assay.records.record import Record
from assay.records.response import Message, Response
from assay.records.verdict import IDENTICAL, Subject, Verdict
from assay.report.findings import NOTHING_SCORES, CaseOutcome, Outcomes

SEVERITY = ("critical", "high", "medium", "low")
Group = Literal["newly-failing", "failing", "standing", "unscored", "fixed", "passed"]
GROUPS: dict[tuple[CaseOutcome, CaseOutcome], Group] = {
    ("fail", "pass"): "newly-failing",
    ("fail", "fail"): "standing",
    ("pass", "fail"): "fixed",
}
"""By the outcomes with the target and with the baseline, where both have one."""
ALONE: dict[CaseOutcome, Group] = {"fail": "failing", "pass": "passed"}
"""By the target's outcome where the baseline has none."""
FAILING: tuple[Group, ...] = ("newly-failing", "failing", "standing")
CUT = "length"
"""The finish reason of an answer that was cut at the token limit."""


class Since(Record):
    """How long a case has failed at its present revision; a night without an outcome neither ends that nor counts.

    Of a date that was run several times the last run counts, once.
    """

    night: str
    """The first night."""
    nights: int
    """On which it failed, tonight included."""
    is_oldest: bool
    """It failed in the oldest night that a full history holds, so perhaps longer."""

    @property
    def words(self) -> str:
        """Return it as a person reads it, such as `since 2026-11-28 (3 nights)`."""
        nights = "1 night" if self.nights == 1 else f"{self.nights} nights"
        return f"since {self.night}{' or earlier' if self.is_oldest else ''} ({nights})"


class ReportedCase(Record):
    """One case of tonight with its outcome, both answers and why it did not pass."""

    case_id: str
    category: str
    layer: Layer
    severity: str
    outcome: Literal["pass", "fail", "unscored"]
    group: Group
    since: Since | None
    """None where it does not fail, or the history is not known."""
    turns: list[str]
    inputs: dict[str, str] = Field(default={})
    """The case's named values, as a person reads them."""
    contexts: list[str] = Field(default=[])
    """Documents that the case gives."""
    reference: str
    references: list[str] = Field(default=[])
    """Further good answers."""
    attachments: list[Attachment] = Field(default=[])
    """Files that go with the first turn."""
    baseline_text: str
    target_text: str
    baseline_calls: list[ToolCall]
    target_calls: list[ToolCall]
    cut: int
    """Answers of the target that were cut at the token limit."""
    why: list[str]
    """What each scorer that did not pass said, one line each; they quote hostile text."""


class CaseAnswer(Record):
    """What one version answered in one trial, or why there is no answer."""

    version: Literal["target", "baseline"]
    trial: int
    status: Literal["ok", "error"]
    error: str
    text: str
    messages: list[Message]
    tool_calls: list[ToolCall]
    finish_reason: str


class CaseVerdict(Record):
    """What one scorer said of one answer or pair of answers."""

    subject: Subject
    trial: int
    scorer: str
    outcome: str
    status: str
    fault: str
    score: float | None
    detail: str
    votes: list[str]
    label: str = ""
    """In a judge's own scale."""
    rationale: str = ""
    """Why, as the judge says."""


class CaseStory(Record):
    """All that a night filed of one case."""

    night: str
    case: ReportedCase
    expectations: list[Expectation]
    rubric: dict[str, str] = Field(default={})
    """By judge: what it looks at in this case."""
    thresholds: dict[str, int] = Field(default={})
    """By judge of scores: from which number on an answer to this case passes."""
    answers: list[CaseAnswer]
    verdicts: list[CaseVerdict]


@dataclass(frozen=True, kw_only=True)
class Filed:
    """What a night filed of its cases."""

    night: str
    """The date of the run."""
    cases: Sequence[Case]
    severities: Mapping[str, str]
    """By category."""
    responses: Mapping[Subject, Sequence[Response]]
    verdicts: Sequence[Verdict]
    target: Outcomes
    """By all scorers."""
    baseline: Outcomes
    charted: frozenset[str] = frozenset()
    """Judges that decide nothing: a case fails by none of them."""
    history: Sequence[CaseNight] | None = None
    """Unfolded; the rows of tonight's date are not needed, and looked at by nobody. None where it is not known."""

    @cached_property
    def verdicts_of(self) -> dict[str, list[Verdict]]:
        """Return what was said by case, of the target, the baseline and the pair."""
        by_case: dict[str, list[Verdict]] = defaultdict(list)
        for verdict in self.verdicts:
            if verdict.subject != "anchor":
                by_case[verdict.item_id].append(verdict)
        return by_case

    def deciding(self, case_id: str) -> list[Verdict]:
        """Return what was said of a case by those that decide about it."""
        return [row for row in self.verdicts_of.get(case_id, []) if row.scorer not in self.charted]

    @cached_property
    def shown(self) -> dict[Subject, dict[str, Response]]:
        """Return by version the trial of each case to be seen: the first without an answer, or that did not pass."""
        fell = {
            (row.subject, row.item_id, row.trial)
            for row in self.verdicts
            if row.outcome != "pass" and row.scorer not in self.charted
        }
        return {
            subject: {
                row.case_id: row
                for row in sorted(
                    self.responses[subject],
                    key=lambda row: (row.status == "ok", (subject, row.case_id, row.trial) not in fell, row.trial),
                    reverse=True,
                )
            }
            for subject in self.responses
        }

    @cached_property
    def cut(self) -> Counter[str]:
        """Return how many of the target's answers to each case were cut at the token limit."""
        answered = (row for row in self.responses["target"] if row.status == "ok")
        return Counter(row.case_id for row in answered if row.finish_reason == CUT)

    @cached_property
    def since(self) -> dict[str, Since]:
        """Return since when each of tonight's failing cases fails, tonight included."""
        return {} if self.history is None else _since(self, self.history)

    def group_of(self, case_id: str) -> Group:
        """Return which group a case belongs to."""
        return group_of(self.target.by_case[case_id], self.baseline.by_case[case_id])


def of_accepted(verdicts: list[Verdict], responses: Sequence[Response], accepted: Sequence[Response]) -> list[Verdict]:
    """Return the verdicts with those of accepted answers that are tonight's own: what was said of the same answers.

    After `assay accept` and before the next night the table speaks of the baseline that was before, or of none.
    """
    tonight = {response.case_id: response for response in responses if not response.trial}
    same = {response.case_id for response in accepted if tonight.get(response.case_id) == response}
    stale = {"baseline": same, "pair": same}
    kept = [
        verdict
        for verdict in verdicts
        if verdict.item_id not in stale.get(verdict.subject, ()) or verdict.fingerprint == IDENTICAL
    ]
    return kept + [
        verdict.model_copy(update={"subject": "baseline"})
        for verdict in verdicts
        if verdict.subject == "target" and not verdict.trial and verdict.item_id in same
    ]


def group_of(mine: CaseOutcome, theirs: CaseOutcome) -> Group:
    """Return which group a case belongs to, by its outcomes with the target and with the baseline."""
    return GROUPS.get((mine, theirs)) or ALONE.get(mine, "unscored")


def reported(
    filed: Filed, worse: Sequence[str] = (), groups: Collection[Group] = get_args(Group)
) -> list[ReportedCase]:
    """Return the cases of the night: categories that got worse first, then by severity, category and name.

    Args:
        filed: What the night filed.
        worse: Categories in which the target is worse beyond chance.
        groups: Only cases of these.
    """

    def place(case: Case) -> tuple[object, ...]:
        severity = SEVERITY.index(filed.severities[case.category])
        return case.category not in worse, severity, case.category, case.case_id

    wanted = [case for case in filed.cases if filed.group_of(case.case_id) in groups]
    return [_reported(case, filed) for case in sorted(wanted, key=place)]


def story(filed: Filed, case: ReportedCase) -> CaseStory:
    """Return all that the night filed of one of its cases."""
    (asked,) = (one for one in filed.cases if one.case_id == case.case_id)
    answers = [
        CaseAnswer(
            version=version,
            trial=response.trial,
            status=response.status,
            error=f"{response.error_kind}. {response.error}".strip(". ") if response.status == "error" else "",
            text=response.text,
            messages=response.messages,
            tool_calls=response.tool_calls,
            finish_reason=response.finish_reason,
        )
        for version in ("target", "baseline")
        for response in filed.responses[version]
        if response.case_id == case.case_id
    ]
    verdicts = [
        CaseVerdict.model_validate(verdict.model_dump(include=set(CaseVerdict.model_fields)))
        for verdict in filed.verdicts_of.get(case.case_id, [])
    ]
    return CaseStory(
        night=filed.night,
        case=case,
        expectations=asked.expectations,
        rubric=asked.rubric,
        thresholds=asked.thresholds,
        answers=answers,
        verdicts=verdicts,
    )


def _since(filed: Filed, history: Sequence[CaseNight]) -> dict[str, Since]:
    """Return since when each of tonight's failing cases fails, tonight included."""
    before = [
        (
            row,
            frozenset(row.failed if row.shown_failed is None else row.shown_failed),
            frozenset(row.unscored if row.shown_unscored is None else row.shown_unscored),
        )
        for row in reversed(last_runs(history))
        if row.night < filed.night
    ]
    oldest = before[-1][0].night if len(before) >= KEPT - 1 else None
    found = {}
    for case in filed.cases:
        if filed.target.by_case[case.case_id] != "fail":
            continue
        revision, first, nights = case.revision(), filed.night, 1
        for row, failed, unscored in before:
            if row.revisions.get(case.case_id) != revision:
                break
            if case.case_id in failed:
                first, nights = row.night, nights + 1
            elif case.case_id not in unscored:
                break
        found[case.case_id] = Since(night=first, nights=nights, is_oldest=first == oldest)
    return found


def _reported(case: Case, filed: Filed) -> ReportedCase:
    mine, theirs = (filed.shown[version].get(case.case_id) for version in ("target", "baseline"))
    outcome = filed.target.by_case[case.case_id]
    return ReportedCase(
        case_id=case.case_id,
        category=case.category,
        layer=case.layer,
        severity=filed.severities[case.category],
        outcome=outcome if outcome in ("pass", "fail") else "unscored",
        group=filed.group_of(case.case_id),
        since=filed.since.get(case.case_id),
        turns=case.turns,
        inputs={name: named.shown(value) for name, value in case.values().items()},
        contexts=case.contexts,
        reference=case.reference,
        references=case.references,
        attachments=case.attachments,
        baseline_text=theirs.text if theirs else "",
        target_text=mine.text if mine else "",
        baseline_calls=theirs.tool_calls if theirs else [],
        target_calls=mine.tool_calls if mine else [],
        cut=filed.cut[case.case_id],
        why=_why(
            outcome, mine, [row for row in filed.verdicts_of.get(case.case_id, []) if row.scorer not in filed.charted]
        ),
    )


def _why(outcome: CaseOutcome, mine: Response | None, verdicts: Sequence[Verdict]) -> list[str]:
    """Return why a case did not pass, one reason a line; nothing for one that did."""
    if mine is None or mine.status == "error":
        return [f"no response: {mine.error_kind if mine else 'none on file'}. {mine.error if mine else ''}".strip()]
    if outcome == "unscorable":
        return [NOTHING_SCORES]
    of_target = [verdict for verdict in verdicts if verdict.subject == "target"]
    in_trials = any(verdict.trial for verdict in of_target)
    reasons = [_reason(verdict, is_one_of_many=in_trials) for verdict in of_target if verdict.outcome != "pass"]
    if outcome == "judge" and not reasons:
        return ["a scorer gave no verdict: none on file"]
    return reasons


def _reason(verdict: Verdict, *, is_one_of_many: bool) -> str:
    """Return why a verdict is no pass, in which of several trials, and whether the format alone is at fault."""
    trial = f"trial {verdict.trial + 1}, " if is_one_of_many else ""
    fault = "format: " if verdict.fault == "format" else ""
    said = f"{verdict.outcome} ({verdict.label})" if verdict.label else verdict.outcome
    return f"{trial}{verdict.scorer}: {said}. {fault}{verdict.rationale or verdict.detail}".strip()
