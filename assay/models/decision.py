"""Ask a decision model: state and one question go there, probabilities and no text come back.

Two shapes of the same thing are spoken: System One's (`decision`; also OpenRouter's, Fireworks' and most local
servers'), which names a question by its key, and that of OpenAI's Decisions API (`openai-decision`). An answer becomes
a chat completion whose only word is the likeliest outcome, with the probabilities as that word's alternatives: so it
is kept, counted and read like the reply of any judge.
"""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from assay.errors import CallError
from assay.judges.decision import DecisionQuestion
from assay.models.chat import ABSURD, Chat, Usage
from assay.models.transport import Sent

NAME = "verdict"
PATHS = {"decision": "/systemone", "openai-decision": "/decisions"}
"""What an address lacks that does not end in one of these."""
LEAST_LOGPROB = -100.0
ROUNDED = 0.05
"""Servers round to two digits, so that probabilities come to one within this."""
Shape = Callable[[str, DecisionQuestion], dict[str, Any]]


class Decisions:
    """A decision endpoint, asked like a chat endpoint."""

    def __init__(self, chat: Chat) -> None:
        """Prepare.

        Args:
            chat: The connections, limits and the key.
        """
        self.endpoint, self._chat = chat.endpoint, chat
        path = PATHS[self.endpoint.api]
        self._path = "" if self.endpoint.base_url.rstrip("/").endswith(tuple(PATHS.values())) else path

    async def complete(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - state, decision, parameters
        """Return the answer as a chat completion; see `Chat.complete`.

        Args:
            request: `state`, `decision` (see assay/judges/decision.py), and parameters that are sent as they are.

        Raises:
            EndpointError: No call can succeed.
            CallError: This call failed; `kind` says how.
            BudgetError: Nothing is left to pay with.
        """
        return await self._chat.post(self._path, *self._shaped(request))

    def vouch(self, request: dict[str, Any]) -> None:
        """Let it count as an endpoint that has answered a request, as for `complete`; see `Chat.vouch`."""
        self._chat.vouch_for(self._path, *self._shaped(request))

    def _shaped(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], Callable[[Sent], dict[str, Any]]]:
        """Return a request as it is sent, and what reads its answer."""
        state, decision = request["state"], request["decision"]
        parameters = {name: value for name, value in request.items() if name not in {"state", "decision"}}

        def read(sent: Sent) -> dict[str, Any]:
            self._chat.require_answer(sent)
            reply = completion(sent.body, decision)
            self._chat.pay(Usage(**reply["usage"]))
            return reply

        shaped = SHAPES[self.endpoint.api](state, decision)
        return {"model": self.endpoint.model, **shaped, **parameters}, read


def _system_one(state: str, decision: DecisionQuestion) -> dict[str, Any]:
    criteria: dict[str, dict[str, Any]] = {
        "yes-no": {},
        "choice": {"criteria": dict(decision.outcomes)},
        "levels": {"criteria": list(decision.outcomes.values())},
    }
    kind = {"yes-no": "noul", "choice": "choice", "levels": "score"}[decision.kind]
    return {
        "state": state,
        "questions": {NAME: {"type": kind, "instructions": decision.instructions, **criteria[decision.kind]}},
    }


def _openai(state: str, decision: DecisionQuestion) -> dict[str, Any]:
    outcomes = decision.outcomes.items()
    more: dict[str, dict[str, Any]] = {
        "yes-no": {},
        "choice": {"choices": [{"value": value, "description": meaning} for value, meaning in outcomes]},
        "levels": {"levels": [{"label": value, "description": meaning} for value, meaning in outcomes]},
    }
    kind = {"yes-no": "predicate", "choice": "choice", "levels": "score"}[decision.kind]
    question = {"type": kind, "name": NAME, "instructions": decision.instructions, **more[decision.kind]}
    return {"input": state, "questions": [question]}


SHAPES: dict[str, Shape] = {"decision": _system_one, "openai-decision": _openai}


