"""Thresholds of a case: from which score on an answer to it passes, for the judge as for people."""

import json
from typing import Any

import pytest

from assay.commands import labels
from assay.commands.judged import Judged, settled
from assay.desk.label_queue import Labelled, Task, asked
from assay.errors import DataError
from assay.judges import applicability, prompt, questions
from assay.judges.prompt import JudgePrompt
from assay.judges.questions import Asked, Manner
from assay.project.tables.labels import ITEMS, LABELS
from assay.report.correction import Answers
from tests.cast import AT, Project, case, item, response
from tests.desks import Logs, candidate
from tests.judges_made import SCORE, made

STRICT = {"tone": 5}


@pytest.fixture
def judge(project: Project) -> JudgePrompt:
    """A judge of scores from 1 to 5, of which 4 passes."""
    made(project.folder, "tone", **SCORE)
    return prompt.load("tone")


def said(judge: JudgePrompt, question: questions.Question, score: int) -> str | None:
    """Return the outcome of a reply with a score."""
    content = json.dumps({"rationale": "So.", "verdict": score})
    reply: dict[str, Any] = {"content": content, "refusal": None, "finish_reason": "stop", "tokens": None, "model": "m"}
    assert questions.read(question, reply).said == str(score)
    return questions.verdict(question, [reply], Asked("m", "m", Manner())).outcome


@pytest.mark.parametrize(
    ("thresholds", "passing"), [({}, [4, 5]), ({"tone": 5}, [5]), ({"tone": 2}, [2, 3, 4, 5]), ({"other": 2}, [4, 5])]
)
def test_the_case_s_threshold_goes_before_the_judge_s(
    judge: JudgePrompt, thresholds: dict[str, int], passing: list[int]
) -> None:
    """A score passes from the case's own number on, of an answer as of a labelled item; the question is the same."""
    of = case(1, thresholds=thresholds)
    one = item(1, "Yes.", thresholds=thresholds)
    for question in (questions.of_response(judge, "target", of, response(of)), questions.of_item(judge, one, "")):
        assert [score for score in range(1, 6) if said(judge, question, score) == "pass"] == passing
    plain = questions.of_response(judge, "target", case(1), response(case(1)))
    own, asks = questions.of_response(judge, "target", of, response(of)), Asked("m", "m", Manner())
    assert questions.key(own, own.shown[0], asks) == questions.key(plain, plain.shown[0], asks)


def test_a_threshold_moves_verdicts_and_no_answer() -> None:
    """It is another revision of the case and the same question to the product; none is the case of before."""
    plain, strict, none = case(1), case(1, thresholds=STRICT), case(1, thresholds={})
    assert (plain.revision(), plain.request()) == (none.revision(), none.request())
    assert plain.revision() != strict.revision()
    assert plain.request() == strict.request()


def test_people_are_held_to_the_same_threshold(judge: JudgePrompt, project: Project) -> None:
    """A score that somebody gives at the desk, or in a file, passes by the case's own number."""
    every = [item(1, "Yes."), item(2, "Yes, in 14 days.", thresholds=STRICT)]
    tasks = [Task(judge, one) for one in every]
    logs = Logs([candidate(1)], tasks=tasks)
    for one in tasks:
        word = Labelled(task=one.key, asked=asked(one, "ada"), choice="4", spans=[], note="", seconds=1.0)
        logs.labels().say("ada", word, AT)
    assert [(answer.outcome, answer.label) for answer in logs.answers] == [("pass", "4"), ("fail", "4")]
    ITEMS.write(every)
    LABELS.file().unlink()
    file = project.folder / "labels.csv"
    file.write_text("item_id,outcome\n" + "".join(f"{one.item_id},4\n" for one in every))
    labels.take(file, "tone", "ada", [], AT)
    assert [(row.outcome, row.label) for row in LABELS.read()] == [("pass", "4"), ("fail", "4")]


def test_an_answer_by_another_threshold_is_another_item(judge: JudgePrompt) -> None:
    """An item that was labelled by the threshold of then is not the item of today, and no label says anything of it."""
    then, today = item(1, "Yes."), item(1, "Yes.", thresholds=STRICT)
    again = Judged(today, "pass", "5", "Yes.")
    assert settled(judge, again, {then.item_id: then}).item_id != then.item_id
    assert settled(judge, again, {today.item_id: today}) is today
    of = case(1, case_id=then.case_id, turns=then.turns, reference=then.reference)
    strict = of.model_copy(update={"thresholds": STRICT})
    answers = [response(of, "Yes.")]
    told = {
        one: Answers(judge, {}, answers, [one_case]).asks(then) for one, one_case in (("of", of), ("strict", strict))
    }
    assert told == {"of": True, "strict": False}
    assert Answers(judge, {}, answers, [strict]).asks(today)


@pytest.mark.parametrize(
    ("thresholds", "named"),
    [
        ({"tone": 1}, "tone: 1, expected a number above 1, up to 5"),
        ({"tone": 6}, "tone: 6"),
        ({"correctness": 3}, "judge of scores"),
        ({"correctness": 1}, "judge of scores"),
        ({"none": 1}, "judge of scores"),
        ({"none": 3}, "judge of scores"),
    ],
)
def test_a_threshold_that_no_judge_can_have_is_refused(
    judge: JudgePrompt, thresholds: dict[str, int], named: str
) -> None:
    """Outside of the scale, of a judge of another question or of none, it is refused with its case."""
    judges = prompt.load_all()
    applicability.require_thresholds(judges, [case(1, thresholds=STRICT), case(2)])
    with pytest.raises(DataError, match=f"case refunds-003: .*{named}"):
        applicability.require_thresholds(judges, [case(3, thresholds=thresholds)])
