"""Judged: of which answers, pairs and production conversations has a judge said something that people may label?

Reads tonight's responses, verdicts and traces, and the journal for what judges of production said. Asks nobody. Each of
them becomes an item that freezes all that any judge could be shown of it, so that the item, judged as an anchor night
after night, is asked about with the very texts that were judged.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from assay.errors import InsufficientDataError
from assay.evalset import pii
from assay.judges import questions
from assay.judges.declaration import OF_ANSWER
from assay.judges.prompt import JudgePrompt
from assay.project.params import read_params
from assay.project.tables.evalset import CASES
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.traces import TRACES
from assay.project.tables.verdicts import VERDICTS
from assay.records.case import Case
from assay.records.label import Item
from assay.records.record import digest
from assay.records.response import Response
from assay.records.trace import Trace
from assay.records.verdict import IDENTICAL, Subject, Verdict
from assay.stages import monitor, night

NAME = 83
"""Characters of a case's or trace's name in the id of an item, which ends in a hash of 16."""


class Judged(NamedTuple):
    """One thing that a judge has judged, as people are to see it."""

    item: Item
    stratum: str
    """The judge's verdict: pass or fail; of a pair a (the target's answer), tie or b."""
    value: str
    """What it said on its own scale; the verdict where it has none."""
    said: str
    """What it was shown of the answer, or a hash of that: with `item.case_id` it tells one answer from another."""


class Tonight(NamedTuple):
    """Everything that a judge has judged and people may label."""

    judged: list[Judged]
    frame: str
    """The name of these very answers: another night's, or a changed product's, are another frame."""
    run: str
    """Id of the run that gave them; empty where it had none."""
    left_out: str
    """What is not for people to label, in a clause; empty where there is nothing."""


def tonight(judge: JudgePrompt) -> Tonight:
    """Return what a judge has judged tonight, by the cases as they are, in their order.

    Raises:
        InsufficientDataError: It is nothing; the text says what to run.
    """
    if judge.declared.scope == "traces":
        return _of_production(judge)
    judged = list(_pairs(judge) if judge.declared.is_pair else _answers(judge))
    if not judged:
        what = "pair of different answers" if judge.declared.is_pair else "answer"
        raise InsufficientDataError(
            f"no {what} of tonight was judged by {judge.name}, so none can be drawn: run `assay nightly` first"
        )
    noun = "pairs" if judge.declared.is_pair else "answers"
    first = next(RESPONSES.stream())
    return Tonight(judged, _frame(f"{first.target} {noun}", judged), first.run, "")


def _frame(what: str, judged: Sequence[Judged]) -> str:
    return f"{what} {digest([[one.item.case_id, one.said] for one in judged])}"


def _answers(judge: JudgePrompt) -> Iterator[Judged]:
    """Yield tonight's first answers that a judge of single answers has judged."""
    cases = {case.case_id: case for case in CASES.read()}
    responses = RESPONSES.read()
    verdicts = _verdicts(judge, "target", responses, cases)
    for row in responses:
        if row.trial == 0 and row.status == "ok" and row.case_id in verdicts:
            verdict, case = verdicts[row.case_id], cases[row.case_id]
            said = shown_of_answer(questions.texts_of(judge, case, row), row.text)
            yield Judged(_of_response(case, row, said), verdict.outcome, verdict.label or verdict.outcome, said)


def _pairs(judge: JudgePrompt) -> Iterator[Judged]:
    """Yield tonight's first answers that differ from the accepted ones, with those; which one is A is a hash's word."""
    cases = {case.case_id: case for case in CASES.read()}
    responses = RESPONSES.read()
    verdicts = _verdicts(judge, "pair", responses, cases)
    accepted = {
        row.case_id: row
        for row in BASELINE.read(may_be_absent=True)
        if not row.trial and row.status == "ok" and row.case_id in cases and row.answers(cases[row.case_id])
    }
    for row in responses:
        rival, verdict = accepted.get(row.case_id), verdicts.get(row.case_id)
        if row.trial or row.status != "ok" or rival is None or verdict is None:
            continue
        if row.text != rival.text and verdict.fingerprint != IDENTICAL:
            said = digest([row.text, rival.text])
            yield Judged(_of_pair(cases[row.case_id], row, rival, said), verdict.outcome, verdict.outcome, said)


