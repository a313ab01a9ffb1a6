"""The same request through the openai package, for a target that needs something only the package does."""

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import openai
from openai import AsyncOpenAI, DefaultAioHttpClient

from assay.errors import CallError
from assay.models.transport import LOOPBACK, Sent

Pairs = tuple[tuple[str, str], ...]


def client(base_url: str, api_key: str, deadline_s: float, query: Pairs = (), headers: Pairs = ()) -> AsyncOpenAI:
    """Return the package's client as Assay uses it: no repeats of its own, no proxy before this machine's ports."""
    is_local = urlsplit(base_url).hostname in LOOPBACK
    return AsyncOpenAI(
        base_url=base_url,
        api_key=api_key or "none",
        default_query=dict(query),
        default_headers=dict(headers),
        timeout=deadline_s,
        max_retries=0,
        http_client=DefaultAioHttpClient(trust_env=not is_local),
    )


async def complete(package: AsyncOpenAI, request: dict[str, Any], deadline_s: float) -> Sent:
    """Send one chat completion, once; return whatever status came back.

    Raises:
        CallError: The wire failed.
    """
    try:
        async with asyncio.timeout(deadline_s):
            reply = await package.chat.completions.with_raw_response.create(**request)
    except openai.APIStatusError as error:
        return Sent(error.status_code, error.response.headers, error.response.content)
    except (TimeoutError, openai.APITimeoutError) as error:
        raise CallError("timeout", f"no answer within {deadline_s:g} s") from error
    except (openai.OpenAIError, aiohttp.ClientError) as error:
        raise CallError("connection", str(list(causes(error))[-1])) from error
    return Sent(reply.status_code, reply.headers, reply.content)


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it came from."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__
