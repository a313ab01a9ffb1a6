"""Judged: an item that people label freezes the very texts that the judge was shown, for every kind of question."""

import asyncio
import json
from typing import Any

import pytest

from assay.commands import judged, label_sampling
from assay.commands.judged import settled, tonight
from assay.errors import InsufficientDataError
from assay.judges import prompt, questions
from assay.project.journal import open_journal
from assay.project.params import read_params
from assay.project.tables.evalset import CASES
from assay.project.tables.labels import DRAWS, ITEMS, LABELS
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.traces import TRACES
from assay.project.tables.verdicts import VERDICTS
from assay.records.label import Item
from assay.records.response import MadeCall, Message, Response
from assay.stages import judge_clients, monitor
from tests.cast import AT, Project, case, response, trace, verdict
from tests.judges_made import LABELS_OF_TONE, LONG_SCORE, SCORE, TRAJECTORY, made

CASE = case(1, rubric={"steps": "Was the order looked up first?"}, metadata={"plan": "gold"})
JUDGES = {"tone": LABELS_OF_TONE, "depth": SCORE, "length": LONG_SCORE, "steps": TRAJECTORY}


def answer(amount: int = 10) -> Response:
    """Return an answer with everything that a product may give; its refund is told by the tool call alone."""
    return response(
        CASE,
        "Your refund is on its way.",
        messages=[Message(role="user", content="Refund me."), Message(role="tool", content=f"refunded {amount}")],
        tool_calls=[MadeCall(name="refund", arguments=json.dumps({"amount": amount}), failed=amount == 99)],
        contexts=["Refunds take 14 days.", "Only once."],
        final_state=json.dumps({"refunded": amount}),
    )


@pytest.fixture
def shop(project: Project) -> Project:
    """One answer that judges of every kind have judged."""
    ITEMS.file().unlink()
    LABELS.file().unlink()
    for name, fields in JUDGES.items():
        made(project.folder, name, **fields)
    filed(answer())
    return project


def filed(of: Response) -> None:
    """File an answer with the verdicts of all judges on it."""
    CASES.write([CASE])
    RESPONSES.write([of])
    BASELINE.write([response(CASE, "It takes 14 days.", target="support@1")])
    VERDICTS.write(
        [
            verdict(CASE.case_id, "pass"),
            verdict(CASE.case_id, "pass", scorer="tone", label="warm"),
            verdict(CASE.case_id, "pass", scorer="depth", label="4"),
            verdict(CASE.case_id, "pass", scorer="length", label="80"),
            verdict(CASE.case_id, "fail", scorer="steps"),
            verdict(CASE.case_id, "a", scorer="preference", subject="pair"),
        ]
    )


def drawn(name: str, count: int = 1) -> Item:
    """Draw the answer for a judge; return the item as it is on file."""
    judge = prompt.load(name)
    plan = label_sampling.plan(judge, labels=count)
    assert label_sampling.draw(plan, judge, None) == count
    assert plan.chosen[0][0].item_id in {row.item_id for row in DRAWS.read() if row.judge == name}
    return next(one for one in ITEMS.read() if one.item_id == plan.chosen[0][0].item_id)


@pytest.mark.parametrize("name", ["correctness", *JUDGES])
def test_an_anchor_asks_what_was_judged(shop: Project, name: str) -> None:
    """The messages to the judge about the item equal those about the answer, to the letter."""
    judge, one = prompt.load(name), drawn(name)
    (texts,) = questions.of_response(judge, "target", CASE, answer()).shown
    (frozen,) = questions.of_item(judge, one, "night").shown
    assert judge.render(**frozen) == judge.render(**texts)


def test_an_anchor_pair_asks_what_was_judged(shop: Project) -> None:
    """A pair is asked about in the same two orders, whichever of its answers is A in the item."""
    judge, one = prompt.load("preference"), drawn("preference")
    rival = BASELINE.read()[0]
    texts = questions.of_pair(judge, CASE, answer(), rival).shown
    frozen = questions.of_item(judge, one, "night").shown
    rendered = [[judge.render(**shown) for shown in both] for both in (texts, frozen)]
    assert sorted(rendered[0], key=str) == sorted(rendered[1], key=str)


