"""The product behind an OpenAI-compatible chat endpoint, with its tools executed against a declared environment."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from pydantic import BaseModel, Field, ValidationError

from assay.errors import CallError, ConfigError
from assay.models.chat import Asks
from assay.records.case import Case
from assay.records.record import digest
from assay.records.response import MadeCall, Message
from assay.storage import attachments
from assay.targets import template
from assay.targets.conversation import Conversing, Transcript, User
from assay.targets.environment import Environment, NoTools, World, Worlds
from assay.targets.product_code import ProductCode
from assay.targets.reply import MOST_TOKENS, Reply
from assay.targets.settings import ChatSettings, PromptMessage

MAX_STEPS = 8
"""Replies a turn may take, tool calls included; a product that never comes to an answer has failed to answer."""
REFUSAL = "refusal"
"""Why a reply ended that stands in the field of this name."""
SAYS_THE_TURN = (PromptMessage(role="user", content="{{turn}}"),)
"""The prompt of a product without one."""
NOT_EXECUTED = json.dumps({"status": "not executed"})
"""What a tool that is only declared answers, should the conversation go on."""


class _Function(BaseModel, strict=True):
    name: str = Field(min_length=1)
    arguments: str


class _Call(BaseModel, extra="allow", strict=True):
    id: str = Field(min_length=1)
    type: str = "function"
    function: _Function


class _Usage(BaseModel, strict=True):
    prompt_tokens: int | None = Field(default=None, ge=0, le=MOST_TOKENS)
    completion_tokens: int | None = Field(default=None, ge=0, le=MOST_TOKENS)


class _Said(BaseModel, strict=True):
    """What of a reply becomes part of the response; anything of another shape is `malformed`."""

    content: str
    tool_calls: list[_Call]
    contexts: list[str]
    usage: _Usage
    finish_reason: str
    model: str


@dataclass(frozen=True, kw_only=True)
class Product:
    """What makes up the product beside its model: all of it is in the fingerprint."""

    name: str
    world: Callable[[], Environment] = NoTools
    messages: Sequence[PromptMessage] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    tools: Sequence[dict[str, Any]] = ()
    """In place of the environment's own; without an environment nobody executes them and a turn ends with the call."""
    version: str = ""
    """As declared, or as the product told it; empty for the name of the model."""
    world_code: ProductCode | None = None
    """What the environment is made of; None for a product without one."""

    @classmethod
    def of(
        cls,
        settings: ChatSettings,
        version: str,
        *,
        world: Callable[[], Environment] = NoTools,
        world_code: ProductCode | None = None,
    ) -> Self:
        """Return the product that the parameters describe; the other arguments as the fields of their names."""
        return cls(
            name=settings.name,
            world=world,
            messages=settings.messages,
            parameters=settings.parameters,
            tools=settings.tools,
            version=version,
            world_code=world_code,
        )

    def offered_tools(self) -> list[dict[str, Any]]:
        """Return the tools that are sent along: the declared ones, else those of the environment.

        Raises:
            ConfigError: The environment cannot say its tools.
        """
        return list(self.tools) or _tools(self.world)

    def fingerprint(self, model: str, tools: Sequence[dict[str, Any]]) -> str:
        """Return the product's fingerprint.

        Args:
            model: The name by which it is asked.
            tools: As from `offered_tools`.
        """
        is_executed = self.world is not NoTools
        who = [model, list(tools), is_executed, list(self.messages), self.parameters, self.version]
        world = [self.world_code.digest] if self.world_code else []
        return f"{self.name}@{self.version or model}-{digest([*who, *world])[:8]}"


class ChatTarget(Conversing):
    """One version of the product; its fingerprint is its name, model, prompt, tools, environment, version and so on."""

    def __init__(
        self,
        product: Product,
        chat: Asks,
        *,
        deadline_s: float,
        user: User | None = None,
        is_priced: bool = False,
    ) -> None:
        """Describe the target; nothing is asked yet.

        Args:
            product: What is sent along with every turn.
            chat: The endpoint.
            deadline_s: How long the environment may take for one tool call.
            user: Plays the simulated users.
            is_priced: Is it declared what an answer costs?

        Raises:
            ConfigError: The environment cannot say its tools.
        """
        self._product, self._chat = product, chat
        self._tools = product.offered_tools()
        self._worlds = Worlds(product.world, deadline_s=deadline_s)
        fingerprint, world = product.fingerprint(chat.endpoint.model, self._tools), product.world_code
        is_known = bool(product.version.strip()) and (world is None or world.is_known)
        called = product.version
        super().__init__(fingerprint, version=called, is_version_known=is_known, user=user, is_priced=is_priced)

    @asynccontextmanager
    async def talk(self, transcript: Transcript, case: Case, trial: int) -> AsyncIterator["_Talk"]:  # noqa: ARG002 - all kinds have it
        """Begin a conversation in a fresh world."""
        request = dict(self._product.parameters)
        if self._tools:
            request["tools"] = self._tools
        if self._product.world is NoTools:
            yield _Talk(self._chat, transcript, request, self._product, None, case)
            return
        async with self._worlds.fresh() as world:
            yield _Talk(self._chat, transcript, request, self._product, world, case)

    def close(self) -> None:
        """Give back the threads of the environments."""
        self._worlds.close()


