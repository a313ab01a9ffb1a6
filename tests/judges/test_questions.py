"""Questions: which judge is asked of which case, what it is shown, and with which parameters."""

from typing import Any

import pytest

from assay.judges import applicability, decision, prompt, questions
from assay.judges.declaration import Declaration
from assay.judges.questions import Manner
from tests.cast import Project, case, item, response
from tests.judges_made import made

BARE = {"reference": "", "expectations": [{"check": "equals", "values": ["v"]}]}
ASKS_REFERENCE = {"input": "[question, reference, response]", "requires": "[reference]"}


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({"question": "pass-fail"}, [True, True, True]),
        (ASKS_REFERENCE, [True, False, True]),
        (ASKS_REFERENCE | {"applies_to": "{category: [refunds]}"}, [True, False, False]),
        ({"question": "pass-fail", "scope": "traces"}, [False, False, False]),
        ({"question": "pairwise"}, [False, False, False]),
    ],
)
def test_a_judge_of_single_answers_is_asked_of_what_fits_it(
    project: Project, fields: dict[str, str], asked: list[bool]
) -> None:
    """Its case has to fit, and nothing that it requires be missing; a judge of pairs or of traces is asked of none."""
    made(project.folder, "tone", **fields)
    judge = prompt.load("tone")
    cases = [case(1), case(2, **BARE), case(3, "escalation")]
    assert [questions.expects(judge, of, response(of)) for of in cases] == asked
    assert [applicability.may_expect(judge, of) for of in cases] == asked
    assert [questions.compares(judge, of) for of in cases] == [fields.get("question") == "pairwise"] * 3


@pytest.mark.parametrize(
    ("fields", "asked", "unasked"),
    [
        ({}, [True, True, True], 0),
        (ASKS_REFERENCE, [True, False, True], 1),
        ({"applies_to": "{category: [escalation]}"}, [False, False, True], 0),
        (ASKS_REFERENCE | {"applies_to": "{category: [refunds]}"}, [True, False, False], 1),
    ],
)
def test_a_judge_of_pairs_is_asked_of_what_fits_it(
    project: Project, fields: dict[str, str], asked: list[bool], unasked: int
) -> None:
    """A pair is compared where its case fits and has what is required; those that fit and lack it are counted."""
    made(project.folder, "better", question="pairwise", **fields)
    judge = prompt.load("better")
    cases = [case(1), case(2, **BARE), case(3, "escalation")]
    assert [questions.compares(judge, of) for of in cases] == asked
    assert questions.unasked(judge, cases, {}) == unasked


def test_what_an_answer_lacks_is_known_once_it_is_there(project: Project) -> None:
    """A judge that requires contexts may be asked of a case, is not of an answer without any, and that is counted."""
    made(project.folder, "grounds", input="[response, contexts]", requires="[contexts]")
    judge = prompt.load("grounds")
    cases = [case(1), case(2), case(3)]
    answers = {of.case_id: response(of, contexts=["c"] if of is cases[0] else []) for of in cases[:2]}
    assert all(applicability.may_expect(judge, of) for of in cases)
    assert [questions.expects(judge, of, answers[of.case_id]) for of in cases[:2]] == [True, False]
    assert questions.unasked(judge, cases, answers) == 1


def test_a_pair_is_shown_in_both_orders(project: Project) -> None:
    """An anchor of a pair is two sets of texts with the answers swapped, and everything else alike."""
    made(project.folder, "better", question="pairwise", input="[question, response]")
    question = questions.of_item(prompt.load("better"), item(1, "One.", "pairwise", "Two."), "2026-11-02")
    assert (question.subject, question.epoch) == ("anchor", "2026-11-02")
    first, second = question.shown
    assert (first["response_a"], first["response_b"]) == ("One.", "Two.")
    assert second == {**first, "response_a": "Two.", "response_b": "One."}