def test_an_item_serves_every_judge_that_would_be_shown_the_same(shop: Project) -> None:
    """An answer is one item for tone, depth and correctness; for a judge that sees its tool calls it is another."""
    names = [drawn(name).item_id for name in ("correctness", "tone", "depth")]
    assert len(set(names)) == 1
    assert drawn("steps").item_id not in names
    assert len(ITEMS.read()) == 2


def test_the_same_last_sentence_after_another_call_is_another_answer(shop: Project) -> None:
    """A judge of the trajectory has the wrong refund drawn too; for a judge of the text alone it is drawn already."""
    first = drawn("steps")
    drawn("tone")
    filed(answer(99))
    second = drawn("steps")
    assert second.item_id != first.item_id
    assert second.tool_calls[0].failed
    assert not label_sampling.plan(prompt.load("tone"), labels=1).chosen


def test_by_a_corrected_reference_an_answer_is_drawn_again(shop: Project) -> None:
    """Labels by another reference say nothing of tonight's answer: it is drawn as another item, by today's."""
    first = drawn("correctness")
    corrected = CASE.model_copy(update={"reference": "Corrected."})
    CASES.write([corrected])
    RESPONSES.write([answer().model_copy(update={"revision": corrected.revision(), "request": corrected.request()})])
    made(shop.folder, "strictness", question="pass-fail", input="[question, reference, response]")
    VERDICTS.write([verdict(CASE.case_id, "pass"), verdict(CASE.case_id, "pass", scorer="strictness")])
    ((again, _),) = label_sampling.plan(prompt.load("correctness"), labels=1).chosen
    assert (again.reference, again.item_id == first.item_id) == ("Corrected.", False)
    second = drawn("strictness")
    assert (second.reference, second.item_id == first.item_id) == ("Corrected.", False)
    assert (
        settled(prompt.load("correctness"), tonight(prompt.load("correctness")).judged[0], {}).reference == "Corrected."
    )


def test_a_name_of_a_hundred_letters_keeps_its_hash(shop: Project) -> None:
    """Two answers to a case with the longest name are two items, each with a name that is one."""
    names = {judged.item_id("c" * 100, said) for said in ("one", "two")}
    assert {len(name) for name in names} == {100}
    assert len(names) == 2


def watched(project: Project, *traces: Any) -> None:
    """Let the judge of production judge conversations, as the stage monitor does."""
    TRACES.write(list(traces))
    settings, judge = read_params("monitor", monitor.Settings), prompt.load("grounding")
    replies = [json.dumps({"verdict": "pass" if number % 2 else "fail"}) for number in range(len(traces))]

    async def keep() -> None:
        with open_journal() as journal:
            for one, content in zip(traces, replies, strict=True):
                reply = {"content": content, "refusal": None, "finish_reason": "stop", "tokens": None, "model": "m"}
                question = questions.of_trace(judge, one)
                who = questions.Asked(settings.model.embedded, "", questions.Manner())
                key = monitor._key(question, question.shown[0], who)
                await journal.finish(
                    key, json.dumps(reply), is_final=True, run="r", stage="monitor", used=judge_clients.Meter()
                )

    asyncio.run(keep())


def test_conversations_of_production_are_drawn(project: Project) -> None:
    """What a judge of production judged of its sample becomes items, asked about as it was; personal data stays out."""
    ITEMS.file().unlink()
    LABELS.file().unlink()
    rows = [trace(number, AT, trace_id=f"trace-{number}") for number in range(12)]
    private = trace(12, AT, trace_id="trace-12", question="Write to cleo.baker@pantrylane.io please")
    watched(project, *rows, private)
    judge = prompt.load("grounding")
    there = tonight(judge)
    assert len(there.judged) == 12
    assert there.left_out.startswith("1 more hold personal data")
    one = drawn("grounding", 6)
    (of,) = [row for row in rows if row.trace_id == one.case_id]
    (texts,), (frozen,) = questions.of_trace(judge, of).shown, questions.of_item(judge, one, "night").shown
    assert judge.render(**frozen) == judge.render(**texts)
    assert DRAWS.read()[0].judge == "grounding"


def test_who_judges_production_is_asked_by_the_stage_alone(project: Project) -> None:
    """Where nobody has judged production, a draw says what to run and asks no model."""
    with pytest.raises(InsufficientDataError, match="assay monitor"):
        tonight(prompt.load("grounding"))
