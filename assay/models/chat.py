"""Ask an OpenAI-compatible chat endpoint: the package's requests and errors, over a leaner transport.

The resource layer of the openai package costs 1.2 ms of CPU a call, six times what the call itself takes. So the hot
path sends the same bytes itself; `through="openai"` sends them through the package.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Protocol, Self, TypeVar
from urllib.parse import urlencode, urlsplit

import orjson
from pydantic import BaseModel, Field, ValidationError

from assay.errors import AccessError, Again, CallError, EmptyReplyError, EndpointError
from assay.models import usage
from assay.models.limits import Limits
from assay.models.request_size import BYTES_A_TOKEN, prompt_tokens
from assay.models.transport import CLIENT_FAULT, SHOWN, TOO_MANY, Sent, Wire, refused, writable
from assay.reply_text import WITHHELD

UNAUTHORISED, FORBIDDEN, NOT_FOUND = 401, 403, 404
REDIRECTS = range(300, 400)
ABSURD = 2**40
"""Tokens that no reply has."""
QUOTA = "insufficient_quota"
COMPLETIONS = "/chat/completions"
SURROGATE = re.compile(rb"\\u[dD]")
ESCAPE = re.compile(rb"\\u")
"""Begins a spelling of a character under which a key may have come through; `re` finds it in half the time of `in`."""
Read = TypeVar("Read")
Api = Literal["chat", "decision", "openai-decision"]
NO_MESSAGE = {"content": None, "refusal": None, "tool_calls": None}
NO_CHOICE = {"finish_reason": None, "logprobs": None}
"""What every caller may rely on, if only as None."""
MOST_OF_A_REASON = 80
"""Characters that are kept of why a reply ended."""


class Endpoint(BaseModel, frozen=True):
    """Where a model is asked, under which name."""

    base_url: str
    model: str
    api_key: str = Field(repr=False)
    query: tuple[tuple[str, str], ...] = ()
    """Added to every address, such as Azure's `api-version`."""
    headers: tuple[tuple[str, str], ...] = Field(default=(), repr=False)
    """Sent besides; the key may stand there instead."""
    secrets: tuple[str, ...] = Field(default=(), repr=False)
    """Of the values of headers those that nothing may repeat."""
    api: Api = "chat"
    """How it is asked; what is no chat is asked through assay/models/decision.py."""

    def __repr__(self) -> str:
        """Leave the key out: a repr ends up in logs."""
        return f"Endpoint({self.model} at {self.base_url})"

    __str__ = __repr__


class _Message(BaseModel, strict=True):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[Any] | None = None


class _Choice(BaseModel, strict=True):
    message: _Message
    finish_reason: str | None = None
    logprobs: Any = None


class _Completion(BaseModel, strict=True):
    """What every caller may rely on; what else the endpoint sent is passed on as it is, unlooked at."""

    choices: list[_Choice] = Field(min_length=1)
    model: str | None = None


class _Embedding(BaseModel, allow_inf_nan=False):
    embedding: list[float] = Field(min_length=1)


class _Embeddings(BaseModel):
    data: list[_Embedding] = Field(min_length=1)