class _Talk:
    """One conversation, as it goes over the wire."""

    def __init__(
        self,
        chat: Asks,
        transcript: Transcript,
        request: dict[str, Any],
        product: Product,
        world: World | None,
        case: Case,
    ) -> None:
        self._chat, self._transcript, self._request, self._case = chat, transcript, request, case
        self._prompt, self._world = product.messages, world
        self._is_executed = world is not None or not product.tools
        self._wire: list[dict[str, Any]] = []

    async def say(self, turn: str) -> None:
        """Say one thing and let the product use its tools until it answers."""
        self._wire += self._asked(turn)
        for _ in range(MAX_STEPS):
            calls = await self._reply()
            for call in calls:
                await self._execute(call)
            if not calls or not self._is_executed:
                return
        raise CallError("malformed", f"no answer after {MAX_STEPS} replies with tool calls")

    async def end(self) -> None:
        """Look at the world that the conversation leaves behind."""
        if self._world:
            self._transcript.final_state = await self._world.state()

    def _asked(self, turn: str) -> list[dict[str, Any]]:
        """Return the messages that say a turn: on the first, the whole prompt and the files; then its last message."""
        prompt = self._prompt or SAYS_THE_TURN
        shown = prompt[-1:] if self._wire else prompt
        values = {"turn": turn, template.INPUTS: self._case.values(), template.CONTEXTS: _joined(self._case.contexts)}
        *before, last = [{"role": one.role, "content": template.fill_text(one.content, values)} for one in shown]
        files = [] if self._wire else self._case.attachments
        return [*before, {**last, "content": attachments.content(last["content"], files)}]

    async def _reply(self) -> list[_Call]:
        said = _said(await self._chat.complete(messages=self._wire, **self._request))
        calls = {"tool_calls": [call.model_dump() for call in said.tool_calls]} if said.tool_calls else {}
        self._wire.append({"role": "assistant", "content": said.content, **calls})
        self._transcript.take(
            Reply(
                text=said.content,
                contexts=said.contexts,
                prompt_tokens=said.usage.prompt_tokens or 0,
                completion_tokens=said.usage.completion_tokens or 0,
                finish_reason=said.finish_reason,
                version=said.model,
            )
        )
        return said.tool_calls

    async def _execute(self, call: _Call) -> None:
        name, arguments = call.function.name, call.function.arguments
        try:
            result = await self._result(name, arguments)
        except CallError:
            self._transcript.tool_calls.append(MadeCall(name=name, arguments=arguments, failed=True))
            raise
        self._transcript.tool_calls.append(MadeCall(name=name, arguments=arguments, failed=_is_error(result)))
        self._wire.append({"role": "tool", "tool_call_id": call.id, "content": result})
        if result and self._is_executed:
            self._transcript.messages.append(Message(role="tool", content=result))

    async def _result(self, name: str, arguments: str) -> str:
        if self._world:
            return await self._world.call(name, arguments)
        return NoTools().call(name, arguments) if self._is_executed else NOT_EXECUTED


def _joined(contexts: Sequence[str]) -> str:
    """Return documents as one text, as a prompt shows them."""
    return "\n\n".join(contexts)


def _tools(world: Callable[[], Environment]) -> list[dict[str, Any]]:
    try:
        return list(json.loads(json.dumps(world().tools)))
    except Exception as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise ConfigError(
            f"execute.target.environment: its tools cannot be read ({text}), expected a list in OpenAI's format: "
            "correct it"
        ) from error


def _is_error(result: str) -> bool:
    """Tell whether a tool answered with an object that has `error`."""
    if '"error"' not in result:
        return False
    try:
        found = json.loads(result)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and "error" in found


def _said(reply: dict[str, Any]) -> _Said:
    choice = reply["choices"][0]
    message = choice["message"]
    # The field `refusal` says itself what it is; servers end such a reply with `stop`.
    is_refusal = bool(message["refusal"] and not message["content"])
    try:
        return _Said.model_validate(
            {
                "content": message["content"] or message["refusal"] or "",
                "tool_calls": message["tool_calls"] or [],
                "contexts": message.get("contexts") or [],
                "usage": reply.get("usage") or {},
                "finish_reason": REFUSAL if is_refusal else choice.get("finish_reason") or "",
                "model": reply.get("model") or "",
            }
        )
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise CallError("malformed", f"the reply's {place} is {first['input']!r:.200}: {first['msg']}") from error
