"""DecisionQuestion models: two shapes of one question, and an answer that is read like the reply of any judge."""

import asyncio
import json
from typing import Any

import pytest

from assay.errors import AccessError, CallError
from assay.judges.decision import DecisionQuestion
from assay.judges.declaration import Declaration
from assay.judges.reply import Reply as Judgement
from assay.judges.reply import parse
from assay.models import usage
from assay.models.chat import Chat, Endpoint
from assay.models.decision import Decisions
from assay.models.limits import Limits, Price
from assay.models.usage import Meter
from tests.endpoint import HTML, Reply, Served, as_json, failure, serving

PASS = Declaration()
PAIR = Declaration(question="pairwise")
GRADE = Declaration(question="labels", labels=("partly", "partly right", "räts"), passing_labels=("partly right",))
SCORE = Declaration(question="score", range=(2, 5), pass_threshold=4)
KINDS = {"pass-fail": "yes-no", "pairwise": "choice", "labels": "choice", "score": "levels"}


def question(declared: Declaration) -> DecisionQuestion:
    """Return what a judge of this kind asks."""
    return DecisionQuestion(
        KINDS[declared.question], "By the rubric?", {verdict: verdict for verdict in declared.verdicts}
    )


def ask(reply: Reply, declared: Declaration, path: str = "", **more: Any) -> tuple[Served, dict[str, Any], Meter]:
    """Ask a local server that replies so; return what it was asked, the completion, and what was used."""
    used = Meter()
    limits = Limits(concurrency=1, deadline_s=5, max_retries=0, price=Price.model_validate(PRICE))

    async def asked(url: str) -> dict[str, Any]:
        usage.use(used)
        endpoint = Endpoint(base_url=url + path, model="jev-1", api_key="sk-decisions-0123456789", **more)
        async with Chat(endpoint, limits) as chat:
            return await Decisions(chat).complete(
                state="<response>\nYes.\n</response>", decision=question(declared), n=1
            )

    with serving(lambda _: reply) as served:
        found = asyncio.run(asked(served.url))
    return served, found, used


PRICE = {"prompt_usd_per_million": 1.0, "completion_usd_per_million": 1.0}


def judged(answer: Any, declared: Declaration, api: str = "decision") -> Judgement:
    """Return what a judge makes of an answer."""
    answers = {"verdict": answer} if api == "decision" else [{"name": "verdict", **answer}]
    _, found, _ = ask(as_json({"model": "jev-1.13", "answers": answers}), declared, api=api)
    choice = found["choices"][0]
    message, tokens = choice["message"], choice["logprobs"]
    return parse(
        declared, message["content"], message["refusal"], choice["finish_reason"], tokens and tokens["content"]
    )


ILL: list[Any] = [
    {},
    {"type": "noul"},
    {"type": "noul", "noul": "0.5"},
    {"type": "noul", "noul": 1.5},
    {"type": "noul", "noul": True},
    {"type": "choice", "choice": "perhaps"},
    {"type": "choice", "probabilities": {"pass": 0.9, "perhaps": 0.1}},
    {"type": "choice", "probabilities": {"pass": 0.2, "fail": 0.2}},
    {"type": "choice", "probabilities": {"pass": 2.0, "fail": -1.0}},
    {"type": "score", "probabilities": {"7": 1.0}},
    {"type": "score", "probabilities": {"-1": 1.0}},
    {"type": "score", "probabilities": {"x": 1.0}},
    {"type": "score", "probabilities": 7},
    None,
    "pass",
]


@pytest.mark.parametrize("answer", ILL)
def test_what_is_no_decision_is_malformed(answer: Any) -> None:
    """No outcome is made up from an answer of another kind, of other outcomes or without sense."""
    with pytest.raises(CallError) as raised:
        ask(as_json({"answers": {"verdict": answer}}), PASS, api="decision")
    assert raised.value.kind == "malformed"
    assert len(str(raised.value)) < 600


@pytest.mark.parametrize("reply", [HTML, as_json({}), as_json([]), as_json({"answers": []}), as_json({"answers": {}})])
def test_another_reply_is_malformed(reply: Reply) -> None:
    """A page, no answer, or the answer to something else is told as such."""
    with pytest.raises(CallError) as raised:
        ask(reply, PASS, api="decision")
    assert raised.value.kind == "malformed"


def test_refused_keys_and_requests_are_told_as_of_chats() -> None:
    """A refused key ends the run, a refused request is one call, and the key is in neither message."""
    key = "sk-decisions-0123456789"
    with pytest.raises(AccessError) as access:
        ask(failure(401, f"{key} is no key"), PASS, api="decision")
    with pytest.raises(CallError) as refused:
        ask(as_json({"detail": {"error_type": "validation", "message": key}}, 422), PASS, api="decision")
    assert refused.value.kind == "refused-request"
    assert key not in f"{access.value} {refused.value}"


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (PASS, {"type": "noul", "instructions": "By the rubric?"}),
        (PAIR, {"type": "choice", "instructions": "By the rubric?", "criteria": {"A": "A", "B": "B", "tie": "tie"}}),
        (SCORE, {"type": "score", "instructions": "By the rubric?", "criteria": ["2", "3", "4", "5"]}),
    ],
)
def test_the_shape_of_system_one(declared: Declaration, expected: dict[str, Any]) -> None:
    """State, one question by its key, and parameters as they are; POST to /systemone with a bearer."""
    answers = {"type": "choice", "choice": declared.verdicts[0]}
    served, _, _ = ask(as_json({"answers": {"verdict": answers}}), declared, api="decision")
    state = "<response>\nYes.\n</response>"
    assert served.asked == [{"model": "jev-1", "state": state, "questions": {"verdict": expected}, "n": 1}]
    assert served.heads[0][0] == "/v1/systemone"
    assert served.heads[0][1]["authorization"] == "Bearer sk-decisions-0123456789"


