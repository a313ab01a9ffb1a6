"""Reading what a product said in one turn: strict, so that nothing is guessed."""

import json
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from assay.errors import CallError, EmptyReplyError
from assay.models.chat import MOST_OF_A_REASON
from assay.records.response import MadeCall

MOST_TOKENS = 2**40
"""Of one reply; a larger count is no count, and no table could hold it."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a product said in one turn."""

    text: str = ""
    tool_calls: list[MadeCall] = field(default_factory=list)
    contexts: list[str] = field(default_factory=list)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    finish_reason: str = ""
    version: str = ""
    """What the product calls itself in this reply; empty when it does not say."""
    final_state: str = ""
    """JSON text; empty when the product does not say."""


class Call(BaseModel, strict=True, extra="ignore"):
    """A tool call as a product tells it, in any of the usual spellings."""

    name: str = Field(min_length=1)
    arguments: str = "{}"
    failed: bool = False

    @model_validator(mode="before")
    @classmethod
    def _flat(cls, given: Any) -> Any:  # noqa: ANN401 - whatever the product sent
        """Accept OpenAI's nesting, arguments as an object, and an `error` in place of `failed`."""
        if not isinstance(given, dict):
            return given
        found = given | given["function"] if isinstance(given.get("function"), dict) else dict(given)
        if isinstance(found.get("arguments"), dict | list):
            found["arguments"] = json.dumps(found["arguments"], ensure_ascii=False)
        return {"failed": bool(found.get("error"))} | found


class _Usage(BaseModel, strict=True, extra="ignore"):
    prompt_tokens: int | None = Field(default=None, ge=0, le=MOST_TOKENS)
    completion_tokens: int | None = Field(default=None, ge=0, le=MOST_TOKENS)


class _Told(BaseModel, strict=True, extra="forbid"):
    text: str = ""
    tool_calls: list[Call] = []
    contexts: list[str] = []
    usage: _Usage = _Usage()
    finish_reason: str | None = None
    version: str = ""
    final_state: Any = None

    @field_validator("text", "tool_calls", "contexts", "usage", mode="before")
    @classmethod
    def _nothing(cls, given: Any, info: Any) -> Any:  # noqa: ANN401 - pydantic's types
        """Read null as what is not there, as OpenAI's API writes it."""
        nothing: dict[str, Any] = {"text": "", "usage": {}}
        return nothing.get(info.field_name, []) if given is None else given


def read(given: Any) -> Reply:  # noqa: ANN401 - whatever the product sent
    """Return the reply that a JSON value tells: a text, or an object with the fields of `Reply` and `usage`.

    Args:
        given: As `json_text.load` reads it.

    Raises:
        EmptyReplyError: It has neither a text nor a tool call.
        CallError: It is of another shape (`malformed`).
    """
    try:
        told = _Told.model_validate({"text": given} if isinstance(given, str) else given)
        state = "" if told.final_state is None else json.dumps(told.final_state, sort_keys=True, allow_nan=False)
        calls = [MadeCall(name=call.name, arguments=call.arguments, failed=call.failed) for call in told.tool_calls]
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "whole"
        raise CallError("malformed", f"the reply's {place} is {first['input']!r:.200}: {first['msg']}") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise CallError("malformed", f"the reply cannot be written as JSON: {str(error)[:200]}") from error
    if not told.text and not calls:
        ended = (told.finish_reason or "")[:MOST_OF_A_REASON]
        raise EmptyReplyError("the reply has neither a text nor a tool call", finish_reason=ended)
    return Reply(
        text=told.text,
        tool_calls=calls,
        contexts=told.contexts,
        prompt_tokens=told.usage.prompt_tokens or 0,
        completion_tokens=told.usage.completion_tokens or 0,
        finish_reason=(told.finish_reason or "")[:MOST_OF_A_REASON],
        version=told.version,
        final_state=state,
    )