def _verdicts(
    judge: JudgePrompt, subject: Subject, responses: Sequence[Response], cases: Mapping[str, Case]
) -> dict[str, Verdict]:
    """Return a judge's verdicts on first trials by case, as far as they are on today's case and tonight's response."""
    return {
        verdict.item_id: verdict
        for verdict in night.scores(VERDICTS.stream(), responses, cases.values())
        if (verdict.subject, verdict.scorer, verdict.trial, verdict.status) == (subject, judge.name, 0, "ok")
        and verdict.item_id in cases
    }


def _of_production(judge: JudgePrompt) -> Tonight:
    """Return the sampled traces that a judge of production has judged; those with personal data stay where they are."""
    said_of = monitor.known(read_params("monitor", monitor.Settings), judge, TRACES.read(may_be_absent=True))
    if not said_of:
        raise InsufficientDataError(
            f"no conversation of production was judged by {judge.name}, so none can be drawn: declare its signal in "
            "params.yaml (monitor.signals), then run `assay monitor`"
        )
    private = [trace for trace, _ in said_of if _is_private(trace)]
    judged = [
        Judged(_of_trace(trace, said), verdict.outcome, verdict.label or verdict.outcome, said)
        for trace, verdict in said_of
        if not _is_private(trace)
        for said in [shown_of_answer(questions.of_trace(judge, trace).shown[0], trace.answer)]
    ]
    if not judged:
        raise InsufficientDataError(
            f"all {len(private)} conversations that {judge.name} has judged hold personal data, expected some without, "
            "since labelled items are kept in Git: mask the traffic where it is logged"
        )
    left_out = f"{len(private)} more hold personal data and are not drawn" if private else ""
    return Tonight(judged, _frame("production answers", judged), "", left_out)


def _is_private(trace: Trace) -> bool:
    return any(pii.kinds(text) for text in (trace.question, trace.answer, *trace.contexts))


def shown_of_answer(texts: Mapping[str, Any], response: str) -> str:
    """Return what a judge is shown of an answer: its text, or a hash where it is shown more or else than that."""
    given = {name: texts[name] for name in OF_ANSWER if name in texts}
    return response if given.keys() == {"response"} else digest(given)


def item_id(name: str, said: str) -> str:
    """Return the id of an answer's item: another answer to the case is another item."""
    return f"{name[:NAME]}.{digest(said)}"


def settled(judge: JudgePrompt, judged: Judged, known: Mapping[str, Item]) -> Item:
    """Return the item under which people label it for a judge: one that is on file already, where that shows the same.

    Args:
        judge: Whose question is asked.
        judged: What it has judged.
        known: The items on file, by id.
    """
    item = judged.item
    there = known.get(item.item_id)
    if there is None or _shown(judge, there) == _shown(judge, item):
        return there or item
    return item.model_copy(update={"item_id": item_id(item.case_id, digest(_shown(judge, item)))})


def _shown(judge: JudgePrompt, item: Item) -> Any:  # noqa: ANN401 - the texts of a question, with its threshold
    question = questions.of_item(judge, item, "")
    return question.shown if question.threshold is None else [question.shown, question.threshold]


def _of_case(case: Case) -> dict[str, Any]:
    return {
        "case_id": case.case_id,
        "category": case.category,
        "slice": "natural",
        "turns": case.turns,
        "reference": case.reference,
        "rubric": case.rubric,
        "metadata": case.metadata,
        "inputs": case.inputs,
        "references": case.references,
        "attachments": case.attachments,
        "thresholds": case.thresholds,
    }


def _of_response(case: Case, row: Response, said: str) -> Item:
    given = {name: getattr(row, name) for name in ("tool_calls", "messages", "final_state")}
    given["contexts"] = questions.contexts_of(case, row)
    one = {"question": "pass-fail", "response_a": row.text, "response_b": ""}
    return Item(item_id=item_id(case.case_id, said), **_of_case(case), **given, **one)


def _of_pair(case: Case, row: Response, rival: Response, said: str) -> Item:
    name = item_id(case.case_id, said)
    sides = (row.text, rival.text)[:: -1 if int(digest(["first", name]), 16) % 2 else 1]
    return Item(item_id=name, question="pairwise", response_a=sides[0], response_b=sides[1], **_of_case(case))


def _of_trace(trace: Trace, said: str) -> Item:
    return Item(
        item_id=item_id(trace.trace_id, said),
        question="pass-fail",
        case_id=trace.trace_id,
        category=trace.category,
        slice="natural",
        turns=[trace.question],
        reference="",
        response_a=trace.answer,
        response_b="",
        contexts=trace.contexts,
    )
