"""A conversation as the assistant sees it: turns of a customer, with the tool calls and the answer that followed each.

The assistant keeps nothing between two requests: all that it knows of a conversation is read here from the messages.
"""

import json
from dataclasses import dataclass, field
from typing import Any

LONGEST_TEXT = 8_000
"""Characters of one message that are read; the rest of a longer one is ignored."""


class MalformedRequestError(ValueError):
    """The request is not a conversation in OpenAI's format; the text says where and what was expected."""


@dataclass(kw_only=True)
class Call:
    """One tool call of the assistant and what its caller answered; `result` is None until then."""

    name: str
    arguments: dict[str, Any]
    result: dict[str, Any] | None = None

    @property
    def error(self) -> str:
        """The code of the tool's error, or an empty text."""
        error = (self.result or {}).get("error")
        return str(error.get("code", "unknown")) if isinstance(error, dict) else ""


@dataclass(kw_only=True)
class Turn:
    """What the customer wrote, the calls that followed and the answer; the answer of the last turn is empty."""

    text: str
    calls: list[Call] = field(default_factory=list)
    answer: str = ""

    def call(self, name: str) -> Call | None:
        """Return the last finished call of a tool in this turn."""
        return next((call for call in reversed(self.calls) if call.name == name and call.result is not None), None)


@dataclass(kw_only=True)
class Talk:
    """All turns of a conversation, and the names of the tools that its caller can execute."""

    turns: list[Turn]
    tools: frozenset[str]

    @property
    def now(self) -> Turn:
        """The turn that waits for an answer."""
        return self.turns[-1]

    @property
    def last_answer(self) -> str:
        """What the assistant said last, or an empty text."""
        return self.turns[-2].answer if len(self.turns) > 1 else ""

    @property
    def texts(self) -> list[str]:
        """What the customer wrote, newest first."""
        return [turn.text for turn in reversed(self.turns)]


def parse(messages: Any, tools: frozenset[str]) -> Talk:  # noqa: ANN401 - any JSON value
    """Read OpenAI messages into turns; system messages carry nothing that this assistant uses.

    Raises:
        MalformedRequestError: The messages are no conversation that waits for the assistant.
    """
    if not isinstance(messages, list) or not messages:
        raise MalformedRequestError("messages is missing or empty; send a list with at least one user message")
    turns: list[Turn] = []
    waiting: dict[str, Call] = {}
    for index, message in enumerate(messages):
        if not isinstance(message, dict):
            raise MalformedRequestError(f"messages[{index}] is not an object; send role and content")
        _add(message, f"messages[{index}]", turns, waiting)
    if not turns or turns[-1].answer:
        raise MalformedRequestError("the last message is not from a user or a tool; there is nothing to answer")
    if any(call.result is None for call in waiting.values()):
        raise MalformedRequestError("a tool call has no tool message with its tool_call_id; send one for each call")
    return Talk(turns=turns, tools=tools)


def _add(message: dict[str, Any], where: str, turns: list[Turn], waiting: dict[str, Call]) -> None:
    role = str(message.get("role"))
    if role in {"system", "developer"}:
        return
    if role == "user":
        text = _text(message.get("content"), where)[:LONGEST_TEXT]
        turns.append(Turn(text=" ".join(text.split())))
    elif role not in {"assistant", "tool"}:
        raise MalformedRequestError(f"{where}.role is {role[:40]!r}; expected system, user, assistant or tool")
    elif not turns:
        raise MalformedRequestError(f"{where} comes before any user message; start with a user message")
    elif role == "assistant":
        _add_answer(message, where, turns[-1], waiting)
    else:
        _add_result(message, where, waiting)


def _add_answer(message: dict[str, Any], where: str, turn: Turn, waiting: dict[str, Call]) -> None:
    calls = message.get("tool_calls") or []
    if not calls:
        turn.answer = _text(message.get("content"), where) or "(no text)"
        return
    if not isinstance(calls, list):
        raise MalformedRequestError(f"{where}.tool_calls is not a list; send it as it was returned")
    for raw in calls:
        function = raw.get("function") if isinstance(raw, dict) else None
        if not isinstance(function, dict) or not isinstance(raw.get("id"), str):
            raise MalformedRequestError(
                f"{where}.tool_calls has an entry without id or function; send it as it was returned"
            )
        call = Call(name=str(function.get("name")), arguments=_json(function.get("arguments"), where))
        turn.calls.append(call)
        waiting[raw["id"]] = call


def _add_result(message: dict[str, Any], where: str, waiting: dict[str, Call]) -> None:
    call = waiting.get(str(message.get("tool_call_id")))
    if call is None:
        raise MalformedRequestError(f"{where}.tool_call_id belongs to no tool call; copy the id from tool_calls")
    call.result = _json(_text(message.get("content"), where), where)


def _json(text: Any, where: str) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    try:
        value = json.loads(text or "{}")
    except (TypeError, ValueError, RecursionError) as error:
        raise MalformedRequestError(
            f"{where} carries text that is not JSON; send tool arguments and results as JSON"
        ) from error
    if not isinstance(value, dict):
        raise MalformedRequestError(f"{where} carries JSON that is not an object; send an object")
    return value


def _text(content: Any, where: str) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        content = " ".join(part for part in parts if isinstance(part, str))
    if content is None:
        return ""
    if not isinstance(content, str):
        raise MalformedRequestError(f"{where}.content is not text; send a string or text parts")
    return content
