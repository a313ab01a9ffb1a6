"""The OpenAI protocol, as much of it as the embedded models speak: one choice, no streaming."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, ValidationError

from assay.records.record import Record, digest

LOWEST_LOGPROB = -100.0
"""Stands for the logarithm of a probability too small to write down."""


class RequestError(Exception):
    """A request cannot be answered; told to the caller in OpenAI's shape."""

    def __init__(self, text: str, *, status: int = 400, code: str | None = None) -> None:
        """Keep HTTP status and OpenAI's error code beside the sentence."""
        super().__init__(text)
        self.status = status
        self.code = code

    def body(self) -> dict[str, Any]:
        """Return the body of the HTTP reply."""
        error = {"message": str(self), "type": "invalid_request_error", "param": None, "code": self.code}
        return {"error": error}


def _text(content: object) -> object:
    if not isinstance(content, list):
        return content
    return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))


class ChatMessage(Record, extra="ignore"):
    """One message of a request; only text is understood, so that of several parts the others are not looked at."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[str, BeforeValidator(_text)]


class ChatRequest(Record, extra="ignore"):
    """The fields of a chat request that matter here; temperature and the like do not, for nothing is drawn."""

    always_hashed: ClassVar = ("stream", "n", "logprobs", "top_logprobs", "seed")
    model: str
    messages: list[ChatMessage] = Field(min_length=1)
    stream: Literal[False] = False
    n: Literal[1] = 1
    logprobs: bool = False
    top_logprobs: int = Field(default=0, ge=0, le=20)
    seed: int = Field(default=0, ge=0)
    """Only the generator draws; without a seed it draws as with seed 0."""

    @property
    def prompt(self) -> str:
        """The text of the last message."""
        return self.messages[-1].content


@dataclass(frozen=True, kw_only=True)
class Token:
    """One piece of an answer with what could have stood in its place."""

    text: str
    alternatives: Mapping[str, float]
    """Probability of each piece that was possible here, the chosen one among them."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a model answers, and under which name."""

    model: str
    tokens: list[Token]

    @property
    def text(self) -> str:
        """The whole answer."""
        return "".join(token.text for token in self.tokens)


Model = Callable[[ChatRequest], Answer]


def certain(text: str) -> Token:
    """Return a piece of an answer that could not have been another."""
    return Token(text=text, alternatives={text: 1.0})


def read_request(body: bytes) -> ChatRequest:
    """Read a request's body.

    Raises:
        RequestError: It is not JSON, or not a chat request that can be answered here.
    """
    try:
        return ChatRequest.model_validate(json.loads(body))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "body"
        raise RequestError(f"{where}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise RequestError(f"the body is not JSON: {error}") from error


def completion(request: ChatRequest, answer: Answer) -> dict[str, Any]:
    """Return the body of a chat completion; equal requests give equal bodies, so `created` is always 0."""
    asked = sum(len(message.content.split()) for message in request.messages)
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": answer.text, "refusal": None},
        "finish_reason": "stop",
        "logprobs": {"content": [_logprobs(token, request.top_logprobs) for token in answer.tokens], "refusal": None}
        if request.logprobs
        else None,
    }
    said = len(answer.tokens)
    return {
        "id": f"chatcmpl-{digest([request, answer.text])}",
        "object": "chat.completion",
        "created": 0,
        "model": answer.model,
        "choices": [choice],
        "usage": {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said},
    }


def _logprobs(token: Token, top: int) -> dict[str, Any]:
    likeliest = sorted(token.alternatives, key=lambda text: (-token.alternatives[text], text))[:top]
    chosen = _logprob(token.text, token.alternatives[token.text])
    return chosen | {"top_logprobs": [_logprob(text, token.alternatives[text]) for text in likeliest]}


def _logprob(text: str, probability: float) -> dict[str, Any]:
    logprob = math.log(probability) if probability > math.exp(LOWEST_LOGPROB) else LOWEST_LOGPROB
    return {"token": text, "logprob": logprob, "bytes": list(text.encode())}
