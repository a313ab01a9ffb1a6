"""Questions: which judge is asked of which case, what it is shown, and with which parameters."""

from typing import Any

import pytest

from assay.judges import applicability, decision, prompt, questions
from assay.judges.declaration import Declaration
from assay.judges.questions import Manner
from assay.records.attachment import Attachment
from assay.records.verdict import IDENTICAL
from tests.cast import AT, Project, case, item, response, trace
from tests.judges_made import LABELS_OF_TONE, SCORE, made

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


@pytest.mark.parametrize(
    ("fields", "kind", "outcomes"),
    [
        (LABELS_OF_TONE, "choice", {"warm": "warm", "neutral": "neutral", "cold": "cold"}),
        (SCORE, "levels", {str(number): str(number) for number in range(1, 6)}),
        (
            {"question": "pairwise", "input": "[question, response]"},
            "choice",
            {"A": "response_a is better", "B": "response_b is better", "tie": "neither is better"},
        ),
    ],
)
def test_a_decision_is_of_the_judge_s_own_question(
    project: Project, fields: dict[str, str], kind: str, outcomes: dict[str, str]
) -> None:
    """What may be answered is the judge's own scale, in its order; of a pair each letter says which one it is."""
    made(project.folder, "own", **fields)
    names = ("response_a", "response_b") if fields["question"] == "pairwise" else ("response",)
    found = decision.asked(prompt.load("own"), {"question": "Q?", **dict.fromkeys(names, "Yes.")})["decision"]
    assert (found.kind, dict(found.outcomes)) == (kind, outcomes)
    assert list(found.outcomes) == list(outcomes)


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


def test_the_rival_s_answer_is_b_first(project: Project) -> None:
    """A pair of responses is shown as it is and swapped, under the target's case and trial, with what a case has."""
    made(project.folder, "better", question="pairwise", input="[question, reference, response]")
    found = questions.of_pair(prompt.load("better"), case(1), response(case(1), "Mine.", trial=2), response(case(1)))
    assert (found.subject, found.item_id, found.trial, found.judge, found.epoch) == (
        "pair",
        "refunds-001",
        2,
        "better",
        "",
    )
    assert [shown["response_a"] == "Mine." for shown in found.shown] == [True, False]
    assert [shown["response_b"] == "Mine." for shown in found.shown] == [False, True]
    assert {shown["reference"] for shown in found.shown} == {case(1).reference}


def test_an_anchor_is_asked_about_anew_each_night(project: Project) -> None:
    """Under the item's id, as a first trial, with the night; an answer with its files and its case's own threshold."""
    made(project.folder, "depth", **SCORE | {"input": "[question, response, attachments]"})
    made(project.folder, "better", question="pairwise", input="[question, response]")
    file = Attachment(sha256="0" * 64, media_type="image/png", name="a.png")
    single = item(1, "One.", attachments=[file], thresholds={"depth": 5})
    one = questions.of_item(prompt.load("depth"), single, "2026-11-02")
    pair = questions.of_item(prompt.load("better"), item(2, "One.", "pairwise", "Two."), "2026-11-02")
    for found, of in ((one, single), (pair, item(2, "One.", "pairwise", "Two."))):
        assert (found.subject, found.item_id, found.trial, found.epoch) == ("anchor", of.item_id, 0, "2026-11-02")
    assert (list(one.attachments), one.threshold, list(one.declared.passing)) == ([file], 5, ["5"])
    assert (list(pair.attachments), pair.threshold) == ([], None)
    assert [shown["response_a"] for shown in pair.shown] == ["One.", "Two."]


def test_what_was_asked_is_found_again_in_the_journal(project: Project) -> None:
    """By judge, texts, night, and the endpoint where it has one of its own; another of them is another question."""
    made(project.folder, "tone", input="[question, response]")
    judge, asked = prompt.load("tone"), questions.Asked("m", "m-1", Manner())
    tonight, tomorrow = (questions.of_item(judge, item(1, "One."), night) for night in ("2026-11-02", "2026-11-03"))
    other = questions.of_item(judge, item(1, "Another."), "2026-11-02")
    keys = [
        *(questions.key(one, one.shown[0], asked) for one in (tonight, tomorrow, other)),
        questions.key(tonight, tonight.shown[0], asked._replace(base_url="https://judge.example/v1")),
        questions.key(tonight, tonight.shown[0], asked._replace(reported="m-2")),
    ]
    assert len(set(keys)) == len(keys)
    assert questions.key(tonight, tonight.shown[0], asked) == keys[0]


def test_a_judge_of_production_reads_a_trace(project: Project) -> None:
    """Question, contexts and answer of a conversation, as far as the judge is shown them, under the trace's id."""
    made(project.folder, "grounds", scope="traces", input="[contexts, response]")
    of = trace(7, AT)
    found = questions.of_trace(prompt.load("grounds"), of)
    assert (found.subject, found.item_id, found.trial, found.epoch) == ("target", of.trace_id, 0, "")
    assert found.shown == ({"contexts": of.contexts, "response": of.answer},)


