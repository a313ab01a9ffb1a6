"""Ask an OpenAI-compatible chat endpoint; nobody else knows the errors of the openai package and its transport."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
import openai
from openai import AsyncOpenAI, DefaultAioHttpClient
from pydantic import BaseModel, Field, ValidationError

from assay.errors import CallError, EndpointError

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
SHOWN = 300
"""Characters of somebody else's text that one of our sentences may hold."""


class Endpoint(BaseModel, frozen=True):
    """Where a model is asked, under which name."""

    base_url: str
    model: str
    api_key: str = Field(repr=False)

    def __repr__(self) -> str:
        """Leave the key out: a repr ends up in logs."""
        return f"Endpoint({self.model} at {self.base_url})"

    __str__ = __repr__


class _Message(BaseModel, extra="allow", strict=True):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[Any] | None = None


class _Choice(BaseModel, extra="allow", strict=True):
    message: _Message
    finish_reason: str | None = None
    logprobs: dict[str, Any] | None = None


class _Completion(BaseModel, extra="allow", strict=True):
    """What every caller may rely on; what else the endpoint sent is passed on as it is."""

    choices: list[_Choice] = Field(min_length=1)
    model: str | None = None


class Chat:
    """A chat endpoint with a deadline a call; retries of what may be repeated are the openai package's."""

    def __init__(self, endpoint: Endpoint, *, deadline_s: float, max_retries: int = 2) -> None:
        """Prepare the connection pool; nothing is contacted yet.

        Raises:
            EndpointError: The address or the key cannot be sent at all.
        """
        _check(endpoint)
        self.endpoint = endpoint
        self._deadline_s = deadline_s
        self._is_reached = False
        # A proxy of the environment cannot reach this machine's own ports.
        is_local = urlsplit(endpoint.base_url).hostname in LOOPBACK
        self._client = AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key=endpoint.api_key or "none",
            timeout=deadline_s,
            max_retries=max_retries,
            http_client=DefaultAioHttpClient(trust_env=not is_local),
        )

    async def __aenter__(self) -> Self:
        """Return the client itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self._client.close()

    async def complete(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - OpenAI's parameters
        """Return the reply: `choices[0].message`, `finish_reason`, `logprobs` and `model` are there, if only as None.

        Lone surrogates become U+FFFD: no file could hold them.

        Raises:
            EndpointError: No call can succeed: wrong key, unknown model or address, nobody there.
            CallError: This call failed; `kind` says how.
        """
        try:
            async with asyncio.timeout(self._deadline_s):
                create = self._client.chat.completions.with_raw_response.create
                reply = await create(model=self.endpoint.model, **request)
        except TimeoutError as error:
            raise CallError("timeout", f"no answer within {self._deadline_s:g} s") from error
        except openai.OpenAIError as error:
            self._is_reached |= isinstance(error, openai.APIStatusError)
            raise self._named(error) from error
        except aiohttp.ClientError as error:
            raise CallError("malformed", f"the reply is not HTTP: {self._quoted(error)}") from error
        except UnicodeEncodeError as error:
            raise CallError("refused-request", "the request holds a character that cannot be sent as UTF-8") from error
        self._is_reached = True
        return self._read(reply.content)

    def _read(self, body: bytes) -> dict[str, Any]:
        try:
            found = _writable_json(json.loads(body))
        except (ValueError, RecursionError) as error:
            raise CallError("malformed", f"the reply is not JSON: {self._quoted(error)}") from error
        try:
            return _Completion.model_validate(found).model_dump()
        except ValidationError as error:
            first = error.errors()[0]
            fault = f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"
            raise CallError("malformed", f"the reply is no completion ({fault}): {self._quoted(found)}") from error

    def _named(self, error: openai.OpenAIError) -> CallError | EndpointError:
        """Return our word for the package's error; what would fail alike for every call is an EndpointError."""
        text = self._quoted(error)
        match error:
            case openai.AuthenticationError() | openai.PermissionDeniedError():
                return EndpointError(
                    f"{self.endpoint} refused the key ({text}), expected a key that may use this model: "
                    "set the variable that holds it"
                )
            case openai.NotFoundError():
                return EndpointError(
                    f"{self.endpoint} does not know this model or address ({text}): "
                    "correct model and base_url in params.yaml"
                )
            case openai.RateLimitError(code="insufficient_quota"):
                return EndpointError(f"{self.endpoint} has no quota left ({text}): add credit, then run again")
            case openai.APIConnectionError():
                return self._unconnected(error)
            case openai.RateLimitError():
                return CallError("rate-limit", text)
            case openai.InternalServerError():
                return CallError("server", text)
            case openai.APIStatusError():
                return CallError("refused-request", text)
            case _:
                return CallError("malformed", text)

    def _unconnected(self, error: openai.APIConnectionError) -> CallError | EndpointError:
        """Tell nobody there, from the first call on, from a connection that broke, from patience that ended."""
        causes = list(_causes(error))
        text = self._quoted(causes[-1])
        if any(isinstance(cause, aiohttp.ClientConnectorError | aiohttp.InvalidURL) for cause in causes):
            if not self._is_reached:
                return EndpointError(f"{self.endpoint} cannot be reached ({text}): start it, or correct base_url")
            return CallError("connection", text)
        return CallError("timeout" if isinstance(causes[-1], TimeoutError) else "connection", text)

    def _quoted(self, found: object) -> str:
        """Return somebody else's text on one short line, without the key, whoever repeats it."""
        text = " ".join(str(found).split())
        key = self.endpoint.api_key
        return (text.replace(key, "(the key)") if key else text)[:SHOWN]


def writable(text: str) -> str:
    """Return the text with U+FFFD in place of each lone surrogate, which UTF-8 and therefore no table can hold."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _writable_json(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.loads(writable(text))
    return value


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
    if not (endpoint.api_key.isascii() and endpoint.api_key.isprintable()):
        raise EndpointError(
            f"the key for {endpoint} holds a character that no header can carry, expected plain ASCII on one line: "
            "set its variable again"
        )


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__
