"""The product behind an OpenAI-compatible chat endpoint, with its tools executed against a declared environment."""

import importlib
import json
import time
from collections.abc import Callable
from typing import Any, Protocol

from pydantic import BaseModel, Field, ValidationError

from assay.clients.chat import Chat, writable
from assay.errors import CallError, ConfigError
from assay.records import Case, Message, Response, ToolCall, digest

MAX_STEPS = 8
"""Replies a turn may take, tool calls included; a product that never comes to an answer has failed to answer."""


class Environment(Protocol):
    """The world that the product's tools act on; a fresh one for each trial."""

    tools: list[dict[str, Any]]

    def call(self, name: str, arguments: str) -> str:
        """Execute one tool call; JSON text in, JSON text out."""

    def state(self) -> dict[str, Any]:
        """Return the whole state as JSON values."""


class NoTools:
    """The environment of a product without tools."""

    tools: list[dict[str, Any]] = []  # noqa: RUF012 - never mutated, part of the protocol

    def call(self, name: str, arguments: str) -> str:  # noqa: ARG002 - the protocol's signature
        """Answer that there is no such tool."""
        return json.dumps({"error": f"unknown tool {name[:80]}"})

    def state(self) -> dict[str, Any]:
        """Return nothing: there is no state."""
        return {}


def environment(module: str) -> Callable[[], Environment]:
    """Return the `Environment` class of a module, or the one without tools for an empty name."""
    if not module:
        return NoTools
    try:
        found: Callable[[], Environment] = importlib.import_module(module).Environment
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"execute.target.environment is {module!r}, expected a module with a class Environment: {error}"
        ) from error
    return found


class _Function(BaseModel, strict=True):
    name: str = Field(min_length=1)
    arguments: str


class _Call(BaseModel, extra="allow", strict=True):
    id: str = Field(min_length=1)
    type: str = "function"
    function: _Function


class _Usage(BaseModel, strict=True):
    prompt_tokens: int | None = Field(default=None, ge=0)
    completion_tokens: int | None = Field(default=None, ge=0)


class _Said(BaseModel, strict=True):
    """What of a reply becomes part of the response; anything of another shape is `malformed`."""

    content: str
    tool_calls: list[_Call]
    contexts: list[str]
    usage: _Usage


class ChatTarget:
    """One version of the product; its fingerprint is its name, model, parameters and tools."""

    def __init__(self, name: str, chat: Chat, world: Callable[[], Environment]) -> None:
        """Describe the target; nothing is asked yet."""
        self._chat, self._world = chat, world
        self.fingerprint = f"{name}@{chat.endpoint.model}-{digest([chat.endpoint.model, world().tools])[:8]}"

    async def respond(self, case: Case, trial: int, epoch: str) -> Response:
        """Play a case's turns against the product; a failed call gives a response with status `error`."""
        talk = _Talk(self._chat, self._world())
        error_kind = error_text = ""
        started = time.monotonic()
        try:
            for turn in case.turns:
                await talk.turn(turn)
            talk.end()
        except CallError as error:
            error_kind, error_text = error.kind, str(error)
        return Response(
            case_id=case.case_id,
            revision=case.revision(),
            target=self.fingerprint,
            trial=trial,
            epoch=epoch,
            status="error" if error_kind else "ok",
            error_kind=error_kind,
            error=error_text,
            latency_s=round(time.monotonic() - started, 4),
            **talk.outcome(),
        )


class _Talk:
    """One conversation: what was said, which tools were called, what it cost."""

    def __init__(self, chat: Chat, world: Environment) -> None:
        self._chat, self._world = chat, world
        self._wire: list[dict[str, Any]] = []
        self._calls: list[ToolCall] = []
        self._contexts: list[str] = []
        self._tokens = {"prompt_tokens": 0, "completion_tokens": 0}
        self._final_state = "{}"

    async def turn(self, text: str) -> None:
        """Say one thing and let the product use its tools until it answers."""
        self._wire.append({"role": "user", "content": text})
        for _ in range(MAX_STEPS):
            said = await self._reply()
            if not said.tool_calls:
                return
            for call in said.tool_calls:
                self._execute(call)
        raise CallError("malformed", f"no answer after {MAX_STEPS} replies with tool calls")

    def end(self) -> None:
        """Look at the world that the conversation leaves behind."""
        self._final_state = _from_world(lambda: json.dumps(self._world.state(), sort_keys=True))

    async def _reply(self) -> _Said:
        tools = {"tools": self._world.tools} if self._world.tools else {}
        said = _said(await self._chat.complete(messages=self._wire, **tools))
        for name, count in said.usage.model_dump().items():
            self._tokens[name] += count or 0
        calls = {"tool_calls": [call.model_dump() for call in said.tool_calls]} if said.tool_calls else {}
        self._wire.append({"role": "assistant", "content": said.content, **calls})
        self._contexts += said.contexts
        return said

    def _execute(self, call: _Call) -> None:
        name, arguments = call.function.name, call.function.arguments
        self._calls.append(ToolCall(name=name, arguments=arguments))
        result = _from_world(lambda: writable(self._world.call(name, arguments)))
        self._wire.append({"role": "tool", "tool_call_id": call.id, "content": result})

    def outcome(self) -> dict[str, Any]:
        """Return the fields of the response that the conversation decides."""
        said = [message for message in self._wire if message["content"]]
        answers = [message["content"] for message in said if message["role"] == "assistant"]
        return {
            "text": answers[-1] if answers else "",
            "messages": [Message(role=message["role"], content=message["content"]) for message in said],
            "tool_calls": self._calls,
            "contexts": self._contexts,
            "final_state": self._final_state,
            **self._tokens,
        }


def _said(reply: dict[str, Any]) -> _Said:
    message = reply["choices"][0]["message"]
    try:
        said = _Said.model_validate(
            {
                "content": message["content"] or message["refusal"] or "",
                "tool_calls": message["tool_calls"] or [],
                "contexts": message.get("contexts") or [],
                "usage": reply.get("usage") or {},
            }
        )
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise CallError("malformed", f"the reply's {place} is {first['input']!r:.200}: {first['msg']}") from error
    if not said.content and not said.tool_calls:
        raise CallError("malformed", "the reply has neither content nor tool calls")
    return said


def _from_world(look: Callable[[], str]) -> str:
    """Return what the environment gives; it is the project's own code, run on arguments that a product invented."""
    try:
        return look()
    except Exception as error:
        text = writable(" ".join(f"{type(error).__name__}: {error}".split()))[:300]
        raise CallError("crash", f"the environment raised {text}") from error