@pytest.mark.parametrize(
    ("manner", "parameters", "entered"),
    [
        (Manner(), {"temperature": 0, "logprobs": True, "top_logprobs": 5}, {}),
        (Manner(log_probabilities=False), {"temperature": 0}, {}),
        (Manner(temperature=None, extra='{"seed": 7}'), {"seed": 7, "logprobs": True, "top_logprobs": 5}, {}),
        (
            Manner(structured="none"),
            {"temperature": 0, "logprobs": True, "top_logprobs": 5},
            {"structured": "none"},
        ),
        (Manner(api="decision", extra='{"seed": 7}'), {"seed": 7}, {"api": "decision"}),
    ],
)
def test_how_a_judge_is_asked(manner: Manner, parameters: dict[str, Any], entered: dict[str, Any]) -> None:
    """Temperature, log-probabilities and what else is declared are sent, and enter the fingerprint."""
    assert manner.parameters() == parameters
    assert manner.fingerprint() == parameters | entered


@pytest.mark.parametrize(
    ("structured", "form"), [("json-schema", "json_schema"), ("json-object", "json_object"), ("none", None)]
)
def test_the_form_of_a_reply_is_asked_for(structured: Any, form: str | None) -> None:
    """A request names the form of the reply as strictly as the endpoint can be told."""
    found = Manner(structured=structured).request(Declaration())
    assert found.get("response_format", {"type": None})["type"] == form


@pytest.mark.parametrize(
    ("texts", "state"),
    [
        (
            {"question": "Q?", "reference": "R.", "response": "Yes."},
            "<question>\nQ?\n</question>\n\n<reference>\nR.\n</reference>\n\n<response>\nYes.\n</response>",
        ),
        (
            {"question": "Q?", "reference": "", "response": ""},
            "<question>\nQ?\n</question>\n\n<response>\n\n</response>",
        ),
    ],
)
def test_a_decision_model_is_shown_what_there_is(project: Project, texts: dict[str, str], state: str) -> None:
    """Each text stands in a section of its name; one that is not there has none, an empty answer is shown as one."""
    made(project.folder, "tone", input="[question, reference, response]")
    found = decision.asked(prompt.load("tone"), texts)
    assert found["state"] == state
    assert (found["decision"].kind, list(found["decision"].outcomes)) == ("yes-no", ["pass", "fail"])
    assert found["decision"].instructions.startswith("Answers are friendly.")


def test_the_first_question_is_of_the_kind_that_the_endpoint_answers() -> None:
    """An endpoint of decisions is asked for one, with the parameters; any other gets messages and a form of reply."""
    extra = '{"seed": 7}'
    found = questions.probe(Manner(api="decision", extra=extra))
    assert found == {**decision.probe(), "seed": 7}
    chat = questions.probe(Manner(extra=extra))
    assert chat["seed"] == 7
    assert [row["role"] for row in chat["messages"]] == ["system", "user"]
    assert list(chat["response_format"]["json_schema"]["schema"]["properties"]) == ["verdict"]


@pytest.mark.parametrize("again", [(), (0,), (1,), (0, 1)])
def test_a_pair_of_which_one_order_was_asked_again_says_so(project: Project, again: tuple[int, ...]) -> None:
    """Whichever of both orders was asked again, the verdict says it; it says so of none that was not."""
    made(project.folder, "better", question="pairwise", input="[question, response]")
    judge = prompt.load("better")
    question = questions.of_item(judge, item(1, "One.", "pairwise", "Two."), "")
    common = {"refusal": "", "finish_reason": "stop", "tokens": None, "model": "m"}
    said = [
        {**common, "content": prompt.answer(judge.declared, word)} | ({questions.AGAIN: 1} if at in again else {})
        for at, word in enumerate(("A", "B"))
    ]
    found = questions.verdict(question, said, questions.Asked("m", "m", Manner()))
    assert (found.outcome, found.as_is, found.swapped) == ("a", "a", "a")
    assert found.detail.startswith("asked again; ") == bool(again)
