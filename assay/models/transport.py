"""HTTP, once and well: a deadline, a cap on what is read, no redirect, every fault in our words."""

import asyncio
import io
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import aiohttp

from assay.errors import Again, CallError, EndpointError, OverloadError
from assay.models.limits import Limits
from assay.models.retry import Once, Patience
from assay.models.secrets import Secrets

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
MOST_BYTES = 32 * 1024 * 1024
"""A reply that is longer is a fault of its own: it would fill memory and every table behind it."""
LONG = 1024 * 1024
SHOWN = 300
"""Characters of somebody else's text that one of our sentences may hold."""
NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")
LIMIT, REMAINING, RESET = (f"x-ratelimit-{what}-requests" for what in ("limit", "remaining", "reset"))
DURATION = re.compile(r"(?:([0-9]{1,4})h)?(?:([0-9]{1,4})m)?(?:([0-9]{1,9}(?:\.[0-9]{1,9})?)s)?(?:([0-9]{1,9})ms)?")
"""As Go writes it, and OpenAI: 1m30s, 120ms."""
UNITS_S = (3600.0, 60.0, 1.0, 0.001)
PASSING = {408, 409, 425}
"""Refusals that pass: too slow, in conflict, too early."""
TOO_MANY, UNAVAILABLE, SERVER_FAULT, CLIENT_FAULT = 429, 503, 500, 400
Read = TypeVar("Read")


class Sent(NamedTuple):
    """What came back: any status, the headers by lower-case name, the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire:
    """Connections to one endpoint."""

    def __init__(
        self, base_url: str, limits: Limits, *, name: str = "", key: str = "base_url", secrets: tuple[str, ...] = ()
    ) -> None:
        """Prepare; nothing is contacted yet.

        Args:
            base_url: Where the endpoint is, to see whether a proxy can reach it.
            limits: How hard it may be asked.
            name: What messages call it; its address when left out.
            key: Where in params.yaml its address stands.
            secrets: Texts that no message may repeat, such as the key.
        """
        self._base_url, self._name, self._key = base_url, name or base_url, key
        self.patience = Patience(limits, self._name)
        self._limits, self.secrets = limits, Secrets(secrets)
        self._session: aiohttp.ClientSession | None = None
        self._is_reached = False

    def vouch(self, good: Once[Any] | None = None) -> None:
        """Let it count as an endpoint that has answered before: silence is an outage then, and no wrong address.

        Args:
            good: As for `Patience.vouch`.
        """
        self._is_reached = True
        self.patience.vouch(good)

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        is_harmless: bool,
        read: Callable[[Sent], Read],
        body: bytes | None = None,
        tokens: int = 0,
    ) -> Read:
        """Send a request, again where that may help, and return what `read` makes of the answer.

        Args:
            method: Such as POST.
            url: Where to.
            headers: Sent as they are.
            is_harmless: See `Patience.ask`.
            read: Raises CallError for an answer that is none; that counts as an attempt.
            body: Sent as it is.
            tokens: See `Patience.ask`.

        Raises:
            CallError: The call failed; `kind` says how.
            EndpointError: Nobody is there, from the first call on.
        """
        once = self.attempt(method, url, headers=headers, read=read, body=body)
        return await self.patience.ask(once, is_harmless=is_harmless, tokens=tokens)

    def attempt(
        self, method: str, url: str, *, headers: Mapping[str, str], read: Callable[[Sent], Read], body: bytes | None
    ) -> Once[Read]:
        """Return a function that sends a request once; the arguments are those of `send`."""

        async def once() -> Read:
            try:
                async with asyncio.timeout(self._limits.deadline_s), self._request(method, url, headers, body) as reply:
                    self._is_reached = True
                    sent = self.taken(Sent(reply.status, reply.headers, await _whole(reply, MOST_BYTES)))
            except (TimeoutError, aiohttp.ClientError, OSError) as error:
                raise self._named(error) from error
            return read(sent)

        return once

    def taken(self, sent: Sent) -> Sent:
        """Return an answer as it may be read: without the secrets. What it says of its limits is learnt."""
        if REMAINING in sent.headers:
            self._learn(sent.headers)
        return sent._replace(body=self.secrets.removed(sent.body))

    def _learn(self, headers: Mapping[str, str]) -> None:
        """Take down how many requests are left; what is written in no way that is known says nothing."""
        limit, remaining = (NUMBER.fullmatch(headers.get(name, "").strip()) for name in (LIMIT, REMAINING))
        reset_s = _duration_s(headers.get(RESET, "").strip())
        if limit and remaining and reset_s is not None:
            self.patience.governor.hint(float(limit[0]), float(remaining[0]), reset_s)

    @asynccontextmanager
    async def opened(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send one request, once, and yield the open answer; the deadline holds for the whole block.

        Raises:
            CallError: The wire failed, or the block was not done in time.
            EndpointError: As for `send`.
        """
        try:
            async with asyncio.timeout(self._limits.deadline_s), self._request(method, url, headers, body) as reply:
                self._is_reached = True
                yield reply
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise self._named(error) from error

    def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        # What is long would block the loop if it were handed over in one piece.
        data = io.BytesIO(body) if body and len(body) > LONG else body
        return self._connected().request(method, url, data=data, headers=headers, allow_redirects=False)

    def _named(self, error: TimeoutError | aiohttp.ClientError | OSError) -> CallError | EndpointError:
        """Return our word for the transport's error; nobody there, from the first call on, fails alike for all."""
        text = self.quoted(error)
        match error:
            case aiohttp.ClientConnectorError() | aiohttp.InvalidURL() if not self._is_reached:
                found = f"{self._name} cannot be reached ({text})"
                return EndpointError(f"{found}: start it, or correct {self._key}")
            case aiohttp.ClientConnectorError() | aiohttp.InvalidURL():
                return CallError("connection", text, again="always")
            case TimeoutError():
                return CallError("timeout", f"no answer within {self._limits.deadline_s:g} s")
            case aiohttp.ClientResponseError():
                return CallError("malformed", f"the reply is not HTTP: {text}")
            case _:
                return CallError("connection", text)

    def quoted(self, found: object) -> str:
        """Return somebody else's text on one short line, without the secrets, whoever repeats them."""
        text = self.secrets.hidden(" ".join((str(found) or type(found).__name__).split()))
        return writable(text)[:SHOWN]

    def _connected(self) -> aiohttp.ClientSession:
        """Return the session; it belongs to the event loop that asks first."""
        if self._session is None:
            # A proxy of the environment cannot reach this machine's own ports.
            is_local = urlsplit(self._base_url).hostname in LOOPBACK
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                trust_env=not is_local,
            )
        return self._session