def completion(body: bytes, decision: DecisionQuestion) -> dict[str, Any]:
    """Return a decision endpoint's answer as a chat completion.

    Raises:
        CallError: It is no answer to this question.
    """
    try:
        whole = orjson.loads(body)
        answer = _answer(whole["answers"])
        message: dict[str, Any] = {"content": None, "refusal": None, "tool_calls": None}
        if answer["type"] == "refusal":
            return _completion(whole, message | {"refusal": "it gave no answer to this question"}, None)
        if answer.get("choice") in decision.outcomes and not answer.get("probabilities"):
            return _completion(whole, message | {"content": json.dumps({NAME: answer["choice"]})}, None)
        probabilities = _probabilities(answer, list(decision.outcomes))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        found = " ".join(body[:200].decode(errors="replace").split())
        raise CallError("malformed", f"the reply is no decision ({error}): {found}") from error
    best, second = sorted(probabilities, key=lambda outcome: -probabilities[outcome])[:2]
    if probabilities[best] == probabilities[second]:
        return _completion(whole, message | {"content": f"{best} and {second} are equally likely"}, None)
    parts = [f'{{"{NAME}": "', _quoted(best), "}"]
    tokens: list[dict[str, Any]] = [{"token": part, "logprob": 0.0, "top_logprobs": []} for part in parts]
    alternatives = [
        {"token": _quoted(outcome), "logprob": _logprob(probability)} for outcome, probability in probabilities.items()
    ]
    tokens[1] |= {"logprob": _logprob(probabilities[best]), "top_logprobs": alternatives}
    return _completion(whole, message | {"content": "".join(parts)}, tokens)


def _answer(answers: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever the endpoint sent
    """Return the one answer, of a mapping by the question's key or of a list."""
    if isinstance(answers, Mapping):
        return dict(answers[NAME])
    (answer,) = answers
    return dict(answer)


def _probabilities(answer: Mapping[str, Any], outcomes: list[str]) -> dict[str, float]:
    """Return the probability of each outcome.

    Raises:
        ValueError: They are not those of these outcomes.
    """
    if answer["type"] in {"noul", "predicate"}:
        likely = _number(answer.get("noul", answer.get("probability")))
        return _checked({outcomes[0]: likely, outcomes[1]: 1 - likely})
    given = answer["probabilities"]
    if isinstance(given, Mapping):
        given = [{"value": value, "probability": probability} for value, probability in given.items()]
    pairs = [
        one if isinstance(one, Mapping) else {"value": place, "probability": one} for place, one in enumerate(given)
    ]
    named = {str(one["value"]): _number(one["probability"]) for one in pairs}
    if answer["type"] == "score":
        named = {outcomes[int(place)]: probability for place, probability in named.items() if int(place) >= 0}
    if strange := sorted(set(named) - set(outcomes)):
        raise ValueError(f"it names {strange[0][:40]!r}, which nobody asked about")
    return _checked(dict.fromkeys(outcomes, 0.0) | named)


def _number(value: Any) -> float:  # noqa: ANN401 - whatever the endpoint sent
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"a probability is {str(value)[:40]}")
    return float(value)


def _checked(probabilities: dict[str, float]) -> dict[str, float]:
    total = sum(probabilities.values())
    if not abs(total - 1) <= ROUNDED:
        raise ValueError(f"the probabilities come to {total:.2f}")
    return probabilities


def _quoted(outcome: str) -> str:
    """Return an outcome up to its closing quote: of two that begin alike neither is taken for the other."""
    return json.dumps(outcome, ensure_ascii=False)[1:]


def _logprob(probability: float) -> float:
    return math.log(probability) if probability > math.exp(LEAST_LOGPROB) else LEAST_LOGPROB


def _completion(
    whole: Mapping[str, Any], message: dict[str, Any], tokens: list[dict[str, Any]] | None
) -> dict[str, Any]:
    model, counted = whole.get("model"), whole.get("usage")
    used = [counted.get(name) if isinstance(counted, dict) else 0 for name in ("input_tokens", "output_tokens")]
    sound = [count if isinstance(count, int) and 0 <= count < ABSURD else 0 for count in used]
    return {
        "model": model if isinstance(model, str) else None,
        "choices": [{"message": message, "finish_reason": "stop", "logprobs": {"content": tokens} if tokens else None}],
        "usage": dict(zip(Usage._fields, sound, strict=True)),
    }