@pytest.mark.parametrize(
    ("declared", "kind", "more"),
    [
        (PASS, "predicate", {}),
        (PAIR, "choice", {"choices": [{"value": one, "description": one} for one in ("A", "B", "tie")]}),
        (SCORE, "score", {"levels": [{"label": one, "description": one} for one in ("2", "3", "4", "5")]}),
    ],
)
def test_the_shape_of_openai(declared: Declaration, kind: str, more: dict[str, Any]) -> None:
    """Input and a list of one question, at /decisions."""
    answer = {"type": "choice", "name": "verdict", "choice": declared.verdicts[0]}
    served, _, _ = ask(as_json({"answers": [answer]}), declared, api="openai-decision")
    expected = {"type": kind, "name": "verdict", "instructions": "By the rubric?", **more}
    assert (served.asked[0]["questions"], served.heads[0][0]) == ([expected], "/v1/decisions")


@pytest.mark.parametrize("path", ["/systemone", "/alpha/decisions", "/decisions/"])
@pytest.mark.parametrize("api", ["decision", "openai-decision"])
def test_a_whole_address_is_asked_as_it_is(path: str, api: str) -> None:
    """Where the address names the path, as OpenRouter's does, nothing is added but a query."""
    answer = {"type": "noul", "noul": 0.9}
    reply = as_json({"answers": [answer] if api == "openai-decision" else {"verdict": answer}})
    served, _, _ = ask(reply, PASS, path, api=api, query=(("region", "eu"),))
    assert served.heads[0][0] == f"/v1{path.rstrip('/')}?region=eu"


CASES: list[tuple[Declaration, dict[str, Any], str, str, float]] = [
    (PASS, {"type": "noul", "noul": 0.8}, "pass", "pass", 0.8),
    (PASS, {"type": "noul", "noul": 0.3}, "fail", "fail", 0.3),
    (PASS, {"type": "noul", "noul": 1}, "pass", "pass", 1.0),
    (PASS, {"type": "predicate", "probability": 0.3}, "fail", "fail", 0.3),
    (PAIR, {"type": "choice", "choice": "A", "probabilities": {"A": 0.6, "B": 0.2, "tie": 0.2}}, "A", "a", 0.7),
    (PAIR, {"type": "choice", "probabilities": [{"value": "B", "probability": 1.0}]}, "B", "b", 0.0),
    (GRADE, {"type": "choice", "probabilities": {"partly": 0.3, "partly right": 0.7}}, "partly right", "pass", 0.7),
    (GRADE, {"type": "choice", "probabilities": {"räts": 0.6, "partly right": 0.4}}, "räts", "fail", 0.4),
    (SCORE, {"type": "score", "score": 1.5, "probabilities": {"0": 0.4, "1": 0.1, "2": 0.1, "3": 0.4}}, "", "", -1),
    (SCORE, {"type": "score", "score": 2.0, "probabilities": [0.1, 0.1, 0.5, 0.3]}, "4", "pass", 0.8),
    (
        SCORE,
        {"type": "score", "probabilities": [{"value": 0, "label": "2", "probability": 0.9}]}
        | {"probabilities": [{"value": 0, "probability": 0.9}, {"value": 3, "probability": 0.1}]},
        "2",
        "fail",
        0.1,
    ),
]


@pytest.mark.parametrize(("declared", "answer", "said", "outcome", "probability"), CASES)
def test_the_likeliest_is_the_verdict(
    declared: Declaration, answer: dict[str, Any], said: str, outcome: str, probability: float
) -> None:
    """With its probability: of passing, or of A with half of a tie. Two that are equally likely give no verdict."""
    reply = judged(answer, declared)
    assert (reply.said, reply.outcome) == (said, outcome or "unscored")
    assert reply.rationale == ""
    if said:
        assert reply.probability == pytest.approx(probability)
    else:
        assert "equally likely" in reply.detail


def test_a_choice_without_probabilities_is_a_verdict() -> None:
    """Some servers leave them out: then there is a verdict and no probability."""
    reply = judged({"type": "choice", "choice": "B"}, PAIR)
    assert (reply.outcome, reply.probability) == ("b", None)


def test_a_refusal_is_a_refusal() -> None:
    """OpenAI's shape has one a question: no verdict, and never a fail."""
    assert judged({"type": "refusal", "reason": "policy"}, PASS, "openai-decision").status == "refused"


def test_tokens_are_paid_for() -> None:
    """What the endpoint counted is booked on the call, by its own names."""
    body = {"answers": {"verdict": {"type": "noul", "noul": 1}}, "usage": {"input_tokens": 42, "output_tokens": 5}}
    _, found, used = ask(as_json(body), PASS, api="decision")
    assert (used.prompt_tokens, used.completion_tokens, found["usage"]["prompt_tokens"]) == (42, 5, 42)
    assert used.cost_usd == pytest.approx(47e-6)
    assert json.loads(found["choices"][0]["message"]["content"]) == {"verdict": "pass"}
