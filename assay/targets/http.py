"""The product behind an HTTP endpoint of its own shape: a declared request, and JSONPaths into what comes back."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import aiohttp

from assay.errors import AccessError, CallError, ConfigError, EndpointError
from assay.models import usage
from assay.models.limits import Price
from assay.models.transport import Sent, Wire, refused
from assay.records import named
from assay.records.case import Case
from assay.records.record import digest, hashed_fields
from assay.targets import events, files, json_path, reply, template, tool_calls
from assay.targets.conversation import Conversing, Transcript, User
from assay.targets.reply import Reply
from assay.targets.settings import FILES, IN_URL, Answer, HttpSettings

REMEMBERING = {"turns", "history", "messages", "conversation_id"}
"""Placeholders by which a product can know what was said before."""
OK, UNAUTHORISED, FORBIDDEN, NOT_FOUND = range(200, 300), 401, 403, 404
SHOWN_BYTES = 2000
"""Of a refusal's body; our sentence holds less."""


def fingerprint(settings: HttpSettings, version: str) -> str:
    """Return the fingerprint of a product, in the version that is declared or that it tells; empty for none.

    It does not hold the host: a product that has moved is the same product, as it is for a chat endpoint.
    """
    place = settings.url.partition("://")[2].partition("/")[2]
    asked = {"method", "headers", "body", "answer", "stream"}
    hash_ = digest([version, place, hashed_fields(settings, only=asked)])[:8]
    return f"{settings.name}@{version or 'http'}-{hash_}"


class HttpTarget(Conversing):
    """One version of the product; its fingerprint is its name, version, request and where its answer is looked for."""

    def __init__(
        self,
        settings: HttpSettings,
        wire: Wire,
        *,
        url: str,
        headers: Mapping[str, str],
        version: str = "",
        price: Price | None = None,
        user: User | None = None,
        new_id: Callable[[], str] = lambda: uuid4().hex,
    ) -> None:
        """Describe the target; nothing is asked yet.

        Args:
            settings: The request and the reading of its answer.
            wire: The connections.
            url: The address of the settings with its port.
            headers: The headers of the settings with their secrets.
            version: As declared, or as the product told it.
            price: What its tokens cost, when it says how many there were.
            user: Plays the simulated users.
            new_id: Makes the identifier of a conversation; never the same twice, so that no product goes on with an
                old one.
        """
        self.settings, self.wire, self.url, self.headers, self.price = settings, wire, url, headers, price
        self._new_id = new_id
        self.calls_fit = False
        """Whether a tool call was found where the parameters look for it, so that they are right."""
        made, is_known = fingerprint(settings, version), bool(version.strip())
        is_priced = price is not None
        super().__init__(made, version=version, is_version_known=is_known, user=user, is_priced=is_priced)

    @asynccontextmanager
    async def talk(self, transcript: Transcript, case: Case, trial: int) -> AsyncIterator["_Talk"]:  # noqa: ARG002 - all kinds have it
        """Begin a conversation under a new identifier.

        Raises:
            ConfigError: The case has several turns and the product would know the last one only.
        """
        if (len(case.turns) > 1 or case.user) and not self.settings.holds() & REMEMBERING:
            raise ConfigError(
                f"case {case.case_id} has several turns and the request of execute.target holds none of "
                f"{', '.join(sorted(REMEMBERING))}, so the product could not know what was said before: add one to body"
            )
        yield _Talk(self, transcript, self._new_id(), case)