class Asks(Protocol):
    """Whoever can be asked like a chat endpoint."""

    endpoint: Endpoint

    async def complete(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - OpenAI's parameters
        """Return the reply; see `Chat.complete`."""

    def vouch(self, request: dict[str, Any]) -> None:
        """Let it count as an endpoint that has answered a request; see `Chat.vouch`."""


class Usage(NamedTuple):
    """Tokens as an endpoint counts them."""

    prompt_tokens: int
    completion_tokens: int


class Chat:
    """A chat endpoint; every request is timed, bounded, repeated where that helps, and counted on the call's meter."""

    def __init__(self, endpoint: Endpoint, limits: Limits, *, through: Literal["wire", "openai"] = "wire") -> None:
        """Prepare the connections; nothing is contacted yet.

        Args:
            endpoint: Where to ask.
            limits: How hard.
            through: Which transport sends the requests; the answers are the same.

        Raises:
            EndpointError: The address or the key cannot be sent at all.
        """
        _check(endpoint)
        self.endpoint, self._limits = endpoint, limits
        secrets = (endpoint.api_key, *endpoint.secrets)
        self._wire = Wire(endpoint.base_url, limits, name=str(endpoint), secrets=secrets)
        self._package: Any = None
        if through == "openai":
            from assay.models import openai_package

            self._package = openai_package.client(
                endpoint.base_url, endpoint.api_key, limits.deadline_s, endpoint.query, endpoint.headers
            )
        self._headers = {"Content-Type": "application/json", **_authorization(endpoint), **dict(endpoint.headers)}
        self._completion_tokens = 0.0

    async def __aenter__(self) -> Self:
        """Return the client itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self._wire.close()
        if self._package:
            await self._package.close()

    async def complete(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - OpenAI's parameters
        """Return the reply: `choices[0].message`, `finish_reason`, `logprobs` and `model` are there, if only as None.

        Lone surrogates become U+FFFD: no file could hold them.

        Raises:
            EndpointError: No call can succeed: wrong key, unknown model or address, nobody there.
            CallError: This call failed; `kind` says how.
            BudgetError: Nothing is left to pay with.
        """
        asked = {"model": self.endpoint.model, **request}
        body = _body(asked)
        tokens = prompt_tokens(len(body), request.get("messages", ())) + int(self._completion_tokens)
        if self._package:
            return await self._through_package(asked, tokens)
        return await self._send(COMPLETIONS, body, self._paid, tokens)

    def vouch(self, request: dict[str, Any] | None = None) -> None:
        """Let it count as an endpoint that has answered tonight: silence is an outage then, and no wrong address.

        Args:
            request: The one that it answered, as for `complete`; it tells a question that breaks it from an outage.
        """
        if request is None:
            self._wire.vouch()
        else:
            self.vouch_for(COMPLETIONS, {"model": self.endpoint.model, **request}, self._paid)

    def vouch_for(self, path: str, request: dict[str, Any], read: Callable[[Sent], Read]) -> None:
        """Let it count as an endpoint that has answered a request of any kind; the arguments are those of `post`."""
        address, body = self._address(path), _body(request)
        self._wire.vouch(self._wire.attempt("POST", address, headers=self._headers, body=body, read=read))

    async def embed(self, model: str, text: str) -> list[float]:
        """Return the embedding of a text by a model of this endpoint.

        Raises:
            EndpointError: No call can succeed.
            CallError: This call failed; `kind` says how.
            BudgetError: Nothing is left to pay with.
        """
        return await self.post("/embeddings", {"model": model, "input": text}, self._vector, tokens=len(text))

    def _vector(self, sent: Sent) -> list[float]:
        self.require_answer(sent)
        try:
            return _Embeddings.model_validate_json(sent.body).data[0].embedding
        except ValidationError as error:
            raise CallError("malformed", f"the reply is no embedding: {self._wire.quoted(error)}") from error

    async def post(self, path: str, request: dict[str, Any], read: Callable[[Sent], Read], *, tokens: int = 0) -> Read:
        """Return what `read` makes of the answer to a request of any kind.

        Args:
            path: After the address of the endpoint.
            request: Sent as JSON.
            read: As for `Wire.send`.
            tokens: As for `Wire.send`; left out, they are counted by the length of the request.

        Raises:
            EndpointError: No call can succeed.
            CallError: This call failed; `kind` says how.
            BudgetError: Nothing is left to pay with.
        """
        body = _body(request)
        return await self._send(path, body, read, tokens or len(body) // BYTES_A_TOKEN)

    async def _send(self, path: str, body: bytes, read: Callable[[Sent], Read], tokens: int) -> Read:
        return await self._wire.send(
            "POST",
            self._address(path),
            headers=self._headers,
            body=body,
            is_harmless=True,
            read=read,
            tokens=tokens,
        )

    def _address(self, path: str) -> str:
        """Return where a kind of request is sent, with what the endpoint wants in every address."""
        query = urlencode(self.endpoint.query)
        return f"{self.endpoint.base_url.rstrip('/')}{path}" + (f"?{query}" if query else "")

    async def _through_package(self, request: dict[str, Any], tokens: int) -> dict[str, Any]:
        from assay.models import openai_package

        async def once() -> dict[str, Any]:
            sent = await openai_package.complete(self._package, request, self._limits.deadline_s)
            return self._paid(self._wire.taken(sent))

        return await self._wire.patience.ask(once, is_harmless=True, tokens=tokens)

    def _paid(self, sent: Sent) -> dict[str, Any]:
        """Return what was sent back, and book its tokens."""
        reply = self.read(sent)
        used = reply_usage(reply)
        self._completion_tokens += (used.completion_tokens - self._completion_tokens) / 8
        self.pay(used)
        return reply

    def pay(self, used: Usage) -> None:
        """Book the tokens of an answer on the call's meter."""
        usage.current().pay(used.prompt_tokens, used.completion_tokens, self._limits.price)

    def read(self, sent: Sent) -> dict[str, Any]:
        """Return what was sent back, as `complete` does.

        Raises:
            EndpointError: No call can succeed.
            CallError: It is no answer.
        """
        self.require_answer(sent)
        is_escaped = bool(ESCAPE.search(sent.body))
        try:
            reply = read_completion(sent.body, is_escaped=is_escaped)
            return self._wire.secrets.removed_from(reply) if is_escaped else reply
        except EmptyReplyError as error:
            ended = str(self._wire.secrets.removed_from(error.finish_reason))
            raise EmptyReplyError(self._wire.quoted(error), again=error.again, finish_reason=ended) from error
        except CallError as error:
            raise CallError(error.kind, self._wire.quoted(error)) from error

    def require_answer(self, sent: Sent) -> None:
        """Refuse what is no answer.

        Raises:
            EndpointError: No call can succeed.
            CallError: This call failed.
        """
        if sent.status >= CLIENT_FAULT or sent.status in REDIRECTS:
            raise self._named(sent)

    def _named(self, sent: Sent) -> CallError | EndpointError:
        """Return our word for a refusal; what would fail alike for every call is an EndpointError."""
        code, said = _error(sent.body)
        text = self._wire.quoted(said or f"HTTP {sent.status}")
        if sent.status in {UNAUTHORISED, FORBIDDEN}:
            return AccessError(
                f"{self.endpoint} refused the key ({text}), expected a key that may use this model: "
                "set the variable that holds it"
            )
        if sent.status == NOT_FOUND:
            return AccessError(
                f"{self.endpoint} does not know this model or address ({text}): "
                "correct model and base_url in params.yaml, or in the judge.yaml that names them"
            )
        if sent.status == TOO_MANY and code == QUOTA:
            return EndpointError(f"{self.endpoint} has no quota left ({text}): add credit, then run again")
        return refused(sent, text)


def read_completion(body: bytes, *, is_escaped: bool) -> dict[str, Any]:
    """Return a chat completion as every caller may rely on it; `is_escaped` where a character is spelled by number.

    Raises:
        EmptyReplyError: It has no text, no tool call, no refusal; a CallError: it is `malformed`.
    """
    try:
        found = _json(body, is_escaped=is_escaped)
    except (ValueError, RecursionError) as error:
        raise CallError("malformed", f"the reply is not JSON: {_short(error)}") from error
    _join_parts(found)
    try:
        _Completion.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        fault = f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"
        raise CallError("malformed", f"the reply is no completion ({fault}): {_short(found)}") from error
    choice = found["choices"][0]
    message = choice["message"] = NO_MESSAGE | choice["message"]
    found["choices"][0] = NO_CHOICE | choice
    if not (message["content"] or message["tool_calls"] or message["refusal"]):
        ended = choice["finish_reason"] or ""
        # What a filter keeps back it keeps back again.
        again: Again | None = "never" if ended.lower() in WITHHELD else None
        said = f"the reply says nothing (finish_reason {_short(choice['finish_reason'])})"
        raise EmptyReplyError(said, again=again, finish_reason=ended[:MOST_OF_A_REASON])
    return {"model": None, **found}


def _join_parts(found: Any) -> None:  # noqa: ANN401 - any JSON value
    """Put the text of a message that came in parts into one; thoughts among them are left out."""
    try:
        message = found["choices"][0]["message"]
        if isinstance(message["content"], list):
            texts = [part["text"] for part in message["content"] if part["type"] == "text"]
            message["content"] = "".join(texts)
    except (LookupError, TypeError):
        return  # told by the check that follows


def _json(body: bytes, *, is_escaped: bool) -> Any:  # noqa: ANN401 - any JSON value
    """Read JSON; what only a lenient reader takes (half characters, NaN in log-probabilities) is left to one."""
    if not (is_escaped and SURROGATE.search(body)):
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            return json.loads(body.decode())
    return json.loads(writable(json.dumps(json.loads(body.decode()), ensure_ascii=False)))


def _body(request: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(request)
    except orjson.JSONEncodeError as error:
        raise CallError("refused-request", f"the request cannot be sent as JSON: {_short(error)}") from error


def reply_usage(reply: dict[str, Any]) -> Usage:
    """Return the tokens that the endpoint counted; what it counts in no way that is known is not paid for."""
    counted = reply.get("usage")
    found = [counted.get(name) if isinstance(counted, dict) else None for name in Usage._fields]
    return Usage(*(count if isinstance(count, int) and 0 <= count < ABSURD else 0 for count in found))


def _error(body: bytes) -> tuple[str, str]:
    """Return code and message of an error in OpenAI's shape or one like it; for any other body, the body."""
    try:
        whole = json.loads(body)
        error = whole.get("error") or whole
        text = error if isinstance(error, str) else error.get("message") or error["detail"]
        return str("" if isinstance(error, str) else error.get("code") or ""), str(text)
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return "", body[: 2 * SHOWN].decode(errors="replace")


def _short(found: object) -> str:
    return " ".join(str(found).split())[:SHOWN]


def _authorization(endpoint: Endpoint) -> dict[str, str]:
    """Return the header with the key; local servers want one, an endpoint with headers of its own has its key there."""
    if endpoint.headers and not endpoint.api_key:
        return {}
    return {"Authorization": f"Bearer {endpoint.api_key or 'none'}"}


def _check(endpoint: Endpoint) -> None:
    """Refuse what could never be sent, before the transport refuses it in words that repeat the key."""
    try:
        address = urlsplit(endpoint.base_url)
        is_sound = address.scheme in {"http", "https"} and bool(address.hostname) and address.port != 0
    except ValueError:
        is_sound = False
    if not is_sound:
        found = repr(endpoint.base_url[:SHOWN])
        raise EndpointError(f"base_url is {found}, expected an address such as http://127.0.0.1:8000/v1: correct it")
    sent = (endpoint.api_key, *(text for header in endpoint.headers for text in header))
    if not all(text.isascii() and text.isprintable() for text in sent):
        raise EndpointError(
            f"the key for {endpoint} holds a character that no header can carry, expected plain ASCII on one line: "
            "set its variable again"
        )