def test_a_call_that_failed_is_read_as_one(project: Project) -> None:
    """A judge is shown each call with its arguments, and of one that failed that nothing was done."""
    made(project.folder, "acts", input="[response, tool_calls, conversation]")
    calls = [{"name": "pay", "arguments": '{"a": 1}'}, {"name": "look", "arguments": "{}", "failed": True}]
    messages = [{"role": "user", "content": "Pay me."}, {"role": "assistant", "content": "Done."}]
    answer = response(case(1), tool_calls=calls, messages=messages)
    shown = questions.texts_of(prompt.load("acts"), case(1), answer)
    first, second = shown["tool_calls"]
    assert first == 'pay {"a": 1}'
    assert second.startswith("look {} (the tool answered with an error")
    assert shown["conversation"] == ["user: Pay me.", "assistant: Done."]
    assert list(shown) == ["response", "tool_calls", "conversation"]


def test_what_is_sent_is_the_prompt_or_the_decision(project: Project) -> None:
    """A chat endpoint gets the messages of the judge, one of decisions the state; both the parameters."""
    made(project.folder, "tone", input="[question, response]")
    judge, texts = prompt.load("tone"), {"question": "Q?", "response": "Yes."}
    chat = questions.request(judge, texts, Manner(extra='{"seed": 7}'))
    assert chat["messages"] == judge.render(**texts)
    assert (chat["seed"], chat["temperature"], "state" in chat) == (7, 0, False)
    decided = questions.request(judge, texts, Manner(api="decision", extra='{"seed": 7}'))
    assert decided == {**decision.asked(judge, texts), "seed": 7}


def replied(content: str, **changes: Any) -> dict[str, Any]:
    """Return a reply of an endpoint."""
    return {"content": content, "refusal": "", "finish_reason": "stop", "tokens": None, "model": "m-1"} | changes


def test_a_verdict_has_the_judge_s_own_word_and_reason(project: Project) -> None:
    """A label is kept beside the outcome that follows from it; a judge of pass and fail has none; a reason is kept."""
    made(project.folder, "tone", **LABELS_OF_TONE)
    made(project.folder, "plain", input="[question, response]")
    asked = questions.Asked("m", "m-1", Manner())
    found = {}
    for name, word in (("tone", "neutral"), ("plain", "fail")):
        judge = prompt.load(name)
        question = questions.of_response(judge, "target", case(1), response(case(1), trial=1))
        said = [replied(prompt.answer(judge.declared, word, "So it is."))]
        found[name] = questions.verdict(question, said, asked, {"run": "r"})
    told = {name: (row.outcome, row.label, row.rationale, row.trial, row.run) for name, row in found.items()}
    assert told == {"tone": ("pass", "neutral", "So it is.", 1, "r"), "plain": ("fail", "", "So it is.", 1, "r")}


def test_a_failed_call_is_no_sign_of_another_judge(project: Project) -> None:
    """Without a reply the fingerprint is that of the probe's model; with one, of the model that answered."""
    made(project.folder, "tone", input="[question, response]")
    judge = prompt.load("tone")
    question = questions.of_response(judge, "target", case(1), response(case(1)))
    asked = questions.Asked("m", "m-1", Manner())
    failed = questions.verdict(question, [{"error": "no answer"}], asked)
    assert (failed.outcome, failed.status, failed.detail) == ("unscored", "error", "no answer")
    passed = questions.verdict(question, [replied(prompt.answer(judge.declared, "pass"))], asked)
    other = questions.verdict(question, [replied(prompt.answer(judge.declared, "pass"), model="m-2")], asked)
    assert failed.fingerprint == passed.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    ("reasons", "said"),
    [
        (("One.", "Two."), "shown as A, B: One.\nshown as B, A: Two."),
        (("", "Two."), "shown as B, A: Two."),
        (("One.", ""), "shown as A, B: One."),
        (("", ""), ""),
    ],
)
def test_the_reasons_of_both_orders_are_kept_apart(project: Project, reasons: tuple[str, str], said: str) -> None:
    """Each reason says in which order the judge saw the answers, since its A of one is its B of the other."""
    made(project.folder, "better", question="pairwise", input="[question, response]")
    judge = prompt.load("better")
    question = questions.of_item(judge, item(1, "One.", "pairwise", "Two."), "")
    replies = [replied(prompt.answer(judge.declared, word, why)) for word, why in zip("AB", reasons, strict=True)]
    assert questions.verdict(question, replies, questions.Asked("m", "m", Manner())).rationale == said


def test_the_same_text_twice_is_a_tie_that_nobody_is_asked_for(project: Project) -> None:
    """It is filed under the judge, the case and the trial, as one half, and marked so that it is taken for nobody's."""
    made(project.folder, "better", question="pairwise", input="[question, response]")
    found = questions.identical(prompt.load("better"), case(1), response(case(1), trial=2))
    assert (found.item_id, found.subject, found.trial, found.scorer) == ("refunds-001", "pair", 2, "better")
    assert (found.outcome, found.status, found.score, found.as_is, found.swapped) == ("tie", "ok", 0.5, "tie", "tie")
    assert found.fingerprint == IDENTICAL