class _Talk:
    """One conversation: every turn is a request."""

    def __init__(self, target: HttpTarget, transcript: Transcript, conversation_id: str, case: Case) -> None:
        self._target, self._transcript, self._id = target, transcript, conversation_id
        given = files.values(case.attachments) if target.settings.holds() & {*FILES} else {}
        self._given = {template.INPUTS: case.values(), template.CONTEXTS: case.contexts, **given}

    async def say(self, turn: str) -> None:
        """Send one turn and take down the answer."""
        target, values = self._target, self._values(turn)
        said = await target.wire.patience.ask(lambda: self._asked(values), is_harmless=target.settings.repeatable)
        self._transcript.take(said)

    async def end(self) -> None:
        """Do nothing: whatever the product says of its world it has said already."""

    def _values(self, turn: str) -> dict[str, Any]:
        messages = self._transcript.history()
        return {
            "turn": turn,
            "turns": [said["content"] for said in messages if said["role"] == "user"],
            "history": messages[:-1],
            "messages": messages,
            "conversation_id": self._id,
            **self._given,
        }

    async def _asked(self, values: Mapping[str, Any]) -> Reply:
        """Send one request, once."""
        settings, wire = self._target.settings, self._target.wire
        url = template.fill_text(self._target.url, _escaped(values))
        headers = {name: template.fill_text(text, values) for name, text in self._target.headers.items()}
        body = None if settings.body is None else json.dumps(template.fill(settings.body, values)).encode()
        async with wire.opened(settings.method, url, headers=headers, body=body) as answer:
            if answer.status not in OK:
                raise await self._refusal(answer)
            chunks = answer.content.iter_any()
            found = await events.read(chunks, settings.stream, settings.max_bytes, clean=wire.secrets.removed)
        said = reply.read(wire.secrets.removed_from(told(settings.answer, found, calls_fit=self._target.calls_fit)))
        self._target.calls_fit = self._target.calls_fit or bool(said.tool_calls)
        usage.current().pay(said.prompt_tokens, said.completion_tokens, self._target.price)
        return said

    async def _refusal(self, answer: aiohttp.ClientResponse) -> CallError | EndpointError:
        """Return our word for a status that is no answer; what would fail alike for every call is an EndpointError."""
        body = await answer.content.read(SHOWN_BYTES)
        text = self._target.wire.quoted(f"HTTP {answer.status}: {body.decode(errors='replace')}")
        where = f"{self._target.settings.name} at {self._target.url}"
        if answer.status in {UNAUTHORISED, FORBIDDEN}:
            return AccessError(f"{where} refused the request ({text}): correct headers or the variables they name")
        if answer.status == NOT_FOUND and not self._target.wire.patience.governor.breaker.has_answered:
            return AccessError(f"{where} does not know this address ({text}): correct url")
        return refused(Sent(answer.status, answer.headers, body), text)


def _escaped(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that an address may hold, so that none of them becomes another part of it."""

    def escaped(value: Any) -> str:  # noqa: ANN401 - any JSON value
        return quote(named.shown(value), safe="", errors="replace")

    said = {name: escaped(values[name]) for name in IN_URL & values.keys()}
    return {**said, template.INPUTS: {name: escaped(value) for name, value in values[template.INPUTS].items()}}


def told(answer: Answer, found: list[Any], *, calls_fit: bool) -> dict[str, Any]:
    """Return what the events of one answer say, as `reply.read` expects it.

    Args:
        answer: Where it stands.
        found: The events.
        calls_fit: Are the parameters known to be right about tool calls? One of another shape is then the product's
            fault, and part of its answer.

    Raises:
        ConfigError: A tool call is not of the declared shape, and none was so far.
        CallError: An event is nested too deeply to be searched, or none has anything where the text is looked for: what
            the product said is not known then, so that it counts as no empty answer.
    """

    def every(path: str) -> list[Any]:
        return [one for event in found for one in json_path.find(path, event) if one is not None]

    def last(path: str) -> Any:  # noqa: ANN401 - any JSON value
        return next(reversed(every(path)), None)

    texts = every(answer.text)
    calls = [_call(answer, one, calls_fit=calls_fit) for one in _flat(every(tool_calls.path(answer.tool_calls)))]
    if not calls and answer.text and not any(json_path.find(answer.text, event) for event in found):
        raise CallError(
            "malformed", f"the reply has nothing at {answer.text}, where execute.target.answer looks for text"
        )
    odd = [one for one in texts if not isinstance(one, str)]
    return {
        "text": odd[0] if odd else "".join(texts),
        "tool_calls": calls,
        "contexts": _flat(every(answer.contexts)),
        "usage": {"prompt_tokens": last(answer.prompt_tokens), "completion_tokens": last(answer.completion_tokens)},
        "finish_reason": last(answer.finish_reason),
        "version": str(last(answer.version) or ""),
        "final_state": last(answer.final_state),
    }


def _call(answer: Answer, call: Any, *, calls_fit: bool) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    """Return a tool call as it is mapped, or as it came."""
    try:
        return tool_calls.mapped(answer.tool_calls, call)
    except tool_calls.UnmappedError as error:
        if calls_fit:
            return tool_calls.unreadable(call)
        raise ConfigError(
            f"execute.target.answer.tool_calls: {error}; correct params.yaml, where `{{path, name, arguments}}` says "
            "where these stand"
        ) from error


def _flat(found: list[Any]) -> list[Any]:
    """Return the elements, whether the path leads to a list or to each of its elements."""
    return [one for part in found for one in (part if isinstance(part, list) else [part])]
