"""Hold a conversation with the assistant in this process, as a caller does over HTTP."""

import json
from dataclasses import dataclass
from typing import Any

from examples.support.assistant import assistant
from examples.support.environment import Environment
from examples.support.limits import DECLINE, UNSURE
from examples.support.reply import Reply
from examples.support.talk import Call, Talk, Turn

MOST_CALLS = 6


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one conversation: the last answer, and everything that was quoted and called on the way."""

    text: str
    contexts: list[str]
    calls: list[Call]
    state: dict[str, Any]

    @property
    def is_escalated(self) -> bool:
        """Whether the conversation was handed over to a person."""
        return any(call.name == "escalate" and not call.error for call in self.calls)

    @property
    def is_declined(self) -> bool:
        """Whether the last answer declined the request."""
        return self.text in {DECLINE, UNSURE}


def converse(version: str, turns: list[str]) -> Outcome:
    """Say the turns one after the other, execute the tool calls in a fresh environment, return what came of it.

    Raises:
        RuntimeError: The assistant calls tools without end.
    """
    environment = Environment()
    talk = Talk(turns=[], tools=frozenset(tool["function"]["name"] for tool in environment.tools))
    contexts: list[str] = []
    for text in turns:
        talk.turns.append(Turn(text=text))
        reply = _answer(version, talk, environment)
        talk.now.answer = reply.text
        contexts += reply.contexts
    calls = [call for turn in talk.turns for call in turn.calls]
    return Outcome(text=talk.now.answer, contexts=contexts, calls=calls, state=environment.state())


def _answer(version: str, talk: Talk, environment: Environment) -> Reply:
    for _ in range(MOST_CALLS):
        reply = assistant(version).reply(talk)
        if not reply.tool:
            return reply
        result = json.loads(environment.call(reply.tool, json.dumps(reply.arguments)))
        talk.now.calls.append(Call(name=reply.tool, arguments=reply.arguments, result=result))
    raise RuntimeError(f"{version} made {MOST_CALLS} tool calls in one turn; an answer was expected, see its steps")