async def _whole(reply: aiohttp.ClientResponse, most: int) -> bytes:
    """Return the body.

    Raises:
        CallError: It is longer than `most` bytes.
    """
    if (reply.content_length or 0) > most:
        raise CallError("too-long", f"the reply announces {reply.content_length} bytes, at most {most} are read")
    if reply.content_length is not None and "Content-Encoding" not in reply.headers:
        return await reply.read()
    parts, size = [], 0
    async for part in reply.content.iter_any():
        size += len(part)
        if size > most:
            raise CallError("too-long", f"the reply does not end after {most} bytes")
        parts.append(part)
    return b"".join(parts)


def writable(text: str) -> str:
    """Return the text with U+FFFD in place of each lone surrogate, which UTF-8 and therefore no table can hold."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def refused(sent: Sent, text: str) -> CallError:
    """Return our word for an HTTP status that is no answer.

    Args:
        sent: The answer.
        text: What it says, for a person, already quoted.
    """
    again: Again | None = "never" if sent.headers.get("x-should-retry") == "false" else None
    if sent.status in {TOO_MANY, UNAVAILABLE}:
        kind = "rate-limit" if sent.status == TOO_MANY else "server"
        wait_s = _wait_s(sent.headers)
        is_untouched = again is None and (sent.status == TOO_MANY or wait_s is not None)
        return OverloadError(kind, text, again="always" if is_untouched else again, wait_s=wait_s)
    if sent.status >= SERVER_FAULT:
        return CallError("server", text, again=again)
    return CallError("refused-request", text, again=again or ("if-harmless" if sent.status in PASSING else None))


def _wait_s(headers: Mapping[str, str]) -> float | None:
    """Return how long the endpoint wants to be left alone; None when it does not say, or in no way that is known."""
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        if NUMBER.fullmatch(headers.get(name, "").strip()):
            return float(headers[name]) * unit_s
    return _until(headers)


def _until(headers: Mapping[str, str]) -> float | None:
    """Return the seconds from the answer's own date to the one in Retry-After (RFC 9110, 10.2.3)."""
    try:
        now, then = parsedate_to_datetime(headers["date"]), parsedate_to_datetime(headers["retry-after"])
        return max(0.0, (then - now).total_seconds())
    except (KeyError, ValueError, TypeError):
        return None


def _duration_s(text: str) -> float | None:
    """Return the seconds of a duration; None for what is none."""
    if NUMBER.fullmatch(text):
        return float(text)
    found = DURATION.fullmatch(text) if text else None
    return (
        sum(float(part or 0) * unit_s for part, unit_s in zip(found.groups(), UNITS_S, strict=True)) if found else None
    )
